//! What people publish: bundles, offers and campaigns move the control row, and what was in force stays readable.

use std::sync::Arc;

use proffer::domain::{CampaignId, OfferId, Timestamp};
use proffer::store::{By, CampaignBody, CatalogueChange, CatalogueChanged, Control, OfferBody, Store, Tally};

use super::make::{BY, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    an_activation_moves_the_control_row_once,
    a_change_makes_a_revision_and_old_ones_stay_readable,
    what_is_there_already_makes_no_revision,
    a_change_that_expects_another_revision_changes_nothing,
    a_change_with_a_name_is_made_once,
    every_revision_of_an_offer_tells_when_and_by_whom,
    the_clock_of_the_store_runs,
}

async fn an_activation_moves_the_control_row_once(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(store.control().await.unwrap(), Control::default());
    let first = Control { sequence: 1, bundle: Some(digest(1)), ..Control::default() };
    assert_eq!(store.activate_bundle(digest(1), "one", BY).await.unwrap(), first);
    assert_eq!(store.activate_bundle(digest(1), "one", BY).await.unwrap(), first);
    assert_eq!(database.open().await.control().await.unwrap(), first);
    let second = Control { sequence: 2, bundle: Some(digest(2)), ..Control::default() };
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

fn campaign(id: &str, json: &str) -> CampaignBody {
    CampaignBody { campaign_id: CampaignId::new(id).unwrap(), json: json.to_owned() }
}

fn change(offers: &[OfferBody], campaigns: &[CampaignBody]) -> CatalogueChange {
    CatalogueChange { offers: offers.to_vec(), campaigns: campaigns.to_vec(), ..CatalogueChange::default() }
}

/// What a change that is in force left behind: its control sequence, its revision, and what was new.
fn made(sequence: u64, revision: u64, (created, changed, unchanged): (usize, usize, usize)) -> CatalogueChanged {
    let control = Control { sequence, bundle: None, catalogue_revision: revision, ..Control::default() };
    CatalogueChanged::Made { control, tally: Tally { created, changed, unchanged } }
}

/// Offers and campaigns at a revision as `id text revision`.
async fn at(store: &dyn Store, revision: u64) -> Vec<String> {
    let rows = store.catalogue(revision).await.unwrap();
    let offers = rows.offers.iter().map(|(o, since)| format!("{} {} {since}", o.offer_id, o.json));
    let campaigns = rows.campaigns.iter().map(|(c, since)| format!("campaign {} {} {since}", c.campaign_id, c.json));
    offers.chain(campaigns).collect()
}

async fn a_change_makes_a_revision_and_old_ones_stay_readable(database: Arc<Database>) {
    let store = database.open().await;
    let first = change(&[offer("b", "b1"), offer("a", "a1"), offer("B", "B1")], &[campaign("c", "c1")]);
    assert_eq!(store.change_catalogue(&first, BY).await.unwrap(), made(1, 1, (4, 0, 0)));
    let second = change(&[offer("c", "x"), offer("a", "a2"), offer("c", "c2")], &[campaign("c", "c2")]);
    assert_eq!(store.change_catalogue(&second, BY).await.unwrap(), made(2, 2, (1, 2, 0)));
    assert_eq!(store.control().await.unwrap().catalogue_revision, 2);
    assert!(at(&*store, 0).await.is_empty());
    assert_eq!(at(&*store, 1).await, ["B B1 1", "a a1 1", "b b1 1", "campaign c c1 1"]);
    let after = ["B B1 1", "a a2 2", "b b1 1", "c c2 2", "campaign c c2 2"];
    assert_eq!(at(&*store, 2).await, after);
    let only_a_campaign = change(&[], &[campaign("d", "d1")]);
    assert_eq!(store.change_catalogue(&only_a_campaign, BY).await.unwrap(), made(3, 3, (1, 0, 0)));
    let many: Vec<_> = (0..2000).map(|n| offer(&format!("o{n:04}"), "{}")).collect();
    assert_eq!(store.change_catalogue(&change(&many, &[]), BY).await.unwrap(), made(4, 4, (2000, 0, 0)));
    assert_eq!(store.catalogue(4).await.unwrap().offers.len(), 2004);
    assert_eq!(at(&*store, 2).await, after);
}

async fn what_is_there_already_makes_no_revision(database: Arc<Database>) {
    let store = database.open().await;
    let first = change(&[offer("a", "a1"), offer("b", "b1")], &[campaign("a", "a1")]);
    assert_eq!(store.change_catalogue(&first, BY).await.unwrap(), made(1, 1, (3, 0, 0)));
    assert_eq!(store.change_catalogue(&first, BY).await.unwrap(), made(1, 1, (0, 0, 3)));
    assert_eq!(store.change_catalogue(&change(&[], &[]), BY).await.unwrap(), made(1, 1, (0, 0, 0)));
    let second = change(&[offer("a", "a1"), offer("b", "b2")], &[campaign("a", "a1")]);
    assert_eq!(store.change_catalogue(&second, BY).await.unwrap(), made(2, 2, (0, 1, 2)));
    assert_eq!(at(&*store, 2).await, ["a a1 1", "b b2 2", "campaign a a1 1"]);
    // Back to how it was is a change again.
    assert_eq!(store.change_catalogue(&first, BY).await.unwrap(), made(3, 3, (0, 1, 2)));
}

async fn a_change_that_expects_another_revision_changes_nothing(database: Arc<Database>) {
    let store = database.open().await;
    let expecting = |revision, json: &str| CatalogueChange {
        expected_revision: Some(revision),
        ..change(&[offer("a", json)], &[])
    };
    assert_eq!(store.change_catalogue(&expecting(0, "a1"), BY).await.unwrap(), made(1, 1, (1, 0, 0)));
    let moved = CatalogueChanged::Moved { revision: 1 };
    assert_eq!(store.change_catalogue(&expecting(0, "a2"), BY).await.unwrap(), moved);
    assert_eq!(store.change_catalogue(&expecting(2, "a2"), BY).await.unwrap(), moved);
    assert_eq!(at(&*store, 9).await, ["a a1 1"]);
    assert_eq!(store.change_catalogue(&expecting(1, "a2"), BY).await.unwrap(), made(2, 2, (0, 1, 0)));
    // Of many who expect the same revision one is the first.
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (store, wanted) = (store.clone(), expecting(2, &format!("by {n}")));
            tokio::spawn(async move { store.change_catalogue(&wanted, BY).await.unwrap() })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        match task.await.unwrap() {
            CatalogueChanged::Made { .. } => first += 1,
            other => assert_eq!(other, CatalogueChanged::Moved { revision: 3 }),
        }
    }
    assert_eq!(first, 1);
}

