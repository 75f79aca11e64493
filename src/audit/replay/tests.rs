//! Random decisions decided again from their records alone: the same bytes; and with something changed, what differs.
//! Tries no store.
//!
//! `PROFFER_TEST_SEEDS` plays more rounds.

use std::sync::Arc;

use super::{ModelAt, Verdict, Versions, replay, told};
use crate::bandit::{ArmKey, Features, Increment, Model};
use crate::decision::{Decision, Snapshot, law};
use crate::domain::decision::{Failed, Private, Record, Skeleton, leaf};
use crate::domain::key::{GeneratorKey, SubjectKey};
use crate::domain::{Digest, Propensity};
use crate::policy::Bundle;

const KEY: SubjectKey = SubjectKey([9; 32]);

fn versions(snapshot: &Snapshot) -> Versions<'_> {
    Versions { bundle: &snapshot.bundle, catalogue: &snapshot.catalogue, generator: &law::GENERATOR, key: &KEY }
}

fn again(snapshot: &Snapshot, record: &Record) -> Verdict {
    let skeleton = record.skeleton().unwrap();
    let placement = snapshot.bundle.placement(skeleton.placement.as_str()).unwrap();
    let model = Model::new(placement.model_id(), placement.dimensions());
    replay(record, &versions(snapshot), ModelAt::Known(&model))
}

#[test]
fn whatever_was_decided_is_decided_again_byte_for_byte() {
    let (first, count) = (std::env::var("PROFFER_TEST_SEED").ok().and_then(|seed| seed.parse().ok()), law::rounds());
    let first: u64 = first.unwrap_or(0);
    let mut decided = 0;
    for seed in first..first + count {
        law::decisions(seed, |snapshot, Decision { mut skeleton, private, .. }| {
            let record = Record::seal(&mut skeleton, &private, &KEY);
            let verdict = again(snapshot, &record);
            assert_eq!(verdict, Verdict::Identical, "seed {seed}: {}", told(&verdict).join("\n"));
            decided += 1;
        });
    }
    println!("{count} bundles, {decided} decisions decided again");
}

/// A record with one thing changed by somebody who can seal it anew.
fn changed(decision: &Decision, change: impl Fn(&mut Skeleton, &mut Private)) -> Record {
    let (mut skeleton, mut private) = (decision.skeleton.clone(), decision.private.clone());
    change(&mut skeleton, &mut private);
    Record::seal(&mut skeleton, &private, &KEY)
}

/// The paths of what differs.
fn paths(verdict: &Verdict) -> Vec<&str> {
    let Verdict::Differs { fields } = verdict else { panic!("{verdict:?}") };
    fields.iter().map(|field| field.path.as_str()).collect()
}

/// Some decisions, with a draw each.
fn drawn(each: impl Fn(&Snapshot, &Decision)) {
    let mut met = 0;
    for seed in 0..40 {
        law::decisions(seed, |snapshot, decision| {
            if !decision.skeleton.slots.is_empty() {
                each(snapshot, &decision);
                met += 1;
            }
        });
    }
    assert!(met > 20, "{met}");
}

#[test]
fn whatever_of_a_record_is_changed_is_told_by_its_name() {
    type Change = fn(&mut Skeleton, &mut Private);
    let changes: [(&str, Change); 11] = [
        ("slots[0].draw.u", |skeleton, _| skeleton.slots[0].draw.u = (skeleton.slots[0].draw.u + 0.25) % 1.0),
        ("slots[0].draw.propensity", |skeleton, _| {
            let before = skeleton.slots[0].draw.propensity.get();
            skeleton.slots[0].draw.propensity = Propensity::new(before * 0.999_999_999_9).unwrap();
        }),
        ("slots[0].probabilities", |skeleton, _| skeleton.slots[0].probabilities.push(None)),
        // Where offers were named, those of the rows were.
        ("", |skeleton, _| drop(skeleton.candidates.remove(0))),
        ("candidates[0].margin_minor", |skeleton, _| skeleton.candidates[0].margin_minor += 1),
        ("candidates[0].failed", |skeleton, _| {
            skeleton.candidates[0].failed.push(Failed { rule: 0, observed: None, limit: None });
        }),
        ("shown", |skeleton, _| drop(skeleton.shown.pop())),
        ("slots", |skeleton, _| drop(skeleton.slots.pop())),
        ("exploration", |skeleton, _| skeleton.exploration += 1e-12),
        ("reserved_until", |skeleton, _| skeleton.reserved_until = None),
        ("private.context.hour", |_, private| private.context.hour = (private.context.hour + 1) % 24),
    ];
    drawn(|snapshot, decision| {
        for (path, change) in &changes {
            let record = changed(decision, change);
            // Nothing is reserved or shown where *nothing* was drawn.
            if record == changed(decision, |_, _| {}) {
                continue;
            }
            let verdict = again(snapshot, &record);
            assert!(
                paths(&verdict).iter().any(|found| found.starts_with(path)),
                "{path}: {}",
                told(&verdict).join("\n")
            );
        }
    });
}

