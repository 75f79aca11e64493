//! Everyday rules as callers meet them: parts of the day, stores, loyalty, diversity. Each with what its record says.

use std::collections::BTreeSet;

use proffer::policy::Source;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, ask, ask_as, id, with};
use crate::harness::database::Kind;

const LOYALTY: &str = "  - {id: customer.points, type: number, source: loyalty-programme}
  - {id: customer.member_since, type: date, source: loyalty-programme}
";

/// The shop under these rules besides its own.
fn policies(more: &str) -> Vec<Source> {
    let mut files = shop::policies();
    for file in &mut files {
        match file.path.as_str() {
            "rules/shop.yaml" => file.text.push_str(more),
            "catalog/attributes.yaml" => file.text.push_str(LOYALTY),
            _ => {}
        }
    }
    files
}

fn start(kind: Kind, policies: Vec<Source>) -> Service {
    let service = Plan::new(kind).policies(policies).start();
    service.import(&shop::offers());
    service
}

/// Asks about boots alone.
fn only_boots(customer: &str) -> Value {
    with(&ask(customer), "candidates", &json!(["boots"]))
}

/// The sentence that left boots out; nothing where they are shown.
fn why_no_boots(service: &Service, request: &Value) -> Option<String> {
    let answer = service.decide(request).ok();
    let record = service.record(&answer);
    let shown = answer["offers"][0]["offer_id"] == "boots";
    let excluded = record["candidates"][0]["excluded_by"].as_array().unwrap().clone();
    assert_eq!(shown, excluded.is_empty(), "{answer}");
    let sentence = excluded.first().map(|why| why["sentence"].as_str().unwrap().to_owned());
    // What the record tells in sentences holds the same one.
    let told = record["explanation"].to_string().replace("\\\"", "\"");
    assert!(sentence.iter().all(|sentence| told.contains(sentence)), "{told}");
    sentence
}

#[test]
fn an_offer_of_one_store_is_shown_there_only_and_the_record_says_where_it_was_asked() {
    let rule = "availability:\n  - id: boots.store\n    why: Boots are on display in two stores\n    \
                applies_to: {offers: [boots]}\n    stores: [s-12, s-14]\n";
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, policies(rule));
        let here = with(&with(&only_boots("c-1"), "store", &json!("s-14")), "decision_id", &json!(id(1)));
        assert_eq!(why_no_boots(&service, &here), None);
        let record = service.call("GET", &format!("/v1/decisions/{}", id(1)), None).ok();
        assert_eq!(record["private"]["store"], "s-14");
        assert!(record["explanation"].to_string().contains("Asked in store `s-14`."), "{}", record["explanation"]);
        let sentence = "`boots.store` (Boots are on display in two stores): the offer is available only in the stores \
                        `s-12`, `s-14`, or it is not known whether this is there";
        let elsewhere = with(&only_boots("c-1"), "store", &json!("s-1"));
        let said = format!("{sentence} (the store is `s-1`)");
        assert_eq!(why_no_boots(&service, &elsewhere), Some(said));
        let said = format!("{sentence} (the store is not known)");
        assert_eq!(why_no_boots(&service, &only_boots("c-1")), Some(said));
        // The store is part of what a decision id promises to name.
        let other = service.decide(&with(&here, "store", &json!("s-12")));
        assert_eq!(other.status, 409, "{}", other.body);
        let wrong = service.decide(&with(&here, "store", &json!("store 14")));
        assert_eq!((wrong.status, &wrong.json()["errors"][0]["pointer"]), (422, &json!("/store")));
        service.remove();
    }
}

#[test]
fn an_offer_of_some_hours_is_shown_then_where_the_customer_is_and_the_record_says_what_time_it_was() {
    // It is Sunday, 09:30 in UTC.
    let rule = "availability:\n  - id: boots.evening\n    why: Boots sell in the evening\n    \
                applies_to: {offers: [boots]}\n    \
                dayparts: [{days: [sun], from: \"17:00\", until: \"21:00\"}]\n    time_zone: customer\n";
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, policies(rule));
        let in_zone = |zone: &str| with(&only_boots("c-1"), "time_zone", &json!(zone));
        assert_eq!(why_no_boots(&service, &in_zone("Asia/Tokyo")), None, "18:30 in Tokyo");
        let sentence = "`boots.evening` (Boots sell in the evening): the offer is available only sun from 17:00 until \
                        21:00 where the customer is, or it is not known what time it is there";
        let said = format!("{sentence} (it is sun 2026-03-01 10:30 there)");
        assert_eq!(why_no_boots(&service, &in_zone("Europe/Berlin")), Some(said));
        let said = format!("{sentence} (the time there is not known)");
        assert_eq!(why_no_boots(&service, &only_boots("c-1")), Some(said));
        let record = service.record(&service.decide(&in_zone("Asia/Tokyo")).ok());
        let local = json!({"time": "2026-03-01 18:30", "weekday": "sun", "zone_named": true});
        assert_eq!(record["private"]["local_time"], local);
        let told = record["explanation"].to_string();
        assert!(told.contains("It was Sunday 2026-03-01 18:30 where the customer is."), "{told}");
        service.remove();
    }
    // Where no rule reads the clock, the record does not keep it.
    let service = start(Kind::Sqlite, shop::policies());
    let record = service.record(&service.decide(&with(&ask("c-1"), "time_zone", &json!("Asia/Tokyo"))).ok());
    assert_eq!((&record["private"]["local_time"], &record["private"]["store"]), (&Value::Null, &Value::Null));
}

