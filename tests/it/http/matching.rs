//! Outcomes matched: by customer and offer, by decisions that become known later; and what became of an event.

use proffer::domain::Span;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask_as, id, order, refund, with};
use crate::harness::database::Kind;

const DAY: i64 = 86_400_000;

/// A decision that can show only this offer.
fn show(service: &Service, number: u8, customer: &str, offer: &str) {
    let answer = service.decide(&with(&ask_as(number, customer), "candidates", &json!([offer]))).ok();
    assert_eq!((&answer["fallback"], &answer["offers"][0]["offer_id"]), (&json!(false), &json!(offer)));
}

/// An event that names no decision.
fn by_customer(event: &str, customer: &str, offer: &str, at: i64) -> Value {
    json!({
        "event_id": event, "source": "checkout", "type": "order", "occurred_at": NOW.plus(Span(at)).to_string(),
        "customer_id": customer, "offer_id": offer,
    })
}

fn told(service: &Service, event: &Value) -> String {
    let told = &service.outcomes(event)[0];
    let name = (1..10).find(|number| told["decision_id"] == json!(id(*number)));
    let decision = name.map_or_else(String::new, |number| format!(" {number}"));
    let late = if told["late"] == true { " late" } else { "" };
    let reason = told["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}{decision}{late}{reason}", told["status"].as_str().unwrap())
}

fn status(service: &Service, event: &str) -> String {
    service.learn();
    let told = service.call("GET", &format!("/v1/outcomes/checkout/{event}"), None).ok();
    serde_json::to_string_pretty(&told).unwrap()
}

#[test]
fn without_a_decision_it_belongs_to_the_newest_that_showed_the_offer_to_the_customer() {
    let service = Service::start();
    show(&service, 1, "c-1", "boots");
    service.core.clock.set(NOW.plus(Span(DAY)));
    show(&service, 2, "c-1", "boots");
    show(&service, 3, "c-1", "lamp");
    show(&service, 4, "c-2", "tent");
    service.core.clock.set(NOW.plus(Span(20 * DAY)));
    let check = |event: &str, customer: &str, offer: &str, at: i64, expected: &str| {
        let found = told(&service, &by_customer(event, customer, offer, at));
        assert_eq!(
            found.replace(": it names no decision or event that is known yet; it is kept", ""),
            expected,
            "{event}"
        );
    };
    check("before-the-second", "c-1", "boots", DAY / 2, "accepted 1");
    check("after-both", "c-1", "boots", DAY, "accepted 2");
    check("another-offer", "c-1", "lamp", 2 * DAY, "accepted 3");
    check("shown-to-another", "c-1", "tent", 2 * DAY, "unmatched");
    check("before-any", "c-1", "boots", -DAY, "unmatched");
    check("in-the-window-of-the-second", "c-1", "boots", 8 * DAY, "accepted 2");
    check("after-the-window", "c-1", "boots", 8 * DAY + 1, "unmatched");
    check("somebody-unknown", "c-9", "boots", DAY, "unmatched");
    // Another currency than the placement's cannot be an order of what was shown there.
    let mut euro = by_customer("euro", "c-2", "tent", 2 * DAY);
    euro["revenue"] = json!({"amount": "5.00", "currency": "EUR"});
    assert!(told(&service, &euro).starts_with("unmatched"));
}

