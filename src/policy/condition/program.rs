//! All conditions of a bundle, compiled. Evaluates none.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Bits, Columns, Node, Parts};
use super::read::{BuiltIn, Read};
use crate::domain::{AttributeId, Catalogue, Placement, PlacementId};
use crate::policy::kinds::availability::Availability;
use crate::policy::rules::{Rule, RuleKind};

/// All conditions of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::policy) struct Program {
    pub(super) parts: Parts,
    pub(super) checks: Vec<Check>,
    /// What the conditions of a placement read of customer and context.
    reads: BTreeMap<PlacementId, BTreeSet<AttributeId>>,
    /// Placements where some rule asks what time it is where the customer is.
    local: BTreeSet<PlacementId>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) rule: u16,
    pub(super) test: Test,
}

/// What leaves an offer out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    /// A condition that holds, or one that does not.
    Condition { node: Node, excludes: bool },
    /// Not being available.
    Available,
}

impl Program {
    pub(in crate::policy) fn new(rules: &[Rule], placements: &BTreeMap<PlacementId, Placement>) -> Self {
        let mut program = Self::default();
        for (at, rule) in (0..=u16::MAX).zip(rules) {
            let test = match &rule.kind {
                RuleKind::Exclusion { when } => {
                    Test::Condition { node: program.parts.node(when.term()), excludes: true }
                }
                RuleKind::Requirement { when } => {
                    Test::Condition { node: program.parts.node(when.term()), excludes: false }
                }
                RuleKind::LoyaltyEligibility(loyalty) => {
                    Test::Condition { node: program.parts.node(loyalty.term()), excludes: false }
                }
                RuleKind::Availability(_) => Test::Available,
                RuleKind::AudienceGuard(_) => {
                    program.note_reads(rule, placements);
                    continue;
                }
                _ => continue,
            };
            program.checks.push(Check { rule: at, test });
            program.note_reads(rule, placements);
        }
        program
    }

    fn note_reads(&mut self, rule: &Rule, placements: &BTreeMap<PlacementId, Placement>) {
        let (term, mut local) = match &rule.kind {
            RuleKind::Exclusion { when } | RuleKind::Requirement { when } => (Some(when.term()), false),
            RuleKind::LoyaltyEligibility(loyalty) => (Some(loyalty.term()), false),
            RuleKind::AudienceGuard(guard) => (Some(guard.when.term()), false),
            RuleKind::Availability(Availability { dayparts: Some(dayparts), .. }) => (None, dayparts.asks_customer()),
            _ => return,
        };
        let mut reads = BTreeSet::new();
        if let Some(term) = term {
            term.reads(&mut |read| match read {
                Read::Attribute(id, _) if !read.of_offer() => {
                    reads.insert(id.clone());
                }
                Read::BuiltIn(BuiltIn::Today | BuiltIn::HourOfDay) => local = true,
                Read::Attribute(..) | Read::BuiltIn(_) => {}
            });
        }
        // What guards read is seen by them alone.
        if matches!(rule.kind, RuleKind::AudienceGuard(_)) {
            reads.clear();
        }
        for placement in placements.values().filter(|placement| rule.applies_to.covers_placement(placement)) {
            self.reads.entry(placement.id.clone()).or_default().extend(reads.iter().cloned());
            if local {
                self.local.insert(placement.id.clone());
            }
        }
    }

    /// Whether some rule of the placement asks what time it is where the customer is.
    pub(in crate::policy) fn reads_local_time(&self, placement: &PlacementId) -> bool {
        self.local.contains(placement)
    }

    /// Whether a condition of the placement reads the attribute.
    pub(in crate::policy) fn reads(&self, placement: &PlacementId, id: &AttributeId) -> bool {
        self.reads.get(placement).is_some_and(|reads| reads.contains(id))
    }

    /// The columns of all conditions over the offers of a catalogue.
    pub(in crate::policy) fn columns(&self, rules: &[Rule], catalogue: &Catalogue) -> Columns {
        let scope = |check: &Check| {
            let applies_to = &rules.get(usize::from(check.rule))?.applies_to;
            let limited = applies_to.offers.is_some() || applies_to.categories.is_some();
            limited.then(|| Bits::of(catalogue.offers().iter().map(|offer| applies_to.covers_offer(offer))))
        };
        Columns::new(&self.parts, self.checks.iter().map(scope).collect(), catalogue.offers())
    }
}
