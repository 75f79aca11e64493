//! Decisions of one batch: chained on their subjects, each sealed into its record. Forms no batch and settles none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::DecisionWrite;
use super::cache::Subject;
use super::message::{Settings, Ticket};
use crate::bandit::DrawPurpose;
use crate::decision::{Ask, Problem, Snapshot, SubjectView, decide};
use crate::domain::decision::{Record, Skeleton};
use crate::domain::{DecisionId, DecisionRequest, Digest, Purse, SubjectRef, Timestamp};

/// Redecisions of one request before it is answered with the fallback.
const REDECIDED_MAX: u16 = 3;

#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) tickets: Vec<Ticket>,
    pub(super) request: Arc<DecisionRequest>,
    pub(super) request_digest: Digest,
    pub(super) decision_id: DecisionId,
    pub(super) id_minted: bool,
    pub(super) attempt: u16,
}

impl Waiting {
    pub(super) fn contended(&self) -> bool {
        self.attempt > REDECIDED_MAX
    }
}

#[derive(Debug)]
pub(super) struct Decided {
    pub(super) waiting: Waiting,
    pub(super) subject: Option<SubjectRef>,
    pub(super) skeleton: Arc<Skeleton>,
    pub(super) write: DecisionWrite,
}

/// A subject as the decisions of one batch see it, one after another.
#[derive(Debug, Clone)]
pub(super) struct Chained {
    pub(super) subject: Subject,
    pub(super) version_read: u64,
    pub(super) changed: bool,
}

#[derive(Debug, Default)]
pub(super) struct InFlight {
    pub(super) decided: Vec<Decided>,
    pub(super) chained: BTreeMap<SubjectRef, Chained>,
}

/// Decides one request on the state that the decision before it left.
pub(super) fn decide_one(
    snapshot: &Snapshot,
    (settings, purse): (&Settings, &mut Purse),
    waiting: Waiting,
    chained: Option<&mut Chained>,
    now: Timestamp,
) -> Result<Decided, (Waiting, Vec<Problem>)> {
    let ask = Ask {
        request: &waiting.request,
        request_digest: waiting.request_digest,
        decision_id: waiting.decision_id,
        id_minted: waiting.id_minted,
        attempt: waiting.attempt,
        purpose: DrawPurpose::Served,
        contended: waiting.contended(),
        purse,
    };
    let view = chained.as_ref().filter(|_| !waiting.contended()).map(|chained| SubjectView {
        kind: chained.subject.reference.kind,
        subject: chained.subject.subject,
        version: chained.subject.version,
        state: &chained.subject.state,
    });
    let mut decision = match decide(snapshot, &ask, view, &settings.generator, now) {
        Ok(decision) => decision,
        Err(problems) => return Err((waiting, problems)),
    };
    let anonymous;
    let key = if let Some(chained) = &chained {
        &chained.subject.key
    } else {
        anonymous = settings.master.anonymous_key(waiting.decision_id.as_bytes());
        &anonymous
    };
    let record = Record::seal(&mut decision.skeleton, &decision.private, key);
    let write = DecisionWrite {
        decision_id: waiting.decision_id,
        subject: chained.as_ref().map(|chained| chained.subject.subject),
        at: decision.skeleton.at,
        request_digest: waiting.request_digest,
        record,
        takes: decision.takes,
    };
    write.takes.iter().for_each(|take| purse.take(take));
    if let (Some(chained), Some(next)) = (chained, decision.next) {
        chained.subject.state = next;
        chained.subject.version += 1;
        chained.changed = true;
    }
    let subject = waiting.request.subject();
    Ok(Decided { waiting, subject, skeleton: Arc::new(decision.skeleton), write })
}
