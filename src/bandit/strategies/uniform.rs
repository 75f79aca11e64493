//! Every eligible candidate alike, nothing among them: the baseline. Its scores are recorded for readers and move
//! nothing.

use super::{Arm, Score};

/// Score m mu - c with deviation |m| v bonus.
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| Score::gaussian(arm.margin * arm.estimate.mean - arm.cost, arm.deviation());
    arms.iter().map(score).collect()
}

/// One over the number of candidates.
pub fn distribution(scores: &[Score], nothing: bool) -> Vec<f64> {
    let candidates = scores.len() + usize::from(nothing);
    vec![1.0 / super::count(candidates); candidates]
}
