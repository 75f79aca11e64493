//! The tools of authors as they meet them on the command line: `proffer policy check|lint|diff|explain|schema|fmt`.
//! Tests no rule.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::run;

/// A folder with what `proffer policy init` writes.
fn begun() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = run(folder.path(), &["policy", "init"]);
    assert_eq!((code, err.as_str()), (0, ""));
    folder
}

/// Replaces one text in one file of the bundle.
fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join("policies").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// What a command prints for machines, with its exit code.
fn machine(folder: &Path, args: &[&str]) -> (i32, Value) {
    let (code, out, err) = run(folder, args);
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?}: {error}\n{out}\n{err}")))
}

#[test]
fn check_and_lint_write_what_code_hosts_read_and_their_exit_codes_stay() {
    let folder = begun();
    let (code, sarif) = machine(folder.path(), &["policy", "check", "--format", "sarif"]);
    assert_eq!((code, &sarif["version"], &sarif["runs"][0]["results"]), (0, &json!("2.1.0"), &json!([])));
    let (code, sarif) = machine(folder.path(), &["policy", "lint", "--format", "sarif"]);
    assert_eq!((code, &sarif["runs"][0]["results"]), (0, &json!([])));

    edit(folder.path(), "rules/20-margin.yaml", "min_margin: 10%", "min_margn: 10%");
    let (code, sarif) = machine(folder.path(), &["policy", "check", "--format", "sarif"]);
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((code, &result["ruleId"], &result["level"]), (1, &json!("P0101"), &json!("error")));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "policies/rules/20-margin.yaml");
    assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 1));
    let (code, sarif) = machine(folder.path(), &["policy", "lint", "--format", "sarif"]);
    assert_eq!((code, &sarif["runs"][0]["results"][0]["ruleId"]), (1, &json!("P0101")), "mistakes come first");
    assert_eq!(run(folder.path(), &["policy", "check", "nowhere", "--format", "sarif"]).0, 2);
}

