//! The hot rule: the probability that each of several independent Gaussian scores is the largest, within 1e-4 of the
//! exact rule and some forty times as fast. Draws nothing and mixes nothing in.
//!
//! The draw is made from what is computed here, so that its error never touches a propensity: it bounds only how
//! closely ideal Thompson sampling is followed.
//!
//! Scores that cannot win are left out. The largest score is bracketed: below `low` it lies with a probability under
//! 1e-5, above `up` nothing happens any more. One mesh serves all scores: it is geometric from `low`, because every
//! feature at a distance d above `low` has a width of the order of d. On it the trapezoid rule adds up
//! `w_a = sum_j v_j G(y_j) hazard_a(y_j)`, with `G = prod_b F_b`, in blocks of sixteen nodes.
//!
//! *Nothing*, with its score of 0 without spread, ends the integral at 0 where the largest score may lie below: there
//! the mesh starts eight times finer and the trapezoid rule is corrected at its end (Gregory).
//!
//! All lanes are single precision, measured from `low` in deviations of the narrowest score. The operations and their
//! order are fixed; every instruction set computes the same bits.

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use pulp::{Arch, NullaryFnOnce};

use super::Score;
use super::polynomials::{exp, ln, normal};

/// Nodes of one block.
const LANES: usize = 16;

type Lanes = [f32; LANES];

/// The bracket reaches from max(m - 4.3 s) to max(m + 5.3 s).
const REACH_DOWN: f64 = 4.3;
const REACH_UP: f64 = 5.3;

/// A score whose m + 5.5 s lies below the bracket is left out.
const REACH_KEPT: f64 = 5.5;

/// The largest score lies outside of the bracket with less than this probability on each side.
const OUTSIDE: f32 = 1e-5;

/// The lower end is tightened until it is known to this many deviations of the narrowest score.
const TIGHT: f64 = 0.7;

/// Scans that bracket the largest score, at most.
const SCANS_MAX: u32 = 4;

/// Distance of nodes in the logarithm of their distance from the lower end.
const STEP: f64 = 0.18;

/// Blocks of nodes, at most: widths over fifteen decades need 14.
const BLOCKS_MAX: usize = 16;

/// A product of distribution functions stops here, before it becomes subnormal, which is slow.
const PRODUCT_MIN: f32 = 1e-28;

/// Where nothing ends the integral, the mesh starts finer by this factor.
const EDGE_SCALE: f64 = 0.125;

/// Weights of the first nodes of a trapezoid rule whose integrand does not vanish at its end (Gregory, fourth
/// differences).
const EDGE_WEIGHTS: [f64; 5] = [95.0 / 288.0, 317.0 / 240.0, 23.0 / 30.0, 793.0 / 720.0, 157.0 / 160.0];

/// A score still in play, measured from the reference.
#[derive(Debug, Clone, Copy)]
struct Kept {
    at: usize,
    centre: f64,
    deviation: f64,
    inverse: f64, // 1 / deviation
    scale: f32,   // smallest deviation / deviation
    shift: f32,   // (centre - low) / deviation
}

/// The probability of each score to be the largest, summing to one; with `nothing`, behind them the probability that
/// none is above zero.
///
/// All NaN where a mean is not finite or a deviation is not a normal number above zero, so that the check of the
/// distribution refuses it.
pub fn gaussian(scores: &[Score], nothing: bool) -> Vec<f64> {
    gaussian_on(Arch::new(), scores, nothing)
}

/// The same on a given instruction set, for tests and benchmarks.
pub fn gaussian_on(arch: Arch, scores: &[Score], nothing: bool) -> Vec<f64> {
    arch.dispatch(Rule { scores, nothing })
}

/// Every instruction set that this processor has, the plain one first.
pub fn instruction_sets() -> Vec<(&'static str, Arch)> {
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "other processors have one set only"))]
    let mut sets = vec![("plain", Arch::Scalar)];
    #[cfg(target_arch = "x86_64")]
    {
        sets.extend(pulp::x86::V3::try_new().map(|set| ("avx2", Arch::V3(set))));
        sets.extend(pulp::x86::V4::try_new().map(|set| ("avx512", Arch::V4(set))));
    }
    sets
}

struct Rule<'a> {
    scores: &'a [Score],
    nothing: bool,
}

