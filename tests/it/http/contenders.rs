//! Champions and challengers as callers meet them: who decides, what the record says, what reports compare. Judges no
//! strategy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, ask, id, order, policies_with, refund, with};
use crate::harness::database::Kind;

const CHALLENGERS: &str = "exploration: 0.05}
    challengers:
      - {id: bag, share: 30%, strategy: {name: bagged_linear, bags: 4}}
      - {id: gaps, share: 20%, strategy: {name: squarecb, gamma_scale: 30, exploration: 0.1}}";

/// A shop where two challengers have half of the customers.
fn shop_with_challengers() -> Service {
    let service = Plan::new(Kind::Sqlite).policies(policies_with("exploration: 0.05}", CHALLENGERS)).start();
    service.import(&shop::offers());
    service
}

fn record(service: &Service, number: u8) -> Value {
    service.call("GET", &format!("/v1/decisions/{}", id(number)), None).ok()
}

/// Sixty customers are asked for once each; whoever a challenger decides for buys.
fn asked(service: &Service) -> BTreeMap<String, u64> {
    let mut by = BTreeMap::new();
    for number in 0..60_u8 {
        let customer = format!("c-{number}");
        service.consent(&customer, "granted");
        service.decide(&with(&ask(&customer), "decision_id", &json!(id(number)))).ok();
        let challenger = record(service, number)["challenger"].clone();
        if !challenger.is_null() {
            service.outcomes(&json!([order(&format!("o-{number}"), &id(number), "50.00")]));
        }
        *by.entry(challenger.as_str().unwrap_or("champion").to_owned()).or_default() += 1;
    }
    by
}

#[test]
fn the_record_names_the_challenger_and_a_report_sets_it_beside_the_champion() {
    let service = shop_with_challengers();
    let by = asked(&service);
    assert_eq!(by.keys().collect::<Vec<_>>(), ["bag", "champion", "gaps"]);
    let report = service.call("GET", "/v1/reports/performance?by=contender", None).ok();
    let groups = report["groups"].as_array().unwrap();
    let told: Vec<(&str, u64)> =
        groups.iter().map(|it| (it["group"].as_str().unwrap(), it["decisions"].as_u64().unwrap())).collect();
    assert_eq!(told, [("home/bag", by["bag"]), ("home/champion", by["champion"]), ("home/gaps", by["gaps"])]);
    for group in groups {
        let compared = &group["against_champion"];
        if group["group"] == "home/champion" {
            assert!(compared.is_null());
            continue;
        }
        assert_eq!(compared["champion"]["decisions"], by["champion"]);
        assert_eq!(compared["challenger"]["decisions"], group["decisions"]);
        assert_eq!(compared["champion"]["accepted"], 0);
        let lift = &compared["lift"]["acceptance"];
        assert_eq!(lift["value"], 1.0, "everybody against nobody: {compared}");
        assert!(lift["low"].as_f64().unwrap() > 0.5 && lift["high"].as_f64().unwrap() <= 1.0, "{lift}");
        let margin = compared["lift"]["margin_per_decision"]["low"].as_str().unwrap();
        assert!(margin.parse::<f64>().unwrap() > 0.0, "{compared}");
    }
    let by_strategy = service.call("GET", "/v1/reports/performance?by=strategy", None).ok();
    let strategies = by_strategy["groups"].as_array().unwrap().iter().map(|it| it["group"].as_str().unwrap());
    assert_eq!(strategies.collect::<Vec<_>>(), ["bagged_linear", "squarecb", "thompson_linear"]);
    assert!(by_strategy["groups"][0]["against_champion"].is_null());

    let of = |challenger: &str| (0..60).map(|n| record(&service, n)).find(|it| it["challenger"] == challenger).unwrap();
    let sentences = of("gaps")["explanation"].as_array().unwrap().clone();
    let sentence = "Challenger `gaps` decided, by `squarecb`: the customer belongs to its share.";
    assert!(sentences.contains(&json!(sentence)), "{sentences:?}");
    assert_eq!(of("gaps")["exploration"], 0.1);
    assert_eq!(of("bag")["exploration"], 0.05);
}

#[test]
fn what_was_learned_says_who_decides_for_which_share() {
    let service = shop_with_challengers();
    let shown = service.call("GET", "/v1/models/home", None).ok();
    let told: Vec<Value> = shown["contenders"].as_array().unwrap().clone();
    let told: Vec<(&str, &str, f64)> = told
        .iter()
        .map(|it| (it["contender"].as_str().unwrap(), it["strategy"].as_str().unwrap(), it["share"].as_f64().unwrap()))
        .collect();
    assert_eq!(told, [("champion", "thompson_linear", 0.5), ("bag", "bagged_linear", 0.3), ("gaps", "squarecb", 0.2)]);
    assert_eq!(shown["contenders"][2]["settings"], json!({"gamma_scale": 30.0, "gamma_exponent": 0.5}));
    let bearer = format!("Bearer {}", service.admin);
    let headers = [("authorization", bearer.as_str()), ("accept", "text/plain")];
    let text = service.send("GET", "/v1/models/home", &headers, None).body;
    assert!(
        text.contains("50% of the customers: champion, by `thompson_linear`.\n30% of the customers: bag"),
        "{text}"
    );
}

#[test]
fn a_bag_learns_orders_and_unlearns_refunds_and_is_rebuilt_from_the_store() {
    let service = shop_with_challengers();
    let digest = |service: &Service| {
        service.learn();
        let models = service.call("GET", "/v1/models", None).ok();
        let home = models["models"].as_array().unwrap().iter().find(|model| model["placement"] == "home").cloned();
        home.unwrap()["digest"].clone()
    };
    for number in 0..8_u8 {
        service.consent(&format!("c-{number}"), "granted");
        service.decide(&with(&ask(&format!("c-{number}")), "decision_id", &json!(id(number)))).ok();
    }
    let exposed = digest(&service);
    service.outcomes(&json!([order("o-1", &id(1), "50.00"), order("o-2", &id(2), "50.00")]));
    let ordered = digest(&service);
    assert_ne!(ordered, exposed);
    let service = service.restart();
    assert_eq!(digest(&service), ordered, "rebuilt from the store");
    service.outcomes(&json!([refund("r-2", "o-2"), refund("r-1", "o-1")]));
    assert_eq!(digest(&service), exposed);
}
