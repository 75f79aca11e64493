//! Switches set beside the bundle, as operators meet them: what is refused, what is answered again, what they lift and
//! what they cannot, when they end, and that what was decided with one can be decided again.

use proffer::audit::replay::Verdict;
use proffer::domain::{DecisionId, Span};
use serde_json::{Value, json};

use super::service::{Answer, Plan, Service};
use super::shop::{self, NOW, ask, ask_as, with};
use super::transcript::Transcript;
use crate::harness::database::Kind;

const HOUR: Span = Span(3_600_000);

/// A kill switch of one offer, for two days.
fn kill(id: &str, offer: &str) -> Value {
    json!({
        "id": id, "kind": "kill_switch", "why": "Recalled by the maker", "approver": "Jane Doe", "ticket": "OPS-7",
        "effective": {"until": NOW.plus(Span(48 * HOUR.0))}, "stop": {"offers": [offer]},
    })
}

fn over(id: &str, action: &str, offers: &Value) -> Value {
    let mut switch = kill(id, "");
    switch.as_object_mut().unwrap().remove("stop");
    with(&with(&with(&switch, "kind", &json!("override")), "action", &json!(action)), "offers", offers)
}

fn set(service: &Service, switch: &Value) -> Answer {
    service.call("POST", "/v1/switches", Some(switch))
}

fn end(service: &Service, id: &str) -> Answer {
    service.call("DELETE", &format!("/v1/switches/{id}?why=The%20maker%20has%20mended%20it"), None)
}

/// Which rules left an offer out, in an answer that tells everything.
fn excluded(told: &Value, offer: &str) -> Vec<String> {
    let row = told["candidates"].as_array().unwrap().iter().find(|row| row["offer_id"] == offer).unwrap();
    row["excluded_by"].as_array().unwrap().iter().map(|by| by["sentence"].as_str().unwrap().to_owned()).collect()
}

fn tried(service: &Service, customer: &str) -> Value {
    service.decide(&with(&ask(customer), "dry_run", &json!(true))).ok()
}

const STOPPED: &str = "`proffer.switch.recall` (Recalled by the maker): the offer is stopped, approved by Jane Doe, \
                       ticket OPS-7";

