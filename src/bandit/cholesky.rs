//! Symmetric positive definite matrices: factor, solve, invert. Knows no arm. Only + - * / sqrt, every element in a
//! fixed order of its own, so that the bits are the same on every instruction set.
//!
//! Outside, a matrix is its lower triangle packed column by column from the diagonal down. Inside it stands in
//! [blocks](super::blocks) of eight rows, and nearly everything is sums of products of lines, [`Quad::products`].

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use pulp::{Arch, Simd, WithSimd};

use super::blocks::{Shape, lines, packed_len};
use super::lines::{FOUR, Four, Half, LANES, QUAD, Quad, Sign, Square};
use super::posterior::PosteriorAlarm;
use super::products::Root;

/// The factor of `A = L L'`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factor {
    shape: Shape,
    /// The lower triangle L. Its diagonal holds the inverse of that of L; what stands above it is not read.
    l: Vec<Four>,
}

impl Factor {
    /// The factor of a packed matrix of finite numbers.
    pub(super) fn of(packed: &[f64], dimensions: usize) -> Result<Self, PosteriorAlarm> {
        Self::of_on(Arch::new(), packed, dimensions)
    }

    /// The same on a given instruction set, for tests.
    pub(super) fn of_on(arch: Arch, packed: &[f64], dimensions: usize) -> Result<Self, PosteriorAlarm> {
        let shape = Shape::of(dimensions);
        let mut l = shape.unpack(packed);
        arch.dispatch(Factorise { l: &mut l, shape })?;
        Ok(Self { shape, l })
    }

    /// `A^-1 = W'W` with `W = L^-1`, packed. As a product of a matrix with itself it stays positive definite up to the
    /// rounding of its own sums, which [`well_conditioned`] bounds.
    pub(super) fn invert(&self) -> Vec<f64> {
        self.invert_on(Arch::new())
    }

    /// The same on a given instruction set, for tests.
    pub(super) fn invert_on(&self, arch: Arch) -> Vec<f64> {
        arch.dispatch(Invert(self))
    }

    /// L itself.
    pub(super) fn root(self) -> Root {
        let Self { shape, l: mut blocks } = self;
        for j in shape.zeros..LANES * shape.blocks {
            let line = &mut blocks.as_flattened_mut()[QUAD * Shape::before(j / LANES) + j];
            line.0[..j % LANES].fill(0.0);
            line.0[j % LANES] = 1.0 / line.0[j % LANES];
        }
        Root { shape, blocks }
    }

    /// Solves `L z = x` in place.
    pub(super) fn solve_lower(&self, x: &mut [f64]) {
        let Shape { blocks, zeros } = self.shape;
        let mut z = vec![0.0; LANES * blocks];
        z[zeros..].copy_from_slice(x);
        for i in 0..blocks {
            let (known, own) = z.split_at_mut(LANES * i);
            let (left, square) = lines(&self.l[Shape::before(i)..Shape::before(i + 1)], 0).split_at(LANES * i);
            for (line, z_k) in left.iter().zip(known) {
                own.iter_mut().zip(&line.0).for_each(|(x, l)| *x -= *z_k * l);
            }
            for (c, line) in square.iter().enumerate() {
                let (head, below) = own[c..LANES].split_at_mut(1);
                head[0] *= line.0[c];
                below.iter_mut().zip(&line.0[c + 1..]).for_each(|(x, l)| *x -= head[0] * l);
            }
        }
        x.copy_from_slice(&z[zeros..]);
    }

    /// Solves `L' x = z` in place.
    pub(super) fn solve_upper(&self, z: &mut [f64]) {
        let Shape { blocks, zeros } = self.shape;
        let l = lines(&self.l, 0);
        let mut x = vec![0.0; LANES * blocks];
        x[zeros..].copy_from_slice(z);
        for j in (zeros..LANES * blocks).rev() {
            let mut known = 0.0;
            let mut add = |l: &[f64], x: &[f64]| l.iter().zip(x).for_each(|(l, x)| known += l * x);
            let own = &l[QUAD * Shape::before(j / LANES) + j].0[j % LANES..];
            add(&own[1..], &x[j + 1..]);
            for i in j / LANES + 1..blocks {
                add(&l[QUAD * Shape::before(i) + j].0, &x[LANES * i..]);
            }
            x[j] = (x[j] - known) * own[0];
        }
        z.copy_from_slice(&x[zeros..]);
    }
}

