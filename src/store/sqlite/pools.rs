//! Pools in SQLite: taken from with a batch, returned, settled by the learner. Decides nothing.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::pool::PORTION_LIFE;
use crate::domain::{DecisionId, Hold, OfferId, PoolKey, PoolLevels, Timestamp};
use crate::engine::batch::Batch;
use crate::store::pools::{self, HoldColumns, LevelColumns};
use crate::store::{HoldSettled, StoreError, column};

use super::SqliteStore;
use super::statement::{key_pieces, push_keys};

const LEVELS: &str = "select name, period, leased, null, 0, 0 from pool where period = 0 or period >= ?1 \
     union all select name, period, 0, node, incarnation, amount - taken from portion";

pub(super) async fn levels(store: &SqliteStore, since: Timestamp) -> Result<PoolLevels, StoreError> {
    let rows: Vec<LevelColumns> = sqlx::query_as(LEVELS).bind(since.0).fetch_all(&store.readers).await?;
    pools::levels(rows)
}

pub(super) async fn levels_on(connection: &mut SqliteConnection) -> Result<PoolLevels, StoreError> {
    let rows: Vec<LevelColumns> = sqlx::query_as(LEVELS).bind(i64::MIN).fetch_all(connection).await?;
    pools::levels(rows)
}

/// Takes what a batch takes, from the portion of its engine or from a further one; `false` where too little is left of
/// a pool: the transaction is then to be given up.
pub(super) async fn take(connection: &mut SqliteConnection, batch: &Batch) -> Result<bool, StoreError> {
    let incarnation = column::signed(batch.incarnation)?;
    for (pool, (amount, total)) in pools::taken(batch) {
        let (name, period) = (pool.name.as_str(), pool.period.0);
        let leased: Option<(i64,)> = sqlx::query_as("select leased from pool where name = ? and period = ?")
            .bind(name)
            .bind(period)
            .fetch_optional(&mut *connection)
            .await?;
        let in_hand: Option<(i64,)> = sqlx::query_as(
            "select amount - taken from portion where name = ? and period = ? and node = ? and incarnation = ?",
        )
        .bind(name)
        .bind(period)
        .bind(&batch.node)
        .bind(incarnation)
        .fetch_optional(&mut *connection)
        .await?;
        let (leased, in_hand) = (leased.map_or(0, |row| row.0), in_hand.map_or(0, |row| row.0));
        let granted = if in_hand >= amount {
            Some(0)
        } else {
            pools::granted(amount - in_hand, total.map(|total| total.saturating_sub(leased)))
        };
        let Some(granted) = granted else { return Ok(false) };
        if granted > 0 {
            sqlx::query(
                "insert into pool (name, period, leased) values (?, ?, ?) \
                 on conflict (name, period) do update set leased = leased + excluded.leased",
            )
            .bind(name)
            .bind(period)
            .bind(granted)
            .execute(&mut *connection)
            .await?;
        }
        sqlx::query(
            "insert into portion (name, period, node, incarnation, amount, taken, until) \
             values (?1, ?2, ?3, ?4, ?5, ?6, cast(round(unixepoch('subsec') * 1000) as integer) + ?7) \
             on conflict (name, period, node, incarnation) do update set amount = amount + excluded.amount, \
                 taken = taken + excluded.taken, until = excluded.until",
        )
        .bind(name)
        .bind(period)
        .bind(&batch.node)
        .bind(incarnation)
        .bind(granted)
        .bind(amount)
        .bind(PORTION_LIFE.0)
        .execute(&mut *connection)
        .await?;
    }
    insert_holds(connection, batch).await?;
    Ok(true)
}

