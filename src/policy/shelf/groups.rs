//! Discounts for one group alone: every condition asked again for each value of the attribute that names the groups.
//! Reads no customer's own value of it, and asks about no offer without a discount.

use super::super::bundle::Bundle;
use super::super::condition::{Asked, Bits, Columns, Facts};
use super::super::kinds::fairness::FairnessGate;
use super::super::kinds::measures::FairnessAsk;
use super::super::rules::{Rule, RuleKind};
use super::scope;
use crate::domain::decision::Failed;
use crate::domain::{Offer, Placement};

/// A gate in one decision.
struct Gate<'a> {
    rule: u16,
    scope: Option<Bits>,
    /// The conditions, for each group.
    asked: Vec<Asked<'a>>,
}

/// The gates that hold in one decision.
pub(super) struct Groups<'a> {
    bundle: &'a Bundle,
    gates: Vec<Gate<'a>>,
    failed: Vec<Failed>,
}

impl<'a> Groups<'a> {
    /// Those of a placement whose attribute some condition there reads; no discount depends on others.
    pub(super) fn at(
        bundle: &'a Bundle,
        columns: &'a Columns,
        (placement, offers): (&Placement, &[Offer]),
        facts: &Facts<'_>,
    ) -> Self {
        let holds =
            |rule: &Rule| rule.in_force(facts.now, facts.jurisdiction) && rule.applies_to.covers_placement(placement);
        let gate = |(at, rule): (u16, &Rule)| {
            let RuleKind::FairnessGate(gate) = &rule.kind else { return None };
            let asked =
                gate.asks == FairnessAsk::OneGroupDiscount && holds(rule) && bundle.reads(placement, &gate.attribute);
            asked.then(|| Gate {
                rule: at,
                scope: scope(rule, offers),
                asked: each(bundle, columns, placement, facts, gate),
            })
        };
        Self { bundle, gates: (0..).zip(&bundle.rules).filter_map(gate).collect(), failed: Vec::new() }
    }

    /// Adds every gate that leaves out an offer, given with its position: conditions let it through for some groups and
    /// not for others.
    pub(super) fn ask(&mut self, at: u32, offer: impl FnOnce() -> Option<&'a Offer>, failed: &mut Vec<Failed>) {
        if self.gates.is_empty() || offer().and_then(|offer| offer.discount).is_none_or(|money| money.minor <= 0) {
            return;
        }
        let Self { bundle, gates, failed: own } = self;
        for gate in gates.iter_mut().filter(|gate| gate.scope.as_ref().is_none_or(|scope| scope.has(at as usize))) {
            let (all, mut open) = (gate.asked.len(), 0_usize);
            for asked in &mut gate.asked {
                own.clear();
                asked.fail(at as usize, own);
                let blocks = |failed: &Failed| bundle.rule(failed.rule).is_none_or(Rule::blocks);
                open += usize::from(!own.iter().any(blocks));
            }
            if 0 < open && open < all {
                let count = |count: usize| i64::try_from(count).ok();
                failed.push(Failed { rule: gate.rule, observed: count(open), limit: count(all) });
            }
        }
    }
}

fn each<'a>(
    bundle: &'a Bundle,
    columns: &'a Columns,
    placement: &Placement,
    facts: &Facts<'_>,
    gate: &FairnessGate,
) -> Vec<Asked<'a>> {
    let asked = gate.groups.iter().map(|group| {
        let supposed = facts.attributes.supposing(&gate.attribute, group);
        bundle.ask(columns, placement, &Facts { attributes: &supposed, ..*facts })
    });
    asked.collect()
}
