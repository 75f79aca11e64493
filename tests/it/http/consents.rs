//! What a customer allowed decides what is seen of them: refused, granted, expired, withdrawn.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proffer::domain::Timestamp;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, ask_as, id};
use crate::harness::database::Kind;

/// Purpose, what was seen and what was withheld.
fn seen(record: &Value) -> (Value, Value, Value) {
    let private = &record["private"];
    (record["purpose"].clone(), private["attributes"].clone(), private["withheld"].clone())
}

const PERSONAL: &str = "offer_personalisation";
const CONTEXTUAL: &str = "offer_contextual";

#[test]
fn without_consent_personal_attributes_are_withheld_and_with_it_they_are_seen() {
    let service = Service::start();
    let withheld = json!([{"attribute": "customer.tier", "reason": "purpose_not_consented"}]);
    let contextual = (json!(CONTEXTUAL), json!({"context.device_type": "mobile"}), withheld);
    let personal = (json!(PERSONAL), json!({"context.device_type": "mobile", "customer.tier": "gold"}), json!([]));
    let decide = || service.record(&service.decide(&ask("c-1")).ok());

    let record = decide();
    assert_eq!(seen(&record), contextual, "never asked");
    assert_eq!(record["refused_purpose"], PERSONAL);
    let steps = [("granted", &personal), ("refused", &contextual), ("granted", &personal), ("withdrawn", &contextual)];
    for (step, (state, expected)) in (1..).zip(steps) {
        service.core.clock.set(Timestamp(NOW.0 + step));
        service.consent("c-1", state);
        assert_eq!(seen(&decide()), *expected, "{state}");
    }
    // The grants of one customer are nothing to another.
    assert_eq!(seen(&service.record(&service.decide(&ask("c-2")).ok())), contextual);
    let listed = service.call("GET", "/v1/customers/c-1/consents", None).ok();
    let states: Vec<&Value> = listed["consents"].as_array().unwrap().iter().map(|kept| &kept["state"]).collect();
    assert_eq!(states, ["granted", "refused", "granted", "withdrawn"]);
}

