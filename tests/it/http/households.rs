//! Caps for households, devices and sessions: exact however many of them ask at once, on one node and on two.

use std::collections::BTreeMap;

use proffer::domain::Span;
use proffer::policy::Source;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask};
use crate::harness::database::Kind;

const CAPS: &str = "
  - {id: cap.home, why: One flat one letter box, scope: [household], max: 4, window: {rolling: 7d}, counts: decision}
  - {id: cap.device, why: One screen, scope: [device, offer], max: 1, window: {rolling: 24h}, counts: decision}
  - {id: cap.visit, why: One visit, scope: [session], max: 2, window: session, counts: decision}
";

fn plan(kind: Kind, caps: &str) -> Plan {
    Plan::new(kind).policies(files(caps))
}

fn files(caps: &str) -> Vec<Source> {
    let with = format!("counts: decision{caps}");
    let mut files = shop::policies();
    let rules = files.iter_mut().find(|file| file.text.contains("frequency_caps")).unwrap();
    let last = rules.text.rfind("counts: decision").unwrap();
    rules.text.replace_range(last..last + "counts: decision".len(), &with);
    files
}

fn service(caps: &str) -> Service {
    let service = plan(Kind::Sqlite, caps).start();
    service.import(&shop::offers());
    service
}

/// A request of a customer with some of household, device and session.
fn of(customer: &str, beside: &Value) -> Value {
    let mut asked = ask(customer);
    for (name, id) in beside.as_object().unwrap() {
        asked["customer"][name] = id.clone();
    }
    asked
}

fn drawn(answers: &[Value]) -> Vec<&Value> {
    answers.iter().filter(|answer| answer["fallback"] == false).collect()
}

/// The rule that left the first candidate out, with what it saw and its limit.
fn excluded_by(service: &Service, answer: &Value, rule: &str) -> (Value, Value, String) {
    let record = service.record(answer);
    let excluded = record["candidates"][0]["excluded_by"].as_array().unwrap().clone();
    let found = excluded.iter().find(|told| told["rule"] == rule).unwrap_or_else(|| panic!("{excluded:?}"));
    (found["observed"].clone(), found["limit"].clone(), found["sentence"].as_str().unwrap().to_owned())
}

#[test]
fn a_household_has_its_cap_together_whoever_of_it_asks() {
    let service = service(
        "\n  - {id: cap.home, why: One flat one letter box, scope: [household], max: 4, window: {rolling: 7d}, \
         counts: decision}",
    );
    for customer in ["ann", "bob", "cat"] {
        service.consent(customer, "granted");
    }
    let home = json!({"household": "h-1"});
    let answers: Vec<Value> = (0..8).map(|turn| service.decide(&of(["ann", "bob"][turn % 2], &home)).ok()).collect();
    assert_eq!(drawn(&answers).len(), 4);
    assert_eq!(
        excluded_by(&service, &answers[7], "cap.home"),
        (
            json!(4),
            json!(4),
            "`cap.home` (One flat one letter box): the cap of 4 decisions per household in 7d is \
                             reached: 4 counted"
                .to_owned()
        )
    );
    assert_eq!(service.decide(&of("cat", &json!({"household": "h-2"}))).ok()["fallback"], false);
    // A dry run counts for the household as well, and changes nothing.
    let tried = service.decide(&shop::with(&of("ann", &home), "dry_run", &json!(true))).ok();
    assert_eq!(tried["fallback"], true, "{tried}");
    let service = service.restart();
    assert_eq!(service.decide(&of("bob", &home)).ok()["fallback"], true);
    service.core.clock.set(NOW.plus(Span(7 * 86_400_000)));
    assert_eq!(service.decide(&of("bob", &home)).ok()["fallback"], false);
}

#[test]
fn devices_and_sessions_count_by_themselves_and_a_session_for_whom_nobody_names() {
    let service = service(CAPS);
    for customer in ["ann", "bob", "cat", "dan", "eve"] {
        service.consent(customer, "granted");
    }
    let answers = |customer: &str, beside: &Value, times: usize| -> Vec<Value> {
        (0..times).map(|_| service.decide(&of(customer, beside)).ok()).collect()
    };
    // A visit of its own is over after two, whatever the customer could still see.
    let visit = json!({"household": "h-1", "device": "d-1", "session": "s-1"});
    assert_eq!(drawn(&answers("ann", &visit, 4)).len(), 2);
    let next = json!({"household": "h-1", "device": "d-2", "session": "s-2"});
    let more = answers("ann", &next, 4);
    assert_eq!(drawn(&more).len(), 2);
    // Somebody else at the first screen: each of the three offers once a day, two were seen there.
    let screen = json!({"household": "h-2", "device": "d-1", "session": "s-3"});
    let shown = answers("bob", &screen, 2);
    assert_eq!(drawn(&shown).len(), 1);
    // Nobody says whose home it is: the session is counted in its place, and without one nothing is shown.
    let unnamed = json!({"session": "s-4", "device": "d-4"});
    assert_eq!(drawn(&answers("cat", &unnamed, 4)).len(), 2);
    let nobody = answers("dan", &json!({"device": "d-5"}), 1);
    assert_eq!(drawn(&nobody).len(), 0);
    assert!(excluded_by(&service, &nobody[0], "cap.home").2.ends_with("leaves no room"));
}

