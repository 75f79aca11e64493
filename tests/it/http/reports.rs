//! `GET /v1/reports/...` and `GET /v1/models/{placement}`: what people in marketing read, from decisions and outcomes
//! that were made here. Judges no learning.

use std::fmt::Write as _;

use proffer::domain::{Span, Timestamp};
use proffer::runtime::Role;
use serde_json::{Value, json};

use super::service::{Answer, Plan, Service};
use super::shop::{self, NOW, ask, id, order, policies_with, with};
use super::transcript::Transcript;
use crate::harness::database::Kind;

fn get(service: &Service, path: &str, accept: &str) -> Answer {
    let bearer = format!("Bearer {}", service.admin);
    service.send("GET", path, &[("authorization", &bearer), ("accept", accept)], None)
}

/// Columns of a table, row by row, with what stands in them.
fn table(answer: &Answer, columns: &[&str]) -> String {
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "text/csv; charset=utf-8"));
    let mut lines = answer.body.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let places: Vec<usize> =
        columns.iter().map(|column| head.iter().position(|name| name == column).unwrap()).collect();
    let mut text = format!("{}\n", columns.join(" | "));
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let shown: Vec<&str> = places.iter().map(|place| fields[*place]).collect();
        let _ = writeln!(text, "{}", shown.join(" | ").trim_end());
    }
    text
}

/// Half of the customers are held out; everybody consents, and everybody who was shown an offer of a choice buys.
fn shop_with_holdout() -> Service {
    let service = Plan::new(Kind::Sqlite).policies(policies_with("holdout: 0%", "holdout: 50%")).start();
    let mut offers = shop::offers();
    for offer in offers.as_array_mut().unwrap() {
        offer["cost_of_showing"] = json!({"amount": "0.10", "currency": "USD"});
    }
    service.import(&offers);
    for number in 0..40_u8 {
        let customer = format!("c-{number}");
        service.consent(&customer, "granted");
        let request = with(&ask(&customer), "decision_id", &json!(id(number)));
        let answer = service.decide(&request).ok();
        let bought = answer["holdout"] == json!(false) || number % 4 == 0;
        if bought {
            let margin = json!({"amount": "5.00", "currency": "USD"});
            let event = with(&order(&format!("o-{number}"), &id(number), "50.00"), "margin", &margin);
            assert_eq!(service.outcomes(&json!([event]))[0]["status"], "accepted");
        }
    }
    // Nobody in particular is in no holdout.
    service.decide(&json!({"placement": "home"})).ok();
    service
}

