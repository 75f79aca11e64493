//! Posteriors: what the integers of one arm mean on one day. The only place where learning meets floating point.
//! Stores nothing, patches nothing in place and never panics on bad sums.
//!
//! Linear model with Gaussian prior (Agrawal and Goyal, arXiv 1209.3352; Li et al., arXiv 1003.0146):
//! `A = lambda I + sum w x x'`, `b = sum w r x`, `theta = A^-1 b`. Only + - * / sqrt in a fixed order, so that the bits
//! do not depend on the processor.

use super::ArmStatistics;
use super::blocks::packed_len;
use super::cholesky::{Factor, trace, well_conditioned};
use super::day_sums::{Counts, DaySums};
use super::logistic::fit;
use crate::domain::Day;

/// Inverse-gamma prior of the noise variance `v^2`: shape a.
pub const PRIOR_SHAPE: f64 = 2.0;

/// Inverse-gamma prior of the noise variance `v^2`: scale b.
pub const PRIOR_SCALE: f64 = 1.0;

/// The largest magnitude of a feature, [`features::LIMIT`].
const FEATURE_MAX: f64 = 16.0;

/// Belief about the parameters of one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    theta: Vec<f64>,    // A^-1 b
    a_inv: Vec<f64>,    // A^-1, its lower triangle packed column by column from the diagonal down
    variance: f64,      // v^2 = b_n / (a_n - 1)
    weight: f64,        // n
    accepted: f64,      // sum w r
    value: f64,         // sum w v, in minor units
    pseudo: (f64, f64), // accepted and not accepted that the prior is worth, beyond one of each
}

/// Estimate of one arm for one feature vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// `theta' x`: expected acceptance.
    pub mean: f64,
    /// `sqrt(x' A^-1 x)`: width of the belief before it is scaled by v or alpha.
    pub bonus: f64,
}

/// Why the sums of an arm made no posterior, so that it decides by its prior until they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PosteriorAlarm {
    /// A pivot of the factor was zero or below: more was taken back than had been learned.
    #[error("the statistics of an arm are not positive definite; it decides by its prior until the model is rebuilt")]
    NotPositiveDefinite,
    /// NaN or infinity turned up.
    #[error(
        "the statistics of an arm give numbers that are not finite; it decides by its prior until the model is rebuilt"
    )]
    NotFinite,
    /// Rounding alone could make a width of the belief zero or below.
    #[error(
        "the statistics of an arm are too ill-conditioned for a width above zero; it decides by its prior until they \
         are not"
    )]
    IllConditioned,
}

/// A posterior, and whether it is only the prior because something was wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// What to decide by.
    pub posterior: Posterior,
    /// Set when the statistics were not used.
    pub alarm: Option<PosteriorAlarm>,
}

impl Posterior {
    /// Belief of an arm that has learned nothing: `A = lambda I`, theta 0, `v^2` the mean of its prior, 1.
    pub fn prior(dimensions: usize, lambda: f64) -> Self {
        // Rounded as in the factor of an arm with empty sums, so that both are the same bits.
        let diagonal = 1.0 / lambda.sqrt();
        let mut a_inv = Vec::with_capacity(packed_len(dimensions));
        for below in (0..dimensions).rev() {
            a_inv.push(diagonal * diagonal);
            a_inv.resize(a_inv.len() + below, 0.0);
        }
        let variance = PRIOR_SCALE / (PRIOR_SHAPE - 1.0);
        let (weight, accepted, value, pseudo) = (0.0, 0.0, 0.0, (0.0, 0.0));
        Self { theta: vec![0.0; dimensions], a_inv, variance, weight, accepted, value, pseudo }
    }

    /// A belief with this mean and this covariance, the noise being in it already, so that its `v^2` is 1: if it gives
    /// finite means and widths above zero for every context. `precision` is at least the largest eigenvalue of the
    /// covariance's inverse.
    pub(super) fn of(
        theta: Vec<f64>,
        covariance: Vec<f64>,
        precision: f64,
        counts: Counts,
        pseudo: (f64, f64),
    ) -> Result<Self, PosteriorAlarm> {
        let Counts { weight, accepted, value } = counts;
        Self { theta, a_inv: covariance, variance: 1.0, weight, accepted, value, pseudo }.sound(precision)
    }

