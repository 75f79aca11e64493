//! Switches and nodes as stores keep them: each change of switches is a revision and moves the control row on.

use std::sync::Arc;

use proffer::domain::{Span, Timestamp};
use proffer::store::{
    BundleReport, By, Control, Holder, NewSwitch, NodeState, RefusedBundle, Store, SwitchChanged, SwitchRow,
};

use super::make::{BY, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    every_change_of_the_switches_is_a_revision_and_moves_the_control_row_on,
    an_id_is_used_once_and_ended_once,
    what_was_in_force_at_a_revision_can_be_told_for_ever,
    many_who_set_one_switch_at_once_set_it_once,
    a_node_is_known_by_what_it_said_last,
    a_bundle_is_wanted_for_a_while_and_nodes_say_whether_it_is_ready,
}

const DAY: i64 = 86_400_000;

fn new<'a>(id: &'a str, body: &'a str) -> NewSwitch<'a> {
    NewSwitch { id, body, until: Timestamp(5 * DAY) }
}

fn by(at: i64) -> By<'static> {
    By { key: "anna", at: Timestamp(at) }
}

fn ids(rows: &[SwitchRow]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

async fn every_change_of_the_switches_is_a_revision_and_moves_the_control_row_on(database: Arc<Database>) {
    let store = database.open().await;
    store.activate_bundle(digest(1), "one", BY).await.unwrap();
    let first = Control { sequence: 2, bundle: Some(digest(1)), switch_revision: 1, ..Control::default() };
    assert_eq!(store.set_switch(&new("a", "{}"), by(1)).await.unwrap(), SwitchChanged::Made(first));
    assert_eq!(store.control().await.unwrap(), first);
    let second = Control { sequence: 3, switch_revision: 2, ..first };
    assert_eq!(store.end_switch("a", "over", by(2)).await.unwrap(), SwitchChanged::Made(second));
    assert_eq!(store.control().await.unwrap(), second);
    // Other changes leave the revision as it is.
    let third = store.activate_bundle(digest(2), "two", BY).await.unwrap();
    assert_eq!(third, Control { sequence: 4, bundle: Some(digest(2)), ..second });
}

async fn an_id_is_used_once_and_ended_once(database: Arc<Database>) {
    let store = database.open().await;
    store.set_switch(&new("a", "{\"why\": 1}"), by(1)).await.unwrap();
    let SwitchChanged::Known(known) = store.set_switch(&new("a", "{}"), by(2)).await.unwrap() else { panic!() };
    assert_eq!((known.body.as_str(), known.at, known.by.as_str()), ("{\"why\": 1}", Timestamp(1), "anna"));
    assert_eq!((known.until, known.revision, &known.ended), (Timestamp(5 * DAY), 1, &None));
    assert_eq!(store.end_switch("b", "over", by(3)).await.unwrap(), SwitchChanged::Unknown);
    assert!(matches!(store.end_switch("a", "over", by(4)).await.unwrap(), SwitchChanged::Made(_)));
    for again in [store.end_switch("a", "again", by(5)).await, store.set_switch(&new("a", "{}"), by(6)).await] {
        let SwitchChanged::Known(known) = again.unwrap() else { panic!() };
        let ended = known.ended.as_ref().unwrap();
        assert_eq!((ended.revision, ended.why.as_str(), ended.at), (2, "over", Timestamp(4)));
    }
    assert_eq!(store.control().await.unwrap().sequence, 2);
    assert_eq!(store.switch("a").await.unwrap().unwrap().revision, 1);
    assert_eq!(store.switch("b").await.unwrap(), None);
}

async fn what_was_in_force_at_a_revision_can_be_told_for_ever(database: Arc<Database>) {
    let store = database.open().await;
    for id in ["c", "a", "b"] {
        store.set_switch(&new(id, "{}"), by(1)).await.unwrap();
    }
    store.end_switch("a", "over", by(2)).await.unwrap();
    // Later than an hour after their own end the others are gone.
    store
        .set_switch(&NewSwitch { until: Timestamp(9 * DAY), ..new("d", "{}") }, by(5 * DAY + 3_600_000))
        .await
        .unwrap();
    let at = async |revision| store.switches_at(revision).await.unwrap();
    let expected: [&[&str]; 6] = [&[], &["c"], &["a", "c"], &["a", "b", "c"], &["b", "c"], &["d"]];
    for (revision, expected) in (0..).zip(expected) {
        assert_eq!(ids(&at(revision).await), expected, "revision {revision}");
    }
    assert_eq!(ids(&store.switches(None, 2).await.unwrap()), ["d", "b"]);
    assert_eq!(ids(&store.switches(Some(3), 10).await.unwrap()), ["a", "c"]);
}

async fn many_who_set_one_switch_at_once_set_it_once(database: Arc<Database>) {
    let store = database.open().await;
    let setting = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.set_switch(&new("a", "{}"), BY).await.unwrap() })
    });
    let mut made = 0;
    for set in setting.collect::<Vec<_>>() {
        made += u32::from(matches!(set.await.unwrap(), SwitchChanged::Made(_)));
    }
    assert_eq!((made, store.control().await.unwrap().sequence), (1, 1));
}

