//! The sums of an arm as floating point, as seen on a day. Solves nothing.

use super::cholesky::packed_len;
use super::decay::{live_generations, weight_on};
use super::{ArmStatistics, features};
use crate::domain::Day;

/// The sums of one arm as seen on a day, as numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DaySums {
    /// `sum w x x'`, its lower triangle packed column by column.
    pub(super) a: Vec<f64>,
    /// `sum w r x`.
    pub(super) b: Vec<f64>,
    /// What is counted.
    pub(super) counts: Counts,
}

/// What is counted of one arm as of a day.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Counts {
    /// n.
    pub(super) weight: f64,
    /// `sum w r`, which is `sum w r^2`.
    pub(super) accepted: f64,
    /// `sum w v`, in minor units.
    pub(super) value: f64,
}

impl DaySums {
    /// Every live generation divided by its weight of the day. Components of the statistics at `dimensions` and beyond
    /// are not read.
    pub(super) fn of(statistics: &ArmStatistics, dimensions: usize, day: Day, half_life_days: Option<u32>) -> Self {
        let mut a = vec![0.0; packed_len(dimensions)];
        let mut b = vec![0.0; dimensions];
        let mut counts = Counts::default();
        let one = f64::from(features::ONE);
        for (generation, sums) in statistics.generations().range(live_generations(day, half_life_days)) {
            let unit = weight_on(day, *generation, half_life_days);
            counts.weight += number(sums.w()) / unit;
            counts.accepted += number(sums.r()) / unit;
            counts.value += number(sums.v()) / unit;
            let kept = sums.dimensions().min(dimensions);
            for (i, b_i) in b.iter_mut().enumerate().take(kept) {
                *b_i += number(sums.rx(i)) / (unit * one);
            }
            let mut columns = a.as_mut_slice();
            for j in 0..kept {
                let (column, next) = columns.split_at_mut(dimensions - j);
                for (i, a_ij) in (j..kept).zip(column) {
                    *a_ij += number(sums.xx(j, i)) / (unit * (one * one));
                }
                columns = next;
            }
        }
        Self { a, b, counts }
    }
}

#[expect(clippy::cast_precision_loss, reason = "the one rounding between the integers and the posterior, to nearest")]
pub(super) fn number(sum: i128) -> f64 {
    sum as f64
}
