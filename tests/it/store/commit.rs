//! The commit: all or nothing, gated, every subject checked, every reason named at once.

use std::sync::Arc;

use proffer::domain::{DecisionId, Timestamp};
use proffer::engine::batch::{CommitOutcome, Known};
use proffer::store::{StoreError, StoredDecision};

use super::make::{
    BY, batch, decision, decision_id, digest, new_subject, only_read, refused, state, stored, subject, written,
};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    a_batch_is_stored_whole_and_read_back_equal,
    a_batch_of_many_decisions_is_stored_whole,
    a_decision_may_be_without_a_subject,
    a_stale_subject_refuses_everything_and_is_named,
    a_subject_only_read_is_checked_too,
    a_new_subject_is_made_and_expecting_it_new_again_is_refused,
    a_subject_only_read_while_new_stays_new,
    a_changed_control_row_refuses_everything,
    a_known_decision_is_named_with_its_record_and_nothing_else_is_stored,
    every_reason_is_named_at_once,
    a_batch_number_is_never_used_twice,
    a_refused_commit_leaves_no_open_transaction,
    incarnations_grow_and_numbers_belong_to_them,
    decisions_come_in_the_order_of_their_ids_and_of_a_subject_by_time,
}

async fn a_batch_is_stored_whole_and_read_back_equal(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2)]).await.unwrap();
    let written_batch = batch(
        1,
        vec![written(1, 0), written(2, 0)],
        vec![decision(2, Some(subject(2))), decision(1, Some(subject(1)))],
    );
    stored(&*store, &written_batch).await;

    let store = database.open().await;
    assert_eq!(state(&*store, 1).await, (1, "state 1 at 1".to_owned()));
    assert_eq!(state(&*store, 2).await, (1, "state 2 at 1".to_owned()));
    for (number, write) in [(2, &written_batch.decisions[0]), (1, &written_batch.decisions[1])] {
        let expected = StoredDecision {
            decision_id: write.decision_id,
            subject: Some(subject(number)),
            wrapped_key: Some(format!("key-{number}").into_bytes()),
            at: write.at,
            request_digest: write.request_digest,
            record: write.record.clone(),
        };
        assert_eq!(store.decision(write.decision_id).await.unwrap(), Some(expected));
    }
    assert_eq!(store.decision(decision_id(3)).await.unwrap(), None);
    assert_eq!(store.last_batch("node", 1).await.unwrap(), 1);
    assert_eq!(store.totals().await.unwrap().decisions, 2);
}

async fn a_batch_of_many_decisions_is_stored_whole(database: Arc<Database>) {
    let store = database.open().await;
    let ids: Vec<u32> = (0..1500).collect();
    let subjects = ids.iter().map(|n| written(u16::try_from(*n).unwrap(), 0)).collect();
    let decisions: Vec<_> = ids.iter().map(|n| decision(*n, Some(subject(u16::try_from(*n).unwrap())))).collect();
    stored(&*store, &batch(1, subjects, decisions.clone())).await;
    let wanted: Vec<DecisionId> = decisions.iter().map(|decision| decision.decision_id).collect();
    let found = store.decisions(&wanted).await.unwrap();
    assert_eq!(found.len(), decisions.len());
    for (found, decision) in found.iter().zip(&decisions) {
        assert_eq!((found.decision_id, &found.record), (decision.decision_id, &decision.record));
        assert_eq!(found.wrapped_key, None);
    }
    assert_eq!(state(&*store, 1499).await, (1, "state 1499 at 1".to_owned()).clone());
}

async fn a_decision_may_be_without_a_subject(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &batch(1, vec![], vec![decision(1, None)])).await;
    let found = store.decision(decision_id(1)).await.unwrap().unwrap();
    assert_eq!((found.subject, found.wrapped_key), (None, None));
}

