//! Golden text of author mistakes in ids, in parts not available yet and in what rules would do. Not the others.

use crate::policy::rules::{KINDS, LATER};
use crate::policy::sample::{ATTRIBUTES, CAPS, CONSENT, MARGIN, PLACEMENTS, PURPOSES, wrong};

#[test]
fn ids_are_declared_once_and_both_places_are_named() {
    let seen = wrong(CAPS, "id: cap.all.week", "id: margin.floor.default");
    insta::assert_snapshot!(seen, @r"
    error[P0112]: rule `margin.floor.default` is declared twice
      --> rules/30-caps.yaml:11:9
       |
    11 |   - id: margin.floor.default
       |         ^^^^^^^^^^^^^^^^^^^^ first declared at rules/20-margin.yaml:4:9
       = help: rename one of them or remove it
    ");
    let seen = wrong(PLACEMENTS, "id: home_banner_linucb", "id: home_banner");
    insta::assert_snapshot!(seen, @r"
    error[P0112]: placement `home_banner` is declared twice
      --> placements.yaml:14:9
       |
    14 |   - id: home_banner
       |         ^^^^^^^^^^^ first declared at placements.yaml:3:9
       = help: rename one of them or remove it
    ");
    let seen = wrong(ATTRIBUTES, "id: customer.region", "id: customer.tier");
    insta::assert_snapshot!(seen, @r"
    error[P0112]: attribute `customer.tier` is declared twice
      --> catalog/attributes.yaml:10:9
       |
    10 |   - id: customer.tier
       |         ^^^^^^^^^^^^^ first declared at catalog/attributes.yaml:3:9
       = help: rename one of them or remove it
    ");
    let seen = wrong(MARGIN, "id: margin.floor.beauty", "id: proffer.beauty");
    insta::assert_snapshot!(seen, @r"
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
    // Every list that there is, from the table of kinds, as one line.
    let lists: Vec<&str> = std::iter::once("owner").chain(KINDS.iter().map(|kind| kind.list)).collect();
    let available = format!("available now: `{}`", lists.join("`, `"));
    for (list, _) in LATER {
        let seen = wrong(MARGIN, "margin_floors:", &format!("{list}:"));
        let seen = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(seen.starts_with(&format!("error[P0113]: rules: `{list}` is not available yet")), "{seen}");
        assert!(seen.ends_with(&available), "{seen}");
    }
    let seen = wrong(PLACEMENTS, "reservation: 10m", "exposure: send");
    insta::assert_snapshot!(seen, @r"
    error[P0113]: placement `home_banner`: exposure `send` is not available yet
     --> placements.yaml:8:15
      |
    8 |     exposure: send
      |               ^^^^ not available yet
      = help: available now: `decision`, `impression`
    ");
}

#[test]
fn a_rule_has_a_justification_an_owner_and_a_limit_that_makes_sense() {
    let seen = wrong(MARGIN, "why: Finance floor for the year, memo 112", "why: ''");
    insta::assert_snapshot!(seen, @r"
    error[P0114]: rule `margin.floor.default`: `why` is empty
     --> rules/20-margin.yaml:5:10
      |
    5 |     why: ''
      |          ^^ the justification is required
      = help: say who asked for the rule and where that is written down: it is logged with every exclusion
    ");
    let seen = wrong(MARGIN, "owner: pricing", "");
    insta::assert_snapshot!(seen, @r"
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
    let seen = wrong(CAPS, "max: 2", "max: 0");
    insta::assert_snapshot!(seen, @r"
    error[P0207]: rule `cap.offer.day`: a cap of 0 would exclude everything
     --> rules/30-caps.yaml:7:10
      |
    7 |     max: 0
      |          ^ at least 1
      = help: use `max: 1` or more; to stop offers altogether, pause them in the catalogue
    ");
    let seen = wrong(MARGIN, "min_margin: 10%", "min_margin: 150%");
    insta::assert_snapshot!(seen, @r"
    error[P0105]: rule `margin.floor.default`: `150%` is out of range: expected 0% to 100%
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 150%
      |                 ^^^^ expected 0% to 100%
    ");
    let seen = wrong(MARGIN, "min_margin: 10%", "min_margin: 5.00 EUR");
    insta::assert_snapshot!(seen, @r"
    error[P0212]: rule `margin.floor.default`: the floor is in EUR but placement `home_banner` is in USD
     --> rules/20-margin.yaml:6:17
      |
    6 |     min_margin: 5.00 EUR
      |                 ^^^^^^^^ not in USD
      = help: use a percent, or name the placements of this currency in `applies_to: {placements: [...]}`
    ");
    let seen = wrong(MARGIN, "categories: [beauty]", "categories: []");
    insta::assert_snapshot!(seen, @r"
    error[P0116]: rule `margin.floor.beauty`: applies_to: an empty list
      --> rules/20-margin.yaml:10:30
       |
    10 |     applies_to: {categories: []}
       |                              ^ nothing in it
       = help: the rule would apply nowhere; leave the list out to apply everywhere
    ");
}

#[test]
fn a_rule_names_what_it_covers_and_a_purpose_leads_somewhere() {
    let seen = wrong(CAPS, "    scope: [customer]\n", "");
    insta::assert_snapshot!(seen, @r"
    error[P0102]: rule `cap.all.week`: field `scope` is missing
      --> rules/30-caps.yaml:11:5
       |
    11 |   - id: cap.all.week
       |     ^^ no `scope` here
       = help: add it, such as `scope: [customer, offer]`
    ");
    let seen = wrong(CONSENT, "purpose: offer_personalisation", "purpose: offer_contextual");
    insta::assert_snapshot!(seen, @r"
    error[P0211]: rule `consent.personal`: purpose `offer_contextual` lists no lawful bases
     --> rules/10-consent.yaml:6:14
      |
    6 |     purpose: offer_contextual
      |              ^^^^^^^^^^^^^^^^ no bases
      = help: such a gate would refuse everyone: add `bases: {EU: [consent]}` to the purpose in
              catalog/purposes.yaml, or remove the gate
    ");
    let seen = wrong(
        CONSENT,
        "purpose: offer_personalisation",
        "purpose: offer_personalisation\n    applies_to: {offers: [a]}",
    );
    insta::assert_snapshot!(seen, @r"
    error[P0213]: rule `consent.personal`: applies_to: a gate cannot be limited to offers
     --> rules/10-consent.yaml:7:26
      |
    7 |     applies_to: {offers: [a]}
      |                          ^ not for gates
      = help: a gate is asked once, before any offer is looked at; limit it by placements or channels
    ");
    let seen = wrong(PURPOSES, "dpv: Marketing", "fallback: offer_personalisation");
    insta::assert_snapshot!(seen, @r"
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
    let seen = wrong(ATTRIBUTES, "    class: personal", "    class: public");
    insta::assert_snapshot!(seen, @r"
    error[P0201]: attribute `customer.tier`: an attribute of a customer is never public
     --> catalog/attributes.yaml:5:12
      |
    5 |     class: public
      |            ^^^^^^ at least `personal`
      = help: write `class: personal`, or leave the field out
    ");
    let seen = wrong(ATTRIBUTES, "    class: personal", "    class: protected");
    insta::assert_snapshot!(seen, @r"
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

    error[P0272]: rule `loyalty.early.access`: tier: `customer.tier` is protected: no rule but a guard may read it
     --> rules/60-loyalty.yaml:7:11
      |
    7 |     tier: silver
      |           ^^^^^^ class protected
      = help: remove it: what the law protects must not decide who is shown what; `audience_guards` may keep
              an offer from those whom it protects
    ");
    let seen = wrong(ATTRIBUTES, "type: {enum: [bronze, silver, gold]}", "type: text");
    insta::assert_snapshot!(seen, @r"
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

    error[P0322]: rule `loyalty.early.access`: tier: `customer.tier` does not tell a tier: expected an enum of tiers, the lowest first
     --> rules/60-loyalty.yaml:7:11
      |
    7 |     tier: silver
      |           ^^^^^^ free text
      = help: name an attribute of the customer that is declared with `type: {enum: [bronze, silver, gold]}`
    ");
    let seen = wrong(ATTRIBUTES, "scale: 4", "scale: 0");
    insta::assert_snapshot!(seen, @r"
    error[P0105]: attribute `customer.visits_90d`: `0` is out of range: expected a scale above zero (0.000001 to 1e12)
      --> catalog/attributes.yaml:18:37
       |
    18 |     type: {number: {mean: 4, scale: 0}}
       |                                     ^ expected a scale above zero (0.000001 to 1e12)
    ");
    let seen =
        wrong(ATTRIBUTES, "type: {enum: [shoes, outdoor, home, beauty, grocery, electronics, service]}", "type: text");
    insta::assert_snapshot!(seen, @r"
    error[P0202]: attribute `offer.category`: categories are an enum of names
      --> catalog/attributes.yaml:32:11
       |
    32 |     type: text
       |           ^^^^ not a list of categories
       = help: write `type: {enum: [shoes, home]}` with letters, digits, `.`, `_`, `:` or `-`
    ");
}

#[test]
fn a_strategy_learns_from_declared_features_within_its_bounds() {
    let seen = wrong(PLACEMENTS, "half_life: 60d", "half_life: 36h");
    insta::assert_snapshot!(seen, @r"
    error[P0105]: placement `home_banner`: strategy: `36h` is out of range: expected whole days from `1d` to `365d`
     --> placements.yaml:9:50
      |
    9 |     strategy: {name: thompson_linear, half_life: 36h, exploration: 0.05}
      |                                                  ^^^ expected whole days from `1d` to `365d`
    ");
    let seen =
        wrong(PLACEMENTS, "name: linucb, alpha: 1, half_life: 60d, exploration: 0.05", "name: linucb, exploration: 0");
    insta::assert_snapshot!(seen, @r"
    error[P0208]: placement `home_banner_linucb`: strategy: linucb needs exploration above 0
      --> placements.yaml:20:43
       |
    20 |     strategy: {name: linucb, exploration: 0}
       |                                           ^ zero
       = help: linucb alone always takes the same candidate, so that nothing could be estimated later; write
               `exploration: 0.05` or choose thompson_linear
    ");
    let seen = wrong(
        PLACEMENTS,
        "name: linucb, alpha: 1, half_life: 60d, exploration: 0.05",
        "name: epsilon_greedy, exploration: 0",
    );
    insta::assert_snapshot!(seen, @r"
    error[P0208]: placement `home_banner_linucb`: strategy: epsilon_greedy needs exploration above 0
      --> placements.yaml:20:51
       |
    20 |     strategy: {name: epsilon_greedy, exploration: 0}
       |                                                   ^ zero
       = help: epsilon_greedy alone always takes the same candidate, so that nothing could be estimated later;
               write `exploration: 0.05` or choose greedy
    ");
    let seen = wrong(PLACEMENTS, "name: thompson_linear,", "name: thompson_betta,");
    insta::assert_snapshot!(seen, @r"
    error[P0106]: placement `home_banner`: strategy: unknown strategy `thompson_betta`; did you mean `thompson_beta`?
     --> placements.yaml:9:22
      |
    9 |     strategy: {name: thompson_betta, half_life: 60d, exploration: 0.05}
      |                      ^^^^^^^^^^^^^^ unknown strategy
      = help: expected one of `thompson_linear`, `thompson_logistic`, `thompson_beta`, `linucb`,
              `linucb_hybrid`, `linucb_randomised`, `squarecb`, `bagged_linear`, `greedy`, `epsilon_greedy`,
              `uniform`
    ");
    let seen = wrong(PLACEMENTS, "name: thompson_linear,", "name: thompson_linear, alpha: 2,");
    insta::assert_snapshot!(seen, @r"
    error[P0209]: placement `home_banner`: strategy: only linucb and linucb_hybrid have a width `alpha`
     --> placements.yaml:9:46
      |
    9 |     strategy: {name: thompson_linear, alpha: 2, half_life: 60d, exploration: 0.05}
      |                                              ^ not used
      = help: remove it, or write `name: linucb`
    ");
    let seen = wrong(PLACEMENTS, "customer.visits_90d, context.device_type]", "customer.tier]");
    insta::assert_snapshot!(seen, @r"
    error[P0117]: placement `home_banner`: feature `customer.tier` appears twice
      --> placements.yaml:10:48
       |
    10 |     features: [customer.tier, customer.region, customer.tier]
       |                                                ^^^^^^^^^^^^^ again
       = help: keep one of them
    ");
    let seen = wrong(
        PLACEMENTS,
        "customer.region, customer.visits_90d, context.device_type]",
        "customer.tier * customer.region * hour_of_day]",
    );
    insta::assert_snapshot!(seen, @r"
    error[P0206]: placement `home_banner`: feature `customer.tier * customer.region * hour_of_day` has 3 factors
      --> placements.yaml:10:31
       |
    10 |     features: [customer.tier, customer.tier * customer.region * hour_of_day]
       |                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ at most two
       = help: multiply two at most, such as `customer.tier * offer.category`
    ");
}

#[test]
fn features_have_a_bounded_number_of_dimensions() {
    let names: Vec<String> = (0..505).map(|name| format!("n{name}")).collect();
    let wide = format!("enum: [{}]", names.join(", "));
    let seen = wrong(ATTRIBUTES, "enum: [bronze, silver, gold]", &wide);
    insta::assert_snapshot!(seen, @r"
    error[P0205]: placement `home_banner`: with this feature there are 514 dimensions: at most 512 are allowed
      --> placements.yaml:10:69
       |
    10 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                                                                     ^^^^^^^^^^^^^^^^^^^ 3 dimensions
       = help: leave a product or an enum with many names out; each name is a dimension, and products multiply

    error[P0205]: placement `home_banner_linucb`: with this feature there are 514 dimensions: at most 512 are allowed
      --> placements.yaml:21:69
       |
    21 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                                                                     ^^^^^^^^^^^^^^^^^^^ 3 dimensions
       = help: leave a product or an enum with many names out; each name is a dimension, and products multiply

    error[P0205]: placement `home_banner_uniform`: with this feature there are 514 dimensions: at most 512 are allowed
      --> placements.yaml:32:69
       |
    32 |     features: [customer.tier, customer.region, customer.visits_90d, context.device_type]
       |                                                                     ^^^^^^^^^^^^^^^^^^^ 3 dimensions
       = help: leave a product or an enum with many names out; each name is a dimension, and products multiply

    error[P0305]: rule `loyalty.early.access`: tier: `silver` is not a value of `customer.tier`
     --> rules/60-loyalty.yaml:7:11
      |
    7 |     tier: silver
      |           ^^^^^^ no such value
      = help: from the lowest they are `n0`, `n1`, `n2`, `n3`, `n4`, `n5`, `n6`, `n7`, `n8`, `n9`, `n10`,
              `n11` and more
    ");
}

#[test]
fn every_code_is_shown_by_some_mistake() {
    let shown = [
        include_str!("consent.rs"),
        include_str!("contenders.rs"),
        include_str!("delay.rs"),
        include_str!("form.rs"),
        include_str!("meaning.rs"),
        include_str!("prices.rs"),
        include_str!("conditions.rs"),
        include_str!("validity.rs"),
        include_str!("in_tests.rs"),
        include_str!("values.rs"),
        include_str!("everyday.rs"),
        include_str!("switches.rs"),
        include_str!("fairness.rs"),
        include_str!("measures.rs"),
        include_str!("pools.rs"),
        include_str!("../declared/calendars.rs"),
        include_str!("../declared/stores.rs"),
        include_str!("../kinds/cool_downs_tests.rs"),
        include_str!("../kinds/caps/scope_tests.rs"),
    ]
    .concat();
    for (code, meaning) in crate::policy::codes::CODES {
        // No file can be written out here that holds 65,536 rules.
        if *code != crate::policy::codes::RULES_MANY {
            assert!(shown.contains(&format!("error[{code}]")), "{code}: {meaning}");
        }
    }
}
