//! Learner in PostgreSQL: its work, what it stores, streams and checkpoints read back. Learns nothing.

use sqlx::PgConnection;

use crate::domain::{DecisionId, ModelId, Timestamp};
use crate::store::column::{self, AppliedColumns, BatchColumns, CheckpointColumns, LearningColumns, TotalsColumns};
use crate::store::steps::{Step, reach};
use crate::store::work::{self, Found};
use crate::store::{AppliedRow, Backlog, CheckpointRow, Learned, LearnerWork, LearningRow, StoreError, Totals};

use super::{PostgresStore, commit, lease, outcomes, pools, spend};

pub(super) async fn work(store: &PostgresStore, decisions_max: u32, now: Timestamp) -> Result<LearnerWork, StoreError> {
    // Outcomes are read after the keys of the new ones: whatever comes in between is seen now and again next time,
    // and the second time there is nothing left to apply.
    let found = find(store, decisions_max, now).await?;
    let ids = found.decision_ids();
    let applied = applied_of(store, &ids).await?;
    let holds = pools::holds(store, &ids).await?;
    let decisions = commit::decisions(store, &ids).await?;
    let facts = outcomes::facts(store, &ids).await?;
    Ok(found.work(decisions, (applied, holds), facts))
}

async fn find(store: &PostgresStore, decisions_max: u32, now: Timestamp) -> Result<Found, StoreError> {
    let batches: Vec<BatchColumns> = sqlx::query_as(
        "select node, incarnation, number, decision_ids from ( \
             select node, incarnation, number, decision_ids, row_number() over oldest as place, \
                 sum(length(decision_ids) / 16) over oldest as decisions_upto \
             from (select * from batch where not learned order by node, incarnation, number \
                 limit greatest($1, 1)) unlearned \
             window oldest as (order by node, incarnation, number)) counted \
         where place = 1 or decisions_upto <= $1 order by place",
    )
    .bind(i64::from(decisions_max))
    .fetch_all(&store.pool)
    .await?;
    let outcomes: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "select key, decision_id from outcome where decision_id is not null and not applied \
         order by received_at, key limit $1",
    )
    .bind(i64::from(decisions_max))
    .fetch_all(&store.pool)
    .await?;
    let due: Vec<(Vec<u8>,)> = sqlx::query_as(
        "select decision_id from (select decision_id from applied where due_at <= $1 \
             order by due_at, decision_id limit $2) longest \
         union select decision_id from (select decision_id from hold where until <= $1 \
             order by until, decision_id limit $2) ended order by decision_id",
    )
    .bind(now.0)
    .bind(i64::from(decisions_max))
    .fetch_all(&store.pool)
    .await?;
    let outcome = |(key, id): (Vec<u8>, Vec<u8>)| Ok((column::digest(&key)?, column::decision_id(&id)?));
    Ok(Found {
        batches: batches.into_iter().map(column::batch).collect::<Result<_, _>>()?,
        outcomes: outcomes.into_iter().map(outcome).collect::<Result<_, StoreError>>()?,
        due: due.iter().map(|(id,)| column::decision_id(id)).collect::<Result<_, _>>()?,
    })
}