    /// The one check of every belief before anything is decided by it.
    fn sound(self, precision: f64) -> Result<Self, PosteriorAlarm> {
        let reach: f64 = self.theta.iter().map(|t| t.abs() * FEATURE_MAX).sum(); // |theta' x| at most
        if !(finite(&self.a_inv) && finite(&[reach, self.variance])) {
            return Err(PosteriorAlarm::NotFinite);
        }
        let dimensions = self.dimensions();
        if !well_conditioned(precision, trace(&self.a_inv, dimensions), dimensions) {
            return Err(PosteriorAlarm::IllConditioned);
        }
        Ok(self)
    }

    /// Derives the posterior of an arm as seen on a day: every live generation divided by its weight of that day,
    /// `lambda I` added, one factorisation. Components of the statistics at `dimensions` and beyond are not read.
    pub fn derive(
        statistics: &ArmStatistics,
        dimensions: usize,
        day: Day,
        half_life_days: Option<u32>,
        lambda: f64,
    ) -> Derived {
        let DaySums { a, b, counts } = DaySums::of(statistics, dimensions, day, half_life_days);
        match Self::solve(a, &b, lambda, counts.weight, counts.accepted) {
            Ok(posterior) => Derived { posterior: Self { value: counts.value, ..posterior }, alarm: None },
            Err(alarm) => Derived { posterior: Self::prior(dimensions, lambda), alarm: Some(alarm) },
        }
    }

    /// The same of the logits of acceptance, for a prior `N(centre, 1 / lambda)` of the intercept and
    /// `N(0, 1 / lambda)` of the rest. Its variance is 1.
    pub fn derive_logits(
        statistics: &ArmStatistics,
        dimensions: usize,
        day: Day,
        half_life_days: Option<u32>,
        (lambda, centre): (f64, f64),
    ) -> Derived {
        let DaySums { a, b, counts } = DaySums::of(statistics, dimensions, day, half_life_days);
        let mut square = vec![0.0; dimensions * dimensions];
        let places = (0..dimensions).flat_map(|j| (j..dimensions).map(move |i| (i, j)));
        for ((i, j), a_ij) in places.zip(&a) {
            (square[i * dimensions + j], square[j * dimensions + i]) = (*a_ij, *a_ij);
        }
        if !square.iter().chain(&b).all(|number| number.is_finite()) {
            let posterior = Self::prior_logits(dimensions, lambda, centre);
            return Derived { posterior, alarm: Some(PosteriorAlarm::NotFinite) };
        }
        let posterior = fit(&square, &b, lambda, centre).and_then(|(theta, a)| {
            let packed: Vec<f64> =
                (0..dimensions).flat_map(|j| a.iter().skip(j).step_by(dimensions).skip(j)).copied().collect();
            let a_inv = Factor::of(&packed, dimensions)?.invert();
            Self::of(theta, a_inv, trace(&packed, dimensions), counts, (0.0, 0.0))
        });
        match posterior {
            Ok(posterior) => Derived { posterior, alarm: None },
            Err(alarm) => Derived { posterior: Self::prior_logits(dimensions, lambda, centre), alarm: Some(alarm) },
        }
    }

    /// The logits of an arm that has learned nothing.
    pub fn prior_logits(dimensions: usize, lambda: f64, centre: f64) -> Self {
        let mut prior = Self::prior(dimensions, lambda);
        prior.theta.iter_mut().take(1).for_each(|intercept| *intercept = centre);
        prior
    }

    /// Posterior from `sum w x x'` (lower triangle, packed column by column), `b`, n and `sum w r^2`.
    fn solve(mut a: Vec<f64>, b: &[f64], lambda: f64, weight: f64, squares: f64) -> Result<Self, PosteriorAlarm> {
        let dimensions = b.len();
        let mut diagonal = 0;
        for below in (0..dimensions).rev() {
            if let Some(a_jj) = a.get_mut(diagonal) {
                *a_jj += lambda;
            }
            diagonal += below + 1;
        }
        if !(finite(&a) && finite(b) && finite(&[weight, squares])) {
            return Err(PosteriorAlarm::NotFinite);
        }
        let trace_a = trace(&a, dimensions);
        let factor = Factor::of(&a, dimensions)?;
        let mut theta = b.to_vec();
        factor.solve_lower(&mut theta);
        let explained: f64 = theta.iter().map(|z| z * z).sum(); // theta' A theta = |L^-1 b|^2
        factor.solve_upper(&mut theta);
        let shape = PRIOR_SHAPE + weight / 2.0;
        // Rewards of exposures that weigh little yet may explain more than there is: only the prior's noise is left.
        let residual = squares - explained;
        let scale = PRIOR_SCALE + if residual > 0.0 { residual / 2.0 } else { 0.0 };
        if shape <= 1.0 {
            return Err(PosteriorAlarm::NotPositiveDefinite);
        }
        let a_inv = factor.invert();
        let variance = scale / (shape - 1.0);
        if !explained.is_finite() {
            return Err(PosteriorAlarm::NotFinite);
        }
        Self { theta, a_inv, variance, weight, accepted: squares, value: 0.0, pseudo: (0.0, 0.0) }.sound(trace_a)
    }

