//! Subjects beside: whom else a decision's contacts count for, found from either side.

use std::sync::Arc;

use proffer::domain::{SubjectId, SubjectKind, SubjectKinds, SubjectRef, Timestamp};
use proffer::store::{CountedFor, NewSubject, Store};

use super::make::{batch, decision, decision_id, new_subject, refused, stored, subject, written};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    whom_contacts_count_for_is_found_by_decision_and_by_subject,
    nothing_of_a_refused_batch_is_left_beside,
}

fn of(number: u16, kind: SubjectKind) -> NewSubject {
    let reference = SubjectRef { kind, outside_id: format!("{}-{number}", kind.name()) };
    NewSubject { reference, ..new_subject(number) }
}

async fn known(store: &dyn Store) {
    let new = [
        of(1, SubjectKind::Customer),
        of(2, SubjectKind::Session),
        of(3, SubjectKind::Household),
        of(4, SubjectKind::Device),
    ];
    let loaded = store.load_subjects(&new).await.unwrap();
    assert_eq!(loaded.iter().map(|row| row.reference.clone()).collect::<Vec<_>>(), new.map(|new| new.reference));
}

fn household() -> SubjectKinds {
    SubjectKinds::of(SubjectKind::Household)
}

async fn whom_contacts_count_for_is_found_by_decision_and_by_subject(database: Arc<Database>) {
    let store = database.open().await;
    known(&*store).await;
    let stands = SubjectKinds::alone(SubjectKind::Session).and(SubjectKind::Device);
    let mut of_customer = decision(1, Some(subject(1)));
    of_customer.beside = vec![(subject(3), household())];
    let mut of_session = decision(2, Some(subject(2)));
    of_session.beside = vec![(subject(2), stands), (subject(3), household())];
    let mut of_nobody = decision(3, None);
    of_nobody.beside = vec![(subject(4), SubjectKinds::of(SubjectKind::Device))];
    let decisions = vec![of_customer, of_session, of_nobody, decision(4, Some(subject(2))), decision(5, None)];
    stored(&*store, &batch(1, vec![written(3, 0)], decisions)).await;

    let beside = async |number: u16, after: i64| {
        let found = store.beside_decisions(subject(number), Timestamp(after)).await.unwrap();
        found.into_iter().map(|(found, stands)| (found.decision_id, stands)).collect::<Vec<_>>()
    };
    assert_eq!(beside(3, 0).await, [(decision_id(1), household()), (decision_id(2), household())]);
    assert_eq!(beside(3, 1_700_000_000_001).await, [(decision_id(2), household())]);
    assert_eq!(beside(2, 0).await, [(decision_id(2), stands)]);
    assert_eq!(beside(1, 0).await, []);

    let counted = |number: u32, of: u16, stands_for: SubjectKinds| CountedFor {
        decision_id: decision_id(number),
        subject: subject(of),
        wrapped_key: format!("key-{of}").into_bytes(),
        stands_for,
    };
    let ids: Vec<_> = (1..=6).map(decision_id).collect();
    let expected = [
        counted(1, 1, SubjectKinds::of(SubjectKind::Customer)),
        counted(1, 3, household()),
        counted(2, 2, stands),
        counted(2, 3, household()),
        counted(3, 4, SubjectKinds::of(SubjectKind::Device)),
        counted(4, 2, SubjectKinds::alone(SubjectKind::Session)),
    ];
    assert_eq!(store.counted_for(&ids).await.unwrap(), expected);
    assert_eq!(store.counted_for(&[]).await.unwrap(), []);
}

async fn nothing_of_a_refused_batch_is_left_beside(database: Arc<Database>) {
    let store = database.open().await;
    known(&*store).await;
    stored(&*store, &batch(1, vec![written(3, 0)], vec![decision(1, None)])).await;
    let mut beside = decision(2, None);
    beside.beside = vec![(subject(3), household())];
    refused(&*store, &batch(2, vec![written(3, 0)], vec![beside.clone()]), None, &[3], &[]).await;
    let mut known = decision(1, None);
    known.beside = vec![(subject(3), household())];
    refused(&*store, &batch(2, vec![written(3, 1)], vec![beside, known]), None, &[], &[1]).await;
    assert_eq!(store.beside_decisions(subject(3), Timestamp(0)).await.unwrap(), []);
    assert_eq!(store.beside_decisions(SubjectId([9; 16]), Timestamp(0)).await.unwrap(), []);
}