#[test]
fn a_switch_is_obeyed_named_listed_and_ended() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = Plan::new(kind).engines(2).start();
        let other = (matches!(kind, Kind::Postgres)).then(|| service.beside("node-2"));
        let asked = other.as_ref().unwrap_or(&service);
        service.import(&shop::offers());
        assert_eq!(tried(asked, "c-1")["versions"]["switches"], Value::Null);
        let first = set(&service, &kill("recall", "tent")).ok();
        assert_eq!((&first["changed"], &first["state"]), (&json!(true), &json!("in_force")));
        assert_eq!((&first["rule"], &first["set"]["revision"]), (&json!("proffer.switch.recall"), &json!(1)));
        assert_eq!(first["switch"]["effective"]["from"], json!(NOW));
        assert!(first["set"]["by"] == first["switch"]["owner"] && first["warnings"] == Value::Null, "{first}");
        // A dry run commits nothing that could be refused, and obeys it all the same.
        assert_eq!(excluded(&tried(asked, "c-1"), "tent"), [STOPPED]);
        // More customers than engines.
        for number in 1..9 {
            let answer = asked.decide(&ask_as(number, &format!("c-{number}"))).ok();
            assert_eq!(answer["versions"]["switches"], json!(1));
            let record = asked.record(&answer);
            assert_eq!((excluded(&record, "tent"), excluded(&record, "lamp")), (vec![STOPPED.to_owned()], vec![]));
            assert_eq!(record["versions"]["switches"], json!(1));
        }
        // What was sent again changes nothing; what says something else is told so.
        let again = set(asked, &kill("recall", "tent")).ok();
        assert_eq!(again, with(&first, "changed", &json!(false)));
        let mut told = Transcript::default();
        told.problem("another switch of the id", &set(&service, &kill("recall", "lamp")));
        let ended = end(asked, "recall").ok();
        assert_eq!((&ended["state"], &ended["changed"]), (&json!("ended"), &json!(true)));
        assert_eq!(ended["ended"]["why"], "The maker has mended it");
        assert_eq!(excluded(&tried(&service, "c-1"), "tent"), Vec::<String>::new());
        assert_eq!(end(&service, "recall").ok(), with(&ended, "changed", &json!(false)));
        told.problem("the id of one that was ended", &set(&service, &kill("recall", "tent")));
        told.problem("nobody's", &end(&service, "nobody"));
        told.problem("without a reason", &service.call("DELETE", "/v1/switches/recall", None));
        let [name, another] = [&first["set"]["by"], &ended["ended"]["by"]].map(|by| by.as_str().unwrap());
        insta::allow_duplicates! {
            insta::assert_snapshot!(told.0.replace(name, "KEY").replace(another, "KEY"), @"
            another switch of the id
              409 conflict: switch `recall` was set at 2026-03-01T09:30:00.000Z by KEY and says something else: choose another id, or end that one first
            the id of one that was ended
              409 conflict: switch `recall` was ended at 2026-03-01T09:30:00.000Z by KEY (The maker has mended it): an id is used once; choose another
            nobody's
              404 not-found: no switch `nobody` was ever set; `GET /v1/switches` lists those that were
            without a reason
              422 invalid: say why it is ended, such as `?why=the%20recall%20is%20over`: it is kept with the switch
                ?why:
            ");
        }
        // What was decided with it still names it.
        let record = service.call("GET", &format!("/v1/decisions/{}", shop::id(3)), None).ok();
        assert_eq!(excluded(&record, "tent"), [STOPPED]);
        let unknown = set(&service, &kill("early", "kayak")).ok();
        assert_eq!(
            unknown["warnings"],
            json!(["offer `kayak` is not in the catalogue: the switch will touch it once it is"])
        );
        let list = |query: &str| service.call("GET", &format!("/v1/switches{query}"), None).ok();
        let ids = |list: &Value| -> Vec<String> {
            let switches = list["switches"].as_array().unwrap().iter();
            switches.map(|switch| switch["switch"]["id"].as_str().unwrap().to_owned()).collect()
        };
        let all = list("");
        assert_eq!((ids(&all), &all["revision"]), (vec!["early".to_owned(), "recall".to_owned()], &json!(3)));
        assert_eq!(ids(&list("?state=ended")), ["recall"]);
        let page = list("?limit=1");
        assert_eq!(
            (ids(&page), ids(&list(&format!("?limit=1&cursor={}", page["next_cursor"])))),
            (vec!["early".to_owned()], vec!["recall".to_owned()])
        );
        drop(other);
        service.remove();
    }
}

#[test]
fn a_switch_ends_by_the_time_of_the_decision() {
    let service = Service::start();
    set(&service, &kill("recall", "tent")).ok();
    let later = with(
        &kill("later", "boots"),
        "effective",
        &json!({
            "from": NOW.plus(Span(24 * HOUR.0)), "until": NOW.plus(Span(72 * HOUR.0)),
        }),
    );
    assert_eq!(set(&service, &later).ok()["state"], "planned");
    let stopped = |offer: &str| !excluded(&tried(&service, "c-1"), offer).is_empty();
    let mut seen = Vec::new();
    for hours in [0, 24, 47, 48, 71, 72] {
        service.core.clock.set(NOW.plus(Span(hours * HOUR.0)));
        seen.push((hours, stopped("tent"), stopped("boots")));
    }
    let expected = [
        (0, true, false),
        (24, true, true),
        (47, true, true),
        (48, false, true),
        (71, false, true),
        (72, false, false),
    ];
    assert_eq!(seen, expected);
    let states = service.call("GET", "/v1/switches", None).ok();
    let states: Vec<&Value> = states["switches"].as_array().unwrap().iter().map(|switch| &switch["state"]).collect();
    assert_eq!(states, ["expired", "expired"]);
}

