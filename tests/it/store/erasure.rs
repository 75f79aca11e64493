//! Erasure in two halves: found by nobody, then gone without a trace, and nothing of it while a hold stands.

use std::sync::Arc;

use proffer::domain::{Digest, ModelId, SubjectRef, Timestamp};
use proffer::engine::learner::{CheckpointRow, LearningRow};
use proffer::learning::Applied;
use proffer::store::{
    Begun, By, ConsentChange, Erased, Learned, LegalHold, MergeChange, NewSubject, Store, StoreError,
};

use super::learner::row;
use super::lease::elected;
use super::make::{
    BY, batch, decision, decision_id, digest, new_subject, only_read, reference, refused, stored, subject, written,
};
use super::outcomes::order;
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    whoever_is_erased_is_found_by_nobody_and_whoever_read_it_before_cannot_commit,
    the_second_half_leaves_nothing_of_it_and_everything_of_others,
    a_fenced_term_erases_nothing_and_neither_does_one_that_is_behind,
    whoever_became_the_customer_is_erased_with_it,
    under_a_legal_hold_nobody_is_erased,
    outside_ids_are_told_piece_by_piece,
}

const MODEL: ModelId = ModelId([7; 16]);
const AT: Timestamp = Timestamp(1_700_000_000_500);

fn hash(name: &SubjectRef) -> Digest {
    let bytes = name.outside_id.as_bytes();
    digest(bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_mul(31).wrapping_add(*byte)))
}

async fn begun(store: &dyn Store, number: u16) -> u64 {
    match store.begin_erasure(&reference(number), &hash, BY).await.unwrap() {
        Begun::Begun { erasure, .. } => erasure,
        other => panic!("{other:?}"),
    }
}

async fn consent(store: &dyn Store, number: u16) -> Result<(), StoreError> {
    let change = |version: u64, _: &[u8]| {
        Ok(ConsentChange { state: format!("c{version}").into_bytes(), records: vec![b"yes".to_vec()] })
    };
    store.change_consents(subject(number), Timestamp(7), &change).await
}

fn event(sequence: u64, number: u16) -> LearningRow {
    LearningRow {
        model: MODEL,
        sequence,
        decision_id: decision_id(number.into()),
        subject: Some(subject(number)),
        sealed: format!("learned {number}").into(),
        wrapped_key: None,
    }
}

fn checkpoint(sequence: u64, state: &str) -> CheckpointRow {
    CheckpointRow { model: MODEL, sequence, digest: digest(1), state: state.into() }
}

fn erased(erasure: u64, sequence: u64, learning_events: u64) -> Erased {
    Erased { erasure, checkpoints: vec![checkpoint(sequence, "without")], learning_events, at: AT }
}

/// Two subjects with a decision, an outcome and a learning event each, learned.
async fn two(store: &dyn Store) -> u64 {
    store.load_subjects(&[new_subject(1), new_subject(2)]).await.unwrap();
    let decisions = vec![decision(1, Some(subject(1))), decision(2, Some(subject(2)))];
    stored(store, &batch(1, vec![written(1, 0), written(2, 0)], decisions)).await;
    let orders = [1_u8, 2].map(|number| {
        let mut order = order(number, Some(decision_id(number.into())));
        order.subject = Some(subject(number.into()));
        order
    });
    store.take_outcomes(&orders).await.unwrap();
    let term = elected(store, "learner", 1).await.unwrap();
    let work = store.learner_work(10, AT).await.unwrap();
    let learned = Learned {
        batches: work.batches,
        outcomes: work.outcomes,
        applied: [1, 2].map(|number| row(number, 0, Applied { exposed: true, ..Applied::default() })).to_vec(),
        events: vec![event(1, 1), event(2, 2)],
        checkpoints: vec![checkpoint(1, "early"), checkpoint(2, "with")],
        ..Learned::default()
    };
    assert!(store.learn(term, &learned).await.unwrap());
    term
}

