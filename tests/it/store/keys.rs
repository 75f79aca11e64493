//! API keys and sources of outcomes: a name is in force once.

use std::sync::Arc;

use proffer::domain::Timestamp;
use proffer::store::{By, KeyRow, SourceRow};

use super::make::{BY, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    a_key_in_force_keeps_its_name_until_it_is_revoked,
    a_source_keeps_its_name,
}

async fn a_key_in_force_keeps_its_name_until_it_is_revoked(database: Arc<Database>) {
    let store = database.open().await;
    let key = |number: u8, name: &str| KeyRow {
        hash: digest(number),
        name: name.to_owned(),
        roles: "admin,decide".to_owned(),
        created_at: Timestamp(i64::from(number)),
        revoked_at: None,
    };
    assert_eq!(store.keys().await.unwrap(), []);
    assert!(store.create_key(&key(2, "b"), BY).await.unwrap());
    assert!(store.create_key(&key(1, "a"), BY).await.unwrap());
    assert!(!store.create_key(&key(3, "b"), BY).await.unwrap());
    assert_eq!(store.keys().await.unwrap(), [key(1, "a"), key(2, "b")]);

    let later = By { at: Timestamp(77), ..BY };
    assert!(store.revoke_key("b", later).await.unwrap());
    assert!(!store.revoke_key("b", BY).await.unwrap());
    assert!(!store.revoke_key("nobody", BY).await.unwrap());
    assert!(store.create_key(&key(3, "b"), BY).await.unwrap());
    let revoked = KeyRow { revoked_at: Some(Timestamp(77)), ..key(2, "b") };
    assert_eq!(store.keys().await.unwrap(), [key(1, "a"), revoked, key(3, "b")]);
}

async fn a_source_keeps_its_name(database: Arc<Database>) {
    let store = database.open().await;
    let source = |name: &str, secret: &str| SourceRow {
        name: name.to_owned(),
        sealed_secret: secret.as_bytes().to_vec(),
        created_at: Timestamp(5),
    };
    assert!(store.create_source(&source("shop", "s"), BY).await.unwrap());
    assert!(!store.create_source(&source("shop", "t"), BY).await.unwrap());
    assert!(store.create_source(&source("crm", "u"), BY).await.unwrap());
    assert_eq!(store.sources().await.unwrap(), [source("crm", "u"), source("shop", "s")]);
}
