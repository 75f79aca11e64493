//! Keys in PostgreSQL: API keys and sources of outcomes. Checks no key and opens no secret.

use crate::store::column::{self, KeyColumns, SourceColumns};
use crate::store::{By, KeyRow, SourceRow, StoreError};

use super::PostgresStore;
use super::catalogue::record;

pub(super) async fn create(store: &PostgresStore, key: &KeyRow, by: By<'_>) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let written = sqlx::query(
        "insert into api_key (key_hash, name, roles, created_at, revoked_at) values ($1, $2, $3, $4, $5) \
         on conflict do nothing",
    )
    .bind(key.hash.0.as_slice())
    .bind(&key.name)
    .bind(&key.roles)
    .bind(key.created_at.0)
    .bind(key.revoked_at.map(|at| at.0))
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if written == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    record(&mut transaction, by, "key created", &format!("{} ({})", key.name, key.roles)).await?;
    transaction.commit().await?;
    Ok(true)
}

pub(super) async fn list(store: &PostgresStore) -> Result<Vec<KeyRow>, StoreError> {
    let rows: Vec<KeyColumns> =
        sqlx::query_as("select key_hash, name, roles, created_at, revoked_at from api_key order by created_at, name")
            .fetch_all(&store.pool)
            .await?;
    rows.into_iter().map(column::key).collect()
}

pub(super) async fn revoke(store: &PostgresStore, name: &str, by: By<'_>) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let revoked = sqlx::query("update api_key set revoked_at = $1 where name = $2 and revoked_at is null")
        .bind(by.at.0)
        .bind(name)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    if revoked == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    record(&mut transaction, by, "key revoked", name).await?;
    transaction.commit().await?;
    Ok(true)
}

pub(super) async fn create_source(store: &PostgresStore, source: &SourceRow, by: By<'_>) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let written = sqlx::query(
        "insert into outcome_source (name, sealed_secret, created_at) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(&source.name)
    .bind(&source.sealed_secret)
    .bind(source.created_at.0)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if written == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    record(&mut transaction, by, "source created", &source.name).await?;
    transaction.commit().await?;
    Ok(true)
}

pub(super) async fn sources(store: &PostgresStore) -> Result<Vec<SourceRow>, StoreError> {
    let rows: Vec<SourceColumns> =
        sqlx::query_as("select name, sealed_secret, created_at from outcome_source order by name")
            .fetch_all(&store.pool)
            .await?;
    Ok(rows.into_iter().map(column::source).collect())
}
