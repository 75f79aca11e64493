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

#[test]
fn limits_of_every_kind_are_told_to_be_stricter_or_looser_and_what_puts_in_is_neither() {
    let with_rule = |list: &str, fields: &str| {
        let rule = format!("{list}:\n  - {{id: r, why: because, {fields}}}\nmargin_floors:");
        with(&[(MARGIN, "margin_floors:", &rule)])
    };
    let act = "approver: A, ticket: T, effective: {from: 2026-05-01T00:00:00Z, until: 2026-05-08T00:00:00Z}";
    for (list, loose, strict) in [
        ("budgets", "amount: 500.00 USD, window: lifetime", "amount: 400.00 USD, window: lifetime"),
        ("stock", "units: 50", "units: 40"),
        ("price_limits", "max_discount: 40%", "max_discount: 30%"),
        ("price_limits", "min_price: 4.00 USD", "min_price: 5.00 USD"),
        ("availability", "regions: [US]", "regions: [US-NY]"),
        ("price_personalisation", "allowed: [customer.tier, customer.region]", "allowed: [customer.tier]"),
        ("category_exclusions", "kind: regulated, categories: [home]", "kind: regulated, categories: [home, shoes]"),
        ("purpose_gates", "purpose: offer_personalisation", "purpose: offer_personalisation, consent_age: 30d"),
        ("kill_switches", &format!("stop: {{offers: [a]}}, {act}"), &format!("stop: all, {act}")),
    ] {
        let said = |then: &str, now: &str| {
            let changes = difference(&with_rule(list, then), &with_rule(list, now));
            assert_eq!(changes.len(), 1, "{list}");
            changes[0].sentences.join("\n")
        };
        assert!(said(loose, strict).contains("it is stricter: "), "{list}: {}", said(loose, strict));
        assert!(said(strict, loose).contains("it is looser: "), "{list}: {}", said(strict, loose));
    }
    let put_in = |offers: &str| with_rule("overrides", &format!("action: force_in, offers: [{offers}], {act}"));
    let said = difference(&put_in("a"), &put_in("a, b"))[0].sentences.join("\n");
    assert!(said.contains("`offers` names `b` as well") && !said.contains("stricter"), "{said}");
}
