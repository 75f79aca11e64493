//! Tests of explanations: that every example of a code is told by that code and its mended form is not, and what is
//! said of rules. Tests no rule.

use super::examples::EXAMPLES;
use super::{Example, example, explain};
use crate::domain::Timestamp;
use crate::policy::sample::STARTER;
use crate::policy::sample::{bundle, shown};
use crate::policy::{LINTS, Source, Tests, codes, compile_with_tests, lint, meaning};

/// Every code that is told of the starter with one form of an example in it.
fn told(Example { path, right, .. }: &Example, form: &str) -> (Vec<&'static str>, String) {
    let files: Vec<Source> = STARTER
        .iter()
        .map(|(name, text)| {
            let text = match (name == path, text.contains(right)) {
                (false, _) => (*text).to_owned(),
                (true, true) => text.replacen(right, form, 1),
                (true, false) => format!("{text}{form}\n"),
            };
            Source { path: (*name).to_owned(), text }
        })
        .collect();
    match compile_with_tests(&files) {
        Err(findings) => (findings.iter().map(|finding| finding.code).collect(), shown(&findings)),
        Ok((bundle, _)) => {
            let now = Timestamp::parse("2026-03-02T12:00:00Z").unwrap();
            let findings = lint(&bundle, &Tests::default(), &[], now).findings;
            (findings.iter().map(|finding| finding.code).collect(), shown(&findings))
        }
    }
}

#[test]
fn every_example_is_told_by_its_code_and_its_mended_form_is_not() {
    let mut wrong = Vec::new();
    for example in &EXAMPLES {
        let (code, (of_wrong, said)) = (example.code, told(example, example.wrong));
        if !of_wrong.contains(&code) {
            wrong.push(format!("{code}: the wrong form is told by {of_wrong:?}\n{said}"));
        }
        let (of_right, said) = told(example, example.right);
        if of_right.iter().any(|told| *told == code || told.starts_with('P')) {
            wrong.push(format!("{code}: the right form is told by {of_right:?}\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(EXAMPLES.windows(2).all(|pair| pair[0].code < pair[1].code));
}

#[test]
fn every_code_has_a_meaning_and_most_have_an_example() {
    let all = || codes::CODES.iter().chain(LINTS);
    for (code, said) in all() {
        assert_eq!(meaning(code), Some(*said));
    }
    assert_eq!(meaning("P9999"), None);
    assert!(EXAMPLES.iter().all(|example| meaning(example.code).is_some()));
    let shown = all().filter(|(code, _)| example(code).is_some()).count();
    assert!(shown * 2 >= all().count(), "{shown} of {} codes have an example", all().count());
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
