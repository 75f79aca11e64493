//! Erasure as the store does it: in two halves, so that nobody finds the customer after the first and nothing of the
//! customer is left after the second. Opens no sealed part and takes nothing back from a model itself.

use async_trait::async_trait;

use super::{By, CheckpointRow, KeptOutcome, LearningRow, StoreError, column};
use crate::domain::{Digest, SubjectId, SubjectRef, Timestamp};

/// The keyed hash of an outside id.
pub type HashOutside<'a> = dyn Fn(&SubjectRef) -> Digest + Send + Sync + 'a;

/// What became of the first half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody is known by this id: there is nothing to erase.
    Unknown,
    /// A legal hold keeps the customer.
    Held(LegalHold),
    /// Nobody finds the customer any more. What was learned is still to be taken back.
    Begun {
        /// Names the erasure.
        erasure: u64,
        /// Every outside id that the customer was known by.
        names: Vec<SubjectRef>,
    },
}

/// An erasure whose second half is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasing {
    /// Names the erasure.
    pub erasure: u64,
    /// The customer under every internal id, with its key still wrapped.
    pub subjects: Vec<(SubjectId, Vec<u8>)>,
}

/// The second half of an erasure: everything or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Names the erasure.
    pub erasure: u64,
    /// A checkpoint of every model that had learned from the customer, at the head of its stream, without what was
    /// learned. All older ones go.
    pub checkpoints: Vec<CheckpointRow>,
    /// How many learning events were taken back for it.
    pub learning_events: u64,
    /// When.
    pub at: Timestamp,
}

/// What an erasure came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureDone {
    /// When it was complete.
    pub at: Timestamp,
    /// Decisions whose private part is gone.
    pub decisions: u64,
    /// Learning events that were taken back.
    pub learning_events: u64,
    /// Outcomes that no longer say whom they are about.
    pub outcomes: u64,
}

/// An erasure as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRow {
    /// Names it.
    pub erasure: u64,
    /// When it was asked for.
    pub at: Timestamp,
    /// Name of the key that asked for it.
    pub by: String,
    /// What it came to; nothing while the second half is still to come.
    pub done: Option<ErasureDone>,
}

/// A legal hold: as long as it stands nobody erases the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// Why, in the words of who asked for it.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
    /// Name of the key that asked for it.
    pub by: String,
}

/// The part of a store that forgets.
#[async_trait]
pub trait Erase: Send + Sync {
    /// The first half, in one transaction: the customer and everybody who became it are found by nobody any more, their
    /// state and their consents are gone, and no decision that read any of it can commit. Their keys are put aside for
    /// the second half.
    async fn begin_erasure(&self, who: &SubjectRef, hash: &HashOutside<'_>, by: By<'_>) -> Result<Begun, StoreError>;

    /// Erasures whose second half is still to come, oldest first.
    async fn erasing(&self) -> Result<Vec<Erasing>, StoreError>;

    /// Every learning event of an erasure's subjects, by model and sequence, with their keys.
    async fn learning_events_of(&self, erasure: u64) -> Result<Vec<LearningRow>, StoreError>;

    /// The second half, in one transaction under the learner's term, after which these are gone: the private parts of
    /// the customer's decisions, what was learned from them, what outcomes said of the customer, all older
    /// checkpoints, and the keys. `false` and nothing changed if the term is fenced.
    async fn erase(&self, term: u64, erased: &Erased) -> Result<bool, StoreError>;

    /// The newest erasure that is complete, 0 before the first: whoever holds models from before reads them anew.
    async fn erased_through(&self) -> Result<u64, StoreError>;

    /// One erasure.
    async fn erasure(&self, erasure: u64) -> Result<Option<ErasureRow>, StoreError>;

    /// The newest erasure of somebody by the keyed hash of an outside id.
    async fn erasure_of(&self, hash: Digest) -> Result<Option<ErasureRow>, StoreError>;

    /// Every internal and outside id of a customer: its own, and those of everybody who became it.
    async fn known_as(&self, who: &SubjectRef) -> Result<Vec<(SubjectId, SubjectRef)>, StoreError>;

