//! `LinUCB` whose width is drawn: `RandUCB` (Vaswani et al., arXiv 1910.04928), with disjoint arms and one width for
//! all of them. Draws no width: the points of its grid are enumerated, each gives its weight to the candidate it picks.

use super::{Arm, Score};

/// Points of a grid, at most.
pub const WIDTHS_MAX: usize = 64;

/// Score m mu - c with deviation |m| v bonus.
pub fn scores(arms: &[Arm]) -> Vec<Score> {
    let score = |arm: &Arm| Score::gaussian(arm.margin * arm.estimate.mean - arm.cost, arm.deviation());
    arms.iter().map(score).collect()
}

/// `w_a` = the weight of the points at which a has the largest mean + width deviation, the first of equals. The points
/// lie evenly from 0 to `width_max` and weigh as a normal density of deviation 1 folded at 0 does, scaled to one.
/// Nothing has a score of 0 at every point. All NaN if a mean or a deviation is not finite, or a deviation below zero.
pub fn distribution(scores: &[Score], nothing: bool, widths: u16, width_max: f64) -> Vec<f64> {
    let candidates = scores.len() + usize::from(nothing);
    let sound = |score: &Score| score.mean.is_finite() && score.deviation.is_finite() && score.deviation >= 0.0;
    if !scores.iter().all(sound) {
        return vec![f64::NAN; candidates];
    }
    let points = usize::from(widths).clamp(1, WIDTHS_MAX);
    let step = width_max / super::count(points.max(2) - 1);
    let (mut grid, mut weights, mut whole) = ([0.0; WIDTHS_MAX], [0.0; WIDTHS_MAX], 0.0);
    for (at, (width, weight)) in grid.iter_mut().zip(&mut weights).take(points).enumerate() {
        *width = step * super::count(at);
        *weight = libm::exp(-0.5 * *width * *width);
        whole += *weight;
    }
    // Candidate by candidate, so that the points stand side by side in the inner loop.
    let (mut best, mut by) = ([f64::NEG_INFINITY; WIDTHS_MAX], [0_usize; WIDTHS_MAX]);
    let of = scores.iter().map(|score| (score.mean, score.deviation)).chain(nothing.then_some((0.0, 0.0)));
    for (at, (mean, deviation)) in of.enumerate() {
        for ((best, by), width) in best.iter_mut().zip(&mut by).zip(&grid).take(points) {
            let bound = mean + width * deviation;
            if bound > *best {
                (*best, *by) = (bound, at);
            }
        }
    }
    let mut w = vec![0.0; candidates];
    for (at, weight) in by.iter().zip(&weights).take(points) {
        if let Some(share) = w.get_mut(*at) {
            *share += weight / whole;
        }
    }
    w
}
