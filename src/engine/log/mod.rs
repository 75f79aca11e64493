//! The log: decisions and privileged changes appended to one Merkle tree, in one order. Stores and signs nothing.
//!
//! Whoever is elected reads what no position was given yet ([`Unlogged`]), and the pure [`append`] makes of it all that
//! one transaction has to store ([`Appended`]).

mod append;
mod segment;

#[cfg(test)]
mod tests;

pub use append::{RuleNames, append};
pub use segment::{Bits, Field, SEGMENT_LEAVES, Segment, Term, terms};

use super::learner::BatchKey;
use crate::domain::{DecisionId, Digest};
use crate::transparency::entry::{Change, LeafId};
use crate::transparency::merkle_root;
use crate::transparency::tile::Tiles;

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its leaves.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

impl Default for Head {
    fn default() -> Self {
        Self { size: 0, root: merkle_root(&[]) }
    }
}

/// A decision without a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLeaf {
    /// Which.
    pub decision_id: DecisionId,
    /// The public part of its record.
    pub skeleton: Vec<u8>,
    /// Its leaf, as it was stored with it.
    pub leaf: Digest,
}

/// A batch without a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// Which.
    pub key: BatchKey,
    /// The root over its leaves, as it was stored with it.
    pub digest: Digest,
    /// In the order of their leaves.
    pub decisions: Vec<NewLeaf>,
}

/// What no position was given yet, and the end of the log that it is appended to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unlogged {
    /// Where the log ends.
    pub head: Head,
    /// The tiles of its edge.
    pub tiles: Tiles,
    /// The last segment, where it is not full.
    pub segment: Option<Segment>,
    /// In the order of their sequences.
    pub changes: Vec<Change>,
    /// In the order of node, incarnation and number.
    pub batches: Vec<NewBatch>,
}

impl Unlogged {
    /// Every decision, in the order of their positions to come.
    pub fn decisions(&self) -> impl Iterator<Item = &NewLeaf> {
        self.batches.iter().flat_map(|batch| &batch.decisions)
    }

    /// Whether there is nothing to append.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.batches.is_empty()
    }
}

/// What one transaction stores, or nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Where the log must still end.
    pub before: Head,
    /// Where it ends then.
    pub after: Head,
    /// Every tile that is new or longer, whole.
    pub tiles: Tiles,
    /// Every segment that is new or longer, whole.
    pub segments: Vec<Segment>,
    /// The positions of decisions.
    pub decisions: Vec<(DecisionId, u64)>,
    /// The positions of changes, by sequence.
    pub changes: Vec<(u64, u64)>,
    /// The position of the first decision of each batch.
    pub batches: Vec<(BatchKey, u64)>,
}

/// What waits for a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Batches.
    pub batches: u64,
    /// Privileged changes.
    pub changes: u64,
}

impl Waiting {
    /// Whether nothing does.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// Where the leaf of an id stands within its segment.
pub(crate) fn place(position: u64) -> (u64, usize) {
    (position / SEGMENT_LEAVES, usize::try_from(position % SEGMENT_LEAVES).unwrap_or(0))
}

impl Segment {
    /// What stands at a position of the log.
    pub fn at(&self, position: u64) -> Option<LeafId> {
        let (number, at) = place(position);
        self.ids.get(at).filter(|_| number == self.number).copied()
    }
}
