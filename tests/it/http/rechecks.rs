//! Deciding today and sending tomorrow: asked again just before, and given back instead.

use proffer::domain::Span;
use proffer::policy::Source;
use proffer::runtime::Role;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, offer, with};
use crate::harness::database::Kind;

const HOUR: i64 = 3_600_000;

const LETTERS: &str = "placements:
  - id: letter
    channel: email
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    slots: 2
    reservation: 48h
    strategy: {name: uniform}
    features: []
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}
";

const CAPS: &str = "frequency_caps:
  - {id: cap.letters, why: Two offers by letter, scope: [customer], max: 2, window: {rolling: 7d}, counts: impression}
  - {id: cap.home, why: Four for a flat, scope: [household], max: 4, window: {rolling: 7d}, counts: impression, \
     without_identifier: allow}
";

fn files() -> Vec<Source> {
    let mut files = shop::policies();
    for file in &mut files {
        if file.path == "placements.yaml" {
            file.text.push_str(LETTERS.strip_prefix("placements:\n").unwrap());
        }
        if let Some(at) = file.text.find("frequency_caps:") {
            file.text.truncate(at);
            file.text.push_str(CAPS);
        }
    }
    files
}

fn service(kind: Kind) -> Service {
    let service = Plan::new(kind).policies(files()).start();
    service.import(&shop::offers());
    for customer in ["ann", "bob"] {
        service.consent(customer, "granted");
    }
    service
}

fn letter(customer: &str) -> Value {
    let mut asked = with(&ask(customer), "placement", &json!("letter"));
    asked["customer"]["household"] = json!("h-1");
    asked
}

fn path(decision: &Value, verb: &str) -> String {
    format!("/v1/decisions/{}:{verb}", decision["decision_id"].as_str().unwrap())
}

fn recheck(service: &Service, decision: &Value) -> Value {
    service.call("POST", &path(decision, "recheck"), Some(&json!({}))).ok()
}

fn release(service: &Service, decision: &Value) -> Value {
    service.call("POST", &path(decision, "release"), None).ok()
}

fn seen(service: &Service, decision: &Value, hours: i64) -> Value {
    let id = decision["decision_id"].as_str().unwrap();
    service.outcomes(&json!({
        "event_id": format!("seen-{id}"), "source": "mail", "type": "impression", "decision_id": id,
        "occurred_at": NOW.plus(Span(hours * HOUR)).to_string(),
    }))[0]
        .clone()
}

fn later(service: &Service, hours: i64) {
    service.core.clock.set(NOW.plus(Span(hours * HOUR)));
}

/// The rules that speak against each slot.
fn against(told: &Value) -> Vec<Vec<String>> {
    let rules = |slot: &Value| {
        let told = slot["excluded_by"].as_array().unwrap().iter();
        told.map(|told| told["rule"].as_str().unwrap().to_owned()).collect()
    };
    told["slots"].as_array().unwrap().iter().map(rules).collect()
}

