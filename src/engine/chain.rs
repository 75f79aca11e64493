//! Decisions of one batch: chained on their subjects, each sealed into its record. Forms no batch and settles none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::DecisionWrite;
use super::cache::{Subject, SubjectCache};
use super::message::{Settings, Ticket};
use crate::bandit::DrawPurpose;
use crate::decision::{Ask, Problem, Snapshot, SubjectView, Subjects, decide};
use crate::domain::decision::{Record, Skeleton};
use crate::domain::{
    DecisionId, DecisionRequest, Digest, Purse, SubjectId, SubjectKind, SubjectKinds, SubjectRef, Timestamp,
};

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
    /// Whose states it read, or would have read.
    pub(super) subjects: Vec<SubjectRef>,
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

impl InFlight {
    /// Whether one of these subjects is in the batch by another name, since two customers turned out to be one; what
    /// nobody's decision reads is taken out of it first.
    pub(super) fn names_again(&mut self, subjects: &[(SubjectRef, SubjectKinds)], cache: &mut SubjectCache) -> bool {
        let ids = subjects.iter().filter_map(|(reference, _)| Some((reference, cache.get(reference)?.subject)));
        let ids: Vec<(&SubjectRef, SubjectId)> = ids.collect();
        let other = |reference: &SubjectRef, chained: &Chained| {
            ids.iter().any(|(asked, id)| *asked != reference && *id == chained.subject.subject)
        };
        let decided = &self.decided;
        self.chained.retain(|reference, chained| {
            !other(reference, chained) || decided.iter().any(|decided| decided.subjects.contains(reference))
        });
        self.chained.iter().any(|(reference, chained)| other(reference, chained))
    }

    /// Decides one request on the states that the decisions before it left: those of these subjects, which are chained.
    pub(super) fn decide(
        &mut self,
        snapshot: &Snapshot,
        (settings, purse): (&Settings, &mut Purse),
        waiting: Waiting,
        subjects: Vec<(SubjectRef, SubjectKinds)>,
        now: Timestamp,
    ) -> Result<(), (Waiting, Vec<Problem>)> {
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
        let found =
            |(reference, stands_for): &(SubjectRef, SubjectKinds)| Some((self.chained.get(reference)?, *stands_for));
        let chained: Vec<(&Chained, SubjectKinds)> = subjects.iter().filter_map(found).collect();
        let read = Subjects::of(chained.iter().filter(|_| !waiting.contended()).map(|(chained, stands_for)| {
            let Subject { reference, subject, version, state, .. } = &chained.subject;
            (SubjectView { kind: reference.kind, subject: *subject, version: *version, state }, *stands_for)
        }));
        let mut decision = match decide(snapshot, &ask, read, &settings.generator, now) {
            Ok(decision) => decision,
            Err(problems) => return Err((waiting, problems)),
        };
        let first = chained.iter().find(|(_, stands_for)| stands_for.has(SubjectKind::Customer));
        let anonymous;
        let key = if let Some((chained, _)) = first {
            &chained.subject.key
        } else {
            anonymous = settings.master.anonymous_key(waiting.decision_id.as_bytes());
            &anonymous
        };
        let record = Record::seal(&mut decision.skeleton, &decision.private, key);
        let first = first.map(|(chained, _)| &chained.subject);
        let counted = |(chained, stands_for): &(&Chained, SubjectKinds)| {
            let Subject { reference, subject, .. } = &chained.subject;
            let alone = first.is_some_and(|first| first.subject == *subject)
                && *stands_for == SubjectKinds::alone(reference.kind);
            (!alone).then_some((*subject, *stands_for))
        };
        let counts = decision.skeleton.chosen().next().is_some();
        let write = DecisionWrite {
            decision_id: waiting.decision_id,
            subject: first.map(|first| first.subject),
            beside: chained.iter().filter(|_| counts).filter_map(counted).collect(),
            at: decision.skeleton.at,
            request_digest: waiting.request_digest,
            record,
            takes: decision.takes,
        };
        write.takes.iter().for_each(|take| purse.take(take));
        let mut beside = decision.beside.into_iter();
        let mut next = decision.next;
        for (reference, stands_for) in &subjects {
            let first = stands_for.has(SubjectKind::Customer);
            let next = if first { next.take() } else { beside.next().flatten() };
            if let (Some(chained), Some(next)) = (self.chained.get_mut(reference), next) {
                chained.subject.state = next;
                chained.subject.version += 1;
                chained.changed = true;
            }
        }
        let subjects = subjects.into_iter().map(|(reference, _)| reference).collect();
        self.decided.push(Decided { waiting, subjects, skeleton: Arc::new(decision.skeleton), write });
        Ok(())
    }
}
