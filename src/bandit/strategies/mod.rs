//! Strategies: how the estimates of eligible candidates become a distribution. Draws nothing and knows no rule.
//!
//! Every strategy has two verbs in this order: `scores`, what is recorded of each candidate, and `distribution`, which
//! reads nothing but scores, so that a record can be replayed without its model.

pub mod linucb;
pub mod thompson_linear;
pub mod uniform;

use super::Estimate;
use crate::domain::Strategy;

/// One eligible candidate: what it earns and what its arm has learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arm {
    /// `m_a`: contribution margin if accepted, in minor units; 1 where the objective is conversion.
    pub margin: f64,
    /// `c_a`: cost of showing, in minor units; 0 where the objective is conversion.
    pub cost: f64,
    /// `theta' x` and `sqrt(x' A^-1 x)`.
    pub estimate: Estimate,
    /// `v^2` of its posterior.
    pub variance: f64,
}

/// Score of one candidate as it is recorded, in the objective's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean; what `LinUCB` ranks by.
    pub mean: f64,
    /// Deviation; above zero wherever a distribution is computed from it.
    pub deviation: f64,
}

/// A distribution that nothing may be drawn from.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidDistribution {
    /// There was no candidate.
    #[error("a distribution over no candidate: serve the fallback")]
    Empty,
    /// NaN or infinity.
    #[error("candidate {position} has probability `{probability}`: a margin, a cost or a model is not finite")]
    NotFinite {
        /// Position among the eligible candidates.
        position: usize,
        /// What was computed.
        probability: f64,
    },
    /// Less than the exploration mass gives everyone.
    #[error("candidate {position} has probability `{probability}`, below the exploration floor `{floor}`")]
    BelowFloor {
        /// Position among the eligible candidates.
        position: usize,
        /// What was computed.
        probability: f64,
        /// Exploration mass in force / K.
        floor: f64,
    },
    /// The whole is not one.
    #[error("the probabilities sum to `{sum}`: expected 1 within 1e-9")]
    Sum {
        /// What they sum to.
        sum: f64,
    },
}

/// Scores and distribution of the eligible candidates, in their order, exploration not yet mixed in. Callers order
/// candidates by (offer id, variant id), which decides ties.
pub fn distribution(strategy: &Strategy, arms: &[Arm]) -> (Vec<Score>, Vec<f64>) {
    let scores = scores(strategy, arms);
    let w = distribution_of(strategy, &scores);
    (scores, w)
}

/// The scores of the eligible candidates, in their order.
pub fn scores(strategy: &Strategy, arms: &[Arm]) -> Vec<Score> {
    match strategy {
        Strategy::ThompsonLinear => thompson_linear::scores(arms),
        Strategy::Linucb { alpha } => linucb::scores(arms, *alpha),
        Strategy::Uniform => uniform::scores(arms),
    }
}

/// The distribution of recorded scores, exploration not yet mixed in.
pub fn distribution_of(strategy: &Strategy, scores: &[Score]) -> Vec<f64> {
    match strategy {
        Strategy::ThompsonLinear => thompson_linear::distribution(scores),
        Strategy::Linucb { .. } => linucb::distribution(scores),
        Strategy::Uniform => uniform::distribution(scores),
    }
}

/// Mixes the exploration mass in: `p = e/K + (1 - e) w`. No clipping, no renormalising: those would bias.
pub fn explore(w: &[f64], exploration: f64) -> Vec<f64> {
    let floor = exploration / count(w.len());
    w.iter().map(|w| floor + (1.0 - exploration) * w).collect()
}

