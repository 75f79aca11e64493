//! Bundles: kept once, active one at a time, with a history of who made which active.

use std::sync::Arc;

use proffer::domain::Timestamp;
use proffer::store::{Activation, By, Control};

use super::make::{BY, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    a_published_bundle_is_kept_and_changes_nothing,
    only_a_bundle_that_is_new_is_introduced,
    the_history_says_what_was_active_when_and_by_whom,
    one_of_many_introductions_at_once_counts,
}

async fn a_published_bundle_is_kept_and_changes_nothing(database: Arc<Database>) {
    let store = database.open().await;
    assert!(store.publish_bundle(digest(2), "two", BY).await.unwrap());
    assert!(!store.publish_bundle(digest(2), "two", BY).await.unwrap());
    assert!(store.publish_bundle(digest(1), "one", BY).await.unwrap());
    assert_eq!(store.control().await.unwrap(), Control::default());
    assert_eq!(store.bundle(digest(2)).await.unwrap().as_deref(), Some("two"));
    let kept = store.bundles().await.unwrap();
    assert_eq!(kept.iter().map(|bundle| bundle.hash).collect::<Vec<_>>(), [digest(1), digest(2)]);
    assert!(kept.iter().all(|bundle| (bundle.at, bundle.by.as_deref()) == (Some(BY.at), Some(BY.key))), "{kept:?}");
    assert_eq!(store.activations().await.unwrap(), []);
    let active = store.activate_bundle(digest(2), "two", BY).await.unwrap();
    assert_eq!(active, Control { sequence: 1, bundle: Some(digest(2)), ..Control::default() });
}

async fn only_a_bundle_that_is_new_is_introduced(database: Arc<Database>) {
    let store = database.open().await;
    let active = |sequence, number| Control { sequence, bundle: Some(digest(number)), ..Control::default() };
    // While none is active, any is taken.
    store.publish_bundle(digest(1), "one", BY).await.unwrap();
    assert_eq!(store.introduce_bundle(digest(1), "one", BY).await.unwrap(), active(1, 1));
    assert_eq!(store.introduce_bundle(digest(2), "two", BY).await.unwrap(), active(2, 2));
    // One that was replaced, and one that somebody published to activate it later, stay as they are.
    assert_eq!(store.introduce_bundle(digest(1), "one", BY).await.unwrap(), active(2, 2));
    store.publish_bundle(digest(3), "three", BY).await.unwrap();
    assert_eq!(store.introduce_bundle(digest(3), "three", BY).await.unwrap(), active(2, 2));
    assert_eq!(store.introduce_bundle(digest(2), "two", BY).await.unwrap(), active(2, 2));
    assert_eq!(store.control().await.unwrap(), active(2, 2));
}

async fn the_history_says_what_was_active_when_and_by_whom(database: Arc<Database>) {
    let store = database.open().await;
    for (at, number, key) in [(10, 1, "start"), (20, 2, "anna"), (30, 2, "nobody"), (40, 1, "command line")] {
        store.activate_bundle(digest(number), "", By { key, at: Timestamp(at) }).await.unwrap();
    }
    let told = |sequence, number, at, by: &str| Activation {
        sequence,
        hash: digest(number),
        at: Timestamp(at),
        by: by.to_owned(),
    };
    let expected = [told(3, 1, 40, "command line"), told(2, 2, 20, "anna"), told(1, 1, 10, "start")];
    assert_eq!(store.activations().await.unwrap(), expected);
}

async fn one_of_many_introductions_at_once_counts(database: Arc<Database>) {
    let store = database.open().await;
    let starts = (0..8_u8).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.introduce_bundle(digest(number % 2), "", BY).await.unwrap() })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap();
    }
    // Each of the two was new once.
    assert_eq!(store.control().await.unwrap().sequence, 2);
    assert_eq!(store.activations().await.unwrap().len(), 2);
}
