//! Outcomes in SQLite: kept under their keys and linked to one another. Folds no reward.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{QueryBuilder, SqliteConnection};

use crate::domain::outcome::OutcomeFact;
use crate::domain::{DecisionId, Digest};
use crate::store::column;
use crate::store::steps::{Step, reach};
use crate::store::{OutcomeRow, StoreError, Taken, outcome_code, work};

use super::SqliteStore;
use super::statement::{key_pieces, push_keys, row_pieces};

type Decisions = BTreeMap<Digest, DecisionId>;

pub(super) async fn take(store: &SqliteStore, outcomes: &[OutcomeRow]) -> Result<Vec<Taken>, StoreError> {
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    reach(Step::OutcomesBegin);
    let firsts = work::firsts(outcomes);
    let mut writer = store.writer.lock().await;
    let mut transaction = store.begin(&mut writer).await?;
    let new = insert(&mut transaction, &firsts).await?;
    let decisions = link(&mut transaction, &firsts, &new).await?;
    reach(Step::OutcomesWritten);
    transaction.commit().await?;
    reach(Step::OutcomesDurable);
    Ok(work::taken(outcomes, new, &decisions))
}

/// Writes what is new and tells its keys.
async fn insert(connection: &mut SqliteConnection, firsts: &[&OutcomeRow]) -> Result<BTreeSet<Digest>, StoreError> {
    let mut new = BTreeSet::new();
    for piece in row_pieces(firsts) {
        let mut statement = QueryBuilder::new(
            "insert into outcome (key, kind, occurred_at, refers_to, revenue_minor, margin_minor, currency, source, \
             received_at, decision_id, subject_id, claim, slot, awaits) ",
        );
        statement.push_values(piece, |mut row, outcome| {
            row.push_bind(outcome.fact.key.0.as_slice())
                .push_bind(outcome_code(outcome.fact.kind))
                .push_bind(outcome.fact.occurred_at.0)
                .push_bind(outcome.fact.refers_to.as_ref().map(|key| key.0.as_slice()))
                .push_bind(outcome.fact.revenue_minor)
                .push_bind(outcome.fact.margin_minor)
                .push_bind(outcome.currency.as_ref().map(crate::domain::Currency::as_str))
                .push_bind(&outcome.source)
                .push_bind(outcome.received_at.0)
                .push_bind(outcome.decision_id.as_ref().map(|id| id.as_bytes().as_slice()))
                .push_bind(outcome.subject.as_ref().map(|id| id.0.as_slice()))
                .push_bind(outcome.claim.as_slice())
                .push_bind(outcome.fact.slot.cast_signed())
                .push_bind(outcome.awaits.as_ref().map(|id| id.as_bytes().as_slice()));
        });
        statement.push(" on conflict do nothing returning key");
        let rows: Vec<(Vec<u8>,)> = statement.build_query_as().fetch_all(&mut *connection).await?;
        for (key,) in rows {
            new.insert(column::digest(&key)?);
        }
    }
    Ok(new)
}

/// Hands decisions on to new outcomes without one and, from new outcomes, to those that were waiting; tells the
/// decision of every outcome it knows one of.
async fn link(
    connection: &mut SqliteConnection,
    firsts: &[&OutcomeRow],
    new: &BTreeSet<Digest>,
) -> Result<Decisions, StoreError> {
    let rows = || firsts.iter().filter(|outcome| new.contains(&outcome.fact.key));
    let mut decisions: Decisions = rows().filter_map(|row| Some((row.fact.key, row.decision_id?))).collect();
    let without: Vec<[u8; 32]> =
        rows().filter(|row| row.decision_id.is_none()).map(|outcome| outcome.fact.key.0).collect();
    decisions.extend(take_over(connection, "key", &without).await?);
    let known = decisions.keys().map(|key| key.0).collect();
    decisions.extend(hand_on(connection, known).await?);
    Ok(decisions)
}

/// Hands the decisions of these outcomes to those that refer to them, and so on: a refund may wait for a refund that
/// waits for its order. As long as somebody got a decision, somebody may wait for it.
pub(super) async fn hand_on(
    connection: &mut SqliteConnection,
    mut frontier: Vec<[u8; 32]>,
) -> Result<Decisions, StoreError> {
    let mut decisions = Decisions::new();
    while !frontier.is_empty() {
        let linked = take_over(connection, "refers_to", &frontier).await?;
        frontier = linked.keys().map(|key| key.0).collect();
        decisions.extend(linked);
    }
    Ok(decisions)
}

/// Gives outcomes without a decision, among those whose `column` is one of the keys, the decision of what they
/// refer to.
async fn take_over(
    connection: &mut SqliteConnection,
    column: &'static str,
    keys: &[[u8; 32]],
) -> Result<Decisions, StoreError> {
    let mut linked = Decisions::new();
    for piece in key_pieces(keys) {
        let mut statement = QueryBuilder::new(
            "update outcome set decision_id = r.decision_id, slot = r.slot, awaits = null from outcome r \
             where outcome.decision_id is null and r.key = outcome.refers_to and r.decision_id is not null \
                 and (r.currency = outcome.currency or outcome.currency is null or r.currency is null) \
                 and outcome.",
        );
        push_keys(statement.push(column).push(" in "), piece);
        statement.push(" returning key, decision_id");
        let rows: Vec<(Vec<u8>, Vec<u8>)> = statement.build_query_as().fetch_all(&mut *connection).await?;
        for (key, decision) in rows {
            linked.insert(column::digest(&key)?, column::decision_id(&decision)?);
        }
    }
    Ok(linked)
}

pub(super) async fn of(store: &SqliteStore, decision: DecisionId) -> Result<Vec<OutcomeFact>, StoreError> {
    let facts = facts_on(&mut *store.readers.acquire().await?, &[decision]).await?;
    Ok(facts.into_iter().map(|(_, fact)| fact).collect())
}

/// The outcomes of several decisions, by key.
pub(super) async fn facts_on(
    connection: &mut SqliteConnection,
    decisions: &[DecisionId],
) -> Result<Vec<(DecisionId, OutcomeFact)>, StoreError> {
    let keys: Vec<[u8; 16]> = decisions.iter().map(|id| *id.as_bytes()).collect();
    let mut facts = Vec::new();
    for piece in key_pieces(&keys) {
        let mut statement = QueryBuilder::new(
            "select decision_id, key, kind, occurred_at, refers_to, revenue_minor, margin_minor, slot from outcome \
             where decision_id in ",
        );
        push_keys(&mut statement, piece);
        statement.push(" order by key");
        let rows: Vec<column::AttributedColumns> = statement.build_query_as().fetch_all(&mut *connection).await?;
        for row in rows {
            facts.push(column::attributed(row)?);
        }
    }
    Ok(facts)
}
