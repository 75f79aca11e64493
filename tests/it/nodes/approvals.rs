//! Approvals over two processes: what is taken back through one is not read by the very next decision of the other, and
//! whoever has not approved is told how, by the commands that people run.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use proffer::domain::AttributeId;
use proffer::policy::{Bundle, compile};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::town::Town;
use super::watched::Watched;
use crate::harness::client::{Client, json_of};
use crate::harness::database::Kind;
use crate::harness::server::until;
use crate::http::approvals::asking;
use crate::http::shop::{offers, write_policies};

/// A folder with the shop where every use of what is personal is approved by two people.
struct Folder(TempDir, Bundle);

impl Folder {
    fn new() -> Self {
        let (folder, files) = (tempfile::tempdir().unwrap(), asking("{attributes: [personal]}"));
        write_policies(folder.path(), &files);
        Self(folder, compile(&files).unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn tier(&self) -> String {
        format!("b3:{}", self.1.definition(&AttributeId::parse("customer.tier").unwrap()).unwrap().hex())
    }
}

/// Makes a key and keeps it in a file beside the bundle; the file's path.
fn key(town: &Town, folder: &Folder, name: &str, role: &str) -> String {
    let made = town.site.command(&["keys", "create", name, "--role", role]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let path = folder.path().join(format!("{name}.key"));
    std::fs::write(&path, made.stdout).unwrap();
    path.to_str().unwrap().to_owned()
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

fn post(client: &Client, path: &str, body: &Value) -> Value {
    let headers = [("content-type", "application/json")];
    let answer = client.send("POST", path, &headers, body.to_string().as_bytes()).unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.body());
    json_of(&answer)
}

fn ask(customer: usize) -> Value {
    json!({
        "customer": {"id": format!("c-{customer}"), "attributes": {"tier": "gold"}}, "placement": "home",
        "context": {"device_type": "mobile"},
    })
}

/// Whether a decision read the tier; where it did not, that it says so.
fn reads_tier(client: &Client, customer: usize) -> bool {
    let answer = client.decide(&ask(customer)).unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.body());
    let record = client.get(&format!("/v1/decisions/{}", json_of(&answer)["decision_id"].as_str().unwrap())).unwrap();
    let private = json_of(&record)["private"].clone();
    let reads = private["attributes"].get("customer.tier").is_some();
    let told = private["withheld"].to_string().contains("not_approved");
    assert_eq!(reads, !told, "{private}");
    reads
}

fn approve(town: &Town, folder: &Folder, key_file: &str, use_case: &str) -> (i32, String, String) {
    let (hash, purpose) = (folder.tier(), "offer_personalisation");
    town.policy(&[
        "approve",
        "customer.tier",
        "--purpose",
        purpose,
        "--use-case",
        use_case,
        "--hash",
        &hash,
        "--key-file",
        key_file,
    ])
}

/// Ends the clients even where an assertion fails, or the test would wait for them for ever.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn what_is_taken_back_through_one_process_is_not_read_by_the_next_decision_of_another() {
    let folder = Folder::new();
    let town = Town::new(Kind::Postgres, folder.path());
    // A first start finds nothing approved: it says what is missing, and decides nothing.
    let mut refused = town.site.spawn(&[]);
    until("the start to be refused", || refused.ended());
    let said = refused.said();
    for part in ["may not be put in force", "error[P0501]", "placements.yaml:10:16", "approve customer.tier --purpose"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (jane, joe) = (key(&town, &folder, "jane", "approve:privacy"), key(&town, &folder, "joe", "approve:business"));
    let (code, out, err) = approve(&town, &folder, &jane, "feature");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("still missing: nobody approved it for `business`"), "{out}");
    let (code, out, _) = town.policy(&["approvals", folder.path().to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(out.contains("nobody approved it for `business`"), "{out}");
    assert_eq!(approve(&town, &folder, &joe, "feature").0, 0);

    let (first, second) =
        (town.site.start(&[("PROFFER_NODE", "first")]), town.site.start(&[("PROFFER_NODE", "second")]));
    let (on_first, on_second) = (town.client(&first), town.client(&second));
    let business = first.client(&text_of(&joe));
    assert_eq!(on_first.import(&offers()).unwrap().status(), 200);
    for customer in 0..8 {
        let consent = json!([{"purpose": "offer_personalisation", "state": "granted"}]);
        assert_eq!(on_first.put_consents(&format!("c-{customer}"), &consent).unwrap().status(), 200);
    }
    assert!(reads_tier(&on_second, 0));
    let listed = || json_of(&on_first.get("/v1/approvals?state=in_force").unwrap());
    let newest = |by: &str| {
        let all = listed()["approvals"].clone();
        all.as_array().unwrap().iter().find(|one| one["by"] == by).unwrap()["id"].clone()
    };
    let again = json!({
        "attribute": "customer.tier", "purpose": "offer_personalisation", "use_case": "feature",
        "definition": folder.tier(), "expires": json_of(&on_first.get("/v1/approvals").unwrap())["needed"][0]["until"],
    });
    // Clients ask the other process all the time; each may meet what was in force when it asked, or came since.
    let (watched, over) = (Watched::new(true), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let asking: Vec<_> = (1..8)
            .map(|customer| {
                let (client, watched, over) = (&on_second, &watched, &over);
                scope.spawn(move || {
                    let mut seen = [0_u32; 2];
                    while !over.load(Ordering::SeqCst) {
                        let sent = watched.turn();
                        let answer = client.decide(&ask(customer)).unwrap();
                        let met = watched.met(sent, watched.turn());
                        let id = json_of(&answer)["decision_id"].as_str().unwrap().to_owned();
                        let record = json_of(&client.get(&format!("/v1/decisions/{id}")).unwrap());
                        let reads = record["private"]["attributes"].get("customer.tier").is_some();
                        assert!(met.contains(&reads), "{reads} and not {met:?}: {record}");
                        seen[usize::from(reads)] += 1;
                    }
                    seen
                })
            })
            .collect();
        let ends = Ends(&over);
        for _ in 0..12 {
            let id = newest("joe");
            watched.change(false, || {
                let path = format!("/v1/approvals/{id}:revoke");
                assert_eq!(post(&business, &path, &json!({"note": "taken back"}))["status"], "revoked");
            });
            assert!(!reads_tier(&on_second, 0), "the very next decision of the other process");
            watched.change(true, || {
                assert_eq!(post(&business, "/v1/approvals", &again)["standing"]["approved"], true);
            });
            assert!(reads_tier(&on_second, 0), "the very next decision of the other process");
        }
        drop(ends);
        let seen =
            asking.into_iter().map(|asked| asked.join().unwrap()).fold([0, 0], |a, b| [a[0] + b[0], a[1] + b[1]]);
        assert!(seen[0] > 0 && seen[1] > 0, "without and with: {seen:?}");
    });
    let (code, out, _) = town.policy(&["approvals", "active", "--soon", "365d"]);
    assert_eq!(code, 0);
    assert!(out.contains("soon      `customer.tier` as `feature` for `offer_personalisation`, b3:"), "{out}");
    drop((first, second));
    town.remove();
}

#[test]
fn an_export_is_checked_without_the_store_and_an_authors_word_is_not_enough() {
    let folder = Folder::new();
    let town = Town::new(Kind::Sqlite, folder.path());
    let (jane, joe) = (key(&town, &folder, "jane", "approve:privacy"), key(&town, &folder, "joe", "approve:business"));
    assert_eq!(approve(&town, &folder, &jane, "feature").0, 0);
    let file = folder.path().join("approvals.json");
    let (policies, file_text) = (folder.path().to_str().unwrap(), file.to_str().unwrap());
    let (code, site_key, err) = town.policy(&["approvals", "--site-key"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let check = || town.policy(&["check", policies, "--approvals", file_text, "--site-key", &site_key]);
    let export = || assert_eq!(town.policy(&["approvals", "--export", file_text]).0, 0);
    export();
    let (code, _, err) = check();
    assert_eq!(code, 1);
    assert!(err.contains("error[P0501]") && err.contains("placements.yaml:10:16"), "{err}");
    let one = std::fs::read_to_string(&file).unwrap();
    assert_eq!(approve(&town, &folder, &joe, "feature").0, 0);
    export();
    let (code, out, err) = check();
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("approved as of "), "{out}");
    // An author who writes a second person into the file.
    std::fs::write(&file, one.replace("\"privacy\"", "\"business\"")).unwrap();
    let (code, _, err) = check();
    assert_eq!(code, 1);
    assert!(err.contains("it was altered after it was exported"), "{err}");
    let (code, out, _) = town.policy(&["check", policies]);
    assert_eq!(code, 0);
    assert!(out.contains("note: it asks for approvals, and none were looked at"), "{out}");
    let (code, _, err) = town.policy(&["approve", "--bundle", "--hash", "b3:12", "--key-file", &jane]);
    assert_eq!((code, err.as_str()), (2, "error: `b3:12` is not a hash: expected `b3:` and 64 hexadecimal digits"));
    town.remove();
}

#[test]
fn whose_key_may_not_approve_or_take_back_is_told_by_the_commands_too() {
    let folder = Folder::new();
    let town = Town::new(Kind::Sqlite, folder.path());
    let (jane, ann) = (key(&town, &folder, "jane", "approve:privacy"), key(&town, &folder, "ann", "author"));
    let (code, out, err) = approve(&town, &folder, &ann, "feature");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("key `ann` has neither the role `approve:privacy` nor `approve:business`"), "{err}");
    let (code, out, _) = approve(&town, &folder, &jane, "feature");
    assert_eq!(code, 0);
    let id = out.strip_prefix("approval ").and_then(|rest| rest.split_once(':')).unwrap().0.to_owned();
    let revoke = |by: &str| town.policy(&["revoke", &id, "--note", "complaint 12", "--key-file", by]);
    let (code, out, err) = revoke(&ann);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("key `ann` may not take approvals back: use one with the role `approve:privacy`"), "{err}");
    // A key that was revoked says nothing any more.
    let ended = town.site.command(&["keys", "revoke", "jane"]).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    for (code, out, err) in [approve(&town, &folder, &jane, "rule"), revoke(&jane)] {
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(err.contains("the API key is unknown or was revoked"), "{err}");
    }
    let (_, out, _) = town.policy(&["approvals", folder.path().to_str().unwrap()]);
    assert!(out.contains("`jane` approved it for `privacy` at "), "neither was taken back nor ended: {out}");
    town.remove();
}

/// Replaces one text in one file of a folder.
fn edit(folder: &Folder, file: &str, from: &str, to: &str) {
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_watched_folder_is_in_force_once_it_changes_and_not_before_people_have_approved_it() {
    let folder = Folder::new();
    let approvers = "approvers: {attributes: [personal]}\n";
    edit(&folder, "bundle.yaml", approvers, "");
    let town = Town::new(Kind::Sqlite, folder.path());
    let server = town.site.spawn_with(&["--watch"], &[]).ready();
    let client = town.client(&server);
    let active = || json_of(&client.get("/v1/models").unwrap())["this"]["bundle"].as_str().unwrap().to_owned();
    let of_folder = || compile(&proffer::runtime::read_policies(folder.path()).unwrap()).unwrap().hash_text();
    let first = active();
    assert_eq!(first, of_folder());
    edit(&folder, "rules/shop.yaml", "min_margin: 10%", "min_margin: 12%");
    let second = of_folder();
    until("the changed folder to be in force", || (active() == second).then_some(()));
    edit(&folder, "rules/shop.yaml", "min_margin: 12%", "min_margin: lots");
    until("the mistake to be told", || server.said().contains("the bundle before stays in force").then_some(()));
    edit(&folder, "rules/shop.yaml", "min_margin: lots", "min_margin: 12%");
    edit(&folder, "bundle.yaml", "schema: 1\n", &format!("schema: 1\n{approvers}"));
    until("the refusal to be told", || server.said().contains("this one follows once it is approved").then_some(()));
    assert_eq!(active(), second);
    let third = of_folder();
    for (name, role) in [("jane", "approve:privacy"), ("joe", "approve:business")] {
        assert_eq!(active(), second, "{name}");
        let key = key(&town, &folder, name, role);
        assert_eq!(approve(&town, &folder, &key, "feature").0, 0);
    }
    until("the approved folder to be in force", || (active() == third).then_some(()));
    drop(server);
    town.remove();
}
