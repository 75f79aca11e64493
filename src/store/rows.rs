//! Rows about people and keys as they are stored: subjects, consent records, API keys, sources. Reads and writes none.

use crate::domain::outcome::OutcomeKind;
use crate::domain::{DecisionId, Digest, Malformed, SubjectId, SubjectKind, SubjectKinds, SubjectRef, Timestamp};

/// A subject as stored: identity, wrapped key, version and sealed state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectRow {
    /// The outside id of its identity: another one than it was asked for by, where that turned out to be this one.
    pub reference: SubjectRef,
    /// Internal id.
    pub subject: SubjectId,
    /// The subject's key under the master key.
    pub wrapped_key: Vec<u8>,
    /// 0 where no state is stored yet.
    pub version: u64,
    /// Sealed state; empty at version 0.
    pub state: Vec<u8>,
}

/// An identity to be created if the outside id is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubject {
    /// The outside id.
    pub reference: SubjectRef,
    /// Random.
    pub subject: SubjectId,
    /// A random key under the master key.
    pub wrapped_key: Vec<u8>,
}

/// Somebody whom the contacts of a decision count for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedFor {
    /// The decision.
    pub decision_id: DecisionId,
    /// Who; the other one, where this customer turned out to be another one.
    pub subject: SubjectId,
    /// The subject's key under the master key.
    pub wrapped_key: Vec<u8>,
    /// What it stands for there.
    pub stands_for: SubjectKinds,
}

/// A consent record as stored, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Version of the subject that it made.
    pub version: u64,
    /// Position within that change.
    pub position: u16,
    /// When it was taken in.
    pub at: Timestamp,
    /// Sealed under the subject's key.
    pub sealed: Vec<u8>,
}

/// What becomes of a subject's state outside decisions, with the consent records that make it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentChange {
    /// The next state, sealed with the version read plus one.
    pub state: Vec<u8>,
    /// Sealed records, in order.
    pub records: Vec<Vec<u8>>,
}

/// Two customers that are one, as they are stored: version and sealed state of each, and the consent records of the
/// one that goes.
#[derive(Debug, Clone, Copy)]
pub struct MergeFound<'a> {
    /// The one that goes.
    pub from: (u64, &'a [u8]),
    /// The one that stays.
    pub into: (u64, &'a [u8]),
    /// Consent records of the one that goes, oldest first.
    pub consents: &'a [ConsentRow],
}

/// What becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeChange {
    /// The next state of the one that goes, sealed with its version plus one.
    pub from: Vec<u8>,
    /// The next state of the one that stays, with the records that it gains.
    pub into: ConsentChange,
}

/// Makes one of two.
pub type MakeMerge<'a> = dyn Fn(MergeFound<'_>) -> Result<MergeChange, Malformed> + Send + Sync + 'a;

/// Makes a change from the version and the sealed state that are there (0 and nothing where none is stored).
pub type MakeChange<'a> = dyn Fn(u64, &[u8]) -> Result<ConsentChange, Malformed> + Send + Sync + 'a;

/// An API key as stored: only its hash is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// SHA-256 of the key.
    pub hash: Digest,
    /// For people; unique among the keys in force.
    pub name: String,
    /// Comma-separated roles.
    pub roles: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A source of outcomes as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its name, as in the field `source` of its events.
    pub name: String,
    /// Its webhook secret under the master key.
    pub sealed_secret: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The kinds of subject as they stand in the column `kind`.
pub fn kind_code(kind: SubjectKind) -> i16 {
    match kind {
        SubjectKind::Customer => 0,
        SubjectKind::Session => 1,
        SubjectKind::Household => 2,
        SubjectKind::Device => 3,
    }
}

/// The kinds of outcome as they stand in the column `kind`.
pub fn outcome_code(kind: OutcomeKind) -> i16 {
    match kind {
        OutcomeKind::Order => 0,
        OutcomeKind::Refund => 1,
        OutcomeKind::Impression => 2,
        OutcomeKind::Click => 3,
        OutcomeKind::Reject => 4,
        OutcomeKind::Return => 5,
        OutcomeKind::Release => 6,
    }
}
