//! Floors under the margin: from `margin_floors` in `rules/*.yaml` to a limit, and what of an offer is compared. Takes
//! no account of other slots.

use super::applies::AppliesTo;
use super::codes;
use super::finding::Report;
use super::read::{self, Fields};
use super::rules::{Known, RuleKind};
use crate::domain::money::print_decimal;
use crate::domain::{Currency, Malformed, Money, Offer, Percent, Placement};

/// A floor under the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloorLimit {
    /// Share of the net price.
    Percent(Percent),
    /// Amount per accepted offer.
    Amount(Money),
}

impl std::fmt::Display for FloorLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent(percent) => percent.fmt(f),
            Self::Amount(money) => money.fmt(f),
        }
    }
}

impl FloorLimit {
    /// That it leaves an offer out, in words: `observed` and `limit` in basis points or minor units.
    pub(super) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
        match self {
            Self::Percent(min) => {
                let floor = percent(limit.unwrap_or_else(|| i64::from(min.0)));
                match observed {
                    Some(points) => format!("margin {} is under the floor of {floor}", percent(points)),
                    None => format!("the net price is not above zero, so that no margin reaches the floor of {floor}"),
                }
            }
            Self::Amount(Money { minor, currency }) => {
                let currency = *currency;
                let floor = Money { minor: limit.unwrap_or(*minor), currency };
                match observed {
                    Some(minor) => format!("margin {} is under the floor of {floor}", Money { minor, currency }),
                    None => format!(
                        "the offer is not priced in {currency}, so that its margin cannot reach the floor of {floor}"
                    ),
                }
            }
        }
    }
}

fn percent(basis_points: i64) -> String {
    let text = print_decimal(basis_points, 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

pub(super) type Compared = (Option<i64>, Option<i64>);

/// What floors compare of an offer, computed once for all of them.
pub(super) struct Margin {
    currency: Currency,
    minor: i64,
    /// In basis points of the net price, rounded down. A net price of zero or less has no such share.
    points: Option<i64>,
}

impl Margin {
    pub(super) fn of(offer: &Offer) -> Self {
        let (minor, price) = (offer.margin_minor(), offer.net_price_minor());
        let points = (price > 0).then(|| {
            let points = (i128::from(minor) * 10_000).div_euclid(i128::from(price));
            i64::try_from(points).unwrap_or(if points < 0 { i64::MIN } else { i64::MAX })
        });
        Self { currency: offer.currency(), minor, points }
    }

    /// What a rule about currency or margin compared, if that leaves the offer out.
    pub(super) fn fails(&self, kind: &RuleKind, placement: &Placement) -> Option<Compared> {
        match kind {
            RuleKind::Currency => (self.currency != placement.currency).then_some((None, None)),
            RuleKind::MarginFloor { min: FloorLimit::Percent(min) } => self.under_percent(*min),
            RuleKind::MarginFloor { min: FloorLimit::Amount(min) } => self.under_amount(*min),
            _ => None,
        }
    }

    fn under_percent(&self, min: Percent) -> Option<Compared> {
        let limit = i64::from(min.0);
        self.points.is_none_or(|points| points < limit).then_some((self.points, Some(limit)))
    }

    fn under_amount(&self, min: Money) -> Option<Compared> {
        if self.currency != min.currency {
            return Some((None, Some(min.minor)));
        }
        (self.minor < min.minor).then_some((Some(self.minor), Some(min.minor)))
    }
}

/// The fields of a floor.
pub(super) const FIELDS: [&str; 1] = ["min_margin"];

/// Reads what a floor checks.
pub(super) fn read(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    applies_to: Option<&AppliesTo>,
) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "min_margin", "min_margin: 15%")?;
    let min = read::parsed(report, what, node, "`15%` or `5.00 USD`", floor_limit)?;
    match min {
        FloorLimit::Percent(percent) if !(0..=10_000).contains(&percent.0) => {
            read::out_of_range(report, what, node, "0% to 100%");
            return None;
        }
        FloorLimit::Amount(money) => {
            let applies_to = applies_to?;
            let mut covered = known.placements.values().filter(|placement| applies_to.covers_placement(placement));
            if let Some(placement) = covered.find(|placement| placement.currency != money.currency) {
                let (id, currency) = (&placement.id, placement.currency);
                let message =
                    format!("{what}: the floor is in {} but placement `{id}` is in {currency}", money.currency);
                let help =
                    "use a percent, or name the placements of this currency in `applies_to: {placements: [...]}`";
                report.add(codes::FLOOR_CURRENCY, node.place, message, format!("not in {currency}")).with_help(help);
                return None;
            }
        }
        FloorLimit::Percent(_) => {}
    }
    Some(RuleKind::MarginFloor { min })
}

fn floor_limit(text: &str) -> Result<FloorLimit, Malformed> {
    if text.ends_with('%') {
        return Percent::parse(text).map(FloorLimit::Percent);
    }
    let Some((amount, currency)) = text.split_once(' ') else {
        return Err(Malformed::new(format!(
            "`{text}` is no margin: expected a percent such as `15%` or an amount such as `5.00 USD`"
        )));
    };
    Money::parse(amount, Currency::parse(currency.trim())?).map(FloorLimit::Amount)
}
