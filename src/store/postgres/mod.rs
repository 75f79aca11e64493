//! PostgreSQL store: the same contract on a server that several nodes share. Keeps nothing in memory between calls.

mod approvals;

mod beside;

mod bundles;

mod catalogue;

mod commit;

mod erasure;

mod fairness;

mod keys;

mod learner;

mod lease;

mod log;

mod log_read;

mod matching;

mod merges;

mod operate;

mod outcomes;

mod pools;

mod spend;

mod subjects;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, Postgres, Transaction};

use crate::domain::outcome::OutcomeFact;
use crate::domain::{
    Day, DecisionId, Digest, Hold, ModelId, OfferId, PoolLevels, Span, Spend, SubjectId, SubjectKinds, SubjectRef,
    Timestamp,
};
use crate::engine::batch::{Batch, CommitOutcome};
use crate::policy::Given;

use super::{
    Activation, AppliedRow, Backlog, By, CatalogueChange, CatalogueChanged, CatalogueRows, CheckpointRow, ConsentRow,
    Control, CountedFor, Holder, KeptOutcome, KeyRow, Learned, LearnerWork, LearningRow, Lease, MakeChange, MakeMerge,
    Match, NewApproval, NewSubject, OfferRevision, OutcomeRow, PublishedBundle, Revoked, SourceRow, Store, StoreError,
    StoredDecision, SubjectRow, Taken, Totals,
};

/// How long a call waits for a connection: a fallback soon is worth more than a decision late.
const ACQUIRE: Duration = Duration::from_secs(3);

/// A connection idle for longer is tested before it is used: the server may have been restarted meanwhile.
const IDLE: Duration = Duration::from_secs(1);

/// What every connection sets, whatever the server's or the user's defaults are.
const SETTINGS: [(&str, &str); 7] = [
    // A commit is answered when its log is synced. Whether a sync reaches the disk (`fsync`) is the server's setting.
    ("synchronous_commit", "on"),
    // After waiting for a lock a statement has to see what the other one wrote.
    ("default_transaction_isolation", "read committed"),
    // Every statement here looks rows up by key. A plan kept from when the table was small would read all of it later.
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    // Plans that have no other way than what is switched off look expensive, and would be compiled for 50 ms.
    ("jit", "off"),
    // A process that is paused within a transaction keeps its locks: nobody could become the learner, or activate a
    // bundle, or decide for a customer, until it wakes up. The server ends that transaction instead. Less than the
    // lease of a learner, and far more than goes by between two statements of a process that runs.
    ("idle_in_transaction_session_timeout", "4s"),
];

