//! Tests of learning with delays: an offer whose orders come late ranks where it belongs, at any window and any time.
//! The integers are tested with the events.

use super::delay::steps;
use super::{Applied, Exposed, Lesson};
use crate::bandit::{ArmKey, ArmStatistics, Features, Posterior};
use crate::domain::decision::Terms;
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{Currency, Curve, Day, DecisionId, Delay, Digest, ModelId, OfferId, Span, Timestamp, VariantId};

const MINUTE: i64 = 60_000;
const DECISIONS: u32 = 4_000;

/// An offer: its id, the share of customers who accept it, the mean delay of their orders in minutes.
type Truth = (&'static str, f64, f64);

const SLOW: Truth = ("sofa", 0.06, 60.0);
const QUICK: Truth = ("socks", 0.04, 5.0);

#[expect(clippy::cast_precision_loss, reason = "weeks in milliseconds")]
fn come((_, _, mean): Truth, age: Span) -> f64 {
    1.0 - libm::exp(-(age.0 as f64) / (mean * MINUTE as f64))
}

/// What the learner believes of an offer, mean of its acceptance, after so long of decisions at an even pace, each
/// order heard of when it happens; looked at three times on the way.
fn believed(offer: Truth, window: Span, watched: i64, delay: Option<&Delay>) -> f64 {
    let (id, accepts, mean) = offer;
    let terms = Terms {
        window,
        reward_cap_minor: 20_000,
        half_life_days: None,
        currency: Currency::parse("USD").unwrap(),
        accepted_by: None,
        exposed_by: None,
        delay: delay.cloned(),
        values: None,
        bags: None,
        unlearned: None,
    };
    let mut statistics = ArmStatistics::default();
    for number in 0..DECISIONS {
        // Spread evenly over the unit square.
        let of = |step: f64| (f64::from(number) * step).fract();
        let at = watched * i64::from(number) / i64::from(DECISIONS);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "weeks in milliseconds")]
        let late = (-libm::log1p(-of(0.754_877_666_246_693)) * mean * MINUTE as f64) as i64;
        let ordered = (of(0.569_840_290_998_053) < accepts).then(|| OutcomeFact {
            key: Digest([1; 32]),
            kind: OutcomeKind::Order,
            occurred_at: Timestamp(at + late),
            refers_to: None,
            revenue_minor: None,
            margin_minor: None,
            slot: 0,
        });
        let lesson = Lesson {
            decision_id: DecisionId::from_parts(0, [0; 10]),
            slot: 0,
            model: ModelId([0; 16]),
            arm: ArmKey { offer: OfferId::new(id).unwrap(), variant: VariantId::new("a").unwrap() },
            features: Features::from_sparse(1, &[(0, 1 << 20)]).unwrap(),
            exposed: Exposed { at: Timestamp(at), margin_minor: 900, cost_minor: 0, terms: terms.clone() },
        };
        let mut before = Applied::default();
        for look in [at, i64::midpoint(at, watched), watched].map(Timestamp) {
            let heard: Vec<OutcomeFact> = ordered.into_iter().filter(|order| order.occurred_at <= look).collect();
            let (now, _) = lesson.earned(&heard, look);
            if let Some(event) = lesson.event(before, now) {
                statistics.apply(&event.increment);
            }
            before = now;
        }
    }
    Posterior::derive(&statistics, 1, Day(0), None, 1e-6).posterior.theta()[0]
}

#[test]
fn six_percent_after_an_hour_rank_over_four_percent_after_five_minutes_at_any_window() {
    let mut wrong_without = 0;
    for window in [15, 30, 60, 360, 1_440, 10_080].map(|minutes| Span(minutes * MINUTE)) {
        let curve = |offer: Truth| Curve::new(steps(window, &|age| come(offer, age)), window).unwrap();
        let of = |offer: Truth| Delay { version: 1, curve: curve(offer), offers: Vec::new() };
        for watched in [20, 60, 180, 1_440, 20_160].map(|minutes| minutes * MINUTE) {
            let with = [SLOW, QUICK].map(|offer| believed(offer, window, watched, Some(&of(offer))));
            assert!(with[0] > with[1], "window {window}, after {watched} ms: {with:?}");
            for (believed, (_, truth, _)) in with.iter().zip([SLOW, QUICK]) {
                assert!((believed / truth - 1.0).abs() < 0.25, "window {window}, after {watched} ms: {with:?}");
            }
            let without = [SLOW, QUICK].map(|offer| believed(offer, window, watched, None));
            wrong_without += i32::from(without[0] < without[1]);
            if window.0 <= 30 * MINUTE || watched <= 60 * MINUTE {
                assert!(without[0] < without[1], "window {window}, after {watched} ms: {without:?}");
            }
        }
    }
    assert_eq!(wrong_without, 21, "of 30 without a curve");
}
