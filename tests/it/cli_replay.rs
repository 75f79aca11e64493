//! `proffer audit replay` as auditors run it: beside a service and on its store alone. Alters no record.

use std::process::Output;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::client::json_of;
use crate::harness::database::{Database, on_both_stores};
use crate::harness::server::Site;
use crate::http::shop;

fn audit(site: &Site, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = site.command(&[&["audit", "replay"], arguments].concat()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    (status.code().unwrap(), text(stdout), text(stderr))
}

async fn decisions_of_a_store_are_made_again_one_by_one_all_of_them_or_a_sample(database: Arc<Database>) {
    let folder = tempfile::tempdir().unwrap();
    shop::write_policies(&folder.path().join("policies"), &shop::policies());
    let site = Site::new(&database.url, &folder.path().join("policies"));
    let server = site.start(&[]);
    let client = server.client(&site.admin_key());
    assert_eq!(client.import(&shop::offers()).unwrap().status(), 200);
    let mut ids: Vec<String> = Vec::new();
    for number in 0..10 {
        let answer = json_of(&client.decide(&shop::ask(&format!("c-{}", number % 3))).unwrap());
        ids.push(answer["decision_id"].as_str().unwrap().to_owned());
    }
    ids.sort();
    let (code, out, err) = audit(&site, &[&ids[3]]);
    assert_eq!((code, out, err.as_str()), (0, format!("{}: identical", ids[3]), ""), "beside the service");
    drop(server);

    let (code, out, err) = audit(&site, &[]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "10 decisions: 10 identical", ""));
    let (code, out, _) = audit(&site, &[&ids[3], "--format", "json"]);
    let one: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, one), (0, json!({"decision_id": ids[3], "verdict": "identical"})));
    let (code, out, _) = audit(&site, &["--sample", "4", "--seed", "7", "--format", "json"]);
    let some: Value = serde_json::from_str(&out).unwrap();
    let expected = json!({
        "decisions": 4, "identical": 4, "identical_from_scores": 0, "differs": 0, "erased": 0, "unavailable": 0,
        "told": [],
    });
    assert_eq!((code, some), (0, expected));
    let check = |arguments: &[&str], code: i32, out: &str, err: &str| {
        assert_eq!(audit(&site, arguments), (code, out.to_owned(), err.to_owned()), "{arguments:?}");
    };
    check(&["--to", "2026-03-01"], 0, "0 decisions: none to decide again", "");
    let nothing = "error: --from 2026-03-02T00:00:00.000Z is not before --to 2026-03-01T00:00:00.000Z: nothing lies \
                   between them";
    check(&["--from", "2026-03-02", "--to", "2026-03-01"], 2, "", nothing);
    let away = "019cccc8-39c0-7000-8000-000000000005";
    check(&[away], 1, "", &format!("error: no decision `{away}` is stored"));
    assert_eq!(audit(&site, &["x"]).0, 2);
}

on_both_stores!(decisions_of_a_store_are_made_again_one_by_one_all_of_them_or_a_sample);
