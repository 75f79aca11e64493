//! Golden text of author mistakes in what fairness gates measure, and in the file that names a report. Not the others.

use crate::policy::sample::{ATTRIBUTES, CONSENT, MARGIN, PLACEMENTS, PURPOSES, files, shown};
use crate::policy::{Source, compile, lint};

const GENDER: &str = "attributes:\n  - {id: customer.gender, type: {enum: [f, m, x]}, class: protected}\n";
const PURPOSE: &str = "purposes:\n  - {id: measurement, bases: {US: [consent]}}\n";
const GATE: &str = "purpose_gates:\n  - {id: ask, why: Notice 9, purpose: measurement}\n";

/// The sample with a protected attribute, a purpose, a gate for it, and a fairness gate with these fields.
fn with(purpose: &str, gate: &str, fields: &str) -> Vec<Source> {
    let mut files = files();
    let mut put = |path: &str, at: &str, text: &str| {
        let file = files.iter_mut().find(|file| file.path == path).unwrap();
        file.text = file.text.replacen(at, text, 1);
    };
    put(ATTRIBUTES, "attributes:\n", GENDER);
    put(PURPOSES, "purposes:\n", purpose);
    put(CONSENT, "purpose_gates:\n", gate);
    let rule = format!("fairness_gates:\n  - id: fair\n    why: Charter\n    {fields}\n\nmargin_floors:");
    put(MARGIN, "margin_floors:", &rule);
    files
}

const PARITY: &str = "attribute: customer.gender\n    metric: parity\n    at_least: 80%\n    window: 30d\n    \
                      min_group: 200\n    interval: 95%";

/// What is said of fields with one text replaced.
fn wrong(from: &str, to: &str) -> String {
    assert!(PARITY.contains(from), "{from}");
    shown(&compile(&with(PURPOSE, GATE, &PARITY.replacen(from, to, 1))).unwrap_err())
}

