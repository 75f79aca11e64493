//! Lines: eight numbers side by side, one line of the cache, and sums of products of them in the registers of an
//! instruction set. Knows no matrix.
//!
//! Every lane does what a number alone would, in its order, with + - * only and no fused multiply-add, so that the bits
//! are the same on every instruction set.

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use pulp::Simd;

/// Numbers of a line.
pub const LANES: usize = 8;

/// Lines that are summed at once: as many as leave the registers of AVX2 room for what is added.
pub(super) const QUAD: usize = LANES / 2;

/// Eight numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [f64; LANES]);

/// A line of zeros.
pub(super) const ZERO: Line = Line([0.0; LANES]);

/// Four lines.
pub(super) type Four = [Line; QUAD];

/// Four lines of zeros.
pub(super) const FOUR: Four = [ZERO; QUAD];

/// A square of four numbers by four.
pub(super) type Square = [[f64; QUAD]; QUAD];

/// A line in the registers of an instruction set: as many of these as it takes.
pub(super) struct Lanes<S: Simd>(pub(super) [S::f64s; LANES]);

impl<S: Simd> Lanes<S> {
    #[inline(always)]
    pub(super) fn zero(simd: S) -> Self {
        Self([simd.splat_f64s(0.0); LANES])
    }

    #[inline(always)]
    fn load(simd: S, line: &Line) -> Self {
        let mut lanes = Self::zero(simd);
        for (to, from) in lanes.0.iter_mut().zip(registers::<S>(line)) {
            *to = *from;
        }
        lanes
    }

    #[inline(always)]
    pub(super) fn store(&self) -> Line {
        let mut line = ZERO;
        for (to, from) in S::as_mut_simd_f64s(&mut line.0).0.iter_mut().zip(&self.0) {
            *to = *from;
        }
        line
    }

    #[inline(always)]
    fn scale(&mut self, simd: S, by: f64) {
        let by = simd.splat_f64s(by);
        for x in self.held() {
            *x = simd.mul_f64s(*x, by);
        }
    }

    /// Takes away `x l`.
    #[inline(always)]
    fn subtract(&mut self, simd: S, x: &Self, l: f64) {
        let l = simd.splat_f64s(l);
        for (a, x) in self.held().zip(&x.0) {
            *a = simd.sub_f64s(*a, simd.mul_f64s(*x, l));
        }
    }

    /// The registers that hold something.
    #[inline(always)]
    fn held(&mut self) -> impl Iterator<Item = &mut S::f64s> {
        self.0.iter_mut().take(LANES / S::F64_LANES)
    }
}

#[inline(always)]
pub(super) fn registers<S: Simd>(line: &Line) -> &[S::f64s] {
    S::as_simd_f64s(&line.0).0
}

/// Whether products are added or taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Added.
    Plus,
    /// Taken away.
    Minus,
}

/// Four of the eight numbers of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// The first four.
    Low,
    /// The last four.
    High,
}

impl Half {
    /// Which one the n-th four of many lines is.
    #[inline(always)]
    pub(super) fn at(four: usize) -> Self {
        if four.is_multiple_of(2) { Self::Low } else { Self::High }
    }

    #[inline(always)]
    fn of(self, line: &Line) -> [f64; QUAD] {
        let Line([a, b, c, d, e, f, g, h]) = *line;
        match self {
            Self::Low => [a, b, c, d],
            Self::High => [e, f, g, h],
        }
    }

    /// Its part of four lines.
    #[inline(always)]
    pub(super) fn square(self, four: &Four) -> Square {
        let [a, b, c, d] = four;
        [self.of(a), self.of(b), self.of(c), self.of(d)]
    }

    /// Writes its part of four lines.
    #[inline(always)]
    pub(super) fn set_square(self, four: &mut Four, square: Square) {
        let at = if self == Self::Low { 0 } else { QUAD };
        for (line, numbers) in four.iter_mut().zip(square) {
            line.0[at..at + QUAD].copy_from_slice(&numbers);
        }
    }
}

/// Four lines in registers. Nothing here is passed to a closure, which might leave the caller's instruction set.
pub(super) struct Quad<S: Simd>([Lanes<S>; QUAD]);

impl<S: Simd> Quad<S> {
    #[inline(always)]
    pub(super) fn load(simd: S, [a, b, c, d]: &Four) -> Self {
        Self([Lanes::load(simd, a), Lanes::load(simd, b), Lanes::load(simd, c), Lanes::load(simd, d)])
    }

    #[inline(always)]
    pub(super) fn store(&self) -> Four {
        let [a, b, c, d] = &self.0;
        [a.store(), b.store(), c.store(), d.store()]
    }

    /// Adds to its line c, or takes away, `p_k q_kc` for one k after the other, c being one of half of q.
    #[inline(always)]
    pub(super) fn products(&mut self, simd: S, sign: Sign, p: &[Line], q: &[Line], half: Half) {
        for (p, q) in p.iter().zip(q) {
            self.product(simd, sign, p, half.of(q));
        }
    }

    /// Adds to its line c `p_k q_ck` for one k after the other, c being one of the lines of q.
    #[inline(always)]
    pub(super) fn products_down(&mut self, simd: S, p: &[Line], [a, b, c, d]: &Four) {
        for ((((p, a), b), c), d) in p.iter().zip(a.0).zip(b.0).zip(c.0).zip(d.0) {
            self.product(simd, Sign::Plus, p, [a, b, c, d]);
        }
    }

    #[inline(always)]
    fn product(&mut self, simd: S, sign: Sign, p: &Line, q: [f64; QUAD]) {
        for (sum, q) in self.0.iter_mut().zip(q) {
            let q = simd.splat_f64s(q);
            for (sum, p) in sum.0.iter_mut().zip(registers::<S>(p)) {
                let product = simd.mul_f64s(*p, q);
                *sum = match sign {
                    Sign::Plus => simd.add_f64s(*sum, product),
                    Sign::Minus => simd.sub_f64s(*sum, product),
                };
            }
        }
    }

    /// Solves `X L' = B` for four columns of B, given four columns of L from the diagonal down, which holds the inverse
    /// of that of L. What stands above it is not read.
    #[inline(always)]
    pub(super) fn solve(&mut self, simd: S, l: Square) {
        let [x0, x1, x2, x3] = &mut self.0;
        let [[d0, l10, l20, l30], [_, d1, l21, l31], [_, _, d2, l32], [_, _, _, d3]] = l;
        x0.scale(simd, d0);
        x1.subtract(simd, x0, l10);
        x2.subtract(simd, x0, l20);
        x3.subtract(simd, x0, l30);
        x1.scale(simd, d1);
        x2.subtract(simd, x1, l21);
        x3.subtract(simd, x1, l31);
        x2.scale(simd, d2);
        x3.subtract(simd, x2, l32);
        x3.scale(simd, d3);
    }
}
