//! Pools in PostgreSQL: taken from with a batch, returned, settled by the learner. Decides nothing.

use std::collections::BTreeMap;

use sqlx::postgres::PgArguments;
use sqlx::query::QueryAs;
use sqlx::{PgConnection, Postgres};

use crate::domain::pool::{PORTION_LIFE, PORTION_SHARE};
use crate::domain::{DecisionId, Hold, OfferId, PoolKey, PoolLevels, Timestamp};
use crate::engine::batch::{Batch, DecisionWrite};
use crate::store::pools::{self, HoldColumns, LevelColumns};
use crate::store::{HoldSettled, StoreError, column};

use super::PostgresStore;

/// What `take_from_pools` fails with where too little is left.
pub(super) const SHORT: &str = "PF002";

/// The arguments of `take_from_pools`.
#[derive(Default)]
pub(super) struct Taking<'a> {
    pools: Vec<(&'a PoolKey, i64, Option<i64>)>,
    holds: Vec<(&'a DecisionWrite, &'a crate::domain::Take, i16)>,
}

impl<'a> Taking<'a> {
    pub(super) fn of(batch: &'a Batch) -> Result<Self, StoreError> {
        let pools = pools::taken(batch).into_iter().map(|(pool, (amount, total))| (pool, amount, total)).collect();
        let mut holds = Vec::new();
        for decision in &batch.decisions {
            for take in &decision.takes {
                holds.push((decision, take, column::slot(take.slot)?));
            }
        }
        Ok(Self { pools, holds })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    /// Adds them to a statement, in their order.
    pub(super) fn bind<O>(self, query: QueryAs<'_, Postgres, O, PgArguments>) -> QueryAs<'_, Postgres, O, PgArguments> {
        let Self { pools, holds } = self;
        query
            .bind(pools.iter().map(|(pool, ..)| pool.name.clone()).collect::<Vec<_>>())
            .bind(pools.iter().map(|(pool, ..)| pool.period.0).collect::<Vec<_>>())
            .bind(pools.iter().map(|(_, amount, _)| *amount).collect::<Vec<_>>())
            .bind(pools.iter().map(|(.., total)| *total).collect::<Vec<_>>())
            .bind(PORTION_SHARE)
            .bind(PORTION_LIFE.0)
            .bind(holds.iter().map(|(decision, ..)| decision.decision_id.as_bytes().to_vec()).collect::<Vec<_>>())
            .bind(holds.iter().map(|(.., slot)| *slot).collect::<Vec<_>>())
            .bind(holds.iter().map(|(_, take, _)| take.pool.name.clone()).collect::<Vec<_>>())
            .bind(holds.iter().map(|(_, take, _)| take.pool.period.0).collect::<Vec<_>>())
            .bind(holds.iter().map(|(_, take, _)| take.amount).collect::<Vec<_>>())
            .bind(holds.iter().map(|(_, take, _)| take.sunk).collect::<Vec<_>>())
            .bind(holds.iter().map(|(_, take, _)| take.until.0).collect::<Vec<_>>())
            .bind(holds.iter().map(|(_, take, _)| take.units).collect::<Vec<_>>())
    }
}

pub(super) async fn levels(store: &PostgresStore, since: Timestamp) -> Result<PoolLevels, StoreError> {
    let rows: Vec<LevelColumns> = sqlx::query_as(
        "select name, period, leased, null::text, 0::int8, 0::int8 from pool where period = 0 or period >= $1 \
         union all select name, period, 0::int8, node, incarnation, amount - taken from portion",
    )
    .bind(since.0)
    .fetch_all(&store.pool)
    .await?;
    pools::levels(rows)
}

/// Those that a batch takes of.
pub(super) async fn levels_of(store: &PostgresStore, batch: &Batch) -> Result<PoolLevels, StoreError> {
    let wanted = pools::taken(batch);
    let rows: Vec<LevelColumns> = sqlx::query_as(
        "select p.name, p.period, p.leased, null::text, 0::int8, 0::int8 from pool p \
             join unnest($1::text[], $2::int8[]) as w (name, period) on p.name = w.name and p.period = w.period \
         union all select p.name, p.period, 0::int8, p.node, p.incarnation, p.amount - p.taken from portion p \
             join unnest($1::text[], $2::int8[]) as w (name, period) on p.name = w.name and p.period = w.period",
    )
    .bind(wanted.keys().map(|pool| pool.name.as_str()).collect::<Vec<_>>())
    .bind(wanted.keys().map(|pool| pool.period.0).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    pools::levels(rows)
}

/// Locks pools in the order of their keys, as everybody does.
async fn lock(connection: &mut PgConnection, pools: &[&PoolKey]) -> Result<(), StoreError> {
    sqlx::query(
        "select 1 from pool p join unnest($1::text[], $2::int8[]) as w (name, period) \
             on p.name = w.name and p.period = w.period order by p.name, p.period for update of p",
    )
    .bind(pools.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>())
    .bind(pools.iter().map(|pool| pool.period.0).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds to what is leased of pools; takes back where negative.
async fn add(connection: &mut PgConnection, more: &BTreeMap<PoolKey, i64>) -> Result<(), StoreError> {
    if more.is_empty() {
        return Ok(());
    }
    lock(connection, &more.keys().collect::<Vec<_>>()).await?;
    sqlx::query(
        "update pool p set leased = p.leased + w.amount \
         from unnest($1::text[], $2::int8[], $3::int8[]) as w (name, period, amount) \
         where p.name = w.name and p.period = w.period",
    )
    .bind(more.keys().map(|pool| pool.name.as_str()).collect::<Vec<_>>())
    .bind(more.keys().map(|pool| pool.period.0).collect::<Vec<_>>())
    .bind(more.values().copied().collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Returns what engines have in hand: all of them, or those that took nothing for long or have started anew.
pub(super) async fn return_on(connection: &mut PgConnection, all: bool) -> Result<bool, StoreError> {
    // Locked in order before they are deleted, which has none.
    sqlx::query(
        "select 1 from portion p left join node n on n.node = p.node \
         where $1 or p.until <= floor(extract(epoch from clock_timestamp()) * 1000)::int8 \
             or p.incarnation < n.incarnation \
         order by p.name, p.period, p.node, p.incarnation for update of p",
    )
    .bind(all)
    .execute(&mut *connection)
    .await?;
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "delete from portion p where $1 or p.until <= floor(extract(epoch from clock_timestamp()) * 1000)::int8 \
             or p.incarnation < (select n.incarnation from node n where n.node = p.node) \
         returning p.name, p.period, p.taken - p.amount",
    )
    .bind(all)
    .fetch_all(&mut *connection)
    .await?;
    let back = pools::summed(rows);
    add(connection, &back).await?;
    Ok(!back.is_empty())
}

pub(super) async fn return_portions(store: &PostgresStore) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let any = return_on(&mut transaction, false).await?;
    transaction.commit().await?;
    Ok(any)
}

/// Forgets the orders counted of the stock of offers: somebody counted what there is. What is reserved stays.
pub(super) async fn recount(connection: &mut PgConnection, offers: &[OfferId]) -> Result<(), StoreError> {
    if offers.is_empty() {
        return Ok(());
    }
    let pools: Vec<PoolKey> =
        offers.iter().map(|offer| PoolKey { name: column::stock_pool(offer), period: Timestamp(0) }).collect();
    lock(connection, &pools.iter().collect::<Vec<_>>()).await?;
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "delete from hold where name = any ($1) and period = 0 and held <> 0 and until is null \
         returning name, period, -held",
    )
    .bind(pools.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    add(connection, &pools::summed(rows)).await
}

/// What becomes of holds; one that is gone by now stays gone.
pub(super) async fn settle(connection: &mut PgConnection, settled: &[HoldSettled]) -> Result<(), StoreError> {
    if settled.is_empty() {
        return Ok(());
    }
    lock(connection, &settled.iter().map(|settled| &settled.pool).collect::<Vec<_>>()).await?;
    let mut slots = Vec::with_capacity(settled.len());
    for settled in settled {
        slots.push(column::slot(settled.slot)?);
    }
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "with wanted as ( \
             select * from unnest($1::bytea[], $2::int2[], $3::text[], $4::int8[], $5::int8[], $6::int8[]) \
                 as w (decision_id, slot, name, period, held, until)), \
         before as ( \
             select h.decision_id, h.slot, h.name, h.period, h.held, w.held as next, w.until from hold h \
             join wanted w using (decision_id, slot, name, period) for update of h) \
         update hold h set held = b.next, until = b.until from before b \
         where h.decision_id = b.decision_id and h.slot = b.slot and h.name = b.name and h.period = b.period \
         returning b.name, b.period, b.next - b.held",
    )
    .bind(settled.iter().map(|settled| settled.decision_id.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(slots)
    .bind(settled.iter().map(|settled| settled.pool.name.as_str()).collect::<Vec<_>>())
    .bind(settled.iter().map(|settled| settled.pool.period.0).collect::<Vec<_>>())
    .bind(settled.iter().map(|settled| settled.to.held).collect::<Vec<_>>())
    .bind(settled.iter().map(|settled| settled.to.until.map(|until| until.0)).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    add(connection, &pools::summed(rows)).await
}

/// What decisions hold.
pub(super) async fn holds(store: &PostgresStore, ids: &[DecisionId]) -> Result<Vec<(DecisionId, Hold)>, StoreError> {
    let rows: Vec<HoldColumns> = sqlx::query_as(
        "select decision_id, slot, name, period, reserved, sunk, held, until, units from hold \
         where decision_id = any ($1) order by decision_id, slot, name, period",
    )
    .bind(ids.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(pools::hold).collect()
}

pub(super) async fn holds_of(store: &PostgresStore, decision: DecisionId) -> Result<Vec<Hold>, StoreError> {
    Ok(holds(store, &[decision]).await?.into_iter().map(|(_, hold)| hold).collect())
}

pub(super) async fn prune(store: &PostgresStore, ended: Timestamp, older: Timestamp) -> Result<bool, StoreError> {
    // Each in a transaction of its own: pools are locked in the order of their keys, once in each.
    let of_ended = prune_ended(store, ended).await?;
    let of_older = prune_older(store, older).await?;
    Ok(pools::is_full(of_ended, of_older))
}

/// Removes pools of windows that began before an instant, with a piece of what decisions hold of them; how many holds.
async fn prune_ended(store: &PostgresStore, ended: Timestamp) -> Result<usize, StoreError> {
    let mut transaction = store.begin().await?;
    let found: Vec<(String, i64)> = sqlx::query_as(
        "select name, period from pool where period <> 0 and period < $1 order by name, period for update",
    )
    .bind(ended.0)
    .fetch_all(&mut *transaction)
    .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let periods: Vec<i64> = found.iter().map(|(_, period)| *period).collect();
    let removed = sqlx::query(
        "delete from hold h using ( \
             select h.decision_id, h.slot, h.name, h.period from hold h \
             join unnest($1::text[], $2::int8[]) as p (name, period) on h.name = p.name and h.period = p.period \
             where h.held <> 0 and h.until is null limit $3) w \
         where h.decision_id = w.decision_id and h.slot = w.slot and h.name = w.name and h.period = w.period",
    )
    .bind(names.clone())
    .bind(periods.clone())
    .bind(pools::PRUNED_MAX)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    sqlx::query(
        "delete from pool p using unnest($1::text[], $2::int8[]) as w (name, period) \
         where p.name = w.name and p.period = w.period and not exists ( \
             select 1 from hold h where h.name = p.name and h.period = p.period and h.held <> 0)",
    )
    .bind(names)
    .bind(periods)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}

/// Puts a piece of what decisions made before an instant hold, and do not only reserve, into one row for each pool; how
/// many holds.
async fn prune_older(store: &PostgresStore, older: Timestamp) -> Result<usize, StoreError> {
    let mut transaction = store.begin().await?;
    let found: Vec<(Vec<u8>, i16, String, i64)> = sqlx::query_as(
        "select decision_id, slot, name, period from hold \
         where decision_id > $1 and decision_id < $2 and until is null order by decision_id limit $3",
    )
    .bind(pools::NO_DECISION.as_slice())
    .bind(pools::first_id(older).as_slice())
    .bind(pools::PRUNED_MAX)
    .fetch_all(&mut *transaction)
    .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let key =
        |(.., name, period): &(Vec<u8>, i16, String, i64)| PoolKey { name: name.clone(), period: Timestamp(*period) };
    let keys: Vec<PoolKey> = found.iter().map(key).collect();
    // Whoever counts the stock anew meanwhile finds a hold either as it was or in the sum.
    lock(&mut transaction, &keys.iter().collect::<Vec<_>>()).await?;
    let removed: Vec<(String, i64, i64)> = sqlx::query_as(
        "delete from hold h using unnest($1::bytea[], $2::int2[], $3::text[], $4::int8[]) \
             as w (decision_id, slot, name, period) \
         where h.decision_id = w.decision_id and h.slot = w.slot and h.name = w.name and h.period = w.period \
             and h.until is null \
         returning h.name, h.period, h.held",
    )
    .bind(found.iter().map(|(id, ..)| id.as_slice()).collect::<Vec<_>>())
    .bind(found.iter().map(|(_, slot, ..)| *slot).collect::<Vec<_>>())
    .bind(found.iter().map(|(.., name, _)| name.as_str()).collect::<Vec<_>>())
    .bind(found.iter().map(|(.., period)| *period).collect::<Vec<_>>())
    .fetch_all(&mut *transaction)
    .await?;
    let kept = pools::kept(removed);
    sqlx::query(
        "insert into hold as h (decision_id, slot, name, period, reserved, sunk, held, until, units) \
         select $1, 0::int2, name, period, held, 0, held, null, false \
         from unnest($2::text[], $3::int8[], $4::int8[]) as w (name, period, held) \
         on conflict (decision_id, slot, name, period) \
         do update set reserved = h.reserved + excluded.reserved, held = h.held + excluded.held",
    )
    .bind(pools::NO_DECISION.as_slice())
    .bind(kept.keys().map(|pool| pool.name.as_str()).collect::<Vec<_>>())
    .bind(kept.keys().map(|pool| pool.period.0).collect::<Vec<_>>())
    .bind(kept.values().copied().collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(found.len())
}