/// Many clients of several households ask at once, through these services in turn.
fn check(services: &[&Service]) {
    let people = [("ann", "oak"), ("bob", "oak"), ("cat", "oak"), ("dan", "elm"), ("eve", "elm")];
    for (name, _) in people {
        services[0].consent(name, "granted");
    }
    let asked = |turn: usize| {
        let (name, home) = people[turn % people.len()];
        of(name, &json!({"household": home, "device": format!("d-{turn}"), "session": format!("s-{turn}")}))
    };
    let mut answers: Vec<(usize, Value)> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..16_usize)
            .map(|client| {
                let (service, asked) = (services[client % services.len()], &asked);
                scope.spawn(move || -> Vec<(usize, Value)> {
                    let turns = (0..5).map(|turn| client * 5 + turn);
                    turns.map(|turn| (turn, service.decide(&asked(turn)).ok())).collect()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let again = 80..100;
    answers.extend(again.map(|turn| (turn, services[turn % services.len()].decide(&asked(turn)).ok())));
    let mut by_home: BTreeMap<&str, usize> = BTreeMap::new();
    for (turn, _) in answers.iter().filter(|(_, answer)| answer["fallback"] == false) {
        *by_home.entry(people[turn % people.len()].1).or_default() += 1;
    }
    assert_eq!(by_home, BTreeMap::from([("elm", 4), ("oak", 4)]), "the cap is reached exactly");
}

#[test]
fn caps_of_households_are_exact_under_concurrent_clients_with_several_engines_on_sqlite() {
    let service = plan(Kind::Sqlite, CAPS).engines(3).start();
    service.import(&shop::offers());
    check(&[&service]);
}

#[test]
fn caps_of_households_are_exact_under_concurrent_clients_of_two_services_over_one_postgresql() {
    let plan = plan(Kind::Postgres, CAPS).engines(2);
    let beside = plan.beside("node-2");
    let first = plan.start();
    first.import(&shop::offers());
    let second = beside.start();
    check(&[&first, &second]);
    second.remove();
    first.remove();
}

const SEEN: &str = "
  - {id: cap.home, why: One flat, scope: [household], max: 2, window: {rolling: 7d}, counts: impression}
";

#[test]
fn an_impression_confirms_what_is_reserved_for_the_household_and_a_rebuild_counts_the_same() {
    let service = service(SEEN);
    let home = json!({"household": "h-1"});
    for customer in ["ann", "bob", "cat"] {
        service.consent(customer, "granted");
    }
    let of_ann = service.decide(&of("ann", &home)).ok();
    assert_eq!(service.decide(&of("bob", &home)).ok()["fallback"], false);
    assert_eq!(service.decide(&of("cat", &home)).ok()["fallback"], true, "both are reserved");
    let seen = json!({
        "event_id": "e-1", "source": "shop-front", "type": "impression", "decision_id": of_ann["decision_id"],
        "occurred_at": NOW.to_string(),
    });
    assert_eq!(service.outcomes(&seen)[0]["status"], "accepted");
    service.core.clock.set(NOW.plus(Span(11 * 60_000)));
    assert_eq!(service.decide(&of("bob", &home)).ok()["fallback"], false, "what was not seen is released");
    assert_eq!(service.decide(&of("cat", &home)).ok()["fallback"], true, "what ann saw counts for the household");
    // Another cap: the household's counters are built anew from the decisions of all its members.
    let caps = SEEN.replace("max: 2", "max: 3");
    let service = service.restart_with(files(&caps));
    service.core.clock.set(NOW.plus(Span(11 * 60_000)));
    let answers: Vec<Value> = (0..3).map(|_| service.decide(&of("cat", &home)).ok()).collect();
    assert_eq!(drawn(&answers).len(), 1);
    assert_eq!(excluded_by(&service, &answers[2], "cap.home").0, json!(3));
}
