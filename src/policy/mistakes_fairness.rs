//! Golden text of author mistakes in lineage, in rules over what is protected or sensitive, and in fairness gates. Not
//! the others.

use super::sample::{ATTRIBUTES, MARGIN, files, shown, wrong};
use super::{Source, compile};

const FIRST: &str = "attributes:\n";

/// What an author sees who declares more attributes.
fn declared(more: &str) -> String {
    wrong(ATTRIBUTES, FIRST, &format!("{FIRST}{more}"))
}

/// The sample with more attributes and more rules.
fn with(attributes: &str, rules: &str) -> Vec<Source> {
    let mut files = files();
    let mut put = |path: &str, at: &str, text: &str| {
        let file = files.iter_mut().find(|file| file.path == path).unwrap();
        file.text = file.text.replacen(at, text, 1);
    };
    put(ATTRIBUTES, FIRST, &format!("{FIRST}{attributes}"));
    put(MARGIN, "margin_floors:", &format!("{rules}\nmargin_floors:"));
    files
}

const PEOPLE: &str = "  - {id: customer.gender, type: {enum: [f, m, x]}, class: protected}\n  \
                      - {id: customer.salutation, type: text, derived_from: [customer.gender]}\n  \
                      - {id: customer.illness, type: bool, class: sensitive}\n  \
                      - {id: offer.cure, type: text, class: sensitive}\n";

fn refused(rules: &str) -> String {
    shown(&compile(&with(PEOPLE, rules)).unwrap_err())
}

#[test]
fn a_class_is_never_laxer_than_that_of_a_source_however_far_back() {
    insta::assert_snapshot!(declared(
        "  - {id: customer.faith, type: text, class: sensitive}\n  \
         - {id: customer.diet, type: text, derived_from: [customer.faith]}\n  \
         - {id: customer.menu, type: text, class: personal, derived_from: [customer.tier, customer.diet]}\n"
    ), @"");
    insta::assert_snapshot!(declared("  - {id: customer.a, type: text, derived_from: [customer.tear]}\n"), @"");
    insta::assert_snapshot!(declared(
        "  - {id: customer.a, type: text, derived_from: [customer.b]}\n  \
         - {id: customer.b, type: text, derived_from: [customer.a]}\n"
    ), @"");
}

#[test]
fn what_is_protected_is_read_by_no_rule_and_what_is_sensitive_only_to_spare_people() {
    insta::assert_snapshot!(
        refused("exclusions:\n  - {id: e, why: W, when: has(customer.salutation) && customer.gender == \"f\"}"), @"");
    insta::assert_snapshot!(refused("requirements:\n  - {id: e, why: W, when: customer.illness}"), @"");
    insta::assert_snapshot!(refused("diversity:\n  - {id: e, why: W, per: offer.cure, at_most: 1}"), @"");
    insta::assert_snapshot!(
        refused("loyalty_eligibility:\n  - {id: e, why: W, tier: {attribute: customer.gender, at_least: m}}"), @"");
    let spares = "exclusions:\n  - {id: e, why: W, when: customer.illness && offer.category == \"grocery\"}";
    assert!(compile(&with(PEOPLE, spares)).is_ok(), "an exclusion may spare people something");
    let file = with(PEOPLE, "");
    let mut featured = file.clone();
    let placements = featured.iter_mut().find(|file| file.path == "placements.yaml").unwrap();
    placements.text = placements.text.replacen("customer.region", "customer.salutation", 1);
    assert!(shown(&compile(&featured).unwrap_err()).starts_with(
        "error[P0204]: placement `home_banner`: features: `customer.salutation` is protected, being derived from \
         `customer.gender` and can never be a feature"
    ));
}

#[test]
fn a_fairness_gate_names_groups_and_says_what_is_alike() {
    let gate = |fields: &str| refused(&format!("fairness_gates:\n  - id: fair\n    why: Charter\n    {fields}"));
    insta::assert_snapshot!(gate("attribute: customer.region"), @"");
    insta::assert_snapshot!(gate("attribute: customer.points\n    check: one_group_discount"), @"");
    insta::assert_snapshot!(gate("attribute: customer.gender\n    check: one_group_discount"), @"");
    insta::assert_snapshot!(gate("attribute: customer.region\n    check: one_group_discount\n    window: 30d"), @"");
    insta::assert_snapshot!(gate("attribute: customer.gender\n    metric: parity\n    interval: 80%"), @"");
}
