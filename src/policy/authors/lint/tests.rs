//! Tests of warnings: that each is told with its witness, and that rules which mean something are left in peace. Tests
//! no mistake.

use super::{Linted, lint};
use crate::domain::{RuleId, Timestamp};
use crate::policy::sample::{CAPS, LOYALTY, MARGIN, OFFERS, PURPOSES, SLATE, files, shown};
use crate::policy::{Source, Tests, compile, compile_with_tests};

pub(super) const NOW: &str = "2026-03-02T12:00:00Z";

/// The sample bundle with these rules instead of its own about offers, margins, contacts, answers and loyalty.
fn linted(purposes: &str, rules: &str) -> Linted {
    let mut files = files();
    if let Some((_, more)) = purposes.split_once("purposes:\n") {
        files.iter_mut().find(|file| file.path == PURPOSES).unwrap().text.push_str(more);
    }
    files.retain(|file| ![MARGIN, CAPS, SLATE, LOYALTY].contains(&file.path.as_str()));
    files.iter_mut().find(|file| file.path == OFFERS).unwrap().text = format!("owner: sales\n\n{rules}");
    let bundle = compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    lint(&bundle, &Tests::default(), &[], Timestamp::parse(NOW).unwrap())
}

/// What its author sees.
pub(super) fn seen(rules: &str) -> String {
    seen_with("", rules)
}

/// The same, with purposes more.
pub(super) fn seen_with(purposes: &str, rules: &str) -> String {
    let Linted { findings, unsettled } = linted(purposes, rules);
    format!("{}{}", shown(&findings), unsettled.join("\n"))
}

/// One exclusion and more of a file.
pub(super) fn exclusions(conditions: &[&str]) -> String {
    let rule = |(at, when): (usize, &&str)| format!("  - {{id: e{at}, why: because, when: '{when}'}}\n");
    format!("exclusions:\n{}", conditions.iter().enumerate().map(rule).collect::<String>())
}

/// Which codes are told.
pub(super) fn codes(rules: &str) -> Vec<&'static str> {
    linted("", rules).findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn the_sample_bundle_has_nothing_to_warn_of_but_rules_about_slots_that_it_has_not() {
    let linted = lint(&crate::policy::sample::bundle(), &Tests::default(), &[], Timestamp(0));
    let told: Vec<&str> = linted.findings.iter().map(|finding| finding.message.as_str()).collect();
    let never = |rule: &str| {
        format!("rule `{rule}` never leaves anything out: where it applies an answer holds 1 offer at most")
    };
    assert_eq!(told, [never("diverse.category"), never("diverse.campaign")]);
    assert_eq!(linted.unsettled, [""; 0]);
}

