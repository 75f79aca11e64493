//! The log in PostgreSQL as it is read: tiles, positions, segments, and the rows that a check compares with them.
//! Judges none.

use std::ops::Range;

use async_trait::async_trait;

use crate::domain::DecisionId;
use crate::engine::log::{Appended, Segment, Unlogged, Waiting};
use crate::store::column;
use crate::store::log::{
    self, BatchRow, ChangeColumns, CountColumns, Log, LogBatchColumns, LogCounts, LogState, PositionColumns,
    PostingColumns, TileColumns,
};
use crate::store::{BatchKey, By, StoreError};
use crate::transparency::entry::Change;
use crate::transparency::tile::{TileId, Tiles};

use super::{PostgresStore, catalogue};

pub(super) async fn tiles(store: &PostgresStore, ids: &[TileId]) -> Result<Tiles, StoreError> {
    let names = ids.iter().map(|id| log::tile_name(*id)).collect::<Result<Vec<_>, _>>()?;
    let rows: Vec<TileColumns> = sqlx::query_as(
        "select t.level, t.number, t.hashes from unnest($1::int2[], $2::int8[]) as wanted (level, number) \
         join log_tile t on t.level = wanted.level and t.number = wanted.number",
    )
    .bind(names.iter().map(|(level, _)| *level).collect::<Vec<_>>())
    .bind(names.iter().map(|(_, number)| *number).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    log::tiles(rows)
}

pub(super) async fn segment(store: &PostgresStore, number: u64) -> Result<Option<Segment>, StoreError> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as("select ids from log_segment where number = $1")
        .bind(column::signed(number)?)
        .fetch_optional(&store.pool)
        .await?;
    let Some((ids,)) = row else { return Ok(None) };
    let postings: Vec<PostingColumns> = sqlx::query_as("select field, term, bits from log_posting where segment = $1")
        .bind(column::signed(number)?)
        .fetch_all(&store.pool)
        .await?;
    log::segment(number, &ids, postings).map(Some)
}

fn changes(rows: Vec<ChangeColumns>) -> Result<Vec<(Change, Option<u64>)>, StoreError> {
    rows.into_iter().map(log::change).collect()
}

#[async_trait]
impl Log for PostgresStore {
    async fn log_state(&self) -> Result<LogState, StoreError> {
        super::log::state(self).await
    }

    async fn unlogged(&self, leaves_max: u32) -> Result<Unlogged, StoreError> {
        super::log::unlogged(self, leaves_max).await
    }

    async fn append_log(&self, term: u64, step: &Appended) -> Result<bool, StoreError> {
        super::log::append(self, term, step).await
    }

    async fn keep_checkpoint(&self, term: u64, size: u64, note: &str) -> Result<bool, StoreError> {
        super::log::keep_checkpoint(self, term, size, note).await
    }

    async fn note(&self, what: &str, detail: &str, by: By<'_>) -> Result<(), StoreError> {
        catalogue::record(&mut *self.pool.acquire().await?, by, what, detail).await
    }

    async fn note_once(&self, what: &str, detail: &str, by: By<'_>) -> Result<bool, StoreError> {
        super::log::note_once(self, (what, detail), by).await
    }

    async fn log_waiting(&self) -> Result<Waiting, StoreError> {
        super::log::waiting(self).await
    }

    async fn log_tiles(&self, ids: &[TileId]) -> Result<Tiles, StoreError> {
        tiles(self, ids).await
    }

    async fn log_positions(&self, decisions: &[DecisionId]) -> Result<Vec<(DecisionId, u64)>, StoreError> {
        let rows: Vec<PositionColumns> = sqlx::query_as(
            "select decision_id, position from log_position where decision_id = any ($1) order by decision_id",
        )
        .bind(decisions.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        log::positions(&rows)
    }

    async fn log_segment(&self, number: u64) -> Result<Option<Segment>, StoreError> {
        segment(self, number).await
    }

    async fn changes(&self, sequences: &[u64]) -> Result<Vec<(Change, Option<u64>)>, StoreError> {
        let sequences = sequences.iter().map(|number| column::signed(*number)).collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<ChangeColumns> = sqlx::query_as(
            "select sequence, at, by_key, what, detail, position from privileged_change \
             where sequence = any ($1) order by sequence",
        )
        .bind(sequences)
        .fetch_all(&self.pool)
        .await?;
        changes(rows)
    }

    async fn changes_after(&self, sequence: u64, limit: u32) -> Result<Vec<(Change, Option<u64>)>, StoreError> {
        let rows: Vec<ChangeColumns> = sqlx::query_as(
            "select sequence, at, by_key, what, detail, position from privileged_change \
             where sequence > $1 order by sequence limit $2",
        )
        .bind(column::signed(sequence)?)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        changes(rows)
    }

    async fn batches_after(&self, after: Option<&BatchKey>, limit: u32) -> Result<Vec<BatchRow>, StoreError> {
        let (node, incarnation, number) = log::after_batch(after)?;
        let rows: Vec<LogBatchColumns> = sqlx::query_as(
            "select node, incarnation, number, digest, decision_ids, position from batch \
             where (node, incarnation, number) > ($1, $2, $3) order by node, incarnation, number limit $4",
        )
        .bind(node)
        .bind(incarnation)
        .bind(number)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(log::batch).collect()
    }

    async fn batches_at(&self, positions: Range<u64>) -> Result<Vec<BatchRow>, StoreError> {
        let rows: Vec<LogBatchColumns> = sqlx::query_as(
            "select node, incarnation, number, digest, decision_ids, position from batch \
             where position is not null and position >= $1 and position < $2 order by position",
        )
        .bind(column::signed(positions.start)?)
        .bind(column::signed(positions.end)?)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(log::batch).collect()
    }

    async fn decisions_unlogged(&self, after: Option<DecisionId>, limit: u32) -> Result<Vec<DecisionId>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
            "select d.decision_id from decision d where d.decision_id > $1 and not exists (\
                 select from log_position p where p.decision_id = d.decision_id) order by d.decision_id limit $2",
        )
        .bind(log::after_decision(after))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|(id,)| column::decision_id(id)).collect()
    }

    async fn positions_after(
        &self,
        after: Option<DecisionId>,
        limit: u32,
    ) -> Result<Vec<(DecisionId, u64)>, StoreError> {
        let rows: Vec<PositionColumns> = sqlx::query_as(
            "select decision_id, position from log_position where decision_id > $1 order by decision_id limit $2",
        )
        .bind(log::after_decision(after))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        log::positions(&rows)
    }

    async fn log_counts(&self) -> Result<LogCounts, StoreError> {
        let row: CountColumns = sqlx::query_as(
            "select (select count(*) from decision), (select count(*) from log_position), \
                 (select count(*) from log_tile), (select count(*) from log_segment), \
                 (select count(*) from log_posting)",
        )
        .fetch_one(&self.pool)
        .await?;
        log::counts(row)
    }
}
