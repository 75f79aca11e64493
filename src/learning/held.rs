//! Holds: what decisions hold of what may run out, settled by their outcomes. Keeps no pool.

use super::fold::{Exposed, fold};
use crate::domain::decision::Skeleton;
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{Hold, Settled, Timestamp};

/// What becomes of the holds of one decision at an instant, given every outcome known; those that stay as they are are
/// left out. The order of outcomes and how often this is asked change nothing.
pub fn settled<'h>(
    skeleton: &Skeleton,
    outcomes: &[OutcomeFact],
    holds: &'h [Hold],
    now: Timestamp,
) -> Vec<(&'h Hold, Settled)> {
    let settled = holds.iter().filter_map(|hold| {
        let of_slot: Vec<OutcomeFact> = outcomes.iter().filter(|fact| fact.is_of(hold.slot)).copied().collect();
        Some((hold, of_hold(Exposed::of(skeleton, hold.slot), &of_slot, hold, now)?))
    });
    settled.collect()
}

/// What becomes of one hold, given the outcomes of its slot.
fn of_hold(exposed: Exposed, outcomes: &[OutcomeFact], hold: &Hold, now: Timestamp) -> Option<Settled> {
    let mut exposed = exposed;
    if hold.units {
        exposed.terms.accepted_by = None;
    }
    let earned = fold(&exposed, outcomes);
    // What was given back was not shown, and waits no longer.
    let released = outcomes.iter().any(|fact| fact.kind == OutcomeKind::Release);
    let now = if released { Timestamp(i64::MAX) } else { now };
    hold.settle(earned.accepted, earned.exposed && !released, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::{AcceptedBy, Terms};
    use crate::domain::{Currency, Digest, PoolKey, Span};

    const MADE: Timestamp = Timestamp(1_000_000);

    /// What a hold of 850, of which showing cost 50, holds after these outcomes and whether it still waits, the
    /// reservation being for an hour, where a placement says what accepts.
    fn held(accepted_by: Option<AcceptedBy>, units: bool, kinds: &[OutcomeKind]) -> Option<(i64, bool)> {
        let terms = Terms {
            window: Span(7 * 86_400_000),
            reward_cap_minor: 20_000,
            half_life_days: None,
            currency: Currency::parse("USD").unwrap(),
            accepted_by,
            exposed_by: None,
            delay: None,
            values: None,
            bags: None,
            unlearned: None,
        };
        let exposed = Exposed { at: MADE, margin_minor: 900, cost_minor: 50, terms };
        let fact = |(key, kind): (u8, &OutcomeKind)| OutcomeFact {
            key: Digest([key; 32]),
            kind: *kind,
            occurred_at: MADE.plus(Span(60_000)),
            refers_to: None,
            revenue_minor: None,
            margin_minor: None,
            slot: 0,
        };
        let outcomes: Vec<OutcomeFact> = (0..).zip(kinds).map(fact).collect();
        let pool = PoolKey { name: "budget/all".into(), period: Timestamp(0) };
        let until = Some(MADE.plus(Span(3_600_000)));
        let hold = Hold { slot: 0, pool, reserved: 850, sunk: 50, held: 850, until, units };
        of_hold(exposed, &outcomes, &hold, MADE.plus(Span(120_000)))
            .map(|settled| (settled.held, settled.until.is_some()))
    }

    #[test]
    fn what_was_given_back_holds_nothing_more_though_somebody_saw_it() {
        use OutcomeKind::{Impression, Order, Release};
        assert_eq!(held(None, false, &[]), None, "it waits");
        assert_eq!(held(None, false, &[Impression]), None, "seen, it waits for its order");
        assert_eq!(held(None, false, &[Release]), Some((0, false)));
        assert_eq!(held(None, false, &[Release, Impression]), Some((0, false)), "not even what showing cost");
        assert_eq!(held(None, false, &[Release, Order]), Some((850, false)), "an order is an order");
    }

    #[test]
    fn a_click_spends_money_where_clicks_accept_and_units_nowhere() {
        use OutcomeKind::{Click, Order};
        let clicks = Some(AcceptedBy::Click);
        assert_eq!(held(clicks, false, &[Click]), Some((850, false)));
        assert_eq!(held(clicks, true, &[Click]), None, "units wait for an order");
        assert_eq!(held(clicks, true, &[Click, Order]), Some((850, false)));
        assert_eq!(held(None, false, &[Click]), None, "nothing but orders accepts here");
    }
}
