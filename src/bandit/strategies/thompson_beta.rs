//! Beta-Bernoulli Thompson sampling with margins (Chapelle and Li, *An empirical evaluation of Thompson sampling*, 2011).
//! Reads no feature: an arm is what it accepted and what it did not. Samples nothing.

use super::{Arm, Score};
use crate::bandit::beta::{self, Beta};
use crate::bandit::rules;

/// Score y = m theta - c with theta ~ Beta(1 + accepted, 1 + not accepted): mean and deviation of y for readers, the
/// posterior for the distribution.
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| {
        let (alpha, beta) = (1.0 + arm.accepted, 1.0 + arm.declined);
        Score::beta(Beta { alpha, beta, margin: arm.margin, cost: arm.cost })
    };
    arms.iter().map(score).collect()
}

/// The probability that each score is the largest, by the rule that a record names.
pub fn distribution(rule: u16, scores: &[Score], nothing: bool) -> Vec<f64> {
    match rule {
        rules::EXACT => beta::exact(scores, nothing),
        rules::HOT => beta::hot(scores, nothing),
        _ => rules::unknown(scores, nothing),
    }
}