async fn insert_holds(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    for decision in &batch.decisions {
        for take in &decision.takes {
            sqlx::query(
                "insert into hold (decision_id, slot, name, period, reserved, sunk, held, until, units) \
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?5, ?7, ?8)",
            )
            .bind(decision.decision_id.as_bytes().as_slice())
            .bind(column::slot(take.slot)?)
            .bind(&take.pool.name)
            .bind(take.pool.period.0)
            .bind(take.amount)
            .bind(take.sunk)
            .bind(take.until.0)
            .bind(take.units)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

/// Adds to what is leased of pools; takes back where negative.
async fn add(connection: &mut SqliteConnection, more: &BTreeMap<PoolKey, i64>) -> Result<(), StoreError> {
    for (pool, amount) in more {
        sqlx::query("update pool set leased = leased + ? where name = ? and period = ?")
            .bind(amount)
            .bind(&pool.name)
            .bind(pool.period.0)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Returns what engines have in hand: all of them, or those that took nothing for long or have started anew.
pub(super) async fn return_on(connection: &mut SqliteConnection, all: bool) -> Result<bool, StoreError> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "delete from portion where ?1 or until <= cast(round(unixepoch('subsec') * 1000) as integer) \
             or incarnation < (select n.incarnation from node n where n.node = portion.node) \
         returning name, period, taken - amount",
    )
    .bind(all)
    .fetch_all(&mut *connection)
    .await?;
    let back = pools::summed(rows);
    add(connection, &back).await?;
    Ok(!back.is_empty())
}

pub(super) async fn return_portions(store: &SqliteStore) -> Result<bool, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let any = return_on(&mut transaction, false).await?;
    transaction.commit().await?;
    Ok(any)
}

/// Forgets the orders counted of the stock of offers: somebody counted what there is. What is reserved stays.
pub(super) async fn recount(connection: &mut SqliteConnection, offers: &[OfferId]) -> Result<(), StoreError> {
    for offer in offers {
        let pool = PoolKey { name: column::stock_pool(offer), period: Timestamp(0) };
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "delete from hold where name = ? and period = 0 and held <> 0 and until is null \
             returning name, period, -held",
        )
        .bind(&pool.name)
        .fetch_all(&mut *connection)
        .await?;
        add(connection, &pools::summed(rows)).await?;
    }
    Ok(())
}

/// What becomes of holds; one that is gone by now stays gone.
pub(super) async fn settle(connection: &mut SqliteConnection, settled: &[HoldSettled]) -> Result<(), StoreError> {
    let mut more: BTreeMap<PoolKey, i64> = BTreeMap::new();
    for HoldSettled { decision_id, slot, pool, to } in settled {
        let before: Option<(i64,)> =
            sqlx::query_as("select held from hold where decision_id = ? and slot = ? and name = ? and period = ?")
                .bind(decision_id.as_bytes().as_slice())
                .bind(column::slot(*slot)?)
                .bind(&pool.name)
                .bind(pool.period.0)
                .fetch_optional(&mut *connection)
                .await?;
        let Some((before,)) = before else { continue };
        sqlx::query(
            "update hold set held = ?, until = ? where decision_id = ? and slot = ? and name = ? and period = ?",
        )
        .bind(to.held)
        .bind(to.until.map(|until| until.0))
        .bind(decision_id.as_bytes().as_slice())
        .bind(column::slot(*slot)?)
        .bind(&pool.name)
        .bind(pool.period.0)
        .execute(&mut *connection)
        .await?;
        *more.entry(pool.clone()).or_default() += to.held - before;
    }
    add(connection, &more).await
}

/// What decisions hold.
pub(super) async fn holds(
    reader: &mut SqliteConnection,
    ids: &[DecisionId],
) -> Result<Vec<(DecisionId, Hold)>, StoreError> {
    let keys: Vec<[u8; 16]> = ids.iter().map(|id| *id.as_bytes()).collect();
    let mut holds = Vec::new();
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new(
            "select decision_id, slot, name, period, reserved, sunk, held, until, units from hold \
             where decision_id in ",
        );
        push_keys(&mut statement, piece);
        let rows: Vec<HoldColumns> = statement.build_query_as().fetch_all(&mut *reader).await?;
        for row in rows {
            holds.push(pools::hold(row)?);
        }
    }
    Ok(holds)
}

pub(super) async fn holds_of(store: &SqliteStore, decision: DecisionId) -> Result<Vec<Hold>, StoreError> {
    let held = holds(&mut *store.readers.acquire().await?, &[decision]).await?;
    Ok(held.into_iter().map(|(_, hold)| hold).collect())
}

pub(super) async fn prune(store: &SqliteStore, ended: Timestamp, older: Timestamp) -> Result<bool, StoreError> {
    let older = pools::first_id(older);
    let (any,): (bool,) = sqlx::query_as(
        "select exists (select 1 from pool where period <> 0 and period < ?1) or exists (select 1 from hold \
             where decision_id > ?2 and decision_id < ?3 and until is null)",
    )
    .bind(ended.0)
    .bind(pools::NO_DECISION.as_slice())
    .bind(older.as_slice())
    .fetch_one(&store.readers)
    .await?;
    if !any {
        return Ok(false);
    }
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let of_ended = sqlx::query(
        "delete from hold where (decision_id, slot, name, period) in ( \
             select h.decision_id, h.slot, h.name, h.period from pool p \
             join hold h on h.name = p.name and h.period = p.period \
             where p.period <> 0 and p.period < ?1 and h.held <> 0 and h.until is null limit ?2)",
    )
    .bind(ended.0)
    .bind(pools::PRUNED_MAX)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    sqlx::query(
        "delete from pool where period <> 0 and period < ?1 and not exists ( \
             select 1 from hold h where h.name = pool.name and h.period = pool.period and h.held <> 0)",
    )
    .bind(ended.0)
    .execute(&mut *transaction)
    .await?;
    let removed: Vec<(String, i64, i64)> = sqlx::query_as(
        "delete from hold where (decision_id, slot, name, period) in ( \
             select decision_id, slot, name, period from hold \
             where decision_id > ?1 and decision_id < ?2 and until is null order by decision_id limit ?3) \
         returning name, period, held",
    )
    .bind(pools::NO_DECISION.as_slice())
    .bind(older.as_slice())
    .bind(pools::PRUNED_MAX)
    .fetch_all(&mut *transaction)
    .await?;
    let full = pools::is_full(usize::try_from(of_ended).unwrap_or(usize::MAX), removed.len());
    for (pool, held) in &pools::kept(removed) {
        sqlx::query(
            "insert into hold (decision_id, slot, name, period, reserved, sunk, held, until, units) \
             values (?1, 0, ?2, ?3, ?4, 0, ?4, null, 0) on conflict (decision_id, slot, name, period) \
             do update set reserved = reserved + excluded.reserved, held = held + excluded.held",
        )
        .bind(pools::NO_DECISION.as_slice())
        .bind(&pool.name)
        .bind(pool.period.0)
        .bind(held)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(full)
}
