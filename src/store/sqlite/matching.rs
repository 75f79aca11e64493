//! Matching in SQLite: outcomes read back, and those that waited given their decision. Decides no match.

use sqlx::QueryBuilder;

use crate::domain::outcome::OutcomeFact;
use crate::domain::{DecisionId, Digest, SubjectId};
use crate::store::column::{self, KEPT, KeptColumns};
use crate::store::steps::{Step, reach};
use crate::store::{KeptOutcome, Match, StoreError};

use super::statement::{key_pieces, push_keys};
use super::{SqliteStore, outcomes};

pub(super) async fn facts(
    store: &SqliteStore,
    decisions: &[DecisionId],
) -> Result<Vec<(DecisionId, OutcomeFact)>, StoreError> {
    outcomes::facts_on(&mut *store.readers.acquire().await?, decisions).await
}

pub(super) async fn by_key(store: &SqliteStore, keys: &[Digest]) -> Result<Vec<KeptOutcome>, StoreError> {
    let keys: Vec<[u8; 32]> = keys.iter().map(|key| key.0).collect();
    read(store, "o.key in ", &keys).await
}

pub(super) async fn awaiting(store: &SqliteStore, decisions: &[DecisionId]) -> Result<Vec<KeptOutcome>, StoreError> {
    let decisions: Vec<[u8; 16]> = decisions.iter().map(|id| *id.as_bytes()).collect();
    read(store, "o.decision_id is null and o.awaits is not null and o.awaits in ", &decisions).await
}

pub(super) async fn about(store: &SqliteStore, subjects: &[SubjectId]) -> Result<Vec<KeptOutcome>, StoreError> {
    let subjects: Vec<[u8; 16]> = subjects.iter().map(|id| id.0).collect();
    read(store, "o.subject_id is not null and o.subject_id in ", &subjects).await
}

async fn read<K: AsRef<[u8]>>(
    store: &SqliteStore,
    which: &'static str,
    keys: &[K],
) -> Result<Vec<KeptOutcome>, StoreError> {
    let mut kept = Vec::new();
    for piece in key_pieces(keys) {
        let mut statement = QueryBuilder::new("select ");
        push_keys(statement.push(KEPT).push(" where ").push(which), piece);
        let rows: Vec<KeptColumns> = statement.build_query_as().fetch_all(&store.readers).await?;
        for row in rows {
            kept.push(column::kept(row)?);
        }
    }
    kept.sort_by_key(|outcome| outcome.row.fact.key);
    Ok(kept)
}

pub(super) async fn set(store: &SqliteStore, matches: &[Match]) -> Result<(), StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let mut given = Vec::new();
    for found in matches {
        let (decision, slot) = found.to.unzip();
        let done = sqlx::query(
            "update outcome set decision_id = ?2, slot = coalesce(?3, slot), awaits = null \
             where key = ?1 and decision_id is null",
        )
        .bind(found.key.0.as_slice())
        .bind(decision.as_ref().map(|id| id.as_bytes().as_slice()))
        .bind(slot.map(u16::cast_signed))
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() > 0 && decision.is_some() {
            given.push(found.key.0);
        }
    }
    outcomes::hand_on(&mut transaction, given).await?;
    reach(Step::MatchesWritten);
    transaction.commit().await?;
    reach(Step::MatchesDurable);
    Ok(())
}
