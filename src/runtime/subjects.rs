//! Subjects opened and changed: identities, keys, contacts, consents. Decides nothing about what a consent allows.

use super::{Core, RuntimeError};
use crate::config::keyfile;
use crate::domain::consent::ConsentEntry;
use crate::domain::decision::decode_skeleton;
use crate::domain::key::SubjectKey;
use crate::domain::{ConsentRecord, Malformed, SubjectId, SubjectRef, Timestamp};
use crate::engine::{Subject, open_state, seal_state};
use crate::policy::Contact;
use crate::store::{ConsentChange, NewSubject, SubjectRow};

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
    let mut kept = Vec::with_capacity(records.len());
    for (position, record) in (0..u16::MAX).zip(records) {
        let valid_from = record.valid_from.unwrap_or(now);
        let record = ConsentRecord { valid_from: Some(valid_from), ..record.clone() };
        let plain = minicbor::to_vec(&record).unwrap_or_default();
        kept.push(key.seal(CONSENT_SEALED_AS, &subject.0, consent_version(version + 1, position), &plain));
        let ConsentRecord { purpose, state: said, basis, valid_until, .. } = record;
        state.add_consent(ConsentEntry { purpose, state: said, basis, valid_from, valid_until }, now);
    }
    Ok(ConsentChange { state: seal_state(key, subject, version + 1, &state), records: kept })
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

    /// Counted contacts after an instant: the subject's own decisions that showed a candidate.
    pub(super) async fn contacts(&self, subject: &Subject, after: Timestamp) -> Result<Vec<Contact>, RuntimeError> {
        let mut contacts = Vec::new();
        for decision in self.store.subject_decisions(subject.subject, after).await? {
            let skeleton = decode_skeleton(&decision.record.skeleton)?;
            for (_, shown, _) in skeleton.chosen() {
                let (placement, offer) = (skeleton.placement.clone(), shown.offer.clone());
                contacts.push(Contact { at: skeleton.at, placement, offer });
            }
        }
        Ok(contacts)
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
        self.subject_changed(reference);
        Ok(())
    }

    /// A customer's consent records, oldest first; nothing if the customer is not known.
    pub async fn consents(&self, reference: &SubjectRef) -> Result<Option<Vec<ConsentKept>>, RuntimeError> {
        let Some(row) = self.store.find_subject(reference).await? else { return Ok(None) };
        let key = self.keys.master.unwrap(row.subject, &row.wrapped_key)?;
        let mut kept = Vec::new();
        for consent in self.store.consents(row.subject).await? {
            let version = consent_version(consent.version, consent.position);
            let plain = key.open(CONSENT_SEALED_AS, &row.subject.0, version, &consent.sealed)?;
            let record = minicbor::decode(&plain)
                .map_err(|error| Malformed(format!("a consent record does not decode: {error}")))?;
            kept.push(ConsentKept { at: consent.at, record });
        }
        Ok(Some(kept))
    }
}
