//! The hot rule for logistic scores: distribution functions on one mesh for all, split where their product rises, then
//! Stieltjes sums. Within 1e-4 of the exact rule.
//!
//! The mesh is over places in the common range (the logit of the share of it that lies below), where scores with the
//! same ends are Gaussians and none is narrower than its logit. A cell is split in the middle while the product `G` of
//! all distribution functions rises too far over it, or while it and its halves do not agree. The mass of a score is
//! `sum_j c_j (ln F(t_{j+1}) - ln F(t_j))` with `c_j` the logarithmic mean of G over the cell; these masses sum to the
//! rise of G whatever the mesh. The sums over cells and over halves are extrapolated (Richardson).

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

use pulp::{Arch, NullaryFnOnce};

use super::curve::sigma;
use super::{PLACE_MAX, Range, Spread};
use crate::bandit::bounded::{Spread as _, logarithmic_mean};
use crate::bandit::polynomials::{exp, ln, ln_normal};

const LANES: usize = 8;

/// A score begins and ends this many deviations of its logit from its mean.
const REACH: f64 = 5.5;

/// The most that G rises over a cell.
const RISE: f64 = 1.0 / 12.0;

/// The most that its logarithm rises, where G is above [`NEGLIGIBLE`].
const LN_RISE: f64 = 2.0;

/// The most that a cell and its halves differ about the mass of a score.
const DIFFERENCE: f64 = 5e-6;

/// What happens while G is below this is nobody's win.
const NEGLIGIBLE: f64 = 1e-6;

/// Cells before any is split.
const CELLS: u16 = 8;

/// With more nodes than this no cell is split further.
const NODES_MAX: usize = 1 << 12;

/// What a score has already reached where no other has begun can no longer win.
const PASSED: f64 = -1e-9;

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

/// Scores as columns, filled up to whole lanes by scores that are over before the range begins.
struct Columns {
    from: Vec<f64>, // what the range begins above the score
    rest: Vec<f64>, // what the score ends above the range, never above zero
    width: Vec<f64>,
    mean: Vec<f64>,
    precision: Vec<f64>,
}

/// The logarithms of the distribution functions at one place, and of their product.
struct Node {
    t: f64,
    ln_f: Vec<f64>,
    ln_g: f64,
    g: f64,
}

impl NullaryFnOnce for Rule<'_> {
    type Output = (Vec<f64>, f64);

    #[inline(always)]
    fn call(self) -> (Vec<f64>, f64) {
        let Self { spreads, floor } = self;
        let range = Range::of(spreads, floor);
        let place = |s: &Spread, sign: f64| range.place(s, s.mean + sign * REACH * s.deviation);
        let low = spreads.iter().fold(-PLACE_MAX, |low, s| low.max(place(s, -1.0)));
        let high = spreads.iter().fold(low, |high, s| high.max(Range::beyond(place(s, 1.0))));
        let first = node(&Columns::of(spreads.iter(), &range), &range, low);
        let kept: Vec<usize> = (0..spreads.len()).filter(|at| first.ln_f[*at] < PASSED).collect();
        let below = if low > -PLACE_MAX { 0.0 } else { first.g };
        let mut masses = vec![0.0; spreads.len()];
        if kept.is_empty() || high <= low {
            return (masses, if high <= low { 1.0 } else { below });
        }
        let columns = Columns::of(kept.iter().map(|at| &spreads[*at]), &range);
        let mut sums = Sums { fine: vec![0.0; columns.mean.len()], rough: vec![0.0; columns.mean.len()] };
        let at = |cell: u16| low + (high - low) * (f64::from(cell) / f64::from(CELLS));
        let mut nodes: Vec<Node> = (0..CELLS).map(|cell| node(&columns, &range, at(cell))).collect();
        nodes.push(node(&columns, &range, high));
        let mut cells: Vec<(usize, usize)> = (0..nodes.len() - 1).rev().map(|cell| (cell, cell + 1)).collect();
        while let Some((left, right)) = cells.pop() {
            let (here, next) = (&nodes[left], &nodes[right]);
            let middle = node(&columns, &range, 0.5 * (here.t + next.t));
            let splits = here.t < middle.t && middle.t < next.t && nodes.len() < NODES_MAX;
            if splits && (far(here, next) || differ(here, &middle, next)) {
                nodes.push(middle);
                cells.extend([(nodes.len() - 1, right), (left, nodes.len() - 1)]);
            } else {
                sums.add(here, &middle, next);
            }
        }
        let Sums { fine, rough } = sums;
        for (at, (fine, rough)) in kept.iter().zip(fine.iter().zip(&rough)) {
            let extrapolated = (4.0 * fine - rough) / 3.0;
            masses[*at] = if extrapolated > 0.0 { extrapolated } else { 0.0 };
        }
        (masses, below)
    }
}

