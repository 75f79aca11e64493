//! `proffer policy publish|activate|rollback|status` as people meet them: their words, their exit codes, their JSON.

use serde_json::{Value, json};

use super::town::{Edition, Town};
use crate::harness::database::{Kind, run};

fn tell(kind: Kind) {
    let (a, b) = (Edition::a(), Edition::b());
    let town = Town::new(kind, a.folder.path());
    let told = |arguments: &[&str]| {
        let (code, out, err) = town.policy(arguments);
        let text = format!("{code}\n{out}{}{err}", if out.is_empty() || err.is_empty() { "" } else { "\n" });
        let named = |edition: &Edition, name: &str, text: &str| {
            text.replace(edition.path(), name).replace(&edition.hash_text(), &format!("b3:{name}"))
        };
        named(&b, "BBB", &named(&a, "AAA", &text))
    };
    let json_of = |arguments: &[&str]| -> Value { serde_json::from_str(&town.policy(arguments).1).unwrap() };

    insta::assert_snapshot!(told(&["status"]), @"
    0
    active    none yet: `proffer policy activate DIR` or the first start of `proffer serve`
    ");
    insta::assert_snapshot!(told(&["publish", a.path()]), @"
    0
    b3:AAA published; `proffer policy activate b3:AAA` puts it in force
    ");
    insta::assert_snapshot!(told(&["publish", a.path()]), @"
    0
    b3:AAA published before; `proffer policy activate b3:AAA` puts it in force
    ");
    insta::assert_snapshot!(told(&["rollback"]), @"
    1
    error: no other bundle was active before: `proffer policy status` shows the history
    ");
    insta::assert_snapshot!(told(&["activate", &a.hash_text()[..12]]), @"
    0
    b3:AAA is active: every decision from now on is made under it
    ");
    insta::assert_snapshot!(told(&["activate", &a.hash().hex()]), @"
    0
    b3:AAA was active already; nothing was changed
    ");
    assert_eq!(
        json_of(&["activate", b.path(), "--format", "json"]),
        json!({"bundle": b.hash_text(), "changed": true, "control_sequence": 2})
    );
    assert_eq!(
        json_of(&["rollback", "--format", "json"]),
        json!({"bundle": a.hash_text(), "changed": true, "control_sequence": 3})
    );
    assert_eq!(json_of(&["publish", b.path(), "--format", "json"]), json!({"bundle": b.hash_text(), "new": false}));
    let status = json_of(&["status", "--format", "json"]);
    let history = status["history"].as_array().unwrap();
    let hashes: Vec<&str> = history.iter().map(|activation| activation["bundle"].as_str().unwrap()).collect();
    assert_eq!(hashes, [a.hash_text(), b.hash_text(), a.hash_text()]);
    assert_eq!((&status["active"], &status["never_active"]), (&history[0], &json!([])));
    assert_eq!((&history[0]["by"], &history[0]["control_sequence"]), (&json!("command line"), &json!(3)));
    let (_, text, _) = town.policy(&["status"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with(&format!("active    {} since 20", a.hash_text())), "{text}");
    assert!(lines[0].ends_with(" by command line"), "{text}");
    assert!(lines[1].starts_with(&format!("before    {} from  20", b.hash_text())), "{text}");

    insta::assert_snapshot!(told(&["activate", "b3:0000000000"]), @"
    1
    error: no bundle with the hash `b3:0000000000` is published here: `proffer policy status` lists those that are, `proffer policy publish DIR` publishes one
    ");
    insta::assert_snapshot!(told(&["activate", "polices"]), @"
    2
    error: `polices` is neither a folder nor the hash of a bundle: expected a folder such as `policies`, or `b3:` and at least 4 hexadecimal digits
    ");
    insta::assert_snapshot!(told(&["publish", "nowhere"]), @"
    2
    error: `nowhere` cannot be read: No such file or directory (os error 2); name the folder of a bundle
    ");
    let broken = Edition::a();
    let rules = broken.folder.path().join("rules/town.yaml");
    let text = std::fs::read_to_string(&rules).unwrap().replace("max: 6,", "max: 0,");
    std::fs::write(&rules, text).unwrap();
    for command in ["publish", "activate"] {
        let (code, out, err) = town.policy(&[command, broken.path()]);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(
            err.contains("error[P0207]: rule `cap.household.campaign`: a cap of 0 would exclude everything"),
            "{err}"
        );
        assert!(err.ends_with(&format!("1 mistake in {}; nothing was changed", broken.path())), "{err}");
    }
    town.remove();
}

#[test]
fn bundles_are_published_activated_and_rolled_back_by_the_command_on_sqlite() {
    insta::allow_duplicates! { tell(Kind::Sqlite) };
}

#[test]
fn bundles_are_published_activated_and_rolled_back_by_the_command_on_postgres() {
    insta::allow_duplicates! { tell(Kind::Postgres) };
}

#[test]
fn a_hash_that_fits_several_bundles_is_refused() {
    // Bundles whose hashes begin alike cannot be made by hand, so that the store is told of some.
    run(Kind::Sqlite, async |database| {
        let store = database.open().await;
        for number in [1, 2] {
            let mut hash = [7; 32];
            hash[31] = number;
            let by = proffer::store::By { key: "tester", at: proffer::domain::Timestamp(0) };
            store.publish_bundle(proffer::domain::Digest(hash), "[]", by).await.unwrap();
        }
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_proffer"))
            .args(["policy", "activate", "b3:0707", "--store", &database.url])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "error: `b3:0707` begins the hash of 2 bundles: give more of its digits\n");
    });
}
