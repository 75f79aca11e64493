//! Reports of fairness in PostgreSQL: kept under their hash. Judges none.

use crate::domain::Digest;
use crate::store::{By, StoreError};

use super::PostgresStore;
use super::catalogue::record;

pub(super) async fn keep(store: &PostgresStore, hash: Digest, body: &str, by: By<'_>) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let kept = sqlx::query("insert into fairness_report (hash, body) values ($1, $2) on conflict do nothing")
        .bind(hash.0.as_slice())
        .bind(body)
        .execute(&mut *transaction)
        .await?;
    let new = kept.rows_affected() == 1;
    if new {
        record(&mut transaction, by, "fairness measured", &hash.hex()).await?;
    }
    transaction.commit().await?;
    Ok(new)
}

pub(super) async fn body(store: &PostgresStore, hash: Digest) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> = sqlx::query_as("select body from fairness_report where hash = $1")
        .bind(hash.0.as_slice())
        .fetch_optional(&store.pool)
        .await?;
    Ok(row.map(|(body,)| body))
}
