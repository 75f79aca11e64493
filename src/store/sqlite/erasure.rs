//! Erasure in SQLite: first nobody finds the customer, then nothing is left. Opens no sealed part.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use crate::domain::{Digest, SubjectId, SubjectRef};
use crate::store::column::{self, LearningColumns};
use crate::store::erasure::{
    self, COUNTED, DONE, ERASING, ERASURE, ERASURE_OF, EVENTS, ErasingColumns, ErasureColumns, HoldColumns, LOST,
    TAKEN_BACK, TOMBSTONE, WHOM, WhomColumns,
};
use crate::store::erasure::{Begun, Erase, Erased, Erasing, ErasureRow, HashOutside, LegalHold};
use crate::store::steps::{Step, reach};
use crate::store::{By, CheckpointRow, KeptOutcome, LearningRow, StoreError, kind_code};

use super::catalogue::record;
use super::{SqliteStore, learner, lease, matching};

async fn held(connection: &mut SqliteConnection, subject: SubjectId) -> Result<Option<LegalHold>, StoreError> {
    let row: Option<HoldColumns> =
        sqlx::query_as("select why, at, by_key from legal_hold where subject_id = ? and ended_at is null")
            .bind(subject.0.as_slice())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(erasure::legal_hold))
}

#[async_trait]
impl Erase for SqliteStore {
    async fn begin_erasure(&self, who: &SubjectRef, hash: &HashOutside<'_>, by: By<'_>) -> Result<Begun, StoreError> {
        let mut writer = self.writer.lock().await;
        let mut transaction = self.begin(&mut writer).await?;
        let found: Vec<WhomColumns> =
            sqlx::query_as(WHOM).bind(kind_code(who.kind)).bind(&who.outside_id).fetch_all(&mut *transaction).await?;
        if found.is_empty() {
            return Ok(Begun::Unknown);
        }
        let (id,): (i64,) = sqlx::query_as("insert into erasure (at, by_key) values (?, ?) returning erasure_id")
            .bind(by.at.0)
            .bind(by.key)
            .fetch_one(&mut *transaction)
            .await?;
        let (mut names, mut subjects) = (Vec::new(), Vec::new());
        for columns in found {
            let wrapped = columns.1.clone();
            let (subject, name) = erasure::whom(columns)?;
            if let Some(hold) = held(&mut transaction, subject).await? {
                transaction.rollback().await?;
                return Ok(Begun::Held(hold));
            }
            let key = subject.0.as_slice();
            sqlx::query("insert into erasing (subject_id, erasure_id, wrapped_key) values (?, ?, ?)")
                .bind(key)
                .bind(id)
                .bind(wrapped)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("insert into erased_subject (subject_id, erasure_id) values (?, ?)")
                .bind(key)
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("insert into erased_identity (erasure_id, outside_hash) values (?, ?)")
                .bind(id)
                .bind(hash(&name).0.as_slice())
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "insert into subject (subject_id, version, state) values (?1, ?2, x'') \
                 on conflict (subject_id) do update set version = excluded.version, state = excluded.state",
            )
            .bind(key)
            .bind(TOMBSTONE)
            .execute(&mut *transaction)
            .await?;
            names.push(name);
            subjects.push(subject);
        }
        for lost in LOST {
            sqlx::query(lost).bind(id).execute(&mut *transaction).await?;
        }
        let number = column::natural(id)?;
        record(&mut transaction, by, erasure::ERASE, &erasure::begun(number, &subjects)).await?;
        reach(Step::ErasureBegun);
        transaction.commit().await?;
        Ok(Begun::Begun { erasure: number, names })
    }

    async fn erasing(&self) -> Result<Vec<Erasing>, StoreError> {
        let rows: Vec<ErasingColumns> = sqlx::query_as(ERASING).fetch_all(&self.readers).await?;
        erasure::erasing(rows)
    }

    async fn learning_events_of(&self, erasure: u64) -> Result<Vec<LearningRow>, StoreError> {
        let rows: Vec<LearningColumns> =
            sqlx::query_as(EVENTS).bind(column::signed(erasure)?).fetch_all(&self.readers).await?;
        rows.into_iter().map(column::learning).collect()
    }

    async fn erase(&self, term: u64, erased: &Erased) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock().await;
        let mut transaction = self.begin(&mut writer).await?;
        if !lease::renew_on(&mut transaction, term).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        let id = column::signed(erased.erasure)?;
        let mut counted = [0; 3];
        for (count, statement) in counted.iter_mut().zip(COUNTED) {
            *count = sqlx::query(statement).bind(id).execute(&mut *transaction).await?.rows_affected();
        }
        if counted[1] != erased.learning_events {
            return Err(erasure::gone_on());
        }
        for CheckpointRow { model, sequence, .. } in &erased.checkpoints {
            let head: (i64,) = sqlx::query_as("select sequence from model where model_id = ?")
                .bind(model.0.as_slice())
                .fetch_one(&mut *transaction)
                .await?;
            if column::natural(head.0)? != *sequence {
                return Err(erasure::gone_on());
            }
            sqlx::query("delete from checkpoint where model_id = ?")
                .bind(model.0.as_slice())
                .execute(&mut *transaction)
                .await?;
        }
        learner::insert_checkpoints(&mut transaction, &erased.checkpoints).await?;
        for statement in TAKEN_BACK {
            sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
        }
        let mut signed = [0; 3];
        for (signed, count) in signed.iter_mut().zip(counted) {
            *signed = column::signed(count)?;
        }
        let by: (String,) = sqlx::query_as(DONE)
            .bind(erased.at.0)
            .bind(signed[0])
            .bind(signed[1])
            .bind(signed[2])
            .bind(id)
            .fetch_one(&mut *transaction)
            .await?;
        let by = By { key: &by.0, at: erased.at };
        record(&mut transaction, by, "customers.erased", &erasure::told(erased.erasure, counted)).await?;
        reach(Step::ErasureWritten);
        transaction.commit().await?;
        reach(Step::ErasureDurable);
        // What was deleted is overwritten in the file; the log that still holds it is emptied into the file. Where
        // somebody reads it is emptied the next time.
        sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut *writer).await?;
        Ok(true)
    }

    async fn erased_through(&self) -> Result<u64, StoreError> {
        let (id,): (i64,) =
            sqlx::query_as("select coalesce(max(erasure_id), 0) from erasure where done_at is not null")
                .fetch_one(&self.readers)
                .await?;
        column::natural(id)
    }

    async fn erasure(&self, erasure: u64) -> Result<Option<ErasureRow>, StoreError> {
        let row: Option<ErasureColumns> =
            sqlx::query_as(ERASURE).bind(column::signed(erasure)?).fetch_optional(&self.readers).await?;
        row.map(erasure::erasure).transpose()
    }

    async fn erasure_of(&self, hash: Digest) -> Result<Option<ErasureRow>, StoreError> {
        let row: Option<ErasureColumns> =
            sqlx::query_as(ERASURE_OF).bind(hash.0.as_slice()).fetch_optional(&self.readers).await?;
        row.map(erasure::erasure).transpose()
    }

    async fn known_as(&self, who: &SubjectRef) -> Result<Vec<(SubjectId, SubjectRef)>, StoreError> {
        let rows: Vec<WhomColumns> =
            sqlx::query_as(WHOM).bind(kind_code(who.kind)).bind(&who.outside_id).fetch_all(&self.readers).await?;
        rows.into_iter().map(erasure::whom).collect()
    }

    async fn erased_hashes(&self) -> Result<Vec<Digest>, StoreError> {
        let rows: Vec<(Vec<u8>,)> =
            sqlx::query_as("select distinct outside_hash from erased_identity order by outside_hash")
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(|(hash,)| column::digest(hash)).collect()
    }

    async fn outside_ids(&self, after: Option<&SubjectRef>, limit: u32) -> Result<Vec<SubjectRef>, StoreError> {
        let (kind, id) = after.map_or((-1, ""), |after| (kind_code(after.kind), after.outside_id.as_str()));
        let rows: Vec<(i16, String)> = sqlx::query_as(
            "select kind, outside_id from identity where (kind, outside_id) > (?, ?) order by kind, outside_id limit ?",
        )
        .bind(kind)
        .bind(id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let name = |(kind, outside_id)| Ok(SubjectRef { kind: column::subject_kind(kind)?, outside_id });
        rows.into_iter().map(name).collect()
    }

    async fn outcomes_about(&self, subjects: &[SubjectId]) -> Result<Vec<KeptOutcome>, StoreError> {
        matching::about(self, subjects).await
    }

    async fn hold(&self, subject: SubjectId, why: &str, by: By<'_>) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock().await;
        let mut transaction = self.begin(&mut writer).await?;
        if held(&mut transaction, subject).await?.is_some() {
            transaction.rollback().await?;
            return Ok(false);
        }
        sqlx::query("insert into legal_hold (subject_id, why, at, by_key) values (?, ?, ?, ?)")
            .bind(subject.0.as_slice())
            .bind(why)
            .bind(by.at.0)
            .bind(by.key)
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, by, "customers.hold", why).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn end_hold(&self, subject: SubjectId, by: By<'_>) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock().await;
        let mut transaction = self.begin(&mut writer).await?;
        let ended =
            sqlx::query("update legal_hold set ended_at = ?, ended_by = ? where subject_id = ? and ended_at is null")
                .bind(by.at.0)
                .bind(by.key)
                .bind(subject.0.as_slice())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
        if ended > 0 {
            record(&mut transaction, by, "customers.release-hold", "").await?;
        }
        transaction.commit().await?;
        Ok(ended > 0)
    }

    async fn held(&self, subject: SubjectId) -> Result<Option<LegalHold>, StoreError> {
        held(&mut *self.readers.acquire().await?, subject).await
    }
}