impl NullaryFnOnce for Rule<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn call(self) -> Vec<f64> {
        let Self { scores, nothing } = self;
        let mut w = vec![0.0; scores.len() + usize::from(nothing)];
        let sound = |s: &Score| s.mean.is_finite() && s.deviation.is_normal() && s.deviation > 0.0;
        if !scores.iter().all(sound) {
            w.fill(f64::NAN);
            return w;
        }
        // A `match`, because a closure handed to the library would be compiled for the plain instruction set.
        let nothings = match Bracket::find(scores, nothing) {
            Some(bracket) => bracket.integrate(&mut w),
            None => 1.0,
        };
        if nothing && let Some(last) = w.last_mut() {
            *last = nothings;
        }
        let sum: f64 = w.iter().sum();
        for w in &mut w {
            *w /= sum;
        }
        w
    }
}

/// Where the largest score lies, and the scores that may be it.
struct Bracket {
    kept: Vec<Kept>,
    low: f64,
    up: f64,
    narrowest: f64,
    edge: bool, // whether nothing ends the integral at `low`
}

impl Bracket {
    /// Brackets the largest score; nothing if none can be above zero and that is asked for, or there is none.
    #[inline(always)]
    fn find(scores: &[Score], nothing: bool) -> Option<Self> {
        // Measured from the mean of the score that begins last: far from zero, m - 4.3 s would round narrow ones away.
        let begin = |s: &Score| s.mean - REACH_DOWN * s.deviation;
        let mut latest = scores.first()?;
        for score in scores {
            if begin(score) > begin(latest) {
                latest = score;
            }
        }
        let reference = latest.mean;
        let (mut low, mut up) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for score in scores {
            let centre = score.mean - reference;
            let (begin, end) = (centre - REACH_DOWN * score.deviation, centre + REACH_UP * score.deviation);
            low = if begin > low { begin } else { low };
            up = if end > up { end } else { up };
        }
        let edge = nothing && low <= -reference;
        if edge {
            low = -reference;
            if up <= low {
                return None;
            }
        }
        let mut kept = Vec::with_capacity(scores.len());
        for (at, score) in scores.iter().enumerate() {
            let (centre, deviation) = (score.mean - reference, score.deviation);
            if centre + REACH_KEPT * deviation > low {
                kept.push(Kept { at, centre, deviation, inverse: 1.0 / deviation, scale: 0.0, shift: 0.0 });
            }
        }
        let mut bracket = Self { kept, low, up, narrowest: f64::INFINITY, edge };
        bracket.measure();
        bracket.tighten();
        Some(bracket)
    }

    /// Drops what lies below and measures the rest from the lower end.
    #[inline(always)]
    fn measure(&mut self) {
        let low = self.low;
        self.kept.retain(|kept| kept.centre + REACH_KEPT * kept.deviation > low);
        let mut narrowest = f64::INFINITY;
        for kept in &self.kept {
            narrowest = if kept.deviation < narrowest { kept.deviation } else { narrowest };
        }
        for kept in &mut self.kept {
            kept.scale = single(narrowest * kept.inverse);
            kept.shift = single((kept.centre - low) * kept.inverse);
        }
        self.narrowest = narrowest;
    }

    /// Scans the bracket with sixteen nodes, and the stretch in which the largest score begins again, until the lower
    /// end is known well: a group of equal narrow scores begins far above where each of them does.
    #[inline(always)]
    fn tighten(&mut self) {
        let mut gap = self.up - self.low;
        for scan in 0..SCANS_MAX {
            if self.kept.len() < 2 || (scan > 0 && gap <= TIGHT * self.narrowest) {
                return;
            }
            let reach = gap / self.narrowest;
            let mut y = [0.0_f64; LANES];
            if scan == 0 {
                let ratio = exp(ln(1.0 + reach) / 15.0);
                let mut power = 1.0;
                for y in &mut y {
                    *y = power - 1.0;
                    power *= ratio;
                }
            } else {
                for (y, at) in y.iter_mut().zip(0..) {
                    *y = reach * (f64::from(at) / 15.0);
                }
            }
            let g = product(&self.kept, &y.map(single));
            if self.edge && g.first().is_some_and(|g| *g > OUTSIDE) {
                gap = 0.0;
            } else {
                self.edge = false;
            }
            let begun = g.iter().position(|g| *g > OUTSIDE).unwrap_or(LANES).clamp(1, LANES - 1);
            let (below, above) = (y.get(begun - 1).copied().unwrap_or(0.0), y.get(begun).copied().unwrap_or(0.0));
            if scan == 0 {
                let ended = g.iter().rposition(|g| *g < 1.0 - OUTSIDE).map_or(1, |last| last + 1);
                if let Some(y) = y.get(ended) {
                    self.up = self.low + y * self.narrowest;
                }
            }
            if !self.edge {
                gap = (above - below) * self.narrowest;
                self.low += below * self.narrowest;
                self.measure();
            }
        }
    }

