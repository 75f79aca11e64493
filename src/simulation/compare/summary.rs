//! What came of the plays: means with their errors, regret, curves, and the comparison with what needs no learning.
//! Plays nothing and prints nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::marks::{Marks, float};
use super::money::{MoneyAt, Spending};
use super::settings::{Named, Settings};
use super::tally::{self, Curve, Difference, Tally};
use crate::domain::Placement;

/// What came of one play.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Played {
    /// What each event earned; nothing where a logged event was drawn otherwise. In a world, what it earns in the mean
    /// of all luck.
    pub rewards: Vec<Option<f64>>,
    /// In a world, what each event earned with the luck that it had.
    pub realised: Vec<f64>,
    /// In a world, what each event had to do with money.
    pub money: Vec<Spending>,
    /// How often the statistics of an arm made no posterior, so that it decided by its prior.
    pub alarms: usize,
}

/// Points of a curve at most.
const POINTS_MAX: usize = 240;

/// What a strategy came to.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: &'static str,
    /// All that `placements.yaml` could say of it, by name.
    pub settings: BTreeMap<String, String>,
    /// Per decision, over all seeds.
    pub mean_reward: Option<f64>,
    /// Its standard error over seeds: the luck of the draws.
    pub se: Option<f64>,
    /// Its standard error over events: how far another file of the same kind and length might be off.
    pub se_events: Option<f64>,
    /// The oracle's rewards less its own, summed over all events; mean over seeds. Full feedback only.
    pub regret: Option<f64>,
    /// The same per decision.
    pub regret_per_decision: Option<f64>,
    /// Mean reward by the oracle's, where that is above zero.
    pub share_of_oracle: Option<f64>,
    /// 0 is uniform, 1 the oracle.
    pub share_of_gain: Option<f64>,
    /// Events that counted, mean over seeds: all of full feedback.
    pub matched: f64,
    /// Against a candidate picked at random.
    pub vs_uniform: Option<Difference>,
    /// Against `greedy`, where that was played too.
    pub vs_greedy: Option<Difference>,
    /// Mean reward of each seed.
    pub per_seed: Vec<Option<f64>>,
    /// Mean reward of each quarter of the file, over all seeds.
    pub quarters: Vec<Option<f64>>,
    /// How often an arm decided by its prior because its statistics made no posterior; over all seeds.
    pub alarms: usize,
    /// In a world, mean margin with the luck that the crowd had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_realised: Option<f64>,
    /// Its standard error over seeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub se_realised: Option<f64>,
    /// In a world, what it came to at each placement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub placements: Vec<AtPlacement>,
    /// Mean reward of each tenth of the file.
    #[serde(skip)]
    pub tenths: Vec<Option<f64>>,
    /// Regret of full feedback, reward of logged feedback, summed up to each of [`Summary::points`].
    #[serde(skip)]
    pub curve: Curve,
}

/// What is known of a log.
#[derive(Debug, Clone, Serialize)]
pub struct Log {
    /// Mean reward of what was logged.
    pub value: f64,
    /// Whether every candidate was as probable as the others.
    pub uniform: bool,
    /// Least and largest propensity times number of candidates.
    pub propensity_times_candidates: (f64, f64),
    /// What became of slots: `context`, `ignored`, or nothing where there are none.
    pub slots: Option<&'static str>,
}

/// The range of rewards as it was learned.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RewardRange {
    /// Learned as 0.
    pub low: f64,
    /// Learned as 1.
    pub high: f64,
    /// Declared, or found in the file.
    pub declared: bool,
}

/// What a strategy came to at one placement of a world.
#[derive(Debug, Clone, Serialize)]
pub struct AtPlacement {
    /// Where.
    pub placement: String,
    /// Decisions there, mean over seeds.
    pub decisions: f64,
    /// Expected margin per decision.
    pub mean_reward: Option<f64>,
    /// Its standard error over seeds.
    pub se: Option<f64>,
    /// Realised margin per decision.
    pub mean_realised: Option<f64>,
    /// The oracle's less its own, per decision.
    pub regret_per_decision: Option<f64>,
    /// Mean reward by the oracle's, where that is above zero.
    pub share_of_oracle: Option<f64>,
    /// 0 is uniform, 1 the oracle.
    pub share_of_gain: Option<f64>,
    /// What its settings of money came to; nothing where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyAt>,
}

/// What is known of a world, placement by placement.
#[derive(Debug, Clone, Serialize)]
pub struct WorldFacts {
    /// Its name.
    pub name: String,
    /// How many customers it has.
    pub customers: usize,
    /// Days from the first decision to the last, mean over seeds.
    pub days: f64,
    /// Money of all rewards.
    pub currency: String,
    /// How often new posteriors are published, in the world's time.
    pub publish: String,
    /// Whether decisions gained their weight along the delays of the world.
    pub delays_known: bool,
    /// The placements in the order of the file, with what needs no learning there.
    pub placements: Vec<WorldPlacement>,
}

