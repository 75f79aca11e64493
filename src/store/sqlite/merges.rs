//! Merges in SQLite: one subject of two, in one transaction. Opens no sealed part.

use sqlx::QueryBuilder;

use crate::domain::SubjectId;
use crate::store::column::{self, ConsentColumns};
use crate::store::steps::{Step, reach};
use crate::store::{By, MakeMerge, StoreError, whom};

use super::statement::row_pieces;
use super::{SqliteStore, catalogue};

pub(super) async fn merge(
    store: &SqliteStore,
    (from, into): (SubjectId, SubjectId),
    by: By<'_>,
    change: &MakeMerge<'_>,
) -> Result<bool, StoreError> {
    let mut writer = store.writer.lock().await;
    // The transaction excludes every other writer from here on.
    let mut transaction = store.begin(&mut writer).await?;
    let (first, second) = (from.0.as_slice(), into.0.as_slice());
    let gone: Option<(i32,)> =
        sqlx::query_as(whom::GONE).bind(first).bind(second).fetch_optional(&mut *transaction).await?;
    if gone.is_some() {
        return Ok(false);
    }
    let rows: Vec<(Vec<u8>, i64, Vec<u8>)> =
        sqlx::query_as("select subject_id, version, state from subject where subject_id in (?, ?)")
            .bind(first)
            .bind(second)
            .fetch_all(&mut *transaction)
            .await?;
    let consents: Vec<ConsentColumns> = sqlx::query_as(
        "select version, position, at, sealed from consent where subject_id = ? order by version, position",
    )
    .bind(first)
    .fetch_all(&mut *transaction)
    .await?;
    let ([from_version, into_version], made) = whom::changed(&rows, consents, (from, into), change)?;
    for (id, version, state) in [(first, from_version, &made.from), (second, into_version, &made.into.state)] {
        sqlx::query(
            "insert into subject (subject_id, version, state) values (?1, ?2, ?3) \
             on conflict (subject_id) do update set version = excluded.version, state = excluded.state",
        )
        .bind(id)
        .bind(version + 1)
        .bind(state)
        .execute(&mut *transaction)
        .await?;
    }
    let records = column::positions(made.into.records.len())?;
    let records: Vec<(i16, &Vec<u8>)> = records.into_iter().zip(&made.into.records).collect();
    for piece in row_pieces(&records) {
        let mut statement = QueryBuilder::new("insert into consent (subject_id, version, position, at, sealed) ");
        statement.push_values(piece, |mut row, (position, sealed)| {
            row.push_bind(second).push_bind(into_version + 1).push_bind(*position).push_bind(by.at.0);
            row.push_bind(*sealed);
        });
        statement.build().execute(&mut *transaction).await?;
    }
    // Those who became the first before are the second now.
    sqlx::query("update merged_subject set into_subject_id = ?2 where into_subject_id = ?1")
        .bind(first)
        .bind(second)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("insert into merged_subject (subject_id, into_subject_id, at, by_key) values (?, ?, ?, ?)")
        .bind(first)
        .bind(second)
        .bind(by.at.0)
        .bind(by.key)
        .execute(&mut *transaction)
        .await?;
    catalogue::record(&mut transaction, by, "customers.merge", &whom::merged(from, into)).await?;
    reach(Step::ConsentsWritten);
    transaction.commit().await?;
    reach(Step::ConsentsDurable);
    Ok(true)
}
