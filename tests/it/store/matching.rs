//! Matching: outcomes read back by key, those that wait for a decision, and what follows once they have it.

use std::sync::Arc;

use proffer::domain::DecisionId;
use proffer::domain::outcome::{EVERY_SLOT, OutcomeKind};
use proffer::store::{Match, OutcomeRow, Taken};

use super::make::{decision_id, digest};
use super::outcomes::{order, refund};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    an_outcome_is_read_back_as_it_was_stored,
    what_waits_for_a_decision_is_found_and_matched_once,
    what_refers_to_a_matched_outcome_follows_with_its_slot,
    what_turns_out_to_belong_to_none_waits_no_longer,
}

/// An order that names a decision nobody knows yet.
fn waiting(key: u8, decision: DecisionId) -> OutcomeRow {
    OutcomeRow { awaits: Some(decision), ..order(key, None) }
}

async fn an_outcome_is_read_back_as_it_was_stored(database: Arc<Database>) {
    let store = database.open().await;
    let mut seen = order(3, Some(decision_id(1)));
    seen.fact.kind = OutcomeKind::Impression;
    seen.fact.slot = EVERY_SLOT;
    let mut second = order(1, Some(decision_id(1)));
    second.fact.slot = 1;
    let rows = [seen.clone(), second.clone(), waiting(2, decision_id(2)), refund(4, 9)];
    store.take_outcomes(&rows).await.unwrap();
    let kept = store.outcomes_by_key(&[3, 9, 1, 2, 4].map(digest)).await.unwrap();
    let found: Vec<OutcomeRow> = kept.iter().map(|kept| kept.row.clone()).collect();
    assert_eq!(found, [second.clone(), waiting(2, decision_id(2)), seen.clone(), refund(4, 9)]);
    assert!(kept.iter().all(|kept| !kept.applied && kept.wrapped_key.is_none()));
    assert_eq!(store.outcomes_by_key(&[]).await.unwrap(), []);
    let both = [decision_id(1), decision_id(2)];
    let facts = store.outcomes_of_all(&both).await.unwrap();
    assert_eq!(facts, [(decision_id(1), second.fact), (decision_id(1), seen.fact)]);
    assert!(seen.fact.is_of(0) && seen.fact.is_of(7) && second.fact.is_of(1) && !second.fact.is_of(0));
}

async fn what_waits_for_a_decision_is_found_and_matched_once(database: Arc<Database>) {
    let store = database.open().await;
    let rows = [waiting(1, decision_id(1)), waiting(2, decision_id(2)), order(3, None)];
    assert_eq!(store.take_outcomes(&rows).await.unwrap(), [Taken::Unmatched; 3]);
    let found = store.outcomes_awaiting(&[decision_id(1), decision_id(7)]).await.unwrap();
    assert_eq!(found.iter().map(|kept| kept.row.fact.key).collect::<Vec<_>>(), [digest(1)]);
    let found = Match { key: digest(1), to: Some((decision_id(1), 2)) };
    store.match_outcomes(&[found]).await.unwrap();
    // Again, and to another: it keeps what it has.
    store.match_outcomes(&[found]).await.unwrap();
    store.match_outcomes(&[Match { to: Some((decision_id(9), 0)), ..found }]).await.unwrap();
    assert_eq!(store.outcomes_awaiting(&[decision_id(1)]).await.unwrap(), []);
    let facts = store.outcomes_of(decision_id(1)).await.unwrap();
    assert_eq!(facts.iter().map(|fact| (fact.key, fact.slot)).collect::<Vec<_>>(), [(digest(1), 2)]);
    assert_eq!(store.outcomes_of(decision_id(9)).await.unwrap(), []);
    assert_eq!(store.totals().await.unwrap().outcomes_unapplied, 1, "the learner takes it up");
}

async fn what_refers_to_a_matched_outcome_follows_with_its_slot(database: Arc<Database>) {
    let store = database.open().await;
    store.take_outcomes(&[refund(5, 4), refund(4, 1), waiting(1, decision_id(1))]).await.unwrap();
    store.match_outcomes(&[Match { key: digest(1), to: Some((decision_id(1), 3)) }]).await.unwrap();
    let facts = store.outcomes_of(decision_id(1)).await.unwrap();
    assert_eq!(facts.iter().map(|fact| fact.slot).collect::<Vec<_>>(), [3, 3, 3]);
    assert_eq!(store.take_outcomes(&[refund(6, 1)]).await.unwrap(), [Taken::Accepted(decision_id(1))]);
    let late = store.outcomes_by_key(&[digest(6)]).await.unwrap();
    assert_eq!(late[0].row.fact.slot, 3);
}

async fn what_turns_out_to_belong_to_none_waits_no_longer(database: Arc<Database>) {
    let store = database.open().await;
    store.take_outcomes(&[waiting(1, decision_id(1))]).await.unwrap();
    store.match_outcomes(&[Match { key: digest(1), to: None }]).await.unwrap();
    assert_eq!(store.outcomes_awaiting(&[decision_id(1)]).await.unwrap(), []);
    assert_eq!(store.outcomes_of(decision_id(1)).await.unwrap(), []);
    assert_eq!(store.outcomes_by_key(&[digest(1)]).await.unwrap()[0].row.awaits, None);
}
