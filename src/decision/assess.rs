//! What stands before any draw: the purpose, what may be seen, and every rule on every candidate. Ranks nothing.

use std::borrow::Cow;

use super::eligibility::{Judged, judge};
use super::known::complete;
use super::personas::Seating;
use super::purpose::Purpose;
use super::snapshot::Snapshot;
use crate::domain::{DecisionRequest, Placement, Purse, Timestamp};
use crate::policy::{CapWindows, Seen, States, minimise};

/// What the rules made of one request.
pub(super) struct Assessed<'a> {
    pub(super) purpose: Purpose,
    pub(super) seating: Seating,
    /// What may be seen of each who has a seat.
    pub(super) seen: Vec<Seen>,
    pub(super) windows: CapWindows,
    pub(super) judged: Judged<'a>,
}

/// Asks the gates of the purpose, keeps what may then be seen, and asks every rule about every candidate.
pub(super) fn assess<'a, 's>(
    snapshot: &'a Snapshot,
    placement: &'a Placement,
    request: &'a DecisionRequest,
    states: impl Into<States<'s>>,
    purse: &'a Purse,
    now: Timestamp,
) -> Assessed<'a> {
    let states = states.into();
    let purpose = Purpose::ask(snapshot, placement, request, states.customer(), now);
    assess_under(purpose, (snapshot, placement), request, states, purse, now)
}

/// Keeps what may be seen for a purpose, and asks every rule about every candidate.
pub(super) fn assess_under<'a>(
    purpose: Purpose,
    (snapshot, placement): (&'a Snapshot, &'a Placement),
    request: &'a DecisionRequest,
    states: States<'_>,
    purse: &'a Purse,
    now: Timestamp,
) -> Assessed<'a> {
    let state = states.customer();
    let seating = Seating::of(placement, request);
    let see = |asked: &Cow<'_, DecisionRequest>| {
        let (completed, unseen) = complete(&snapshot.bundle, asked, state, now);
        minimise((&snapshot.bundle, &snapshot.approved), placement, &completed, (purpose.allowed, now), unseen)
    };
    let seen: Vec<Seen> = seating.requests(request).iter().map(see).collect();
    let windows = snapshot.bundle.windows(request, now);
    let judged = judge(snapshot, placement, request, states, &purpose, &seen, (&windows, purse));
    Assessed { purpose, seating, seen, windows, judged }
}
