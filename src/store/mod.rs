//! Store: what is kept, behind one narrow trait of coarse operations. Decides nothing and opens no sealed part.
//!
//! Two implementations, SQLite and PostgreSQL, are held to the same contract tests. Every write is durable (synced)
//! when its call returns, or it did not happen.

pub mod postgres;

pub mod sqlite;

pub mod steps;

mod approvals;

mod catalogue;

mod column;

pub mod erasure;

pub mod log;

mod nodes;

mod open;

pub mod operate;

mod pools;

mod rows;

mod whom;

mod work;

pub use approvals::{NewApproval, Revoked};
pub use catalogue::{CampaignBody, CatalogueChange, CatalogueChanged, CatalogueRows, OfferBody, OfferRevision, Tally};
pub use erasure::{Begun, Erase, Erased, Erasing, ErasureDone, ErasureRow, HashOutside, LegalHold};
pub use nodes::{Activation, Holder, Lease};
pub use open::open;
pub use operate::{
    BundleReport, NODE_LIFE, NewSwitch, NodeState, Operate, PublishedBundle, RefusedBundle, SwitchChanged, SwitchEnd,
    SwitchRow,
};
pub use rows::{
    ConsentChange, ConsentRow, CountedFor, KeyRow, MakeChange, MakeMerge, MergeChange, MergeFound, NewSubject,
    SourceRow, SubjectRow, kind_code, outcome_code,
};

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::domain::decision::Record;
use crate::domain::outcome::OutcomeFact;
use crate::domain::{
    Currency, Day, DecisionId, Digest, Hold, ModelId, OfferId, PoolLevels, Span, Spend, SubjectId, SubjectKinds,
    SubjectRef, Timestamp,
};
use crate::engine::batch::{Batch, CommitOutcome};
pub use crate::engine::learner::{AppliedRow, BatchKey, CheckpointRow, HoldSettled, Learned, LearningRow, Spent};
pub use crate::learning::Applied;
use crate::policy::Given;

/// Why a call did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or failed; whether a write happened may be unknown.
    #[error("the store did not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was read back cannot be what was written.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// The address of the store is wrong.
    #[error("{0}")]
    Address(String),
}

/// The row that every batch is gated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Control {
    /// Grows with every change of what decisions share.
    pub sequence: u64,
    /// The active bundle, once there is one.
    pub bundle: Option<Digest>,
    /// The current catalogue.
    pub catalogue_revision: u64,
    /// The switches set beside the bundle; 0 while none ever was.
    pub switch_revision: u64,
}

impl Control {
    /// The row that the next change of the switches makes.
    #[must_use]
    pub fn with_next_switches(self) -> Self {
        Self { sequence: self.sequence + 1, switch_revision: self.switch_revision + 1, ..self }
    }
}

/// A decision as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    /// Which.
    pub decision_id: DecisionId,
    /// Whose state it read.
    pub subject: Option<SubjectId>,
    /// The subject's wrapped key; nothing without a subject or after erasure.
    pub wrapped_key: Option<Vec<u8>>,
    /// Time as the logic read it.
    pub at: Timestamp,
    /// What the id names.
    pub request_digest: Digest,
    /// Record and leaf.
    pub record: Record,
}

/// One outcome as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// What the fold reads; its key is the permanent business key.
    pub fact: OutcomeFact,
    /// Who sent it.
    pub source: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The decision it is attributed to; nothing where it names none.
    pub decision_id: Option<DecisionId>,
    /// Whom it is about, where that is known.
    pub subject: Option<SubjectId>,
    /// What it claimed itself, sealed.
    pub claim: Vec<u8>,
    /// Currency of its amounts.
    pub currency: Option<Currency>,
    /// The decision it names where that was not known yet; it is matched when that decision is learned from.
    pub awaits: Option<DecisionId>,
}

/// An outcome read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOutcome {
    /// As stored; its decision and slot may have been found later.
    pub row: OutcomeRow,
    /// The wrapped key of whom it is about; nothing without a subject or after erasure.
    pub wrapped_key: Option<Vec<u8>>,
    /// Whether the learner has taken it up.
    pub applied: bool,
}

/// Where an outcome that was waiting for a decision belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// The outcome.
    pub key: Digest,
    /// Its decision and slot; nothing if it turned out to belong to none, and waits no longer.
    pub to: Option<(DecisionId, u16)>,
}

