//! Outcomes in PostgreSQL: kept under their keys and linked to one another. Folds no reward.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use crate::domain::outcome::OutcomeFact;
use crate::domain::{Currency, DecisionId, Digest};
use crate::store::column;
use crate::store::steps::{Step, reach};
use crate::store::{OutcomeRow, StoreError, Taken, outcome_code, work};

use super::PostgresStore;

type Decisions = BTreeMap<Digest, DecisionId>;

pub(super) async fn take(store: &PostgresStore, outcomes: &[OutcomeRow]) -> Result<Vec<Taken>, StoreError> {
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    reach(Step::OutcomesBegin);
    let firsts = work::firsts(outcomes);
    let mut transaction = store.begin().await?;
    // A refund and its order that come at once by two connections would not see one another, and never be linked. So
    // whoever brings an outcome that has to look for its decision is alone; the others may come together.
    let lock = if firsts.iter().all(|outcome| outcome.decision_id.is_some()) {
        "select pg_advisory_xact_lock_shared('outcome'::regclass::oid::int4, 0)"
    } else {
        "select pg_advisory_xact_lock('outcome'::regclass::oid::int4, 0)"
    };
    sqlx::query(lock).execute(&mut *transaction).await?;
    let new = insert(&mut transaction, &firsts).await?;
    let decisions = link(&mut transaction, &firsts, &new).await?;
    reach(Step::OutcomesWritten);
    transaction.commit().await?;
    reach(Step::OutcomesDurable);
    Ok(work::taken(outcomes, new, &decisions))
}

/// Writes what is new and tells its keys.
async fn insert(connection: &mut PgConnection, firsts: &[&OutcomeRow]) -> Result<BTreeSet<Digest>, StoreError> {
    let facts = || firsts.iter().map(|outcome| &outcome.fact);
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
        "insert into outcome (key, kind, occurred_at, refers_to, revenue_minor, margin_minor, currency, source, \
             received_at, decision_id, subject_id, claim, slot, awaits) \
         select * from unnest($1::bytea[], $2::int2[], $3::int8[], $4::bytea[], $5::int8[], $6::int8[], $7::text[], \
             $8::text[], $9::int8[], $10::bytea[], $11::bytea[], $12::bytea[], $13::int2[], $14::bytea[]) \
         on conflict do nothing returning key",
    )
    .bind(facts().map(|fact| fact.key.0.as_slice()).collect::<Vec<_>>())
    .bind(facts().map(|fact| outcome_code(fact.kind)).collect::<Vec<_>>())
    .bind(facts().map(|fact| fact.occurred_at.0).collect::<Vec<_>>())
    .bind(facts().map(|fact| fact.refers_to.as_ref().map(|key| key.0.as_slice())).collect::<Vec<_>>())
    .bind(facts().map(|fact| fact.revenue_minor).collect::<Vec<_>>())
    .bind(facts().map(|fact| fact.margin_minor).collect::<Vec<_>>())
    .bind(firsts.iter().map(|outcome| outcome.currency.as_ref().map(Currency::as_str)).collect::<Vec<_>>())
    .bind(firsts.iter().map(|outcome| outcome.source.as_str()).collect::<Vec<_>>())
    .bind(firsts.iter().map(|outcome| outcome.received_at.0).collect::<Vec<_>>())
    .bind(firsts.iter().map(|o| o.decision_id.as_ref().map(|id| id.as_bytes().as_slice())).collect::<Vec<_>>())
    .bind(firsts.iter().map(|o| o.subject.as_ref().map(|id| id.0.as_slice())).collect::<Vec<_>>())
    .bind(firsts.iter().map(|o| o.claim.as_slice()).collect::<Vec<_>>())
    .bind(facts().map(|fact| fact.slot.cast_signed()).collect::<Vec<_>>())
    .bind(firsts.iter().map(|o| o.awaits.as_ref().map(|id| id.as_bytes().as_slice())).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|(key,)| column::digest(key)).collect()
}

/// Hands decisions on to new outcomes without one and, from new outcomes, to those that were waiting; tells the
/// decision of every outcome it knows one of.
async fn link(
    connection: &mut PgConnection,
    firsts: &[&OutcomeRow],
    new: &BTreeSet<Digest>,
) -> Result<Decisions, StoreError> {
    let rows = || firsts.iter().filter(|outcome| new.contains(&outcome.fact.key));
    let mut decisions: Decisions = rows().filter_map(|row| Some((row.fact.key, row.decision_id?))).collect();
    let without: Vec<Digest> = rows().filter(|row| row.decision_id.is_none()).map(|row| row.fact.key).collect();
    decisions.extend(take_over(connection, "key", &without).await?);
    let known = decisions.keys().copied().collect();
    decisions.extend(hand_on(connection, known).await?);
    Ok(decisions)
}

/// Hands the decisions of these outcomes to those that refer to them, and so on: a refund may wait for a refund that
/// waits for its order. As long as somebody got a decision, somebody may wait for it.
pub(super) async fn hand_on(connection: &mut PgConnection, mut frontier: Vec<Digest>) -> Result<Decisions, StoreError> {
    let mut decisions = Decisions::new();
    while !frontier.is_empty() {
        let linked = take_over(connection, "refers_to", &frontier).await?;
        frontier = linked.keys().copied().collect();
        decisions.extend(linked);
    }
    Ok(decisions)
}

/// Gives outcomes without a decision, among those whose `column` is one of the keys, the decision of what they
/// refer to.
async fn take_over(connection: &mut PgConnection, column: &str, keys: &[Digest]) -> Result<Decisions, StoreError> {
    if keys.is_empty() {
        return Ok(Decisions::new());
    }
    let statement = if column == "key" {
        "update outcome o set decision_id = r.decision_id, slot = r.slot, awaits = null from outcome r \
         where o.key = any ($1) and o.decision_id is null and r.key = o.refers_to and r.decision_id is not null \
             and (r.currency = o.currency or o.currency is null or r.currency is null) \
         returning o.key, o.decision_id"
    } else {
        "update outcome o set decision_id = r.decision_id, slot = r.slot, awaits = null from outcome r \
         where o.refers_to = any ($1) and o.decision_id is null and r.key = o.refers_to \
             and r.decision_id is not null \
             and (r.currency = o.currency or o.currency is null or r.currency is null) \
         returning o.key, o.decision_id"
    };
    let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(statement)
        .bind(keys.iter().map(|key| key.0.as_slice()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|(key, decision)| Ok((column::digest(key)?, column::decision_id(decision)?))).collect()
}

pub(super) async fn of(store: &PostgresStore, decision: DecisionId) -> Result<Vec<OutcomeFact>, StoreError> {
    Ok(facts(store, &[decision]).await?.into_iter().map(|(_, fact)| fact).collect())
}

/// The outcomes of several decisions, by key.
pub(super) async fn facts(
    store: &PostgresStore,
    decisions: &[DecisionId],
) -> Result<Vec<(DecisionId, OutcomeFact)>, StoreError> {
    let rows: Vec<column::AttributedColumns> = sqlx::query_as(
        "select decision_id, key, kind, occurred_at, refers_to, revenue_minor, margin_minor, slot from outcome \
         where decision_id = any ($1) order by key",
    )
    .bind(decisions.iter().map(|id| id.as_bytes().as_slice()).collect::<Vec<_>>())
    .fetch_all(&store.pool)
    .await?;
    rows.into_iter().map(column::attributed).collect()
}
