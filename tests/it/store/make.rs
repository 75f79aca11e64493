//! Values for the contract cases, each recognisable by a number. Stores nothing.

use proffer::domain::decision::{Record, leaf};
use proffer::domain::{DecisionId, Digest, SubjectId, SubjectKind, SubjectRef, Timestamp};
use proffer::engine::batch::{Batch, CommitOutcome, DecisionWrite, SubjectNext, SubjectTouched};
use proffer::store::{By, NewSubject, Store};

pub const BY: By<'static> = By { key: "tester", at: Timestamp(1_700_000_000_000) };

pub fn digest(number: u8) -> Digest {
    Digest([number; 32])
}

pub fn subject(number: u16) -> SubjectId {
    let mut bytes = [0xee; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    SubjectId(bytes)
}

pub fn reference(number: u16) -> SubjectRef {
    SubjectRef { kind: SubjectKind::Customer, outside_id: format!("customer-{number}") }
}

pub fn new_subject(number: u16) -> NewSubject {
    NewSubject { reference: reference(number), subject: subject(number), wrapped_key: format!("key-{number}").into() }
}

pub fn decision_id(number: u32) -> DecisionId {
    let mut bits = [0; 10];
    bits[6..].copy_from_slice(&number.to_be_bytes());
    DecisionId::from_parts(1_700_000_000_000 + i64::from(number), bits)
}

pub fn decision(number: u32, of: Option<SubjectId>) -> DecisionWrite {
    let skeleton = format!("skeleton {number}").into_bytes();
    DecisionWrite {
        decision_id: decision_id(number),
        subject: of,
        beside: Vec::new(),
        at: Timestamp(1_700_000_000_000 + i64::from(number)),
        request_digest: digest(number.to_le_bytes()[0]),
        record: Record { leaf: leaf(&skeleton), skeleton, private: format!("sealed {number}").into_bytes() },
        takes: Vec::new(),
    }
}

/// A subject read at a version and replaced by the next one.
pub fn written(number: u16, version: u64) -> SubjectTouched {
    let state = format!("state {number} at {}", version + 1).into_bytes();
    let next = Some(SubjectNext { version: version + 1, state });
    SubjectTouched { subject: subject(number), version, next }
}

/// A subject read at a version and left as it is.
pub fn only_read(number: u16, version: u64) -> SubjectTouched {
    SubjectTouched { subject: subject(number), version, next: None }
}

pub fn batch(number: u64, subjects: Vec<SubjectTouched>, decisions: Vec<DecisionWrite>) -> Batch {
    Batch {
        node: "node".to_owned(),
        incarnation: 1,
        number,
        digest: digest(0xba),
        control_sequence: 0,
        subjects,
        decisions,
    }
}

pub async fn stored(store: &dyn Store, batch: &Batch) {
    assert_eq!(store.commit(batch).await.unwrap(), CommitOutcome::Stored);
}

/// The version and the state of a subject.
pub async fn state(store: &dyn Store, number: u16) -> (u64, String) {
    let row = store.load_subjects(&[new_subject(number)]).await.unwrap().remove(0);
    (row.version, String::from_utf8(row.state).unwrap())
}

/// Refused for these reasons: the control sequence, subjects, decisions.
pub async fn refused(store: &dyn Store, batch: &Batch, gate: Option<u64>, stale: &[u16], known: &[u32]) {
    let CommitOutcome::Refused { gate: found_gate, stale: found_stale, known: found_known, short } =
        store.commit(batch).await.unwrap()
    else {
        panic!("stored, though it should be refused");
    };
    assert_eq!(short, []);
    let mut found_known: Vec<_> = found_known.iter().map(|known| known.decision_id).collect();
    found_known.sort();
    assert_eq!(found_gate, gate);
    assert_eq!(found_stale, stale.iter().map(|number| subject(*number)).collect::<Vec<_>>());
    assert_eq!(found_known, known.iter().map(|number| decision_id(*number)).collect::<Vec<_>>());
}
