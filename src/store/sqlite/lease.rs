//! The learner's lease in SQLite, judged by the machine's clock. Learns nothing.

use sqlx::SqliteConnection;

use crate::domain::Span;
use crate::store::column::{self, LeaseColumns};
use crate::store::{Holder, Lease, StoreError};

use super::SqliteStore;

pub(super) async fn elect(store: &SqliteStore, who: &Holder, lease: Span) -> Result<Option<u64>, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let row: Option<(i64,)> = sqlx::query_as(
        "update learner set term = term + 1, holder = ?1, incarnation = ?2, lease_ms = ?3, \
             lease_until = cast(round(unixepoch('subsec') * 1000) as integer) + ?3 \
         where lease_until <= cast(round(unixepoch('subsec') * 1000) as integer) \
             or (holder = ?1 and incarnation <= ?2) \
         returning term",
    )
    .bind(&who.node)
    .bind(column::signed(who.incarnation)?)
    .bind(lease.0)
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    row.map(|(term,)| column::natural(term)).transpose()
}

pub(super) async fn renew(store: &SqliteStore, term: u64) -> Result<bool, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let renewed = renew_on(&mut transaction, term).await?;
    transaction.commit().await?;
    Ok(renewed)
}

/// Moves the lease on; `false` if the term is fenced.
pub(super) async fn renew_on(connection: &mut SqliteConnection, term: u64) -> Result<bool, StoreError> {
    let renewed = sqlx::query(
        "update learner set lease_until = max(lease_until, \
             cast(round(unixepoch('subsec') * 1000) as integer) + lease_ms) where term = ?",
    )
    .bind(column::signed(term)?)
    .execute(connection)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

pub(super) async fn release(store: &SqliteStore, term: u64) -> Result<(), StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    sqlx::query("update learner set lease_until = 0 where term = ?")
        .bind(column::signed(term)?)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

pub(super) async fn read(store: &SqliteStore) -> Result<Lease, StoreError> {
    let row: LeaseColumns = sqlx::query_as(
        "select term, holder, incarnation, lease_until, \
             lease_until > cast(round(unixepoch('subsec') * 1000) as integer) from learner",
    )
    .fetch_one(&store.readers)
    .await?;
    column::lease(row)
}
