//! Tests of explanations: what is said of rules and of codes. Tests no rule.

use super::explain;
use crate::policy::sample::bundle;
use crate::policy::{LINTS, codes, meaning};

#[test]
fn every_code_has_a_meaning() {
    for (code, said) in codes::CODES.iter().chain(LINTS) {
        assert_eq!(meaning(code), Some(*said));
    }
    assert_eq!(meaning("P9999"), None);
}

#[test]
fn a_rule_is_explained_in_plain_words_with_its_scope_and_witnesses() {
    let bundle = bundle();
    let said = |id: &str| {
        let rule = bundle.rules.iter().find(|rule| rule.id.as_str() == id).unwrap();
        let explained = explain(&bundle, rule);
        let witnesses = explained.witnesses.iter().map(|(word, told)| format!("\n{word}: {told}"));
        let witnesses = witnesses.collect::<Vec<_>>().concat();
        format!("{}\n{}\n{}\n{:?}{witnesses}", explained.says, explained.applies, explained.holds, explained.missing)
    };
    insta::assert_snapshot!(said("margin.floor.beauty"), @r"
    leaves an offer out whose contribution margin is under 25% of the net price
    to categories `beauty`
    always
    None
    ");
    insta::assert_snapshot!(said("cap.offer.day"), @r"
    leaves an offer out where this is so: the cap of 2 decisions per customer and offer in 24h leaves no room
    everywhere, to everything
    always
    None
    ");
    insta::assert_snapshot!(said("require.visits.service"), @r#"
    leaves an offer out where this is so: `customer.visits_90d >= 1` does not hold
    to categories `service`
    always
    Some("an offer is not left out where something that the rule reads is missing")
    leaves out: `customer.visits_90d = 0`
    lets be: `customer.visits_90d = 1`
    "#);
    insta::assert_snapshot!(said("loyalty.early.access"), @r#"
    leaves an offer out where this is so: needs `silver` and 90 days as a member, or a value that it needs is missing
    to offers `early-access`
    always
    Some("an offer is left out where something that the rule reads is missing")
    leaves out: `customer.tier = "bronze"`, `customer.member_since <= context.today - 90d`
    lets be: `customer.tier = "silver"`, `customer.member_since <= context.today - 90d`
    also leaves out: no `customer.tier`, `customer.member_since <= context.today - 90d`
    "#);
    for rule in &bundle.rules {
        let says = explain(&bundle, rule).says;
        assert!(says.split(' ').count() > 5 && !says.ends_with(": "), "{}: {says}", rule.id);
    }
}
