//! The kernel: posteriors packed so that one pass scores many arms at once, and that pass. Derives no posterior and
//! knows no strategy.
//!
//! Eight arms make a block, interleaved: one line of 64 bytes holds the same component of all eight, and the lines
//! stand in the order in which they are read, theta first, then A^-1 column by column from its diagonal down. A block
//! is shared by everyone who reads it and never changed: publishing makes the blocks anew of which an arm changed.
//!
//! Every lane computes what [`Posterior::score`] computes, in its order, with + and * only and no fused multiply-add,
//! so that the bits are the same on every instruction set. Zeros of x are skipped, which changes no bit either: what
//! they would add is a zero, and no sum ever is -0.

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

use super::lines::{Lanes, Line, ZERO, registers};
use super::posterior::{Estimate, Posterior};

pub use super::lines::LANES;

/// Eight arms.
#[derive(Debug)]
struct Block {
    /// theta, then A^-1.
    lines: Vec<Line>,
    variance: Line,
    accepted: Line,
    declined: Line,
}

/// What an arm believes about one feature vector, and what it has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// `theta' x` and `sqrt(x' A^-1 x)`.
    pub estimate: Estimate,
    /// `v^2` of its posterior.
    pub variance: f64,
    /// Weight of what was accepted, as of the day.
    pub accepted: f64,
    /// Weight of what was not accepted, as of the day.
    pub declined: f64,
}

impl Belief {
    /// What one arm believes: the reference that the kernel is equal to.
    pub fn of(posterior: &Posterior, x: &[f64]) -> Self {
        let (accepted, declined) = posterior.counts();
        Self { estimate: posterior.score(x), variance: posterior.variance(), accepted, declined }
    }
}

/// Posteriors by position, packed. Those it was packed from stay at hand.
#[derive(Debug, Clone)]
pub struct Packed {
    posteriors: Vec<Arc<Posterior>>,
    prior: Arc<Posterior>,
    blocks: Vec<Arc<Block>>,
    priors: Arc<Block>,
}

/// The feature vectors that arms are scored for.
#[derive(Debug, Clone, Copy)]
pub enum Inputs<'a> {
    /// The same for every arm.
    Shared(&'a [f64]),
    /// One for each arm, in their order.
    Each(&'a [&'a [f64]]),
}

impl Packed {
    /// Packs posteriors by position; beyond them every arm is at its prior. Blocks of which no arm changed are taken
    /// over from `before`, whose prior has as many dimensions.
    pub fn new(posteriors: Vec<Arc<Posterior>>, prior: Arc<Posterior>, before: Option<&Self>) -> Self {
        let before = before.filter(|before| Arc::ptr_eq(&before.prior, &prior));
        let priors = match before {
            Some(before) => before.priors.clone(),
            None => Arc::new(Block::pack(&[], &prior)),
        };
        let same = |a: &[Arc<Posterior>], b: &[Arc<Posterior>]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        let block = |(at, arms): (usize, &[Arc<Posterior>])| {
            if arms.iter().all(|arm| Arc::ptr_eq(arm, &prior)) {
                return priors.clone();
            }
            let old = before.and_then(|before| {
                let old = before.posteriors.chunks(LANES).nth(at).filter(|old| same(old, arms))?;
                before.blocks.get(at).filter(|_| !old.is_empty())
            });
            old.cloned().unwrap_or_else(|| Arc::new(Block::pack(arms, &prior)))
        };
        let blocks = posteriors.chunks(LANES).enumerate().map(block).collect();
        Self { posteriors, prior, blocks, priors }
    }

    /// The posterior at a position.
    pub fn posterior(&self, at: usize) -> &Arc<Posterior> {
        self.posteriors.get(at).unwrap_or(&self.prior)
    }

    /// The posterior of an arm that has learned nothing.
    pub fn prior(&self) -> &Arc<Posterior> {
        &self.prior
    }

    /// What the arms at these positions believe, in their order. Rising positions are read in one pass.
    pub fn beliefs(&self, positions: &[usize], inputs: Inputs<'_>) -> Vec<Belief> {
        self.beliefs_on(Arch::new(), positions, inputs)
    }

