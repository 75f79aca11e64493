//! What rules left out, and what those that warn or are on trial would have: a fold over records, by rule, placement
//! and day. Judges no rule.

use std::collections::{BTreeMap, BTreeSet};

use super::performance::date;
use crate::domain::decision::{CandidateRow, RefusedPurpose, Skeleton};
use crate::policy::{Bundle, Rule};

/// How often one rule left offers out at one placement on one day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Why the rule exists, as the newest bundle seen says.
    pub why: String,
    /// Decisions in which it left out at least one variant, or refused the purpose.
    pub decisions: u64,
    /// Variants that it left out of decisions altogether.
    pub variants: u64,
    /// Variants that it left out of single slots only, because of what stood before or for the persona of the slot.
    pub later_slots: u64,
    /// Decisions whose purpose it refused.
    pub refused: u64,
    /// What it would have left out, while it only warned or was on trial.
    pub would: Would,
}

/// What a rule would have left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Would {
    /// Decisions in which it spoke against at least one variant and left it be.
    pub decisions: u64,
    /// Variants that it would have left out of decisions altogether.
    pub variants: u64,
    /// Variants that it would have left out of single slots only.
    pub later_slots: u64,
}

/// The fold. Memory: one count per rule, placement and day.
#[derive(Debug, Default)]
pub struct Exclusions {
    decisions: BTreeMap<(String, String), u64>,
    rules: BTreeMap<(String, String, String), LeftOut>,
}

impl Exclusions {
    /// Adds a decision. Without its bundle its rules have numbers only.
    pub fn add(&mut self, skeleton: &Skeleton, bundle: Option<&Bundle>) {
        let (placement, day) = (skeleton.placement.to_string(), date(skeleton.at.day()));
        *self.decisions.entry((placement.clone(), day.clone())).or_default() += 1;
        let mut counted: BTreeMap<u16, LeftOut> = BTreeMap::new();
        for row in &skeleton.candidates {
            // A rule that failed a variant twice left it out once.
            for rule in row.failed.iter().map(|failed| failed.rule).collect::<BTreeSet<u16>>() {
                counted.entry(rule).or_default().variants += 1;
            }
        }
        for left in skeleton.slots.iter().flat_map(|slot| &slot.left_out) {
            for rule in left.failed.iter().map(|failed| failed.rule).collect::<BTreeSet<u16>>() {
                counted.entry(rule).or_default().later_slots += 1;
            }
        }
        for gate in skeleton.refused.iter().flat_map(RefusedPurpose::rules) {
            counted.entry(gate).or_default().refused += 1;
        }
        would(skeleton, &mut counted);
        for (at, found) in counted {
            let rule = bundle.and_then(|bundle| bundle.rule(at));
            let id = rule.map_or_else(|| format!("rule {at}"), |rule| rule.id.to_string());
            let total = self.rules.entry((placement.clone(), day.clone(), id)).or_default();
            if let Some(rule) = rule {
                total.why.clone_from(&rule.why);
            }
            total.decisions += u64::from(found.variants + found.later_slots + found.refused > 0);
            total.variants += found.variants;
            total.later_slots += found.later_slots;
            total.refused += found.refused;
            if rule.is_some_and(Rule::lifts) {
                // An override is noted where it lifts: it speaks against nothing.
                continue;
            }
            total.would.decisions += u64::from(found.would.variants + found.would.later_slots > 0);
            total.would.variants += found.would.variants;
            total.would.later_slots += found.would.later_slots;
        }
    }

    /// Placement, day, rule, what it left out, and the decisions of that placement on that day.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str, &str, &LeftOut, u64)> {
        self.rules.iter().map(|((placement, day, rule), left)| {
            let of = self.decisions.get(&(placement.clone(), day.clone())).copied().unwrap_or_default();
            (placement.as_str(), day.as_str(), rule.as_str(), left, of)
        })
    }
}

/// Counts what rules said that leave nothing out.
fn would(skeleton: &Skeleton, counted: &mut BTreeMap<u16, LeftOut>) {
    let of_row = |row: &CandidateRow| -> BTreeSet<u16> { row.noted.iter().flatten().map(|noted| noted.rule).collect() };
    for rule in skeleton.candidates.iter().flat_map(of_row) {
        counted.entry(rule).or_default().would.variants += 1;
    }
    for noted in skeleton.slots.iter().flat_map(|slot| slot.noted.iter().flatten()) {
        // What is left out altogether is not asked about again.
        let before = skeleton.candidates.get(noted.row as usize).map(of_row).unwrap_or_default();
        let rules: BTreeSet<u16> = noted.failed.iter().map(|noted| noted.rule).collect();
        for rule in rules.difference(&before) {
            counted.entry(*rule).or_default().would.later_slots += 1;
        }
    }
}
