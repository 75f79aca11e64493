//! Explanations for authors: what a rule says in plain words, and what a code of a finding means. Judges nothing.

mod examples;

#[cfg(test)]
mod tests;

use super::lint::{Hit, WORLDS_MAX, condition, hit};
use crate::domain::{CategoryId, Currency, OfferId, PlacementId};
use crate::policy::bundle::Bundle;
use crate::policy::condition::Worlds;
use crate::policy::describe::describe;
use crate::policy::interval::Interval;
use crate::policy::kinds::floors::{FloorLimit, FloorOver};
use crate::policy::rules::{OnMissing, Rule, RuleKind, Severity};
pub use examples::{Example, example};

/// A rule in plain words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explained {
    /// What it does.
    pub says: String,
    /// Where it applies.
    pub applies: String,
    /// When it holds.
    pub holds: String,
    /// What becomes of an offer that it speaks against.
    pub severity: &'static str,
    /// What becomes of an offer where something that the rule reads is missing; nothing where it reads nothing.
    pub missing: Option<&'static str>,
    /// For a rule with a condition: a case that it leaves out, one that it lets be, one where something is missing.
    pub witnesses: Vec<(&'static str, String)>,
}

/// Explains a rule of a bundle.
pub fn explain(bundle: &Bundle, rule: &Rule) -> Explained {
    let missing = condition(rule).is_some() || matches!(rule.kind, RuleKind::Availability(_) | RuleKind::Diversity(_));
    Explained {
        says: says(bundle, rule),
        applies: applies(rule),
        holds: holds(&rule.effective),
        severity: match rule.severity {
            Severity::Block => "what it speaks against is left out",
            Severity::Warn => "nothing is left out; what it says is noted for whoever answers for the offer",
            Severity::Shadow => "nothing is left out; what it would do is noted: a rule on trial",
        },
        missing: missing.then_some(match rule.on_missing {
            OnMissing::Exclude => "an offer is left out where something that the rule reads is missing",
            OnMissing::Allow => "an offer is not left out where something that the rule reads is missing",
        }),
        witnesses: witnesses(rule),
    }
}

/// What a rule does, as the rest of a sentence that begins with `it`.
pub(in crate::policy) fn says(bundle: &Bundle, rule: &Rule) -> String {
    match &rule.kind {
        RuleKind::PurposeGate(gate) => format!(
            "refuses `{}` to who has given no consent in force for it; then nothing personal is read and the fallback \
             purpose holds",
            gate.purpose
        ),
        RuleKind::MarginFloor { min, over } => {
            let whose = match over {
                FloorOver::Offer => "whose contribution margin",
                FloorOver::Answer => "with which the contribution margin of the answer",
                FloorOver::Basket => "with which the contribution margin of basket and answer",
            };
            let of = if matches!(min, FloorLimit::Percent(_)) { " of the net price" } else { "" };
            format!("leaves an offer out {whose} is under {min}{of}")
        }
        RuleKind::Currency | RuleKind::Schedule | RuleKind::Campaign | RuleKind::Stock | RuleKind::Budget => {
            format!("is built in: {}", rule.why)
        }
        _ => format!("leaves an offer out where this is so: {}", reason(bundle, rule)),
    }
}

/// What stands in the record of a decision as its reason, without its name and justification.
fn reason(bundle: &Bundle, rule: &Rule) -> String {
    let at = bundle.rules.iter().position(|known| known.id == rule.id).and_then(|at| u16::try_from(at).ok());
    let currency = bundle.placements.values().map(|placement| placement.currency).next();
    let (Some(at), Some(currency)) = (at, currency.or_else(|| Currency::parse("USD").ok())) else {
        return String::new();
    };
    let told = describe(bundle, at, None, None, currency);
    told.strip_prefix(&format!("`{}` ({}): ", rule.id, rule.why)).unwrap_or(&told).to_owned()
}

fn applies(rule: &Rule) -> String {
    let applies_to = &rule.applies_to;
    let list = |word: &str, names: Option<Vec<&str>>| {
        names.map(|names| {
            format!("{word} {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        })
    };
    let parts = [
        list("at", applies_to.placements.as_ref().map(|ids| ids.iter().map(PlacementId::as_str).collect())),
        list("on", applies_to.channels.as_ref().map(|names| names.iter().map(String::as_str).collect())),
        list("to offers", applies_to.offers.as_ref().map(|ids| ids.iter().map(OfferId::as_str).collect())),
        list("to categories", applies_to.categories.as_ref().map(|ids| ids.iter().map(CategoryId::as_str).collect())),
        list("in", applies_to.regions.as_ref().map(|names| names.iter().map(String::as_str).collect())),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "everywhere, to everything".to_owned() } else { parts.join(", ") }
}

fn holds(effective: &Interval) -> String {
    if effective.text.is_empty() { "always".to_owned() } else { effective.text.clone() }
}

fn witnesses(rule: &Rule) -> Vec<(&'static str, String)> {
    let Some((term, excludes)) = condition(rule) else { return Vec::new() };
    let worlds = Worlds::of(&[term]);
    if worlds.count() > WORLDS_MAX {
        return Vec::new();
    }
    let kinds = [("leaves out", Hit::Yes), ("lets be", Hit::No), ("also leaves out", Hit::Missing)];
    let found = kinds.into_iter().filter_map(|(word, kind)| {
        let world = worlds.find(|world| hit(world, term, excludes, rule.on_missing) == kind)?;
        Some((word, world.told()))
    });
    found.collect()
}
