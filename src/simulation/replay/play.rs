//! One play: every event of a file decided by one strategy with one seed, learning from its own choices only, at once.
//! Compares nothing.
//!
//! Rewards of any size are learned as a share of their range. An arm's margin is the width of the range and its cost
//! the range's low end with its sign turned, so that scores are in the unit of the rewards:
//! `y = (high - low) theta - (-low)`. A reward between the ends is learned as two increments: its exposure, accepted 0,
//! and then no exposure, accepted 1, at the rounded share of its exposure's weight. So `sum w r x` is exact to half a
//! 2^-16th of a decision, and integers stay integers. `sum w r^2` is taken to be `sum w r`, which is its upper bound:
//! for rewards strictly between the ends the noise variance is judged too large, never too small.

use super::prepare::{Known, Range, Replay, Step};
use crate::bandit::draw::{self, DrawPurpose};
use crate::bandit::{self, Candidate, Features, Increment, Inputs, InvalidDistribution, Lineup, ModelView};
use crate::domain::key::GeneratorKey;
use crate::domain::{Day, Placement, Strategy};
use crate::simulation::chance;
use crate::simulation::compare::Played;

/// A distribution that nothing may be drawn from. The service would have served the house content.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{strategy}` with seed {seed} cannot decide event {event}: {why}")]
pub struct PlayError {
    /// Whose.
    pub strategy: String,
    /// In which play.
    pub seed: u64,
    /// Counted from 1.
    pub event: usize,
    /// What is wrong with it.
    pub why: InvalidDistribution,
}

/// Plays all events in their order. The seed changes nothing but the numbers drawn, which are the same for every
/// strategy, so that strategies are compared on equal luck. `progress` is told of every event.
pub fn play(
    replay: &Replay,
    placement: &Placement,
    seed: u64,
    progress: &mut dyn FnMut(),
) -> Result<Played, PlayError> {
    let mut learner = Learner::new(placement, replay, seed);
    let mut played = Played::default();
    for (event, step) in (1..).zip(&replay.steps) {
        let invalid = |why| PlayError { strategy: placement.champion.strategy.name().to_owned(), seed, event, why };
        let picked = learner.decide(step, &step.features).map_err(invalid)?;
        let reward = earned(step, picked);
        if let Some(reward) = reward {
            learner.learn(picked, step, reward);
        }
        played.rewards.push(reward);
        progress();
    }
    played.alarms = learner.alarms;
    Ok(played)
}

/// The reward of what was picked, where the file knows it.
pub fn earned(step: &Step, picked: usize) -> Option<f64> {
    match &step.known {
        Known::All(rewards) => rewards.get(picked).copied(),
        Known::Logged { at, reward } => (*at == picked).then_some(*reward),
    }
}

/// The arms of one play: integers, and what was derived from them last; and the numbers its decisions draw.
#[derive(Debug)]
pub struct Learner<'a> {
    placement: &'a Placement,
    range: Range,
    generator: GeneratorKey,
    lineup: Lineup,
    view: ModelView,
    /// Whether something was learned since.
    changed: bool,
    alarms: usize,
}

impl<'a> Learner<'a> {
    /// One that has learned nothing.
    pub fn new(placement: &'a Placement, replay: &Replay, seed: u64) -> Self {
        let generator = GeneratorKey { period: 1, key: chance::key(seed, "replay", 0) };
        let lineup = Lineup::of_offers(replay.offers.len());
        let view = ModelView::prior(placement, &placement.champion);
        Self { placement, range: replay.range, generator, lineup, view, changed: false, alarms: 0 }
    }

    /// The position among a step's candidates of what is drawn for these features, which are the step's own.
    pub fn decide(&mut self, step: &Step, features: &Features) -> Result<usize, InvalidDistribution> {
        let (width, low, x) = (self.range.width(), self.range.low, features.to_f64());
        let view = self.view_on(step.day);
        let candidate = |at: &usize| Candidate { at: *at, margin: width, cost: -low };
        let candidates: Vec<Candidate> = step.candidates.iter().map(candidate).collect();
        let arms = view.arms(&candidates, Inputs::Shared(&x));
        let exploration = view.contender().exploration;
        let p = bandit::explore(&view.distribution(&view.scores(&arms), false), exploration);
        bandit::check(&p, exploration)?;
        let u = draw::uniform(&self.generator, "replay", &step.decision, 0, DrawPurpose::Served);
        draw::pick(&p, u).ok_or(InvalidDistribution::Empty)
    }

