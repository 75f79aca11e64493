//! Random rules that act at once and gates over groups, for the law of shelves, and what they say plainly. Judges by
//! nothing that a shelf has worked out.

use super::super::condition::{Columns, Facts};
use super::super::kinds::overrides::OverrideAction;
use super::super::rules::{Rule, RuleKind};
use super::super::{Bundle, Seen, Verdict};
use super::law_chance::Chance;
use crate::domain::decision::Failed;
use crate::domain::{AttributeId, Offer, Placement, Timestamp, Value};

impl Chance {
    /// Rules that act at once. No two overrides contradict each other: what is put in is never put out.
    pub(super) fn switches(&mut self) -> String {
        let mut text = String::new();
        for (list, rules) in [
            (
                "kill_switches",
                &["stop: all", "stop: {offers: [o2], campaigns: [autumn]}", "stop: {categories: [toys]}"],
            ),
            (
                "overrides",
                &[
                    "action: force_in, offers: [o1, o3, o4]",
                    "action: force_out, offers: [o2, o5]",
                    "action: force_in, offers: [o1, gone]",
                ],
            ),
        ] {
            let mut found = Vec::new();
            for (at, rule) in rules.iter().enumerate() {
                if !self.often(if list == "overrides" { 4 } else { 1 }) {
                    continue;
                }
                let until = self.one(&["28T20:30", "30T00:00"]);
                let applies = self.one(&["", ", applies_to: {regions: [US]}", ", applies_to: {placements: [home]}"]);
                found.push(format!(
                    "  - {{id: {list}.{at}, why: At once, {rule}, approver: Jane, ticket: T-1, effective: {{from: \
                     2026-05-28T20:10:00Z, until: 2026-05-{until}:00Z}}{applies}}}\n"
                ));
            }
            if !found.is_empty() {
                text = format!("{text}{list}:\n{}", found.concat());
            }
        }
        text
    }

    /// Gates over groups.
    pub(super) fn gates(&mut self) -> String {
        self.list("fairness_gates", |_| "attribute: customer.tier, check: one_group_discount".to_owned())
    }
}

/// Adds every gate that leaves out an offer with a discount, given with its position: conditions are asked for each
/// group, and some of them let it through while others do not.
pub(super) fn one_group(
    (bundle, columns): (&Bundle, &Columns),
    placement: &Placement,
    facts: &Facts<'_>,
    (at, offer): (usize, &Offer),
    failed: &mut Vec<Failed>,
) {
    let tier = AttributeId::parse("customer.tier").unwrap();
    for (rule_at, rule) in (0..).zip(&bundle.rules) {
        let RuleKind::FairnessGate(_) = &rule.kind else { continue };
        let applies = rule.in_force(facts.now, facts.jurisdiction) && rule.applies_to.covers(placement, offer);
        if !applies || offer.discount.is_none_or(|discount| discount.minor == 0) {
            continue;
        }
        let open = ["bronze", "gold"].map(|group| {
            let mut used = facts.attributes.used().clone();
            used.insert(tier.clone(), Value::Text(group.to_owned()));
            let attributes = Seen::of(used);
            let mut said = Vec::new();
            bundle.ask(columns, placement, &Facts { attributes: &attributes, ..*facts }).fail(at, &mut said);
            said.iter().all(|said| !bundle.rule(said.rule).is_some_and(Rule::blocks))
        });
        if open[0] != open[1] {
            failed.push(Failed { rule: rule_at, observed: Some(1), limit: Some(2) });
        }
    }
}

/// Lifts what an override in force lifts of an offer: of what has failed, what may be lifted is noted, and then every
/// such override.
pub(super) fn lift(
    bundle: &Bundle,
    (placement, jurisdiction): (&Placement, Option<&str>),
    offer: &Offer,
    now: Timestamp,
    verdict: &mut Verdict,
) {
    let puts_in = |rule: &Rule| match &rule.kind {
        RuleKind::Override(found) => {
            found.action == OverrideAction::ForceIn
                && found.offers.contains(&offer.offer_id)
                && rule.effective.holds(now)
                && rule.applies_to.covers_region(jurisdiction) == Some(true)
                && rule.applies_to.covers_placement(placement)
        }
        _ => false,
    };
    let by: Vec<u16> = (0..).zip(&bundle.rules).filter(|(_, rule)| puts_in(rule)).map(|(at, _)| at).collect();
    if by.is_empty() {
        return;
    }
    let failed = std::mem::take(&mut verdict.failed);
    let (lifted, stay): (Vec<Failed>, Vec<Failed>) =
        failed.into_iter().partition(|failed| bundle.rules[usize::from(failed.rule)].overridable);
    verdict.failed = stay;
    if !lifted.is_empty() {
        let observed = i64::try_from(lifted.len()).ok();
        verdict.noted.extend(lifted);
        verdict.noted.extend(by.into_iter().map(|rule| Failed { rule, observed, limit: None }));
        verdict.noted.sort_by_key(|failed| failed.rule);
    }
}
