//! Golden text of author mistakes in kill switches, overrides and category exclusions. Not the others.

use super::sample::{ATTRIBUTES, MARGIN, wrong};

/// What an author sees who adds rules to a list of the sample.
fn with(rules: &str) -> String {
    wrong(MARGIN, "margin_floors:", &format!("{rules}\nmargin_floors:"))
}

/// A switch with these fields.
fn switch(fields: &str) -> String {
    with(&format!("kill_switches:\n  - id: stop\n    why: Recall\n    approver: Jane\n    ticket: T-1\n    {fields}"))
}

const WEEK: &str = "effective: {from: 2026-03-01T00:00:00Z, until: 2026-03-08T00:00:00Z}";

#[test]
fn a_switch_says_what_it_stops_who_approved_it_and_when_it_ends() {
    insta::assert_snapshot!(with("kill_switches:\n  - id: stop\n    why: Recall\n    stop: all"), @"");
    insta::assert_snapshot!(switch(&format!("stop: {{}}\n    {WEEK}")), @"");
    insta::assert_snapshot!(switch(&format!("stop: everything\n    {WEEK}")), @"");
    insta::assert_snapshot!(switch(&format!("stop: {{offers: [], categories: [shoe]}}\n    {WEEK}")), @"");
    insta::assert_snapshot!(switch("stop: all\n    effective: {until: 2026-03-01T00:00:00Z}"), @"");
    let long = "stop: all\n    effective: {from: 2026-03-01T00:00:00Z, until: 2026-03-15T00:00:00.001Z}";
    insta::assert_snapshot!(switch(long), @"");
}

#[test]
fn a_switch_is_never_on_trial_never_lifted_and_names_its_offers_itself() {
    insta::assert_snapshot!(switch(&format!("stop: all\n    severity: warn\n    {WEEK}")), @"");
    insta::assert_snapshot!(switch(&format!("stop: all\n    overridable: true\n    {WEEK}")), @"");
    insta::assert_snapshot!(switch(&format!("stop: all\n    applies_to: {{offers: [boots]}}\n    {WEEK}")), @"");
}

/// Two overrides, each with these fields.
fn overrides(first: &str, second: &str) -> String {
    let one = |id: &str, fields: &str| {
        format!("  - {{id: {id}, why: Season, approver: Jane, ticket: T-1, {fields}}}\n")
    };
    format!("overrides:\n{}{}", one("o.first", first), one("o.second", second))
}

#[test]
fn two_overrides_that_contradict_each_other_are_told_where_they_meet() {
    let out = format!("action: force_out, offers: [boots, pumps], {WEEK}");
    insta::assert_snapshot!(with(&overrides(&out, &format!("action: force_in, offers: [boots], {WEEK}"))), @"");
    insta::assert_snapshot!(with(&overrides(
        &format!("action: pin, offers: [boots], {WEEK}"),
        &format!("action: pin, offers: [boots, pumps], {WEEK}, applies_to: {{regions: [EU]}}"),
    )), @"");
    insta::assert_snapshot!(with(&overrides("action: lift, offers: [boots]", "offers: [boots]")), @"");
}

#[test]
fn overrides_that_never_meet_do_not_contradict_each_other() {
    let later = "effective: {from: 2026-03-08T00:00:00Z, until: 2026-03-10T00:00:00Z}";
    let out = |rest: &str| format!("action: force_out, offers: [boots], {rest}");
    let put_in = |rest: &str| format!("action: force_in, offers: [boots], {rest}");
    for (first, second) in [
        (out(WEEK), put_in(later)),
        (put_in(later), out(WEEK)),
        (out(&format!("{WEEK}, applies_to: {{regions: [EU]}}")), put_in(&format!("{WEEK}, applies_to: {{regions: [US]}}"))),
        (
            out(&format!("{WEEK}, applies_to: {{placements: [email]}}")),
            put_in(&format!("{WEEK}, applies_to: {{channels: [web]}}")),
        ),
        (out(WEEK), format!("action: force_in, offers: [pumps], {WEEK}")),
        (put_in(WEEK), format!("action: pin, offers: [boots], {WEEK}")),
    ] {
        let mut files = super::sample::files();
        let margin = files.iter_mut().find(|file| file.path == MARGIN).unwrap();
        margin.text = margin.text.replace("margin_floors:", &format!("{}\nmargin_floors:", overrides(&first, &second)));
        if let Err(findings) = super::compile(&files) {
            panic!("{first} and {second}: {}", super::sample::shown(&findings));
        }
    }
}

#[test]
fn a_category_exclusion_names_what_is_declared() {
    let exclusion = |fields: &str| with(&format!("category_exclusions:\n  - id: cat\n    why: Law\n    {fields}"));
    insta::assert_snapshot!(exclusion("kind: regulated"), @"");
    insta::assert_snapshot!(exclusion("kind: forbidden\n    categories: [home]"), @"");
    insta::assert_snapshot!(exclusion("kind: competitor\n    brands: [acme]"), @"");
    insta::assert_snapshot!(exclusion("kind: sensitive\n    categories: [home]\n    overridable: true"), @"");
    let branded = "  - {id: offer.brand, type: {enum: [acme, zeta]}}\n  - id: customer.tier";
    let mut files = super::sample::files();
    let attributes = files.iter_mut().find(|file| file.path == ATTRIBUTES).unwrap();
    attributes.text = attributes.text.replacen("  - id: customer.tier", branded, 1);
    let margin = files.iter_mut().find(|file| file.path == MARGIN).unwrap();
    let rule = "category_exclusions:\n  - {id: cat, why: Law, kind: competitor, brands: [acme, zetta]}\nmargin_floors:";
    margin.text = margin.text.replacen("margin_floors:", rule, 1);
    insta::assert_snapshot!(super::sample::shown(&super::compile(&files).unwrap_err()), @"");
}
