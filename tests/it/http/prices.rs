//! Margins and prices as callers meet them: what an answer says of a price, and what its record keeps of floors.

use proffer::policy::Source;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, ask, ask_as, offer, with};
use crate::harness::database::Kind;

/// The shop under these rules besides its own, with boots at a discount.
fn start(kind: Kind, more: &str) -> Service {
    start_from(kind, shop::policies(), more)
}

fn start_from(kind: Kind, mut files: Vec<Source>, more: &str) -> Service {
    files.iter_mut().find(|file| file.path == "rules/shop.yaml").unwrap().text.push_str(more);
    let service = Plan::new(kind).policies(files).start();
    let mut offers = shop::offers();
    offers[0] = boots();
    service.import(&offers);
    service
}

fn money(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

/// Boots that earn 20.00 USD.
fn boots() -> Value {
    let boots = with(&offer("boots", "shoes", "80.00", "50.00"), "discount", &money("8.00"));
    let boots = with(&with(&boots, "loyalty_cost", &money("2.00")), "prior_price", &money("80.00"));
    with(&boots, "advertised_price_min", &money("70.00"))
}

fn only_boots(request: &Value) -> Value {
    with(request, "candidates", &json!(["boots"]))
}

#[test]
fn a_personalised_price_is_told_in_the_answer_and_kept_with_what_moved_it() {
    let rule = "price_personalisation:\n  - id: price.personal\n    why: Price policy 26\n    \
                allowed: [customer.tier]\n    disclosure: This price was made for you.\n";
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, rule);
        service.consent("c-1", "granted");
        let asked = only_boots(&ask_as(1, "c-1"));
        let answer = service.decide(&asked).ok();
        let shown = &answer["offers"][0];
        assert_eq!((&shown["offer_id"], &shown["price_personalised"]), (&json!("boots"), &json!(true)));
        assert_eq!(shown["disclosure"], "This price was made for you.");
        assert_eq!(service.decide(&asked).ok(), answer, "asked again: the same answer");
        let record = service.record(&answer);
        let price = json!({
            "personalised": true, "attributes": ["customer.tier"], "rule": "price.personal",
            "disclosure": "This price was made for you.",
        });
        assert_eq!(record["slots"][0]["price"], price);
        let told = "The price of `boots` is personalised by customer.tier; beside it stands \"This price was made for \
                    you.\".";
        assert!(record["explanation"].as_array().unwrap().contains(&json!(told)), "{}", record["explanation"]);

        // Without consent nothing of the customer is read, and the lamp costs everybody the same.
        let unknown = service.decide(&only_boots(&ask("c-2"))).ok();
        assert_eq!(unknown["offers"][0]["price_personalised"], false, "{unknown}");
        assert_eq!(service.record(&unknown)["slots"][0]["price"], Value::Null);
        let lamp = service.decide(&with(&ask("c-1"), "candidates", &json!(["lamp"]))).ok();
        let said = (&lamp["offers"][0]["price_personalised"], &lamp["offers"][0]["disclosure"]);
        assert_eq!(said, (&json!(false), &Value::Null));
        service.remove();
    }
}

#[test]
fn where_personalised_prices_are_banned_such_offers_are_left_out_and_others_stay() {
    let rule = "price_personalisation:\n  - {id: price.ban, why: Price policy 26, banned_in: [US-NY]}\n";
    let service = start(Kind::Sqlite, rule);
    service.consent("c-1", "granted");
    let from = |place: &str| with(&only_boots(&ask("c-1")), "jurisdiction", &json!(place));
    let banned = service.decide(&from("US-NY")).ok();
    assert_eq!(banned["fallback"], true);
    let excluded = service.record(&banned)["candidates"][0]["excluded_by"][0].clone();
    let sentence = "`price.ban` (Price policy 26): its price would be moved by 1 attribute of the customer that may \
                    not do so here";
    assert_eq!(
        (&excluded["observed"], &excluded["limit"], &excluded["sentence"]),
        (&json!(1), &json!(0), &json!(sentence))
    );
    assert_eq!(service.decide(&from("US-CA")).ok()["offers"][0]["price_personalised"], true);
    let lamp = with(&with(&ask("c-1"), "candidates", &json!(["lamp"])), "jurisdiction", &json!("US-NY"));
    assert_eq!(service.decide(&lamp).ok()["offers"][0]["offer_id"], "lamp");
}

#[test]
fn a_floor_over_the_basket_is_told_with_what_the_basket_earns_to_those_who_may_know_it() {
    let rule =
        "price_limits:\n  - {id: price.map, why: Contract 31, respect: advertised_price_min, on_missing: allow}\n";
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let floor = "  - {id: margin.basket, why: Memo 120, min_margin: 25.00 USD, over: basket}\nfrequency_caps:";
        let service = start_from(kind, shop::policies_with("frequency_caps:", floor), rule);
        let basket = |margin: &str| {
            let line = json!({"sku": "socks", "quantity": 2, "price": money("5.00"), "margin": money(margin)});
            with(&only_boots(&ask("c-1")), "basket", &json!([line]))
        };
        assert_eq!(service.decide(&basket("2.50")).ok()["offers"][0]["offer_id"], "boots");
        let short = service.decide(&basket("2.49")).ok();
        assert_eq!(short["fallback"], true);
        let excluded = service.record(&short)["candidates"][0]["excluded_by"][0].clone();
        let sentence = "`margin.basket` (Memo 120): margin 24.98 USD of the basket and the answer with it is under the \
                        floor of 25.00 USD";
        assert_eq!((&excluded["observed"], &excluded["limit"]), (&json!(2498), &json!(2500)));
        assert_eq!(excluded["sentence"], sentence);
        let unknown = with(&basket("9.00"), "basket", &json!([{"sku": "socks", "quantity": 1}]));
        let unknown = service.decide(&unknown).ok();
        let excluded = service.record(&unknown)["candidates"][0]["excluded_by"][0].clone();
        assert_eq!((&excluded["rule"], &excluded["observed"]), (&json!("margin.basket"), &Value::Null));
        service.remove();
    }
}

#[test]
fn what_members_are_promised_and_prices_to_compare_with_are_kept_as_they_were_sent() {
    let service = start(Kind::Sqlite, "");
    let kept = service.call("GET", "/v1/offers/boots", None).ok();
    for (field, amount) in [("loyalty_cost", "2.00"), ("prior_price", "80.00"), ("advertised_price_min", "70.00")] {
        assert_eq!(kept["offer"][field], money(amount), "{kept}");
    }
    let answer = service.decide(&with(&only_boots(&ask("c-1")), "dry_run", &json!(true))).ok();
    assert_eq!(answer["candidates"][0]["margin"], money("20.00"));
    let wrong =
        service.call("POST", "/v1/offers:import", Some(&json!([with(&boots(), "prior_price", &money("-1.00"))])));
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["pointer"]), (422, &json!("/0/prior_price/amount")));
}
