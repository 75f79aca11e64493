//! The engine: `step(state, event) -> effects`. Forms batches and settles conflicts; performs no effect, reads no clock.
//!
//! Requests wait while the previous batch commits; whatever has gathered then forms the next one. Decisions of one
//! subject within a batch are chained: each reads the state that the one before it made. Nothing is answered before
//! the store says that it is durable.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::batch::{Batch, CommitOutcome, DecisionWrite, Known, SubjectNext, SubjectTouched};
use super::cache::{Subject, SubjectCache};
use crate::decision::{Ask, Problem, Snapshot, SubjectView, decide};
use crate::domain::decision::{Record, Skeleton};
use crate::domain::key::{GeneratorKey, MasterKey, SubjectKey};
use crate::domain::{DecisionId, DecisionRequest, Digest, SubjectId, SubjectRef, SubjectState, Timestamp};
use crate::policy::{Contact, rebuild_caps};
use crate::transparency::merkle_root;

/// Who waits for an answer.
pub type Ticket = u64;

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The engine's name, stable over restarts.
    pub node: String,
    /// This start of it.
    pub incarnation: u64,
    /// Decisions in one batch at most.
    pub batch_decisions_max: usize,
    /// Requests that may wait at once; more are turned away at the door.
    pub waiting_max: usize,
    /// Subjects kept in memory.
    pub subjects_max: usize,
    /// Draws are made from it.
    pub generator: GeneratorKey,
    /// Decisions without a subject are sealed under a key derived from it.
    pub master: MasterKey,
}

/// What an engine is told.
#[derive(Debug)]
pub enum Event {
    /// Somebody asks for a decision.
    Asked {
        /// Who waits.
        ticket: Ticket,
        /// What for.
        request: Arc<DecisionRequest>,
    },
    /// Subjects it wanted were read.
    SubjectsLoaded(Vec<Loaded>),
    /// Subjects it wanted could not be read.
    LoadFailed(Vec<SubjectRef>),
    /// The store settled the batch in flight.
    Committed(CommitOutcome),
    /// The store failed; whether the batch is stored is unknown.
    CommitFailed,
    /// The number of the last batch stored, after a failure.
    Resynced(u64),
    /// A newer snapshot.
    Published(Arc<Snapshot>),
    /// Somebody else changed a subject.
    SubjectChanged(SubjectRef),
}

/// A subject as loaded, with its contacts where its counters were built for another cap set.
#[derive(Debug)]
pub struct Loaded {
    /// The subject.
    pub subject: Subject,
    /// Counted contacts within the longest window, if they were asked for.
    pub contacts: Option<Vec<Contact>>,
}

/// What an engine wants done.
#[derive(Debug)]
pub enum Effect {
    /// Read these subjects.
    LoadSubjects(Vec<SubjectRef>),
    /// Store this batch.
    Commit(Box<Batch>),
    /// Read the number of the last batch stored, for as long as it takes.
    Resync,
    /// Read the control row and publish a snapshot for it.
    ReloadSnapshot,
    /// Answer.
    Reply(Ticket, Reply),
}

/// An answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Decided now, and durable.
    Decided(Arc<Skeleton>),
    /// Decided before under the same id; this is what is stored.
    Stored(Record),
    /// The id names another request.
    Conflict(DecisionId),
    /// The request does not fit the active bundle.
    Refused(Vec<Problem>),
    /// Too many wait already.
    Overloaded,
    /// The store does not answer; asking again with the same decision id is safe.
    Unavailable,
}

/// Redecisions of one request before it is answered with the fallback.
const REDECIDED_MAX: u16 = 3;

#[derive(Debug, Clone)]
struct Waiting {
    tickets: Vec<Ticket>,
    request: Arc<DecisionRequest>,
    request_digest: Digest,
    decision_id: DecisionId,
    id_minted: bool,
    attempt: u16,
}

impl Waiting {
    fn contended(&self) -> bool {
        self.attempt > REDECIDED_MAX
    }
}