#[test]
fn an_override_lifts_what_may_be_lifted_and_beats_no_rule_that_may_not() {
    let mut policies = shop::policies();
    let file = policies.iter_mut().find(|file| file.path == "rules/shop.yaml").unwrap();
    file.text.push_str(
        "exclusions:\n  - {id: season, why: Season, when: offer.category == \"shoes\"}\n  \
         - {id: law, why: The law, when: offer.category == \"outdoor\", overridable: false}\n\
         kill_switches:\n  - {id: stop.lamp, why: Recall, stop: {offers: [lamp]}, approver: Jane Doe, ticket: OPS-1, \
         effective: {from: 2026-02-25T00:00:00Z, until: 2026-03-05T00:00:00Z}}\n",
    );
    let service = Plan::new(Kind::Sqlite).policies(policies).start();
    service.import(&shop::offers());
    let reasons = |service: &Service, offer: &str| -> Vec<String> {
        let told = excluded(&tried(service, "c-1"), offer);
        told.iter().map(|sentence| sentence.split('`').nth(1).unwrap().to_owned()).collect()
    };
    let of = |service: &Service| ["boots", "tent", "lamp", "mug"].map(|offer| reasons(service, offer));
    let before = of(&service);
    assert_eq!(before, [vec!["season"], vec!["law"], vec!["stop.lamp"], vec!["margin.floor"]]);
    set(&service, &over("all-in", "force_in", &json!(["boots", "tent", "lamp", "mug"]))).ok();
    assert_eq!(of(&service), [vec![], vec!["law"], vec!["stop.lamp"], Vec::<&str>::new()]);
    // What is pinned stands first where it may stand at all; what may not is not shown by being pinned.
    set(&service, &over("first", "pin", &json!(["tent", "mug"]))).ok();
    let answer = tried(&service, "c-2");
    assert_eq!(answer["offers"][0]["offer_id"], "mug", "{answer}");
    let noted = answer["candidates"].as_array().unwrap().iter().find(|row| row["offer_id"] == "mug").unwrap();
    let by = noted["noted"].as_array().unwrap().iter().find(|by| by["rule"] == "proffer.switch.all-in").unwrap();
    let sentence = "`proffer.switch.all-in` (Recalled by the maker): lifted one rule that would have left it out, \
                    approved by Jane Doe, ticket OPS-7";
    assert_eq!(by["sentence"], sentence);
    // A kill switch is lifted by nothing, whoever set which first.
    set(&service, &kill("stop-mug", "mug")).ok();
    assert_eq!(reasons(&service, "mug"), ["proffer.switch.stop-mug"]);
    // A bundle that is put in force later is judged with the same switches.
    let later = service.restart_with(shop::policies());
    assert_eq!(of(&later), [vec![], vec![], Vec::<&str>::new(), vec!["proffer.switch.stop-mug"]]);
}

