//! Subjects opened and changed: identities, keys, contacts, consents. Decides nothing about what a consent allows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Core, RuntimeError};
use crate::config::keyfile;
use crate::domain::consent::ConsentEntry;
use crate::domain::decision::{CandidateRow, Shown, Skeleton, decode_skeleton};
use crate::domain::key::SubjectKey;
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{
    ConsentRecord, DecisionId, Malformed, Span, SubjectId, SubjectKind, SubjectKinds, SubjectRef, SubjectState,
    Timestamp,
};
use crate::engine::{Subject, open_state, seal_state};
use crate::learning::within_window;
use crate::policy::{Bundle, Chosen, Contact, EVENT_AFTER_MAX, EVENTS, confirm_contact};
use crate::store::{ConsentChange, ConsentRow, NewSubject, StoreError, SubjectRow};

/// A consent record as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentKept {
    /// When it was taken in.
    pub at: Timestamp,
    /// The record.
    pub record: ConsentRecord,
}

const CONSENT_SEALED_AS: &str = "consent";

/// One number that names a consent record of a subject: its version and its position within the change.
fn consent_version(version: u64, position: u16) -> u64 {
    (version << 16) | u64::from(position)
}

/// Takes consent records into a sealed state: the next state and the records, sealed.
fn change(
    key: &SubjectKey,
    subject: SubjectId,
    version: u64,
    sealed: &[u8],
    records: &[ConsentRecord],
    now: Timestamp,
) -> Result<ConsentChange, Malformed> {
    let mut state = open_state(key, subject, version, sealed)?;
    let records = take_in(key, subject, version, &mut state, records, now);
    Ok(ConsentChange { state: seal_state(key, subject, version + 1, &state), records })
}

/// Takes consent records into a state, and seals them for the version behind the one given.
pub(super) fn take_in(
    key: &SubjectKey,
    subject: SubjectId,
    version: u64,
    state: &mut SubjectState,
    records: &[ConsentRecord],
    now: Timestamp,
) -> Vec<Vec<u8>> {
    let mut kept = Vec::with_capacity(records.len());
    for (position, record) in (0..u16::MAX).zip(records) {
        let entry = ConsentEntry::of(record, now);
        let record = ConsentRecord { valid_from: Some(entry.valid_from), ..record.clone() };
        let plain = minicbor::to_vec(&record).unwrap_or_default();
        kept.push(key.seal(CONSENT_SEALED_AS, &subject.0, consent_version(version + 1, position), &plain));
        state.add_consent(entry, now);
    }
    kept
}

/// Opens a consent record of a subject.
pub(super) fn open_consent(
    key: &SubjectKey,
    subject: SubjectId,
    consent: &ConsentRow,
) -> Result<ConsentRecord, Malformed> {
    let version = consent_version(consent.version, consent.position);
    let plain = key.open(CONSENT_SEALED_AS, &subject.0, version, &consent.sealed)?;
    minicbor::decode(&plain).map_err(|error| Malformed(format!("a consent record does not decode: {error}")))
}

/// The contacts of one decision, given its outcomes: one for each slot that was drawn, seen, followed and bought at
/// the newest outcome of that kind within the placement's window; as they count for a subject that stood for these
/// kinds.
pub(super) fn contacts_of(skeleton: &Skeleton, outcomes: &[OutcomeFact], stands_for: SubjectKinds) -> Vec<Contact> {
    let newest = |kind: OutcomeKind, slot: u16| {
        let of_kind = outcomes.iter().filter(|fact| fact.kind == kind && fact.is_of(slot));
        let timely = of_kind.filter(|fact| within_window(skeleton.at, fact.occurred_at, &skeleton.terms));
        timely.map(|fact| fact.occurred_at).max()
    };
    let contact = |(slot, shown, _): (u16, &Shown, &CandidateRow)| Contact {
        chosen: Chosen {
            decision: skeleton.decision_id,
            slot,
            at: skeleton.at,
            reserved_until: skeleton.reserved_until.unwrap_or(skeleton.at),
            stands_for,
        },
        placement: skeleton.placement.clone(),
        offer: shown.offer.clone(),
        seen: newest(OutcomeKind::Impression, slot),
        clicked: newest(OutcomeKind::Click, slot),
        redeemed: newest(OutcomeKind::Order, slot),
        events: events_of(skeleton, slot, outcomes),
        released: outcomes.iter().any(|fact| fact.kind == OutcomeKind::Release && fact.is_of(slot)),
    };
    skeleton.chosen().map(contact).collect()
}

/// What may start a cool-down, each kind at its newest. What is said to have happened long after counts no more.
fn events_of(skeleton: &Skeleton, slot: u16, outcomes: &[OutcomeFact]) -> Vec<(OutcomeKind, Timestamp)> {
    let last = skeleton.at.plus(EVENT_AFTER_MAX);
    let newest = |kind: OutcomeKind| {
        let of_kind = outcomes.iter().filter(|fact| fact.kind == kind && fact.is_of(slot) && fact.occurred_at <= last);
        of_kind.map(|fact| fact.occurred_at).max().map(|at| (kind, at))
    };
    EVENTS.into_iter().filter_map(newest).collect()
}

impl Core {
    pub(super) fn open(&self, row: SubjectRow) -> Result<Subject, RuntimeError> {
        let key = self.keys.master.unwrap(row.subject, &row.wrapped_key)?;
        let state = open_state(&key, row.subject, row.version, &row.state)?;
        Ok(Subject { reference: row.reference, subject: row.subject, key, version: row.version, state })
    }