#[test]
fn a_letter_is_asked_about_again_with_its_own_contacts_left_out_and_nothing_is_kept_of_it() {
    let service = service(Kind::Sqlite);
    let decided = service.decide(&letter("ann")).ok();
    assert_eq!((decided["offers"].as_array().unwrap().len(), &decided["fallback"]), (2, &json!(false)));
    assert_eq!(service.decide(&letter("ann")).ok()["fallback"], true, "both are reserved");
    later(&service, 47);
    for _ in 0..2 {
        let told = recheck(&service, &decided);
        assert_eq!((&told["allowed"], against(&told)), (&json!(true), vec![vec![], vec![]]), "{told}");
        assert_eq!(told["slots"][1]["offer_id"], decided["offers"][1]["offer_id"]);
        assert_eq!(told["reserved_until"], decided["reserved_until"]);
    }
    let metrics = service.call("GET", "/metrics", None).body;
    let counted = |result: &str| format!("placement=\"letter\",result=\"{result}\",reason=\"\"}} ");
    assert!(
        metrics.contains(&(counted("chosen") + "1")) && metrics.contains(&(counted("rechecked") + "2")),
        "{metrics}"
    );

    // A consent withdrawn meanwhile: the gate speaks, whatever else would be allowed without it.
    service.consent("ann", "withdrawn");
    let told = recheck(&service, &decided);
    assert_eq!((&told["allowed"], against(&told)[0].contains(&"consent.personal".to_owned())), (&json!(false), true));
    later(&service, 48);
    service.consent("ann", "granted");
    assert_eq!(recheck(&service, &decided)["allowed"], true);

    // An offer paused, and one below the floor.
    let first = decided["offers"][0]["offer_id"].as_str().unwrap();
    service.call("POST", &format!("/v1/offers/{first}/pause"), Some(&json!({}))).ok();
    let told = recheck(&service, &decided);
    let slots = &told["slots"];
    assert_eq!(
        (&slots[0]["candidate"], &slots[0]["allowed"], &slots[1]["allowed"], &told["allowed"]),
        (&json!(false), &json!(false), &json!(true), &json!(false))
    );
    // Whatever else is wrong with it, the gate speaks too.
    later(&service, 49);
    service.consent("ann", "withdrawn");
    assert!(against(&recheck(&service, &decided)).iter().all(|rules| rules.contains(&"consent.personal".to_owned())));
    later(&service, 50);
    service.consent("ann", "granted");
    service.call("POST", &format!("/v1/offers/{first}/resume"), Some(&json!({}))).ok();
    let second = decided["offers"][1]["offer_id"].as_str().unwrap();
    service.import(&json!([offer(second, "shoes", "10.00", "9.90")]));
    let told = recheck(&service, &decided);
    assert_eq!(against(&told), [vec![], vec!["margin.floor".to_owned()]]);
    let sentence = told["slots"][1]["excluded_by"][0]["sentence"].as_str().unwrap();
    assert_eq!(sentence, "`margin.floor` (Finance floor for the year): margin 1% is under the floor of 10%");
}

