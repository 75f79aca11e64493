//! Approvals in SQLite: given, taken back, listed. Judges none.

use crate::policy::Given;
use crate::store::approvals::{APPROVALS, ApprovalColumns, given};
use crate::store::{By, Control, NewApproval, Revoked, StoreError, column};

use super::SqliteStore;
use super::catalogue::{control_on, record, replace_control};

/// Keeps an approval under the next sequence of the control row, which it gives.
pub(super) async fn approve(store: &SqliteStore, approval: &NewApproval, by: By<'_>) -> Result<u64, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let before = control_on(&mut transaction).await?;
    let after = Control { sequence: before.sequence + 1, ..before };
    sqlx::query(
        "insert into approval (sequence, matter, pinned, authority, at, by_key, expires, note) \
         values (?, ?, ?, ?, ?, ?, ?, ?)",
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

pub(super) async fn revoke(store: &SqliteStore, id: u64, note: &str, by: By<'_>) -> Result<Revoked, StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let (id, before) = (column::signed(id)?, control_on(&mut transaction).await?);
    let known: Option<(i64,)> = sqlx::query_as("select sequence from approval where sequence = ?")
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    let after = Control { sequence: before.sequence + 1, ..before };
    let written = sqlx::query(
        "insert into approval_revoked (approval, sequence, at, by_key, note) \
         select sequence, ?, ?, ?, ? from approval where sequence = ? on conflict do nothing",
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

pub(super) async fn list(store: &SqliteStore) -> Result<Vec<Given>, StoreError> {
    let rows: Vec<ApprovalColumns> = sqlx::query_as(APPROVALS).fetch_all(&store.readers).await?;
    rows.into_iter().map(given).collect()
}
