//! Strategies: how the estimates of eligible candidates become a distribution. Draws nothing and knows no rule.
//!
//! Where nothing may be shown, *nothing* is a candidate too: the last one, with a score of 0 that has no spread. It
//! is in the distribution and not among the scores.
//!
//! Every strategy has two verbs in this order: `scores`, what is recorded of each candidate, and `distribution`, which
//! reads nothing but scores, so that a record can be replayed without its model.

pub mod bagged_linear;
pub mod greedy;
pub mod linucb;
pub mod linucb_hybrid;
pub mod linucb_randomised;
pub mod squarecb;
pub mod thompson_beta;
pub mod thompson_linear;
pub mod thompson_logistic;
pub mod uniform;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{Belief, Beta, Estimate, Logit, Posterior, rules};
use crate::domain::Strategy;
use crate::domain::decision::Scored;

/// One eligible candidate: what it earns and what its arm has learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// `m_a`: contribution margin if accepted, in minor units; 1 where the objective is conversion.
    pub margin: f64,
    /// `c_a`: cost of showing, in minor units; 0 where the objective is conversion.
    pub cost: f64,
    /// `theta' x` and `sqrt(x' A^-1 x)`.
    pub estimate: Estimate,
    /// `v^2` of its posterior.
    pub variance: f64,
    /// Weight of what was accepted, as of the day.
    pub accepted: f64,
    /// Weight of what was not accepted, as of the day.
    pub declined: f64,
    /// `theta_b' x` by each model of a bag, where the strategy has one.
    pub bags: Option<Arc<[f64]>>,
}

impl Arm {
    /// What an arm that believes this is worth for these features.
    pub fn new(posterior: &Posterior, x: &[f64], margin: f64, cost: f64) -> Self {
        Self::believing(&Belief::of(posterior, x), margin, cost)
    }

    /// What an arm is worth by what it believes.
    pub fn believing(belief: &Belief, margin: f64, cost: f64) -> Self {
        let Belief { estimate, variance, accepted, declined } = *belief;
        Self { margin, cost, estimate, variance, accepted, declined, bags: None }
    }

    /// |m| v bonus: deviation of the score of a linear model.
    fn deviation(&self) -> f64 {
        self.margin.abs() * self.variance.sqrt() * self.estimate.bonus
    }
}

/// Score of one candidate as it is recorded, in the objective's unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Mean; what `LinUCB` ranks by.
    pub mean: f64,
    /// Deviation; above zero wherever a distribution is computed from it.
    pub deviation: f64,
    /// The posterior that the distribution is computed from, where that is no Gaussian.
    pub beta: Option<Beta>,
    /// The logit that the distribution is computed from, where acceptance is a logistic curve of a Gaussian.
    pub logit: Option<Logit>,
    /// The score by each model of a bag, where they vote.
    pub bags: Option<Arc<[f64]>>,
}

impl Score {
    /// A score that mean and deviation say everything about.
    pub const fn gaussian(mean: f64, deviation: f64) -> Self {
        Self { mean, deviation, beta: None, logit: None, bags: None }
    }

    /// A score with a Beta posterior; mean and deviation follow from it.
    pub fn beta(beta: Beta) -> Self {
        Self { mean: beta.mean(), deviation: beta.deviation(), beta: Some(beta), logit: None, bags: None }
    }

    /// A score whose acceptance has a Gaussian logit; mean and deviation follow from it.
    pub fn logit(logit: Logit) -> Self {
        let (mean, deviation) = logit.moments();
        Self { mean, deviation, beta: None, logit: Some(logit), bags: None }
    }

    /// A score of a bag of models; mean and deviation are those over the bag.
    pub fn bagged(bags: Arc<[f64]>) -> Self {
        let models = count(bags.len().max(1));
        let mean = bags.iter().sum::<f64>() / models;
        let square = bags.iter().map(|by_one| (by_one - mean) * (by_one - mean)).sum::<f64>() / models;
        Self { mean, deviation: square.sqrt(), beta: None, logit: None, bags: Some(bags) }
    }

    /// The score that a record holds of a candidate with this margin and cost, as distributions are computed from it.
    pub fn recorded(scored: &Scored, margin: f64, cost: f64) -> Self {
        match (scored.beta, scored.logit, &scored.bags) {
            (Some((alpha, beta)), _, _) => Self::beta(Beta { alpha, beta, margin, cost }),
            (_, Some((mean, deviation)), _) => Self::logit(Logit { mean, deviation, margin, cost }),
            (_, _, Some(bags)) => Self::bagged(bags.as_slice().into()),
            _ => Self::gaussian(scored.mean, scored.deviation),
        }
    }
}

/// A distribution that nothing may be drawn from.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidDistribution {
    /// There was no candidate.
    #[error("a distribution over no candidate: serve the fallback")]
    Empty,
    /// NaN or infinity.
    #[error("candidate {position} has probability `{probability}`: a margin, a cost or a model is not finite")]
    NotFinite {
        /// Position among the eligible candidates.
        position: usize,
        /// What was computed.
        probability: f64,
    },
    /// Less than the exploration mass gives everyone.
    #[error("candidate {position} has probability `{probability}`, below the exploration floor `{floor}`")]
    BelowFloor {
        /// Position among the eligible candidates.
        position: usize,
        /// What was computed.
        probability: f64,
        /// Exploration mass in force / K.
        floor: f64,
    },
    /// The whole is not one.
    #[error("the probabilities sum to `{sum}`: expected 1 within 1e-9")]
    Sum {
        /// What they sum to.
        sum: f64,
    },
}

