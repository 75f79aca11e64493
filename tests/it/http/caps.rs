//! Caps hold exactly however many clients ask at once, on one node and on two.

use std::collections::BTreeMap;

use serde_json::Value;

use super::service::{Plan, Service};
use super::shop::{self, ask};
use crate::harness::database::Kind;

const CLIENTS: usize = 32;
const REQUESTS: usize = 5;
/// As the bundle says: of all offers in a week, and of one offer in a day.
const ALL_MAX: usize = 5;
const OFFER_MAX: usize = 2;

/// What one customer is shown while many clients ask, through these services in turn.
fn shown(services: &[&Service], customer: &str) -> Vec<Value> {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let service = services[client % services.len()];
                scope.spawn(move || -> Vec<Value> {
                    (0..REQUESTS).map(|_| service.decide(&ask(customer)).ok()).collect()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Counts what was drawn by offer; no cap may be passed.
fn counted(answers: &[Value]) -> usize {
    let mut by_offer: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer["fallback"] == false) {
        *by_offer.entry(answer["offers"][0]["offer_id"].as_str().unwrap()).or_default() += 1;
    }
    let all = by_offer.values().sum();
    assert!(by_offer.values().all(|count| *count <= OFFER_MAX), "{by_offer:?}");
    assert!(all <= ALL_MAX, "{by_offer:?}");
    all
}

/// Whatever contention cost is made up for by asking again, one after another; then the cap is reached exactly.
fn check(services: &[&Service]) {
    for customer in ["c-1", "c-2", "c-3"] {
        services[0].consent(customer, "granted");
        let mut answers = shown(services, customer);
        assert_eq!(answers.len(), CLIENTS * REQUESTS);
        if services.len() == 1 {
            assert_eq!(counted(&answers), ALL_MAX, "one node decides one customer's requests one after another");
        }
        answers.extend((0..20).map(|turn| services[turn % services.len()].decide(&ask(customer)).ok()));
        assert_eq!(counted(&answers), ALL_MAX, "{customer}");
        let record = services[0].record(answers.last().unwrap());
        assert_eq!(record["fallback"], "no_eligible_candidate");
        let excluded = &record["candidates"][0]["excluded_by"];
        let cap = excluded.as_array().unwrap().iter().find(|told| told["rule"] == "cap.all.week").unwrap();
        assert_eq!((&cap["observed"], &cap["limit"]), (&Value::from(ALL_MAX), &Value::from(ALL_MAX)));
    }
}

#[test]
fn caps_are_exact_under_concurrent_clients_on_sqlite() {
    check(&[&Service::start()]);
}

#[test]
fn caps_are_exact_under_concurrent_clients_with_several_engines_on_sqlite() {
    let service = Plan::new(Kind::Sqlite).engines(3).start();
    service.import(&shop::offers());
    check(&[&service]);
}

#[test]
fn caps_are_exact_under_concurrent_clients_of_two_services_over_one_postgresql() {
    let plan = Plan::new(Kind::Postgres).engines(2);
    let beside = plan.beside("node-2");
    let first = plan.start();
    first.import(&shop::offers());
    let second = beside.start();
    check(&[&first, &second]);
    second.remove();
    first.remove();
}
