//! The exact rule for logistic scores: composite Gauss-Legendre over places in the common range, with the complementary
//! error function. Slow; for tests, evaluation and replaying records that name rule 1.
//!
//! Breaks stand where every score's own logit is at every half of its deviation, and never further than one apart, so
//! that between two breaks no score is far from a normal one with its own scale.

use super::{PLACE_MAX, Range, Spread};
use crate::bandit::bounded::{Spread as _, add_segment};

/// Beyond this many deviations nothing is left of a logit.
const REACH: f64 = 8.5;

/// Places closer together than this are as one: where a score ends below the top, its last deviations are.
const CLOSE: f64 = 1e-9;

/// The mass of every score above the floor, and the probability that all lie below it.
pub(super) fn integrate(spreads: &[Spread], floor: f64) -> (Vec<f64>, f64) {
    let range = Range::of(spreads, floor);
    let mut masses = vec![0.0; spreads.len()];
    let mut shapes = Vec::with_capacity(spreads.len());
    let breaks = breaks(spreads, &range);
    for (start, stop) in breaks.iter().zip(breaks.iter().skip(1)) {
        if stop - start < CLOSE {
            jump(spreads, &range, (*start, *stop), &mut masses);
            continue;
        }
        add_segment(&mut masses, (spreads, &mut shapes), (*start, *stop), |spread, t| at(spread, &range, t));
    }
    let below = if floor.is_finite() {
        spreads.iter().map(|spread| cdf_from(spread, range.low - spread.low, spread.top() - range.low)).product()
    } else {
        0.0
    };
    (masses, below)
}

/// Adds the mass between two places close together, by the logarithmic mean: exact where one score alone moves.
fn jump(spreads: &[Spread], range: &Range, (start, stop): (f64, f64), masses: &mut [f64]) {
    let floored = |t: f64| spreads.iter().map(move |spread| libm::log(at(spread, range, t).0.max(1e-300)));
    let (from, to): (Vec<f64>, Vec<f64>) = (floored(start).collect(), floored(stop).collect());
    let (ln_from, ln_to): (f64, f64) = (from.iter().sum(), to.iter().sum());
    let (rise, g) = (ln_to - ln_from, libm::exp(ln_to));
    let mean = if rise > 1e-9 { -g * libm::expm1(-rise) / rise } else { g };
    masses.iter_mut().zip(from.iter().zip(&to)).for_each(|(mass, (from, to))| *mass += mean * (to - from));
}

fn breaks(spreads: &[Spread], range: &Range) -> Vec<f64> {
    let mut breaks = Vec::new();
    let low = spreads.iter().map(|s| range.place(s, s.mean - REACH * s.deviation)).fold(f64::NEG_INFINITY, f64::max);
    for spread in spreads {
        let step = (0.5 * spread.deviation).min(1.0);
        let mut s = spread.mean - REACH * spread.deviation;
        while s < spread.mean + REACH * spread.deviation + step {
            breaks.push(range.place(spread, s));
            s += step;
        }
    }
    // Where a score ends below the top, whatever is left of it lies just before; above the floor all move by place.
    let ends: Vec<f64> = spreads.iter().map(|spread| range.place(spread, PLACE_MAX)).collect();
    breaks.extend(ends.into_iter().map(Range::beyond));
    breaks.extend((-60..=60).map(f64::from));
    breaks.push(low);
    breaks.retain(|t| *t >= low);
    breaks.sort_by(f64::total_cmp);
    breaks.dedup();
    breaks
}

/// Distribution function, and density by place, of one score.
fn at(spread: &Spread, range: &Range, t: f64) -> (f64, f64) {
    let width = range.top - range.low;
    let (share, left) = (1.0 / (1.0 + libm::exp(-t)), 1.0 / (1.0 + libm::exp(t)));
    let from = (range.low - spread.low) + width * share;
    let rest = if t < 0.0 { spread.width - from } else { (spread.top() - range.top) + width * left };
    let cdf = cdf_from(spread, from, rest);
    if from <= 0.0 || rest <= 0.0 {
        return (cdf, 0.0);
    }
    let z = (libm::log(from) - libm::log(rest) - spread.mean) / spread.deviation;
    let slope = width * share * left * (1.0 / from + 1.0 / rest);
    (cdf, 0.398_942_280_401_432_7 * libm::exp(-0.5 * z * z) / spread.deviation * slope)
}

/// Distribution function so far from the lower end, and with so much left to the upper one.
fn cdf_from(spread: &Spread, from: f64, rest: f64) -> f64 {
    if from <= 0.0 {
        return 0.0;
    }
    if rest <= 0.0 {
        return 1.0;
    }
    let z = (libm::log(from) - libm::log(rest) - spread.mean) / spread.deviation;
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}
