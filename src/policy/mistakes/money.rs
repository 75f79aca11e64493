//! Golden text of author mistakes in settings of money, and what right ones are read as. Not the others.

use crate::domain::{MoneySettings, Percent};
use crate::policy::compile;
use crate::policy::sample::{PLACEMENTS, files, shown, wrong};

/// What is read of settings added to the first placement.
fn read(objective: &str, added: &str) -> MoneySettings {
    let mut files = files();
    let file = files.iter_mut().find(|file| file.path == PLACEMENTS).unwrap();
    file.text = file.text.replacen("kind: margin", &format!("kind: {objective}"), 1);
    file.text = file.text.replacen("reservation: 10m", &format!("reservation: 10m\n    {added}"), 1);
    let bundle = compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
    bundle.placement("home_banner").unwrap().money
}

fn said(added: &str) -> String {
    wrong(PLACEMENTS, "reservation: 10m", &format!("reservation: 10m\n    {added}"))
}

#[test]
fn a_share_and_an_exploration_budget_are_read_in_the_unit_of_the_objective() {
    assert_eq!(read("margin", ""), MoneySettings::default());
    let expected = MoneySettings { cheapest: Some(Percent(9_250)), exploration_budget_micros: Some(5_025_000_000) };
    assert_eq!(read("margin", "cheapest: {share: 92.5%}\n    exploration_budget: 50.25"), expected);
    assert_eq!(read("conversion", "exploration_budget: 2.5").exploration_budget_micros, Some(2_500_000));
}

#[test]
fn mistakes_in_settings_of_money_say_the_way_out() {
    insta::assert_snapshot!(said("cheapest: {share: 0%}"), @r"
    error[P0105]: placement `home_banner`: cheapest: `0%` is out of range: expected a share above 0% and up to 100%
     --> placements.yaml:9:23
      |
    9 |     cheapest: {share: 0%}
      |                       ^^ expected a share above 0% and up to 100%
    ");
    insta::assert_snapshot!(said("cheapest: {}"), @r"
    error[P0102]: placement `home_banner`: cheapest: field `share` is missing
     --> placements.yaml:9:15
      |
    9 |     cheapest: {}
      |               ^ no `share` here
      = help: add it, such as `share: 90%`
    ");
    insta::assert_snapshot!(said("exploration_budget: -1.00"), @r"
    error[P0105]: placement `home_banner`: exploration_budget: `-1.00` is out of range: expected an amount of at least 0
     --> placements.yaml:9:25
      |
    9 |     exploration_budget: -1.00
      |                         ^^^^^ expected an amount of at least 0
    ");
    insta::assert_snapshot!(said("exploration_budget: 1.005"), @r"
    error[P0104]: placement `home_banner`: exploration_budget: `1.005` is not a decimal number with at most 2 digits behind the point, as USD has
     --> placements.yaml:9:25
      |
    9 |     exploration_budget: 1.005
      |                         ^^^^^ expected an amount such as `50.00`
    ");
    insta::assert_snapshot!(said("exploration_budget: plenty"), @r"
    error[P0104]: placement `home_banner`: exploration_budget: `plenty` is not a decimal number with at most 2 digits behind the point, as USD has
     --> placements.yaml:9:25
      |
    9 |     exploration_budget: plenty
      |                         ^^^^^^ expected an amount such as `50.00`
    ");
}
