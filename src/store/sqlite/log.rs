//! The log in SQLite: what waits for a position, and what one step appends. Hashes nothing.

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::DecisionId;
use crate::engine::log::{Appended, SEGMENT_LEAVES, Segment, Unlogged, Waiting};
use crate::store::log::{self, ChangeColumns, LeafColumns, LogBatchColumns, LogState, StateColumns};
use crate::store::steps::{Step, reach};
use crate::store::{By, StoreError, column};
use crate::transparency::edge::Edge;
use crate::transparency::tile::tile_bytes;

use super::statement::{key_pieces, push_keys, row_pieces};
use super::{SqliteStore, catalogue, lease, log_read};

pub(super) async fn state(store: &SqliteStore) -> Result<LogState, StoreError> {
    let row: Option<StateColumns> = sqlx::query_as("select size, root, checkpoint, checkpoint_size from log_head")
        .fetch_optional(&store.readers)
        .await?;
    log::state(row)
}

pub(super) async fn unlogged(store: &SqliteStore, leaves_max: u32) -> Result<Unlogged, StoreError> {
    // Batches first: whatever was changed before one of them was committed is then seen too.
    let batches: Vec<LogBatchColumns> = sqlx::query_as(
        "select node, incarnation, number, digest, decision_ids, position from batch \
         where position is null order by node, incarnation, number limit ?",
    )
    .bind(i64::from(leaves_max.max(1)))
    .fetch_all(&store.readers)
    .await?;
    let changes: Vec<ChangeColumns> = sqlx::query_as(
        "select sequence, at, by_key, what, detail, position from privileged_change \
         where position is null order by sequence limit ?",
    )
    .bind(i64::from(leaves_max.max(1)))
    .fetch_all(&store.readers)
    .await?;
    let changes = changes.into_iter().map(|row| Ok(log::change(row)?.0)).collect::<Result<_, StoreError>>()?;
    let batches = batches.into_iter().map(log::batch).collect::<Result<_, _>>()?;
    let batches = log::fitting(batches, leaves_max);
    let ids: Vec<DecisionId> = batches.iter().flat_map(|batch| batch.decisions.iter().copied()).collect();
    let head = state(store).await?.head;
    let tiles = log_read::tiles(store, &Edge::tiles(head.size)).await?;
    let segment = log_read::segment(store, head.size / SEGMENT_LEAVES).await?;
    log::unlogged((head, tiles, segment), changes, batches, leaves(store, &ids).await?)
}

/// The public part of decisions.
async fn leaves(store: &SqliteStore, ids: &[DecisionId]) -> Result<Vec<LeafColumns>, StoreError> {
    let keys: Vec<[u8; 16]> = ids.iter().map(|id| *id.as_bytes()).collect();
    let mut rows = Vec::with_capacity(ids.len());
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new("select decision_id, skeleton, leaf from decision where decision_id in ");
        push_keys(&mut statement, piece);
        rows.extend(statement.build_query_as().fetch_all(&store.readers).await?);
    }
    Ok(rows)
}

pub(super) async fn append(store: &SqliteStore, term: u64, step: &Appended) -> Result<bool, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    if !lease::renew_on(&mut transaction, term).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    let moved_on = sqlx::query("update log_head set size = ?, root = ?, term = ? where size = ? and root = ?")
        .bind(column::signed(step.after.size)?)
        .bind(step.after.root.0.as_slice())
        .bind(column::signed(term)?)
        .bind(column::signed(step.before.size)?)
        .bind(step.before.root.0.as_slice())
        .execute(&mut *transaction)
        .await?;
    if moved_on.rows_affected() != 1 {
        transaction.rollback().await?;
        return Err(log::moved(step));
    }
    write_tiles(&mut transaction, step).await?;
    write_positions(&mut transaction, step).await?;
    write_segments(&mut transaction, &step.segments).await?;
    mark(&mut transaction, step).await?;
    reach(Step::LogWritten);
    transaction.commit().await?;
    reach(Step::LogDurable);
    Ok(true)
}