#[test]
fn lint_warns_with_a_witness_and_fails_only_where_it_is_told_to() {
    let folder = begun();
    let lint = |more: &[&str]| run(folder.path(), &[&["policy", "lint"], more].concat());
    assert_eq!(lint(&["--deny", "warnings"]), (0, "policies: nothing to warn of".into(), String::new()));
    edit(
        folder.path(),
        "rules/40-offers.yaml",
        "exclusions:\n",
        "exclusions:\n  - id: no.mobile\n    why: The small shop has no checkout yet\n    \
         when: context.device_type != \"mobile\" || context.device_type == \"mobile\"\n",
    );
    let (code, out, err) = lint(&[]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r#"
    warning[L03]: rule `no.mobile` leaves out everything it applies to
     --> policies/rules/40-offers.yaml:6:9
      |
    6 |   - id: no.mobile
      |         ^^^^^^^^^ always
      = help: this hits `context.device_type = "desktop"` too: correct the condition; to stop offers
              altogether, pause them in the catalogue

    policies: 1 warning
    "#);
    assert_eq!(lint(&["--deny", "warnings"]).0, 1);
    assert_eq!(lint(&["--deny", "L03"]).0, 1);
    assert_eq!(lint(&["--deny", "L04"]).0, 0);
    assert_eq!(lint(&["--deny", "warnings", "--allow", "L03", "--allow", "L08"]).0, 0);
    let (code, out) = machine(folder.path(), &["policy", "lint", "--format", "json", "--deny", "L03"]);
    assert_eq!((code, &out["ok"], &out["unsettled"]), (1, &json!(false), &json!([])));
    assert_eq!(out["findings"][0]["code"], "L03");
    let (code, _, err) = lint(&["--deny", "L3"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @r"
    error: there is no warning `L3`; did you mean `L03`? (`warnings`, or a code from L01 on)
    ");
    assert_eq!(lint(&["--at", "soon"]).0, 2);
}

#[test]
fn diff_tells_by_rule_what_changed_between_folders_and_published_bundles() {
    let folder = begun();
    let run = |args: &[&str]| run(folder.path(), args);
    let store = ["--store", "sqlite:proffer.sqlite"];
    let (code, out, _) = run(&["policy", "diff", "policies"]);
    assert_eq!(code, 0);
    assert!(out.ends_with("both are the same bundle"), "{out}");
    assert!(!folder.path().join("proffer.sqlite").exists(), "folders need no store");
    assert_eq!(run(&[&["policy", "diff", "active"][..], &store].concat()).0, 1, "nothing is active yet");
    assert_eq!(run(&[&["policy", "activate", "policies"][..], &store].concat()).0, 0);

    edit(folder.path(), "rules/30-caps.yaml", "# How often", "# How very often");
    let (_, out, _) = run(&[&["policy", "diff", "active"][..], &store].concat());
    assert!(out.ends_with("nothing differs but comments, layout or order"), "{out}");
    edit(folder.path(), "rules/30-caps.yaml", "max: 2", "max: 3");
    edit(
        folder.path(),
        "rules/40-offers.yaml",
        "customer.tier == \"bronze\"",
        "customer.tier in [\"bronze\", \"silver\"]",
    );
    edit(folder.path(), "tests/rules.test.yaml", "ago: 20h}]", "ago: 20h}, {offer: boots, ago: 21h}]");
    let (code, out, err) = run(&[&["policy", "diff", "active", "policies"][..], &store].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    let told = out.split_once("(policies)").unwrap().1;
    insta::assert_snapshot!(told, @r#"
    ~ case `shown twice today is enough` (cases, tests/rules.test.yaml:36)
        `history` names `{offer: boots, ago: 21h}` as well

    ~ rule `members.only` (exclusions, rules/40-offers.yaml:6)
        `when` is `customer.tier in ["bronze", "silver"] && offer.members_only` instead of `customer.tier == "bronze" && offer.members_only`
        it leaves out `customer.tier = "silver"`, `offer.members_only = true`, and did not before

    ~ rule `cap.offer.day` (frequency_caps, rules/30-caps.yaml:6)
        `max` is `3` instead of `2`
        it is looser: it leaves out nothing that it did not leave out before

    3 changes
    "#);
    let (code, out) =
        machine(folder.path(), &[&["policy", "diff", "active", "policies", "--format", "json"][..], &store].concat());
    assert_eq!((code, &out["same"], &out["changes"][2]["id"]), (0, &json!(false), &json!("cap.offer.day")));
    assert_eq!(out["changes"][2]["fields"], json!([{"field": "max", "before": "2", "after": "3"}]));
    assert_eq!(run(&[&["policy", "diff", "nowhere"][..], &store].concat()).0, 2);
}

#[test]
fn explain_tells_a_rule_with_its_cases_and_a_code_right_and_wrong() {
    let folder = begun();
    let explain = |more: &[&str]| run(folder.path(), &[&["policy", "explain"], more].concat());
    let (code, out, err) = explain(&["members.only"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r#"
    rule `members.only` (exclusions, policies/rules/40-offers.yaml:6), owner merchandising

      it              leaves an offer out where this is so: `customer.tier == "bronze" && offer.members_only` holds, or a value that it needs is missing
      why             Some offers are kept for members from silver upwards, loyalty plan 1
      applies         everywhere, to everything
      holds           always
      effect          what it speaks against is left out
      missing         an offer is left out where something that the rule reads is missing
      leaves out      `customer.tier = "bronze"`, `offer.members_only = true`
      lets be         `customer.tier = "silver"`, `offer.members_only = true`
      also leaves out no `customer.tier`, `offer.members_only = true`
      tests           leave something out by it 2 times, let something pass 9 times
                      policies/tests/rules.test.yaml:17: what is kept for members is not for bronze
                      policies/tests/rules.test.yaml:22: somebody who refuses is shown what needs no personal data
    "#);
    insta::assert_snapshot!(explain(&["P0107", "nowhere"]).1, @r#"
    error[P0107]: an attribute that is not in catalog/attributes.yaml

    wrong, in rules/40-offers.yaml
      | when: customer.teir == "bronze"

    right
      | when: customer.tier == "bronze"
    "#);
    insta::assert_snapshot!(explain(&["P0002"]).1, @r"
    error[P0002]: a tab indents a line; YAML is indented with spaces

    wrong, in rules/20-margin.yaml
      | <tab>min_margin: 10%

    right
      |     min_margin: 10%
    ");
    let untested = explain(&["L08"]).1;
    assert!(
        untested.starts_with("warning[L08]: a rule that no case shows from both sides\n\nwrong, in tests/"),
        "{untested}"
    );
    assert!(explain(&["P0008"]).1.contains("\n\nwrong, in the folder\n  | placements.yaml\n\nright\n"));
    let (code, _, err) = explain(&["member.only"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @r"
    error: no finding has the code `member.only`, and the bundle has no rule `member.only`; did you mean `members.only`?
    ");
    let (_, out) = machine(folder.path(), &["policy", "explain", "consent.personal", "--format", "json"]);
    assert_eq!((&out["list"], &out["left_out"]), (&json!("purpose_gates"), &json!(1)));
    assert_eq!(out["cases"][0]["line"], 22);
    let (_, out) = machine(folder.path(), &["policy", "explain", "L05", "--format", "json"]);
    assert_eq!((&out["level"], &out["example"]["path"]), (&json!("warning"), &json!("rules/40-offers.yaml")));
}

#[test]
fn init_writes_the_schemas_that_its_files_name_and_they_are_no_part_of_the_bundle() {
    let folder = begun();
    let policies = folder.path().join("policies");
    let hash = |folder: &Path| machine(folder, &["policy", "check", "--format", "json"]).1["bundle"].clone();
    let before = hash(folder.path());
    for file in ["bundle.yaml", "catalog/purposes.yaml", "rules/30-caps.yaml", "tests/fixtures/shop.yaml"] {
        let text = std::fs::read_to_string(policies.join(file)).unwrap();
        let named = text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap();
        let path = policies.join(file).parent().unwrap().join(named);
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{file}");
    }
    let (code, schema) = machine(folder.path(), &["policy", "schema", "rules"]);
    assert_eq!((code, &schema["additionalProperties"]), (0, &json!(false)));
    assert!(schema["properties"]["margin_floors"]["items"]["properties"]["min_margin"].is_object());
    std::fs::remove_dir_all(policies.join(".schema")).unwrap();
    let (code, out, _) = run(folder.path(), &["policy", "schema", "--out", "policies"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out, @r#"
    policies/.schema: 10 schemas

    A file names its own in its first line, such as
      # yaml-language-server: $schema=../.schema/rules.json
    or the settings of the editor do for all (Visual Studio Code: .vscode/settings.json):
      "yaml.schemas": {
        "./policies/.schema/bundle.json": "policies/bundle.yaml",
        "./policies/.schema/attributes.json": "policies/catalog/attributes.yaml",
        "./policies/.schema/purposes.json": "policies/catalog/purposes.yaml",
        "./policies/.schema/calendars.json": "policies/catalog/calendars.yaml",
        "./policies/.schema/stores.json": "policies/catalog/stores.yaml",
        "./policies/.schema/fairness.json": "policies/fairness.yaml",
        "./policies/.schema/placements.json": "policies/placements.yaml",
        "./policies/.schema/rules.json": "policies/rules/*.yaml",
        "./policies/.schema/fixtures.json": "policies/tests/fixtures/*.yaml",
        "./policies/.schema/tests.json": "policies/tests/*.test.yaml"
      }
    "#);
    assert_eq!(hash(folder.path()), before);
    let (code, _, err) = run(folder.path(), &["policy", "schema", "rule"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("error: there is no schema `rule`; did you mean `rules`?"), "{err}");
    assert_eq!(run(folder.path(), &["policy", "schema"]).0, 2);
}

#[test]
fn fmt_lays_files_out_once_keeps_what_they_say_and_leaves_wrong_ones_alone() {
    let folder = begun();
    let fmt = |more: &[&str]| run(folder.path(), &[&["policy", "fmt"], more].concat());
    assert_eq!(fmt(&["--check"]), (0, "policies: 10 files, 0 with another layout".into(), String::new()));
    edit(folder.path(), "rules/30-caps.yaml", "    max: 2\n", "    max:   2   # twice\n\n\n");
    let (code, out, err) = fmt(&["--check"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(out, "policies/rules/30-caps.yaml: has another layout\npolicies: 10 files, 1 with another layout");
    assert_eq!(fmt(&[]).0, 0);
    assert_eq!(fmt(&["--check"]).0, 0);
    let text = std::fs::read_to_string(folder.path().join("policies/rules/30-caps.yaml")).unwrap();
    assert!(text.contains("    max: 2 # twice\n"), "{text}");
    assert_eq!(run(folder.path(), &["policy", "test"]).0, 0);
    edit(folder.path(), "rules/30-caps.yaml", "max: 2", "max: [2");
    let (code, _, err) = fmt(&[]);
    assert_eq!(code, 1);
    assert!(err.contains("error[P0001]") && err.ends_with("1 mistake in policies"), "{err}");
    assert_eq!(run(folder.path(), &["policy", "fmt", "nowhere"]).0, 2);
}
