//! Budgets and stock: from `budgets` and `stock` in `rules/*.yaml` to [`Pool`]. Counts nothing.

use chrono_tz::Tz;

use super::super::caps::calendar_unit;
use super::{Pool, PoolAmount, PoolBy, PoolWindow};
use crate::domain::{Currency, Malformed, Money};
use crate::policy::applies::AppliesTo;
use crate::policy::codes;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::syntax::{Node, Yaml};

/// The fields of a budget.
pub(in crate::policy) const BUDGET_FIELDS: [&str; 5] = ["amount", "units", "by", "window", "pace"];

/// The fields of a stock.
pub(in crate::policy) const STOCK_FIELDS: [&str; 2] = ["units", "per"];

/// The most units of one pool.
const UNITS_MAX: u32 = 1_000_000_000;

/// Reads a budget.
pub(in crate::policy) fn budget(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    applies_to: Option<&AppliesTo>,
) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let amount = match (fields.get("amount"), fields.get("units")) {
        (Some(node), None) => money(report, what, node, known, applies_to),
        (None, Some(node)) => read::whole(report, what, node, 0, UNITS_MAX).map(PoolAmount::Units),
        (both, _) => {
            let message = match both {
                Some(_) => format!("{what}: a budget is of money or of units"),
                None => format!("{what}: what may be given out is missing"),
            };
            report
                .add(codes::FIELD_MISSING, fields.place, message, "one of `amount`, `units`")
                .with_help("write `amount: 500.00 USD` or `units: 200`; for both limits write two rules");
            None
        }
    };
    let by = fields.get("by").map_or(Some(PoolBy::All), |node| {
        let names = ["all", "offer", "category", "campaign", "placement"];
        Some(match read::choice(report, what, node, "thing counted apart", &names, &[])? {
            "offer" => PoolBy::Offer,
            "category" => PoolBy::Category,
            "campaign" => PoolBy::Campaign,
            "placement" => PoolBy::Placement,
            _ => PoolBy::All,
        })
    });
    let window = fields.need(report, "window", "window: lifetime").and_then(|node| window(report, what, node));
    let even = fields.get("pace").map_or(Some(false), |node| {
        read::choice(report, what, node, "pace", &["even"], &[])?;
        if window == Some(PoolWindow::Lifetime) {
            let message = format!("{what}: a lifetime has no end to pace it by");
            report.add(codes::BUDGET_PACE, node.place, message, "needs a window that ends").with_help(
                "write `window: {calendar: month, time_zone: Europe/Berlin}`, or leave `pace` out; the budget of a \
                 campaign with a start and an end is paced by them",
            );
            return None;
        }
        Some(true)
    });
    Some(RuleKind::Budgeted(Pool { amount: amount?, by: by?, window: window?, even: even? }))
}

/// Reads a stock.
pub(in crate::policy) fn stock(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let units =
        fields.need(report, "units", "units: 40").and_then(|node| read::whole(report, what, node, 0, UNITS_MAX));
    let by = fields.get("per").map_or(Some(PoolBy::Offer), |node| {
        let name = read::choice(report, what, node, "place", &["offer", "store"], &[])?;
        Some(if name == "store" { PoolBy::OfferInStore } else { PoolBy::Offer })
    });
    let amount = PoolAmount::Units(units?);
    Some(RuleKind::Stocked(Pool { amount, by: by?, window: PoolWindow::Lifetime, even: false }))
}

fn money(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    known: Known<'_>,
    applies_to: Option<&AppliesTo>,
) -> Option<PoolAmount> {
    let money = read::parsed(report, what, node, "an amount such as `500.00 USD`", |text| {
        let (amount, currency) = text
            .split_once(' ')
            .ok_or_else(|| Malformed::new(format!("`{text}` is not an amount with its currency")))?;
        Money::parse(amount, Currency::parse(currency.trim())?)
    })?;
    if money.minor < 0 {
        read::out_of_range(report, what, node, "an amount of at least 0");
        return None;
    }
    let applies_to = applies_to?;
    let mut covered = known.placements.values().filter(|placement| applies_to.covers_placement(placement));
    if let Some(placement) = covered.find(|placement| placement.currency != money.currency) {
        let (id, currency) = (&placement.id, placement.currency);
        let message = format!("{what}: the budget is in {} but placement `{id}` is in {currency}", money.currency);
        report
            .add(codes::BUDGET_CURRENCY, node.place, message, format!("not in {currency}"))
            .with_help("name the placements of this currency in `applies_to: {placements: [...]}`");
        return None;
    }
    Some(PoolAmount::Money(money))
}

fn window(report: &mut Report<'_>, what: &str, node: &Node) -> Option<PoolWindow> {
    if matches!(&node.value, Yaml::Scalar { text, .. } if text == "lifetime") {
        return Some(PoolWindow::Lifetime);
    }
    let known = ["calendar", "time_zone", "week_starts"];
    let fields = Fields::open(report, format!("{what}: window"), node, &known, &[])?;
    let example = "window: {calendar: month, time_zone: Europe/Berlin}";
    let unit = fields.need(report, "calendar", example).and_then(|node| calendar_unit(report, what, &fields, node));
    let zone = fields.need(report, "time_zone", example).and_then(|node| {
        read::parsed(report, what, node, "an IANA time zone such as `Europe/Berlin`", |text| {
            text.parse::<Tz>().map_err(|_| {
                Malformed::new(format!(
                    "`{text}` is no time zone of a budget: it begins for all customers at once, by one clock"
                ))
            })
        })
    });
    Some(PoolWindow::Calendar(unit?, zone?))
}