#[test]
fn whoever_changes_bytes_without_the_key_is_told_so() {
    drawn(|snapshot, decision| {
        let record = changed(decision, |_, _| {});
        let check = |record: &Record, expected: &str| {
            let verdict = again(snapshot, record);
            assert!(told(&verdict).join("\n").contains(expected), "{expected}: {}", told(&verdict).join("\n"));
        };
        check(&Record { leaf: Digest([0; 32]), ..record.clone() }, "the leaf is not the hash of the public part");
        let mut private = record.private.clone();
        private[20] ^= 1;
        check(&Record { private, ..record.clone() }, "differs in 1 field\n  `bytes`");
        let mut other = record.skeleton().unwrap();
        other.commitments[1] = Digest([0; 32]);
        let skeleton = minicbor::to_vec(&other).unwrap();
        let forged = Record { leaf: leaf(&skeleton), skeleton, ..record };
        check(&forged, "group `context` is not what the record committed to");
    });
}

#[test]
fn another_rule_another_generator_and_another_model_make_another_decision_and_what_is_missing_is_named() {
    drawn(|snapshot, decision| {
        let record = changed(decision, |_, _| {});
        let with = |change: &dyn Fn(&mut Bundle)| {
            let mut bundle = (*snapshot.bundle).clone();
            change(&mut bundle);
            Snapshot { bundle: Arc::new(bundle), ..snapshot.clone() }
        };
        let unavailable = |verdict: Verdict, expected: &str| {
            let Verdict::Unavailable { missing } = &verdict else { panic!("{verdict:?}") };
            assert!(missing.contains(expected), "{expected}: {missing}");
        };
        let placement = decision.skeleton.placement.clone();
        let wider = with(&|bundle| {
            let placement = bundle.placements.get_mut(&placement).unwrap();
            placement.champion.exploration = 0.5 - placement.champion.exploration / 2.0;
        });
        assert!(paths(&again(&wider, &record)).contains(&"exploration"));
        unavailable(again(&with(&|bundle| bundle.hash = Digest([1; 32])), &record), "bundle b3:");
        let rule = changed(decision, |skeleton, _| skeleton.distribution_rule = 99);
        unavailable(again(snapshot, &rule), "distribution rule 99: this build does not know it");
        let old = changed(decision, |_, private| private.context.asked = None);
        unavailable(again(snapshot, &old), "the record is from before that was kept");

        let key = |period, key| GeneratorKey { period, key };
        let by = |generator: &GeneratorKey| {
            replay(&record, &Versions { generator, ..versions(snapshot) }, ModelAt::Gone("events 1 to 3"))
        };
        assert!(paths(&by(&key(1, [4; 32]))).iter().any(|path| path.starts_with("slots")));
        unavailable(by(&key(2, [3; 32])), "the generator key of period 1");
        let known = by(&law::GENERATOR);
        assert_eq!(told(&known), ["identical, model state no longer kept: events 1 to 3"]);

        // Scores that agree with everything but the model are found by the model.
        let placement = snapshot.bundle.placement(placement.as_str()).unwrap();
        let mut model = Model::new(placement.model_id(), placement.dimensions());
        let increment = Increment {
            generation: 0,
            weight: 1 << 16,
            features: Features::from_sparse(placement.dimensions(), &[(0, 1 << 20)]).unwrap(),
            exposure: 1,
            accepted: 1,
            reward: 900,
            reward_squared: 810_000,
            matured: None,
            value: 0,
            bags: Vec::new(),
        };
        let (offer, variant) = snapshot.catalogue.at(0).unwrap();
        let arm = ArmKey { offer: offer.offer_id.clone(), variant: variant.variant_id.clone() };
        model.apply(1, &arm, &increment).unwrap();
        let verdict = replay(&record, &versions(snapshot), ModelAt::Known(&model));
        assert!(paths(&verdict).contains(&"model.digest"));
    });
}
