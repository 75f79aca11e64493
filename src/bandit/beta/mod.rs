//! Beta scores: the probability that each of several independent scores `y = m theta - c`, with theta Beta-distributed, is
//! the largest. Draws nothing and mixes nothing in.
//!
//! Two rules share the shape of the problem, which stands here: a negative margin turns a distribution round, a margin
//! of zero makes it a point. The highest point (*nothing* is one, at 0) ends every integral from below; it is the
//! largest where all others lie below it.

mod exact;
mod hot;
mod memo;

#[cfg(test)]
mod tests;

pub use memo::Memo;

use super::Score;

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

    fn top(&self) -> f64 {
        self.low + self.width
    }
}

/// One of the two rules: the mass of every spread above the floor, and the probability that all lie below it.
type Integrate = fn(&[Spread], f64) -> (Vec<f64>, f64);

/// The distribution by the exact rule: composite quadrature of incomplete beta functions.
pub fn exact(scores: &[Score], nothing: bool) -> Vec<f64> {
    distribution(scores, nothing, exact::integrate)
}

/// The distribution by the hot rule, within 1e-4 of the exact one.
pub fn hot(scores: &[Score], nothing: bool) -> Vec<f64> {
    distribution(scores, nothing, hot::integrate)
}

/// All NaN where a score has no Beta posterior or one that counts cannot give, and not normalised where the sum misses 1
/// by more than the rule may, so that the check of the distribution refuses it.
fn distribution(scores: &[Score], nothing: bool, integrate: Integrate) -> Vec<f64> {
    let mut w = vec![0.0; scores.len() + usize::from(nothing)];
    let betas: Vec<Beta> = scores.iter().filter_map(|score| score.beta).filter(Beta::sound).collect();
    if betas.len() < scores.len() {
        w.fill(f64::NAN);
        return w;
    }
    let spreads: Vec<(usize, Spread)> =
        betas.iter().enumerate().filter_map(|(at, beta)| Some((at, Spread::of(beta)?))).collect();
    let mut points: Vec<(usize, f64)> = betas
        .iter()
        .enumerate()
        .filter(|(_, beta)| Spread::of(beta).is_none())
        .map(|(at, beta)| (at, beta.mean()))
        .collect();
    points.extend(nothing.then_some((scores.len(), 0.0)));
    let floor = points.iter().fold(f64::NEG_INFINITY, |floor: f64, (_, y)| floor.max(*y));
    points.retain(|(_, y)| *y >= floor);

    let kept: Vec<(usize, Spread)> = spreads.into_iter().filter(|(_, spread)| spread.top() > floor).collect();
    let shapes: Vec<Spread> = kept.iter().map(|(_, spread)| *spread).collect();
    let (masses, below) = match shapes.len() {
        0 => (Vec::new(), 1.0),
        1 if points.is_empty() => (vec![1.0], 0.0),
        _ => integrate(&shapes, floor),
    };
    for ((at, _), mass) in kept.iter().zip(masses) {
        if let Some(w) = w.get_mut(*at) {
            *w = mass;
        }
    }
    let each = below / super::strategies::count(points.len());
    for (at, _) in points {
        if let Some(w) = w.get_mut(at) {
            *w = each;
        }
    }
    let sum: f64 = w.iter().sum();
    if (sum - 1.0).abs() < 1e-3 {
        for w in &mut w {
            *w /= sum;
        }
    }
    w
}
