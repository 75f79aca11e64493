//! Linear Thompson sampling with disjoint arms (Agrawal and Goyal, arXiv 1209.3352). Samples no parameter: the
//! probability that each candidate's sampled score would be the largest is computed, and drawn from later.

use super::{Arm, Score};
use crate::bandit::{exact_rule, hot_rule, rules};

/// A score without spread gets this share of the largest deviation, so that the rules stay defined.
const DEVIATION_SHARE_MIN: f64 = 1e-9;

/// Score N(m mu - c, (|m| v bonus)^2).
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| Score::gaussian(arm.margin * arm.estimate.mean - arm.cost, arm.deviation());
    let mut scores: Vec<Score> = arms.iter().map(score).collect();
    let largest = scores.iter().fold(0.0, |largest: f64, score| largest.max(score.deviation));
    // Equal to zero, not below a bound: a bound would also hide NaN, which must fail the check of the distribution.
    for score in scores.iter_mut().filter(|score| score.deviation == 0.0) {
        score.deviation = DEVIATION_SHARE_MIN * if largest > 0.0 { largest } else { score.mean.abs().max(1.0) };
    }
    scores
}

/// The probability that each score is the largest, by the rule that a record names.
pub fn distribution(rule: u16, scores: &[Score], nothing: bool) -> Vec<f64> {
    match rule {
        rules::EXACT => exact_rule::gaussian(scores, nothing),
        rules::HOT => hot_rule::gaussian(scores, nothing),
        _ => rules::unknown(scores, nothing),
    }
}
