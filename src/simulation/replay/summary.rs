//! What came of the plays of a file: its yardsticks handed to the comparison. Computes no mean of its own.

use super::prepare::{Known, Replay, Source};
use crate::simulation::compare::{
    self, Log, Marks, Played, RewardRange, Settings, Sides, Slots, Summary, Tally, compare,
};

/// Sums up the plays of a file: one list for each strategy, one play for each seed.
pub fn summarise(replay: &Replay, settings: &Settings, plays: &[Vec<Played>]) -> Summary {
    let marks = match &replay.source {
        Source::Full { marks, .. } => vec![marks.as_slice()],
        Source::Logged { .. } => Vec::new(),
    };
    let uniform = match &replay.source {
        Source::Logged { value, evenness, .. } if is_even(*evenness) => Some(*value),
        _ => None,
    };
    let tally = |plays: &[Played]| match &replay.source {
        Source::Full { .. } => Tally::of(plays),
        Source::Logged { deviation, .. } => Tally::of_log(plays, *deviation),
    };
    let sides = Sides {
        events: replay.steps.len(),
        settings,
        placements: replay.placements.iter().collect(),
        marks: &marks,
        uniform,
        tally: &tally,
    };
    let mut summary = compare(without(replay), &sides, plays);
    summary.found = compare::found(&summary);
    summary.notes = compare::notes(&summary, between(replay));
    summary
}

/// What can be said without any strategy.
fn without(replay: &Replay) -> Summary {
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
    let range = RewardRange { low: replay.range.low, high: replay.range.high, declared: replay.range.declared };
    Summary {
        feedback: if log.is_none() { "full" } else { "logged" },
        events: replay.steps.len(),
        offers: replay.offers.len(),
        candidates: replay.candidates(),
        uniform: mean.map(|mean| mean.uniform).or(log.as_ref().filter(|log| log.uniform).map(|log| log.value)),
        best_fixed: mean.map(|mean| mean.best_fixed),
        best_fixed_first: first,
        oracle: mean.map(|mean| mean.oracle),
        log,
        range: Some(range),
        features: replay.made.features.clone(),
        features_left_out: replay.made.left_out.clone(),
        dimensions: replay.made.dimensions,
        ..Summary::default()
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
