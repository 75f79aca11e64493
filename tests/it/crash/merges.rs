//! Merges killed before and behind their commit: two customers stay two, or are one with everything of both. Merges
//! nobody under load.

use std::os::unix::process::ExitStatusExt as _;

use serde_json::{Value, json};

use super::siege::Siege;
use crate::harness::client::{Answer, Client, json_of};
use crate::harness::database::Kind;
use crate::harness::server::{Server, until};

fn merge(client: &Client) -> Result<Answer, ureq::Error> {
    let headers = [("content-type", "application/json")];
    client.send("POST", "/v1/customers/guest:merge", &headers, json!({"into": "ann"}).to_string().as_bytes())
}

/// Whose consents are told under an id, by their evidence.
fn evidence(client: &Client, customer: &str) -> Vec<String> {
    let told = json_of(&client.get(&format!("/v1/customers/{customer}/consents")).unwrap());
    let records = told["consents"].as_array().unwrap().iter();
    records.map(|record| record["evidence_id"].as_str().unwrap().to_owned()).collect()
}

/// Asks for one offer alone; the answer.
fn asked(client: &Client, customer: &str, offer: &str, dry_run: bool) -> Value {
    json_of(
        &client
            .decide(&json!({
                "customer": {"id": customer, "attributes": {"tier": "gold"}}, "placement": "sidebar",
                "jurisdiction": "US-NY", "context": {"device_type": "mobile"}, "candidates": [offer],
                "dry_run": dry_run,
            }))
            .unwrap(),
    )
}

/// Whether somebody has seen an offer today, as the cap knows it.
fn has_seen(client: &Client, customer: &str, offer: &str) -> bool {
    let told = asked(client, customer, offer, true).to_string();
    told.contains("cap.offer.day")
}

fn killed_at(kind: Kind, step: &str) {
    let siege = Siege::new(kind);
    let start = |stop: Option<&str>| {
        let server = siege.site.start(&stop.map(|stop| ("PROFFER_STOP_AT", stop)).into_iter().collect::<Vec<_>>());
        let client = server.client(&siege.site.admin_key());
        (server, client)
    };
    let (server, client) = start(None);
    siege.furnish(&server);
    for customer in ["guest", "ann"] {
        let record = json!({"purpose": "offer_personalisation", "state": "granted", "evidence_id": customer});
        assert_eq!(client.put_consents(customer, &json!([record])).unwrap().status(), 200);
    }
    let both = ["guest", "ann"];
    for (customer, offer) in both.iter().zip(["offer-1", "offer-2"]) {
        assert_eq!(asked(&client, customer, offer, false)["fallback"], false);
    }
    assert!(server.terminate().success());

    let (mut server, client): (Server, Client) = start(Some(&format!("{step}:1")));
    assert!(merge(&client).is_err(), "{kind:?} {step}: nobody is answered");
    let status = until("the service to end", || server.ended());
    assert_eq!(status.signal(), Some(9), "{kind:?} {step}: {}", server.said());

    let (server, client) = start(None);
    let whole = step == "consents-durable";
    let (own, all) = (["guest"].map(str::to_owned).to_vec(), ["ann", "guest"].map(str::to_owned).to_vec());
    assert_eq!(evidence(&client, "guest"), if whole { all.clone() } else { own }, "{kind:?} {step}");
    assert_eq!(evidence(&client, "ann").len(), if whole { 2 } else { 1 }, "{kind:?} {step}");
    let seen = |customer| ["offer-1", "offer-2"].map(|offer| has_seen(&client, customer, offer));
    assert_eq!(seen("guest"), [true, whole], "{kind:?} {step}");
    assert_eq!(seen("ann"), [whole, true], "{kind:?} {step}");
    for _ in 0..2 {
        assert_eq!(merge(&client).unwrap().status(), 200);
        assert_eq!(both.map(|customer| evidence(&client, customer)), [all.clone(), all.clone()], "{kind:?} {step}");
        assert_eq!(both.map(seen), [[true; 2]; 2], "{kind:?} {step}");
    }
    assert_eq!(siege.end(server).told, [""; 0]);
}

#[test]
fn a_merge_that_is_killed_happens_whole_or_not_at_all() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for step in ["consents-written", "consents-durable"] {
            killed_at(kind, step);
        }
    }
}
