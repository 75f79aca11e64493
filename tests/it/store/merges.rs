//! Merges: two subjects become one in one transaction, found by either name, with the decisions of both.

use std::sync::Arc;

use proffer::domain::{Malformed, SubjectId, Timestamp};
use proffer::store::{By, ConsentChange, MergeChange, MergeFound, Store, StoreError};

use super::make::{
    BY, batch, decision, decision_id, new_subject, only_read, reference, refused, state, stored, subject, written,
};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    two_subjects_become_one_found_by_either_name_with_the_decisions_of_both,
    whoever_read_either_before_cannot_commit,
    whoever_became_the_first_before_becomes_the_second,
    a_merge_that_cannot_be_made_changes_nothing,
    consents_that_reach_the_first_too_late_are_refused,
    of_merges_in_opposite_directions_at_once_one_happens,
}

fn made(found: &MergeFound<'_>) -> MergeChange {
    let text = |(version, state): (u64, &[u8])| format!("{version} {}", String::from_utf8_lossy(state));
    let records = found.consents.iter().map(|consent| consent.sealed.clone()).collect();
    let into = ConsentChange { state: format!("{} + {}", text(found.into), text(found.from)).into_bytes(), records };
    MergeChange { from: b"gone".to_vec(), into }
}

async fn merge(store: &dyn Store, from: u16, into: u16) -> bool {
    store.merge_subjects(subject(from), subject(into), BY, &|found| Ok(made(&found))).await.unwrap()
}

async fn consent(store: &dyn Store, number: u16, record: &str) -> Result<(), StoreError> {
    let change = |version: u64, _: &[u8]| {
        Ok(ConsentChange { state: format!("c{version}").into_bytes(), records: vec![record.as_bytes().to_vec()] })
    };
    store.change_consents(subject(number), Timestamp(7), &change).await
}

async fn two_subjects_become_one_found_by_either_name_with_the_decisions_of_both(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2), new_subject(3)]).await.unwrap();
    let decisions = vec![decision(1, Some(subject(1))), decision(2, Some(subject(2))), decision(3, Some(subject(3)))];
    stored(&*store, &batch(1, vec![written(2, 0)], decisions)).await;
    consent(&*store, 1, "yes").await.unwrap();
    assert!(merge(&*store, 1, 2).await);

    let store = database.open().await;
    let by_first = store.find_subject(&reference(1)).await.unwrap().unwrap();
    assert_eq!((by_first.subject, &by_first.reference), (subject(2), &reference(2)));
    assert_eq!(store.find_subject(&reference(2)).await.unwrap().as_ref(), Some(&by_first));
    assert_eq!(store.load_subjects(&[new_subject(1), new_subject(3)]).await.unwrap()[0], by_first);
    assert_eq!(state(&*store, 1).await, (2, "1 state 2 at 1 + 1 c0".to_owned()));
    assert_eq!(store.consents(subject(2)).await.unwrap()[0].sealed, b"yes");
    assert_eq!(store.consents(subject(1)).await.unwrap().len(), 1, "the record of before stays where it was");
    let ids = |number| {
        let found = store.subject_decisions(subject(number), Timestamp(0));
        async { found.await.unwrap().iter().map(|found| found.decision_id).collect::<Vec<_>>() }
    };
    assert_eq!(ids(2).await, [decision_id(1), decision_id(2)]);
    let counted = store.counted_for(&[decision_id(1), decision_id(3)]).await.unwrap();
    assert_eq!(counted.iter().map(|counted| counted.subject).collect::<Vec<_>>(), [subject(2), subject(3)]);
    let old = store.decision(decision_id(1)).await.unwrap().unwrap();
    assert_eq!((old.subject, old.wrapped_key), (Some(subject(1)), Some(b"key-1".to_vec())), "still under its own key");
    assert!(!merge(&*store, 1, 2).await && !merge(&*store, 1, 3).await && !merge(&*store, 3, 1).await, "once");
}

async fn whoever_read_either_before_cannot_commit(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2)]).await.unwrap();
    stored(&*store, &batch(1, vec![written(2, 0)], vec![])).await;
    assert!(merge(&*store, 1, 2).await);
    for touched in [written(1, 0), only_read(1, 0)] {
        refused(&*store, &batch(2, vec![touched], vec![decision(1, Some(subject(1)))]), None, &[1], &[]).await;
    }
    refused(&*store, &batch(2, vec![written(2, 1)], vec![]), None, &[2], &[]).await;
    stored(&*store, &batch(2, vec![written(2, 2)], vec![])).await;
}

async fn whoever_became_the_first_before_becomes_the_second(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2), new_subject(3)]).await.unwrap();
    assert!(merge(&*store, 1, 2).await && merge(&*store, 2, 3).await);
    for number in [1, 2, 3] {
        let found = store.find_subject(&reference(number)).await.unwrap().unwrap();
        assert_eq!((found.subject, found.version), (subject(3), 1), "{number}");
    }
}

async fn a_merge_that_cannot_be_made_changes_nothing(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2)]).await.unwrap();
    stored(&*store, &batch(1, vec![written(1, 0)], vec![])).await;
    let wrong = |_: MergeFound<'_>| Err(Malformed::new("it does not open"));
    let by = By { key: "tester", at: Timestamp(5) };
    assert!(store.merge_subjects(subject(1), subject(2), by, &wrong).await.is_err());
    assert!(store.merge_subjects(subject(1), subject(1), by, &|found| Ok(made(&found))).await.is_err());
    assert_eq!(state(&*store, 1).await, (1, "state 1 at 1".to_owned()));
    assert_eq!(store.subjects(&[subject(2), SubjectId([9; 16])]).await.unwrap()[0].version, 0);
}

async fn consents_that_reach_the_first_too_late_are_refused(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2)]).await.unwrap();
    assert!(merge(&*store, 1, 2).await);
    assert!(matches!(consent(&*store, 1, "no").await, Err(StoreError::Unavailable(_))));
    consent(&*store, 2, "no").await.unwrap();
    assert_eq!(store.consents(subject(2)).await.unwrap().len(), 1);
}

async fn of_merges_in_opposite_directions_at_once_one_happens(database: Arc<Database>) {
    let first = database.open().await;
    first.load_subjects(&(1..=20).map(new_subject).collect::<Vec<_>>()).await.unwrap();
    let second = database.open().await;
    for number in (1..20).step_by(2) {
        let (there, back) = tokio::join!(merge(&*first, number, number + 1), merge(&*second, number + 1, number));
        assert_ne!(there, back, "{number}");
        let ids = [number, number + 1].map(reference);
        let found = [first.find_subject(&ids[0]).await.unwrap(), second.find_subject(&ids[1]).await.unwrap()];
        let stays = subject(if there { number + 1 } else { number });
        assert_eq!(found.map(|row| row.map(|row| (row.subject, row.version))), [Some((stays, 1)); 2], "{number}");
    }
}
