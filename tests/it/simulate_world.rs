//! `proffer simulate WORLD.yaml` as people meet it: the real binary on a kiosk with three offers at two placements.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::source::package;

fn kiosk() -> String {
    package().join("tests/data/worlds/kiosk.yaml").display().to_string()
}

/// Exit code, standard output and standard error.
fn simulate(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proffer"));
    let Output { status, stdout, stderr } = command
        .arg("simulate")
        .args(args)
        .current_dir(package())
        .env_clear()
        .env("PROFFER_LOG", "off")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// What does not change from run to run.
fn timeless(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("Played in")).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[test]
fn a_world_is_told_as_two_tables_and_in_sentences() {
    let args = ["tests/data/worlds/kiosk.yaml", "--strategies", "thompson_linear,uniform", "--decisions", "600"];
    let (code, out, err) = simulate(&[&args[..], &["--seeds", "3", "--settings", "exploration=0.02"]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(timeless(&out), @"
    tests/data/worlds/kiosk.yaml: 600 decisions in 4 days at 2 placements, 50 customers, 2 offers, 3.0 candidates each; 3 seeds
    Features (3 dimensions): customer.tier
      thompson_linear: exploration 0.02, half_life none, lambda 1, prior category
      uniform: exploration 0.02, half_life none, lambda 1, prior none

    USD a decision      margin       se  realised       se    regret  of gain quarter 1 quarter 4
    thompson_linear     1.5945   0.0396    1.5588   0.0436    238.90     46 %    1.3648    1.7981
    uniform             1.2756   0.0144    1.2693   0.0679    430.29      3 %    1.3070    1.3199
    (uniform)           1.2564
    (best fixed)        1.6345
    (oracle)            1.9927

    by placement               front            till
    (decisions)                  402             198
    thompson_linear    1.4631   56 %   1.8614   29 %
    uniform            1.0914    2 %   1.6494    3 %
    (uniform)          1.0765          1.6215
    (best fixed)       1.4499          2.0094
    (oracle)           1.7718          2.4412
    Best for everybody: front tea/a, till tea/a

    What was found
    - `thompson_linear` earned most: 1.5945 a decision, 46 % of the way from uniform (1.2564) to the oracle (1.9927).
    - No strategy earned as much as showing everybody the offer that is best at each placement, which knows the truth: 1.6345.
    - `thompson_linear` is better than uniform by 0.3382 (standard error 0.0375).

    To know
    - Rewards are margins, in the mean of all luck and after refunds; realised is what orders brought with the luck that they had.
    - Each strategy learned from its own choices only, at each placement for itself, as the service does: what is accepted is learned, margins come from the catalogue.
    - Orders and refunds arrived when the world says; until then a decision counted as not accepted.
    - No policies were in here: no margin floor, no cap, no holdout; every offer that runs was a candidate. Customers who refused consent or withdrew it were decided for without their own attributes.
    - The oracle knows the truth of every visit, tastes that no attribute tells included: it cannot be reached.
    - Every seed is another crowd with its own luck; all strategies met the same ones. se is over seeds.
    - Posteriors were published once in 1h of the world's time.
    ");
}

#[test]
fn the_json_of_a_world_has_what_that_of_a_file_has_and_every_placement() {
    let args = ["--format", "json", "--decisions", "900", "--seeds", "4"];
    let (code, out, err) = simulate(&[&[kiosk().as_str()], &args[..]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["events"], &json["feedback"], &json["seeds"]), (&json!(900), &json!("world"), &json!(4)));
    let number = |value: &Value| value.as_f64().unwrap();
    let (uniform, oracle) = (number(&json["uniform"]), number(&json["oracle"]));
    assert!(uniform < number(&json["best_fixed"]) && number(&json["best_fixed"]) < oracle);
    let places = json["world"]["placements"].as_array().unwrap();
    assert_eq!(places.iter().map(|place| number(&place["decisions"])).sum::<f64>(), 900.0);
    for strategy in json["strategies"].as_array().unwrap() {
        let mean = number(&strategy["mean_reward"]);
        assert!(mean <= oracle && mean > 0.9 * uniform, "{strategy}");
        assert!((number(&strategy["share_of_oracle"]) - mean / oracle).abs() < 1e-9);
        assert!((number(&strategy["regret"]) - (oracle - mean) * 900.0).abs() < 1e-6);
        assert_eq!((&strategy["matched"], strategy["per_seed"].as_array().unwrap().len()), (&json!(900.0), 4));
        assert!((number(&strategy["mean_realised"]) - mean).abs() < 5.0 * number(&strategy["se_realised"]).max(0.05));
        let there = strategy["placements"].as_array().unwrap().iter().zip(places);
        let weighed: f64 = there.map(|(at, place)| number(&at["mean_reward"]) * number(&place["decisions"])).sum();
        assert!((weighed / 900.0 - mean).abs() < 0.02, "{weighed} {mean}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let run = |threads: &str| {
        let args = ["--seeds", "4", "--decisions", "400", "--threads", threads];
        timeless(&simulate(&[&[kiosk().as_str()], &args[..]].concat()).1)
    };
    assert_eq!(run("1"), run("3"));
}

#[test]
fn the_report_of_a_world_is_one_page_that_loads_nothing() {
    let folder = TempDir::new().unwrap();
    let report = folder.path().join("out.html");
    let path = report.display().to_string();
    let args = ["--seeds", "2", "--decisions", "300", "--report", path.as_str()];
    let (code, _, err) = simulate(&[&[kiosk().as_str()], &args[..]].concat());
    assert_eq!((code, err), (0, format!("wrote {path}")));
    let page = std::fs::read_to_string(&report).unwrap();
    for told in ["worlds/kiosk.yaml", "Margin missed so far", "By placement", "<td>tea/a</td>", "thompson_beta"] {
        assert!(page.contains(told), "the page does not say `{told}`");
    }
    for foreign in ["http://", "https://", "<script", "<link", "@import", "url("] {
        let found = page.replace("http://www.w3.org/2000/svg", "").contains(foreign);
        assert!(!found, "the page loads something: `{foreign}`");
    }
}

#[test]
fn the_offers_of_the_sample_worlds_are_played() {
    for world in ["simulators/shop.yaml", "simulators/steady.yaml"] {
        let args = [world, "--seeds", "1", "--decisions", "300", "--strategies", "greedy"];
        let (code, out, err) = simulate(&args);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.starts_with(&format!("{world}: 300 decisions in ")), "{out}");
    }
}

#[test]
fn mistakes_are_told_with_a_way_out() {
    let kiosk = kiosk();
    let check = |args: &[&str], code: i32, expected: &str| {
        let (found, out, err) = simulate(args);
        assert_eq!((found, out.as_str()), (code, ""), "{err}");
        assert!(err.contains(expected), "{err}");
    };
    check(&[], 2, "the following required arguments were not provided");
    check(&[kiosk.as_str(), "--replay", "x.ndjson"], 2, "cannot be used with '--replay <FILE>'");
    check(&["--replay", "x.ndjson", "--decisions", "5"], 2, "cannot be used with");
    check(&["nowhere.yaml"], 2, "the world `nowhere.yaml` cannot be read: name a file such as `simulators/shop.yaml`");
    check(&[kiosk.as_str(), "--settings", "slots=ignore"], 2, "setting `slots` is of recorded files");
    check(&[kiosk.as_str(), "--settings", "exploration=2"], 2, "setting `2`: ");
    let unknown = "the world has no attribute `customer.teir` to learn from; it has `customer.tier`";
    check(&[kiosk.as_str(), "--features", "customer.teir"], 2, unknown);
    let folder = TempDir::new().unwrap();
    let broken = |from: &str, to: &str| -> PathBuf {
        let path = folder.path().join("broken.yaml");
        let text = std::fs::read_to_string(&kiosk).unwrap();
        assert!(text.contains(from));
        std::fs::write(&path, text.replace(from, to)).unwrap();
        path
    };
    let path = broken("bronze: 0.75", "bronze: 0.85").display().to_string();
    check(&[&path], 1, "the world cannot be:\n- population.attributes.customer.tier: the shares sum to 1.1");
    let path = broken(r#"price: {amount: "0", currency: USD}"#, r#"price: {amount: "0", currency: EUR}"#)
        .display()
        .to_string();
    check(&[&path], 1, "offers are in EUR and USD: use one currency");
}
