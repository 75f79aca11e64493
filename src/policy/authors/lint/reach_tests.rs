//! Tests of warnings about where rules reach, and about limits of the rarer kinds. Tests no condition of one rule.

use super::tests::{codes, exclusions, seen};

const NONE: [&str; 0] = [];

/// Two rules of a list: `a` and `b`, with these fields.
fn two(list: &str, a: &str, b: &str) -> String {
    format!("{list}:\n  - {{id: a, why: because, {a}}}\n  - {{id: b, why: because, {b}}}\n")
}

/// Checks which codes are told of two rules of a list, in this order and in the other.
fn check(list: &str, a: &str, b: &str, expected: [&[&str]; 2]) {
    assert_eq!(codes(&two(list, a, b)), expected[0], "{list}: {a} | {b}");
    assert_eq!(codes(&two(list, b, a)), expected[1], "{list}: {b} | {a}");
}

/// Two rules of which one is needless, whichever comes first.
fn needless(list: &str, wide: &str, narrow: &str, code: &str) {
    check(list, wide, narrow, [&[code], &[code]]);
    let told = seen(&two(list, wide, narrow));
    let (line, _) = told.split_once('\n').unwrap();
    assert!(line.contains("`b`") && told.contains("40-offers.yaml:5:"), "the narrow one is named: {told}");
}

fn both_count(list: &str, a: &str, b: &str) {
    check(list, a, b, [&NONE, &NONE]);
}