/// Holds a distribution to its invariants: finite, at least e/K for everyone, summing to one within 1e-9.
pub fn check(p: &[f64], exploration: f64) -> Result<(), InvalidDistribution> {
    if p.is_empty() {
        return Err(InvalidDistribution::Empty);
    }
    let floor = exploration / count(p.len());
    for (position, &probability) in p.iter().enumerate() {
        if !probability.is_finite() {
            return Err(InvalidDistribution::NotFinite { position, probability });
        }
        if probability < 0.0 || probability < floor * (1.0 - 1e-12) {
            return Err(InvalidDistribution::BelowFloor { position, probability, floor });
        }
    }
    let sum: f64 = p.iter().sum();
    // Written so that NaN fails: an exploration mass of NaN must not pass.
    if (sum - 1.0).abs() <= 1e-9 && floor >= 0.0 { Ok(()) } else { Err(InvalidDistribution::Sum { sum }) }
}

#[expect(clippy::cast_precision_loss, reason = "candidates are far fewer than 2^53")]
fn count(candidates: usize) -> f64 {
    candidates as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Strategy;
    use proptest::prelude::{Just, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::Strategy as _;

    const STRATEGIES: [Strategy; 3] = [Strategy::ThompsonLinear, Strategy::Linucb { alpha: 1.0 }, Strategy::Uniform];

    fn arm(margin: f64, cost: f64, mean: f64, bonus: f64) -> Arm {
        Arm { margin, cost, estimate: Estimate { mean, bonus }, variance: 0.25 }
    }

    fn close(w: &[f64], expected: &[f64], within: f64) {
        assert_eq!(w.len(), expected.len());
        assert!(w.iter().zip(expected).all(|(w, e)| (w - e).abs() <= within), "{w:?} is not {expected:?}");
    }

    #[test]
    fn thompson_scores_are_margin_weighted_and_become_the_probability_of_being_the_largest() {
        let (scores, w) =
            distribution(&Strategy::ThompsonLinear, &[arm(100.0, 5.0, 0.1, 0.2), arm(-40.0, 0.0, 0.1, 0.5)]);
        assert_eq!(scores, [Score { mean: 5.0, deviation: 10.0 }, Score { mean: -4.0, deviation: 10.0 }]);
        close(&w, &[0.737_740_8, 0.262_259_2], 1e-6); // Phi(9 / sqrt 200)
        assert_eq!(distribution_of(&Strategy::ThompsonLinear, &scores), w);
    }

    #[test]
    fn a_score_without_spread_still_has_a_probability() {
        let check = |arms: &[Arm], expected: &[f64]| {
            let (scores, w) = distribution(&Strategy::ThompsonLinear, arms);
            assert!(scores.iter().all(|score| score.deviation > 0.0), "{scores:?}");
            close(&w, expected, 1e-8);
            assert_eq!(check_explored(&w, 0.05), Ok(()));
        };
        check(&[arm(0.0, 0.0, 0.3, 0.2)], &[1.0]);
        check(&[arm(0.0, 0.0, 0.3, 0.2), arm(0.0, 0.0, 0.1, 0.9)], &[0.5, 0.5]);
        check(&[arm(0.0, 2.0, 0.3, 0.2), arm(0.0, 1.0, 0.1, 0.9)], &[0.0, 1.0]);
        check(&[arm(0.0, 0.0, 0.3, 0.2), arm(100.0, 0.0, 0.0, 0.2)], &[0.5, 0.5]);
    }

    fn check_explored(w: &[f64], exploration: f64) -> Result<(), InvalidDistribution> {
        check(&explore(w, exploration), exploration)
    }

    #[test]
    fn linucb_takes_the_highest_upper_bound_and_the_first_of_equals() {
        let check = |alpha, arms: &[Arm], expected: &[f64]| {
            assert_eq!(distribution(&Strategy::Linucb { alpha }, arms).1, expected);
        };
        let (sure, unsure) = (arm(100.0, 0.0, 0.2, 0.01), arm(100.0, 0.0, 0.1, 0.2));
        check(0.0, &[unsure, sure], &[0.0, 1.0]);
        check(1.0, &[unsure, sure], &[1.0, 0.0]);
        check(1.0, &[sure, unsure, unsure], &[0.0, 1.0, 0.0]);
        check(1.0, &[arm(1.0, 50.0, 0.9, 0.2), arm(1.0, 0.0, 0.1, 0.2)], &[0.0, 1.0]);
        let (scores, _) = distribution(&Strategy::Linucb { alpha: 2.0 }, &[arm(-100.0, 3.0, 0.25, 0.5)]);
        assert_eq!(scores, [Score { mean: 72.0, deviation: 50.0 }]);
    }

    #[test]
    fn numbers_that_are_not_finite_are_caught_by_the_check() {
        for bad in [arm(f64::NAN, 0.0, 0.1, 0.1), arm(1.0, 0.0, f64::INFINITY, 0.1), arm(1.0, f64::NAN, 0.1, 0.1)] {
            for strategy in &STRATEGIES[..2] {
                let (_, w) = distribution(strategy, &[arm(1.0, 0.0, 0.1, 0.1), bad]);
                assert!(matches!(check_explored(&w, 0.05), Err(InvalidDistribution::NotFinite { position: 0, .. })));
            }
            let (_, w) = distribution(&Strategy::Uniform, &[arm(1.0, 0.0, 0.1, 0.1), bad]);
            assert_eq!(w, [0.5, 0.5]);
        }
        let (_, w) = distribution(&Strategy::ThompsonLinear, &[arm(1.0, 0.0, 0.1, f64::NAN), arm(1.0, 0.0, 0.1, 0.1)]);
        assert!(check_explored(&w, 0.05).is_err());
    }

    #[test]
    fn an_invalid_distribution_is_refused_with_the_reason() {
        let refused = |p: &[f64], exploration, expected: &str| {
            assert_eq!(check(p, exploration).err().map_or(String::new(), |e| e.to_string()), expected);
        };
        refused(&[0.5, 0.5], 1.0, "");
        refused(&[1.0, 0.0], 0.0, "");
        refused(&[], 0.05, "a distribution over no candidate: serve the fallback");
        refused(&[1.0, 0.0], 0.5, "candidate 1 has probability `0`, below the exploration floor `0.25`");
        refused(&[1.5, -0.5], 0.0, "candidate 1 has probability `-0.5`, below the exploration floor `0`");
        refused(&[0.5, 0.25], 0.0, "the probabilities sum to `0.75`: expected 1 within 1e-9");
        refused(&[0.5, 0.5], f64::NAN, "the probabilities sum to `1`: expected 1 within 1e-9");
        refused(&[f64::NAN, 1.0], 0.0, "candidate 0 has probability `NaN`: a margin, a cost or a model is not finite");
    }

    fn any_arm() -> impl proptest::strategy::Strategy<Value = Arm> {
        let margin = prop_oneof![Just(0.0), Just(1.0), -500.0..50_000.0_f64];
        (margin, 0.0..300.0_f64, -0.2..1.2_f64, 1e-3..2.0_f64, 1e-3..2.0_f64).prop_map(
            |(margin, cost, mean, bonus, variance)| Arm { margin, cost, estimate: Estimate { mean, bonus }, variance },
        )
    }

    proptest! {
        #[test]
        fn every_distribution_sums_to_one_and_keeps_the_floor(
            arms in proptest::collection::vec(any_arm(), 1..16),
            exploration in prop_oneof![Just(0.0), Just(1.0), 0.0..1.0],
        ) {
            for strategy in STRATEGIES {
                let (_, w) = distribution(&strategy, &arms);
                let p = explore(&w, exploration);
                prop_assert_eq!(check(&p, exploration), Ok(()), "{:?}: {:?}", strategy, p);
            }
        }

        #[test]
        fn reordered_candidates_keep_their_thompson_probabilities(
            (arms, turn) in proptest::collection::vec(any_arm(), 1..16).prop_flat_map(|arms| {
                let k = arms.len();
                (Just(arms), 0..k)
            }),
        ) {
            let (_, mut w) = distribution(&Strategy::ThompsonLinear, &arms);
            let mut moved = arms;
            moved.rotate_left(turn);
            w.rotate_left(turn);
            close(&distribution(&Strategy::ThompsonLinear, &moved).1, &w, 1e-12);
        }
    }
}
