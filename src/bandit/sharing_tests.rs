//! That no belief of arms that share, whichever way, gives a width of zero or below, or no number, however
//! ill-conditioned their statistics are. Holds no code of theirs.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::day_sums::Counts;
use super::hybrid::{Hybrid, Shared};
use super::kernel_tests::{hard, most_seen, vector};
use super::lineup::{Group, Lineup};
use super::posterior::{Posterior, PosteriorAlarm};
use super::prior::Hierarchy;
use super::sample::{self, increment};
use super::sharing::Scope;
use super::statistics::ArmStatistics;
use crate::domain::placement::Encoder;
use crate::domain::{AttributeId, Day, Feature, FeatureAtom, Placement};

const DIMENSIONS: usize = 16;

/// Every third component reads the offer.
fn placement() -> Placement {
    let feature = |at: usize| Feature {
        text: String::new(),
        atoms: vec![FeatureAtom {
            attribute: AttributeId::parse(if at.is_multiple_of(3) { "offer.new" } else { "context.mobile" }).ok(),
            encoder: Encoder::Flag,
        }],
    };
    Placement { features: (1..DIMENSIONS).map(feature).collect(), ..sample::placement() }
}

/// Arms of two categories and of offers of two variants each, one of them plain, the others hard.
fn lineup(chance: &mut ChaCha8Rng) -> Lineup {
    let mut plain = ArmStatistics::default();
    for n in 0..40 {
        plain.apply(&increment(Day(7), None, &vector(chance, DIMENSIONS, 0.5), 1, i8::from(n % 4 == 0)));
    }
    let exposures = libm::exp10(14.0 * chance.random::<f64>());
    let mut arms = vec![Some(Arc::new(plain))];
    arms.push(Some(Arc::new(hard(chance, DIMENSIONS, exposures))));
    arms.extend((0..4).map(|at| Some(Arc::new(hard(chance, DIMENSIONS, libm::exp10(f64::from(at)))))));
    arms.push(None);
    let groups = (0..7).map(|at| Group { offer: at / 2, category: at / 4 }).collect();
    Lineup { arms, groups }
}

#[test]
fn arms_that_share_have_widths_above_zero_for_every_context_or_are_at_their_prior_with_an_alarm() {
    let mut chance = ChaCha8Rng::seed_from_u64(11);
    let shared = Shared::of(&placement());
    let (mut sound, mut ill, mut alarmed) = ([0, 0], [0, 0], [0, 0]);
    for round in 0..120 {
        let lambda = libm::exp10(5.0 * chance.random::<f64>() - 3.0);
        let scope = Scope { dimensions: DIMENSIONS, day: Day(7), half_life_days: None, lambda };
        let lineup = lineup(&mut chance);
        let hierarchy = Hierarchy::derive(scope, &lineup, None);
        let hybrid = Hybrid::derive(scope, shared.clone(), &lineup, None);
        let prior = Posterior::prior(DIMENSIONS, lambda);
        let mut contexts: Vec<Vec<f64>> =
            (1..4).map(|at| vector(&mut chance, DIMENSIONS, f64::from(at) / 3.0)).collect();
        contexts.extend(lineup.arms.iter().flatten().map(|arm| most_seen(arm, DIMENSIONS).0));
        let derived = [(&hierarchy.posteriors, &hierarchy.alarms), (&hybrid.posteriors, &hybrid.alarms)];
        for (way, (posteriors, alarms)) in derived.into_iter().enumerate() {
            assert_eq!(posteriors.len(), 7);
            alarmed[way] += alarms.len();
            for (at, posterior) in posteriors.iter().enumerate() {
                for x in &contexts {
                    let estimate = posterior.score(x);
                    assert!(
                        estimate.mean.is_finite() && estimate.bonus > 0.0 && estimate.bonus.is_finite(),
                        "{estimate:?} of arm {at} in round {round}, {}",
                        ["by category", "hybrid"][way]
                    );
                }
                let mut told = alarms.iter().filter(|(alarmed, _)| *alarmed == at).map(|(_, why)| why);
                if told.any(|why| *why == PosteriorAlarm::IllConditioned.to_string()) {
                    assert_eq!(**posterior, prior, "arm {at} in round {round}");
                    ill[way] += 1;
                } else {
                    sound[way] += 1;
                }
            }
        }
        // What is taken over from before falls back as it did, and says so again.
        let again = Hierarchy::derive(scope, &lineup, Some(&hierarchy));
        assert_eq!((again.posteriors, again.alarms), (hierarchy.posteriors, hierarchy.alarms));
    }
    let [by_category, hybrid] = [0, 1].map(|way| (sound[way], ill[way], alarmed[way]));
    assert!(by_category.0 > 400 && by_category.1 > 10, "{by_category:?}");
    assert!(hybrid.0 > 400 && hybrid.2 > 10, "{hybrid:?}");
    assert!(hybrid.2 < 300, "an arm that gives no belief takes no other with it, in general: {hybrid:?}");
}

#[test]
fn a_covariance_is_checked_before_anything_is_decided_by_it() {
    let check = |theta: f64, covariance: [f64; 3], precision: f64| {
        Posterior::of(vec![theta; 2], covariance.to_vec(), precision, Counts::default(), (0.0, 0.0)).err()
    };
    assert_eq!(check(0.5, [1.0, 0.2, 1.0], 3.0), None);
    assert_eq!(check(0.5, [1.0, 0.2, 1.0], 1e15), Some(PosteriorAlarm::IllConditioned));
    assert_eq!(check(0.5, [1e15, 0.2, 1.0], 3.0), Some(PosteriorAlarm::IllConditioned));
    assert_eq!(check(0.5, [1.0, 0.2, 1.0], f64::NAN), Some(PosteriorAlarm::IllConditioned));
    assert_eq!(check(0.5, [1.0, f64::NAN, 1.0], 3.0), Some(PosteriorAlarm::NotFinite));
    assert_eq!(check(1e308, [1.0, 0.2, 1.0], 3.0), Some(PosteriorAlarm::NotFinite));
}
