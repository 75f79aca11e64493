//! Golden text of author mistakes in values, ids and what rules would do. Files and fields are in the sibling file.

use super::sample::{ATTRIBUTES, CAPS, CONSENT, MARGIN, PLACEMENTS, PURPOSES, wrong};

#[test]
fn values_that_cannot_be_read_say_how_they_are_written() {
    insta::assert_snapshot!(wrong(MARGIN, "min_margin: 10%", "min_margin: 10"), @r"
    error[P0104]: rule `margin.floor.default`: `10` is no margin: expected a percent such as `15%` or an amount such as `5.00 USD`
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 10
      |                 ^^ expected `15%` or `5.00 USD`
    ");
    insta::assert_snapshot!(wrong(MARGIN, "min_margin: 10%", "min_margin: 5.00 USDD"), @r"
    error[P0104]: rule `margin.floor.default`: `USDD` is not a currency: expected an ISO 4217 code such as `USD` or `EUR`
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 5.00 USDD
      |                 ^^^^^^^^^ expected `15%` or `5.00 USD`
    ");
    insta::assert_snapshot!(wrong(CAPS, "{rolling: 7d}", "{rolling: 1w}"), @r"
    error[P0104]: rule `cap.all.week`: `1w` is not a span of time: expected a whole number with `s`, `m`, `h` or `d`, such as `24h`, at most ten years
      --> rules/30-caps.yaml:15:23
       |
    15 |     window: {rolling: 1w}
       |                       ^^ expected a span such as `24h` or `7d`
    ");
    insta::assert_snapshot!(wrong(CAPS, "{rolling: 7d}", "7d"), @r"
    error[P0103]: rule `cap.all.week`: a window says how it is counted
      --> rules/30-caps.yaml:15:13
       |
    15 |     window: 7d
       |             ^^ expected `{rolling: ...}`
       = help: write `window: {rolling: 7d}`
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "id: home_banner\n", "id: home banner\n"), @r"
    error[P0104]: placement `home banner`: `home banner` is not a placement id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
     --> placements.yaml:3:9
      |
    3 |   - id: home banner
      |         ^^^^^^^^^^^ expected a placement id
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "reward_cap: 200.00", "reward_cap: 200.005"), @r"
    error[P0104]: placement `home_banner`: objective: `200.005` is not a decimal number with at most 2 digits behind the point, as USD has
     --> placements.yaml:7:55
      |
    7 |     objective: {kind: margin, window: 7d, reward_cap: 200.005}
      |                                                       ^^^^^^^ expected an amount such as `200.00`
    ");
    insta::assert_snapshot!(wrong(PURPOSES, "EU: [consent]", "Europe: [consent]"), @r"
    error[P0104]: purpose `offer_personalisation`: `Europe` is not a jurisdiction: expected `EU`, a country such as `US` or a region such as `US-NY`
     --> catalog/purposes.yaml:6:7
      |
    6 |       Europe: [consent]
      |       ^^^^^^ expected `EU`, `US` or `US-NY`
    ");
}

#[test]
fn ids_are_declared_once_and_both_places_are_named() {
    insta::assert_snapshot!(wrong(CAPS, "id: cap.all.week", "id: margin.floor.default"), @r"
    error[P0112]: rule `margin.floor.default` is declared twice
      --> rules/30-caps.yaml:11:9
       |
    11 |   - id: margin.floor.default
       |         ^^^^^^^^^^^^^^^^^^^^ first declared at rules/20-margin.yaml:4:9
       = help: rename one of them or remove it
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "id: home_banner_linucb", "id: home_banner"), @r"
    error[P0112]: placement `home_banner` is declared twice
      --> placements.yaml:14:9
       |
    14 |   - id: home_banner
       |         ^^^^^^^^^^^ first declared at placements.yaml:3:9
       = help: rename one of them or remove it
    ");
    insta::assert_snapshot!(wrong(ATTRIBUTES, "id: customer.region", "id: customer.tier"), @r"
    error[P0112]: attribute `customer.tier` is declared twice
      --> catalog/attributes.yaml:10:9
       |
    10 |   - id: customer.tier
       |         ^^^^^^^^^^^^^ first declared at catalog/attributes.yaml:3:9
       = help: rename one of them or remove it

    error[P0107]: placement `home_banner`: unknown attribute `customer.region`; did you mean `customer.tier`?
      --> placements.yaml:10:31
       |
    10 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                               ^^^^^^^^^^^^^^^ not in catalog/attributes.yaml
       = help: a feature is a declared attribute, `hour_of_day`, or a product such as `customer.tier * offer.category`

    error[P0107]: placement `home_banner_linucb`: unknown attribute `customer.region`; did you mean `customer.tier`?
      --> placements.yaml:21:31
       |
    21 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                               ^^^^^^^^^^^^^^^ not in catalog/attributes.yaml
       = help: a feature is a declared attribute, `hour_of_day`, or a product such as `customer.tier * offer.category`

    error[P0107]: placement `home_banner_uniform`: unknown attribute `customer.region`; did you mean `customer.tier`?
      --> placements.yaml:32:31
       |
    32 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                               ^^^^^^^^^^^^^^^ not in catalog/attributes.yaml
       = help: a feature is a declared attribute, `hour_of_day`, or a product such as `customer.tier * offer.category`
    ");
    insta::assert_snapshot!(wrong(MARGIN, "id: margin.floor.beauty", "id: proffer.beauty"), @r"
    error[P0118]: rule `proffer.beauty`: ids that begin with `proffer.` name built-in rules
     --> rules/20-margin.yaml:8:9
      |
    8 |   - id: proffer.beauty
      |         ^^^^^^^^^^^^^^ reserved
      = help: choose another id, such as one that begins with the team's name
    ");
}

#[test]
fn what_is_not_available_yet_is_said_plainly_with_what_is() {
    insta::assert_snapshot!(wrong(MARGIN, "min_margin: 25%", "min_margin: 25%\n    severity: warn"), @r"
    error[P0113]: rule `margin.floor.beauty`: `severity` is not available yet
      --> rules/20-margin.yaml:12:5
       |
    12 |     severity: warn
       |     ^^^^^^^^ not available yet
       = help: available are `id`, `why`, `owner`, `applies_to`, `min_margin`
    ");
    insta::assert_snapshot!(wrong(CAPS, "{rolling: 7d}", "{calendar: week}"), @r"
    error[P0113]: rule `cap.all.week`: window: `calendar` is not available yet
      --> rules/30-caps.yaml:15:14
       |
    15 |     window: {calendar: week}
       |              ^^^^^^^^ not available yet
       = help: available are `rolling`
    ");
    insta::assert_snapshot!(wrong(CAPS, "counts: decision", "counts: impression"), @r"
    error[P0113]: rule `cap.offer.day`: contact to count `impression` is not available yet
     --> rules/30-caps.yaml:9:13
      |
    9 |     counts: impression
      |             ^^^^^^^^^^ not available yet
      = help: available are `decision`
    ");
    insta::assert_snapshot!(wrong(CAPS, "scope: [customer]", "scope: [household]"), @r"
    error[P0113]: rule `cap.all.week`: scope `household` is not available yet
      --> rules/30-caps.yaml:13:13
       |
    13 |     scope: [household]
       |             ^^^^^^^^^ not available yet
       = help: available are `customer`, `offer`
    ");
    insta::assert_snapshot!(wrong(MARGIN, "margin_floors:", "exclusions:"), @r"
    error[P0113]: rules: `exclusions` is not available yet
     --> rules/20-margin.yaml:3:1
      |
    3 | exclusions:
      | ^^^^^^^^^^ not available yet
      = help: available are `owner`, `purpose_gates`, `margin_floors`, `frequency_caps`
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "reservation: 10m", "nothing_allowed: true\n    slots: 3\n    exposure: send"), @r"
    error[P0113]: placement `home_banner`: `nothing_allowed: true` is not available yet
     --> placements.yaml:8:22
      |
    8 |     nothing_allowed: true
      |                      ^^^^ not available yet
      = help: available are `nothing_allowed: false`

    error[P0113]: placement `home_banner`: more than one slot is not available yet
     --> placements.yaml:9:12
      |
    9 |     slots: 3
      |            ^ not available yet
      = help: available are `slots: 1`

    error[P0113]: placement `home_banner`: exposure `send` is not available yet
      --> placements.yaml:10:15
       |
    10 |     exposure: send
       |               ^^^^ not available yet
       = help: available are `decision`
    ");
}

#[test]
fn a_rule_has_a_justification_an_owner_and_a_limit_that_makes_sense() {
    insta::assert_snapshot!(wrong(MARGIN, "why: Finance floor for the year, memo 112", "why: ''"), @r"
    error[P0114]: rule `margin.floor.default`: `why` is empty
     --> rules/20-margin.yaml:5:10
      |
    5 |     why: ''
      |          ^^ the justification is required
      = help: say who asked for the rule and where that is written down: it is logged with every exclusion
    ");
    insta::assert_snapshot!(wrong(MARGIN, "owner: pricing", ""), @r"
    error[P0102]: rule `margin.floor.default`: nobody owns it
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: margin.floor.default
      |     ^^ no `owner`
      = help: add `owner: pricing` to the rule, or once at the top of the file for all its rules

    error[P0102]: rule `margin.floor.beauty`: nobody owns it
     --> rules/20-margin.yaml:8:5
      |
    8 |   - id: margin.floor.beauty
      |     ^^ no `owner`
      = help: add `owner: pricing` to the rule, or once at the top of the file for all its rules
    ");
    insta::assert_snapshot!(wrong(CAPS, "max: 2", "max: 0"), @r"
    error[P0207]: rule `cap.offer.day`: a cap of 0 would exclude everything
     --> rules/30-caps.yaml:7:10
      |
    7 |     max: 0
      |          ^ at least 1
      = help: use `max: 1` or more; to stop offers altogether, pause them in the catalogue
    ");
    insta::assert_snapshot!(wrong(MARGIN, "min_margin: 10%", "min_margin: 150%"), @r"
    error[P0105]: rule `margin.floor.default`: `150%` is out of range: expected 0% to 100%
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 150%
      |                 ^^^^ expected 0% to 100%
    ");
    insta::assert_snapshot!(wrong(MARGIN, "min_margin: 10%", "min_margin: 5.00 EUR"), @r"
    error[P0212]: rule `margin.floor.default`: the floor is in EUR but placement `home_banner` is in USD
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 5.00 EUR
      |                 ^^^^^^^^ not in USD
      = help: use a percent, or name the placements of this currency in `applies_to: {placements: [...]}`
    ");
    insta::assert_snapshot!(wrong(MARGIN, "categories: [beauty]", "categories: []"), @r"
    error[P0116]: rule `margin.floor.beauty`: applies_to: an empty list: the rule would apply nowhere; leave the list out to apply everywhere
      --> rules/20-margin.yaml:10:30
       |
    10 |     applies_to: {categories: []}
       |                              ^ nothing in it
    ");
    insta::assert_snapshot!(wrong(CAPS, "    scope: [customer]\n", ""), @r"
    error[P0102]: rule `cap.all.week`: field `scope` is missing
      --> rules/30-caps.yaml:11:5
       |
    11 |   - id: cap.all.week
       |     ^^ in these fields
       = help: add it, such as `scope: [customer, offer]`
    ");
    insta::assert_snapshot!(wrong(CONSENT, "purpose: offer_personalisation", "purpose: offer_contextual"), @r"
    error[P0211]: rule `consent.personal`: purpose `offer_contextual` lists no lawful bases, so that this gate would refuse everyone
     --> rules/10-consent.yaml:6:14
      |
    6 |     purpose: offer_contextual
      |              ^^^^^^^^^^^^^^^^ no bases
      = help: add `bases: {EU: [consent]}` to the purpose in catalog/purposes.yaml, or remove the gate
    ");
    insta::assert_snapshot!(wrong(CONSENT, "purpose: offer_personalisation", "purpose: offer_personalisation\n    applies_to: {offers: [a]}"), @r"
    error[P0213]: rule `consent.personal`: applies_to: a gate cannot be limited to offers
     --> rules/10-consent.yaml:7:26
      |
    7 |     applies_to: {offers: [a]}
      |                          ^ not for gates
      = help: a gate is asked once, before any offer is looked at; limit it by placements or channels
    ");
    insta::assert_snapshot!(wrong(PURPOSES, "dpv: Marketing", "fallback: offer_personalisation"), @r"
    error[P0210]: purpose `offer_personalisation`: its fallbacks lead back to itself
     --> catalog/purposes.yaml:8:15
      |
    8 |     fallback: offer_contextual
      |               ^^^^^^^^^^^^^^^^ leads back
      = help: let the last purpose of the chain have no fallback

    error[P0210]: purpose `offer_contextual`: its fallbacks lead back to itself
      --> catalog/purposes.yaml:12:15
       |
    12 |     fallback: offer_personalisation
       |               ^^^^^^^^^^^^^^^^^^^^^ leads back
       = help: let the last purpose of the chain have no fallback
    ");
}

#[test]
fn attributes_and_placements_stay_within_what_can_be_learned() {
    insta::assert_snapshot!(wrong(ATTRIBUTES, "    class: personal", "    class: public"), @r"
    error[P0201]: attribute `customer.tier`: an attribute of a customer is never public
     --> catalog/attributes.yaml:5:12
      |
    5 |     class: public
      |            ^^^^^^ at least `personal`
      = help: write `class: personal`, or leave the field out
    ");
    insta::assert_snapshot!(wrong(ATTRIBUTES, "    class: personal", "    class: protected"), @r"
    error[P0204]: placement `home_banner`: `customer.tier` is protected and can never be a feature
      --> placements.yaml:10:16
       |
    10 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                ^^^^^^^^^^^^^ class protected
       = help: remove it: sensitive and protected attributes must not steer what is shown

    error[P0204]: placement `home_banner_linucb`: `customer.tier` is protected and can never be a feature
      --> placements.yaml:21:16
       |
    21 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                ^^^^^^^^^^^^^ class protected
       = help: remove it: sensitive and protected attributes must not steer what is shown

    error[P0204]: placement `home_banner_uniform`: `customer.tier` is protected and can never be a feature
      --> placements.yaml:32:16
       |
    32 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                ^^^^^^^^^^^^^ class protected
       = help: remove it: sensitive and protected attributes must not steer what is shown
    ");
    insta::assert_snapshot!(wrong(ATTRIBUTES, "type: {enum: [bronze, silver, gold]}", "type: text"), @r"
    error[P0203]: placement `home_banner`: `customer.tier` is free text and cannot be a feature
      --> placements.yaml:10:16
       |
    10 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                ^^^^^^^^^^^^^ free text
       = help: declare it as `{enum: [...]}` if it has few values, or remove it

    error[P0203]: placement `home_banner_linucb`: `customer.tier` is free text and cannot be a feature
      --> placements.yaml:21:16
       |
    21 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                ^^^^^^^^^^^^^ free text
       = help: declare it as `{enum: [...]}` if it has few values, or remove it

    error[P0203]: placement `home_banner_uniform`: `customer.tier` is free text and cannot be a feature
      --> placements.yaml:32:16
       |
    32 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                ^^^^^^^^^^^^^ free text
       = help: declare it as `{enum: [...]}` if it has few values, or remove it
    ");
    insta::assert_snapshot!(wrong(ATTRIBUTES, "scale: 4", "scale: 0"), @r"
    error[P0105]: attribute `customer.visits_90d`: `0` is out of range: expected a scale above zero (0.000001 to 1e12)
      --> catalog/attributes.yaml:18:37
       |
    18 |     type: {number: {mean: 4, scale: 0}}
       |                                     ^ expected a scale above zero (0.000001 to 1e12)
    ");
    insta::assert_snapshot!(wrong(ATTRIBUTES, "type: {enum: [shoes, outdoor, home, beauty, grocery, electronics, service]}", "type: text"), @r"
    error[P0202]: attribute `offer.category`: categories are an enum of names
      --> catalog/attributes.yaml:32:11
       |
    32 |     type: text
       |           ^^^^ not a list of categories
       = help: write `type: {enum: [shoes, home]}` with letters, digits, `.`, `_`, `:` or `-`
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "half_life: 60d", "half_life: 36h"), @r"
    error[P0105]: placement `home_banner`: strategy: `36h` is out of range: expected whole days from `1d` to `365d`
     --> placements.yaml:9:50
      |
    9 |     strategy: {name: thompson_linear, half_life: 36h, exploration: 0.05}
      |                                                  ^^^ expected whole days from `1d` to `365d`
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "name: linucb, alpha: 1, half_life: 60d, exploration: 0.05", "name: linucb, exploration: 0"), @r"
    error[P0208]: placement `home_banner_linucb`: strategy: linucb needs exploration above 0
      --> placements.yaml:20:43
       |
    20 |     strategy: {name: linucb, exploration: 0}
       |                                           ^ zero
       = help: linucb alone always takes the same candidate, so that nothing could be estimated later; write `exploration: 0.05` or choose thompson_linear
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "name: thompson_linear,", "name: thompson_linear, alpha: 2,"), @r"
    error[P0209]: placement `home_banner`: strategy: only linucb has a width `alpha`
     --> placements.yaml:9:46
      |
    9 |     strategy: {name: thompson_linear, alpha: 2, half_life: 60d, exploration: 0.05}
      |                                              ^ not used
      = help: remove it, or write `name: linucb`
    ");
    insta::assert_snapshot!(wrong(PLACEMENTS, "customer.visits_90d,", "customer.tier * customer.region * hour_of_day, customer.tier,"), @r"
    error[P0206]: placement `home_banner`: feature `customer.tier * customer.region * hour_of_day` has 3 factors
      --> placements.yaml:10:48
       |
    10 |     features: [customer.tier, customer.region, customer.tier * customer.region * hour_of_day, customer.tier, context.device_type]
       |                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ at most two
       = help: multiply two at most, such as `customer.tier * offer.category`

    error[P0117]: placement `home_banner`: feature `customer.tier` appears twice
      --> placements.yaml:10:95
       |
    10 |     features: [customer.tier, customer.region, customer.tier * customer.region * hour_of_day, customer.tier, context.device_type]
       |                                                                                               ^^^^^^^^^^^^^ again
       = help: keep one of them
    ");
}
