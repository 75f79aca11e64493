//! Segments of the log: the ids of 256 positions, and which of them each search term is true of. Searches nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::append::RuleNames;
use crate::domain::decision::{Failed, RefusedPurpose, Skeleton};
use crate::transparency::entry::LeafId;

/// Positions of one segment.
pub const SEGMENT_LEAVES: u64 = 256;

/// One bit for each position of a segment, the lowest of the first byte first.
pub type Bits = [u8; 32];

/// What decisions are searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The placement asked for.
    Placement,
    /// The bundle decided under.
    Bundle,
    /// An offer that was shown.
    Offer,
    /// A rule that left a candidate out, or a gate that refused the purpose.
    Rule,
}

impl Field {
    /// Every field with its number in the store.
    pub const ALL: [(Self, i16); 4] = [(Self::Placement, 0), (Self::Bundle, 1), (Self::Offer, 2), (Self::Rule, 3)];

    /// Its number in the store.
    pub fn code(self) -> i16 {
        Self::ALL.iter().find(|(field, _)| *field == self).map_or(-1, |(_, code)| *code)
    }

    /// The field of a number.
    pub fn of_code(code: i16) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(field, _)| *field)
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placement => "placement",
            Self::Bundle => "bundle",
            Self::Offer => "offer",
            Self::Rule => "rule",
        }
    }
}

/// A value of a field.
pub type Term = (Field, String);

/// 256 positions of the log, or as many as there are of the last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segment {
    /// From 0.
    pub number: u64,
    /// What stands at its positions.
    pub ids: Vec<LeafId>,
    /// Of each term the positions of which it is true.
    pub postings: BTreeMap<Term, Bits>,
}

impl Segment {
    /// Appends what stands at the next position, with its terms.
    pub fn push(&mut self, id: LeafId, terms: impl IntoIterator<Item = Term>) {
        let at = self.ids.len();
        self.ids.push(id);
        for term in terms {
            let bits = self.postings.entry(term).or_default();
            if let Some(byte) = bits.get_mut(at / 8) {
                *byte |= 1 << (at % 8);
            }
        }
    }

    /// Whether it has all of its positions.
    pub fn is_full(&self) -> bool {
        self.ids.len() as u64 >= SEGMENT_LEAVES
    }
}

/// The terms that are true of a decision.
pub fn terms(skeleton: &Skeleton, rules: &RuleNames) -> BTreeSet<Term> {
    let mut found =
        BTreeSet::from([(Field::Placement, skeleton.placement.to_string()), (Field::Bundle, skeleton.bundle.hex())]);
    found.extend(skeleton.shown.iter().map(|shown| (Field::Offer, shown.offer.to_string())));
    let rows = skeleton.candidates.iter().flat_map(|row| &row.failed);
    let later = skeleton.slots.iter().flat_map(|slot| &slot.left_out).flat_map(|left| &left.failed);
    let failed: BTreeSet<u16> = rows.chain(later).map(|failed: &Failed| failed.rule).collect();
    let gates = skeleton.refused.iter().flat_map(RefusedPurpose::rules);
    let bundle = rules.get(&(skeleton.bundle, skeleton.switches));
    for at in failed.into_iter().chain(gates) {
        match bundle.and_then(|bundle| bundle.rule(at)) {
            Some(rule) => found.insert((Field::Rule, rule.id.to_string())),
            None => found.insert((Field::Rule, format!("rule {at}"))),
        };
    }
    found
}
