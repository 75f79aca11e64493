//! Subjects in SQLite: identities, their states as read, and changes of consent. Opens no sealed part.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::{SubjectId, SubjectRef, Timestamp};
use crate::store::column::{self, ConsentColumns, SubjectColumns};
use crate::store::steps::{Step, reach};
use crate::store::whom::{self, AskedColumns};
use crate::store::{ConsentRow, MakeChange, NewSubject, StoreError, SubjectRow, kind_code};

use super::SqliteStore;
use super::statement::{key_pieces, push_keys, row_pieces};

type ByReference = BTreeMap<SubjectRef, SubjectRow>;

pub(super) async fn load(store: &SqliteStore, wanted: &[NewSubject]) -> Result<Vec<SubjectRow>, StoreError> {
    // Each outside id once; of several offers the first counts.
    let mut offered: BTreeMap<&SubjectRef, &NewSubject> = BTreeMap::new();
    for new in wanted {
        offered.entry(&new.reference).or_insert(new);
    }
    let references: Vec<&SubjectRef> = offered.keys().copied().collect();
    let mut found = read(&mut *store.readers.acquire().await?, &references).await?;
    let missing: Vec<&NewSubject> = offered.into_values().filter(|new| !found.contains_key(&new.reference)).collect();
    if !missing.is_empty() {
        create(store, &missing).await?;
        let references: Vec<&SubjectRef> = missing.iter().map(|new| &new.reference).collect();
        found.extend(read(&mut *store.readers.acquire().await?, &references).await?);
    }
    let row = |new: &NewSubject| {
        let row = found.get(&new.reference).cloned();
        row.ok_or_else(|| StoreError::Corrupt("an identity just created is not there".to_owned()))
    };
    wanted.iter().map(row).collect()
}

pub(super) async fn find(store: &SqliteStore, reference: &SubjectRef) -> Result<Option<SubjectRow>, StoreError> {
    let mut found = read(&mut *store.readers.acquire().await?, &[reference]).await?;
    Ok(found.remove(reference))
}

pub(super) async fn by_id(store: &SqliteStore, ids: &[SubjectId]) -> Result<Vec<SubjectRow>, StoreError> {
    let keys: Vec<[u8; 16]> = ids.iter().map(|id| id.0).collect();
    let mut found = Vec::new();
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new(
            "select i.kind, i.outside_id, i.subject_id, i.wrapped_key, coalesce(s.version, 0), \
             coalesce(s.state, x'') \
             from identity i left join subject s on s.subject_id = i.subject_id where i.subject_id in ",
        );
        push_keys(&mut statement, piece);
        let rows: Vec<SubjectColumns> = statement.build_query_as().fetch_all(&store.readers).await?;
        for row in rows {
            found.push(column::subject(row)?);
        }
    }
    found.sort_by_key(|row| row.subject);
    Ok(found)
}

async fn read(connection: &mut SqliteConnection, references: &[&SubjectRef]) -> Result<ByReference, StoreError> {
    let mut found = ByReference::new();
    for piece in row_pieces(references) {
        let mut statement = QueryBuilder::new("with wanted (kind, outside_id) as (");
        statement.push_values(piece, |mut row, reference| {
            row.push_bind(kind_code(reference.kind)).push_bind(&reference.outside_id);
        });
        // A cross join keeps the order written: one look-up for each id wanted, never a scan.
        statement.push(
            ") select a.kind, a.outside_id, i.kind, i.outside_id, i.subject_id, i.wrapped_key, \
             coalesce(s.version, 0), coalesce(s.state, x'') \
             from wanted w cross join identity a on a.kind = w.kind and a.outside_id = w.outside_id \
             left join merged_subject m on m.subject_id = a.subject_id \
             cross join identity i on i.subject_id = coalesce(m.into_subject_id, a.subject_id) \
             left join subject s on s.subject_id = i.subject_id",
        );
        let rows: Vec<AskedColumns> = statement.build_query_as().fetch_all(&mut *connection).await?;
        for row in rows {
            let (asked, row) = whom::asked(row)?;
            found.insert(asked, row);
        }
    }
    Ok(found)
}

async fn create(store: &SqliteStore, missing: &[&NewSubject]) -> Result<(), StoreError> {
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    for piece in row_pieces(missing) {
        let mut statement = QueryBuilder::new("insert into identity (subject_id, kind, outside_id, wrapped_key) ");
        statement.push_values(piece, |mut row, new| {
            row.push_bind(new.subject.0.as_slice())
                .push_bind(kind_code(new.reference.kind))
                .push_bind(&new.reference.outside_id)
                .push_bind(&new.wrapped_key);
        });
        // Somebody else may have made it since it was looked for: theirs stays.
        statement.push(" on conflict do nothing");
        statement.build().execute(&mut *transaction).await?;
    }
    reach(Step::SubjectsWritten);
    transaction.commit().await?;
    reach(Step::SubjectsDurable);
    Ok(())
}

pub(super) async fn change_consents(
    store: &SqliteStore,
    subject: SubjectId,
    at: Timestamp,
    change: &MakeChange<'_>,
) -> Result<(), StoreError> {
    let mut writer = store.writer.lock().await;
    // The transaction excludes every other writer from here on: nobody changes the state between reading and writing.
    let mut transaction = store.begin(&mut writer).await?;
    let id = subject.0.as_slice();
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as("select version, state from subject where subject_id = ?")
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    let gone: Option<(i32,)> = sqlx::query_as(whom::GONE).bind(id).bind(id).fetch_optional(&mut *transaction).await?;
    // A withdrawal is not left with somebody whom nobody asks for any more.
    if gone.is_some() {
        return Err(whom::gone_meanwhile());
    }
    let (version, state) = row.unwrap_or_default();
    let made = change(column::natural(version)?, &state).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    sqlx::query(
        "insert into subject (subject_id, version, state) values (?1, ?2, ?3) \
         on conflict (subject_id) do update set version = excluded.version, state = excluded.state",
    )
    .bind(id)
    .bind(version + 1)
    .bind(&made.state)
    .execute(&mut *transaction)
    .await?;
    let records: Vec<(i16, &Vec<u8>)> = column::positions(made.records.len())?.into_iter().zip(&made.records).collect();
    for piece in row_pieces(&records) {
        let mut statement = QueryBuilder::new("insert into consent (subject_id, version, position, at, sealed) ");
        statement.push_values(piece, |mut row, (position, sealed)| {
            row.push_bind(id).push_bind(version + 1).push_bind(*position).push_bind(at.0).push_bind(*sealed);
        });
        statement.build().execute(&mut *transaction).await?;
    }
    reach(Step::ConsentsWritten);
    transaction.commit().await?;
    reach(Step::ConsentsDurable);
    Ok(())
}

pub(super) async fn consents(store: &SqliteStore, subject: SubjectId) -> Result<Vec<ConsentRow>, StoreError> {
    let rows: Vec<ConsentColumns> = sqlx::query_as(
        "select version, position, at, sealed from consent where subject_id = ? order by version, position",
    )
    .bind(subject.0.as_slice())
    .fetch_all(&store.readers)
    .await?;
    rows.into_iter().map(column::consent).collect()
}
