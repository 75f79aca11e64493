//! What came of the plays: means with their errors, regret, curves, and the comparison with what needs no learning.
//! Plays nothing and prints nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::found;
use super::play::Played;
use super::prepare::{Known, Replay, Source};
use super::settings::{Named, Settings, Slots};
use super::tally::{self, Curve, Difference, Tally};
use super::yardstick::{Marks, float};
use crate::domain::Placement;

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

/// The whole comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// `full` or `logged`.
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
    /// Of rewards.
    pub range: RewardRange,
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

impl Summary {
    /// Sums up the plays: one list for each strategy, one play for each seed.
    pub fn of(replay: &Replay, settings: &Settings, plays: &[Vec<Played>]) -> Self {
        let points = points(replay.steps.len());
        let named = settings.strategies.iter().zip(plays);
        let greedy = named.clone().find(|(named, _)| named.name == "greedy").map(|(_, plays)| plays.as_slice());
        let strategies = named.zip(&replay.placements).map(|((named, plays), placement)| {
            compared(replay, (named, placement), plays, greedy.filter(|_| named.name != "greedy"), &points)
        });
        let mut summary = Self { points: points.clone(), ..Self::without(replay) };
        summary.strategies = strategies.collect();
        summary.seeds = plays.first().map_or(0, Vec::len);
        if let Source::Full { marks, .. } = &replay.source {
            let regret = |value: &dyn Fn(&Marks) -> f64| {
                tally::sums(marks.iter().map(|mark| Some(mark.oracle - value(mark))), &points)
            };
            let part = |at: usize| marks.get(at * marks.len() / 10..(at + 1) * marks.len() / 10).unwrap_or_default();
            let tenths: Vec<Marks> = (0..10).map(|at| Marks::mean(part(at))).collect();
            summary.tenths_best_fixed = tenths.iter().map(|tenth| tenth.best_fixed).collect();
            summary.tenths_oracle = tenths.iter().map(|tenth| tenth.oracle).collect();
            summary.yardsticks = Some((regret(&|mark| mark.uniform), regret(&|mark| mark.best_fixed)));
        }
        summary.found = found::found(&summary);
        summary.notes = found::notes(&summary, between(replay));
        summary
    }

    /// What can be said without any strategy.
    fn without(replay: &Replay) -> Self {
        let (mean, first, log) = match &replay.source {
            Source::Full { marks, best_fixed } => {
                (Some(Marks::mean(marks)), best_fixed.first().map(|offer| offer.as_str().to_owned()), None)
            }
            Source::Logged { value, evenness, slots, .. } => {
                let log = Log {
                    value: *value,
                    uniform: is_even(*evenness),
                    propensity_times_candidates: *evenness,
                    slots: slots.map(|slots| if slots == Slots::Context { "context" } else { "ignored" }),
                };
                (None, None, Some(log))
            }
        };
        Self {
            feedback: if log.is_none() { "full" } else { "logged" },
            events: replay.steps.len(),
            offers: replay.offers.len(),
            candidates: replay.candidates(),
            seeds: 0,
            uniform: mean.map(|mean| mean.uniform).or(log.as_ref().filter(|log| log.uniform).map(|log| log.value)),
            best_fixed: mean.map(|mean| mean.best_fixed),
            best_fixed_first: first,
            oracle: mean.map(|mean| mean.oracle),
            log,
            range: RewardRange { low: replay.range.low, high: replay.range.high, declared: replay.range.declared },
            features: replay.made.features.clone(),
            features_left_out: replay.made.left_out.clone(),
            dimensions: replay.made.dimensions,
            strategies: Vec::new(),
            found: Vec::new(),
            notes: Vec::new(),
            points: Vec::new(),
            yardsticks: None,
            tenths_best_fixed: Vec::new(),
            tenths_oracle: Vec::new(),
        }
    }
}

fn compared(
    replay: &Replay,
    (named, placement): (&Named, &Placement),
    plays: &[Played],
    greedy: Option<&[Played]>,
    points: &[usize],
) -> Compared {
    let tally = tallied(replay, plays);
    let marks = match &replay.source {
        Source::Full { marks, .. } => marks.as_slice(),
        Source::Logged { .. } => &[],
    };
    let yardstick = (!marks.is_empty()).then(|| Marks::mean(marks));
    let vs_uniform = match &replay.source {
        Source::Full { .. } => {
            Some(tally::paired(plays, &|_, event| marks.get(event).map_or(0.0, |mark| mark.uniform)))
        }
        Source::Logged { value, evenness, .. } => is_even(*evenness).then(|| tally.against(*value)).flatten(),
    };
    let vs_greedy = greedy.and_then(|greedy| match &replay.source {
        Source::Full { .. } => Some(tally::paired(plays, &|seed, event| {
            greedy.get(seed).and_then(|play: &Played| play.rewards.get(event).copied().flatten()).unwrap_or(0.0)
        })),
        Source::Logged { .. } => tally.apart(&tallied(replay, greedy)),
    });
    let regret = yardstick.zip(tally.mean).map(|(mean, own)| mean.oracle - own);
    Compared {
        name: named.name,
        settings: named.in_force(placement),
        mean_reward: tally.mean,
        se: tally.se,
        se_events: tally.se_events,
        regret: regret.map(|regret| regret * float(marks.len())),
        regret_per_decision: regret,
        share_of_oracle: yardstick.zip(tally.mean).filter(|(m, _)| m.oracle > 0.0).map(|(m, own)| own / m.oracle),
        share_of_gain: (yardstick.zip(tally.mean).filter(|(m, _)| m.oracle > m.uniform))
            .map(|(m, own)| (own - m.uniform) / (m.oracle - m.uniform)),
        matched: tally.matched,
        vs_uniform,
        vs_greedy,
        quarters: tally::parts(plays, 4),
        alarms: plays.iter().map(|play| play.alarms).sum(),
        tenths: tally::parts(plays, 10),
        curve: Curve::of(plays, points, &|event, reward| {
            reward.map(|reward| marks.get(event).map_or(reward, |mark| mark.oracle - reward))
        }),
        per_seed: tally.per_seed,
    }
}

fn tallied(replay: &Replay, plays: &[Played]) -> Tally {
    match &replay.source {
        Source::Full { .. } => Tally::of(plays),
        Source::Logged { deviation, .. } => Tally::of_log(plays, *deviation),
    }
}

fn is_even((least, largest): (f64, f64)) -> bool {
    (least - 1.0).abs() < 1e-6 && (largest - 1.0).abs() < 1e-6
}

/// Whether some reward lies between the ends of the range.
fn between(replay: &Replay) -> bool {
    let between = |reward: &f64| *reward > replay.range.low && *reward < replay.range.high;
    replay.steps.iter().any(|step| match &step.known {
        Known::All(rewards) => rewards.iter().any(between),
        Known::Logged { reward, .. } => between(reward),
    })
}

/// Where curves have their points.
fn points(events: usize) -> Vec<usize> {
    let number = events.min(POINTS_MAX);
    (0..=number).map(|at| at * events / number.max(1)).collect()
}
