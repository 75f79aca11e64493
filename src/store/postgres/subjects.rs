//! Subjects in PostgreSQL: identities, their states as read, and changes of consent. Opens no sealed part.

use std::collections::BTreeMap;

use crate::domain::{SubjectId, SubjectRef, Timestamp};
use crate::store::column::{self, ConsentColumns, SubjectColumns};
use crate::store::steps::{Step, reach};
use crate::store::whom::{self, AskedColumns};
use crate::store::{ConsentRow, MakeChange, NewSubject, StoreError, SubjectRow, kind_code};

use super::PostgresStore;

type ByReference = BTreeMap<SubjectRef, SubjectRow>;

pub(super) async fn load(store: &PostgresStore, wanted: &[NewSubject]) -> Result<Vec<SubjectRow>, StoreError> {
    // Each outside id once; of several offers the first counts.
    let mut offered: BTreeMap<&SubjectRef, &NewSubject> = BTreeMap::new();
    for new in wanted {
        offered.entry(&new.reference).or_insert(new);
    }
    let references: Vec<&SubjectRef> = offered.keys().copied().collect();
    let mut found = read(store, &references).await?;
    let missing: Vec<&NewSubject> = offered.into_values().filter(|new| !found.contains_key(&new.reference)).collect();
    if !missing.is_empty() {
        create(store, &missing).await?;
        let references: Vec<&SubjectRef> = missing.iter().map(|new| &new.reference).collect();
        found.extend(read(store, &references).await?);
    }
    let row = |new: &NewSubject| {
        let row = found.get(&new.reference).cloned();
        row.ok_or_else(|| StoreError::Corrupt("an identity just created is not there".to_owned()))
    };
    wanted.iter().map(row).collect()
}

pub(super) async fn find(store: &PostgresStore, reference: &SubjectRef) -> Result<Option<SubjectRow>, StoreError> {
    let mut found = read(store, &[reference]).await?;
    Ok(found.remove(reference))
}

pub(super) async fn by_id(store: &PostgresStore, ids: &[SubjectId]) -> Result<Vec<SubjectRow>, StoreError> {
    let rows: Vec<SubjectColumns> = sqlx::query_as(
        "select i.kind, i.outside_id, i.subject_id, i.wrapped_key, coalesce(s.version, 0), coalesce(s.state, '') \
         from identity i left join subject s on s.subject_id = i.subject_id \
         where i.subject_id = any ($1) order by i.subject_id",
    )
    .bind(ids.iter().map(|id| id.0.as_slice()).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(column::subject).collect()
}

async fn read(store: &PostgresStore, references: &[&SubjectRef]) -> Result<ByReference, StoreError> {
    let rows: Vec<AskedColumns> = sqlx::query_as(
        "select a.kind, a.outside_id, i.kind, i.outside_id, i.subject_id, i.wrapped_key, coalesce(s.version, 0), \
             coalesce(s.state, '') \
         from unnest($1::int2[], $2::text[]) as wanted (kind, outside_id) \
         join identity a on a.kind = wanted.kind and a.outside_id = wanted.outside_id \
         left join merged_subject m on m.subject_id = a.subject_id \
         join identity i on i.subject_id = coalesce(m.into_subject_id, a.subject_id) \
         left join subject s on s.subject_id = i.subject_id",
    )
    .bind(references.iter().map(|reference| kind_code(reference.kind)).collect::<Vec<_>>())
    .bind(references.iter().map(|reference| reference.outside_id.as_str()).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    let mut found = ByReference::new();
    for row in rows {
        let (asked, row) = whom::asked(row)?;
        found.insert(asked, row);
    }
    Ok(found)
}

/// Makes identities, in the order of the outside ids: two processes that make the same ones wait for one another
/// at the first and cannot do so in a circle.
async fn create(store: &PostgresStore, missing: &[&NewSubject]) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    // Somebody else may have made it since it was looked for: theirs stays.
    sqlx::query(
        "insert into identity (subject_id, kind, outside_id, wrapped_key) \
         select * from unnest($1::bytea[], $2::int2[], $3::text[], $4::bytea[]) on conflict do nothing",
    )
    .bind(missing.iter().map(|new| new.subject.0.as_slice()).collect::<Vec<_>>())
    .bind(missing.iter().map(|new| kind_code(new.reference.kind)).collect::<Vec<_>>())
    .bind(missing.iter().map(|new| new.reference.outside_id.as_str()).collect::<Vec<_>>())
    .bind(missing.iter().map(|new| new.wrapped_key.as_slice()).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    reach(Step::SubjectsWritten);
    transaction.commit().await?;
    reach(Step::SubjectsDurable);
    Ok(())
}

pub(super) async fn change_consents(
    store: &PostgresStore,
    subject: SubjectId,
    at: Timestamp,
    change: &MakeChange<'_>,
) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let id = subject.0.as_slice();
    // What is not there cannot be locked, so that a row of version 0 comes first.
    sqlx::query("insert into subject (subject_id, version, state) values ($1, 0, '') on conflict do nothing")
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    let (version, state): (i64, Vec<u8>) =
        sqlx::query_as("select version, state from subject where subject_id = $1 for no key update")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await?;
    // Under the lock that whoever merges it takes too: a withdrawal is not left with somebody whom nobody asks for.
    let gone: Option<(i32,)> = sqlx::query_as(whom::GONE).bind(id).bind(id).fetch_optional(&mut *transaction).await?;
    if gone.is_some() {
        return Err(whom::gone_meanwhile());
    }
    let made = change(column::natural(version)?, &state).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    sqlx::query("update subject set version = $2, state = $3 where subject_id = $1")
        .bind(id)
        .bind(version + 1)
        .bind(&made.state)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "insert into consent (subject_id, version, position, at, sealed) \
         select $1, $2, position, $3, sealed from unnest($4::int2[], $5::bytea[]) as record (position, sealed)",
    )
    .bind(id)
    .bind(version + 1)
    .bind(at.0)
    .bind(column::positions(made.records.len())?)
    .bind(made.records.iter().map(Vec::as_slice).collect::<Vec<_>>())
    .execute(&mut *transaction)
    .await?;
    reach(Step::ConsentsWritten);
    transaction.commit().await?;
    reach(Step::ConsentsDurable);
    Ok(())
}

pub(super) async fn consents(store: &PostgresStore, subject: SubjectId) -> Result<Vec<ConsentRow>, StoreError> {
    let rows: Vec<ConsentColumns> = sqlx::query_as(
        "select version, position, at, sealed from consent where subject_id = $1 order by version, position",
    )
    .bind(subject.0.as_slice())
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(column::consent).collect()
}