#[test]
fn a_rule_that_never_or_always_fires_is_told_with_a_witness() {
    insta::assert_snapshot!(seen(&exclusions(&["hour_of_day > 24"])), @r"
    warning[L01]: rule `e0` never leaves anything out
     --> rules/40-offers.yaml:4:10
      |
    4 |   - {id: e0, why: because, when: 'hour_of_day > 24'}
      |          ^^ never
      = help: it lets everything pass, such as `hour_of_day = 23`: correct it or remove it
    ");
    insta::assert_snapshot!(seen(&exclusions(&["customer.tier == \"gold\" && customer.tier == \"silver\""])), @r#"
    warning[L02]: rule `e0` leaves something out only where `customer.tier` is missing
     --> rules/40-offers.yaml:4:10
      |
    4 |   - {id: e0, why: because, when: 'customer.tier == "gold" && customer.tier == "silver"'}
      |          ^^ only what is missing
      = help: whatever the value is, it passes: correct the condition; if the value is only to be there, write
              `has(...)`
    "#);
    insta::assert_snapshot!(seen(&exclusions(&["customer.visits_90d < 5 || customer.visits_90d > 2"])), @r"
    warning[L03]: rule `e0` leaves out everything it applies to
     --> rules/40-offers.yaml:4:10
      |
    4 |   - {id: e0, why: because, when: 'customer.visits_90d < 5 || customer.visits_90d > 2'}
      |          ^^ always
      = help: this hits `customer.visits_90d = 1` too: correct the condition; to stop offers altogether, pause
              them in the catalogue
    ");
}

#[test]
fn what_conditions_can_mean_is_told_apart_from_what_they_cannot() {
    for (condition, expected) in [
        ("customer.tier == \"gold\"", &[][..]),
        ("customer.visits_90d > 3 && customer.visits_90d < 4", &[]),
        ("hour_of_day > 3 && hour_of_day < 4", &["L01"]),
        ("hour_of_day >= 0", &["L03"]),
        ("basket.size < 0", &["L01"]),
        ("basket.total < 0.00 USD", &["L02"]),
        ("offer.margin < 0.00 USD", &[]),
        ("context.today < 2026-01-01 && context.today > 2026-02-01", &["L01"]),
        ("customer.tier in [\"bronze\", \"silver\", \"gold\"]", &["L03"]),
        ("has(customer.tier) && !has(customer.tier)", &["L01"]),
        ("offer.discount > offer.price * 50%", &[]),
        ("offer.discount > offer.price * 50% && !(offer.discount > offer.price * 50%)", &["L01"]),
        ("offer.discount > offer.price * 50% && hour_of_day > 30", &["L01"]),
        ("1 + 1 == 3 && customer.tier == \"gold\"", &["L01"]),
        ("1 + 1 == 2 && customer.tier == \"gold\"", &[]),
    ] {
        assert_eq!(codes(&exclusions(&[condition])), expected, "{condition}");
    }
    let allowed = "exclusions:\n  - {id: e, why: because, on_missing: allow, when: 'basket.total < 0.00 USD'}\n";
    assert_eq!(codes(allowed), ["L01"]);
}

#[test]
fn shadowed_duplicate_and_contradicting_rules_are_told_once_with_both_places() {
    insta::assert_snapshot!(
        seen(&exclusions(&["customer.tier == \"gold\"", "customer.tier == \"gold\" && customer.region == \"north\""])),
        @r#"
        warning[L05]: rule `e1` changes nothing: what it leaves out, `e0` leaves out as well
         --> rules/40-offers.yaml:5:10
          |
        5 |   - {id: e1, why: because, when: 'customer.tier == "gold" && customer.region == "north"'}
          |          ^^ changes nothing
          = help: `e0` stands at rules/40-offers.yaml:4 and hits `customer.tier = "gold"`, `customer.region =
                  "north"` too; it also hits `customer.tier = "gold"`, `customer.region = "south"`: remove `e1`,
                  or narrow `e0`
        "#
    );
    insta::assert_snapshot!(seen(&exclusions(&["customer.visits_90d > 3", "3 < customer.visits_90d"])), @r"
    warning[L04]: rule `e1` says the same as `e0`
     --> rules/40-offers.yaml:5:10
      |
    5 |   - {id: e1, why: because, when: '3 < customer.visits_90d'}
      |          ^^ again
      = help: `e0` stands at rules/40-offers.yaml:4: keep one of them
    ");
    let both = format!(
        "{}requirements:\n  - {{id: r, why: because, when: 'customer.tier == \"gold\"'}}\n",
        exclusions(&["customer.tier in [\"gold\", \"silver\"]"])
    );
    insta::assert_snapshot!(seen(&both), @r#"
    warning[L06]: rules `r` and `e0` leave nothing of what `r` applies to
     --> rules/40-offers.yaml:6:10
      |
    6 |   - {id: r, why: because, when: 'customer.tier == "gold"'}
      |          ^ nothing is left
      = help: `e0` stands at rules/40-offers.yaml:4; `customer.tier = "gold"` is left out by `e0`, and
              `customer.tier = "bronze"` is left out by `r`: correct one of them, or let each apply to other
              offers
    "#);
}

#[test]
fn rules_are_compared_only_where_one_applies_wherever_the_other_does_and_both_block() {
    let two = |first: &str, second: &str| {
        let rule =
            |id: &str, more: &str| format!("  - {{id: {id}, why: because, when: 'customer.tier == \"gold\"'{more}}}\n");
        codes(&format!("exclusions:\n{}{}", rule("a", first), rule("b", second)))
    };
    assert_eq!(two("", ""), ["L04"]);
    assert_eq!(two("", ", applies_to: {categories: [shoes]}"), ["L05"]);
    assert_eq!(two(", applies_to: {offers: [x]}", ", applies_to: {categories: [shoes]}"), [""; 0]);
    assert_eq!(two(", applies_to: {regions: [US]}", ", applies_to: {regions: [US-NY]}"), ["L05"]);
    assert_eq!(two(", applies_to: {regions: [US-NY]}", ", applies_to: {regions: [US]}"), ["L05"]);
    assert_eq!(two(", applies_to: {regions: [CA]}", ", applies_to: {regions: [US]}"), [""; 0]);
    assert_eq!(two("", ", severity: shadow"), [""; 0]);
    assert_eq!(two("", ", overridable: false"), ["L05"]);
    assert_eq!(two(", overridable: false", ""), ["L05"]);
    assert_eq!(two("", ", on_missing: allow"), ["L05"]);
    let until = ", effective: {until: 2027-01-01T00:00:00Z}";
    assert_eq!(two("", until), ["L05"]);
    assert_eq!(two(until, ", effective: {from: 2026-01-01T00:00:00Z}"), [""; 0]);
}

#[test]
fn of_two_rules_that_say_the_same_the_one_that_applies_to_less_is_named() {
    let rule = |id: &str, list: &str, of: &str| {
        let applies = format!("applies_to: {{{list}: [{of}]}}");
        format!("  - {{id: {id}, why: because, when: 'customer.tier == \"gold\"', {applies}}}\n")
    };
    for (list, more, few, other) in [
        ("offers", "a, b", "a", "a, c"),
        ("categories", "shoes, home", "shoes", "shoes, service"),
        ("placements", "home_banner, home_banner_linucb", "home_banner", "home_banner, home_banner_uniform"),
        ("regions", "US, CA", "US-NY, CA", "US-NY, DE"),
    ] {
        for (first, second) in [(("wide", more), ("narrow", few)), (("narrow", few), ("wide", more))] {
            let rules = format!("exclusions:\n{}{}", rule(first.0, list, first.1), rule(second.0, list, second.1));
            let told = seen(&rules);
            assert!(told.starts_with("warning[L05]: rule `narrow` changes nothing"), "{rules}{told}");
        }
        let apart = format!("exclusions:\n{}{}", rule("a", list, more), rule("b", list, other));
        assert_eq!(codes(&apart), [""; 0], "{apart}");
    }
}

#[test]
fn what_leaves_nothing_out_makes_no_other_rule_needless() {
    let two = |list: &str, a: &str, b: &str| {
        let both = |a: &str, b: &str| {
            codes(&format!("{list}:\n  - {{id: a, why: because, {a}}}\n  - {{id: b, why: because, {b}}}\n"))
        };
        assert_ne!(both(a, b), [""; 0], "{list}: both block");
        for severity in ["warn", "shadow"] {
            assert_eq!(both(&format!("{a}, severity: {severity}"), b), [""; 0], "{list}: a is {severity}");
            assert_eq!(both(a, &format!("{b}, severity: {severity}")), [""; 0], "{list}: b is {severity}");
        }
    };
    two("margin_floors", "min_margin: 30%", "min_margin: 20%");
    let cap = |max: u32, window: &str| format!("scope: [customer], max: {max}, window: {window}, counts: decision");
    two("frequency_caps", &cap(3, "{rolling: 7d}"), &cap(5, "{rolling: 24h}"));
    two("availability", "regions: [US]", "regions: [EU]");
    two("exclusions", "when: hour_of_day < 9", "when: hour_of_day < 8");
}

#[test]
fn a_limit_behind_a_stricter_one_is_told() {
    let cap = |id: &str, scope: &str, max: u32, window: &str| {
        let counts = "counts: decision, why: because";
        format!("  - {{id: {id}, scope: [{scope}], max: {max}, window: {window}, {counts}}}\n")
    };
    let caps = |a: String, b: String| format!("frequency_caps:\n{a}{b}");
    let (all, one) = ("customer", "customer, offer");
    let looser = caps(cap("all", all, 3, "{rolling: 7d}"), cap("one", one, 5, "{rolling: 24h}"));
    insta::assert_snapshot!(seen(&looser), @r"
    warning[L07]: cap `one` of 5 in 24h never comes to its limit: `all` allows 3 in 7d
     --> rules/40-offers.yaml:5:10
      |
    5 |   - {id: one, scope: [customer, offer], max: 5, window: {rolling: 24h}, counts: decision, why: because}
      |          ^^^ looser than a wider cap
      = help: `all` stands at rules/40-offers.yaml:4: lower `max` of `one`, or remove it
    ");
    let looser = |a: (&str, u32, &str), b: (&str, u32, &str)| {
        codes(&caps(cap("a", a.0, a.1, a.2), cap("b", b.0, b.1, b.2))).contains(&"L07")
    };
    let (rolling, day) = ("{rolling: 7d}", "{calendar: day, time_zone: customer}");
    let week = "{calendar: week, time_zone: customer}";
    assert!(!looser((all, 3, rolling), (one, 2, rolling)));
    assert!(!looser((all, 3, "{rolling: 24h}"), (one, 5, rolling)));
    assert!(looser((all, 3, rolling), (one, 3, rolling)) && !looser((all, 4, rolling), (one, 3, rolling)));
    assert!(looser((all, 3, week), (one, 3, day)));
    assert!(!looser((all, 3, "{rolling: 24h}"), (one, 3, day)), "a day may have 25 hours");
    assert!(looser((all, 3, "{rolling: 25h}"), (one, 3, day)));
    assert!(looser((all, 3, "lifetime"), (one, 9, rolling)));
    assert!(looser(("customer, category", 3, rolling), (one, 4, rolling)));
    assert!(!looser(("customer, channel", 3, rolling), (one, 4, rolling)));
    let calendar = |unit: &str, zone: &str| format!("{{calendar: {unit}, time_zone: {zone}}}");
    let (berlin, sunday) = (calendar("week", "Europe/Berlin"), calendar("week, week_starts: sunday", "customer"));
    assert!(!looser((all, 3, &berlin), (one, 3, &calendar("day", "Europe/Paris"))), "their days begin apart");
    assert!(!looser((all, 3, &berlin), (one, 3, week)) && !looser((all, 3, week), (one, 3, &berlin)));
    assert!(!looser((all, 3, week), (one, 3, &sunday)) && !looser((all, 3, &sunday), (one, 3, week)));
    assert!(looser((all, 3, &sunday), (one, 4, &sunday)) && looser((all, 3, &sunday), (one, 3, day)));
    let month = calendar("month", "customer");
    assert!(!looser((all, 3, &month), (one, 3, week)), "a week may lie in two months");
    assert!(looser((all, 3, &month), (one, 3, day)) && !looser((all, 3, day), (one, 3, &month)));
    assert!(!looser((all, 3, "{rolling: 7d}"), (one, 3, week)), "a week may have an hour more");
    assert!(looser((all, 3, "{rolling: 169h}"), (one, 3, week)));
    let floors = "margin_floors:\n  - {id: a, why: because, min_margin: 30%}\n  \
                  - {id: b, why: because, min_margin: 20%, applies_to: {categories: [shoes]}}\n";
    assert_eq!(codes(floors), ["L05"]);
    assert_eq!(codes(&floors.replace("20%", "40%")), [""; 0]);
}

#[test]
fn tests_times_and_regions_that_leave_a_rule_hanging_are_told() {
    let rules = "owner: sales\nexclusions:\n  - id: e\n    why: because\n    when: customer.tier == \"gold\"\n    \
                 applies_to: {regions: [US-NY]}\n    effective: {until: 2026-03-10T00:00:00Z}\n";
    let mut files = files();
    files.retain(|file| file.path != SLATE);
    files.iter_mut().find(|file| file.path == OFFERS).unwrap().text = rules.to_owned();
    files.push(Source {
        path: "tests/a.test.yaml".into(),
        text: "offers: [{id: boots, price: 10.00 USD, cost_of_goods: 1.00 USD}]\ncases:\n  - name: one\n    \
               placement: home_banner\n    at: 2026-03-02T12:00:00Z\n    customer: {customer.tier: gold}\n    \
               expect: {boots: [e]}\n"
            .into(),
    });
    let (bundle, tests) = compile_with_tests(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    let gaps = [(RuleId::new("e").unwrap(), "no case asks it")];
    let at = |now: &str| shown(&lint(&bundle, &tests, &gaps, Timestamp::parse(now).unwrap()).findings);
    insta::assert_snapshot!(at(NOW), @r"
    warning[L08]: rule `e` is not shown by its tests: no case asks it
     --> rules/40-offers.yaml:3:9
      |
    3 |   - id: e
      |         ^ untested
      = help: in tests/*.test.yaml, write a case that expects the rule and one about the same offers that does
              not

    warning[L09]: rule `e` is for `US-NY`, and no case says from where a request comes
     --> rules/40-offers.yaml:3:9
      |
    3 |   - id: e
      |         ^ for some regions only
      = help: where a request has no jurisdiction the rule holds as if it came from there: let the shop send
              one, and write `jurisdiction: US-NY` in a case

    warning[L11]: rule `e` ends at 2026-03-10T00:00:00.000Z
     --> rules/40-offers.yaml:3:9
      |
    3 |   - id: e
      |         ^ ends soon
      = help: say so to who answers for it; give it a later `until` if it is to stay
    ");
    assert!(at("2026-03-10T00:00:00Z").contains("warning[L10]: rule `e` is over since 2026-03-10"));
    let early = at("2026-02-23T23:59:59Z");
    assert!(!early.contains("L11") && !early.contains("L10"), "{early}");
}

#[test]
fn a_question_with_too_many_cases_is_given_up_and_said() {
    let list = |n: i32| (0..n).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let when = format!(
        "customer.visits_90d in [{}] && basket.size in [{}] && hour_of_day in [{}] && customer.tier == \"gold\"",
        list(20),
        list(40),
        list(24)
    );
    let Linted { findings, unsettled } = linted("", &exclusions(&[&when]));
    assert_eq!((findings.len(), unsettled.len()), (0, 1), "{unsettled:?}");
    assert!(unsettled[0].starts_with("whether `e0` ever leaves anything out: "), "{unsettled:?}");
}