    /// Writes the masses of the scores and returns that of nothing.
    #[inline(always)]
    fn integrate(&self, w: &mut [f64]) -> f64 {
        if let ([kept], false) = (&self.kept[..], self.edge)
            && let Some(w) = w.get_mut(kept.at)
        {
            *w = 1.0;
            return 0.0;
        }
        let start = if self.edge { EDGE_SCALE } else { 1.0 };
        let reach = ln(1.0 + (self.up - self.low) / (self.narrowest * start));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casting saturates, and is capped")]
        let blocks = ((reach / STEP) as usize + 1).div_ceil(LANES).min(BLOCKS_MAX);
        let step = reach / (count(blocks * LANES) - 1.0);
        let mut powers = [1.0_f64; LANES];
        let ratio = exp(step);
        let mut power = 1.0;
        for slot in &mut powers {
            *slot = power;
            power *= ratio;
        }
        let next_block = power;

        let mut hazards: Vec<Lanes> = vec![[0.0; LANES]; self.kept.len()];
        let mut masses: Vec<Lanes> = vec![[0.0; LANES]; self.kept.len()];
        let mut nothings = 0.0;
        let mut base = 1.0;
        for block in 0..blocks {
            let grown = powers.map(|power| base * power);
            let y = grown.map(|grown| single(start * (grown - 1.0)));
            let mut v = grown.map(|grown| step * (start * grown));
            let mut g = [1.0; LANES];
            for (kept, hazards) in self.kept.iter().zip(&mut hazards) {
                multiply(kept, &y, &mut g, hazards);
            }
            if self.edge && block == 0 {
                nothings = g.first().map_or(0.0, |g| f64::from(*g));
                v.iter_mut().zip(EDGE_WEIGHTS).for_each(|(v, weight)| *v *= weight);
            }
            let mut q = [0.0; LANES];
            for ((q, v), g) in q.iter_mut().zip(v).zip(g) {
                *q = single(v * f64::from(g));
            }
            for (hazards, masses) in hazards.iter().zip(&mut masses) {
                for ((mass, hazard), q) in masses.iter_mut().zip(hazards).zip(q) {
                    *mass += q * hazard;
                }
            }
            base *= next_block;
        }
        for (kept, masses) in self.kept.iter().zip(&masses) {
            if let Some(w) = w.get_mut(kept.at) {
                *w = f64::from(kept.scale * sum(masses));
            }
        }
        nothings
    }
}

/// The product of the distribution functions at sixteen nodes.
#[inline(always)]
fn product(kept: &[Kept], y: &Lanes) -> Lanes {
    let (mut g, mut hazards) = ([1.0; LANES], [0.0; LANES]);
    for kept in kept {
        multiply(kept, y, &mut g, &mut hazards);
    }
    g
}

/// Multiplies the distribution function of one score into the product and gives its hazard.
#[inline(always)]
fn multiply(kept: &Kept, y: &Lanes, g: &mut Lanes, hazards: &mut Lanes) {
    for ((g, hazard), y) in g.iter_mut().zip(hazards).zip(y) {
        let (cdf, h) = normal(y * kept.scale - kept.shift);
        let product = *g * cdf;
        *g = if product > PRODUCT_MIN { product } else { PRODUCT_MIN };
        *hazard = h;
    }
}

/// The sum of sixteen lanes by a fixed tree.
#[inline(always)]
fn sum(x: &Lanes) -> f32 {
    let [x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15] = *x;
    let (x0, x1, x2, x3) = (x0 + x8, x1 + x9, x2 + x10, x3 + x11);
    let (x4, x5, x6, x7) = (x4 + x12, x5 + x13, x6 + x14, x7 + x15);
    let (x0, x1, x2, x3) = (x0 + x4, x1 + x5, x2 + x6, x3 + x7);
    (x0 + x2) + (x1 + x3)
}

#[expect(clippy::cast_possible_truncation, reason = "the one rounding into single precision, to nearest")]
#[inline(always)]
fn single(x: f64) -> f32 {
    x as f32
}

#[expect(clippy::cast_precision_loss, reason = "at most 256 nodes")]
#[inline(always)]
fn count(nodes: usize) -> f64 {
    nodes as f64
}
