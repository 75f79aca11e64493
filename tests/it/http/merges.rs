//! Two customers that turn out to be one: consents, attributes and contacts of both, under either id, on every node.

use proffer::domain::Span;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask};
use crate::harness::database::Kind;

/// As the bundle says: of all offers in a week.
const ALL_MAX: usize = 5;

fn merge(service: &Service, from: &str, into: &str) -> (u16, Value) {
    let answer = service.call("POST", &format!("/v1/customers/{from}:merge"), Some(&json!({"into": into})));
    (answer.status, answer.json())
}

fn drawn(service: &Service, customer: &str, times: usize) -> usize {
    (0..times).filter(|_| service.decide(&ask(customer)).ok()["fallback"] == false).count()
}

fn check(services: &[&Service]) {
    let (first, other) = (services[0], services[services.len() - 1]);
    for customer in ["guest", "ann"] {
        first.consent(customer, "granted");
    }
    // Both nodes have both at hand.
    assert_eq!((drawn(first, "guest", 1), drawn(other, "guest", 1)), (1, 1));
    assert_eq!((drawn(first, "ann", 1), drawn(other, "ann", 1)), (1, 1));
    let attributes = json!({"attributes": {"tier": "gold"}});
    first.call("PUT", "/v1/customers/guest/attributes", Some(&attributes)).ok();
    for _ in 0..2 {
        let (status, told) = merge(first, "guest", "ann");
        assert_eq!((status, &told["status"]), (200, &json!("merged")), "{told}");
    }
    // Four are counted of both together: one is left, by whichever id and node, and no more.
    let mut left = 0;
    for turn in 0..12 {
        left += drawn(services[turn % services.len()], ["guest", "ann"][turn % 2], 1);
    }
    assert_eq!(left, ALL_MAX - 4);
    let record = first.record(&other.decide(&ask("guest")).ok());
    let excluded = record["candidates"][0]["excluded_by"].as_array().unwrap().clone();
    let cap = excluded.iter().find(|told| told["rule"] == "cap.all.week").unwrap();
    assert_eq!((&cap["observed"], &cap["limit"]), (&json!(ALL_MAX), &json!(ALL_MAX)));
    let known = other.call("GET", "/v1/customers/ann/attributes", None).ok();
    assert_eq!(known["attributes"]["tier"]["value"], "gold", "{known}");
    // The stricter of equal consents; told under either id, and obeyed at once under the other.
    let consents = other.call("GET", "/v1/customers/ann/consents", None).ok();
    assert_eq!(consents["consents"].as_array().unwrap().len(), 2);
    first.consent("guest", "withdrawn");
    let decided = other.record(&other.decide(&ask("ann")).ok());
    assert_eq!(decided["refused_purpose"], "offer_personalisation");
}

#[test]
fn contacts_consents_and_attributes_of_both_count_under_either_id_on_sqlite() {
    let service = Service::start();
    check(&[&service]);
}

#[test]
fn contacts_consents_and_attributes_of_both_count_under_either_id_on_two_nodes_of_one_postgresql() {
    let plan = Plan::new(Kind::Postgres).engines(2);
    let beside = plan.beside("node-2");
    let first = plan.start();
    first.import(&shop::offers());
    let second = beside.start();
    check(&[&first, &second]);
    second.remove();
    first.remove();
}

#[test]
fn the_stricter_of_equal_consents_counts_whoever_of_the_two_said_it() {
    for (guest, ann, expected) in
        [("granted", "granted", false), ("refused", "granted", true), ("granted", "withdrawn", true)]
    {
        let service = Service::start();
        service.consent("guest", guest);
        service.consent("ann", ann);
        assert_eq!(merge(&service, "guest", "ann").0, 200);
        let record = service.record(&service.decide(&ask("ann")).ok());
        assert_eq!(record["refused_purpose"] == "offer_personalisation", expected, "{guest} and {ann}");
    }
}