/// What needs no learning at one placement.
#[derive(Debug, Clone, Serialize)]
pub struct WorldPlacement {
    /// Where.
    pub placement: String,
    /// Decisions there, mean over seeds.
    pub decisions: f64,
    /// A candidate picked at random.
    pub uniform: f64,
    /// The best candidate for everybody.
    pub best_fixed: f64,
    /// What that is, in the first play.
    pub best_fixed_first: String,
    /// Whatever is best for each visit.
    pub oracle: f64,
    /// What exploring may cost on one day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exploration_budget: Option<f64>,
    /// The share of the best that the cheapest intervention has to reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cheapest: Option<f64>,
}

/// The whole comparison.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// `full` or `logged`, or `world`.
    pub feedback: &'static str,
    /// Events in the file.
    pub events: usize,
    /// Offers beside it.
    pub offers: usize,
    /// Mean number of candidates.
    pub candidates: f64,
    /// Seeds played with each strategy, 1 and up.
    pub seeds: usize,
    /// Mean reward of a candidate picked at random; of logged feedback where logging was uniform.
    pub uniform: Option<f64>,
    /// Mean reward of the best order of offers that ignores the context and knows all rewards.
    pub best_fixed: Option<f64>,
    /// The offer that this order begins with.
    pub best_fixed_first: Option<String>,
    /// Mean reward of whatever earned most.
    pub oracle: Option<f64>,
    /// Where it is a log.
    pub log: Option<Log>,
    /// Where they come from a world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<WorldFacts>,
    /// Of rewards, where they are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<RewardRange>,
    /// Keys of the context that were learned from.
    pub features: Vec<String>,
    /// Those that were not: free text, or too wide.
    pub features_left_out: Vec<String>,
    /// Components of the feature vector, the intercept included.
    pub dimensions: usize,
    /// In the order they were asked for.
    pub strategies: Vec<Compared>,
    /// What was found, in sentences.
    pub found: Vec<String>,
    /// What to know of all these numbers.
    pub notes: Vec<String>,
    /// Where curves have their points: so many events are over.
    #[serde(skip)]
    pub points: Vec<usize>,
    /// Summed regret of uniform and of the best fixed order at these points.
    #[serde(skip)]
    pub yardsticks: Option<(Vec<f64>, Vec<f64>)>,
    /// Mean reward of the best fixed order in each tenth of the file.
    #[serde(skip)]
    pub tenths_best_fixed: Vec<f64>,
    /// Mean reward of the oracle in each tenth of the file.
    #[serde(skip)]
    pub tenths_oracle: Vec<f64>,
}

/// What the strategies are compared on.
pub(in crate::simulation) struct Sides<'a> {
    /// How many events every play has.
    pub(in crate::simulation) events: usize,
    /// The strategies by name.
    pub(in crate::simulation) settings: &'a Settings,
    /// What each of them was given.
    pub(in crate::simulation) placements: Vec<&'a Placement>,
    /// What needs no learning in each event: of each seed, or of all seeds alike; empty where nobody knows.
    pub(in crate::simulation) marks: &'a [&'a [Marks]],
    /// The mean of a random pick, where that is known without the marks.
    pub(in crate::simulation) uniform: Option<f64>,
    /// Means and errors of plays.
    pub(in crate::simulation) tally: &'a dyn Fn(&[Played]) -> Tally,
}

impl Sides<'_> {
    fn mark(&self, seed: usize, event: usize) -> Option<&Marks> {
        self.marks.get(seed.min(self.marks.len().saturating_sub(1)))?.get(event)
    }

    /// The mean of all marks.
    fn mean(&self) -> Option<Marks> {
        (!self.marks.is_empty()).then(|| Marks::mean(self.marks.iter().copied().flatten()))
    }

    /// Means of so many equal stretches.
    fn parts(&self, number: usize) -> Vec<Marks> {
        let part = |at: usize| {
            let of_seed = |marks: &&[Marks]| {
                let (from, until) = (at * marks.len() / number, (at + 1) * marks.len() / number);
                marks.get(from..until).unwrap_or_default().to_vec()
            };
            Marks::mean(&self.marks.iter().flat_map(of_seed).collect::<Vec<_>>())
        };
        (0..number).map(part).collect()
    }

    /// Regret of a choice summed up to each point, mean over seeds.
    fn regret(&self, points: &[usize], value: &dyn Fn(&Marks) -> f64) -> Vec<f64> {
        let of_seed = |marks: &&[Marks]| tally::sums(marks.iter().map(|mark| Some(mark.oracle - value(mark))), points);
        let seeds: Vec<Vec<f64>> = self.marks.iter().map(of_seed).collect();
        let at = |point: usize| seeds.iter().filter_map(|sums| sums.get(point)).sum::<f64>();
        (0..points.len()).map(|point| at(point) / float(seeds.len()).max(1.0)).collect()
    }
}

