//! Learner in SQLite: its work, what it stores, its streams and checkpoints read back. Learns nothing.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::{DecisionId, ModelId, Timestamp};
use crate::store::column::{self, AppliedColumns, BatchColumns, CheckpointColumns, LearningColumns, TotalsColumns};
use crate::store::steps::{Step, reach};
use crate::store::work::{self, Found};
use crate::store::{AppliedRow, Backlog, CheckpointRow, Learned, LearnerWork, LearningRow, StoreError, Totals};

use super::statement::{key_pieces, push_keys, row_pieces};
use super::{SqliteStore, commit, lease, outcomes, pools, spend};

pub(super) async fn work(store: &SqliteStore, decisions_max: u32, now: Timestamp) -> Result<LearnerWork, StoreError> {
    let mut reader = store.readers.acquire().await?;
    // Outcomes are read after the keys of the new ones: whatever comes in between is seen now and again next time,
    // and the second time there is nothing left to apply.
    let found = find(&mut reader, decisions_max, now).await?;
    let ids = found.decision_ids();
    let applied = applied(&mut reader, &ids).await?;
    let holds = pools::holds(&mut reader, &ids).await?;
    let decisions = commit::decisions_on(&mut reader, &ids).await?;
    let facts = outcomes::facts_on(&mut reader, &ids).await?;
    Ok(found.work(decisions, (applied, holds), facts))
}

async fn find(reader: &mut SqliteConnection, decisions_max: u32, now: Timestamp) -> Result<Found, StoreError> {
    let batches: Vec<BatchColumns> = sqlx::query_as(
        "select node, incarnation, number, decision_ids from ( \
             select node, incarnation, number, decision_ids, row_number() over oldest as place, \
                 sum(length(decision_ids) / 16) over oldest as decisions_upto \
             from (select * from batch where learned = 0 order by node, incarnation, number limit max(?1, 1)) \
             window oldest as (order by node, incarnation, number)) \
         where place = 1 or decisions_upto <= ?1 order by place",
    )
    .bind(i64::from(decisions_max))
    .fetch_all(&mut *reader)
    .await?;
    let outcomes: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "select key, decision_id from outcome where decision_id is not null and applied = 0 \
         order by received_at, key limit ?",
    )
    .bind(i64::from(decisions_max))
    .fetch_all(&mut *reader)
    .await?;
    let due: Vec<(Vec<u8>,)> = sqlx::query_as(
        "select decision_id from (select decision_id from applied where due_at <= ?1 \
             order by due_at, decision_id limit ?2) \
         union select decision_id from (select decision_id from hold where until <= ?1 \
             order by until, decision_id limit ?2) order by decision_id",
    )
    .bind(now.0)
    .bind(i64::from(decisions_max))
    .fetch_all(reader)
    .await?;
    let outcome = |(key, id): (Vec<u8>, Vec<u8>)| Ok((column::digest(&key)?, column::decision_id(&id)?));
    Ok(Found {
        batches: batches.into_iter().map(column::batch).collect::<Result<_, _>>()?,
        outcomes: outcomes.into_iter().map(outcome).collect::<Result<_, StoreError>>()?,
        due: due.iter().map(|(id,)| column::decision_id(id)).collect::<Result<_, _>>()?,
    })
}

async fn applied(reader: &mut SqliteConnection, ids: &[DecisionId]) -> Result<Vec<AppliedRow>, StoreError> {
    let keys: Vec<[u8; 16]> = ids.iter().map(|id| *id.as_bytes()).collect();
    let mut applied = Vec::new();
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new(
            "select decision_id, slot, exposed, accepted, reward_minor, steps, due_at from applied \
             where decision_id in ",
        );
        push_keys(&mut statement, piece);
        let rows: Vec<AppliedColumns> = statement.build_query_as().fetch_all(&mut *reader).await?;
        for row in &rows {
            applied.push(column::applied(row)?);
        }
    }
    Ok(applied)
}

pub(super) async fn applied_of(store: &SqliteStore, ids: &[DecisionId]) -> Result<Vec<AppliedRow>, StoreError> {
    let mut reader = store.readers.acquire().await?;
    applied(&mut reader, ids).await
}

