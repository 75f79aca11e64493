//! The sums of an arm as floating point, as seen on a day. Solves nothing.

use super::decay::{live_generations, weight_on};
use super::{ArmStatistics, features};
use crate::domain::Day;

/// The sums of an arm as seen on a day: every live generation divided by its weight of that day.
pub(super) struct DaySums {
    pub(super) a: Vec<f64>,  // sum w x x', its lower triangle packed column by column
    pub(super) b: Vec<f64>,  // sum w r x
    pub(super) weight: f64,  // sum w
    pub(super) squares: f64, // sum w r^2
}

impl DaySums {
    pub(super) fn of(statistics: &ArmStatistics, dimensions: usize, day: Day, half_life_days: Option<u32>) -> Self {
        let mut a = vec![0.0; packed_len(dimensions)];
        let mut b = vec![0.0; dimensions];
        let (mut weight, mut squares) = (0.0, 0.0);
        let one = f64::from(features::ONE);
        for (generation, sums) in statistics.generations().range(live_generations(day, half_life_days)) {
            let unit = weight_on(day, *generation, half_life_days);
            weight += number(sums.w()) / unit;
            squares += number(sums.r()) / unit;
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
        Self { a, b, weight, squares }
    }
}

/// Numbers in one triangle of a square of so many dimensions.
pub(super) fn packed_len(dimensions: usize) -> usize {
    dimensions * (dimensions + 1) / 2
}

#[expect(clippy::cast_precision_loss, reason = "the one rounding between the integers and the posterior, to nearest")]
fn number(sum: i128) -> f64 {
    sum as f64
}
