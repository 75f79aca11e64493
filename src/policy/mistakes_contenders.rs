//! Golden text of author mistakes in champions and challengers. Not the others.

use super::sample::{PLACEMENTS, wrong};

#[test]
fn challengers_leave_the_champion_its_part() {
    let challengers = "exploration: 0.05}\n    challengers:\n      - {id: bolder, share: 60%, strategy: {name: linucb}}\n      \
                       - {id: plain, share: 40%, strategy: {name: greedy}}";
    insta::assert_snapshot!(wrong(PLACEMENTS, "exploration: 0.05}", challengers), @r"
    error[P0215]: placement `home_banner`: the challengers have 100% of the customers together
      --> placements.yaml:11:7
       |
    11 |       - {id: bolder, share: 60%, strategy: {name: linucb}}
       |       ^ 100% and more
       = help: leave a part for the champion, which `strategy` names
    ");
}
