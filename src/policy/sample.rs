//! Tests over the small bundle of `tests/data/policies/`: that it compiles and what it says. Tests no single rule, and
//! not the shop of `policies/`, which may change at any time.

use std::collections::BTreeMap;

use super::*;
use crate::domain::{AttributeScope, Timestamp, Value};

pub(super) const BUNDLE: &str = "bundle.yaml";
pub(super) const ATTRIBUTES: &str = "catalog/attributes.yaml";
pub(super) const PURPOSES: &str = "catalog/purposes.yaml";
pub(super) const PLACEMENTS: &str = "placements.yaml";
pub(super) const CONSENT: &str = "rules/10-consent.yaml";
pub(super) const MARGIN: &str = "rules/20-margin.yaml";
pub(super) const CAPS: &str = "rules/30-caps.yaml";
pub(super) const OFFERS: &str = "rules/40-offers.yaml";
pub(super) const SLATE: &str = "rules/50-slate.yaml";
pub(super) const LOYALTY: &str = "rules/60-loyalty.yaml";

const FILES: [(&str, &str); 10] = [
    (BUNDLE, include_str!("../../tests/data/policies/bundle.yaml")),
    (ATTRIBUTES, include_str!("../../tests/data/policies/catalog/attributes.yaml")),
    (PURPOSES, include_str!("../../tests/data/policies/catalog/purposes.yaml")),
    (PLACEMENTS, include_str!("../../tests/data/policies/placements.yaml")),
    (CONSENT, include_str!("../../tests/data/policies/rules/10-consent.yaml")),
    (MARGIN, include_str!("../../tests/data/policies/rules/20-margin.yaml")),
    (CAPS, include_str!("../../tests/data/policies/rules/30-caps.yaml")),
    (OFFERS, include_str!("../../tests/data/policies/rules/40-offers.yaml")),
    (SLATE, include_str!("../../tests/data/policies/rules/50-slate.yaml")),
    (LOYALTY, include_str!("../../tests/data/policies/rules/60-loyalty.yaml")),
];

/// What `proffer policy init` writes.
pub(super) const STARTER: [(&str, &str); 10] = [
    ("bundle.yaml", include_str!("../commands/starter/bundle.yaml")),
    ("catalog/attributes.yaml", include_str!("../commands/starter/catalog/attributes.yaml")),
    ("catalog/purposes.yaml", include_str!("../commands/starter/catalog/purposes.yaml")),
    ("placements.yaml", include_str!("../commands/starter/placements.yaml")),
    ("rules/10-consent.yaml", include_str!("../commands/starter/rules/10-consent.yaml")),
    ("rules/20-margin.yaml", include_str!("../commands/starter/rules/20-margin.yaml")),
    ("rules/30-caps.yaml", include_str!("../commands/starter/rules/30-caps.yaml")),
    ("rules/40-offers.yaml", include_str!("../commands/starter/rules/40-offers.yaml")),
    ("tests/fixtures/shop.yaml", include_str!("../commands/starter/tests/fixtures/shop.yaml")),
    ("tests/rules.test.yaml", include_str!("../commands/starter/tests/rules.test.yaml")),
];

/// The files of the sample bundle.
pub(super) fn files() -> Vec<Source> {
    FILES.iter().map(|(path, text)| Source { path: (*path).into(), text: (*text).into() }).collect()
}

/// Every finding as an author sees it.
pub(super) fn shown(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect::<Vec<_>>().join("\n")
}

