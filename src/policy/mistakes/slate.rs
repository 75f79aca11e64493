//! Golden text of author mistakes in rules about a whole answer. Not the others.

use crate::policy::sample::{MARGIN, PLACEMENTS, wrong};

#[test]
fn what_does_not_stack_is_a_group_or_pairs() {
    let with = |rule: &str| {
        let rules = format!("stackability:\n  - id: stack\n    why: Not together\n    {rule}\nmargin_floors:");
        wrong(MARGIN, "margin_floors:", &rules)
    };
    insta::assert_snapshot!(with("at_most: 1"), @r"
    error[P0102]: rule `stack`: what may not stand together is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: stack
      |     ^^ one of `group`, `exclusive_pairs`
      = help: write `group: {offers: [a, b]}` with `at_most: 1`, or `exclusive_pairs: [[a, b]]`; a second one
              is a rule of its own
    ");
    insta::assert_snapshot!(with("group: {offers: [a, b]}"), @r"
    error[P0102]: rule `stack`: field `at_most` is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: stack
      |     ^^ no `at_most` here
      = help: add it, such as `at_most: 1`
    ");
    insta::assert_snapshot!(with("group: {categories: [shoe]}\n    at_most: 0"), @r"
    error[P0110]: rule `stack`: group: unknown category `shoe`; did you mean `shoes`?
     --> rules/20-margin.yaml:6:26
      |
    6 |     group: {categories: [shoe]}
      |                          ^^^^ not declared
      = help: categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or
              correct it here

    error[P0105]: rule `stack`: `0` is out of range: expected a whole number from 1 to 100
     --> rules/20-margin.yaml:7:14
      |
    7 |     at_most: 0
      |              ^ expected a whole number from 1 to 100
    ");
    insta::assert_snapshot!(with("exclusive_pairs: [[a, a], [a, b, c]]"), @r"
    error[P0103]: rule `stack`: a pair is two different offers
     --> rules/20-margin.yaml:6:23
      |
    6 |     exclusive_pairs: [[a, a], [a, b, c]]
      |                       ^ expected `[a, b]`
      = help: write two offer ids, such as `[free-shipping, ten-off]`

    error[P0103]: rule `stack`: a pair is two different offers
     --> rules/20-margin.yaml:6:31
      |
    6 |     exclusive_pairs: [[a, a], [a, b, c]]
      |                               ^ expected `[a, b]`
      = help: write two offer ids, such as `[free-shipping, ten-off]`
    ");
    insta::assert_snapshot!(with("exclusive_pairs: [[a, b]]\n    at_most: 1"), @r"
    error[P0106]: rule `stack`: a pair has room for one; `at_most` belongs to a `group`
     --> rules/20-margin.yaml:7:14
      |
    7 |     at_most: 1
      |              ^ not for pairs
      = help: remove it
    ");
}

#[test]
fn a_placement_has_twenty_slots_at_most() {
    for (slots, told) in [("21", "`21`"), ("0", "`0`")] {
        let text = wrong(PLACEMENTS, "    channel: web\n", &format!("    channel: web\n    slots: {slots}\n"));
        assert!(text.contains(&format!("{told} is out of range: expected a whole number from 1 to 20")), "{text}");
    }
}