    /// The same on a given instruction set, for tests and benchmarks.
    pub fn beliefs_on(&self, arch: Arch, positions: &[usize], inputs: Inputs<'_>) -> Vec<Belief> {
        let dimensions = self.prior.dimensions();
        match inputs {
            Inputs::Shared(x) => arch.dispatch(Shared { packed: self, positions, x: &Vector::new(x, dimensions) }),
            Inputs::Each(xs) => arch.dispatch(Each { packed: self, positions, xs }),
        }
    }

    /// How many blocks it has in common with another.
    #[cfg(test)]
    pub(super) fn shared(&self, other: &Self) -> usize {
        self.blocks.iter().zip(&other.blocks).filter(|(a, b)| Arc::ptr_eq(a, b)).count()
    }

    fn block(&self, at: usize) -> &Block {
        self.blocks.get(at).unwrap_or(&self.priors)
    }
}

impl Block {
    /// Eight posteriors interleaved, the prior where there are fewer.
    fn pack(arms: &[Arc<Posterior>], prior: &Posterior) -> Self {
        let arm = |lane: usize| arms.get(lane).map_or(prior, AsRef::as_ref);
        let arms: [&Posterior; LANES] = std::array::from_fn(arm);
        let [a, b, c, d, e, f, g, h] = arms.map(|arm| arm.theta().iter().chain(arm.a_inv()));
        let [a, b, c, d, e, f, g, h] = [a, b, c, d, e, f, g, h].map(Iterator::copied);
        let pairs = a.zip(b).zip(c.zip(d)).zip(e.zip(f).zip(g.zip(h)));
        let lines = pairs.map(|(((a, b), (c, d)), ((e, f), (g, h)))| Line([a, b, c, d, e, f, g, h])).collect();
        let counts = arms.map(Posterior::counts);
        Self {
            lines,
            variance: Line(arms.map(Posterior::variance)),
            accepted: Line(counts.map(|(accepted, _)| accepted)),
            declined: Line(counts.map(|(_, declined)| declined)),
        }
    }

    /// What one arm believes, given `theta' x` and `x' A^-1 x` of all.
    #[inline(always)]
    fn belief(&self, lane: usize, mean: &Line, square: &Line) -> Belief {
        let of = |line: &Line| line.0.get(lane).copied().unwrap_or(f64::NAN);
        Belief {
            estimate: Estimate { mean: of(mean), bonus: of(square).sqrt() },
            variance: of(&self.variance),
            accepted: of(&self.accepted),
            declined: of(&self.declined),
        }
    }
}

impl<S: Simd> Lanes<S> {
    /// Adds `x a`.
    #[inline(always)]
    fn add<C: Component>(&mut self, simd: S, x: &C, a: &Line) {
        for ((sum, a), x) in self.0.iter_mut().zip(registers::<S>(a)).zip(x.registers(simd)) {
            *sum = simd.add_f64s(*sum, simd.mul_f64s(*a, x));
        }
    }

    /// Adds what a column gives: `x_j (a_jj x_j + 2 sum)`.
    #[inline(always)]
    fn close<C: Component>(&mut self, simd: S, x: &C, diagonal: &Line, sum: &Self) {
        let (two, x) = (simd.splat_f64s(2.0), x.registers(simd));
        for (((square, a), x), sum) in self.0.iter_mut().zip(registers::<S>(diagonal)).zip(x).zip(sum.0) {
            let inner = simd.add_f64s(simd.mul_f64s(*a, x), simd.mul_f64s(two, sum));
            *square = simd.add_f64s(*square, simd.mul_f64s(x, inner));
        }
    }
}

/// A component of x for eight arms: one number, or one for each.
trait Component: Copy {
    fn registers<S: Simd>(&self, simd: S) -> impl Iterator<Item = S::f64s>;
}

impl Component for f64 {
    #[inline(always)]
    fn registers<S: Simd>(&self, simd: S) -> impl Iterator<Item = S::f64s> {
        [simd.splat_f64s(*self); LANES].into_iter()
    }
}