/// Scores and distribution of the eligible candidates, in their order, exploration not yet mixed in. Callers order
/// candidates by (offer id, variant id), which decides ties. With `nothing` the distribution has one candidate more,
/// the last.
pub fn distribution(strategy: &Strategy, arms: &[Arm], nothing: bool) -> (Vec<Score>, Vec<f64>) {
    let scores = scores(strategy, arms);
    let w = distribution_of(strategy, rules::DISTRIBUTION_RULE, &scores, nothing);
    (scores, w)
}

/// The scores of the eligible candidates, in their order.
pub fn scores(strategy: &Strategy, arms: &[Arm]) -> Vec<Score> {
    match strategy {
        Strategy::ThompsonBeta => thompson_beta::scores(arms),
        Strategy::ThompsonLinear => thompson_linear::scores(arms),
        Strategy::ThompsonLogistic => thompson_logistic::scores(arms),
        Strategy::Linucb { alpha } => linucb::scores(arms, *alpha),
        Strategy::LinucbRandomised { .. } => linucb_randomised::scores(arms),
        Strategy::Squarecb { gamma_scale, gamma_exponent } => squarecb::scores(arms, *gamma_scale, *gamma_exponent),
        Strategy::BaggedLinear { .. } => bagged_linear::scores(arms),
        Strategy::LinucbHybrid { alpha } => linucb_hybrid::scores(arms, *alpha),
        Strategy::Greedy | Strategy::EpsilonGreedy => greedy::scores(arms),
        Strategy::Uniform => uniform::scores(arms),
    }
}

/// The distribution of recorded scores by the rule that their record names, exploration not yet mixed in. All NaN where
/// this build does not know the rule, or the strategy needs more than was recorded.
pub fn distribution_of(strategy: &Strategy, rule: u16, scores: &[Score], nothing: bool) -> Vec<f64> {
    match strategy {
        Strategy::ThompsonBeta => thompson_beta::distribution(rule, scores, nothing),
        Strategy::ThompsonLinear => thompson_linear::distribution(rule, scores, nothing),
        Strategy::ThompsonLogistic => thompson_logistic::distribution(rule, scores, nothing),
        Strategy::Linucb { .. } => linucb::distribution(scores, nothing),
        Strategy::LinucbRandomised { widths, width_max } => {
            linucb_randomised::distribution(scores, nothing, *widths, *width_max)
        }
        Strategy::Squarecb { .. } => squarecb::distribution(scores, nothing),
        Strategy::BaggedLinear { bags } => bagged_linear::distribution(scores, nothing, *bags),
        Strategy::LinucbHybrid { .. } => linucb_hybrid::distribution(scores, nothing),
        Strategy::Greedy | Strategy::EpsilonGreedy => greedy::distribution(scores, nothing),
        Strategy::Uniform => uniform::distribution(scores, nothing),
    }
}

/// One for the highest mean, the first of equals; nothing comes last, with a mean of 0. All NaN if one is not finite.
fn highest(scores: &[Score], nothing: bool) -> Vec<f64> {
    let candidates = scores.len() + usize::from(nothing);
    if !scores.iter().all(|score| score.mean.is_finite()) {
        return vec![f64::NAN; candidates];
    }
    let means = || scores.iter().map(|score| score.mean).chain(nothing.then_some(0.0));
    let highest = means().fold(f64::NEG_INFINITY, f64::max);
    let best = means().position(|mean| mean >= highest);
    (0..candidates).map(|at| f64::from(u8::from(Some(at) == best))).collect()
}

/// Mixes the exploration mass in: `p = e/K + (1 - e) w`. No clipping, no renormalising: those would bias.
pub fn explore(w: &[f64], exploration: f64) -> Vec<f64> {
    let floor = exploration / count(w.len());
    w.iter().map(|w| floor + (1.0 - exploration) * w).collect()
}

/// Holds a distribution to its invariants: finite, at least e/K for everyone, summing to one within 1e-9.
pub fn check(p: &[f64], exploration: f64) -> Result<(), InvalidDistribution> {
    if p.is_empty() {
        return Err(InvalidDistribution::Empty);
    }
    let floor = exploration / count(p.len());
    for (position, &probability) in p.iter().enumerate() {
        if !probability.is_finite() {
            return Err(InvalidDistribution::NotFinite { position, probability });
        }
        if probability < 0.0 || probability < floor * (1.0 - 1e-12) {
            return Err(InvalidDistribution::BelowFloor { position, probability, floor });
        }
    }
    let sum: f64 = p.iter().sum();
    // Written so that NaN fails: an exploration mass of NaN must not pass.
    if (sum - 1.0).abs() <= 1e-9 && floor >= 0.0 { Ok(()) } else { Err(InvalidDistribution::Sum { sum }) }
}

#[expect(clippy::cast_precision_loss, reason = "candidates are far fewer than 2^53")]
pub(super) fn count(candidates: usize) -> f64 {
    candidates as f64
}
