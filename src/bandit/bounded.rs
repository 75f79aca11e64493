//! Scores between two ends, and points: what their rules share. Knows no posterior and integrates nothing itself.
//!
//! The highest point (*nothing* is one, at 0) ends every integral from below; it is the largest where all others lie
//! below it.

use super::strategies::count;

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
