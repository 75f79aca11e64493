//! A logistic regression from sums alone: the mean and the curvature of the logits of one arm. Sees no single
//! observation, stores nothing and draws nothing.
//!
//! `sum w r x` and `sum w x x'` hold no logistic likelihood, but they hold the share of every category that accepted,
//! and where the predictor lies in every category on average. What is only 0 or 1 is told by the sums themselves
//! (`sum w x^2 = sum w x`); components that never meet make a *block*, which parts the observations into *cells*. In a
//! cell the predictor is taken as normal, with the mean and the variance that the sums give it, and its expected
//! acceptance must be what was accepted there; components of other values follow by Stein's lemma. So one factor of
//! categories is fitted exactly, normal features nearly so, several factors as if their interactions were normal.

use super::curve::expected;
use crate::bandit::posterior::PosteriorAlarm;

/// Newton steps: six are usual, and the steps are halved from the twentieth on.
const STEPS_MAX: usize = 40;

/// Steps before they are halved.
const STEPS_WHOLE: usize = 20;

/// Shares of the variance that blocks have are settled after this many steps.
const STEPS_SHARES: usize = 8;

/// The most that the predictor of a cell moves in one step.
const MOVE_MAX: f64 = 1.5;

/// A step below this is the last.
const MOVE_MIN: f64 = 1e-7;

/// What is smaller among the eigenvalues of the scaled `sum w x x'` holds nothing that was learned.
const EIGENVALUE_MIN: f64 = 1e-3;

/// A cell with less of all weight is left out.
const SHARE_MIN: f64 = 1e-9;

/// Some of the observations: those with one category, or those with none of a block.
struct Cell {
    block: usize,
    component: Option<usize>,
    mass: f64,
    row: Vec<f64>, // sum of w x over the cell
}

/// The sums of one arm, taken apart.
struct Parts<'a> {
    m: &'a [f64], // sum w x x', square
    d: usize,
    blocks: Vec<Vec<usize>>,
    unit: Vec<usize>, // of a component its block; one behind the last for components that are not 0 or 1
    cells: Vec<Cell>,
}

/// What the sums say of the predictor `theta' x` under some theta.
struct Predictor {
    sums: Vec<f64>,       // sum w x theta' x
    means: Vec<f64>,      // by cell
    curve: Vec<[f64; 4]>, // by cell: expected acceptance and its derivatives
    slopes: Vec<f64>,     // by block: expected first derivative
    spreads: Vec<f64>,    // by unit and unit: their covariance
    with: Vec<f64>,       // by component and unit: their covariance
}

/// The logits of an arm and their precision, both with the prior `N(centre e_0, I / lambda)`: `m` is the square
/// `sum w x x'` with the intercept first, `b` is `sum w r x`.
pub(in crate::bandit) fn fit(
    m: &[f64],
    b: &[f64],
    lambda: f64,
    centre: f64,
) -> Result<(Vec<f64>, Vec<f64>), PosteriorAlarm> {
    let d = b.len();
    let mut theta = vec![0.0; d];
    theta[0] = centre;
    let mut a = vec![0.0; d * d];
    if m[0] <= 0.0 {
        (0..d).for_each(|k| a[k * d + k] = lambda);
        return Ok((theta, a));
    }
    let parts = Parts::of(m, d);
    let projector = parts.projector()?;
    let mut shares = vec![0.0; parts.blocks.len()];
    let mut last = false;
    for step in 0.. {
        let predictor = parts.predictor(&theta);
        if step <= STEPS_SHARES {
            shares = parts.shares(&predictor);
        }
        let (mut expected, curvature) = parts.mixed(&predictor, &shares);
        a = curvature;
        if last || step == STEPS_MAX {
            break;
        }
        let jacobian = parts.by_cells(&predictor, &theta, &mut expected, &a);
        let rest: Vec<f64> = b.iter().zip(&expected).map(|(b, e)| b - e).collect();
        let (mut delta, mut system) = (vec![0.0; d], vec![0.0; d * d]);
        for i in 0..d {
            for k in 0..d {
                let p = projector[i * d + k];
                delta[i] += p * rest[k];
                for l in 0..d {
                    system[i * d + l] += p * jacobian[k * d + l];
                }
            }
            delta[i] -= lambda * (theta[i] - if i == 0 { centre } else { 0.0 });
            system[i * d + i] += lambda;
        }
        eliminate(&mut system, &mut delta)?;
        let moved = parts.moved(&delta);
        let whole = if step < STEPS_WHOLE { 1.0 } else { 0.5 };
        let scale = whole * if moved > MOVE_MAX { MOVE_MAX / moved } else { 1.0 };
        theta.iter_mut().zip(&delta).for_each(|(t, d)| *t += scale * d);
        last = moved < MOVE_MIN;
    }
    (0..d).for_each(|k| a[k * d + k] += lambda);
    Ok((theta, a))
}

