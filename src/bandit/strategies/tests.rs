//! What every strategy promises. Holds no strategy.

use super::*;
use crate::domain::Strategy;
use proptest::prelude::{Just, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;

pub(super) const STRATEGIES: [Strategy; 11] = [
    Strategy::LinucbHybrid { alpha: 1.0 },
    Strategy::ThompsonLinear,
    Strategy::ThompsonLogistic,
    Strategy::ThompsonBeta,
    Strategy::Linucb { alpha: 1.0 },
    Strategy::LinucbRandomised { widths: 20, width_max: 3.0 },
    Strategy::Squarecb { gamma_scale: 10.0, gamma_exponent: 0.5 },
    Strategy::BaggedLinear { bags: 3 },
    Strategy::Greedy,
    Strategy::EpsilonGreedy,
    Strategy::Uniform,
];

fn arm(margin: f64, cost: f64, mean: f64, bonus: f64) -> Arm {
    let bags = Some(bag(mean, bonus));
    Arm { margin, cost, estimate: Estimate { mean, bonus }, variance: 0.25, accepted: 3.0, declined: 7.0, bags }
}

/// A bag of three models that spread about a mean.
pub(super) fn bag(mean: f64, spread: f64) -> Arc<[f64]> {
    [mean - spread, mean + spread, mean].into()
}

fn close(w: &[f64], expected: &[f64], within: f64) {
    assert_eq!(w.len(), expected.len());
    assert!(w.iter().zip(expected).all(|(w, e)| (w - e).abs() <= within), "{w:?} is not {expected:?}");
}

/// An arm that accepted and declined so often.
fn counted(margin: f64, cost: f64, accepted: f64, declined: f64) -> Arm {
    Arm { accepted, declined, ..arm(margin, cost, 0.0, 1.0) }
}

#[test]
fn thompson_scores_are_margin_weighted_and_become_the_probability_of_being_the_largest() {
    let arms = [arm(100.0, 5.0, 0.1, 0.2), arm(-40.0, 0.0, 0.1, 0.5)];
    let (scores, w) = distribution(&Strategy::ThompsonLinear, &arms, false);
    assert_eq!(scores, [Score::gaussian(5.0, 10.0), Score::gaussian(-4.0, 10.0)]);
    let expected = [0.737_740_8, 0.262_259_2]; // Phi(9 / sqrt 200)
    close(&w, &expected, 1e-4);
    assert_eq!(distribution_of(&Strategy::ThompsonLinear, rules::DISTRIBUTION_RULE, &scores, false), w);
    close(&distribution_of(&Strategy::ThompsonLinear, rules::EXACT, &scores, false), &expected, 1e-7);
}

#[test]
fn a_score_without_spread_still_has_a_probability() {
    let check = |arms: &[Arm], expected: &[f64]| {
        let (scores, w) = distribution(&Strategy::ThompsonLinear, arms, false);
        assert!(scores.iter().all(|score| score.deviation > 0.0), "{scores:?}");
        close(&w, expected, 1e-4);
        close(&distribution_of(&Strategy::ThompsonLinear, rules::EXACT, &scores, false), expected, 1e-8);
        assert_eq!(check_explored(&w, 0.05), Ok(()));
    };
    check(&[arm(0.0, 0.0, 0.3, 0.2)], &[1.0]);
    check(&[arm(0.0, 0.0, 0.3, 0.2), arm(0.0, 0.0, 0.1, 0.9)], &[0.5, 0.5]);
    check(&[arm(0.0, 2.0, 0.3, 0.2), arm(0.0, 1.0, 0.1, 0.9)], &[0.0, 1.0]);
    check(&[arm(0.0, 0.0, 0.3, 0.2), arm(100.0, 0.0, 0.0, 0.2)], &[0.5, 0.5]);
}

#[test]
fn beta_scores_read_the_counts_and_no_feature() {
    let (scores, w) =
        distribution(&Strategy::ThompsonBeta, &[counted(1.0, 0.0, 1.0, 0.0), counted(1.0, 0.0, 0.0, 0.0)], false);
    close(&w, &[2.0 / 3.0, 1.0 / 3.0], 1e-4);
    close(&distribution_of(&Strategy::ThompsonBeta, rules::EXACT, &scores, false), &[2.0 / 3.0, 1.0 / 3.0], 1e-9);
    let (scores, _) = distribution(&Strategy::ThompsonBeta, &[counted(60.0, 4.0, 2.0, 1.0)], false);
    assert_eq!(scores[0].beta, Some(Beta { alpha: 3.0, beta: 2.0, margin: 60.0, cost: 4.0 }));
    close(&[scores[0].mean, scores[0].deviation], &[32.0, 12.0], 1e-12);
    let told_less = [Score::gaussian(32.0, 12.0)];
    let w = distribution_of(&Strategy::ThompsonBeta, rules::HOT, &told_less, false);
    assert!(w[0].is_nan(), "without its posterior a Beta score cannot be replayed");
}

#[test]
fn logistic_scores_are_margin_weighted_curves_of_their_logits() {
    let arms = [arm(100.0, 5.0, -2.0, 1.0), arm(100.0, 5.0, -1.5, 1.0)];
    let (scores, w) = distribution(&Strategy::ThompsonLogistic, &arms, false);
    let expected = [0.078_649_6, 0.921_350_4]; // Phi(-1/2 / sqrt(1/16 + 1/16))
    close(&w, &expected, 1e-4);
    close(&distribution_of(&Strategy::ThompsonLogistic, rules::EXACT, &scores, false), &expected, 1e-7);
    assert_eq!(scores[0].logit, Some(Logit { mean: -2.0, deviation: 0.25, margin: 100.0, cost: 5.0 }));
    let told_less = [Score::gaussian(scores[0].mean, scores[0].deviation)];
    let w = distribution_of(&Strategy::ThompsonLogistic, rules::HOT, &told_less, false);
    assert!(w[0].is_nan(), "without its logit a logistic score cannot be replayed");
}

#[test]
fn greedy_takes_the_highest_mean_and_epsilon_shares_the_rest() {
    let (sure, unsure) = (|| arm(100.0, 0.0, 0.2, 0.01), || arm(100.0, 0.0, 0.1, 0.9));
    for strategy in [Strategy::Greedy, Strategy::EpsilonGreedy] {
        let check = |arms: &[Arm], nothing: bool, expected: &[f64]| {
            assert_eq!(distribution(&strategy, arms, nothing).1, expected);
        };
        check(&[unsure(), sure(), sure()], false, &[0.0, 1.0, 0.0]);
        check(&[arm(10.0, 2.0, 0.1, 0.5)], true, &[0.0, 1.0]);
        check(&[arm(10.0, 1.0, 0.1, 0.5), arm(10.0, 1.0, 0.1, 0.5)], true, &[1.0, 0.0, 0.0]);
    }
    let (scores, w) = distribution(&Strategy::EpsilonGreedy, &[unsure(), sure()], false);
    assert_eq!(scores, [Score::gaussian(10.0, 45.0), Score::gaussian(20.0, 0.5)]);
    close(&explore(&w, 0.1), &[0.05, 0.95], 1e-15);
}

#[test]
fn nothing_is_the_last_candidate_of_every_strategy() {
    let bad = [arm(10.0, 30.0, 0.1, 0.01), arm(10.0, 30.0, 0.1, 0.01)];
    let good = [arm(100.0, 1.0, 0.5, 0.01), arm(100.0, 1.0, 0.5, 0.01)];
    for strategy in STRATEGIES {
        for arms in [&bad[..], &good[..], &[]] {
            let (scores, w) = distribution(&strategy, arms, true);
            assert_eq!((scores.len(), w.len()), (arms.len(), arms.len() + 1));
            assert_eq!(check_explored(&w, 0.3), Ok(()), "{strategy:?}");
            let floor = explore(&w, 0.3).into_iter().fold(1.0, f64::min);
            assert!(floor >= 0.3 / f64::from(u32::try_from(w.len()).unwrap()) - 1e-15);
        }
        let share = |arms: &[Arm]| distribution(&strategy, arms, true).1[2];
        let expected = if strategy == Strategy::Uniform { (1.0 / 3.0, 1.0 / 3.0) } else { (1.0, 0.0) };
        // Inverse-gap weighting never stops trying what is worse.
        let within = if matches!(strategy, Strategy::Squarecb { .. }) { 0.05 } else { 1e-3 };
        close(&[share(&bad), share(&good)], &[expected.0, expected.1], within);
    }
    // One Gaussian 8 - 5 = 3 with deviation 4: nothing wins when it is below zero.
    let (scores, w) = distribution(&Strategy::ThompsonLinear, &[arm(80.0, 5.0, 0.1, 0.1)], true);
    assert_eq!(scores, [Score::gaussian(3.0, 4.0)]);
    close(&w, &[0.773_372_6, 0.226_627_4], 1e-4);
    let (_, w) = distribution(&Strategy::Linucb { alpha: 1.0 }, &[arm(1.0, 0.5, 0.25, 0.25)], true);
    assert_eq!(w, [1.0, 0.0], "of equals the one before nothing");
}

#[test]
fn a_rule_that_this_build_does_not_know_is_refused_by_the_check() {
    for strategy in [Strategy::ThompsonLinear, Strategy::ThompsonBeta, Strategy::ThompsonLogistic] {
        let (scores, _) = distribution(&strategy, &[counted(1.0, 0.0, 1.0, 0.0)], false);
        let w = distribution_of(&strategy, 99, &scores, true);
        assert!(matches!(check(&w, 0.0), Err(InvalidDistribution::NotFinite { position: 0, .. })));
    }
}

fn check_explored(w: &[f64], exploration: f64) -> Result<(), InvalidDistribution> {
    check(&explore(w, exploration), exploration)
}

#[test]
fn linucb_takes_the_highest_upper_bound_and_the_first_of_equals() {
    let check = |alpha, arms: &[Arm], expected: &[f64]| {
        assert_eq!(distribution(&Strategy::Linucb { alpha }, arms, false).1, expected);
    };
    let (sure, unsure) = (|| arm(100.0, 0.0, 0.2, 0.01), || arm(100.0, 0.0, 0.1, 0.2));
    check(0.0, &[unsure(), sure()], &[0.0, 1.0]);
    check(1.0, &[unsure(), sure()], &[1.0, 0.0]);
    check(1.0, &[sure(), unsure(), unsure()], &[0.0, 1.0, 0.0]);
    check(1.0, &[arm(1.0, 50.0, 0.9, 0.2), arm(1.0, 0.0, 0.1, 0.2)], &[0.0, 1.0]);
    let (scores, _) = distribution(&Strategy::Linucb { alpha: 2.0 }, &[arm(-100.0, 3.0, 0.25, 0.5)], false);
    assert_eq!(scores, [Score::gaussian(72.0, 50.0)]);
}

#[test]
fn inverse_gap_weighting_is_its_closed_form_and_the_best_has_the_rest() {
    let strategy = Strategy::Squarecb { gamma_scale: 10.0, gamma_exponent: 0.5 };
    // Ten decisions each: gamma = 10 sqrt(1 + 20), scale 100, gap 100 (0.2 - 0.1) - 5 = 5.
    let (scores, w) = distribution(&strategy, &[arm(100.0, 0.0, 0.1, 0.9), arm(50.0, -5.0, 0.2, 0.1)], false);
    let gap = 5.0 * 10.0 * 21.0_f64.sqrt() / 100.0;
    close(&w, &[1.0 / (2.0 + gap), 1.0 - 1.0 / (2.0 + gap)], 1e-15);
    close(&[scores[0].deviation, scores[1].deviation], &[100.0 / (10.0 * 21.0_f64.sqrt()); 2], 1e-12);
    // The unit cancels: ten times the money is the same distribution.
    let (_, same) = distribution(&strategy, &[arm(1000.0, 0.0, 0.1, 0.9), arm(500.0, -50.0, 0.2, 0.1)], false);
    close(&same, &w, 1e-15);
    // Nothing, with its 0, is one of the K, and the best where all others lie below.
    let (scores, w) = distribution(&strategy, &[arm(100.0, 20.0, 0.1, 0.1)], true);
    close(&w, &[1.0 / (2.0 + 10.0 / scores[0].deviation), 1.0 - 1.0 / (2.0 + 10.0 / scores[0].deviation)], 1e-15);
    let (scores, w) = distribution(&strategy, &[arm(0.0, 2.0, 0.1, 0.1), arm(0.0, 2.0, 0.1, 0.1)], false);
    assert!(scores[0].deviation > 0.0);
    close(&w, &[0.5, 0.5], 1e-15);
    assert!(distribution_of(&strategy, rules::HOT, &[Score::gaussian(1.0, 0.0)], false)[0].is_nan());
}

#[test]
fn a_width_from_a_grid_gives_its_weight_to_the_candidate_it_picks() {
    let strategy = Strategy::LinucbRandomised { widths: 3, width_max: 2.0 };
    // Widths 0, 1, 2 weigh 1, e^-1/2, e^-2. Bounds 3, 1 + 3 z, 5.9 z - 1.5: at 0 the first, at 1 and 2 the last.
    let scores = [Score::gaussian(3.0, 0.0), Score::gaussian(1.0, 3.0), Score::gaussian(-1.5, 5.9)];
    let w = distribution_of(&strategy, rules::HOT, &scores, false);
    let weights = [1.0, libm::exp(-0.5), libm::exp(-2.0)];
    let whole: f64 = weights.iter().sum();
    close(&w, &[weights[0] / whole, 0.0, (weights[1] + weights[2]) / whole], 1e-15);
    let w = distribution_of(&strategy, rules::HOT, &[Score::gaussian(-3.0, 2.0)], true);
    close(&w, &[weights[2] / whole, (weights[0] + weights[1]) / whole], 1e-15);
    // Of equals the first, at every width.
    let w = distribution_of(&strategy, rules::HOT, &[Score::gaussian(1.0, 2.0), Score::gaussian(1.0, 2.0)], false);
    close(&w, &[1.0, 0.0], 1e-15);
    let (scores, _) = distribution(&strategy, &[arm(-100.0, 3.0, 0.25, 0.5)], false);
    assert_eq!(scores, [Score::gaussian(-28.0, 25.0)], "|m| v bonus, v being 1/2");
    assert!(distribution_of(&strategy, rules::HOT, &[Score::gaussian(1.0, -1.0)], false)[0].is_nan());
}

#[test]
fn the_models_of_a_bag_vote_and_equals_share_a_vote() {
    let strategy = Strategy::BaggedLinear { bags: 4 };
    let scores = |by: &[[f64; 4]]| by.iter().map(|by| Score::bagged((*by).into())).collect::<Vec<_>>();
    let check = |by: &[[f64; 4]], nothing: bool, expected: &[f64]| {
        close(&distribution_of(&strategy, rules::HOT, &scores(by), nothing), expected, 1e-15);
    };
    check(&[[1.0, 0.0, 3.0, 0.0], [0.0, 2.0, 2.0, -1.0]], false, &[0.75, 0.25]);
    check(&[[1.0, 0.0, 3.0, 0.0], [0.0, 2.0, 2.0, -1.0]], true, &[0.625, 0.25, 0.125]);
    check(&[[0.0; 4], [0.0; 4], [0.0; 4]], true, &[0.25; 4]);
    let made = scores(&[[1.0, 2.0, 3.0, 6.0]]);
    close(&[made[0].mean, made[0].deviation], &[3.0, 3.5_f64.sqrt()], 1e-15);
    // m mu - c, model by model.
    let (scored, _) = distribution(&Strategy::BaggedLinear { bags: 3 }, &[arm(100.0, 5.0, 0.1, 0.05)], false);
    close(scored[0].bags.as_ref().unwrap(), &[0.0, 10.0, 5.0], 1e-12);
    let short = distribution_of(&Strategy::BaggedLinear { bags: 5 }, rules::HOT, &made, false);
    assert!(short[0].is_nan(), "a vote with a model missing cannot be replayed");
    assert!(distribution_of(&strategy, rules::HOT, &[Score::gaussian(1.0, 1.0)], false)[0].is_nan());
}

#[test]
fn numbers_that_are_not_finite_are_caught_by_the_check() {
    let last = STRATEGIES.len() - 1;
    let odd = Arm { accepted: f64::INFINITY, ..arm(1.0, 0.0, f64::INFINITY, 0.1) };
    for bad in [arm(f64::NAN, 0.0, 0.1, 0.1), odd, arm(1.0, f64::NAN, 0.1, 0.1)] {
        for (strategy, nothing) in STRATEGIES[..last].iter().flat_map(|strategy| [(strategy, false), (strategy, true)])
        {
            let (_, w) = distribution(strategy, &[arm(1.0, 0.0, 0.1, 0.1), bad.clone()], nothing);
            assert!(matches!(check_explored(&w, 0.05), Err(InvalidDistribution::NotFinite { position: 0, .. })));
        }
        let (_, w) = distribution(&Strategy::Uniform, &[arm(1.0, 0.0, 0.1, 0.1), bad], false);
        assert_eq!(w, [0.5, 0.5]);
    }
    let arms = [arm(1.0, 0.0, 0.1, f64::NAN), arm(1.0, 0.0, 0.1, 0.1)];
    let (_, w) = distribution(&Strategy::ThompsonLinear, &arms, false);
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
    let counts = (prop_oneof![Just(0.0), 0.0..900.0_f64], prop_oneof![Just(0.0), 0.0..9_000.0_f64]);
    (margin, 0.0..300.0_f64, -0.2..1.2_f64, 1e-3..2.0_f64, 1e-3..2.0_f64, counts).prop_map(
        |(margin, cost, mean, bonus, variance, (accepted, declined))| Arm {
            margin,
            cost,
            estimate: Estimate { mean, bonus },
            variance,
            accepted,
            declined,
            bags: Some(bag(mean, bonus)),
        },
    )
}

proptest! {
    #[test]
    fn every_distribution_sums_to_one_and_keeps_the_floor(
        arms in proptest::collection::vec(any_arm(), 1..16),
        exploration in prop_oneof![Just(0.0), Just(1.0), 0.0..1.0],
        nothing in proptest::bool::ANY,
    ) {
        for strategy in STRATEGIES {
            let (_, w) = distribution(&strategy, &arms, nothing);
            prop_assert_eq!(w.len(), arms.len() + usize::from(nothing));
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
        for strategy in [Strategy::ThompsonLinear, Strategy::ThompsonBeta] {
            let (_, mut w) = distribution(&strategy, &arms, false);
            let mut moved = arms.clone();
            moved.rotate_left(turn);
            w.rotate_left(turn);
            // The hot rules multiply in the order of the candidates; that is all that a turn may change.
            close(&distribution(&strategy, &moved, false).1, &w, 1e-5);
        }
    }
}
