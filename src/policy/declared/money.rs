//! Settings of money at a placement: from `cheapest` and `exploration_budget` in `placements.yaml` to numbers. Spends
//! and counts nothing.

use crate::domain::money::parse_decimal;
use crate::domain::spend::MICROS;
use crate::domain::{Currency, Malformed, Money, MoneySettings, Objective, ObjectiveKind, Percent};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::syntax::Node;

/// The largest exploration budget where acceptance is maximised, so that its millionths stay far below overflow.
const ACCEPTANCES_MAX: i64 = 1_000_000_000;

/// Reads the settings of money among the fields of a placement.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    objective: Option<Objective>,
    currency: Option<Currency>,
) -> Option<MoneySettings> {
    let what = fields.what.as_str();
    let cheapest = fields.get("cheapest").map_or(Some(None), |node| cheapest(report, what, node).map(Some));
    let budget = fields
        .get("exploration_budget")
        .map_or(Some(None), |node| exploration_budget(report, what, node, objective?, currency?).map(Some));
    Some(MoneySettings { cheapest: cheapest?, exploration_budget_micros: budget? })
}

fn cheapest(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Percent> {
    let fields = Fields::open(report, format!("{what}: cheapest"), node, &["share"], &[])?;
    let share = fields.need(report, "share", "share: 90%")?;
    let percent = read::percent(report, &fields.what, share)?;
    if percent.0 == 0 {
        // Of 0 % everything that loses nothing is good enough, so that nothing would ever be given.
        read::out_of_range(report, &fields.what, share, "a share above 0% and up to 100%");
        return None;
    }
    Some(percent)
}

/// In money where margin is maximised; where acceptance or clicks are, so many of them.
fn exploration_budget(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    objective: Objective,
    currency: Currency,
) -> Option<i64> {
    let what = format!("{what}: exploration_budget");
    let (wanted, range) = match objective.kind {
        ObjectiveKind::Margin => ("an amount such as `50.00`", "an amount of at least 0"),
        ObjectiveKind::Conversion | ObjectiveKind::Click => ("a number such as `20` or `2.5`", "0 to 1000000000"),
    };
    let micros = read::parsed(report, &what, node, wanted, |text| match objective.kind {
        ObjectiveKind::Margin => Ok(Money::parse(text, currency)?.minor.saturating_mul(MICROS)),
        ObjectiveKind::Conversion | ObjectiveKind::Click => parse_decimal(text, 6)
            .map_err(|_| Malformed(format!("`{text}` is not a number with at most 6 digits behind the point"))),
    })?;
    let bounded = objective.kind == ObjectiveKind::Margin || micros <= ACCEPTANCES_MAX.saturating_mul(MICROS);
    if micros < 0 || !bounded {
        read::out_of_range(report, &what, node, range);
        return None;
    }
    Some(micros)
}