async fn a_change_with_a_name_is_made_once(database: Arc<Database>) {
    let store = database.open().await;
    let named = |json, expected_revision| CatalogueChange {
        request_id: Some("stock/a/1".into()),
        expected_revision,
        ..change(&[offer("a", json)], &[])
    };
    assert_eq!(store.change_catalogue(&named("a1", Some(0)), BY).await.unwrap(), made(1, 1, (1, 0, 0)));
    let repeated = CatalogueChanged::Repeated { revision: 1 };
    assert_eq!(store.change_catalogue(&named("a2", Some(0)), BY).await.unwrap(), repeated);
    assert_eq!(store.change_catalogue(&named("a2", None), BY).await.unwrap(), repeated);
    // A name is used up by a change that found everything there, but not by one that came too late.
    let other = |json, expected_revision| CatalogueChange {
        request_id: Some("stock/a/2".into()),
        ..named(json, expected_revision)
    };
    let moved = CatalogueChanged::Moved { revision: 1 };
    assert_eq!(store.change_catalogue(&other("a1", Some(7)), BY).await.unwrap(), moved);
    assert_eq!(store.change_catalogue(&other("a1", Some(1)), BY).await.unwrap(), made(1, 1, (0, 0, 1)));
    assert_eq!(store.change_catalogue(&other("a3", None), BY).await.unwrap(), repeated);
    assert_eq!(at(&*store, 1).await, ["a a1 1"]);
}

async fn every_revision_of_an_offer_tells_when_and_by_whom(database: Arc<Database>) {
    let store = database.open().await;
    for (at, key, json) in [(10, "anna", "a1"), (20, "ben", "a2"), (30, "ben", "a2"), (40, "anna", "a3")] {
        let by = By { key, at: Timestamp(at) };
        store.change_catalogue(&change(&[offer("a", json)], &[]), by).await.unwrap();
        store.change_catalogue(&change(&[offer("b", json)], &[]), by).await.unwrap();
    }
    let told = async |before, limit| -> Vec<String> {
        let revisions = store.offer_revisions(&OfferId::new("a").unwrap(), before, limit).await.unwrap();
        revisions.iter().map(|r| format!("{} {} {} {}", r.revision, r.at.0, r.by_key, r.json)).collect()
    };
    assert_eq!(told(None, 10).await, ["5 40 anna a3", "3 20 ben a2", "1 10 anna a1"]);
    assert_eq!(told(None, 2).await, ["5 40 anna a3", "3 20 ben a2"]);
    assert_eq!(told(Some(3), 2).await, ["1 10 anna a1"]);
    assert!(store.offer_revisions(&OfferId::new("c").unwrap(), None, 10).await.unwrap().is_empty());
}

async fn the_clock_of_the_store_runs(database: Arc<Database>) {
    let store = database.open().await;
    let first = store.now().await.unwrap();
    assert!(first.0 > 1_700_000_000_000 && first.0 < 4_000_000_000_000, "{first}");
    // Fails by never ending if the clock stands.
    while store.now().await.unwrap() == first {}
    assert!(store.now().await.unwrap() > first);
}