    /// What the strategy sees on a day: what was learned since is derived now.
    pub fn view_on(&mut self, day: Day) -> &ModelView {
        // Without decay no day differs from another.
        let day = self.placement.half_life_days.map_or(Day(0), |_| day);
        if self.changed || self.view.day() != day {
            let (placement, version) = (self.placement, self.view.version);
            let before = Some(&self.view);
            let view = ModelView::derive(version, placement, &placement.champion, self.lineup.clone(), day, before);
            self.alarms += view.alarms.len();
            (self.view, self.changed) = (view, false);
        }
        &self.view
    }

    /// Takes in what the candidate at this position earned.
    pub fn learn(&mut self, picked: usize, step: &Step, reward: f64) {
        // Uniform reads no posterior, so that its play needs none.
        if self.placement.champion.strategy == Strategy::Uniform {
            return;
        }
        let arm = step.candidates.get(picked);
        let Some(statistics) = arm.and_then(|arm| self.lineup.get_mut(*arm)) else { return };
        let share = self.range.share(reward);
        let bags = bandit::multiplicities(&step.decision, 0, self.placement.bags());
        for increment in increments(&step.features, step.day, self.placement.half_life_days, share) {
            statistics.apply(&Increment { bags: bags.clone(), ..increment });
        }
        self.changed = true;
    }
}

/// What a decision with this share of the range changes: one increment at the range's ends, two between them.
fn increments(features: &Features, day: Day, half_life_days: Option<u32>, share: f64) -> Vec<Increment> {
    let (generation, weight) = bandit::generation_and_weight(day, half_life_days);
    let of = |weight: i64, exposure: i8, accepted: i8| Increment {
        generation,
        weight,
        features: features.clone(),
        exposure,
        accepted,
        reward: 0,
        reward_squared: 0,
        matured: None,
        value: 0,
        bags: Vec::new(),
    };
    if share >= 1.0 {
        return vec![of(weight, 1, 1)];
    }
    #[expect(clippy::cast_precision_loss, reason = "weights are at most 2^40")]
    #[expect(clippy::cast_possible_truncation, reason = "a share of a weight")]
    let part = libm::round(weight as f64 * share) as i64;
    if part == 0 { vec![of(weight, 1, 0)] } else { vec![of(weight, 1, 0), of(part, 0, 1)] }
}

#[cfg(test)]
mod tests {
    use super::super::feedback::{parse_offers, read};
    use super::*;
    use crate::bandit::ArmStatistics;
    use crate::simulation::compare::{Kind, Settings};

