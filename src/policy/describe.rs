//! Exclusions in sentences, for answers and reports. Judges nothing.

use super::bundle::Bundle;
use super::rules::{FloorLimit, RuleKind};
use super::stackability::Stackability;
use crate::domain::money::print_decimal;
use crate::domain::{Currency, Money};

/// A sentence for an exclusion by the rule at a position, with the observed value and limit of its record (basis points
/// or minor units of the placement's currency; for a cap the contacts counted, where the reader may know them).
pub fn describe(bundle: &Bundle, rule: u16, observed: Option<i64>, limit: Option<i64>, currency: Currency) -> String {
    let Some(found) = bundle.rule(rule) else {
        return format!("rule {rule}, which bundle {} does not have", bundle.hash_text());
    };
    let reason = match &found.kind {
        RuleKind::Currency => format!("the offer is not priced in {currency}"),
        RuleKind::PurposeGate { purpose } => format!("no consent for `{purpose}` is in force"),
        RuleKind::MarginFloor { min: FloorLimit::Percent(min) } => {
            let floor = percent(limit.unwrap_or_else(|| i64::from(min.0)));
            match observed {
                Some(points) => format!("margin {} is under the floor of {floor}", percent(points)),
                None => format!("the net price is not above zero, so that no margin reaches the floor of {floor}"),
            }
        }
        RuleKind::MarginFloor { min: FloorLimit::Amount(min) } => {
            let floor = Money { minor: limit.unwrap_or(min.minor), currency: min.currency };
            match observed {
                Some(minor) => {
                    format!("margin {} is under the floor of {floor}", Money { minor, currency: min.currency })
                }
                None => format!(
                    "the offer is not priced in {}, so that its margin cannot reach the floor of {floor}",
                    min.currency
                ),
            }
        }
        RuleKind::Stackability(rule @ Stackability::Group { at_most, .. }) => {
            let most = limit.unwrap_or_else(|| i64::from(*at_most));
            format!("at most {most} of {} in one answer, and {} stood there", rule.told(), observed.unwrap_or(most))
        }
        RuleKind::Stackability(rule @ Stackability::Pairs(_)) => {
            format!("{} do not stand in one answer, and the other stood there", rule.told())
        }
        RuleKind::FrequencyCap { by_offer, max, window } => {
            let max = limit.unwrap_or_else(|| i64::from(*max));
            let whom = if *by_offer { "per customer and offer" } else { "per customer" };
            let plural = if max == 1 { "" } else { "s" };
            let cap = format!("the cap of {max} decision{plural} {whom} in {window}");
            match observed {
                Some(used) => format!("{cap} is reached: {used} counted"),
                None => format!("{cap} leaves no room"),
            }
        }
    };
    format!("`{}` ({}): {reason}", found.id, found.why)
}

fn percent(basis_points: i64) -> String {
    let text = print_decimal(basis_points, 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