#[test]
fn a_gate_says_either_what_is_asked_or_what_is_measured_with_its_own_limit() {
    assert!(compile(&with(PURPOSE, GATE, PARITY)).is_ok());
    insta::assert_snapshot!(wrong("metric: parity", "metric: parity\n    check: one_group_discount"), @r"
    error[P0274]: rule `fair`: it says either `check` or `metric`
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: fair
      |     ^^ one of both
      = help: write `check: one_group_discount`, `metric: parity` or `metric: proxy`
    ");
    insta::assert_snapshot!(
        wrong("customer.gender\n    metric: parity", "customer.region\n    check: one_group_discount"), @r"
    error[P0274]: rule `fair`: `window` belongs to a `metric`
     --> rules/20-margin.yaml:9:13
      |
    9 |     window: 30d
      |             ^^^ nothing is measured
      = help: remove it, or write what is measured as a rule of its own
    ");
    insta::assert_snapshot!(wrong("metric: parity", "metric: proxy"), @r"
    error[P0102]: rule `fair`: field `at_most` is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: fair
      |     ^^ no `at_most` here
      = help: add it, such as `at_most: 70%`

    error[P0274]: rule `fair`: `at_least` does not belong to `metric: proxy`
     --> rules/20-margin.yaml:8:15
      |
    8 |     at_least: 80%
      |               ^^^ the limit of another metric
      = help: its limit is written `at_most: 70%`
    ");
    insta::assert_snapshot!(wrong("metric: parity", "metric: paritiy"), @r"
    error[P0106]: rule `fair`: unknown metric `paritiy`; did you mean `parity`?
     --> rules/20-margin.yaml:7:13
      |
    7 |     metric: paritiy
      |             ^^^^^^^ unknown metric
      = help: expected one of `parity`, `proxy`
    ");
}

#[test]
fn limits_that_always_or_never_hold_and_groups_too_small_to_measure_are_out_of_range() {
    insta::assert_snapshot!(wrong("at_least: 80%", "at_least: 100%"), @r"
    error[P0105]: rule `fair`: `100%` is out of range: expected more than 0% and less than 100%
     --> rules/20-margin.yaml:8:15
      |
    8 |     at_least: 100%
      |               ^^^^ expected more than 0% and less than 100%
    ");
    insta::assert_snapshot!(wrong("metric: parity\n    at_least: 80%", "metric: proxy\n    at_most: 50%"), @r"
    error[P0105]: rule `fair`: `50%` is out of range: expected more than 50%, which tells nothing, and less than 100%
     --> rules/20-margin.yaml:8:14
      |
    8 |     at_most: 50%
      |              ^^^ expected more than 50%, which tells nothing, and less than 100%
    ");
    insta::assert_snapshot!(wrong("min_group: 200", "min_group: 12"), @r"
    error[P0105]: rule `fair`: `12` is out of range: expected a whole number from 30 to 1000000000
      --> rules/20-margin.yaml:10:16
       |
    10 |     min_group: 12
       |                ^^ expected a whole number from 30 to 1000000000
    ");
    insta::assert_snapshot!(wrong("interval: 95%", "interval: 80%"), @r"
    error[P0106]: rule `fair`: unknown interval `80%`; did you mean `90%`?
      --> rules/20-margin.yaml:11:15
       |
    11 |     interval: 80%
       |               ^^^ unknown interval
       = help: expected one of `90%`, `95%`, `99%`
    ");
    insta::assert_snapshot!(wrong("    window: 30d\n", ""), @r"
    error[P0102]: rule `fair`: field `window` is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: fair
      |     ^^ no `window` here
      = help: add it, such as `window: 30d`
    ");
    insta::assert_snapshot!(wrong("window: 30d", "window: a month"), @r"
    error[P0104]: rule `fair`: `a month` is not a span of time
     --> rules/20-margin.yaml:9:13
      |
    9 |     window: a month
      |             ^^^^^^^ expected a span such as `24h` or `7d`
      = help: expected a whole number with `s`, `m`, `h` or `d`, such as `24h`, at most ten years
    ");
    insta::assert_snapshot!(wrong("customer.gender", "customer.points"), @r"
    error[P0273]: rule `fair`: `customer.points` names no groups of customers
     --> rules/20-margin.yaml:6:16
      |
    6 |     attribute: customer.points
      |                ^^^^^^^^^^^^^^^ not for groups
      = help: name an attribute of customers that is declared with `type: {enum: [...]}` or `type: bool`
    ");
    insta::assert_snapshot!(wrong("customer.gender", "customer.gendre"), @r"
    error[P0107]: rule `fair`: unknown attribute `customer.gendre`; did you mean `customer.gender`?
     --> rules/20-margin.yaml:6:16
      |
    6 |     attribute: customer.gendre
      |                ^^^^^^^^^^^^^^^ not in catalog/attributes.yaml
    ");
}

#[test]
fn nobody_is_measured_who_was_not_asked_and_amounts_of_two_currencies_are_not_added_up() {
    let refused = |purpose: &str, gate: &str| shown(&compile(&with(purpose, gate, PARITY)).unwrap_err());
    insta::assert_snapshot!(refused("purposes:\n", "purpose_gates:\n"), @r"
    error[P0109]: rule `fair`: unknown purpose `measurement`
     --> rules/20-margin.yaml:7:13
      |
    7 |     metric: parity
      |             ^^^^^^ not in catalog/purposes.yaml
      = help: declare it there, or name one of `offer_contextual`, `offer_personalisation`
    ");
    insta::assert_snapshot!(refused(PURPOSE, "purpose_gates:\n"), @r"
    error[P0275]: rule `fair`: no gate asks for consent to `measurement` at placement `home_banner`
     --> rules/20-margin.yaml:4:9
      |
    4 |   - id: fair
      |         ^^^^ nobody would be asked
      = help: what it measures is read of those alone who agreed: add a rule with `purpose: measurement` to
              `purpose_gates`
    ");
    let mut files = with(PURPOSE, GATE, PARITY);
    let placements = files.iter_mut().find(|file| file.path == PLACEMENTS).unwrap();
    let (head, last) = placements.text.rsplit_once("currency: USD").unwrap();
    placements.text = format!("{head}currency: EUR{last}");
    let seen = shown(&compile(&files).unwrap_err());
    insta::assert_snapshot!(seen.split("error[").find(|text| text.starts_with("P0276")).unwrap(), @r"
    P0276]: rule `fair`: placement `home_banner` is in USD and `home_banner_uniform` in EUR
     --> rules/20-margin.yaml:4:9
      |
    4 |   - id: fair
      |         ^^^^ amounts that do not add up
      = help: write a rule for each currency, with `applies_to: {placements: [...]}`
    ");
    assert!(seen.contains("error[P0276]"));
}

#[test]
fn the_file_that_names_a_report_holds_a_hash_and_nothing_else() {
    let with_report = |text: &str| {
        let mut files = with(PURPOSE, GATE, PARITY);
        files.push(Source { path: "fairness.yaml".into(), text: text.into() });
        compile(&files)
    };
    insta::assert_snapshot!(shown(&with_report("report: b3:12\n").unwrap_err()), @r"
    error[P0104]: fairness: `b3:12` names no report
     --> fairness.yaml:1:9
      |
    1 | report: b3:12
      |         ^^^^^ expected `b3:` and 64 hexadecimal digits
      = help: expected what `proffer policy measure` writes here
    ");
    insta::assert_snapshot!(shown(&with_report("reprot: b3:12\n").unwrap_err()), @r"
    error[P0101]: fairness: unknown field `reprot`; did you mean `report`?
     --> fairness.yaml:1:1
      |
    1 | reprot: b3:12
      | ^^^^^^ unknown field
      = help: the fields here are `report`
    ");
    let (bare, named) = (compile(&with(PURPOSE, GATE, PARITY)).unwrap(), format!("report: b3:{}\n", "0a".repeat(32)));
    let named = with_report(&named).unwrap();
    assert_eq!(named.report.unwrap().hex(), "0a".repeat(32));
    let warned = |bundle| {
        let found = lint(bundle, &crate::policy::Tests::default(), &[], crate::domain::Timestamp(0)).findings;
        shown(&found.into_iter().filter(|finding| finding.code == "L15").collect::<Vec<_>>())
    };
    insta::assert_snapshot!(warned(&bare), @r"
    warning[L15]: rule `fair` asks for a measure, and the bundle names no report
     --> rules/20-margin.yaml:4:9
      |
    4 |   - id: fair
      |         ^^^^ not measured
      = help: until `proffer policy measure` has measured it the bundle cannot be put in force
    ");
    assert_eq!(warned(&named), "");
}

#[test]
fn what_is_measured_is_explained_in_plain_words() {
    let says = |fields: &str| {
        let bundle = compile(&with(PURPOSE, GATE, fields)).unwrap();
        let rule = bundle.rules.iter().find(|rule| rule.id.as_str() == "fair").unwrap();
        crate::policy::explain(&bundle, rule).says
    };
    insta::assert_snapshot!(says(PARITY), @r"
    keeps the bundle from being put in force until it was measured over 30d, on 200 customers of every group, that decisions are worth at least 80% to every `customer.gender` of what they are worth to any other, with an interval of 95%
    ");
    let proxy = PARITY.replace("parity\n    at_least: 80%", "proxy\n    at_most: 70%");
    insta::assert_snapshot!(says(&proxy), @r"
    keeps the bundle from being put in force until it was measured over 30d, on 200 customers of every group, that features tell nobody's `customer.gender` with an area under the curve above 70%, with an interval of 95%
    ");
}