#[test]
fn everything_wrong_with_a_switch_is_told_at_once() {
    let service = Service::start();
    let mut told = Transcript::default();
    let mut wrong = |case: &str, switch: &Value| told.problem(case, &set(&service, switch));
    let without = |field: &str| {
        let mut switch = kill("x", "tent");
        switch.as_object_mut().unwrap().remove(field);
        switch
    };
    let base = kill("x", "tent");
    wrong("no body", &Value::Null);
    wrong("no id", &without("id"));
    wrong("no reason", &without("why"));
    wrong("no ticket", &without("ticket"));
    wrong("no approver", &without("approver"));
    wrong("no end", &with(&base, "effective", &json!({})));
    wrong("an empty reason", &with(&base, "why", &json!("")));
    wrong("an unknown field", &with(&base, "expires", &json!("2026-03-05T00:00:00Z")));
    wrong("an unknown kind", &with(&base, "kind", &json!("killswitch")));
    wrong("a bad id", &with(&base, "id", &json!("stop tent")));
    wrong("too long", &with(&base, "effective", &json!({"until": NOW.plus(Span(15 * 24 * HOUR.0))})));
    wrong(
        "over already",
        &with(
            &base,
            "effective",
            &json!({
                "from": NOW.minus(Span(2 * HOUR.0)), "until": NOW.minus(HOUR),
            }),
        ),
    );
    wrong(
        "unknown category and placement",
        &with(&with(&base, "stop", &json!({"categories": ["shoe"]})), "applies_to", &json!({"placements": ["hom"]})),
    );
    wrong("stops nothing", &with(&base, "stop", &json!("everything")));
    wrong("a field of overrides", &with(&base, "action", &json!("pin")));
    wrong("an unknown action", &over("x", "force", &json!(["tent"])));
    set(&service, &over("in", "force_in", &json!(["tent"]))).ok();
    wrong("a contradiction", &over("out", "force_out", &json!(["tent"])));
    insta::assert_snapshot!(told.0, @"
    no body
      422 invalid: expected an object with the fields of a switch, found null
        :
    no id
      422 invalid: the field `id` is missing
        :
    no reason
      422 invalid: the field `why` is missing
        :
    no ticket
      422 invalid: the field `ticket` is missing
        :
    no approver
      422 invalid: the field `approver` is missing
        :
    no end
      422 invalid: switch `x`: both `from` and `until` are needed; what acts at once passes: say when it begins and when it ends, at most 14 days later; what is to stay is a rule of another list
        /effective:
    an empty reason
      422 invalid: switch `x`: `why` is empty; say who asked for the rule and where that is written down: it is logged with every exclusion
        /why:
    an unknown field
      422 invalid: unknown field `expires`, expected one of `id`, `kind`, `why`, `owner`, `approver`, `ticket`, `effective`, `applies_to`, `stop`, `action`, `offers`
        /expires:
    an unknown kind
      422 invalid: unknown value `killswitch`, expected `kill_switch` or `override`; did you mean `kill_switch`?
        /kind:
    a bad id
      422 invalid: `stop tent` is not the id of a switch: expected 1 to 48 letters, digits, `.`, `_`, `:` or `-`
        /id:
    too long
      422 invalid: switch `x`: it holds for more than 14 days; what acts at once passes: say when it begins and when it ends, at most 14 days later; what is to stay is a rule of another list
        /effective:
    over already
      422 invalid: switch `x` would have ended already, from 2026-03-01T07:30:00.000Z until 2026-03-01T08:30:00.000Z: give a later `until`
        /effective:
    unknown category and placement
      422 invalid: 2 things are wrong; see `errors`
        /applies_to: switch `x`: applies_to: unknown placement `hom`; did you mean `home`?
        /stop: switch `x`: stop: unknown category `shoe`; did you mean `shoes`? categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or correct it here
    stops nothing
      422 invalid: switch `x`: stop: it is not said what is stopped; write `stop: {offers: [...], categories: [...], campaigns: [...]}`, or `stop: all`
        /stop:
    a field of overrides
      422 invalid: switch `x`: unknown field `action`; the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`, `overridable`, `stop`, `approver`, `ticket`
        /action:
    an unknown action
      422 invalid: switch `x`: unknown action `force`; did you mean `force_in`? expected one of `force_in`, `force_out`, `pin`
        /action:
    a contradiction
      422 invalid: switch `out`: it contradicts switch `in`: `force_out` and `force_in` of `tent`; both hold at the same time and place: remove one of them, or part them by `effective` or `applies_to`
        :
    ");
    let answer = set(&service, &with(&base, "stop", &json!({"categories": ["shoe"]}))).json();
    assert_eq!(answer["errors"][0]["code"], "P0110", "{answer}");
}

/// A record that was made with a switch, decided again from what the store has.
#[test]
fn what_was_decided_with_a_switch_is_decided_again_byte_for_byte() {
    let service = Service::start();
    set(&service, &kill("recall", "tent")).ok();
    set(&service, &over("first", "pin", &json!(["lamp"]))).ok();
    let wanted = json!({
        "decision_id": shop::id(7), "customer": {"session": "s-1"}, "placement": "home",
        "context": {"device_type": "mobile"},
    });
    let answer = service.decide(&wanted).ok();
    // Nothing of it is in force any more, and the bundle is another one.
    end(&service, "recall").ok();
    end(&service, "first").ok();
    let service = service.restart_with(shop::policies_with("min_margin: 10%", "min_margin: 11%"));
    let id = DecisionId::parse(answer["decision_id"].as_str().unwrap()).unwrap();
    let opened = service.wait(service.core.record(id)).unwrap().unwrap();
    let recorded = &opened.skeleton;
    assert_eq!((recorded.switches, opened.bundle.switches), (Some(2), Some(2)));
    assert_eq!(service.wait(service.core.replay(id)).unwrap(), Some(Verdict::Identical));
}
