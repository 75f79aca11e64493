//! The reward of one decision: a pure fold over the set of its outcomes. Knows no order of arrival and no model.

use crate::domain::Timestamp;
use crate::domain::decision::{AcceptedBy, ExposedBy, Skeleton, Terms};
use crate::domain::outcome::{OutcomeFact, OutcomeKind};

/// How far a source's clock may be behind ours before an order counts as earlier than its decision.
pub const SOURCE_CLOCK_SKEW_MS: i64 = 300_000;

/// What of a decision the fold reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// When it was decided.
    pub at: Timestamp,
    /// `m_a` from the catalogue, used where an order names no margin; minor units.
    pub margin_minor: i64,
    /// `c_a`; minor units.
    pub cost_minor: i64,
    /// What the placement promised.
    pub terms: Terms,
}

impl Exposed {
    /// Reads one slot of a record. Where the fallback was served nothing of the catalogue was at stake.
    pub fn of(skeleton: &Skeleton, slot: u16) -> Self {
        let row = skeleton.chosen().find(|(at, _, _)| *at == slot).map(|(_, _, row)| row);
        Self {
            at: skeleton.at,
            margin_minor: row.map_or(0, |row| row.margin_minor),
            cost_minor: row.map_or(0, |row| row.cost_minor),
            terms: skeleton.terms.clone(),
        }
    }
}

/// What the outcomes of a decision amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earned {
    /// Whether the decision counts as seen.
    pub exposed: bool,
    /// Whether there is an order that was not fully refunded; or a click, where the objective is clicks.
    pub accepted: bool,
    /// When it was: the first order that is still kept, or the first click.
    pub accepted_at: Option<Timestamp>,
    /// Realised margin clamped to the declared cap, less the cost of showing; minor units.
    pub reward_minor: i64,
    /// Orders, clicks and impressions outside the window: kept, counted, not learned.
    pub late: u32,
}

/// Whether an order, a click or an impression at this instant still belongs to the decision: decided by event time,
/// never by arrival.
pub fn within_window(decided_at: Timestamp, occurred_at: Timestamp, terms: &Terms) -> bool {
    occurred_at.0.saturating_add(SOURCE_CLOCK_SKEW_MS) >= decided_at.0 && occurred_at <= decided_at.plus(terms.window)
}

struct Order {
    fact: OutcomeFact,
    margin: i128,
    refunded_revenue: i128,
    refunded_margin: i128,
    refunded_fully: bool,
}

impl Order {
    fn refund(&mut self, refund: &OutcomeFact) {
        let paid = self.fact.revenue_minor.map(i128::from);
        let (Some(paid), Some(back)) = (paid.filter(|paid| *paid > 0), refund.revenue_minor.map(i128::from)) else {
            // Without both amounts nothing says it was a part, so it was all.
            self.refunded_fully = true;
            return;
        };
        self.refunded_revenue += back;
        self.refunded_margin += match refund.margin_minor {
            Some(margin) => i128::from(margin),
            None => (self.margin * back + paid / 2).div_euclid(paid),
        };
        self.refunded_fully |= self.refunded_revenue >= paid;
    }

    fn kept(&self) -> i128 {
        if self.refunded_fully { 0 } else { self.margin - self.refunded_margin }
    }
}