    /// Reads subjects; an outside id nobody knew gets a random internal id and a random key.
    pub(super) async fn open_subjects(&self, references: &[SubjectRef]) -> Result<Vec<Subject>, RuntimeError> {
        let mut wanted = Vec::with_capacity(references.len());
        for reference in references {
            let subject = SubjectId(keyfile::random()?);
            let key = SubjectKey(keyfile::random()?);
            let wrapped_key = self.keys.master.wrap(subject, &key);
            wanted.push(NewSubject { reference: reference.clone(), subject, wrapped_key });
        }
        let rows = self.store.load_subjects(&wanted).await?;
        rows.into_iter().map(|row| self.open(row)).collect()
    }

    /// The contacts that a subject's counters are to be rebuilt from; nothing where they were built for the bundle's
    /// caps.
    pub(super) async fn contacts_to_rebuild(
        &self,
        subject: &Subject,
        bundle: &Bundle,
        now: Timestamp,
    ) -> Result<Option<Vec<Contact>>, RuntimeError> {
        if subject.state.cap_set.is_none_or(|cap_set| cap_set == bundle.cap_set) {
            return Ok(None);
        }
        let since = bundle.contacts_since(now).unwrap_or(now);
        self.contacts(subject, since, bundle.counts_outcomes()).await.map(Some)
    }

    /// Contacts from an instant on: the decisions that showed a candidate and count for the subject, and, where asked
    /// for, what followed them.
    pub(super) async fn contacts(
        &self,
        subject: &Subject,
        since: Timestamp,
        followed: bool,
    ) -> Result<Vec<Contact>, RuntimeError> {
        let (id, kind, after) = (subject.subject, subject.reference.kind, since.minus(Span(1)));
        let mut found = BTreeMap::new();
        for decision in self.store.subject_decisions(id, after).await? {
            let skeleton = decode_skeleton(&decision.record.skeleton)?;
            found.insert(decision.decision_id, (skeleton, SubjectKinds::alone(kind)));
        }
        if kind != SubjectKind::Customer {
            for (decision, stands_for) in self.store.beside_decisions(id, after).await? {
                found.insert(decision.decision_id, (decode_skeleton(&decision.record.skeleton)?, stands_for));
            }
        }
        let mut outcomes: BTreeMap<DecisionId, Vec<OutcomeFact>> = BTreeMap::new();
        if followed {
            let ids: Vec<DecisionId> = found.keys().copied().collect();
            for (decision, fact) in self.store.outcomes_of_all(&ids).await? {
                outcomes.entry(decision).or_default().push(fact);
            }
        }
        let none = Vec::new();
        let of = |(id, (skeleton, stands_for)): (&DecisionId, &(Skeleton, SubjectKinds))| {
            contacts_of(skeleton, outcomes.get(id).unwrap_or(&none), *stands_for)
        };
        Ok(found.iter().flat_map(of).collect())
    }

    /// Confirms contacts of a subject that were seen, followed or bought, and counts what else happened. When
    /// this returns the next decision of the subject knows of it, whichever node makes it; doing so again changes
    /// nothing.
    pub(super) async fn confirm_contacts(
        &self,
        subject: SubjectId,
        key: &SubjectKey,
        contacts: &[Contact],
    ) -> Result<(), RuntimeError> {
        let (snapshot, now) = (self.snapshot(), self.clock.now());
        let unchanged = AtomicBool::new(false);
        let change = |version: u64, sealed: &[u8]| {
            let mut state = open_state(key, subject, version, sealed)?;
            let before = state.clone();
            for contact in contacts {
                confirm_contact(&snapshot.bundle, &snapshot.catalogue, contact, &mut state, now);
            }
            // A state to be rebuilt gets a new version all the same: a rebuild under way may have missed this.
            if state == before && state.cap_set == Some(snapshot.bundle.cap_set) {
                unchanged.store(true, Ordering::Relaxed);
                // An error leaves the stored state as it was: nobody who decides meanwhile has to decide again.
                return Err(Malformed::new("nothing changes"));
            }
            Ok(ConsentChange { state: seal_state(key, subject, version + 1, &state), records: Vec::new() })
        };
        match self.store.change_consents(subject, now, &change).await {
            Err(StoreError::Corrupt(_)) if unchanged.load(Ordering::Relaxed) => Ok(()),
            stored => Ok(stored?),
        }
    }

    /// Appends consent records. When this returns they are durable, and no decision that commits from now on can have
    /// read the state before them.
    pub async fn put_consents(&self, reference: SubjectRef, records: &[ConsentRecord]) -> Result<(), RuntimeError> {
        let opened = self.open_subjects(std::slice::from_ref(&reference)).await?;
        for Subject { subject, key, .. } in opened {
            let now = self.clock.now();
            let change = |version: u64, sealed: &[u8]| change(&key, subject, version, sealed, records, now);
            self.store.change_consents(subject, now, &change).await?;
        }
        self.subject_changed(&reference);
        Ok(())
    }

    /// A customer's consent records, oldest first; nothing if the customer is not known.
    pub async fn consents(&self, reference: &SubjectRef) -> Result<Option<Vec<ConsentKept>>, RuntimeError> {
        let Some(row) = self.store.find_subject(reference).await? else { return Ok(None) };
        let key = self.keys.master.unwrap(row.subject, &row.wrapped_key)?;
        let mut kept = Vec::new();
        for consent in self.store.consents(row.subject).await? {
            let record = open_consent(&key, row.subject, &consent)?;
            kept.push(ConsentKept { at: consent.at, record });
        }
        Ok(Some(kept))
    }
}
