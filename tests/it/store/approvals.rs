//! Approvals: kept as they were given, taken back once, each with a sequence of the control row of its own.

use std::sync::Arc;

use proffer::domain::{AttributeId, PurposeId, Timestamp};
use proffer::policy::{Authority, Given, Matter, Revocation, Use, UseCase};
use proffer::store::{By, Control, NewApproval, Revoked};

use super::make::{BY, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    an_approval_is_kept_as_it_was_given_and_moves_the_control_row,
    one_is_taken_back_once_and_stays_in_the_list,
    every_one_of_many_at_once_has_a_sequence_of_its_own,
}

fn tier(use_case: UseCase) -> Matter {
    Matter::Use(Use {
        attribute: AttributeId::parse("customer.tier").unwrap(),
        purpose: PurposeId::new("offer_personalisation").unwrap(),
        use_case,
    })
}

fn approval(matter: Matter, number: u8) -> NewApproval {
    NewApproval {
        matter,
        pinned: digest(number),
        authority: Authority::Privacy,
        expires: Timestamp(9_000),
        note: "DPIA-7".to_owned(),
    }
}

async fn an_approval_is_kept_as_it_was_given_and_moves_the_control_row(database: Arc<Database>) {
    let store = database.open().await;
    assert_eq!(store.approvals().await.unwrap(), []);
    let offer = Matter::Offer {
        offer_id: proffer::domain::OfferId::new("boots").unwrap(),
        variant_id: Some(proffer::domain::VariantId::new("a").unwrap()),
    };
    let by = By { key: "jane", at: Timestamp(5) };
    let matters = [tier(UseCase::Feature), offer, Matter::Bundle];
    for (number, matter) in (1..).zip(&matters) {
        assert_eq!(store.approve(&approval(matter.clone(), number), by).await.unwrap(), u64::from(number));
        let control = Control { sequence: u64::from(number), bundle: None, catalogue_revision: 0, switch_revision: 0 };
        assert_eq!(store.control().await.unwrap(), control);
    }
    let given = |number: u8, matter: &Matter| Given {
        id: u64::from(number),
        matter: matter.clone(),
        pinned: digest(number),
        authority: Authority::Privacy,
        at: Timestamp(5),
        by: "jane".to_owned(),
        expires: Timestamp(9_000),
        note: "DPIA-7".to_owned(),
        revoked: None,
    };
    let expected: Vec<Given> = (1..).zip(&matters).map(|(number, matter)| given(number, matter)).collect();
    assert_eq!(store.approvals().await.unwrap(), expected);
}

async fn one_is_taken_back_once_and_stays_in_the_list(database: Arc<Database>) {
    let store = database.open().await;
    let id = store.approve(&approval(tier(UseCase::Rule), 1), BY).await.unwrap();
    store.activate_bundle(digest(7), "seven", BY).await.unwrap();
    let joe = By { key: "joe", at: Timestamp(77) };
    assert_eq!(store.revoke_approval(99, "", joe).await.unwrap(), Revoked::Unknown);
    assert_eq!(store.control().await.unwrap().sequence, 2);
    assert_eq!(store.revoke_approval(id, "complaint 12", joe).await.unwrap(), Revoked::Now);
    assert_eq!(store.revoke_approval(id, "again", BY).await.unwrap(), Revoked::Before);
    let control = Control { sequence: 3, bundle: Some(digest(7)), catalogue_revision: 0, switch_revision: 0 };
    assert_eq!(store.control().await.unwrap(), control);
    let listed = store.approvals().await.unwrap();
    let revoked = Revocation { sequence: 3, at: Timestamp(77), by: "joe".to_owned(), note: "complaint 12".to_owned() };
    assert_eq!(listed[0].revoked, Some(revoked));
    // What a decision knew that was made before.
    assert!(listed[0].clone().as_of(0).is_none());
    assert_eq!(listed[0].clone().as_of(2).unwrap().revoked, None);
    assert!(listed[0].clone().as_of(3).unwrap().revoked.is_some());
}

async fn every_one_of_many_at_once_has_a_sequence_of_its_own(database: Arc<Database>) {
    let store = database.open().await;
    let given = (0..8_u8).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { store.approve(&approval(tier(UseCase::Rule), number), BY).await.unwrap() })
    });
    let mut ids = Vec::new();
    for given in given.collect::<Vec<_>>() {
        ids.push(given.await.unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=8).collect::<Vec<u64>>());
    assert_eq!(store.control().await.unwrap().sequence, 8);
}