async fn whoever_is_erased_is_found_by_nobody_and_whoever_read_it_before_cannot_commit(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2), new_subject(3)]).await.unwrap();
    stored(&*store, &batch(1, vec![written(1, 0)], vec![decision(1, Some(subject(1)))])).await;
    consent(&*store, 1).await.unwrap();
    assert_eq!(store.begin_erasure(&reference(9), &hash, BY).await.unwrap(), Begun::Unknown);
    let expected = Begun::Begun { erasure: 1, names: vec![reference(1)] };
    assert_eq!(store.begin_erasure(&reference(1), &hash, BY).await.unwrap(), expected);

    let store = database.open().await;
    assert_eq!(store.find_subject(&reference(1)).await.unwrap(), None);
    assert_eq!(store.subjects(&[subject(1)]).await.unwrap(), []);
    assert_eq!(store.consents(subject(1)).await.unwrap(), []);
    assert_eq!(store.decision(decision_id(1)).await.unwrap().unwrap().wrapped_key, None);
    // Read with a state, or before there was any.
    for (number, version) in [(2, 2), (3, 1), (4, 0)] {
        let read = batch(2, vec![only_read(1, version)], vec![decision(number, Some(subject(1)))]);
        refused(&*store, &read, None, &[1], &[]).await;
    }
    assert!(matches!(consent(&*store, 1).await, Err(StoreError::Unavailable(_))));
    let merged = store.merge_subjects(subject(1), subject(2), BY, &|_| unreachable!("nobody is there")).await;
    assert!(!merged.unwrap());
    // Somebody who comes back is somebody new.
    let again = NewSubject { subject: subject(8), wrapped_key: b"new".to_vec(), ..new_subject(1) };
    assert_eq!(store.load_subjects(&[again]).await.unwrap()[0].subject, subject(8));
    let row = store.erasure_of(hash(&reference(1))).await.unwrap().unwrap();
    assert_eq!((row.erasure, row.at, row.by.as_str(), row.done), (1, BY.at, BY.key, None));
    assert_eq!(store.erased_hashes().await.unwrap(), [hash(&reference(1))]);
    assert_eq!(store.erased_through().await.unwrap(), 0, "what was learned is still there");
}

async fn the_second_half_leaves_nothing_of_it_and_everything_of_others(database: Arc<Database>) {
    let store = database.open().await;
    let term = two(&*store).await;
    let erasure = begun(&*store, 1).await;
    let waiting = store.erasing().await.unwrap();
    assert_eq!((waiting.len(), waiting[0].erasure), (1, erasure));
    assert_eq!(waiting[0].subjects, [(subject(1), b"key-1".to_vec())]);
    let events = store.learning_events_of(erasure).await.unwrap();
    assert_eq!(events, [LearningRow { wrapped_key: Some(b"key-1".to_vec()), ..event(1, 1) }]);
    let read = store.learning_events(MODEL, 0, 10).await.unwrap();
    assert_eq!(read[0].wrapped_key, Some(b"key-1".to_vec()), "whoever follows can still read it");
    assert!(store.erase(term, &erased(erasure, 2, 1)).await.unwrap());

    let store = database.open().await;
    assert_eq!(store.erasing().await.unwrap(), []);
    let done = store.erasure(erasure).await.unwrap().unwrap().done.unwrap();
    assert_eq!((done.at, done.decisions, done.learning_events, done.outcomes), (AT, 1, 1, 1));
    assert_eq!(store.erased_through().await.unwrap(), erasure);
    let left = store.learning_events(MODEL, 0, 10).await.unwrap();
    assert_eq!(left, [LearningRow { wrapped_key: Some(b"key-2".to_vec()), ..event(2, 2) }]);
    assert_eq!(store.checkpoint(MODEL, None).await.unwrap(), Some(checkpoint(2, "without")));
    assert_eq!(store.checkpoint(MODEL, Some(1)).await.unwrap(), None, "older ones know too much");
    let decisions = store.decisions(&[decision_id(1), decision_id(2)]).await.unwrap();
    let private: Vec<usize> = decisions.iter().map(|found| found.record.private.len()).collect();
    assert_eq!((private[0], private[1] > 0), (0, true));
    assert_eq!(decisions[0].record.skeleton, decision(1, None).record.skeleton, "what the log says stays");
    let applied = store.applied_of(&[decision_id(1), decision_id(2)]).await.unwrap();
    assert_eq!(applied.iter().map(|row| row.decision_id).collect::<Vec<_>>(), [decision_id(2)]);
    let outcomes = store.outcomes_about(&[subject(1), subject(2)]).await.unwrap();
    assert_eq!(outcomes.iter().map(|kept| kept.row.subject).collect::<Vec<_>>(), [Some(subject(2))]);
    let kept = store.outcomes_by_key(&[order(1, None).fact.key]).await.unwrap().remove(0);
    assert_eq!((kept.row.subject, kept.row.claim.len(), kept.row.decision_id), (None, 0, Some(decision_id(1))));
    let work = store.learner_work(10, AT).await.unwrap();
    assert_eq!((work.batches.len(), work.outcomes.len(), work.due.len()), (0, 0, 0));
}

