//! What decisions say of one offer that is there alone, for tests of single rules. Judges nothing itself.

use std::sync::Arc;

use super::{Bundle, CapWindows, Facts, Judging, Seen, States, Verdict};
use crate::domain::{Catalogue, Offer, Placement};

/// Asks every rule about one offer, of whose customer no attribute is seen.
pub(super) fn judge<'s>(
    bundle: &Bundle,
    placement: &Placement,
    offer: &Offer,
    states: impl Into<States<'s>>,
    windows: &CapWindows,
) -> Verdict {
    let catalogue = Arc::new(Catalogue::new(1, vec![offer.clone()], Vec::new()));
    let shelves = bundle.shelves(&catalogue);
    let facts = Facts {
        attributes: &Seen::default(),
        basket: &[],
        currency: placement.currency,
        jurisdiction: None,
        time_zone: None,
        store: None,
        now: windows.now,
    };
    let mut judging = Judging::new(bundle, (&shelves, &catalogue), placement, &facts, states, windows).unwrap();
    let mut verdict = Verdict::default();
    for stand in shelves.at(&placement.id).unwrap().stands(None, &catalogue) {
        judging.ask(stand, &mut verdict);
    }
    verdict
}
