//! `proffer policy measure` as authors meet it, and commands that put a bundle in force which has to be measured.

use std::path::Path;

use crate::cli::run;
use crate::harness::server::{Site, until};

const GENDER: &str = "attributes:\n  - {id: customer.gender, type: {enum: [f, m]}, class: protected}\n";
const PURPOSE: &str =
    "purposes:\n  - {id: measurement, dpv: ServiceUsageAnalytics, bases: {EU: [consent], US: [consent]}}\n";
const GATES: &str = "\
owner: privacy
purpose_gates:
  - {id: consent.measurement, why: Notice 9, purpose: measurement}
fairness_gates:
  - id: fair.parity
    why: Charter of fair offers 3
    attribute: customer.gender
    metric: parity
    at_least: 80%
    window: 30d
    min_group: 200
    interval: 95%
";

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join("policies").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Hexadecimal digits of hashes, and instants, say nothing here.
fn still(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for word in &mut words {
        if let Some(at) = word.find("b3:") {
            let digits: String = word[at + 3..].chars().take_while(char::is_ascii_hexdigit).collect();
            *word = word.replace(&digits, "HASH");
        }
        if word.len() >= 24 && word.starts_with("20") && word.contains('T') {
            *word = format!("NOW{}", &word[24..]);
        }
    }
    words.join(" ")
}

#[test]
fn what_is_not_measured_is_not_put_in_force_and_too_little_data_is_no_measure() {
    let folder = tempfile::tempdir().unwrap();
    let proffer = |args: &[&str]| {
        let (code, out, err) = run(folder.path(), args);
        (code, still(&out), still(&err))
    };
    assert_eq!(proffer(&["policy", "init"]).0, 0);
    let (code, out, _) = proffer(&["policy", "measure"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out, @"`my-shop` has no fairness gate with a `metric`: nothing is to be measured");

    edit(folder.path(), "catalog/attributes.yaml", "attributes:\n", GENDER);
    edit(folder.path(), "catalog/purposes.yaml", "purposes:\n", PURPOSE);
    std::fs::write(folder.path().join("policies/rules/50-fair.yaml"), GATES).unwrap();
    let (code, out, err) = proffer(&["policy", "check"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let (code, out, _) = proffer(&["policy", "test"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "policies: 7 cases, all hold; 4 rules, all covered"),
        "no case can show either"
    );
    let (_, out, _) = proffer(&["policy", "explain", "fair.parity"]);
    assert!(out.contains("a bundle that does not hold it is not put in force"), "{out}");
    assert!(out.contains("no case can show it"), "{out}");
    // Groups are compared by what people approved, and by nothing else.
    edit(folder.path(), "bundle.yaml", "schema: 1\n", "schema: 1\napprovers: {attributes: [protected]}\n");
    let (code, out, err) = proffer(&["policy", "measure"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let head =
        "error: nothing was measured, since nobody approved reading what it compares groups by\n\nerror[P0501]: ";
    assert!(err.starts_with(head), "{err}");
    let mend = "proffer policy approve customer.gender --purpose measurement --use-case measurement --hash b3:HASH";
    assert!(err.split_whitespace().collect::<Vec<_>>().join(" ").contains(mend), "{err}");
    edit(folder.path(), "bundle.yaml", "approvers: {attributes: [protected]}\n", "");

    let refused = "error: fairness gates keep bundle b3:HASH from being put in force: `fair.parity` asks for a \
                   measure, and the bundle names no report; run `proffer policy measure DIR` on its folder, which \
                   measures and names the report in fairness.yaml, then activate the folder";
    let (code, out, err) = proffer(&["policy", "activate", "policies"]);
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", refused));
    let site = Site::new("sqlite:proffer.sqlite", &folder.path().join("policies"));
    let mut server = site.spawn(&[("PROFFER_LOG", "off")]);
    let (status, said) = until("the service to refuse to start", || {
        let said = server.said();
        server.ended().filter(|_| said.contains("error:")).map(|status| (status, said))
    });
    assert_eq!((status.code(), still(said.trim()).as_str()), (Some(1), refused));
    let (code, out, err) = proffer(&["policy", "measure", "--out", "fairness.json"]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out, @r"
    fairness of `my-shop`, measured at NOW over decisions until NOW

    fair.parity (Charter of fair offers 3): too little data
      0 of 0 decisions in 30d could be measured
      customer.gender  customers  decisions  worth on average
      f                        0          0  too few to be told
      m                        0          0  too few to be told
      `customer.gender = f` has 0 customers who may be measured, and every group needs 200

    report b3:HASH, named in policies/fairness.yaml
    ");
    let named = std::fs::read_to_string(folder.path().join("policies/fairness.yaml")).unwrap();
    insta::assert_snapshot!(still(&named), @r"
    # Written by `proffer policy measure`: by what report this bundle was measured.
    report: b3:HASH
    ");
    let written = std::fs::read_to_string(folder.path().join("fairness.json")).unwrap();
    assert!(written.starts_with("{\"form\":1,\"measured\":\"b3:"), "{written}");
    let (code, _, err) = proffer(&["policy", "activate", "policies"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(err, @r"
    error: fairness gates keep bundle b3:HASH from being put in force: `fair.parity` (too little data): `customer.gender = f` has 0 customers who may be measured, and every group needs 200; run `proffer policy measure DIR` on its folder, which measures and names the report in fairness.yaml, then activate the folder
    ");

    let (code, _, err) = proffer(&["policy", "measure", "--from", "2026-03-02", "--to", "2026-03-01T00:00:00Z"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @"error: --from NOW is not before --to NOW: nothing lies between them");
    let (code, _, err) = proffer(&["policy", "measure", "--from", "yesterday"]);
    assert_eq!(code, 2);
    assert!(err.contains("`yesterday` is neither an instant nor a day: expected `2026-11-27T09:00:00Z`"), "{err}");
}
