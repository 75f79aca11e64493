//! Erasures killed before and behind each of their commits: the next start completes them, and every model is as if the
//! customer had never come. Erases nobody under load.

use std::os::unix::process::ExitStatusExt as _;

use proffer::domain::Timestamp;
use serde_json::{Value, json};

use super::check::learned;
use super::ground::{self, Digests};
use super::siege::Siege;
use crate::harness::client::{Answer, Client, json_of, now_ms};
use crate::harness::database::Kind;
use crate::harness::server::{Server, until};

fn erase(client: &Client) -> Result<Answer, ureq::Error> {
    client.send("DELETE", "/v1/customers/ann", &[], &[])
}

fn known(client: &Client, customer: &str) -> bool {
    client.get(&format!("/v1/customers/{customer}")).unwrap().status() == 200
}

/// Four decisions of a customer, and an order of each.
fn history(client: &Client, customer: &str) {
    let record = json!({"purpose": "offer_personalisation", "state": "granted", "evidence_id": customer});
    assert_eq!(client.put_consents(customer, &json!([record])).unwrap().status(), 200);
    for _ in 0..4 {
        let request = json!({
            "customer": {"id": customer, "attributes": {"tier": "gold"}}, "placement": "checkout",
            "jurisdiction": "US-NY", "context": {"device_type": "mobile"},
        });
        let decided = json_of(&client.decide(&request).unwrap());
        let id = decided["decision_id"].as_str().unwrap();
        let event = json!({
            "event_id": format!("order-{id}"), "source": "checkout", "type": "order", "decision_id": id,
            "occurred_at": Timestamp(now_ms()), "revenue": {"amount": "40.00", "currency": "USD"},
        });
        let headers = [("content-type", "application/json")];
        let taken = client.send("POST", "/v1/outcomes", &headers, event.to_string().as_bytes()).unwrap();
        assert_eq!(taken.status(), 200);
    }
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
    history(&client, "ann");
    history(&client, "bob");
    let with = learned(&siege, &siege.wire(&server));
    assert!(server.terminate().success());

    let (mut server, client): (Server, Client) = start(Some(&format!("{step}:1")));
    assert!(erase(&client).is_err(), "{kind:?} {step}: nobody is answered");
    let status = until("the service to end", || server.ended());
    assert_eq!(status.signal(), Some(9), "{kind:?} {step}: {}", server.said());

    let (server, client) = start(None);
    // The list outside the database says so before anything in it does.
    assert!(!known(&client, "ann"), "{kind:?} {step}");
    let mut told = Value::Null;
    until("the erasure to be complete", || {
        let answer = erase(&client).unwrap();
        told = json_of(&answer);
        (answer.status() == 200).then_some(())
    });
    assert_eq!((&told["status"], &told["decisions"]), (&json!("erased"), &json!(4)));
    assert_eq!((known(&client, "ann"), known(&client, "bob")), (false, true));
    let (store, keys) = (siege.open(), siege.site.keys());
    let left = siege.runtime.block_on(ground::read(store.as_ref(), &keys));
    assert_eq!(left.len(), 4, "bob's");
    let without: Digests = ground::models_of(&left);
    let live = learned(&siege, &siege.wire(&server));
    assert!(live != with && without.iter().all(|(model, digest)| live.get(model) == Some(digest)), "{kind:?} {step}");
    let (of_events, _) = siege.runtime.block_on(ground::models_of_events(store.as_ref(), &keys));
    assert_eq!(of_events, live, "{kind:?} {step}: a start reads the same");
    assert_eq!(siege.end(server).told, [""; 0]);
}

#[test]
fn an_erasure_that_is_killed_at_any_step_is_completed_by_the_next_start() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for step in ["erasure-begun", "erasure-written", "erasure-durable"] {
            killed_at(kind, step);
        }
    }
}