#[derive(Debug)]
struct Decided {
    waiting: Waiting,
    subject: Option<SubjectRef>,
    skeleton: Arc<Skeleton>,
    write: DecisionWrite,
}

/// A subject as the decisions of one batch see it, one after another.
#[derive(Debug, Clone)]
struct Chained {
    subject: Subject,
    version_read: u64,
    changed: bool,
}

#[derive(Debug, Default)]
struct InFlight {
    decided: Vec<Decided>,
    chained: BTreeMap<SubjectRef, Chained>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    /// Until a snapshot for a newer control row is published.
    Snapshot(u64),
    /// Until the store says what it has.
    Resync,
}

/// The state of one engine. It owns the subjects that hash to it and shares nothing but the snapshot and the store.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    snapshot: Arc<Snapshot>,
    next_number: u64,
    minted: u64,
    cache: SubjectCache,
    loading: BTreeMap<SubjectRef, Vec<Waiting>>,
    ready: VecDeque<Waiting>,
    /// Every decision id that waits or is in flight, with what it names and who else waits for it.
    pending: BTreeMap<DecisionId, (Digest, Vec<Ticket>)>,
    in_flight: Option<InFlight>,
    halted: Option<Halt>,
}

impl Engine {
    /// An idle engine.
    pub fn new(settings: Settings, snapshot: Arc<Snapshot>) -> Self {
        let cache = SubjectCache::new(settings.subjects_max);
        Self {
            settings,
            snapshot,
            next_number: 1,
            minted: 0,
            cache,
            loading: BTreeMap::new(),
            ready: VecDeque::new(),
            pending: BTreeMap::new(),
            in_flight: None,
            halted: None,
        }
    }

