//! Commit in PostgreSQL: a batch in one round trip, and the decisions read back. Decides nothing again.

use crate::domain::{DecisionId, SubjectId, Timestamp};
use crate::engine::batch::{Batch, CommitOutcome, DecisionWrite};
use crate::store::column::{self, DecisionColumns};
use crate::store::steps::{Step, reach};
use crate::store::{StoreError, StoredDecision, whom};

use super::{PostgresStore, pools};

/// The text of a query for decisions with this end.
macro_rules! select_decision {
    ($end:literal) => {
        concat!(
            "select d.decision_id, d.subject_id, i.wrapped_key, d.at, d.request_digest, d.skeleton, d.private, d.leaf \
             from decision d left join identity i on i.subject_id = d.subject_id ",
            $end
        )
    };
}

/// stored, gate, stale, known; nothing where too little is left of a pool
type Answer = (bool, Option<i64>, Option<Vec<Vec<u8>>>, Option<Vec<Vec<u8>>>);

pub(super) async fn commit(store: &PostgresStore, batch: &Batch) -> Result<CommitOutcome, StoreError> {
    reach(Step::CommitBegin);
    // One statement is its own transaction: nobody can stand between its writes and its end, so this is the same place.
    reach(Step::CommitWritten);
    let Some((stored, gate, stale, known)) = send(store, batch).await? else {
        let short = crate::store::pools::short(batch, &pools::levels_of(store, batch).await?);
        return Ok(CommitOutcome::Refused { gate: None, stale: Vec::new(), known: Vec::new(), short });
    };
    if stored {
        reach(Step::CommitDurable);
        return Ok(CommitOutcome::Stored);
    }
    let gate = gate.map(column::natural).transpose()?;
    let stale: Vec<SubjectId> =
        stale.unwrap_or_default().iter().map(|id| column::subject_id(id)).collect::<Result<_, _>>()?;
    let known: Vec<DecisionId> =
        known.unwrap_or_default().iter().map(|id| column::decision_id(id)).collect::<Result<_, _>>()?;
    if gate.is_none() && stale.is_empty() && known.is_empty() {
        return Err(column::refused_without_reason(batch));
    }
    Ok(CommitOutcome::Refused { gate, stale, known: column::known(decisions(store, &known).await?), short: Vec::new() })
}

const COMMIT: &str = "select stored, gate, stale, known from commit_batch(\
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";

/// With what the batch takes of pools: one statement, so that both are stored or neither.
const COMMIT_AND_TAKE: &str = "select c.stored, c.gate, c.stale, c.known from commit_batch(\
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) c \
     cross join lateral take_from_pools(\
     c.stored, $2, $3, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35) taken";

