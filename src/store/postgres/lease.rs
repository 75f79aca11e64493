//! The learner's lease in PostgreSQL, judged by the server's clock. Learns nothing.

use sqlx::PgConnection;

use crate::domain::Span;
use crate::store::column::{self, LeaseColumns};
use crate::store::steps::planted;
use crate::store::{Holder, Lease, StoreError};

use super::PostgresStore;

pub(super) async fn elect(store: &PostgresStore, who: &Holder, lease: Span) -> Result<Option<u64>, StoreError> {
    // Of two who find the lease expired the second waits for the first, reads the row again and no longer matches.
    let row: Option<(i64,)> = sqlx::query_as(
        "update learner set term = term + 1, holder = $1, incarnation = $2, lease_ms = $3, \
             lease_until = floor(extract(epoch from clock_timestamp()) * 1000)::int8 + $3 \
         where lease_until <= floor(extract(epoch from clock_timestamp()) * 1000)::int8 \
             or (holder = $1 and incarnation <= $2) \
         returning term",
    )
    .bind(&who.node)
    .bind(column::signed(who.incarnation)?)
    .bind(lease.0)
    .fetch_optional(&store.pool)
    .await?;
    row.map(|(term,)| column::natural(term)).transpose()
}

pub(super) async fn renew(store: &PostgresStore, term: u64) -> Result<bool, StoreError> {
    let mut connection = store.pool.acquire().await?;
    renew_on(&mut connection, term).await
}

/// Moves the lease on; `false` if the term is fenced. Within a transaction the row stays locked: a newer term waits
/// until what the transaction writes is stored, or is seen here.
pub(super) async fn renew_on(connection: &mut PgConnection, term: u64) -> Result<bool, StoreError> {
    if planted("ignore-fence") {
        return Ok(true);
    }
    let renewed = sqlx::query(
        "update learner set lease_until = greatest(lease_until, \
             floor(extract(epoch from clock_timestamp()) * 1000)::int8 + lease_ms) where term = $1",
    )
    .bind(column::signed(term)?)
    .execute(connection)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

pub(super) async fn release(store: &PostgresStore, term: u64) -> Result<(), StoreError> {
    sqlx::query("update learner set lease_until = 0 where term = $1")
        .bind(column::signed(term)?)
        .execute(&store.pool)
        .await?;
    Ok(())
}

pub(super) async fn read(store: &PostgresStore) -> Result<Lease, StoreError> {
    let row: LeaseColumns = sqlx::query_as(
        "select term, holder, incarnation, lease_until, \
             lease_until > floor(extract(epoch from clock_timestamp()) * 1000)::int8 from learner",
    )
    .fetch_one(&store.pool)
    .await?;
    column::lease(row)
}
