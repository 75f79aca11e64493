//! The sums of an arm as floating point, as seen on a day. Solves nothing.

use super::blocks::packed_len;
use super::decay::{live_generations, weight_on};
use super::sums::triangle;
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
        let mut row = vec![0.0; dimensions];
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
            // Row by row, as the integers stand, so that the divisions go side by side.
            let unit = unit * (one * one);
            for j in 0..kept {
                let row = &mut row[..=j];
                let sums = &sums.xx[triangle(j)..];
                row.iter_mut().zip(sums).for_each(|(x, sum)| *x = number(*sum));
                for x in row.iter_mut() {
                    *x /= unit;
                }
                let mut at = j;
                for (i, x) in row.iter().enumerate() {
                    a[at] += x;
                    at += dimensions - i - 1;
                }
            }
        }
        Self { a, b, counts }
    }
}

/// The one rounding between the integers and the posterior, to nearest.
#[expect(clippy::cast_precision_loss, reason = "rounding is what it is for")]
pub(super) fn number(sum: i128) -> f64 {
    // Nearly always the upper part is exact as a number, so that adding the lower one rounds as the cast of all would,
    // which takes several times as long.
    match i64::try_from(sum >> 32) {
        Ok(upper) if upper.unsigned_abs() <= 1 << 53 => {
            let lower = i64::try_from(sum & i128::from(u32::MAX)).unwrap_or_default();
            upper as f64 * 4_294_967_296.0 + lower as f64
        }
        _ => sum as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_become_the_nearest_number() {
        #[expect(clippy::cast_precision_loss, reason = "what it is compared with")]
        let check = |sum: i128| assert_eq!(number(sum).to_bits(), (sum as f64).to_bits(), "{sum}");
        for shift in 0..127 {
            for near in -70..70 {
                for factor in
                    [1, 3, 0x5555_5555_5555_5555, 0x1f_ffff_ffff_ffff, 0x3f_ffff_ffff_ffff, i128::MAX >> shift]
                {
                    let sum = (factor << shift).wrapping_add(near);
                    check(sum);
                    check(sum.wrapping_neg());
                    check(sum.wrapping_add(1 << shift >> 1));
                }
            }
        }
    }
}
