//! Asked again and given back: what may run out, what was followed, and what another node has changed just now.

use proffer::domain::Span;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, ask_as, id, offer, order, refund, with};
use crate::harness::database::Kind;

const MINUTE: i64 = 60_000;

/// The shop with boots alone, of which there is one pair.
fn last_pair(kind: Kind) -> Service {
    let service = Plan::new(kind).start();
    let boots = with(&offer("boots", "shoes", "80.00", "40.00"), "stock", &json!(1));
    service.import(&json!([boots, offer("house-welcome", "service", "0.00", "0.00")]));
    service
}

fn at(service: &Service, minutes: i64) {
    service.core.clock.set(NOW.plus(Span(minutes * MINUTE)));
    service.learn();
}

fn call(service: &Service, number: u8, verb: &str) -> (u16, Value) {
    let answer = service.call("POST", &format!("/v1/decisions/{}:{verb}", id(number)), None);
    (answer.status, answer.json())
}

/// The rules that speak against the only slot; none where it may be sent.
fn against(service: &Service, number: u8) -> Vec<String> {
    let (status, told) = call(service, number, "recheck");
    assert_eq!(status, 200, "{told}");
    let rules: Vec<String> = told["slots"][0]["excluded_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["rule"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told["allowed"], rules.is_empty(), "{told}");
    rules
}

/// Whether somebody is shown the boots.
fn shown(service: &Service, number: u8) -> bool {
    service.decide(&ask_as(number, &format!("c-{number}"))).ok()["fallback"] == false
}

#[test]
fn the_last_of_a_stock_may_be_sent_by_whoever_holds_it_and_by_nobody_who_gave_it_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = last_pair(kind);
        assert_eq!([shown(&service, 1), shown(&service, 2)], [true, false]);
        assert_eq!(against(&service, 1), [""; 0], "what it holds itself does not count against it");
        for _ in 0..2 {
            assert_eq!(call(&service, 1, "release").1["status"], "released");
            service.learn();
        }
        assert_eq!(against(&service, 1), [""; 0], "nobody else has it yet");
        assert!(shown(&service, 3));
        assert_eq!(against(&service, 1), ["proffer.stock"], "it holds nothing any more, though its time is not over");
        assert_eq!(against(&service, 3), [""; 0]);
        assert_eq!(call(&service, 1, "release").1["status"], "released");
        service.learn();
        assert!(!shown(&service, 4), "what was given back is given back once");
        // The next one's reservation ends; what was ordered is its own for good.
        at(&service, 10);
        assert!(shown(&service, 5));
        assert_eq!(against(&service, 3), ["proffer.stock"]);
        service.outcomes(&with(
            &order("o-5", &id(5), "80.00"),
            "occurred_at",
            &json!(NOW.plus(Span(11 * MINUTE)).to_string()),
        ));
        at(&service, 60);
        assert_eq!((against(&service, 5), against(&service, 3)), (vec![], vec!["proffer.stock".to_owned()]));
        service.outcomes(&refund("r-5", "o-5"));
        service.learn();
        assert_eq!(against(&service, 3), [""; 0]);
        service.remove();
    }
}

#[test]
fn what_was_followed_is_kept_and_what_is_of_somebody_else_stays_theirs() {
    let service = Service::start();
    for customer in ["ann", "bob"] {
        service.consent(customer, "granted");
    }
    let event =
        |kind: &str, number: u8| with(&order(&format!("{kind}-{number}"), &id(number), "80.00"), "type", &json!(kind));
    let plain = |kind: &str, number: u8| {
        let mut event = event(kind, number);
        event.as_object_mut().unwrap().remove("revenue");
        event
    };
    let followed = [
        ("ordered", event("order", 1)),
        ("seen", plain("impression", 2)),
        ("clicked", plain("click", 3)),
        ("dismissed", plain("reject", 4)),
        ("sent back", plain("return", 5)),
    ];
    for (number, (word, event)) in (1..).zip(&followed) {
        let customer = format!("c-{number}");
        service.consent(&customer, "granted");
        assert_eq!(service.decide(&ask_as(number, &customer)).ok()["fallback"], false);
        assert_eq!(service.outcomes(event)[0]["status"], "accepted", "{event}");
        let (status, told) = call(&service, number, "release");
        let why =
            format!("decision `{}` was {word} at {NOW}: what was shown counts, and cannot be given back", id(number));
        assert_eq!((status, &told["detail"]), (409, &json!(why)));
    }
    service.learn();
    let record = service.record(&json!({"decision_id": id(1)}));
    assert_eq!((&record["outcomes"]["accepted"], &record["outcomes"]["count"]), (&json!(true), &json!(1)));

    // Caps that count decisions count them still, of whomever.
    for number in 11..=15 {
        assert_eq!(service.decide(&ask_as(number, "ann")).ok()["fallback"], false);
        assert_eq!(service.decide(&ask_as(number + 10, "bob")).ok()["fallback"], false);
    }
    for number in 21..=25 {
        assert_eq!(call(&service, number, "release").1["status"], "released");
    }
    for customer in ["ann", "bob"] {
        assert_eq!(service.decide(&ask(customer)).ok()["fallback"], true, "{customer}");
    }
}

