//! Imports and consents that cannot be taken in, with what their senders are told.

use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, offer, with};
use super::transcript::{Transcript, whole};
use crate::harness::database::Kind;

#[test]
fn a_negative_price_is_refused_with_the_offer_that_has_it() {
    let service = Service::start();
    let mut negative = offer("lamp", "home", "40.00", "25.00");
    negative["price"]["amount"] = json!("-5.00");
    let answer =
        service.call("POST", "/v1/offers:import", Some(&json!([offer("boots", "shoes", "1.00", "0"), negative])));
    insta::assert_snapshot!(whole(&answer), @r#"
    422 application/problem+json
    {
      "detail": "price `-5.00` is negative: expected 0.00 or more",
      "errors": [
        {
          "message": "price `-5.00` is negative: expected 0.00 or more",
          "pointer": "/1/price/amount"
        }
      ],
      "status": 422,
      "title": "the request says something that cannot be",
      "type": "urn:proffer:problem:invalid"
    }
    "#);
}

#[test]
fn each_mistake_in_an_import_is_told_with_its_place() {
    let service = Service::start();
    let before = service.core.snapshot().catalogue.revision;
    let mut told = Transcript::default();
    let mut check = |case: &str, offers: Value| {
        told.problem(case, &service.call("POST", "/v1/offers:import", Some(&offers)));
    };
    let lamp = || offer("lamp", "home", "40.00", "25.00");
    let set = |field: &str, value: Value| json!([with(&lamp(), field, &value)]);

    check("one offer that is no array", lamp());
    check("an empty array", json!([]));
    check("a field nobody knows", set("colour", json!("red")));
    check("a price that is a number", set("price", json!(40)));
    check("an offer without variants", set("variants", json!([])));
    check("two variants of one name", set("variants", json!([{"variant_id": "a"}, {"variant_id": "a"}])));
    check("an undeclared attribute", set("attributes", json!({"colour": "red"})));
    check("an undeclared category", set("category", json!("outdor")));
    check("two currencies", set("cost_of_goods", json!({"amount": "1.00", "currency": "EUR"})));
    check("a discount above the price", set("discount", json!({"amount": "41.00", "currency": "USD"})));
    check("one offer twice", json!([lamp(), lamp()]));
    check(
        "a field nobody knows and, in another offer, an undeclared category",
        json!([with(&lamp(), "colour", &json!("red")), offer("boots", "shoos", "1.00", "0.00")]),
    );
    let wrong: Vec<Value> = (0..150).map(|n| offer(&format!("o-{n}"), "nowhere", "1.00", "0.00")).collect();
    let many = service.call("POST", "/v1/offers:import", Some(&json!(wrong))).json();
    assert_eq!(many["detail"], "150 things are wrong; `errors` shows the first 100");
    assert_eq!(many["errors"].as_array().unwrap().len(), 100);
    insta::assert_snapshot!(told.0, @r#"
    one offer that is no array
      400 malformed: an import is a list of offers, or an object with the lists `campaigns` and `offers`
    an empty array
      422 invalid: 0 offers and campaigns were sent: expected 1 to 10000
        :
    a field nobody knows
      422 invalid: unknown field `colour`, expected one of `offer_id`, `name`, `category`, `more_categories`, `campaign`, `status`, `starts_at`, `ends_at`, `pauses`, `stock`, `price`, `discount`, `cost_of_goods`, `shipping`, `expected_return_cost`, `loyalty_cost`, `vendor_funding`, `cost_of_showing`, `advertised_price_min`, `prior_price`, `attributes`, `variants`
        /0/colour:
    a price that is a number
      422 invalid: expected an amount as text with its currency, such as `{"amount": "59.90", "currency": "USD"}`, found the number `40`
        /0/price:
    an offer without variants
      422 invalid: an offer needs at least one variant
        /0/variants:
    two variants of one name
      422 invalid: variant `a` appears twice: variant ids are unique within an offer
        /0/variants/1/variant_id:
    an undeclared attribute
      422 invalid: `offer.colour` is not declared in catalog/attributes.yaml
        /0/attributes/colour:
    an undeclared category
      422 invalid: `outdor` is not a value of `offer.category`: expected one of `shoes`, `outdoor`, `home`, `service`; did you mean `outdoor`?
        /0/category:
    two currencies
      422 invalid: cost_of_goods is in EUR but the price is in USD: use one currency for the whole offer
        /0/cost_of_goods/currency:
    a discount above the price
      422 invalid: the discount `41.00` is larger than the price `40.00`: expected at most the price
        /0/discount/amount:
    one offer twice
      422 invalid: offer `lamp` appears twice: send it once
        /1/offer_id:
    a field nobody knows and, in another offer, an undeclared category
      422 invalid: 2 things are wrong; see `errors`
        /0/colour: unknown field `colour`, expected one of `offer_id`, `name`, `category`, `more_categories`, `campaign`, `status`, `starts_at`, `ends_at`, `pauses`, `stock`, `price`, `discount`, `cost_of_goods`, `shipping`, `expected_return_cost`, `loyalty_cost`, `vendor_funding`, `cost_of_showing`, `advertised_price_min`, `prior_price`, `attributes`, `variants`
        /1/category: `shoos` is not a value of `offer.category`: expected one of `shoes`, `outdoor`, `home`, `service`; did you mean `shoes`?
    "#);
    assert_eq!(service.core.snapshot().catalogue.revision, before, "nothing of a wrong import is taken in");
}

#[test]
fn an_import_that_leaves_a_placement_without_its_house_content_is_warned_of() {
    let service = Plan::new(Kind::Sqlite).start();
    let answer = service.import(&json!([offer("lamp", "home", "40.00", "25.00")]));
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap(), @r#"
    {
      "campaigns": 0,
      "catalogue": 1,
      "changed": 0,
      "created": 1,
      "offers": 1,
      "unchanged": 0,
      "warnings": [
        "the fallback `house-welcome/a` of placement `explore` is not in the catalogue: import it too",
        "the fallback `house-welcome/a` of placement `home` is not in the catalogue: import it too"
      ]
    }
    "#);
    let whole = json!({"offers": 5, "campaigns": 0, "catalogue": 2, "created": 4, "changed": 0, "unchanged": 1});
    assert_eq!(service.import(&shop::offers()), whole);
}

#[test]
fn each_mistake_in_a_consent_is_told_with_its_place() {
    let service = Service::start();
    let mut told = Transcript::default();
    let mut check = |case: &str, consents: Value| {
        told.problem(case, &service.call("PUT", "/v1/customers/c-1/consents", Some(&json!({"consents": consents}))));
    };
    let record = |field: &str, value: Value| {
        json!([with(&json!({"purpose": "offer_personalisation", "state": "granted"}), field, &value)])
    };

    check("no record", json!([]));
    check("an unknown purpose", record("purpose", json!("offer_personalization")));
    check("an unknown state", record("state", json!("yes")));
    check("an unknown basis", record("basis", json!("because")));
    check("a day for an instant", record("valid_until", json!("2027-01-01")));
    check("a field nobody knows", record("chanel", json!("web")));
    let backwards = json!([{
        "purpose": "offer_personalisation", "state": "granted",
        "valid_from": "2026-03-01T00:00:00Z", "valid_until": "2026-02-01T00:00:00Z",
    }]);
    check("an end before the beginning", backwards);
    let long = format!("/v1/customers/{}/consents", "c".repeat(129));
    told.problem("a customer id of 129 bytes", &service.call("GET", &long, None));
    insta::assert_snapshot!(told.0, @r"
    no record
      422 invalid: 0 records were sent: expected 1 to 50
        /consents:
    an unknown purpose
      422 invalid: unknown purpose `offer_personalization`: expected one of `offer_contextual`, `offer_personalisation`; did you mean `offer_personalisation`?
        /consents/0/purpose:
    an unknown state
      422 invalid: unknown value `yes`, expected one of `granted`, `unknown`, `refused`, `withdrawn`
        /consents/0/state:
    an unknown basis
      422 invalid: unknown value `because`, expected one of `consent`, `legitimate_interest`, `contract`, `legal_obligation`
        /consents/0/basis:
    a day for an instant
      422 invalid: `2027-01-01` is not an instant: expected RFC 3339, such as `2026-03-01T09:30:00Z`
        /consents/0/valid_until:
    a field nobody knows
      422 invalid: unknown field `chanel`, expected one of `purpose`, `state`, `basis`, `valid_from`, `valid_until`, `notice_hash`, `evidence_id`, `source`, `channel`, `jurisdiction`; did you mean `channel`?
        /consents/0/chanel:
    an end before the beginning
      422 invalid: valid_until is not after valid_from: such a record would never count
        /consents/0/valid_until:
    a customer id of 129 bytes
      422 invalid: a customer id has 1 to 128 bytes; this one has 129
    ");
}