#[test]
fn a_rule_about_answers_of_several_offers_is_told_where_an_answer_holds_too_few() {
    insta::assert_snapshot!(seen("diversity:\n  - {id: d, why: because, per: category, at_most: 1}\n"), @r"
    warning[L01]: rule `d` never leaves anything out: where it applies an answer holds 1 offer at most
     --> rules/40-offers.yaml:4:7
      |
    4 |   - {id: d, why: because, per: category, at_most: 1}
      |       ^ never
      = help: lower `at_most`, or raise `slots` of a placement; otherwise remove it
    ");
    let pairs = "stackability:\n  - {id: s, why: because, exclusive_pairs: [[a, b]]}\n";
    assert_eq!(codes(pairs), ["L01"]);
    let group = "stackability:\n  - {id: s, why: because, group: {offers: [a, b]}, at_most: 2}\n";
    assert!(seen(group).contains("its group has no more than 2 offers"));
}

#[test]
fn a_limit_that_nothing_can_pass_is_told() {
    let limit = |limit: &str| codes(&format!("price_limits:\n  - {{id: p, why: because, {limit}}}\n"));
    assert_eq!(limit("max_discount: 100%"), ["L01"]);
    assert_eq!(limit("max_discount: 99%"), NONE);
    assert_eq!(limit("min_price: 0.00 USD"), ["L01"]);
    assert_eq!(limit("min_price: 0.01 USD"), NONE);
}

#[test]
fn a_gate_for_a_purpose_that_nobody_decides_for_is_told() {
    let gate = |purpose: &str| {
        let purposes = "purposes:\n  - {id: direct_marketing, dpv: DirectMarketing, bases: {US: [consent]}}\n";
        let rules = format!("purpose_gates:\n  - {{id: g, why: because, purpose: {purpose}}}\n");
        super::tests::seen_with(purposes, &rules)
    };
    let told = gate("direct_marketing");
    assert!(told.starts_with("warning[L01]: rule `g` never leaves anything out: no placement"), "{told}");
    assert!(told.contains("decides for `direct_marketing`, or falls back to it"), "{told}");
    assert!(gate("offer_personalisation").starts_with("warning[L04]"), "the sample has this one");
}

#[test]
fn availability_is_told_where_it_lets_everything_or_nothing_through() {
    let rule = |fields: &str| format!("availability:\n  - {{id: a, why: because, {fields}}}\n");
    assert_eq!(codes(&rule("channels: [web]")), ["L01"], "every placement is on it");
    assert_eq!(codes(&rule("channels: [web], regions: [US]")), NONE);
    insta::assert_snapshot!(seen(&rule("regions: [US, CA], applies_to: {regions: [EU]}")), @r"
    warning[L03]: rule `a` leaves out everything it applies to
     --> rules/40-offers.yaml:4:10
      |
    4 |   - {id: a, why: because, regions: [US, CA], applies_to: {regions: [EU]}}
      |          ^ always
      = help: it applies in `EU`, and lets through in `US`, `CA`: leave one of the two lists out, or correct
              it
    ");
    assert_eq!(codes(&rule("regions: [US-NY], applies_to: {regions: [US]}")), NONE);
    let dates = |until: &str| seen(&rule(&format!("dates: {{until: {until}}}")));
    assert!(
        dates("2026-03-02T12:00:00Z").starts_with("warning[L10]: rule `a` leaves out everything it applies to since")
    );
    assert!(
        dates("2026-03-16T12:00:00Z").starts_with("warning[L11]: rule `a` leaves out everything it applies to from")
    );
    assert_eq!(dates("2026-03-16T12:00:01Z"), "");
}

#[test]
fn rules_of_availability_without_anything_in_common_are_told() {
    let told = seen(&two("availability", "regions: [US-NY]", "regions: [EU], applies_to: {offers: [boots]}"));
    insta::assert_snapshot!(told, @r"
    warning[L06]: rules `b` and `a` leave nothing of what `b` applies to
     --> rules/40-offers.yaml:5:10
      |
    5 |   - {id: b, why: because, regions: [EU], applies_to: {offers: [boots]}}
      |          ^ nothing is left
      = help: `a` stands at rules/40-offers.yaml:4, and their `regions` have nothing in common, where both
              must hold: write one rule, or let each apply to other offers
    ");
    let day = |from: &str, until: &str| format!("dates: {{from: {from}T00:00:00Z, until: {until}T00:00:00Z}}");
    let (may, june) = (day("2027-05-01", "2027-06-01"), day("2027-06-01", "2027-07-01"));
    check("availability", &may, &june, [&["L06"], &["L06"]]);
    both_count("availability", &day("2027-05-01", "2027-06-02"), &june);
    both_count("availability", "regions: [US]", "regions: [US-NY, CA]");
    let offers = "regions: [US], applies_to: {offers: [a]}";
    both_count("availability", offers, "regions: [EU], applies_to: {offers: [b]}");
    needless("availability", "regions: [US-NY]", "regions: [US]", "L05");
    needless("availability", "regions: [US], channels: [web]", "regions: [US, CA]", "L05");
    both_count("availability", "regions: [US-NY]", &format!("regions: [US], {june}"));
}

#[test]
fn three_rules_that_leave_nothing_together_are_told_where_no_two_do() {
    let all = exclusions(&["customer.tier == \"gold\"", "customer.tier == \"silver\"", "customer.tier == \"bronze\""]);
    insta::assert_snapshot!(seen(&all), @r#"
    warning[L06]: rules `e2`, `e0`, `e1` leave nothing of what `e2` applies to
     --> rules/40-offers.yaml:6:10
      |
    6 |   - {id: e2, why: because, when: 'customer.tier == "bronze"'}
      |          ^^ nothing is left
      = help: `customer.tier = "bronze"` is left out by `e2` (rules/40-offers.yaml:6); `customer.tier =
              "gold"` is left out by `e0` (rules/40-offers.yaml:4); `customer.tier = "silver"` is left out by
              `e1` (rules/40-offers.yaml:5): correct one of them, or let one apply to other offers
    "#);
    assert_eq!(codes(&all.replace("bronze\"'", "bronze\" && customer.visits_90d > 3'")), NONE);
    let narrow = all.replace("bronze\"'", "bronze\"', applies_to: {categories: [shoes]}");
    assert_eq!(codes(&narrow), ["L06"], "of shoes nothing is left");
    let apart = all.replace("gold\"'", "gold\"', applies_to: {offers: [boots]}");
    assert_eq!(codes(&apart), ["L06"], "of boots nothing is left");
    assert_eq!(codes(&apart.replace("bronze\"'", "bronze\"', applies_to: {categories: [shoes]}")), NONE);
}

#[test]
fn a_guard_is_set_beside_guards_only() {
    let guard = "audience_guards:\n  - {id: g, why: because, when: 'customer.visits_90d < 5'}\n";
    let exclusion = exclusions(&["customer.visits_90d < 3"]);
    assert_eq!(codes(&format!("{guard}{exclusion}")), NONE, "it sees visits without consent, the exclusion does not");
    let more = format!("{guard}  - {{id: h, why: because, when: 'customer.visits_90d < 3'}}\n");
    assert_eq!(codes(&more), ["L05"]);
}

#[test]
fn an_override_that_a_switch_undoes_is_told() {
    let week = |from: u32| {
        format!("effective: {{from: 2026-05-{from:02}T00:00:00Z, until: 2026-05-{:02}T00:00:00Z}}", from + 7)
    };
    let rules = |from: u32, stop: &str| {
        format!(
            "overrides:\n  - {{id: o, why: because, action: force_in, offers: [boots, lamp], \
             approver: A, ticket: T, {}}}\n\
             kill_switches:\n  - {{id: k, why: because, stop: {stop}, approver: A, ticket: T, {}}}\n",
            week(1),
            week(from)
        )
    };
    let told = seen(&rules(3, "{offers: [lamp]}"));
    assert!(told.starts_with("warning[L06]: override `o` puts in `lamp`, which `k` keeps out"), "{told}");
    assert_eq!(codes(&rules(3, "all")), ["L06"]);
    assert_eq!(codes(&rules(8, "{offers: [lamp]}")), NONE, "it begins when the override ends");
    assert_eq!(codes(&rules(3, "{offers: [socks]}")), NONE);
}

#[test]
fn a_budget_behind_a_smaller_one_is_told() {
    let window = |unit: &str| format!("window: {{calendar: {unit}, time_zone: Europe/Berlin}}");
    let (day, month) = (window("day"), window("month"));
    let (wide, narrow) = (format!("amount: 300.00 USD, {month}"), format!("amount: 300.00 USD, by: offer, {day}"));
    insta::assert_snapshot!(seen(&two("budgets", &wide, &narrow)), @r"
    warning[L07]: `b` of 300.00 USD a day never comes to its limit: `a` gives out 300.00 USD a month
     --> rules/40-offers.yaml:5:10
      |
    5 |   - {id: b, why: because, amount: 300.00 USD, by: offer, window: {calendar: day, time_zone: Europe/Berlin}}
      |          ^ looser than a wider one
      = help: `a` stands at rules/40-offers.yaml:4: lower `b`, or remove it
    ");
    needless("budgets", &wide, &narrow, "L07");
    both_count("budgets", &wide, &narrow.replace("300", "299"));
    both_count("budgets", &wide, &format!("units: 300, {day}"));
    both_count("budgets", &wide, &format!("{narrow}, pace: even"));
    both_count("budgets", &format!("amount: 300.00 USD, by: offer, {month}"), &format!("amount: 300.00 USD, {day}"));
    both_count("budgets", &wide, &narrow.replace("Berlin", "Paris"));
    needless("stock", "units: 5", "units: 6, per: store, on_missing: allow", "L07");
    both_count("stock", "units: 5", "units: 6, per: store");
}

#[test]
fn limits_of_prices_and_what_moves_them_are_compared() {
    needless("price_limits", "max_discount: 30%", "max_discount: 40%", "L05");
    needless("price_limits", "max_discount: 5.00 USD", "max_discount: 6.00 USD", "L05");
    both_count("price_limits", "max_discount: 30%", "max_discount: 6.00 USD");
    needless("price_limits", "min_price: 5.00 USD", "min_price: 4.00 USD", "L05");
    both_count("price_limits", "respect: prior_price", "respect: advertised_price_min");
    let allows = "respect: prior_price, on_missing: allow";
    check("price_limits", "respect: prior_price", allows, [&["L05"], &["L05"]]);
    let list = "price_personalisation";
    needless(list, "allowed: [customer.tier]", "allowed: [customer.tier, customer.region]", "L05");
    both_count(list, "allowed: [customer.tier]", "allowed: [customer.region]");
    needless(list, "banned_in: [EU]", "banned_in: [DE]", "L05");
    both_count(list, "banned_in: [DE]", "allowed: [customer.tier]");
}

#[test]
fn gates_cool_downs_categories_overrides_and_switches_are_compared() {
    needless(
        "cool_downs",
        "scope: [customer, category], after: {event: click}, suppress_for: 3d",
        "scope: [customer, offer], after: {event: click}, suppress_for: 2d",
        "L05",
    );
    both_count(
        "cool_downs",
        "scope: [customer, category], after: {event: click, unless: order}, suppress_for: 3d",
        "scope: [customer, offer], after: {event: click, unless: order}, suppress_for: 2d",
    );
    both_count(
        "cool_downs",
        "scope: [customer, offer], after: {event: click, unless: order}, suppress_for: 3d",
        "scope: [customer, offer], after: {event: click}, suppress_for: 2d",
    );
    let list = "category_exclusions";
    needless(list, "kind: regulated, categories: [shoes, home]", "kind: sensitive, categories: [home]", "L05");
    both_count(list, "kind: sensitive, categories: [shoes, home]", "kind: regulated, categories: [home]");
    both_count(list, "kind: competitor, categories: [shoes, home]", "kind: regulated, categories: [home]");
    both_count(list, "kind: regulated, categories: [shoes]", "kind: regulated, categories: [home]");
    let list = "purpose_gates";
    let gates = two(
        list,
        "purpose: offer_personalisation, consent_age: 30d",
        "purpose: offer_personalisation, consent_age: 60d",
    );
    let told = seen(&gates);
    assert!(told.contains("rule `b` changes nothing: what it refuses, `a` refuses as well"), "{told}");
    let act = "approver: A, ticket: T, effective: {from: 2026-05-01T00:00:00Z, until: 2026-05-08T00:00:00Z}";
    needless(
        "kill_switches",
        &format!("stop: {{offers: [a, b]}}, {act}"),
        &format!("stop: {{offers: [b]}}, {act}"),
        "L05",
    );
    both_count("kill_switches", &format!("stop: {{offers: [a]}}, {act}"), &format!("stop: {{campaigns: [a]}}, {act}"));
    let put_in = |offers: &str| format!("action: force_in, offers: [{offers}], {act}");
    let told = seen(&two("overrides", &put_in("a, b"), &put_in("b")));
    assert!(told.starts_with("warning[L05]: rule `b` changes nothing: what it does, `a` does as well"), "{told}");
}

#[test]
fn a_rule_about_categories_that_are_kept_out_altogether_is_told() {
    let rules = |kind: &str, of: &str| {
        format!(
            "category_exclusions:\n  - {{id: c, why: because, kind: {kind}, categories: [home]}}\nmargin_floors:\n  \
             - {{id: m, why: because, min_margin: 30%, applies_to: {{categories: [{of}]}}, overridable: false}}\n"
        )
    };
    let told = seen(&rules("regulated", "home"));
    assert!(
        told.starts_with("warning[L05]: rule `m` changes nothing: what it leaves out, `c` leaves out as well"),
        "{told}"
    );
    assert_eq!(codes(&rules("regulated", "home, shoes")), NONE);
    assert_eq!(codes(&rules("sensitive", "home")), NONE);
    assert_eq!(codes(&rules("competitor", "home")), NONE, "an override may lift it");
}

#[test]
fn a_rule_behind_two_others_is_told_once() {
    let north = "customer.region == \"north\"";
    let gold = "customer.tier == \"gold\"";
    assert_eq!(codes(&exclusions(&[gold, north, &format!("{gold} && {north}")])), ["L05"]);
}

#[test]
fn an_override_is_told_to_end_within_two_days_and_a_rule_within_two_weeks() {
    let ends = |until: &str| {
        let effective = format!("effective: {{from: 2026-02-25T00:00:00Z, until: {until}}}");
        let acting = format!(
            "overrides:\n  - {{id: o, why: because, action: force_in, offers: [a], approver: A, ticket: T, \
             {effective}}}\n"
        );
        let rule = format!("stock:\n  - {{id: s, why: because, units: 5, {effective}}}\n");
        (codes(&acting), codes(&rule))
    };
    assert_eq!(ends("2026-03-04T12:00:00Z"), (vec!["L11"], vec!["L11"]));
    assert_eq!(ends("2026-03-04T12:00:01Z"), (vec![], vec!["L11"]));
    assert_eq!(ends("2026-03-02T12:00:00Z"), (vec!["L10"], vec!["L10"]));
    assert_eq!(ends("2026-03-02T12:00:01Z"), (vec!["L11"], vec!["L11"]));
}
