//! The learner: one term writes, its work ends, streams have no gaps, and the newest checkpoint is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use proffer::domain::{ModelId, Span, SubjectId, Timestamp};
use proffer::store::{Applied, AppliedRow, BatchKey, CheckpointRow, Learned, LearnerWork, LearningRow};

use super::lease::elected;
use super::make::{batch, decision, decision_id, digest, new_subject, stored, subject, written};
use super::outcomes::{order, refund};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    a_fenced_term_writes_nothing,
    work_names_batches_outcomes_and_every_decision_once,
    work_is_complete_after_learning_and_new_outcomes_bring_it_back,
    work_comes_in_portions_of_whole_batches,
    what_is_due_comes_when_it_is_and_until_it_was_learned,
    events_come_in_order_and_continue_their_stream,
    the_newest_checkpoint_is_found,
    totals_count_what_there_is,
}

/// Before anything is due.
const NOW: Timestamp = Timestamp(1_700_000_000_000);

const MODEL: ModelId = ModelId([3; 16]);

fn event(model: ModelId, sequence: u64, of: Option<SubjectId>) -> LearningRow {
    LearningRow {
        model,
        sequence,
        decision_id: decision_id(u32::try_from(sequence).unwrap()),
        subject: of,
        sealed: format!("event {sequence}").into_bytes(),
        wrapped_key: None,
    }
}

pub fn row(decision: u32, slot: u16, applied: Applied) -> AppliedRow {
    AppliedRow { decision_id: decision_id(decision), slot, applied, due: None }
}

fn key(number: u64) -> BatchKey {
    BatchKey { node: "node".to_owned(), incarnation: 1, number }
}

fn checkpoint(model: ModelId, sequence: u64) -> CheckpointRow {
    CheckpointRow { model, sequence, digest: digest(u8::try_from(sequence).unwrap()), state: vec![1, 2, 3] }
}

async fn a_fenced_term_writes_nothing(database: Arc<Database>) {
    let (old, new) = (database.open().await, database.open().await);
    stored(&*old, &batch(1, vec![], vec![decision(1, None)])).await;
    let first = elected(&*old, "old", 1).await.unwrap();
    old.release_term(first).await.unwrap();
    let second = elected(&*new, "new", 1).await.unwrap();
    assert!(second > first && first > 0);
    let learned = Learned {
        batches: vec![key(1)],
        applied: vec![row(1, 0, Applied { exposed: true, ..Applied::default() })],
        events: vec![event(MODEL, 1, None)],
        checkpoints: vec![checkpoint(MODEL, 1)],
        ..Learned::default()
    };
    assert!(!old.learn(first, &learned).await.unwrap());
    assert!(!old.learn(second + 1, &learned).await.unwrap());
    assert_eq!(new.model_heads().await.unwrap(), []);
    assert_eq!(new.checkpoint(MODEL, None).await.unwrap(), None);
    let work = new.learner_work(10, NOW).await.unwrap();
    assert_eq!((work.batches, &work.touched[0].applied), (vec![key(1)], &BTreeMap::new()));
    assert!(new.learn(second, &learned).await.unwrap());
    assert_eq!(new.model_heads().await.unwrap(), [(MODEL, 1)]);
}

async fn work_names_batches_outcomes_and_every_decision_once(database: Arc<Database>) {
    let store = database.open().await;
    store.load_subjects(&[new_subject(1)]).await.unwrap();
    let decisions = vec![decision(2, Some(subject(1))), decision(1, None)];
    stored(&*store, &batch(1, vec![written(1, 0)], decisions.clone())).await;
    stored(&*store, &batch(2, vec![], vec![decision(3, None)])).await;
    let (order, refund) = (order(7, Some(decision_id(2))), refund(5, 7));
    store.take_outcomes(&[order.clone(), refund.clone()]).await.unwrap();

    let work = store.learner_work(100, NOW).await.unwrap();
    assert_eq!(work.batches, [key(1), key(2)]);
    assert_eq!(work.outcomes, [refund.fact.key, order.fact.key]);
    let touched: Vec<_> = work.touched.iter().map(|touched| touched.decision.decision_id).collect();
    assert_eq!(touched, [decision_id(1), decision_id(2), decision_id(3)]);
    let second = &work.touched[1];
    assert_eq!(second.outcomes, [refund.fact, order.fact]);
    assert_eq!(second.applied, BTreeMap::new());
    assert_eq!(second.decision.record, decisions[0].record);
    assert_eq!(second.decision.wrapped_key, Some(b"key-1".to_vec()));
    assert_eq!(work.touched[0].outcomes, []);
}

