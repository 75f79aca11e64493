//! The log: what is committed gets one position each, in one order, under the term of the learner and no other.

use std::sync::Arc;

use proffer::engine::batch::Batch;
use proffer::engine::learner::BatchKey;
use proffer::engine::log::{Appended, Field, Head, Unlogged, Waiting};
use proffer::store::log::BatchRow;
use proffer::transparency::edge::Edge;
use proffer::transparency::entry::LeafId;
use proffer::transparency::merkle_root;
use proffer::transparency::tile::TileId;

use super::lease::elected;
use super::make::{BY, batch, decision, decision_id, digest, stored};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    what_waits_gets_its_positions_once_and_is_read_back,
    as_much_is_read_as_fits_and_at_least_one_batch,
    a_step_that_does_not_begin_where_the_log_ends_is_refused,
    a_fenced_term_appends_nothing_and_keeps_no_checkpoint,
    an_older_checkpoint_never_replaces_a_newer_one,
    what_is_noted_once_is_noted_once,
}

fn of_node(node: &str, number: u64, decisions: &[u32]) -> Batch {
    let decisions = decisions.iter().map(|number| decision(*number, None)).collect();
    Batch { node: node.to_owned(), ..batch(number, Vec::new(), decisions) }
}

fn key(node: &str, number: u64) -> BatchKey {
    BatchKey { node: node.to_owned(), incarnation: 1, number }
}

