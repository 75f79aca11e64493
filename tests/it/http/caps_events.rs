//! Caps that count clicks and redemptions, placements outside caps, weariness and the clock of the store, as callers
//! meet them.

use proffer::domain::Span;
use proffer::policy::Source;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, with};
use crate::harness::database::Kind;

const MINUTE: i64 = 60_000;

/// The shop with these caps and cool-downs and no other.
fn policies(rules: &str) -> Vec<Source> {
    let mut files = shop::policies();
    for file in files.iter_mut().filter(|file| file.path == "rules/shop.yaml") {
        let (head, _) = file.text.split_once("frequency_caps:").unwrap();
        file.text = format!("{head}{rules}");
    }
    files
}

fn start(kind: Kind, files: Vec<Source>) -> Service {
    let service = Plan::new(kind).policies(files).start();
    service.import(&shop::offers());
    service.consent("c-1", "granted");
    service
}

fn cap(counts: &str, window: &str) -> String {
    format!(
        "frequency_caps:\n  \
         - {{id: cap, why: Two, scope: [customer, all], max: 2, window: {window}, counts: {counts}}}\n"
    )
}

fn event(kind: &str, decision: &Value, minutes: i64) -> Value {
    let mut event = json!({
        "event_id": format!("{kind}-{}-{minutes}", decision.as_str().unwrap()), "source": "shop-front", "type": kind,
        "decision_id": decision, "occurred_at": NOW.plus(Span(minutes * MINUTE)).to_string(),
    });
    if kind == "order" {
        event["revenue"] = json!({"amount": "40.00", "currency": "USD"});
    }
    event
}

fn later(service: &Service, minutes: i64) {
    service.core.clock.set(NOW.plus(Span(minutes * MINUTE)));
}

/// Asks: the decision that shows something, or the sentences that left boots out.
fn asked(service: &Service, request: &Value) -> Result<Value, Vec<String>> {
    let answer = service.decide(request).ok();
    if answer["fallback"] == false {
        return Ok(answer["decision_id"].clone());
    }
    let record = service.record(&answer);
    let why = record["candidates"][0]["excluded_by"].as_array().unwrap();
    Err(why.iter().map(|why| why["sentence"].as_str().unwrap().to_owned()).collect())
}

/// Whether an offer would be shown; nothing is counted by asking so.
fn would(service: &Service, request: &Value) -> bool {
    service.decide(&with(request, "dry_run", &json!(true))).ok()["fallback"] == false
}

fn boots() -> Value {
    with(&ask("c-1"), "candidates", &json!(["boots"]))
}

#[test]
fn clicks_and_orders_confirm_what_was_reserved_for_them_and_late_ones_are_counted_and_flagged() {
    for (kind, counts, event_kind) in [
        (Kind::Sqlite, "click", "click"),
        (Kind::Postgres, "redemption", "order"),
        (Kind::Sqlite, "redemption", "order"),
    ] {
        let service = start(kind, policies(&cap(counts, "{rolling: 24h}")));
        let drawn = [asked(&service, &boots()).unwrap(), asked(&service, &boots()).unwrap()];
        let told = asked(&service, &boots()).unwrap_err();
        let reached = format!("`cap` (Two): the cap of 2 {counts}s per customer in 24h is reached: 2 counted");
        assert_eq!(told, [reached.as_str()], "reserved");
        // What is seen confirms nothing of it; what counts does, once.
        for kind in ["impression", event_kind, event_kind] {
            let told = service.outcomes(&event(kind, &drawn[0], 1));
            assert!(["accepted", "duplicate"].contains(&told[0]["status"].as_str().unwrap()), "{told:?}");
            assert_eq!(told[0]["after_reservation"], Value::Null);
        }
        later(&service, 10);
        let third = asked(&service, &boots()).expect("what was not followed is released");
        assert!(asked(&service, &boots()).is_err());
        // Told when it was released: counted all the same, and flagged.
        let told = service.outcomes(&event(event_kind, &drawn[1], 2));
        assert_eq!((&told[0]["status"], &told[0]["after_reservation"]), (&json!("accepted"), &json!(true)));
        let three = format!("`cap` (Two): the cap of 2 {counts}s per customer in 24h is reached: 3 counted");
        assert_eq!(asked(&service, &boots()).unwrap_err(), [three.as_str()]);
        let printed = service.send("GET", "/metrics", &[], None).body;
        let series = format!("proffer_outcomes_after_reservation_total{{type=\"{event_kind}\"}} 1");
        assert!(printed.contains(&series), "{printed}");
        // Another set of caps counts anew, from decisions and what followed them.
        let wider = cap(counts, "{rolling: 25h}");
        let service = service.restart_with(policies(&wider));
        later(&service, 20);
        let told = asked(&service, &boots()).unwrap_err();
        assert!(told[0].ends_with("in 25h is reached: 2 counted"), "{told:?} after {third}");
        later(&service, 25 * 60 + 2);
        assert!(asked(&service, &boots()).is_ok(), "nothing of it counts any more");
    }
}

