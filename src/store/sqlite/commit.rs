//! Commit in SQLite: a batch in one transaction, and the decisions read back. Decides nothing again.

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::{DecisionId, SubjectId, Timestamp};
use crate::engine::batch::{Batch, CommitOutcome, SubjectNext, SubjectTouched};
use crate::store::column::{self, DecisionColumns};
use crate::store::steps::{Step, reach};
use crate::store::{StoreError, StoredDecision, whom};

use super::statement::{key_pieces, push_keys, row_pieces};
use super::{SqliteStore, pools};

const DECISION: &str = "select d.decision_id, d.subject_id, i.wrapped_key, d.at, d.request_digest, d.skeleton, \
     d.private, d.leaf from decision d left join identity i on i.subject_id = d.subject_id ";

pub(super) async fn commit(store: &SqliteStore, batch: &Batch) -> Result<CommitOutcome, StoreError> {
    let mut writer = store.writer.lock().await;
    reach(Step::CommitBegin);
    let mut transaction = store.begin(&mut writer).await?;
    let gate = changed_gate(&mut transaction, batch.control_sequence).await?;
    let stale = stale(&mut transaction, &batch.subjects).await?;
    if gate.is_none() && stale.is_empty() && insert_decisions(&mut transaction, batch).await? {
        replace_states(&mut transaction, &batch.subjects).await?;
        insert_batch(&mut transaction, batch).await?;
        if !pools::take(&mut transaction, batch).await? {
            transaction.rollback().await?;
            let short = crate::store::pools::short(batch, &pools::levels_on(&mut writer).await?);
            return Ok(CommitOutcome::Refused { gate: None, stale: Vec::new(), known: Vec::new(), short });
        }
        reach(Step::CommitWritten);
        transaction.commit().await?;
        reach(Step::CommitDurable);
        return Ok(CommitOutcome::Stored);
    }
    // Before the known ones are read: some of this batch may just have been written.
    transaction.rollback().await?;
    let ids: Vec<DecisionId> = batch.decisions.iter().map(|decision| decision.decision_id).collect();
    let known = column::known(decisions_on(&mut writer, &ids).await?);
    if gate.is_none() && stale.is_empty() && known.is_empty() {
        return Err(column::refused_without_reason(batch));
    }
    Ok(CommitOutcome::Refused { gate, stale, known, short: Vec::new() })
}

async fn changed_gate(connection: &mut SqliteConnection, expected: u64) -> Result<Option<u64>, StoreError> {
    let (sequence,): (i64,) = sqlx::query_as("select sequence from control").fetch_one(connection).await?;
    Ok(Some(column::natural(sequence)?).filter(|sequence| *sequence != expected))
}

async fn stale(connection: &mut SqliteConnection, touched: &[SubjectTouched]) -> Result<Vec<SubjectId>, StoreError> {
    let mut stored: Vec<(SubjectId, u64)> = Vec::with_capacity(touched.len());
    for piece in key_pieces(touched) {
        let keys: Vec<[u8; 16]> = piece.iter().map(|touched| touched.subject.0).collect();
        let mut statement = QueryBuilder::new("select subject_id, version from subject where subject_id in ");
        push_keys(&mut statement, &keys);
        let rows: Vec<(Vec<u8>, i64)> = statement.build_query_as().fetch_all(&mut *connection).await?;
        for (id, version) in rows {
            stored.push((column::subject_id(&id)?, column::natural(version)?));
        }
    }
    stored.sort_unstable();
    let version = |subject: SubjectId| {
        stored.binary_search_by_key(&subject, |(id, _)| *id).ok().and_then(|at| stored.get(at)).map_or(0, |row| row.1)
    };
    Ok(touched.iter().filter(|t| version(t.subject) != t.version).map(|t| t.subject).collect())
}

/// Writes the decisions; `false` where one of the ids is stored already.
async fn insert_decisions(connection: &mut SqliteConnection, batch: &Batch) -> Result<bool, StoreError> {
    let decisions = column::sorted(batch);
    let mut written = 0;
    for piece in row_pieces(&decisions) {
        let mut statement = QueryBuilder::new(
            "insert into decision (decision_id, subject_id, at, request_digest, skeleton, private, leaf) ",
        );
        statement.push_values(piece, |mut row, decision| {
            row.push_bind(decision.decision_id.as_bytes().as_slice())
                .push_bind(decision.subject.as_ref().map(|subject| subject.0.as_slice()))
                .push_bind(decision.at.0)
                .push_bind(decision.request_digest.0.as_slice())
                .push_bind(decision.record.skeleton.as_slice())
                .push_bind(decision.record.private.as_slice())
                .push_bind(decision.record.leaf.0.as_slice());
        });
        statement.push(" on conflict do nothing");
        written += statement.build().execute(&mut *connection).await?.rows_affected();
    }
    if usize::try_from(written) != Ok(decisions.len()) {
        return Ok(false);
    }
    for piece in row_pieces(&whom::beside(&decisions)) {
        let mut statement =
            QueryBuilder::new("insert into decision_subject (decision_id, subject_id, at, stands_for) ");
        statement.push_values(piece, |mut row, beside| {
            row.push_bind(beside.decision_id.as_bytes().as_slice())
                .push_bind(beside.subject.0.as_slice())
                .push_bind(beside.at.0)
                .push_bind(i16::from(beside.stands_for.bits()));
        });
        statement.build().execute(&mut *connection).await?;
    }
    Ok(true)
}