/// Folds all outcomes known of a decision. Any order of `outcomes` gives the same result.
///
/// A refund names the order it takes back; one that names none takes back the earliest order that is still kept. A
/// refund without an amount takes back all of its order. Refunds count at any time, orders, clicks and impressions only
/// within the window. What was dismissed or sent back changes nothing here: the money follows with its refund.
pub fn fold(exposed: &Exposed, outcomes: &[OutcomeFact]) -> Earned {
    let mut facts = outcomes.to_vec();
    facts.sort_by_key(|fact| (fact.occurred_at, fact.key));
    facts.dedup_by_key(|fact| fact.key);

    let (mut orders, mut late, mut clicked, mut seen) = (Vec::new(), 0, None, false);
    for fact in facts.iter().filter(|fact| fact.kind.is_timely()) {
        if !within_window(exposed.at, fact.occurred_at, &exposed.terms) {
            late += 1;
            continue;
        }
        match fact.kind {
            OutcomeKind::Click => clicked = clicked.or(Some(fact.occurred_at)),
            OutcomeKind::Impression => seen = true,
            _ => {
                let margin = i128::from(fact.margin_minor.unwrap_or(exposed.margin_minor));
                let (refunded_revenue, refunded_margin, refunded_fully) = (0, 0, false);
                orders.push(Order { fact: *fact, margin, refunded_revenue, refunded_margin, refunded_fully });
            }
        }
    }
    let refunds = || facts.iter().filter(|fact| fact.kind == OutcomeKind::Refund);
    // Those that name their order come first, so that an unnamed one cannot take its place.
    for refund in refunds() {
        if let Some(order) = orders.iter_mut().find(|order| refund.refers_to == Some(order.fact.key)) {
            order.refund(refund);
        }
    }
    for refund in refunds().filter(|refund| refund.refers_to.is_none()) {
        if let Some(order) = orders.iter_mut().find(|order| !order.refunded_fully) {
            order.refund(refund);
        }
    }

    let cap = i128::from(exposed.terms.reward_cap_minor);
    let realised = orders.iter().map(Order::kept).sum::<i128>().clamp(-cap, cap);
    let reward = realised - i128::from(exposed.cost_minor);
    let accepted_at = match exposed.terms.accepted_by {
        None => orders.iter().find(|order| !order.refunded_fully).map(|order| order.fact.occurred_at),
        Some(AcceptedBy::Click) => clicked,
    };
    Earned {
        exposed: match exposed.terms.exposed_by {
            // What was given back unsent was seen by nobody, unless it is said to have been seen all the same.
            None => seen || facts.iter().all(|fact| fact.kind != OutcomeKind::Release),
            Some(ExposedBy::Impression) => seen,
        },
        accepted: accepted_at.is_some(),
        accepted_at,
        reward_minor: i64::try_from(reward).unwrap_or(if reward < 0 { i64::MIN } else { i64::MAX }),
        late,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Currency, Digest, Span};

    const DAY: i64 = 86_400_000;

    fn exposed() -> Exposed {
        let terms = Terms {
            window: Span(7 * DAY),
            reward_cap_minor: 20_000,
            half_life_days: None,
            currency: Currency::parse("USD").unwrap(),
            accepted_by: None,
            exposed_by: None,
            delay: None,
            values: None,
            bags: None,
            unlearned: None,
        };
        Exposed { at: Timestamp(0), margin_minor: 900, cost_minor: 5, terms }
    }

    fn fact(key: u8, kind: OutcomeKind, at: i64, refers_to: Option<u8>, revenue: Option<i64>) -> OutcomeFact {
        OutcomeFact {
            key: Digest([key; 32]),
            kind,
            occurred_at: Timestamp(at),
            refers_to: refers_to.map(|key| Digest([key; 32])),
            revenue_minor: revenue,
            margin_minor: None,
            slot: 0,
        }
    }

    #[test]
    fn outcomes_of_a_decision_fold_into_one_reward() {
        use OutcomeKind::{Order, Refund};
        let order = fact(1, Order, DAY, None, Some(4_000));
        let check = |outcomes: &[OutcomeFact], accepted: bool, reward: i64, what: &str| {
            let earned = fold(&exposed(), outcomes);
            assert_eq!((earned.accepted, earned.reward_minor), (accepted, reward), "{what}");
        };
        check(&[], false, -5, "nothing happened: the cost of showing it");
        check(&[order], true, 895, "an order earns the catalogue's margin");
        check(&[OutcomeFact { margin_minor: Some(1_500), ..order }], true, 1_495, "or the margin it names");
        check(&[order, order], true, 895, "a duplicate counts once");
        check(&[order, fact(2, Refund, 2 * DAY, Some(1), Some(1_000))], true, 670, "a partial refund takes its share");
        check(&[order, fact(2, Refund, 30 * DAY, Some(1), Some(4_000))], false, -5, "a late full refund undoes all");
        check(&[order, fact(2, Refund, DAY, Some(1), None)], false, -5, "a refund without amount is all of it");
        check(&[order, fact(2, Refund, DAY, None, None)], false, -5, "a refund that names no order takes the first");
        check(&[order, fact(2, Refund, DAY, Some(9), None)], true, 895, "a refund of another order takes nothing");
        check(&[fact(1, Order, 8 * DAY, None, None)], false, -5, "an order after the window is late");
        check(&[fact(1, Order, -DAY, None, None)], false, -5, "an order before the decision is not its own");
        check(&[OutcomeFact { margin_minor: Some(9_000_000), ..order }], true, 19_995, "the cap bounds it");
        assert_eq!(fold(&exposed(), &[fact(1, Order, 8 * DAY, None, None)]).late, 1);
    }

    #[test]
    fn clicks_and_impressions_count_where_the_placement_says_so() {
        use OutcomeKind::{Click, Impression, Order, Reject, Return};
        let check = |accepted_by, exposed_by, outcomes: &[OutcomeFact], expected: (bool, bool, i64)| {
            let exposed = Exposed { terms: Terms { accepted_by, exposed_by, ..exposed().terms }, ..exposed() };
            let earned = fold(&exposed, outcomes);
            assert_eq!((earned.exposed, earned.accepted, earned.reward_minor), expected, "{outcomes:?}");
        };
        let (click, seen) = (Some(AcceptedBy::Click), Some(ExposedBy::Impression));
        let of = |key, kind, day: i64| fact(key, kind, day * DAY, None, None);
        check(None, None, &[of(1, Click, 1), of(2, Reject, 1), of(3, Return, 1)], (true, false, -5));
        check(click, None, &[of(1, Click, 1)], (true, true, -5));
        check(click, None, &[of(1, Click, 8)], (true, false, -5));
        check(click, None, &[of(1, Order, 1)], (true, false, 895));
        check(None, seen, &[of(1, Order, 1)], (false, true, 895));
        check(None, seen, &[of(1, Order, 1), of(2, Impression, 1)], (true, true, 895));
        check(None, seen, &[of(2, Impression, 8)], (false, false, -5));
        assert_eq!(fold(&exposed(), &[of(1, Click, 8), of(2, Impression, 9), of(3, Reject, 9)]).late, 2);
    }

    fn any_fact() -> impl Strategy<Value = OutcomeFact> {
        (0..12_u8, 0..6_usize, -2..9_i64, proptest::option::of(0..12_u8), proptest::option::of(0..5_000_i64)).prop_map(
            |(key, kind, day, refers_to, revenue)| fact(key, OutcomeKind::ALL[kind], day * DAY, refers_to, revenue),
        )
    }

    proptest! {
        #[test]
        fn any_order_of_arrival_earns_the_same(
            facts in proptest::collection::vec(any_fact(), 0..10).prop_map(|mut facts| {
                facts.sort_by_key(|fact| fact.key);
                facts.dedup_by_key(|fact| fact.key);
                facts
            }),
            seed in any::<u64>(),
        ) {
            let mut shuffled = facts.clone();
            let mut state = seed;
            for at in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
            }
            shuffled.extend(facts.iter().take(2).copied());
            prop_assert_eq!(fold(&exposed(), &facts), fold(&exposed(), &shuffled));
        }
    }
}