async fn work_is_complete_after_learning_and_new_outcomes_bring_it_back(database: Arc<Database>) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    stored(&*store, &batch(1, vec![], vec![decision(1, None), decision(2, None)])).await;
    store.take_outcomes(&[order(1, Some(decision_id(1)))]).await.unwrap();
    let work = store.learner_work(100, NOW).await.unwrap();
    let applied = Applied { exposed: true, accepted: true, reward_minor: -1234, steps: 0 };
    let learned = Learned {
        batches: work.batches,
        outcomes: work.outcomes,
        applied: vec![
            row(1, 0, applied),
            row(1, 1, Applied { exposed: true, ..Applied::default() }),
            row(2, 0, Applied { exposed: true, ..Applied::default() }),
        ],
        ..Learned::default()
    };
    assert!(store.learn(term, &learned).await.unwrap());
    assert_eq!(store.learner_work(100, NOW).await.unwrap(), LearnerWork::default());

    store.take_outcomes(&[refund(2, 1)]).await.unwrap();
    let work = store.learner_work(100, NOW).await.unwrap();
    assert_eq!((work.batches, work.outcomes), (vec![], vec![digest(2)]));
    assert_eq!(work.touched.len(), 1);
    let second_slot = Applied { exposed: true, ..Applied::default() };
    assert_eq!(work.touched[0].applied, BTreeMap::from([(0, applied), (1, second_slot)]));
    assert_eq!(work.touched[0].outcomes.len(), 2);
    let undone = Applied { exposed: true, accepted: false, reward_minor: 0, steps: 0 };
    let learned = Learned { outcomes: vec![digest(2)], applied: vec![row(1, 0, undone)], ..Learned::default() };
    assert!(store.learn(term, &learned).await.unwrap());
    assert_eq!(store.learner_work(100, NOW).await.unwrap(), LearnerWork::default());
    assert_eq!(store.totals().await.unwrap().outcomes_unapplied, 0);
}

async fn work_comes_in_portions_of_whole_batches(database: Arc<Database>) {
    let store = database.open().await;
    for number in 1..=4 {
        let first = u32::try_from(number).unwrap() * 10;
        stored(&*store, &batch(number, vec![], (0..3).map(|n| decision(first + n, None)).collect())).await;
    }
    let mut other = batch(1, vec![], vec![decision(1, None)]);
    other.node = "a-node".to_owned();
    stored(&*store, &other).await;
    let other = BatchKey { node: "a-node".to_owned(), ..key(1) };
    for (decisions_max, expected) in [
        (0, vec![&other]),
        (1, vec![&other]),
        (3, vec![&other]),
        (4, vec![&other, &key(1)]),
        (9, vec![&other, &key(1), &key(2)]),
        (13, vec![&other, &key(1), &key(2), &key(3), &key(4)]),
    ] {
        let work = store.learner_work(decisions_max, NOW).await.unwrap();
        assert_eq!(work.batches.iter().collect::<Vec<_>>(), expected, "{decisions_max}");
    }
    let term = elected(&*store, "learner", 1).await.unwrap();
    let learned = Learned { batches: vec![other, key(1)], ..Learned::default() };
    assert!(store.learn(term, &learned).await.unwrap());
    let work = store.learner_work(1, NOW).await.unwrap();
    assert_eq!((work.batches, work.touched.len()), (vec![key(2)], 3));

    let outcomes: Vec<_> = (1..=3).map(|key| order(key, Some(decision_id(10)))).collect();
    store.take_outcomes(&outcomes).await.unwrap();
    let work = store.learner_work(2, NOW).await.unwrap();
    assert_eq!(work.outcomes, [digest(1), digest(2)]);
    assert_eq!(work.touched[0].outcomes.len(), 3);
}

