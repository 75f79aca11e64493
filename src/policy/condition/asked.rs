//! The conditions of a bundle, asked in one decision about 64 offers at a time. Keeps no answer beyond the decision.

use super::columns::{Bits, Columns, Lane, Node, Sort, Values, plain};
use super::program::{Check, Program, Test};
use super::read::Facts;
use super::tree::Op;
use super::value::{Datum, apply, holds, negate, within};
use crate::domain::Placement;
use crate::domain::decision::Failed;
use crate::policy::rules::{OnMissing, Rule, RuleKind};

/// The conditions that apply at one placement, with what the request settles evaluated.
pub struct Asked<'a> {
    columns: &'a Columns,
    checks: Vec<(&'a Check, OnMissing, Option<&'a Bits>)>,
    slots: Vec<Option<Datum<u32>>>,
    /// Truths of availability, one per check.
    available: Vec<Option<bool>>,
    /// The 64 offers that `failing` is about.
    word: Option<usize>,
    failing: Vec<(u16, u64)>,
}

impl<'a> Asked<'a> {
    pub(in crate::policy) fn new(
        program: &'a Program,
        rules: &'a [Rule],
        columns: &'a Columns,
        placement: &Placement,
        facts: &Facts<'_>,
    ) -> Self {
        let in_force = |check: &'a Check| {
            let rule = rules.get(usize::from(check.rule))?;
            let applies = rule.in_force(facts.now, facts.jurisdiction) && rule.applies_to.covers_placement(placement);
            applies.then_some(rule)
        };
        let mut checks = Vec::new();
        let mut available = Vec::new();
        for (check, scope) in program.checks.iter().zip(&columns.scopes) {
            let Some(rule) = in_force(check) else { continue };
            checks.push((check, rule.on_missing, scope.as_ref()));
            available.push(match &rule.kind {
                RuleKind::Availability(availability) => availability.holds(placement, facts),
                _ => None,
            });
        }
        let slots = if checks.is_empty() { Vec::new() } else { slots(program, columns, facts) };
        Self { columns, checks, slots, available, word: None, failing: Vec::new() }
    }

    /// Adds every rule that leaves an offer out, by its position in the catalogue.
    pub fn fail(&mut self, offer: usize, failed: &mut Vec<Failed>) {
        if self.checks.is_empty() {
            return;
        }
        self.turn_to(offer / 64);
        let bit = 1_u64 << (offer % 64);
        let failing = self.failing.iter().filter(|(_, offers)| offers & bit != 0);
        failed.extend(failing.map(|(rule, _)| Failed { rule: *rule, observed: None, limit: None }));
    }

    /// Evaluates every check for 64 offers.
    fn turn_to(&mut self, word: usize) {
        if self.word == Some(word) {
            return;
        }
        self.word = Some(word);
        let mut failing = std::mem::take(&mut self.failing);
        failing.clear();
        for ((check, on_missing, scope), available) in self.checks.iter().zip(&self.available) {
            let (holds, fails, excludes) = match &check.test {
                Test::Available => (mask(*available == Some(true)), mask(*available == Some(false)), false),
                Test::Condition { node, excludes } => {
                    let (holds, fails) = self.truths(node, word);
                    (holds, fails, *excludes)
                }
            };
            let open = if *on_missing == OnMissing::Exclude { !(holds | fails) } else { 0 };
            let left_out =
                (if excludes { holds } else { fails } | open) & scope.map_or(u64::MAX, |bits| bits.word(word));
            if left_out != 0 {
                failing.push((check.rule, left_out));
            }
        }
        self.failing = failing;
    }

    /// For which of 64 offers it holds, and for which it does not; for the rest it is open.
    fn truths(&self, node: &Node, word: usize) -> (u64, u64) {
        match node {
            Node::Request(slot) => {
                let truth = self.slots.get(*slot).copied().flatten().and_then(Datum::truth);
                (mask(truth == Some(true)), mask(truth == Some(false)))
            }
            Node::Offer(column) => {
                self.columns.truths.get(*column).map_or((0, 0), |(holds, fails)| (holds.word(word), fails.word(word)))
            }
            Node::Not(inner) => {
                let (holds, fails) = self.truths(inner, word);
                (fails, holds)
            }
            Node::And(left, right) => {
                let (a, not_a) = self.truths(left, word);
                if not_a == u64::MAX {
                    return (0, u64::MAX);
                }
                let (b, not_b) = self.truths(right, word);
                (a & b, not_a | not_b)
            }
            Node::Or(left, right) => {
                let (a, not_a) = self.truths(left, word);
                if a == u64::MAX {
                    return (u64::MAX, 0);
                }
                let (b, not_b) = self.truths(right, word);
                (a | b, not_a & not_b)
            }
            Node::Lanes(lane) => self.fast(lane, word).unwrap_or_else(|| self.slow(lane, word)),
        }
    }

    /// One value of the request compared with a column of one sort; nothing if it is not that simple.
    fn fast(&self, lane: &Lane, word: usize) -> Option<(u64, u64)> {
        let Lane::Binary(op, left, right) = lane else { return None };
        let (slot, column, op) = match (left.as_ref(), right.as_ref()) {
            (Lane::Request(slot), Lane::Offer(column)) => (*slot, *column, turned(*op)),
            (Lane::Offer(column), Lane::Request(slot)) => (*slot, *column, *op),
            _ => return None,
        };
        let Values::Plain { sort, values, known } = self.columns.values.get(column)? else { return None };
        let Some(limit) = self.slots.get(slot).copied().flatten() else { return Some((0, 0)) };
        let (of, limit) = plain(limit)?;
        if of != *sort {
            return Some((0, 0));
        }
        let values = values.get(word * 64..values.len().min(word * 64 + 64))?;
        let mut found = 0_u64;
        for (at, value) in values.iter().enumerate() {
            found |= u64::from(satisfies(op, *sort, *value, limit)) << at;
        }
        let known = known.word(word);
        Some((found & known, !found & known))
    }

    fn slow(&self, lane: &Lane, word: usize) -> (u64, u64) {
        let (mut holds, mut fails) = (0, 0);
        for at in 0..64 {
            match self.value(lane, word * 64 + at).and_then(Datum::truth) {
                Some(true) => holds |= 1 << at,
                Some(false) => fails |= 1 << at,
                None => {}
            }
        }
        (holds, fails)
    }

    fn value(&self, lane: &Lane, offer: usize) -> Option<Datum<u32>> {
        match lane {
            Lane::Request(slot) => self.slots.get(*slot).copied().flatten(),
            Lane::Offer(column) => self.columns.values.get(*column)?.at(offer),
            Lane::Negate(inner) => negate(self.value(inner, offer)),
            Lane::Binary(op, left, right) => apply(*op, self.value(left, offer), self.value(right, offer)),
            Lane::In(left, list) => within(self.value(left, offer), list.iter().map(|item| self.value(item, offer))),
        }
    }
}

