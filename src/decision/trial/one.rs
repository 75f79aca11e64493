//! One case: its request made, judged as a decision judges it, and compared. Puts nothing into words.

use std::sync::Arc;

use super::cover::{self, Counts};
use super::told::{Seen, about, why, why_not};
use super::{Mistake, Tried};
use crate::decision::Snapshot;
use crate::decision::assess::{Assessed, assess};
use crate::decision::counted::Counted;
use crate::decision::{SubjectView, Subjects};
use crate::domain::decision::{CandidateRow, Failed, RefusedPurpose};
use crate::domain::{
    Catalogue, Customer, DecisionId, DecisionRequest, Offer, Placement, Purse, RuleId, SubjectId, SubjectKind,
    SubjectKinds, SubjectState,
};
use crate::policy::{
    self, Approved, Behind, Bundle, Case, Chosen, Contact, Expected, Pools, PoolsAsked, Setting, Verdict,
};

/// What came out for one offer.
struct Outcome {
    failed: Vec<Failed>,
    /// Rules that spoke and left nothing out.
    noted: Vec<Failed>,
    /// Caps that counted something: (position of the rule, used).
    used: Vec<(u16, u32)>,
    /// Whether rules about whole answers were asked.
    behind: bool,
}

/// Tries one case.
pub(super) fn try_one(bundle: &Arc<Bundle>, case: &Case, cover: &mut Counts) -> Tried {
    let mut tried = Tried {
        name: case.name.clone(),
        path: case.place.0.clone(),
        line: case.place.1,
        given: Vec::new(),
        rules: case.expected.iter().flat_map(|expected| expected.excluded_by.clone()).collect(),
        mistakes: Vec::new(),
    };
    tried.rules.extend(case.expected.iter().flat_map(|expected| &expected.noted).cloned());
    tried.rules.extend(case.refused_by.iter().cloned());
    // The placement was checked when the case was read.
    let Some(placement) = bundle.placement(case.placement.as_str()) else { return tried };
    let snapshot = snapshot(bundle, case);
    let request = request(case);
    let states = states(&snapshot, case);
    let subjects = subjects(&states);
    let purse = purse(&snapshot, placement, case, &request);
    let assessed = assess(&snapshot, placement, &request, subjects.states(), &purse, case.at);
    let when = (case.at, case.jurisdiction.as_deref());
    cover.gates(bundle, placement, &assessed.purpose, when);
    let when = (case.at, bundle.region(case.jurisdiction.as_deref(), case.store.as_ref()));
    let seen = Seen { bundle, placement, case, assessed: &assessed };
    tried.given = seen.given();
    tried.mistakes.extend(gates(&seen, &mut tried.rules));
    for expected in &case.expected {
        let Some(offer) = snapshot.catalogue.offer(expected.offer.as_str()) else { continue };
        let Some(outcome) = outcome(&snapshot, placement, case, &assessed, (offer, &subjects)) else {
            tried.mistakes.push(Mistake {
                offer: Some(offer.offer_id.clone()),
                about: about(offer),
                expected: expected.excluded_by.clone(),
                came: Vec::new(),
                notes: false,
                candidate: false,
                unexpected: vec![seen.no_candidate(offer)],
                missing: Vec::new(),
            });
            continue;
        };
        let spoke: Vec<u16> = outcome.failed.iter().chain(&outcome.noted).map(|failed| failed.rule).collect();
        cover.offer(bundle, &spoke, states.is_empty(), |rule| {
            cover::asked(rule, placement, offer, outcome.behind, when)
        });
        for notes in [false, true] {
            tried.mistakes.extend(compare(&seen, offer, (expected, &outcome), notes, &mut tried.rules));
        }
    }
    tried.rules.sort();
    tried.rules.dedup();
    tried
}

/// Compares the rules that left an offer out, or those that only spoke.
fn compare(
    seen: &Seen<'_>,
    offer: &Offer,
    (expected, outcome): (&Expected, &Outcome),
    notes: bool,
    rules: &mut Vec<RuleId>,
) -> Option<Mistake> {
    let bundle = seen.bundle;
    let (wanted, spoke) =
        if notes { (&expected.noted, &outcome.noted) } else { (&expected.excluded_by, &outcome.failed) };
    let mut came: Vec<RuleId> =
        spoke.iter().filter_map(|failed| bundle.rule(failed.rule)).map(|rule| rule.id.clone()).collect();
    came.sort();
    rules.extend(came.iter().cloned());
    if came == *wanted {
        return None;
    }
    let unexpected = spoke.iter().filter(|failed| !expects(bundle, wanted, failed.rule)).map(|failed| {
        let used = outcome.used.iter().find(|(rule, _)| *rule == failed.rule).map(|(_, used)| *used);
        why(seen, offer, failed, used)
    });
    let missing = wanted.iter().filter(|rule| !came.contains(rule));
    Some(Mistake {
        offer: Some(offer.offer_id.clone()),
        about: about(offer),
        unexpected: unexpected.collect(),
        missing: missing.map(|rule| why_not(seen, offer, (rule, notes), &outcome.used, outcome.behind)).collect(),
        expected: wanted.clone(),
        came,
        notes,
        candidate: true,
    })
}

