//! The log in SQLite as it is read: tiles, positions, segments, and the rows that a check compares with them.
//! Judges none.

use std::ops::Range;

use async_trait::async_trait;
use sqlx::QueryBuilder;

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

use super::statement::{key_pieces, push_keys};
use super::{SqliteStore, catalogue};

pub(super) async fn tiles(store: &SqliteStore, ids: &[TileId]) -> Result<Tiles, StoreError> {
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let (level, number) = log::tile_name(*id)?;
        let row: Option<TileColumns> =
            sqlx::query_as("select level, number, hashes from log_tile where level = ? and number = ?")
                .bind(level)
                .bind(number)
                .fetch_optional(&store.readers)
                .await?;
        rows.extend(row);
    }
    log::tiles(rows)
}

pub(super) async fn segment(store: &SqliteStore, number: u64) -> Result<Option<Segment>, StoreError> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as("select ids from log_segment where number = ?")
        .bind(column::signed(number)?)
        .fetch_optional(&store.readers)
        .await?;
    let Some((ids,)) = row else { return Ok(None) };
    let postings: Vec<PostingColumns> = sqlx::query_as("select field, term, bits from log_posting where segment = ?")
        .bind(column::signed(number)?)
        .fetch_all(&store.readers)
        .await?;
    log::segment(number, &ids, postings).map(Some)
}

fn changes(rows: Vec<ChangeColumns>) -> Result<Vec<(Change, Option<u64>)>, StoreError> {
    rows.into_iter().map(log::change).collect()
}

#[async_trait]
impl Log for SqliteStore {
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
        let mut writer = self.writer.lock().await;
        let mut transaction = self.begin(&mut writer).await?;
        catalogue::record(&mut transaction, by, what, detail).await?;
        Ok(transaction.commit().await?)
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
        let keys: Vec<[u8; 16]> = decisions.iter().map(|id| *id.as_bytes()).collect();
        let mut rows: Vec<PositionColumns> = Vec::with_capacity(decisions.len());
        for piece in key_pieces(&keys) {
            let mut statement =
                QueryBuilder::new("select decision_id, position from log_position where decision_id in ");
            push_keys(&mut statement, piece);
            rows.extend(statement.build_query_as().fetch_all(&self.readers).await?);
        }
        rows.sort();
        log::positions(&rows)
    }

    async fn log_segment(&self, number: u64) -> Result<Option<Segment>, StoreError> {
        segment(self, number).await
    }

    async fn changes(&self, sequences: &[u64]) -> Result<Vec<(Change, Option<u64>)>, StoreError> {
        let mut rows: Vec<ChangeColumns> = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            let row = sqlx::query_as(
                "select sequence, at, by_key, what, detail, position from privileged_change \
                 where sequence = ?",
            );
            rows.extend(row.bind(column::signed(*sequence)?).fetch_optional(&self.readers).await?);
        }
        rows.sort();
        changes(rows)
    }

    async fn changes_after(&self, sequence: u64, limit: u32) -> Result<Vec<(Change, Option<u64>)>, StoreError> {
        let rows: Vec<ChangeColumns> = sqlx::query_as(
            "select sequence, at, by_key, what, detail, position from privileged_change \
             where sequence > ? order by sequence limit ?",
        )
        .bind(column::signed(sequence)?)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        changes(rows)
    }

    async fn batches_after(&self, after: Option<&BatchKey>, limit: u32) -> Result<Vec<BatchRow>, StoreError> {
        let (node, incarnation, number) = log::after_batch(after)?;
        let rows: Vec<LogBatchColumns> = sqlx::query_as(
            "select node, incarnation, number, digest, decision_ids, position from batch \
             where (node, incarnation, number) > (?, ?, ?) order by node, incarnation, number limit ?",
        )
        .bind(node)
        .bind(incarnation)
        .bind(number)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(log::batch).collect()
    }

    async fn batches_at(&self, positions: Range<u64>) -> Result<Vec<BatchRow>, StoreError> {
        let rows: Vec<LogBatchColumns> = sqlx::query_as(
            "select node, incarnation, number, digest, decision_ids, position from batch \
             where position is not null and position >= ? and position < ? order by position",
        )
        .bind(column::signed(positions.start)?)
        .bind(column::signed(positions.end)?)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(log::batch).collect()
    }

    async fn decisions_unlogged(&self, after: Option<DecisionId>, limit: u32) -> Result<Vec<DecisionId>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
            "select d.decision_id from decision d where d.decision_id > ? and not exists (\
                 select 1 from log_position p where p.decision_id = d.decision_id) order by d.decision_id limit ?",
        )
        .bind(log::after_decision(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|(id,)| column::decision_id(id)).collect()
    }

    async fn positions_after(
        &self,
        after: Option<DecisionId>,
        limit: u32,
    ) -> Result<Vec<(DecisionId, u64)>, StoreError> {
        let rows: Vec<PositionColumns> = sqlx::query_as(
            "select decision_id, position from log_position where decision_id > ? order by decision_id limit ?",
        )
        .bind(log::after_decision(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        log::positions(&rows)
    }

    async fn log_counts(&self) -> Result<LogCounts, StoreError> {
        let row: CountColumns = sqlx::query_as(
            "select (select count(*) from decision), (select count(*) from log_position), \
                 (select count(*) from log_tile), (select count(*) from log_segment), \
                 (select count(*) from log_posting)",
        )
        .fetch_one(&self.readers)
        .await?;
        log::counts(row)
    }
}