    /// Two offers: `a` earns 5 in town x and -35 in town y, `b` earns nothing.
    fn towns(events: usize) -> Replay {
        let offers = parse_offers(r#"[{"offer_id":"a"},{"offer_id":"b"}]"#).unwrap();
        let line = |n: usize| {
            let (town, a) = if n.is_multiple_of(3) { ("y", -35) } else { ("x", 5) };
            let at = crate::domain::Timestamp(1_500_000_000_000 + i64::try_from(n).unwrap() * 3_600_000);
            serde_json::json!({
                "id": format!("e{n}"), "at": at, "customer_id": "c", "context": {"town": town},
                "rewards": {"a": a, "b": 0},
            })
        };
        let text: String = (0..events).map(|n| line(n).to_string() + "\n").collect();
        let settings = Settings::read(Kind::File, None, Some("half_life=30d,exploration=0.02,prior=none")).unwrap();
        Replay::prepare(read(&text, &offers).unwrap(), &offers, &settings, None).unwrap()
    }

    fn placement<'a>(replay: &'a Replay, name: &str) -> &'a Placement {
        replay.placements.iter().find(|placement| placement.champion.strategy.name() == name).unwrap()
    }

    fn mean(replay: &Replay, name: &str, seed: u64) -> f64 {
        let played = play(replay, placement(replay, name), seed, &mut || ()).unwrap();
        let half = &played.rewards[played.rewards.len() / 2..];
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let mean = half.iter().flatten().sum::<f64>() / half.len() as f64;
        mean
    }

    #[test]
    fn what_pays_in_one_town_and_ruins_in_another_is_learned_in_the_unit_of_the_rewards() {
        let replay = towns(600);
        assert_eq!(replay.range, Range { low: -35.0, high: 5.0, declared: false });
        for seed in 1..=3 {
            assert!((mean(&replay, "uniform", seed) - (-4.17)).abs() < 2.0, "a half of 5 or -35 at 2 to 1");
            // Of the most that can be had, 3.33; exploration alone costs 0.07.
            assert!(mean(&replay, "thompson_linear", seed) > 2.8, "{}", mean(&replay, "thompson_linear", seed));
            assert!(mean(&replay, "linucb", seed) > 2.8, "{}", mean(&replay, "linucb", seed));
            assert!(mean(&replay, "epsilon_greedy", seed) > 2.8, "{}", mean(&replay, "epsilon_greedy", seed));
            // It reads no town, so that nothing is the best it can learn.
            let blind = mean(&replay, "thompson_beta", seed);
            assert!((-1.5..0.5).contains(&blind), "{blind}");
        }
    }

    #[test]
    fn a_seed_is_a_play_and_two_seeds_are_two() {
        let replay = towns(200);
        let rewards = |seed| play(&replay, placement(&replay, "thompson_linear"), seed, &mut || ()).unwrap();
        assert_eq!(rewards(1), rewards(1));
        assert_ne!(rewards(1), rewards(2));
    }

    #[test]
    fn a_share_of_the_range_is_learned_exactly_as_a_part_of_the_weight() {
        let features = Features::from_sparse(2, &[(0, 1 << 20), (1, -(1 << 19))]).unwrap();
        let check = |share: f64, half_life: Option<u32>, expected_r: i128| {
            let mut statistics = ArmStatistics::default();
            for increment in increments(&features, Day(30), half_life, share) {
                statistics.apply(&increment);
            }
            let sums = &statistics.generations()[&0];
            let w = if half_life.is_some() { 1 << 17 } else { 1 << 16 };
            assert_eq!((sums.w(), sums.r(), sums.rx(1)), (w, expected_r, -expected_r * (1 << 19)), "{share}");
            assert_eq!(sums.xx(1, 1), w << 38);
            assert_eq!(statistics.exposures(), 1);
        };
        check(0.0, None, 0);
        check(1.0, None, 1 << 16);
        check(0.875, None, 57_344); // pass in the range -35 to 5
        check(0.3, None, 19_661); // 19,660.8
        check(0.3, Some(30), 39_322); // 39,321.6: twice the weight, half the rounding
        check(1e-9, None, 0);
    }

    #[test]
    fn a_logged_event_counts_only_where_the_strategy_draws_what_was_logged() {
        let offers = parse_offers(r#"[{"offer_id":"a"},{"offer_id":"b"},{"offer_id":"c"}]"#).unwrap();
        let line = |n: u32| {
            let chosen = ["a", "b", "c"][(n * 7 % 3) as usize];
            serde_json::json!({
                "id": format!("l{n}"), "at": "2026-01-01T00:00:00Z", "customer_id": "c", "context": {},
                "chosen": chosen, "propensity": 1.0 / 3.0, "reward": u8::from(chosen == "b"),
            })
        };
        let text: String = (0..900).map(|n| line(n).to_string() + "\n").collect();
        let settings = Settings::read(Kind::File, None, Some("exploration=0.1")).unwrap();
        let replay = Replay::prepare(read(&text, &offers).unwrap(), &offers, &settings, None).unwrap();
        let matched = |name: &str| {
            let played = play(&replay, placement(&replay, name), 1, &mut || ()).unwrap();
            let counted: Vec<f64> = played.rewards.into_iter().flatten().collect();
            (counted.len(), counted.iter().sum::<f64>())
        };
        let (count, sum) = matched("uniform");
        assert!((250..350).contains(&count) && (80.0..120.0).contains(&sum), "{count} {sum}");
        let (count, sum) = matched("linucb");
        assert!((250..350).contains(&count) && sum > 230.0, "{count} {sum}: nearly all of what counts is `b`");
    }
}
