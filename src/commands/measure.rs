//! Stopwatches and percentiles. Decides nothing by the time it measures.

use std::time::{Duration, Instant};

/// Starts a stopwatch: ask it with `elapsed`.
pub fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a measurement for people; nothing depends on it")]
    let now = Instant::now();
    now
}

/// How long calls took.
#[derive(Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds one call.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// Takes in what another client measured.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many calls fell below each of some bounds in milliseconds and not below the one before; the last has none.
    pub fn histogram(&self) -> Vec<(Option<f64>, usize)> {
        const BOUNDS: [f64; 9] = [1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0];
        let mut counts: Vec<(Option<f64>, usize)> = BOUNDS.iter().map(|bound| (Some(*bound), 0)).collect();
        counts.push((None, 0));
        for took in &self.0 {
            let ms = took.as_secs_f64() * 1_000.0;
            if let Some((_, count)) = counts.iter_mut().find(|(bound, _)| bound.is_none_or(|bound| ms < bound)) {
                *count += 1;
            }
        }
        counts
    }

    /// The given percentile in milliseconds, the smallest value that at least this share of calls did not exceed.
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small count")]
    pub fn percentile_ms(&self, percent: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
        sorted.get(rank.max(1) - 1).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_value() {
        let mut latencies = Latencies::default();
        (1..=200).rev().for_each(|ms| latencies.add(Duration::from_millis(ms)));
        assert_eq!((latencies.percentile_ms(50.0), latencies.percentile_ms(99.0)), (100.0, 198.0));
        assert_eq!(Latencies::default().percentile_ms(50.0), 0.0);
        let counts: Vec<usize> = latencies.histogram().into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [0, 1, 2, 2, 2, 4, 4, 16, 32, 137]);
    }
}
