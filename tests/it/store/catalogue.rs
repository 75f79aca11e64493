//! What people publish: bundles and offers move the control row, and what was in force stays readable.

use std::sync::Arc;

use proffer::domain::OfferId;
use proffer::store::{Control, OfferBody};

use super::make::{BY, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    an_activation_moves_the_control_row_once,
    an_import_makes_a_revision_and_old_ones_stay_readable,
    the_clock_of_the_store_runs,
}

async fn an_activation_moves_the_control_row_once(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(store.control().await.unwrap(), Control::default());
    let first = Control { sequence: 1, bundle: Some(digest(1)), catalogue_revision: 0 };
    assert_eq!(store.activate_bundle(digest(1), "one", BY).await.unwrap(), first);
    assert_eq!(store.activate_bundle(digest(1), "one", BY).await.unwrap(), first);
    assert_eq!(database.open().await.control().await.unwrap(), first);
    let second = Control { sequence: 2, bundle: Some(digest(2)), catalogue_revision: 0 };
    assert_eq!(store.activate_bundle(digest(2), "two", BY).await.unwrap(), second);
    // Back to one that was active before is a change again.
    assert_eq!(store.activate_bundle(digest(1), "one", BY).await.unwrap(), Control { sequence: 3, ..first });
    assert_eq!(store.bundle(digest(1)).await.unwrap().as_deref(), Some("one"));
    assert_eq!(store.bundle(digest(2)).await.unwrap().as_deref(), Some("two"));
    assert_eq!(store.bundle(digest(3)).await.unwrap(), None);
}

fn offer(id: &str, json: &str) -> OfferBody {
    OfferBody { offer_id: OfferId::new(id).unwrap(), json: json.to_owned() }
}

async fn an_import_makes_a_revision_and_old_ones_stay_readable(database: Arc<Database>) {
    let store = database.open().await;
    let after = store.import_offers(&[offer("b", "b1"), offer("a", "a1"), offer("B", "B1")], BY).await.unwrap();
    assert_eq!(after, Control { sequence: 1, bundle: None, catalogue_revision: 1 });
    let after = store.import_offers(&[offer("c", "x"), offer("a", "a2"), offer("c", "c2")], BY).await.unwrap();
    assert_eq!(after, Control { sequence: 2, bundle: None, catalogue_revision: 2 });
    assert_eq!(store.control().await.unwrap(), after);
    assert_eq!(store.catalogue(0).await.unwrap(), []);
    assert_eq!(store.catalogue(1).await.unwrap(), [offer("B", "B1"), offer("a", "a1"), offer("b", "b1")]);
    let second = [offer("B", "B1"), offer("a", "a2"), offer("b", "b1"), offer("c", "c2")];
    assert_eq!(store.catalogue(2).await.unwrap(), second);
    let many: Vec<_> = (0..2000).map(|n| offer(&format!("o{n:04}"), "{}")).collect();
    assert_eq!(store.import_offers(&many, BY).await.unwrap().catalogue_revision, 3);
    assert_eq!(store.catalogue(3).await.unwrap().len(), 2004);
    assert_eq!(store.catalogue(2).await.unwrap(), second);
}

async fn the_clock_of_the_store_runs(database: Arc<Database>) {
    let store = database.open().await;
    let first = store.now().await.unwrap();
    assert!(first.0 > 1_700_000_000_000 && first.0 < 4_000_000_000_000, "{first}");
    // Fails by never ending if the clock stands.
    while store.now().await.unwrap() == first {}
    assert!(store.now().await.unwrap() > first);
}