    /// Mean and width for a feature vector of this many dimensions: `theta' x` and `sqrt(x' A^-1 x)`. The width is
    /// above zero and finite for every x that is not zero and whose components are features.
    ///
    /// The order of the sums is that of the [kernel](super::kernel), to the bit.
    pub fn score(&self, x: &[f64]) -> Estimate {
        let (mut columns, mut mean, mut square) = (self.a_inv.as_slice(), 0.0, 0.0);
        for (j, (theta, x_j)) in self.theta.iter().zip(x).enumerate() {
            let (column, next) = columns.split_at(self.dimensions() - j);
            // A zero adds nothing, and most features are zero.
            if *x_j != 0.0 {
                mean += theta * x_j;
                let mut below = 0.0;
                column.iter().zip(x.iter().skip(j)).skip(1).for_each(|(a, x_i)| below += a * x_i);
                square += x_j * (column.first().map_or(0.0, |a| a * x_j) + 2.0 * below);
            }
            columns = next;
        }
        Estimate { mean, bonus: square.sqrt() }
    }

    /// Number of components.
    pub fn dimensions(&self) -> usize {
        self.theta.len()
    }

    /// Posterior mean of the parameters.
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// `A^-1`: its lower triangle, column by column from the diagonal down.
    pub fn a_inv(&self) -> &[f64] {
        &self.a_inv
    }

    /// `v^2`, the plug-in mean of the noise variance: `b_n / (a_n - 1)` with `a_n = 2 + n/2` and
    /// `b_n = 1 + (sum r^2 - theta' A theta) / 2`.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// n: exposures learned from, each at its weight of the day.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// `m_a` as learned from accepted orders, shrunk to the catalogue's margin, which counts for so many orders:
    /// `(k m + sum w v) / (k + sum w r)`.
    pub fn value(&self, margin: f64, orders: f64) -> f64 {
        let accepted = self.accepted();
        if orders + accepted > 0.0 { (orders * margin + self.value) / (orders + accepted) } else { margin }
    }

    /// Weight of what was accepted as of the day, not below zero.
    pub fn accepted(&self) -> f64 {
        self.accepted.max(0.0)
    }

    /// Weight of what was accepted and of what was not, each at its weight of the day, neither below zero, with what
    /// the prior is worth beyond one of each.
    pub fn counts(&self) -> (f64, f64) {
        // `sum w r^2` is `sum w r`, r being 0 or 1. Each is divided by its own day, so that rounding may cross zero.
        let (accepted, declined) = self.pseudo;
        (self.accepted.max(0.0) + accepted, (self.weight - self.accepted).max(0.0) + declined)
    }
}

