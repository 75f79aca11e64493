//! What one commit carries and what the store answers. Performs no commit.

use crate::domain::decision::Record;
use crate::domain::{DecisionId, Digest, PoolKey, SubjectId, SubjectKinds, Take, Timestamp};

/// A subject state that the batch read, and the next one if it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectTouched {
    /// Whose state.
    pub subject: SubjectId,
    /// The version read; 0 where no state was stored yet. The commit is refused unless it is still this one.
    pub version: u64,
    /// The next version with its sealed state; nothing where the state was only read.
    pub next: Option<SubjectNext>,
}

/// The state that replaces the one read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectNext {
    /// Version read plus the number of decisions chained on this subject.
    pub version: u64,
    /// Sealed under the subject's key with this version.
    pub state: Vec<u8>,
}

/// One decision to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionWrite {
    /// Which.
    pub decision_id: DecisionId,
    /// Whom it is for, if anybody: under whose key it is sealed.
    pub subject: Option<SubjectId>,
    /// Whoever else its contacts count for, with what each stands for; and whom it is for where that stands for more
    /// than it would alone.
    pub beside: Vec<(SubjectId, SubjectKinds)>,
    /// Time as the logic read it.
    pub at: Timestamp,
    /// What the id promises to name.
    pub request_digest: Digest,
    /// Record and leaf.
    pub record: Record,
    /// What it takes of what may run out.
    pub takes: Vec<Take>,
}

/// All that one commit stores: everything or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The engine's name, stable over restarts.
    pub node: String,
    /// Grows at each start of the node.
    pub incarnation: u64,
    /// Gap-free within the incarnation, from 1.
    pub number: u64,
    /// Merkle root of the leaves of exactly these decisions, in this order.
    pub digest: Digest,
    /// The control row that every decision was made under.
    pub control_sequence: u64,
    /// Every subject state read, sorted by subject, each once.
    pub subjects: Vec<SubjectTouched>,
    /// In the order of their leaves.
    pub decisions: Vec<DecisionWrite>,
}

/// A decision id of the batch that is stored already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub decision_id: DecisionId,
    /// What it names there.
    pub request_digest: Digest,
    /// The record that answers it.
    pub record: Record,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// All of it is durable.
    Stored,
    /// None of it is stored; at least one of the lists or the gate says why.
    Refused {
        /// The control row's sequence, where it is no longer the one that the batch was made under.
        gate: Option<u64>,
        /// Subjects whose state is no longer at the version read.
        stale: Vec<SubjectId>,
        /// Decisions that are stored already.
        known: Vec<Known>,
        /// Pools of which less is left than was taken, each with what is gone of it for this engine.
        short: Vec<(PoolKey, i64)>,
    },
}
