//! Golden text of author mistakes in kill switches, overrides and category exclusions. Not the others.

use crate::policy::sample::{ATTRIBUTES, MARGIN, wrong};

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
    insta::assert_snapshot!(with("kill_switches:\n  - id: stop\n    why: Recall\n    stop: all"), @r"
    error[P0102]: rule `stop`: field `approver` is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: stop
      |     ^^ no `approver` here
      = help: add it, such as `approver: Jane Doe`

    error[P0102]: rule `stop`: field `effective` is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: stop
      |     ^^ no `effective` here
      = help: add it, such as `effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}`

    error[P0102]: rule `stop`: field `ticket` is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: stop
      |     ^^ no `ticket` here
      = help: add it, such as `ticket: OPS-1234`
    ");
    insta::assert_snapshot!(switch(&format!("stop: {{}}\n    {WEEK}")), @r"
    error[P0262]: rule `stop`: stop: it is not said what is stopped
     --> rules/20-margin.yaml:8:11
      |
    8 |     stop: {}
      |           ^ stops nothing
      = help: write `stop: {offers: [...], categories: [...], campaigns: [...]}`, or `stop: all`
    ");
    insta::assert_snapshot!(switch(&format!("stop: everything\n    {WEEK}")), @r"
    error[P0262]: rule `stop`: stop: it is not said what is stopped
     --> rules/20-margin.yaml:8:11
      |
    8 |     stop: everything
      |           ^^^^^^^^^^ stops nothing
      = help: write `stop: {offers: [...], categories: [...], campaigns: [...]}`, or `stop: all`
    ");
    insta::assert_snapshot!(switch(&format!("stop: {{offers: [], categories: [shoe]}}\n    {WEEK}")), @r"
    error[P0116]: rule `stop`: stop: an empty list
     --> rules/20-margin.yaml:8:20
      |
    8 |     stop: {offers: [], categories: [shoe]}
      |                    ^ nothing in it
      = help: it names nothing; leave the list out, or name something

    error[P0110]: rule `stop`: stop: unknown category `shoe`; did you mean `shoes`?
     --> rules/20-margin.yaml:8:37
      |
    8 |     stop: {offers: [], categories: [shoe]}
      |                                     ^^^^ not declared
      = help: categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or
              correct it here
    ");
    insta::assert_snapshot!(switch("stop: all\n    effective: {until: 2026-03-01T00:00:00Z}"), @r"
    error[P0261]: rule `stop`: both `from` and `until` are needed
     --> rules/20-margin.yaml:9:16
      |
    9 |     effective: {until: 2026-03-01T00:00:00Z}
      |                ^ no lasting rule
      = help: what acts at once passes: say when it begins and when it ends, at most 14 days later; what is to
              stay is a rule of another list
    ");
    let long = "stop: all\n    effective: {from: 2026-03-01T00:00:00Z, until: 2026-03-15T00:00:00.001Z}";
    insta::assert_snapshot!(switch(long), @r"
    error[P0261]: rule `stop`: it holds for more than 14 days
     --> rules/20-margin.yaml:9:16
      |
    9 |     effective: {from: 2026-03-01T00:00:00Z, until: 2026-03-15T00:00:00.001Z}
      |                ^ no lasting rule
      = help: what acts at once passes: say when it begins and when it ends, at most 14 days later; what is to
              stay is a rule of another list
    ");
}

#[test]
fn a_switch_is_never_on_trial_never_lifted_and_names_its_offers_itself() {
    insta::assert_snapshot!(switch(&format!("stop: all\n    severity: warn\n    {WEEK}")), @r"
    error[P0260]: rule `stop`: a rule of `kill_switches` always acts
     --> rules/20-margin.yaml:9:15
      |
    9 |     severity: warn
      |               ^^^^ never on trial
      = help: who approved it counts on it: remove it, or say `severity: block`; what is to be tried is a rule
              of another list
    ");
    insta::assert_snapshot!(switch(&format!("stop: all\n    overridable: true\n    {WEEK}")), @r"
    error[P0217]: rule `stop`: no override lifts a rule of `kill_switches`
     --> rules/20-margin.yaml:9:18
      |
    9 |     overridable: true
      |                  ^^^^ never lifted
      = help: what protects people by law or by their own word holds whatever is overridden: remove it, or say
              `overridable: false`
    ");
    insta::assert_snapshot!(switch(&format!("stop: all\n    applies_to: {{offers: [boots]}}\n    {WEEK}")), @r"
    error[P0264]: rule `stop`: applies_to: which offers it is about stands beside `applies_to`
     --> rules/20-margin.yaml:9:26
      |
    9 |     applies_to: {offers: [boots]}
      |                          ^ not here
      = help: `applies_to` says where: `placements`, `channels`, `regions`; the rule itself says of what
    ");
}

/// Two overrides, each with these fields.
fn overrides(first: &str, second: &str) -> String {
    let one =
        |id: &str, fields: &str| format!("  - {{id: {id}, why: Season, approver: Jane, ticket: T-1, {fields}}}\n");
    format!("overrides:\n{}{}", one("o.first", first), one("o.second", second))
}

#[test]
fn two_overrides_that_contradict_each_other_are_told_where_they_meet() {
    let out = format!("action: force_out, offers: [boots, pumps], {WEEK}");
    insta::assert_snapshot!(with(&overrides(&out, &format!("action: force_in, offers: [boots], {WEEK}"))), @r"
    error[P0263]: rule `o.second`: it contradicts `o.first`: `force_in` and `force_out` of `boots`
     --> rules/20-margin.yaml:5:10
      |
    5 |   - {id: o.second, why: Season, approver: Jane, ticket: T-1, action: force_in, offers: [boots], effective: {from: 2026-03-01T00:00:00Z, until: 2026-03-08T00:00:00Z}}
      |          ^^^^^^^^ which of them?
      = help: both hold at the same time and place: remove one of them, or part them by `effective` or
              `applies_to` (`o.first` stands at rules/20-margin.yaml:4)
    ");
    insta::assert_snapshot!(with(&overrides(
        &format!("action: pin, offers: [boots], {WEEK}"),
        &format!("action: pin, offers: [boots, pumps], {WEEK}, applies_to: {{regions: [EU]}}"),
    )), @r"
    error[P0263]: rule `o.second`: it contradicts `o.first`: the first slot is pinned to different offers
     --> rules/20-margin.yaml:5:10
      |
    5 |   - {id: o.second, why: Season, approver: Jane, ticket: T-1, action: pin, offers: [boots, pumps], effective: {from: 2026-03-01T00:00:00Z, until: 2026-03-08T00:00:00Z}, applies_to: {regions: [EU]}}
      |          ^^^^^^^^ which of them?
      = help: both hold at the same time and place: remove one of them, or part them by `effective` or
              `applies_to` (`o.first` stands at rules/20-margin.yaml:4)
    ");
    insta::assert_snapshot!(with(&overrides("action: lift, offers: [boots]", "offers: [boots]")), @r"
    error[P0102]: rule `o.first`: field `effective` is missing
     --> rules/20-margin.yaml:4:6
      |
    4 |   - {id: o.first, why: Season, approver: Jane, ticket: T-1, action: lift, offers: [boots]}
      |      ^^ no `effective` here
      = help: add it, such as `effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}`

    error[P0106]: rule `o.first`: unknown action `lift`
     --> rules/20-margin.yaml:4:69
      |
    4 |   - {id: o.first, why: Season, approver: Jane, ticket: T-1, action: lift, offers: [boots]}
      |                                                                     ^^^^ unknown action
      = help: expected one of `force_in`, `force_out`, `pin`

    error[P0102]: rule `o.second`: field `action` is missing
     --> rules/20-margin.yaml:5:6
      |
    5 |   - {id: o.second, why: Season, approver: Jane, ticket: T-1, offers: [boots]}
      |      ^^ no `action` here
      = help: add it, such as `action: force_in`

    error[P0102]: rule `o.second`: field `effective` is missing
     --> rules/20-margin.yaml:5:6
      |
    5 |   - {id: o.second, why: Season, approver: Jane, ticket: T-1, offers: [boots]}
      |      ^^ no `effective` here
      = help: add it, such as `effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}`
    ");
}

#[test]
fn overrides_that_never_meet_do_not_contradict_each_other() {
    let later = "effective: {from: 2026-03-08T00:00:00Z, until: 2026-03-10T00:00:00Z}";
    let out = |rest: &str| format!("action: force_out, offers: [boots], {rest}");
    let put_in = |rest: &str| format!("action: force_in, offers: [boots], {rest}");
    for (first, second) in [
        (out(WEEK), put_in(later)),
        (put_in(later), out(WEEK)),
        (
            out(&format!("{WEEK}, applies_to: {{regions: [EU]}}")),
            put_in(&format!("{WEEK}, applies_to: {{regions: [US]}}")),
        ),
        (
            out(&format!("{WEEK}, applies_to: {{placements: [home_banner_linucb]}}")),
            put_in(&format!("{WEEK}, applies_to: {{placements: [home_banner]}}")),
        ),
        (out(WEEK), format!("action: force_in, offers: [pumps], {WEEK}")),
        (put_in(WEEK), format!("action: pin, offers: [boots], {WEEK}")),
    ] {
        let mut files = crate::policy::sample::files();
        let margin = files.iter_mut().find(|file| file.path == MARGIN).unwrap();
        margin.text = margin.text.replace("margin_floors:", &format!("{}\nmargin_floors:", overrides(&first, &second)));
        if let Err(findings) = crate::policy::compile(&files) {
            panic!("{first} and {second}: {}", crate::policy::sample::shown(&findings));
        }
    }
}

#[test]
fn a_category_exclusion_names_what_is_declared() {
    let exclusion = |fields: &str| with(&format!("category_exclusions:\n  - id: cat\n    why: Law\n    {fields}"));
    insta::assert_snapshot!(exclusion("kind: regulated"), @r"
    error[P0265]: rule `cat`: it names neither categories nor brands
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: cat
      |     ^^ leaves nothing out
      = help: say which, such as `categories: [beauty]` or `brands: [acme]`
    ");
    insta::assert_snapshot!(exclusion("kind: forbidden\n    categories: [home]"), @r"
    error[P0106]: rule `cat`: unknown kind `forbidden`
     --> rules/20-margin.yaml:6:11
      |
    6 |     kind: forbidden
      |           ^^^^^^^^^ unknown kind
      = help: expected one of `sensitive`, `competitor`, `regulated`
    ");
    insta::assert_snapshot!(exclusion("kind: competitor\n    brands: [acme]"), @r"
    error[P0266]: rule `cat`: brands are named and `offer.brand` does not say them
     --> rules/20-margin.yaml:7:13
      |
    7 |     brands: [acme]
      |             ^ whose brand?
      = help: declare `offer.brand` in catalog/attributes.yaml with `type: text` or `type: {enum: [...]}`
    ");
    insta::assert_snapshot!(exclusion("kind: sensitive\n    categories: [home]\n    overridable: true"), @r"
    error[P0217]: rule `cat`: no override lifts a rule of `category_exclusions` that is sensitive or regulated
     --> rules/20-margin.yaml:8:18
      |
    8 |     overridable: true
      |                  ^^^^ never lifted
      = help: what protects people by law or by their own word holds whatever is overridden: remove it, or say
              `overridable: false`
    ");
    let branded = "  - {id: offer.brand, type: {enum: [acme, zeta]}}\n  - id: customer.tier";
    let mut files = crate::policy::sample::files();
    let attributes = files.iter_mut().find(|file| file.path == ATTRIBUTES).unwrap();
    attributes.text = attributes.text.replacen("  - id: customer.tier", branded, 1);
    let margin = files.iter_mut().find(|file| file.path == MARGIN).unwrap();
    let rule = "category_exclusions:\n  - {id: cat, why: Law, kind: competitor, brands: [acme, zetta]}\nmargin_floors:";
    margin.text = margin.text.replacen("margin_floors:", rule, 1);
    insta::assert_snapshot!(crate::policy::sample::shown(&crate::policy::compile(&files).unwrap_err()), @r"
    error[P0266]: rule `cat`: unknown brand `zetta`; did you mean `zeta`?
     --> rules/20-margin.yaml:4:58
      |
    4 |   - {id: cat, why: Law, kind: competitor, brands: [acme, zetta]}
      |                                                          ^^^^^ not declared
      = help: `offer.brand` is one of `acme`, `zeta`
    ");
}