    /// Whether nobody waits.
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.in_flight.is_none()
    }

    /// Takes in what happened and says what is to be done. Events that came together are given together, so that
    /// their requests share a batch.
    pub fn step(&mut self, events: impl IntoIterator<Item = Event>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut wanted = Vec::new();
        for event in events {
            match event {
                Event::Asked { ticket, request } => self.asked(ticket, request, now, &mut wanted, &mut effects),
                Event::SubjectsLoaded(loaded) => self.loaded(loaded, now),
                Event::LoadFailed(references) => {
                    for reference in references {
                        for waiting in self.loading.remove(&reference).unwrap_or_default() {
                            self.reply(&waiting, &Reply::Unavailable, &mut effects);
                        }
                    }
                }
                Event::Committed(outcome) => self.committed(outcome, &mut wanted, &mut effects),
                Event::CommitFailed => self.commit_failed(&mut effects),
                Event::Resynced(last) => {
                    self.next_number = last + 1;
                    if self.halted == Some(Halt::Resync) {
                        self.halted = None;
                    }
                }
                Event::Published(snapshot) => self.published(snapshot),
                Event::SubjectChanged(reference) => self.cache.forget(&reference),
            }
        }
        self.form_batch(now, &mut wanted, &mut effects);
        if !wanted.is_empty() {
            effects.push(Effect::LoadSubjects(wanted));
        }
        effects
    }

    fn asked(
        &mut self,
        ticket: Ticket,
        request: Arc<DecisionRequest>,
        now: Timestamp,
        wanted: &mut Vec<SubjectRef>,
        effects: &mut Vec<Effect>,
    ) {
        if self.halted == Some(Halt::Resync) {
            effects.push(Effect::Reply(ticket, Reply::Unavailable));
            return;
        }
        if self.pending.len() >= self.settings.waiting_max {
            effects.push(Effect::Reply(ticket, Reply::Overloaded));
            return;
        }
        let request_digest = request.digest();
        let (decision_id, id_minted) = match request.decision_id {
            Some(id) => (id, false),
            None => (self.mint(request_digest, now), true),
        };
        if let Some((digest, followers)) = self.pending.get_mut(&decision_id) {
            if *digest == request_digest {
                followers.push(ticket);
            } else {
                effects.push(Effect::Reply(ticket, Reply::Conflict(decision_id)));
            }
            return;
        }
        self.pending.insert(decision_id, (request_digest, Vec::new()));
        let waiting = Waiting { tickets: vec![ticket], request, request_digest, decision_id, id_minted, attempt: 0 };
        self.admit(waiting, wanted);
    }

    /// A decision id derived from the request and a counter, so that nobody can pick a convenient draw.
    fn mint(&mut self, request_digest: Digest, now: Timestamp) -> DecisionId {
        self.minted += 1;
        let hash: [u8; 32] = Sha256::new()
            .chain_update(b"proffer/id/1")
            .chain_update(request_digest.0)
            .chain_update(self.settings.incarnation.to_be_bytes())
            .chain_update(self.minted.to_be_bytes())
            .chain_update(&self.settings.node)
            .finalize()
            .into();
        let mut bits = [0; 10];
        bits.copy_from_slice(&hash[..10]);
        DecisionId::from_parts(now.0, bits)
    }

    /// To the ready ones, or to those whose subject is being read.
    fn admit(&mut self, waiting: Waiting, wanted: &mut Vec<SubjectRef>) {
        match waiting.request.subject() {
            Some(reference) if self.loading.contains_key(&reference) => {
                self.loading.entry(reference).or_default().push(waiting);
            }
            Some(reference) if self.cache.get(&reference).is_none() => {
                wanted.push(reference.clone());
                self.loading.insert(reference, vec![waiting]);
            }
            _ => self.ready.push_back(waiting),
        }
    }

    fn loaded(&mut self, loaded: Vec<Loaded>, now: Timestamp) {
        for Loaded { mut subject, contacts } in loaded {
            if let Some(contacts) = contacts {
                rebuild_caps(&self.snapshot.bundle, &self.snapshot.catalogue, &contacts, &mut subject.state, now);
            }
            let reference = subject.reference.clone();
            self.cache.put(subject);
            self.ready.extend(self.loading.remove(&reference).unwrap_or_default());
        }
    }

    fn published(&mut self, snapshot: Arc<Snapshot>) {
        if snapshot.bundle.cap_set != self.snapshot.bundle.cap_set {
            // Counters were built for other caps; they are rebuilt from contacts when loaded again.
            self.cache.clear();
        }
        if let Some(Halt::Snapshot(sequence)) = self.halted
            && snapshot.control_sequence >= sequence
        {
            self.halted = None;
        }
        self.snapshot = snapshot;
    }

    fn form_batch(&mut self, now: Timestamp, wanted: &mut Vec<SubjectRef>, effects: &mut Vec<Effect>) {
        if self.in_flight.is_some() || self.halted.is_some() {
            return;
        }
        let mut batch = InFlight::default();
        while batch.decided.len() < self.settings.batch_decisions_max {
            let Some(waiting) = self.ready.pop_front() else { break };
            let reference = waiting.request.subject();
            if let Some(reference) = &reference
                && !batch.chained.contains_key(reference)
            {
                let cap_set = Some(self.snapshot.bundle.cap_set);
                let current = |state: &SubjectState| state.cap_set.is_none() || state.cap_set == cap_set;
                match self.cache.get(reference).filter(|subject| current(&subject.state)) {
                    Some(subject) => {
                        let chained =
                            Chained { subject: subject.clone(), version_read: subject.version, changed: false };
                        batch.chained.insert(reference.clone(), chained);
                    }
                    None => {
                        self.cache.forget(reference);
                        self.admit(waiting, wanted);
                        continue;
                    }
                }
            }
            let chained = reference.as_ref().and_then(|reference| batch.chained.get_mut(reference));
            match decide_one(&self.snapshot, &self.settings, waiting, chained, now) {
                Ok(decided) => batch.decided.push(decided),
                Err((waiting, problems)) => self.reply(&waiting, &Reply::Refused(problems), effects),
            }
        }
        self.commit(batch, effects);
    }

    /// Sends a batch of what was decided; states that no decision of it read are left out.
    fn commit(&mut self, mut batch: InFlight, effects: &mut Vec<Effect>) {
        if batch.decided.is_empty() {
            return;
        }
        let reads = |reference: &SubjectRef, decided: &[Decided]| {
            decided.iter().any(|d| !d.waiting.contended() && d.subject.as_ref() == Some(reference))
        };
        batch.chained.retain(|reference, _| reads(reference, &batch.decided));
        let mut subjects: Vec<SubjectTouched> = batch
            .chained
            .values()
            .map(|chained| SubjectTouched {
                subject: chained.subject.subject,
                version: chained.version_read,
                next: chained.changed.then(|| SubjectNext {
                    version: chained.subject.version,
                    state: seal_state(
                        &chained.subject.key,
                        chained.subject.subject,
                        chained.subject.version,
                        &chained.subject.state,
                    ),
                }),
            })
            .collect();
        subjects.sort_by_key(|touched| touched.subject);
        let leaves: Vec<Digest> = batch.decided.iter().map(|decided| decided.write.record.leaf).collect();
        effects.push(Effect::Commit(Box::new(Batch {
            node: self.settings.node.clone(),
            incarnation: self.settings.incarnation,
            number: self.next_number,
            digest: merkle_root(&leaves),
            control_sequence: batch.decided.first().map_or(0, |decided| decided.skeleton.control_sequence),
            subjects,
            decisions: batch.decided.iter().map(|decided| decided.write.clone()).collect(),
        })));
        self.in_flight = Some(batch);
    }

    fn committed(&mut self, outcome: CommitOutcome, wanted: &mut Vec<SubjectRef>, effects: &mut Vec<Effect>) {
        let Some(batch) = self.in_flight.take() else { return };
        match outcome {
            CommitOutcome::Stored => {
                self.next_number += 1;
                for chained in batch.chained.into_values() {
                    self.cache.put(chained.subject);
                }
                for decided in batch.decided {
                    self.reply(&decided.waiting, &Reply::Decided(decided.skeleton), effects);
                }
            }
            CommitOutcome::Refused { gate, stale, known } => {
                self.refused(batch, gate, &stale, &known, wanted, effects);
            }
        }
    }

    /// Settles a refused batch: known ids are answered from the store, what read something stale (or came after a
    /// known id of the same subject) is decided again, the rest goes into the next attempt at once.
    fn refused(
        &mut self,
        batch: InFlight,
        gate: Option<u64>,
        stale: &[SubjectId],
        known: &[Known],
        wanted: &mut Vec<SubjectRef>,
        effects: &mut Vec<Effect>,
    ) {
        let InFlight { decided, mut chained } = batch;
        let mut again: Vec<SubjectRef> = Vec::new();
        for (reference, chain) in &chained {
            if stale.contains(&chain.subject.subject) {
                self.cache.forget(reference);
                again.push(reference.clone());
            }
        }
        let (mut kept, mut redo) = (Vec::new(), Vec::new());
        for decided in decided {
            match known.iter().find(|known| known.decision_id == decided.waiting.decision_id) {
                Some(known) => {
                    let same = known.request_digest == decided.waiting.request_digest;
                    let reply =
                        if same { Reply::Stored(known.record.clone()) } else { Reply::Conflict(known.decision_id) };
                    self.reply(&decided.waiting, &reply, effects);
                    again.extend(decided.subject);
                }
                None => kept.push(decided),
            }
        }
        let stays = |decided: &Decided| {
            let fresh = decided.subject.as_ref().is_none_or(|reference| !again.contains(reference));
            gate.is_none() && (fresh || decided.waiting.contended())
        };
        let mut rest = Vec::new();
        for decided in kept {
            if stays(&decided) { rest.push(decided) } else { redo.push(decided.waiting) }
        }
        chained.retain(|reference, _| !again.contains(reference));
        // The oldest first, before what came meanwhile.
        for mut waiting in redo.into_iter().rev() {
            waiting.attempt += 1;
            match waiting.request.subject() {
                Some(reference) if self.cache.get(&reference).is_none() => self.admit_first(waiting, reference, wanted),
                _ => self.ready.push_front(waiting),
            }
        }
        if let Some(sequence) = gate.filter(|sequence| *sequence > self.snapshot.control_sequence) {
            self.halted = Some(Halt::Snapshot(sequence));
            effects.push(Effect::ReloadSnapshot);
        }
        self.commit(InFlight { decided: rest, chained }, effects);
    }

    fn admit_first(&mut self, waiting: Waiting, reference: SubjectRef, wanted: &mut Vec<SubjectRef>) {
        if let Some(others) = self.loading.get_mut(&reference) {
            others.insert(0, waiting);
        } else {
            wanted.push(reference.clone());
            self.loading.insert(reference, vec![waiting]);
        }
    }

    fn commit_failed(&mut self, effects: &mut Vec<Effect>) {
        let batch = self.in_flight.take().unwrap_or_default();
        for reference in batch.chained.keys() {
            self.cache.forget(reference);
        }
        for decided in batch.decided {
            self.reply(&decided.waiting, &Reply::Unavailable, effects);
        }
        // Those who wait are told at once rather than kept for a store that may stay away.
        while let Some(waiting) = self.ready.pop_front() {
            self.reply(&waiting, &Reply::Unavailable, effects);
        }
        self.halted = Some(Halt::Resync);
        effects.push(Effect::Resync);
    }

    fn reply(&mut self, waiting: &Waiting, reply: &Reply, effects: &mut Vec<Effect>) {
        let followers = self.pending.remove(&waiting.decision_id).map(|(_, followers)| followers).unwrap_or_default();
        for ticket in waiting.tickets.iter().copied().chain(followers) {
            effects.push(Effect::Reply(ticket, reply.clone()));
        }
    }
}