/// Completes what can be said without any strategy by the plays: one list for each strategy, one play for each seed.
pub(in crate::simulation) fn compare(without: Summary, sides: &Sides<'_>, plays: &[Vec<Played>]) -> Summary {
    let points = points(sides.events);
    let named = sides.settings.strategies.iter().zip(plays);
    let greedy = named.clone().find(|(named, _)| named.name == "greedy").map(|(_, plays)| plays.as_slice());
    let strategies = named.zip(&sides.placements).map(|((named, plays), placement)| {
        compared(sides, (named, placement), plays, greedy.filter(|_| named.name != "greedy"), &points)
    });
    let mut summary = Summary { strategies: strategies.collect(), points: points.clone(), ..without };
    summary.seeds = plays.first().map_or(0, Vec::len);
    if !sides.marks.is_empty() {
        let tenths = sides.parts(10);
        summary.tenths_best_fixed = tenths.iter().map(|tenth| tenth.best_fixed).collect();
        summary.tenths_oracle = tenths.iter().map(|tenth| tenth.oracle).collect();
        let regret = |value: &dyn Fn(&Marks) -> f64| sides.regret(&points, value);
        summary.yardsticks = Some((regret(&|mark| mark.uniform), regret(&|mark| mark.best_fixed)));
    }
    summary
}

fn compared(
    sides: &Sides<'_>,
    (named, placement): (&Named, &Placement),
    plays: &[Played],
    greedy: Option<&[Played]>,
    points: &[usize],
) -> Compared {
    let tally = (sides.tally)(plays);
    let yardstick = sides.mean();
    let vs_uniform = if yardstick.is_some() {
        Some(tally::paired(plays, &|seed, event| sides.mark(seed, event).map_or(0.0, |mark| mark.uniform)))
    } else {
        sides.uniform.and_then(|value| tally.against(value))
    };
    let vs_greedy = greedy.and_then(|greedy| {
        if yardstick.is_some() {
            Some(tally::paired(plays, &|seed, event| {
                greedy.get(seed).and_then(|play: &Played| play.rewards.get(event).copied().flatten()).unwrap_or(0.0)
            }))
        } else {
            tally.apart(&(sides.tally)(greedy))
        }
    });
    let regret = yardstick.zip(tally.mean).map(|(mean, own)| mean.oracle - own);
    let realised = tally::of_realised(plays);
    Compared {
        name: named.name,
        settings: named.in_force(placement),
        mean_reward: tally.mean,
        se: tally.se,
        se_events: tally.se_events,
        regret: regret.map(|regret| regret * float(sides.events)),
        regret_per_decision: regret,
        share_of_oracle: yardstick.zip(tally.mean).and_then(|(mean, own)| share_of_oracle(own, &mean)),
        share_of_gain: yardstick.zip(tally.mean).and_then(|(mean, own)| share_of_gain(own, &mean)),
        matched: tally.matched,
        vs_uniform,
        vs_greedy,
        quarters: tally::parts(plays, 4),
        alarms: plays.iter().map(|play| play.alarms).sum(),
        mean_realised: realised.as_ref().and_then(|realised| realised.mean),
        se_realised: realised.and_then(|realised| realised.se),
        placements: Vec::new(),
        tenths: tally::parts(plays, 10),
        curve: Curve::of(plays, points, &|seed, event, reward| {
            reward.map(|reward| sides.mark(seed, event).map_or(reward, |mark| mark.oracle - reward))
        }),
        per_seed: tally.per_seed,
    }
}

/// A mean reward by the oracle's, where that is above zero.
pub(in crate::simulation) fn share_of_oracle(own: f64, mean: &Marks) -> Option<f64> {
    (mean.oracle > 0.0).then(|| own / mean.oracle)
}

/// How far a mean reward is from uniform, 0, to the oracle, 1.
pub(in crate::simulation) fn share_of_gain(own: f64, mean: &Marks) -> Option<f64> {
    (mean.oracle > mean.uniform).then(|| (own - mean.uniform) / (mean.oracle - mean.uniform))
}

/// Where curves have their points.
fn points(events: usize) -> Vec<usize> {
    let number = events.min(POINTS_MAX);
    (0..=number).map(|at| at * events / number.max(1)).collect()
}