/// What became of one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Stored and attributed to this decision; the learner will take it up.
    Accepted(DecisionId),
    /// Its key was stored before; nothing changed.
    Duplicate,
    /// Stored, but attributed to no decision yet.
    Unmatched,
}

/// A decision the learner has to look at, with everything the fold needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The decision.
    pub decision: StoredDecision,
    /// What was applied before, by slot; nothing for a slot that was not looked at yet.
    pub applied: BTreeMap<u16, Applied>,
    /// All of its outcomes.
    pub outcomes: Vec<OutcomeFact>,
    /// What it holds of what may run out.
    pub holds: Vec<Hold>,
}

/// Work for the learner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LearnerWork {
    /// Batches whose decisions are new to it.
    pub batches: Vec<BatchKey>,
    /// Outcomes that are new to it.
    pub outcomes: Vec<Digest>,
    /// Decisions whose weight has grown by their age, or whose reservation has ended.
    pub due: Vec<DecisionId>,
    /// Every decision those touch, each once.
    pub touched: Vec<Touched>,
}

/// Totals for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Decisions stored.
    pub decisions: u64,
    /// Outcomes stored.
    pub outcomes: u64,
    /// Batches that the learner has not seen.
    pub batches_unlearned: u64,
    /// Outcomes attributed and not applied.
    pub outcomes_unapplied: u64,
}

/// What waits for the learner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Batches that it has not seen.
    pub batches_unlearned: u64,
    /// Outcomes attributed and not applied.
    pub outcomes_unapplied: u64,
}

/// Who made a privileged change, for the record of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// Name of the key, or `start` and the like for the process itself.
    pub key: &'a str,
    /// When.
    pub at: Timestamp,
}

/// The narrow contract of a store. A call that returns an error may or may not have happened unless it says otherwise;
/// every call can be repeated.
#[async_trait]
pub trait Store: Operate + Erase + log::Log {
    /// The store's own clock: the time that everybody goes by.
    async fn now(&self) -> Result<Timestamp, StoreError>;

    /// The control row.
    async fn control(&self) -> Result<Control, StoreError>;

    /// A new incarnation of a node, larger than any before.
    async fn start_incarnation(&self, node: &str) -> Result<u64, StoreError>;

    /// The number of the incarnation's last batch; 0 if it has none.
    async fn last_batch(&self, node: &str, incarnation: u64) -> Result<u64, StoreError>;

    /// Identities, keys and states by outside id, in the order asked. An unknown outside id gets the identity offered;
    /// if another process created it meanwhile, that one is returned.
    async fn load_subjects(&self, wanted: &[NewSubject]) -> Result<Vec<SubjectRow>, StoreError>;

    /// One subject by its outside id, creating nothing.
    async fn find_subject(&self, reference: &SubjectRef) -> Result<Option<SubjectRow>, StoreError>;

    /// Subjects by their internal ids, in the order of the ids; unknown ones are left out.
    async fn subjects(&self, ids: &[SubjectId]) -> Result<Vec<SubjectRow>, StoreError>;

    /// Stores a batch as [`CommitOutcome`] says: all of it, or nothing with every reason at once.
    async fn commit(&self, batch: &Batch) -> Result<CommitOutcome, StoreError>;

    /// One decision.
    async fn decision(&self, id: DecisionId) -> Result<Option<StoredDecision>, StoreError>;

    /// Several decisions; unknown ids are left out.
    async fn decisions(&self, ids: &[DecisionId]) -> Result<Vec<StoredDecision>, StoreError>;

    /// Decisions in the order of their ids, after one of them.
    async fn decisions_after(&self, after: Option<DecisionId>, limit: u32) -> Result<Vec<StoredDecision>, StoreError>;

    /// The decisions for a subject, and for those who turned out to be it, with `at` after the instant given, oldest
    /// first.
    async fn subject_decisions(&self, subject: SubjectId, after: Timestamp) -> Result<Vec<StoredDecision>, StoreError>;

    /// The decisions whose contacts count for a subject besides whom they are for, or for more than that subject would
    /// stand for alone; each with what the subject stands for, with `at` after the instant given, oldest first.
    async fn beside_decisions(
        &self,
        subject: SubjectId,
        after: Timestamp,
    ) -> Result<Vec<(StoredDecision, SubjectKinds)>, StoreError>;

    /// Whom the contacts of these decisions count for, as far as they are known, by decision and subject.
    async fn counted_for(&self, decisions: &[DecisionId]) -> Result<Vec<CountedFor>, StoreError>;