#[test]
fn the_newest_word_of_both_counts_and_one_announced_by_either_comes_into_force() {
    let purpose = |service: &Service, minutes: i64| {
        service.core.clock.set(NOW.plus(Span(minutes * 60_000)));
        service.record(&service.decide(&ask("ann")).ok())["refused_purpose"] == "offer_personalisation"
    };
    let say = |service: &Service, customer: &str, state: &str, minutes: i64| {
        let from = NOW.plus(Span(minutes * 60_000)).to_string();
        let record = json!({"purpose": "offer_personalisation", "state": state, "valid_from": from});
        let path = format!("/v1/customers/{customer}/consents");
        service.call("PUT", &path, Some(&json!({"consents": [record]}))).ok();
    };
    // Each says one thing, minutes from now; then whether personal offers are refused after 1, 6 and 20 minutes.
    let cases = [
        ([("guest", "withdrawn", -5), ("ann", "granted", -9)], [true, true, true]),
        ([("guest", "granted", -5), ("ann", "refused", -9)], [false, false, false]),
        ([("guest", "withdrawn", -9), ("ann", "granted", -5)], [false, false, false]),
        ([("guest", "withdrawn", 5), ("ann", "granted", -9)], [false, true, true]),
        ([("ann", "withdrawn", 5), ("guest", "granted", -9)], [false, true, true]),
        ([("guest", "granted", 5), ("ann", "refused", -9)], [true, false, false]),
    ];
    for (said, refused) in cases {
        let service = Service::start();
        for (customer, state, minutes) in said {
            say(&service, customer, state, minutes);
        }
        assert_eq!(merge(&service, "guest", "ann").0, 200);
        assert_eq!([1, 6, 20].map(|minutes| purpose(&service, minutes)), refused, "{said:?}");
    }
}

#[test]
fn both_ids_at_once_keep_the_cap_and_an_outcome_of_before_finds_its_decision() {
    let service = Service::start();
    service.consent("guest", "granted");
    service.consent("ann", "granted");
    let before = service.decide(&ask("guest")).ok();
    assert_eq!(merge(&service, "guest", "ann").0, 200);
    let all: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..12_usize)
            .map(|client| {
                scope.spawn({
                    let service = &service;
                    move || drawn(service, ["guest", "ann"][client % 2], 3)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert!(all < ALL_MAX, "{all} besides the one before");
    assert_eq!(all + drawn(&service, "ann", 6) + drawn(&service, "guest", 2), ALL_MAX - 1);
    let told = service.outcomes(&shop::order("o-1", before["decision_id"].as_str().unwrap(), "80.00"));
    assert_eq!(told[0]["status"], "accepted", "{told:?}");
    assert_eq!(service.record(&before)["outcomes"]["accepted"], true, "its record is still read");
}

#[test]
fn nobody_becomes_themselves_or_somebody_unknown_or_goes_round_in_a_circle() {
    let service = Service::start();
    for customer in ["a", "b", "c"] {
        service.consent(customer, "granted");
    }
    let told = |(status, told): (u16, Value)| (status, told["detail"].as_str().unwrap().to_owned());
    let text = |status: u16, text: &str| (status, text.to_owned());
    assert_eq!(told(merge(&service, "a", "a")), text(422, "customer `a` cannot be merged into itself"));
    assert_eq!(told(merge(&service, "a", "nobody")), text(404, "no customer `nobody` is known"));
    assert_eq!(told(merge(&service, "nobody", "a")), text(404, "no customer `nobody` is known"));
    assert_eq!(merge(&service, "a", "b").0, 200);
    let circle = "customer `a` was merged into `b` before: they are one already, known as the second";
    assert_eq!(told(merge(&service, "b", "a")), text(409, circle));
    assert_eq!(told(merge(&service, "a", "c")), text(409, "customer `a` was merged into `b` before: merge that one"));
    assert_eq!(merge(&service, "b", "c").0, 200);
    assert_eq!(merge(&service, "a", "c").0, 200, "which it has become");
}
