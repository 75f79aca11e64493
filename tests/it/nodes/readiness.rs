//! Taking bundles over: nodes make one ready before it is in force; what one of them cannot take over is not put in
//! force, and a node that has to keep the old one decides nothing and says why.

use proffer::domain::{Digest, Timestamp};
use proffer::policy::{Source, compile};
use proffer::store::{BundleReport, By, Holder, NodeState};
use serde_json::{Value, json};

use super::town::{Edition, Town, ask, import, put_consent};
use crate::harness::client::{Client, json_of};
use crate::harness::database::Kind;
use crate::harness::server::until;

const FIXTURES: &str = "\
customers:
  - {id: ann, consents: {offer_personalisation: granted}}
offers:
  - {id: dear, category: category-0, price: 10.00 USD, cost_of_goods: 1.00 USD}
";

/// A case that does not hold: the offer earns far more than the floor asks for.
const FAILING: &str = "\
given: {placement: home, at: 2026-03-02 12:00, time_zone: America/New_York, jurisdiction: US-NY, customer: ann}
cases:
  - name: a dear offer is kept out
    expect: {dear: [margin.floor]}
";

/// The edition with a test that fails.
fn untrue() -> Edition {
    let edition = Edition::b();
    let tests = edition.folder.path().join("tests");
    std::fs::create_dir_all(tests.join("fixtures")).unwrap();
    std::fs::write(tests.join("fixtures/town.yaml"), FIXTURES).unwrap();
    std::fs::write(tests.join("town.test.yaml"), FAILING).unwrap();
    let sources: Vec<Source> = proffer::runtime::read_policies(edition.folder.path()).unwrap();
    let bundle = compile(&sources).unwrap();
    Edition { bundle, ..edition }
}

fn body(edition: &Edition) -> String {
    let files: Vec<(&str, &str)> =
        edition.bundle.sources.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    serde_json::to_string(&files).unwrap()
}

fn decided_under(client: &Client) -> (u16, Value) {
    let answer = client.decide(&ask("c-1")).unwrap();
    (answer.status().as_u16(), json_of(&answer)["versions"]["bundle"].clone())
}

#[test]
fn a_bundle_whose_own_tests_fail_is_put_in_force_neither_by_the_command_nor_by_a_start() {
    let (a, untrue) = (Edition::a(), untrue());
    let town = Town::new(Kind::Sqlite, a.folder.path());
    let (code, out, err) = town.policy(&["activate", untrue.path()]);
    assert_eq!((code, out.as_str()), (1, ""));
    let expected = format!(
        "error: {} was not put in force: 1 of the 1 tests of the bundle fails, the first is `a dear offer is kept out` \
         (tests/town.test.yaml:3); `proffer policy test` shows what came instead",
        untrue.hash_text()
    );
    assert_eq!(err, expected);
    let store = town.open();
    assert_eq!(town.runtime.block_on(store.control()).unwrap().bundle, None);
    let output =
        town.site.command(&["serve", "--listen", "127.0.0.1:0", "--policies", untrue.path()]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("1 of the 1 tests of the bundle fails"), "{said}");
    assert_eq!(town.runtime.block_on(store.control()).unwrap().bundle, None);
    town.remove();
}

