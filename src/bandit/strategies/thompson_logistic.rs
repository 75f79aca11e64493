//! Logistic Thompson sampling with disjoint arms (Chapelle and Li, *An empirical evaluation of Thompson sampling*,
//! 2011, algorithm 3). Samples no parameter, and its arms are believed about in logits.

use super::{Arm, Score};
use crate::bandit::logistic::{self, Logit};
use crate::bandit::rules;

/// Share of the deviation of the belief that is drawn from (*posterior reshaping*, the same paper, section 3): with all
/// of it regret was mostly higher than that of linear Thompson sampling; the half was chosen on the worlds it was tried
/// in, and linear sampling was not reshaped beside it.
const WIDTH: f64 = 0.5;

/// Score y = m sigma(s) - c with s ~ N(mu, (bonus / 2)^2): mean and deviation of y for readers, the logit for the
/// distribution.
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| {
        let (mean, deviation) = (arm.estimate.mean, WIDTH * arm.variance.sqrt() * arm.estimate.bonus);
        Score::logit(Logit { mean, deviation, margin: arm.margin, cost: arm.cost })
    };
    arms.iter().map(score).collect()
}

/// The probability that each score is the largest, by the rule that a record names.
pub fn distribution(rule: u16, scores: &[Score], nothing: bool) -> Vec<f64> {
    match rule {
        rules::EXACT => logistic::exact(scores, nothing),
        rules::HOT => logistic::hot(scores, nothing),
        _ => rules::unknown(scores, nothing),
    }
}
