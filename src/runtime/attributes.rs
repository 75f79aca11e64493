//! Attributes kept of a customer: taken in under the subject's lock, and shown. Judges no value.

use std::sync::{Mutex, PoisonError};

use super::{Core, RuntimeError};
use crate::domain::known::TooMuchKnown;
use crate::domain::{AttributeChange, KnownAttribute, Malformed, SubjectRef};
use crate::engine::{Subject, open_state, seal_state};
use crate::store::{ConsentChange, StoreError};

/// What is kept of a customer after a change, or why nothing changed.
pub type AttributesKept = Result<Vec<KnownAttribute>, TooMuchKnown>;

impl Core {
    /// Changes what is kept of a customer, all or nothing. When this returns it is durable, and no decision that
    /// commits from now on can have read the state before it.
    pub async fn put_attributes(
        &self,
        reference: SubjectRef,
        changes: &[AttributeChange],
    ) -> Result<AttributesKept, RuntimeError> {
        let mut kept = Ok(Vec::new());
        for Subject { subject, key, .. } in self.open_subjects(std::slice::from_ref(&reference)).await? {
            let now = self.clock.now();
            let made: Mutex<AttributesKept> = Mutex::new(Ok(Vec::new()));
            let change = |version: u64, sealed: &[u8]| {
                let mut state = open_state(&key, subject, version, sealed)?;
                let outcome = state.change_attributes(changes, now).map(|()| state.known.clone());
                let too_much = outcome.as_ref().err().map(ToString::to_string);
                *made.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
                match too_much {
                    // An error leaves the stored state as it was.
                    Some(sentence) => Err(Malformed(sentence)),
                    None => {
                        Ok(ConsentChange { state: seal_state(&key, subject, version + 1, &state), records: Vec::new() })
                    }
                }
            };
            let stored = self.store.change_consents(subject, now, &change).await;
            kept = made.into_inner().unwrap_or_else(PoisonError::into_inner);
            match stored {
                Err(StoreError::Corrupt(_)) if kept.is_err() => {}
                stored => stored?,
            }
        }
        self.subject_changed(&reference);
        Ok(kept)
    }

    /// What is kept of a customer, by name; nothing if the customer is not known.
    pub async fn attributes(&self, reference: &SubjectRef) -> Result<Option<Vec<KnownAttribute>>, RuntimeError> {
        let Some(row) = self.store.find_subject(reference).await? else { return Ok(None) };
        let key = self.keys.master.unwrap(row.subject, &row.wrapped_key)?;
        Ok(Some(open_state(&key, row.subject, row.version, &row.state)?.known))
    }
}
