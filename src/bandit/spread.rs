//! How far arms differ: variances between the variants of an offer, the offers of a category and the categories, by
//! the method of moments. Believes nothing of an arm.
//!
//! `DerSimonian` and Laird, *Meta-analysis in clinical trials* (1986): of estimates `y_i` with sampling variances `s_i`
//! and any weights `w_i`, `Q = sum w_i (y_i - y)^2` is `sum w_i s_i (1 - w_i / sum w) + tau^2 D` in the mean, with
//! `D = sum w_i - sum w_i^2 / sum w_i`. To that a guess `tau_0^2` is added as if it had been seen among a few arms, so
//! that the spread is defined before there is anything to compare.

use super::day_sums::DaySums;

/// Variances of the intercept and of every other component.
pub(super) type Spread = [f64; 2];

/// What a few arms have in common, summed: enough to compare them with others.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    n: f64,
    accepted: f64,
    x: Vec<f64>,  // sum w x_j
    xx: Vec<f64>, // sum w x_j^2
    rx: Vec<f64>, // sum w r x_j
    arms: f64,    // sum of n^2 over its arms
    offers: f64,  // sum of n^2 over its offers
}

/// The three spreads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spreads {
    /// Between the variants of an offer.
    pub(super) variants: Spread,
    /// Between the offers of a category.
    pub(super) offers: Spread,
    /// Between categories.
    pub(super) categories: Spread,
}

/// Guesses of the three in log-odds, for the intercept and for the other components: an acceptance of p differs by
/// `p (1 - p)` for each.
const GUESS: [Spread; 3] = [[0.3, 0.2], [0.7, 0.3], [0.7, 0.3]];

/// How many well-measured arms a guess is worth.
const GUESS_ARMS: f64 = 2.0;

impl Unit {
    /// One arm.
    pub(super) fn of(sums: &DaySums) -> Self {
        let d = sums.b.len();
        let mut columns = sums.a.as_slice();
        let (mut x, mut xx) = (Vec::new(), Vec::with_capacity(d));
        for j in 0..d {
            let (column, next) = columns.split_at(d - j);
            if j == 0 {
                x = column.to_vec();
            }
            xx.extend(column.first());
            columns = next;
        }
        let n = sums.counts.weight;
        Self { n, accepted: sums.counts.accepted, x, xx, rx: sums.b.clone(), arms: n * n, offers: 0.0 }
    }

    /// Its members added up.
    pub(super) fn sum<'a>(members: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for member in members {
            sum.n += member.n;
            sum.accepted += member.accepted;
            for (own, more) in [(&mut sum.x, &member.x), (&mut sum.xx, &member.xx), (&mut sum.rx, &member.rx)] {
                own.resize(own.len().max(more.len()), 0.0);
                own.iter_mut().zip(more).for_each(|(own, more)| *own += more);
            }
            sum.arms += member.arms;
            sum.offers += member.offers;
        }
        sum
    }

    /// As an offer: its arms are counted as one from now on. Where it has one variant, none differs from it.
    pub(super) fn into_offer(mut self, has_several: bool) -> Self {
        self.offers = self.n * self.n;
        self.arms = if has_several { self.arms } else { 0.0 };
        self
    }

    /// The rate at which it is accepted, one acceptance in two before anything is known.
    pub(super) fn rate(&self) -> f64 {
        rounded((self.accepted.max(0.0) + 1.0) / (self.n.max(0.0) + 2.0), 8.0).min(0.5)
    }

    /// The variance of one answer, `p (1 - p)`, p being drawn to the rate of all as by one acceptance.
    pub(super) fn noise(&self, rate: f64) -> f64 {
        let p = (self.accepted.max(0.0) + 1.0) / (self.n.max(0.0) + 1.0 / rate);
        let p = p.clamp(0.0, 0.5);
        p * (1.0 - p)
    }

    /// The estimates of its components and their sampling variances without noise: its rate, then the slopes.
    fn estimate(&self, j: usize) -> Option<(f64, f64)> {
        let rate = self.accepted / self.n;
        let (x, xx, rx) = (self.x.get(j)?, self.xx.get(j)?, self.rx.get(j)?);
        let (y, q) = if j == 0 { (rate, self.n) } else { (0.0, xx - x * x / self.n) };
        let y = if j == 0 { y } else { (rx - rate * x) / q };
        (self.n > 0.0 && q > 1e-6 * self.n && q.is_finite()).then_some((y, 1.0 / q))
    }
}

