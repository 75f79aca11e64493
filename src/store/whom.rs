//! Whom: columns about the subjects of decisions, and about those who became another one. Knows no SQL.

use crate::domain::{DecisionId, SubjectId, SubjectKinds, SubjectRef, Timestamp};
use crate::engine::batch::DecisionWrite;

use super::column::{self, ConsentColumns, decision, decision_id, subject, subject_id, subject_kind};
use super::{CountedFor, MakeMerge, MergeChange, MergeFound, StoreError, StoredDecision, SubjectRow};

/// kind and `outside_id` as asked, then as `column::SubjectColumns`
pub(super) type AskedColumns = (i16, String, i16, String, Vec<u8>, Vec<u8>, i64, Vec<u8>);

/// A subject under the outside id that it was asked for by.
pub(super) fn asked(columns: AskedColumns) -> Result<(SubjectRef, SubjectRow), StoreError> {
    let (asked_kind, asked_id, kind, outside_id, id, wrapped_key, version, state) = columns;
    let reference = SubjectRef { kind: subject_kind(asked_kind)?, outside_id: asked_id };
    Ok((reference, subject((kind, outside_id, id, wrapped_key, version, state))?))
}

/// What becomes of two subjects that are one, and the versions that they have, from rows of (`subject_id`, version,
/// state) and the consents of the one that goes. Who has no row has version 0 and no state.
pub(super) fn changed(
    rows: &[(Vec<u8>, i64, Vec<u8>)],
    consents: Vec<ConsentColumns>,
    (from, into): (SubjectId, SubjectId),
    change: &MakeMerge<'_>,
) -> Result<([i64; 2], MergeChange), StoreError> {
    if from == into {
        return Err(StoreError::Corrupt("a subject cannot become itself".to_owned()));
    }
    let of = |id: SubjectId| {
        let row = rows.iter().find(|(subject, _, _)| *subject == id.0);
        row.map_or((0, &[][..]), |(_, version, state)| (*version, state.as_slice()))
    };
    let ((from_version, from_state), (into_version, into_state)) = (of(from), of(into));
    let consents = consents.into_iter().map(column::consent).collect::<Result<Vec<_>, _>>()?;
    let made = change(MergeFound {
        from: (column::natural(from_version)?, from_state),
        into: (column::natural(into_version)?, into_state),
        consents: &consents,
    });
    Ok(([from_version, into_version], made.map_err(|error| StoreError::Corrupt(error.to_string()))?))
}

/// A merge in words, by internal ids.
pub(super) fn merged(from: SubjectId, into: SubjectId) -> String {
    format!("{:032x} is {:032x}", u128::from_be_bytes(from.0), u128::from_be_bytes(into.0))
}

/// Whether one of two subjects has become another one, or was erased. Both stores read `$1`.
pub(super) const GONE: &str = "select 1 from merged_subject where subject_id in ($1, $2) \
     union all select 1 from erased_subject where subject_id in ($1, $2) limit 1";

/// A subject that has become another one, or was erased, is changed by nobody; whoever asks again finds who is there.
pub(super) fn gone_meanwhile() -> StoreError {
    StoreError::Unavailable("the customer has just become another one, or was erased".into())
}

/// Somebody whom a decision's contacts count for besides whom it is for, as a row.
pub(super) struct Beside {
    pub(super) decision_id: DecisionId,
    pub(super) subject: SubjectId,
    pub(super) at: Timestamp,
    pub(super) stands_for: SubjectKinds,
}

/// Everybody whom decisions count for besides, in the order of the decisions.
pub(super) fn beside(decisions: &[&DecisionWrite]) -> Vec<Beside> {
    let of = |decision: &&DecisionWrite| {
        let (decision_id, at) = (decision.decision_id, decision.at);
        let row = |(subject, stands_for): &(SubjectId, SubjectKinds)| Beside {
            decision_id,
            subject: *subject,
            at,
            stands_for: *stands_for,
        };
        decision.beside.iter().map(row).collect::<Vec<_>>()
    };
    decisions.iter().flat_map(of).collect()
}

fn stands_for(bits: i16) -> Result<SubjectKinds, StoreError> {
    let kinds = u8::try_from(bits).ok().and_then(SubjectKinds::from_bits);
    kinds.ok_or_else(|| StoreError::Corrupt(format!("`{bits}` is no set of kinds of subject")))
}

/// As [`DecisionColumns`], and `stands_for`
pub(super) type BesideColumns =
    (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, i64, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, i16);

pub(super) fn beside_decision(columns: BesideColumns) -> Result<(StoredDecision, SubjectKinds), StoreError> {
    let (id, subject, wrapped_key, at, request_digest, skeleton, private, leaf, bits) = columns;
    let decision = decision((id, subject, wrapped_key, at, request_digest, skeleton, private, leaf))?;
    Ok((decision, stands_for(bits)?))
}

/// `decision_id`, `subject_id`, `wrapped_key`, kind, `stands_for`
pub(super) type CountedColumns = (Vec<u8>, Vec<u8>, Vec<u8>, i16, Option<i16>);

pub(super) fn counted(columns: CountedColumns) -> Result<CountedFor, StoreError> {
    let (decision, subject, wrapped_key, kind, bits) = columns;
    let alone = SubjectKinds::alone(subject_kind(kind)?);
    Ok(CountedFor {
        decision_id: decision_id(&decision)?,
        subject: subject_id(&subject)?,
        wrapped_key,
        stands_for: bits.map(stands_for).transpose()?.unwrap_or(alone),
    })
}
