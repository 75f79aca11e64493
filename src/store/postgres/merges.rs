//! Merges in PostgreSQL: one subject of two, in one transaction. Opens no sealed part.

use crate::domain::SubjectId;
use crate::store::column::{self, ConsentColumns};
use crate::store::steps::{Step, reach};
use crate::store::{By, MakeMerge, StoreError, whom};

use super::{PostgresStore, catalogue};

pub(super) async fn merge(
    store: &PostgresStore,
    (from, into): (SubjectId, SubjectId),
    by: By<'_>,
    change: &MakeMerge<'_>,
) -> Result<bool, StoreError> {
    let mut transaction = store.begin().await?;
    let mut both = [from.0.as_slice(), into.0.as_slice()];
    both.sort_unstable();
    // What is not there cannot be locked, so that rows of version 0 come first; then both by id, as a commit does.
    sqlx::query(
        "insert into subject (subject_id, version, state) select id, 0, '' from unnest($1::bytea[]) as wanted (id) \
         on conflict do nothing",
    )
    .bind(both.to_vec())
    .execute(&mut *transaction)
    .await?;
    let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = sqlx::query_as(
        "select subject_id, version, state from subject where subject_id = any ($1) order by subject_id \
         for no key update",
    )
    .bind(both.to_vec())
    .fetch_all(&mut *transaction)
    .await?;
    let gone: Option<(i32,)> = sqlx::query_as(whom::GONE)
        .bind(from.0.as_slice())
        .bind(into.0.as_slice())
        .fetch_optional(&mut *transaction)
        .await?;
    if gone.is_some() {
        return Ok(false);
    }
    let consents: Vec<ConsentColumns> = sqlx::query_as(
        "select version, position, at, sealed from consent where subject_id = $1 order by version, position",
    )
    .bind(from.0.as_slice())
    .fetch_all(&mut *transaction)
    .await?;
    let ([from_version, into_version], made) = whom::changed(&rows, consents, (from, into), change)?;
    for (id, version, state) in [(from, from_version, &made.from), (into, into_version, &made.into.state)] {
        sqlx::query("update subject set version = $2, state = $3 where subject_id = $1")
            .bind(id.0.as_slice())
            .bind(version + 1)
            .bind(state)
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query(
        "insert into consent (subject_id, version, position, at, sealed) \
         select $1, $2, position, $3, sealed from unnest($4::int2[], $5::bytea[]) as record (position, sealed)",
    )
    .bind(into.0.as_slice())
    .bind(into_version + 1)
    .bind(by.at.0)
    .bind(column::positions(made.into.records.len())?)
    .bind(made.into.records.iter().map(Vec::as_slice).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    // Those who became the first before are the second now.
    sqlx::query("update merged_subject set into_subject_id = $2 where into_subject_id = $1")
        .bind(from.0.as_slice())
        .bind(into.0.as_slice())
        .execute(&mut *transaction)
        .await?;
    sqlx::query("insert into merged_subject (subject_id, into_subject_id, at, by_key) values ($1, $2, $3, $4)")
        .bind(from.0.as_slice())
        .bind(into.0.as_slice())
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
