//! What comes late: decisions gain their weight with their age, orders teach what they are worth. The formulas are
//! tested with the library.

use proffer::domain::Span;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask_as, id, order, policies_with, refund, with};
use crate::cli::run;
use crate::harness::database::Kind;

const DELAY: &str =
    "delay: {version: 1, steps: [{age: 0s, share: 10%}, {age: 1h, share: 40%}, {age: 24h, share: 100%}]}";

fn started(old: &str, new: &str) -> Service {
    let service = Plan::new(Kind::Sqlite).policies(policies_with(old, new)).start();
    service.import(&shop::offers());
    service
}

/// The digest of what the placement learned.
fn digest(service: &Service) -> Value {
    service.learn();
    let models = service.call("GET", "/v1/models", None).ok();
    let model = models["models"].as_array().unwrap().iter().find(|model| model["placement"] == "home").unwrap().clone();
    model["digest"].clone()
}

#[test]
fn a_decision_gains_its_weight_as_it_ages_and_ends_as_one_without_delays() {
    let plain = Service::start();
    plain.decide(&ask_as(1, "c-1")).ok();
    let whole = digest(&plain);
    plain.outcomes(&order("order-1", &id(1), "80.00"));
    let ordered = digest(&plain);

    let service = started("    reservation: 10m\n", &format!("    reservation: 10m\n    {DELAY}\n"));
    service.decide(&ask_as(1, "c-1")).ok();
    let young = digest(&service);
    assert_ne!(young, whole);
    service.core.clock.set(NOW.plus(Span(3_599_999)));
    assert_eq!(digest(&service), young);
    service.core.clock.set(NOW.plus(Span(3_600_000)));
    let hour = digest(&service);
    assert!(hour != young && hour != whole);
    let service = service.restart_with(shop::policies());
    service.core.clock.set(NOW.plus(Span(3_600_000)));
    assert_eq!(digest(&service), hour, "rebuilt from the store");
    // The policies declare nothing any more; the decision goes by what it was made under.
    service.core.clock.set(NOW.plus(Span(24 * 3_600_000)));
    assert_eq!(digest(&service), whole);
    service.outcomes(&order("order-1", &id(1), "80.00"));
    assert_eq!(digest(&service), ordered);
    assert_eq!(service.wait(service.core.store.learner_work(10, NOW.plus(Span(i64::MAX / 4)))).unwrap().due, []);
}

#[test]
fn what_orders_earn_ranks_is_recorded_and_shown() {
    let service = started("reward_cap: 200.00}", "reward_cap: 200.00, value: learned, value_orders: 4}");
    for number in 1..=4 {
        service.decide(&ask_as(number, &format!("c-{number}"))).ok();
        let earned = with(
            &order(&format!("order-{number}"), &id(number), "80.00"),
            "margin",
            &json!({"amount": "3.00", "currency": "USD"}),
        );
        service.outcomes(&earned);
    }
    service.learn();
    let shown = service.call("GET", "/v1/models/home", None).ok();
    let arm = |of: &Value| of["arms"].as_array().unwrap()[0].clone();
    let orders = arm(&shown)["learned_margin"]["orders"].as_f64().unwrap();
    let margin = arm(&shown)["learned_margin"]["margin"].as_str().unwrap().parse::<f64>().unwrap();
    let catalogue = arm(&shown)["learned_margin"]["catalogue"].as_str().unwrap().parse::<f64>().unwrap();
    assert_eq!(arm(&shown)["learned_margin"]["mean"], "3.0000");
    assert!((margin - (4.0 * catalogue + orders * 3.0) / (4.0 + orders)).abs() < 1e-3, "{shown}");

    let answer = service.decide(&ask_as(9, "c-9")).ok();
    let record = service.record(&answer);
    let row = |offer: &Value| {
        let rows = record["candidates"].as_array().unwrap();
        rows.iter().find(|row| row["offer_id"] == *offer).unwrap().clone()
    };
    let row = row(&arm(&shown)["offer_id"]);
    assert_eq!(row["learned_margin"], arm(&shown)["learned_margin"]["margin"]);
    assert_eq!(row["margin"]["amount"].as_str().unwrap().parse::<f64>().unwrap(), catalogue, "rules go by it");
    assert!(record["explanation"].to_string().contains("as learned from orders of weight"), "{record}");

    // All of it goes back: as if nobody had ever ordered.
    for number in 1..=4 {
        service.outcomes(&refund(&format!("refund-{number}"), &format!("order-{number}")));
    }
    service.learn();
    let shown = service.call("GET", "/v1/models/home", None).ok();
    assert_eq!(arm(&shown)["learned_margin"]["mean"], Value::Null);
    assert_eq!(arm(&shown)["learned_margin"]["orders"], 0.0);
}

#[test]
fn the_curve_is_fitted_from_what_is_stored_and_what_is_printed_compiles() {
    let service = Service::start();
    for number in 1..=5 {
        service.decide(&ask_as(number, &format!("c-{number}"))).ok();
    }
    for (number, minutes) in [(1, 5), (2, 5), (3, 90), (4, 3 * 1_440)] {
        let at = NOW.plus(Span(minutes * 60_000));
        let late =
            with(&order(&format!("order-{number}"), &id(number), "80.00"), "occurred_at", &json!(at.to_string()));
        service.core.clock.set(at);
        service.outcomes(&late);
    }
    let folder = tempfile::tempdir().unwrap();
    let asked = |arguments: &[&str]| run(folder.path(), &[&["policy", "delay"][..], arguments].concat());
    let (code, out, err) = asked(&["home", "--store", service.store_url()]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("home: 4 rewards of 5 decisions, watched for 7d at most\n"), "{out}");
    let delay = out.split_once("For placements.yaml:\n\n").unwrap().1;
    assert!(delay.starts_with("    delay:\n      version: 1\n      steps: [{age: 5m, share: "), "{out}");
    proffer::policy::compile(&policies_with("    reservation: 10m\n", &format!("    reservation: 10m\n{delay}\n")))
        .unwrap();
    let (code, _, err) = asked(&["hoem", "--store", service.store_url()]);
    assert_eq!(code, 2);
    assert_eq!(err, "error: the active bundle has no placement `hoem`: it has `explore`, `home`");
    let (code, _, err) = asked(&["explore", "--store", service.store_url()]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error: no order or click of `explore` is stored yet: nothing to fit"), "{err}");
}
