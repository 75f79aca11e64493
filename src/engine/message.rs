//! What an engine is told, what it wants done, and how it answers. Does nothing.

use std::sync::Arc;

use super::batch::{Batch, CommitOutcome};
use super::cache::Subject;
use crate::decision::{Problem, Snapshot};
use crate::domain::decision::{Record, Skeleton};
use crate::domain::key::{GeneratorKey, MasterKey};
use crate::domain::{DecisionId, DecisionRequest, Digest, PoolLevels, SubjectRef};
use crate::policy::Contact;

/// Who waits for an answer.
pub type Ticket = u64;

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The engine's name, stable over restarts.
    pub node: String,
    /// This start of it.
    pub incarnation: u64,
    /// Decisions in one batch at most.
    pub batch_decisions_max: usize,
    /// Requests that may wait at once; more are turned away at the door.
    pub waiting_max: usize,
    /// Subjects kept in memory.
    pub subjects_max: usize,
    /// Draws are made from it.
    pub generator: GeneratorKey,
    /// Decisions without a subject are sealed under a key derived from it.
    pub master: MasterKey,
}

/// What an engine is told.
#[derive(Debug)]
pub enum Event {
    /// Somebody asks for a decision.
    Asked {
        /// Who waits.
        ticket: Ticket,
        /// What for.
        request: Arc<DecisionRequest>,
    },
    /// Subjects it wanted were read.
    SubjectsLoaded(Vec<Loaded>),
    /// Subjects it wanted could not be read.
    LoadFailed(Vec<SubjectRef>),
    /// The store settled the batch in flight.
    Committed(CommitOutcome),
    /// The store failed; whether the batch is stored is unknown.
    CommitFailed,
    /// The number of the last batch stored, after a failure.
    Resynced(u64),
    /// A newer snapshot.
    Published(Arc<Snapshot>),
    /// No newer snapshot comes for now, though there is a newer control row: whoever waits for it is told.
    SnapshotRefused,
    /// Somebody else changed a subject.
    SubjectChanged(SubjectRef),
    /// What is left of what may run out, as somebody read it.
    PoolsRead(Arc<PoolLevels>),
}

/// A subject as loaded, with its contacts where its counters were built for another cap set.
#[derive(Debug)]
pub struct Loaded {
    /// The subject.
    pub subject: Subject,
    /// Contacts that may count for this cap set, if they were asked for.
    pub contacts: Option<(Digest, Vec<Contact>)>,
}

/// What an engine wants done.
#[derive(Debug)]
pub enum Effect {
    /// Read these subjects.
    LoadSubjects(Vec<SubjectRef>),
    /// Store this batch.
    Commit(Box<Batch>),
    /// Read the number of the last batch stored, for as long as it takes.
    Resync,
    /// Read the control row and publish a snapshot for it.
    ReloadSnapshot,
    /// Answer.
    Reply(Ticket, Reply),
}

/// An answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Decided now, and durable.
    Decided(Arc<Skeleton>),
    /// Decided before under the same id; this is what is stored.
    Stored(Record),
    /// The id names another request.
    Conflict(DecisionId),
    /// The request does not fit the active bundle.
    Refused(Vec<Problem>),
    /// Too many wait already.
    Overloaded,
    /// The store does not answer; asking again with the same decision id is safe.
    Unavailable,
}
