//! The exact rule for Beta scores: composite Gauss-Legendre over the whole support, with incomplete beta functions.
//! Slow; for tests, evaluation and replaying records that name rule 1.
//!
//! Breaks stand at every deviation of every score and at every end of a support, where densities jump. Where a
//! parameter is not whole and small, a density leaves its end like a broken power; there breaks close in on the end
//! by halves.

use super::Spread;
use crate::bandit::bounded::{Spread as _, add_segment};

/// Beyond this many deviations from its mean less than 1e-17 of the most skewed Beta is left.
const REACH: i32 = 40;

/// Halvings towards an end that a density leaves like a broken power.
const HALVINGS: i32 = 30;

/// The mass of every score above the floor, and the probability that all lie below it.
pub(super) fn integrate(spreads: &[Spread], floor: f64) -> (Vec<f64>, f64) {
    let low = spreads.iter().fold(floor, |low, spread| low.max(spread.low));
    let high = spreads.iter().fold(low, |high, spread| high.max(spread.top()));
    let scores: Vec<(&Spread, f64)> = spreads.iter().map(|spread| (spread, ln_beta(spread.a, spread.b))).collect();
    let at = |(spread, log): &(&Spread, f64), y: f64| at(spread, *log, y);
    let mut masses = vec![0.0; spreads.len()];
    let mut shapes = Vec::with_capacity(spreads.len());
    let breaks = breaks(spreads, low, high);
    for (start, stop) in breaks.iter().zip(breaks.iter().skip(1)) {
        add_segment(&mut masses, (&scores, &mut shapes), (*start, *stop), at);
    }
    let below = if floor.is_finite() { scores.iter().map(|score| at(score, floor).0).product() } else { 0.0 };
    (masses, below)
}

fn breaks(spreads: &[Spread], low: f64, high: f64) -> Vec<f64> {
    let mut breaks = vec![low, high];
    for spread in spreads {
        breaks.extend((-REACH..=REACH).map(|k| spread.mean + f64::from(k) * spread.deviation));
        breaks.extend([spread.low, spread.top()]);
        let broken = |parameter: f64| parameter < 6.0 && libm::floor(parameter) < parameter;
        let halves = (0..HALVINGS).map(|k| spread.deviation / f64::from(1 << k));
        breaks.extend(halves.clone().filter(|_| broken(spread.a)).map(|half| spread.low + half));
        breaks.extend(halves.filter(|_| broken(spread.b)).map(|half| spread.top() - half));
    }
    breaks.retain(|y| (low..=high).contains(y));
    breaks.sort_by(f64::total_cmp);
    breaks.dedup();
    breaks
}

/// Distribution function and density of one score.
fn at(spread: &Spread, ln_beta: f64, y: f64) -> (f64, f64) {
    let (x, rest) = ((y - spread.low) / spread.width, (spread.top() - y) / spread.width);
    if x <= 0.0 {
        return (0.0, 0.0);
    }
    if rest <= 0.0 {
        return (1.0, 0.0);
    }
    let (a, b) = (spread.a, spread.b);
    let ln_x = if x < 0.5 { libm::log(x) } else { libm::log1p(-rest) };
    let ln_rest = if rest < 0.5 { libm::log(rest) } else { libm::log1p(-x) };
    let front = libm::exp(a * ln_x + b * ln_rest - ln_beta);
    let cdf = if x < (a + 1.0) / (a + b + 2.0) {
        front * continued_fraction(a, b, x) / a
    } else {
        1.0 - front * continued_fraction(b, a, rest) / b
    };
    (cdf, front / (x * rest * spread.width))
}

fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// Of the incomplete beta function, by the method of Lentz.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guarded = |number: f64| if number.abs() < TINY { TINY } else { number };
    let (mut c, mut d) = (1.0, 1.0 / guarded(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..200_000_u32 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guarded(1.0 + even * d);
        c = guarded(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guarded(1.0 + odd * d);
        c = guarded(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}
