//! What hierarchical priors promise. Holds no code of theirs.

use std::sync::Arc;

use super::blocks::packed_len;
use super::cholesky::Factor;
use super::gaussians::{Belief, Child, Information};
use super::lineup::{Group, Lineup};
use super::posterior::Posterior;
use super::prior::Hierarchy;
use super::sample::increment;
use super::sharing::Scope;
use super::statistics::ArmStatistics;
use super::view::ModelView;
use crate::domain::placement::Encoder;
use crate::domain::{AttributeId, Contender, Day, Feature, FeatureAtom, LocalTime, Placement, Prior, Timestamp, Value};

const SCOPE: Scope = Scope { dimensions: 2, day: Day(0), half_life_days: None, lambda: 1.0 };

fn close(a: f64, b: f64, within: f64) {
    assert!((a - b).abs() <= within, "{a} is not {b}");
}

/// An arm shown `n` times, half of them to the one kind of customer, and accepted as often as said of each kind.
fn arm(n: u32, accepted: [u32; 2]) -> Arc<ArmStatistics> {
    let mut statistics = ArmStatistics::default();
    for (kind, accepted) in [0.0, 1.0].into_iter().zip(accepted) {
        for at in 0..n / 2 {
            statistics.apply(&increment(Day(0), None, &[1.0, kind], 1, i8::from(at < accepted)));
        }
    }
    Arc::new(statistics)
}

/// A lineup of offers with one variant each.
fn lineup(arms: &[(usize, Option<Arc<ArmStatistics>>)]) -> Lineup {
    let groups = arms.iter().enumerate().map(|(offer, (category, _))| Group { offer, category: *category }).collect();
    Lineup { arms: arms.iter().map(|(_, arm)| arm.clone()).collect(), groups }
}

fn derived(lineup: &Lineup) -> Hierarchy {
    let hierarchy = Hierarchy::derive(SCOPE, lineup, None);
    assert!(hierarchy.alarms.is_empty(), "{:?}", hierarchy.alarms);
    hierarchy
}

/// Expected acceptance and its deviation for both kinds of customers.
fn beliefs(posterior: &Posterior) -> [(f64, f64); 2] {
    [[1.0, 0.0], [1.0, 1.0]].map(|x| {
        let estimate = posterior.score(&x);
        (estimate.mean, posterior.variance().sqrt() * estimate.bonus)
    })
}

#[test]
fn offers_that_differ_in_nothing_are_one_and_a_new_one_begins_as_they_are() {
    let mut arms: Vec<_> = (0..60).map(|_| (0, Some(arm(400, [10, 30])))).collect();
    arms.extend([(0, None), (1, None)]);
    let hierarchy = derived(&lineup(&arms));
    let [new, of_new_category, old] = [60, 61, 0].map(|at| beliefs(&hierarchy.posteriors[at]));
    for (at, expected) in [0.05, 0.15].into_iter().enumerate() {
        close(new[at].0, expected, 0.005);
        close(old[at].0, expected, 0.005);
        // Alone it would be 0.0154 and 0.0252, sqrt(p (1 - p) / 200).
        assert!(old[at].1 < 0.009, "{old:?}");
        assert!(old[at].1 < new[at].1 && new[at].1 < 0.02, "{new:?}");
        // A category of which nothing is known begins as the placement is, with more doubt.
        close(of_new_category[at].0, expected, 0.03);
        assert!(of_new_category[at].1 > 2.0 * new[at].1, "{of_new_category:?}");
    }
}

