//! Impressions: what is reserved is confirmed by them or released, on any number of nodes; clicks and what was seen
//! teach where the placement says so.

use proffer::domain::Span;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, ask_as, id, order, with};
use crate::harness::database::Kind;

/// As the bundle says: of all offers in a week.
const ALL_MAX: usize = 5;
const MINUTE: i64 = 60_000;

fn plan(kind: Kind) -> Plan {
    Plan::new(kind).policies(shop::policies_with("counts: decision", "counts: impression"))
}

fn service() -> Service {
    let service = plan(Kind::Sqlite).start();
    service.import(&shop::offers());
    service
}

fn event(name: &str, kind: &str, decision: &Value, minutes: i64) -> Value {
    json!({
        "event_id": name, "source": "shop-front", "type": kind, "decision_id": decision,
        "occurred_at": NOW.plus(Span(minutes * MINUTE)).to_string(),
    })
}

fn seen(decision: &Value, minutes: i64) -> Value {
    event(&format!("seen-{}", decision.as_str().unwrap()), "impression", decision, minutes)
}

/// Asks until nothing is left; the ids of what was drawn.
fn exhaust(services: &[&Service], customer: &str) -> Vec<Value> {
    let answers = (0..20).map(|turn| services[turn % services.len()].decide(&ask(customer)).ok());
    answers.filter(|answer| answer["fallback"] == false).map(|answer| answer["decision_id"].clone()).collect()
}

fn later(services: &[&Service], minutes: i64) {
    for service in services {
        service.core.clock.set(NOW.plus(Span(minutes * MINUTE)));
    }
}

#[test]
fn a_chosen_offer_is_reserved_until_its_impression_confirms_it_or_its_reservation_ends() {
    let service = service();
    service.consent("c-1", "granted");
    let drawn = exhaust(&[&service], "c-1");
    assert_eq!(drawn.len(), ALL_MAX);
    for decision in &drawn[..3] {
        let told = service.outcomes(&seen(decision, 1));
        assert_eq!((&told[0]["status"], &told[0]["after_reservation"]), (&json!("accepted"), &Value::Null));
        assert_eq!(service.outcomes(&seen(decision, 1))[0]["status"], "duplicate");
    }
    later(&[&service], 9);
    assert_eq!(exhaust(&[&service], "c-1").len(), 0, "what was not seen is reserved still");
    later(&[&service], 10);
    assert_eq!(exhaust(&[&service], "c-1").len(), 2, "what was not seen is released");
    later(&[&service], 20);
    // The day's cap of two impressions an offer may bind before the week's.
    assert!(exhaust(&[&service], "c-1").len() <= 2);
    let service = service.restart();
    later(&[&service], 7 * 24 * 60 + 1);
    assert_eq!(exhaust(&[&service], "c-1").len(), ALL_MAX, "a week after it was seen nothing counts any more");
}

