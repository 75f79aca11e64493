//! Golden text of author mistakes in lineage, in rules over what is protected or sensitive, and in fairness gates. Not
//! the others.

use crate::policy::sample::{ATTRIBUTES, MARGIN, files, shown, wrong};
use crate::policy::{Source, compile};

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
    ), @r"
    error[P0270]: attribute `customer.menu`: it is personal by its own word, and derived from `customer.faith`, which is sensitive
     --> catalog/attributes.yaml:5:44
      |
    5 |   - {id: customer.menu, type: text, class: personal, derived_from: [customer.tier, customer.diet]}
      |                                            ^^^^^^^^ at least `sensitive`
      = help: write `class: sensitive`, or leave the field out
    ");
    insta::assert_snapshot!(declared("  - {id: customer.a, type: text, derived_from: [customer.tear]}\n"), @r"
    error[P0107]: attribute `customer.a`: unknown attribute `customer.tear`; did you mean `customer.tier`?
     --> catalog/attributes.yaml:3:49
      |
    3 |   - {id: customer.a, type: text, derived_from: [customer.tear]}
      |                                                 ^^^^^^^^^^^^^ not in catalog/attributes.yaml
    ");
    insta::assert_snapshot!(declared(
        "  - {id: customer.a, type: text, derived_from: [customer.b]}\n  \
         - {id: customer.b, type: text, derived_from: [customer.a]}\n"
    ), @r"
    error[P0271]: attribute `customer.a`: it is derived from itself
     --> catalog/attributes.yaml:3:49
      |
    3 |   - {id: customer.a, type: text, derived_from: [customer.b]}
      |                                                 ^^^^^^^^^^ leads back
      = help: name only what it is computed from: somewhere there is a first value

    error[P0271]: attribute `customer.b`: it is derived from itself
     --> catalog/attributes.yaml:4:49
      |
    4 |   - {id: customer.b, type: text, derived_from: [customer.a]}
      |                                                 ^^^^^^^^^^ leads back
      = help: name only what it is computed from: somewhere there is a first value
    ");
}

#[test]
fn what_is_protected_is_read_by_no_rule_and_what_is_sensitive_only_to_spare_people() {
    insta::assert_snapshot!(
        refused("exclusions:\n  - {id: e, why: W, when: has(customer.salutation) && customer.gender == \"f\"}"), @r#"
    error[P0272]: rule `e`: `customer.salutation` is protected, being derived from `customer.gender`: no rule but a guard may read it
     --> rules/20-margin.yaml:4:31
      |
    4 |   - {id: e, why: W, when: has(customer.salutation) && customer.gender == "f"}
      |                               ^^^^^^^^^^^^^^^^^^^ class protected
      = help: remove it: what the law protects must not decide who is shown what; `audience_guards` may keep
              an offer from those whom it protects

    error[P0272]: rule `e`: `customer.gender` is protected: no rule but a guard may read it
     --> rules/20-margin.yaml:4:55
      |
    4 |   - {id: e, why: W, when: has(customer.salutation) && customer.gender == "f"}
      |                                                       ^^^^^^^^^^^^^^^ class protected
      = help: remove it: what the law protects must not decide who is shown what; `audience_guards` may keep
              an offer from those whom it protects
    "#);
    insta::assert_snapshot!(refused("requirements:\n  - {id: e, why: W, when: customer.illness}"), @r"
    error[P0272]: rule `e`: `customer.illness` is sensitive: only guards and rules of `exclusions` may read it
     --> rules/20-margin.yaml:4:27
      |
    4 |   - {id: e, why: W, when: customer.illness}
      |                           ^^^^^^^^^^^^^^^^ class sensitive
      = help: remove it, or write a rule of `exclusions` that spares people an offer
    ");
    insta::assert_snapshot!(refused("diversity:\n  - {id: e, why: W, per: offer.cure, at_most: 1}"), @r"
    error[P0272]: rule `e`: `offer.cure` is sensitive: only guards and rules of `exclusions` may read it
     --> rules/20-margin.yaml:4:26
      |
    4 |   - {id: e, why: W, per: offer.cure, at_most: 1}
      |                          ^^^^^^^^^^ class sensitive
      = help: remove it, or write a rule of `exclusions` that spares people an offer
    ");
    insta::assert_snapshot!(
        refused("loyalty_eligibility:\n  - {id: e, why: W, tier: {attribute: customer.gender, at_least: m}}"), @r"
    error[P0272]: rule `e`: tier: `customer.gender` is protected: no rule but a guard may read it
     --> rules/20-margin.yaml:4:39
      |
    4 |   - {id: e, why: W, tier: {attribute: customer.gender, at_least: m}}
      |                                       ^^^^^^^^^^^^^^^ class protected
      = help: remove it: what the law protects must not decide who is shown what; `audience_guards` may keep
              an offer from those whom it protects
    ");
    let spares = "exclusions:\n  - {id: e, why: W, when: customer.illness && offer.category == \"grocery\"}";
    assert!(compile(&with(PEOPLE, spares)).is_ok(), "an exclusion may spare people something");
    let file = with(PEOPLE, "");
    let mut featured = file.clone();
    let placements = featured.iter_mut().find(|file| file.path == "placements.yaml").unwrap();
    placements.text = placements.text.replacen("customer.region", "customer.salutation", 1);
    let seen = shown(&compile(&featured).unwrap_err());
    assert!(seen.contains("`customer.salutation` is protected, being derived from `customer.gender`"), "{seen}");
    assert!(seen.starts_with("error[P0204]"), "{seen}");
}

#[test]
fn a_fairness_gate_names_groups_and_says_what_is_alike() {
    let gate = |fields: &str| refused(&format!("fairness_gates:\n  - id: fair\n    why: Charter\n    {fields}"));
    insta::assert_snapshot!(gate("attribute: customer.region"), @r"
    error[P0274]: rule `fair`: it says either `check` or `metric`
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: fair
      |     ^^ one of both
      = help: write `check: one_group_discount`, `metric: parity` or `metric: proxy`
    ");
    insta::assert_snapshot!(gate("attribute: customer.points\n    check: one_group_discount"), @r"
    error[P0273]: rule `fair`: `customer.points` names no groups of customers
     --> rules/20-margin.yaml:6:16
      |
    6 |     attribute: customer.points
      |                ^^^^^^^^^^^^^^^ not for groups
      = help: name an attribute of customers that is declared with `type: {enum: [...]}` or `type: bool`
    ");
    insta::assert_snapshot!(gate("attribute: customer.gender\n    check: one_group_discount"), @r"
    error[P0273]: rule `fair`: no rule of offers reads `customer.gender`, which is protected, so that no discount depends on it
     --> rules/20-margin.yaml:6:16
      |
    6 |     attribute: customer.gender
      |                ^^^^^^^^^^^^^^^ holds already
      = help: name an attribute that rules read, such as `customer.region`, or measure with `metric: parity`
              or `metric: proxy`
    ");
}
