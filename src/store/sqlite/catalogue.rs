//! Catalogue in SQLite: the clock, the control row and offers. Judges no offer.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::Timestamp;
use crate::store::column::{self, ControlColumns, OfferColumns};
use crate::store::steps::{Step, reach};
use crate::store::{By, Control, OfferBody, StoreError};

use super::SqliteStore;
use super::statement::row_pieces;

const CONTROL: &str = "select sequence, bundle, catalogue_revision from control";

pub(super) async fn now(store: &SqliteStore) -> Result<Timestamp, StoreError> {
    let (now,): (i64,) =
        sqlx::query_as("select cast(round(unixepoch('subsec') * 1000) as integer)").fetch_one(&store.readers).await?;
    Ok(Timestamp(now))
}

pub(super) async fn control(store: &SqliteStore) -> Result<Control, StoreError> {
    let row: ControlColumns = sqlx::query_as(CONTROL).fetch_one(&store.readers).await?;
    column::control(row)
}

/// The control row as a transaction sees it.
pub(super) async fn control_on(connection: &mut SqliteConnection) -> Result<Control, StoreError> {
    let row: ControlColumns = sqlx::query_as(CONTROL).fetch_one(connection).await?;
    column::control(row)
}

/// Writes down who changed what, in the transaction of the change.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    by: By<'_>,
    what: &str,
    detail: &str,
) -> Result<(), StoreError> {
    sqlx::query("insert into privileged_change (at, by_key, what, detail) values (?, ?, ?, ?)")
        .bind(by.at.0)
        .bind(by.key)
        .bind(what)
        .bind(detail)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn replace_control(connection: &mut SqliteConnection, after: Control) -> Result<(), StoreError> {
    sqlx::query("update control set sequence = ?, bundle = ?, catalogue_revision = ?")
        .bind(column::signed(after.sequence)?)
        .bind(after.bundle.as_ref().map(|hash| hash.0.as_slice()))
        .bind(column::signed(after.catalogue_revision)?)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn import_offers(
    store: &SqliteStore,
    offers: &[OfferBody],
    by: By<'_>,
) -> Result<Control, StoreError> {
    // Of an offer that comes twice the last one counts.
    let offers: BTreeMap<&str, &str> =
        offers.iter().map(|offer| (offer.offer_id.as_str(), offer.json.as_str())).collect();
    let offers: Vec<(&str, &str)> = offers.into_iter().collect();
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let before = control_on(&mut transaction).await?;
    let after = Control { sequence: before.sequence + 1, catalogue_revision: before.catalogue_revision + 1, ..before };
    let revision = column::signed(after.catalogue_revision)?;
    for piece in row_pieces(&offers) {
        let mut statement = QueryBuilder::new("insert into offer_revision (offer_id, revision, body) ");
        statement.push_values(piece, |mut row, (id, body)| {
            row.push_bind(*id).push_bind(revision).push_bind(*body);
        });
        statement.build().execute(&mut *transaction).await?;
    }
    replace_control(&mut transaction, after).await?;
    let detail = format!("revision {revision}: {} offers", offers.len());
    record(&mut transaction, by, "offers imported", &detail).await?;
    reach(Step::ImportWritten);
    transaction.commit().await?;
    reach(Step::ImportDurable);
    Ok(after)
}

pub(super) async fn catalogue(store: &SqliteStore, revision: u64) -> Result<Vec<OfferBody>, StoreError> {
    // Beside `max` SQLite takes the other columns from the row that holds the maximum.
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "select offer_id, body, max(revision) from offer_revision where revision <= ? \
         group by offer_id order by offer_id",
    )
    .bind(column::signed(revision)?)
    .fetch_all(&store.readers)
    .await?;
    let offers = rows.into_iter().map(|(id, body, _)| -> OfferColumns { (id, body) });
    offers.map(column::offer).collect()
}
