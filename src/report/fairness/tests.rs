//! Tests of verdicts and of judging reports: what keeps a bundle from being put in force, told as people read it.
//! Measure nothing.

use super::*;
use crate::domain::{PlacementId, Span, Value};
use crate::policy::{Source, compile};
use crate::report::Around;

const ATTRIBUTES: &str = "\
attributes:
  - {id: customer.gender, type: {enum: [f, m]}, class: protected}
  - {id: customer.tier, type: {enum: [bronze, gold]}}
  - {id: offer.category, type: {enum: [shoes]}}
";

const PURPOSES: &str = "\
purposes:
  - {id: offers, bases: {US: [consent]}}
  - {id: measurement, bases: {US: [consent]}}
";

const PLACEMENTS: &str = "\
placements:
  - id: home
    channel: web
    purpose: offers
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    reservation: 10m
    strategy: {name: thompson_linear, half_life: 60d, exploration: 0.05}
    features: [customer.tier, customer.tier * offer.category, offer.category, hour_of_day]
    holdout: 0%
    fallback: {offer: house, variant: a}
";

const RULES: &str = "\
owner: privacy
purpose_gates:
  - {id: ask, why: Notice 9, purpose: measurement}
fairness_gates:
  - id: fair.parity
    why: Charter 3
    attribute: customer.gender
    metric: parity
    at_least: 80%
    window: 30d
    min_group: 50
    interval: 95%
  - id: fair.proxy
    why: Charter 4
    attribute: customer.gender
    metric: proxy
    at_most: 70%
    window: 30d
    min_group: 50
    interval: 95%
";

const NOW: Timestamp = Timestamp(1_772_357_400_000);

fn files() -> Vec<Source> {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    vec![
        file("bundle.yaml", "name: shop\nschema: 1\n"),
        file("catalog/attributes.yaml", ATTRIBUTES),
        file("catalog/purposes.yaml", PURPOSES),
        file("placements.yaml", PLACEMENTS),
        file("rules/fair.yaml", RULES),
    ]
}

fn bundle(files: &[Source]) -> Bundle {
    compile(files).unwrap_or_else(|found| panic!("{found:?}"))
}

/// The bundle with the name of a report in it.
fn naming(files: &[Source], report: &str) -> Bundle {
    let file = Source { path: "fairness.yaml".to_owned(), text: format!("report: {report}\n") };
    bundle(&[files, &[file]].concat())
}

fn around(value: f64, low: f64, high: f64) -> Around {
    Around { value, low, high }
}

fn group(name: &str) -> Value {
    Value::Text(name.to_owned())
}

/// What a report of groups of these sizes says, with this ratio and this AUC.
fn report(bundle: &Bundle, customers: [u64; 2], ratio: Option<Around>, auc: Around) -> FairnessReport {
    let names = ["f", "m"].map(group);
    let worth =
        |at: usize| GroupWorth { group: names[at].clone(), customers: customers[at], decisions: 99, mean: None };
    let told =
        |at: usize| GroupTold { group: names[at].clone(), customers: customers[at], auc: (at == 0).then_some(auc) };
    let [least, most] = names.clone();
    let parity =
        ParityMeasured { groups: vec![worth(0), worth(1)], ratio: ratio.map(|ratio| Ratio { least, most, ratio }) };
    let proxy = ProxyMeasured {
        placement: PlacementId::new("home").unwrap(),
        features: vec!["customer.tier".to_owned()],
        unknown: Vec::new(),
        groups: vec![told(0), told(1)],
    };
    let gate = |rule: &str, found| GateMeasured {
        rule: RuleId::new(rule).unwrap(),
        from: NOW.minus(Span(30 * 86_400_000)),
        decisions: 200,
        read: 180,
        found,
    };
    let gates = vec![gate("fair.parity", Found::Parity(parity)), gate("fair.proxy", Found::Proxy(vec![proxy]))];
    FairnessReport::new(bundle, NOW, NOW, gates)
}

const FAIR: Around = Around { value: 0.97, low: 0.88, high: 1.07 };
const BLIND: Around = Around { value: 0.55, low: 0.49, high: 0.61 };

/// What is said of a report that the bundle names.
fn said(report: impl FnOnce(&Bundle) -> FairnessReport) -> String {
    let body = report(&bundle(&files())).body();
    let bundle = naming(&files(), &hash_text(hash_report(&body)));
    judge(&bundle, |_| Some(body), false, NOW).map_or_else(|unfair| unfair.why.to_string(), |()| "may".to_owned())
}

#[test]
fn a_report_that_shows_every_gate_to_hold_lets_its_bundle_in() {
    assert_eq!(said(|bundle| report(bundle, [50, 60], Some(FAIR), BLIND)), "may");
}