#[test]
fn a_report_adds_up_decisions_acceptance_margin_and_what_the_holdout_did_without() {
    let service = shop_with_holdout();
    let report = get(&service, "/v1/reports/performance", "application/json").ok();
    let group = &report["groups"][0];
    let (decisions, holdout) = (&group["decisions"], &group["against_holdout"]["holdout"]);
    assert_eq!((decisions, &group["group"], &group["currency"]), (&json!(41), &json!("home"), &json!("USD")));
    let held = holdout["decisions"].as_u64().unwrap();
    let rest = &group["against_holdout"]["rest"];
    assert_eq!(held + rest["decisions"].as_u64().unwrap(), 40, "nobody in particular is on neither side: {group}");
    assert_eq!(rest["accepted"], rest["decisions"]);
    // 5.00 of each order, less 0.10 for showing it.
    assert_eq!(rest["margin_per_decision"], "4.9000");
    let bought_held = holdout["accepted"].as_u64().unwrap();
    assert!(bought_held > 0 && bought_held < held, "{holdout}");
    let cents = i64::try_from(bought_held * 500).unwrap();
    assert_eq!(
        holdout["margin"]["amount"],
        format!("{}.{:02}", cents / 100, cents % 100),
        "house content costs nothing"
    );
    let lift = &group["against_holdout"]["lift"];
    let (low, high) = (lift["acceptance"]["low"].as_f64().unwrap(), lift["acceptance"]["high"].as_f64().unwrap());
    assert!(low > 0.2 && high < 1.0, "{lift}");
    assert!(lift["margin_per_decision"]["low"].as_str().unwrap().parse::<f64>().unwrap() > 1.0, "{lift}");
    let by_offer = get(&service, "/v1/reports/performance?by=offer", "application/json").ok();
    let sum = |field: &str| -> u64 {
        by_offer["groups"].as_array().unwrap().iter().map(|group| group[field].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("decisions"), 41);
    assert_eq!(json!(sum("accepted")), group["accepted"]);
    assert!(by_offer["groups"].as_array().unwrap().iter().all(|group| group["against_holdout"].is_null()));
}

#[test]
fn reports_are_grouped_as_asked_and_come_as_tables_too() {
    let service = Service::start();
    let mut boots = shop::offers()[0].clone();
    boots["campaign"] = json!("spring");
    let spring = json!([{"campaign_id": "spring", "owner": "merchandising"}]);
    service.call("POST", "/v1/offers:import", Some(&json!({"campaigns": spring, "offers": [boots]}))).ok();
    for number in 1..=8 {
        let request = with(&with(&ask("c-1"), "decision_id", &json!(id(number))), "candidates", &json!(["boots"]));
        service.decide(&with(&request, "customer", &json!({"id": format!("c-{number}")}))).ok();
    }
    service.outcomes(&json!([
        order("o-1", &id(1), "80.00"),
        order("o-2", &id(2), "80.00"),
        shop::refund("r-2", "o-2")
    ]));
    let columns = ["decisions", "shown", "exposed", "accepted", "margin", "margin_per_decision", "fallback"];
    let mut text = String::new();
    for by in ["placement", "strategy", "offer", "variant", "day"] {
        let answer = get(&service, &format!("/v1/reports/performance?by={by}"), "text/csv");
        text.push_str(&table(&answer, &[&[by, "currency"], columns.as_slice()].concat()));
    }
    insta::assert_snapshot!(text, @r"
    placement | currency | decisions | shown | exposed | accepted | margin | margin_per_decision | fallback
    home | USD | 8 | 8 | 8 | 1 | 28.00 | 3.5000 | 0
    strategy | currency | decisions | shown | exposed | accepted | margin | margin_per_decision | fallback
    thompson_linear | USD | 8 | 8 | 8 | 1 | 28.00 | 3.5000 | 0
    offer | currency | decisions | shown | exposed | accepted | margin | margin_per_decision | fallback
    boots | USD | 8 | 8 | 8 | 1 | 28.00 | 3.5000 | 0
    variant | currency | decisions | shown | exposed | accepted | margin | margin_per_decision | fallback
    boots/a | USD | 8 | 8 | 8 | 1 | 28.00 | 3.5000 | 0
    day | currency | decisions | shown | exposed | accepted | margin | margin_per_decision | fallback
    2026-03-01 | USD | 8 | 8 | 8 | 1 | 28.00 | 3.5000 | 0
    ");
    let answer = get(&service, "/v1/reports/performance?by=campaign", "text/csv");
    insta::assert_snapshot!(table(&answer, &["campaign", "decisions", "accepted"]), @r"
    campaign | decisions | accepted
    spring | 8 | 1
    ");
}

#[test]
fn a_report_holds_what_was_decided_in_its_time_and_nothing_else() {
    let service = Service::start();
    for (day, number) in [(0, 1), (1, 2), (1, 3), (2, 4)] {
        service.core.clock.set(NOW.plus(Span(day * 86_400_000)));
        let at = service.core.clock.now().0;
        let decision = proffer::domain::DecisionId::from_parts(at, [number; 10]).to_string();
        service.decide(&with(&ask("c-1"), "decision_id", &json!(decision))).ok();
    }
    let count = |query: &str| {
        let report = get(&service, &format!("/v1/reports/performance?{query}"), "*/*").ok();
        report["groups"].as_array().unwrap().iter().map(|group| group["decisions"].as_u64().unwrap()).sum::<u64>()
    };
    for (query, decisions) in [
        ("", 4),
        ("from=2026-03-01&to=2026-03-03", 4),
        ("from=2026-03-02&to=2026-03-02", 2),
        ("from=2026-03-02T09:30:00Z&to=2026-03-03T09:30:00Z", 2),
        ("from=2026-03-01&to=2026-03-01", 1),
        ("from=2026-03-04&to=2026-03-08", 0),
        ("from=2026-03-01&to=2026-03-03&placement=explore", 0),
    ] {
        assert_eq!(count(query), decisions, "{query}");
    }
}

#[test]
fn what_rules_left_out_is_told_with_why_by_placement_and_day() {
    let service = Service::start();
    service.consent("c-1", "granted");
    for number in 1..=6 {
        service.decide(&with(&ask("c-1"), "decision_id", &json!(id(number)))).ok();
    }
    service.decide(&ask("no-consent")).ok();
    let answer = get(&service, "/v1/reports/exclusions", "text/csv");
    insta::assert_snapshot!(answer.body.replace("\r\n", "\n"), @r"
    placement,day,rule,why,decisions,of_decisions,share,variants,later_slots,refused,would_decisions,would_variants,would_later_slots
    home,2026-03-01,cap.all.week,At most five offers a week,1,7,0.142857,4,0,0,0,0,0
    home,2026-03-01,cap.offer.day,Nobody sees one offer more than twice a day,4,7,0.571429,6,0,0,0,0,0
    home,2026-03-01,consent.personal,Personal offers need a consent in force,1,7,0.142857,0,0,1,0,0,0
    home,2026-03-01,margin.floor,Finance floor for the year,7,7,1.000000,7,0,0,0,0,0
    ");
    let report = get(&service, "/v1/reports/exclusions?placement=explore", "*/*").ok();
    assert_eq!(report["rules"], json!([]));
}

#[test]
fn parameters_that_cannot_be_are_all_told_at_once() {
    let service = Service::start();
    let mut transcript = Transcript::default();
    for query in [
        "by=ofer&form=2026-03-01",
        "from=yesterday&to=2026-13-01",
        "from=2026-03-02&to=2026-03-01",
        "from=2024-01-01&to=2026-01-01",
        "placement=hme",
        "placement=a%20b&by=",
        "by=day&by=offer",
        "from=2026-03-01T09:30:00+01:00",
    ] {
        transcript.problem(query, &get(&service, &format!("/v1/reports/performance?{query}"), "*/*"));
    }
    transcript.problem("exclusions", &get(&service, "/v1/reports/exclusions?by=day", "*/*"));
    transcript.problem("models", &get(&service, "/v1/models/hme", "*/*"));
    insta::assert_snapshot!(transcript.0, @r"
    by=ofer&form=2026-03-01
      422 invalid: 2 things are wrong; see `errors`
        ?form: unknown parameter `form`, expected one of `placement`, `from`, `to`, `by`; did you mean `from`?
        ?by: `ofer` is unknown, expected one of `placement`, `strategy`, `offer`, `variant`, `day`, `campaign`, `contender`; did you mean `offer`?
    from=yesterday&to=2026-13-01
      422 invalid: 2 things are wrong; see `errors`
        ?from: `yesterday` is neither a date nor an instant: expected such as `2026-03-01` or `2026-03-01T09:30:00Z` (in a URL a `+` is written `%2B`)
        ?to: `2026-13-01` is neither a date nor an instant: expected such as `2026-03-01` or `2026-03-01T09:30:00Z` (in a URL a `+` is written `%2B`)
    from=2026-03-02&to=2026-03-01
      422 invalid: `from` (2026-03-02T00:00:00.000Z) is not before `to` (2026-03-02T00:00:00.000Z)
        ?from:
    from=2024-01-01&to=2026-01-01
      422 invalid: from 2024-01-01T00:00:00.000Z to 2026-01-02T00:00:00.000Z is too long a time: ask for at most 366 days at once
        ?from:
    placement=hme
      422 invalid: the active bundle has no placement `hme`; did you mean `home`?
        ?placement:
    placement=a%20b&by=
      422 invalid: `a b` is not a placement id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
        ?placement:
    by=day&by=offer
      422 invalid: `by` is given twice
        ?by:
    from=2026-03-01T09:30:00+01:00
      422 invalid: `2026-03-01T09:30:00 01:00` is neither a date nor an instant: expected such as `2026-03-01` or `2026-03-01T09:30:00Z` (in a URL a `+` is written `%2B`)
        ?from:
    exclusions
      422 invalid: unknown parameter `by`, expected one of `placement`, `from`, `to`
        ?by:
    models
      404 not-found: the active bundle has no placement `hme`; did you mean `home`?
    ");
}

#[test]
fn a_key_that_only_decides_reads_no_report() {
    let service = Service::start();
    let key = |name: &str, role| service.wait(service.core.create_key(name, &[role], "test")).unwrap().unwrap();
    for (name, role, status) in [("front", Role::Decide, 403), ("buyer", Role::Catalogue, 200)] {
        let bearer = format!("Bearer {}", key(name, role));
        for path in ["/v1/reports/performance", "/v1/reports/exclusions", "/v1/models/home"] {
            assert_eq!(service.send("GET", path, &[("authorization", &bearer)], None).status, status, "{path}");
        }
    }
}

#[test]
fn what_was_learned_is_told_in_sentences_with_the_features_that_matter() {
    let service = Service::start();
    for number in 0..120_u8 {
        let (customer, gold) = (format!("c-{number}"), number % 2 == 0);
        service.consent(&customer, "granted");
        let tier = if gold { "gold" } else { "silver" };
        let request = json!({
            "decision_id": id(number), "customer": {"id": customer, "attributes": {"tier": tier}},
            "placement": "home", "candidates": ["boots"],
        });
        service.decide(&request).ok();
        if gold {
            service.outcomes(&json!([order(&format!("o-{number}"), &id(number), "80.00")]));
        }
    }
    service.learn();
    let answer = get(&service, "/v1/models/home", "text/plain");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    // How often the learner looked is its own business.
    let (head, told) = answer.body.split_once("\n\n").unwrap();
    assert!(head.starts_with("What was learned at `home` for margin by `thompson_linear`, after 1"), "{head}");
    insta::assert_snapshot!(told, @r"
    boots/a (boots)
      seen 120 times, accepted 60 times: 50.0 % accept (41.2 % to 58.8 %)
      earned 1680.00 USD; worth 14.00 USD each time it is seen (give or take 2.47)
      customer.tier is gold: +65.8 points (give or take 16.9)
      customer.tier is silver: -32.6 points (give or take 16.9)

    3 variants are in the catalogue of which nothing was learned yet.
    ");
    let shown: Value = get(&service, "/v1/models/home", "application/json").ok();
    let arm = &shown["arms"][0];
    assert_eq!((&arm["offer_id"], &arm["exposures"], &arm["accepted"]), (&json!("boots"), &json!(120), &json!(60)));
    assert_eq!(arm["effects"][0]["feature"], "customer.tier is gold");
    assert_eq!(arm["effects"][0]["clear"], true);
    let empty = get(&service, "/v1/models/explore", "text/plain").body;
    insta::assert_snapshot!(empty, @r"
    What was learned at `explore` for margin by `thompson_linear`, after 0 learning events.

    4 variants are in the catalogue of which nothing was learned yet.
    ");
}

#[test]
fn the_last_thirty_days_end_now() {
    let service = Service::start();
    let report = get(&service, "/v1/reports/exclusions", "*/*").ok();
    let end = NOW.0 + 1;
    assert_eq!((&report["to"], &report["from"]), (&json!(Timestamp(end)), &json!(Timestamp(end - 30 * 86_400_000))));
}
