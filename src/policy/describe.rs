//! Exclusions in sentences, for answers and reports. Judges nothing.

use super::bundle::Bundle;
use super::daypart::Dayparts;
use super::merchandise;
use super::rules::{FloorLimit, OnMissing, RuleKind};
use super::stackability::Stackability;
use crate::domain::money::print_decimal;
use crate::domain::{AttributeId, Currency, LocalTime, Money, Timestamp, Value};

/// A sentence for an exclusion by the rule at a position, with the observed value and limit of its record (basis points
/// or minor units of the placement's currency; for a cap the contacts counted and for a cool-down its end in ms since
/// 1970, where the reader may know them; for schedules milliseconds since 1970).
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
        RuleKind::Diversity(diversity) => {
            let most = limit.unwrap_or_else(|| i64::from(diversity.at_most));
            let (per, there) = (diversity.per.name(), observed.unwrap_or(most));
            format!("at most {most} of one `{per}` in one answer, and {there} of the same stood there")
        }
        RuleKind::LoyaltyEligibility(loyalty) => {
            format!("needs {}{}", loyalty.needed(), or_missing(found.on_missing))
        }
        RuleKind::Schedule => merchandise::told("the offer", observed, limit).unwrap_or_default(),
        RuleKind::Campaign => merchandise::told("its campaign", observed, limit)
            .unwrap_or_else(|| "its campaign is not in the catalogue".to_owned()),
        RuleKind::Stock => "the offer is sold out".to_owned(),
        RuleKind::Budget => {
            let money = |minor: Option<i64>| Money { minor: minor.unwrap_or_default(), currency };
            format!("of the campaign's budget of {} {} is spent", money(limit), money(observed))
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
        RuleKind::Availability { regions, channels, dates, dayparts, stores } => {
            let list = |names: &[String]| format!("`{}`", names.join("`, `"));
            let said = [
                regions.as_ref().map(|regions| format!("in {}", list(regions))),
                channels.as_ref().map(|channels| format!("on {}", list(channels))),
                dates.as_ref().map(|dates| dates.text.clone()),
                dayparts.as_ref().map(ToString::to_string),
                stores.as_ref().map(|stores| {
                    format!("in the stores {}", list(&stores.iter().map(ToString::to_string).collect::<Vec<_>>()))
                }),
            ];
            let only = said.into_iter().flatten().collect::<Vec<_>>().join(" and ");
            let (there, then) =
                (regions.is_some() || stores.is_some(), dayparts.as_ref().is_some_and(Dayparts::asks_customer));
            let unknown = match (there, then) {
                (true, true) => ", or it is not known whether this is there and then",
                (true, false) => ", or it is not known whether this is there",
                (false, true) => ", or it is not known what time it is there",
                (false, false) => "",
            };
            let unknown = if found.on_missing == OnMissing::Exclude { unknown } else { "" };
            format!("the offer is available only {only}{unknown}")
        }
        RuleKind::Exclusion { when } => format!("`{}` holds{}", when.text(), or_missing(found.on_missing)),
        RuleKind::Requirement { when } => format!("`{}` does not hold{}", when.text(), or_missing(found.on_missing)),
    };
    format!("`{}` ({}): {reason}", found.id, found.why)
}

/// What a customer lacks for a rule of loyalty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacks {
    /// How much of the first thing lacking is there: a position among the tiers from 1, points, or days; nothing where
    /// it is not known.
    pub observed: Option<i64>,
    /// How much of it is needed.
    pub limit: i64,
    /// All of it in a sentence.
    pub sentence: String,
}

/// As [`describe`], for a reader who may know the attributes and the local time that rules saw. Nothing for rules of
/// other kinds, and where nothing is lacking by what was seen.
pub fn describe_lacking(
    bundle: &Bundle,
    rule: u16,
    seen: &[(AttributeId, Value)],
    today: Option<LocalTime>,
) -> Option<Lacks> {
    let found = bundle.rule(rule)?;
    let RuleKind::LoyaltyEligibility(loyalty) = &found.kind else { return None };
    let lacking = loyalty.lacking(seen, today);
    let first = lacking.first()?;
    let told: Vec<&str> = lacking.iter().map(|lacking| lacking.told.as_str()).collect();
    let sentence = format!("`{}` ({}): {}", found.id, found.why, told.join("; "));
    Some(Lacks { observed: first.observed, limit: first.limit, sentence })
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
