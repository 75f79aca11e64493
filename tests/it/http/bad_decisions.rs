//! Requests for decisions that cannot be answered, with what their callers are told.

use serde_json::{Value, json};

use super::service::{Answer, Service};
use super::shop::{NOW, ask, ask_as, id, with};
use super::transcript::{Transcript, whole};
use proffer::domain::DecisionId;

fn post(service: &Service, body: &str) -> Answer {
    let bearer = format!("Bearer {}", service.admin);
    service.send("POST", "/v1/decisions", &[("authorization", &bearer)], Some(body.as_bytes()))
}

#[test]
fn what_is_no_json_or_too_much_of_it_is_refused_as_a_whole() {
    let service = Service::start();
    insta::assert_snapshot!(whole(&post(&service, "{\"placement\": \"home\",}")), @r#"
    400 application/problem+json
    {
      "detail": "trailing comma at line 1 column 22",
      "status": 400,
      "title": "the body is not the JSON expected",
      "type": "urn:proffer:problem:malformed"
    }
    "#);
    insta::assert_snapshot!(whole(&post(&service, "")), @r#"
    400 application/problem+json
    {
      "detail": "the body is empty: send JSON",
      "status": 400,
      "title": "the body is not the JSON expected",
      "type": "urn:proffer:problem:malformed"
    }
    "#);
    insta::assert_snapshot!(whole(&post(&service, "{\"placement\": \"home\"} {}")), @r#"
    400 application/problem+json
    {
      "detail": "trailing characters at line 1 column 23",
      "status": 400,
      "title": "the body is not the JSON expected",
      "type": "urn:proffer:problem:malformed"
    }
    "#);
    let basket = "x".repeat(10 * 1024 * 1024);
    let large = json!({"placement": "home", "basket": [{"sku": basket, "quantity": 1}]});
    insta::assert_snapshot!(whole(&service.decide(&large)), @r#"
    413 application/problem+json
    {
      "detail": "the body is larger than 262144 bytes: send less at a time",
      "status": 413,
      "title": "the body is too large",
      "type": "urn:proffer:problem:too-large"
    }
    "#);
}

#[test]
fn an_unknown_field_is_an_error_and_not_silence() {
    let service = Service::start();
    let request = json!({"placement": "home", "custommer": {"id": "c-1"}});
    insta::assert_snapshot!(whole(&service.decide(&request)), @r#"
    422 application/problem+json
    {
      "detail": "unknown field `custommer`, expected one of `decision_id`, `customer`, `placement`, `count`, `jurisdiction`, `time_zone`, `privacy_signal`, `store`, `context`, `basket`, `candidates`, `dry_run`; did you mean `customer`?",
      "errors": [
        {
          "message": "unknown field `custommer`, expected one of `decision_id`, `customer`, `placement`, `count`, `jurisdiction`, `time_zone`, `privacy_signal`, `store`, `context`, `basket`, `candidates`, `dry_run`; did you mean `customer`?",
          "pointer": "/custommer"
        }
      ],
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
}

#[test]
fn ten_thousand_candidates_are_too_many() {
    let service = Service::start();
    let candidates: Vec<String> = (0..10_000).map(|n| format!("offer-{n}")).collect();
    insta::assert_snapshot!(whole(&service.decide(&with(&ask("c-1"), "candidates", &json!(candidates)))), @r#"
    422 application/problem+json
    {
      "detail": "10000 candidates are too many: at most 1000",
      "errors": [
        {
          "message": "10000 candidates are too many: at most 1000",
          "pointer": "/candidates"
        }
      ],
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
}

#[test]
fn one_decision_id_names_one_request() {
    let service = Service::start();
    service.decide(&ask_as(1, "c-1")).ok();
    insta::assert_snapshot!(whole(&service.decide(&ask_as(1, "c-2"))), @r#"
    409 application/problem+json
    {
      "detail": "decision `019ca8bb-b5c0-7101-8101-010101010101` was made for another request: send the same body again, or use a new decision id",
      "status": 409,
      "title": "the id names something else",
      "type": "urn:proffer:problem:conflict"
    }
    "#);
    // The time zone is part of what was asked, spelling of the JSON is not.
    let other = with(&ask_as(1, "c-1"), "time_zone", &json!("Europe/Berlin"));
    assert_eq!(service.decide(&other).status, 409);
    let spaced = serde_json::to_string_pretty(&ask_as(1, "c-1")).unwrap();
    assert_eq!(post(&service, &spaced).status, 200);
}

#[test]
fn two_mistakes_are_told_at_once() {
    let service = Service::start();
    let request = json!({
        "placement": "home", "customer": {"id": "c-1", "attributes": {"teir": "gold"}}, "time_zone": "Berlin",
    });
    insta::assert_snapshot!(whole(&service.decide(&request)), @r#"
    422 application/problem+json
    {
      "detail": "2 things are wrong; see `errors`",
      "errors": [
        {
          "message": "`Berlin` is not an IANA time zone: expected such as `Europe/Berlin`",
          "pointer": "/time_zone"
        },
        {
          "message": "`customer.teir` is not declared in catalog/attributes.yaml; did you mean `customer.tier`?",
          "pointer": "/customer/attributes/teir"
        }
      ],
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
}

#[test]
fn what_nobody_declared_or_offers_yet_is_told_with_its_place() {
    let service = Service::start();
    let mut told = Transcript::default();
    let mut check = |case: &str, request: Value| told.problem(case, &service.decide(&request));
    let set = |field: &str, value: Value| with(&ask("c-1"), field, &value);

    check("no placement", json!({"customer": {"id": "c-1"}}));
    check("an unknown placement", set("placement", json!("homepage")));
    check("a placement that is no name", set("placement", json!("home banner")));
    check("two slots", set("count", json!(2)));
    check("a count that is text", set("count", json!("one")));
    check("an attribute nobody declared", set("customer", json!({"id": "c-1", "attributes": {"teir": "gold"}})));
    check("a value nobody declared", set("customer", json!({"id": "c-1", "attributes": {"tier": "glod"}})));
    check("text for a number", set("customer", json!({"id": "c-1", "attributes": {"visits": "four"}})));
    check("nothing for a value", set("customer", json!({"id": "c-1", "attributes": {"tier": null}})));
    check("a context nobody declared", set("context", json!({"device": "mobile"})));
    insta::assert_snapshot!(told.0, @r#"
    no placement
      422 invalid: the field `placement` is missing
        :
    an unknown placement
      422 invalid: unknown placement `homepage`: expected one of `explore`, `home`
        /placement:
    a placement that is no name
      422 invalid: `home banner` is not a placement id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
        /placement:
    two slots
      422 invalid: `2` offers were asked for: placement `home` has 1 slot; ask for that many at most
        /count:
    a count that is text
      422 invalid: expected a whole number from 0 to 65535, found the text "one"
        /count:
    an attribute nobody declared
      422 invalid: `customer.teir` is not declared in catalog/attributes.yaml; did you mean `customer.tier`?
        /customer/attributes/teir:
    a value nobody declared
      422 invalid: `glod` is not a value of `customer.tier`: expected one of `bronze`, `silver`, `gold`; did you mean `gold`?
        /customer/attributes/tier:
    text for a number
      422 invalid: `customer.visits` is a number, found text
        /customer/attributes/visits:
    nothing for a value
      422 invalid: expected text, a number, true or false, found null
        /customer/attributes/tier:
    a context nobody declared
      422 invalid: `context.device` is not declared in catalog/attributes.yaml
        /context/device:
    "#);
    let attributes: Value = (0..201).map(|n| (format!("a{n}"), json!(n))).collect();
    let many = service.decide(&set("context", attributes)).json();
    assert_eq!(
        many["errors"][0],
        json!({"pointer": "/context", "message": "201 attributes are too many: at most 200"})
    );
}

#[test]
fn each_name_and_amount_that_cannot_be_is_told_with_its_place() {
    let service = Service::start();
    let mut told = Transcript::default();
    let mut check = |case: &str, request: Value| told.problem(case, &service.decide(&request));
    let set = |field: &str, value: Value| with(&ask("c-1"), field, &value);
    let id_at = |ms: i64| DecisionId::from_parts(ms, [1; 10]).to_string();
    let hours = 3_600_000;

    check("an empty customer id", set("customer", json!({"id": ""})));
    check("a customer id of 200 bytes", set("customer", json!({"id": "c".repeat(200)})));
    check("a time zone that is none", set("time_zone", json!("Berlin")));
    check("a jurisdiction that is none", set("jurisdiction", json!("New York")));
    check("a decision id that is no UUID", set("decision_id", json!("42")));
    check("a decision id of version 4", set("decision_id", json!("7f2c1b1e-5f1c-4c7e-9d5c-0f1b5c8b6a11")));
    check("a decision id 25 hours old", set("decision_id", json!(id_at(NOW.0 - 25 * hours))));
    check("a decision id 25 hours ahead", set("decision_id", json!(id_at(NOW.0 + 25 * hours))));
    check("a basket line of none", set("basket", json!([{"sku": "A1", "quantity": 0}])));
    let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
    let line = |amount, currency| json!([{"sku": "A1", "quantity": 1, "price": money(amount, currency)}]);
    check("a negative price in the basket", set("basket", line("-1.00", "USD")));
    check("a tenth of a cent", set("basket", line("1.001", "USD")));
    check("a currency that is none", set("basket", line("1.00", "BTC")));
    check("a candidate that is no name", set("candidates", json!(["boots", "the lamp"])));
    insta::assert_snapshot!(told.0, @r"
    an empty customer id
      422 invalid: an id has 1 to 128 bytes; this one has 0
        /customer/id:
    a customer id of 200 bytes
      422 invalid: an id has 1 to 128 bytes; this one has 200
        /customer/id:
    a time zone that is none
      422 invalid: `Berlin` is not an IANA time zone: expected such as `Europe/Berlin`
        /time_zone:
    a jurisdiction that is none
      422 invalid: `New York` is not a jurisdiction: expected such as `DE` or `US-NY`
        /jurisdiction:
    a decision id that is no UUID
      422 invalid: `42` is not a UUIDv7, such as `01969e0c-8a00-7000-8000-000000000001`
        /decision_id:
    a decision id of version 4
      422 invalid: `7f2c1b1e-5f1c-4c7e-9d5c-0f1b5c8b6a11` is a UUID of version 4; a decision id is a UUIDv7, whose first 48 bits are its time
        /decision_id:
    a decision id 25 hours old
      422 invalid: the time inside `019ca35e-6b40-7101-8101-010101010101` is 2026-02-28T08:30:00.000Z: at most 24 hours from now (2026-03-01T09:30:00.000Z)
        /decision_id:
    a decision id 25 hours ahead
      422 invalid: the time inside `019cae19-0040-7101-8101-010101010101` is 2026-03-02T10:30:00.000Z: at most 24 hours from now (2026-03-01T09:30:00.000Z)
        /decision_id:
    a basket line of none
      422 invalid: a quantity is at least 1
        /basket/0/quantity:
    a negative price in the basket
      422 invalid: a price is 0.00 or more
        /basket/0/price/amount:
    a tenth of a cent
      422 invalid: `1.001` is not a decimal number with at most 2 digits behind the point, as USD has
        /basket/0/price:
    a currency that is none
      422 invalid: `BTC` is not a currency: expected an ISO 4217 code such as `USD` or `EUR`
        /basket/0/price/currency:
    a candidate that is no name
      422 invalid: `the lamp` is not an offer id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
        /candidates/1:
    ");
    // What lies within 24 hours is taken.
    let early = with(&ask("c-1"), "decision_id", &json!(id_at(NOW.0 - 23 * hours)));
    assert_eq!(service.decide(&early).ok()["decision_id"], id_at(NOW.0 - 23 * hours));
    assert_eq!(service.decide(&ask_as(9, "c-1")).ok()["decision_id"], id(9));
}

#[test]
fn personas_that_cannot_be_are_told_each_with_its_place() {
    let service = Service::start();
    let mut told = Transcript::default();
    let mut check = |case: &str, personas: Value| {
        let customer = json!({"id": "c-1", "personas": personas});
        told.problem(case, &service.decide(&with(&ask("c-1"), "customer", &customer)));
    };
    check("none", json!([]));
    check("nine", json!(vec![json!({"attributes": {}}); 9]));
    check("weights", json!([{"weight": 0, "attributes": {}}, {"weight": 1001, "attributes": {}}]));
    check("an attribute nobody declared", json!([{"attributes": {}}, {"attributes": {"teir": "gold"}}]));
    insta::assert_snapshot!(told.0, @r"
    none
      422 invalid: the list is empty: name at least one persona, or leave `personas` out
        /customer/personas:
    nine
      422 invalid: 9 personas are too many: at most 8
        /customer/personas:
    weights
      422 invalid: 2 things are wrong; see `errors`
        /customer/personas/0/weight: `0` is not a weight: expected 1 to 1000
        /customer/personas/1/weight: `1001` is not a weight: expected 1 to 1000
    an attribute nobody declared
      422 invalid: `customer.teir` is not declared in catalog/attributes.yaml; did you mean `customer.tier`?
        /customer/personas/1/attributes/teir:
    ");
}
