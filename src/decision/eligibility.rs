//! Eligibility: every rule on every candidate, no short circuit, every failure kept. Ranks nothing.

use super::money::Budgets;
use super::personas::{Apart, common};
use super::purpose::Purpose;
use super::snapshot::Snapshot;
use crate::domain::decision::{CandidateRow, CapReading, Failed};
use crate::domain::{CampaignBudget, DecisionRequest, Placement, Purse, Timestamp};
use crate::policy::{Bundle, CapWindows, Facts, Judging, Pools, PoolsAsked, Seen, Stand, States, Verdict};

/// Every candidate with what the rules said.
pub(super) struct Judged<'a> {
    pub(super) rows: Vec<CandidateRow>,
    /// What is left out for one persona and not for every other.
    pub(super) apart: Apart,
    pub(super) readings: Vec<CapReading>,
    /// Budgets of the campaigns of eligible candidates, as rows name them.
    pub(super) budgets: Vec<CampaignBudget>,
    /// What may run out.
    pub(super) pools: Pools<'a>,
}

/// Every rule on every candidate, no short circuit.
pub(super) fn judge<'a>(
    snapshot: &'a Snapshot,
    placement: &'a Placement,
    request: &'a DecisionRequest,
    states: States<'_>,
    purpose: &Purpose,
    seen: &[Seen],
    (windows, purse): (&CapWindows, &'a Purse),
) -> Judged<'a> {
    let (bundle, catalogue) = (&snapshot.bundle, &snapshot.catalogue);
    let shelves = bundle.shelves(catalogue);
    let refused = purpose.prices.as_ref().map_or(&[][..], |(_, gates)| gates);
    let judging = seen.iter().filter_map(|seen| {
        let facts = facts((bundle, placement), request, seen, windows.now);
        let judging = Judging::new(bundle, (&shelves, catalogue), placement, &facts, states, windows)?;
        Some(judging.refusing(refused))
    });
    let mut each: Vec<Judging<'_>> = judging.collect();
    let mut budgets = Budgets::at(snapshot, placement, windows.now);
    let closed = purpose.closed_by.map(|rule| Failed { rule, observed: None, limit: None });
    let apart = Apart::none(seen.len());
    let asked = PoolsAsked {
        placement,
        jurisdiction: bundle.region(request.jurisdiction.as_deref(), request.store.as_ref()),
        store: request.store.as_ref(),
        now: windows.now,
        purse,
    };
    let pools = Pools::at(bundle, (&shelves, catalogue), asked);
    let mut judged = Judged { rows: Vec::new(), apart, readings: Vec::new(), budgets: Vec::new(), pools };
    if let Some(((judging, others), shelf)) = each.split_first_mut().zip(shelves.at(&placement.id)) {
        let mut verdict = Verdict::default();
        if request.candidates.is_none() {
            judged.rows.reserve_exact(shelf.candidates() + usize::from(placement.nothing_allowed));
        }
        for stand in shelf.stands(request.candidates.as_deref(), catalogue) {
            verdict.failed.clear();
            verdict.readings.clear();
            verdict.failed.extend(closed);
            judging.ask(stand, &mut verdict);
            let apart = ask_others(others, stand, closed, &mut verdict);
            judged.pools.ask(stand.offer, &mut verdict);
            let held_back: Vec<Option<Failed>> =
                stand.candidates.clone().map(|candidate| unapproved(snapshot, candidate, windows.now)).collect();
            let eligible = verdict.failed.is_empty() && held_back.iter().any(Option::is_none);
            let money = eligible.then(|| budgets.ask(stand.offer as usize, catalogue)).flatten();
            // Rules speak about offers; the variants of one offer share the verdict, but for what people approved.
            for (candidate, held_back) in stand.candidates.clone().zip(held_back) {
                let row = u32::try_from(judged.rows.len()).unwrap_or(u32::MAX);
                judged.rows.push(CandidateRow {
                    candidate: Some(candidate),
                    margin_minor: stand.margin_minor,
                    cost_minor: stand.cost_minor,
                    failed: verdict.failed.iter().copied().chain(held_back).collect(),
                    scored: None,
                    learned: None,
                    money: money.filter(|_| held_back.is_none()),
                    noted: (!verdict.noted.is_empty()).then(|| verdict.noted.clone()),
                });
                judged.apart.add(row, &apart);
                judged.readings.extend(verdict.readings.iter().map(|reading| reading.of(row, 0)));
            }
        }
    }
    if placement.nothing_allowed {
        let failed = closed.into_iter().collect();
        judged.rows.push(CandidateRow {
            candidate: None,
            margin_minor: 0,
            cost_minor: 0,
            failed,
            scored: None,
            learned: None,
            money: None,
            noted: None,
        });
    }
    judged.budgets = budgets.met();
    judged
}

/// That people have to approve a candidate, and have not, or no longer.
fn unapproved(snapshot: &Snapshot, candidate: u32, now: Timestamp) -> Option<Failed> {
    let rule = snapshot.bundle.approval_rule()?;
    let until = snapshot.approved.withholds(candidate, now)?;
    Some(Failed { rule, observed: None, limit: until.map(|until| until.0) })
}

/// What rules see of a request and of one who has a seat.
pub(super) fn facts<'a>(
    (bundle, placement): (&'a Bundle, &Placement),
    request: &'a DecisionRequest,
    seen: &'a Seen,
    now: Timestamp,
) -> Facts<'a> {
    Facts {
        attributes: seen,
        basket: &request.basket,
        currency: placement.currency,
        jurisdiction: bundle.region(request.jurisdiction.as_deref(), request.store.as_ref()),
        time_zone: request.time_zone.as_deref(),
        store: request.store.as_ref(),
        now,
    }
}

/// Asks the same of an offer for the other personas. Leaves in `failed` what leaves it out for all of them and in
/// `noted` what only speaks for any, and gives what leaves it out for each alone; nothing where there are no others.
fn ask_others(
    others: &mut [Judging<'_>],
    stand: &Stand,
    closed: Option<Failed>,
    first: &mut Verdict,
) -> Vec<Vec<Failed>> {
    if others.is_empty() {
        return Vec::new();
    }
    let mut each = vec![std::mem::take(&mut first.failed)];
    for other in others {
        // Caps and cool-downs count by the account: its readings are there already.
        let mut verdict = Verdict::default();
        verdict.failed.extend(closed);
        other.ask(stand, &mut verdict);
        each.push(verdict.failed);
        for noted in verdict.noted {
            if first.noted.iter().all(|known| known.rule != noted.rule) {
                first.noted.push(noted);
            }
        }
    }
    first.failed = common(&mut each);
    each
}
