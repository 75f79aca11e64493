//! Products of a symmetric matrix with a root, and of that with itself: what makes a covariance out of two. Factorises
//! nothing.
//!
//! A product with itself is positive definite up to the rounding of its own sums, however its factor was rounded; see
//! [`super::cholesky::well_conditioned`].

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use pulp::{Arch, Simd, WithSimd};

use super::blocks::{Shape, packed_len};
use super::lines::{FOUR, Four, Half, LANES, Line, QUAD, Quad, Sign, ZERO};

/// A lower triangle R, as its blocks: a root of `R R'`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Root {
    pub(super) shape: Shape,
    pub(super) blocks: Vec<Four>,
}

/// A matrix with as many columns as another has rows, in blocks of eight rows: a line is eight rows of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    shape: Shape,
    columns: usize,
    lines: Vec<Line>,
}

impl Root {
    /// Row by row, with the zeros above the diagonal.
    pub(super) fn rows(&self) -> Vec<f64> {
        let (d, zeros) = (self.shape.dimensions(), self.shape.zeros);
        let mut rows = vec![0.0; d * d];
        for (i, j) in (0..d).flat_map(|i| (0..=i).map(move |j| (i, j))) {
            let (row, column) = (i + zeros, j + zeros);
            let line = &self.blocks.as_flattened()[QUAD * Shape::before(row / LANES) + column];
            rows[i * d + j] = line.0[row % LANES];
        }
        rows
    }

    /// Row by row divided by these.
    pub(super) fn over(mut self, divisors: &[f64]) -> Self {
        let mut own = [1.0; LANES];
        let mut divisors = divisors.iter();
        for block in 0..self.shape.blocks {
            let skipped = self.shape.from(block);
            own.iter_mut().skip(skipped).zip(&mut divisors).for_each(|(own, divisor)| *own = *divisor);
            for line in self.blocks[Shape::before(block)..Shape::before(block + 1)].as_flattened_mut() {
                line.0.iter_mut().zip(&own).for_each(|(x, divisor)| *x /= divisor);
            }
        }
        self
    }
}

impl Rows {
    /// All of a packed symmetric matrix.
    pub(super) fn symmetric(packed: &[f64], dimensions: usize) -> Self {
        let shape = Shape::of(dimensions);
        let columns = LANES * shape.blocks;
        let mut lines = vec![ZERO; shape.blocks * columns];
        let mut rest = packed;
        for j in shape.zeros..columns {
            let (column, next) = rest.split_at(columns - j);
            let own = &mut lines[columns * (j / LANES)..];
            for (i, a) in (j..).zip(column) {
                own[i].0[j % LANES] = *a;
            }
            let (head, below) = column.split_at(LANES - j % LANES);
            own[j].0[j % LANES..].copy_from_slice(head);
            for (i, rows) in (j / LANES + 1..).zip(below.as_chunks().0) {
                lines[columns * i + j].0 = *rows;
            }
            rest = next;
        }
        Self { shape, columns, lines }
    }

    /// Of rows that stand one after another, so many numbers each.
    pub(super) fn of(numbers: &[f64], columns: usize) -> Self {
        let shape = Shape::of(numbers.len() / columns.max(1));
        let mut lines = vec![ZERO; shape.blocks * columns];
        for (at, row) in (shape.zeros..).zip(numbers.chunks_exact(columns.max(1))) {
            for (line, x) in lines[columns * (at / LANES)..].iter_mut().zip(row) {
                line.0[at % LANES] = *x;
            }
        }
        Self { shape, columns, lines }
    }

    /// `A x` of a symmetric matrix.
    pub(super) fn times(&self, x: &[f64]) -> Vec<f64> {
        let mut y = Vec::with_capacity(LANES * self.shape.blocks);
        for block in self.lines.chunks_exact(self.columns.max(1)) {
            let mut sums = [0.0; LANES];
            for (line, x) in block.iter().skip(self.shape.zeros).zip(x) {
                sums.iter_mut().zip(&line.0).for_each(|(sum, a)| *sum += a * x);
            }
            y.extend(sums);
        }
        y.split_off(self.shape.zeros.min(y.len()))
    }

    /// `A R` of a symmetric matrix.
    pub(super) fn times_root(&self, root: &Root) -> Self {
        self.times_root_on(Arch::new(), root)
    }

    /// The same on a given instruction set, for tests.
    pub(super) fn times_root_on(&self, arch: Arch, root: &Root) -> Self {
        let lines = arch.dispatch(TimesRoot { rows: self, root });
        Self { lines, ..*self }
    }

    /// `S S'`, packed.
    pub(super) fn square(&self) -> Vec<f64> {
        self.square_on(Arch::new())
    }

    /// The same on a given instruction set, for tests.
    pub(super) fn square_on(&self, arch: Arch) -> Vec<f64> {
        arch.dispatch(Square(self))
    }
}

struct TimesRoot<'a> {
    rows: &'a Rows,
    root: &'a Root,
}

impl WithSimd for TimesRoot<'_> {
    type Output = Vec<Line>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Line> {
        let Self { rows: Rows { shape, columns, lines }, root } = self;
        let mut product = vec![FOUR; shape.blocks * columns / QUAD];
        for i in 0..shape.blocks {
            let own = &lines[columns * i..columns * (i + 1)];
            for at in shape.first()..columns / QUAD {
                let mut quad = Quad::load(simd, &FOUR);
                // Above its diagonal the root is zero.
                for k in at / 2..shape.blocks {
                    let four = &root.blocks[Shape::before(k) + at];
                    quad.products_down(simd, &own[LANES * k..LANES * (k + 1)], four);
                }
                product[columns / QUAD * i + at] = quad.store();
            }
        }
        product.into_flattened()
    }
}

struct Square<'a>(&'a Rows);

impl WithSimd for Square<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let Rows { shape, columns, lines } = self.0;
        let mut packed = vec![0.0; packed_len(shape.dimensions())];
        for (i, j) in shape.pairs() {
            let [rows, others] = [i, j].map(|block| &lines[columns * block..columns * (block + 1)]);
            for half in [Half::Low, Half::High] {
                let mut quad = Quad::load(simd, &FOUR);
                quad.products(simd, Sign::Plus, rows, others, half);
                shape.put(&mut packed, (i, j), half, &quad.store());
            }
        }
        packed
    }
}