#[test]
fn an_expired_consent_is_a_no_and_what_was_read_is_recorded() {
    let service = Service::start();
    let until = "2026-03-01T10:00:00Z";
    let record = json!({"consents": [{"purpose": PERSONAL, "state": "granted", "valid_until": until}]});
    service.call("PUT", "/v1/customers/c-1/consents", Some(&record)).ok();
    assert_eq!(service.record(&service.decide(&ask("c-1")).ok())["purpose"], PERSONAL);
    service.core.clock.set(Timestamp::parse(until).unwrap());
    let answer = service.decide(&ask_as(1, "c-1")).ok();
    let record = service.record(&answer);
    assert_eq!(answer["fallback"], false, "contextual offers need no consent");
    assert_eq!(record["purpose"], CONTEXTUAL);
    insta::assert_snapshot!(serde_json::to_string_pretty(&record["private"]["consents"]).unwrap(), @r#"
    [
      {
        "basis": "consent",
        "channel": null,
        "purpose": "offer_personalisation",
        "state": "granted",
        "valid_from": "2026-03-01T09:30:00.000Z",
        "valid_until": "2026-03-01T10:00:00.000Z"
      }
    ]
    "#);
    insta::assert_snapshot!(record["explanation"][1].as_str().unwrap(), @r"
    Purpose `offer_personalisation` was refused by `consent.personal`, so it was decided under `offer_contextual` without personal attributes.
    ");
    insta::assert_snapshot!(record["explanation"][2].as_str().unwrap(), @r"
    Consent read for `offer_personalisation`: granted on the basis of consent since 2026-03-01T09:30:00.000Z, expired at 2026-03-01T10:00:00.000Z.
    ");
}

#[test]
fn without_a_contextual_purpose_a_refusal_leaves_the_house_content() {
    let service = Plan::new(Kind::Sqlite).policies(shop::policies_with("    fallback: offer_contextual\n", "")).start();
    service.import(&shop::offers());
    let answer = service.decide(&ask_as(1, "c-1")).ok();
    assert_eq!((&answer["fallback"], &answer["offers"][0]["offer_id"]), (&json!(true), &json!("house-welcome")));
    assert_eq!(answer["offers"][0]["propensity"], Value::Null);
    let record = service.record(&answer);
    assert_eq!(record["fallback"], "purpose_refused");
    let excluded = |candidate: &Value| candidate["excluded_by"][0]["rule"].clone();
    assert!(record["candidates"].as_array().unwrap().iter().all(|one| excluded(one) == "consent.personal"));
}

/// One round: threads ask without a pause while the consent is withdrawn. Returns how many decisions started after the
/// withdrawal was acknowledged, all of which must have honoured it, and how many personal ones there were.
fn withdraw_while_asking(services: &[Service], round: i64) -> (usize, usize) {
    let service = &services[0];
    let (acknowledged, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut decisions: Vec<(bool, String)> = Vec::new();
    std::thread::scope(|scope| {
        let ask_until_told = |service: &Service| -> Vec<(bool, String)> {
            let mut mine = Vec::new();
            loop {
                // Read before the request is sent: what is true now was acknowledged before the decision started.
                let after = acknowledged.load(Ordering::SeqCst);
                let answer = service.decide(&ask("c-1")).ok();
                asked.fetch_add(1, Ordering::SeqCst);
                mine.push((after, answer["decision_id"].as_str().unwrap().to_owned()));
                if mine.iter().filter(|(after, _)| *after).count() >= 3 {
                    return mine;
                }
            }
        };
        let threads: Vec<_> =
            services.iter().cycle().take(16).map(|service| scope.spawn(move || ask_until_told(service))).collect();
        while asked.load(Ordering::SeqCst) < 32 {
            std::thread::yield_now();
        }
        set_clocks(services, 2 * round + 1);
        let withdrawn = service.call("PUT", "/v1/customers/c-1/consents", Some(&shop::consent("withdrawn")));
        // Even if it failed: otherwise nobody would stop asking.
        acknowledged.store(true, Ordering::SeqCst);
        withdrawn.ok();
        decisions.extend(threads.into_iter().flat_map(|thread| thread.join().unwrap()));
    });
    let (mut after, mut personal) = (0, 0);
    for (started_after, decision) in &decisions {
        let record = service.record(&json!({"decision_id": decision}));
        let honoured = record["purpose"] == CONTEXTUAL;
        assert!(honoured || !started_after, "round {round}: {decision} started after the withdrawal and ignored it");
        assert_eq!(honoured, record["private"]["attributes"]["customer.tier"].is_null(), "{record}");
        after += usize::from(*started_after);
        personal += usize::from(!honoured);
    }
    (after, personal)
}

fn set_clocks(services: &[Service], after_ms: i64) {
    for service in services {
        service.core.clock.set(Timestamp(NOW.0 + after_ms));
    }
}

/// With room for every decision, each of them changes the customer's state that the withdrawal must change too.
fn without_caps(kind: Kind) -> Plan {
    let mut policies = shop::policies_with("max: 5", "max: 5000");
    for file in &mut policies {
        file.text = file.text.replace("max: 2", "max: 5000");
    }
    Plan::new(kind).policies(policies)
}

fn withdraw_in_rounds(services: &[Service]) {
    services[0].import(&shop::offers());
    for round in 0..5 {
        set_clocks(services, 2 * round);
        services[0].consent("c-1", "granted");
        let (after, personal) = withdraw_while_asking(services, round);
        assert!(after >= 48 && personal > 0, "round {round}: {after} after, {personal} personal");
    }
}

#[test]
fn a_withdrawal_is_honoured_by_every_decision_that_starts_after_it_while_sixteen_threads_ask() {
    withdraw_in_rounds(&[without_caps(Kind::Sqlite).start()]);
}

#[test]
fn a_withdrawal_at_one_node_is_honoured_by_every_decision_of_another_on_postgresql() {
    let plan = without_caps(Kind::Postgres).engines(2);
    let beside = plan.beside("node-2");
    let services = [plan.start(), beside.start()];
    withdraw_in_rounds(&services);
    services.into_iter().for_each(Service::remove);
}

#[test]
fn a_decision_made_before_a_withdrawal_stays_what_it_was() {
    let service = Service::start();
    service.consent("c-1", "granted");
    let before = service.decide(&ask_as(1, "c-1"));
    service.core.clock.set(Timestamp(NOW.0 + 1));
    service.consent("c-1", "withdrawn");
    assert_eq!(service.decide(&ask_as(1, "c-1")).body, before.body, "{}", id(1));
    assert_eq!(service.record(&before.ok())["purpose"], PERSONAL);
}
