//! Several slots in one answer, and dry runs, as callers meet them.

use std::collections::BTreeSet;

use proffer::policy::Source;
use proffer::runtime::Role;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, ask, ask_as, id, order, with};
use crate::harness::database::Kind;

const STACK: &str = "\
stackability:
  - id: stack.home
    why: One thing for the home is enough
    group: {categories: [home], offers: [tent]}
    at_most: 1
";

/// The placement `home` with three slots.
fn three_slots(more: &str) -> Vec<Source> {
    let mut files = shop::policies_with("  - id: home\n", "  - id: home\n    slots: 3\n");
    files.iter_mut().filter(|file| file.path == "rules/shop.yaml").for_each(|file| file.text.push_str(more));
    files
}

fn start(kind: Kind, policies: Vec<Source>) -> Service {
    let service = Plan::new(kind).policies(policies).start();
    service.import(&shop::offers());
    service
}

fn offers(answer: &Value) -> Vec<String> {
    let offers = answer["offers"].as_array().unwrap();
    offers.iter().map(|offer| offer["offer_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn three_slots_hold_three_offers_each_with_its_propensity_and_its_distribution() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, three_slots(""));
        let answer = service.decide(&ask_as(1, "c-1")).ok();
        let record = service.record(&answer);
        let shown = offers(&answer);
        assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), 3, "{shown:?}");
        for (at, slot) in record["slots"].as_array().unwrap().iter().enumerate() {
            assert_eq!(slot["offer_id"], shown[at]);
            assert_eq!(slot["propensity"], answer["offers"][at]["propensity"]);
            let distribution = slot["distribution"].as_array().unwrap();
            assert_eq!(distribution.len(), 3 - at);
            let total: f64 = distribution.iter().map(|open| open["probability"].as_f64().unwrap()).sum();
            assert!((total - 1.0).abs() < 1e-9, "{total}");
        }
        service.remove();
    }
}

#[test]
fn what_does_not_stack_is_left_out_of_the_slots_behind_with_the_rule_named() {
    let service = start(Kind::Sqlite, three_slots(STACK));
    let service = &service;
    let records = (1..30).map(|number| {
        let answer = service.decide(&with(&ask(&format!("c-{number}")), "count", &json!(3))).ok();
        let shown = offers(&answer);
        assert!(shown.iter().filter(|offer| ["lamp", "mug", "tent"].contains(&offer.as_str())).count() <= 1);
        service.record(&answer)
    });
    let left: BTreeSet<String> = records
        .flat_map(|record| record["slots"].as_array().unwrap().clone())
        .flat_map(|slot| slot["left_out"].as_array().unwrap().clone())
        .map(|left| left["excluded_by"][0]["sentence"].as_str().unwrap().to_owned())
        .collect();
    let sentence = "`stack.home` (One thing for the home is enough): at most 1 of `tent`, `home` in one answer, and 1 \
                    stood there";
    assert_eq!(left, BTreeSet::from([sentence.to_owned()]));
}

#[test]
fn each_slot_of_an_answer_is_learned_by_itself() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, three_slots(""));
        let answer = service.decide(&ask_as(1, "c-1")).ok();
        let bought = offers(&answer)[1].clone();
        service.learn();
        let mut event = order("order-1", &id(1), "30.00");
        event["offer_id"] = json!(bought);
        assert_eq!(service.outcomes(&json!([event]))[0]["status"], "accepted");
        service.learn();
        let models = service.core.models();
        let model = models.by_id.values().find(|model| model.arms().count() > 0).unwrap();
        let learned: Vec<(String, i64, i64)> =
            model.arms().map(|(arm, sums)| (arm.offer.to_string(), sums.exposures(), sums.accepted())).collect();
        assert_eq!(learned.len(), 3, "{learned:?}");
        for (offer, exposures, accepted) in &learned {
            assert_eq!((*exposures, *accepted), (1, i64::from(*offer == bought)), "{learned:?}");
        }
        drop(models);
        service.remove();
    }
}

#[test]
fn nothing_is_answered_with_no_offer_and_is_told() {
    let policies = shop::policies_with("  - id: home\n", "  - id: home\n    nothing_allowed: true\n");
    let service = start(Kind::Sqlite, policies);
    let service = &service;
    let answers = (1..60).map(|number| service.decide(&ask(&format!("c-{number}"))).ok());
    let (nothing, something): (Vec<Value>, Vec<Value>) = answers.partition(|answer| answer["nothing"] == true);
    assert!(!nothing.is_empty() && !something.is_empty(), "{} and {}", nothing.len(), something.len());
    for answer in &nothing {
        assert_eq!((&answer["offers"], &answer["fallback"]), (&json!([]), &json!(false)));
        assert_eq!(answer["reserved_until"], Value::Null);
        assert!(answer["explanation"].as_str().unwrap().starts_with("*nothing* was drawn with probability"));
    }
    let record = service.record(&nothing[0]);
    let last = record["candidates"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["nothing"], &last["offer_id"]), (&json!(true), &Value::Null));
    service.learn();
    let exposures: i64 = service
        .core
        .models()
        .by_id
        .values()
        .flat_map(|model| model.arms().map(|(_, sums)| sums.exposures()).collect::<Vec<_>>())
        .sum();
    assert_eq!(usize::try_from(exposures).unwrap(), something.len(), "nothing is learned from showing nothing");
}