/// The sample bundle, compiled.
pub(super) fn bundle() -> Bundle {
    compile(&files()).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

/// What an author sees who replaces one text in one file of the sample bundle, the first time it occurs.
pub(super) fn wrong(path: &str, from: &str, to: &str) -> String {
    let mut files = files();
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    assert!(file.text.contains(from), "{path} has no `{from}`");
    file.text = file.text.replacen(from, to, 1);
    refused(&files)
}

fn refused(files: &[Source]) -> String {
    shown(&compile(files).expect_err("it compiled"))
}

#[test]
fn the_sample_bundle_compiles_with_its_rules_in_order() {
    let bundle = bundle();
    let rules: Vec<String> = bundle.rules.iter().map(|r| format!("{} {}:{}", r.id, r.place.0, r.place.1)).collect();
    assert_eq!(
        rules,
        [
            "proffer.currency :0",
            "consent.personal rules/10-consent.yaml:4",
            "margin.floor.beauty rules/20-margin.yaml:8",
            "margin.floor.default rules/20-margin.yaml:4",
            "cap.all.week rules/30-caps.yaml:11",
            "cap.offer.day rules/30-caps.yaml:4",
            "available.perfume rules/40-offers.yaml:4",
            "exclude.half.price rules/40-offers.yaml:11",
            "require.visits.service rules/40-offers.yaml:16",
            "diverse.campaign rules/50-slate.yaml:9",
            "diverse.category rules/50-slate.yaml:4",
            "loyalty.early.access rules/60-loyalty.yaml:4",
            "loyalty.points.voucher rules/60-loyalty.yaml:10",
            "proffer.schedule :0",
            "proffer.campaign :0",
            "proffer.stock :0",
            "proffer.budget :0",
        ]
    );
    let placement = bundle.placement("home_banner").unwrap();
    assert_eq!(placement.dimensions(), 1 + 3 + 4 + 1 + 3);
    assert_eq!(placement.objective.reward_cap_minor, 20_000);
    assert_eq!(placement.half_life_days, Some(60));
    assert_eq!(bundle.contacts_since(Timestamp(7 * 86_400_000)), Some(Timestamp(1)), "the longest window is a week");
    assert!(bundle.hash_text().starts_with("b3:"));
}

#[test]
fn the_hash_follows_content_and_neither_order_nor_line_ends() {
    let same = |change: &dyn Fn(&mut Vec<Source>)| {
        let mut files = files();
        change(&mut files);
        let changed = compile(&files).unwrap();
        (changed.hash == bundle().hash, changed.cap_set == bundle().cap_set)
    };
    assert_eq!(same(&|files| files.reverse()), (true, true));
    assert_eq!(same(&|files| files.iter_mut().for_each(|f| f.text = f.text.replace('\n', "\r\n"))), (true, true));
    assert_eq!(same(&|files| files[0].text.push('\n')), (false, true));
    assert_eq!(same(&|files| files[6].text = files[6].text.replace("max: 2", "max: 3")), (false, false));
    assert_eq!(
        same(&|files| files.push(Source { path: "tests/a.test.yaml".into(), text: "\tanything".into() })),
        (false, true)
    );
}

#[test]
fn attribute_values_are_checked_against_their_declaration() {
    let bundle = bundle();
    let check = |scope, json: &str| {
        let values: BTreeMap<String, Value> = serde_json::from_str(json).unwrap();
        let found = bundle.check_attributes(scope, &values);
        found.into_iter().map(|(name, message)| format!("{name}: {message}")).collect::<Vec<_>>().join("\n")
    };
    let customer = AttributeScope::Customer;
    assert_eq!(check(customer, r#"{"tier": "gold", "visits_90d": 3.5}"#), "");
    let seen = check(customer, r#"{"teir": "gold", "tier": "glod", "visits_90d": "many", "region": 3}"#);
    insta::assert_snapshot!(seen, @r"
    region: `customer.region` is one of `north`, `south`, `east`, `west`, found a number
    teir: `customer.teir` is not declared in catalog/attributes.yaml; did you mean `customer.tier`?
    tier: `glod` is not a value of `customer.tier`: expected one of `bronze`, `silver`, `gold`; did you mean `gold`?
    visits_90d: `customer.visits_90d` is a number, found text
    ");
    let seen = check(AttributeScope::Context, r#"{"tier": "gold"}"#);
    insta::assert_snapshot!(seen, @r"tier: `context.tier` is not declared in catalog/attributes.yaml");
    assert_eq!(check(AttributeScope::Offer, r#"{"category": "shoes"}"#), "");
}