impl Columns {
    #[inline(always)]
    fn of<'a>(spreads: impl Iterator<Item = &'a Spread>, range: &Range) -> Self {
        let mut columns =
            Self { from: Vec::new(), rest: Vec::new(), width: Vec::new(), mean: Vec::new(), precision: Vec::new() };
        for spread in spreads {
            columns.from.push(range.low - spread.low);
            columns.rest.push(spread.top() - range.top);
            columns.width.push(spread.width);
            columns.mean.push(spread.mean);
            columns.precision.push(1.0 / spread.deviation);
        }
        let whole = columns.mean.len().next_multiple_of(LANES);
        columns.from.resize(whole, 1.0);
        columns.rest.resize(whole, f64::NEG_INFINITY);
        columns.width.resize(whole, f64::NEG_INFINITY);
        columns.mean.resize(whole, 0.0);
        columns.precision.resize(whole, 1.0);
        columns
    }
}

/// Whether G rises too far over a cell.
#[inline(always)]
fn far(here: &Node, next: &Node) -> bool {
    next.g - here.g > RISE || (next.ln_g - here.ln_g > LN_RISE && next.g > NEGLIGIBLE)
}

/// Whether a cell gives some score another mass than its halves do.
#[inline(always)]
fn differ(here: &Node, middle: &Node, next: &Node) -> bool {
    if next.g < NEGLIGIBLE {
        return false;
    }
    let (left, right, whole) = (mean(here, middle), mean(middle, next), mean(here, next));
    let mut most = 0.0;
    for ((from, by), to) in here.ln_f.iter().zip(&middle.ln_f).zip(&next.ln_f) {
        let off = (left - whole) * (by - from) + (right - whole) * (to - by);
        let off = if off > 0.0 { off } else { -off };
        most = if off > most { off } else { most };
    }
    most > DIFFERENCE
}

/// Sums over the halves of all cells, and over the cells.
struct Sums {
    fine: Vec<f64>,
    rough: Vec<f64>,
}

impl Sums {
    #[inline(always)]
    fn add(&mut self, here: &Node, middle: &Node, next: &Node) {
        let (left, right, whole) = (mean(here, middle), mean(middle, next), mean(here, next));
        let nodes = here.ln_f.iter().zip(&middle.ln_f).zip(&next.ln_f);
        for ((fine, rough), ((from, by), to)) in self.fine.iter_mut().zip(&mut self.rough).zip(nodes) {
            *fine += left * (by - from) + right * (to - by);
            *rough += whole * (to - from);
        }
    }
}

#[inline(always)]
fn node(columns: &Columns, range: &Range, t: f64) -> Node {
    const TINY: f64 = 1e-290;
    const HUGE: f64 = 1e18;
    let width = range.top - range.low;
    let (share, left) = (width * sigma(t), width * sigma(-t));
    let mut ln_f = vec![0.0; columns.mean.len()];
    // Told from the end that is nearer, so that neither end loses its digits.
    let (ends, near) = if t < 0.0 { (&columns.width, true) } else { (&columns.rest, false) };
    let (from, ends) = (columns.from.as_chunks::<LANES>().0, ends.as_chunks::<LANES>().0);
    let (mean, precision) = (columns.mean.as_chunks::<LANES>().0, columns.precision.as_chunks::<LANES>().0);
    let mut sums = [0.0; LANES];
    let columns = from.iter().zip(ends).zip(mean.iter().zip(precision));
    for (((from, end), (mean, precision)), out) in columns.zip(ln_f.as_chunks_mut::<LANES>().0) {
        let (mut odds, mut sure) = ([0.0; LANES], [0.0; LANES]);
        for (((odds, sure), from), end) in odds.iter_mut().zip(&mut sure).zip(from).zip(end) {
            let from = from + share;
            let rest = if near { end - from } else { end + left };
            *odds = (if from > TINY { from } else { TINY }) / (if rest > TINY { rest } else { TINY });
            *sure = if rest > 0.0 { 0.0 } else { HUGE };
            *sure = if from > 0.0 { *sure } else { -HUGE };
        }
        for ((((out, odds), sure), mean), precision) in out.iter_mut().zip(&odds).zip(&sure).zip(mean).zip(precision) {
            *out = ln_normal((ln(*odds) - mean) * precision + sure);
        }
        sums.iter_mut().zip(out).for_each(|(sum, ln_f)| *sum += *ln_f);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let ln_g = ((a + e) + (c + g)) + ((b + f) + (d + h));
    Node { t, ln_f, ln_g, g: exp(ln_g) }
}

/// The logarithmic mean of G between two nodes.
#[inline(always)]
fn mean(here: &Node, next: &Node) -> f64 {
    logarithmic_mean(next.ln_g - here.ln_g, (here.g, next.g))
}