/// What moments say so far.
#[derive(Default)]
struct Moments {
    excess: f64, // Q less what sampling alone makes of it
    weight: f64, // D
}

impl Moments {
    /// Compares siblings; `lower` are the spreads below them.
    fn compare(&mut self, siblings: &[&Unit], j: usize, rate: f64, lower: [Spread; 2]) {
        let within = |unit: &Unit| {
            let part = usize::from(j > 0);
            let [variants, offers] = lower.map(|spread| spread.get(part).copied().unwrap_or(0.0));
            (variants * unit.arms + offers * unit.offers) / (unit.n * unit.n)
        };
        if siblings.len() < 2 {
            return;
        }
        // Weighed by the noise of all: by its own, an arm that is seldom accepted would hide those that often are.
        let noise = rate * (1.0 - rate);
        let measured: Vec<(f64, f64, f64)> = siblings
            .iter()
            .filter_map(|unit| {
                let (y, s) = unit.estimate(j)?;
                Some((y, s * unit.noise(rate) + within(unit), 1.0 / (s * noise + within(unit))))
            })
            .collect();
        if measured.len() < 2 {
            return;
        }
        let (mut w, mut wy, mut ww) = (0.0, 0.0, 0.0);
        for (y, _, w_i) in &measured {
            w += w_i;
            wy += w_i * y;
            ww += w_i * w_i;
        }
        for (y, s_i, w_i) in &measured {
            self.excess += w_i * (y - wy / w) * (y - wy / w) - w_i * s_i * (1.0 - w_i / w);
        }
        self.weight += w - ww / w;
    }

    fn variance(&self, guess: f64) -> f64 {
        let excess = if self.excess > 0.0 { self.excess } else { 0.0 };
        rounded((excess + GUESS_ARMS) / (self.weight + GUESS_ARMS / guess), 2.0)
    }
}

impl Spreads {
    /// From the arms of each offer, the offers of each category, and the categories.
    pub(super) fn of(
        rate: f64,
        dimensions: usize,
        variants: &[Vec<&Unit>],
        offers: &[Vec<&Unit>],
        categories: &[&Unit],
    ) -> Self {
        let [guess_v, guess_o, guess_c] = GUESS;
        let none = [[0.0; 2]; 2];
        let unit = rate * (1.0 - rate);
        let spread = |families: &[Vec<&Unit>], guess: Spread, lower: [Spread; 2]| -> Spread {
            let [mut first, mut rest] = [Moments::default(), Moments::default()];
            for family in families {
                first.compare(family, 0, rate, lower);
                (1..dimensions).for_each(|j| rest.compare(family, j, rate, lower));
            }
            let [g0, g1] = guess;
            [(first, g0), (rest, g1)].map(|(moments, guess)| moments.variance(guess * guess * unit * unit))
        };
        let variants = spread(variants, guess_v, none);
        let offers = spread(offers, guess_o, [variants, [0.0; 2]]);
        let categories = spread(&[categories.to_vec()], guess_c, [variants, offers]);
        Self { variants, offers, categories }
    }
}

/// The nearest power of two to the `steps`th: what moves little stays the same number, so that what was derived from it
/// stays too.
pub(super) fn rounded(x: f64, steps: f64) -> f64 {
    libm::exp2(libm::round(libm::log2(x) * steps) / steps)
}