#[test]
fn a_dry_run_shows_everything_and_leaves_nothing() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, shop::policies());
        let tried = service.decide(&with(&ask_as(1, "c-new"), "dry_run", &json!(true))).ok();
        assert_eq!((tried["dry_run"].as_bool(), &tried["reserved_until"]), (Some(true), &Value::Null));
        let distribution = tried["slots"][0]["distribution"].as_array().unwrap();
        let total: f64 = distribution.iter().map(|open| open["probability"].as_f64().unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        let left = tried["candidates"].as_array().unwrap().iter().find(|candidate| candidate["offer_id"] == "mug");
        assert_eq!(left.unwrap()["excluded_by"][0]["rule"], "margin.floor");
        assert_eq!(service.wait(service.core.store.totals()).unwrap().decisions, 0);
        let found = service.call("GET", "/v1/customers/c-new/consents", None);
        assert_eq!(found.status, 404, "a dry run makes nobody known: {}", found.body);
        // The same request for real: the same distribution, another number.
        let decided = service.decide(&ask_as(1, "c-new")).ok();
        let record = service.record(&decided);
        assert_eq!(record["slots"][0]["distribution"], tried["slots"][0]["distribution"]);
        assert_ne!(record["slots"][0]["draw"]["u"], tried["slots"][0]["draw"]["u"]);
        service.remove();
    }
}

#[test]
fn a_dry_run_reads_the_state_of_the_moment_and_counts_nothing_itself() {
    let service = start(Kind::Sqlite, shop::policies());
    let only_boots = |dry_run: bool| {
        let asked = with(&with(&ask("c-1"), "candidates", &json!(["boots"])), "dry_run", &json!(dry_run));
        service.decide(&asked).ok()
    };
    for _ in 0..5 {
        assert_eq!(offers(&only_boots(true)), ["boots"]);
    }
    assert_eq!(offers(&only_boots(false)), ["boots"]);
    assert_eq!(offers(&only_boots(false)), ["boots"]);
    let capped = only_boots(true);
    assert_eq!((offers(&capped), capped["fallback"].as_bool()), (vec!["house-welcome".to_owned()], Some(true)));
    let why = &capped["candidates"][0]["excluded_by"][0];
    assert_eq!((&why["rule"], &why["observed"]), (&json!("cap.offer.day"), &json!(2)));
}

#[test]
fn a_dry_run_tells_what_is_personal_only_to_those_who_may_read_records() {
    let service = start(Kind::Sqlite, shop::policies());
    service.consent("c-1", "granted");
    let key = service.wait(service.core.create_key("marketing", &[Role::Decide], "test")).unwrap().unwrap();
    let body = with(&ask("c-1"), "dry_run", &json!(true)).to_string();
    let bearer = format!("Bearer {key}");
    let told = service.send("POST", "/v1/decisions", &[("authorization", &bearer)], Some(body.as_bytes())).ok();
    assert_eq!(told["private"], Value::Null);
    let sentences = told["sentences"].to_string();
    assert!(!sentences.contains("Consent read") && !sentences.contains("gold"), "{sentences}");
    let all = service.decide(&with(&ask("c-1"), "dry_run", &json!(true))).ok();
    assert_eq!(all["private"]["attributes"]["customer.tier"], "gold");
}

#[test]
fn the_record_says_whom_each_slot_is_for() {
    let service = start(Kind::Sqlite, three_slots(""));
    let personas = json!([{"attributes": {"tier": "gold"}}, {"attributes": {"tier": "bronze"}}]);
    let asked = with(&ask_as(1, "c-1"), "customer", &json!({"id": "c-1", "personas": personas}));
    let record = service.record(&service.decide(&asked).ok());
    let told: Vec<&str> = record["explanation"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for (at, number) in [(0, 1), (1, 2), (2, 1)] {
        let persona = &record["slots"][at]["persona"];
        assert_eq!((&persona["number"], &persona["of"]), (&json!(number), &json!(2)));
        assert_eq!(persona["scores"].is_array(), number == 2);
        let sentence = format!("Slot {} is for persona {number} of 2.", at + 1);
        assert!(told.contains(&sentence.as_str()), "{told:?}");
    }
    assert_eq!(record["private"]["personas"][1]["number"], 2);
}