const STATE_SEALED_AS: &str = "state";

/// Encodes and seals a subject state with its version.
pub fn seal_state(key: &SubjectKey, subject: SubjectId, version: u64, state: &SubjectState) -> Vec<u8> {
    let plain = minicbor::to_vec(state).unwrap_or_default();
    key.seal(STATE_SEALED_AS, &subject.0, version, &plain)
}

/// Opens what [`seal_state`] made; version 0 is the empty state that was never stored.
pub fn open_state(
    key: &SubjectKey,
    subject: SubjectId,
    version: u64,
    sealed: &[u8],
) -> Result<SubjectState, crate::domain::Malformed> {
    if version == 0 {
        return Ok(SubjectState::default());
    }
    let plain = key.open(STATE_SEALED_AS, &subject.0, version, sealed)?;
    minicbor::decode(&plain)
        .map_err(|error| crate::domain::Malformed(format!("a subject state does not decode: {error}")))
}

fn decide_one(
    snapshot: &Snapshot,
    settings: &Settings,
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
        contended: waiting.contended(),
    };
    let view = chained.as_ref().filter(|_| !waiting.contended()).map(|chained| SubjectView {
        kind: chained.subject.reference.kind,
        subject: chained.subject.subject,
        version: chained.subject.version,
        state: &chained.subject.state,
    });
    let decision = match decide(snapshot, &ask, view, &settings.generator, now) {
        Ok(decision) => decision,
        Err(problems) => return Err((waiting, problems)),
    };
    let anonymous;
    let key = match &chained {
        Some(chained) => &chained.subject.key,
        None => {
            anonymous = settings.master.anonymous_key(waiting.decision_id.as_bytes());
            &anonymous
        }
    };
    let record = Record::seal(decision.skeleton.clone(), &decision.private, key);
    let write = DecisionWrite {
        decision_id: waiting.decision_id,
        subject: chained.as_ref().map(|chained| chained.subject.subject),
        at: decision.skeleton.at,
        request_digest: waiting.request_digest,
        record,
    };
    if let (Some(chained), Some(next)) = (chained, decision.next) {
        chained.subject.state = next;
        chained.subject.version += 1;
        chained.changed = true;
    }
    let subject = waiting.request.subject();
    Ok(Decided { waiting, subject, skeleton: Arc::new(decision.skeleton), write })
}
