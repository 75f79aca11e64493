//! Catalogue in PostgreSQL: the clock, the control row, offers and campaigns. Judges no offer.

use sqlx::{PgConnection, Postgres, Transaction};

use crate::domain::{OfferId, Timestamp};
use crate::store::catalogue::CHANGED;
use crate::store::column::{self, BodyColumns, ControlColumns, RevisionColumns};
use crate::store::steps::{Step, reach};
use crate::store::{By, CatalogueChange, CatalogueChanged, CatalogueRows, Control, OfferRevision, StoreError};

use super::{PostgresStore, pools};

const CONTROL: &str = "select sequence, bundle, catalogue_revision, switch_revision from control";

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
pub(super) async fn begin_change(
    store: &PostgresStore,
) -> Result<(Transaction<'static, Postgres>, Control), StoreError> {
    let mut transaction = store.begin().await?;
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
    sqlx::query("update control set sequence = $1, bundle = $2, catalogue_revision = $3, switch_revision = $4")
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
    newest: "select distinct on (offer_id) offer_id, body from offer_revision where offer_id = any($1) \
             order by offer_id, revision desc",
    insert: "insert into offer_revision (offer_id, revision, body) \
             select id, $1, body from unnest($2::text[], $3::text[]) as sent (id, body)",
    at_revision: "select distinct on (offer_id) offer_id, body, revision from offer_revision where revision <= $1 \
                  order by offer_id, revision desc",
};
const CAMPAIGNS: Table = Table {
    newest: "select distinct on (campaign_id) campaign_id, body from campaign_revision where campaign_id = any($1) \
             order by campaign_id, revision desc",
    insert: "insert into campaign_revision (campaign_id, revision, body) \
             select id, $1, body from unnest($2::text[], $3::text[]) as sent (id, body)",
    at_revision: "select distinct on (campaign_id) campaign_id, body, revision from campaign_revision \
                  where revision <= $1 order by campaign_id, revision desc",
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
        connection: &mut PgConnection,
        ids: impl Iterator<Item = &'a &'a str>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let ids: Vec<&str> = ids.copied().collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(sqlx::query_as(self.newest).bind(ids).fetch_all(connection).await?)
    }

    async fn insert(
        &self,
        connection: &mut PgConnection,
        revision: i64,
        rows: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let (ids, bodies): (Vec<&str>, Vec<&str>) = rows.iter().copied().unzip();
        sqlx::query(self.insert).bind(revision).bind(ids).bind(bodies).execute(connection).await?;
        Ok(())
    }

    async fn at_revision(&self, store: &PostgresStore, revision: i64) -> Result<Vec<BodyColumns>, StoreError> {
        Ok(sqlx::query_as(self.at_revision).bind(revision).fetch_all(&store.pool).await?)
    }
}

pub(super) async fn change(
    store: &PostgresStore,
    change: &CatalogueChange,
    by: By<'_>,
) -> Result<CatalogueChanged, StoreError> {
    let (mut transaction, before) = begin_change(store).await?;
    if let Some(id) = &change.request_id {
        let row: Option<(i64,)> = sqlx::query_as("select revision from catalogue_request where request_id = $1")
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
        sqlx::query("insert into catalogue_request (request_id, revision) values ($1, $2)")
            .bind(id)
            .bind(revision)
            .execute(&mut *transaction)
            .await?;
    }
    if !fresh.is_empty() {
        OFFERS.insert(&mut transaction, revision, &fresh.offers).await?;
        CAMPAIGNS.insert(&mut transaction, revision, &fresh.campaigns).await?;
        sqlx::query("insert into catalogue_revision (revision, at, by_key) values ($1, $2, $3)")
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

pub(super) async fn read(store: &PostgresStore, revision: u64) -> Result<CatalogueRows, StoreError> {
    let revision = column::signed(revision)?;
    column::catalogue(OFFERS.at_revision(store, revision).await?, CAMPAIGNS.at_revision(store, revision).await?)
}

pub(super) async fn revisions(
    store: &PostgresStore,
    offer: &OfferId,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<OfferRevision>, StoreError> {
    let rows: Vec<RevisionColumns> = sqlx::query_as(
        "select revision, at, by_key, body from offer_revision join catalogue_revision using (revision) \
         where offer_id = $1 and revision < $2 order by revision desc limit $3",
    )
    .bind(offer.as_str())
    .bind(before.map_or(Ok(i64::MAX), column::signed)?)
    .bind(i64::from(limit))
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(column::revision).collect()
}
