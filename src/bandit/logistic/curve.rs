//! The logistic curve over a normal predictor: what to expect of it. Reads no arm.

use crate::bandit::polynomials::exp;

/// Distance of nodes, in deviations.
const STEP: f64 = 0.5;

/// `exp(-z^2 / 2)` at 0, 1/2, 1, ... 6, over their sum with both signs.
const WEIGHTS: [f64; 13] = [
    0.19947114025583795,
    0.1760326634307944,
    0.12098536229300462,
    0.06475879785084124,
    0.02699548326405393,
    0.008764150249206144,
    0.0022159242065813494,
    0.00043634134764345805,
    6.691511290093391e-05,
    7.991870555661201e-06,
    7.43359757572568e-07,
    5.384880022759689e-08,
    3.037941425751144e-09,
];

/// `sigma(s) = 1 / (1 + exp(-s))`.
pub(in crate::bandit) fn sigma(s: f64) -> f64 {
    1.0 / (1.0 + exp(-s))
}

/// Expected `sigma(s)` and its first three derivatives for `s ~ N(mean, variance)`, by the trapezoid rule over six
/// deviations: to 1e-8 for deviations up to two, to 1e-3 for five.
pub(super) fn expected(mean: f64, variance: f64) -> [f64; 4] {
    let deviation = variance.sqrt();
    let mut sums = [0.0; 4];
    let mut add = |z: f64, weight: f64| {
        let p = sigma(mean + deviation * z);
        let slope = p * (1.0 - p);
        for (sum, value) in sums.iter_mut().zip([p, slope, slope * (1.0 - 2.0 * p), slope * (1.0 - 6.0 * slope)]) {
            *sum += weight * value;
        }
    };
    let mut z = 0.0;
    for (at, weight) in WEIGHTS.into_iter().enumerate() {
        add(z, weight);
        if at > 0 {
            add(-z, weight);
        }
        z += STEP;
    }
    sums
}

/// Mean and deviation of `sigma(s)` for `s ~ N(mean, deviation^2)`.
pub(super) fn moments(mean: f64, deviation: f64) -> (f64, f64) {
    let [p, slope, ..] = expected(mean, deviation * deviation);
    // E[p^2] = E[p] - E[p (1 - p)]
    let variance = p - slope - p * p;
    (p, if variance > 0.0 { variance.sqrt() } else { 0.0 })
}
