//! Cool-downs: what was dismissed or bought is left out for a while by the very next decision, on both stores.

use proffer::domain::Span;
use proffer::policy::Source;
use serde_json::{Value, json};

use super::service::{Plan, Service};
use super::shop::{self, NOW, ask, id, with};
use crate::harness::database::Kind;

const HOUR: i64 = 3_600_000;
const REJECTED: &str = "cool_downs:\n  - id: cool.rejected\n    why: Who dismisses an offer twice is left alone\n    \
                        scope: [customer, offer]\n    after: {event: reject, times: 2, within: 30d}\n    \
                        suppress_for: 14d\n";

fn policies(rules: &str) -> Vec<Source> {
    let mut files = shop::policies_with("max: 5", "max: 50");
    for file in files.iter_mut().filter(|file| file.path == "rules/shop.yaml") {
        file.text = file.text.replace("max: 2", "max: 50");
        file.text.push_str(rules);
    }
    files
}

fn start(kind: Kind, rules: &str) -> Service {
    let service = Plan::new(kind).policies(policies(rules)).start();
    service.import(&shop::offers());
    service.consent("c-1", "granted");
    service
}

fn event(name: &str, kind: &str, decision: &Value, hours: i64) -> Value {
    json!({
        "event_id": name, "source": "shop-front", "type": kind, "decision_id": decision,
        "occurred_at": NOW.plus(Span(hours * HOUR)).to_string(),
    })
}

fn boots() -> Value {
    with(&ask("c-1"), "candidates", &json!(["boots"]))
}

/// Asks about boots: the decision that shows them, or the sentence that left them out and how many events it counted.
fn asked(service: &Service) -> Result<Value, (String, Value)> {
    let answer = service.decide(&boots()).ok();
    if answer["fallback"] == false {
        return Ok(answer["decision_id"].clone());
    }
    let record = service.record(&answer);
    let why = &record["candidates"][0]["excluded_by"];
    assert_eq!(why.as_array().map(Vec::len), Some(1), "{why}");
    assert_eq!(why[0]["rule"], "cool.rejected");
    Err((why[0]["sentence"].as_str().unwrap().to_owned(), why[0]["observed"].clone()))
}

#[test]
fn an_offer_dismissed_twice_is_left_out_by_the_very_next_decision_until_the_cool_down_ends() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let service = start(kind, REJECTED);
        let first = asked(&service).unwrap();
        let second = asked(&service).unwrap();
        service.core.clock.set(NOW.plus(Span(2 * HOUR)));
        // One dismissal, however often it is told or repeated for one showing, is one.
        for event in [event("r-1", "reject", &first, 1), event("r-1", "reject", &first, 1)] {
            service.outcomes(&event);
        }
        service.outcomes(&event("r-1b", "reject", &first, 2));
        asked(&service).unwrap();
        // What is told last happened first: the time of events counts, not of their arrival.
        service.outcomes(&event("r-2", "reject", &second, 0));
        let sentence = "`cool.rejected` (Who dismisses an offer twice is left alone): after 2 rejects within 30d of \
                        this offer nothing of it is shown for 14d, until 2026-03-15T11:30:00.000Z";
        let (told, counted) = asked(&service).unwrap_err();
        assert_eq!((told.as_str(), counted), (sentence, json!(2)));
        let tried = service.decide(&with(&boots(), "dry_run", &json!(true))).ok();
        assert_eq!(tried["fallback"], true, "a dry run finds the same");
        let service = service.restart();
        service.core.clock.set(NOW.plus(Span((14 * 24 + 2) * HOUR - 1)));
        assert_eq!(asked(&service).unwrap_err().0, sentence, "a millisecond before the end, after a restart");
        service.core.clock.set(NOW.plus(Span((14 * 24 + 2) * HOUR)));
        asked(&service).unwrap();
        service.remove();
    }
}

#[test]
fn a_cool_down_published_later_knows_what_was_dismissed_before_it() {
    let service = start(Kind::Sqlite, "");
    let decisions = [asked(&service).unwrap(), asked(&service).unwrap()];
    // The second event arrives before its decision could be known by its name: it is matched when that is stored.
    let early = json!(id(7));
    service.outcomes(&event("r-early", "reject", &early, 0));
    service.core.clock.set(NOW.plus(Span(HOUR)));
    service.outcomes(&event("r-1", "reject", &decisions[0], 1));
    let service = service.restart_with(policies(REJECTED));
    asked(&service).unwrap();
    let named = service.decide(&with(&boots(), "decision_id", &early)).ok();
    assert_eq!(named["fallback"], false);
    service.outcomes(&event("r-early", "reject", &early, 0));
    assert_eq!(asked(&service).unwrap_err().1, json!(2), "one from before the rule, one from before its decision");
}
