//! `proffer simulate` as people meet it: the real binary on a small made-up shop, its numbers, words and exit codes.
//!
//! The shop: of three visits one is from a phone, where ten off earns 2, a sample -1 and free shipping 0; on the others
//! free shipping earns 1, ten off -1 and a sample 0. So a random pick earns 1/9, free shipping always 2/3, and the best
//! of each visit 4/3.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::source::package;

fn data(name: &str) -> PathBuf {
    package().join("tests/data/replay").join(name)
}

/// Exit code, standard output and standard error.
fn simulate(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proffer"));
    let Output { status, stdout, stderr } =
        command.arg("simulate").args(args).env_clear().env("PROFFER_LOG", "off").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn played(file: &Path, args: &[&str]) -> Value {
    let file = file.display().to_string();
    let (code, out, err) = simulate(&[&["--replay", file.as_str(), "--format", "json"], args].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    serde_json::from_str(&out).unwrap()
}

fn strategy<'a>(json: &'a Value, name: &str) -> &'a Value {
    let strategies = json["strategies"].as_array().unwrap();
    strategies.iter().find(|strategy| strategy["name"] == name).unwrap()
}

fn close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap_or(f64::NAN);
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

#[test]
fn a_full_feedback_file_gives_its_yardsticks_and_strategies_learn_towards_the_oracle() {
    let json = played(&data("shop.full.ndjson"), &["--settings", "exploration=0.02,lambda=0.3,linucb.alpha=0.5"]);
    assert_eq!((&json["events"], &json["feedback"], &json["seeds"]), (&json!(48), &json!("full"), &json!(10)));
    close(&json["uniform"], 1.0 / 9.0);
    close(&json["best_fixed"], 2.0 / 3.0);
    close(&json["oracle"], 4.0 / 3.0);
    assert_eq!(json["best_fixed_first"], "free-shipping");
    assert_eq!(json["range"], json!({"low": -1.0, "high": 2.0, "declared": false}));
    assert_eq!(json["features"], json!(["device", "member", "visits"]));
    for name in ["thompson_linear", "linucb"] {
        let found = strategy(&json, name);
        let mean = found["mean_reward"].as_f64().unwrap();
        close(&found["regret"], (4.0 / 3.0 - mean) * 48.0);
        close(&found["share_of_oracle"], mean / (4.0 / 3.0));
        close(&found["matched"], 48.0);
        assert_eq!(found["per_seed"].as_array().unwrap().len(), 10);
        assert!(found["vs_uniform"]["difference"].as_f64().unwrap() > 0.3, "{found}");
        assert!(found["quarters"][3].as_f64() > found["quarters"][0].as_f64(), "nothing was learned: {found}");
    }
    let uniform = strategy(&json, "uniform");
    assert!((uniform["mean_reward"].as_f64().unwrap() - 1.0 / 9.0).abs() < 4.0 * uniform["se"].as_f64().unwrap());
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let run = |threads: &str| {
        let mut json = played(&data("shop.full.ndjson"), &["--seeds", "5", "--threads", threads]);
        json.as_object_mut().unwrap().remove("seconds");
        json
    };
    assert_eq!(run("1"), run("7"));
}

#[test]
fn a_log_counts_only_what_the_strategy_draws_and_says_what_becomes_of_slots() {
    let json = played(&data("shop.logged.ndjson"), &["--seeds", "40"]);
    assert_eq!(
        (&json["feedback"], &json["oracle"], &json["best_fixed"]),
        (&json!("logged"), &json!(null), &json!(null))
    );
    assert_eq!((&json["log"]["uniform"], &json["log"]["slots"]), (&json!(true), &json!("context")));
    assert_eq!(json["features"], json!(["device", "slot"]));
    let uniform = strategy(&json, "uniform");
    let matched = uniform["matched"].as_f64().unwrap();
    assert!((14.0..18.0).contains(&matched), "a third of 48 events: {matched}");
    let (mean, value) = (uniform["mean_reward"].as_f64().unwrap(), json["log"]["value"].as_f64().unwrap());
    assert!((mean - value).abs() < 4.0 * uniform["se"].as_f64().unwrap(), "uniform is unbiased: {mean} {value}");
    assert_eq!((&uniform["regret"], &uniform["share_of_oracle"]), (&json!(null), &json!(null)));

    let json = played(&data("shop.logged.ndjson"), &["--settings", "slots=ignore", "--strategies", "uniform"]);
    assert_eq!((&json["log"]["slots"], &json["features"]), (&json!("ignored"), &json!(["device"])));
}

