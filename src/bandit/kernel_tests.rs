//! The kernel against one arm at a time, to the bit, on every instruction set; what publishing makes anew; and that no
//! width is zero or below however ill-conditioned an arm is. Holds no kernel.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::hot_rule::instruction_sets;
use super::kernel::{Belief, Inputs, LANES, Packed};
use super::posterior::{Derived, Posterior, PosteriorAlarm};
use super::sample::increment;
use super::statistics::ArmStatistics;
use crate::domain::Day;

fn between(chance: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * chance.random::<f64>()
}

/// A feature vector of which about `present` is not zero, the intercept first.
pub(super) fn vector(chance: &mut ChaCha8Rng, dimensions: usize, present: f64) -> Vec<f64> {
    let component = |at: usize| match at {
        0 => 1.0,
        _ if chance.random::<f64>() < present => between(chance, -16.0, 16.0),
        _ => 0.0,
    };
    (0..dimensions).map(component).collect()
}

/// An arm that has seen a few things.
fn arm(chance: &mut ChaCha8Rng, dimensions: usize) -> Arc<Posterior> {
    let mut statistics = ArmStatistics::default();
    for _ in 0..chance.random_range(1..12) {
        let (present, accepted) = (chance.random::<f64>(), i8::from(chance.random::<f64>() < 0.4));
        statistics.apply(&increment(Day(7), Some(30), &vector(chance, dimensions, present), 1, accepted));
    }
    let Derived { posterior, alarm } = Posterior::derive(&statistics, dimensions, Day(9), Some(30), 0.7);
    assert_eq!(alarm, None);
    Arc::new(posterior)
}

fn bits(beliefs: &[Belief]) -> Vec<[u64; 5]> {
    let bits = |b: &Belief| [b.estimate.mean, b.estimate.bonus, b.variance, b.accepted, b.declined].map(f64::to_bits);
    beliefs.iter().map(bits).collect()
}

#[test]
fn many_arms_at_once_are_each_arm_alone_to_the_bit_on_every_instruction_set() {
    let mut chance = ChaCha8Rng::seed_from_u64(3);
    for dimensions in (1..=20).chain([31, 32, 33, 64]) {
        let prior = Arc::new(Posterior::prior(dimensions, 0.7));
        let count = chance.random_range(0..5 * LANES);
        let learned = |chance: &mut ChaCha8Rng| if chance.random() { arm(chance, dimensions) } else { prior.clone() };
        let arms: Vec<Arc<Posterior>> = (0..count).map(|_| learned(&mut chance)).collect();
        let packed = Packed::new(arms, prior, None);
        let every: Vec<usize> = (0..count + 3).collect();
        let some: Vec<usize> = every.iter().copied().filter(|_| chance.random::<f64>() < 0.3).collect();
        let unordered: Vec<usize> = (0..20).map(|_| chance.random_range(0..count + 3)).collect();
        for (positions, present) in [every, some, unordered].iter().flat_map(|p| [0.0, 0.2, 0.6, 1.0].map(|x| (p, x))) {
            let xs: Vec<Vec<f64>> = positions.iter().map(|_| vector(&mut chance, dimensions, present)).collect();
            let xs: Vec<&[f64]> = xs.iter().map(Vec::as_slice).collect();
            let shared = vector(&mut chance, dimensions, present);
            let alone = |(at, x): (&usize, &[f64])| Belief::of(packed.posterior(*at), x);
            let each_alone: Vec<Belief> = positions.iter().zip(xs.iter().copied()).map(alone).collect();
            let shared_alone: Vec<Belief> = positions.iter().map(|at| alone((at, shared.as_slice()))).collect();
            for (set, arch) in instruction_sets() {
                let of_shared = packed.beliefs_on(arch, positions, Inputs::Shared(&shared));
                let of_each = packed.beliefs_on(arch, positions, Inputs::Each(&xs));
                assert_eq!(bits(&of_shared), bits(&shared_alone), "{set}, {dimensions} dimensions, {positions:?}");
                assert_eq!(bits(&of_each), bits(&each_alone), "{set}, {dimensions} dimensions, {positions:?}");
            }
        }
    }
}

#[test]
fn publishing_makes_anew_only_the_blocks_of_which_an_arm_changed() {
    let mut chance = ChaCha8Rng::seed_from_u64(4);
    let prior = Arc::new(Posterior::prior(5, 0.7));
    let mut arms: Vec<Arc<Posterior>> = (0..40).map(|_| arm(&mut chance, 5)).collect();
    let before = Packed::new(arms.clone(), prior.clone(), None);
    assert_eq!(Packed::new(arms.clone(), prior.clone(), Some(&before)).shared(&before), 5);
    arms[19] = arm(&mut chance, 5);
    let after = Packed::new(arms.clone(), prior.clone(), Some(&before));
    assert_eq!(after.shared(&before), 4);
    let (every, x): (Vec<usize>, _) = ((0..40).collect(), vector(&mut chance, 5, 1.0));
    let fresh = Packed::new(arms.clone(), prior.clone(), None);
    assert_eq!(after.beliefs(&every, Inputs::Shared(&x)), fresh.beliefs(&every, Inputs::Shared(&x)));
    // Arms that came behind the others are seen, though the block was there before.
    arms.push(arm(&mut chance, 5));
    let grown = Packed::new(arms.clone(), prior.clone(), Some(&after));
    arms.push(arm(&mut chance, 5));
    let more = Packed::new(arms, prior.clone(), Some(&grown));
    assert_eq!((grown.shared(&after), more.shared(&grown)), (5, 5));
    assert_ne!(more.beliefs(&[41], Inputs::Shared(&x)), grown.beliefs(&[41], Inputs::Shared(&x)));
    // Arms that learned nothing share one block.
    let fresh = Packed::new(vec![prior.clone(); 40], prior.clone(), Some(&before));
    assert_eq!(Packed::new(vec![prior.clone(); 40], prior, Some(&fresh)).shared(&fresh), 5);
}

