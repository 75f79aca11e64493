//! The learner's lease: one holder at a time by the store's clock, terms that only grow, and writes that keep it.

use std::sync::Arc;

use proffer::domain::Span;
use proffer::store::{Holder, Learned, Lease, Store};

use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    nobody_is_elected_while_another_holds_the_lease,
    an_expired_lease_is_taken_by_one_of_many,
    a_later_start_of_the_same_node_need_not_wait_and_an_earlier_one_comes_never_back,
    a_lease_is_renewed_by_its_term_alone_and_by_every_write,
    a_lease_given_up_is_free_at_once,
}

/// Longer than any test.
const LONG: Span = Span(600_000);
const SHORT: Span = Span(150);

fn holder(node: &str, incarnation: u64) -> Holder {
    Holder { node: node.to_owned(), incarnation }
}

/// Stands for election with a lease that outlasts the test.
pub async fn elected(store: &dyn Store, node: &str, incarnation: u64) -> Option<u64> {
    store.elect(&holder(node, incarnation), LONG).await.unwrap()
}

/// Waits until the lease has expired by the store's clock.
async fn expired(store: &dyn Store) -> Lease {
    loop {
        let lease = store.lease().await.unwrap();
        if !lease.held {
            return lease;
        }
    }
}

async fn nobody_is_elected_while_another_holds_the_lease(database: Arc<Database>) {
    let (one, other) = (database.open().await, database.open().await);
    let none = one.lease().await.unwrap();
    assert_eq!((none.term, none.held), (0, false));
    assert_eq!(elected(&*one, "a", 1).await, Some(1));
    assert_eq!(elected(&*other, "b", 9).await, None);
    let lease = other.lease().await.unwrap();
    assert_eq!((lease.term, lease.holder, lease.held), (1, holder("a", 1), true));
    let left = lease.until.0 - other.now().await.unwrap().0;
    assert!(left > LONG.0 - 60_000 && left <= LONG.0, "{left}");
    // The holder itself may ask for a new term.
    assert_eq!(elected(&*one, "a", 1).await, Some(2));
    assert!(!one.learn(1, &Learned::default()).await.unwrap());
}

async fn an_expired_lease_is_taken_by_one_of_many(database: Arc<Database>) {
    let store = database.open().await;
    for round in 1..=5 {
        let nodes = (0..8).map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.elect(&holder(&format!("{round}-{number}"), 1), SHORT).await.unwrap() })
        });
        let mut terms = Vec::new();
        for node in nodes.collect::<Vec<_>>() {
            terms.extend(node.await.unwrap());
        }
        assert_eq!(terms, [round], "exactly one of those who asked at once is elected");
        assert_eq!(expired(&*store).await.term, round);
    }
}

async fn a_later_start_of_the_same_node_need_not_wait_and_an_earlier_one_comes_never_back(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(elected(&*store, "a", 3).await, Some(1));
    assert_eq!(elected(&*store, "a", 4).await, Some(2));
    assert_eq!(elected(&*store, "a", 3).await, None);
    assert!(!store.renew_term(1).await.unwrap());
    assert_eq!(store.lease().await.unwrap().holder, holder("a", 4));
}

async fn a_lease_is_renewed_by_its_term_alone_and_by_every_write(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(store.elect(&holder("a", 1), SHORT).await.unwrap(), Some(1));
    assert!(!store.renew_term(2).await.unwrap());
    let first = expired(&*store).await;
    // Nobody else was elected, so that it goes on.
    assert!(store.renew_term(1).await.unwrap());
    let renewed = store.lease().await.unwrap();
    assert!(renewed.until > first.until);
    let expired_again = expired(&*store).await;
    assert!(store.learn(1, &Learned::default()).await.unwrap());
    let written = store.lease().await.unwrap();
    assert!(written.until > expired_again.until);
    expired(&*store).await;
    // Somebody else is elected: neither renews any more.
    assert_eq!(elected(&*store, "b", 1).await, Some(2));
    let taken = store.lease().await.unwrap();
    assert!(!store.renew_term(1).await.unwrap() && !store.learn(1, &Learned::default()).await.unwrap());
    store.release_term(1).await.unwrap();
    assert_eq!(store.lease().await.unwrap(), taken);
    // A shorter lease asked for later does not end a longer one that was given.
    assert!(store.renew_term(2).await.unwrap());
    assert!(store.lease().await.unwrap().until >= taken.until);
}

async fn a_lease_given_up_is_free_at_once(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(elected(&*store, "a", 1).await, Some(1));
    store.release_term(1).await.unwrap();
    let lease = store.lease().await.unwrap();
    assert_eq!((lease.term, lease.holder, lease.held), (1, holder("a", 1), false));
    assert_eq!(elected(&*store, "b", 1).await, Some(2));
    // What was given up is fenced from then on.
    assert!(!store.renew_term(1).await.unwrap());
}