    /// The keyed hashes of every outside id that was ever erased, each once.
    async fn erased_hashes(&self) -> Result<Vec<Digest>, StoreError>;

    /// Every outside id that is known, kind by kind, in pieces: those after one of them.
    async fn outside_ids(&self, after: Option<&SubjectRef>, limit: u32) -> Result<Vec<SubjectRef>, StoreError>;

    /// Every outcome that is known to be about one of these subjects, in the order of their keys.
    async fn outcomes_about(&self, subjects: &[SubjectId]) -> Result<Vec<KeptOutcome>, StoreError>;

    /// Puts a subject under a legal hold; `false` if it is under one already.
    async fn hold(&self, subject: SubjectId, why: &str, by: By<'_>) -> Result<bool, StoreError>;

    /// Ends the legal hold of a subject; `false` if it is under none.
    async fn end_hold(&self, subject: SubjectId, by: By<'_>) -> Result<bool, StoreError>;

    /// The legal hold that a subject is under.
    async fn held(&self, subject: SubjectId) -> Result<Option<LegalHold>, StoreError>;
}

/// The version of a subject that was erased: nobody has read it, so that nobody can write behind it.
pub(super) const TOMBSTONE: i64 = i64::MAX;

/// The customer by kind and outside id, and everybody who became it. Both stores read `$1`.
pub(super) const WHOM: &str = "select i.subject_id, i.wrapped_key, i.kind, i.outside_id from identity i \
     where i.subject_id in (select coalesce(m.into_subject_id, a.subject_id) from identity a \
             left join merged_subject m on m.subject_id = a.subject_id where a.kind = $1 and a.outside_id = $2 \
         union all select b.subject_id from merged_subject b where b.into_subject_id = (\
             select coalesce(m.into_subject_id, a.subject_id) from identity a \
             left join merged_subject m on m.subject_id = a.subject_id where a.kind = $1 and a.outside_id = $2)) \
     order by i.subject_id";

/// What of an erasure's subjects is gone with the first half.
pub(super) const LOST: [&str; 2] = [
    "delete from consent where subject_id in (select subject_id from erasing where erasure_id = $1)",
    "delete from identity where subject_id in (select subject_id from erasing where erasure_id = $1)",
];

/// What is counted of what is gone with the second half: decisions, learning events, outcomes.
pub(super) const COUNTED: [&str; 3] = [
    "update decision set private = substr(private, 1, 0) \
         where subject_id in (select subject_id from erasing where erasure_id = $1)",
    "delete from learning_event where subject_id in (select subject_id from erasing where erasure_id = $1)",
    "update outcome set subject_id = null, claim = substr(claim, 1, 0), applied = true \
         where subject_id in (select subject_id from erasing where erasure_id = $1) \
         or decision_id in (select d.decision_id from decision d join erasing e on e.subject_id = d.subject_id \
             where e.erasure_id = $1)",
];

/// What else is gone with it, the keys at last.
pub(super) const TAKEN_BACK: [&str; 4] = [
    "delete from applied where decision_id in (select d.decision_id from decision d \
         join erasing e on e.subject_id = d.subject_id where e.erasure_id = $1)",
    "delete from decision_subject where subject_id in (select subject_id from erasing where erasure_id = $1)",
    "delete from merged_subject where subject_id in (select subject_id from erasing where erasure_id = $1) \
         or into_subject_id in (select subject_id from erasing where erasure_id = $1)",
    "delete from erasing where erasure_id = $1",
];

/// What an erasure is read from.
pub(super) const ERASURE: &str = "select erasure_id, at, by_key, done_at, decisions, learning_events, outcomes \
     from erasure where erasure_id = $1";

/// The newest erasure by the hash of an outside id.
pub(super) const ERASURE_OF: &str = "select erasure_id, at, by_key, done_at, decisions, learning_events, outcomes \
     from erasure where erasure_id = (select max(erasure_id) from erased_identity where outside_hash = $1)";

/// Every learning event of an erasure's subjects.
pub(super) const EVENTS: &str = "select e.model_id, e.sequence, e.decision_id, e.subject_id, e.sealed, \
     w.wrapped_key from erasing w join learning_event e on e.subject_id = w.subject_id \
     where w.erasure_id = $1 order by e.model_id, e.sequence";

/// What is still to be completed.
pub(super) const ERASING: &str =
    "select erasure_id, subject_id, wrapped_key from erasing order by erasure_id, subject_id";

/// Completes an erasure, and says who asked for it.
pub(super) const DONE: &str = "update erasure set done_at = $1, decisions = $2, learning_events = $3, outcomes = $4 \
     where erasure_id = $5 returning by_key";

/// `subject_id`, `wrapped_key`, `kind`, `outside_id`
pub(super) type WhomColumns = (Vec<u8>, Vec<u8>, i16, String);

pub(super) fn whom(columns: WhomColumns) -> Result<(SubjectId, SubjectRef), StoreError> {
    let (subject, _, kind, outside_id) = columns;
    Ok((column::subject_id(&subject)?, SubjectRef { kind: column::subject_kind(kind)?, outside_id }))
}

/// why, at, `by_key`
pub(super) type HoldColumns = (String, i64, String);

pub(super) fn legal_hold((why, at, by): HoldColumns) -> LegalHold {
    LegalHold { why, at: Timestamp(at), by }
}

/// `erasure_id`, `subject_id`, `wrapped_key`
pub(super) type ErasingColumns = (i64, Vec<u8>, Vec<u8>);

/// Rows in the order of their erasures, gathered.
pub(super) fn erasing(rows: Vec<ErasingColumns>) -> Result<Vec<Erasing>, StoreError> {
    let mut found: Vec<Erasing> = Vec::new();
    for (erasure, subject, wrapped) in rows {
        let (erasure, subject) = (column::natural(erasure)?, (column::subject_id(&subject)?, wrapped));
        match found.last_mut().filter(|last| last.erasure == erasure) {
            Some(last) => last.subjects.push(subject),
            None => found.push(Erasing { erasure, subjects: vec![subject] }),
        }
    }
    Ok(found)
}

/// `erasure_id`, at, `by_key`, `done_at`, decisions, `learning_events`, outcomes
pub(super) type ErasureColumns = (i64, i64, String, Option<i64>, i64, i64, i64);

pub(super) fn erasure(columns: ErasureColumns) -> Result<ErasureRow, StoreError> {
    let (erasure, at, by, done_at, decisions, events, outcomes) = columns;
    let counted = [column::natural(decisions)?, column::natural(events)?, column::natural(outcomes)?];
    let [decisions, learning_events, outcomes] = counted;
    let done = done_at.map(|at| ErasureDone { at: Timestamp(at), decisions, learning_events, outcomes });
    Ok(ErasureRow { erasure: column::natural(erasure)?, at: Timestamp(at), by, done })
}

/// What an erasure is written down as when it begins.
pub const ERASE: &str = "customers.erase";

/// Who is erased, by internal ids, for the record of changes: whose key is gone without such an entry was not erased
/// but deleted.
pub(super) fn begun(erasure: u64, subjects: &[SubjectId]) -> String {
    let ids: Vec<String> = subjects.iter().map(SubjectId::hex).collect();
    format!("erasure {erasure} of {}", ids.join(", "))
}

/// The internal ids that a change tells of, where it is the beginning of an erasure.
pub fn erased_by(what: &str, detail: &str) -> Vec<SubjectId> {
    let ids = detail.strip_prefix("erasure ").and_then(|rest| rest.split_once(" of ")).map(|(_, ids)| ids);
    let ids = ids.filter(|_| what == ERASE).into_iter().flat_map(|ids| ids.split(", "));
    ids.filter_map(|id| SubjectId::from_hex(id).ok()).collect()
}

/// An erasure in words, for the record of changes.
pub(super) fn told(erasure: u64, [decisions, events, outcomes]: [u64; 3]) -> String {
    format!("erasure {erasure}: {decisions} decisions, {events} learning events, {outcomes} outcomes")
}

/// The step is to be made again: the streams have gone on since it was prepared.
pub(super) fn gone_on() -> StoreError {
    StoreError::Unavailable("a model has learned more since the erasure was prepared".into())
}
