//! Tests of what is told of two bundles. Tests no rule.

use super::{Change, How, difference};
use crate::policy::sample::{CAPS, MARGIN, OFFERS, PLACEMENTS, files, shown};
use crate::policy::{Bundle, compile};

/// The sample bundle with texts replaced in its files.
fn with(edits: &[(&str, &str, &str)]) -> Bundle {
    let mut files = files();
    for (path, from, to) in edits {
        let file = files.iter_mut().find(|file| file.path == *path).unwrap();
        assert!(file.text.contains(from), "{path} has no `{from}`");
        file.text = file.text.replacen(from, to, 1);
    }
    compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

/// What is told of every change.
fn told(edits: &[(&str, &str, &str)]) -> String {
    let change = |Change { part, list, id, place, sentences, .. }: Change| {
        let said = sentences.iter().map(|sentence| format!("\n  {sentence}")).collect::<Vec<_>>().concat();
        format!("{part} {id} ({list}, {}:{}){said}\n", place.0, place.1)
    };
    difference(&with(&[]), &with(edits)).into_iter().map(change).collect()
}

#[test]
fn comments_layout_and_the_order_of_fields_are_no_difference() {
    assert_eq!(difference(&with(&[]), &with(&[])), []);
    let edits = [
        (CAPS, "owner:", "# A comment.\nowner:"),
        (CAPS, "    max: 2\n    window: {rolling: 24h}", "    window:\n      rolling: '24h'\n    max: 2 # twice"),
    ];
    assert_eq!(difference(&with(&[]), &with(&edits)), []);
}

#[test]
fn limits_are_told_field_by_field_with_their_effect() {
    insta::assert_snapshot!(told(&[(CAPS, "max: 2", "max: 3"), (CAPS, "rolling: 24h", "rolling: 12h")]), @r"
    rule cap.offer.day (frequency_caps, rules/30-caps.yaml:4)
      `max` is `3` instead of `2`
      `window.rolling` is `12h` instead of `24h`
      it is looser: it leaves out nothing that it did not leave out before
    ");
    insta::assert_snapshot!(told(&[(MARGIN, "min_margin: 10%", "min_margin: 12%")]), @r"
    rule margin.floor.default (margin_floors, rules/20-margin.yaml:4)
      `min_margin` is `12%` instead of `10%`
      it is stricter: it leaves out all that it left out before, and more
    ");
    insta::assert_snapshot!(told(&[(MARGIN, "min_margin: 10%", "min_margin: 10.0%\n    severity: block")]), @r"
    rule margin.floor.default (margin_floors, rules/20-margin.yaml:4)
      `min_margin` is `10.0%` instead of `10%`
      `severity` is `block`; it was not given (`block`)
      it means the same as before
    ");
    insta::assert_snapshot!(told(&[(MARGIN, "min_margin: 10%", "min_margin: 10%\n    severity: shadow")]), @r"
    rule margin.floor.default (margin_floors, rules/20-margin.yaml:4)
      `severity` is `shadow`; it was not given (`block`)
      it no longer leaves anything out: it only notes what it would say
    ");
    insta::assert_snapshot!(told(&[(MARGIN, "categories: [beauty]", "categories: [shoes]")]), @r"
    rule margin.floor.beauty (margin_floors, rules/20-margin.yaml:8)
      `applies_to.categories` names `shoes` and no longer `beauty`
    ");
}

#[test]
fn conditions_are_told_with_who_is_newly_hit_and_who_no_longer() {
    let edit = |to| [(OFFERS, "customer.visits_90d >= 1", to)];
    insta::assert_snapshot!(told(&edit("customer.visits_90d >= 3 && customer.tier != \"bronze\"")), @r#"
    rule require.visits.service (requirements, rules/40-offers.yaml:16)
      `when` is `customer.visits_90d >= 3 && customer.tier != "bronze"` instead of `customer.visits_90d >= 1`
      it leaves out `customer.visits_90d = 1`, `customer.tier = "bronze"`, and did not before
    "#);
    insta::assert_snapshot!(told(&edit("customer.visits_90d >= 1 || customer.tier == \"gold\"")), @r#"
    rule require.visits.service (requirements, rules/40-offers.yaml:16)
      `when` is `customer.visits_90d >= 1 || customer.tier == "gold"` instead of `customer.visits_90d >= 1`
      it no longer leaves out `customer.visits_90d = 0`, `customer.tier = "gold"`
    "#);
    insta::assert_snapshot!(told(&edit("1 <= customer.visits_90d")), @r"
    rule require.visits.service (requirements, rules/40-offers.yaml:16)
      `when` is `1 <= customer.visits_90d` instead of `customer.visits_90d >= 1`
      its condition leaves out the same as before
    ");
}

#[test]
fn rules_and_placements_that_come_go_and_move_are_told_whole() {
    let start = "  - id: exclude.half.price";
    let added = format!("  - id: sales.gold\n    why: For gold\n    when: customer.tier == \"gold\"\n{start}");
    let seen = difference(&with(&[]), &with(&[(OFFERS, start, &added)]));
    assert_eq!(
        seen.iter().map(|change| (change.how, change.id.as_str())).collect::<Vec<_>>(),
        [(How::Added, "sales.gold")]
    );
    insta::assert_snapshot!(seen[0].sentences.join("\n"), @r#"
    rule `sales.gold` is new
    it leaves an offer out where this is so: `customer.tier == "gold"` holds, or a value that it needs is missing
    why: For gold
    "#);
    let back = difference(&with(&[(OFFERS, start, &added)]), &with(&[]));
    assert_eq!((back.len(), back[0].how), (1, How::Removed));
    let edits = [(PLACEMENTS, "reservation: 10m", "reservation: 20m"), (MARGIN, "memo 112", "memo 113")];
    insta::assert_snapshot!(told(&edits), @r"
    placement home_banner (placements, placements.yaml:3)
      `reservation` is `20m` instead of `10m`
    rule margin.floor.default (margin_floors, rules/20-margin.yaml:4)
      `why` is `Finance floor for the year, memo 113` instead of `Finance floor for the year, memo 112`
    ");
}
