//! Decisions made again, as auditors ask for it: the same after everything has changed, and told where something was
//! altered or is gone.

use std::collections::BTreeSet;

use proffer::policy::Source;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::service::{Plan, Service};
use super::shop::{self, ask_as, id, order, with};
use crate::harness::database::Kind;

/// The shop with three slots at `home`, where *nothing* may be shown, and a cap by impressions that only warns.
fn policies() -> Vec<Source> {
    let mut files = shop::policies_with("  - id: home\n", "  - id: home\n    slots: 3\n    nothing_allowed: true\n");
    let warning = "  - id: cap.seen\n    why: Four in sight are enough\n    severity: warn\n    scope: [customer]\n    \
                   max: 1\n    window: {rolling: 24h}\n    counts: impression\n";
    files.iter_mut().filter(|file| file.path == "rules/shop.yaml").for_each(|file| file.text.push_str(warning));
    files
}

fn replay(service: &Service, id: &str) -> Value {
    service.call("GET", &format!("/v1/decisions/{id}/replay"), None).ok()
}

/// Decisions of four customers, of whom one said no and one nothing, with orders learned between.
fn visited(service: &Service) {
    service.import(&shop::offers());
    for (customer, said) in [("c-0", "granted"), ("c-1", "granted"), ("c-2", "withdrawn")] {
        service.consent(customer, said);
    }
    for number in 1..=12 {
        let answer = service.decide(&ask_as(number, &format!("c-{}", number % 4))).ok();
        if number % 3 == 0 && answer["offers"][0]["slot"] == 1 && answer["fallback"] == false {
            service.outcomes(&json!([order(&format!("order-{number}"), &id(number), "30.00")]));
        }
        service.learn();
    }
}

#[test]
fn what_was_decided_is_made_again_after_everything_has_changed() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).policies(policies()).start();
        visited(&service);
        // Another catalogue, other rules, other consents, and more learned.
        let dearer = with(&shop::offers()[0], "price", &json!({"amount": "99.00", "currency": "USD"}));
        service.import(&json!([dearer]));
        service.consent("c-0", "withdrawn");
        let service = service.restart_with(shop::policies_with("min_margin: 10%", "min_margin: 60%"));
        let mut models = BTreeSet::new();
        for number in 1..=12 {
            let answer = replay(&service, &id(number));
            assert_eq!(answer["verdict"], "identical", "{answer}");
            assert_eq!((&answer["decision_id"], &answer["explanation"]), (&json!(id(number)), &json!("identical")));
            let record = service.record(&answer);
            models.insert(record["versions"]["model"]["sequence"].as_u64());
        }
        assert!(models.len() > 3, "models of several sequences were made again: {models:?}");
        service.remove();
    }
}

/// Changes something in the store behind everybody's back.
fn alter(service: &Service, statement: &'static str) {
    let url = service.store_url().to_owned();
    service.wait(async {
        let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(statement).execute(&mut file).await.unwrap();
        file.close().await.unwrap();
    });
}

#[test]
fn what_was_altered_and_what_is_gone_is_told() {
    let service = Plan::new(Kind::Sqlite).policies(policies()).start();
    visited(&service);
    let of = |number: u8| replay(&service, &id(number));
    alter(&service, "update decision set leaf = zeroblob(32) where rowid = 1");
    assert_eq!(of(1)["verdict"], "differs");
    assert_eq!(of(1)["fields"][0]["recorded"], "the leaf is not the hash of the public part");
    alter(&service, "update learning_event set sealed = zeroblob(40) where sequence = 1");
    let last = of(12);
    assert_eq!(last["verdict"], "identical_from_scores", "{last}");
    assert!(last["missing"].as_str().unwrap().starts_with("learning event 1 of model "), "{last}");
    assert!(last["explanation"].as_str().unwrap().starts_with("identical, model state no longer kept: "), "{last}");
    alter(&service, "delete from learning_event where sequence = 1");
    assert!(of(12)["missing"].as_str().unwrap().ends_with(" is gone"), "{}", of(12));
    alter(&service, "delete from identity where outside_id = 'c-0'");
    assert_eq!(of(12)["verdict"], "erased");
    let unknown = service.call("GET", &format!("/v1/decisions/{}/replay", id(99)), None);
    assert_eq!(unknown.status, 404);
}

#[test]
fn without_the_bundle_that_it_names_a_decision_is_not_made_again() {
    let service = Plan::new(Kind::Sqlite).policies(policies()).start();
    visited(&service);
    alter(&service, "delete from bundle");
    // Nothing of before is remembered by the next process.
    let service = service.restart_with(shop::policies());
    let gone = replay(&service, &id(11));
    assert_eq!(gone["verdict"], "unavailable", "{gone}");
    assert!(gone["missing"].as_str().unwrap().starts_with("bundle b3:"), "{gone}");
}