struct Factorise<'a> {
    l: &'a mut [Four],
    shape: Shape,
}

impl WithSimd for Factorise<'_> {
    type Output = Result<(), PosteriorAlarm>;

    /// From every element is taken away what the columns before it say, column by column; then it is divided.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { l, shape } = self;
        for i in 0..shape.blocks {
            let (above, own) = l.split_at_mut(Shape::before(i));
            for at in shape.first()..2 * (i + 1) {
                let (before, to) = own.split_at_mut(at);
                let (before, to, half) = (lines(before, shape.zeros), &mut to[0], Half::at(at));
                let mut quad = Quad::load(simd, to);
                if at < 2 * i {
                    let (left, factor) = above[Shape::before(at / 2)..].split_at(at);
                    quad.products(simd, Sign::Minus, before, lines(left, shape.zeros), half);
                    quad.solve(simd, half.square(&factor[0]));
                    *to = quad.store();
                } else {
                    quad.products(simd, Sign::Minus, before, before, half);
                    let factor = corner(half.square(&quad.store()), shape.zeros.saturating_sub(QUAD * at))?;
                    quad.solve(simd, factor);
                    *to = quad.store();
                    half.set_square(to, factor);
                }
            }
        }
        Ok(())
    }
}

/// Four columns from the diagonal down, factorised, of which so many come first that are zero.
#[inline(always)]
fn corner(mut a: Square, zeros: usize) -> Result<Square, PosteriorAlarm> {
    for c in zeros..QUAD {
        let pivot = a[c][c];
        if !pivot.is_finite() {
            return Err(PosteriorAlarm::NotFinite);
        }
        if pivot <= 0.0 {
            return Err(PosteriorAlarm::NotPositiveDefinite);
        }
        let inverse = 1.0 / pivot.sqrt();
        for below in &mut a[c][c + 1..] {
            *below *= inverse;
        }
        for right in c + 1..QUAD {
            for i in right..QUAD {
                a[right][i] -= a[c][i] * a[c][right];
            }
        }
        a[c][c] = inverse;
    }
    Ok(a)
}

struct Invert<'a>(&'a Factor);

impl WithSimd for Invert<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let Factor { shape, l } = self.0;
        let (blocks, fours) = (shape.blocks, 2 * shape.blocks);
        // W in blocks of eight columns, each from its square on the diagonal down: a line is eight columns of one row.
        let mut w = vec![FOUR; shape.above(blocks)];
        for j in 0..blocks {
            let (own, from) = (&mut w[shape.above(j)..shape.above(j + 1)], shape.from(j));
            for at in shape.first().max(2 * j)..fours {
                let (known, to) = own.split_at_mut(at - 2 * j);
                let (left, factor) = l[Shape::before(at / 2)..].split_at(at);
                let (to, half) = (&mut to[0], Half::at(at));
                if at < 2 * (j + 1) {
                    let rows = (QUAD * at..).zip(to.iter_mut());
                    rows.filter(|(row, _)| *row >= shape.zeros).for_each(|(row, line)| line.0[row % LANES] = 1.0);
                }
                let mut quad = Quad::load(simd, to);
                quad.products(simd, Sign::Minus, lines(known, from), lines(left, LANES * j + from), half);
                quad.solve(simd, half.square(&factor[0]));
                *to = quad.store();
            }
        }
        let mut packed = vec![0.0; packed_len(shape.dimensions())];
        for (i, j) in shape.pairs() {
            let from = shape.from(i);
            let rows = lines(&w[shape.above(i)..shape.above(i + 1)], from);
            let columns = lines(&w[shape.above(j)..shape.above(j + 1)], LANES * (i - j) + from);
            for half in [Half::Low, Half::High] {
                let mut quad = Quad::load(simd, &FOUR);
                quad.products(simd, Sign::Plus, rows, columns, half);
                shape.put(&mut packed, (i, j), half, &quad.store());
            }
        }
        packed
    }
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
