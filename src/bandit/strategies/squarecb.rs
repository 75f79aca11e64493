//! Inverse-gap weighting, `SquareCB` (Foster and Rakhlin, arXiv 2002.04926). Reads no width of a belief: how far a
//! candidate lies behind the best says how rarely it is tried, the more rarely the more was learned.

use super::{Arm, Score};

/// Score m mu - c; as the deviation the gap at which a candidate is tried as rarely as one of K + 1 alike,
/// scale / gamma, the same for all: `gamma = gamma_scale (1 + n)^gamma_exponent`, with n the weight of what the
/// candidates have learned and the scale their largest |m|, so that the unit of the objective cancels.
pub fn scores(arms: &[Arm], gamma_scale: f64, gamma_exponent: f64) -> Vec<Score> {
    let learned: f64 = arms.iter().map(|arm| arm.accepted + arm.declined).sum();
    let largest = |of: fn(&Arm) -> f64| arms.iter().map(of).fold(0.0, f64::max);
    // Where no candidate earns anything only costs differ.
    let scale = [largest(|arm| arm.margin.abs()), largest(|arm| arm.cost.abs()), 1.0];
    let scale = scale.into_iter().find(|scale| *scale > 0.0).unwrap_or(1.0);
    let deviation = scale / (gamma_scale * libm::pow(1.0 + learned, gamma_exponent));
    arms.iter().map(|arm| Score::gaussian(arm.margin * arm.estimate.mean - arm.cost, deviation)).collect()
}

/// `w_a = 1 / (K + (y_best - y_a) / deviation_a)`, and the best, the first of equals, has the rest. Nothing is one of
/// the K, with a score of 0. All NaN if a mean is not finite or a deviation not above zero.
pub fn distribution(scores: &[Score], nothing: bool) -> Vec<f64> {
    let mut w = super::highest(scores, nothing);
    let candidates = super::count(w.len());
    let Some(best) = w.iter().position(|share| *share > 0.0) else { return w };
    let sound = |score: &Score| score.deviation > 0.0 && score.deviation.is_finite();
    if !scores.iter().all(sound) {
        return vec![f64::NAN; w.len()];
    }
    let highest = scores.get(best).map_or(0.0, |score| score.mean);
    let deviation = scores.first().map_or(1.0, |score| score.deviation);
    let of = scores.iter().map(|score| (score.mean, score.deviation)).chain(nothing.then_some((0.0, deviation)));
    let mut rest = 1.0;
    for (at, (share, (mean, deviation))) in w.iter_mut().zip(of).enumerate() {
        if at != best {
            *share = 1.0 / (candidates + (highest - mean) / deviation);
            rest -= *share;
        }
    }
    if let Some(share) = w.get_mut(best) {
        *share = rest;
    }
    w
}
