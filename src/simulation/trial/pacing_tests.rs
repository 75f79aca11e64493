//! Tests of budgets in trials: what is spent follows the plan, and earns more than what is spent at once. The rest of
//! trials is tested elsewhere.

use super::course::Course;
use super::learner::Learner;
use super::play::play_with;
use super::*;
use crate::domain::{SpendKey, Timestamp};
use crate::simulation::compare::{Kind, float};

const KIOSK: &str = include_str!("../../../tests/data/worlds/kiosk.yaml");
const DECISIONS: usize = 3_000;
const DAYS: i32 = 20;
const BUDGET: i64 = 200_000;

/// The kiosk with a deal that everybody likes best, gold customers by far: its budget lasts for a quarter of them all.
fn world(dates: &str) -> String {
    let campaign = format!(
        "campaigns: [{{campaign_id: sale, owner: kiosk, {dates} budget: {{amount: '2000.00', currency: USD}}}}]\n\
         offers:"
    );
    let deal = "
  - offer: {offer_id: deal, campaign: sale, price: {amount: '10', currency: USD}, discount: {amount: '4', currency: USD}, \
                cost_of_goods: {amount: '2', currency: USD}, variants: [{variant_id: a}]}
    response: {base: 0.1, effects: {customer.tier: {by_name: {gold: 1.9}}}}
";
    KIOSK.replacen("offers:", &campaign, 1).trim_end().to_owned() + deal
}

struct Found {
    /// Spent by the end of each day, in minor units.
    spent: Vec<i64>,
    /// Mean worth of a decision.
    mean: f64,
}

fn played(dates: &str, strategy: &str, seed: u64) -> Found {
    let settings = Settings::read(Kind::World, Some(strategy), Some("publish=5m")).unwrap();
    let trial = Trial::prepare(World::parse(&world(dates)).unwrap(), &settings, DECISIONS, None).unwrap();
    let course = Course::walk(&trial, seed);
    let mut learner = Learner::new(&trial.placements[0], &trial.catalogue);
    let played = play_with(&trial, &mut learner, &course, seed, &mut || ()).unwrap();
    learner.hear(Timestamp(i64::MAX));
    let first = trial.world.calendar.start.day();
    let upto = |day: i32| -> i64 {
        let of =
            learner.spent.iter().filter(|(key, _)| matches!(key, SpendKey::Campaign(_, at) if at.0 <= first.0 + day));
        of.map(|(_, amount)| amount).sum()
    };
    let mean = played.rewards.iter().flatten().sum::<f64>() / float(DECISIONS);
    Found { spent: (0..DAYS).map(upto).collect(), mean }
}

const PACED: &str = "starts_at: '2026-03-02T00:00:00Z', ends_at: '2026-03-22T00:00:00Z',";

#[test]
fn what_is_spent_follows_the_plan_and_earns_more_than_what_is_spent_at_once() {
    let (mut gains, mut told) = (Vec::new(), String::new());
    let (mut furthest, mut latest) = (0, 0);
    for seed in 1..=3 {
        let (paced, unpaced) = (played(PACED, "thompson_linear", seed), played("", "thompson_linear", seed));
        let off = |(day, spent): (i64, &i64)| (spent - BUDGET * (day + 1) / i64::from(DAYS)).abs();
        furthest = (0..).zip(&paced.spent).map(off).fold(furthest, i64::max);
        let gone = unpaced.spent.iter().position(|spent| *spent >= BUDGET * 95 / 100);
        latest = gone.map_or(usize::MAX, |day| day.max(latest));
        gains.push(paced.mean - unpaced.mean);
        told = format!("{told}\n{:?} {:?} {} {}", paced.spent, unpaced.spent, paced.mean, unpaced.mean);
    }
    let told = format!("{furthest} off the plan, {latest} {gains:?}{told}");
    assert!(furthest <= BUDGET / 20, "on every day within 5 % of the budget: {told}");
    assert!(latest < 12, "unpaced it is gone after little more than half of the time: {told}");
    assert!(gains.iter().all(|gain| *gain > 0.0), "{told}");
}