    /// Appends consent records and replaces the state; an error where the subject has become another one, which asking
    /// again finds. `change` is asked under the subject's lock, so that decisions of
    /// the same customer, however many, cannot keep a withdrawal waiting.
    async fn change_consents(
        &self,
        subject: SubjectId,
        at: Timestamp,
        change: &MakeChange<'_>,
    ) -> Result<(), StoreError>;

    /// Makes one subject of two, in one transaction: whoever asks for the first gets the second from then on, and so
    /// does whoever asks for one that became the first before. `change` is asked under the locks of both, and both get
    /// a new version, so that nobody who read either can commit. `false` and nothing changed where one of them has
    /// become another one already.
    async fn merge_subjects(
        &self,
        from: SubjectId,
        into: SubjectId,
        by: By<'_>,
        change: &MakeMerge<'_>,
    ) -> Result<bool, StoreError>;

    /// A subject's consent records, oldest first.
    async fn consents(&self, subject: SubjectId) -> Result<Vec<ConsentRow>, StoreError>;

    /// Stores outcomes under their keys and links those that refer to one another, in one transaction. An outcome
    /// without a decision takes the decision of the event it refers to; one that arrives later hands its decision to
    /// those that were waiting for it. Answers in the order given; of equal keys in one call the first counts.
    async fn take_outcomes(&self, outcomes: &[OutcomeRow]) -> Result<Vec<Taken>, StoreError>;

    /// The outcomes attributed to a decision, by key.
    async fn outcomes_of(&self, decision: DecisionId) -> Result<Vec<OutcomeFact>, StoreError>;

    /// The outcomes attributed to several decisions, by key.
    async fn outcomes_of_all(&self, decisions: &[DecisionId]) -> Result<Vec<(DecisionId, OutcomeFact)>, StoreError>;

    /// Outcomes by their keys, in the order of the keys; unknown ones are left out.
    async fn outcomes_by_key(&self, keys: &[Digest]) -> Result<Vec<KeptOutcome>, StoreError>;

    /// The outcomes that wait for one of these decisions, in the order of their keys.
    async fn outcomes_awaiting(&self, decisions: &[DecisionId]) -> Result<Vec<KeptOutcome>, StoreError>;

    /// Matches outcomes that belong to no decision yet, and hands their decisions to those that refer to them, in one
    /// transaction. One that has a decision already keeps it.
    async fn match_outcomes(&self, matches: &[Match]) -> Result<(), StoreError>;

    /// A new term of the learner, larger than any before, with a lease of this length by the store's clock; all older
    /// terms are fenced from now on. Nothing while somebody else holds a lease; an earlier incarnation of the same
    /// node is over and holds none.
    async fn elect(&self, who: &Holder, lease: Span) -> Result<Option<u64>, StoreError>;

    /// Holds the lease for its length from now; `false` and nothing changed if the term is fenced. A lease that has
    /// expired is taken up again as long as nobody else was elected.
    async fn renew_term(&self, term: u64) -> Result<bool, StoreError>;

    /// Gives the lease up, so that somebody else is elected at once; nothing if the term is fenced.
    async fn release_term(&self, term: u64) -> Result<(), StoreError>;

    /// Who learns.
    async fn lease(&self) -> Result<Lease, StoreError>;

    /// Unlearned batches (oldest first, at least one if there is any, then as many as fit in `decisions_max`) and
    /// unapplied outcomes and decisions due by an instant (the longest due first), with every decision they touch.
    async fn learner_work(&self, decisions_max: u32, now: Timestamp) -> Result<LearnerWork, StoreError>;

    /// Stores one step of the learner and renews its lease; `false` and nothing changed if the term is fenced.
    async fn learn(&self, term: u64, learned: &Learned) -> Result<bool, StoreError>;

    /// What is applied of these decisions, slot by slot; nothing of those that nothing was applied of.
    async fn applied_of(&self, decisions: &[DecisionId]) -> Result<Vec<AppliedRow>, StoreError>;

    /// Every model with the last sequence of its stream.
    async fn model_heads(&self) -> Result<Vec<(ModelId, u64)>, StoreError>;

    /// Learning events of a model after a sequence, in order.
    async fn learning_events(&self, model: ModelId, after: u64, limit: u32) -> Result<Vec<LearningRow>, StoreError>;

    /// The newest checkpoint of a model, or the newest that holds at most so many events.
    async fn checkpoint(&self, model: ModelId, events_max: Option<u64>) -> Result<Option<CheckpointRow>, StoreError>;

