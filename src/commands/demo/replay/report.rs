//! The numbers of a replay, beside what uniform, fixed and all-knowing choices would have earned. Posts nothing.

use std::collections::BTreeMap;
use std::fmt;

use proffer::simulation::replay::bundle::Made;
use proffer::simulation::replay::feedback::Event;
use proffer::simulation::replay::yardstick::{Marks, best_fixed, marks};
use serde::Serialize;

use super::drive::Driven;
use crate::commands::progress::count;

/// The report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The file, as given.
    pub file: String,
    /// How candidates became distributions.
    pub strategy: String,
    /// What it learned from.
    pub features: Vec<String>,
    /// What it could not learn from.
    pub features_left_out: Vec<String>,
    /// Components of the feature vector.
    pub dimensions: usize,
    /// The store, as given.
    pub store: String,
    /// Clients at once.
    pub clients: usize,
    events: usize,
    decisions: usize,
    fallbacks: usize,
    orders: usize,
    excluded: BTreeMap<String, usize>,
    reward: Quarters,
    seconds: f64,
    decisions_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Some rewards are neither 0 nor 1: they are learned as accepted or not.
    rewards_graded: bool,
    delays_modelled: bool,
}

#[derive(Debug, Serialize)]
struct Quarters {
    all: Means,
    first_quarter: Means,
    last_quarter: Means,
}

/// Rewards per decision over some events.
#[derive(Debug, Default, Serialize, PartialEq)]
struct Means {
    events: usize,
    reward: f64,
    /// Standard error of the reward.
    reward_se: f64,
    uniform: f64,
    best_fixed: f64,
    oracle: f64,
}

/// What a report is about, apart from what was measured.
pub struct About {
    /// The file, as given.
    pub file: String,
    /// How candidates became distributions.
    pub strategy: String,
    /// The store, as given.
    pub store: String,
    /// Clients at once.
    pub clients: usize,
}

impl Report {
    /// Sums up.
    pub fn new(about: About, made: Made, events: &[Event], driven: &Driven, excluded: BTreeMap<String, usize>) -> Self {
        let rewards: Vec<f64> = driven.played.iter().map(|played| played.reward).collect();
        let marks = marks(events, &best_fixed(events));
        let quarter = events.len() / 4;
        let means = |from: usize, to: usize| {
            Means::of(marks.get(from..to).unwrap_or_default(), rewards.get(from..to).unwrap_or_default())
        };
        let graded = |reward: &f64| *reward != 0.0 && *reward != 1.0;
        Self {
            file: about.file,
            strategy: about.strategy,
            features: made.features,
            features_left_out: made.left_out,
            dimensions: made.dimensions,
            store: about.store,
            clients: about.clients,
            events: events.len(),
            decisions: driven.played.len(),
            fallbacks: driven.played.iter().filter(|played| played.fallback).count(),
            orders: driven.orders,
            excluded,
            reward: Quarters {
                all: means(0, events.len()),
                first_quarter: means(0, quarter),
                last_quarter: means(events.len() - quarter, events.len()),
            },
            seconds: driven.seconds,
            decisions_per_second: float(driven.played.len()) / driven.seconds.max(1e-9),
            p50_ms: driven.latencies.percentile_ms(50.0),
            p99_ms: driven.latencies.percentile_ms(99.0),
            rewards_graded: events.iter().flat_map(|event| event.rewards.values()).any(graded),
            delays_modelled: false,
        }
    }
}

impl Means {
    fn of(marks: &[Marks], rewards: &[f64]) -> Self {
        let number = float(marks.len()).max(1.0);
        let reward = rewards.iter().sum::<f64>() / number;
        let variance = rewards.iter().map(|r| (r - reward) * (r - reward)).sum::<f64>() / (number - 1.0).max(1.0);
        let Marks { uniform, best_fixed, oracle } = Marks::mean(marks);
        Self { events: marks.len(), reward, reward_se: (variance / number).sqrt(), uniform, best_fixed, oracle }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of events are small")]
fn float(number: usize) -> f64 {
    number as f64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nReplayed {} events of {} by {} on {}, {} clients at once",
            count(self.events),
            self.file,
            self.strategy,
            self.store,
            self.clients
        )?;
        writeln!(f, "Features ({} dimensions): {}", self.dimensions, listed(&self.features))?;
        if !self.features_left_out.is_empty() {
            writeln!(f, "Left out of the features, too wide: {}", listed(&self.features_left_out))?;
        }
        writeln!(
            f,
            "Decisions made: {}, of them fallbacks: {}; orders posted: {}",
            count(self.decisions),
            count(self.fallbacks),
            count(self.orders)
        )?;
        let excluded: Vec<String> = self.excluded.iter().map(|(rule, n)| format!("{rule}: {}", count(*n))).collect();
        writeln!(f, "Candidates left out, by rule: {}\n", listed(&excluded))?;
        writeln!(
            f,
            "{:22} {:>9} {:>8} | {:>9} {:>10} {:>9}",
            "reward per decision", "reward", "+-", "uniform", "best fixed", "oracle"
        )?;
        let quarters = &self.reward;
        for (what, means) in [
            ("first quarter", &quarters.first_quarter),
            ("last quarter", &quarters.last_quarter),
            ("all", &quarters.all),
        ] {
            writeln!(
                f,
                "{what:22} {:>9.4} {:>8.4} | {:>9.4} {:>10.4} {:>9.4}",
                means.reward, means.reward_se, means.uniform, means.best_fixed, means.oracle
            )?;
        }
        writeln!(
            f,
            "\n+- is one standard error; best fixed ignores the context and knows all rewards; oracle knows everything."
        )?;
        if self.rewards_graded {
            writeln!(f, "Rewards other than 0 and 1 are learned as accepted.")?;
        }
        writeln!(f, "Rewards came at once: the delays of the real world are not modelled.")?;
        writeln!(
            f,
            "{:.0} decisions a second, p50 {:.1} ms, p99 {:.1} ms, each answered once its record was durable; {:.1} s",
            self.decisions_per_second, self.p50_ms, self.p99_ms, self.seconds
        )
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_have_their_mean_and_its_standard_error() {
        let marks = [Marks { uniform: 0.5, best_fixed: 0.75, oracle: 1.0 }; 4];
        let means = Means::of(&marks, &[1.0, 0.0, 1.0, 0.0]);
        assert_eq!((means.reward, means.uniform, means.best_fixed, means.oracle), (0.5, 0.5, 0.75, 1.0));
        assert!((means.reward_se - (1.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(Means::of(&[], &[]), Means::default());
    }
}