#[test]
fn what_others_of_the_household_have_seen_since_counts_and_what_is_personal_is_told_to_auditors_alone() {
    let service = service(Kind::Sqlite);
    let decided = service.decide(&letter("ann")).ok();
    let of_bob = service.decide(&letter("bob")).ok();
    assert_eq!(recheck(&service, &decided)["allowed"], true, "two of bob's and two of its own are four");
    // Bob's come late, behind their reservation, when others have been promised already.
    later(&service, 49);
    let again = service.decide(&letter("bob")).ok();
    assert_eq!(again["fallback"], false);
    assert_eq!(seen(&service, &of_bob, 1)["after_reservation"], true);
    let told = recheck(&service, &decided);
    assert_eq!((&told["allowed"], against(&told)[0].clone()), (&json!(false), vec!["cap.home".to_owned()]));
    assert_eq!(told["slots"][0]["excluded_by"][0]["observed"], 4);
    let decides = service.wait(service.core.create_key("sender", &[Role::Decide], "test")).unwrap().unwrap();
    let bearer = format!("Bearer {decides}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let plain = service.send("POST", &path(&decided, "recheck"), &headers, None).ok();
    let told = &plain["slots"][0]["excluded_by"][0];
    assert_eq!((&told["rule"], &told["observed"], &told["limit"]), (&json!("cap.home"), &Value::Null, &json!(4)));
}

fn check_releases(kind: Kind) {
    let service = service(kind);
    let decided = service.decide(&letter("ann")).ok();
    let of_bob = service.decide(&letter("bob")).ok();
    assert_eq!(service.decide(&letter("ann")).ok()["fallback"], true);
    for _ in 0..2 {
        assert_eq!(release(&service, &decided)["status"], "released", "however often");
    }
    let again = service.decide(&letter("ann")).ok();
    assert_eq!(again["offers"].as_array().unwrap().len(), 2, "for the customer and for the household");
    assert_eq!(service.decide(&letter("ann")).ok()["fallback"], true, "once, and not twice");
    let house = service.decide(&letter("ann")).ok();
    assert_eq!(release(&service, &house)["status"], "nothing_reserved");

    // What was seen stays counted.
    assert_eq!(seen(&service, &of_bob, 0)["status"], "accepted");
    let refused = service.call("POST", &path(&of_bob, "release"), None);
    assert_eq!(refused.status, 409);
    assert!(refused.json()["detail"].as_str().unwrap().contains("was seen at 2026-03-01T09:30:00"), "{}", refused.body);

    // An impression all the same: counted, and flagged though its reservation would have lasted.
    assert_eq!(seen(&service, &decided, 0)["after_reservation"], true);
    let record = service.record(&service.decide(&letter("ann")).ok());
    let caps = record["candidates"][0]["excluded_by"].as_array().unwrap().clone();
    let observed: Vec<(&str, &Value)> =
        caps.iter().map(|cap| (cap["rule"].as_str().unwrap(), &cap["observed"])).collect();
    assert!(
        observed.contains(&("cap.letters", &json!(4))) && observed.contains(&("cap.home", &json!(6))),
        "{observed:?}"
    );
    service.remove();
}

#[test]
fn what_is_given_back_makes_room_at_once_and_what_is_seen_all_the_same_counts_on_sqlite() {
    check_releases(Kind::Sqlite);
}

#[test]
fn what_is_given_back_makes_room_at_once_and_what_is_seen_all_the_same_counts_on_postgresql() {
    check_releases(Kind::Postgres);
}

#[test]
fn what_is_given_back_stays_so_when_counters_are_built_anew_and_is_not_learned_from() {
    let service = service(Kind::Sqlite);
    let kept = service.decide(&letter("ann")).ok();
    let given_back = service.decide(&letter("bob")).ok();
    service.learn();
    let exposures = |service: &Service| -> i64 {
        let models = service.call("GET", "/v1/models", None).ok();
        let letter = models["models"].as_array().unwrap().iter().find(|model| model["placement"] == "letter").cloned();
        let arms = letter.unwrap()["arms"].as_array().unwrap().clone();
        arms.iter().map(|arm| arm["exposures"].as_i64().unwrap()).sum()
    };
    assert_eq!(exposures(&service), 4);
    release(&service, &given_back);
    service.learn();
    assert_eq!(exposures(&service), 2, "what was learned of it is taken back");
    assert_eq!(service.record(&given_back)["outcomes"]["count"], 0, "no source told of it");
    let wider = files().into_iter().map(|mut file| {
        file.text = file.text.replace("max: 2, window", "max: 3, window");
        file
    });
    let service = service.restart_with(wider.collect());
    assert_eq!(
        service.decide(&letter("bob")).ok()["offers"].as_array().unwrap().len(),
        2,
        "four less two are given back"
    );
    assert_eq!(service.decide(&letter("ann")).ok()["fallback"], true, "the household has its four");
    seen(&service, &given_back, 0);
    service.learn();
    assert_eq!(exposures(&service), 6, "seen all the same");
    assert_eq!(recheck(&service, &kept)["allowed"], false);
}

#[test]
fn what_is_not_known_or_cannot_be_is_said() {
    let service = service(Kind::Sqlite);
    let unknown = json!({"decision_id": shop::id(9)});
    for verb in ["recheck", "release"] {
        assert_eq!(service.call("POST", &path(&unknown, verb), Some(&json!({}))).status, 404, "{verb}");
        assert_eq!(service.call("POST", &format!("/v1/decisions/nine:{verb}"), Some(&json!({}))).status, 422, "{verb}");
        assert_eq!(service.call("GET", &path(&unknown, verb), None).status, 405, "{verb}");
    }
    let decided = service.decide(&letter("ann")).ok();
    let wrong = service.call("POST", &path(&decided, "recheck"), Some(&json!({"time_zone": "Berlin"})));
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["pointer"]), (422, &json!("/time_zone")));
    let event = json!({
        "event_id": "r-1", "source": "mail", "type": "release", "decision_id": decided["decision_id"],
        "occurred_at": NOW.to_string(),
    });
    let told = service.call("POST", "/v1/outcomes", Some(&event));
    assert_eq!(told.status, 422, "a source tells of no release: {}", told.body);
}
