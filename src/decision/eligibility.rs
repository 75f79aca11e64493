//! Eligibility: every rule on every candidate, no short circuit, every failure kept. Ranks nothing.

use super::minimise::Minimised;
use super::money::Budgets;
use super::purpose::Purpose;
use super::snapshot::Snapshot;
use crate::domain::decision::{CandidateRow, CapReading, Failed};
use crate::domain::{CampaignBudget, DecisionRequest, Offer, OfferStatus, Placement, SubjectState};
use crate::policy::{self, CapWindows, Facts, Merchandise};

/// Every candidate with what the rules said.
pub(super) struct Judged {
    pub(super) rows: Vec<CandidateRow>,
    pub(super) readings: Vec<CapReading>,
    /// Budgets of the campaigns of eligible candidates, as rows name them.
    pub(super) budgets: Vec<CampaignBudget>,
}

/// Every rule on every candidate, no short circuit.
pub(super) fn judge(
    snapshot: &Snapshot,
    placement: &Placement,
    request: &DecisionRequest,
    state: Option<&SubjectState>,
    purpose: &Purpose,
    seen: &Minimised,
    windows: &CapWindows,
) -> Judged {
    let columns = snapshot.bundle.columns(&snapshot.catalogue);
    let facts = Facts {
        attributes: &seen.used,
        basket: &request.basket,
        currency: placement.currency,
        jurisdiction: request.jurisdiction.as_deref(),
        time_zone: request.time_zone.as_deref(),
        store: request.store.as_ref(),
        now: windows.now,
    };
    let mut conditions = snapshot.bundle.ask(&columns, placement, &facts);
    let merchandise = Merchandise::at(&snapshot.bundle, &snapshot.catalogue, windows.now);
    let mut budgets = Budgets::at(snapshot, placement, windows.now);
    let mut judged = Judged { rows: Vec::new(), readings: Vec::new(), budgets: Vec::new() };
    let mut last: Option<(usize, policy::Verdict)> = None;
    for (position, candidate) in snapshot.catalogue.candidates().iter().enumerate() {
        let Some(offer) = snapshot.catalogue.offers().get(candidate.offer) else { continue };
        if !is_candidate(placement, request, offer) {
            continue;
        }
        let belongs = snapshot.catalogue.belongs(candidate.offer);
        // Rules speak about offers; the variants of one offer share the verdict.
        let verdict = match last.take() {
            Some((of, verdict)) if of == candidate.offer => verdict,
            _ => {
                let mut verdict = policy::judge(&snapshot.bundle, placement, offer, state, windows);
                conditions.fail(candidate.offer, &mut verdict.failed);
                merchandise.fail(candidate.offer, offer, &mut verdict.failed);
                budgets.fail(belongs, offer, &mut verdict.failed);
                verdict
            }
        };
        let row = u32::try_from(judged.rows.len()).unwrap_or(u32::MAX);
        let closed = purpose.closed_by.map(|rule| Failed { rule, observed: None, limit: None });
        let failed: Vec<Failed> = closed.into_iter().chain(verdict.failed.iter().copied()).collect();
        let money = if failed.is_empty() { budgets.row(belongs, offer) } else { None };
        judged.rows.push(CandidateRow {
            candidate: u32::try_from(position).ok(),
            margin_minor: offer.margin_minor(),
            cost_minor: offer.cost_of_showing_minor(),
            failed,
            scored: None,
            learned: None,
            money,
        });
        judged.readings.extend(verdict.readings.iter().map(|reading| reading.of(row, 0)));
        last = Some((candidate.offer, verdict));
    }
    if placement.nothing_allowed {
        let closed = purpose.closed_by.map(|rule| Failed { rule, observed: None, limit: None });
        let failed = closed.into_iter().collect();
        judged.rows.push(CandidateRow {
            candidate: None,
            margin_minor: 0,
            cost_minor: 0,
            failed,
            scored: None,
            learned: None,
            money: None,
        });
    }
    judged.budgets = budgets.met();
    judged
}

/// Active, not the placement's own house content, and asked for. An offer that somebody paused is not under
/// consideration; one that its schedule, its campaign or its stock keeps back is, and is left out with the reason.
fn is_candidate(placement: &Placement, request: &DecisionRequest, offer: &Offer) -> bool {
    offer.status == OfferStatus::Active
        && offer.offer_id != placement.fallback.offer
        && request.candidates.as_ref().is_none_or(|asked| asked.binary_search(&offer.offer_id).is_ok())
}
