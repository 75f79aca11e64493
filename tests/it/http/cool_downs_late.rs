//! Cool-downs and what arrives out of order: a return before its order, an event while other policies are active, what
//! the catalogue puts into no category or into several.

use proffer::domain::Span;
use proffer::policy::Source;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, ask_as, id, order, with};
use crate::harness::database::Kind;

/// The shop with wide caps and one cool-down more.
fn policies(scope: &str, event: &str) -> Vec<Source> {
    let mut files = shop::policies_with("max: 5", "max: 50");
    let rules = files.iter_mut().find(|file| file.path == "rules/shop.yaml").unwrap();
    rules.text = rules.text.replace("max: 2", "max: 50");
    if !event.is_empty() {
        let rule = format!(
            "cool_downs:\n  - {{id: cool, why: Contact standard, scope: {scope}, after: {{event: {event}}}, \
             suppress_for: 14d}}\n"
        );
        rules.text.push_str(&rule);
    }
    files
}

fn start(kind: Kind, policies: Vec<Source>) -> Service {
    let service = Plan::new(kind).policies(policies).start();
    let mut offers = shop::offers();
    offers[3]["more_categories"] = json!(["shoes"]);
    for name in ["gift", "card"] {
        let mut gift = shop::offer(name, "home", "30.00", "10.00");
        gift.as_object_mut().unwrap().remove("category");
        offers.as_array_mut().unwrap().push(gift);
    }
    service.import(&offers);
    service.consent("c-1", "granted");
    service
}

/// Shows an offer under this number.
fn show(service: &Service, number: u8, offer: &str) {
    let answer = service.decide(&with(&ask_as(number, "c-1"), "candidates", &json!([offer]))).ok();
    assert_eq!((&answer["fallback"], &answer["offers"][0]["offer_id"]), (&json!(false), &json!(offer)));
}

fn told(service: &Service, event: &Value) -> Value {
    service.outcomes(event)[0]["status"].clone()
}

fn event(name: &str, kind: &str, number: u8) -> Value {
    json!({
        "event_id": name, "source": "checkout", "type": kind, "decision_id": id(number),
        "occurred_at": NOW.plus(Span(1_000)).to_string(),
    })
}

/// The same event, which names another event instead of its decision.
fn referring(name: &str, kind: &str, to: &str) -> Value {
    let mut event = with(&event(name, kind, 0), "refers_to", &json!(to));
    event.as_object_mut().unwrap().remove("decision_id");
    event
}

/// The offers that the cool-down leaves out of the next answer.
fn resting(service: &Service) -> String {
    let record = service.record(&service.decide(&ask("c-1")).ok());
    let rests =
        |candidate: &&Value| candidate["excluded_by"].as_array().unwrap().iter().any(|told| told["rule"] == "cool");
    let resting = record["candidates"].as_array().unwrap().iter().filter(rests);
    resting.map(|candidate| candidate["offer_id"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

fn a_return_before_its_order(kind: Kind) {
    let service = start(kind, policies("[customer, offer]", "return"));
    show(&service, 1, "lamp");
    assert_eq!(told(&service, &referring("back-1", "return", "order-1")), "unmatched");
    assert_eq!(resting(&service), "");
    assert_eq!(told(&service, &order("order-1", &id(1), "40.00")), "accepted");
    assert_eq!(resting(&service), "lamp", "the return belongs to what its order belongs to");
    // Both wait: the return for its order, the order for its decision.
    assert_eq!(told(&service, &referring("back-2", "return", "order-2")), "unmatched");
    assert_eq!(told(&service, &order("order-2", &id(2), "80.00")), "unmatched");
    show(&service, 2, "boots");
    service.learn();
    assert_eq!(resting(&service), "boots lamp");
    service.remove();
}

#[test]
fn a_return_that_comes_before_its_order_counts_as_soon_as_that_is_known_on_sqlite() {
    a_return_before_its_order(Kind::Sqlite);
}

#[test]
fn a_return_that_comes_before_its_order_counts_as_soon_as_that_is_known_on_postgres() {
    a_return_before_its_order(Kind::Postgres);
}

#[test]
fn what_happens_while_nothing_counts_it_counts_when_the_policies_of_before_are_back() {
    let counting = || policies("[customer, offer]", "reject");
    let service = start(Kind::Sqlite, counting());
    show(&service, 1, "boots");
    assert_eq!(resting(&service), "");
    // Rolled forward to policies without cool-downs, and back, without a decision in between.
    let service = service.restart_with(policies("", ""));
    assert_eq!(told(&service, &event("no-1", "reject", 1)), "accepted");
    let service = service.restart_with(counting());
    assert_eq!(resting(&service), "boots");
}

#[test]
fn an_offer_rests_with_each_of_its_categories_and_one_without_rests_alone() {
    let check = |scope: &str, offer: &str, expected: &str| {
        let service = start(Kind::Sqlite, policies(scope, "reject"));
        show(&service, 1, offer);
        assert_eq!(told(&service, &event("no-1", "reject", 1)), "accepted");
        assert_eq!(resting(&service), expected, "{scope} {offer}");
    };
    check("[customer, category]", "boots", "boots tent");
    check("[customer, category]", "tent", "boots tent");
    check("[customer, category]", "gift", "");
    check("[customer, campaign]", "lamp", "");
    check("[customer]", "gift", "boots card gift lamp mug tent");
}
