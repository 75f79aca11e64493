//! Tests of price limits: what each says at its boundary. Decides nothing.

use crate::domain::{Catalogue, Offer, Timestamp};
use crate::policy::sample::{MARGIN, files, shown};
use crate::policy::shelf::Stand;
use crate::policy::*;

/// The sample bundle with these rules in place of its floors.
fn with(rules: &str) -> Bundle {
    let mut files = files();
    files.iter_mut().find(|file| file.path == MARGIN).unwrap().text = format!("owner: pricing\n{rules}");
    compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

fn offer(json: &serde_json::Value) -> Offer {
    let mut whole = serde_json::json!({
        "offer_id": "a", "category": "shoes", "price": {"amount": "100.00", "currency": "USD"},
        "variants": [{"variant_id": "a"}],
    });
    for (name, amount) in json.as_object().unwrap() {
        whole[name] = serde_json::json!({"amount": amount, "currency": "USD"});
    }
    serde_json::from_value(whole).unwrap()
}

/// What is said of an offer at the sample's placement, whoever asks.
fn said(bundle: &Bundle, offer: Offer) -> Vec<String> {
    let catalogue = std::sync::Arc::new(Catalogue::new(1, vec![offer], Vec::new()));
    let placement = bundle.placement("home_banner").unwrap();
    let shelves = bundle.shelves(&catalogue);
    let stands: Vec<Stand> = shelves.at(&placement.id).unwrap().stands(None, &catalogue).cloned().collect();
    let windows = CapWindows::at(Timestamp(0), None);
    let facts = Facts {
        attributes: &Seen::default(),
        basket: &[],
        currency: placement.currency,
        jurisdiction: Some("US-NY"),
        time_zone: None,
        store: None,
        now: windows.now,
    };
    let state = crate::domain::SubjectState::default();
    let both = (shelves.as_ref(), catalogue.as_ref());
    let mut judging = Judging::new(bundle, both, placement, &facts, Some(&state), &windows).unwrap();
    let mut verdict = Verdict::default();
    judging.ask(&stands[0], &mut verdict);
    let told = verdict.failed.iter();
    let told = told.map(|failed| describe(bundle, failed.rule, failed.observed, failed.limit, placement.currency));
    told.filter_map(|told| Some(told.strip_prefix("`p` (Memo): ")?.to_owned())).collect()
}

#[test]
fn a_price_keeps_to_its_limit_up_to_the_cent_and_what_is_not_known_keeps_to_none() {
    let check = |rule: &str, json: serde_json::Value, expected: &[&str]| {
        let bundle = with(&format!("price_limits:\n  - {{id: p, why: Memo, {rule}}}\n"));
        assert_eq!(said(&bundle, offer(&json)), expected, "{rule} {json}");
    };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let map = "respect: advertised_price_min";
    check(map, json(r#"{"discount": "10.00", "advertised_price_min": "90.00"}"#), &[]);
    check(
        map,
        json(r#"{"discount": "10.01", "advertised_price_min": "90.00"}"#),
        &["its net price 89.99 USD is under the 90.00 USD at which it may be advertised"],
    );
    check(map, json("{}"), &["the catalogue does not say at what price it may be advertised"]);
    check("respect: advertised_price_min, on_missing: allow", json("{}"), &[]);
    let prior = "respect: prior_price";
    check(prior, json(r#"{"discount": "10.00", "prior_price": "100.00"}"#), &[]);
    check(
        prior,
        json(r#"{"discount": "10.00", "prior_price": "99.99"}"#),
        &["its discount is taken off 100.00 USD, and its lowest price of the 30 days before was 99.99 USD"],
    );
    check(prior, json(r#"{"prior_price": "50.00"}"#), &[]);
    check(prior, json(r#"{"discount": "0.00"}"#), &[]);
    let unknown = "it has a discount, and the catalogue does not say its lowest price of the 30 days before";
    check(prior, json(r#"{"discount": "0.01"}"#), &[unknown]);
    check("min_price: 95.00 USD", json(r#"{"discount": "5.00"}"#), &[]);
    check("min_price: 95.00 USD", json(r#"{"discount": "5.01"}"#), &["its net price 94.99 USD is under 95.00 USD"]);
    check("max_discount: 33.3%", json(r#"{"discount": "33.30"}"#), &[]);
    check("max_discount: 33.3%", json(r#"{"discount": "33.31"}"#), &["its discount of 33.31% is above 33.3%"]);
    // A hair above is rounded up, never down to the limit.
    let hair = json(r#"{"price": "1000.00", "discount": "333.01"}"#);
    check("max_discount: 33.3%", hair, &["its discount of 33.31% is above 33.3%"]);
    check("max_discount: 20.00 USD", json(r#"{"discount": "20.00"}"#), &[]);
    let over = ["its discount of 20.01 USD is above 20.00 USD"];
    check("max_discount: 20.00 USD", json(r#"{"discount": "20.01"}"#), &over);
}

#[test]
fn what_members_are_promised_is_taken_from_the_margin_that_a_floor_compares() {
    let bundle = with("margin_floors:\n  - {id: p, why: Memo, min_margin: 10%}\n");
    let cost = |loyalty: &str| offer(&serde_json::json!({"cost_of_goods": "80.00", "loyalty_cost": loyalty}));
    assert_eq!(said(&bundle, cost("10.00")), [""; 0]);
    assert_eq!(said(&bundle, cost("10.01")), ["margin 9.99% is under the floor of 10%"]);
}
