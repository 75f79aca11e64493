//! `proffer policy init` and `proffer policy test` as authors meet them: what is written, printed and exited with.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::run;
use crate::harness::server::Site;

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

#[test]
fn a_bundle_to_start_from_is_written_once_and_its_tests_hold() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, _) = run(folder.path(), &["policy", "init", "my shop"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out, @r"
    my shop: a bundle of 10 files

      placements.yaml   the places that ask for an offer
      rules/            the rules: consent, margin, contacts, one exclusion
      catalog/          what may be known of customers and offers, and what for
      tests/            customers and offers to try the rules on, and what is expected
      .schema/          by which editors complete and check the fields of these files

    Next: change a rule, then
      proffer policy check 'my shop'            says what is wrong with the files
      proffer policy test 'my shop'             tries the rules on the tests
      proffer serve --policies 'my shop'        decides under them
    ");
    let (code, out, err) = run(folder.path(), &["policy", "check", "my shop"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("my shop: 10 files, 1 placement, 4 rules, 7 test cases; nothing is wrong\n"), "{out}");
    let (code, out, err) = run(folder.path(), &["policy", "test", "my shop"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "my shop: 7 cases, all hold; 4 rules, all covered", ""));

    let (code, out, err) = run(folder.path(), &["policy", "init", "my shop"]);
    assert_eq!((code, out.as_str()), (2, ""));
    insta::assert_snapshot!(err, @r"
    error: `my shop` is not empty and nothing was written; name a new folder, such as `proffer policy init my-policies`
    ");
    let (code, _, err) = run(folder.path(), &["policy", "init", "my shop/bundle.yaml"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @r"
    error: `my shop/bundle.yaml` cannot be used: Not a directory (os error 20); name a folder
    ");
}

#[test]
fn a_service_starts_on_what_is_written() {
    let folder = begun();
    let site = Site::new("sqlite:proffer.sqlite", &folder.path().join("policies"));
    site.start(&[]);
}

#[test]
fn a_failing_case_and_a_rule_without_cases_are_told_and_exit_with_1() {
    let folder = begun();
    edit(folder.path(), "rules/20-margin.yaml", "min_margin: 10%", "min_margin: 12%");
    edit(
        folder.path(),
        "rules/40-offers.yaml",
        "exclusions:\n",
        "exclusions:\n  - id: no.mobile\n    why: The small shop has no checkout yet\n    \
         when: context.device_type == \"mobile\"\n    on_missing: allow\n",
    );
    let (code, out, err) = run(folder.path(), &["policy", "test"]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out, @r"
    policies/tests/rules.test.yaml:32: goods that just earn a tenth
      given     `home_banner` at Mon 2026-03-02 12:00 (America/New_York), US-NY
                `ann`: tier gold, offer_personalisation granted
      `boots`:  price 100.00 USD, discount 10.00 USD, margin 9.00 USD (10%), category shoes, members_only false
        expected  no rule leaves it out
        came      `margin.floor`
        too much  `margin.floor` (No offer earns less than a tenth of its price, finance memo 1): margin 10% is under
                    the floor of 12%

    not covered:
      policies/rules/40-offers.yaml:6: `no.mobile`: no case in which it leaves an offer out
      in tests/*.test.yaml, write a case that expects the rule and one about the same offers that does not

    policies: 7 cases, 1 fails; 5 rules, 1 not covered
    ");
    let (code, out, _) = run(folder.path(), &["policy", "test", "--rule", "no.mobile", "--allow-uncovered"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out, @r"
    not covered (allowed):
      policies/rules/40-offers.yaml:6: `no.mobile`: no case in which it leaves an offer out
      in tests/*.test.yaml, write a case that expects the rule and one about the same offers that does not

    policies: 0 cases, all hold; 1 rule, 1 not covered
    ");
    assert_eq!(run(folder.path(), &["policy", "test", "--allow-uncovered"]).0, 1, "a case still fails");

    let (code, out, _) = run(folder.path(), &["policy", "test", "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["ok"], &told["cases"]), (1, &json!(false), &json!(7)));
    let mistake = &told["failed"][0]["mistakes"][0];
    assert_eq!(
        (&mistake["offer"], &mistake["expected"], &mistake["came"]),
        (&json!("boots"), &json!([]), &json!(["margin.floor"]))
    );
    let uncovered = &told["uncovered"][0];
    assert_eq!((&uncovered["rule"], &uncovered["line"]), (&json!("no.mobile"), &json!(6)));
    assert_eq!(uncovered["path"], "policies/rules/40-offers.yaml");

    let (code, _, err) = run(folder.path(), &["policy", "test", "--rule", "margin.flor"]);
    assert_eq!((code, err.as_str()), (2, "error: the bundle has no rule `margin.flor`; did you mean `margin.floor`?"));
    assert_eq!(run(folder.path(), &["policy", "test", "nowhere"]).0, 2);
}

#[test]
fn a_mistake_in_a_test_stops_check_test_publish_and_a_start() {
    let folder = begun();
    edit(folder.path(), "tests/rules.test.yaml", "customer: ben", "customer: bne");
    for command in ["check", "test", "publish"] {
        let (code, _, err) = run(folder.path(), &["policy", command, "policies"]);
        assert_eq!(code, 1, "{command}");
        assert!(err.contains("unknown customer `bne`; did you mean `ben`?"), "{command}: {err}");
    }
    let (code, _, err) = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 1);
    assert!(err.contains("unknown customer `bne`; did you mean `ben`?"), "{err}");
}