#[test]
fn an_impression_after_its_reservation_ended_is_counted_and_flagged() {
    let service = service();
    service.consent("c-1", "granted");
    let drawn = exhaust(&[&service], "c-1");
    later(&[&service], 30);
    let told = service.outcomes(&seen(&drawn[0], 1));
    let told = serde_json::to_string_pretty(&told[0]).unwrap().replace(drawn[0].as_str().unwrap(), "ID");
    insta::assert_snapshot!(told, @r#"
    {
      "after_reservation": true,
      "decision_id": "ID",
      "event_id": "seen-ID",
      "late": false,
      "status": "accepted"
    }
    "#);
    assert_eq!(exhaust(&[&service], "c-1").len(), ALL_MAX - 1);
    // All five are reserved or seen; one more that was seen passes the cap, and nothing further is reserved.
    service.outcomes(&seen(&drawn[1], 1));
    let record = service.record(&service.decide(&ask("c-1")).ok());
    let excluded = record["candidates"][0]["excluded_by"].as_array().unwrap().clone();
    let cap = excluded.iter().find(|told| told["rule"] == "cap.all.week").unwrap();
    assert_eq!((&cap["observed"], &cap["limit"]), (&json!(ALL_MAX + 1), &json!(ALL_MAX)));
}

/// Many clients ask and tell of every second offer that it was seen, through these services in turn.
fn check(services: &[&Service]) {
    services[0].consent("c-1", "granted");
    let drawn: Vec<Value> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16_usize)
            .map(|client| {
                let (service, other) = (services[client % services.len()], services[(client + 1) % services.len()]);
                scope.spawn(move || -> Vec<Value> {
                    let mut drawn = Vec::new();
                    for _ in 0..4 {
                        let answer = service.decide(&ask("c-1")).ok();
                        if answer["fallback"] == false {
                            let decision = answer["decision_id"].clone();
                            other.outcomes(&seen(&decision, 1));
                            service.outcomes(&seen(&decision, 1));
                            drawn.push(decision);
                        }
                    }
                    drawn
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(drawn.len() <= ALL_MAX, "{} were drawn", drawn.len());
    let rest = exhaust(services, "c-1");
    assert_eq!(drawn.len() + rest.len(), ALL_MAX, "reserved and confirmed together");
    later(services, 10);
    assert_eq!(exhaust(services, "c-1").len(), rest.len(), "what was seen counts, what was not is released");
}

#[test]
fn confirmed_and_reserved_together_never_pass_the_cap_on_sqlite() {
    check(&[&service()]);
}

#[test]
fn confirmed_and_reserved_together_never_pass_the_cap_of_two_services_over_one_postgresql() {
    let plan = plan(Kind::Postgres).engines(2);
    let beside = plan.beside("node-2");
    let first = plan.start();
    first.import(&shop::offers());
    let second = beside.start();
    check(&[&first, &second]);
    second.remove();
    first.remove();
}

#[test]
fn counters_are_rebuilt_from_decisions_and_their_impressions_when_caps_change() {
    let service = service();
    service.consent("c-1", "granted");
    let drawn = exhaust(&[&service], "c-1");
    for decision in &drawn[..2] {
        service.outcomes(&seen(decision, 1));
    }
    later(&[&service], 10);
    let wider = shop::policies_with("counts: decision", "counts: impression");
    let wider = wider.into_iter().map(|mut file| {
        file.text = file.text.replace("max: 5", "max: 6").replace("max: 2", "max: 3");
        file
    });
    let service = service.restart_with(wider.collect());
    later(&[&service], 10);
    assert_eq!(exhaust(&[&service], "c-1").len(), 6 - 2, "two were seen before the caps changed");
}

/// What the only model learned: exposures and acceptances over all arms.
fn learned(service: &Service) -> (i64, i64) {
    service.learn();
    let models = service.call("GET", "/v1/models", None).ok();
    let models = models["models"].as_array().unwrap().clone();
    // A model that learned nothing is not there yet.
    let Some(home) = models.iter().find(|model| model["placement"] == "home") else { return (0, 0) };
    let sum = |field: &str| home["arms"].as_array().unwrap().iter().map(|arm| arm[field].as_i64().unwrap()).sum();
    (sum("exposures"), sum("accepted"))
}

fn learning(old: &str, new: &str) -> Service {
    let service = Plan::new(Kind::Sqlite).policies(shop::policies_with(old, new)).start();
    service.import(&shop::offers());
    service.decide(&ask_as(1, "c-1")).ok();
    service
}

#[test]
fn what_nobody_saw_is_not_learned_from_until_its_impression_comes() {
    let service = learning("reservation: 10m", "reservation: 10m\n    exposure: impression");
    assert_eq!(learned(&service), (0, 0));
    service.outcomes(&order("order-1", &id(1), "80.00"));
    assert_eq!(learned(&service), (0, 0), "ordered and not seen");
    let told = || service.call("GET", "/v1/outcomes/checkout/order-1", None).ok()["learned"].clone();
    assert_eq!(told(), false);
    service.outcomes(&event("seen-1", "impression", &json!(id(1)), 1));
    assert_eq!(learned(&service), (1, 1), "seen, with the order that came before");
    assert_eq!(told(), true);
    service.outcomes(&event("seen-2", "impression", &json!(id(1)), 2));
    assert_eq!(learned(&service), (1, 1), "seen again");
}

#[test]
fn a_click_accepts_where_clicks_are_the_objective() {
    let service = learning("kind: margin", "kind: click");
    service.outcomes(&order("order-1", &id(1), "80.00"));
    assert_eq!(learned(&service), (1, 0), "an order is no click");
    let late = with(&event("click-0", "click", &json!(id(1)), 0), "occurred_at", &json!("2026-02-20T09:30:00Z"));
    assert_eq!(service.outcomes(&late)[0]["late"], true);
    assert_eq!(learned(&service), (1, 0));
    service.outcomes(&event("click-1", "click", &json!(id(1)), 1));
    assert_eq!(learned(&service), (1, 1));
    for kind in ["reject", "return"] {
        assert_eq!(service.outcomes(&event(kind, kind, &json!(id(1)), 2))[0]["status"], "accepted");
    }
    assert_eq!(learned(&service), (1, 1));
}
