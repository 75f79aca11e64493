//! Symmetric positive definite matrices as packed lower triangles, column by column from the diagonal down: factor,
//! solve, invert. Knows no arm. Only + - * / sqrt in a fixed order.

use super::posterior::PosteriorAlarm;

/// Numbers of a packed triangle.
pub(super) fn packed_len(dimensions: usize) -> usize {
    dimensions * (dimensions + 1) / 2
}

/// Cholesky in place, right-looking: every inner loop runs down one contiguous column. The diagonal holds the inverse
/// of that of the factor.
pub(super) fn factorise(a: &mut [f64], dimensions: usize) -> Result<(), PosteriorAlarm> {
    let mut rest = a;
    for width in (1..=dimensions).rev() {
        let (column, right) = rest.split_at_mut(width);
        let Some((pivot, below)) = column.split_first_mut() else { break };
        if !pivot.is_finite() {
            return Err(PosteriorAlarm::NotFinite);
        }
        if *pivot <= 0.0 {
            return Err(PosteriorAlarm::NotPositiveDefinite);
        }
        *pivot = 1.0 / pivot.sqrt();
        for l in below.iter_mut() {
            *l *= *pivot;
        }
        let mut below = &*below;
        let mut targets = &mut *right;
        while let Some((l, under)) = below.split_first() {
            let (target, next) = targets.split_at_mut(below.len());
            target.iter_mut().zip(below).for_each(|(a, l_i)| *a -= l * l_i);
            (below, targets) = (under, next);
        }
        rest = right;
    }
    Ok(())
}

/// `A^-1 = W'W` with `W = L^-1`. As a product of a matrix with itself it stays positive definite up to the rounding of
/// its own sums, which [`well_conditioned`] bounds. Every inner loop runs over contiguous numbers.
pub(super) fn invert(factor: &[f64], dimensions: usize) -> Vec<f64> {
    let mut w = vec![0.0; dimensions * dimensions]; // column by column
    let (mut columns, mut rest) = (factor, w.as_mut_slice());
    for j in 0..dimensions {
        let (column, next) = rest.split_at_mut(dimensions);
        let from_diagonal = column.split_at_mut(j).1;
        if let Some(one) = from_diagonal.first_mut() {
            *one = 1.0;
        }
        solve_lower(columns, from_diagonal);
        columns = columns.split_at(dimensions - j).1;
        rest = next;
    }
    let mut a_inv = vec![0.0; packed_len(dimensions)];
    let mut row = vec![0.0; dimensions];
    for k in 0..dimensions {
        // Row k of W reaches up to its diagonal; its square adds to every column up to there.
        row.iter_mut().zip(w.iter().skip(k).step_by(dimensions)).for_each(|(to, from)| *to = *from);
        let (mut tails, mut row) = (a_inv.as_mut_slice(), row.split_at(k + 1).0);
        let mut width = dimensions;
        while let Some((w_kj, after)) = row.split_first() {
            let (column, next) = tails.split_at_mut(width);
            column.iter_mut().zip(row).for_each(|(a, w_ki)| *a += w_ki * w_kj);
            (tails, row, width) = (next, after, width - 1);
        }
    }
    a_inv
}

/// The sum of the diagonal of a packed lower triangle.
pub(super) fn trace(packed: &[f64], dimensions: usize) -> f64 {
    let (mut at, mut trace) = (0, 0.0);
    for below in (0..dimensions).rev() {
        trace += packed.get(at).copied().unwrap_or(0.0);
        at += below + 1;
    }
    trace
}

/// Whether `x' A^-1 x` comes out above zero and finite for every x that is not zero, however it rounds.
///
/// With u = 2^-53: `|L^-1 x|^2 >= |x|^2 / tr A`; the d products of an element of `W'W` and the 2 d + 2 roundings of the
/// quadratic form take at most (3 d + 2) u |x|'|A^-1||x| of it, and `|x|'|A^-1||x| <= tr A^-1 |x|^2`. The factor 4 is
/// for the rounding of L and W and of this. So nothing has to be checked, or clipped, when a decision is made.
pub(super) fn well_conditioned(trace: f64, trace_inverse: f64, dimensions: usize) -> bool {
    let roundings = 4.0 * (3.0 * super::strategies::count(dimensions) + 2.0) * (f64::EPSILON / 2.0);
    // Written so that NaN fails.
    trace * trace_inverse * roundings < 1.0
}

/// Solves `L z = x` in place.
pub(super) fn solve_lower(factor: &[f64], x: &mut [f64]) {
    let (mut columns, mut x) = (factor, x);
    while let Some((head, rest)) = x.split_first_mut() {
        let (column, next) = columns.split_at(rest.len() + 1);
        if let Some((diagonal, below)) = column.split_first() {
            *head *= diagonal;
            // A zero changes nothing below it, and most features are zero.
            if *head != 0.0 {
                rest.iter_mut().zip(below).for_each(|(x, l)| *x -= *head * l);
            }
        }
        (columns, x) = (next, rest);
    }
}

/// Solves `L' x = z` in place.
pub(super) fn solve_upper(factor: &[f64], z: &mut [f64]) {
    let mut columns = factor;
    for at in (0..z.len()).rev() {
        let (head, solved) = z.split_at_mut(at + 1);
        let (before, column) = columns.split_at(columns.len() - (solved.len() + 1));
        if let (Some(z), Some((diagonal, below))) = (head.last_mut(), column.split_first()) {
            let known: f64 = below.iter().zip(solved.iter()).map(|(l, x)| l * x).sum();
            *z = (*z - known) * diagonal;
        }
        columns = before;
    }
}
