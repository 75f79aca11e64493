//! Catalogue in SQLite: the clock, the control row, offers and campaigns. Judges no offer.

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::{OfferId, Timestamp};
use crate::store::catalogue::CHANGED;
use crate::store::column::{self, BodyColumns, ControlColumns, RevisionColumns};
use crate::store::steps::{Step, reach};
use crate::store::{By, CatalogueChange, CatalogueChanged, CatalogueRows, Control, OfferRevision, StoreError};

use super::statement::row_pieces;
use super::{SqliteStore, pools};

const CONTROL: &str = "select sequence, bundle, catalogue_revision, switch_revision from control";

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
    sqlx::query("update control set sequence = ?, bundle = ?, catalogue_revision = ?, switch_revision = ?")
        .bind(column::signed(after.sequence)?)
        .bind(after.bundle.as_ref().map(|hash| hash.0.as_slice()))
        .bind(column::signed(after.catalogue_revision)?)
        .bind(column::signed(after.switch_revision)?)
        .execute(&mut *connection)
        .await?;
    // Totals may have changed: whoever needs more than it has leases it of them.
    pools::return_on(connection, true).await?;
    Ok(())
}

/// The two kinds of things in a catalogue, by their tables.
const OFFERS: Table = Table {
    // Beside `max` SQLite takes the other columns from the row that holds the maximum.
    newest: "select offer_id, body, max(revision) from offer_revision \
             where offer_id in (select value from json_each(?)) group by offer_id",
    insert: "insert into offer_revision (offer_id, revision, body) ",
    at_revision: "select offer_id, body, max(revision) from offer_revision where revision <= ? \
                  group by offer_id order by offer_id",
};
const CAMPAIGNS: Table = Table {
    newest: "select campaign_id, body, max(revision) from campaign_revision \
             where campaign_id in (select value from json_each(?)) group by campaign_id",
    insert: "insert into campaign_revision (campaign_id, revision, body) ",
    at_revision: "select campaign_id, body, max(revision) from campaign_revision where revision <= ? \
                  group by campaign_id order by campaign_id",
};

struct Table {
    newest: &'static str,
    insert: &'static str,
    at_revision: &'static str,
}

impl Table {
    /// (id, text) of those that are there.
    async fn newest<'a>(
        &self,
        connection: &mut SqliteConnection,
        ids: impl Iterator<Item = &'a &'a str>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let ids = ids.copied().collect::<serde_json::Value>().to_string();
        let rows: Vec<BodyColumns> = sqlx::query_as(self.newest).bind(ids).fetch_all(connection).await?;
        Ok(rows.into_iter().map(|(id, body, _)| (id, body)).collect())
    }

    async fn insert(
        &self,
        connection: &mut SqliteConnection,
        revision: i64,
        rows: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        for piece in row_pieces(rows) {
            let mut statement = QueryBuilder::new(self.insert);
            statement.push_values(piece, |mut row, (id, body)| {
                row.push_bind(*id).push_bind(revision).push_bind(*body);
            });
            statement.build().execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn at_revision(&self, store: &SqliteStore, revision: i64) -> Result<Vec<BodyColumns>, StoreError> {
        Ok(sqlx::query_as(self.at_revision).bind(revision).fetch_all(&store.readers).await?)
    }
}

pub(super) async fn change(
    store: &SqliteStore,
    change: &CatalogueChange,
    by: By<'_>,
) -> Result<CatalogueChanged, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let before = control_on(&mut transaction).await?;
    if let Some(id) = &change.request_id {
        let row: Option<(i64,)> = sqlx::query_as("select revision from catalogue_request where request_id = ?")
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some((revision,)) = row {
            transaction.rollback().await?;
            return Ok(CatalogueChanged::Repeated { revision: column::natural(revision)? });
        }
    }
    if change.expected_revision.is_some_and(|expected| expected != before.catalogue_revision) {
        transaction.rollback().await?;
        return Ok(CatalogueChanged::Moved { revision: before.catalogue_revision });
    }
    let offers = OFFERS.newest(&mut transaction, change.offer_texts().keys()).await?;
    let campaigns = CAMPAIGNS.newest(&mut transaction, change.campaign_texts().keys()).await?;
    let fresh = change.fresh(&offers, &campaigns);
    let after = fresh.after(before);
    let revision = column::signed(after.catalogue_revision)?;
    if let Some(id) = &change.request_id {
        sqlx::query("insert into catalogue_request (request_id, revision) values (?, ?)")
            .bind(id)
            .bind(revision)
            .execute(&mut *transaction)
            .await?;
    }
    if !fresh.is_empty() {
        OFFERS.insert(&mut transaction, revision, &fresh.offers).await?;
        CAMPAIGNS.insert(&mut transaction, revision, &fresh.campaigns).await?;
        sqlx::query("insert into catalogue_revision (revision, at, by_key) values (?, ?, ?)")
            .bind(revision)
            .bind(by.at.0)
            .bind(by.key)
            .execute(&mut *transaction)
            .await?;
        replace_control(&mut transaction, after).await?;
        record(&mut transaction, by, CHANGED, &fresh.detail(revision)).await?;
    }
    pools::recount(&mut transaction, &change.recounted).await?;
    reach(Step::ImportWritten);
    transaction.commit().await?;
    reach(Step::ImportDurable);
    Ok(CatalogueChanged::Made { control: after, tally: fresh.tally })
}

pub(super) async fn read(store: &SqliteStore, revision: u64) -> Result<CatalogueRows, StoreError> {
    let revision = column::signed(revision)?;
    column::catalogue(OFFERS.at_revision(store, revision).await?, CAMPAIGNS.at_revision(store, revision).await?)
}

pub(super) async fn revisions(
    store: &SqliteStore,
    offer: &OfferId,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<OfferRevision>, StoreError> {
    let rows: Vec<RevisionColumns> = sqlx::query_as(
        "select revision, at, by_key, body from offer_revision join catalogue_revision using (revision) \
         where offer_id = ? and revision < ? order by revision desc limit ?",
    )
    .bind(offer.as_str())
    .bind(before.map_or(Ok(i64::MAX), column::signed)?)
    .bind(limit)
    .fetch_all(&store.readers)
    .await?;
    rows.into_iter().map(column::revision).collect()
}
