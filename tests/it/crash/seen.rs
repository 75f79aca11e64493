//! Seen: a kill between the storing of an impression and its counting by the caps. Puts no load on the service.

use std::time::Duration;

use proffer::policy::Source as File;
use serde_json::{Value, json};

use super::siege::policies;
use crate::harness::client::{json_of, now_ms};
use crate::harness::database::{Database, Kind};
use crate::harness::server::{Server, Site, pause, until};

const RESERVED_MS: i64 = 2_000;

/// The policies of the crash tests with one cap: a customer sees one offer in a lifetime.
fn write_policies(folder: &std::path::Path) {
    let files = proffer::runtime::read_policies(&policies()).unwrap();
    for File { path, text } in files {
        let text = match path.as_str() {
            "rules/20-caps.yaml" => "owner: care\nfrequency_caps:\n  - {id: cap.once, why: Once is enough, \
                 scope: [customer], max: 1, window: lifetime, counts: impression}\n"
                .to_owned(),
            "placements.yaml" => text.replace("reservation: 10m", "reservation: 2s"),
            _ => text,
        };
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn ask(server: &Server, site: &Site) -> Value {
    let request = json!({"placement": "checkout", "customer": {"id": "c-1"}, "context": {"device_type": "mobile"}});
    let client = server.client(&site.admin_key());
    let answer = until("a decision", || client.decide(&request).ok().filter(|answer| answer.status() == 200));
    json_of(&answer)
}

fn check(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let database = runtime.block_on(Database::create(kind));
    let folder = tempfile::tempdir().unwrap();
    write_policies(folder.path());
    let site = Site::new(&database.url, folder.path());
    let source = site.create_source("shop-front");

    let mut server = site.start(&[("PROFFER_STOP_AT", "outcomes-durable:1")]);
    let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let offer = json!({
        "offer_id": "boots", "price": money("80.00"), "cost_of_goods": money("52.00"),
        "variants": [{"variant_id": "a", "content": {}}],
    });
    let imported = server.client(&site.admin_key()).import(&json!([offer])).unwrap();
    assert_eq!(imported.status(), 200, "{}", imported.body());
    let drawn = ask(&server, &site);
    assert_eq!(drawn["fallback"], false, "{drawn}");
    let decided_ms = now_ms();
    let seen = json!({
        "event_id": "seen-1", "source": "shop-front", "type": "impression", "decision_id": drawn["decision_id"],
        "occurred_at": proffer::domain::Timestamp(decided_ms),
    });
    server.client("").outcomes(&source, &seen).expect_err("nobody is answered");
    until("the service to die", || server.ended());

    let server = site.start(&[]);
    let told = json_of(&server.client("").outcomes(&source, &seen).unwrap());
    assert_eq!(told["results"][0]["status"], "duplicate", "it was stored before the kill: {told}");
    let left = decided_ms + RESERVED_MS + 100 - now_ms();
    pause(Duration::from_millis(left.try_into().unwrap_or(0)));
    let next = ask(&server, &site);
    assert_eq!(next["fallback"], true, "sent again, it counts: {next}");
    assert!(server.terminate().success());
    runtime.block_on(database.remove());
}

#[test]
fn an_impression_killed_between_its_storing_and_its_counting_counts_when_it_is_sent_again_on_sqlite() {
    check(Kind::Sqlite);
}

#[test]
fn an_impression_killed_between_its_storing_and_its_counting_counts_when_it_is_sent_again_on_postgres() {
    check(Kind::Postgres);
}