async fn send(store: &PostgresStore, batch: &Batch) -> Result<Option<Answer>, StoreError> {
    let subjects = &batch.subjects;
    let decisions = column::sorted(batch);
    let beside = whom::beside(&decisions);
    let mut versions: Vec<i64> = Vec::with_capacity(subjects.len());
    let mut next_versions: Vec<Option<i64>> = Vec::with_capacity(subjects.len());
    for touched in subjects {
        versions.push(column::signed(touched.version)?);
        next_versions.push(touched.next.as_ref().map(|next| column::signed(next.version)).transpose()?);
    }
    let bytes = |column: fn(&DecisionWrite) -> &[u8]| -> Vec<&[u8]> {
        decisions.iter().map(|decision| column(decision)).collect()
    };
    let taking = pools::Taking::of(batch)?;
    let statement = if taking.is_empty() { COMMIT } else { COMMIT_AND_TAKE };
    let query = sqlx::query_as(statement)
        .bind(column::signed(batch.control_sequence)?)
        .bind(&batch.node)
        .bind(column::signed(batch.incarnation)?)
        .bind(column::signed(batch.number)?)
        .bind(batch.digest.0.as_slice())
        .bind(column::decision_ids(batch))
        .bind(subjects.iter().map(|touched| touched.subject.0.as_slice()).collect::<Vec<_>>())
        .bind(versions)
        .bind(next_versions)
        .bind(
            subjects.iter().map(|touched| touched.next.as_ref().map(|next| next.state.as_slice())).collect::<Vec<_>>(),
        )
        .bind(bytes(|decision| decision.decision_id.as_bytes()))
        .bind(decisions.iter().map(|d| d.subject.as_ref().map(|subject| subject.0.as_slice())).collect::<Vec<_>>())
        .bind(decisions.iter().map(|decision| decision.at.0).collect::<Vec<_>>())
        .bind(bytes(|decision| &decision.request_digest.0))
        .bind(bytes(|decision| &decision.record.skeleton))
        .bind(bytes(|decision| &decision.record.private))
        .bind(bytes(|decision| &decision.record.leaf.0))
        .bind(beside.iter().map(|row| row.decision_id.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(beside.iter().map(|row| row.subject.0.as_slice()).collect::<Vec<_>>())
        .bind(beside.iter().map(|row| row.at.0).collect::<Vec<_>>())
        .bind(beside.iter().map(|row| i16::from(row.stands_for.bits())).collect::<Vec<_>>());
    let query = if taking.is_empty() { query } else { taking.bind(query) };
    match query.fetch_one(&store.pool).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match error.as_database_error() {
            Some(refusal) if refusal.is_unique_violation() => Err(column::number_taken(batch)),
            Some(refusal) if refusal.code().as_deref() == Some(pools::SHORT) => Ok(None),
            _ => Err(error.into()),
        },
    }
}

pub(super) async fn start_incarnation(store: &PostgresStore, node: &str) -> Result<u64, StoreError> {
    let (incarnation,): (i64,) = sqlx::query_as(
        "insert into node (node, incarnation) values ($1, 1) \
         on conflict (node) do update set incarnation = node.incarnation + 1 returning incarnation",
    )
    .bind(node)
    .fetch_one(&store.pool)
    .await?;
    column::natural(incarnation)
}

pub(super) async fn last_batch(store: &PostgresStore, node: &str, incarnation: u64) -> Result<u64, StoreError> {
    let (number,): (i64,) =
        sqlx::query_as("select coalesce(max(number), 0) from batch where node = $1 and incarnation = $2")
            .bind(node)
            .bind(column::signed(incarnation)?)
            .fetch_one(&store.pool)
            .await?;
    column::natural(number)
}

/// Decisions by id, in the order of the ids.
pub(super) async fn decisions(store: &PostgresStore, ids: &[DecisionId]) -> Result<Vec<StoredDecision>, StoreError> {
    let keys: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
    let rows: Vec<DecisionColumns> =
        sqlx::query_as(select_decision!("where d.decision_id = any ($1) order by d.decision_id"))
            .bind(keys)
            .fetch_all(&store.pool)
            .await?;
    column::decisions(rows)
}

pub(super) async fn decisions_after(
    store: &PostgresStore,
    after: Option<DecisionId>,
    limit: u32,
) -> Result<Vec<StoredDecision>, StoreError> {
    let rows: Vec<DecisionColumns> =
        sqlx::query_as(select_decision!("where d.decision_id > $1 order by d.decision_id limit $2"))
            .bind(after.map_or(Vec::new(), |id| id.as_bytes().to_vec()))
            .bind(i64::from(limit))
            .fetch_all(&store.pool)
            .await?;
    column::decisions(rows)
}

pub(super) async fn subject_decisions(
    store: &PostgresStore,
    subject: SubjectId,
    after: Timestamp,
) -> Result<Vec<StoredDecision>, StoreError> {
    let rows: Vec<DecisionColumns> = sqlx::query_as(select_decision!(
        "where d.subject_id = any (array[$1] || array(select m.subject_id from merged_subject m \
             where m.into_subject_id = $1)) and d.at > $2 order by d.at, d.decision_id"
    ))
    .bind(subject.0.as_slice())
    .bind(after.0)
    .fetch_all(&store.pool)
    .await?;
    column::decisions(rows)
}
