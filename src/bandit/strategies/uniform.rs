//! Every eligible candidate alike: the baseline. Its scores are recorded for readers and move nothing.

use super::{Arm, Score};

/// Score m mu - c with deviation |m| v bonus.
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| Score {
        mean: arm.margin * arm.estimate.mean - arm.cost,
        deviation: arm.margin.abs() * arm.variance.sqrt() * arm.estimate.bonus,
    };
    arms.iter().map(score).collect()
}

/// One over the number of candidates.
pub fn distribution(scores: &[Score]) -> Vec<f64> {
    vec![1.0 / super::count(scores.len()); scores.len()]
}
