//! Outcomes that cannot be taken in or change nothing, with what their senders are told.

use serde_json::{Value, json};

use super::service::{Answer, Service, sign};
use super::shop::{NOW, ask_as, id, order, refund, with};
use super::transcript::{Transcript, whole};

/// A source of webhooks.
struct Source<'a> {
    service: &'a Service,
    secret: Vec<u8>,
}

impl Source<'_> {
    /// Sends events as they are signed at an instant.
    fn send(&self, webhook: &str, seconds: i64, events: &Value) -> Answer {
        let body = events.to_string().into_bytes();
        self.send_as(webhook, &seconds.to_string(), &sign(&self.secret, webhook, seconds, &body), &body)
    }

    fn send_as(&self, webhook: &str, timestamp: &str, signature: &str, body: &[u8]) -> Answer {
        let headers = [("webhook-id", webhook), ("webhook-timestamp", timestamp), ("webhook-signature", signature)];
        self.service.send("POST", "/v1/outcomes", &headers, Some(body))
    }
}

const SECONDS: i64 = NOW.0 / 1_000;

#[test]
fn a_webhook_is_taken_in_once_and_only_when_its_signature_is_fresh_and_right() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    let source = Source { service: &service, secret: service.source("checkout") };
    let event = order("order-1", &id(1), "80.00");
    let body = event.to_string().into_bytes();
    let mut told = Transcript::default();

    told.results("signed now", &source.send("msg-1", SECONDS, &event));
    told.results("the same again", &source.send("msg-1", SECONDS, &event));
    told.results("the same event under another webhook id", &source.send("msg-2", SECONDS + 299, &event));
    told.problem("replayed after ten minutes", &source.send("msg-1", SECONDS - 600, &event));
    told.problem("signed in the future", &source.send("msg-1", SECONDS + 301, &event));
    let wrong = sign(b"another secret", "msg-3", SECONDS, &body);
    told.problem("signed with another secret", &source.send_as("msg-3", &SECONDS.to_string(), &wrong, &body));
    let of_another = sign(&source.secret, "msg-3", SECONDS, b"{}");
    told.problem("the signature of another body", &source.send_as("msg-3", &SECONDS.to_string(), &of_another, &body));
    told.problem("a signature that is none", &source.send_as("msg-3", &SECONDS.to_string(), "sha256=00", &body));
    told.problem("a timestamp that is none", &source.send_as("msg-3", "yesterday", &wrong, &body));
    let lone = [("webhook-signature", wrong.as_str())];
    told.problem("a signature alone", &service.send("POST", "/v1/outcomes", &lone, Some(&body)));
    told.problem("no signature and no key", &service.send("POST", "/v1/outcomes", &[], Some(&body)));
    told.problem(
        "signed by one source in the name of another",
        &source.send("msg-4", SECONDS, &with(&event, "source", &json!("email"))),
    );
    insta::assert_snapshot!(told.0, @r"
    signed now
      200
        order-1: accepted
    the same again
      200
        order-1: duplicate
    the same event under another webhook id
      200
        order-1: duplicate
    replayed after ten minutes
      401 unauthorised: `webhook-timestamp` is 600 seconds behind the service's time: at most 300 are accepted; sign it anew when sending it again
    signed in the future
      401 unauthorised: `webhook-timestamp` is 301 seconds ahead of the service's time: at most 300 are accepted; sign it anew when sending it again
    signed with another secret
      401 unauthorised: the signature fits no source's secret: sign `webhook-id.webhook-timestamp.body` with HMAC-SHA256 and send `v1,BASE64`
    the signature of another body
      401 unauthorised: the signature fits no source's secret: sign `webhook-id.webhook-timestamp.body` with HMAC-SHA256 and send `v1,BASE64`
    a signature that is none
      401 unauthorised: the signature fits no source's secret: sign `webhook-id.webhook-timestamp.body` with HMAC-SHA256 and send `v1,BASE64`
    a timestamp that is none
      401 unauthorised: `webhook-timestamp` `yesterday` is not a number of seconds
    a signature alone
      401 unauthorised: the header `webhook-id` is missing or not text
    no signature and no key
      401 unauthorised: sign the body (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`), or send an API key with the role `outcomes`
    signed by one source in the name of another
      422 invalid: source `email` did not sign this: the signature is of `checkout`
        /source:
    ");

    let rotated = format!("{wrong} {}", sign(&source.secret, "msg-5", SECONDS, &body));
    let answer = source.send_as("msg-5", &SECONDS.to_string(), &rotated, &body);
    assert_eq!(answer.ok()["results"][0]["status"], "duplicate", "one right signature of several is enough");
    insta::assert_snapshot!(whole(&source.send_as("msg-3", &SECONDS.to_string(), &wrong, &body)), @r#"
    401 application/problem+json
    www-authenticate: Bearer realm="proffer"
    {
      "detail": "the signature fits no source's secret: sign `webhook-id.webhook-timestamp.body` with HMAC-SHA256 and send `v1,BASE64`",
      "status": 401,
      "title": "the caller is not known",
      "type": "urn:proffer:problem:unauthorised"
    }
    "#);
}

#[test]
fn each_mistake_in_an_outcome_is_told_with_its_place() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    let mut told = Transcript::default();
    let mut check = |case: &str, event: Value| told.problem(case, &service.call("POST", "/v1/outcomes", Some(&event)));
    let set = |field: &str, value: Value| with(&order("order-1", &id(1), "80.00"), field, &value);
    let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});

    check("a field nobody knows", set("sku", json!("A1")));
    check("no type", json!({"event_id": "e", "source": "checkout", "occurred_at": NOW.to_string()}));
    check("a type that is not taken in yet", set("type", json!("click")));
    check("a type nobody knows", set("type", json!("purchase")));
    check("a negative revenue", set("revenue", money("-80.00", "USD")));
    check("another currency than the placement's", set("revenue", money("80.00", "EUR")));
    check("two currencies", set("margin", money("10.00", "EUR")));
    check("an order from the future", set("occurred_at", json!("2026-03-01T10:00:00Z")));
    check("a day for an instant", set("occurred_at", json!("2026-03-01")));
    check("an empty event id", set("event_id", json!("")));
    check("an order that refers to itself", set("refers_to", json!("order-1")));
    check("a decision id that is none", set("decision_id", json!("42")));
    let two = with(&set("decision_id", json!("42")), "revenue", &money("-1.00", "USD"));
    check("two mistakes at once", two);
    check("a number for an event", json!(7));
    check("1,001 events", json!(vec![order("e", &id(1), "1.00"); 1_001]));
    insta::assert_snapshot!(told.0, @r"
    a field nobody knows
      422 invalid: unknown field `sku`, expected one of `event_id`, `source`, `type`, `occurred_at`, `decision_id`, `customer_id`, `offer_id`, `coupon`, `refers_to`, `revenue`, `margin`
        /sku:
    no type
      422 invalid: the field `type` is missing
        :
    a type that is not taken in yet
      422 invalid: a click has no amounts: send what was bought as an `order`
        /revenue:
    a type nobody knows
      422 invalid: type `purchase` is not known: expected one of `order`, `refund`, `impression`, `click`, `reject`, `return`
        /type:
    a negative revenue
      422 invalid: revenue `-80.00` is negative: send money paid back as a `refund`
        /revenue/amount:
    another currency than the placement's
      422 invalid: amounts are in EUR but the decision's placement is in USD: send USD
        /revenue/currency:
    two currencies
      422 invalid: revenue is in USD but margin in EUR: use one currency
        /margin/currency:
    an order from the future
      422 invalid: 2026-03-01T10:00:00.000Z is in the future: it is 2026-03-01T09:30:00.000Z
        /occurred_at:
    a day for an instant
      422 invalid: `2026-03-01` is not an instant: expected RFC 3339, such as `2026-03-01T09:30:00Z`
        /occurred_at:
    an empty event id
      422 invalid: an event id has 1 to 256 bytes; this one has 0
        /event_id:
    an order that refers to itself
      422 invalid: an event cannot refer to itself: name the order that it corrects
        /refers_to:
    a decision id that is none
      422 invalid: `42` is not a UUIDv7, such as `01969e0c-8a00-7000-8000-000000000001`
        /decision_id:
    two mistakes at once
      422 invalid: 2 things are wrong; see `errors`
        /revenue/amount: revenue `-1.00` is negative: send money paid back as a `refund`
        /decision_id: `42` is not a UUIDv7, such as `01969e0c-8a00-7000-8000-000000000001`
    a number for an event
      422 invalid: expected an event as a JSON object, found the number `7`
        :
    1,001 events
      422 invalid: 1001 events in one array are too many: at most 1000
        :
    ");
    assert_eq!(service.wait(service.core.store.totals()).unwrap().outcomes, 0);
}

#[test]
fn in_an_array_the_good_events_are_taken_in_and_the_bad_ones_named() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    let source = Source { service: &service, secret: service.source("checkout") };
    let events = json!([
        order("order-1", &id(1), "80.00"),
        with(&order("order-2", &id(1), "80.00"), "type", &json!("purchase")),
        with(&order("order-3", &id(1), "80.00"), "source", &json!("email")),
        with(&order("order-4", &id(1), "1.00"), "revenue", &json!({"amount": "1", "currency": "EUR"})),
        {"event_id": "order-5", "colour": "red"},
        order("order-1", &id(1), "80.00"),
        order("order-6", &id(2), "80.00"),
        refund("refund-1", "order-1"),
        "order-7",
    ]);
    let mut told = Transcript::default();
    told.results("nine events", &source.send("msg-1", SECONDS, &events));
    told.results("no events", &source.send("msg-2", SECONDS, &json!([])));
    insta::assert_snapshot!(told.0, @r#"
    nine events
      200
        order-1: accepted
        order-2: rejected type `purchase` is not known: expected one of `order`, `refund`, `impression`, `click`, `reject`, `return`
          /1/type
        order-3: rejected source `email` did not sign this: the signature is of `checkout`
          /2/source
        order-4: rejected amounts are in EUR but the decision's placement is in USD: send USD
          /3/revenue/currency
        order-5: rejected unknown field `colour`, expected one of `event_id`, `source`, `type`, `occurred_at`, `decision_id`, `customer_id`, `offer_id`, `coupon`, `refers_to`, `revenue`, `margin`
          /4/colour
        order-1: duplicate
        order-6: unmatched it names no decision or event that is known yet; it is kept
        refund-1: accepted
        : rejected expected an event as a JSON object, found the text "order-7"
          /8
    no events
      200
    "#);
}
