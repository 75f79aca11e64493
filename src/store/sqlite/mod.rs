//! SQLite store: one file, one process, one writer. Keeps nothing in memory that the file does not hold.

mod approvals;

mod beside;

mod bundles;

mod catalogue;

mod commit;

mod connect;

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

mod statement;

mod subjects;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::Mutex;

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

const READERS: u32 = 4;

/// A store in one SQLite file.
///
/// A write survives the end of the process and, where the disk keeps what it has synced, a power cut: the write-ahead
/// log is synced before the call returns. It does not survive the loss of the disk.
pub struct SqliteStore {
    path: PathBuf,
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it if it is missing, and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        connect::create(path).map_err(|error| {
            StoreError::Address(format!("`{}` cannot be opened for writing: {error}", path.display()))
        })?;
        let mut writer = connect::writer(path).await?;
        sqlx::migrate!("migrations/sqlite").run(&mut writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            // A file needs no new connections. The pool's task that would close old ones was seen to spin for ever.
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(connect::options(path).read_only(true))
            .await?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), readers })
    }

    /// Begins a transaction that excludes every other writer, on the connection behind `writer`.
    async fn begin<'a>(&self, writer: &'a mut SqliteConnection) -> Result<Transaction<'a, Sqlite>, StoreError> {
        if writer.is_in_transaction() {
            // The one before failed and is rolled back in the background; this waits for that.
            writer.ping().await?;
        }
        if writer.is_in_transaction() {
            // SQLite ended it by itself, as it does when the disk is full, and the connection would believe in it for
            // ever. A new one knows of no transaction, and the end of the old one leaves none open.
            *writer = connect::writer(&self.path).await?;
        }
        Ok(writer.begin_with("begin immediate").await?)
    }
}

#[async_trait]
impl Store for SqliteStore {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_fails_one_call_and_the_next_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("p.sqlite")).await.unwrap();
        let by = By { key: "tester", at: Timestamp(0) };
        let pages = async |pages: u32| {
            let sql = sqlx::AssertSqlSafe(format!("pragma max_page_count = {pages}"));
            sqlx::raw_sql(sql).execute(&mut *store.writer.lock().await).await.unwrap();
        };
        for round in 1..=3 {
            pages(1).await;
            let large = "x".repeat(1_000_000);
            assert!(matches!(
                store.activate_bundle(Digest([round; 32]), &large, by).await,
                Err(StoreError::Unavailable(_))
            ));
            pages(1_000_000).await;
            assert_eq!(store.start_incarnation("node").await.unwrap(), u64::from(round));
            assert_eq!(store.control().await.unwrap(), Control::default());
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_may_read_the_files() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("p.sqlite")).await.unwrap();
        store.start_incarnation("node").await.unwrap();
        let modes: Vec<u32> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777)
            .collect();
        assert_eq!(modes, [0o600; 3]);
    }
}