pub(super) async fn applied_of(store: &PostgresStore, ids: &[DecisionId]) -> Result<Vec<AppliedRow>, StoreError> {
    let rows: Vec<AppliedColumns> = sqlx::query_as(
        "select decision_id, slot, exposed, accepted, reward_minor, steps, due_at from applied \
         where decision_id = any ($1)",
    )
    .bind(ids.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(column::applied).collect()
}

pub(super) async fn learn(store: &PostgresStore, term: u64, learned: &Learned) -> Result<bool, StoreError> {
    reach(Step::LearnBegin);
    let mut transaction = store.begin().await?;
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

async fn append_events(connection: &mut PgConnection, learned: &Learned) -> Result<(), StoreError> {
    let models = work::models(learned);
    let rows: Vec<(Vec<u8>, i64)> = sqlx::query_as("select model_id, sequence from model where model_id = any ($1)")
        .bind(models.iter().map(|model| model.0.as_slice()).collect::<Vec<_>>())
        .fetch_all(&mut *connection)
        .await?;
    let heads = rows.iter().map(head).collect::<Result<_, _>>()?;
    let mut after: Vec<(ModelId, i64)> = Vec::with_capacity(models.len());
    for (model, sequence) in work::continued(heads, &learned.events)? {
        after.push((model, column::signed(sequence)?));
    }
    sqlx::query(
        "insert into model (model_id, sequence) select * from unnest($1::bytea[], $2::int8[]) \
         on conflict (model_id) do update set sequence = excluded.sequence",
    )
    .bind(after.iter().map(|(model, _)| model.0.as_slice()).collect::<Vec<_>>())
    .bind(after.iter().map(|(_, sequence)| *sequence).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let events = &learned.events;
    let sequences = events.iter().map(|event| column::signed(event.sequence)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "insert into learning_event (model_id, sequence, decision_id, subject_id, sealed) \
         select * from unnest($1::bytea[], $2::int8[], $3::bytea[], $4::bytea[], $5::bytea[])",
    )
    .bind(events.iter().map(|event| event.model.0.as_slice()).collect::<Vec<_>>())
    .bind(sequences)
    .bind(events.iter().map(|event| event.decision_id.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.subject.as_ref().map(|subject| subject.0.as_slice())).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.sealed.as_slice()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn apply(connection: &mut PgConnection, rows: &[AppliedRow]) -> Result<(), StoreError> {
    let slots = rows.iter().map(|row| column::slot(row.slot)).collect::<Result<Vec<_>, _>>()?;
    let steps = rows.iter().map(|row| column::steps(row.applied.steps)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "insert into applied (decision_id, slot, exposed, accepted, reward_minor, steps, due_at) \
         select * from unnest($1::bytea[], $2::int2[], $3::boolean[], $4::boolean[], $5::int8[], $6::int2[], \
             $7::int8[]) \
         on conflict (decision_id, slot) do update set exposed = excluded.exposed, accepted = excluded.accepted, \
             reward_minor = excluded.reward_minor, steps = excluded.steps, due_at = excluded.due_at",
    )
    .bind(rows.iter().map(|row| row.decision_id.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(slots)
    .bind(rows.iter().map(|row| row.applied.exposed).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.applied.accepted).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.applied.reward_minor).collect::<Vec<_>>())
    .bind(steps)
    .bind(rows.iter().map(|row| row.due.map(|due| due.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn mark(connection: &mut PgConnection, learned: &Learned) -> Result<(), StoreError> {
    let batches = &learned.batches;
    let incarnations = batches.iter().map(|batch| column::signed(batch.incarnation)).collect::<Result<Vec<_>, _>>()?;
    let numbers = batches.iter().map(|batch| column::signed(batch.number)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "update batch b set learned = true \
         from unnest($1::text[], $2::int8[], $3::int8[]) as done (node, incarnation, number) \
         where b.node = done.node and b.incarnation = done.incarnation and b.number = done.number",
    )
    .bind(batches.iter().map(|batch| batch.node.as_str()).collect::<Vec<_>>())
    .bind(incarnations)
    .bind(numbers)
    .execute(&mut *connection)
    .await?;
    sqlx::query("update outcome set applied = true where key = any ($1)")
        .bind(learned.outcomes.iter().map(|key| key.0.as_slice()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    sqlx::query("update applied set due_at = null where decision_id = any ($1)")
        .bind(learned.given_up.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes checkpoints and keeps the newest two of each model: one to start from, and one should that be unreadable.
pub(super) async fn insert_checkpoints(
    connection: &mut PgConnection,
    rows: &[CheckpointRow],
) -> Result<(), StoreError> {
    for row in rows {
        sqlx::query(
            "insert into checkpoint (model_id, sequence, digest, state) values ($1, $2, $3, $4) \
             on conflict (model_id, sequence) do update set digest = excluded.digest, state = excluded.state",
        )
        .bind(row.model.0.as_slice())
        .bind(column::signed(row.sequence)?)
        .bind(row.digest.0.as_slice())
        .bind(&row.state)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "delete from checkpoint where model_id = $1 and sequence < \
             (select min(sequence) from (select sequence from checkpoint where model_id = $1 \
                 order by sequence desc limit 2) newest)",
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

pub(super) async fn model_heads(store: &PostgresStore) -> Result<Vec<(ModelId, u64)>, StoreError> {
    let rows: Vec<(Vec<u8>, i64)> =
        sqlx::query_as("select model_id, sequence from model order by model_id").fetch_all(&store.pool).await?;
    rows.iter().map(head).collect()
}

pub(super) async fn events(
    store: &PostgresStore,
    model: ModelId,
    after: u64,
    limit: u32,
) -> Result<Vec<LearningRow>, StoreError> {
    let rows: Vec<LearningColumns> = sqlx::query_as(
        "select e.model_id, e.sequence, e.decision_id, e.subject_id, e.sealed, \
             coalesce(i.wrapped_key, w.wrapped_key) from learning_event e \
         left join identity i on i.subject_id = e.subject_id left join erasing w on w.subject_id = e.subject_id \
         where e.model_id = $1 and e.sequence > $2 order by e.sequence limit $3",
    )
    .bind(model.0.as_slice())
    .bind(column::signed(after)?)
    .bind(i64::from(limit))
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(column::learning).collect()
}

pub(super) async fn checkpoint(
    store: &PostgresStore,
    model: ModelId,
    events_max: Option<u64>,
) -> Result<Option<CheckpointRow>, StoreError> {
    let row: Option<CheckpointColumns> = sqlx::query_as(
        "select model_id, sequence, digest, state from checkpoint where model_id = $1 and sequence <= $2 \
         order by sequence desc limit 1",
    )
    .bind(model.0.as_slice())
    .bind(events_max.map_or(Ok(i64::MAX), column::signed)?)
    .fetch_optional(&store.pool)
    .await?;
    row.map(column::checkpoint).transpose()
}

pub(super) async fn totals(store: &PostgresStore) -> Result<Totals, StoreError> {
    let row: TotalsColumns = sqlx::query_as(
        "select (select count(*) from decision), (select count(*) from outcome), \
             (select count(*) from batch where not learned), \
             (select count(*) from outcome where decision_id is not null and not applied)",
    )
    .fetch_one(&store.pool)
    .await?;
    column::totals(row)
}

pub(super) async fn backlog(store: &PostgresStore) -> Result<Backlog, StoreError> {
    let (batches, outcomes): (i64, i64) = sqlx::query_as(
        "select (select count(*) from batch where not learned), \
             (select count(*) from outcome where decision_id is not null and not applied)",
    )
    .fetch_one(&store.pool)
    .await?;
    Ok(Backlog { batches_unlearned: column::natural(batches)?, outcomes_unapplied: column::natural(outcomes)? })
}