#[test]
fn a_log_that_was_not_uniform_is_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(data("offers.json"), folder.path().join("offers.json")).unwrap();
    let log = std::fs::read_to_string(data("shop.logged.ndjson")).unwrap();
    let path = folder.path().join("x.logged.ndjson");
    std::fs::write(&path, log.replacen("0.3333333333333333", "0.6", 1)).unwrap();
    let json = played(&path, &["--strategies", "uniform"]);
    assert_eq!((&json["log"]["uniform"], &json["uniform"]), (&json!(false), &json!(null)));
    let (_, text, _) = simulate(&["--replay", path.to_str().unwrap()]);
    assert!(text.contains("WARNING: candidates were logged with unequal probabilities (1.0000 to 1.8000 times 1/K)"));
}

#[test]
fn the_report_is_one_page_that_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("out.html");
    let (code, text, err) =
        simulate(&["--replay", data("shop.full.ndjson").to_str().unwrap(), "--report", report.to_str().unwrap()]);
    assert_eq!((code, err), (0, format!("wrote {}", report.display())));
    for words in ["strategy", "thompson_linear", "(best fixed)", "What was found", "is better than uniform by"] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
    let page = std::fs::read_to_string(&report).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert_eq!(page.matches("<svg").count(), 2);
    for banned in ["<script", "src=", "@import", "url("] {
        assert!(!page.contains(banned), "`{banned}` is in the page");
    }
    for words in ["Reward missed so far", "shop.full.ndjson", "best fixed order", "<td>0.6667</td>", "<td>1.3333</td>"]
    {
        assert!(page.contains(words), "`{words}` is not in the page");
    }
}

/// A folder with the offers, and a file of this content.
fn folder(content: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(data("offers.json"), folder.path().join("offers.json")).unwrap();
    let path = folder.path().join("x.ndjson");
    std::fs::write(&path, content).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn what_is_wrong_is_said_with_its_place_its_value_and_a_way_out() {
    let full = std::fs::read_to_string(data("shop.full.ndjson")).unwrap();
    let check = |content: &str, args: &[&str], expected: (i32, &str)| {
        let (_folder, path) = folder(content);
        let (code, out, err) = simulate(&[&["--replay", path.as_str()], args].concat());
        assert_eq!((code, out.as_str(), err.replace(&path, "FILE").as_str()), (expected.0, "", expected.1));
    };
    check("", &[], (1, "error: `FILE` has no events"));
    check(
        "{\"id\":\"e\"}",
        &[],
        (
            1,
            "error: `FILE` line 1: neither full nor logged feedback: expected `rewards` with a number for every \
             candidate, or `chosen` with its `propensity` and `reward`",
        ),
    );
    check(
        &full.replacen("\"sample\":-1", "\"samples\":-1", 1),
        &[],
        (1, "error: `FILE` line 1: candidate `sample` has no reward"),
    );
    check(
        &full,
        &["--settings", "reward_min=0,reward_max=2"],
        (
            1,
            "error: `FILE` line 1: the reward -1 of `sample` lies outside the declared range, 0 to 2: widen \
             `reward_min` and `reward_max`, or leave them out to use the range of the file",
        ),
    );
    check(
        &full,
        &["--features", "device,age"],
        (2, "error: no event has `age` in its context; it has `device`, `member`, `visits`"),
    );
    check(
        &full,
        &["--strategies", "linucb", "--settings", "alpha=wide"],
        (2, "error: setting `wide`: placement `linucb`: strategy: expected a number, found text"),
    );
    check(
        &full,
        &["--settings", "linucb.exploration=2"],
        (2, "error: setting `2`: placement `linucb`: strategy: `2` is out of range: expected a share from 0 to 1"),
    );
    let (_folder, path) = folder(&full);
    let (code, _, err) = simulate(&["--replay", &path, "--report", "/nowhere/out.html"]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error: the report `/nowhere/out.html` cannot be written: name a file in a folder that"));
    let (code, _, err) = simulate(&["--replay", "/nowhere/x.ndjson"]);
    assert_eq!((code, err.lines().next()), (2, Some("error: `/nowhere/x.ndjson` cannot be read")));
    assert_eq!(simulate(&[]).0, 2);
}
