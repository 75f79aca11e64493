//! Scores between two ends, and points: what their rules share. Knows no posterior and makes no mesh.
//!
//! The highest point (*nothing* is one, at 0) ends every integral from below; it is the largest where all others lie
//! below it.

use super::strategies::count;

/// Positive nodes and weights of 8-point Gauss-Legendre on [-1, 1].
pub(super) const NODES: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_27),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// A score with a spread, which ends.
pub(super) trait Spread: Copy {
    /// Where it ends.
    fn top(&self) -> f64;
}

/// A rule: the mass of every spread above the floor, and the probability that all lie below it.
pub(super) type Integrate<S> = fn(&[S], f64) -> (Vec<f64>, f64);

/// The distribution of scores, each a spread or a point where it always lies, by a rule; with `nothing` behind them
/// the probability that none is above zero. Not normalised where the sum misses 1 by more than a rule may, so that the
/// check of the distribution refuses it.
pub(super) fn distribution<S: Spread>(parts: &[Result<S, f64>], nothing: bool, integrate: Integrate<S>) -> Vec<f64> {
    let mut w = vec![0.0; parts.len() + usize::from(nothing)];
    let mut points: Vec<(usize, f64)> =
        parts.iter().enumerate().filter_map(|(at, part)| Some((at, part.err()?))).collect();
    points.extend(nothing.then_some((parts.len(), 0.0)));
    let floor = points.iter().fold(f64::NEG_INFINITY, |floor: f64, (_, y)| floor.max(*y));
    points.retain(|(_, y)| *y >= floor);

    let spreads = parts.iter().enumerate().filter_map(|(at, part)| Some((at, part.ok()?)));
    let kept: Vec<(usize, S)> = spreads.filter(|(_, spread)| spread.top() > floor).collect();
    let shapes: Vec<S> = kept.iter().map(|(_, spread)| *spread).collect();
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
    let each = below / count(points.len());
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

/// Adds what each score wins between two places: `integral of f_a prod_{b != a} F_b` by one Gauss-Legendre segment.
/// `at` gives the distribution function and the density of a score at a place; `shapes` is room for them.
pub(super) fn add_segment<S>(
    masses: &mut [f64],
    (scores, shapes): (&[S], &mut Vec<(f64, f64, f64)>),
    (start, stop): (f64, f64),
    at: impl Fn(&S, f64) -> (f64, f64),
) {
    let (middle, half) = (0.5 * (start + stop), 0.5 * (stop - start));
    for (node, weight) in NODES.into_iter().chain(NODES.map(|(node, weight)| (-node, weight))) {
        shapes.clear();
        let mut before = 1.0;
        for score in scores {
            let (cdf, pdf) = at(score, middle + half * node);
            shapes.push((before, cdf, pdf));
            before *= cdf;
        }
        let mut after = half * weight;
        for (mass, (before, cdf, pdf)) in masses.iter_mut().zip(shapes.iter()).rev() {
            *mass += pdf * before * after;
            after *= cdf;
        }
    }
}

/// The logarithmic mean of two numbers whose logarithms differ by `rise`.
#[expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]
#[inline(always)]
pub(super) fn logarithmic_mean(rise: f64, (here, next): (f64, f64)) -> f64 {
    // Where it hardly rises the quotient would lose its digits; this is its series.
    if rise > 1e-3 { (next - here) / rise } else { 0.5 * (here + next) * (1.0 - rise * rise / 12.0) }
}
