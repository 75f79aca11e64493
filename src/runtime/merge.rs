//! Merges: two customers that turned out to be one. Undoes none.

use super::subjects::{open_consent, take_in};
use super::{Core, RuntimeError};
use crate::domain::{AttributeChange, ConsentRecord, SubjectRef, SubjectState, Timestamp};
use crate::engine::{open_state, seal_state};
use crate::policy::outdate_caps;
use crate::store::{By, ConsentChange, MergeChange, MergeFound};

/// What became of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// They are one, now or before.
    Merged,
    /// Nobody is known by this id.
    Unknown(String),
    /// Both ids name the same customer already, the one that stays because of the one that goes.
    Circle,
    /// The one that goes has become this customer before.
    Elsewhere(String),
}

impl Core {
    /// Makes one customer of two: whoever asks for the first gets the second from now on. When this returns it is
    /// durable, and no decision that commits from now on can have read either as it was before.
    ///
    /// Consents: the records of both count, for each purpose the newest, of equal ones the stricter. Attributes: the
    /// newer of each. Contacts: caps and cool-downs count those of both, anew. What was sealed for the first stays
    /// readable by its own key.
    pub async fn merge_customers(&self, from: &SubjectRef, into: &SubjectRef, by: &str) -> Result<Merge, RuntimeError> {
        loop {
            let Some(first) = self.store.find_subject(from).await? else {
                return Ok(Merge::Unknown(from.outside_id.clone()));
            };
            let Some(second) = self.store.find_subject(into).await? else {
                return Ok(Merge::Unknown(into.outside_id.clone()));
            };
            match (first.reference == *from, first.subject == second.subject) {
                (false, true) => return Ok(Merge::Merged),
                (false, false) => return Ok(Merge::Elsewhere(first.reference.outside_id)),
                (true, true) => return Ok(Merge::Circle),
                (true, false) => {}
            }
            let key = self.keys.master.unwrap(first.subject, &first.wrapped_key)?;
            let kept = self.keys.master.unwrap(second.subject, &second.wrapped_key)?;
            let now = self.clock.now();
            let change = |found: MergeFound<'_>| {
                let ((before, sealed), (version, sealed_into)) = (found.from, found.into);
                let gone = open_state(&key, first.subject, before, sealed)?;
                let mut state = open_state(&kept, second.subject, version, sealed_into)?;
                let open = |consent| open_consent(&key, first.subject, consent);
                let records: Vec<ConsentRecord> = found.consents.iter().map(open).collect::<Result<_, _>>()?;
                unite(&mut state, &gone, now);
                let records = take_in(&kept, second.subject, version, &mut state, &records, now);
                let into = ConsentChange { state: seal_state(&kept, second.subject, version + 1, &state), records };
                // Nobody reads it any more; nothing of the customer is left in it.
                let from = seal_state(&key, first.subject, before + 1, &SubjectState::default());
                Ok(MergeChange { from, into })
            };
            // Where one of them became another one between the look for it and the locks, they are looked for again.
            if self.store.merge_subjects(first.subject, second.subject, By { key: by, at: now }, &change).await? {
                self.subject_changed(from);
                self.subject_changed(into);
                self.subject_changed(&second.reference);
                return Ok(Merge::Merged);
            }
        }
    }
}

/// Adds what is known of one to the other; consents come with their records. Counters are built anew from the contacts
/// of both.
fn unite(state: &mut SubjectState, gone: &SubjectState, now: Timestamp) {
    state.last_at = state.last_at.max(gone.last_at);
    for known in &gone.known {
        let (name, value) = (known.name.clone(), Some(known.value.clone()));
        // What there is no room for is left out: it can be sent again.
        let _ = state.change_attributes(&[AttributeChange { name, value, at: known.at, until: known.until }], now);
    }
    outdate_caps(state);
}
