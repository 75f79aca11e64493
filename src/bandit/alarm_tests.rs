//! Arms whose sums make no sense: they decide by their prior and the others go on, whatever arms share. Holds no code
//! of its own.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::lineup::Lineup;
use super::posterior::Posterior;
use super::sample::{self, increment};
use super::statistics::ArmStatistics;
use super::strategies::{check, explore};
use super::view::{Candidate, ModelView};
use super::{Inputs, Model};
use crate::domain::placement::Encoder;
use crate::domain::{AttributeId, Contender, Day, Feature, FeatureAtom, Placement, Prior, Strategy};

/// One flag of the offer and one of the context beside the intercept.
fn placement() -> Placement {
    let feature = |id: &str| Feature {
        text: String::new(),
        atoms: vec![FeatureAtom { attribute: AttributeId::parse(id).ok(), encoder: Encoder::Flag }],
    };
    let features = vec![feature("offer.new"), feature("context.mobile")];
    Placement { features, half_life_days: None, ..sample::placement() }
}

/// An arm that learned this of the intercept and two flags, so many times each; below zero it was taken back.
fn arm(learned: &[([f64; 3], i8, i64)]) -> Arc<ArmStatistics> {
    let mut statistics = ArmStatistics::default();
    for (x, accepted, times) in learned {
        let mut increment = increment(Day(0), None, x, 1, *accepted);
        increment.weight *= times;
        statistics.apply(&increment);
    }
    Arc::new(statistics)
}

#[test]
fn an_arm_of_impossible_sums_decides_by_its_prior_and_the_others_by_what_they_learned() {
    let placement = placement();
    let version = Model::new(placement.model_id(), placement.dimensions()).version();
    let sound = || arm(&[([1.0, 1.0, 0.0], 1, 30), ([1.0, 0.0, 1.0], 0, 50), ([1.0, 1.0, 1.0], 0, 9)]);
    // More was taken back than had been learned.
    let impossible = arm(&[([1.0, 0.0, 0.0], 1, 9), ([1.0, 1.0, 1.0], 0, -40)]);
    let of = |first: Arc<ArmStatistics>| {
        let mut lineup = Lineup::of_offers(3);
        lineup.arms = vec![Some(first), Some(sound()), None];
        lineup
    };
    for (strategy, prior) in [
        (Strategy::ThompsonLinear, Prior::None),
        (Strategy::ThompsonLinear, Prior::Category),
        (Strategy::LinucbHybrid { alpha: 1.0 }, Prior::None),
        (Strategy::BaggedLinear { bags: 3 }, Prior::None),
    ] {
        let contender = Contender { strategy, prior, ..placement.champion };
        let derive = |first| ModelView::derive(version, &placement, &contender, of(first), Day(0), None);
        let (view, healthy) = (derive(impossible.clone()), derive(sound()));
        assert_eq!(healthy.alarms, [], "{strategy:?} {prior:?}");
        assert_eq!(view.alarms.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0], "{strategy:?} {prior:?}");
        let x = [1.0, 1.0, 1.0];
        let [spoilt, other, unseen] = [0, 1, 2].map(|at| view.posterior(at).score(&x));
        assert_eq!(spoilt, unseen, "{strategy:?} {prior:?}: as an arm that learned nothing");
        assert!(other.bonus < unseen.bonus && other.mean != unseen.mean, "{strategy:?} {prior:?}: {other:?}");
        let candidates = [0, 1, 2].map(|at| Candidate { at, margin: 900.0, cost: 5.0 });
        let p = explore(&view.distribution(&view.scores(&view.arms(&candidates, Inputs::Shared(&x))), true), 0.05);
        assert_eq!(check(&p, 0.05), Ok(()), "{strategy:?} {prior:?}: {p:?}");
    }
    // What is impossible in what all arms share is told of the arm that it comes from, which falls back alone.
    let shared = arm(&[([1.0, 0.0, 0.0], 1, 9), ([1.0, 1.0, 1.0], 0, -40), ([1.0, 0.0, 1.0], 0, 40)]);
    let contender = Contender { strategy: Strategy::LinucbHybrid { alpha: 1.0 }, ..placement.champion };
    let view = ModelView::derive(version, &placement, &contender, of(shared), Day(0), None);
    assert_eq!(view.alarms.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0]);
    let [spoilt, other, unseen] = [0, 1, 2].map(|at| view.posterior(at).score(&[1.0, 1.0, 1.0]));
    assert_eq!(spoilt, unseen, "as an arm that learned nothing");
    assert!(other.mean.is_finite() && 0.0 < other.bonus && other.bonus < unseen.bonus, "{other:?}, {unseen:?}");
}

#[test]
fn logits_of_any_sums_are_numbers_and_those_of_impossible_ones_the_priors() {
    let mut chance = ChaCha8Rng::seed_from_u64(11);
    let (mut derived, mut alarms) = (0, 0);
    for round in 0..2_000 {
        let flag = |chance: &mut ChaCha8Rng| f64::from(u8::from(chance.random::<f64>() < 0.5));
        let mut one = |least: i64| {
            let x = [1.0, flag(&mut chance), flag(&mut chance)];
            (x, i8::from(chance.random::<f64>() < 0.3), chance.random_range(least..60))
        };
        let learned = [one(40), one(-60), one(-60), one(0)];
        let found = Posterior::derive_logits(&arm(&learned), 3, Day(0), None, (1.0, -2.0));
        let posterior = &found.posterior;
        let numbers = posterior.theta().iter().chain(posterior.a_inv());
        assert!(numbers.copied().all(f64::is_finite), "round {round}: {learned:?}: {posterior:?}");
        if found.alarm.is_some() {
            assert_eq!(*posterior, Posterior::prior_logits(3, 1.0, -2.0), "round {round}: {learned:?}");
            alarms += 1;
        } else {
            derived += 1;
        }
    }
    assert!(alarms > 20 && derived > 20, "{alarms} at their prior, {derived} derived");
}