#[test]
fn what_a_node_cannot_take_over_is_not_put_in_force() {
    let (a, b) = (Edition::a(), Edition::b());
    let town = Town::new(Kind::Postgres, a.folder.path());
    let server = town.start("first", &a);
    let client = town.client(&server);
    import(&client, 0);
    put_consent(&client, "c-1", "granted");
    // A node of another build, as its row in the store would be.
    let store = town.open();
    let old = Holder { node: "old".to_owned(), incarnation: 1 };
    let state = NodeState {
        holder: old.clone(),
        build: "0.0.1".to_owned(),
        bundle: a.hash(),
        since: Timestamp(0),
        control_sequence: 1,
        refused: None,
        key_period: 1,
        seen_at: Timestamp(0),
    };
    let why = "this build finds 1 mistake in it".to_owned();
    let report = BundleReport { holder: old.clone(), hash: b.hash(), failed: Some(why), at: Timestamp(0) };
    town.runtime.block_on(async {
        store.report_node(&state).await.unwrap();
        store.report_bundle(&report).await.unwrap();
    });
    let (code, _, err) = town.policy(&["activate", b.path()]);
    assert_eq!(code, 1);
    let expected = format!(
        "error: {} was not put in force: node `old` cannot take it over: this build finds 1 mistake in it; the bundle \
         before is still in force everywhere",
        b.hash_text()
    );
    assert_eq!(err, expected);
    assert_eq!(decided_under(&client), (200, json!(a.hash_text())));
    // By HTTP it is the same, with every node that cannot.
    let answer = client.send("POST", &format!("/v1/policies/{}:activate", b.hash_text()), &[], &[]).unwrap();
    let told = json_of(&answer);
    assert_eq!((answer.status().as_u16(), &told["type"]), (409, &json!("urn:proffer:problem:refused")), "{told}");
    assert_eq!(told["errors"][0]["message"], "node `old`: this build finds 1 mistake in it");
    // One that says nothing is waited for, for a while, and not longer.
    let unheard = BundleReport { holder: Holder { incarnation: 0, ..old.clone() }, failed: None, ..report };
    town.runtime.block_on(async {
        store.report_bundle(&unheard).await.unwrap();
        store.report_node(&state).await.unwrap();
    });
    let (code, _, err) = town.policy(&["activate", b.path()]);
    assert_eq!(code, 0, "{err}");
    let warned = "warning: node `old` has not said that it is ready; it decides nothing until it is";
    assert!(err.lines().any(|line| line == warned), "{err}");
    assert_eq!(decided_under(&client), (200, json!(b.hash_text())));
    // Back is where everybody has been: nobody has to be waited for but the one that is not there.
    town.runtime.block_on(store.forget_node(&old)).unwrap();
    let (code, _, err) = town.policy(&["rollback"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(decided_under(&client), (200, json!(a.hash_text())));
    drop(server);
    town.remove();
}

/// A node that meets a bundle it cannot take over, put in force behind its back.
fn kept(kind: Kind, broken: &Edition, (hash, body): (Digest, &str), why: &str) {
    let a = Edition::a();
    let town = Town::new(kind, a.folder.path());
    let server = town.start("first", &a);
    let client = town.client(&server);
    import(&client, 0);
    put_consent(&client, "c-1", "granted");
    assert_eq!(decided_under(&client), (200, json!(a.hash_text())));
    let store = town.open();
    let by = By { key: "somebody", at: Timestamp(1) };
    town.runtime.block_on(store.activate_bundle(hash, body, by)).unwrap();
    // Nothing that starts now is decided under the old one, and nobody is left waiting.
    let (status, _) = decided_under(&client);
    assert_eq!(status, 503);
    let text = format!("b3:{}", hash.hex());
    let ready = client.get("/readyz").unwrap();
    let told = json_of(&ready);
    assert_eq!(ready.status(), 503, "{told}");
    let detail = format!("the active bundle {text} cannot be taken over, so that nothing is decided here: {why}");
    assert_eq!(told["detail"], json!(detail));
    assert!(client.get("/metrics").unwrap().body().contains("\nproffer_bundle_refused 1\n"));
    let nodes = until("the node to say so", || {
        let (_, out, _) = town.policy(&["status", "--format", "json"]);
        let status: Value = serde_json::from_str(&out).unwrap();
        (!status["nodes"][0]["refused"].is_null()).then_some(status["nodes"].clone())
    });
    assert_eq!((&nodes[0]["node"], &nodes[0]["bundle"]), (&json!("first"), &json!(a.hash_text())), "{nodes}");
    assert_eq!((&nodes[0]["refused"]["bundle"], &nodes[0]["refused"]["why"]), (&json!(text), &json!(why)));
    let (_, said, _) = town.policy(&["status"]);
    let expected = format!(" and keeps {}: {text} cannot be taken over: {why}", a.hash_text());
    assert!(said.contains("node      first decides nothing since 20") && said.contains(&expected), "{said}");
    let over_http = json_of(&client.get("/v1/policies").unwrap());
    assert_eq!(over_http["nodes"][0]["refused"]["why"], json!(why), "{over_http}");
    // The one that it kept comes back, and everything is as before.
    let (code, _, err) = town.policy(&["activate", a.path()]);
    assert_eq!(code, 0, "{err}");
    until("the node to decide again", || (decided_under(&client) == (200, json!(a.hash_text()))).then_some(()));
    assert_eq!(client.get("/readyz").unwrap().status(), 200);
    until("the node to say so", || {
        let (_, said, _) = town.policy(&["status"]);
        said.contains(&format!("node      first decides under {} since 20", a.hash_text())).then_some(())
    });
    assert!(broken.hash() != a.hash());
    drop(server);
    town.remove();
}

#[test]
fn a_node_runs_the_tests_of_a_bundle_before_it_takes_it_over_and_keeps_the_old_one_where_they_fail() {
    let untrue = untrue();
    let why = "1 of the 1 tests of the bundle fails, the first is `a dear offer is kept out` (tests/town.test.yaml:3)";
    kept(Kind::Postgres, &untrue, (untrue.hash(), &body(&untrue)), why);
}

#[test]
fn a_node_verifies_what_it_has_fetched_and_keeps_the_old_one_where_it_is_damaged() {
    let b = Edition::b();
    let hash = Digest([7; 32]);
    let why =
        format!("its files come to {}: they are damaged, or another build gives them another meaning", b.hash_text());
    kept(Kind::Sqlite, &b, (hash, &body(&b)), &why);
}