/// Whether all of them are finite; none is left out, so that they are looked at side by side.
pub(super) fn finite(numbers: &[f64]) -> bool {
    numbers.iter().fold(true, |all, number| all & number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::decay::generation_and_weight;
    use crate::bandit::sample::increment;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() <= within, "{a} is not {b}");
    }

    #[test]
    fn ridge_regression_matches_its_reference_to_1e_9() {
        let rows = [([1.0, 0.5], 1.0), ([0.2, -1.0], 0.0), ([0.7, 0.3], 0.5)];
        let (mut a, mut b) = (vec![0.0; 3], [0.0; 2]);
        for (x, r) in rows {
            a[0] += x[0] * x[0];
            a[1] += x[0] * x[1];
            a[2] += x[1] * x[1];
            b[0] += r * x[0];
            b[1] += r * x[1];
        }
        for (sum, expected) in a.iter().zip([3.53 - 2.0, 0.51, 3.34 - 2.0]).chain(b.iter().zip([1.35, 0.65])) {
            close(*sum, expected, 1e-9);
        }
        let posterior = Posterior::solve(a, &b, 2.0, 3.0, 1.25).unwrap();
        close(posterior.theta()[0], 0.362_312_555_832_126_4, 1e-9);
        close(posterior.theta()[1], 0.139_287_603_750_184_3, 1e-9);
        let estimate = posterior.score(&[0.4, 0.9]);
        close(estimate.mean, 0.270_283_865_708_016_43, 1e-9);
        close(estimate.bonus * estimate.bonus, 0.262_486_882_160_605_73, 1e-9);
        let explained = 1.35 * posterior.theta()[0] + 0.65 * posterior.theta()[1];
        close(posterior.variance(), (1.0 + (1.25 - explained) / 2.0) / (2.0 + 1.5 - 1.0), 1e-12);
    }

    #[test]
    fn a_fresh_arm_has_the_width_of_its_prior() {
        let x = [1.0, -0.5, 0.0, 2.0];
        let norm = 5.25_f64.sqrt();
        for lambda in [0.1, 1.0, 10.0_f64] {
            let derived = Posterior::derive(&ArmStatistics::default(), 4, Day(20_000), Some(60), lambda);
            assert_eq!(derived.alarm, None);
            assert_eq!(derived.posterior, Posterior::prior(4, lambda));
            let estimate = derived.posterior.score(&x);
            assert_eq!(estimate.mean, 0.0);
            close(estimate.bonus, norm / lambda.sqrt(), 1e-12);
            assert_eq!(derived.posterior.variance(), 1.0);
        }
    }

    #[test]
    fn integers_and_plain_sums_give_the_same_posterior() {
        let rows = [([1.0, 0.5, -3.0], 1), ([1.0, -1.25, 0.0], 0), ([1.0, 2.0, 0.125], 1), ([1.0, 0.5, 16.0], 0)];
        let mut statistics = ArmStatistics::default();
        let (mut a, mut b) = (vec![0.0; 6], vec![0.0; 3]);
        for (x, r) in rows {
            statistics.apply(&increment(Day(100), Some(30), &x, 1, r));
            for (at, (i, j)) in [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2)].into_iter().enumerate() {
                a[at] += x[i] * x[j];
            }
            (0..3).for_each(|i| b[i] += f64::from(r) * x[i]);
        }
        let derived = Posterior::derive(&statistics, 3, Day(100), Some(30), 1.0);
        let plain = Posterior::solve(a, &b, 1.0, 4.0, 2.0).unwrap();
        assert_eq!(derived.alarm, None);
        close(derived.posterior.weight(), 4.0, 1e-12);
        close(derived.posterior.variance(), plain.variance(), 1e-12);
        derived.posterior.theta().iter().zip(plain.theta()).for_each(|(t, p)| close(*t, *p, 1e-12));
        let x = [1.0, 0.3, -0.7];
        close(derived.posterior.score(&x).bonus, plain.score(&x).bonus, 1e-12);
    }

    #[test]
    fn what_was_learned_counts_half_after_a_half_life() {
        let mut statistics = ArmStatistics::default();
        for _ in 0..1_000 {
            statistics.apply(&increment(Day(17), Some(30), &[1.0, 0.5], 1, 1));
        }
        for (half_lives, expected) in [(0, 1_000.0), (1, 500.0), (2, 250.0), (10, 1_000.0 / 1_024.0)] {
            let derived = Posterior::derive(&statistics, 2, Day(17 + 30 * half_lives), Some(30), 1.0);
            close(derived.posterior.weight(), expected, expected * 1e-4);
        }
        let forgotten = Posterior::derive(&statistics, 2, Day(30 * 48), Some(30), 1.0);
        assert_eq!(forgotten, Derived { posterior: Posterior::prior(2, 1.0), alarm: None });
    }

    #[test]
    fn counts_are_those_of_the_day_and_never_below_zero() {
        let mut statistics = ArmStatistics::default();
        for n in 0..10 {
            statistics.apply(&increment(Day(17), Some(30), &[1.0, 0.5], 1, i8::from(n < 3)));
        }
        let counts = |day: i32| Posterior::derive(&statistics, 2, Day(day), Some(30), 1.0).posterior.counts();
        let check = |(accepted, declined): (f64, f64), expected: (f64, f64)| {
            close(accepted, expected.0, 1e-4);
            close(declined, expected.1, 1e-4);
        };
        check(counts(17), (3.0, 7.0));
        check(counts(47), (1.5, 3.5));
        assert_eq!(Posterior::prior(2, 1.0).counts(), (0.0, 0.0));
        let odd = Posterior { accepted: 2.0, weight: 1.0, ..Posterior::prior(2, 1.0) };
        assert_eq!(odd.counts(), (2.0, 0.0));
    }

    #[test]
    fn years_of_fast_forgetting_stay_finite_even_for_a_component_seldom_seen() {
        let mut statistics = ArmStatistics::default();
        for day in 0..6_000 {
            let seldom = f64::from(u8::from(day % 977 == 0));
            let accepted = i8::from(day % 3 == 0);
            statistics.apply(&increment(Day(day), Some(1), &[1.0, seldom, 16.0], 1, accepted));
            if day % 7 == 0 {
                let Derived { posterior, alarm } = Posterior::derive(&statistics, 3, Day(day), Some(1), 1e-3);
                assert_eq!(alarm, None, "day {day}");
                assert!(posterior.weight() > 0.99 && posterior.weight() < 2.01, "{}", posterior.weight());
                let estimate = posterior.score(&[1.0, 1.0, 16.0]);
                assert!(estimate.mean.is_finite() && estimate.bonus.is_finite());
            }
        }
        assert_eq!(generation_and_weight(Day(5_999), Some(1)).0, 249);
    }

    #[test]
    fn ten_years_of_daily_decay_are_finite_and_exact() {
        let (days, half_life) = (3_653, 60);
        let of = |day: i32, exposure: i8| {
            let accepted = exposure * i8::from(day % 7 == 0);
            increment(Day(day), Some(half_life), &[1.0, f64::from(day % 5) - 2.0], exposure, accepted)
        };
        let (mut forward, mut backward) = (ArmStatistics::default(), ArmStatistics::default());
        (0..days).for_each(|day| forward.apply(&of(day, 1)));
        (0..days).rev().for_each(|day| backward.apply(&of(day, 1)));
        assert_eq!(forward.digest(), backward.digest());
        let Derived { posterior, alarm } = Posterior::derive(&forward, 2, Day(days - 1), Some(half_life), 1.0);
        assert_eq!(alarm, None);
        let weighed = |day: i32| libm::exp2(f64::from(day - (days - 1)) / f64::from(half_life));
        let (all, sevenths): (f64, f64) =
            ((0..days).map(weighed).sum(), (0..days).filter(|day| day % 7 == 0).map(weighed).sum());
        close(posterior.weight(), all, 1e-4 * all);
        close(posterior.accepted(), sevenths, 1e-4 * sevenths);
        (0..days).for_each(|day| forward.apply(&of(day, -1)));
        assert!(forward.is_empty(), "taken back day by day, nothing is left of ten years");
    }

    #[test]
    fn sums_that_make_no_sense_fall_back_to_the_prior_with_an_alarm() {
        let mut statistics = ArmStatistics::default();
        statistics.apply(&increment(Day(0), None, &[1.0, 3.0], -1, 0));
        let derived = Posterior::derive(&statistics, 2, Day(0), None, 1.0);
        assert_eq!(derived.posterior, Posterior::prior(2, 1.0));
        assert_eq!(derived.alarm, Some(PosteriorAlarm::NotPositiveDefinite));
        let check = |a: [f64; 3], b: [f64; 2], lambda, weight, squares, expected| {
            assert_eq!(Posterior::solve(a.to_vec(), &b, lambda, weight, squares), Err(expected));
        };
        check([1.0, 2.0, 1.0], [0.0; 2], 0.5, 1.0, 0.0, PosteriorAlarm::NotPositiveDefinite);
        check([1.0, f64::NAN, 1.0], [0.0; 2], 1.0, 1.0, 0.0, PosteriorAlarm::NotFinite);
        check([1.0, 0.0, 1.0], [f64::INFINITY, 0.0], 1.0, 1.0, 0.0, PosteriorAlarm::NotFinite);
        check([1.0, 0.0, 1.0], [1e300, 0.0], 1.0, 1.0, 0.0, PosteriorAlarm::NotFinite);
        check([1.0, 0.0, 1.0], [0.0; 2], 1.0, -9.0, 0.0, PosteriorAlarm::NotPositiveDefinite);
        check([1.0, 0.0, 1.0], [0.0; 2], f64::NAN, 1.0, 0.0, PosteriorAlarm::NotFinite);
        assert!(Posterior::solve(vec![], &[], 1.0, 0.0, 0.0).is_ok());
    }
}
