//! Commits at the same time: none lost, none stored twice, none waiting for ever.

use std::sync::Arc;
use std::time::Duration;

use proffer::engine::batch::{Batch, CommitOutcome};
use proffer::store::Store;

use super::make::{
    BY, batch, decision, decision_id, digest, new_subject, only_read, reference, state, subject, written,
};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    eight_writers_of_one_subject_lose_no_update,
    overlapping_subjects_in_opposite_order_neither_deadlock_nor_lose_an_update,
    of_two_batches_with_the_same_decisions_one_is_stored_and_answers_the_other,
    of_two_batches_with_the_same_new_subject_one_is_stored,
    of_two_batches_that_read_what_the_other_makes_one_is_stored,
    of_two_batches_that_only_read_the_same_new_subjects_both_are_stored,
    a_bundle_is_activated_while_commits_overlap,
}

/// Commits a change of these subjects on whatever versions are stored, as often as it takes.
async fn change(store: &dyn Store, node: &str, number: u64, subjects: &[u16]) {
    loop {
        let mut touched = Vec::new();
        for number in subjects {
            let row = store.find_subject(&reference(*number)).await.unwrap().unwrap();
            touched.push(written(*number, row.version));
        }
        let batch = Batch { node: node.to_owned(), ..batch(number, touched, vec![]) };
        match store.commit(&batch).await.unwrap() {
            CommitOutcome::Stored => return,
            CommitOutcome::Refused { gate, stale, known, .. } => {
                assert!(gate.is_none() && known.is_empty() && !stale.is_empty(), "{gate:?} {stale:?} {known:?}");
            }
        }
    }
}

async fn eight_writers_of_one_subject_lose_no_update(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1)]).await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 1..=25 {
                    change(&*store, &format!("node-{writer}"), number, &[1]).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(state(&*store, 1).await.0, 200);
}

async fn overlapping_subjects_in_opposite_order_neither_deadlock_nor_lose_an_update(database: Arc<Database>) {
    let orders: [Vec<u16>; 2] = [(1..=6).collect(), (3..=8).rev().collect()];
    let new: Vec<_> = (1..=8).map(new_subject).collect();
    database.open().await.load_subjects(&new).await.unwrap();
    let mut writers = Vec::new();
    for (writer, order) in orders.into_iter().enumerate() {
        let store = database.open().await;
        writers.push(tokio::spawn(async move {
            for number in 1..=200 {
                change(&*store, &format!("node-{writer}"), number, &order).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let store = database.open().await;
    for number in 1..=8 {
        let expected = if (3..=6).contains(&number) { 400 } else { 200 };
        assert_eq!(state(&*store, number).await.0, expected, "subject {number}");
    }
}

/// Commits both at the same moment, each by a handle of its own; the batches are named apart.
async fn both(stores: &[Arc<dyn Store>; 2], round: u64, mut batches: [Batch; 2]) -> [CommitOutcome; 2] {
    for (batch, node) in batches.iter_mut().zip(["left", "right"]) {
        node.clone_into(&mut batch.node);
        batch.number = round;
    }
    let (left, right) = tokio::join!(stores[0].commit(&batches[0]), stores[1].commit(&batches[1]));
    [left.unwrap(), right.unwrap()]
}

/// Checks that one of two is stored and gives the reasons of the other one: stale subjects and known decisions.
fn one_stored(outcomes: [CommitOutcome; 2]) -> (usize, usize) {
    let mut stored = 0;
    let mut reasons = (0, 0);
    for outcome in outcomes {
        match outcome {
            CommitOutcome::Stored => stored += 1,
            CommitOutcome::Refused { stale, known, .. } => reasons = (stale.len(), known.len()),
        }
    }
    assert_eq!(stored, 1);
    reasons
}

async fn of_two_batches_with_the_same_decisions_one_is_stored_and_answers_the_other(database: Arc<Database>) {
    let stores = [database.open().await, database.open().await];
    for round in 0..50 {
        let decisions: Vec<_> = (0..8).map(|n| decision(round * 8 + n, None)).collect();
        let reversed: Vec<_> = decisions.iter().rev().cloned().collect();
        let batches = [batch(0, vec![], decisions), batch(0, vec![], reversed)];
        assert_eq!(one_stored(both(&stores, u64::from(round) + 1, batches).await), (0, 8), "round {round}");
    }
    assert_eq!(stores[0].totals().await.unwrap().decisions, 400);
}

async fn of_two_batches_with_the_same_new_subject_one_is_stored(database: Arc<Database>) {
    let stores = [database.open().await, database.open().await];
    for round in 0..50_u16 {
        let batches = [vec![written(round, 0)], vec![written(round, 0), written(1000 + round, 0)]];
        let mut number = u32::from(round) * 2;
        let batches = batches.map(|subjects| {
            number += 1;
            batch(0, subjects, vec![decision(number, Some(subject(round)))])
        });
        assert_eq!(one_stored(both(&stores, u64::from(round) + 1, batches).await), (1, 0), "round {round}");
        assert_eq!(state(&*stores[0], round).await.0, 1);
    }
}

async fn of_two_batches_that_read_what_the_other_makes_one_is_stored(database: Arc<Database>) {
    let stores = [database.open().await, database.open().await];
    for round in 0..50_u16 {
        let (low, high) = (round, 1000 + round);
        let batches = [vec![only_read(low, 0), written(high, 0)], vec![written(low, 0), only_read(high, 0)]];
        let batches = batches.map(|subjects| batch(0, subjects, vec![]));
        assert_eq!(one_stored(both(&stores, u64::from(round) + 1, batches).await), (1, 0), "round {round}");
    }
}

/// What both make without writing anything to it has not changed for either.
async fn of_two_batches_that_only_read_the_same_new_subjects_both_are_stored(database: Arc<Database>) {
    let stores = [database.open().await, database.open().await];
    for round in 0..200_u16 {
        let read = || (0..8).map(|n| only_read(round * 8 + n, 0)).collect();
        let batches = [batch(0, read(), vec![]), batch(0, read(), vec![])];
        for outcome in both(&stores, u64::from(round) + 1, batches).await {
            assert!(matches!(outcome, CommitOutcome::Stored), "round {round}: {outcome:?}");
        }
    }
}

async fn a_bundle_is_activated_while_commits_overlap(database: Arc<Database>) {
    let store = database.open().await;
    let writers: Vec<_> = (0..4_u32)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 1..20_000 {
                    let decisions = vec![decision(writer * 1_000_000 + number, None)];
                    let batch = Batch { node: format!("node-{writer}"), ..batch(u64::from(number), vec![], decisions) };
                    match store.commit(&batch).await.unwrap() {
                        CommitOutcome::Stored => {}
                        CommitOutcome::Refused { gate, .. } => return (number, gate),
                    }
                }
                panic!("never refused, though the control row has changed")
            })
        })
        .collect();
    // Only once everybody is at it.
    for writer in 0..4 {
        while store.last_batch(&format!("node-{writer}"), 1).await.unwrap() < 10 {}
    }
    let control = tokio::time::timeout(Duration::from_secs(10), store.activate_bundle(digest(1), "rules", BY));
    assert_eq!(control.await.unwrap().unwrap().sequence, 1);
    for (writer, task) in (0..4).zip(writers) {
        let (number, gate) = task.await.unwrap();
        assert_eq!(gate, Some(1));
        assert_eq!(store.last_batch(&format!("node-{writer}"), 1).await.unwrap(), u64::from(number) - 1);
        assert_eq!(store.decision(decision_id(writer * 1_000_000 + number)).await.unwrap(), None);
    }
}
