//! Identities and consents: one subject for each outside id whoever asks, and no change on a version gone by.

use std::sync::Arc;

use proffer::domain::{Malformed, SubjectId, SubjectKind, SubjectRef, Timestamp};
use proffer::engine::batch::CommitOutcome;
use proffer::store::{ConsentChange, ConsentRow, NewSubject, Store, SubjectRow};

use super::make::{batch, new_subject, reference, refused, state, stored, subject, written};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    subjects_come_in_the_order_asked_and_keep_their_first_identity,
    many_subjects_are_made_at_once,
    two_processes_that_make_the_same_outside_id_get_the_same_subject,
    finding_a_subject_makes_none,
    consents_are_appended_to_the_state_that_is_there,
    those_who_commit_without_pause_cannot_keep_a_withdrawal_waiting,
}

async fn subjects_come_in_the_order_asked_and_keep_their_first_identity(database: Arc<Database>) {
    let store = database.open().await;
    let again = NewSubject { subject: subject(99), wrapped_key: b"other".to_vec(), ..new_subject(2) };
    let session = SubjectRef { kind: SubjectKind::Session, ..reference(2) };
    let session = NewSubject { reference: session, subject: subject(3), wrapped_key: b"s".to_vec() };
    let row = |new: &NewSubject| SubjectRow {
        reference: new.reference.clone(),
        subject: new.subject,
        wrapped_key: new.wrapped_key.clone(),
        version: 0,
        state: vec![],
    };
    let (one, two) = (new_subject(1), new_subject(2));
    let found = store.load_subjects(&[two.clone(), again.clone(), session.clone(), one.clone()]).await.unwrap();
    assert_eq!(found, [row(&two), row(&two), row(&session), row(&one)]);

    stored(&*store, &batch(1, vec![written(2, 0)], vec![])).await;
    let found = store.load_subjects(&[again, one.clone()]).await.unwrap();
    assert_eq!(found, [SubjectRow { version: 1, state: b"state 2 at 1".to_vec(), ..row(&two) }, row(&one)]);
    assert_eq!(store.load_subjects(&[]).await.unwrap(), []);
}

async fn many_subjects_are_made_at_once(database: Arc<Database>) {
    let store = database.open().await;
    let new: Vec<_> = (0..3000).map(new_subject).collect();
    for _ in 0..2 {
        let found = store.load_subjects(&new).await.unwrap();
        assert!(found.iter().zip(&new).all(|(row, new)| row.subject == new.subject && row.reference == new.reference));
        assert_eq!(found.len(), new.len());
    }
}

async fn two_processes_that_make_the_same_outside_id_get_the_same_subject(database: Arc<Database>) {
    let stores = [database.open().await, database.open().await];
    for round in 0..20_u16 {
        let offered = |process: u8| -> Vec<NewSubject> {
            let mut new: Vec<_> = (0..10).map(|number| new_subject(round * 10 + number)).collect();
            for new in &mut new {
                new.subject.0[15] = process;
                new.wrapped_key = vec![process];
            }
            if process == 1 {
                new.reverse();
            }
            new
        };
        let (left, right) = (offered(0), offered(1));
        let (left, right) = tokio::join!(stores[0].load_subjects(&left), stores[1].load_subjects(&right));
        let (left, mut right) = (left.unwrap(), right.unwrap());
        right.reverse();
        assert_eq!(left, right);
    }
}

async fn finding_a_subject_makes_none(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(store.find_subject(&reference(1)).await.unwrap(), None);
    assert_eq!(store.find_subject(&reference(1)).await.unwrap(), None);
    let made = store.load_subjects(&[new_subject(1)]).await.unwrap();
    assert_eq!(store.find_subject(&reference(1)).await.unwrap().as_ref(), made.first());
}

/// Appends records; the next state says which version and state it was made from.
async fn change(store: &dyn Store, at: i64, records: &[&str]) {
    let make = |version: u64, state: &[u8]| {
        Ok(ConsentChange {
            state: format!("{version} {}", String::from_utf8_lossy(state)).into_bytes(),
            records: records.iter().map(|record| record.as_bytes().to_vec()).collect(),
        })
    };
    store.change_consents(subject(1), Timestamp(at), &make).await.unwrap();
}

async fn those_who_commit_without_pause_cannot_keep_a_withdrawal_waiting(database: Arc<Database>) {
    let store = database.open().await;
    let (busy, stop) = (store.clone(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = stop.clone();
    let committing = tokio::spawn(async move {
        let (mut number, mut version) = (1, 0);
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            match busy.commit(&batch(number, vec![written(1, version)], vec![])).await.unwrap() {
                CommitOutcome::Stored => (number, version) = (number + 1, version + 1),
                CommitOutcome::Refused { .. } => version = state(&*busy, 1).await.0,
            }
        }
        number
    });
    for at in 0..20 {
        change(&*store, at, &["withdrawn"]).await;
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let commits = committing.await.unwrap() - 1;
    assert_eq!(store.consents(subject(1)).await.unwrap().len(), 20);
    assert_eq!(state(&*store, 1).await.0, commits + 20, "no change and no commit is lost");
}

async fn consents_are_appended_to_the_state_that_is_there(database: Arc<Database>) {
    let store = database.open().await;
    change(&*store, 70, &["a", "b"]).await;
    assert_eq!(state(&*store, 1).await, (1, "0 ".to_owned()));
    stored(&*store, &batch(1, vec![written(1, 1)], vec![])).await;
    change(&*store, 72, &["c"]).await;
    let (version, made) = state(&*store, 1).await;
    assert!(version == 3 && made.starts_with("2 "), "{version} {made}");
    refused(&*store, &batch(2, vec![written(1, 2)], vec![]), None, &[1], &[]).await;
    let wrong = |_: u64, _: &[u8]| Err(Malformed::new("it does not open"));
    assert!(store.change_consents(subject(1), Timestamp(73), &wrong).await.is_err());
    assert_eq!(state(&*store, 1).await.0, 3, "a change that cannot be made changes nothing");

    let row = |version, position, at, sealed: &str| ConsentRow {
        version,
        position,
        at: Timestamp(at),
        sealed: sealed.as_bytes().to_vec(),
    };
    assert_eq!(store.consents(subject(1)).await.unwrap(), [row(1, 0, 70, "a"), row(1, 1, 70, "b"), row(3, 0, 72, "c")]);
    assert_eq!(store.consents(SubjectId([0; 16])).await.unwrap(), []);
}