#[test]
fn a_message_that_must_be_sent_is_sent_whatever_caps_say_and_uses_none_up_even_where_they_are_counted_anew() {
    let outside = |window: &str| {
        let mut files = policies(&cap("decision", window));
        for file in files.iter_mut().filter(|file| file.path == "placements.yaml") {
            let (home, explore) = file.text.split_once("  - id: explore\n").unwrap();
            let switches = "    obeys_caps: false\n    counts_toward_caps: false\n";
            file.text = format!("{home}  - id: explore\n{switches}{explore}");
        }
        files
    };
    let service = start(Kind::Sqlite, outside("lifetime"));
    let letter = with(&boots(), "placement", &json!("explore"));
    let sent = |service: &Service, times: usize| {
        (0..times).for_each(|_| drop(asked(service, &letter).expect("it has to be sent")));
    };
    sent(&service, 3);
    assert!(asked(&service, &boots()).is_ok());
    let service = service.restart_with(outside("{rolling: 30d}"));
    sent(&service, 3);
    assert!(asked(&service, &boots()).is_ok(), "of the seven before one counts");
    assert!(asked(&service, &boots()).is_err());
    sent(&service, 1);
}

#[test]
fn the_store_that_is_asked_in_says_which_day_it_is() {
    let mut files = policies(&cap("decision", "{calendar: day, time_zone: store}"));
    let stores = "stores:\n  - {id: s-1, time_zone: Asia/Tokyo}\n  - {id: s-2, time_zone: America/New_York}\n";
    files.push(Source { path: "catalog/stores.yaml".into(), text: stores.into() });
    let service = start(Kind::Sqlite, files);
    let at = |store: &str| with(&boots(), "store", &json!(store));
    // Half past six in the evening in Tokyo, half past four in the morning in New York.
    assert!(asked(&service, &at("s-1")).is_ok() && asked(&service, &at("s-2")).is_ok());
    let told = asked(&service, &at("s-1")).unwrap_err();
    let reached = "the cap of 2 decisions per customer in a calendar day at the store is reached: 2 counted";
    assert_eq!(told, [format!("`cap` (Two): {reached}")]);
    // Tokyo's midnight is 15:00 in UTC; nobody knows the clock of the third store, nor of none.
    for (minutes, tomorrow) in [(329, [false, false, false]), (330, [true, false, false])] {
        later(&service, minutes);
        let free = ["s-1", "s-2", "s-3"].map(|store| would(&service, &at(store)));
        assert_eq!(free, tomorrow, "{minutes} minutes later");
    }
    later(&service, 14 * 60 + 30);
    assert_eq!(["s-2", "s-3"].map(|store| would(&service, &at(store))), [false, true], "midnight in UTC");
}

#[test]
fn who_has_seen_an_offer_again_and_again_is_spared_it_until_it_is_followed() {
    let weary = "cool_downs:\n  - {id: weary, why: Weary, scope: [customer, offer], after: {event: impression, times: \
                 3, within: 7d, unless: click}, suppress_for: 14d}\n";
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, policies(weary));
        let shown: Vec<Value> = (0..4).map(|_| asked(&service, &boots()).unwrap()).collect();
        for (minute, decision) in (1..).zip(&shown[..3]) {
            assert!(asked(&service, &boots()).is_ok(), "{minute}");
            service.outcomes(&event("impression", decision, minute));
        }
        let told = asked(&service, &boots()).unwrap_err();
        let until = NOW.plus(Span((14 * 24 * 60 + 3) * MINUTE));
        let after = "after 3 impressions within 7d of this offer without a click since, nothing of it is shown for 14d";
        assert_eq!(told, [format!("`weary` (Weary): {after}, until {until}")]);
        // A click on what was shown later undoes what was seen before it.
        service.outcomes(&event("click", &shown[3], 4));
        assert!(asked(&service, &boots()).is_ok());
        service.outcomes(&event("impression", &shown[3], 5));
        assert!(asked(&service, &boots()).is_ok(), "one is behind the click");
    }
}

#[test]
fn a_stranger_whom_a_cap_lets_through_sees_no_more_of_it_in_one_answer_than_it_allows() {
    for (answer, expected) in [("allow", 2), ("session_cap", 0)] {
        let rule = cap("decision", "lifetime").replace("counts:", &format!("without_identifier: {answer}, counts:"));
        let mut files = policies(&rule);
        for file in files.iter_mut().filter(|file| file.path == "placements.yaml") {
            file.text = file.text.replacen("    currency: USD\n", "    currency: USD\n    slots: 3\n", 1);
        }
        let service = start(Kind::Sqlite, files);
        for _ in 0..2 {
            let told = service.decide(&json!({"placement": "home"})).ok();
            let shown = if told["fallback"] == true { 0 } else { told["offers"].as_array().unwrap().len() };
            assert_eq!(shown, expected, "{answer}: {told}");
        }
    }
}
