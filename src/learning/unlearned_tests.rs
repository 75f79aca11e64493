//! Tests of decisions that nobody may learn from: counted and reported, and in no sum of any model. Asks no gate.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Applied, Exposed, Lesson};
use crate::bandit::sample::placement;
use crate::bandit::{ArmKey, ArmStatistics, Features};
use crate::domain::decision::{RefusedPurpose, Terms};
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{
    Curve, DecisionId, Delay, DelayStep, Digest, OfferId, Percent, PurposeId, Span, Timestamp, VariantId,
};

/// A decision of which something may be learned, or nothing.
fn lesson(number: u8, may: bool) -> Lesson {
    let placement = placement();
    let offer = OfferId::new(["boots", "lamp"][usize::from(number % 2)]).unwrap();
    let refused = || RefusedPurpose { rule: 3, purpose: PurposeId::new("model_training").unwrap(), also: None };
    let terms = Terms { unlearned: (!may).then(refused), ..Terms::of(&placement, &[&offer]) };
    Lesson {
        decision_id: DecisionId::from_parts(1, [number; 10]),
        slot: 0,
        model: placement.model_id(),
        exposed: Exposed { at: Timestamp(i64::from(number) * 1_000), margin_minor: 900, cost_minor: 5, terms },
        arm: ArmKey { offer, variant: VariantId::new("a").unwrap() },
        features: Features::from_sparse(2, &[(0, 1 << 20), (1, (1 + i32::from(number)) << 10)]).unwrap(),
    }
}

fn order(number: u8) -> OutcomeFact {
    OutcomeFact {
        key: Digest([number; 32]),
        kind: OutcomeKind::Order,
        occurred_at: Timestamp(i64::from(number) * 1_000 + 500),
        refers_to: None,
        revenue_minor: Some(8_000),
        margin_minor: None,
        slot: 0,
    }
}

/// The sums of every arm after all that happened, and what was counted of each decision.
fn learned(decisions: &[(u8, bool, bool)]) -> (BTreeMap<ArmKey, Vec<u8>>, Vec<Applied>) {
    let (mut arms, mut counted) = (BTreeMap::<ArmKey, ArmStatistics>::new(), Vec::new());
    for (number, may, ordered) in decisions {
        let (lesson, order) = (lesson(*number, *may), order(*number));
        let heard = if *ordered { std::slice::from_ref(&order) } else { &[] };
        let mut before = Applied::default();
        // Looked at once it was seen, and once everything is known of it.
        for known in [&[][..], heard] {
            let (now, _) = lesson.earned(known, Timestamp(1_000_000));
            if let Some(event) = lesson.event(before, now) {
                arms.entry(event.arm.clone()).or_default().apply(&event.increment);
            }
            before = now;
        }
        counted.push(before);
    }
    (arms.into_iter().map(|(arm, statistics)| (arm, statistics.to_bytes())).collect(), counted)
}

#[test]
fn of_a_decision_that_nobody_may_learn_from_no_weight_is_ever_due() {
    let due = |may: bool| {
        let mut lesson = lesson(1, may);
        let step = DelayStep { age: Span(600_000), share: Percent(10_000) };
        let curve = Curve::new(vec![step], lesson.exposed.terms.window).unwrap();
        lesson.exposed.terms.delay = Some(Delay { version: 1, curve, offers: Vec::new() });
        lesson.due(Applied { exposed: true, ..Applied::default() })
    };
    assert_eq!((due(true), due(false)), (Some(Timestamp(601_000)), None));
}

proptest! {
    /// The integers are those of a run in which whoever refused was never there, and all that they did is counted.
    #[test]
    fn the_sums_are_those_of_a_run_without_whoever_refused(
        decisions in prop::collection::vec((any::<bool>(), any::<bool>()), 0..40)
    ) {
        let all: Vec<(u8, bool, bool)> =
            (0_u8..).zip(&decisions).map(|(number, (may, ordered))| (number, *may, *ordered)).collect();
        let agreed: Vec<(u8, bool, bool)> = all.iter().copied().filter(|(_, may, _)| *may).collect();
        let willing: Vec<(u8, bool, bool)> = all.iter().map(|(number, _, ordered)| (*number, true, *ordered)).collect();
        let (sums, counted) = learned(&all);
        prop_assert_eq!(sums, learned(&agreed).0);
        prop_assert_eq!(counted, learned(&willing).1);
    }
}
