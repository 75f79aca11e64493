//! Outcomes: each key once, and a refund finds its order's decision whichever comes first.

use std::sync::Arc;

use proffer::domain::outcome::{OutcomeFact, OutcomeKind};
use proffer::domain::{Currency, DecisionId, Timestamp};
use proffer::store::{OutcomeRow, Taken};

use super::make::{decision_id, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    an_outcome_is_stored_once,
    of_equal_keys_in_one_call_the_first_counts,
    a_refund_takes_the_decision_of_its_order,
    a_refund_before_its_order_waits_for_it,
    refund_and_order_may_come_in_one_call,
    a_chain_of_corrections_is_linked_in_any_order,
    an_outcome_that_names_no_decision_stays_unmatched,
    a_refund_and_its_order_at_the_same_moment_are_linked,
}

pub fn order(key: u8, decision: Option<DecisionId>) -> OutcomeRow {
    OutcomeRow {
        fact: OutcomeFact {
            key: digest(key),
            kind: OutcomeKind::Order,
            occurred_at: Timestamp(1_000 + i64::from(key)),
            refers_to: None,
            revenue_minor: Some(5990),
            margin_minor: None,
            slot: 0,
        },
        source: "shop".to_owned(),
        received_at: Timestamp(2_000),
        decision_id: decision,
        subject: None,
        claim: vec![1],
        currency: Some(Currency::parse("USD").unwrap()),
        awaits: None,
    }
}

pub fn refund(key: u8, refers_to: u8) -> OutcomeRow {
    let mut refund = order(key, None);
    refund.fact.kind = OutcomeKind::Refund;
    refund.fact.refers_to = Some(digest(refers_to));
    refund.fact.margin_minor = Some(-7);
    refund.currency = None;
    refund
}

async fn an_outcome_is_stored_once(database: Arc<Database>) {
    let store = database.open().await;
    let first = order(1, Some(decision_id(1)));
    let mut second = order(1, Some(decision_id(2)));
    second.fact.revenue_minor = Some(1);
    assert_eq!(store.take_outcomes(std::slice::from_ref(&first)).await.unwrap(), [Taken::Accepted(decision_id(1))]);
    assert_eq!(store.take_outcomes(&[second]).await.unwrap(), [Taken::Duplicate]);
    assert_eq!(store.outcomes_of(decision_id(1)).await.unwrap(), [first.fact]);
    assert_eq!(store.outcomes_of(decision_id(2)).await.unwrap(), []);
    assert_eq!(store.take_outcomes(&[]).await.unwrap(), []);
    assert_eq!(store.totals().await.unwrap().outcomes, 1);
}

async fn of_equal_keys_in_one_call_the_first_counts(database: Arc<Database>) {
    let store = database.open().await;
    let call = [order(2, Some(decision_id(1))), order(1, None), order(2, Some(decision_id(2))), order(1, None)];
    let expected = [Taken::Accepted(decision_id(1)), Taken::Unmatched, Taken::Duplicate, Taken::Duplicate];
    assert_eq!(store.take_outcomes(&call).await.unwrap(), expected);
    assert_eq!(store.outcomes_of(decision_id(1)).await.unwrap(), [call[0].fact]);
}

async fn a_refund_takes_the_decision_of_its_order(database: Arc<Database>) {
    let store = database.open().await;
    let (order, refund) = (order(9, Some(decision_id(1))), refund(2, 9));
    store.take_outcomes(std::slice::from_ref(&order)).await.unwrap();
    assert_eq!(store.take_outcomes(std::slice::from_ref(&refund)).await.unwrap(), [Taken::Accepted(decision_id(1))]);
    assert_eq!(store.outcomes_of(decision_id(1)).await.unwrap(), [refund.fact, order.fact]);
}

async fn a_refund_before_its_order_waits_for_it(database: Arc<Database>) {
    let store = database.open().await;
    let (order, refund) = (order(1, Some(decision_id(1))), refund(2, 1));
    assert_eq!(store.take_outcomes(std::slice::from_ref(&refund)).await.unwrap(), [Taken::Unmatched]);
    assert_eq!(store.totals().await.unwrap().outcomes_unapplied, 0);
    assert_eq!(store.learner_work(10, Timestamp(0)).await.unwrap().outcomes, []);
    assert_eq!(store.take_outcomes(std::slice::from_ref(&order)).await.unwrap(), [Taken::Accepted(decision_id(1))]);
    assert_eq!(store.outcomes_of(decision_id(1)).await.unwrap(), [order.fact, refund.fact]);
    assert_eq!(store.totals().await.unwrap().outcomes_unapplied, 2);
    assert_eq!(store.learner_work(10, Timestamp(0)).await.unwrap().outcomes, [order.fact.key, refund.fact.key]);
    assert_eq!(store.take_outcomes(&[refund]).await.unwrap(), [Taken::Duplicate]);
}

async fn refund_and_order_may_come_in_one_call(database: Arc<Database>) {
    let store = database.open().await;
    let call = [refund(1, 2), order(2, Some(decision_id(1))), refund(3, 2), refund(4, 5)];
    let accepted = Taken::Accepted(decision_id(1));
    assert_eq!(store.take_outcomes(&call).await.unwrap(), [accepted, accepted, accepted, Taken::Unmatched]);
    assert_eq!(store.outcomes_of(decision_id(1)).await.unwrap().len(), 3);
}

async fn a_chain_of_corrections_is_linked_in_any_order(database: Arc<Database>) {
    let store = database.open().await;
    let chain = |first: u8| {
        [order(first, Some(decision_id(first.into()))), refund(first + 1, first), refund(first + 2, first + 1)]
    };
    let orders: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (at, places) in (0_u8..).zip(orders) {
        let one_by_one = chain(10 * at);
        for place in places {
            store.take_outcomes(std::slice::from_ref(&one_by_one[place])).await.unwrap();
        }
        let at_once = chain(100 + 10 * at);
        let taken = store.take_outcomes(&places.map(|place| at_once[place].clone())).await.unwrap();
        assert_eq!(taken, [Taken::Accepted(decision_id(u32::from(100 + 10 * at))); 3]);
        for chain in [one_by_one, at_once] {
            let facts = store.outcomes_of(chain[0].decision_id.unwrap()).await.unwrap();
            assert_eq!(facts, chain.map(|row| row.fact), "{places:?}");
        }
    }
}

async fn an_outcome_that_names_no_decision_stays_unmatched(database: Arc<Database>) {
    let store = database.open().await;
    // One that refers to itself must not be waited for either.
    assert_eq!(store.take_outcomes(&[order(1, None), refund(2, 2)]).await.unwrap(), [Taken::Unmatched; 2]);
    assert_eq!(store.take_outcomes(&[refund(3, 1)]).await.unwrap(), [Taken::Unmatched]);
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.outcomes, totals.outcomes_unapplied), (3, 0));
}

async fn a_refund_and_its_order_at_the_same_moment_are_linked(database: Arc<Database>) {
    let stores = [database.open().await, database.open().await];
    for round in 0..60_u8 {
        let id = decision_id(u32::from(round));
        let (order, refund) = ([order(round, Some(id))], [refund(100 + round, round)]);
        let (left, right) = tokio::join!(stores[0].take_outcomes(&order), stores[1].take_outcomes(&refund));
        assert_eq!(left.unwrap(), [Taken::Accepted(id)]);
        right.unwrap();
        assert_eq!(stores[0].outcomes_of(id).await.unwrap().len(), 2, "round {round}");
    }
}