async fn replace_states(connection: &mut SqliteConnection, touched: &[SubjectTouched]) -> Result<(), StoreError> {
    let mut next: Vec<(SubjectId, i64, &SubjectNext)> = Vec::with_capacity(touched.len());
    for subject in touched {
        if let Some(state) = &subject.next {
            next.push((subject.subject, column::signed(state.version)?, state));
        }
    }
    for piece in row_pieces(&next) {
        let mut statement = QueryBuilder::new("insert into subject (subject_id, version, state) ");
        statement.push_values(piece, |mut row, (subject, version, next)| {
            row.push_bind(subject.0.as_slice()).push_bind(*version).push_bind(next.state.as_slice());
        });
        // Checked before, in this transaction: no condition is needed, and none lets the planner scan the table.
        statement.push(" on conflict (subject_id) do update set version = excluded.version, state = excluded.state");
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert_batch(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    let written = sqlx::query(
        "insert into batch (node, incarnation, number, digest, decision_ids) values (?, ?, ?, ?, ?) \
         on conflict do nothing",
    )
    .bind(&batch.node)
    .bind(column::signed(batch.incarnation)?)
    .bind(column::signed(batch.number)?)
    .bind(batch.digest.0.as_slice())
    .bind(column::decision_ids(batch))
    .execute(connection)
    .await?
    .rows_affected();
    if written == 1 { Ok(()) } else { Err(column::number_taken(batch)) }
}

pub(super) async fn start_incarnation(store: &SqliteStore, node: &str) -> Result<u64, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let (incarnation,): (i64,) = sqlx::query_as(
        "insert into node (node, incarnation) values (?, 1) \
         on conflict (node) do update set incarnation = incarnation + 1 returning incarnation",
    )
    .bind(node)
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    column::natural(incarnation)
}

pub(super) async fn last_batch(store: &SqliteStore, node: &str, incarnation: u64) -> Result<u64, StoreError> {
    let (number,): (i64,) =
        sqlx::query_as("select coalesce(max(number), 0) from batch where node = ? and incarnation = ?")
            .bind(node)
            .bind(column::signed(incarnation)?)
            .fetch_one(&store.readers)
            .await?;
    column::natural(number)
}

pub(super) async fn decisions(store: &SqliteStore, ids: &[DecisionId]) -> Result<Vec<StoredDecision>, StoreError> {
    let mut reader = store.readers.acquire().await?;
    decisions_on(&mut reader, ids).await
}

/// Decisions by id, in the order of the ids.
pub(super) async fn decisions_on(
    connection: &mut SqliteConnection,
    ids: &[DecisionId],
) -> Result<Vec<StoredDecision>, StoreError> {
    let keys: Vec<[u8; 16]> = ids.iter().map(|id| *id.as_bytes()).collect();
    let mut rows: Vec<DecisionColumns> = Vec::with_capacity(ids.len());
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new(DECISION);
        push_keys(statement.push("where d.decision_id in "), piece);
        rows.extend(statement.build_query_as().fetch_all(&mut *connection).await?);
    }
    rows.sort();
    column::decisions(rows)
}

pub(super) async fn decisions_after(
    store: &SqliteStore,
    after: Option<DecisionId>,
    limit: u32,
) -> Result<Vec<StoredDecision>, StoreError> {
    let mut statement = QueryBuilder::new(DECISION);
    statement.push("where d.decision_id > ").push_bind(after.map_or(Vec::new(), |id| id.as_bytes().to_vec()));
    statement.push(" order by d.decision_id limit ").push_bind(i64::from(limit));
    column::decisions(statement.build_query_as().fetch_all(&store.readers).await?)
}

pub(super) async fn subject_decisions(
    store: &SqliteStore,
    subject: SubjectId,
    after: Timestamp,
) -> Result<Vec<StoredDecision>, StoreError> {
    let mut statement = QueryBuilder::new(DECISION);
    statement.push("where d.subject_id in (select ").push_bind(subject.0.as_slice());
    statement.push(" union all select m.subject_id from merged_subject m where m.into_subject_id = ");
    statement
        .push_bind(subject.0.as_slice())
        .push(") and d.at > ")
        .push_bind(after.0)
        .push(" order by d.at, d.decision_id");
    column::decisions(statement.build_query_as().fetch_all(&store.readers).await?)
}
