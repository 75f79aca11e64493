//! Catalogue in PostgreSQL: the clock, the control row and offers. Judges no offer.

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::domain::Timestamp;
use crate::store::column::{self, ControlColumns, OfferColumns};
use crate::store::steps::{Step, reach};
use crate::store::{By, Control, OfferBody, StoreError};

use super::PostgresStore;

const CONTROL: &str = "select sequence, bundle, catalogue_revision from control";

pub(super) async fn now(store: &PostgresStore) -> Result<Timestamp, StoreError> {
    let (now,): (i64,) = sqlx::query_as("select floor(extract(epoch from clock_timestamp()) * 1000)::int8")
        .fetch_one(&store.pool)
        .await?;
    Ok(Timestamp(now))
}

pub(super) async fn control(store: &PostgresStore) -> Result<Control, StoreError> {
    let row: ControlColumns = sqlx::query_as(CONTROL).fetch_one(&store.pool).await?;
    column::control(row)
}

/// Begins a change of the control row. The table is locked and not the row: commits share the row's lock, and as long
/// as they overlap a waiting `for update` would never get it; for the table's lock everybody queues.
pub(super) async fn begin_change(pool: &PgPool) -> Result<(Transaction<'static, Postgres>, Control), StoreError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("lock table control in exclusive mode").execute(&mut *transaction).await?;
    let row: ControlColumns = sqlx::query_as(CONTROL).fetch_one(&mut *transaction).await?;
    Ok((transaction, column::control(row)?))
}

/// Writes down who changed what, in the transaction of the change.
pub(super) async fn record(
    connection: &mut PgConnection,
    by: By<'_>,
    what: &str,
    detail: &str,
) -> Result<(), StoreError> {
    sqlx::query("insert into privileged_change (at, by_key, what, detail) values ($1, $2, $3, $4)")
        .bind(by.at.0)
        .bind(by.key)
        .bind(what)
        .bind(detail)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn replace_control(connection: &mut PgConnection, after: Control) -> Result<(), StoreError> {
    sqlx::query("update control set sequence = $1, bundle = $2, catalogue_revision = $3")
        .bind(column::signed(after.sequence)?)
        .bind(after.bundle.as_ref().map(|hash| hash.0.as_slice()))
        .bind(column::signed(after.catalogue_revision)?)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn import_offers(
    store: &PostgresStore,
    offers: &[OfferBody],
    by: By<'_>,
) -> Result<Control, StoreError> {
    // Of an offer that comes twice the last one counts.
    let offers: BTreeMap<&str, &str> =
        offers.iter().map(|offer| (offer.offer_id.as_str(), offer.json.as_str())).collect();
    let (mut transaction, before) = begin_change(&store.pool).await?;
    let after = Control { sequence: before.sequence + 1, catalogue_revision: before.catalogue_revision + 1, ..before };
    let revision = column::signed(after.catalogue_revision)?;
    sqlx::query(
        "insert into offer_revision (offer_id, revision, body) \
         select offer_id, $1, body from unnest($2::text[], $3::text[]) as offer (offer_id, body)",
    )
    .bind(revision)
    .bind(offers.keys().copied().collect::<Vec<_>>())
    .bind(offers.values().copied().collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    replace_control(&mut transaction, after).await?;
    let detail = format!("revision {revision}: {} offers", offers.len());
    record(&mut transaction, by, "offers imported", &detail).await?;
    reach(Step::ImportWritten);
    transaction.commit().await?;
    reach(Step::ImportDurable);
    Ok(after)
}

pub(super) async fn catalogue(store: &PostgresStore, revision: u64) -> Result<Vec<OfferBody>, StoreError> {
    let rows: Vec<OfferColumns> = sqlx::query_as(
        "select distinct on (offer_id) offer_id, body from offer_revision where revision <= $1 \
         order by offer_id, revision desc",
    )
    .bind(column::signed(revision)?)
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(column::offer).collect()
}