/// One step that appends all of it, with one term for every decision of an even number of bytes.
fn step(work: Unlogged) -> Appended {
    let mut edge = Edge::open(work.head.size, &work.tiles).unwrap();
    let mut segment = work.segment.unwrap_or_default();
    let (mut decisions, mut changes, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    for change in work.changes {
        changes.push((change.sequence, edge.size()));
        segment.push(LeafId::Change(change.sequence), []);
        edge.append(change.leaf());
    }
    for batch in work.batches {
        batches.push((batch.key, edge.size()));
        for decision in batch.decisions {
            decisions.push((decision.decision_id, edge.size()));
            let even = decision.skeleton.len().is_multiple_of(2);
            segment.push(LeafId::Decision(decision.decision_id), even.then(|| (Field::Offer, "even".to_owned())));
            edge.append(decision.leaf);
        }
    }
    let after = Head { size: edge.size(), root: edge.root() };
    Appended {
        before: work.head,
        after,
        tiles: edge.into_changed(),
        segments: vec![segment],
        decisions,
        changes,
        batches,
    }
}

async fn what_waits_gets_its_positions_once_and_is_read_back(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(elected(&*store, "a", 1).await, Some(1));
    assert_eq!(store.log_state().await.unwrap().head, Head::default());
    // Appended in the order of node and number, whatever the order of the commits.
    stored(&*store, &of_node("b", 1, &[3, 1])).await;
    stored(&*store, &of_node("a", 2, &[10])).await;
    stored(&*store, &of_node("a", 1, &[4])).await;
    assert!(store.publish_bundle(digest(1), "body", BY).await.unwrap());
    assert_eq!(store.log_waiting().await.unwrap(), Waiting { batches: 3, changes: 1 });
    assert_eq!(store.decisions_unlogged(None, 2).await.unwrap(), [decision_id(1), decision_id(3)]);

    let work = store.unlogged(100).await.unwrap();
    let keys: Vec<BatchKey> = work.batches.iter().map(|batch| batch.key.clone()).collect();
    assert_eq!(keys, [key("a", 1), key("a", 2), key("b", 1)]);
    let ids: Vec<_> = work.decisions().map(|decision| decision.decision_id).collect();
    assert_eq!(ids, [4, 10, 3, 1].map(decision_id));
    assert!(
        work.decisions().all(|leaf| leaf.leaf == decision(3, None).record.leaf || leaf.decision_id != decision_id(3))
    );
    let sequence = work.changes[0].sequence;
    assert_eq!((work.changes[0].what.as_str(), work.changes[0].by.as_str()), ("bundle published", "tester"));
    let first = step(work);
    assert!(store.append_log(1, &first).await.unwrap());

    // Everything that it was given is there, and nothing waits.
    assert_eq!(store.log_waiting().await.unwrap(), Waiting::default());
    assert!(store.unlogged(100).await.unwrap().is_empty());
    assert_eq!(store.decisions_unlogged(None, 9).await.unwrap(), []);
    assert_eq!(store.log_state().await.unwrap().head, first.after);
    let positions = [(decision_id(1), 4), (decision_id(3), 3), (decision_id(4), 1), (decision_id(10), 2)];
    assert_eq!(store.log_positions(&[4, 3, 10, 1, 77].map(decision_id)).await.unwrap(), positions);
    assert_eq!(store.positions_after(Some(decision_id(3)), 9).await.unwrap(), positions[2..]);
    assert_eq!(store.log_segment(0).await.unwrap().as_ref(), Some(&first.segments[0]));
    assert_eq!(store.log_segment(1).await.unwrap(), None);
    let leaf = TileId { level: 0, index: 0 };
    assert_eq!(store.log_tiles(&[leaf, TileId { level: 1, index: 0 }]).await.unwrap(), first.tiles);
    assert_eq!(merkle_root(&first.tiles.0[&leaf]), first.after.root);
    let change = store.changes(&[sequence, 999]).await.unwrap();
    assert_eq!((change.len(), change[0].1), (1, Some(0)));
    assert_eq!(store.changes_after(0, 9).await.unwrap(), change);
    let rows = store.batches_at(2..9).await.unwrap();
    let row = |node, number, ids: &[u32], position| BatchRow {
        key: key(node, number),
        digest: digest(0xba),
        decisions: ids.iter().map(|id| decision_id(*id)).collect(),
        position: Some(position),
    };
    assert_eq!(rows, [row("a", 2, &[10], 2), row("b", 1, &[3, 1], 3)]);
    assert_eq!(store.batches_after(Some(&key("a", 1)), 9).await.unwrap(), rows);

    // What comes later goes on where that ended, in the same tile and the same segment.
    stored(&*store, &of_node("a", 3, &[22])).await;
    let second = step(store.unlogged(100).await.unwrap());
    assert_eq!((second.before, second.decisions[0]), (first.after, (decision_id(22), 5)));
    assert!(store.append_log(1, &second).await.unwrap());
    let segment = store.log_segment(0).await.unwrap().unwrap();
    assert_eq!((segment.ids.len(), &segment), (6, &second.segments[0]));
    assert_eq!(store.log_tiles(&[leaf]).await.unwrap().0[&leaf].len(), 6);
    let counts = store.log_counts().await.unwrap();
    assert_eq!((counts.decisions, counts.positions, counts.tiles, counts.segments, counts.postings), (5, 5, 1, 1, 1));
}

async fn as_much_is_read_as_fits_and_at_least_one_batch(database: Arc<Database>) {
    let store = database.open().await;
    stored(&*store, &of_node("a", 1, &[1, 2, 3])).await;
    stored(&*store, &of_node("a", 2, &[4])).await;
    stored(&*store, &of_node("a", 3, &[5])).await;
    let read = async |leaves| store.unlogged(leaves).await.unwrap().decisions().count();
    assert_eq!((read(0).await, read(2).await, read(3).await, read(4).await, read(9).await), (3, 3, 3, 4, 5));
}

async fn a_step_that_does_not_begin_where_the_log_ends_is_refused(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(elected(&*store, "a", 1).await, Some(1));
    stored(&*store, &of_node("a", 1, &[1])).await;
    let first = step(store.unlogged(9).await.unwrap());
    assert!(store.append_log(1, &first).await.unwrap());
    stored(&*store, &of_node("a", 2, &[2])).await;
    let second = step(store.unlogged(9).await.unwrap());
    let told = "the store holds something unreadable: the log no longer ends at";
    let check = async |step: &Appended| {
        let error = store.append_log(1, step).await.unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
        assert_eq!(store.log_state().await.unwrap().head, first.after);
        assert_eq!(store.log_waiting().await.unwrap().batches, 1);
    };
    check(&first).await;
    check(&Appended { before: Head { root: digest(9), ..second.before }, ..second.clone() }).await;
    assert!(store.append_log(1, &second).await.unwrap());
}

async fn a_fenced_term_appends_nothing_and_keeps_no_checkpoint(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(elected(&*store, "a", 1).await, Some(1));
    stored(&*store, &of_node("a", 1, &[1])).await;
    let step = step(store.unlogged(9).await.unwrap());
    store.release_term(1).await.unwrap();
    assert_eq!(elected(&*store, "b", 1).await, Some(2));
    assert!(!store.append_log(1, &step).await.unwrap());
    assert_eq!(store.log_state().await.unwrap().head, Head::default());
    assert!(store.append_log(2, &step).await.unwrap());
    assert!(!store.keep_checkpoint(1, 1, "note").await.unwrap());
    assert_eq!(store.log_state().await.unwrap().checkpoint, None);
    assert!(store.keep_checkpoint(2, 1, "note").await.unwrap());
}

async fn an_older_checkpoint_never_replaces_a_newer_one(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(elected(&*store, "a", 1).await, Some(1));
    stored(&*store, &of_node("a", 1, &[1, 2, 3])).await;
    assert!(store.append_log(1, &step(store.unlogged(9).await.unwrap())).await.unwrap());
    let kept = async |size, note| {
        assert!(store.keep_checkpoint(1, size, note).await.unwrap());
        store.log_state().await.unwrap().checkpoint.unwrap()
    };
    assert_eq!(kept(2, "two").await, "two");
    assert_eq!(kept(1, "one").await, "two");
    assert_eq!(kept(4, "more than there are").await, "two");
    assert_eq!(kept(3, "three").await, "three");
}

async fn what_is_noted_once_is_noted_once(database: Arc<Database>) {
    let store = database.open().await;
    assert!(store.note_once("what", "one", BY).await.unwrap());
    assert!(!store.note_once("what", "one", BY).await.unwrap());
    assert!(store.note_once("what", "two", BY).await.unwrap());
    let changes = store.changes_after(0, 9).await.unwrap();
    let told: Vec<_> = changes.iter().map(|(change, at)| (change.detail.as_str(), *at)).collect();
    assert_eq!(told, [("one", None), ("two", None)]);
}
