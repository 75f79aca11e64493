//! Decisions as a shop and its auditor see them: repeated, recorded, explained.

use std::collections::BTreeMap;

use proffer::domain::DecisionId;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::service::{Plan, Service};
use super::shop::{self, ask, ask_as, id, offer, with};
use crate::harness::database::Kind;

#[test]
fn a_repeated_decision_id_is_answered_with_the_same_bytes_even_after_a_restart() {
    let service = Service::start();
    let first = service.decide(&ask_as(1, "c-1"));
    first.ok();
    let check = |service: &Service, when: &str| {
        let again = service.decide(&ask_as(1, "c-1"));
        assert_eq!((again.status, &again.body), (200, &first.body), "{when}");
    };
    check(&service, "at once");
    for number in 2..6 {
        service.decide(&ask_as(number, "c-1")).ok();
    }
    check(&service, "after other decisions of the customer");
    service.import(&json!([offer("boots", "shoes", "60.00", "52.00"), offer("lamp", "home", "44.00", "25.00")]));
    check(&service, "after an import");
    service.learn();
    let service = service.restart();
    check(&service, "after a restart");
    assert_eq!(service.wait(service.core.store.totals()).unwrap().decisions, 5, "a repeat stores nothing");
}

#[test]
fn the_propensity_answered_is_the_probability_recorded() {
    let service = Service::start();
    for number in 0..20 {
        let answer = service.decide(&ask(&format!("c-{number}"))).ok();
        let record = service.record(&answer);
        let shown = &answer["offers"][0];
        let candidates = record["candidates"].as_array().unwrap();
        let chosen = candidates.iter().find(|candidate| candidate["offer_id"] == shown["offer_id"]).unwrap();
        assert_eq!(shown["propensity"], chosen["probability"]);
        assert_eq!(shown["propensity"], record["slots"][0]["propensity"]);
        let total: f64 = candidates.iter().filter_map(|candidate| candidate["probability"].as_f64()).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
    }
}

#[test]
fn what_is_below_the_margin_floor_is_never_shown_even_when_all_is_exploration() {
    let service = Service::start();
    let service = &service;
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let ask_fifty = |thread: usize| {
            move || -> Vec<String> {
                let explore = |n: usize| with(&ask(&format!("c-{thread}-{n}")), "placement", &json!("explore"));
                let offer = |answer: Value| answer["offers"][0]["offer_id"].as_str().unwrap().to_owned();
                (0..50).map(|n| offer(service.decide(&explore(n)).ok())).collect()
            }
        };
        let threads: Vec<_> = (0..10).map(|thread| scope.spawn(ask_fifty(thread))).collect();
        for offer in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
            *shown.entry(offer).or_default() += 1;
        }
    });
    assert_eq!(shown.keys().collect::<Vec<_>>(), ["boots", "lamp", "tent"], "{shown:?}");
    assert_eq!(shown.values().sum::<usize>(), 500);
    // A third each, within six standard deviations (about 10.5 decisions each).
    assert!(shown.values().all(|count| count.abs_diff(167) < 64), "{shown:?}");
}

