//! `LinUCB` with disjoint arms (Li et al., arXiv 1003.0146, algorithm 1). Deterministic, so only the exploration mass
//! gives the others a propensity.

use super::{Arm, Score};

/// Upper bound m mu + |m| alpha bonus - c as the mean, |m| bonus as the deviation.
pub fn scores(arms: &[Arm], alpha: f64) -> Vec<Score> {
    let score = |arm: &Arm| {
        let deviation = arm.margin.abs() * arm.estimate.bonus;
        Score::gaussian(arm.margin * arm.estimate.mean + alpha * deviation - arm.cost, deviation)
    };
    arms.iter().map(score).collect()
}

/// One for the largest upper bound, the first of equals; zero for the others; all NaN if a bound is not finite.
pub fn distribution(scores: &[Score], nothing: bool) -> Vec<f64> {
    super::highest(scores, nothing)
}