pub(super) async fn learn(store: &SqliteStore, term: u64, learned: &Learned) -> Result<bool, StoreError> {
    reach(Step::LearnBegin);
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    if !lease::renew_on(&mut transaction, term).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    append_events(&mut transaction, learned).await?;
    apply(&mut transaction, &learned.applied).await?;
    mark(&mut transaction, learned).await?;
    insert_checkpoints(&mut transaction, &learned.checkpoints).await?;
    spend::add(&mut transaction, &learned.spent).await?;
    pools::settle(&mut transaction, &learned.settled).await?;
    reach(Step::LearnWritten);
    transaction.commit().await?;
    reach(Step::LearnDurable);
    Ok(true)
}

async fn append_events(connection: &mut SqliteConnection, learned: &Learned) -> Result<(), StoreError> {
    let keys: Vec<[u8; 16]> = work::models(learned).iter().map(|model| model.0).collect();
    let mut heads = BTreeMap::new();
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new("select model_id, sequence from model where model_id in ");
        push_keys(&mut statement, piece);
        let rows: Vec<(Vec<u8>, i64)> = statement.build_query_as().fetch_all(&mut *connection).await?;
        for row in rows {
            heads.extend([head(&row)?]);
        }
    }
    let mut after: Vec<(ModelId, i64)> = Vec::with_capacity(keys.len());
    for (model, sequence) in work::continued(heads, &learned.events)? {
        after.push((model, column::signed(sequence)?));
    }
    for piece in row_pieces(&after) {
        let mut statement = QueryBuilder::new("insert into model (model_id, sequence) ");
        statement.push_values(piece, |mut row, (model, sequence)| {
            row.push_bind(model.0.as_slice()).push_bind(*sequence);
        });
        statement.push(" on conflict (model_id) do update set sequence = excluded.sequence");
        statement.build().execute(&mut *connection).await?;
    }
    let mut events: Vec<(i64, &LearningRow)> = Vec::with_capacity(learned.events.len());
    for event in &learned.events {
        events.push((column::signed(event.sequence)?, event));
    }
    for piece in row_pieces(&events) {
        let mut statement =
            QueryBuilder::new("insert into learning_event (model_id, sequence, decision_id, subject_id, sealed) ");
        statement.push_values(piece, |mut row, (sequence, event)| {
            row.push_bind(event.model.0.as_slice())
                .push_bind(*sequence)
                .push_bind(event.decision_id.as_bytes().as_slice())
                .push_bind(event.subject.as_ref().map(|subject| subject.0.as_slice()))
                .push_bind(event.sealed.as_slice());
        });
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn apply(connection: &mut SqliteConnection, applied: &[AppliedRow]) -> Result<(), StoreError> {
    let mut rows: Vec<(i16, i16, &AppliedRow)> = Vec::with_capacity(applied.len());
    for row in applied {
        rows.push((column::slot(row.slot)?, column::steps(row.applied.steps)?, row));
    }
    for piece in row_pieces(&rows) {
        let mut statement = QueryBuilder::new(
            "insert into applied (decision_id, slot, exposed, accepted, reward_minor, steps, due_at) ",
        );
        statement.push_values(piece, |mut row, (slot, steps, AppliedRow { decision_id, applied, due, .. })| {
            row.push_bind(decision_id.as_bytes().as_slice())
                .push_bind(*slot)
                .push_bind(applied.exposed)
                .push_bind(applied.accepted)
                .push_bind(applied.reward_minor)
                .push_bind(*steps)
                .push_bind(due.map(|due| due.0));
        });
        statement.push(
            " on conflict (decision_id, slot) do update set exposed = excluded.exposed, accepted = excluded.accepted, \
             reward_minor = excluded.reward_minor, steps = excluded.steps, due_at = excluded.due_at",
        );
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn mark(connection: &mut SqliteConnection, learned: &Learned) -> Result<(), StoreError> {
    for batch in &learned.batches {
        sqlx::query("update batch set learned = 1 where node = ? and incarnation = ? and number = ?")
            .bind(&batch.node)
            .bind(column::signed(batch.incarnation)?)
            .bind(column::signed(batch.number)?)
            .execute(&mut *connection)
            .await?;
    }
    let keys: Vec<[u8; 32]> = learned.outcomes.iter().map(|key| key.0).collect();
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new("update outcome set applied = 1 where key in ");
        push_keys(&mut statement, piece);
        statement.build().execute(&mut *connection).await?;
    }
    let given_up: Vec<[u8; 16]> = learned.given_up.iter().map(|id| *id.as_bytes()).collect();
    for piece in key_pieces(&given_up) {
        let mut statement = QueryBuilder::new("update applied set due_at = null where decision_id in ");
        push_keys(&mut statement, piece);
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes checkpoints and keeps the newest two of each model: one to start from, and one should that be unreadable.
pub(super) async fn insert_checkpoints(
    connection: &mut SqliteConnection,
    rows: &[CheckpointRow],
) -> Result<(), StoreError> {
    for row in rows {
        sqlx::query(
            "insert into checkpoint (model_id, sequence, digest, state) values (?, ?, ?, ?) \
             on conflict (model_id, sequence) do update set digest = excluded.digest, state = excluded.state",
        )
        .bind(row.model.0.as_slice())
        .bind(column::signed(row.sequence)?)
        .bind(row.digest.0.as_slice())
        .bind(&row.state)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "delete from checkpoint where model_id = ?1 and sequence < \
             (select min(sequence) from (select sequence from checkpoint where model_id = ?1 \
                 order by sequence desc limit 2))",
        )
        .bind(row.model.0.as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn head(row: &(Vec<u8>, i64)) -> Result<(ModelId, u64), StoreError> {
    Ok((column::model_id(&row.0)?, column::natural(row.1)?))
}

pub(super) async fn model_heads(store: &SqliteStore) -> Result<Vec<(ModelId, u64)>, StoreError> {
    let rows: Vec<(Vec<u8>, i64)> =
        sqlx::query_as("select model_id, sequence from model order by model_id").fetch_all(&store.readers).await?;
    rows.iter().map(head).collect()
}

pub(super) async fn events(
    store: &SqliteStore,
    model: ModelId,
    after: u64,
    limit: u32,
) -> Result<Vec<LearningRow>, StoreError> {
    let rows: Vec<LearningColumns> = sqlx::query_as(
        "select e.model_id, e.sequence, e.decision_id, e.subject_id, e.sealed, \
             coalesce(i.wrapped_key, w.wrapped_key) from learning_event e \
         left join identity i on i.subject_id = e.subject_id left join erasing w on w.subject_id = e.subject_id \
         where e.model_id = ? and e.sequence > ? order by e.sequence limit ?",
    )
    .bind(model.0.as_slice())
    .bind(column::signed(after)?)
    .bind(i64::from(limit))
    .fetch_all(&store.readers)
    .await?;
    rows.into_iter().map(column::learning).collect()
}

pub(super) async fn checkpoint(
    store: &SqliteStore,
    model: ModelId,
    events_max: Option<u64>,
) -> Result<Option<CheckpointRow>, StoreError> {
    let row: Option<CheckpointColumns> = sqlx::query_as(
        "select model_id, sequence, digest, state from checkpoint where model_id = ? and sequence <= ? \
         order by sequence desc limit 1",
    )
    .bind(model.0.as_slice())
    .bind(events_max.map_or(Ok(i64::MAX), column::signed)?)
    .fetch_optional(&store.readers)
    .await?;
    row.map(column::checkpoint).transpose()
}

pub(super) async fn totals(store: &SqliteStore) -> Result<Totals, StoreError> {
    let row: TotalsColumns = sqlx::query_as(
        "select (select count(*) from decision), (select count(*) from outcome), \
             (select count(*) from batch where learned = 0), \
             (select count(*) from outcome where decision_id is not null and applied = 0)",
    )
    .fetch_one(&store.readers)
    .await?;
    column::totals(row)
}

pub(super) async fn backlog(store: &SqliteStore) -> Result<Backlog, StoreError> {
    let (batches, outcomes): (i64, i64) = sqlx::query_as(
        "select (select count(*) from batch where learned = 0), \
             (select count(*) from outcome where decision_id is not null and applied = 0)",
    )
    .fetch_one(&store.readers)
    .await?;
    Ok(Backlog { batches_unlearned: column::natural(batches)?, outcomes_unapplied: column::natural(outcomes)? })
}
