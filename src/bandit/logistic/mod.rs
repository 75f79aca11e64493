//! Logistic scores: what an arm believes about the logit of its acceptance, and the probability that each of several
//! independent scores `y = m sigma(s) - c`, with s Gaussian, is the largest. Draws nothing and mixes nothing in.
//!
//! A negative margin turns a distribution round, a margin of zero or a logit without spread makes it a point.

mod curve;
mod exact;
mod fit;
mod hot;

#[cfg(test)]
mod fit_tests;
#[cfg(test)]
mod tests;

pub(in crate::bandit) use fit::fit;

use super::bounded::{self, Spread as _};
use super::{Score, hot_rule};
use crate::bandit::polynomials::ln;
use curve::sigma;

/// A Gaussian logit and what its acceptance earns: all that a distribution is computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logit {
    /// mu.
    pub mean: f64,
    /// tau.
    pub deviation: f64,
    /// m.
    pub margin: f64,
    /// c.
    pub cost: f64,
}

impl Logit {
    /// Mean and deviation of the score, for readers.
    pub fn moments(&self) -> (f64, f64) {
        let (mean, deviation) = curve::moments(self.mean, self.deviation);
        (self.margin * mean - self.cost, self.margin.abs() * deviation)
    }

    fn sound(&self) -> bool {
        self.deviation >= 0.0
            && [self.mean, self.deviation, self.margin, self.cost].iter().all(|number| number.is_finite())
    }

    /// The score where the logit has no spread.
    fn point(&self) -> f64 {
        self.margin * sigma(self.mean) - self.cost
    }
}

/// A score with a spread: `low + width sigma(s)`, s ~ N(mean, deviation^2), width and deviation above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    low: f64,
    width: f64,
    mean: f64,
    deviation: f64,
}

impl Spread {
    fn of(logit: &Logit) -> Option<Self> {
        let width = logit.margin.abs();
        let (low, mean) =
            if logit.margin > 0.0 { (-logit.cost, logit.mean) } else { (logit.margin - logit.cost, -logit.mean) };
        // So narrow that it is lost against its place: a point.
        (logit.deviation > DEVIATION_MIN && low + width > low).then_some(Self {
            low,
            width,
            mean,
            deviation: logit.deviation,
        })
    }
}

/// A logit is not known better than this.
const DEVIATION_MIN: f64 = 1e-12;

impl bounded::Spread for Spread {
    fn top(&self) -> f64 {
        self.low + self.width
    }
}

/// Where scores lie: from the highest of the lower ends (or of the points) to the highest of the upper ones. A place in
/// it is told as the logit `t` of its share, so that both ends are told as closely as a single score tells them.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: f64,
    top: f64,
}

/// The lowest and the highest place are this far out.
const PLACE_MAX: f64 = 600.0;

impl Range {
    fn of(spreads: &[Spread], floor: f64) -> Self {
        Self {
            low: spreads.iter().fold(floor, |low, spread| low.max(spread.low)),
            top: spreads.iter().fold(f64::NEG_INFINITY, |top, spread| top.max(spread.top())),
        }
    }

    /// Where a score lies for a logit of its own.
    fn place(&self, spread: &Spread, s: f64) -> f64 {
        const TINY: f64 = 1e-300;
        let from = (spread.low - self.low) + spread.width * sigma(s);
        let rest = (self.top - spread.top()) + spread.width * sigma(-s);
        if from <= 0.0 {
            return -PLACE_MAX;
        }
        (ln(from.max(TINY)) - ln(rest.max(TINY))).clamp(-PLACE_MAX, PLACE_MAX)
    }

    /// Just behind a place: so far a score that ends there, below the top, has ended whatever was rounded.
    fn beyond(t: f64) -> f64 {
        t + 1e-12 * (1.0 + t.abs())
    }
}

/// The distribution by the exact rule: composite quadrature.
pub fn exact(scores: &[Score], nothing: bool) -> Vec<f64> {
    distribution(scores, nothing, |logits| bounded::distribution(&parts(logits), nothing, exact::integrate))
}

/// The distribution by the hot rule, within 1e-4 of the exact one. Where all earn and cost the same the largest logit
/// is the largest score: there it is the hot rule for Gaussians.
pub fn hot(scores: &[Score], nothing: bool) -> Vec<f64> {
    distribution(scores, nothing, |logits| {
        alike(logits, nothing).unwrap_or_else(|| bounded::distribution(&parts(logits), nothing, hot::integrate))
    })
}

/// All NaN where a score has no logit, or one that is no number.
fn distribution(scores: &[Score], nothing: bool, rule: impl Fn(&[Logit]) -> Vec<f64>) -> Vec<f64> {
    let logits: Vec<Logit> = scores.iter().filter_map(|score| score.logit).filter(Logit::sound).collect();
    if logits.len() < scores.len() {
        return vec![f64::NAN; scores.len() + usize::from(nothing)];
    }
    rule(&logits)
}

fn parts(logits: &[Logit]) -> Vec<Result<Spread, f64>> {
    logits.iter().map(|logit| Spread::of(logit).ok_or_else(|| logit.point())).collect()
}

/// The distribution of logits that all earn the same margin, above zero, at the same cost: nothing is where the score
/// is zero.
fn alike(logits: &[Logit], nothing: bool) -> Option<Vec<f64>> {
    let first = logits.first()?;
    let alike =
        |logit: &Logit| logit.margin == first.margin && logit.cost == first.cost && logit.deviation > DEVIATION_MIN;
    if first.margin <= 0.0 || !logits.iter().all(alike) {
        return None;
    }
    let share = first.cost / first.margin;
    if nothing && share >= 1.0 {
        return None;
    }
    // Below or at its lower end nothing never wins.
    let zero = if nothing && share > 0.0 { Some(ln(share) - ln(1.0 - share)) } else { None };
    let score = |logit: &Logit| Score::gaussian(logit.mean - zero.unwrap_or(0.0), logit.deviation);
    let gaussians: Vec<Score> = logits.iter().map(score).collect();
    let mut w = hot_rule::gaussian(&gaussians, zero.is_some());
    w.resize(logits.len() + usize::from(nothing), 0.0);
    Some(w)
}