#[test]
fn loyalty_names_what_is_needed_and_what_the_customer_has() {
    let rule = "loyalty_eligibility:\n  - id: boots.members\n    why: Boots are kept for members, programme 4\n    \
                applies_to: {offers: [boots]}\n    tier: silver\n    points: 500\n    member_for: 365d\n";
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, policies(rule));
        service.consent("c-1", "granted");
        let asked =
            |attributes: Value| with(&only_boots("c-1"), "customer", &json!({"id": "c-1", "attributes": attributes}));
        let member = json!({"tier": "gold", "points": 500, "member_since": "2025-03-01"});
        assert_eq!(why_no_boots(&service, &asked(member)), None);
        let rule = "`boots.members` (Boots are kept for members, programme 4)";
        let poor = asked(json!({"tier": "bronze", "points": 120, "member_since": "2025-03-02"}));
        let lacks = "needs `silver`, has `bronze`; needs 500 points, has 120 points; needs 365 days as a member, has \
                     364 days as a member";
        assert_eq!(why_no_boots(&service, &poor), Some(format!("{rule}: {lacks}")));
        let record = service.record(&service.decide(&poor).ok());
        let why = &record["candidates"][0]["excluded_by"][0];
        assert_eq!((&why["observed"], &why["limit"]), (&json!(1), &json!(2)));
        assert_eq!(record["private"]["attributes"]["customer.points"], 120, "what a rule reads is not withheld");
        let unknown = "needs 500 points, and the number of points is not known";
        let silent = asked(json!({"tier": "gold", "member_since": "2020-01-01"}));
        assert_eq!(why_no_boots(&service, &silent), Some(format!("{rule}: {unknown}")));
        // Whoever keeps it to themselves is told apart by nothing.
        service.consent("c-1", "withdrawn");
        let told = why_no_boots(&service, &asked(json!({"tier": "gold", "points": 900}))).unwrap();
        assert!(told.contains("the tier is not known"), "{told}");
        service.remove();
    }
}

#[test]
fn a_dry_run_tells_of_loyalty_without_what_is_personal_to_keys_that_may_not_read_records() {
    let rule = "loyalty_eligibility:\n  - {id: boots.gold, why: For gold, applies_to: {offers: [boots]}, tier: gold}\n";
    let service = start(Kind::Sqlite, policies(rule));
    service.consent("c-1", "granted");
    let key = service.wait(service.core.create_key("marketing", &[proffer::runtime::Role::Decide], "test"));
    let bearer = format!("Bearer {}", key.unwrap().unwrap());
    let asked = with(&only_boots("c-1"), "customer", &json!({"id": "c-1", "attributes": {"tier": "bronze"}}));
    let asked = with(&asked, "dry_run", &json!(true));
    let body = asked.to_string();
    let told = service.send("POST", "/v1/decisions", &[("authorization", &bearer)], Some(body.as_bytes())).ok();
    let why = &told["candidates"][0]["excluded_by"][0];
    let public = "`boots.gold` (For gold): needs `gold`, or a value that it needs is missing";
    assert_eq!((&why["sentence"], &why["observed"]), (&json!(public), &Value::Null));
    assert!(!told.to_string().contains("bronze"), "{told}");
    let all = service.decide(&asked).ok();
    let why = &all["candidates"][0]["excluded_by"][0];
    assert_eq!(why["sentence"], "`boots.gold` (For gold): needs `gold`, has `bronze`");
}

#[test]
fn an_answer_holds_one_offer_of_each_category_and_says_what_stood_there() {
    let rule = "diversity:\n  - {id: varied, why: Several departments, per: category, at_most: 1}\n";
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let mut policies = policies(rule);
        policies
            .iter_mut()
            .filter(|file| file.path == "placements.yaml")
            .for_each(|file| file.text = file.text.replacen("  - id: home\n", "  - id: home\n    slots: 3\n", 1));
        let service = start(kind, policies);
        service.import(&json!([shop::offer("sandals", "shoes", "50.00", "20.00")]));
        let mut left = BTreeSet::new();
        for number in 1..20 {
            let request = ask_as(number, &format!("c-{number}"));
            let tried = service.decide(&with(&request, "dry_run", &json!(true))).ok();
            let answer = service.decide(&request).ok();
            let record = service.record(&answer);
            for told in [&tried, &record] {
                let slots = told["slots"].as_array().unwrap();
                assert_eq!(slots.len(), 3, "boots or sandals, the lamp, the tent: {slots:?}");
                let shoes = slots.iter().filter(|slot| slot["offer_id"] == "boots" || slot["offer_id"] == "sandals");
                assert_eq!(shoes.count(), 1);
                let reasons = slots.iter().flat_map(|slot| slot["left_out"].as_array().unwrap());
                left.extend(reasons.map(|left| left["excluded_by"][0]["sentence"].as_str().unwrap().to_owned()));
            }
        }
        let sentence = "`varied` (Several departments): at most 1 of one `category` in one answer, and 1 of the same \
                        stood there";
        assert_eq!(left, BTreeSet::from([sentence.to_owned()]));
        service.remove();
    }
}
