//! Golden text of author mistakes in tests and fixtures, and that mutated ones never panic. Tries no test.

use crate::policy::sample::{MARGIN, files, shown};
use crate::policy::{Source, Tests, codes, compile_with_tests};

const FIXTURES: &str = "customers:
  - {id: ann, customer.tier: gold, consents: {offer_personalisation: granted}}
  - {id: bea, like: ann, customer.tier: bronze}
offers:
  - {id: boots, category: shoes, price: 100.00 USD, cost_of_goods: 50.00 USD}
  - {id: lipstick, price: 20.00 USD}
";

const CASES: &str = "given:
  placement: home_banner
  at: 2026-03-02 12:00
  customer: ann
cases:
  - name: one
    expect: {boots: []}
";

fn read(fixtures: &str, cases: &str) -> Result<Tests, String> {
    let mut files = files();
    for (path, text) in [("tests/fixtures/shop.yaml", fixtures), ("tests/a.test.yaml", cases)] {
        files.push(Source { path: path.into(), text: text.into() });
    }
    compile_with_tests(&files).map(|(_, tests)| tests).map_err(|findings| shown(&findings))
}

/// What an author sees who replaces one text in the fixtures, or else in the cases.
fn wrong(from: &str, to: &str) -> String {
    let (fixtures, cases) = (FIXTURES.replacen(from, to, 1), CASES.replacen(from, to, 1));
    assert!(fixtures != FIXTURES || cases != CASES, "nothing has `{from}`");
    read(&fixtures, &cases).expect_err("it compiled")
}

/// As [`wrong`], for a line added to the case.
fn with(line: &str) -> String {
    wrong("    expect:", &format!("    {line}\n    expect:"))
}

