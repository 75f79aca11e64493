//! `linucb_hybrid` against algorithm 2 of arXiv 1003.0146, written down step by step. Holds no code of its own.

use std::sync::Arc;

use super::hybrid::{Hybrid, Shared};
use super::lineup::Lineup;
use super::posterior::Posterior;
use super::sample::{self, increment};
use super::sharing::Scope;
use super::statistics::ArmStatistics;
use crate::domain::placement::Encoder;
use crate::domain::{AttributeId, Day, Feature, FeatureAtom, Placement};

type Matrix = Vec<Vec<f64>>;

/// Components 1 and 3 read the offer; 0, the intercept, and 2 do not.
fn placement() -> Placement {
    let feature = |id: &str| Feature {
        text: String::new(),
        atoms: vec![FeatureAtom { attribute: AttributeId::parse(id).ok(), encoder: Encoder::Flag }],
    };
    Placement {
        features: vec![feature("offer.new"), feature("context.mobile"), feature("offer.loud")],
        ..sample::placement()
    }
}

fn scope(lambda: f64) -> Scope {
    Scope { dimensions: 4, day: Day(0), half_life_days: None, lambda }
}

fn identity(n: usize) -> Matrix {
    (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let columns = b[0].len();
    a.iter().map(|row| (0..columns).map(|j| row.iter().zip(b).map(|(x, y)| x * y[j]).sum()).collect()).collect()
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

fn plus(a: &Matrix, b: &Matrix, sign: f64) -> Matrix {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + sign * b).collect()).collect()
}

/// Gauss and Jordan, with pivots.
fn inverse(a: &Matrix) -> Matrix {
    let n = a.len();
    let mut rows: Matrix = a.iter().zip(identity(n)).map(|(a, e)| [a.clone(), e].concat()).collect();
    for at in 0..n {
        let best = (at..n).max_by(|i, j| rows[*i][at].abs().total_cmp(&rows[*j][at].abs())).unwrap();
        rows.swap(at, best);
        let pivot = rows[at][at];
        rows[at].iter_mut().for_each(|x| *x /= pivot);
        let used = rows[at].clone();
        for row in rows.iter_mut().enumerate().filter(|(i, _)| *i != at).map(|(_, row)| row) {
            let factor = row[at];
            row.iter_mut().zip(&used).for_each(|(x, u)| *x -= factor * u);
        }
    }
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}

fn column(x: &[f64]) -> Matrix {
    x.iter().map(|x| vec![*x]).collect()
}

/// The state of algorithm 2.
struct Paper {
    a_0: Matrix,
    b_0: Matrix,
    arms: Vec<(Matrix, Matrix, Matrix)>,
}

impl Paper {
    fn new(arms: usize, lambda: f64) -> Self {
        let scaled = |n| identity(n).into_iter().map(|row| row.into_iter().map(|x| lambda * x).collect()).collect();
        let zeros = |n, m| vec![vec![0.0; m]; n];
        let (a, b, c): (Matrix, Matrix, Matrix) = (scaled(2), zeros(2, 2), zeros(2, 1));
        Self { a_0: scaled(2), b_0: zeros(2, 1), arms: vec![(a, b, c); arms] }
    }

    /// Lines 17 to 23.
    fn learn(&mut self, arm: usize, x: &[f64], z: &[f64], r: f64) {
        let (x, z) = (column(x), column(z));
        let (a, b, c) = &mut self.arms[arm];
        let folded = product(&transposed(b), &inverse(a));
        self.a_0 = plus(&self.a_0, &product(&folded, b), 1.0);
        self.b_0 = plus(&self.b_0, &product(&folded, c), 1.0);
        *a = plus(a, &product(&x, &transposed(&x)), 1.0);
        *b = plus(b, &product(&x, &transposed(&z)), 1.0);
        *c = plus(c, &x, r);
        let folded = product(&transposed(b), &inverse(a));
        self.a_0 = plus(&plus(&self.a_0, &product(&z, &transposed(&z)), 1.0), &product(&folded, b), -1.0);
        self.b_0 = plus(&plus(&self.b_0, &z, r), &product(&folded, c), -1.0);
    }

