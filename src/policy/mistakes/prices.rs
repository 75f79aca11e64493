//! Golden text of author mistakes in rules about margins and prices. Not the others.

use crate::policy::sample::{ATTRIBUTES, MARGIN, files, refused, wrong};

#[test]
fn a_price_limit_is_one_thing_in_the_currency_of_its_placements() {
    let with = |rule: &str| {
        let rules = format!("price_limits:\n  - id: p\n    why: Memo\n    {rule}\nmargin_floors:");
        wrong(MARGIN, "margin_floors:", &rules)
    };
    insta::assert_snapshot!(with("owner: me"), @r"
    error[P0250]: rule `p`: what its price keeps to is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: p
      |     ^^ one of `respect`, `min_price`, `max_discount`
      = help: write `respect: advertised_price_min`, `respect: prior_price`, `min_price: 5.00 USD` or
              `max_discount: 50%`; a second limit is a rule of its own
    ");
    insta::assert_snapshot!(with("min_price: 5.00 USD\n    max_discount: 50%"), @r"
    error[P0250]: rule `p`: it keeps to `min_price` and `max_discount` at once
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: p
      |     ^^ one limit for each rule
      = help: write `respect: advertised_price_min`, `respect: prior_price`, `min_price: 5.00 USD` or
              `max_discount: 50%`; a second limit is a rule of its own
    ");
    insta::assert_snapshot!(with("respect: advertised_price"), @r"
    error[P0106]: rule `p`: unknown price `advertised_price`
     --> rules/20-margin.yaml:6:14
      |
    6 |     respect: advertised_price
      |              ^^^^^^^^^^^^^^^^ unknown price
      = help: expected one of `advertised_price_min`, `prior_price`
    ");
    insta::assert_snapshot!(with("min_price: 50%"), @r"
    error[P0104]: rule `p`: `50%` is a percent and no amount
     --> rules/20-margin.yaml:6:16
      |
    6 |     min_price: 50%
      |                ^^^ expected an amount such as `5.00 USD`
    ");
    insta::assert_snapshot!(with("min_price: 5.00 EUR"), @r"
    error[P0251]: rule `p`: the limit is in EUR but placement `home_banner` is in USD
     --> rules/20-margin.yaml:6:16
      |
    6 |     min_price: 5.00 EUR
      |                ^^^^^^^^ not in USD
      = help: write it in the currency of the placement, or name the placements of this currency in
              `applies_to: {placements: [...]}`
    ");
    insta::assert_snapshot!(with("max_discount: 5.00 EUR"), @r"
    error[P0251]: rule `p`: the limit is in EUR but placement `home_banner` is in USD
     --> rules/20-margin.yaml:6:19
      |
    6 |     max_discount: 5.00 EUR
      |                   ^^^^^^^^ not in USD
      = help: use a percent, or name the placements of this currency in `applies_to: {placements: [...]}`
    ");
    insta::assert_snapshot!(with("max_discount: 101%"), @r"
    error[P0105]: rule `p`: `101%` is out of range: expected 0% to 100%
     --> rules/20-margin.yaml:6:19
      |
    6 |     max_discount: 101%
      |                   ^^^^ expected 0% to 100%
    ");
    insta::assert_snapshot!(with("max_discount: 50%\n    on_missing: allow"), @r"
    error[P0312]: rule `p`: nothing that it reads can be allowed to be missing
     --> rules/20-margin.yaml:7:17
      |
    7 |     on_missing: allow
      |                 ^^^^^ not for this rule
      = help: among rules of this list `on_missing: allow` is for those with `respect`; remove it
    ");
    insta::assert_snapshot!(with("max_discount: 50%\n    overridable: true"), @r"
    error[P0217]: rule `p`: no override lifts a rule of `price_limits`
     --> rules/20-margin.yaml:7:18
      |
    7 |     overridable: true
      |                  ^^^^ never lifted
      = help: what protects people by law or by their own word holds whatever is overridden: remove it, or say
              `overridable: false`
    ");
}

#[test]
fn what_a_floor_is_over_is_chosen_by_name() {
    insta::assert_snapshot!(wrong(MARGIN, "min_margin: 25%", "min_margin: 25%\n    over: answr"), @r"
    error[P0106]: rule `margin.floor.beauty`: unknown sum `answr`; did you mean `answer`?
      --> rules/20-margin.yaml:12:11
       |
    12 |     over: answr
       |           ^^^^^ unknown sum
       = help: expected one of `offer`, `answer`, `basket`
    ");
}

#[test]
fn a_rule_about_personalised_prices_asks_for_something_that_may_move_them() {
    let with = |rule: &str| {
        let rules = format!("price_personalisation:\n  - id: p\n    why: Memo\n    {rule}\nmargin_floors:");
        wrong(MARGIN, "margin_floors:", &rules)
    };
    insta::assert_snapshot!(with("owner: me"), @r"
    error[P0252]: rule `p`: nothing is said about personalised prices
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: p
      |     ^^ asks for nothing
      = help: say what may move a price (`allowed: [customer.tier]`), how far (`max_spread: 20%` with
              `same_as: offer.product`), where none may be moved (`banned_in: [US-NY]`), or what is said
              beside it (`disclosure`)
    ");
    insta::assert_snapshot!(with("allowed: [customer.teir, offer.category]"), @r"
    error[P0107]: rule `p`: unknown attribute `customer.teir`; did you mean `customer.tier`?
     --> rules/20-margin.yaml:6:15
      |
    6 |     allowed: [customer.teir, offer.category]
      |               ^^^^^^^^^^^^^ not in catalog/attributes.yaml
      = help: expected a declared attribute of the customer that is neither sensitive nor protected, such as
              `customer.tier`

    error[P0253]: rule `p`: `offer.category` is of another kind
     --> rules/20-margin.yaml:6:30
      |
    6 |     allowed: [customer.teir, offer.category]
      |                              ^^^^^^^^^^^^^^ not for this
      = help: expected a declared attribute of the customer that is neither sensitive nor protected, such as
              `customer.tier`
    ");
    insta::assert_snapshot!(with("max_spread: 20%"), @r"
    error[P0102]: rule `p`: field `same_as` is missing
     --> rules/20-margin.yaml:4:5
      |
    4 |   - id: p
      |     ^^ no `same_as` here
      = help: add it, such as `same_as: offer.product`
    ");
    insta::assert_snapshot!(with("max_spread: 0%\n    same_as: offer.category"), @r"
    error[P0105]: rule `p`: `0%` is out of range: expected a share above 0% and up to 100%
     --> rules/20-margin.yaml:6:17
      |
    6 |     max_spread: 0%
      |                 ^^ expected a share above 0% and up to 100%
    ");
    insta::assert_snapshot!(with("same_as: customer.tier\n    banned_in: [usa]"), @r"
    error[P0253]: rule `p`: `customer.tier` is of another kind
     --> rules/20-margin.yaml:6:14
      |
    6 |     same_as: customer.tier
      |              ^^^^^^^^^^^^^ not for this
      = help: expected a declared attribute of offers, such as `offer.product`

    error[P0104]: rule `p`: `usa` is not a jurisdiction
     --> rules/20-margin.yaml:7:17
      |
    7 |     banned_in: [usa]
      |                 ^^^ expected `EU`, `US` or `US-NY`
      = help: expected `EU`, a country such as `US` or a region such as `US-NY`
    ");
    insta::assert_snapshot!(with("allowed: []\n    on_missing: allow"), @r"
    error[P0312]: rule `p`: nothing that it reads can be allowed to be missing
     --> rules/20-margin.yaml:7:17
      |
    7 |     on_missing: allow
      |                 ^^^^^ not for this rule
      = help: among rules of this list `on_missing: allow` is for those with `max_spread`; remove it
    ");
    let sensitive = "allowed: [customer.health]";
    let rules = format!("price_personalisation:\n  - {{id: p, why: Memo, {sensitive}}}\nmargin_floors:");
    let mut files = files();
    for file in &mut files {
        file.text = match file.path.as_str() {
            ATTRIBUTES => {
                let health = "attributes:\n  - {id: customer.health, type: text, class: sensitive, source: crm}\n";
                file.text.replacen("attributes:\n", health, 1)
            }
            MARGIN => file.text.replacen("margin_floors:", &rules, 1),
            _ => continue,
        };
    }
    insta::assert_snapshot!(refused(&files), @r"
    error[P0253]: rule `p`: `customer.health` is sensitive
     --> rules/20-margin.yaml:4:34
      |
    4 |   - {id: p, why: Memo, allowed: [customer.health]}
      |                                  ^^^^^^^^^^^^^^^ not for this
      = help: expected a declared attribute of the customer that is neither sensitive nor protected, such as
              `customer.tier`
    ");
}