fn expects(bundle: &Bundle, expected: &[RuleId], rule: u16) -> bool {
    bundle.rule(rule).is_some_and(|rule| expected.contains(&rule.id))
}

/// Compares what the gates of the placement's own purpose said. A gate that leaves no purpose at all leaves out every
/// offer, and is compared there.
fn gates(seen: &Seen<'_>, rules: &mut Vec<RuleId>) -> Option<Mistake> {
    let purpose = &seen.assessed.purpose;
    let refused = purpose.refused.as_ref().filter(|refused| purpose.closed_by != Some(refused.rule));
    let gates: Vec<u16> = refused.into_iter().flat_map(RefusedPurpose::rules).collect();
    let ids = gates.iter().filter_map(|gate| seen.bundle.rule(*gate)).map(|rule| rule.id.clone());
    let mut came: Vec<RuleId> = ids.collect();
    came.sort();
    rules.extend(came.iter().cloned());
    if came == seen.case.refused_by {
        return None;
    }
    let expected = seen.case.refused_by.clone();
    let unexpected = gates.iter().filter(|gate| !expects(seen.bundle, &expected, **gate));
    Some(Mistake {
        offer: None,
        about: String::new(),
        unexpected: unexpected.map(|gate| seen.refused(*gate)).collect(),
        missing: expected.iter().filter(|rule| !came.contains(rule)).map(|rule| seen.not_refused(rule)).collect(),
        expected,
        came,
        notes: false,
        candidate: true,
    })
}

pub(super) fn snapshot(bundle: &Arc<Bundle>, case: &Case) -> Snapshot {
    Snapshot {
        tenant: "tests".into(),
        build: env!("CARGO_PKG_VERSION").into(),
        control_sequence: 0,
        bundle: bundle.clone(),
        catalogue: Arc::new(Catalogue::new(1, case.offers.clone(), case.campaigns.clone())),
        models: std::collections::BTreeMap::new(),
        day: case.at.day(),
        spend: Arc::new(crate::domain::Spend::none(case.at.day())),
        approved: Arc::new(Approved::everything()),
    }
}

pub(super) fn request(case: &Case) -> DecisionRequest {
    let mut asked: Vec<_> = case.expected.iter().map(|expected| expected.offer.clone()).collect();
    asked.sort();
    let (id, attributes) = match &case.customer {
        Some(person) => (Some("customer".to_owned()), person.attributes.clone()),
        None => (None, case.attributes.clone()),
    };
    DecisionRequest {
        decision_id: None,
        customer: Customer { id, attributes, ..Customer::default() },
        placement: case.placement.clone(),
        count: None,
        jurisdiction: case.jurisdiction.clone(),
        time_zone: case.time_zone.clone(),
        context: case.context.clone(),
        basket: case.basket.clone(),
        candidates: Some(asked),
        store: case.store.clone(),
        privacy_signal: case.gpc.then_some(true),
    }
}

/// What is gone by the case: of every pool that the offers asked about and those before them draw on.
fn purse(snapshot: &Snapshot, placement: &Placement, case: &Case, request: &DecisionRequest) -> Purse {
    let (whole, mut purse) = (Purse::default(), Purse::default());
    if case.gone.is_empty() {
        return purse;
    }
    let asked = PoolsAsked {
        placement,
        jurisdiction: snapshot.bundle.region(request.jurisdiction.as_deref(), request.store.as_ref()),
        store: request.store.as_ref(),
        now: case.at,
        purse: &whole,
    };
    let (bundle, catalogue) = (&snapshot.bundle, &snapshot.catalogue);
    let pools = Pools::at(bundle, (&bundle.shelves(catalogue), catalogue), asked);
    for (at, _) in (0..).zip(catalogue.offers()) {
        for (rule, pool) in pools.drawn_on(at) {
            if let Some(gone) = case.gone.get(rule) {
                purse.set(&pool, *gone);
            }
        }
    }
    purse
}

/// The states of the customer's subjects: consents as given, and contacts counted as they are when a bundle changes.
/// The history counts for the household, the device and the session as it does for the customer.
pub(super) fn states(snapshot: &Snapshot, case: &Case) -> Vec<(SubjectState, SubjectKinds)> {
    let Some(person) = &case.customer else { return Vec::new() };
    let own = SubjectKinds::of(SubjectKind::Customer).and(SubjectKind::Household).and(SubjectKind::Device);
    let counted = |stands_for| {
        let of = |contact: &Contact| Contact { chosen: Chosen { stands_for, ..contact.chosen }, ..contact.clone() };
        let history: Vec<Contact> = person.history.iter().map(of).collect();
        let mut state = SubjectState { consents: person.consents.clone(), ..SubjectState::default() };
        policy::rebuild_caps(&snapshot.bundle, &snapshot.catalogue, &history, &mut state, case.at);
        (state, stands_for)
    };
    vec![counted(own), counted(SubjectKinds::of(SubjectKind::Session))]
}