async fn what_is_due_comes_when_it_is_and_until_it_was_learned(database: Arc<Database>) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    stored(&*store, &batch(1, vec![], (1..=4).map(|number| decision(number, None)).collect())).await;
    let due = |number: u32, slot, steps, after: Option<i64>| AppliedRow {
        due: after.map(|after| NOW.plus(Span(after))),
        ..row(number, slot, Applied { exposed: true, steps, ..Applied::default() })
    };
    let applied = vec![due(1, 0, 1, Some(20)), due(1, 1, 2, Some(30)), due(2, 0, 1, Some(10)), due(3, 0, 3, None)];
    let first = Learned { batches: vec![key(1)], applied, ..Learned::default() };
    assert!(store.learn(term, &first).await.unwrap());
    let ids = async |limit: u32, after: i64| {
        let work = store.learner_work(limit, NOW.plus(Span(after))).await.unwrap();
        assert_eq!((&work.batches, &work.outcomes), (&vec![], &vec![]));
        assert_eq!(work.touched.iter().map(|it| it.decision.decision_id).collect::<Vec<_>>(), work.due);
        (work.due, work.touched)
    };
    assert_eq!(ids(10, 9).await.0, []);
    assert_eq!(ids(10, 10).await.0, [decision_id(2)]);
    assert_eq!(ids(1, 99).await.0, [decision_id(2)], "the longest due first");
    let (both, touched) = ids(10, 99).await;
    assert_eq!(both, [decision_id(1), decision_id(2)], "two slots are one decision");
    assert_eq!(touched[0].applied.iter().map(|(slot, it)| (*slot, it.steps)).collect::<Vec<_>>(), [(0, 1), (1, 2)]);

    // Nobody who was fenced moves what is due.
    let later = Learned { applied: vec![due(2, 0, 2, Some(50))], ..Learned::default() };
    assert!(!store.learn(term + 1, &later).await.unwrap());
    assert_eq!(ids(10, 10).await.0, [decision_id(2)]);
    assert!(store.learn(term, &later).await.unwrap());
    assert_eq!(ids(10, 49).await.0, [decision_id(1)]);
    let end = Learned { applied: vec![due(1, 0, 4, None), due(1, 1, 4, None)], ..Learned::default() };
    assert!(store.learn(term, &end).await.unwrap());
    assert_eq!(ids(10, 99).await.0, [decision_id(2)]);
    let given_up = Learned { given_up: vec![decision_id(2)], ..Learned::default() };
    assert!(store.learn(term, &given_up).await.unwrap());
    assert_eq!(ids(10, i64::MAX / 2).await.0, []);
}

async fn events_come_in_order_and_continue_their_stream(database: Arc<Database>) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    store.load_subjects(&[new_subject(1)]).await.unwrap();
    let other = ModelId([9; 16]);
    let write = async |events: Vec<LearningRow>| store.learn(term, &Learned { events, ..Learned::default() }).await;
    let interleaved = vec![event(MODEL, 1, Some(subject(1))), event(other, 1, None), event(MODEL, 2, Some(subject(2)))];
    assert!(write(interleaved).await.unwrap());
    assert!(write((3..=1500).map(|sequence| event(MODEL, sequence, None)).collect()).await.unwrap());
    for wrong in [1500, 1502] {
        let events = vec![event(other, 2, None), event(MODEL, wrong, None)];
        assert!(write(events).await.unwrap_err().to_string().contains("does not continue its stream"));
    }
    assert_eq!(store.model_heads().await.unwrap(), [(MODEL, 1500), (other, 1)]);

    let first = LearningRow { wrapped_key: Some(b"key-1".to_vec()), ..event(MODEL, 1, Some(subject(1))) };
    let second = event(MODEL, 2, Some(subject(2)));
    assert_eq!(store.learning_events(MODEL, 0, 2).await.unwrap(), [first, second]);
    let rest = store.learning_events(MODEL, 2, 10_000).await.unwrap();
    assert!(rest.iter().map(|event| event.sequence).eq(3..=1500));
    assert_eq!(store.learning_events(MODEL, 1500, 10).await.unwrap(), []);
    assert_eq!(store.learning_events(other, 0, 10).await.unwrap().len(), 1);
}

async fn the_newest_checkpoint_is_found(database: Arc<Database>) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    let other = ModelId([9; 16]);
    assert_eq!(store.checkpoint(MODEL, None).await.unwrap(), None);
    for sequence in [5, 7, 6, 9, 9] {
        let checkpoints = vec![checkpoint(MODEL, sequence), checkpoint(other, 1)];
        assert!(store.learn(term, &Learned { checkpoints, ..Learned::default() }).await.unwrap());
    }
    assert_eq!(store.checkpoint(MODEL, None).await.unwrap(), Some(checkpoint(MODEL, 9)));
    assert_eq!(store.checkpoint(other, None).await.unwrap(), Some(checkpoint(other, 1)));
    // Two are kept: the newest, and the newest at or before an event.
    for (events_max, found) in [(9, Some(9)), (8, Some(7)), (7, Some(7)), (6, None)] {
        let expected = found.map(|sequence| checkpoint(MODEL, sequence));
        assert_eq!(store.checkpoint(MODEL, Some(events_max)).await.unwrap(), expected, "{events_max}");
    }
}

async fn totals_count_what_there_is(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(store.totals().await.unwrap(), proffer::store::Totals::default());
    stored(&*store, &batch(1, vec![], vec![decision(1, None), decision(2, None)])).await;
    stored(&*store, &batch(2, vec![], vec![decision(3, None)])).await;
    store.take_outcomes(&[order(1, Some(decision_id(1))), order(2, None)]).await.unwrap();
    let totals = store.totals().await.unwrap();
    assert_eq!((totals.decisions, totals.outcomes), (3, 2));
    assert_eq!((totals.batches_unlearned, totals.outcomes_unapplied), (2, 1));
}
