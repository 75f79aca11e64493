//! Golden text of author mistakes in files, syntax, fields, names and values. What rules mean is in the sibling file.

use crate::policy::rules::KINDS;
use crate::policy::sample::{ATTRIBUTES, BUNDLE, CAPS, CONSENT, MARGIN, PLACEMENTS, PURPOSES, added, removed, wrong};

#[test]
fn yaml_that_is_not_well_formed_is_shown_where_it_breaks() {
    let seen = wrong(MARGIN, "min_margin: 10%", "min_margin: [10%");
    insta::assert_snapshot!(seen, @r"
    error[P0001]: not well-formed YAML: illegal placement of ':' indicator
     --> rules/20-margin.yaml:8:7
      |
    8 |   - id: margin.floor.beauty
      |       ^ here
      = help: look at the indentation of this line and the one above, and at quotes and brackets left open;
              text with `: ` or ` #` inside goes into quotes
    ");
    let seen = wrong(MARGIN, "    why: Finance floor for the year, memo 112", "   why: Finance floor: memo 112");
    insta::assert_snapshot!(seen, @r"
    error[P0001]: not well-formed YAML: while parsing a block collection, did not find expected '-' indicator
     --> rules/20-margin.yaml:5:4
      |
    5 |    why: Finance floor: memo 112
      |    ^ here
      = help: look at the indentation of this line and the one above, and at quotes and brackets left open;
              text with `: ` or ` #` inside goes into quotes
    ");
    let seen = wrong(CAPS, "  - id: cap.all.week", "\t- id: cap.all.week");
    insta::assert_snapshot!(seen, @r"
    error[P0002]: a tab indents this line
      --> rules/30-caps.yaml:11:1
       |
    11 |  - id: cap.all.week
       | ^ a tab
       = help: indent with spaces, two per level
    ");
}

#[test]
fn anchors_aliases_merge_keys_tags_and_second_documents_are_refused_in_their_place() {
    let seen = wrong(MARGIN, "why: Finance floor for the year, memo 112", "why: &memo Finance floor for the year");
    insta::assert_snapshot!(seen, @r"
    error[P0003]: anchor `&memo`
     --> rules/20-margin.yaml:5:10
      |
    5 |     why: &memo Finance floor for the year
      |          ^^^^^ anchors are not allowed
      = help: write the value out wherever it counts, so that each rule can be read alone
    ");
    let seen = wrong(MARGIN, "min_margin: 25%", "min_margin: *floor");
    insta::assert_snapshot!(seen, @r"
    error[P0003]: an alias stands for a value written elsewhere
      --> rules/20-margin.yaml:11:17
       |
    11 |     min_margin: *floor
       |                 ^^^^^^ aliases are not allowed
       = help: write the value out here; text that begins with `*` goes into quotes
    ");
    let seen = wrong(MARGIN, "min_margin: 25%", "<<: {min_margin: 25%}");
    insta::assert_snapshot!(seen, @r"
    error[P0003]: merge key `<<`
      --> rules/20-margin.yaml:11:5
       |
    11 |     <<: {min_margin: 25%}
       |     ^^ merge keys are not allowed
       = help: write the fields out, so that each rule can be read alone
    ");
    let seen = wrong(MARGIN, "min_margin: 25%", "min_margin: !!str 25%");
    insta::assert_snapshot!(seen, @r"
    error[P0004]: tag `!!str`
      --> rules/20-margin.yaml:11:17
       |
    11 |     min_margin: !!str 25%
       |                 ^^^^^ tags are not allowed
       = help: remove the tag: the field says what type it holds; text that begins with `!` goes into quotes
    ");
    let seen = wrong(BUNDLE, "schema: 1", "schema: 1\n---\nname: other");
    insta::assert_snapshot!(seen, @r"
    error[P0005]: a second YAML document begins here
     --> bundle.yaml:4:1
      |
    4 | ---
      | ^^^ one document per file
      = help: remove the `---` or move what follows into a file of its own
    ");
}

#[test]
fn fields_are_known_given_once_and_of_their_type() {
    let seen = wrong(MARGIN, "min_margin: 25%", "minmargin: 25%");
    insta::assert_snapshot!(seen, @r"
    error[P0101]: rule `margin.floor.beauty`: unknown field `minmargin`; did you mean `min_margin`?
      --> rules/20-margin.yaml:11:5
       |
    11 |     minmargin: 25%
       |     ^^^^^^^^^ unknown field
       = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
               `overridable`, `min_margin`, `over`
    ");
    let seen = wrong(CAPS, "max: 40", "max: 40\n    max: 41");
    insta::assert_snapshot!(seen, @r"
    error[P0006]: field `max` is given twice
      --> rules/30-caps.yaml:15:5
       |
    15 |     max: 41
       |     ^^^ first given in line 14
       = help: keep one of them
    ");
    let seen = wrong(MARGIN, "margin_floors:", "margin_floor:");
    // Every list that there is stands in the help.
    let (said, help) = seen.split_once("\n  = help: ").unwrap();
    insta::assert_snapshot!(said, @"
    error[P0101]: rules: unknown field `margin_floor`; did you mean `margin_floors`?
     --> rules/20-margin.yaml:3:1
      |
    3 | margin_floor:
      | ^^^^^^^^^^^^ unknown field
    ");
    assert!(KINDS.iter().all(|kind| help.contains(&format!("`{}`", kind.list))), "{help}");
    let seen = wrong(CAPS, "max: 40", "max: [40]");
    insta::assert_snapshot!(seen, @r"
    error[P0103]: rule `cap.all.week`: expected a whole number, found a list
      --> rules/30-caps.yaml:14:10
       |
    14 |     max: [40]
       |          ^ this is a list
    ");
    let seen = wrong(MARGIN, "why: Finance floor for the year, memo 112", "why: 112");
    insta::assert_snapshot!(seen, @r"
    error[P0103]: rule `margin.floor.default`: expected text, found a number
     --> rules/20-margin.yaml:5:10
      |
    5 |     why: 112
      |          ^^^ this is a number
      = help: put it in quotes if it is meant as text
    ");
    let seen = wrong(PLACEMENTS, "currency: USD", "nothing_allowed: no");
    insta::assert_snapshot!(seen, @r"
    error[P0102]: placement `home_banner`: field `currency` is missing
     --> placements.yaml:3:5
      |
    3 |   - id: home_banner
      |     ^^ no `currency` here
      = help: add it, such as `currency: USD`

    error[P0115]: placement `home_banner`: `no` is not `true` or `false`
     --> placements.yaml:6:22
      |
    6 |     nothing_allowed: no
      |                      ^^ write `false`
    ");
    let seen = wrong(ATTRIBUTES, "attributes:", "attributes: many\nrest:");
    insta::assert_snapshot!(seen, @r"
    error[P0103]: attributes: expected a list, found text
     --> catalog/attributes.yaml:2:13
      |
    2 | attributes: many
      |             ^^^^ this is text

    error[P0101]: attributes: unknown field `rest`
     --> catalog/attributes.yaml:3:1
      |
    3 | rest:
      | ^^^^ unknown field
      = help: the fields here are `attributes`
    ");
    let seen = wrong(PURPOSES, "dpv: Marketing", "dpv:");
    insta::assert_snapshot!(seen, @r"
    error[P0103]: purpose `offer_contextual`: expected text, found nothing
      --> catalog/purposes.yaml:12:5
       |
    12 |     dpv:
       |     ^^^ no value given
    ");
}

#[test]
fn files_are_those_of_the_layout() {
    let seen = added("rules/40-caps.yml");
    insta::assert_snapshot!(seen, @"
    error[P0007]: a bundle has no file `rules/40-caps.yml`; did you mean `rules/40-caps.yaml`?
     --> rules/40-caps.yml
      = help: a bundle has bundle.yaml, placements.yaml, fairness.yaml, catalog/attributes.yaml,
              catalog/calendars.yaml, catalog/purposes.yaml, catalog/stores.yaml, rules/*.yaml and tests/**
    ");
    let seen = added("placement.yaml");
    insta::assert_snapshot!(seen, @"
    error[P0007]: a bundle has no file `placement.yaml`; did you mean `placements.yaml`?
     --> placement.yaml
      = help: a bundle has bundle.yaml, placements.yaml, fairness.yaml, catalog/attributes.yaml,
              catalog/calendars.yaml, catalog/purposes.yaml, catalog/stores.yaml, rules/*.yaml and tests/**
    ");
    let seen = added("bundle.yaml");
    insta::assert_snapshot!(seen, @r"
    error[P0009]: file `bundle.yaml` is given twice
     --> bundle.yaml
      = help: keep one
    ");
    let seen = removed(BUNDLE);
    insta::assert_snapshot!(seen, @r"
    error[P0008]: file `bundle.yaml` is missing
     --> bundle.yaml
      = help: add it with `name: my-shop` and `schema: 1`
    ");
}

#[test]
fn names_that_nothing_declares_come_with_the_nearest_one() {
    let seen = wrong(PLACEMENTS, "[customer.tier, customer.region", "[customer.teir, customer.region");
    insta::assert_snapshot!(seen, @r"
    error[P0107]: placement `home_banner`: unknown attribute `customer.teir`; did you mean `customer.tier`?
      --> placements.yaml:10:16
       |
    10 |     features: [customer.teir, customer.region, customer.visits_90d, context.device_type]
       |                ^^^^^^^^^^^^^ not in catalog/attributes.yaml
       = help: a feature is a declared attribute, `hour_of_day`, `day_of_week`, `weekend`, `season`,
               `holiday.us` (`gb`, `de`, `fr`, a calendar of your own), or a product such as `customer.tier *
               offer.category`
    ");
    let seen = wrong(PLACEMENTS, "purpose: offer_personalisation", "purpose: ofer_personalisation");
    insta::assert_snapshot!(seen, @r"
    error[P0109]: placement `home_banner`: unknown purpose `ofer_personalisation`; did you mean `offer_personalisation`?
     --> placements.yaml:5:14
      |
    5 |     purpose: ofer_personalisation
      |              ^^^^^^^^^^^^^^^^^^^^ not in catalog/purposes.yaml
    ");
    let seen = wrong(MARGIN, "categories: [beauty]", "categories: [beuaty]");
    insta::assert_snapshot!(seen, @r"
    error[P0110]: rule `margin.floor.beauty`: applies_to: unknown category `beuaty`; did you mean `beauty`?
      --> rules/20-margin.yaml:10:31
       |
    10 |     applies_to: {categories: [beuaty]}
       |                               ^^^^^^ not declared
       = help: categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or
               correct it here
    ");
    let seen =
        wrong(MARGIN, "applies_to: {categories: [beauty]}", "applies_to: {placements: [home_baner], channels: [wep]}");
    insta::assert_snapshot!(seen, @r"
    error[P0108]: rule `margin.floor.beauty`: applies_to: unknown placement `home_baner`; did you mean `home_banner`?
      --> rules/20-margin.yaml:10:31
       |
    10 |     applies_to: {placements: [home_baner], channels: [wep]}
       |                               ^^^^^^^^^^ not in placements.yaml

    error[P0111]: rule `margin.floor.beauty`: applies_to: unknown channel `wep`; did you mean `web`?
      --> rules/20-margin.yaml:10:55
       |
    10 |     applies_to: {placements: [home_baner], channels: [wep]}
       |                                                       ^^^ not in placements.yaml: no placement uses it
    ");
    let seen = wrong(CONSENT, "purpose: offer_personalisation", "purpose: newsletter");
    insta::assert_snapshot!(seen, @r"
    error[P0109]: rule `consent.personal`: unknown purpose `newsletter`
     --> rules/10-consent.yaml:6:14
      |
    6 |     purpose: newsletter
      |              ^^^^^^^^^^ not in catalog/purposes.yaml
    ");
    let seen = wrong(PURPOSES, "EU: [consent]", "EU: [consnet]");
    insta::assert_snapshot!(seen, @r"
    error[P0106]: purpose `offer_personalisation`: unknown lawful basis `consnet`; did you mean `consent`?
     --> catalog/purposes.yaml:6:12
      |
    6 |       EU: [consnet]
      |            ^^^^^^^ unknown lawful basis
      = help: expected one of `consent`, `legitimate_interest`, `contract`, `legal_obligation`
    ");
    let seen = wrong(PURPOSES, "fallback: offer_contextual", "fallback: contextual");
    insta::assert_snapshot!(seen, @r"
    error[P0109]: purpose `offer_personalisation`: unknown purpose `contextual`
     --> catalog/purposes.yaml:8:15
      |
    8 |     fallback: contextual
      |               ^^^^^^^^^^ not in catalog/purposes.yaml
    ");
}

#[test]
fn values_that_cannot_be_read_say_how_they_are_written() {
    let seen = wrong(MARGIN, "min_margin: 10%", "min_margin: 10");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: rule `margin.floor.default`: `10` is neither a percent nor an amount
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 10
      |                 ^^ expected `15%` or `5.00 USD`
      = help: expected a percent such as `15%` or an amount such as `5.00 USD`
    ");
    let seen = wrong(MARGIN, "min_margin: 10%", "min_margin: 5.00 USDD");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: rule `margin.floor.default`: `USDD` is not a currency
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 5.00 USDD
      |                 ^^^^^^^^^ expected `15%` or `5.00 USD`
      = help: expected an ISO 4217 code such as `USD` or `EUR`
    ");
    let seen = wrong(CAPS, "{rolling: 7d}", "{rolling: 1w}");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: rule `cap.all.week`: `1w` is not a span of time
      --> rules/30-caps.yaml:15:23
       |
    15 |     window: {rolling: 1w}
       |                       ^^ expected a span such as `24h` or `7d`
       = help: expected a whole number with `s`, `m`, `h` or `d`, such as `24h`, at most ten years
    ");
    let seen = wrong(CAPS, "{rolling: 7d}", "7d");
    insta::assert_snapshot!(seen, @r"
    error[P0103]: rule `cap.all.week`: a window says how it is counted
      --> rules/30-caps.yaml:15:13
       |
    15 |     window: 7d
       |             ^^ expected `{rolling: ...}`
       = help: write `window: {rolling: 7d}`
    ");
    let seen = wrong(PLACEMENTS, "id: home_banner\n", "id: home banner\n");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: placement `home banner`: `home banner` is not a placement id
     --> placements.yaml:3:9
      |
    3 |   - id: home banner
      |         ^^^^^^^^^^^ expected a placement id
      = help: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
    ");
    let seen = wrong(PLACEMENTS, "reward_cap: 200.00", "reward_cap: -5");
    insta::assert_snapshot!(seen, @r"
    error[P0105]: placement `home_banner`: objective: `-5` is out of range: expected an amount above zero
     --> placements.yaml:7:55
      |
    7 |     objective: {kind: margin, window: 7d, reward_cap: -5}
      |                                                       ^^ expected an amount above zero
    ");
    let seen = wrong(PURPOSES, "EU: [consent]", "Europe: [consent]");
    insta::assert_snapshot!(seen, @r"
    error[P0104]: purpose `offer_personalisation`: `Europe` is not a jurisdiction
     --> catalog/purposes.yaml:6:7
      |
    6 |       Europe: [consent]
      |       ^^^^^^ expected `EU`, `US` or `US-NY`
      = help: expected `EU`, a country such as `US` or a region such as `US-NY`
    ");
}
