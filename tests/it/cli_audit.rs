//! `proffer audit` and key periods as people meet them: the real binary beside a service and without one.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::client::{Client, json_of};

use crate::harness::server::{Site, until};
use crate::http::shop;

struct Place {
    site: Site,
    folder: tempfile::TempDir,
    store: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies");
        shop::write_policies(&policies, &shop::policies());
        let store = format!("sqlite:{}", folder.path().join("shop.sqlite").display());
        let site = Site::new(&store, &policies);
        Self { site, folder, store }
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let mut command: Command = self.site.command(args);
        let Output { status, stdout, stderr } = command.env("PROFFER_LOG", "off").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// Decides a few times and returns the ids.
    fn decide(client: &Client, count: u32) -> Vec<String> {
        let decide = |number: u32| {
            let ask = shop::ask(&format!("c-{number}"));
            json_of(&client.decide(&ask).unwrap())["decision_id"].as_str().unwrap().to_owned()
        };
        (0..count).map(decide).collect()
    }

    fn sql(&self, sql: &str) {
        use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = SqliteConnection::connect(&self.store).await.unwrap();
            sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }
}

#[test]
fn a_store_is_verified_a_decision_proved_and_the_log_witnessed() {
    let place = Place::new();
    let server = place.site.start(&[]);
    let client = server.client(&place.site.admin_key());
    client.import(&shop::offers()).unwrap();
    let ids = Place::decide(&client, 20);
    // It comes by itself within a second or two.
    let proof = until("a proof", || {
        let (code, out, _) = place.run(&["audit", "prove", &ids[19], "--format", "json"]);
        (code == 0).then_some(out)
    });
    let file = place.folder.path().join("proof.json");
    std::fs::write(&file, &proof).unwrap();
    let file = file.to_str().unwrap();
    let key = place.run(&["policy", "approvals", "--site-key"]).1;
    let (code, out, err) = place.run(&["audit", "verify", "--proof", file, "--site-key", &key]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with(&format!("decision {} stands at position ", ids[19])), "{out}");
    let mut altered: Value = serde_json::from_str(&proof).unwrap();
    altered["position"] = json!(altered["position"].as_u64().unwrap() + 1);
    std::fs::write(file, altered.to_string()).unwrap();
    let (code, _, err) = place.run(&["audit", "verify", "--proof", file, "--site-key", &key]);
    assert_eq!(
        (code, err.as_str()),
        (
            1,
            "error: the proof does not hold: the record does not lead to the root of the \
        checkpoint: one of them was altered"
        )
    );

    // A witness with a service, and one with the store.
    let api_key = place.folder.path().join("auditor.key");
    std::fs::write(&api_key, place.site.admin_key()).unwrap();
    let seen = place.folder.path().join("seen");
    let by_url = [
        "audit",
        "witness",
        "--seen",
        seen.to_str().unwrap(),
        "--url",
        server.url(),
        "--key-file",
        api_key.to_str().unwrap(),
        "--site-key",
        &key,
    ];
    let (code, out, err) = place.run(&by_url);
    assert_eq!(code, 0, "{err}");
    assert!(out.ends_with(" leaves, the first"), "{out}");
    let more = Place::decide(&client, 5);
    until("another proof", || (place.run(&["audit", "prove", &more[4]]).0 == 0).then_some(()));
    let (code, out, err) = place.run(&by_url);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(" seen before; kept its checkpoint"), "{out}");
    server.terminate();
    let by_store = ["audit", "witness", "--seen", seen.to_str().unwrap()];
    assert_eq!(place.run(&by_store).0, 0);

    let (code, out, err) = place.run(&["audit", "verify"]);
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(out.ends_with("nothing was altered, nothing is missing, nothing is too much"), "{out}");
    assert!(out.contains("25 decisions in "), "{out}");

    // A superuser takes one decision away.
    let gone = uuid(&ids[3]);
    place.sql(&format!("delete from decision where decision_id = x'{gone}'"));
    let (code, out, _) = place.run(&["audit", "verify"]);
    assert_eq!(code, 1);
    assert!(out.contains(&format!("decision {}: it stands in the log at position ", ids[3])), "{out}");
    assert!(out.contains(", and its row is gone"), "{out}");
    let (code, out, _) = place.run(&["audit", "verify", "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, told["decisions"].as_u64()), (1, Some(25)));
    assert_eq!(told["findings"][0]["place"], format!("decision {}", ids[3]));
}

/// An id as SQL writes its bytes.
fn uuid(id: &str) -> String {
    id.replace('-', "")
}

#[test]
fn a_key_is_revealed_when_nobody_draws_under_it_and_its_draws_are_recomputed() {
    let place = Place::new();
    let server = place.site.start(&[]);
    let client = server.client(&place.site.admin_key());
    client.import(&shop::offers()).unwrap();
    Place::decide(&client, 5);
    let reveal = |period: &str| place.run(&["keys", "reveal-generator", "--period", period]);
    let (code, _, err) = reveal("1");
    assert_eq!(code, 1);
    assert!(
        err.starts_with("error: period 1 is the newest: begin another with `proffer keys rotate-generator`"),
        "{err}"
    );
    let (code, out, _) = place.run(&["keys", "rotate-generator"]);
    assert_eq!((code, out.as_str()), (0, "key period 2 begins with the next start of each node"));
    let (code, _, err) = reveal("1");
    assert_eq!(code, 1);
    assert!(err.starts_with("error: node `node-1` still draws under period 1: restart it"), "{err}");
    server.terminate();
    let server = place.site.start(&[]);
    let client = server.client(&place.site.admin_key());
    let ids = Place::decide(&client, 5);
    until("the key to be revealed", || (reveal("1").0 == 0).then_some(()));
    assert_eq!(reveal("1").0, 0);
    assert_eq!(reveal("7"), (1, String::new(), "error: the key file has no key of period 7".to_owned()));
    until("a proof", || (place.run(&["audit", "prove", &ids[4]]).0 == 0).then_some(()));
    server.terminate();
    let (code, out, err) = place.run(&["audit", "verify"]);
    assert_eq!(code, 0, "{out}\n{err}");
    // What was revealed is not what was committed to, as far as the row says.
    place.sql(
        "update privileged_change set detail = 'period 1: ' || lower(hex(zeroblob(32))) \
        where what = 'generator key revealed'",
    );
    let (code, out, _) = place.run(&["audit", "verify"]);
    assert_eq!(code, 1);
    assert!(out.contains("the key revealed is not the one that key period 1 was committed to"), "{out}");
}

#[test]
fn a_store_that_was_cut_back_is_not_appended_to() {
    let place = Place::new();
    let server = place.site.start(&[]);
    let client = server.client(&place.site.admin_key());
    client.import(&shop::offers()).unwrap();
    let first = Place::decide(&client, 3);
    until("a proof", || (place.run(&["audit", "prove", &first[2]]).0 == 0).then_some(()));
    let copy = place.folder.path().join("copy.sqlite");
    place.sql(&format!("vacuum into '{}'", copy.display()));
    let later = Place::decide(&client, 3);
    until("another proof", || (place.run(&["audit", "prove", &later[2]]).0 == 0).then_some(()));
    server.terminate();
    let seen = place.folder.path().join("seen");
    let witness = || place.run(&["audit", "witness", "--seen", seen.to_str().unwrap()]);
    assert_eq!(witness().0, 0);
    let path = place.store.strip_prefix("sqlite:").unwrap();
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{path}{ending}"));
    }
    std::fs::copy(&copy, path).unwrap();
    let (code, _, err) = witness();
    assert_eq!(code, 1);
    assert!(err.ends_with("seen before: the log was cut back"), "{err}");
    let server = place.site.start(&[("PROFFER_LOG", "error")]);
    until("the log to be refused", || server.said().contains("the store was cut back").then_some(()));
    server.terminate();
    let (code, out, _) = place.run(&["audit", "verify"]);
    assert_eq!(code, 1);
    assert!(out.contains("the store was cut back"), "{out}");
}
