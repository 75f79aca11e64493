//! `LinUCB` with hybrid models (Li et al., arXiv 1003.0146, algorithm 2). What arms share is in their posteriors
//! already (`bandit/hybrid.rs`); here they are scored and ranked like disjoint ones.

use super::{Arm, Score, linucb};

/// Upper bound m mu + |m| alpha s - c as the mean, |m| s as the deviation, `s^2 = u' C u` for `u = (x, z)`.
pub fn scores(arms: &[Arm], alpha: f64) -> Vec<Score> {
    linucb::scores(arms, alpha)
}

/// One for the largest upper bound, the first of equals; zero for the others; all NaN if a bound is not finite.
pub fn distribution(scores: &[Score], nothing: bool) -> Vec<f64> {
    super::highest(scores, nothing)
}