/// Exposures that make A as ill-conditioned as asked for: one direction seen often and with large features, others
/// almost never, and columns that are nearly the same.
pub(super) fn hard(chance: &mut ChaCha8Rng, dimensions: usize, exposures: f64) -> ArmStatistics {
    let mut statistics = ArmStatistics::default();
    let (often, twin) = (vector(chance, dimensions, 1.0), vector(chance, dimensions, 0.3));
    let near = |chance: &mut ChaCha8Rng, x: &[f64], by: f64| -> Vec<f64> {
        let moved = |(at, x): (usize, &f64)| if at == 0 { 1.0 } else { x + by * between(chance, -1.0, 1.0) };
        x.iter().enumerate().map(moved).collect()
    };
    let mut apply = |x: &[f64], times: f64| {
        let mut increment = increment(Day(7), None, x, 1, i8::from(times > 1e4));
        #[expect(clippy::cast_possible_truncation, reason = "below 2^62")]
        let weight = (65_536.0 * times) as i64;
        increment.weight = weight;
        statistics.apply(&increment);
    };
    apply(&often, exposures);
    for (at, by) in [1e-6, 1e-5, 1e-3, 0.1].into_iter().cycle().take(dimensions).enumerate() {
        let from = if at % 2 == 0 { &often } else { &twin };
        let x = near(chance, from, by);
        apply(&x, exposures * chance.random::<f64>());
    }
    statistics
}

/// The direction seen most, in which the belief is narrowest, and the largest component of A's diagonal.
pub(super) fn most_seen(statistics: &ArmStatistics, dimensions: usize) -> (Vec<f64>, f64) {
    let sums = statistics.generations().values().next().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a direction")]
    let a = |i: usize, j: usize| sums.xx(i.min(j), i.max(j)) as f64 / (65_536.0 * libm::exp2(40.0));
    let mut x = vec![1.0; dimensions];
    for _ in 0..30 {
        x = (0..dimensions).map(|i| x.iter().enumerate().map(|(j, x)| a(i, j) * x).sum()).collect();
        let largest = x.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        for x in &mut x {
            *x *= 16.0 / largest;
        }
    }
    (x, (0..dimensions).map(|i| a(i, i)).fold(0.0, f64::max))
}

#[test]
fn a_width_is_above_zero_for_every_context_however_ill_conditioned_an_arm_is_or_the_arm_is_at_its_prior() {
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let (mut derived, mut conditioned, mut alarms) = (0, 0.0_f64, 0);
    for round in 0..400 {
        let dimensions = [2, 5, 16, 32, 64][round % 5];
        let exposures = libm::exp10(between(&mut chance, 0.0, 13.0));
        let lambda = libm::exp10(between(&mut chance, -3.0, 2.0));
        let statistics = hard(&mut chance, dimensions, exposures);
        let Derived { posterior, alarm } = Posterior::derive(&statistics, dimensions, Day(7), None, lambda);
        // The directions in which the belief is narrowest and widest are among those that rounding may spoil.
        let (narrowest, largest) = most_seen(&statistics, dimensions);
        let mut contexts: Vec<Vec<f64>> =
            (0..6).map(|at| vector(&mut chance, dimensions, f64::from(at) / 5.0)).collect();
        contexts.push(narrowest);
        for x in &contexts {
            let estimate = posterior.score(x);
            assert!(estimate.bonus > 0.0 && estimate.bonus.is_finite(), "{estimate:?} of {dimensions} at {exposures}");
            assert!(estimate.mean.is_finite());
        }
        if alarm.is_some_and(|alarm| alarm != PosteriorAlarm::NotFinite) {
            assert_eq!(posterior, Posterior::prior(dimensions, lambda));
            alarms += 1;
            continue;
        }
        assert_eq!(alarm, None);
        derived += 1;
        let widest = posterior.a_inv().iter().fold(0.0_f64, |widest, a| widest.max(*a));
        conditioned = conditioned.max(largest * widest);
    }
    assert!(derived > 150 && alarms > 30, "{derived} derived, {alarms} at their prior");
    assert!(conditioned > 1e12, "the largest condition number kept is above {conditioned:e} only");
}
