//! Reports of fairness: kept once under their hash, as they were written.

use std::sync::Arc;

use super::make::{BY, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    a_report_is_kept_once_and_read_back_as_it_was_written,
}

async fn a_report_is_kept_once_and_read_back_as_it_was_written(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(store.fairness_report(digest(1)).await.unwrap(), None);
    let body = r#"{"form":1,"ratio":0.30000000000000004,"group":"é"}"#;
    assert!(store.keep_fairness_report(digest(1), body, BY).await.unwrap());
    assert!(!store.keep_fairness_report(digest(1), "something else", BY).await.unwrap(), "what is kept stays");
    let other = database.open().await;
    assert_eq!(other.fairness_report(digest(1)).await.unwrap().as_deref(), Some(body));
    assert_eq!(other.fairness_report(digest(2)).await.unwrap(), None);
}
