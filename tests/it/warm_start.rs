//! `proffer model warm-start` as its users meet it: beside a running service, on both stores. Judges no strategy.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use proffer::domain::Timestamp;
use serde_json::{Value, json};

use crate::harness::client::{Client, json_of, now_ms};
use crate::harness::database::{Database, on_both_stores};
use crate::harness::server::{Site, until};
use crate::http::shop;

on_both_stores!(
    what_was_learned_before_is_learned_once_and_decides_at_once,
    what_a_file_cannot_teach_is_said_with_a_way_out,
);

/// What the command exits with and says: on standard output, or on standard error.
fn warm_start(site: &Site, arguments: &[&str]) -> (i32, String) {
    let output = site.command(&["model", "warm-start"]).args(arguments).env("PROFFER_LOG", "off").output().unwrap();
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// Three offers shown alike, a hundred times each over the last hour; boots are bought by every second mobile.
fn log() -> String {
    let mut text = String::new();
    for n in 0..300_i64 {
        let (chosen, device) = (["boots", "lamp", "tent"][usize::try_from(n % 3).unwrap()], n / 3 % 2);
        let bought = chosen == "boots" && device == 0 && n / 6 % 2 == 0;
        let row = json!({
            "id": format!("row-{n}"), "at": Timestamp(now_ms() - 3_600_000 + n * 10_000),
            "customer_id": format!("c-{}", n % 40),
            "context": {"device": if device == 0 { "mobile" } else { "desktop" }, "tier": "gold"},
            "chosen": chosen, "propensity": 1.0 / 3.0, "reward": if bought { 28.0 } else { 0.0 },
        });
        let _ = writeln!(text, "{row}");
    }
    text
}

/// A site with the shop's policies and a file to learn from.
fn site(database: &Database, folder: &Path) -> Site {
    shop::write_policies(&folder.join("policies"), &shop::policies());
    std::fs::write(folder.join("log.ndjson"), log()).unwrap();
    Site::new(&database.url, &folder.join("policies"))
}

fn learned(client: &Client) -> Option<Value> {
    let models = json_of(&client.get("/v1/models").unwrap());
    let model = models["models"].as_array().unwrap().iter().find(|model| model["placement"] == "home")?;
    Some(json!([model["sequence"], model["digest"], model["arms"]]))
}

async fn what_was_learned_before_is_learned_once_and_decides_at_once(database: Arc<Database>) {
    let folder = tempfile::tempdir().unwrap();
    let site = site(&database, folder.path());
    let log = folder.path().join("log.ndjson");
    let server = site.start(&[]);
    let client = server.client(&site.admin_key());
    assert_eq!(client.import(&shop::offers()).unwrap().status(), 200);
    let run = |more: &[&str]| {
        let asked = ["--placement", "home", "--log", log.to_str().unwrap(), "--map", "context.device_type=device"];
        let (code, said) = warm_start(&site, &[&asked[..], more].concat());
        assert_eq!(code, 0, "{said}");
        said
    };
    let expected = "\
context.device_type is `device` in the file
customer.tier is `tier` in the file
boots                            shown       100  accepted        25
lamp                             shown       100  accepted         0
tent                             shown       100  accepted         0
";
    assert_eq!(run(&["--dry-run"]), format!("{expected}home would learn 300 rows; 0 were learned before\n"));
    assert_eq!(learned(&client), None, "a dry run learns nothing");
    assert_eq!(run(&[]), format!("{expected}home learned 300 rows; 0 were learned before\n"));
    // The service that runs reads it, nobody having told it.
    let state = until("the service to have what was learned", || learned(&client).filter(|state| state[0] == 300));
    assert_eq!((&state[2][0]["exposures"], &state[2][0]["accepted"]), (&json!(100), &json!(25)));
    assert_eq!(json_of(&client.get("/v1/models/home").unwrap())["arms"][0]["offer_id"], "boots");

    assert_eq!(run(&[]), format!("{expected}home learned 0 rows; 300 were learned before\n"));
    assert_eq!(learned(&client), Some(state.clone()));

    let mut boots = 0;
    for number in 0..12 {
        let customer = format!("new-{number}");
        let put = client.put_consents(&customer, &shop::consent("granted")["consents"]).unwrap();
        assert!(put.status().is_success(), "{}", put.body());
        let answer = json_of(&client.decide(&shop::ask(&customer)).unwrap());
        boots += u32::from(answer["offers"][0]["offer_id"] == "boots");
    }
    assert!(boots >= 9, "{boots} of 12");
    // It learns on from there, and another start has all of it from the store.
    let on = until("the service to learn its own decisions", || learned(&client).filter(|state| state[0] == 312));
    server.kill();
    let server = site.start(&[]);
    let client = server.client(&site.admin_key());
    until("the service to read its models", || learned(&client).filter(|state| *state == on));
    assert!(run(&[]).ends_with("home learned 0 rows; 300 were learned before\n"));
}

async fn what_a_file_cannot_teach_is_said_with_a_way_out(database: Arc<Database>) {
    let folder = tempfile::tempdir().unwrap();
    let site = site(&database, folder.path());
    let log = folder.path().join("log.ndjson");
    let server = site.start(&[]);
    let client = server.client(&site.admin_key());
    assert_eq!(client.import(&shop::offers()).unwrap().status(), 200);
    let check = |more: &[&str], expected: &str| {
        let (code, said) = warm_start(&site, &[&["--log", log.to_str().unwrap()], more].concat());
        assert_eq!(code, 1, "{said}");
        assert_eq!(said.replace(log.to_str().unwrap(), "LOG"), format!("error: {expected}\n"));
    };
    check(&["--placement", "hom"], "the bundle in force has no placement `hom`; did you mean `home`?");
    check(
        &["--placement", "home"],
        "`LOG` cannot be learned from: the features of `home` read `context.device_type`, and no row has it: looked \
         for `context.device_type` and `device_type` in `context`; name its key with `--map \
         context.device_type=KEY`, or learn without it with `--without context.device_type`",
    );
    let home = ["--placement", "home", "--without", "context.device_type"];
    check(
        &[&home[..], &["--map", "customer.age=age"]].concat(),
        "`LOG` cannot be learned from: the features of `home` read no `customer.age`: expected one of \
         `context.device_type`, `customer.tier`",
    );
    let row = |old: &str, new: &str, expected: &str| {
        let text = self::log();
        let line = text.lines().next().unwrap();
        assert!(line.contains(old), "{line}");
        std::fs::write(&log, line.replace(old, new)).unwrap();
        check(&home, &format!("`LOG` cannot be learned from: line 1: {expected}"));
    };
    row(
        r#""boots""#,
        r#""sandals""#,
        "the catalogue has no offer `sandals`: import it first, as ended if it is over, or leave the row out",
    );
    row(r#""gold""#, "7", "`customer.tier` is a number `7`: expected text");
    row(
        r#""reward":28.0"#,
        r#""reward":-3.5"#,
        "reward -3.5: expected 0 where nothing was accepted, and more where something was",
    );
    assert_eq!(learned(&client), None);
}