async fn write_tiles(connection: &mut SqliteConnection, step: &Appended) -> Result<(), StoreError> {
    for (id, hashes) in &step.tiles.0 {
        let (level, number) = log::tile_name(*id)?;
        sqlx::query(
            "insert into log_tile (level, number, hashes) values (?, ?, ?) \
             on conflict (level, number) do update set hashes = excluded.hashes",
        )
        .bind(level)
        .bind(number)
        .bind(tile_bytes(hashes))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn write_positions(connection: &mut SqliteConnection, step: &Appended) -> Result<(), StoreError> {
    let mut rows: Vec<(DecisionId, i64)> = Vec::with_capacity(step.decisions.len());
    for (id, position) in &step.decisions {
        rows.push((*id, column::signed(*position)?));
    }
    rows.sort_unstable();
    for piece in row_pieces(&rows) {
        let mut statement = QueryBuilder::new("insert into log_position (decision_id, position) ");
        statement.push_values(piece, |mut row, (id, position)| {
            row.push_bind(id.as_bytes().as_slice()).push_bind(*position);
        });
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn write_segments(connection: &mut SqliteConnection, segments: &[Segment]) -> Result<(), StoreError> {
    for segment in segments {
        let number = column::signed(segment.number)?;
        sqlx::query(
            "insert into log_segment (number, ids) values (?, ?) on conflict (number) do update set ids = excluded.ids",
        )
        .bind(number)
        .bind(log::segment_ids(segment))
        .execute(&mut *connection)
        .await?;
        let postings: Vec<_> = segment.postings.iter().collect();
        for piece in row_pieces(&postings) {
            let mut statement = QueryBuilder::new("insert into log_posting (field, term, segment, bits) ");
            statement.push_values(piece, |mut row, ((field, term), bits)| {
                row.push_bind(field.code()).push_bind(term.as_str()).push_bind(number).push_bind(bits.as_slice());
            });
            statement.push(" on conflict (field, term, segment) do update set bits = excluded.bits");
            statement.build().execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn mark(connection: &mut SqliteConnection, step: &Appended) -> Result<(), StoreError> {
    for (batch, position) in &step.batches {
        sqlx::query("update batch set position = ? where node = ? and incarnation = ? and number = ?")
            .bind(column::signed(*position)?)
            .bind(&batch.node)
            .bind(column::signed(batch.incarnation)?)
            .bind(column::signed(batch.number)?)
            .execute(&mut *connection)
            .await?;
    }
    for (sequence, position) in &step.changes {
        sqlx::query("update privileged_change set position = ? where sequence = ?")
            .bind(column::signed(*position)?)
            .bind(column::signed(*sequence)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn keep_checkpoint(store: &SqliteStore, term: u64, size: u64, note: &str) -> Result<bool, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    if !lease::renew_on(&mut transaction, term).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    sqlx::query("update log_head set checkpoint = ?1, checkpoint_size = ?2 where checkpoint_size <= ?2 and size >= ?2")
        .bind(note)
        .bind(column::signed(size)?)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

pub(super) async fn waiting(store: &SqliteStore) -> Result<Waiting, StoreError> {
    let row: (i64, i64) = sqlx::query_as(
        "select (select count(*) from batch where position is null), \
             (select count(*) from privileged_change where position is null)",
    )
    .fetch_one(&store.readers)
    .await?;
    log::waiting(row)
}

pub(super) async fn note_once(
    store: &SqliteStore,
    (what, detail): (&str, &str),
    by: By<'_>,
) -> Result<bool, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let known: Option<(i64,)> =
        sqlx::query_as("select sequence from privileged_change where what = ? and detail = ? limit 1")
            .bind(what)
            .bind(detail)
            .fetch_optional(&mut *transaction)
            .await?;
    if known.is_some() {
        transaction.rollback().await?;
        return Ok(false);
    }
    catalogue::record(&mut transaction, by, what, detail).await?;
    transaction.commit().await?;
    Ok(true)
}
