//! Holds: what decisions hold of what may run out, settled by their outcomes. Keeps no pool.

use super::fold::{Exposed, fold};
use crate::domain::decision::Skeleton;
use crate::domain::outcome::OutcomeFact;
use crate::domain::{Hold, Settled, Timestamp};

/// What becomes of the holds of one decision at an instant, given every outcome known; those that stay as they are are
/// left out. The order of outcomes and how often
/// this is asked change nothing.
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
        Some((hold, hold.settle(earned.accepted, earned.exposed, now)?))
    });
    settled.collect()
}