    /// Lines 12 and 13: mean and width.
    fn score(&self, arm: usize, x: &[f64], z: &[f64]) -> (f64, f64) {
        let (x, z) = (column(x), column(z));
        let (a, b, c) = &self.arms[arm];
        let (a_0_inv, a_inv) = (inverse(&self.a_0), inverse(a));
        let beta = product(&a_0_inv, &self.b_0);
        let theta = product(&a_inv, &plus(c, &product(b, &beta), -1.0));
        let of = |left: &Matrix, right: &Matrix| product(&transposed(left), right)[0][0];
        let turned = product(&product(&transposed(b), &a_inv), &x); // B' A^-1 x
        let s = of(&z, &product(&a_0_inv, &z)) - 2.0 * of(&z, &product(&a_0_inv, &turned))
            + of(&x, &product(&a_inv, &x))
            + of(&turned, &product(&a_0_inv, &turned));
        (of(&z, &beta) + of(&x, &theta), s.sqrt())
    }
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9, "{a} is not {b}");
}

#[test]
fn sums_give_what_algorithm_2_arrives_at_step_by_step() {
    for lambda in [0.1, 1.0, 10.0] {
        let mut paper = Paper::new(4, lambda);
        let mut arms = vec![ArmStatistics::default(); 4];
        for step in 0..240_u32 {
            // Quarters, which features hold exactly; the last arm is never shown.
            let (x, z) = ([1.0, f64::from(step % 5) / 4.0], [f64::from(step % 3) / 2.0, f64::from(step / 7 % 4) / 4.0]);
            let (arm, r) = ((step * 5 / 3 % 3) as usize, u8::from(step * step % 11 < 4));
            paper.learn(arm, &x, &z, f64::from(r));
            arms[arm].apply(&increment(Day(0), None, &[x[0], z[0], x[1], z[1]], 1, r.cast_signed()));
        }
        let mut lineup = Lineup::of_offers(4);
        for (place, arm) in lineup.arms.iter_mut().zip(arms).take(3) {
            *place = Some(Arc::new(arm));
        }
        let shared = Shared::of(&placement());
        let hybrid = Hybrid::derive(scope(lambda), shared.clone(), &lineup, None);
        assert!(hybrid.alarms.is_empty(), "{:?}", hybrid.alarms);
        for (arm, posterior) in hybrid.posteriors.iter().enumerate() {
            for u in [[1.0, 0.5, 0.25, 1.0], [1.0, 0.0, 0.0, 0.0], [1.0, 1.0, -2.0, 3.0]] {
                let (mean, width) = paper.score(arm, &[u[0], u[2]], &[u[1], u[3]]);
                let estimate = posterior.score(&u);
                close(estimate.mean, mean);
                close(estimate.bonus, width);
            }
        }
        let again = Hybrid::derive(scope(lambda), shared, &lineup, Some(&hybrid));
        assert_eq!(again.posteriors, hybrid.posteriors);
    }
}

#[test]
fn without_features_of_offers_every_arm_is_disjoint() {
    let mut lineup = Lineup::of_offers(2);
    let mut statistics = ArmStatistics::default();
    for n in 0..50 {
        statistics.apply(&increment(Day(0), None, &[1.0, f64::from(n % 4) / 4.0], 1, i8::from(n % 3 == 0)));
    }
    lineup.arms[0] = Some(Arc::new(statistics.clone()));
    let placement = Placement { features: placement().features.split_off(1)[..1].to_vec(), ..sample::placement() };
    let scope = Scope { dimensions: 2, ..scope(2.0) };
    let hybrid = Hybrid::derive(scope, Shared::of(&placement), &lineup, None);
    let alone = Posterior::derive(&statistics, 2, Day(0), None, 2.0).posterior;
    for (hybrid, alone) in hybrid.posteriors.iter().zip([alone, Posterior::prior(2, 2.0)]) {
        for x in [[1.0, 0.0], [1.0, 3.0]] {
            close(hybrid.score(&x).mean, alone.score(&x).mean);
            close(hybrid.score(&x).bonus, alone.score(&x).bonus);
        }
    }
}