/// A cap of two a week that counts what is seen.
fn seen_twice() -> Vec<proffer::policy::Source> {
    let mut files = shop::policies();
    for file in &mut files {
        if let Some(at) = file.text.find("frequency_caps:") {
            file.text.truncate(at);
            file.text.push_str(
                "frequency_caps:\n  - {id: cap.seen, why: Two a week, scope: [customer], max: 2, window: {rolling: \
                 7d}, counts: impression}\n",
            );
        }
    }
    files
}

#[test]
fn a_release_makes_room_for_its_own_customer_alone() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).policies(seen_twice()).start();
        service.import(&shop::offers());
        for (customer, first) in [("ann", 1), ("bob", 11)] {
            service.consent(customer, "granted");
            let drawn = |number| service.decide(&ask_as(number, customer)).ok()["fallback"] == false;
            assert_eq!([drawn(first), drawn(first + 1), drawn(first + 2)], [true, true, false]);
        }
        let (status, told) = call(&service, 1, "release");
        assert_eq!((status, &told["status"], &told["decision_id"]), (200, &json!("released"), &json!(id(1))));
        assert_eq!(service.decide(&ask("bob")).ok()["fallback"], true);
        assert_eq!(service.decide(&ask("ann")).ok()["fallback"], false);
        assert_eq!(service.decide(&ask("ann")).ok()["fallback"], true);
        service.remove();
    }
}

#[test]
fn a_node_that_is_asked_again_knows_what_another_one_changed_just_now() {
    let plan = Plan::new(Kind::Postgres).policies(seen_twice());
    let beside = plan.beside("node-2");
    let first = plan.start();
    first.import(&shop::offers());
    first.consent("ann", "granted");
    let second = beside.start();
    let decided = second.decide(&ask_as(1, "ann")).ok();
    let shown = decided["offers"][0]["offer_id"].as_str().unwrap();
    assert_eq!(against(&second, 1), [""; 0]);

    first.call("POST", &format!("/v1/offers/{shown}/pause"), Some(&json!({}))).ok();
    let told = call(&second, 1, "recheck").1;
    assert_eq!((&told["allowed"], &told["slots"][0]["candidate"]), (&json!(false), &json!(false)), "{told}");
    first.call("POST", &format!("/v1/offers/{shown}/resume"), Some(&json!({}))).ok();
    assert_eq!(against(&second, 1), [""; 0]);

    first.consent("ann", "withdrawn");
    assert!(against(&second, 1).contains(&"consent.personal".to_owned()));
    first.core.clock.set(NOW.plus(Span(MINUTE)));
    second.core.clock.set(NOW.plus(Span(MINUTE)));
    first.consent("ann", "granted");
    assert_eq!(against(&second, 1), [""; 0]);

    // What others have filled since, and what it holds itself.
    assert_eq!(first.decide(&ask_as(2, "ann")).ok()["fallback"], false);
    assert_eq!(against(&second, 1), [""; 0], "two are reserved, one of them by itself");
    second.core.clock.set(NOW.plus(Span(11 * MINUTE)));
    first.core.clock.set(NOW.plus(Span(11 * MINUTE)));
    for number in [3, 4] {
        assert_eq!(first.decide(&ask_as(number, "ann")).ok()["fallback"], false);
    }
    assert_eq!(against(&second, 1), ["cap.seen"]);

    // Another bundle, active by the time the first node has started.
    let floor = seen_twice().into_iter().map(|mut file| {
        file.text = file.text.replace("min_margin: 10%", "min_margin: 99%");
        file
    });
    let first = first.restart_with(floor.collect());
    let rules = against(&second, 1);
    assert!(rules.contains(&"margin.floor".to_owned()), "{rules:?}");
    second.remove();
    first.remove();
}
