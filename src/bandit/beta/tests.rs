//! Beta scores: reference values, the hot rule against the exact one, bits. Holds no rule.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;
use crate::bandit::hot_rule::instruction_sets;

fn arms(of: &[(f64, f64, f64, f64)]) -> Vec<Score> {
    of.iter()
        .map(|(alpha, beta, margin, cost)| {
            Score::beta(Beta { alpha: *alpha, beta: *beta, margin: *margin, cost: *cost })
        })
        .collect()
}

fn plain(of: &[(f64, f64)]) -> Vec<Score> {
    arms(&of.iter().map(|(alpha, beta)| (*alpha, *beta, 1.0, 0.0)).collect::<Vec<_>>())
}

fn off(w: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(w.len(), expected.len());
    w.iter().zip(expected).fold(0.0, |worst: f64, (w, e)| {
        let error = (w - e).abs();
        if error.is_nan() { f64::INFINITY } else { worst.max(error) }
    })
}

fn check(scores: &[Score], expected: &[f64], within: f64) {
    let nothing = expected.len() > scores.len();
    let (slow, fast) = (exact(scores, nothing), hot(scores, nothing));
    assert!(off(&slow, expected) <= within, "exact: {slow:?} is not {expected:?}");
    assert!(off(&fast, expected) <= 1e-4, "hot: {fast:?} is not {expected:?}");
}

#[test]
fn beta_scores_match_thirty_digit_quadrature_to_1e_9() {
    check(&plain(&[(2.0, 1.0), (1.0, 1.0)]), &[2.0 / 3.0, 1.0 / 3.0], 1e-9);
    check(
        &plain(&[(31.0, 971.0), (13.0, 189.0), (5.0, 47.0)]),
        &[0.000_821_492_324_327, 0.243_876_483_939_364, 0.755_302_023_736_309],
        1e-9,
    );
    let flat = 0.167_105_583_015_963;
    check(
        &plain(&[(1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (30.0, 10.0)]),
        &[flat, flat, flat, flat, 0.331_577_667_936_148],
        1e-9,
    );
}

#[test]
fn margins_costs_and_nothing_have_closed_forms_for_flat_posteriors() {
    // y is uniform on [-c, m - c].
    check(&arms(&[(1.0, 1.0, 2.0, 0.0), (1.0, 1.0, 1.0, 0.0)]), &[0.75, 0.25], 1e-12);
    check(&arms(&[(1.0, 1.0, 10.0, 4.0)]), &[0.6, 0.4], 1e-12);
    check(&arms(&[(1.0, 1.0, 10.0, 5.0), (1.0, 1.0, 10.0, 5.0)]), &[0.375, 0.375, 0.25], 1e-12);
    // A negative margin turns the distribution round: on [-12, -2] and on [-6, 4].
    check(&arms(&[(1.0, 1.0, -10.0, 2.0)]), &[0.0, 1.0], 0.0);
    check(&arms(&[(1.0, 1.0, -10.0, -4.0)]), &[0.4, 0.6], 1e-12);
    check(&arms(&[(3.0, 1.0, -10.0, -5.0)]), &[0.125, 0.875], 1e-12);
    // Without a margin there is a point; of equal points each takes its share.
    check(&arms(&[(5.0, 2.0, 0.0, 0.0)]), &[0.5, 0.5], 0.0);
    check(&arms(&[(5.0, 2.0, 0.0, 1.0), (1.0, 1.0, 4.0, 2.0)]), &[0.25, 0.75], 1e-12);
    check(&arms(&[(5.0, 2.0, 0.0, 3.0), (1.0, 1.0, 4.0, 2.0)]), &[0.0, 0.5, 0.5], 1e-12);
    check(&[], &[1.0], 0.0);
    check(&arms(&[(5.0, 2.0, 3.0, 9.0)]), &[1.0], 0.0);
}

#[test]
fn posteriors_that_counts_cannot_give_are_answered_with_nan() {
    for bad in
        [(0.5, 1.0, 1.0, 0.0), (1.0, f64::NAN, 1.0, 0.0), (f64::INFINITY, 1.0, 1.0, 0.0), (1.0, 1.0, f64::NAN, 0.0)]
    {
        for w in [hot(&arms(&[bad, (1.0, 1.0, 1.0, 0.0)]), true), exact(&arms(&[bad]), false)] {
            assert!(w.iter().all(|w| w.is_nan()), "{bad:?}: {w:?}");
        }
    }
    assert!(hot(&[Score::gaussian(0.5, 0.1)], false)[0].is_nan());
}

const FAMILIES: [&str; 7] = ["cold", "counts", "decayed", "rare", "converged", "reversed", "around nothing"];

fn instance(family: usize, k: usize, seed: u64) -> Vec<Score> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(16).wrapping_add(family as u64));
    let mut scale = |low: f64, high: f64| libm::exp(libm::log(low) + chance.random::<f64>() * libm::log(high / low));
    let mut arm = |at: usize| {
        let n = scale(1.0, 1e4);
        let share = scale(1e-3, 1.0);
        let margin = scale(1.0, 50.0);
        let whole = |x: f64| 1.0 + libm::floor(x);
        match FAMILIES[family] {
            "cold" => (whole(scale(0.1, 3.0)), whole(scale(0.1, 4.0)), margin, 0.0),
            "counts" => (whole(n * share), whole(n * (1.0 - share)), margin, scale(1e-3, 1.0)),
            "decayed" => (1.0 + scale(1e-3, 30.0), 1.0 + scale(1e-3, 300.0), margin, 0.0),
            "rare" => (1.0 + scale(1e-2, 5.0), 1.0 + n, margin, scale(1e-4, 1e-1)),
            "converged" => {
                let rate = if at == 0 { 0.1 } else { scale(0.02, 0.095) };
                let n = scale(1e3, 1e6);
                (1.0 + n * rate, 1.0 + n * (1.0 - rate), 10.0, 0.0)
            }
            "reversed" => {
                (1.0 + n * share, 1.0 + scale(1e-2, 3.0), if at.is_multiple_of(2) { margin } else { -margin }, -margin)
            }
            _ => (1.0 + scale(1e-2, 20.0), 1.0 + scale(1e-1, 200.0), margin, margin * scale(1e-2, 1.0)),
        }
    };
    arms(&(0..k).map(&mut arm).collect::<Vec<_>>())
}

