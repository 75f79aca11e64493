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
     --> policies/rules/40-offers.yaml:5:9
      |
    5 |   - id: no.mobile
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
