//! Tests of settings of money in trials: what a budget for exploring leaves to it, and what the cheapest intervention
//! saves. Budgets of campaigns are tested elsewhere.

use super::*;
use crate::simulation::compare::{AtPlacement, Kind, MoneyAt};

const KIOSK: &str = include_str!("../../../tests/data/worlds/kiosk.yaml");
const DECISIONS: usize = 1_500;

/// What came of the first placement, `front`, with these settings of its own.
fn front(settings: &str, strategy: &str) -> AtPlacement {
    let text = KIOSK.replacen("{id: front}", &format!("{{id: front{settings}}}"), 1);
    let read = Settings::read(Kind::World, Some(strategy), Some("publish=5m,exploration=0.2")).unwrap();
    let trial = Trial::prepare(World::parse(&text).unwrap(), &read, DECISIONS, None).unwrap();
    let summary = summarise(&trial, &read, &[trial.round(1, &mut || ()).unwrap()]);
    let [strategy] = summary.strategies.as_slice() else { panic!("one strategy") };
    assert_eq!(strategy.placements[1].money, None, "the till sets nothing");
    strategy.placements[0].clone()
}

fn money(settings: &str, strategy: &str) -> MoneyAt {
    front(settings, strategy).money.unwrap()
}

#[test]
fn a_budget_for_exploring_is_spent_and_little_more_than_that() {
    for strategy in ["thompson_linear", "epsilon_greedy", "uniform"] {
        let free = money(", exploration_budget: 1000.00", strategy);
        let tight = money(", exploration_budget: 2.00", strategy);
        let none = money(", exploration_budget: 0", strategy);
        // What is decided within five minutes of the end adds to it: one decision or two, of at most 6.00.
        assert!(free.explored_a_day > 4.0 && tight.explored_most < 14.0, "{strategy}: {free:?} {tight:?}");
        assert!(tight.explored_a_day < 0.7 * free.explored_a_day, "{strategy}: {free:?} {tight:?}");
        assert!((free.over, none.over) == (0.0, 1.0) && tight.over > 0.1, "{strategy}: {free:?} {tight:?} {none:?}");
        assert_eq!((none.explored_most, none.reached), (0.0, None), "{strategy}");
    }
}

#[test]
fn the_cheapest_that_reaches_the_share_is_taken_and_costs_less() {
    let discounted = "offer_id: tea, discount: {amount: '1', currency: USD},";
    let text = KIOSK.replacen("offer_id: tea,", discounted, 1);
    let of = |share: &str| {
        let text = text.replacen("{id: front}", &format!("{{id: front, cheapest: {{share: {share}}}}}"), 1);
        let read = Settings::read(Kind::World, Some("thompson_linear"), Some("publish=1h")).unwrap();
        let trial = Trial::prepare(World::parse(&text).unwrap(), &read, DECISIONS, None).unwrap();
        summarise(&trial, &read, &[trial.round(1, &mut || ()).unwrap()]).strategies[0].placements[0].money.unwrap()
    };
    let (best, half) = (of("100%"), of("40%"));
    assert_eq!(best.reached, Some(1.0));
    let reached = half.reached.unwrap();
    assert!((0.4..0.995).contains(&reached), "{half:?}");
    assert!(half.intervention < 0.5 * best.intervention, "{half:?} {best:?}");
}

#[test]
fn a_placement_that_sets_nothing_plays_as_before() {
    let with = |settings: &str| {
        let text = KIOSK.replacen("{id: till,", &format!("{{id: till{settings},"), 1);
        let read = Settings::read(Kind::World, Some("linucb"), Some("publish=1h")).unwrap();
        let trial = Trial::prepare(World::parse(&text).unwrap(), &read, 500, None).unwrap();
        let round = trial.round(1, &mut || ()).unwrap();
        let front: Vec<_> = round.facts.placements.iter().map(|at| *at == 0).collect();
        round.plays[0].rewards.iter().zip(front).filter(|(_, front)| *front).map(|(reward, _)| *reward).collect()
    };
    let (plain, beside): (Vec<_>, Vec<_>) = (with(""), with(", exploration_budget: 0"));
    assert_eq!(plain, beside, "placements learn apart");
}