#[test]
fn the_hot_rule_is_within_1e_4_of_the_exact_one_for_whole_and_decayed_counts() {
    let seeds: u64 = std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3);
    for (family, name) in FAMILIES.iter().enumerate() {
        for (k, nothing) in [(1, true), (2, false), (2, true), (3, true), (8, false), (8, true)] {
            let mut worst = (0.0, 0);
            for seed in 0..seeds {
                let scores = instance(family, k, seed);
                let w = hot(&scores, nothing);
                let sum: f64 = w.iter().sum();
                assert!((sum - 1.0).abs() < 1e-12 && w.iter().all(|w| *w >= 0.0), "{name} {k} {seed}: {w:?}");
                let error = off(&w, &exact(&scores, nothing));
                if error > worst.0 {
                    worst = (error, seed);
                }
            }
            if seeds > 10 {
                println!("{name}, {k} scores, nothing {nothing}: {:.1e} at seed {}", worst.0, worst.1);
            }
            assert!(worst.0 < 1e-4, "{name}, {k} scores, nothing {nothing}: off by {:e} at seed {}", worst.0, worst.1);
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for family in 0..FAMILIES.len() {
        for (k, seed) in [(2, 0), (3, 1), (9, 2)] {
            let scores = instance(family, k, seed);
            let spreads: Vec<Spread> = scores.iter().filter_map(|s| Spread::of(&s.beta?)).collect();
            let bits = |(masses, below): (Vec<f64>, f64)| {
                masses.into_iter().chain([below]).map(f64::to_bits).collect::<Vec<_>>()
            };
            for floor in [f64::NEG_INFINITY, 0.0] {
                let plain = bits(hot::integrate_on(pulp::Arch::Scalar, &spreads, floor));
                for (name, set) in instruction_sets() {
                    assert_eq!(bits(hot::integrate_on(set, &spreads, floor)), plain, "{name}: {family} {k}");
                }
            }
        }
    }
}