#[test]
fn offers_that_differ_widely_stand_alone_and_a_new_one_may_be_anything() {
    let mut arms: Vec<_> =
        (0..30).map(|at| (0, Some(arm(1_000, if at % 2 == 0 { [10, 10] } else { [300, 300] })))).collect();
    arms.push((0, None));
    let hierarchy = derived(&lineup(&arms));
    for (at, rate) in [0.02, 0.6].into_iter().enumerate() {
        let [first, second] = beliefs(&hierarchy.posteriors[at]);
        close(first.0, rate, 0.01);
        close(second.0, rate, 0.01);
    }
    let [new, _] = beliefs(&hierarchy.posteriors[30]);
    close(new.0, 0.31, 0.05);
    assert!(new.1 > 0.2, "{new:?}");
}

#[test]
fn one_arm_is_enough_and_no_arm_is_the_prior_without_others() {
    let hierarchy = derived(&lineup(&[(0, Some(arm(40, [2, 2]))), (0, None), (1, None)]));
    for posterior in &hierarchy.posteriors {
        let (accepted, declined) = posterior.counts();
        assert!(accepted >= 0.0 && declined >= 0.0, "{accepted} {declined}");
        for (mean, deviation) in beliefs(posterior) {
            assert!(mean.is_finite() && (0.001..0.5).contains(&deviation), "{mean} {deviation}");
        }
    }
    let [own, new] = [0, 1].map(|at| beliefs(&hierarchy.posteriors[at])[0]);
    assert!(own.1 < new.1, "{own:?} {new:?}");
}

#[test]
fn a_rate_begins_with_the_acceptances_of_its_group() {
    let mut arms: Vec<_> = (0..60).map(|_| (0, Some(arm(400, [20, 20])))).collect();
    arms.push((0, None));
    let (accepted, declined) = derived(&lineup(&arms)).posteriors[60].counts();
    let (alpha, beta) = (1.0 + accepted, 1.0 + declined);
    close(alpha / (alpha + beta), 0.1, 0.005);
    assert!(alpha >= 1.0 && alpha + beta > 100.0, "{alpha} {beta}");
}

#[test]
fn what_is_taken_over_is_what_would_be_derived() {
    let arms: Vec<_> =
        (0..24_u32).map(|at| (at as usize / 6, Some(arm(1_000 + 10 * at, [10 * (at % 7), 10 * (at % 5)])))).collect();
    let before = derived(&lineup(&arms));
    let mut changed = arms.clone();
    // So little that rate and spreads, being rounded, stay the same.
    changed[3].1 = Some(arm(1_032, [30, 30]));
    let changed = lineup(&changed);
    let taken_over = Hierarchy::derive(SCOPE, &changed, Some(&before));
    assert_eq!(taken_over.posteriors, derived(&changed).posteriors);
    assert_ne!(taken_over.posteriors[3], before.posteriors[3]);
    assert!(Arc::ptr_eq(&taken_over.posteriors[23], &before.posteriors[23]), "another category");
    let same = Hierarchy::derive(SCOPE, &lineup(&arms), Some(&before));
    for (same, before) in same.posteriors.iter().zip(&before.posteriors) {
        assert!(Arc::ptr_eq(same, before));
    }
}

/// Information of two components.
fn told(precision: [f64; 3], eta: [f64; 2]) -> Information {
    Information { precision: precision.to_vec(), eta: eta.to_vec() }
}

