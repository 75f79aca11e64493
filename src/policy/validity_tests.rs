//! Tests of where and when rules hold, and of the sentences about rules with conditions. Tests no single operator.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judged::judge;
use super::kinds::caps::CapWindows;
use super::sample::{CAPS, CONSENT, MARGIN, OFFERS, PLACEMENTS, bundle, files, shown};
use super::*;
use crate::domain::{AttributeId, Catalogue, Currency, Number, Offer, PurposeId, SubjectState, Timestamp, Value};

/// The sample bundle with one text replaced.
fn changed(path: &str, from: &str, to: &str) -> Bundle {
    let mut files = files();
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    assert!(file.text.contains(from), "{path} has no `{from}`");
    file.text = file.text.replacen(from, to, 1);
    compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

fn offer(id: &str, category: &str, discount: &str) -> Offer {
    serde_json::from_value(serde_json::json!({
        "offer_id": id, "category": category, "variants": [{"variant_id": "a"}],
        "price": {"amount": "20.00", "currency": "USD"}, "discount": {"amount": discount, "currency": "USD"},
    }))
    .unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Sentences of the rules with conditions and of availability that leave an offer out.
fn excluded(bundle: &Bundle, offer: &Offer, visits: Option<i64>, jurisdiction: Option<&str>, now: &str) -> Vec<String> {
    let id = AttributeId::parse("customer.visits_90d").unwrap();
    let attributes: BTreeMap<AttributeId, Value> =
        visits.map(|visits| (id, Value::Number(Number(visits * 1_000_000)))).into_iter().collect();
    let currency = Currency::parse("USD").unwrap();
    let facts = Facts {
        attributes: &Seen::of(attributes.clone()),
        basket: &[],
        currency,
        jurisdiction,
        time_zone: None,
        store: None,
        now: at(now),
    };
    let catalogue = Arc::new(Catalogue::new(1, vec![offer.clone()], Vec::new()));
    let columns = bundle.columns(&catalogue);
    let mut failed = Vec::new();
    bundle.ask(&columns, bundle.placement("home_banner").unwrap(), &facts).fail(0, &mut failed);
    failed.iter().map(|f| describe(bundle, f.rule, f.observed, f.limit, currency)).collect()
}

const NOW: &str = "2026-03-01T12:00:00Z";

#[test]
fn a_rule_with_a_condition_says_what_was_written() {
    let bundle = bundle();
    let half = "`exclude.half.price` (Nothing is given away for less than half its price, pricing committee): \
                `offer.discount > offer.price * 50%` holds, or a value that it needs is missing";
    let visits = "`require.visits.service` (Free shipping is kept for customers who have been here before, plan of the \
                  season): `customer.visits_90d >= 1` does not hold";
    let none: [&str; 0] = [];
    assert_eq!(excluded(&bundle, &offer("a", "shoes", "10.00"), None, None, NOW), none);
    assert_eq!(excluded(&bundle, &offer("a", "shoes", "10.01"), None, None, NOW), [half]);
    assert_eq!(excluded(&bundle, &offer("a", "service", "11.00"), Some(0), None, NOW), [half, visits]);
    assert_eq!(excluded(&bundle, &offer("a", "service", "0.00"), Some(1), None, NOW), none);
    // It allows what is missing; without that line it would not.
    assert_eq!(excluded(&bundle, &offer("a", "service", "0.00"), None, None, NOW), none);
    let strict = changed(OFFERS, "    on_missing: allow\n", "");
    let missing = format!("{visits}, or a value that it needs is missing");
    assert_eq!(excluded(&strict, &offer("a", "service", "0.00"), None, None, NOW), [missing]);
    assert_eq!(excluded(&strict, &offer("a", "shoes", "0.00"), None, None, NOW), none, "another category");
}

#[test]
fn an_offer_is_available_in_its_regions_and_dates_only() {
    let perfume = offer("perfume", "beauty", "0.00");
    let bundle = changed(OFFERS, "channels: [web]", "regions: [EU, US-NY]");
    let only = "`available.perfume` (The perfume is licensed for the web shop, contract of 2025): the offer is \
                available only in `EU`, `US-NY` and from 2025-01-01 (America/New_York), or it is not known \
                whether this is there";
    let check = |bundle: &Bundle, jurisdiction: Option<&str>, now: &str, open: bool| {
        let found = excluded(bundle, &perfume, None, jurisdiction, now);
        assert_eq!(found.is_empty(), open, "{jurisdiction:?} {now} {found:?}");
        assert!(found.iter().all(|sentence| sentence == only), "{found:?}");
        let other = offer("other", "beauty", "0.00");
        assert!(excluded(bundle, &other, None, jurisdiction, now).is_empty(), "it speaks of the perfume");
    };
    for (jurisdiction, open) in
        [(Some("US-NY"), true), (Some("DE-BY"), true), (Some("US-CA"), false), (Some("US"), false), (None, false)]
    {
        check(&bundle, jurisdiction, NOW, open);
    }
    // The first day begins in New York.
    check(&bundle, Some("DE"), "2025-01-01T04:59:59Z", false);
    check(&bundle, Some("DE"), "2025-01-01T05:00:00Z", true);
    // What is not known may be allowed; what is known to be elsewhere may not.
    let lenient = changed(OFFERS, "channels: [web]", "regions: [EU, US-NY]\n    on_missing: allow");
    for (jurisdiction, open) in [(None, true), (Some("US"), true), (Some("US-CA"), false)] {
        let found = excluded(&lenient, &perfume, None, jurisdiction, NOW);
        assert_eq!(found.is_empty(), open, "{jurisdiction:?}");
    }
}

#[test]
fn an_offer_is_available_on_its_channels_only() {
    let mut files = files();
    for file in &mut files {
        if file.path == PLACEMENTS {
            // Another placement on another channel, which the perfume is licensed for.
            file.text = file.text.replacen("id: home_banner_uniform\n    channel: web", "id: app\n    channel: app", 1);
        }
        file.text = file.text.replace("channels: [web]", "channels: [app]");
    }
    let bundle = compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let found = excluded(&bundle, &offer("perfume", "beauty", "0.00"), None, None, NOW);
    assert_eq!(
        found,
        ["`available.perfume` (The perfume is licensed for the web shop, contract of 2025): the offer is available \
          only on `app` and from 2025-01-01 (America/New_York)"]
    );
}

#[test]
fn a_rule_holds_while_it_is_in_effect_whatever_its_kind() {
    let until = "effective: {until: 2026-02-28, time_zone: UTC}";
    let (in_effect, over) = ("2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z");
    let bundle = changed(OFFERS, "    when: offer.discount", &format!("    {until}\n    when: offer.discount"));
    let cheap = offer("a", "shoes", "11.00");
    assert_eq!(excluded(&bundle, &cheap, None, None, in_effect).len(), 1);
    assert_eq!(excluded(&bundle, &cheap, None, None, over).len(), 0);

    let state = SubjectState::default();
    let judged = |bundle: &Bundle, offer: &Offer, state: Option<&SubjectState>, now: &str| {
        judge(bundle, bundle.placement("home_banner").unwrap(), offer, state, &CapWindows::at(at(now), None))
            .failed
            .len()
    };
    let mut poor = offer("a", "shoes", "0.00");
    poor.cost_of_goods = Some(poor.price);
    let floor = changed(MARGIN, "min_margin: 10%", &format!("min_margin: 10%\n    {until}"));
    assert_eq!((judged(&floor, &poor, Some(&state), in_effect), judged(&floor, &poor, Some(&state), over)), (1, 0));
    let cap = changed(CAPS, "max: 2", &format!("max: 2\n    {until}"));
    let whole = offer("a", "shoes", "0.00");
    // Nobody to count for: every cap that holds leaves the offer out.
    assert_eq!((judged(&cap, &whole, None, in_effect), judged(&cap, &whole, None, over)), (2, 1));
    let gated = changed(CONSENT, "    purpose:", &format!("    {until}\n    purpose:"));
    let purpose = PurposeId::new("offer_personalisation").unwrap();
    let refused = |now: &str| {
        let placement = gated.placement("home_banner").unwrap();
        let asking = Asking { placement, state: None, jurisdiction: None, signal: false, now: at(now) };
        gate(&gated, &purpose, &asking).refused_by
    };
    assert_eq!((refused(in_effect), refused(over)), (Some(1), None));
}