async fn a_stale_subject_refuses_everything_and_is_named(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2), new_subject(3)]).await.unwrap();
    stored(&*store, &batch(1, vec![written(1, 0), written(2, 0)], vec![])).await;
    let subjects = vec![written(1, 0), written(2, 1), written(3, 4)];
    refused(&*store, &batch(2, subjects, vec![decision(1, Some(subject(2)))]), None, &[1, 3], &[]).await;
    assert_eq!(store.decision(decision_id(1)).await.unwrap(), None);
    assert_eq!(state(&*store, 2).await.0, 1);
    assert_eq!(state(&*store, 3).await.0, 0);
    assert_eq!(store.last_batch("node", 1).await.unwrap(), 1);
}

async fn a_subject_only_read_is_checked_too(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &batch(1, vec![written(1, 0)], vec![])).await;
    refused(&*store, &batch(2, vec![only_read(1, 0)], vec![decision(1, None)]), None, &[1], &[]).await;
    refused(&*store, &batch(2, vec![only_read(2, 3)], vec![decision(1, None)]), None, &[2], &[]).await;
    stored(&*store, &batch(2, vec![only_read(1, 1)], vec![decision(1, None)])).await;
    assert_eq!(state_of(&database, 1).await, (1, "state 1 at 1".to_owned()));
}

async fn state_of(database: &Database, number: u16) -> (u64, String) {
    state(&*database.open().await, number).await
}

async fn a_new_subject_is_made_and_expecting_it_new_again_is_refused(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &batch(1, vec![written(1, 0)], vec![decision(1, Some(subject(1)))])).await;
    refused(&*store, &batch(2, vec![written(1, 0), written(2, 0)], vec![decision(2, None)]), None, &[1], &[]).await;
    stored(&*store, &batch(2, vec![written(1, 1), written(2, 0)], vec![decision(2, None)])).await;
    assert_eq!(state_of(&database, 1).await.0, 2);
    assert_eq!(state_of(&database, 2).await.0, 1);
}

async fn a_subject_only_read_while_new_stays_new(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &batch(1, vec![only_read(1, 0)], vec![decision(1, Some(subject(1)))])).await;
    assert_eq!(state(&*store, 1).await, (0, String::new()));
    stored(&*store, &batch(2, vec![only_read(1, 0)], vec![decision(2, Some(subject(1)))])).await;
    stored(&*store, &batch(3, vec![written(1, 0), written(2, 0)], vec![decision(3, Some(subject(1)))])).await;
    assert_eq!(state(&*store, 1).await, (1, "state 1 at 1".to_owned()));
}

async fn a_changed_control_row_refuses_everything(database: Arc<Database>) {
    let store = database.open().await;
    store.activate_bundle(digest(1), "rules", BY).await.unwrap();
    refused(&*store, &batch(1, vec![written(1, 0)], vec![decision(1, Some(subject(1)))]), Some(1), &[], &[]).await;
    assert_eq!(state(&*store, 1).await.0, 0);
    assert_eq!(store.totals().await.unwrap().decisions, 0);
    let gated = batch(1, vec![written(1, 0)], vec![decision(1, Some(subject(1)))]);
    stored(&*store, &proffer::engine::batch::Batch { control_sequence: 1, ..gated }).await;
}

async fn a_known_decision_is_named_with_its_record_and_nothing_else_is_stored(database: Arc<Database>) {
    let store = database.open().await;
    let first = decision(1, None);
    stored(&*store, &batch(1, vec![], vec![first.clone()])).await;
    let mut again = decision(1, None);
    again.request_digest = digest(0x77);
    again.record.skeleton = b"another".to_vec();
    let answer = store.commit(&batch(2, vec![written(5, 0)], vec![decision(2, None), again])).await.unwrap();
    let known =
        vec![Known { decision_id: first.decision_id, request_digest: first.request_digest, record: first.record }];
    assert_eq!(answer, CommitOutcome::Refused { gate: None, stale: vec![], known, short: vec![] });
    assert_eq!(store.decision(decision_id(2)).await.unwrap(), None);
    assert_eq!(state(&*store, 5).await.0, 0);
    stored(&*store, &batch(2, vec![written(5, 0)], vec![decision(2, None)])).await;
}

