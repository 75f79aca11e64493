//! How sure a share or a difference is: intervals of 95 %. They take what is counted for independent, which decisions
//! of one customer are not quite, and correct nothing for having been looked at often.

use serde::{Deserialize, Serialize};

/// The quantile of the normal distribution that leaves 2.5 % above.
const Z: f64 = 1.959_963_984_540_054;

/// A value with the interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Around {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of decisions are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

/// A share with its Wilson score interval (Wilson 1927); nothing of nothing.
pub fn share_within(part: u64, whole: u64) -> Option<Around> {
    if whole == 0 {
        return None;
    }
    let (n, p) = (number(whole), number(part.min(whole)) / number(whole));
    let shrink = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / shrink;
    let half = Z / shrink * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(Around { value: p, low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
}

/// The difference of two shares, each a part of a whole, with Newcombe's hybrid score interval (Newcombe 1998, method
/// 10).
pub fn difference_of_shares(a: (u64, u64), b: (u64, u64)) -> Option<Around> {
    let (a, b) = (share_within(a.0, a.1)?, share_within(b.0, b.1)?);
    let square = |x: f64| x * x;
    let value = a.value - b.value;
    let below = (square(a.value - a.low) + square(b.high - b.value)).sqrt();
    let above = (square(a.high - a.value) + square(b.value - b.low)).sqrt();
    Some(Around { value, low: (value - below).max(-1.0), high: (value + above).min(1.0) })
}

/// Of numbers: how many, their sum and the sum of their squares.
pub type Sums = (u64, i128, i128);

#[expect(clippy::cast_precision_loss, reason = "rounded once, for people")]
fn mean_and_variance((count, sum, squares): Sums) -> Option<(f64, f64)> {
    if count < 2 {
        return None;
    }
    let n = number(count);
    let mean = sum as f64 / n;
    let variance = ((squares as f64 - n * mean * mean) / (n - 1.0)).max(0.0);
    Some((mean, variance / n))
}

/// The difference of two means with its normal interval (Welch); nothing with fewer than two on a side.
pub fn difference_of_means(a: Sums, b: Sums) -> Option<Around> {
    let ((a, a_variance), (b, b_variance)) = (mean_and_variance(a)?, mean_and_variance(b)?);
    let (value, half) = (a - b, Z * (a_variance + b_variance).sqrt());
    Some(Around { value, low: value - half, high: value + half })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<Around>, expected: (f64, f64, f64)) {
        let found = found.unwrap();
        for (a, b) in [(found.value, expected.0), (found.low, expected.1), (found.high, expected.2)] {
            assert!((a - b).abs() < 5e-5, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn intervals_are_those_of_newcombes_tables() {
        // Newcombe 1998, Statistics in Medicine 17, 857-872 and 873-890.
        check(share_within(81, 263), (0.3080, 0.2553, 0.3662));
        check(share_within(15, 148), (0.1014, 0.0624, 0.1605));
        check(share_within(0, 20), (0.0, 0.0, 0.1611));
        check(share_within(1, 29), (0.0345, 0.0061, 0.1718));
        check(difference_of_shares((56, 70), (48, 80)), (0.2, 0.0524, 0.3339));
        check(difference_of_shares((9, 10), (3, 10)), (0.6, 0.1705, 0.8090));
        assert_eq!(share_within(0, 0), None);
        for n in 1..200 {
            let most = difference_of_shares((n, n), (0, 7)).unwrap();
            let least = difference_of_shares((0, 7), (n, n)).unwrap();
            assert!(most.high <= 1.0 && least.low >= -1.0, "{n}: {most:?}, {least:?}");
        }
        assert_eq!(difference_of_shares((1, 2), (0, 0)), None);
    }

    #[test]
    fn the_difference_of_means_is_as_wide_as_their_errors() {
        // 1, 2, 3 against 0, 0, 3: means 2 and 1, variances 1 and 3, errors squared 1/3 and 1.
        check(difference_of_means((3, 6, 14), (3, 3, 9)), (1.0, 1.0 - 2.26317, 1.0 + 2.26317));
        assert_eq!(difference_of_means((1, 6, 36), (3, 3, 9)), None);
    }
}