impl Component for Line {
    #[inline(always)]
    fn registers<S: Simd>(&self, _: S) -> impl Iterator<Item = S::f64s> {
        registers::<S>(self).iter().copied()
    }
}

/// A feature vector, and where it is not zero.
struct Vector<C> {
    x: Vec<C>,
    present: Vec<(usize, C)>,
}

impl Vector<f64> {
    fn new(x: &[f64], dimensions: usize) -> Self {
        let mut vector = Self { x: vec![0.0; dimensions], present: Vec::with_capacity(dimensions) };
        vector.x.iter_mut().zip(x).for_each(|(own, x)| *own = *x);
        vector.present.extend(vector.x.iter().copied().enumerate().filter(|(_, x)| *x != 0.0));
        vector
    }
}

impl Vector<Line> {
    /// The vectors of a block interleaved like its posteriors.
    #[inline(always)]
    fn fill(&mut self, xs: [&[f64]; LANES]) {
        let [a, b, c, d, e, f, g, h] = xs.map(|x| x.iter().copied());
        self.x.clear();
        let pairs = a.zip(b).zip(c.zip(d)).zip(e.zip(f).zip(g.zip(h)));
        self.x.extend(pairs.map(|(((a, b), (c, d)), ((e, f), (g, h)))| Line([a, b, c, d, e, f, g, h])));
        self.present.clear();
        self.present.extend(self.x.iter().copied().enumerate().filter(|(_, x)| *x != ZERO));
    }
}

/// `theta' x` and `x' A^-1 x` of the arms of a block.
#[inline(always)]
fn evaluate<S: Simd, C: Component>(simd: S, block: &Block, vector: &Vector<C>) -> (Line, Line) {
    let dimensions = vector.x.len();
    let (theta, a_inv) = block.lines.split_at_checked(dimensions).unwrap_or((&[], &[]));
    let mut mean = Lanes::zero(simd);
    // Reading every line of a column in order is faster than picking, unless most are not needed.
    if vector.present.len() * 2 > dimensions {
        for (theta, x) in theta.iter().zip(&vector.x) {
            mean.add(simd, x, theta);
        }
        return (mean.store(), dense(simd, a_inv, &vector.x).store());
    }
    for (at, x) in &vector.present {
        if let Some(theta) = theta.get(*at) {
            mean.add(simd, x, theta);
        }
    }
    (mean.store(), sparse(simd, a_inv, dimensions, &vector.present).store())
}

/// `x' A^-1 x` where most of x is not zero. Four columns at a time keep the processor busy while each sum waits for its
/// last addition; the order within a column is that of one alone.
#[inline(always)]
fn dense<S: Simd, C: Component>(simd: S, a_inv: &[Line], x: &[C]) -> Lanes<S> {
    let mut square = Lanes::zero(simd);
    let (mut columns, mut x) = (a_inv, x);
    while let [x0, x1, x2, x3, below @ ..] = x {
        let Some((c0, rest)) = columns.split_at_checked(x.len()) else { break };
        let Some((c1, rest)) = rest.split_at_checked(x.len() - 1) else { break };
        let Some((c2, rest)) = rest.split_at_checked(x.len() - 2) else { break };
        let Some((c3, rest)) = rest.split_at_checked(x.len() - 3) else { break };
        let ([d0, a10, a20, a30, c0 @ ..], [d1, a21, a31, c1 @ ..]) = (c0, c1) else { break };
        let ([d2, a32, c2 @ ..], [d3, c3 @ ..]) = (c2, c3) else { break };
        let (mut s0, mut s1) = (Lanes::zero(simd), Lanes::zero(simd));
        let (mut s2, mut s3) = (Lanes::zero(simd), Lanes::zero(simd));
        s0.add(simd, x1, a10);
        s0.add(simd, x2, a20);
        s0.add(simd, x3, a30);
        s1.add(simd, x2, a21);
        s1.add(simd, x3, a31);
        s2.add(simd, x3, a32);
        for ((((a0, a1), a2), a3), x_i) in c0.iter().zip(c1).zip(c2).zip(c3).zip(below) {
            s0.add(simd, x_i, a0);
            s1.add(simd, x_i, a1);
            s2.add(simd, x_i, a2);
            s3.add(simd, x_i, a3);
        }
        square.close(simd, x0, d0, &s0);
        square.close(simd, x1, d1, &s1);
        square.close(simd, x2, d2, &s2);
        square.close(simd, x3, d3, &s3);
        (columns, x) = (rest, below);
    }
    while let Some((x_j, below)) = x.split_first() {
        let Some((column, rest)) = columns.split_at_checked(x.len()) else { break };
        if let Some((diagonal, column)) = column.split_first() {
            let mut sum = Lanes::zero(simd);
            column.iter().zip(below).for_each(|(a, x_i)| sum.add(simd, x_i, a));
            square.close(simd, x_j, diagonal, &sum);
        }
        (columns, x) = (rest, below);
    }
    square
}