async fn every_reason_is_named_at_once(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &batch(1, vec![written(1, 0), written(2, 0)], vec![decision(1, None), decision(2, None)])).await;
    store.activate_bundle(digest(1), "rules", BY).await.unwrap();
    let decisions = vec![decision(3, None), decision(2, None), decision(1, None)];
    refused(
        &*store,
        &batch(2, vec![written(1, 0), written(2, 1), written(3, 9)], decisions),
        Some(1),
        &[1, 3],
        &[1, 2],
    )
    .await;
}

async fn a_batch_number_is_never_used_twice(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &batch(1, vec![], vec![decision(1, None)])).await;
    let error = store.commit(&batch(1, vec![written(1, 0)], vec![decision(2, None)])).await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(text) if text.contains("batch 1 of incarnation 1 of node `node`")));
    assert_eq!(store.decision(decision_id(2)).await.unwrap(), None);
    stored(&*store, &batch(2, vec![written(1, 0)], vec![decision(2, None)])).await;
}

async fn a_refused_commit_leaves_no_open_transaction(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &batch(1, vec![written(1, 0)], vec![decision(1, None)])).await;
    for number in 2..12 {
        refused(&*store, &batch(number, vec![written(1, 77)], vec![]), None, &[1], &[]).await;
        refused(&*store, &batch(number, vec![], vec![decision(1, None)]), None, &[], &[1]).await;
        assert!(store.commit(&batch(1, vec![], vec![])).await.is_err());
        let twice = vec![decision(50, None), decision(50, None)];
        assert!(store.commit(&batch(number, vec![], twice)).await.is_err());
        // Both this handle and another one can write at once.
        stored(&*store, &batch(number, vec![written(1, number - 1)], vec![])).await;
        let other = database.open().await;
        assert!(other.start_incarnation("other").await.unwrap() > 0);
    }
}

async fn incarnations_grow_and_numbers_belong_to_them(database: Arc<Database>) {
    let store = database.open().await;
    let mut last = 0;
    for _ in 0..3 {
        let incarnation = database.open().await.start_incarnation("node").await.unwrap();
        assert!(incarnation > last);
        last = incarnation;
    }
    assert_eq!(store.start_incarnation("another").await.unwrap(), 1);
    assert_eq!(store.last_batch("node", last).await.unwrap(), 0);
    let mut first = batch(1, vec![], vec![]);
    first.incarnation = last;
    stored(&*store, &first).await;
    stored(&*store, &batch(1, vec![], vec![])).await;
    assert_eq!(store.last_batch("node", last).await.unwrap(), 1);
    assert_eq!(store.last_batch("another", 1).await.unwrap(), 0);
}

async fn decisions_come_in_the_order_of_their_ids_and_of_a_subject_by_time(database: Arc<Database>) {
    let store = database.open().await;
    let mut early = decision(4, Some(subject(1)));
    early.at = Timestamp(5);
    let decisions = vec![decision(3, Some(subject(1))), decision(1, Some(subject(1))), decision(2, None), early];
    stored(&*store, &batch(1, vec![], decisions)).await;
    let ids = |found: Vec<StoredDecision>| found.iter().map(|d| d.decision_id).collect::<Vec<_>>();
    let expected = |numbers: &[u32]| numbers.iter().map(|n| decision_id(*n)).collect::<Vec<_>>();
    assert_eq!(ids(store.decisions_after(None, 3).await.unwrap()), expected(&[1, 2, 3]));
    assert_eq!(ids(store.decisions_after(Some(decision_id(3)), 3).await.unwrap()), expected(&[4]));
    let of = |after| store.subject_decisions(subject(1), Timestamp(after));
    assert_eq!(ids(of(0).await.unwrap()), expected(&[4, 1, 3]));
    assert_eq!(ids(of(5).await.unwrap()), expected(&[1, 3]));
    assert_eq!(ids(of(1_700_000_000_001).await.unwrap()), expected(&[3]));
    assert_eq!(
        ids(store.decisions(&[decision_id(3), decision_id(9), decision_id(1)]).await.unwrap()),
        expected(&[1, 3])
    );
    assert_eq!(store.decisions(&[]).await.unwrap(), []);
}