#[test]
fn an_order_that_comes_before_its_decision_is_matched_when_the_decision_is_stored() {
    let service = Service::start();
    let undo = with(&refund("refund-1", "order-1"), "revenue", &json!({"amount": "5.00", "currency": "USD"}));
    assert_eq!(service.outcomes(&undo)[0]["status"], "unmatched");
    let early = with(&order("order-1", &id(1), "80.00"), "customer_id", &json!("c-1"));
    assert_eq!(service.outcomes(&early)[0]["status"], "unmatched");
    let wrong = with(&order("order-2", &id(1), "80.00"), "offer_id", &json!("tent"));
    assert_eq!(service.outcomes(&wrong)[0]["status"], "unmatched");
    let euro = with(&order("order-3", &id(1), "1.00"), "revenue", &json!({"amount": "5.00", "currency": "EUR"}));
    assert_eq!(service.outcomes(&euro)[0]["status"], "unmatched");
    insta::assert_snapshot!(status(&service, "order-1"), @r#"
    {
      "event_id": "order-1",
      "occurred_at": "2026-03-01T09:30:00.000Z",
      "reason": "it names no decision or event that is known yet; it is kept",
      "received_at": "2026-03-01T09:30:00.000Z",
      "source": "checkout",
      "status": "unmatched",
      "type": "order"
    }
    "#);
    show(&service, 1, "c-1", "boots");
    insta::assert_snapshot!(status(&service, "order-1"), @r#"
    {
      "decision_id": "019ca8bb-b5c0-7101-8101-010101010101",
      "event_id": "order-1",
      "late": false,
      "learned": true,
      "occurred_at": "2026-03-01T09:30:00.000Z",
      "received_at": "2026-03-01T09:30:00.000Z",
      "slot": 1,
      "source": "checkout",
      "status": "accepted",
      "type": "order"
    }
    "#);
    assert!(status(&service, "refund-1").contains(&id(1)), "what refers to it follows");
    insta::assert_snapshot!(status(&service, "order-2"), @r#"
    {
      "event_id": "order-2",
      "occurred_at": "2026-03-01T09:30:00.000Z",
      "reason": "the decision it names did not show that offer; it is kept and attributed to none",
      "received_at": "2026-03-01T09:30:00.000Z",
      "source": "checkout",
      "status": "unmatched",
      "type": "order"
    }
    "#);
    insta::assert_snapshot!(status(&service, "order-3"), @r#"
    {
      "event_id": "order-3",
      "occurred_at": "2026-03-01T09:30:00.000Z",
      "reason": "its amounts are not in the currency of the decision it names; it is kept and attributed to none",
      "received_at": "2026-03-01T09:30:00.000Z",
      "source": "checkout",
      "status": "unmatched",
      "type": "order"
    }
    "#);
    assert_eq!(service.outcomes(&early)[0]["status"], "duplicate");
    let seen = service.call("GET", &format!("/v1/decisions/{}", id(1)), None).ok()["outcomes"].clone();
    assert_eq!((&seen["count"], &seen["accepted"]), (&json!(2), &json!(true)));
    let models = service.call("GET", "/v1/models", None).ok();
    let home = models["models"].as_array().unwrap().iter().find(|model| model["placement"] == "home").unwrap();
    assert_eq!(home["arms"][0]["accepted"], 1, "it was learned");
}

#[test]
fn an_order_of_another_offer_than_the_one_shown_is_kept_and_attributed_to_none() {
    let service = Service::start();
    show(&service, 1, "c-1", "boots");
    let other = with(&order("order-1", &id(1), "80.00"), "offer_id", &json!("lamp"));
    let reason = "the decision it names did not show that offer; it is kept and attributed to none";
    assert_eq!(told(&service, &other), format!("unmatched: {reason}"));
    let same = with(&order("order-2", &id(1), "80.00"), "offer_id", &json!("boots"));
    assert_eq!(told(&service, &same), "accepted 1");
    let seen = service.call("GET", &format!("/v1/decisions/{}", id(1)), None).ok()["outcomes"].clone();
    assert_eq!(seen["count"], 1);
}

#[test]
fn with_several_slots_an_outcome_belongs_to_the_slot_that_showed_its_offer() {
    let policies = shop::policies_with("  - id: home\n", "  - id: home\n    slots: 3\n    exposure: impression\n");
    let service = Plan::new(Kind::Sqlite).policies(policies).start();
    service.import(&shop::offers());
    let answer = service.decide(&ask_as(1, "c-1")).ok();
    let second = &answer["offers"][1]["offer_id"];
    let refused = service.call("POST", "/v1/outcomes", Some(&order("order-1", &id(1), "80.00")));
    let told = (refused.status, refused.json()["errors"].clone());
    let message = "the decision has several slots: name the `offer_id`";
    assert_eq!(told, (422, json!([{"pointer": "/offer_id", "message": message}])));
    let named = with(&order("order-1", &id(1), "80.00"), "offer_id", second);
    assert_eq!(service.outcomes(&named)[0]["status"], "accepted");
    // Its refund names no offer: it belongs where its order does.
    let back = with(&refund("refund-1", "order-1"), "decision_id", &json!(id(1)));
    assert_eq!(service.outcomes(&back)[0]["status"], "accepted");
    let slot = |event: &str| service.call("GET", &format!("/v1/outcomes/checkout/{event}"), None).ok()["slot"].clone();
    assert_eq!((slot("order-1"), slot("refund-1")), (json!(2), json!(2)));
    let exposed = || {
        service.learn();
        let models = service.call("GET", "/v1/models", None).ok()["models"].as_array().unwrap().clone();
        let home = models.into_iter().find(|model| model["placement"] == "home");
        home.map_or(0, |home| home["arms"].as_array().unwrap().iter().filter(|arm| arm["exposures"] == 1).count())
    };
    let seen = |event: &str| with(&order(event, &id(1), "0.00"), "type", &json!("impression"));
    let without = |mut event: Value| {
        event.as_object_mut().unwrap().remove("revenue");
        event
    };
    service.outcomes(&without(with(&seen("seen-1"), "offer_id", second)));
    assert_eq!(exposed(), 1, "only what was seen is learned from");
    service.outcomes(&without(seen("seen-2")));
    assert_eq!((exposed(), slot("seen-2")), (3, Value::Null), "without an offer it is of every slot");
}

#[test]
fn what_became_of_an_event_is_told() {
    let service = Service::start();
    show(&service, 1, "c-1", "boots");
    service.core.clock.set(NOW.plus(Span(9 * DAY)));
    service.outcomes(&order("order-1", &id(1), "80.00"));
    let late = with(&order("late/1", &id(1), "80.00"), "occurred_at", &json!("2026-03-09T09:30:00Z"));
    service.outcomes(&late);
    let found = [status(&service, "order-1"), status(&service, "late%2F1")].join("\n");
    insta::assert_snapshot!(found.replace(&id(1), "ID"), @r#"
    {
      "decision_id": "ID",
      "event_id": "order-1",
      "late": false,
      "learned": true,
      "occurred_at": "2026-03-01T09:30:00.000Z",
      "received_at": "2026-03-10T09:30:00.000Z",
      "slot": 1,
      "source": "checkout",
      "status": "accepted",
      "type": "order"
    }
    {
      "decision_id": "ID",
      "event_id": "late/1",
      "late": true,
      "learned": false,
      "occurred_at": "2026-03-09T09:30:00.000Z",
      "received_at": "2026-03-10T09:30:00.000Z",
      "slot": 1,
      "source": "checkout",
      "status": "accepted",
      "type": "order"
    }
    "#);
    let answer = service.call("GET", "/v1/outcomes/checkout/order-9", None);
    assert_eq!(
        (answer.status, answer.json()["detail"].clone()),
        (404, json!("no event `order-9` of source `checkout` was taken in"))
    );
}