impl<'a> Parts<'a> {
    fn of(m: &'a [f64], d: usize) -> Self {
        let n = m[0];
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        let mut unit = vec![usize::MAX; d];
        // Exactly equal where x is 0 or 1, since the sums are of integers.
        for j in (1..d).filter(|j| m[j * d + j] > 0.0 && m[j * d + j] == m[*j]) {
            let apart = |block: &Vec<usize>| block.iter().all(|k| m[j * d + k] == 0.0);
            unit[j] = blocks.iter().position(apart).unwrap_or(blocks.len());
            match blocks.get_mut(unit[j]) {
                Some(block) => block.push(j),
                None => blocks.push(vec![j]),
            }
        }
        if blocks.is_empty() {
            blocks.push(Vec::new());
        }
        let mut cells = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            let mut rest = m[..d].to_vec();
            for j in block {
                let row = m[j * d..(j + 1) * d].to_vec();
                rest.iter_mut().zip(&row).for_each(|(rest, x)| *rest -= x);
                rest[*j] = 0.0;
                cells.push(Cell { block: at, component: Some(*j), mass: row[*j], row });
            }
            if rest[0] > SHARE_MIN * n {
                cells.push(Cell { block: at, component: None, mass: rest[0], row: rest });
            }
        }
        unit.iter_mut().filter(|unit| **unit == usize::MAX).for_each(|unit| *unit = blocks.len());
        Self { m, d, blocks, unit, cells }
    }

    fn units(&self) -> usize {
        self.blocks.len() + 1
    }

    /// The projection on what `x` spans, orthogonal where every sum is divided by the root of `sum w x^2`. Cells of
    /// several blocks disagree a little about what is the same sum; where nothing was learned that would add up.
    fn projector(&self) -> Result<Vec<f64>, PosteriorAlarm> {
        let (m, d) = (self.m, self.d);
        let root: Vec<f64> = (0..d).map(|k| m[k * d + k].max(1e-12 * m[0]).sqrt()).collect();
        let mut projector = vec![0.0; d * d];
        let scaled: Vec<f64> = (0..d * d).map(|at| m[at] / (root[at / d] * root[at % d])).collect();
        let mut factor = scaled.clone();
        (0..d).for_each(|k| factor[k * d + k] += EIGENVALUE_MIN);
        cholesky(&mut factor, d)?;
        let mut column = vec![0.0; d];
        for j in 0..d {
            (0..d).for_each(|i| column[i] = scaled[i * d + j] / root[j]);
            solve(&factor, &mut column);
            (0..d).for_each(|i| projector[i * d + j] = root[i] * column[i]);
        }
        Ok(projector)
    }

    fn predictor(&self, theta: &[f64]) -> Predictor {
        let (m, d, n, units) = (self.m, self.d, self.m[0], self.units());
        let sums: Vec<f64> = (0..d).map(|i| dot(&m[i * d..(i + 1) * d], theta)).collect();
        let (mut spreads, mut with) = (vec![0.0; units * units], vec![0.0; d * units]);
        for k in 1..d {
            for l in 1..d {
                let c = (m[k * d + l] / n - (m[k] / n) * (m[l] / n)) * theta[l];
                with[k * units + self.unit[l]] += c;
                spreads[self.unit[k] * units + self.unit[l]] += c * theta[k];
            }
        }
        let mut predictor = Predictor {
            sums,
            means: self.cells.iter().map(|cell| dot(&cell.row, theta) / cell.mass).collect(),
            curve: Vec::with_capacity(self.cells.len()),
            slopes: vec![0.0; self.blocks.len()],
            spreads,
            with,
        };
        for (at, cell) in self.cells.iter().enumerate() {
            let variance = self.variance(cell, theta, &predictor.spreads);
            let curve = expected(predictor.means[at], if variance > 0.0 { variance } else { 0.0 });
            predictor.slopes[cell.block] += cell.mass / n * curve[1];
            predictor.curve.push(curve);
        }
        predictor
    }

    /// The variance of the predictor in a cell: of every other block what its shares in the cell say; covariances
    /// between blocks, and of what is not 0 or 1, as they are over all.
    fn variance(&self, cell: &Cell, theta: &[f64], spreads: &[f64]) -> f64 {
        let (units, mut variance) = (self.units(), 0.0);
        for u in (0..units).filter(|u| *u != cell.block) {
            variance += match self.blocks.get(u) {
                None => spreads[u * units + u],
                Some(block) => {
                    let (mut mean, mut square) = (0.0, 0.0);
                    for k in block {
                        let part = cell.row[*k] / cell.mass * theta[*k];
                        mean += part;
                        square += part * theta[*k];
                    }
                    square - mean * mean
                }
            };
            let others = (0..units).filter(|w| *w != u && *w != cell.block);
            variance += others.map(|w| spreads[u * units + w]).sum::<f64>();
        }
        variance
    }

    /// By block, its share of the variance of the predictor.
    fn shares(&self, predictor: &Predictor) -> Vec<f64> {
        let units = self.units();
        let spread = |at: usize| predictor.spreads[at * units + at].max(0.0) + 1e-9;
        let whole: f64 = (0..self.blocks.len()).map(spread).sum();
        (0..self.blocks.len()).map(|at| spread(at) / whole).collect()
    }

    /// Expected `sum w x sigma(theta' x)` and `sum w x x' sigma'(theta' x)`, by the cells of each block and mixed by
    /// shares. Within a cell the predictor is normal, with the covariances that are left over all.
    fn mixed(&self, predictor: &Predictor, shares: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (m, d, n) = (self.m, self.d, self.m[0]);
        let slope = dot(shares, &predictor.slopes);
        let mut sums: Vec<f64> = predictor.sums.iter().map(|sum| slope * sum).collect();
        let mut curvature: Vec<f64> = m.iter().map(|m| slope * m).collect();
        for (block, share) in shares.iter().enumerate() {
            let cells = self.cells.iter().zip(&predictor.means).zip(&predictor.curve);
            let cells = || cells.clone().filter(|((cell, _), _)| cell.block == block);
            let mut within = predictor.sums.clone(); // sum w (x - mean of its cell) theta' x, over n
            for ((cell, mean), _) in cells() {
                within.iter_mut().zip(&cell.row).for_each(|(w, x)| *w -= mean * x);
            }
            for w in &mut within {
                *w /= n;
            }
            for ((cell, mean), [p, p1, p2, p3]) in cells() {
                let more = share * (p - predictor.slopes[block] * mean);
                sums.iter_mut().zip(&cell.row).for_each(|(sum, x)| *sum += more * x);
                let steeper = share * (p1 - predictor.slopes[block]) / cell.mass;
                let (skew, curl) = (share * p2, share * p3 * cell.mass);
                for k in 0..d {
                    let (x, w) = (cell.row[k], within[k]);
                    let row = curvature[k * d..(k + 1) * d].iter_mut();
                    for ((a, y), v) in row.zip(&cell.row).zip(&within) {
                        *a += steeper * (x * y) + skew * (x * v + w * y) + curl * (w * v);
                    }
                }
            }
        }
        (sums, curvature)
    }

    /// Writes over the expected sums of components that are 0 or 1 what their own cells say, and gives the derivative
    /// of all expected sums by theta.
    fn by_cells(&self, predictor: &Predictor, theta: &[f64], sums: &mut [f64], curvature: &[f64]) -> Vec<f64> {
        let (d, units) = (self.d, self.units());
        let mut jacobian = curvature.to_vec();
        for (cell, [p, p1, p2, _]) in self.cells.iter().zip(&predictor.curve) {
            let Some(j) = cell.component else { continue };
            sums[j] = cell.mass * p;
            let mean = |block: &Vec<usize>| block.iter().map(|k| cell.row[*k] / cell.mass * theta[*k]).sum();
            let means: Vec<f64> = self.blocks.iter().map(mean).collect();
            for l in 0..d {
                let u = self.unit[l];
                let mut spread = 0.0; // half of the derivative of the cell's variance
                if l > 0 && u != cell.block {
                    spread = match means.get(u) {
                        None => predictor.with[l * units + u],
                        Some(mean) => cell.row[l] / cell.mass * (theta[l] - mean),
                    };
                    let others = (0..units).filter(|w| *w != u && *w != cell.block);
                    spread += others.map(|w| predictor.with[l * units + w]).sum::<f64>();
                }
                jacobian[j * d + l] = p1 * cell.row[l] + p2 * cell.mass * spread;
            }
        }
        jacobian
    }

    /// How far a step moves the predictor: the most in the mean of a cell, or over all.
    fn moved(&self, delta: &[f64]) -> f64 {
        let d = self.d;
        let cells = self.cells.iter().map(|cell| (dot(&cell.row, delta) / cell.mass).abs());
        let square: f64 = (0..d).map(|k| delta[k] * dot(&self.m[k * d..(k + 1) * d], delta)).sum();
        cells.fold((square / self.m[0]).max(0.0).sqrt(), f64::max)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower factor of a square matrix, in place.
fn cholesky(a: &mut [f64], d: usize) -> Result<(), PosteriorAlarm> {
    for j in 0..d {
        for k in 0..j {
            let l = a[j * d + k];
            (j..d).for_each(|i| a[i * d + j] -= a[i * d + k] * l);
        }
        let pivot = a[j * d + j];
        if pivot.is_nan() || pivot <= 0.0 {
            return Err(PosteriorAlarm::NotPositiveDefinite);
        }
        let root = pivot.sqrt();
        (j..d).for_each(|i| a[i * d + j] /= root);
    }
    Ok(())
}

/// Solves `L L' x = b` in place.
fn solve(factor: &[f64], x: &mut [f64]) {
    let d = x.len();
    for i in 0..d {
        let known = dot(&factor[i * d..i * d + i], &x[..i]);
        x[i] = (x[i] - known) / factor[i * d + i];
    }
    for i in (0..d).rev() {
        let known: f64 = (i + 1..d).map(|k| factor[k * d + i] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i * d + i];
    }
}

/// Solves `A x = b` in place, by Gauss with the largest pivot of each column.
fn eliminate(a: &mut [f64], x: &mut [f64]) -> Result<(), PosteriorAlarm> {
    let d = x.len();
    for j in 0..d {
        let pivot = (j..d).fold(j, |best, i| if a[i * d + j].abs() > a[best * d + j].abs() { i } else { best });
        if !a[pivot * d + j].is_finite() {
            return Err(PosteriorAlarm::NotFinite);
        }
        if a[pivot * d + j] == 0.0 {
            return Err(PosteriorAlarm::NotPositiveDefinite);
        }
        if pivot != j {
            (0..d).for_each(|k| a.swap(j * d + k, pivot * d + k));
            x.swap(j, pivot);
        }
        for i in j + 1..d {
            let share = a[i * d + j] / a[j * d + j];
            if share != 0.0 {
                (j..d).for_each(|k| a[i * d + k] -= share * a[j * d + k]);
                x[i] -= share * x[j];
            }
        }
    }
    for i in (0..d).rev() {
        let known = dot(&a[i * d + i + 1..(i + 1) * d], &x[i + 1..]);
        x[i] = (x[i] - known) / a[i * d + i];
    }
    Ok(())
}
