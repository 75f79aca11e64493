//! Golden text of author mistakes in the words of conditions. Not those in the values that they compare.

use crate::policy::sample::{ATTRIBUTES, OFFERS, files, shown, wrong};
use crate::policy::{Source, compile};

/// What an author sees who writes this condition.
fn said(condition: &str) -> String {
    wrong(OFFERS, "offer.discount > offer.price * 50%", condition)
}

#[test]
fn a_misspelt_attribute_is_shown_under_the_word_with_the_nearest_one() {
    let rules = "owner: loyalty

exclusions:
  - id: loyalty.bronze
    why: Loyalty-only offers start at silver
    owner: loyalty
    applies_to:
      placements:
        - home_banner
    when: customer.teir == \"bronze\" && offer.loyalty_only
";
    let mut files = files();
    files.push(Source { path: "rules/20-exclusions.yaml".into(), text: rules.into() });
    let attributes = files.iter_mut().find(|file| file.path == ATTRIBUTES).unwrap();
    attributes.text.push_str("\n  - {id: offer.loyalty_only, type: bool}\n");
    let seen = shown(&compile(&files).unwrap_err());
    insta::assert_snapshot!(seen, @r#"
    error[P0107]: rule `loyalty.bronze`: unknown attribute `customer.teir`; did you mean `customer.tier`?
      --> rules/20-exclusions.yaml:10:11
       |
    10 |     when: customer.teir == "bronze" && offer.loyalty_only
       |           ^^^^^^^^^^^^^ not in catalog/attributes.yaml
    "#);
}

#[test]
fn names_and_values_are_those_of_the_catalogue() {
    let seen = said("tier == \"gold\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0107]: rule `exclude.half.price`: unknown attribute `tier`; did you mean `customer.tier`?
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: tier == "gold"
       |           ^^^^ not in catalog/attributes.yaml
    "#);
    let seen = said("customer.tier == gold");
    insta::assert_snapshot!(seen, @r#"
    error[P0107]: rule `exclude.half.price`: unknown attribute `gold`; did you mean the text `"gold"`?
      --> rules/40-offers.yaml:13:28
       |
    13 |     when: customer.tier == gold
       |                            ^^^^ not in catalog/attributes.yaml
    "#);
    let seen = said("customer.tier == \"slver\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0305]: rule `exclude.half.price`: `customer.tier` is never `slver`; did you mean `silver`?
      --> rules/40-offers.yaml:13:28
       |
    13 |     when: customer.tier == "slver"
       |                            ^^^^^^^ not a value of it
       = help: its values are `bronze`, `silver`, `gold`
    "#);
    let seen = said("customer.tier in [\"silver\", \"glod\"] || \"north-west\" == customer.region");
    insta::assert_snapshot!(seen, @r#"
    error[P0305]: rule `exclude.half.price`: `customer.tier` is never `glod`; did you mean `gold`?
      --> rules/40-offers.yaml:13:39
       |
    13 |     when: customer.tier in ["silver", "glod"] || "north-west" == customer.region
       |                                       ^^^^^^ not a value of it
       = help: its values are `bronze`, `silver`, `gold`

    error[P0305]: rule `exclude.half.price`: `customer.region` is never `north-west`
      --> rules/40-offers.yaml:13:50
       |
    13 |     when: customer.tier in ["silver", "glod"] || "north-west" == customer.region
       |                                                  ^^^^^^^^^^^^ not a value of it
       = help: its values are `north`, `south`, `east`, `west`
    "#);
    let seen = said("customer.tier == context.device_type");
    insta::assert_snapshot!(seen, @r"
    error[P0305]: rule `exclude.half.price`: `customer.tier` and `context.device_type` have no value in common
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.tier == context.device_type
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never equal
    ");
}

#[test]
fn every_mistake_of_a_condition_is_said_at_once_on_its_own_line() {
    let seen = said(
        ">-\n      customer.teir == \"gold\" &&\n      customer.region == \"nroth\" &&\n      \
         customer.visits_90d > \"3\"",
    );
    insta::assert_snapshot!(seen, @r#"
    error[P0107]: rule `exclude.half.price`: unknown attribute `customer.teir`; did you mean `customer.tier`?
      --> rules/40-offers.yaml:14:7
       |
    14 |       customer.teir == "gold" &&
       |       ^^^^^^^^^^^^^ not in catalog/attributes.yaml

    error[P0305]: rule `exclude.half.price`: `customer.region` is never `nroth`; did you mean `north`?
      --> rules/40-offers.yaml:15:26
       |
    15 |       customer.region == "nroth" &&
       |                          ^^^^^^^ not a value of it
       = help: its values are `north`, `south`, `east`, `west`

    error[P0304]: rule `exclude.half.price`: `customer.visits_90d` is a number, and `"3"` is text
      --> rules/40-offers.yaml:16:7
       |
    16 |       customer.visits_90d > "3"
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^ not of one kind
       = help: write the number without quotes
    "#);
    let seen = said("'customer.teir == \"it''s\" && customer.region == \"nroth\"'");
    insta::assert_snapshot!(seen, @r#"
    error[P0107]: rule `exclude.half.price`: unknown attribute `customer.teir`; did you mean `customer.tier`?
      --> rules/40-offers.yaml:13:12
       |
    13 |     when: 'customer.teir == "it''s" && customer.region == "nroth"'
       |            ^^^^^^^^^^^^^ not in catalog/attributes.yaml

    error[P0305]: rule `exclude.half.price`: `customer.region` is never `nroth`; did you mean `north`?
      --> rules/40-offers.yaml:13:59
       |
    13 |     when: 'customer.teir == "it''s" && customer.region == "nroth"'
       |                                                           ^^^^^^^ not a value of it
       = help: its values are `north`, `south`, `east`, `west`
    "#);
}

#[test]
fn words_and_signs_of_other_languages_are_named_with_ours() {
    let seen = said("customer.tier = \"gold\" and not offer.price > 5 USD");
    insta::assert_snapshot!(seen, @r#"
    error[P0301]: rule `exclude.half.price`: `=` is not spelt so
      --> rules/40-offers.yaml:13:25
       |
    13 |     when: customer.tier = "gold" and not offer.price > 5 USD
       |                         ^ write `==`

    error[P0301]: rule `exclude.half.price`: `and` is not spelt so
      --> rules/40-offers.yaml:13:34
       |
    13 |     when: customer.tier = "gold" and not offer.price > 5 USD
       |                                  ^^^ write `&&`

    error[P0301]: rule `exclude.half.price`: `not` is not spelt so
      --> rules/40-offers.yaml:13:38
       |
    13 |     when: customer.tier = "gold" and not offer.price > 5 USD
       |                                      ^^^ write `!`

    error[P0304]: rule `exclude.half.price`: `!` needs true or false, `offer.price` is an amount of money
      --> rules/40-offers.yaml:13:42
       |
    13 |     when: customer.tier = "gold" and not offer.price > 5 USD
       |                                          ^^^^^^^^^^^ an amount of money
       = help: `!` binds closer than a comparison: write `!(a == b)` or `a != b`
    "#);
    let seen = said("customer.visits_90d => 3 & customer.visits_90d <> 4");
    insta::assert_snapshot!(seen, @r"
    error[P0301]: rule `exclude.half.price`: `=>` is not spelt so
      --> rules/40-offers.yaml:13:31
       |
    13 |     when: customer.visits_90d => 3 & customer.visits_90d <> 4
       |                               ^^ write `>=`

    error[P0301]: rule `exclude.half.price`: `&` is not spelt so
      --> rules/40-offers.yaml:13:36
       |
    13 |     when: customer.visits_90d => 3 & customer.visits_90d <> 4
       |                                    ^ write `&&`

    error[P0301]: rule `exclude.half.price`: `<>` is not spelt so
      --> rules/40-offers.yaml:13:58
       |
    13 |     when: customer.visits_90d => 3 & customer.visits_90d <> 4
       |                                                          ^^ write `!=`
    ");
    let seen = said("customer.tier not in [\"gold\"]");
    insta::assert_snapshot!(seen, @r#"
    error[P0301]: rule `exclude.half.price`: there is no `not in`
      --> rules/40-offers.yaml:13:25
       |
    13 |     when: customer.tier not in ["gold"]
       |                         ^^^ write `!(... in [...])`
    "#);
}

#[test]
fn what_cannot_stand_where_it_stands_is_shown_with_what_could() {
    let seen = said("2 < customer.visits_90d < 5");
    insta::assert_snapshot!(seen, @r"
    error[P0301]: rule `exclude.half.price`: comparisons do not chain
      --> rules/40-offers.yaml:13:35
       |
    13 |     when: 2 < customer.visits_90d < 5
       |                                   ^ a second comparison
       = help: write `a < b && b < c`, or parentheses
    ");
    let seen = said("(customer.visits_90d > 3");
    insta::assert_snapshot!(seen, @r"
    error[P0301]: rule `exclude.half.price`: the condition ends too early
      --> rules/40-offers.yaml:13:34
       |
    13 |     when: (customer.visits_90d > 3
       |                                  ^ expected `)` behind this
    ");
    let seen = said("customer.visits_90d >");
    insta::assert_snapshot!(seen, @r#"
    error[P0301]: rule `exclude.half.price`: the condition ends too early
      --> rules/40-offers.yaml:13:31
       |
    13 |     when: customer.visits_90d >
       |                               ^ expected a value behind this
       = help: values are written `"gold"`, `3`, `0.25`, `15%`, `5.00 USD`, `2026-03-01`, `36h`, `true`
    "#);
    let seen = said("customer.visits_90d 3");
    insta::assert_snapshot!(seen, @r"
    error[P0301]: rule `exclude.half.price`: `3` cannot stand here
      --> rules/40-offers.yaml:13:31
       |
    13 |     when: customer.visits_90d 3
       |                               ^ expected an operator or the end
       = help: operators are `&& || ! == != < <= > >= in + - *`, with parentheses and `has(...)`
    ");
    let seen = said("customer.tier in \"gold\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0301]: rule `exclude.half.price`: `"gold"` cannot stand here
      --> rules/40-offers.yaml:13:28
       |
    13 |     when: customer.tier in "gold"
       |                            ^^^^^^ expected a list such as `["silver", "gold"]`
    "#);
    let seen = said("customer.tier in []");
    insta::assert_snapshot!(seen, @r"
    error[P0301]: rule `exclude.half.price`: a list with nothing in it
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.tier in []
       |           ^^^^^^^^^^^^^^^^^^^ nothing is ever in it
       = help: name at least one value
    ");
    let seen = said("customer.tier == \"gold");
    insta::assert_snapshot!(seen, @r#"
    error[P0301]: rule `exclude.half.price`: text without an end
      --> rules/40-offers.yaml:13:28
       |
    13 |     when: customer.tier == "gold
       |                            ^^^^^ begins here
       = help: end it with `"`
    "#);
    let seen = said("''");
    insta::assert_snapshot!(seen, @r#"
    error[P0301]: rule `exclude.half.price`: an empty condition
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: ''
       |           ^^ nothing is asked
       = help: write what must hold, such as `customer.tier == "gold"`
    "#);
}

#[test]
fn what_conditions_leave_out_is_said_with_what_to_do_instead() {
    let seen = said("customer.tier.startsWith(\"g\")");
    insta::assert_snapshot!(seen, @r#"
    error[P0302]: rule `exclude.half.price`: `customer.tier.startsWith(...)`: conditions have no functions but `has`
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.tier.startsWith("g")
       |           ^^^^^^^^^^^^^^^^^^^^^^^^ no such function
       = help: let the system that sends the attribute compute it, and declare the result
    "#);
    let seen = said("customer.tier == null");
    insta::assert_snapshot!(seen, @r"
    error[P0302]: rule `exclude.half.price`: `null`: a missing value is compared with nothing
      --> rules/40-offers.yaml:13:28
       |
    13 |     when: customer.tier == null
       |                            ^^^^ not a value
       = help: ask `has(customer.tier)` for there being a value, `!has(customer.tier)` for its absence
    ");
    let seen = said("offer.discount / offer.price > 0.5");
    insta::assert_snapshot!(seen, @r"
    error[P0302]: rule `exclude.half.price`: conditions do not divide
      --> rules/40-offers.yaml:13:26
       |
    13 |     when: offer.discount / offer.price > 0.5
       |                          ^ here
       = help: multiply the other side instead: `offer.discount > offer.price * 50%`
    ");
    let seen = said("'customer.visits_90d > 3 ? true : false'");
    insta::assert_snapshot!(seen, @r"
    error[P0302]: rule `exclude.half.price`: `?`: conditions have no branches
      --> rules/40-offers.yaml:13:36
       |
    13 |     when: 'customer.visits_90d > 3 ? true : false'
       |                                    ^ here
       = help: write `a && b || !a && c`, or two rules

    error[P0302]: rule `exclude.half.price`: `:`: conditions have no branches
      --> rules/40-offers.yaml:13:43
       |
    13 |     when: 'customer.visits_90d > 3 ? true : false'
       |                                           ^ here
       = help: write `a && b || !a && c`, or two rules
    ");
    let seen = said("customer.tier[0] == \"gold\"");
    insta::assert_snapshot!(seen, @r#"
    error[P0302]: rule `exclude.half.price`: `customer.tier[`: nothing is picked out of a value
      --> rules/40-offers.yaml:13:11
       |
    13 |     when: customer.tier[0] == "gold"
       |           ^^^^^^^^^^^^^ not a list
       = help: declare what you need as an attribute of its own
    "#);
}