/// A store in one schema of a PostgreSQL database.
///
/// A write survives the end of the process and of the server, and a power cut where the server syncs (`fsync`) and its
/// disk keeps what was synced. It does not survive the loss of that disk.
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Connects, with as many connections as given at most, and brings the tables up to date. The schema is the first
    /// of the search path, which the address may set: `?options=-csearch_path%3DNAME`.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|error| {
            StoreError::Address(format!(
                "the address of the PostgreSQL store is not `postgres://USER:PASSWORD@HOST/DATABASE`: {error}"
            ))
        })?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options.options(SETTINGS).disable_statement_logging())
            .await?;
        sqlx::migrate!("migrations/postgres").run(&pool).await?;
        Ok(Self { pool })
    }

    /// Begins a transaction, to its end even if the caller gives up meanwhile. The library's own `begin` would then
    /// hand the connection on within a transaction that it knows nothing of: what the next one writes on it would be
    /// answered as stored, and be gone when the connection closes.
    async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin().await }).await;
        Ok(begun.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))??)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn now(&self) -> Result<Timestamp, StoreError> {
        catalogue::now(self).await
    }

    async fn control(&self) -> Result<Control, StoreError> {
        catalogue::control(self).await
    }

    async fn start_incarnation(&self, node: &str) -> Result<u64, StoreError> {
        commit::start_incarnation(self, node).await
    }

    async fn last_batch(&self, node: &str, incarnation: u64) -> Result<u64, StoreError> {
        commit::last_batch(self, node, incarnation).await
    }

    async fn load_subjects(&self, wanted: &[NewSubject]) -> Result<Vec<SubjectRow>, StoreError> {
        subjects::load(self, wanted).await
    }

    async fn find_subject(&self, reference: &SubjectRef) -> Result<Option<SubjectRow>, StoreError> {
        subjects::find(self, reference).await
    }

    async fn subjects(&self, ids: &[SubjectId]) -> Result<Vec<SubjectRow>, StoreError> {
        subjects::by_id(self, ids).await
    }

    async fn commit(&self, batch: &Batch) -> Result<CommitOutcome, StoreError> {
        commit::commit(self, batch).await
    }

    async fn decision(&self, id: DecisionId) -> Result<Option<StoredDecision>, StoreError> {
        Ok(commit::decisions(self, &[id]).await?.pop())
    }

    async fn decisions(&self, ids: &[DecisionId]) -> Result<Vec<StoredDecision>, StoreError> {
        commit::decisions(self, ids).await
    }

    async fn decisions_after(&self, after: Option<DecisionId>, limit: u32) -> Result<Vec<StoredDecision>, StoreError> {
        commit::decisions_after(self, after, limit).await
    }

    async fn subject_decisions(&self, subject: SubjectId, after: Timestamp) -> Result<Vec<StoredDecision>, StoreError> {
        commit::subject_decisions(self, subject, after).await
    }

    async fn beside_decisions(
        &self,
        subject: SubjectId,
        after: Timestamp,
    ) -> Result<Vec<(StoredDecision, SubjectKinds)>, StoreError> {
        beside::decisions(self, subject, after).await
    }

    async fn counted_for(&self, decisions: &[DecisionId]) -> Result<Vec<CountedFor>, StoreError> {
        beside::counted_for(self, decisions).await
    }

    async fn change_consents(
        &self,
        subject: SubjectId,
        at: Timestamp,
        change: &MakeChange<'_>,
    ) -> Result<(), StoreError> {
        subjects::change_consents(self, subject, at, change).await
    }

    async fn merge_subjects(
        &self,
        from: SubjectId,
        into: SubjectId,
        by: By<'_>,
        change: &MakeMerge<'_>,
    ) -> Result<bool, StoreError> {
        merges::merge(self, (from, into), by, change).await
    }

    async fn consents(&self, subject: SubjectId) -> Result<Vec<ConsentRow>, StoreError> {
        subjects::consents(self, subject).await
    }

    async fn take_outcomes(&self, outcomes: &[OutcomeRow]) -> Result<Vec<Taken>, StoreError> {
        outcomes::take(self, outcomes).await
    }

    async fn outcomes_of(&self, decision: DecisionId) -> Result<Vec<OutcomeFact>, StoreError> {
        outcomes::of(self, decision).await
    }

    async fn outcomes_of_all(&self, decisions: &[DecisionId]) -> Result<Vec<(DecisionId, OutcomeFact)>, StoreError> {
        matching::facts(self, decisions).await
    }

    async fn outcomes_by_key(&self, keys: &[Digest]) -> Result<Vec<KeptOutcome>, StoreError> {
        matching::by_key(self, keys).await
    }

    async fn outcomes_awaiting(&self, decisions: &[DecisionId]) -> Result<Vec<KeptOutcome>, StoreError> {
        matching::awaiting(self, decisions).await
    }

    async fn match_outcomes(&self, matches: &[Match]) -> Result<(), StoreError> {
        matching::set(self, matches).await
    }

    async fn elect(&self, who: &Holder, lease: Span) -> Result<Option<u64>, StoreError> {
        lease::elect(self, who, lease).await
    }

    async fn renew_term(&self, term: u64) -> Result<bool, StoreError> {
        lease::renew(self, term).await
    }

    async fn release_term(&self, term: u64) -> Result<(), StoreError> {
        lease::release(self, term).await
    }

    async fn lease(&self) -> Result<Lease, StoreError> {
        lease::read(self).await
    }

    async fn learner_work(&self, decisions_max: u32, now: Timestamp) -> Result<LearnerWork, StoreError> {
        learner::work(self, decisions_max, now).await
    }

    async fn learn(&self, term: u64, learned: &Learned) -> Result<bool, StoreError> {
        learner::learn(self, term, learned).await
    }

    async fn applied_of(&self, decisions: &[DecisionId]) -> Result<Vec<AppliedRow>, StoreError> {
        learner::applied_of(self, decisions).await
    }

    async fn model_heads(&self) -> Result<Vec<(ModelId, u64)>, StoreError> {
        learner::model_heads(self).await
    }

    async fn learning_events(&self, model: ModelId, after: u64, limit: u32) -> Result<Vec<LearningRow>, StoreError> {
        learner::events(self, model, after, limit).await
    }

    async fn checkpoint(&self, model: ModelId, events_max: Option<u64>) -> Result<Option<CheckpointRow>, StoreError> {
        learner::checkpoint(self, model, events_max).await
    }

    async fn activate_bundle(&self, hash: Digest, body: &str, by: By<'_>) -> Result<Control, StoreError> {
        bundles::activate(self, hash, body, by, false).await
    }

    async fn introduce_bundle(&self, hash: Digest, body: &str, by: By<'_>) -> Result<Control, StoreError> {
        bundles::activate(self, hash, body, by, true).await
    }

    async fn publish_bundle(&self, hash: Digest, body: &str, by: By<'_>) -> Result<bool, StoreError> {
        bundles::publish(self, hash, body, by).await
    }

    async fn bundle(&self, hash: Digest) -> Result<Option<String>, StoreError> {
        bundles::body(self, hash).await
    }

    async fn bundles(&self) -> Result<Vec<PublishedBundle>, StoreError> {
        bundles::all(self).await
    }

    async fn activations(&self) -> Result<Vec<Activation>, StoreError> {
        bundles::activations(self).await
    }

    async fn keep_fairness_report(&self, hash: Digest, body: &str, by: By<'_>) -> Result<bool, StoreError> {
        fairness::keep(self, hash, body, by).await
    }

    async fn fairness_report(&self, hash: Digest) -> Result<Option<String>, StoreError> {
        fairness::body(self, hash).await
    }

    async fn change_catalogue(&self, change: &CatalogueChange, by: By<'_>) -> Result<CatalogueChanged, StoreError> {
        catalogue::change(self, change, by).await
    }

    async fn catalogue(&self, revision: u64) -> Result<CatalogueRows, StoreError> {
        catalogue::read(self, revision).await
    }

    async fn offer_revisions(
        &self,
        offer: &OfferId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<OfferRevision>, StoreError> {
        catalogue::revisions(self, offer, before, limit).await
    }

    async fn approve(&self, approval: &NewApproval, by: By<'_>) -> Result<u64, StoreError> {
        approvals::approve(self, approval, by).await
    }

    async fn revoke_approval(&self, id: u64, note: &str, by: By<'_>) -> Result<Revoked, StoreError> {
        approvals::revoke(self, id, note, by).await
    }

    async fn approvals(&self) -> Result<Vec<Given>, StoreError> {
        approvals::list(self).await
    }

    async fn create_key(&self, key: &KeyRow, by: By<'_>) -> Result<bool, StoreError> {
        keys::create(self, key, by).await
    }

    async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        keys::list(self).await
    }

    async fn revoke_key(&self, name: &str, by: By<'_>) -> Result<bool, StoreError> {
        keys::revoke(self, name, by).await
    }

    async fn create_source(&self, source: &SourceRow, by: By<'_>) -> Result<bool, StoreError> {
        keys::create_source(self, source, by).await
    }

    async fn sources(&self) -> Result<Vec<SourceRow>, StoreError> {
        keys::sources(self).await
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        learner::totals(self).await
    }

    async fn spend(&self, day: Day) -> Result<Spend, StoreError> {
        spend::read(self, day).await
    }

    async fn pools(&self, since: Timestamp) -> Result<PoolLevels, StoreError> {
        pools::levels(self, since).await
    }

    async fn return_portions(&self) -> Result<bool, StoreError> {
        pools::return_portions(self).await
    }

    async fn holds_of(&self, decision: DecisionId) -> Result<Vec<Hold>, StoreError> {
        pools::holds_of(self, decision).await
    }

    async fn prune_pools(&self, ended: Timestamp, older: Timestamp) -> Result<bool, StoreError> {
        pools::prune(self, ended, older).await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        learner::backlog(self).await
    }
}