fn holder(node: &str, incarnation: u64) -> Holder {
    Holder { node: node.to_owned(), incarnation }
}

async fn state(store: &dyn Store, node: &str, incarnation: u64) {
    let refused = RefusedBundle { hash: digest(2), why: "it is damaged".to_owned(), since: Timestamp(7) };
    let state = NodeState {
        holder: holder(node, incarnation),
        build: "1.0".to_owned(),
        bundle: digest(1),
        since: Timestamp(5),
        control_sequence: 3,
        refused: (incarnation > 1).then_some(refused),
        key_period: 1,
        seen_at: Timestamp(0),
    };
    store.report_node(&state).await.unwrap();
}

async fn a_node_is_known_by_what_it_said_last(database: Arc<Database>) {
    let store = database.open().await;
    let before = store.now().await.unwrap();
    for (node, incarnation) in [("b", 1), ("a", 2), ("a", 1)] {
        state(&*store, node, incarnation).await;
    }
    let nodes = store.nodes().await.unwrap();
    let told: Vec<_> = nodes.iter().map(|node| (node.holder.clone(), node.refused.is_some())).collect();
    // An earlier start of a node has nothing to say any more.
    assert_eq!(told, [(holder("a", 2), true), (holder("b", 1), false)]);
    assert!(nodes.iter().all(|node| node.seen_at >= before && node.bundle == digest(1)));
    store.forget_node(&holder("a", 1)).await.unwrap();
    store.forget_node(&holder("b", 1)).await.unwrap();
    assert_eq!(store.nodes().await.unwrap().len(), 1);
}

async fn a_bundle_is_wanted_for_a_while_and_nodes_say_whether_it_is_ready(database: Arc<Database>) {
    let store = database.open().await;
    let minute = Span(60_000);
    for number in [1, 2] {
        store.publish_bundle(digest(number), "", BY).await.unwrap();
    }
    assert_eq!(store.wanted_bundles(minute).await.unwrap(), []);
    store.want_bundle(digest(2)).await.unwrap();
    assert_eq!(store.wanted_bundles(minute).await.unwrap(), [digest(2)]);
    assert_eq!(store.wanted_bundles(Span(-1)).await.unwrap(), []);
    for (incarnation, failed) in [(1, Some("it is damaged".to_owned())), (2, None)] {
        let report = BundleReport { holder: holder("a", incarnation), hash: digest(2), failed, at: Timestamp(0) };
        store.report_bundle(&report).await.unwrap();
        let kept = store.bundle_reports(digest(2)).await.unwrap();
        assert_eq!((kept.len(), &kept[0].holder, &kept[0].failed), (1, &report.holder, &report.failed));
    }
    assert_eq!(store.bundle_reports(digest(1)).await.unwrap(), []);
}