#[test]
fn names_that_tests_use_are_looked_up_and_the_nearest_is_shown() {
    insta::assert_snapshot!(wrong("customer: ann", "customer: anne"), @r"
    error[P0401]: given: customer: unknown customer `anne`; did you mean `ann`?
     --> tests/a.test.yaml:4:13
      |
    4 |   customer: anne
      |             ^^^^ not in tests/fixtures and not in this file
    ");
    insta::assert_snapshot!(wrong("{boots: []}", "{bots: [margin.flor.default]}"), @r"
    error[P0401]: case `one`: expect: unknown offer `bots`; did you mean `boots`?
     --> tests/a.test.yaml:7:14
      |
    7 |     expect: {bots: [margin.flor.default]}
      |              ^^^^ not in tests/fixtures and not in this file

    error[P0402]: case `one`: expect: `bots`: unknown rule `margin.flor.default`; did you mean `margin.floor.default`?
     --> tests/a.test.yaml:7:21
      |
    7 |     expect: {bots: [margin.flor.default]}
      |                     ^^^^^^^^^^^^^^^^^^^ not in rules/*.yaml
    ");
    insta::assert_snapshot!(with("placement: home_baner"), @r"
    error[P0108]: case `one`: unknown placement `home_baner`; did you mean `home_banner`?
     --> tests/a.test.yaml:7:16
      |
    7 |     placement: home_baner
      |                ^^^^^^^^^^ not in placements.yaml
    ");
    insta::assert_snapshot!(with("consents: {offer_personalization: granted}"), @r"
    error[P0109]: case `one`: consents: unknown purpose `offer_personalization`; did you mean `offer_personalisation`?
     --> tests/a.test.yaml:7:16
      |
    7 |     consents: {offer_personalization: granted}
      |                ^^^^^^^^^^^^^^^^^^^^^ not in catalog/purposes.yaml
    ");
    insta::assert_snapshot!(with("customer.teir: gold"), @r"
    error[P0107]: case `one`: unknown attribute `customer.teir`; did you mean `customer.tier`?
     --> tests/a.test.yaml:7:5
      |
    7 |     customer.teir: gold
      |     ^^^^^^^^^^^^^ not in catalog/attributes.yaml
    ");
    insta::assert_snapshot!(with("tier: gold"), @r"
    error[P0101]: case `one`: unknown field `tier`; did you mean `customer.tier`?
     --> tests/a.test.yaml:7:5
      |
    7 |     tier: gold
      |     ^^^^ unknown field
      = help: the fields here are `name`, `expect`, `notes`, `refused_by`, `placement`, `at`, `time_zone`,
              `jurisdiction`, `gpc`, `store`, `customer`, `consents`, `history`, `basket`, `behind`, `gone`,
              `context.NAME`, `customer.NAME`, `offer.NAME`
    ");
    insta::assert_snapshot!(wrong("like: ann", "like: an"), @r"
    error[P0401]: customer `bea`: unknown customer `an`; did you mean `ann`?
     --> tests/fixtures/shop.yaml:3:21
      |
    3 |   - {id: bea, like: an, customer.tier: bronze}
      |                     ^^ not in tests/fixtures and not in this file
    ");
    insta::assert_snapshot!(with("history: [{offer: boot, ago: 3h}]"), @r"
    error[P0401]: case `one`: history: unknown offer `boot`; did you mean `boots`?
     --> tests/a.test.yaml:7:23
      |
    7 |     history: [{offer: boot, ago: 3h}]
      |                       ^^^^ not in tests/fixtures and not in this file
    ");
    insta::assert_snapshot!(wrong("id: boots,", "id: boots, campaign: summer,"), @r"
    error[P0401]: offer `boots`: unknown campaign `summer`
     --> tests/fixtures/shop.yaml:5:27
      |
    5 |   - {id: boots, campaign: summer, category: shoes, price: 100.00 USD, cost_of_goods: 50.00 USD}
      |                           ^^^^^^ not in tests/fixtures and not in this file
      = help: none is declared yet: declare it there
    ");
}

#[test]
fn values_are_those_that_the_catalog_declares() {
    insta::assert_snapshot!(with("customer.tier: golden"), @r"
    error[P0104]: case `one`: `customer.tier`: `golden` is not a value of `customer.tier`
     --> tests/a.test.yaml:7:20
      |
    7 |     customer.tier: golden
      |                    ^^^^^^ not a value of it
      = help: expected one of `bronze`, `silver`, `gold`; did you mean `gold`?
    ");
    insta::assert_snapshot!(with("customer.visits_90d: many"), @r"
    error[P0103]: case `one`: `customer.visits_90d`: expected a number, found text
     --> tests/a.test.yaml:7:26
      |
    7 |     customer.visits_90d: many
      |                          ^^^^ this is text
    ");
    insta::assert_snapshot!(with("consents: {offer_personalisation: yes}"), @r"
    error[P0106]: case `one`: consents: `offer_personalisation`: unknown state `yes`
     --> tests/a.test.yaml:7:39
      |
    7 |     consents: {offer_personalisation: yes}
      |                                       ^^^ unknown state
      = help: expected one of `granted`, `refused`, `withdrawn`, `unknown`
    ");
    insta::assert_snapshot!(wrong("category: shoes", "category: shoos"), @r"
    error[P0110]: offer `boots`: `category`: unknown category `shoos`; did you mean `shoes`?
     --> tests/fixtures/shop.yaml:5:27
      |
    5 |   - {id: boots, category: shoos, price: 100.00 USD, cost_of_goods: 50.00 USD}
      |                           ^^^^^ not declared
      = help: categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or
              correct it here
    ");
    insta::assert_snapshot!(wrong("price: 100.00 USD", "price: 100.00"), @r"
    error[P0104]: offer `boots`: `price`: `100.00` is not an amount with its currency
     --> tests/fixtures/shop.yaml:5:41
      |
    5 |   - {id: boots, category: shoes, price: 100.00, cost_of_goods: 50.00 USD}
      |                                         ^^^^^^ expected an amount such as `20.00 USD`
    ");
    insta::assert_snapshot!(with("offer.discount: 120.00 USD"), @r"
    error[P0404]: case `one`: offer `boots`: the discount `120.00` is larger than the price `100.00`: expected at most the price
     --> tests/a.test.yaml:7:5
      |
    7 |     offer.discount: 120.00 USD
      |     ^^^^^^^^^^^^^^ no such offer can be
    ");
    insta::assert_snapshot!(wrong("price: 100.00 USD, ", ""), @r"
    error[P0102]: offer `boots`: field `price` is missing
     --> tests/fixtures/shop.yaml:5:6
      |
    5 |   - {id: boots, category: shoes, cost_of_goods: 50.00 USD}
      |      ^^ no `price` here
      = help: add it, such as `price: 20.00 USD`, or `like:` an offer that has one
    ");
    insta::assert_snapshot!(with("jurisdiction: New York"), @r"
    error[P0104]: case `one`: `New York` is not a jurisdiction
     --> tests/a.test.yaml:7:19
      |
    7 |     jurisdiction: New York
      |                   ^^^^^^^^ expected `EU`, `US` or `US-NY`
      = help: expected `EU`, a country such as `US` or a region such as `US-NY`
    ");
    insta::assert_snapshot!(with("basket: [20 dollars]"), @r"
    error[P0104]: case `one`: basket: `dollars` is not a currency
     --> tests/a.test.yaml:7:14
      |
    7 |     basket: [20 dollars]
      |              ^^^^^^^^^^ expected an amount such as `20.00 USD`
      = help: expected an ISO 4217 code such as `USD` or `EUR`
    ");
}

#[test]
fn a_case_says_where_when_and_what_it_expects() {
    let seen = wrong("  placement: home_banner\n", "");
    assert!(seen.contains("once to `given`; there are `"), "{seen}");
    insta::assert_snapshot!(seen.split("\n  = help").next().unwrap(), @r"
    error[P0405]: case `one`: which placement asks?
     --> tests/a.test.yaml:5:5
      |
    5 |   - name: one
      |     ^^^^ no `placement` here or in `given`
    ");
    insta::assert_snapshot!(wrong("  at: 2026-03-02 12:00\n", ""), @r"
    error[P0406]: case `one`: when is it?
     --> tests/a.test.yaml:5:5
      |
    5 |   - name: one
      |     ^^^^ no `at` here or in `given`
      = help: add `at: 2026-11-27 12:00` to the case, or once to `given`
    ");
    insta::assert_snapshot!(wrong("at: 2026-03-02 12:00", "at: 2026-03-02"), @r"
    error[P0104]: given: `2026-03-02` is not a time
     --> tests/a.test.yaml:3:7
      |
    3 |   at: 2026-03-02
      |       ^^^^^^^^^^ expected a time such as `2026-11-27 12:00`
      = help: expected `2026-11-27 12:00` (in the time zone of the case) or `2026-11-27T12:00:00Z`
    ");
    insta::assert_snapshot!(
        wrong("at: 2026-03-02 12:00", "at: 2026-03-29 02:30\n  time_zone: Europe/Berlin"), @r"
    error[P0406]: case `one`: clocks in Europe/Berlin leap over this time
     --> tests/a.test.yaml:3:7
      |
    3 |   at: 2026-03-29 02:30
      |       ^^^^^^^^^^^^^^^^ never on a clock
      = help: choose an hour before or later
    ");
}

#[test]
fn what_is_expected_is_offers_with_the_rules_that_leave_them_out() {
    insta::assert_snapshot!(wrong("    expect: {boots: []}", "    expect: boots"), @r"
    error[P0103]: case `one`: expect: expected offers with the rules that leave them out, such as `{boots: [], perfume: [margin.floor]}`, found text
     --> tests/a.test.yaml:7:13
      |
    7 |     expect: boots
      |             ^^^^^ this is text
    ");
    insta::assert_snapshot!(wrong("{boots: []}", "{boots: shown}"), @r"
    error[P0402]: case `one`: expect: `boots`: unknown rule `shown`
     --> tests/a.test.yaml:7:21
      |
    7 |     expect: {boots: shown}
      |                     ^^^^^ not in rules/*.yaml
      = help: write the ids of the rules that leave it out, and `[]` where none does
    ");
    insta::assert_snapshot!(with("offers: [boots]"), @r"
    error[P0101]: case `one`: unknown field `offers`: offers are named in `expect`
     --> tests/a.test.yaml:7:5
      |
    7 |     offers: [boots]
      |     ^^^^^^ unknown field
      = help: write `expect: {boots: []}`; what is different about the offers of a case is written
              `offer.price: 10.00 USD`
    ");
    insta::assert_snapshot!(with("discount: 5.00 USD"), @r"
    error[P0101]: case `one`: unknown field `discount`; did you mean `offer.discount`?
     --> tests/a.test.yaml:7:5
      |
    7 |     discount: 5.00 USD
      |     ^^^^^^^^ unknown field
      = help: the fields here are `name`, `expect`, `notes`, `refused_by`, `placement`, `at`, `time_zone`,
              `jurisdiction`, `gpc`, `store`, `customer`, `consents`, `history`, `basket`, `behind`, `gone`,
              `context.NAME`, `customer.NAME`, `offer.NAME`
    ");
    insta::assert_snapshot!(wrong("{boots: []}", "{}"), @r"
    error[P0116]: case `one`: expect: nothing is expected
     --> tests/a.test.yaml:7:13
      |
    7 |     expect: {}
      |             ^ nothing in it
      = help: name an offer and the rules that leave it out: `{boots: []}` says that boots may be shown
    ");
    insta::assert_snapshot!(wrong("    expect: {boots: []}\n", ""), @r"
    error[P0102]: case `one`: field `expect` is missing
     --> tests/a.test.yaml:6:5
      |
    6 |   - name: one
      |     ^^^^ no `expect` here
      = help: add it, such as `expect: {boots: []}`
    ");
    let twice = "    expect: {boots: []}\n  - name: one\n    expect: {boots: []}";
    insta::assert_snapshot!(wrong("    expect: {boots: []}", twice), @r"
    error[P0112]: case `one` is declared twice
     --> tests/a.test.yaml:8:11
      |
    8 |   - name: one
      |           ^^^ first declared at tests/a.test.yaml:6:11
      = help: rename one of them or remove it
    ");
    insta::assert_snapshot!(with("notes: {lipstick: []}"), @r"
    error[P0408]: case `one`: notes: nothing is expected of `lipstick` otherwise
     --> tests/a.test.yaml:7:13
      |
    7 |     notes: {lipstick: []}
      |             ^^^^^^^^ not in `expect`
      = help: add it there: `expect: {lipstick: []}` says that it may be shown
    ");
    insta::assert_snapshot!(with("behind: [boots]"), @r"
    error[P0407]: case `one`: behind: `home_banner` has 1 slot
     --> tests/a.test.yaml:7:14
      |
    7 |     behind: [boots]
      |              ^^^^^ no slot is left
      = help: name another placement, or give this one more `slots` in placements.yaml

    error[P0407]: case `one`: `boots` stands in a slot before and is not asked about again
     --> tests/a.test.yaml:8:14
      |
    8 |     expect: {boots: []}
      |              ^^^^^ named in `behind`
      = help: take it out of `behind`, or ask about another offer
    ");
}

#[test]
fn fixtures_in_a_circle_and_reserved_names_are_refused() {
    insta::assert_snapshot!(wrong("{id: ann,", "{id: ann, like: bea,"), @r"
    error[P0403]: customer `ann`: `like: bea` leads back to itself
     --> tests/fixtures/shop.yaml:2:21
      |
    2 |   - {id: ann, like: bea, customer.tier: gold, consents: {offer_personalisation: granted}}
      |                     ^^^ a circle
      = help: one of them must stand by itself: write its fields out

    error[P0403]: customer `bea`: `like: ann` leads back to itself
     --> tests/fixtures/shop.yaml:3:21
      |
    3 |   - {id: bea, like: ann, customer.tier: bronze}
      |                     ^^^ a circle
      = help: one of them must stand by itself: write its fields out
    ");
    insta::assert_snapshot!(wrong("{id: bea,", "{id: nobody,"), @r"
    error[P0104]: customer `nobody`: `nobody` stands for a request of which no customer is known
     --> tests/fixtures/shop.yaml:3:10
      |
    3 |   - {id: nobody, like: ann, customer.tier: bronze}
      |          ^^^^^^ expected a name such as `ann`
      = help: expected another name
    ");
    insta::assert_snapshot!(wrong("{id: bea,", "{id: ann,"), @r"
    error[P0112]: customer `ann` is declared twice
     --> tests/fixtures/shop.yaml:3:10
      |
    3 |   - {id: ann, like: ann, customer.tier: bronze}
      |          ^^^ first declared at tests/fixtures/shop.yaml:2:10
      = help: rename one of them or remove it
    ");
}

#[test]
fn files_among_the_tests_that_are_none_are_named() {
    let seen = |path: &str| {
        let mut files = files();
        files.push(Source { path: path.into(), text: String::new() });
        shown(&compile_with_tests(&files).unwrap_err())
    };
    insta::assert_snapshot!(seen("tests/margin.yaml"), @r"
    error[P0007]: the tests of a bundle have no file `tests/margin.yaml`; did you mean `tests/margin.test.yaml`?
     --> tests/margin.yaml
      = help: tests are kept in tests/NAME.test.yaml, and what they share in tests/fixtures/NAME.yaml
    ");
    insta::assert_snapshot!(seen("tests/fixture/shop.yaml"), @r"
    error[P0007]: the tests of a bundle have no file `tests/fixture/shop.yaml`; did you mean `tests/fixtures/shop.yaml`?
     --> tests/fixture/shop.yaml
      = help: tests are kept in tests/NAME.test.yaml, and what they share in tests/fixtures/NAME.yaml
    ");
}

#[test]
fn mistakes_in_rules_and_in_tests_are_told_together_and_a_broken_rule_hides_no_name() {
    let mut files = files();
    let margin = files.iter_mut().find(|file| file.path == MARGIN).unwrap();
    margin.text = margin.text.replace("min_margin: 10%", "min_margin: ten");
    let cases = CASES
        .replace("{boots: []}", "{boots: [margin.floor.default, what.ever]}")
        .replace("customer: ann", "customer: anne");
    files.push(Source { path: "tests/fixtures/shop.yaml".into(), text: FIXTURES.into() });
    files.push(Source { path: "tests/a.test.yaml".into(), text: cases });
    let found = compile_with_tests(&files).unwrap_err();
    let codes: Vec<&str> = found.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [codes::VALUE, codes::FIXTURE_UNKNOWN], "{}", shown(&found));
}

#[test]
fn what_a_case_says_stands_over_what_its_file_shares_and_that_over_the_fixture() {
    let cases = CASES
        .replace("customer: ann", "customer: bea\n  customer.visits_90d: 3\n  context.device_type: mobile")
        .replace(
            "    expect",
            "    customer.visits_90d: 4\n    customer.tier: ~\n    context.device_type: ~\n    expect",
        );
    let tests = read(FIXTURES, &cases).unwrap_or_else(|found| panic!("{found}"));
    let case = &tests.cases[0];
    let person = case.customer.as_ref().unwrap();
    let attributes: Vec<String> = person.attributes.iter().map(|(name, value)| format!("{name} {value}")).collect();
    assert_eq!((attributes.join(", ").as_str(), case.context.len()), ("visits_90d 4", 0));
    assert_eq!(person.consents.len(), 1, "inherited from ann");
    assert_eq!(case.at.to_string(), "2026-03-02T12:00:00.000Z");
}
