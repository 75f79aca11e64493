//! The hot rule for Beta scores: one mesh for all, distribution functions by running quadrature, then Stieltjes sums.
//! Within 1e-4 of the exact rule; needs no gamma function and no continued fraction.
//!
//! The mesh is geometric from the lower end, where the score that begins last begins. Each score's density is
//! integrated along it (its own scale drops out when its total is divided out), and its mass is `sum_j c_j (ln
//! F(y_{j+1}) - ln F(y_j))` with `c_j` the logarithmic mean of `G = prod_b F_b` over the cell. These masses sum to
//! the rise of G whatever the mesh. Two meshes, one with half the nodes of the other, are extrapolated (Richardson).
//! Towards the ends of supports, where densities jump or break off, nodes close in by halves.

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use pulp::{Arch, NullaryFnOnce};

use super::Spread;
use crate::bandit::bounded::{Spread as _, logarithmic_mean};
use crate::bandit::polynomials::{exp, ln};

const LANES: usize = 8;

/// A score begins and ends this many deviations from its mean: of the most skewed Beta 3e-7 is left beyond.
const REACH: f64 = 14.0;

/// Distance of nodes in the logarithm of their distance from the lower end.
const STEP: f64 = 0.016;

/// Cells of the mesh.
const CELLS_MIN: usize = 128;
const CELLS_MAX: usize = 2_048;

/// Ends of supports that nodes close in on, the highest first, and how often they halve their distance.
const ENDS_MAX: usize = 32;
const HALVINGS: usize = 8;

/// Above this parameter a density ends smoothly.
const BROKEN: f64 = 6.0;

/// Blocks of cells between where a score begins and the mesh.
const BLOCKS_BEFORE: usize = 8;

/// A distribution function stops here, so that its logarithm stays a number.
const CDF_MIN: f64 = 1e-30;

/// Nodes and weights of Gauss-Legendre on [0, 1].
const TWO: [(f64, f64); 2] = [(0.211_324_865_405_187_13, 0.5), (0.788_675_134_594_812_9, 0.5)];
const FOUR: [(f64, f64); 4] = [
    (0.069_431_844_202_973_71, 0.173_927_422_568_726_92),
    (0.330_009_478_207_571_87, 0.326_072_577_431_273_07),
    (0.669_990_521_792_428_1, 0.326_072_577_431_273_07),
    (0.930_568_155_797_026_3, 0.173_927_422_568_726_92),
];

/// The mass of every score above the floor, and the probability that all lie below it.
pub(super) fn integrate(spreads: &[Spread], floor: f64) -> (Vec<f64>, f64) {
    integrate_on(Arch::new(), spreads, floor)
}

/// The same on a given instruction set.
pub(super) fn integrate_on(arch: Arch, spreads: &[Spread], floor: f64) -> (Vec<f64>, f64) {
    arch.dispatch(Rule { spreads, floor })
}

struct Rule<'a> {
    spreads: &'a [Spread],
    floor: f64,
}

impl NullaryFnOnce for Rule<'_> {
    type Output = (Vec<f64>, f64);

    #[inline(always)]
    fn call(self) -> (Vec<f64>, f64) {
        let Self { spreads, floor } = self;
        let low = spreads.iter().fold(floor, |low, spread| low.max(begin(spread)));
        let mut masses = vec![0.0; spreads.len()];
        let kept: Vec<(usize, &Spread)> = spreads.iter().enumerate().filter(|(_, s)| end(s) > low).collect();
        if kept.is_empty() {
            return (masses, 1.0);
        }
        let y = mesh(&kept, low);
        let mut rises: Vec<Vec<f64>> = Vec::with_capacity(kept.len());
        let mut ln_g = vec![0.0; y.len()];
        for (_, spread) in &kept {
            let ln_f = ln_cdf(spread, &y);
            ln_g.iter_mut().zip(&ln_f).for_each(|(g, f)| *g += f);
            rises.push(ln_f.iter().zip(ln_f.iter().skip(1)).map(|(here, next)| next - here).collect());
        }
        let (fine, coarse) = (means(&ln_g, 1), means(&ln_g, 2));
        for ((at, _), rises) in kept.iter().zip(&rises) {
            let sum: f64 = rises.iter().zip(&fine).map(|(rise, c)| rise * c).sum();
            let rough: f64 = rises.chunks_exact(2).zip(&coarse).map(|(two, c)| two.iter().sum::<f64>() * c).sum();
            if let Some(mass) = masses.get_mut(*at) {
                let extrapolated = (4.0 * sum - rough) / 3.0;
                *mass = if extrapolated > 0.0 { extrapolated } else { 0.0 };
            }
        }
        let below = if low > floor { 0.0 } else { ln_g.first().map_or(0.0, |ln_g| exp(*ln_g)) };
        (masses, below)
    }
}

#[inline(always)]
fn begin(spread: &Spread) -> f64 {
    (spread.mean - REACH * spread.deviation).max(spread.low)
}

#[inline(always)]
fn end(spread: &Spread) -> f64 {
    (spread.mean + REACH * spread.deviation).min(spread.top())
}

