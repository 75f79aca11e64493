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
        let mut exposed = Exposed::of(skeleton, hold.slot);
        if hold.units {
            exposed.terms.accepted_by = None;
        }
        let of_slot: Vec<OutcomeFact> = outcomes.iter().filter(|fact| fact.is_of(hold.slot)).copied().collect();
        let earned = fold(&exposed, &of_slot);
        // What was given back was not shown, and waits no longer.
        let released = of_slot.iter().any(|fact| fact.kind == OutcomeKind::Release);
        let now = if released { Timestamp(i64::MAX) } else { now };
        Some((hold, hold.settle(earned.accepted, earned.exposed && !released, now)?))
    });
    settled.collect()
}