/// The subjects of these states, without names.
pub(super) fn subjects(states: &[(SubjectState, SubjectKinds)]) -> Subjects<'_> {
    let view = |state| SubjectView { kind: SubjectKind::Customer, subject: SubjectId([0; 16]), version: 0, state };
    Subjects::of(states.iter().map(|(state, stands_for)| (view(state), *stands_for)))
}

/// What the rules said of one offer: for the first slot, and if nothing speaks against it and something stands before,
/// for the slot behind. Nothing where it is no candidate.
fn outcome(
    snapshot: &Snapshot,
    placement: &Placement,
    case: &Case,
    assessed: &Assessed<'_>,
    (offer, subjects): (&Offer, &Subjects<'_>),
) -> Option<Outcome> {
    let is_its = |candidate: u32| {
        snapshot.catalogue.at(candidate as usize).is_some_and(|(found, _)| found.offer_id == offer.offer_id)
    };
    let rows = &assessed.judged.rows;
    let at = rows.iter().position(|row| row.candidate.is_some_and(is_its))?;
    let row = rows.get(at)?;
    let (failed, mut noted) = (row.failed.clone(), row.noted.clone().unwrap_or_default());
    let readings = assessed.judged.readings.iter().filter(|reading| reading.candidate as usize == at);
    let used = readings.map(|reading| (reading.rule, reading.used)).collect();
    let (bundle, catalogue) = (&snapshot.bundle, &snapshot.catalogue);
    let shelves = bundle.shelves(catalogue);
    let shelves = (shelves.as_ref(), catalogue.as_ref());
    let jurisdiction = bundle.region(case.jurisdiction.as_deref(), case.store.as_ref());
    let setting = Setting { placement, jurisdiction, basket: &case.basket };
    let mut verdict = Verdict::default();
    let place = position(catalogue, offer.offer_id.as_str())?;
    if case.behind.is_empty() || !failed.is_empty() {
        let nothing = Behind::nothing(bundle, shelves, setting, case.at).filter(|_| failed.is_empty());
        if let Some(nothing) = &nothing {
            nothing.ask(place, &mut verdict);
            noted.extend(verdict.noted);
        }
        let mut failed = [failed, verdict.failed].concat();
        if failed.is_empty() {
            failed.extend(pinned((snapshot, placement), (case, jurisdiction), rows, row, nothing.as_ref()));
        }
        return Some(Outcome { failed, noted, used, behind: false });
    }
    let (mut counted, mut chosen, mut pools) = (Counted::of(subjects), Vec::new(), assessed.judged.pools.clone());
    let decision = DecisionId::from_parts(case.at.0, [255; 10]);
    for (slot, id) in (0..).zip(&case.behind) {
        let before = snapshot.catalogue.offer(id.as_str())?;
        counted.count(&snapshot.bundle, placement, before, (decision, slot, case.at));
        let place = position(&snapshot.catalogue, id.as_str())?;
        chosen.push(place);
        pools.take(place, slot);
    }
    let behind = Behind::new(bundle, shelves, setting, &chosen, counted.states(), &assessed.windows)?;
    behind.ask(place, &mut verdict);
    pools.ask(place, &mut verdict);
    let used = verdict.readings.iter().map(|reading| (reading.rule, reading.used)).collect();
    // A cap speaks again with what stands before counted.
    noted.retain(|first| verdict.noted.iter().all(|again| again.rule != first.rule));
    noted.extend(verdict.noted);
    Some(Outcome { failed: verdict.failed, noted, used, behind: true })
}

/// That an override pins another offer of the case to the first slot.
fn pinned(
    (snapshot, placement): (&Snapshot, &Placement),
    (case, jurisdiction): (&Case, Option<&str>),
    rows: &[CandidateRow],
    row: &CandidateRow,
    nothing: Option<&Behind<'_>>,
) -> Option<Failed> {
    let (bundle, catalogue) = (&snapshot.bundle, &snapshot.catalogue);
    let shelves = bundle.shelves(catalogue);
    let offer = |row: &CandidateRow| {
        let (offer, _) = catalogue.at(row.candidate? as usize)?;
        position(catalogue, offer.offer_id.as_str())
    };
    let open = rows.iter().filter(|row| row.failed.is_empty()).filter_map(offer).filter(|offer| {
        let mut verdict = Verdict::default();
        if let Some(nothing) = nothing {
            nothing.ask(*offer, &mut verdict);
        }
        verdict.failed.is_empty()
    });
    let pin = shelves.at(&placement.id)?.pin(bundle, (case.at, jurisdiction), &open)?;
    pin.fails(offer(row)?)
}

/// Position of an offer.
fn position(catalogue: &Catalogue, id: &str) -> Option<u32> {
    let at = catalogue.offers().binary_search_by(|offer| offer.offer_id.as_str().cmp(id)).ok()?;
    u32::try_from(at).ok()
}
