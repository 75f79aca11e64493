//! Exclusions in sentences, for answers and reports. Judges nothing.

use super::bundle::Bundle;
use super::rules::{FloorLimit, OnMissing, RuleKind};
use super::stackability::Stackability;
use crate::domain::money::print_decimal;
use crate::domain::{Currency, Money, Timestamp};

/// A sentence for an exclusion by the rule at a position, with the observed value and limit of its record (basis points
/// or minor units of the placement's currency; for a cap the contacts counted and for a cool-down its end in milliseconds
/// since 1970, where the reader may know them).
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
        RuleKind::FrequencyCap(cap) => {
            let max = limit.unwrap_or_else(|| i64::from(cap.max));
            let apart = cap.by.name().map_or_else(String::new, |name| format!(" and {name}"));
            let plural = if max == 1 { "" } else { "s" };
            let (counts, window) = (cap.counts.name(), &cap.window);
            let cap = format!("the cap of {max} {counts}{plural} per customer{apart} in {window}");
            match observed {
                Some(used) => format!("{cap} is reached: {used} counted"),
                None => format!("{cap} leaves no room"),
            }
        }
        RuleKind::CoolDown(cool_down) => {
            let apart = cool_down.by.name().map_or_else(String::new, |name| format!(" of this {name}"));
            let told =
                format!("after {}{apart} nothing of it is shown for {}", cool_down.told(), cool_down.suppress_for);
            match observed {
                Some(until) => format!("{told}, until {}", Timestamp(until)),
                None => told,
            }
        }
        RuleKind::Availability { regions, channels, dates } => {
            let list = |names: &[String]| format!("`{}`", names.join("`, `"));
            let said = [
                regions.as_ref().map(|regions| format!("in {}", list(regions))),
                channels.as_ref().map(|channels| format!("on {}", list(channels))),
                dates.as_ref().map(|dates| dates.text.clone()),
            ];
            let only = said.into_iter().flatten().collect::<Vec<_>>().join(" and ");
            let unknown = regions.is_some() && found.on_missing == OnMissing::Exclude;
            let unknown = if unknown { ", or it is not known whether this is there" } else { "" };
            format!("the offer is available only {only}{unknown}")
        }
        RuleKind::Exclusion { when } => format!("`{}` holds{}", when.text(), or_missing(found.on_missing)),
        RuleKind::Requirement { when } => format!("`{}` does not hold{}", when.text(), or_missing(found.on_missing)),
    };
    format!("`{}` ({}): {reason}", found.id, found.why)
}

fn or_missing(on_missing: OnMissing) -> &'static str {
    match on_missing {
        OnMissing::Exclude => ", or a value that it needs is missing",
        OnMissing::Allow => "",
    }
}

fn percent(basis_points: i64) -> String {
    let text = print_decimal(basis_points, 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
