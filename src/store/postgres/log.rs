//! The log in PostgreSQL: what waits for a position, and what one step appends. Hashes nothing.

use sqlx::PgConnection;

use crate::domain::DecisionId;
use crate::engine::log::{Appended, Segment, Unlogged, Waiting};
use crate::store::column;
use crate::store::log::{self, ChangeColumns, LeafColumns, LogBatchColumns, LogState, StateColumns};
use crate::store::steps::{Step, reach};
use crate::store::{BatchKey, By, StoreError};
use crate::transparency::edge::Edge;
use crate::transparency::tile::tile_bytes;

use super::{PostgresStore, catalogue, lease, log_read};

pub(super) async fn state(store: &PostgresStore) -> Result<LogState, StoreError> {
    let row: Option<StateColumns> = sqlx::query_as("select size, root, checkpoint, checkpoint_size from log_head")
        .fetch_optional(&store.pool)
        .await?;
    log::state(row)
}

pub(super) async fn unlogged(store: &PostgresStore, leaves_max: u32) -> Result<Unlogged, StoreError> {
    // Batches first: whatever was changed before one of them was committed is then seen too.
    let batches: Vec<LogBatchColumns> = sqlx::query_as(
        "select node, incarnation, number, digest, decision_ids, position from batch \
         where position is null order by node, incarnation, number limit $1",
    )
    .bind(i64::from(leaves_max.max(1)))
    .fetch_all(&store.pool)
    .await?;
    let changes: Vec<ChangeColumns> = sqlx::query_as(
        "select sequence, at, by_key, what, detail, position from privileged_change \
         where position is null order by sequence limit $1",
    )
    .bind(i64::from(leaves_max.max(1)))
    .fetch_all(&store.pool)
    .await?;
    let changes = changes.into_iter().map(|row| Ok(log::change(row)?.0)).collect::<Result<_, StoreError>>()?;
    let batches = batches.into_iter().map(log::batch).collect::<Result<_, _>>()?;
    let batches = log::fitting(batches, leaves_max);
    let ids: Vec<DecisionId> = batches.iter().flat_map(|batch| batch.decisions.iter().copied()).collect();
    let head = state(store).await?.head;
    let tiles = log_read::tiles(store, &Edge::tiles(head.size)).await?;
    let segment = log_read::segment(store, head.size / crate::engine::log::SEGMENT_LEAVES).await?;
    log::unlogged((head, tiles, segment), changes, batches, leaves(store, &ids).await?)
}

/// The public part of decisions.
async fn leaves(store: &PostgresStore, ids: &[DecisionId]) -> Result<Vec<LeafColumns>, StoreError> {
    let query = sqlx::query_as("select decision_id, skeleton, leaf from decision where decision_id = any ($1)")
        .bind(ids.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>());
    Ok(query.fetch_all(&store.pool).await?)
}

pub(super) async fn append(store: &PostgresStore, term: u64, step: &Appended) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    if !lease::renew_on(&mut transaction, term).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    let moved_on = sqlx::query("update log_head set size = $1, root = $2, term = $3 where size = $4 and root = $5")
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

async fn write_tiles(connection: &mut PgConnection, step: &Appended) -> Result<(), StoreError> {
    let names = step.tiles.0.keys().map(|id| log::tile_name(*id)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "insert into log_tile (level, number, hashes) select * from unnest($1::int2[], $2::int8[], $3::bytea[]) \
         on conflict (level, number) do update set hashes = excluded.hashes",
    )
    .bind(names.iter().map(|(level, _)| *level).collect::<Vec<_>>())
    .bind(names.iter().map(|(_, number)| *number).collect::<Vec<_>>())
    .bind(step.tiles.0.values().map(|hashes| tile_bytes(hashes)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_positions(connection: &mut PgConnection, step: &Appended) -> Result<(), StoreError> {
    let positions = step.decisions.iter().map(|(_, at)| column::signed(*at)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query("insert into log_position (decision_id, position) select * from unnest($1::bytea[], $2::int8[])")
        .bind(step.decisions.iter().map(|(id, _)| id.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(positions)
        .execute(connection)
        .await?;
    Ok(())
}

async fn write_segments(connection: &mut PgConnection, segments: &[Segment]) -> Result<(), StoreError> {
    let numbers = segments.iter().map(|segment| column::signed(segment.number)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "insert into log_segment (number, ids) select * from unnest($1::int8[], $2::bytea[]) \
         on conflict (number) do update set ids = excluded.ids",
    )
    .bind(&numbers)
    .bind(segments.iter().map(log::segment_ids).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let (mut fields, mut terms, mut of, mut bits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (segment, number) in segments.iter().zip(numbers) {
        for ((field, term), positions) in &segment.postings {
            fields.push(field.code());
            terms.push(term.as_str());
            of.push(number);
            bits.push(positions.as_slice());
        }
    }
    sqlx::query(
        "insert into log_posting (field, term, segment, bits) \
         select * from unnest($1::int2[], $2::text[], $3::int8[], $4::bytea[]) \
         on conflict (field, term, segment) do update set bits = excluded.bits",
    )
    .bind(fields)
    .bind(terms)
    .bind(of)
    .bind(bits)
    .execute(connection)
    .await?;
    Ok(())
}

async fn mark(connection: &mut PgConnection, step: &Appended) -> Result<(), StoreError> {
    let signed = |numbers: &[u64]| numbers.iter().map(|number| column::signed(*number)).collect::<Result<Vec<_>, _>>();
    let key = |of: fn(&BatchKey) -> u64| step.batches.iter().map(|(key, _)| of(key)).collect::<Vec<_>>();
    sqlx::query(
        "update batch b set position = done.position \
         from unnest($1::text[], $2::int8[], $3::int8[], $4::int8[]) as done (node, incarnation, number, position) \
         where b.node = done.node and b.incarnation = done.incarnation and b.number = done.number",
    )
    .bind(step.batches.iter().map(|(key, _)| key.node.as_str()).collect::<Vec<_>>())
    .bind(signed(&key(|key| key.incarnation))?)
    .bind(signed(&key(|key| key.number))?)
    .bind(signed(&step.batches.iter().map(|(_, at)| *at).collect::<Vec<_>>())?)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "update privileged_change c set position = done.position \
         from unnest($1::int8[], $2::int8[]) as done (sequence, position) where c.sequence = done.sequence",
    )
    .bind(signed(&step.changes.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>())?)
    .bind(signed(&step.changes.iter().map(|(_, at)| *at).collect::<Vec<_>>())?)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn keep_checkpoint(
    store: &PostgresStore,
    term: u64,
    size: u64,
    note: &str,
) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    if !lease::renew_on(&mut transaction, term).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    sqlx::query("update log_head set checkpoint = $1, checkpoint_size = $2 where checkpoint_size <= $2 and size >= $2")
        .bind(note)
        .bind(column::signed(size)?)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

pub(super) async fn waiting(store: &PostgresStore) -> Result<Waiting, StoreError> {
    let row: (i64, i64) = sqlx::query_as(
        "select (select count(*) from batch where position is null), \
             (select count(*) from privileged_change where position is null)",
    )
    .fetch_one(&store.pool)
    .await?;
    log::waiting(row)
}

pub(super) async fn note_once(
    store: &PostgresStore,
    (what, detail): (&str, &str),
    by: By<'_>,
) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let known: Option<(i64,)> =
        sqlx::query_as("select sequence from privileged_change where what = $1 and detail = $2 limit 1")
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