#[test]
fn the_tree_says_what_all_of_it_at_once_says() {
    let (spread, top) = ([0.04, 0.01], [0.5, 0.25]);
    let known = [told([30.0, 4.0, 20.0], [3.0, 1.0]), told([5.0, 1.0, 2.0], [2.0, -0.5]), told([0.0; 3], [0.0; 2])];
    let children: Vec<Child> = known.iter().map(|known| Child::of(known, &spread).unwrap()).collect();
    let mut all = Information::none(2);
    for child in &children {
        all.add(&child.says(&spread));
    }
    let parent = all.with_prior(&[0.1, 0.2], &top).unwrap();

    // The parent and its children as one vector of eight: the joint precision, inverted.
    let mut joint = [[0.0; 8]; 8];
    let mut eta = [0.0; 8];
    for i in 0..2 {
        joint[i][i] = 1.0 / top[i] + 3.0 / spread[i];
        eta[i] = [0.1, 0.2][i] / top[i];
        for (at, known) in known.iter().enumerate() {
            let own = 2 + 2 * at;
            joint[own + i][own + i] = known.precision[2 * i] + 1.0 / spread[i];
            joint[own + i][i] = -1.0 / spread[i];
            joint[i][own + i] = -1.0 / spread[i];
            joint[own + 1][own] = known.precision[1];
            joint[own][own + 1] = known.precision[1];
            eta[own + i] = known.eta[i];
        }
    }
    let packed: Vec<f64> = (0..8).flat_map(|j| (j..8).map(move |i| joint[i][j])).collect();
    assert_eq!(packed.len(), packed_len(8));
    let inverse = super::gaussians::dense(&Factor::of(&packed, 8).unwrap().invert(), 8);
    let check = |belief: &Belief, at: usize| {
        for i in 0..2 {
            let mean: f64 = (0..8).map(|j| inverse[8 * (at + i) + j] * eta[j]).sum();
            close(belief.mean[i], mean, 1e-12);
        }
        let covariance = [(0, 0), (1, 0), (1, 1)].map(|(i, j)| inverse[8 * (at + i) + at + j]);
        belief.covariance.iter().zip(covariance).for_each(|(own, joint)| close(*own, joint, 1e-12));
    };
    check(&parent, 0);
    for (at, child) in children.iter().enumerate() {
        check(&child.under(&parent.over(&spread).unwrap()), 2 + 2 * at);
    }
    check(&parent.of_new_child(&spread), 6);
}

#[test]
fn a_customer_of_whom_nothing_is_known_is_met_with_what_the_context_teaches() {
    let feature = |id: &str, encoder: Encoder| Feature {
        text: String::new(),
        atoms: vec![FeatureAtom { attribute: AttributeId::parse(id).ok(), encoder }],
    };
    let placement = Placement {
        features: vec![
            feature("customer.tier", Encoder::OneHot(vec!["gold".into(), "silver".into()])),
            feature("context.mobile", Encoder::Flag),
        ],
        half_life_days: None,
        ..super::sample::placement()
    };
    let arm = |on_mobile: u32, elsewhere: u32| {
        let mut statistics = ArmStatistics::default();
        for n in 0..600_u32 {
            // A third of them is gold, a third silver, and of a third it is not known.
            let (tier, mobile) = (n % 3, n / 3 % 2 == 1);
            let accepted = n / 6 % 10 < if mobile { on_mobile } else { elsewhere };
            let [gold, silver, mobile] = [tier == 0, tier == 1, mobile].map(|is| f64::from(u8::from(is)));
            let x = [1.0, gold, silver, mobile];
            statistics.apply(&increment(Day(0), None, &x, 1, i8::from(accepted)));
        }
        Some(Arc::new(statistics))
    };
    let lineup = lineup(&[(0, arm(8, 1)), (0, arm(1, 6))]);
    let version = super::Model::new(placement.model_id(), placement.dimensions()).version();
    for prior in [Prior::Category, Prior::None] {
        let contender = Contender { prior, ..placement.champion };
        let view = ModelView::derive(version, &placement, &contender, lineup.clone(), Day(0), None);
        let best = |mobile: bool| {
            let value = |id: &AttributeId| (id.as_str() == "context.mobile").then_some(Value::Bool(mobile));
            let x = super::features(&placement, LocalTime::utc(Timestamp(0)), &value).to_f64();
            assert_eq!(x[1..3], [0.0, 0.0], "nothing is known of the customer");
            let arms = [0, 1].map(|at| view.arm(at, &x, 1.0, 0.0));
            view.distribution(&view.scores(&arms), false)[0]
        };
        assert!(best(true) > 0.95 && best(false) < 0.05, "{prior:?}: {} {}", best(true), best(false));
    }
}