/// `x' A^-1 x` where most of x is zero: only the lines that something is multiplied with are read.
#[inline(always)]
fn sparse<S: Simd, C: Component>(simd: S, a_inv: &[Line], dimensions: usize, present: &[(usize, C)]) -> Lanes<S> {
    let mut square = Lanes::zero(simd);
    let mut present = present;
    while let Some(((j, x_j), below)) = present.split_first() {
        // The diagonal of column j stands behind the columns before it, of d, d - 1, ... components.
        let column = a_inv.get(j * (2 * dimensions - j + 1) / 2..).unwrap_or(&[]);
        let mut sum = Lanes::zero(simd);
        for (i, x_i) in below {
            if let Some(a) = column.get(i - j) {
                sum.add(simd, x_i, a);
            }
        }
        if let Some(diagonal) = column.first() {
            square.close(simd, x_j, diagonal, &sum);
        }
        present = below;
    }
    square
}

struct Shared<'a> {
    packed: &'a Packed,
    positions: &'a [usize],
    x: &'a Vector<f64>,
}

impl WithSimd for Shared<'_> {
    type Output = Vec<Belief>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Belief> {
        let Self { packed, positions, x } = self;
        let mut beliefs = Vec::with_capacity(positions.len());
        let mut last = (usize::MAX, ZERO, ZERO);
        for position in positions {
            let at = position / LANES;
            let block = packed.block(at);
            if last.0 != at {
                let (mean, square) = evaluate(simd, block, x);
                last = (at, mean, square);
            }
            beliefs.push(block.belief(position % LANES, &last.1, &last.2));
        }
        beliefs
    }
}

struct Each<'a> {
    packed: &'a Packed,
    positions: &'a [usize],
    xs: &'a [&'a [f64]],
}

impl WithSimd for Each<'_> {
    type Output = Vec<Belief>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Belief> {
        let Self { packed, positions, xs } = self;
        let dimensions = packed.prior.dimensions();
        let zeros = vec![0.0; dimensions];
        let mut vector = Vector { x: Vec::with_capacity(dimensions), present: Vec::with_capacity(dimensions) };
        let mut beliefs = Vec::with_capacity(positions.len());
        let (mut positions, mut xs) = (positions, xs);
        while let Some(first) = positions.first() {
            let at = first / LANES;
            // As many as follow in the same block, rising, so that no lane is asked for twice.
            let mut run = 1;
            while positions.get(run).is_some_and(|next| next / LANES == at)
                && positions.get(run - 1) < positions.get(run)
            {
                run += 1;
            }
            let (asked, later) = positions.split_at(run);
            let (given, xs_later) = xs.split_at_checked(run).unwrap_or((xs, &[]));
            let mut lanes = [zeros.as_slice(); LANES];
            for (position, x) in asked.iter().zip(given) {
                if let Some(lane) = lanes.get_mut(position % LANES) {
                    *lane = x;
                }
            }
            vector.fill(lanes);
            let block = packed.block(at);
            let (mean, square) = evaluate(simd, block, &vector);
            beliefs.extend(asked.iter().map(|position| block.belief(position % LANES, &mean, &square)));
            (positions, xs) = (later, xs_later);
        }
        beliefs
    }
}
