//! Beta scores: the probability that each of several independent scores `y = m theta - c`, with theta
//! Beta-distributed, is the largest. Draws nothing and mixes nothing in.
//!
//! A negative margin turns a distribution round, a margin of zero makes it a point.

mod exact;
mod hot;
mod memo;

#[cfg(test)]
mod tests;

pub use memo::Memo;

use super::Score;
use super::bounded;

/// A Beta posterior and what it earns: all that its distribution is computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    /// 1 + accepted.
    pub alpha: f64,
    /// 1 + not accepted.
    pub beta: f64,
    /// m.
    pub margin: f64,
    /// c.
    pub cost: f64,
}

impl Beta {
    /// Mean of the score.
    pub fn mean(&self) -> f64 {
        self.margin * (self.alpha / (self.alpha + self.beta)) - self.cost
    }

    /// Deviation of the score.
    pub fn deviation(&self) -> f64 {
        let n = self.alpha + self.beta;
        self.margin.abs() * ((self.alpha / n) * (self.beta / n) / (n + 1.0)).sqrt()
    }

    /// Whether it is a posterior of counts: parameters of 1 and more, everything finite.
    fn sound(&self) -> bool {
        self.alpha >= 1.0
            && self.beta >= 1.0
            && [self.alpha + self.beta, self.margin, self.cost].iter().all(|number| number.is_finite())
    }
}

/// A score with a spread: `low + width theta`, theta ~ Beta(a, b), width above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    low: f64,
    width: f64,
    a: f64,
    b: f64,
    mean: f64,
    deviation: f64,
}

impl Spread {
    fn of(beta: &Beta) -> Option<Self> {
        let (mean, deviation) = (beta.mean(), beta.deviation());
        let width = beta.margin.abs();
        let (low, a, b) = if beta.margin > 0.0 {
            (-beta.cost, beta.alpha, beta.beta)
        } else {
            (beta.margin - beta.cost, beta.beta, beta.alpha)
        };
        // So narrow that its deviation is lost against its place: a point.
        (deviation > 0.0 && low + width > low).then_some(Self { low, width, a, b, mean, deviation })
    }
}

impl bounded::Spread for Spread {
    fn top(&self) -> f64 {
        self.low + self.width
    }
}

/// The distribution by the exact rule: composite quadrature of incomplete beta functions.
pub fn exact(scores: &[Score], nothing: bool) -> Vec<f64> {
    distribution(scores, nothing, exact::integrate)
}

/// The distribution by the hot rule, within 1e-4 of the exact one.
pub fn hot(scores: &[Score], nothing: bool) -> Vec<f64> {
    distribution(scores, nothing, hot::integrate)
}

/// All NaN where a score has no Beta posterior or one that counts cannot give.
fn distribution(scores: &[Score], nothing: bool, integrate: bounded::Integrate<Spread>) -> Vec<f64> {
    let betas: Vec<Beta> = scores.iter().filter_map(|score| score.beta).filter(Beta::sound).collect();
    if betas.len() < scores.len() {
        return vec![f64::NAN; scores.len() + usize::from(nothing)];
    }
    let parts: Vec<Result<Spread, f64>> =
        betas.iter().map(|beta| Spread::of(beta).ok_or_else(|| beta.mean())).collect();
    bounded::distribution(&parts, nothing, integrate)
}
