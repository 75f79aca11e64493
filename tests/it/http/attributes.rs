//! Attributes kept of a customer: taken in, seen by the next decision, forgotten when their time is over.

use std::sync::atomic::{AtomicBool, Ordering};

use proffer::domain::Timestamp;
use serde_json::{Value, json};

use super::service::{Answer, Plan, Service};
use super::shop::{self, NOW, ask, ask_as, with};
use super::transcript::Transcript;
use crate::harness::database::Kind;

const PATH: &str = "/v1/customers/c-1/attributes";
const HOUR_MS: i64 = 3_600_000;

fn put(service: &Service, attributes: &Value) -> Answer {
    service.call("PUT", PATH, Some(&json!({"attributes": attributes})))
}

/// A request that says nothing of the customer.
fn bare() -> Value {
    with(&ask("c-1"), "customer", &json!({"id": "c-1"}))
}

/// What rules and features saw of the customer in a decision, and what was withheld from them.
fn seen(service: &Service, request: &Value) -> (Value, Value) {
    let record = service.record(&service.decide(request).ok());
    let private = &record["private"];
    (private["attributes"]["customer.tier"].clone(), private["withheld"].clone())
}

fn on_both(check: fn(&Service)) {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).start();
        service.import(&shop::offers());
        check(&service);
        service.remove();
    }
}

#[test]
fn what_is_kept_is_seen_until_its_time_to_live_is_over() {
    on_both(|service| {
        service.consent("c-1", "granted");
        assert_eq!(seen(service, &bare()), (Value::Null, json!([])), "nothing is known yet");
        let answer = put(service, &json!({"tier": "gold", "visits": 3})).ok();
        // 90 days and 7 days, as declared.
        let tier = json!({
            "value": "gold", "at": NOW, "valid_until": "2026-05-30T09:30:00.000Z", "expired": false,
        });
        assert_eq!(answer["attributes"]["tier"], tier);
        assert_eq!(answer["attributes"]["visits"]["valid_until"], "2026-03-08T09:30:00.000Z");
        let unread = json!([{"attribute": "customer.visits", "reason": "not_used"}]);
        assert_eq!(seen(service, &bare()), (json!("gold"), unread.clone()), "the very next decision sees it");
        // The request's own word wins, and what is kept stays what it is.
        assert_eq!(seen(service, &ask_with_tier("bronze")), (json!("bronze"), unread));
        let end = Timestamp::parse("2026-05-30T09:30:00Z").unwrap();
        service.core.clock.set(Timestamp(end.0 - 1));
        assert_eq!(seen(service, &bare()).0, "gold");
        service.core.clock.set(end);
        let expired = json!([
            {"attribute": "customer.tier", "reason": "expired"}, {"attribute": "customer.visits", "reason": "expired"},
        ]);
        assert_eq!(seen(service, &bare()), (Value::Null, expired));
        assert_eq!(service.call("GET", PATH, None).ok()["attributes"]["tier"]["expired"], true);
        // A new word takes its place; what has expired is dropped with it.
        let kept = put(service, &json!({"tier": "silver"})).ok();
        assert_eq!(kept["attributes"].as_object().unwrap().len(), 1);
        assert_eq!(seen(service, &bare()), (json!("silver"), json!([])));
    });
}

fn ask_with_tier(tier: &str) -> Value {
    with(&bare(), "customer", &json!({"id": "c-1", "attributes": {"tier": tier}}))
}

#[test]
fn consent_and_minimisation_apply_to_what_is_kept_as_to_what_is_sent() {
    on_both(|service| {
        put(service, &json!({"tier": "gold"})).ok();
        let refused = json!([{"attribute": "customer.tier", "reason": "purpose_not_consented"}]);
        assert_eq!(seen(service, &bare()), (Value::Null, refused.clone()));
        service.consent("c-1", "granted");
        assert_eq!(seen(service, &bare()), (json!("gold"), json!([])));
        service.core.clock.set(Timestamp(NOW.0 + 1));
        service.consent("c-1", "withdrawn");
        assert_eq!(seen(service, &bare()), (Value::Null, refused));
        // What is kept of one customer is nothing to another.
        service.consent("c-2", "granted");
        let other = with(&ask("c-2"), "customer", &json!({"id": "c-2"}));
        assert_eq!(seen(service, &other), (Value::Null, json!([])));
    });
}

