//! Random rules that act at once and gates over groups, for the law of shelves, and what such a gate says plainly.

use super::super::condition::{Columns, Facts};
use super::super::rules::{Rule, RuleKind};
use super::super::{Bundle, Seen};
use super::law_tests::Chance;
use crate::domain::decision::Failed;
use crate::domain::{AttributeId, Offer, Placement, Value};

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
            let mut found = String::new();
            for (at, rule) in rules.iter().enumerate() {
                if !self.often(if list == "overrides" { 4 } else { 1 }) {
                    continue;
                }
                let until = self.one(&["28T20:30", "30T00:00"]);
                let applies = self.one(&["", ", applies_to: {regions: [US]}", ", applies_to: {placements: [home]}"]);
                found += &format!(
                    "  - {{id: {list}.{at}, why: At once, {rule}, approver: Jane, ticket: T-1, effective: {{from: \
                     2026-05-28T20:10:00Z, until: 2026-05-{until}:00Z}}{applies}}}\n"
                );
            }
            if !found.is_empty() {
                text += &format!("{list}:\n{found}");
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
