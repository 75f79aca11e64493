//! The cheapest intervention that is good enough, and what the highest expected score is worth: functions of recorded
//! scores and costs. Scores nothing, prices nothing and draws nothing.

use super::strategies::Score;
use crate::domain::Strategy;

/// What is expected of a score: its mean, without the bonus that a bound adds to it.
pub fn expected(strategy: &Strategy, score: &Score) -> f64 {
    match strategy {
        Strategy::Linucb { alpha } | Strategy::LinucbHybrid { alpha } => score.mean - alpha * score.deviation,
        _ => score.mean,
    }
}

/// The best candidate and the cheapest that reaches its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cheapest {
    /// Position of the highest expected score, the first of equals.
    pub best: usize,
    /// Position of the cheapest that reaches the share; of equally cheap ones the highest expected score, then the
    /// first.
    pub to: usize,
}

/// The cheapest intervention among those whose expected score is at least `share` of the best one, which may be the
/// best itself. Where the best is not above zero no share of it is good enough, and only its equals are. *Nothing*
/// stands among the candidates with an expected score of 0 and a cost of 0. None where a score is not finite.
pub fn cheapest(expected: &[f64], costs: &[i64], share: f64) -> Option<Cheapest> {
    if !expected.iter().all(|score| score.is_finite()) {
        return None;
    }
    let highest = expected.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let best = expected.iter().position(|score| *score >= highest)?;
    let enough = enough(highest, share);
    let rows = expected.iter().copied().zip(costs.iter().copied()).enumerate();
    let reach = rows.map(|(at, (score, cost))| (at, score, cost)).filter(|(_, score, _)| *score >= enough);
    let better = |to: (usize, f64, i64), next: (usize, f64, i64)| {
        if next.2 < to.2 || (next.2 == to.2 && next.1 > to.1) { next } else { to }
    };
    let (to, ..) = reach.reduce(better)?;
    Some(Cheapest { best, to })
}

/// The least expected score that is good enough.
fn enough(highest: f64, share: f64) -> f64 {
    if highest > 0.0 { share * highest } else { highest }
}

/// Moves the probability of every candidate that is good enough and dearer than the cheapest such one to that. Nobody
/// else's changes: equally cheap ones stay the strategy's to choose from, and those outside go on being explored.
pub fn take_cheapest(w: &mut [f64], expected: &[f64], costs: &[i64], share: f64) -> Option<Cheapest> {
    let found = cheapest(expected, costs, share)?;
    let (highest, least) = (*expected.get(found.best)?, *costs.get(found.to)?);
    let enough = enough(highest, share);
    let mut moved = 0.0;
    for ((w, score), cost) in w.iter_mut().zip(expected).zip(costs) {
        if *score >= enough && *cost > least {
            moved += *w;
            *w = 0.0;
        }
    }
    *w.get_mut(found.to)? += moved;
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Strategy;

    fn taken(expected: &[f64], costs: &[i64], share: f64) -> (Vec<f64>, Cheapest) {
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let mut w = vec![1.0 / expected.len() as f64; expected.len()];
        let found = take_cheapest(&mut w, expected, costs, share).unwrap();
        (w, found)
    }

    #[test]
    fn the_cheapest_that_reaches_the_share_has_the_probability_of_the_dearer_ones_that_do() {
        // Ten off, free shipping, a small gift, nothing.
        let (expected, costs) = ([100.0, 93.0, 60.0, 0.0], [1_000, 790, 100, 0]);
        assert_eq!(taken(&expected, &costs, 0.9), (vec![0.0, 0.5, 0.25, 0.25], Cheapest { best: 0, to: 1 }));
        assert_eq!(taken(&expected, &costs, 0.95), (vec![0.25; 4], Cheapest { best: 0, to: 0 }));
        assert_eq!(taken(&expected, &costs, 0.5), (vec![0.0, 0.0, 0.75, 0.25], Cheapest { best: 0, to: 2 }));
    }

    #[test]
    fn equally_cheap_ones_keep_theirs_and_the_dearer_ones_go_to_the_best_of_them() {
        let (w, found) = taken(&[100.0, 91.0, 95.0, 95.0], &[10, 0, 0, 0], 0.9);
        assert_eq!((w, found.to), (vec![0.0, 0.25, 0.5, 0.25], 2));
    }

    #[test]
    fn where_nothing_earns_only_equals_of_the_smallest_loss_are_good_enough() {
        assert_eq!(taken(&[-10.0, -11.0], &[10, 5], 0.5), (vec![0.5, 0.5], Cheapest { best: 0, to: 0 }));
        assert_eq!(taken(&[-10.0, -10.0], &[10, 5], 0.5), (vec![0.0, 1.0], Cheapest { best: 0, to: 1 }));
        let (w, found) = taken(&[0.0, -1.0, 0.0], &[10, 5, 0], 0.5);
        assert_eq!((w[0].to_bits(), found.to), (0, 2), "nothing costs nothing");
        assert_eq!(cheapest(&[f64::NAN, 1.0], &[0, 0], 0.9), None);
    }

    #[test]
    fn what_is_expected_of_a_bound_is_the_mean_below_it() {
        let score = Score::gaussian(7.0, 2.0);
        assert_eq!(expected(&Strategy::Linucb { alpha: 1.5 }, &score).to_bits(), 4.0_f64.to_bits());
        assert_eq!(expected(&Strategy::ThompsonLinear, &score).to_bits(), 7.0_f64.to_bits());
    }

    fn spent(w: &[f64], costs: &[i64]) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        w.iter().zip(costs).map(|(w, cost)| w * *cost as f64).sum()
    }

    proptest! {
        #[test]
        fn mass_is_conserved_nobody_outside_changes_and_a_lower_share_never_spends_more(
            rows in proptest::collection::vec((-50_i32..100, 0..6_i64, 1..100_u32), 1..12),
            low in 0..=100_u32, more in 0..=100_u32,
        ) {
            let expected: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let costs: Vec<i64> = rows.iter().map(|row| row.1).collect();
            let sum: f64 = rows.iter().map(|row| f64::from(row.2)).sum();
            let w: Vec<f64> = rows.iter().map(|row| f64::from(row.2) / sum).collect();
            let (low, high) = (f64::from(low) / 100.0, f64::from((low + more).min(100)) / 100.0);
            let at = |share: f64| {
                let mut taken = w.clone();
                let found = take_cheapest(&mut taken, &expected, &costs, share).unwrap();
                (taken, found)
            };
            let highest = expected.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for share in [low, high, 1.0] {
                let (taken, found) = at(share);
                prop_assert!((taken.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                for (row, (before, after)) in w.iter().zip(&taken).enumerate() {
                    let outside = expected[row] < enough(highest, share);
                    let moved = before.to_bits() != after.to_bits();
                    prop_assert!(row == found.to || !moved || (!outside && after.to_bits() == 0));
                    if outside {
                        prop_assert_eq!(before.to_bits(), after.to_bits());
                    }
                    if share >= 1.0 && moved {
                        prop_assert!(expected[row] >= highest, "only exact ties move");
                    }
                }
                prop_assert!(expected[found.to] >= enough(highest, share));
                prop_assert!(spent(&taken, &costs) <= spent(&w, &costs) + 1e-12);
            }
            prop_assert!(spent(&at(low).0, &costs) <= spent(&at(high).0, &costs) + 1e-12);
        }
    }
}