#[test]
fn times_that_are_sent_narrow_and_never_widen_and_older_news_change_nothing() {
    let service = Service::start();
    let hours_ago = |hours: i64| Timestamp(NOW.0 - hours * HOUR_MS).to_string();
    let timed = |value: &str, hours: i64, until: Value| {
        let sent = json!({"tier": {"value": value, "at": hours_ago(hours), "valid_until": until}});
        put(&service, &sent).ok()["attributes"]["tier"].clone()
    };
    assert_eq!(timed("gold", 2, json!("2026-03-01T10:00:00Z"))["valid_until"], "2026-03-01T10:00:00.000Z");
    let later = timed("silver", 1, json!("2036-03-01T10:00:00Z"));
    assert_eq!((&later["value"], &later["valid_until"]), (&json!("silver"), &json!("2026-05-30T08:30:00.000Z")));
    assert_eq!(timed("bronze", 2, Value::Null), later, "older news");
    // Removed, it is gone; named by nobody, it stays.
    put(&service, &json!({"visits": 1})).ok();
    let kept = put(&service, &json!({"tier": null})).ok()["attributes"].clone();
    assert_eq!(kept.as_object().unwrap().keys().collect::<Vec<_>>(), ["visits"]);
}

#[test]
fn attributes_that_cannot_be_kept_are_told_with_their_place() {
    let service = Service::start();
    let mut told = Transcript::default();
    let check = |told: &mut Transcript, case: &str, attributes: Value| told.problem(case, &put(&service, &attributes));
    check(&mut told, "not declared", json!({"tear": "gold", "tier": "gold"}));
    check(&mut told, "no such value", json!({"tier": "glod"}));
    check(&mut told, "another kind of value", json!({"visits": "three", "tier": 3}));
    check(&mut told, "an unknown field", json!({"tier": {"value": "gold", "until": "2026-03-01T10:00:00Z"}}));
    check(&mut told, "a list", json!({"tier": ["gold"]}));
    check(&mut told, "no instant", json!({"tier": {"value": "gold", "at": "yesterday"}}));
    check(&mut told, "the future", json!({"tier": {"value": "gold", "at": "2026-03-01T09:36:00Z"}}));
    check(&mut told, "too old", json!({"visits": {"value": 3, "at": "2026-02-20T00:00:00Z"}}));
    check(&mut told, "expired", json!({"tier": {"value": "gold", "valid_until": "2026-03-01T09:30:00Z"}}));
    check(&mut told, "nothing", json!({}));
    told.problem("no attributes", &service.call("PUT", PATH, Some(&json!({"attribute": {}}))));
    let long = "x".repeat(129);
    let path = format!("/v1/customers/{long}/attributes");
    told.problem("a long id", &service.call("PUT", &path, Some(&json!({"attributes": {"tier": "gold"}}))));
    insta::assert_snapshot!(told.0, @r#"
    not declared
      422 invalid: `customer.tear` is not declared in catalog/attributes.yaml; did you mean `customer.tier`?
        /attributes/tear:
    no such value
      422 invalid: `glod` is not a value of `customer.tier`: expected one of `bronze`, `silver`, `gold`; did you mean `gold`?
        /attributes/tier:
    another kind of value
      422 invalid: 2 things are wrong; see `errors`
        /attributes/tier: `customer.tier` is one of `bronze`, `silver`, `gold`, found a number
        /attributes/visits: `customer.visits` is a number, found text
    an unknown field
      422 invalid: unknown field `until`, expected one of `value`, `at`, `valid_until`
        /attributes/tier/until:
    a list
      422 invalid: expected text, a number, true or false, found a list
        /attributes/tier:
    no instant
      422 invalid: `yesterday` is not an instant: expected RFC 3339, such as `2026-03-01T09:30:00Z`
        /attributes/tier/at:
    the future
      422 invalid: 2026-03-01T09:36:00.000Z is in the future: it is 2026-03-01T09:30:00.000Z
        /attributes/tier/at:
    too old
      422 invalid: said at 2026-02-20T00:00:00.000Z, with a time to live of 7d, it has expired at 2026-02-27T00:00:00.000Z: leave it out, or send `null` to remove what is kept
        /attributes/visits:
    expired
      422 invalid: it has expired at 2026-03-01T09:30:00.000Z: leave it out, or send `null` to remove what is kept
        /attributes/tier:
    nothing
      422 invalid: 0 attributes were sent: expected 1 to 32
        /attributes:
    no attributes
      422 invalid: unknown field `attribute`, expected `attributes`; did you mean `attributes`?
        /attribute:
    a long id
      422 invalid: a customer id has 1 to 128 bytes; this one has 129
    "#);
    assert_eq!(service.call("GET", PATH, None).status, 404, "nothing was kept, nobody was made known");
}

#[test]
fn more_than_is_kept_of_one_customer_is_refused_whole() {
    let declared: String = (0..40)
        .map(|at| format!("  - {{id: customer.a{at}, type: text, class: personal}}\n"))
        .collect::<Vec<_>>()
        .concat();
    let service = Plan::new(Kind::Sqlite)
        .policies(shop::policies_with("attributes:\n", &format!("attributes:\n{declared}")))
        .start();
    let many = |names: std::ops::Range<usize>, text: &str| -> Value {
        names.map(|at| (format!("a{at}"), json!(text))).collect::<serde_json::Map<_, _>>().into()
    };
    put(&service, &many(0..30, "x")).ok();
    let mut told = Transcript::default();
    told.problem("one at a time, too many", &put(&service, &many(28..34, "x")));
    told.problem("too many at once", &put(&service, &many(0..33, "x")));
    told.problem("too large", &put(&service, &many(0..8, &"x".repeat(200))));
    insta::assert_snapshot!(told.0, @r#"
    one at a time, too many
      422 invalid: 34 attributes of 638 bytes would be kept of this customer: at most 32 and 1024 bytes; remove some with `null`
        /attributes:
    too many at once
      422 invalid: 33 attributes were sent: expected 1 to 32
        /attributes:
    too large
      422 invalid: 30 attributes of 2162 bytes would be kept of this customer: at most 32 and 1024 bytes; remove some with `null`
        /attributes:
    "#);
    let kept = service.call("GET", PATH, None).ok()["attributes"].clone();
    assert_eq!(kept.as_object().unwrap().len(), 30, "refused whole");
}

#[test]
fn what_the_bundle_no_longer_declares_is_not_used() {
    let plan = Plan::new(Kind::Sqlite).policies(shop::policies_with("[bronze, silver, gold]", "[bronze, gold, tin]"));
    let next = plan.beside("node-1").policies(shop::policies());
    let service = plan.start();
    service.import(&shop::offers());
    service.consent("c-1", "granted");
    put(&service, &json!({"tier": "tin"})).ok();
    assert_eq!(seen(&service, &bare()).0, "tin");
    drop(service);
    let service = next.start();
    let undeclared = json!([{"attribute": "customer.tier", "reason": "undeclared"}]);
    assert_eq!(seen(&service, &bare()), (Value::Null, undeclared));
}

#[test]
fn what_was_decided_before_stays_and_is_answered_again_as_it_was() {
    let service = Service::start();
    service.consent("c-1", "granted");
    put(&service, &json!({"tier": "gold"})).ok();
    let request = with(&ask_as(1, "c-1"), "customer", &json!({"id": "c-1"}));
    let before = service.decide(&request);
    put(&service, &json!({"tier": "bronze"})).ok();
    assert_eq!(service.decide(&request).body, before.body);
    assert_eq!(service.record(&before.ok())["private"]["attributes"]["customer.tier"], "gold");
}

/// While many ask without a pause, what a decision that starts after the answer sees is what was kept.
#[test]
fn a_change_is_seen_by_every_decision_that_starts_after_it() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let mut policies = shop::policies_with("max: 5", "max: 5000");
        for file in &mut policies {
            file.text = file.text.replace("max: 2", "max: 5000");
        }
        let service = Plan::new(kind).policies(policies).start();
        service.import(&shop::offers());
        service.consent("c-1", "granted");
        for tier in ["bronze", "gold"] {
            let changed = AtomicBool::new(false);
            let decisions: Vec<String> = std::thread::scope(|scope| {
                let ask_until_told = || {
                    let mut after = Vec::new();
                    while after.len() < 3 {
                        let started_after = changed.load(Ordering::SeqCst);
                        let answer = service.decide(&bare()).ok();
                        after.extend(started_after.then(|| answer["decision_id"].as_str().unwrap().to_owned()));
                    }
                    after
                };
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask_until_told)).collect();
                let answer = put(&service, &json!({"tier": tier}));
                changed.store(true, Ordering::SeqCst);
                answer.ok();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            for decision in decisions {
                let record = service.record(&json!({"decision_id": decision}));
                assert_eq!(record["private"]["attributes"]["customer.tier"], tier, "{decision}");
            }
        }
        service.remove();
    }
}