/// Nodes from the lower end to where the last score ends; their number less one is a multiple of the lanes.
#[inline(always)]
fn mesh(kept: &[(usize, &Spread)], low: f64) -> Vec<f64> {
    let up = kept.iter().fold(low, |up, (_, spread)| up.max(end(spread)));
    let narrowest = kept.iter().fold(f64::INFINITY, |narrow, (_, spread)| narrow.min(spread.deviation));
    let reach = ln(1.0 + (up - low) / narrowest);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casting saturates, and is clamped")]
    let blocks = ((reach / (STEP * count(LANES))) as usize + 1).clamp(CELLS_MIN / LANES, CELLS_MAX / LANES);
    let cells = blocks * LANES;
    let step = reach / count(cells);
    let mut coarse: Vec<f64> = (0..cells / 2).map(|at| low + narrowest * (exp(step * count(2 * at)) - 1.0)).collect();
    // Where a support ends a density jumps or breaks off like a broken power: nodes close in on it by halves.
    let mut broken: Vec<(f64, f64)> = kept
        .iter()
        .filter(|(_, spread)| spread.b < BROKEN && end(spread) >= spread.top())
        .map(|(_, spread)| (spread.top(), spread.deviation))
        .collect();
    broken.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (top, deviation) in broken.into_iter().take(ENDS_MAX) {
        let mut before = 0.25 * deviation;
        coarse.push(top);
        for _ in 0..HALVINGS {
            coarse.push(top - before);
            before *= 0.5;
        }
    }
    coarse.retain(|y| *y >= low && *y < up);
    coarse.sort_by(f64::total_cmp);
    coarse.dedup();
    coarse.push(up);
    let mut y = Vec::with_capacity(2 * coarse.len() + LANES);
    for (here, next) in coarse.iter().zip(coarse.iter().skip(1)) {
        y.extend([*here, 0.5 * (here + next)]);
    }
    // Empty cells fill the last lanes.
    let whole = y.len().next_multiple_of(LANES);
    y.resize(whole + 1, up);
    y
}

/// The logarithm of the distribution function at every node.
#[inline(always)]
fn ln_cdf(spread: &Spread, y: &[f64]) -> Vec<f64> {
    let (begin, end) = (begin(spread), end(spread));
    let low = y.first().copied().unwrap_or(begin);
    let mut cdf = 0.0;
    if begin < low {
        // Cells that grow from where the score begins, where its density may be like a broken power.
        let at = |cell: usize| {
            let u = count(cell) / count(BLOCKS_BEFORE * LANES);
            begin + (low - begin) * (u * u)
        };
        for block in 0..BLOCKS_BEFORE {
            let (mut start, mut width) = ([0.0; LANES], [0.0; LANES]);
            for ((start, width), cell) in start.iter_mut().zip(&mut width).zip(block * LANES..) {
                *start = at(cell);
                *width = at(cell + 1) - *start;
            }
            cdf += cells(spread, &start, &width, &FOUR).iter().sum::<f64>();
        }
    }
    let mut ln_f = Vec::with_capacity(y.len());
    ln_f.push(cdf);
    let (starts, ends) = (y.chunks_exact(LANES), y.get(1..).unwrap_or_default().chunks_exact(LANES));
    for (starts, ends) in starts.zip(ends) {
        let mut masses = [0.0; LANES];
        if ends.last().is_some_and(|last| *last > begin) && starts.first().is_some_and(|first| *first < end) {
            let (mut start, mut width) = ([0.0; LANES], [0.0; LANES]);
            for ((start, width), (from, to)) in start.iter_mut().zip(&mut width).zip(starts.iter().zip(ends)) {
                *start = if *from > begin { *from } else { begin };
                let stop = if *to < end { *to } else { end };
                *width = if stop > *start { stop - *start } else { 0.0 };
            }
            masses = cells(spread, &start, &width, &TWO);
        }
        for mass in masses {
            cdf += mass;
            ln_f.push(cdf);
        }
    }
    for f in &mut ln_f {
        let share = *f / cdf;
        *f = ln(if share > CDF_MIN { share } else { CDF_MIN });
    }
    ln_f
}

/// The masses of eight cells, on a scale of the score's own.
#[inline(always)]
fn cells(spread: &Spread, start: &[f64; LANES], width: &[f64; LANES], nodes: &[(f64, f64)]) -> [f64; LANES] {
    const X_MIN: f64 = 1e-300;
    let Spread { low, a, b, .. } = *spread;
    let (top, n) = (spread.top(), a + b);
    // Measured from the mean, so that no power overflows: the density there is at least a third of its highest.
    let (to_x, to_rest) = (n / (a * spread.width), n / (b * spread.width));
    let mut masses = [0.0; LANES];
    for (node, weight) in nodes {
        for ((mass, start), width) in masses.iter_mut().zip(start).zip(width) {
            let y = start + node * width;
            let (x, rest) = ((y - low) * to_x, (top - y) * to_rest);
            let (x, rest) = (if x > X_MIN { x } else { X_MIN }, if rest > X_MIN { rest } else { X_MIN });
            *mass += weight * width * exp((a - 1.0) * ln(x) + (b - 1.0) * ln(rest));
        }
    }
    masses
}

/// The logarithmic mean of G over every cell of `stride` nodes.
#[inline(always)]
fn means(ln_g: &[f64], stride: usize) -> Vec<f64> {
    let nodes = ln_g.iter().step_by(stride);
    let mean = |(here, next): (&f64, &f64)| logarithmic_mean(next - here, (exp(*here), exp(*next)));
    nodes.clone().zip(nodes.skip(1)).map(mean).collect()
}

#[expect(clippy::cast_precision_loss, reason = "cells are far fewer than 2^53")]
#[inline(always)]
fn count(cells: usize) -> f64 {
    cells as f64
}