fn mask(truth: bool) -> u64 {
    if truth { u64::MAX } else { 0 }
}

/// The comparison with its sides exchanged.
fn turned(op: Op) -> Op {
    match op {
        Op::Less => Op::Greater,
        Op::LessOrEqual => Op::GreaterOrEqual,
        Op::Greater => Op::Less,
        Op::GreaterOrEqual => Op::LessOrEqual,
        op => op,
    }
}

/// Numbers of text have no order, so that only equality is asked of them.
fn satisfies(op: Op, sort: Sort, value: i64, limit: i64) -> bool {
    match (op, sort) {
        (Op::Equal, _) => value == limit,
        (Op::NotEqual, _) => value != limit,
        (op, _) => holds(op, value.cmp(&limit)),
    }
}

/// What the request alone settles. A text that no offer has gets a number behind theirs, the same text the same one.
fn slots(program: &Program, columns: &Columns, facts: &Facts<'_>) -> Vec<Option<Datum<u32>>> {
    let mut others: Vec<&str> = Vec::new();
    let mut found = Vec::with_capacity(program.parts.request.len());
    for term in &program.parts.request {
        let datum = term.walk(Some(facts), None);
        found.push(datum.map(|datum| {
            datum.map(|text| {
                columns.texts.get(text).copied().unwrap_or_else(|| {
                    let at = others.iter().position(|other| *other == text).unwrap_or_else(|| {
                        others.push(text);
                        others.len() - 1
                    });
                    u32::try_from(columns.texts.len() + at).unwrap_or(u32::MAX)
                })
            })
        }));
    }
    found
}
