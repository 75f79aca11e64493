//! Golden text of author mistakes in champions and challengers. Not the others.

use crate::policy::sample::{PLACEMENTS, wrong};

#[test]
fn challengers_leave_the_champion_its_part() {
    let two =
        "{id: bolder, share: 60%, strategy: {name: linucb}}\n      - {id: plain, share: 40%, strategy: {name: greedy}}";
    let challengers = format!("exploration: 0.05}}\n    challengers:\n      - {two}");
    insta::assert_snapshot!(wrong(PLACEMENTS, "exploration: 0.05}", &challengers), @r"
    error[P0215]: placement `home_banner`: the challengers have 100% of the customers together
      --> placements.yaml:11:7
       |
    11 |       - {id: bolder, share: 60%, strategy: {name: linucb}}
       |       ^ 100% and more
       = help: leave a part for the champion, which `strategy` names
    ");
}

#[test]
fn no_challenger_is_called_as_the_champion_is() {
    let challengers =
        "exploration: 0.05}\n    challengers:\n      - {id: champion, share: 6%, strategy: {name: linucb}}";
    insta::assert_snapshot!(wrong(PLACEMENTS, "exploration: 0.05}", challengers), @r"
    error[P0216]: placement `home_banner`: challenger: a challenger cannot be called `champion`
      --> placements.yaml:11:14
       |
    11 |       - {id: champion, share: 6%, strategy: {name: linucb}}
       |              ^^^^^^^^ the champion's name
       = help: reports call the strategy of the placement itself so; name this one by what it tries
    ");
}

#[test]
fn a_setting_of_another_strategy_or_outside_its_range_is_told() {
    let seen = wrong(PLACEMENTS, "name: thompson_linear,", "name: squarecb, bags: 5,");
    insta::assert_snapshot!(seen, @r"
    error[P0209]: placement `home_banner`: strategy: only bagged_linear has a number of models `bags`
     --> placements.yaml:9:38
      |
    9 |     strategy: {name: squarecb, bags: 5, half_life: 60d, exploration: 0.05}
      |                                      ^ not used
      = help: remove it, or write `name: bagged_linear`
    ");
    let seen = wrong(PLACEMENTS, "name: thompson_linear,", "name: bagged_linear, bags: 2.5,");
    insta::assert_snapshot!(seen, @r"
    error[P0105]: placement `home_banner`: strategy: `2.5` is out of range: expected a whole number from 2 to 64
     --> placements.yaml:9:43
      |
    9 |     strategy: {name: bagged_linear, bags: 2.5, half_life: 60d, exploration: 0.05}
      |                                           ^^^ expected a whole number from 2 to 64
    ");
    let seen = wrong(PLACEMENTS, "name: thompson_linear,", "name: linucb_randomised, widths: 65,");
    insta::assert_snapshot!(seen, @r"
    error[P0105]: placement `home_banner`: strategy: `65` is out of range: expected a whole number from 2 to 64
     --> placements.yaml:9:49
      |
    9 |     strategy: {name: linucb_randomised, widths: 65, half_life: 60d, exploration: 0.05}
      |                                                 ^^ expected a whole number from 2 to 64
    ");
}
