//! Exclusions in sentences, for answers and reports. Judges nothing.

use super::bundle::Bundle;
use super::merchandise;
use super::rules::{OnMissing, RuleKind};
use crate::domain::{AttributeId, Currency, LocalTime, Timestamp, Value};

/// A sentence for an exclusion by the rule at a position, with the observed value and limit of its record (basis points
/// or minor units of the placement's currency; for a cap the contacts counted and for a cool-down its end in ms since
/// 1970, where the reader may know them; for schedules milliseconds since 1970).
pub fn describe(bundle: &Bundle, rule: u16, observed: Option<i64>, limit: Option<i64>, currency: Currency) -> String {
    let Some(found) = bundle.rule(rule) else {
        return format!("rule {rule}, which bundle {} does not have", bundle.hash_text());
    };
    let reason = match &found.kind {
        RuleKind::PurposeGate(gate) => {
            gate.told(bundle.purposes.get(&gate.purpose).is_some_and(|spec| spec.obeys_signal))
        }
        RuleKind::MarginFloor { min, over } => min.told(*over, observed, limit),
        RuleKind::PriceLimit(limit_of) => limit_of.told(observed, limit, currency),
        RuleKind::PricePersonalisation(personalisation) => personalisation.told(observed, limit),
        RuleKind::FrequencyCap(cap) => cap.told(observed, limit),
        RuleKind::Availability(availability) => availability.told(found.on_missing),
        RuleKind::Exclusion { when } => format!("`{}` holds{}", when.text(), or_missing(found.on_missing)),
        RuleKind::Requirement { when } => format!("`{}` does not hold{}", when.text(), or_missing(found.on_missing)),
        RuleKind::AudienceGuard(guard) => guard.told(found.on_missing),
        RuleKind::Stackability(stackability) => stackability.told(observed, limit),
        RuleKind::Diversity(diversity) => diversity.told(observed, limit),
        RuleKind::LoyaltyEligibility(loyalty) => format!("needs {}{}", loyalty.needed(), or_missing(found.on_missing)),
        RuleKind::CoolDown(cool_down) => cool_down.told(observed),
        RuleKind::CategoryExclusion(exclusion) => exclusion.told().to_owned(),
        RuleKind::FairnessGate(gate) => gate.told(observed, limit),
        RuleKind::Override(found) => found.told(observed),
        RuleKind::KillSwitch(switch) => switch.told(),
        RuleKind::Currency => format!("the offer is not priced in {currency}"),
        RuleKind::Schedule => merchandise::told("the offer", observed, limit).unwrap_or_default(),
        RuleKind::Campaign => merchandise::told("its campaign", observed, limit)
            .unwrap_or_else(|| "its campaign is not in the catalogue".to_owned()),
        RuleKind::Stock => merchandise::told_stock(observed, limit),
        RuleKind::Budgeted(pool) | RuleKind::Stocked(pool) => pool.told(observed, limit, currency),
        RuleKind::Budget => merchandise::told_spent(observed, limit, currency),
        RuleKind::Approval => match limit.map(Timestamp) {
            Some(until) => format!("its approval ended at {until}"),
            None => "nobody has approved it as it is".to_owned(),
        },
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