#[test]
fn a_decision_is_told_in_sentences() {
    let service = Service::start();
    service.consent("c-1", "granted");
    let request =
        with(&ask_as(3, "c-1"), "customer", &json!({"id": "c-1", "attributes": {"tier": "gold", "visits": 3}}));
    service.decide(&request).ok();
    let bearer = format!("Bearer {}", service.admin);
    let headers = [("authorization", bearer.as_str()), ("accept", "text/plain")];
    let told = service.send("GET", &format!("/v1/decisions/{}", id(3)), &headers, None);
    assert_eq!(told.headers["content-type"], "text/plain; charset=utf-8");
    insta::assert_snapshot!(told.body, @r"
    At 2026-03-01T09:30:00.000Z in placement `home`: `tent/a` was drawn with probability 36.2 % from 3 eligible of 4 candidates.
    Consent read for `offer_personalisation`: granted on the basis of consent since 2026-03-01T09:30:00.000Z.
    Seen by rules and features: context.device_type = mobile, customer.tier = gold.
    Withheld from them: `customer.visits` (no rule or feature here reads it).
    Model e4899fa4 had absorbed 0 learning events; exploration mass 5.0 % was shared by all eligible candidates.
    `tent/a`: probability 36.2 %, margin 30.00 USD if accepted, expected margin 0.00 USD.
    `boots/a`: probability 35.2 %, margin 28.00 USD if accepted, expected margin 0.00 USD.
    `lamp/a`: probability 28.6 %, margin 15.00 USD if accepted, expected margin 0.00 USD.
    `mug/a` was left out: `margin.floor` (Finance floor for the year): margin 5% is under the floor of 10%.
    The number drawn was 0.673756, from generator key period 1; the decision id was chosen by the caller.
    ");
    // There every variant begins as its category, which its strategy does where nothing is said.
    let request = with(&ask_as(4, "c-1"), "placement", &json!("explore"));
    let record = service.record(&service.decide(&request).ok());
    assert_eq!(record["prior"], "category");
    let begins = "What little was known of was thought to be as its offer, its category and the placement.";
    assert!(record["explanation"].as_array().unwrap().contains(&json!(begins)), "{}", record["explanation"]);
}

#[test]
fn the_leaf_is_the_hash_of_the_bytes_stored() {
    let service = Service::start();
    let answer = service.decide(&ask_as(1, "c-1")).ok();
    let record = service.record(&answer);
    let stored = service.wait(service.core.store.decision(DecisionId::parse(&id(1)).unwrap())).unwrap().unwrap();
    let leaf = Sha256::new().chain_update([0]).chain_update(&stored.record.skeleton).finalize();
    assert_eq!(stored.record.leaf.0, <[u8; 32]>::from(leaf));
    assert_eq!(record["leaf"], stored.record.leaf.hex());
    assert_eq!(record["record_bytes"], stored.record.skeleton.len() + stored.record.private.len());
}

#[test]
fn an_old_decision_keeps_the_offers_it_was_made_over() {
    let service = Service::start();
    let answer = service.decide(&ask_as(1, "c-1")).ok();
    let before = service.record(&answer);
    let mut changed: Vec<Value> = shop::offers().as_array().unwrap().clone();
    for offer in &mut changed {
        offer["price"]["amount"] = json!("200.00");
        offer["variants"] = json!([{"variant_id": "z", "content": {"headline": "new"}}]);
    }
    changed.push(offer("anvil", "home", "50.00", "10.00"));
    service.import(&json!(changed));
    let after = service.record(&answer);
    assert_eq!(before, after);
    assert_eq!(service.decide(&ask_as(1, "c-1")).ok(), answer);
    let next = service.record(&service.decide(&ask_as(2, "c-2")).ok());
    assert_eq!(next["versions"]["catalogue"], 2);
    assert_eq!(next["candidates"][0]["offer_id"], "anvil");
    assert_eq!(service.restart().record(&answer), before);
}

#[test]
fn an_empty_catalogue_is_answered_with_the_house_content() {
    let service = Plan::new(Kind::Sqlite).start();
    let mut answer = service.decide(&ask_as(1, "c-1")).ok();
    answer["versions"]["bundle"] = json!(answer["versions"]["bundle"].as_str().unwrap().split(':').next());
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap(), @r#"
    {
      "decision_id": "019ca8bb-b5c0-7101-8101-010101010101",
      "degraded": false,
      "explanation": "the house content `house-welcome/a` was shown because no candidate was eligible",
      "fallback": true,
      "holdout": false,
      "nothing": false,
      "offers": [
        {
          "content": null,
          "disclosure": null,
          "offer_id": "house-welcome",
          "price_personalised": false,
          "propensity": null,
          "slot": 1,
          "variant_id": "a"
        }
      ],
      "placement": "home",
      "reserved_until": null,
      "versions": {
        "bundle": "b3",
        "catalogue": 0,
        "model_sequence": 0,
        "switches": null
      }
    }
    "#);
}