#[test]
fn the_interval_counts_and_not_the_estimate() {
    let parity = |ratio| said(|bundle| report(bundle, [50, 60], Some(ratio), BLIND));
    insta::assert_snapshot!(parity(around(0.95, 0.79, 1.14)), @r"
    `fair.parity` (does not hold): what decisions are worth to `f` is 95.0% of what they are worth to `m`, 95% interval 79.0% to 114.0%: not shown to be at least 80%; more customers make the interval narrower
    ");
    insta::assert_snapshot!(parity(around(0.6, 0.5, 0.7)), @r"
    `fair.parity` (does not hold): what decisions are worth to `f` is 60.0% of what they are worth to `m`, 95% interval 50.0% to 70.0%: less than the 80% asked for
    ");
    assert_eq!(parity(around(0.9, 0.8, 1.0)), "may", "the limit itself is enough");
    let proxy = |auc| said(|bundle| report(bundle, [50, 60], Some(FAIR), auc));
    insta::assert_snapshot!(proxy(around(0.65, 0.58, 0.72)), @r"
    `fair.proxy` (does not hold): at `home` features tell `customer.gender = f` from the others with an AUC of 65.0%, 95% interval 58.0% to 72.0%: not shown to be at most 70%; more customers make the interval narrower
    ");
    insta::assert_snapshot!(proxy(around(0.9, 0.85, 0.95)), @r"
    `fair.proxy` (does not hold): at `home` features tell `customer.gender = f` from the others with an AUC of 90.0%, 95% interval 85.0% to 95.0%: more than the 70% asked for
    ");
    assert_eq!(proxy(around(0.6, 0.5, 0.7)), "may");
}

#[test]
fn too_little_data_lets_nothing_in() {
    insta::assert_snapshot!(said(|bundle| report(bundle, [49, 60], Some(FAIR), BLIND)), @r"
    `fair.parity` (too little data): `customer.gender = f` has 49 customers who may be measured, and every group needs 50; `fair.proxy` (too little data): at `home` `customer.gender = f` has 49 customers who may be measured, and every group needs 50
    ");
    insta::assert_snapshot!(said(|bundle| report(bundle, [50, 60], None, BLIND)), @r"
    `fair.parity` (too little data): decisions were worth too little, or too unevenly, for a ratio to be told
    ");
    let changed = |change: &dyn Fn(&mut FairnessReport)| {
        said(|bundle| {
            let mut report = report(bundle, [50, 60], Some(FAIR), BLIND);
            change(&mut report);
            report
        })
    };
    let unknown = changed(&|report| {
        let Found::Proxy(found) = &mut report.gates[1].found else { panic!("proxy") };
        found[0].unknown.push("customer.tier".to_owned());
    });
    insta::assert_snapshot!(unknown, @r"
    `fair.proxy` (too little data): at `home` the feature `customer.tier` is known of fewer than 50 of the customers measured: nothing says what it would tell
    ");
    let gone = changed(&|report| {
        let Found::Parity(found) = &mut report.gates[0].found else { panic!("parity") };
        found.groups.pop();
    });
    insta::assert_snapshot!(gone, @r"
    `fair.parity` (too little data): `customer.gender = m` has 0 customers who may be measured, and every group needs 50
    ");
    let elsewhere = changed(&|report| report.gates[1].found = Found::Proxy(Vec::new()));
    insta::assert_snapshot!(elsewhere, @"`fair.proxy` (too little data): nothing was measured at `home`");
    let missing = changed(&|report| drop(report.gates.pop()));
    insta::assert_snapshot!(missing, @"`fair.proxy` was not measured");
    let short = changed(&|report| report.gates[0].from = NOW.minus(Span(7 * 86_400_000)));
    insta::assert_snapshot!(short, @"`fair.parity` asks for 30d of decisions, and 7d were measured");
}

#[test]
fn without_its_own_whole_and_recent_report_a_bundle_is_not_put_in_force() {
    let good = |bundle: &Bundle| report(bundle, [50, 60], Some(FAIR), BLIND);
    let plain = bundle(&files());
    let body = good(&plain).body();
    let name = hash_text(hash_report(&body));
    let named = naming(&files(), &name);
    assert_eq!(named.measured, plain.measured, "the name of the report is no part of what it is about");
    assert_ne!(named.hash, plain.hash, "and is part of the bundle");
    let told = |bundle: &Bundle, kept: Option<&str>, was: bool, now| {
        let judged = judge(bundle, |_| kept.map(str::to_owned), was, now);
        judged.map_or_else(|unfair| unfair.why.to_string().replace(&name, "NAME"), |()| "may".to_owned())
    };
    assert_eq!(told(&named, Some(&body), false, NOW), "may");
    insta::assert_snapshot!(told(&plain, Some(&body), false, NOW), @r"
    `fair.parity` asks for a measure, and the bundle names no report
    ");
    insta::assert_snapshot!(told(&named, None, false, NOW), @"the report NAME that it names is not in this store");
    let altered = body.replace("0.88", "0.89");
    insta::assert_snapshot!(told(&named, Some(&altered), false, NOW), @r"
    the report NAME is not the one that was kept under this hash: it was altered
    ");
    let mut changed = files();
    changed[4].text = changed[4].text.replace("at_least: 80%", "at_least: 70%");
    insta::assert_snapshot!(told(&naming(&changed, &name), Some(&body), false, NOW), @r"
    the report NAME is about other files: the bundle was changed after it was measured
    ");
    let week = NOW.plus(REPORT_AGE_MAX);
    assert_eq!(told(&named, Some(&body), false, week), "may");
    let later = week.plus(Span(1));
    insta::assert_snapshot!(told(&named, Some(&body), false, later), @r"
    the report NAME ends at 2026-03-01T09:30:00.000Z, more than 7d ago
    ");
    assert_eq!(told(&named, Some(&body), true, later), "may", "what was in force is put back without delay");
    assert_ne!(told(&named, Some(&altered), true, later), "may", "and its report is still its own");
    let whole = judge(&plain, |_| None, false, NOW).unwrap_err().to_string().replace(&plain.hash.hex(), "HASH");
    insta::assert_snapshot!(whole, @r"
    fairness gates keep bundle b3:HASH from being put in force: `fair.parity` asks for a measure, and the bundle names no report; run `proffer policy measure DIR` on its folder, which measures and names the report in fairness.yaml, then activate the folder
    ");
}

#[test]
fn tests_of_a_bundle_are_not_measured_and_gates_on_trial_or_over_ask_for_nothing() {
    let mut files = files();
    let before = bundle(&files).measured;
    files.push(Source { path: "tests/a.test.yaml".to_owned(), text: "cases: []\n".to_owned() });
    assert_eq!(bundle(&files).measured, before);
    files[4].text = files[4].text.replace("metric: parity", "severity: shadow\n    metric: parity");
    let over = "effective: {until: 2026-01-01, time_zone: UTC}\n    metric: proxy";
    files[4].text = files[4].text.replace("metric: proxy", over);
    let relaxed = bundle(&files);
    assert_ne!(relaxed.measured, before);
    assert_eq!(judge(&relaxed, |_| None, false, NOW), Ok(()));
    assert!(judge(&relaxed, |_| None, false, Timestamp(0)).is_err(), "before it is over it is asked");
}

#[test]
fn features_of_offers_say_nothing_of_customers() {
    let bundle = bundle(&files());
    let home = of_people(bundle.placement("home").unwrap());
    let names: Vec<&str> = home.features.iter().map(|feature| feature.text.as_str()).collect();
    assert_eq!((names, home.dimensions()), (vec!["customer.tier", "hour_of_day"], 1 + 2 + 2));
}

#[test]
fn a_report_is_told_to_people_group_by_group() {
    let bundle = bundle(&files());
    let mut report = report(&bundle, [50, 60], Some(FAIR), BLIND);
    let Found::Parity(found) = &mut report.gates[0].found else { panic!("parity") };
    found.groups[0].mean = Some(around(153.4, 131.0, 175.6));
    insta::assert_snapshot!(text(&bundle, &report), @r"
    fairness of `shop`, measured at 2026-03-01T09:30:00.000Z over decisions until 2026-03-01T09:30:00.000Z

    fair.parity (Charter 3): holds
      180 of 200 decisions in 30d could be measured
      customer.gender  customers  decisions  worth on average
      f                       50         99  1.53 USD, 1.31 to 1.76
      m                       60         99  too few to be told
      what decisions are worth to `f` is 97.0% of what they are worth to `m`, 95% interval 88.0% to 107.0%: at least 80% is asked for

    fair.proxy (Charter 4): holds
      180 of 200 decisions in 30d could be measured
      at `home`: customer.tier
      customer.gender  customers  told from the others (AUC)
      f                       50  55.0%, 49.0% to 61.0%
      m                       60  -
      at `home` features tell `customer.gender = f` from the others with an AUC of 55.0%, 95% interval 49.0% to 61.0%: at most 70% is asked for
    ");
    assert_eq!(FairnessReport::read(&report.body()).unwrap(), report);
    assert!(FairnessReport::read(&report.body().replace("\"form\":1", "\"form\":2")).is_err());
}