async fn a_fenced_term_erases_nothing_and_neither_does_one_that_is_behind(database: Arc<Database>) {
    let store = database.open().await;
    let term = two(&*store).await;
    let erasure = begun(&*store, 1).await;
    assert!(!store.erase(term + 1, &erased(erasure, 2, 1)).await.unwrap());
    // Prepared before the stream went on, or without one of the events.
    for behind in [erased(erasure, 1, 1), erased(erasure, 2, 0)] {
        assert!(matches!(store.erase(term, &behind).await, Err(StoreError::Unavailable(_))));
    }
    assert_eq!(store.learning_events_of(erasure).await.unwrap().len(), 1);
    assert_eq!(store.checkpoint(MODEL, None).await.unwrap(), Some(checkpoint(2, "with")));
    assert!(!store.decision(decision_id(1)).await.unwrap().unwrap().record.private.is_empty());
    assert!(store.erase(term, &erased(erasure, 2, 1)).await.unwrap());
}

async fn whoever_became_the_customer_is_erased_with_it(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1), new_subject(2), new_subject(3)]).await.unwrap();
    let decisions = vec![decision(1, Some(subject(1))), decision(2, Some(subject(2))), decision(3, Some(subject(3)))];
    stored(&*store, &batch(1, vec![written(1, 0), written(2, 0), written(3, 0)], decisions)).await;
    let into = ConsentChange { state: b"both".to_vec(), records: Vec::new() };
    let made = |_: proffer::store::MergeFound<'_>| Ok(MergeChange { from: b"gone".to_vec(), into: into.clone() });
    assert!(store.merge_subjects(subject(1), subject(2), BY, &made).await.unwrap());
    let known = [(subject(1), reference(1)), (subject(2), reference(2))];
    assert_eq!(store.known_as(&reference(1)).await.unwrap(), known);
    assert_eq!(store.known_as(&reference(2)).await.unwrap(), known);
    // By the name that it had before.
    let erasure = begun(&*store, 1).await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    let nothing = Erased { checkpoints: Vec::new(), ..erased(erasure, 0, 0) };
    assert!(store.erase(term, &nothing).await.unwrap());
    for number in [1, 2] {
        assert_eq!(store.find_subject(&reference(number)).await.unwrap(), None);
        assert!(store.erasure_of(hash(&reference(number))).await.unwrap().is_some_and(|row| row.done.is_some()));
        let found = store.decision(decision_id(number.into())).await.unwrap().unwrap();
        assert_eq!((found.wrapped_key, found.record.private.len()), (None, 0));
    }
    assert!(store.find_subject(&reference(3)).await.unwrap().is_some());
    assert!(!store.decision(decision_id(3)).await.unwrap().unwrap().record.private.is_empty());
}

async fn under_a_legal_hold_nobody_is_erased(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1)]).await.unwrap();
    assert!(store.hold(subject(1), "a dispute", BY).await.unwrap());
    assert!(!store.hold(subject(1), "another", BY).await.unwrap());
    let hold = LegalHold { why: "a dispute".into(), at: BY.at, by: BY.key.into() };
    assert_eq!(store.held(subject(1)).await.unwrap(), Some(hold.clone()));
    assert_eq!(store.begin_erasure(&reference(1), &hash, BY).await.unwrap(), Begun::Held(hold));
    assert!(store.find_subject(&reference(1)).await.unwrap().is_some());
    assert_eq!(store.erased_hashes().await.unwrap(), []);
    let later = By { key: "judge", at: AT };
    assert!(store.end_hold(subject(1), later).await.unwrap());
    assert!(!store.end_hold(subject(1), later).await.unwrap());
    assert_eq!(store.held(subject(1)).await.unwrap(), None);
    begun(&*store, 1).await;
}

async fn outside_ids_are_told_piece_by_piece(database: Arc<Database>) {
    let store = database.open().await;
    let wanted: Vec<NewSubject> = (1..=5).map(new_subject).collect();
    store.load_subjects(&wanted).await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let piece = store.outside_ids(after.as_ref(), 2).await.unwrap();
        let Some(last) = piece.last() else { break };
        after = Some(last.clone());
        found.extend(piece);
    }
    assert_eq!(found, wanted.into_iter().map(|new| new.reference).collect::<Vec<_>>());
}
