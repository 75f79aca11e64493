//! Tests of learned values: what orders earn ranks, what is sent back leaves no trace. The catalogue's margin is tested
//! with decisions.

use std::sync::Arc;

use super::{Applied, Exposed, Lesson};
use crate::bandit::sample::placement;
use crate::bandit::{ArmKey, ArmStatistics, Features, Lineup, Model, ModelView};
use crate::domain::decision::Terms;
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{Day, DecisionId, Digest, OfferId, Placement, Timestamp, ValueSource, VariantId};

const CATALOGUE: i64 = 1_000;

fn learning() -> Placement {
    let mut placement = placement();
    placement.objective.value = ValueSource::Learned { orders: 20 };
    placement
}

fn lesson(placement: &Placement, offer: &str) -> Lesson {
    let offer = OfferId::new(offer).unwrap();
    Lesson {
        decision_id: DecisionId::from_parts(1, [1; 10]),
        slot: 0,
        model: placement.model_id(),
        exposed: Exposed {
            at: Timestamp(0),
            margin_minor: CATALOGUE,
            cost_minor: 5,
            terms: Terms::of(placement, &[&offer]),
        },
        arm: ArmKey { offer, variant: VariantId::new("a").unwrap() },
        features: Features::from_sparse(1, &[(0, 1 << 20)]).unwrap(),
    }
}

fn fact(kind: OutcomeKind, revenue: i64, margin: i64) -> OutcomeFact {
    let refund = kind == OutcomeKind::Refund;
    OutcomeFact {
        key: Digest([1 + u8::from(refund); 32]),
        kind,
        occurred_at: Timestamp(60_000 + i64::from(refund)),
        refers_to: refund.then_some(Digest([1; 32])),
        revenue_minor: Some(revenue),
        margin_minor: Some(margin),
        slot: 0,
    }
}

/// What is learned of an offer shown a hundred times, of which the first so many have these outcomes, looked at as each
/// comes.
fn learned(placement: &Placement, offer: &str, ordered: usize, outcomes: &[OutcomeFact]) -> ArmStatistics {
    let lesson = lesson(placement, offer);
    let mut statistics = ArmStatistics::default();
    for shown in 0..100 {
        let outcomes = if shown < ordered { outcomes } else { &[] };
        let mut before = Applied::default();
        for known in 0..=outcomes.len() {
            let (now, _) = lesson.earned(&outcomes[..known], Timestamp(90_000));
            if let Some(event) = lesson.event(before, now) {
                statistics.apply(&event.increment);
            }
            before = now;
        }
    }
    statistics
}

fn order(margin: i64) -> OutcomeFact {
    fact(OutcomeKind::Order, 4_000, margin)
}

#[test]
fn of_two_offers_alike_in_the_catalogue_the_one_whose_orders_earn_more_is_preferred() {
    let probabilities = |placement: &Placement| {
        let lineup = [("five", 500), ("fifteen", 1_500)]
            .map(|(offer, earns)| Some(Arc::new(learned(placement, offer, 40, &[order(earns)]))));
        let version = Model::new(placement.model_id(), 1).version();
        let lineup = Lineup { arms: lineup.to_vec(), ..Lineup::of_offers(2) };
        let view = ModelView::derive(version, placement, &placement.champion, lineup, Day(0), None);
        let margins = [0, 1].map(|at| view.learned_margin(at, 1_000.0).map_or(1_000.0, |learned| learned.margin));
        let arms = [0, 1].map(|at| view.arm(at, &[1.0], margins[at], 5.0));
        (margins, view.distribution(&view.scores(&arms), false))
    };
    let (margins, p) = probabilities(&placement());
    assert_eq!(margins, [1_000.0; 2]);
    assert!((p[0] - 0.5).abs() < 1e-6, "{p:?}");
    // (20 * 10.00 + 40 * 5.00) / 60 and (20 * 10.00 + 40 * 15.00) / 60.
    let (margins, p) = probabilities(&learning());
    assert!((margins[0] - 40_000.0 / 60.0).abs() < 1e-9 && (margins[1] - 80_000.0 / 60.0).abs() < 1e-9, "{margins:?}");
    assert!(p[1] > 0.99, "{p:?}");
}

#[test]
fn what_is_sent_back_in_part_counts_what_is_kept_and_in_full_leaves_no_trace() {
    let placement = learning();
    let of = |outcomes: &[OutcomeFact]| learned(&placement, "boots", 40, outcomes);
    let value = |statistics: &ArmStatistics| statistics.generations()[&0].v() >> 16;
    assert_eq!(value(&of(&[order(1_500)])), 40 * 1_500);
    assert_eq!(value(&of(&[order(1_500), fact(OutcomeKind::Refund, 1_000, 400)])), 40 * 1_100);
    assert_eq!(of(&[order(1_500), fact(OutcomeKind::Refund, 4_000, 1_500)]).digest(), of(&[]).digest());
    assert_eq!(value(&of(&[order(9_000_000)])), 40 * 20_000, "the cap of the placement bounds each");
    assert_eq!(value(&of(&[order(-300)])), 40 * -300, "orders may lose money");
    let bytes = of(&[order(1_500)]).to_bytes();
    assert_eq!(ArmStatistics::from_bytes(&bytes), Ok(of(&[order(1_500)])));
}

#[test]
fn a_placement_that_learns_no_values_keeps_its_model_and_its_bytes() {
    let plain = placement();
    assert_ne!(plain.model_id(), learning().model_id());
    let dearer = learned(&plain, "boots", 40, &[order(1_500)]);
    assert_eq!(dearer.generations()[&0].v(), 0);
    assert!(learned(&learning(), "boots", 40, &[order(1_500)]).to_bytes().len() > dearer.to_bytes().len());
}
