//! Bundles in PostgreSQL: published, activated, which was active when. Judges no rule.

use sqlx::PgConnection;

use crate::domain::Digest;
use crate::store::column::{self, ActivationColumns};
use crate::store::operate::{self, PublishedColumns};
use crate::store::{Activation, By, Control, PublishedBundle, StoreError};

use super::PostgresStore;
use super::catalogue::{begin_change, record, replace_control};

/// Keeps a bundle; `false` if it was kept already.
async fn keep(connection: &mut PgConnection, hash: Digest, body: &str, by: By<'_>) -> Result<bool, StoreError> {
    let kept =
        sqlx::query("insert into bundle (hash, body, at, by_key) values ($1, $2, $3, $4) on conflict do nothing")
            .bind(hash.0.as_slice())
            .bind(body)
            .bind(by.at.0)
            .bind(by.key)
            .execute(connection)
            .await?;
    Ok(kept.rows_affected() == 1)
}

pub(super) async fn publish(store: &PostgresStore, hash: Digest, body: &str, by: By<'_>) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let new = keep(&mut transaction, hash, body, by).await?;
    if new {
        record(&mut transaction, by, "bundle published", &hash.hex()).await?;
    }
    transaction.commit().await?;
    Ok(new)
}

/// Activates a bundle; with `only_if_new` only one that the store does not know, unless none is active.
pub(super) async fn activate(
    store: &PostgresStore,
    hash: Digest,
    body: &str,
    by: By<'_>,
    only_if_new: bool,
) -> Result<Control, StoreError> {
    let (mut transaction, before) = begin_change(store).await?;
    let new = keep(&mut transaction, hash, body, by).await?;
    if before.bundle == Some(hash) || (only_if_new && !new && before.bundle.is_some()) {
        transaction.rollback().await?;
        return Ok(before);
    }
    let after = Control { sequence: before.sequence + 1, bundle: Some(hash), ..before };
    sqlx::query("insert into activation (sequence, hash, at, by_key) values ($1, $2, $3, $4)")
        .bind(column::signed(after.sequence)?)
        .bind(hash.0.as_slice())
        .bind(by.at.0)
        .bind(by.key)
        .execute(&mut *transaction)
        .await?;
    replace_control(&mut transaction, after).await?;
    record(&mut transaction, by, "bundle activated", &hash.hex()).await?;
    transaction.commit().await?;
    Ok(after)
}

pub(super) async fn body(store: &PostgresStore, hash: Digest) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> = sqlx::query_as("select body from bundle where hash = $1")
        .bind(hash.0.as_slice())
        .fetch_optional(&store.pool)
        .await?;
    Ok(row.map(|(body,)| body))
}

pub(super) async fn all(store: &PostgresStore) -> Result<Vec<PublishedBundle>, StoreError> {
    let rows: Vec<PublishedColumns> =
        sqlx::query_as("select hash, at, by_key from bundle order by hash").fetch_all(&store.pool).await?;
    rows.into_iter().map(operate::published).collect()
}

pub(super) async fn activations(store: &PostgresStore) -> Result<Vec<Activation>, StoreError> {
    let rows: Vec<ActivationColumns> =
        sqlx::query_as("select sequence, hash, at, by_key from activation order by sequence desc")
            .fetch_all(&store.pool)
            .await?;
    rows.into_iter().map(column::activation).collect()
}
