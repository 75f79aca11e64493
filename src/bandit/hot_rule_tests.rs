//! The hot rule against the exact one, over random scores of many shapes, and its bits against themselves on every
//! instruction set. Holds no rule.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::hot_rule::{gaussian, gaussian_on, instruction_sets};
use super::{Score, exact_rule};

const FAMILIES: [&str; 10] = [
    "cold",
    "midway",
    "converged",
    "mixed widths",
    "near ties",
    "equal means",
    "stairs",
    "two widths",
    "equal groups and an outlier",
    "below zero",
];

/// Random numbers of one instance; its seed names it.
struct Chance(ChaCha8Rng);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    fn scale(&mut self, low: f64, high: f64) -> f64 {
        libm::exp(self.between(libm::log(low), libm::log(high)))
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// `k` scores of a family.
fn instance(family: usize, k: usize, seed: u64) -> Vec<Score> {
    let mut chance = Chance::new(seed.wrapping_mul(16).wrapping_add(family as u64));
    let spread = chance.scale(1e-3, 1.0);
    let widest = chance.scale(1.0, 1e4);
    let score = |at: usize| match FAMILIES[family] {
        "cold" => (0.3, if seed.is_multiple_of(2) { 0.5 } else { chance.scale(0.5, 1.0) }),
        "midway" => (chance.normal(), chance.scale(0.354, 2.83)),
        "converged" => {
            let mean = if at == 0 { 1.0 } else { chance.between(0.0, 0.8) };
            (mean, chance.scale(1e-4, 1e-1))
        }
        "mixed widths" => (spread * chance.normal(), chance.scale(1e-4, 1.0)),
        "near ties" => {
            let deviation = spread * chance.scale(1.0, 3.0);
            if at < 3 {
                (1.0 + 0.5 * deviation * chance.normal(), deviation)
            } else {
                let wide = deviation * chance.scale(1.0, 30.0);
                (1.0 - wide * chance.between(0.0, 3.0), wide)
            }
        }
        "equal means" => (0.0, chance.scale(1e-4, 1.0)),
        "stairs" => {
            let deviation = chance.scale(1e-4, 1.0);
            (chance.between(-1.0, 2.0) * deviation, deviation)
        }
        "two widths" => {
            let deviation = if chance.unit() < 0.5 { 1.0 } else { 1.0 / widest };
            (chance.normal() * deviation, deviation)
        }
        "equal groups and an outlier" => {
            if at == 0 {
                (chance.between(-3.0, 3.0) * spread, 1.0)
            } else {
                (0.0, spread * 1e-2)
            }
        }
        _ => {
            let deviation = chance.scale(1e-2, 1.0);
            (chance.between(-3.0, 0.5) * deviation, deviation)
        }
    };
    (0..k).map(score).map(|(mean, deviation)| Score::gaussian(mean, deviation)).collect()
}

/// The largest error over the instances of one family, and the seed that makes it.
fn worst(family: usize, k: usize, seeds: u64, nothing: bool) -> (f64, u64) {
    let error = |seed: u64| {
        let scores = instance(family, k, seed);
        let (hot, exact) = (gaussian(&scores, nothing), exact_rule::gaussian(&scores, nothing));
        assert_eq!(hot.len(), k + usize::from(nothing));
        let sum: f64 = hot.iter().sum();
        assert!((sum - 1.0).abs() < 1e-12 && hot.iter().all(|w| *w >= 0.0), "{} {k} {seed}", FAMILIES[family]);
        hot.iter().zip(&exact).fold(0.0, |worst: f64, (hot, exact)| {
            let error = (hot - exact).abs();
            if error.is_nan() { f64::INFINITY } else { worst.max(error) }
        })
    };
    (0..seeds).map(|seed| (error(seed), seed)).fold((0.0, 0), |worst, next| if next.0 > worst.0 { next } else { worst })
}

#[test]
fn the_hot_rule_is_within_1e_4_of_the_exact_one_with_nothing_and_without() {
    let seeds: u64 = std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(12);
    for (family, name) in FAMILIES.iter().enumerate() {
        for k in [1, 2, 3, 10, 30] {
            for nothing in [false, true] {
                let (error, seed) = worst(family, k, seeds, nothing);
                if seeds > 100 {
                    println!("{name}, {k} scores, nothing {nothing}: {error:.1e} at seed {seed}");
                }
                assert!(error < 1e-4, "{name}, {k} scores, nothing {nothing}, seed {seed}: off by {error}");
            }
        }
    }
}

#[test]
fn groups_of_a_thousand_equal_scores_have_a_closed_form() {
    let close = |scores: &[Score], nothing: bool, expected: &[f64]| {
        let w = gaussian(scores, nothing);
        let worst = w.iter().zip(expected).map(|(w, e)| (w - e).abs()).fold(0.0, f64::max);
        assert!(w.len() == expected.len() && worst < 1e-4, "off by {worst}");
    };
    for k in [2_u32, 10, 100, 1_000] {
        let equal = vec![Score::gaussian(-4.0, 1e-3); k as usize];
        close(&equal, false, &vec![1.0 / f64::from(k); k as usize]);
        // Nothing beats all of them with probability Phi(z)^k.
        for z in [-1.0, 0.0, 2.0, 3.5] {
            let cdf = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
            let below = libm::pow(cdf, f64::from(k));
            let mut expected = vec![(1.0 - below) / f64::from(k); k as usize];
            expected.push(below);
            close(&vec![Score::gaussian(-z * 7.0, 7.0); k as usize], true, &expected);
        }
    }
}

#[test]
fn scores_far_from_zero_narrow_or_huge_keep_their_probabilities() {
    let check = |pairs: &[(f64, f64)], nothing: bool| {
        let scores: Vec<Score> = pairs.iter().map(|(mean, deviation)| Score::gaussian(*mean, *deviation)).collect();
        let (hot, exact) = (gaussian(&scores, nothing), exact_rule::gaussian(&scores, nothing));
        let worst = hot.iter().zip(&exact).map(|(hot, exact)| (hot - exact).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-4 && !hot[0].is_nan(), "{pairs:?}: {hot:?} is not {exact:?}");
    };
    check(&[(1e6, 1.0), (1e6 + 0.5, 1.0), (1e6, 0.1)], false);
    check(&[(1e15, 1e-3), (1e15, 2.0)], false);
    check(&[(-1e9, 1.0), (-1e9 - 2.0, 1e-3)], false);
    check(&[(1e-20, 1e-20), (0.0, 2e-20)], true);
    check(&[(1e20, 1e20), (0.0, 2e20)], true);
    for decades in [4.0, 8.0, 10.0, 12.0] {
        check(&[(0.0, 1.0), (0.0, libm::exp10(-decades)), (1e-3, 1e-3)], false);
        check(&[(0.0, 1.0), (0.0, libm::exp10(-decades)), (1e-3, 1e-3)], true);
    }
    check(&[(3.0, 1e-9), (0.0, 1.0), (0.0, 1.0)], true);
    check(&[(-3.0, 1.0), (-3.0, 1e-9)], true);
    check(&[(-9.0, 1.0), (-20.0, 1.0)], true);
    assert_eq!(gaussian(&[], true), [1.0]);
    assert_eq!(gaussian(&[Score::gaussian(-100.0, 1.0)], true), [0.0, 1.0]);
    assert_eq!(gaussian(&[Score::gaussian(-100.0, 1.0)], false), [1.0]);
}

#[test]
fn scores_that_are_no_gaussians_are_answered_with_nan() {
    for (mean, deviation) in
        [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (0.0, f64::NAN), (0.0, f64::INFINITY), (0.0, 0.0), (0.0, -1.0)]
    {
        let w = gaussian(&[Score::gaussian(0.0, 1.0), Score::gaussian(mean, deviation)], true);
        assert!(w.len() == 3 && w.iter().all(|w| w.is_nan()), "{mean} {deviation}: {w:?}");
    }
    // These are numbers; what matters is that an answer comes, and that a wrong one is refused.
    for pairs in [[(f64::MAX, 1.0), (f64::MIN, f64::MAX)], [(1e15, 1e-300), (1e15, 1.0)], [(0.0, 1e-300), (1e300, 1.0)]]
    {
        let w = gaussian(&pairs.map(|(mean, deviation)| Score::gaussian(mean, deviation)), false);
        assert!(w.iter().all(|w| w.is_nan() || (0.0..=1.0).contains(w)), "{w:?}");
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let sets = instruction_sets();
    let mut compared = 0;
    for family in 0..FAMILIES.len() {
        for (k, seeds) in [(1, 2), (2, 12), (7, 12), (33, 6), (300, 2)] {
            for (seed, nothing) in (0..seeds).flat_map(|seed| [(seed, false), (seed, true)]) {
                let scores = instance(family, k, seed);
                let bits = |w: Vec<f64>| w.into_iter().map(f64::to_bits).collect::<Vec<_>>();
                let plain = bits(gaussian_on(pulp::Arch::Scalar, &scores, nothing));
                for (name, set) in &sets {
                    assert_eq!(bits(gaussian_on(*set, &scores, nothing)), plain, "{name}: {family} {k} {seed}");
                }
                compared += sets.len() - 1;
            }
        }
    }
    println!("{compared} comparisons over {:?}", sets.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}
