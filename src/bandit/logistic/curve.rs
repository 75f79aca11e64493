//! The logistic curve over a normal predictor: what to expect of it. Reads no arm.

use crate::bandit::polynomials::exp;

/// Distance of nodes, in deviations.
const STEP: f64 = 0.5;

/// `exp(-z^2 / 2)` at 0, 1/2, 1, ... 6, over their sum with both signs.
const WEIGHTS: [f64; 13] = [
    0.199_471_140_255_837_95,
    0.176_032_663_430_794_4,
    0.120_985_362_293_004_62,
    0.064_758_797_850_841_24,
    0.026_995_483_264_053_93,
    0.008_764_150_249_206_144,
    0.002_215_924_206_581_349_4,
    0.000_436_341_347_643_458_05,
    6.691_511_290_093_391e-5,
    7.991_870_555_661_201e-6,
    7.433_597_575_725_68e-7,
    5.384_880_022_759_689e-8,
    3.037_941_425_751_144e-9,
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
