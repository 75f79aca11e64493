//! Approvals in PostgreSQL: given, taken back, listed. Judges none.

use crate::policy::Given;
use crate::store::approvals::{APPROVALS, ApprovalColumns, given};
use crate::store::{By, Control, NewApproval, Revoked, StoreError, column};

use super::PostgresStore;
use super::catalogue::{begin_change, record, replace_control};

/// Keeps an approval under the next sequence of the control row, which it gives.
pub(super) async fn approve(store: &PostgresStore, approval: &NewApproval, by: By<'_>) -> Result<u64, StoreError> {
    let (mut transaction, before) = begin_change(store).await?;
    let after = Control { sequence: before.sequence + 1, ..before };
    sqlx::query(
        "insert into approval (sequence, matter, pinned, authority, at, by_key, expires, note) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(column::signed(after.sequence)?)
    .bind(approval.matter_text()?)
    .bind(approval.pinned.0.as_slice())
    .bind(approval.authority.name())
    .bind(by.at.0)
    .bind(by.key)
    .bind(approval.expires.0)
    .bind(&approval.note)
    .execute(&mut *transaction)
    .await?;
    replace_control(&mut transaction, after).await?;
    record(&mut transaction, by, "approved", &approval.told()).await?;
    transaction.commit().await?;
    Ok(after.sequence)
}

pub(super) async fn revoke(store: &PostgresStore, id: u64, note: &str, by: By<'_>) -> Result<Revoked, StoreError> {
    let (mut transaction, before) = begin_change(store).await?;
    let id = column::signed(id)?;
    let known: Option<(i64,)> = sqlx::query_as("select sequence from approval where sequence = $1")
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    let after = Control { sequence: before.sequence + 1, ..before };
    let written = sqlx::query(
        "insert into approval_revoked (approval, sequence, at, by_key, note) \
         select sequence, $1, $2, $3, $4 from approval where sequence = $5 on conflict do nothing",
    )
    .bind(column::signed(after.sequence)?)
    .bind(by.at.0)
    .bind(by.key)
    .bind(note)
    .bind(id)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if written == 0 {
        transaction.rollback().await?;
        return Ok(if known.is_some() { Revoked::Before } else { Revoked::Unknown });
    }
    replace_control(&mut transaction, after).await?;
    record(&mut transaction, by, "approval revoked", &id.to_string()).await?;
    transaction.commit().await?;
    Ok(Revoked::Now)
}

pub(super) async fn list(store: &PostgresStore) -> Result<Vec<Given>, StoreError> {
    let rows: Vec<ApprovalColumns> = sqlx::query_as(APPROVALS).fetch_all(&store.pool).await?;
    rows.into_iter().map(given).collect()
}
