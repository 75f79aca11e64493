//! Golden text of author mistakes in rules about margins and prices. Not the others.

use super::sample::{MARGIN, wrong};

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
