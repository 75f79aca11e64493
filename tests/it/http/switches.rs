//! Switches and overrides as callers meet them: what an offer was stopped, put in or pinned by, in answer and record.

use serde_json::{Value, json};

use super::service::Plan;
use super::shop::{self, ask_as, with};
use crate::harness::database::Kind;

const TERMS: &str = "approver: Jane Doe, ticket: OPS-7, effective: {from: 2026-02-25T00:00:00Z, until: \
                     2026-03-05T00:00:00Z}";

/// What rules said of an offer in a record, by list.
fn said(record: &Value, offer: &str, list: &str) -> Vec<(String, String)> {
    let mut rows = record["candidates"].as_array().unwrap().iter();
    let row = rows.find(|row| row["offer_id"] == offer).unwrap();
    let told = row[list].as_array().unwrap().iter();
    told.map(|told| (told["rule"].as_str().unwrap().into(), told["sentence"].as_str().unwrap().into())).collect()
}

#[test]
fn a_stopped_offer_is_shown_to_nobody_a_pinned_one_to_everybody_and_the_record_says_by_whom() {
    let rules = format!(
        "kill_switches:\n  - {{id: stop.tent, why: Recall, stop: {{offers: [tent]}}, {TERMS}}}\n\
         overrides:\n  - {{id: first.boots, why: Launch, action: pin, offers: [boots], {TERMS}}}\n  \
         - {{id: in.boots, why: Launch, action: force_in, offers: [boots, tent], {TERMS}}}\n\
         exclusions:\n  - {{id: no.shoes, why: Season, when: offer.category == \"shoes\"}}\n"
    );
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let mut policies = shop::policies();
        let file = policies.iter_mut().find(|file| file.path == "rules/shop.yaml").unwrap();
        file.text.push_str(&rules);
        let service = Plan::new(kind).policies(policies).start();
        service.import(&shop::offers());
        for number in 1..8 {
            let request = ask_as(number, &format!("c-{number}"));
            let tried = service.decide(&with(&request, "dry_run", &json!(true))).ok();
            let answer = service.decide(&request).ok();
            assert_eq!(answer["offers"][0]["offer_id"], "boots", "{answer}");
            for told in [&tried, &service.record(&answer)] {
                let stopped = (
                    "stop.tent".into(),
                    "`stop.tent` (Recall): the offer is stopped, approved by Jane Doe, \
                                ticket OPS-7"
                        .to_owned(),
                );
                assert_eq!(said(told, "tent", "excluded_by"), [stopped]);
                assert_eq!(said(told, "boots", "excluded_by"), []);
                let lifted = said(told, "boots", "noted");
                assert_eq!(lifted[0].0, "no.shoes");
                let by = "`in.boots` (Launch): lifted one rule that would have left it out, approved by Jane Doe, \
                          ticket OPS-7";
                assert_eq!(lifted[1], ("in.boots".into(), by.to_owned()));
                let first = &told["slots"][0];
                assert_eq!(first["propensity"], 1.0);
                let left = first["left_out"].as_array().unwrap();
                assert!(!left.is_empty() && left.iter().all(|left| left["excluded_by"][0]["rule"] == "first.boots"));
                let sentences = told["explanation"].to_string() + &told["sentences"].to_string();
                assert!(sentences.contains("an override brings it back: `in.boots`"), "{sentences}");
            }
        }
        service.remove();
    }
}
