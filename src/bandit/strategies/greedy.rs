//! The highest expected score, always: the baseline to beat. Explores nothing by itself. With an exploration mass it is
//! epsilon-greedy, which shares these scores and this distribution.

use super::{Arm, Score};

/// Score m mu - c, by which candidates are ranked, with deviation |m| v bonus for readers.
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| Score::gaussian(arm.margin * arm.estimate.mean - arm.cost, arm.deviation());
    arms.iter().map(score).collect()
}

/// One for the highest mean, the first of equals; zero for the others; all NaN if a mean is not finite.
pub fn distribution(scores: &[Score], nothing: bool) -> Vec<f64> {
    super::highest(scores, nothing)
}
