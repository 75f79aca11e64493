//! Linear Thompson sampling with disjoint arms (Agrawal and Goyal, arXiv 1209.3352). Samples no parameter: the
//! probability that each candidate's sampled score would be the largest is computed, and drawn from later.

use super::{Arm, Score};
use crate::bandit::exact_rule;

/// A score without spread gets this share of the largest deviation, so that the exact rule stays defined.
const DEVIATION_SHARE_MIN: f64 = 1e-9;

/// Score N(m mu - c, (|m| v bonus)^2).
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| Score {
        mean: arm.margin * arm.estimate.mean - arm.cost,
        deviation: arm.margin.abs() * arm.variance.sqrt() * arm.estimate.bonus,
    };
    let mut scores: Vec<Score> = arms.iter().map(score).collect();
    let largest = scores.iter().fold(0.0, |largest: f64, score| largest.max(score.deviation));
    // Equal to zero, not below a bound: a bound would also hide NaN, which must fail the check of the distribution.
    for score in scores.iter_mut().filter(|score| score.deviation == 0.0) {
        score.deviation = DEVIATION_SHARE_MIN * if largest > 0.0 { largest } else { score.mean.abs().max(1.0) };
    }
    scores
}

/// The probability that each score is the largest.
pub fn distribution(scores: &[Score]) -> Vec<f64> {
    exact_rule::gaussian(scores)
}
