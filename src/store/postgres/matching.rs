//! Matching in PostgreSQL: outcomes read back, and those that waited given their decision. Decides no match.

use sqlx::AssertSqlSafe;

use crate::domain::outcome::OutcomeFact;
use crate::domain::{DecisionId, Digest, SubjectId};
use crate::store::column::{self, KEPT, KeptColumns};
use crate::store::steps::{Step, reach};
use crate::store::{KeptOutcome, Match, StoreError};

use super::{PostgresStore, outcomes};

pub(super) async fn facts(
    store: &PostgresStore,
    decisions: &[DecisionId],
) -> Result<Vec<(DecisionId, OutcomeFact)>, StoreError> {
    outcomes::facts(store, decisions).await
}

pub(super) async fn by_key(store: &PostgresStore, keys: &[Digest]) -> Result<Vec<KeptOutcome>, StoreError> {
    let keys = keys.iter().map(|key| key.0.as_slice()).collect::<Vec<_>>();
    read(store, "o.key = any ($1)", keys).await
}

pub(super) async fn awaiting(store: &PostgresStore, decisions: &[DecisionId]) -> Result<Vec<KeptOutcome>, StoreError> {
    let decisions = decisions.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>();
    read(store, "o.decision_id is null and o.awaits is not null and o.awaits = any ($1)", decisions).await
}

pub(super) async fn about(store: &PostgresStore, subjects: &[SubjectId]) -> Result<Vec<KeptOutcome>, StoreError> {
    let subjects = subjects.iter().map(|id| id.0.as_slice()).collect::<Vec<_>>();
    read(store, "o.subject_id is not null and o.subject_id = any ($1)", subjects).await
}

async fn read(store: &PostgresStore, which: &'static str, keys: Vec<&[u8]>) -> Result<Vec<KeptOutcome>, StoreError> {
    let statement = format!("select {KEPT} where {which} order by o.key");
    let rows: Vec<KeptColumns> = sqlx::query_as(AssertSqlSafe(statement)).bind(keys).fetch_all(&store.pool).await?;
    rows.into_iter().map(column::kept).collect()
}

pub(super) async fn set(store: &PostgresStore, matches: &[Match]) -> Result<(), StoreError> {
    let mut sorted = matches.to_vec();
    sorted.sort_by_key(|found| found.key);
    let mut transaction = store.begin().await?;
    // Shared, as for whoever brings an outcome with its decision: one that looks for its own comes before or after.
    sqlx::query("select pg_advisory_xact_lock_shared('outcome'::regclass::oid::int4, 0)")
        .execute(&mut *transaction)
        .await?;
    let mut given = Vec::new();
    // One by one in the order of the keys, so that two who match the same outcomes cannot wait in a circle.
    for found in &sorted {
        let (decision, slot) = found.to.unzip();
        let done = sqlx::query(
            "update outcome set decision_id = $2, slot = coalesce($3, slot), awaits = null \
             where key = $1 and decision_id is null",
        )
        .bind(found.key.0.as_slice())
        .bind(decision.as_ref().map(|id| id.as_bytes().as_slice()))
        .bind(slot.map(u16::cast_signed))
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 && decision.is_some() {
            given.push(found.key);
        }
    }
    outcomes::hand_on(&mut transaction, given).await?;
    reach(Step::MatchesWritten);
    transaction.commit().await?;
    reach(Step::MatchesDurable);
    Ok(())
}