    /// Keeps a bundle under its hash and makes it the active one; nothing changes if it is already.
    async fn activate_bundle(&self, hash: Digest, body: &str, by: By<'_>) -> Result<Control, StoreError>;

    /// [`Store::activate_bundle`] if the store does not know the bundle, or none is active; otherwise nothing changes.
    async fn introduce_bundle(&self, hash: Digest, body: &str, by: By<'_>) -> Result<Control, StoreError>;

    /// Keeps a bundle under its hash without activating it; `false` if it was kept already.
    async fn publish_bundle(&self, hash: Digest, body: &str, by: By<'_>) -> Result<bool, StoreError>;

    /// A bundle's body.
    async fn bundle(&self, hash: Digest) -> Result<Option<String>, StoreError>;

    /// Every bundle kept, in the order of their hashes.
    async fn bundles(&self) -> Result<Vec<PublishedBundle>, StoreError>;

    /// Every activation, newest first.
    async fn activations(&self) -> Result<Vec<Activation>, StoreError>;

    /// Keeps a report of fairness under its hash; `false` if it was kept already.
    async fn keep_fairness_report(&self, hash: Digest, body: &str, by: By<'_>) -> Result<bool, StoreError>;

    /// A report of fairness, as it was kept.
    async fn fairness_report(&self, hash: Digest) -> Result<Option<String>, StoreError>;

    /// Stores what is new of a change as the next catalogue revision; [`CatalogueChanged`] says what became of it.
    async fn change_catalogue(&self, change: &CatalogueChange, by: By<'_>) -> Result<CatalogueChanged, StoreError>;

    /// Every offer and campaign as it was at a revision.
    async fn catalogue(&self, revision: u64) -> Result<CatalogueRows, StoreError>;

    /// The revisions of an offer before one of them (or all), newest first.
    async fn offer_revisions(
        &self,
        offer: &OfferId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<OfferRevision>, StoreError>;

    /// Keeps an approval and gives its id: the sequence that the control row has from then on, so that no decision is
    /// committed that does not know of it.
    async fn approve(&self, approval: &NewApproval, by: By<'_>) -> Result<u64, StoreError>;

    /// Takes an approval back. When this returns, no decision is committed that still relies on it.
    async fn revoke_approval(&self, id: u64, note: &str, by: By<'_>) -> Result<Revoked, StoreError>;

    /// Every approval, revoked ones too, oldest first.
    async fn approvals(&self) -> Result<Vec<Given>, StoreError>;

    /// Stores an API key; `false` if a key in force has its name.
    async fn create_key(&self, key: &KeyRow, by: By<'_>) -> Result<bool, StoreError>;

    /// Every API key, revoked ones too, oldest first.
    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError>;

    /// Revokes the key in force of this name; `false` if there is none.
    async fn revoke_key(&self, name: &str, by: By<'_>) -> Result<bool, StoreError>;

    /// Stores a source of outcomes; `false` if its name is taken.
    async fn create_source(&self, source: &SourceRow, by: By<'_>) -> Result<bool, StoreError>;

    /// Every source.
    async fn sources(&self) -> Result<Vec<SourceRow>, StoreError>;

    /// Totals for people.
    async fn totals(&self) -> Result<Totals, StoreError>;

    /// What campaigns have spent over all days, and exploration on one.
    async fn spend(&self, day: Day) -> Result<Spend, StoreError>;

    /// Every pool of which something was taken, those of windows that began since an instant and those without any.
    async fn pools(&self, since: Timestamp) -> Result<PoolLevels, StoreError>;

    /// Returns the portions of engines that took nothing for longer than [`PORTION_LIFE`] by the store's clock, or have
    /// started anew. `false` if there were none. Harmless at any time: an engine that is still there leases again.
    ///
    /// [`PORTION_LIFE`]: crate::domain::pool::PORTION_LIFE
    async fn return_portions(&self) -> Result<bool, StoreError>;

    /// What a decision holds of what may run out, by slot and pool.
    async fn holds_of(&self, decision: DecisionId) -> Result<Vec<Hold>, StoreError>;

    /// Removes some of what can never matter again: pools of windows that began before `ended`, with what decisions
    /// hold of them and do not only reserve; and what decisions made before `older` hold, which stays held for good and
    /// stands in one row for each pool from then on. `true` if there may be more.
    async fn prune_pools(&self, ended: Timestamp, older: Timestamp) -> Result<bool, StoreError>;

    /// What waits for the learner: read from small indices, however long the history is.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
}
