//! Recheck: the rules asked again about what was decided. Draws nothing, decides nothing, changes nobody.

use std::collections::BTreeMap;

use super::ask::Subjects;
use super::assess::assess_under;
use super::counted::Counted;
use super::purpose::Purpose;
use super::snapshot::Snapshot;
use crate::domain::decision::{CandidateRow, CapReading, Failed, Private, RefusedPurpose, Shown, Skeleton, Slot};
use crate::domain::{AttributeScope, Catalogue, Customer, DecisionRequest, Placement, Purse, Timestamp, Value};
use crate::policy::{Behind, CapWindows, Setting, States, Verdict};

/// What the rules say now of what stands in one slot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rechecked {
    /// As a candidate of the catalogue of now; nothing where it is paused, or gone.
    pub row: Option<CandidateRow>,
    /// Every rule that would leave it out now.
    pub failed: Vec<Failed>,
    /// Every rule that speaks against it and lets it be.
    pub noted: Vec<Failed>,
    /// What caps and cool-downs counted, under the number of the slot as the candidate's position.
    pub readings: Vec<CapReading>,
}

impl Rechecked {
    /// Whether it may still be shown.
    pub fn allowed(&self) -> bool {
        self.row.is_some() && self.failed.is_empty()
    }
}

/// Asks the rules of the active bundle again, at `now`, about every offer that a decision shows, for the purpose that
/// it was decided under and on what it knew then of customer and request, in a time zone. `subjects` are those whom
/// the decision counts for, without its own contacts, and `purse` what is gone of pools without what it holds. In each slot what is still allowed before it counts.
pub fn recheck(
    snapshot: &Snapshot,
    placement: &Placement,
    (skeleton, private): (&Skeleton, &Private),
    time_zone: Option<&str>,
    (subjects, purse): (&Subjects<'_>, &Purse),
    now: Timestamp,
) -> Vec<Rechecked> {
    let now = subjects.last_at().map_or(now, |last| last.max(now));
    let windows = CapWindows::at(now, time_zone);
    let (mut counted, mut before) = (Counted::of(subjects), Vec::new());
    let mut found = Vec::new();
    for (number, shown, _) in skeleton.chosen() {
        let slot = skeleton.slots.get(usize::from(number));
        let request = request((placement, private, time_zone), shown, slot);
        let under = (placement, &skeleton.purpose, skeleton.refused.is_none());
        let purpose = Purpose::again(snapshot, under, &request, subjects.states().customer(), now);
        let also: Vec<u16> = purpose.refused.iter().flat_map(RefusedPurpose::rules).collect();
        let assessed = assess_under(purpose, (snapshot, placement), &request, subjects.states(), purse, now);
        let row = assessed.judged.rows.iter().position(|row| names(row, shown, &snapshot.catalogue));
        let mut checked = Rechecked::default();
        if let Some((at, row)) = row.and_then(|at| Some((at, assessed.judged.rows.get(at)?))) {
            checked.row = Some(row.clone());
            checked.failed.clone_from(&row.failed);
            checked.noted = row.noted.clone().unwrap_or_default();
            let own = assessed.judged.readings.iter().filter(|reading| reading.candidate as usize == at);
            checked.readings = own.copied().collect();
        }
        let named = |failed: &[Failed], rule: u16| failed.iter().any(|failed| failed.rule == rule);
        for rule in also {
            if !named(&checked.failed, rule) {
                checked.failed.push(Failed { rule, observed: None, limit: None });
            }
        }
        let position = position(&snapshot.catalogue, shown);
        if let Some(offer) = position {
            behind((snapshot, placement, &request), (&before, counted.states()), &windows, offer, &mut checked);
        }
        for reading in &mut checked.readings {
            (reading.candidate, reading.slot) = (number.into(), number);
        }
        if let (true, Some(at)) = (checked.allowed(), position) {
            before.push(at);
            if let Some(offer) = snapshot.catalogue.offers().get(at as usize) {
                counted.count(&snapshot.bundle, placement, offer, (skeleton.decision_id, number, now));
            }
        }
        found.push(checked);
    }
    found
}

/// The request as far as it was kept, for one slot.
fn request(
    (placement, private, time_zone): (&Placement, &Private, Option<&str>),
    shown: &Shown,
    slot: Option<&Slot>,
) -> DecisionRequest {
    let context = &private.context;
    let used = context.used_for(slot.and_then(|slot| slot.persona.as_ref())).into_iter().next().unwrap_or_default();
    let of = |scope: AttributeScope| -> BTreeMap<String, Value> {
        let own = used.iter().filter(|(id, _)| id.scope() == scope);
        own.map(|(id, value)| (id.name().to_owned(), value.clone())).collect()
    };
    DecisionRequest {
        decision_id: None,
        customer: Customer { attributes: of(AttributeScope::Customer), ..Customer::default() },
        placement: placement.id.clone(),
        count: None,
        jurisdiction: context.jurisdiction.clone(),
        time_zone: time_zone.map(str::to_owned),
        context: of(AttributeScope::Context),
        basket: context.basket.clone(),
        candidates: Some(vec![shown.offer.clone()]),
        store: context.store.clone(),
        privacy_signal: private.consent.signal,
    }
}

fn names(row: &CandidateRow, shown: &Shown, catalogue: &Catalogue) -> bool {
    let found = row.candidate.and_then(|candidate| catalogue.at(candidate as usize));
    found.is_some_and(|(offer, variant)| offer.offer_id == shown.offer && variant.variant_id == shown.variant)
}

fn position(catalogue: &Catalogue, shown: &Shown) -> Option<u32> {
    let at = catalogue.offers().binary_search_by(|offer| offer.offer_id.cmp(&shown.offer)).ok()?;
    u32::try_from(at).ok()
}

/// Adds what rules say behind the slots before. A cap speaks again, with what stands there counted.
fn behind(
    (snapshot, placement, request): (&Snapshot, &Placement, &DecisionRequest),
    (before, states): (&[u32], States<'_>),
    windows: &CapWindows,
    offer: u32,
    checked: &mut Rechecked,
) {
    let (bundle, catalogue) = (&snapshot.bundle, &snapshot.catalogue);
    let shelves = bundle.shelves(catalogue);
    let jurisdiction = request.jurisdiction.as_deref();
    let setting = Setting { placement, jurisdiction, basket: &request.basket };
    let both = (shelves.as_ref(), catalogue.as_ref());
    let behind = match before {
        [] => Behind::nothing(bundle, both, setting, windows.now),
        _ => Behind::new(bundle, both, setting, before, states, windows),
    };
    let Some(behind) = behind else { return };
    let mut verdict = Verdict::default();
    behind.ask(offer, &mut verdict);
    let again = |rule: u16, of: &[Failed]| of.iter().any(|failed| failed.rule == rule);
    checked.failed.retain(|first| !again(first.rule, &verdict.failed));
    checked.noted.retain(|first| !again(first.rule, &verdict.noted));
    checked.readings.retain(|first| verdict.readings.iter().all(|reading| reading.rule != first.rule));
    checked.readings.extend(verdict.readings.iter().map(|reading| reading.of(0, 0)));
    checked.failed.extend(verdict.failed);
    checked.noted.extend(verdict.noted);
}
