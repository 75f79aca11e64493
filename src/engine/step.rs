//! The engine: `step(state, events) -> effects`. Forms batches; performs no effect and reads no clock.
//!
//! Requests wait while the previous batch commits; whatever has gathered then forms the next one. Decisions of one
//! subject within a batch are chained: each reads the state that the one before it made. Nothing is answered before
//! the store says that it is durable.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::batch::{Batch, SubjectNext, SubjectTouched};
use super::cache::SubjectCache;
use super::chain::{Chained, Decided, InFlight, Waiting};
use super::message::{Effect, Event, Loaded, Reply, Settings, Ticket};
use super::sealed::seal_state;
use crate::decision::Snapshot;
use crate::domain::{
    DecisionId, DecisionRequest, Digest, PoolLevels, Purse, SubjectKinds, SubjectRef, SubjectState, Timestamp,
};
use crate::policy::rebuild_caps;
use crate::transparency::merkle_root;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// Until a snapshot for a newer control row is published.
    Snapshot(u64),
    /// Until the store says what it has.
    Resync,
}

/// The state of one engine. It owns the subjects that hash to it and shares nothing but the snapshot and the store.
#[derive(Debug)]
pub struct Engine {
    pub(super) settings: Settings,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) next_number: u64,
    minted: u64,
    pub(super) cache: SubjectCache,
    /// What is known to be gone of what may run out. May be wrong without harm: the commit takes nothing that is gone.
    pub(super) purse: Purse,
    /// Whether the pools were read while the batch in flight may have been stored.
    pub(super) read_in_flight: bool,
    pub(super) loading: BTreeMap<SubjectRef, Vec<Waiting>>,
    pub(super) ready: VecDeque<Waiting>,
    /// Every decision id that waits or is in flight, with what it names and who else waits for it.
    pub(super) pending: BTreeMap<DecisionId, (Digest, Vec<Ticket>)>,
    pub(super) in_flight: Option<InFlight>,
    pub(super) halted: Option<Halt>,
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
            purse: Purse::default(),
            read_in_flight: false,
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
                Event::SnapshotRefused => self.snapshot_refused(&mut effects),
                Event::SubjectChanged(reference) => self.cache.forget(&reference),
                Event::PoolsRead(levels) => self.pools_read(&levels),
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

    /// The subjects whose states a request reads.
    pub(super) fn subjects(&self, waiting: &Waiting) -> Vec<(SubjectRef, SubjectKinds)> {
        waiting.request.subjects(self.snapshot.bundle.counted)
    }

    /// To the ready ones, or to those of whose subjects one is being read.
    fn admit(&mut self, waiting: Waiting, wanted: &mut Vec<SubjectRef>) {
        match self.read_missing(&waiting, wanted) {
            Some(waited_for) => waited_for.push(waiting),
            None => self.ready.push_back(waiting),
        }
    }

    /// Has every subject of a request read that is not at hand; gives those who wait for the first of them.
    pub(super) fn read_missing(
        &mut self,
        waiting: &Waiting,
        wanted: &mut Vec<SubjectRef>,
    ) -> Option<&mut Vec<Waiting>> {
        let mut first = None;
        for (reference, _) in self.subjects(waiting) {
            if !self.loading.contains_key(&reference) {
                if self.cache.get(&reference).is_some() {
                    continue;
                }
                wanted.push(reference.clone());
                self.loading.insert(reference.clone(), Vec::new());
            }
            first.get_or_insert(reference);
        }
        self.loading.get_mut(&first?)
    }

    fn loaded(&mut self, loaded: Vec<Loaded>, now: Timestamp) {
        for Loaded { mut subject, contacts } in loaded {
            // Contacts read for the caps of another bundle may lack what this one counts: they are read again.
            if let Some((cap_set, contacts)) = contacts
                && cap_set == self.snapshot.bundle.cap_set
            {
                rebuild_caps(&self.snapshot.bundle, &self.snapshot.catalogue, &contacts, &mut subject.state, now);
            }
            let reference = subject.reference.clone();
            self.cache.put(subject);
            self.ready.extend(self.loading.remove(&reference).unwrap_or_default());
        }
    }

    fn pools_read(&mut self, levels: &PoolLevels) {
        let Settings { node, incarnation, .. } = &self.settings;
        self.purse = Purse::of(levels, |name, number| name == node && number == *incarnation);
        self.read_in_flight = self.in_flight.is_some();
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
        // Decisions of one batch see what those before them took; it is gone once the batch is stored.
        let mut purse = self.purse.clone();
        while batch.decided.len() < self.settings.batch_decisions_max {
            let Some(waiting) = self.ready.pop_front() else { break };
            let subjects = self.subjects(&waiting);
            if batch.names_again(&subjects, &mut self.cache) {
                // A customer by another name than before: each state goes into a batch once.
                self.ready.push_front(waiting);
                break;
            }
            if !subjects.iter().all(|(reference, _)| self.chain(reference, &mut batch)) {
                self.admit(waiting, wanted);
                continue;
            }
            let with = (&self.settings, &mut purse);
            if let Err((waiting, problems)) = batch.decide(&self.snapshot, with, waiting, subjects, now) {
                self.reply(&waiting, &Reply::Refused(problems), effects);
            }
        }
        self.commit(batch, effects);
    }

    /// Puts a subject into a batch as it is at hand; `false` where it has to be read first.
    fn chain(&mut self, reference: &SubjectRef, batch: &mut InFlight) -> bool {
        if batch.chained.contains_key(reference) {
            return true;
        }
        let cap_set = Some(self.snapshot.bundle.cap_set);
        let current = |state: &SubjectState| state.cap_set.is_none() || state.cap_set == cap_set;
        let Some(subject) = self.cache.get(reference).filter(|subject| current(&subject.state)).cloned() else {
            self.cache.forget(reference);
            return false;
        };
        let version_read = subject.version;
        batch.chained.insert(reference.clone(), Chained { subject, version_read, changed: false });
        true
    }

    /// Sends a batch of what was decided; states that no decision of it read are left out.
    pub(super) fn commit(&mut self, mut batch: InFlight, effects: &mut Vec<Effect>) {
        if batch.decided.is_empty() {
            return;
        }
        let reads = |reference: &SubjectRef, decided: &[Decided]| {
            decided.iter().any(|d| !d.waiting.contended() && d.subjects.contains(reference))
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

    pub(super) fn reply(&mut self, waiting: &Waiting, reply: &Reply, effects: &mut Vec<Effect>) {
        let followers = self.pending.remove(&waiting.decision_id).map(|(_, followers)| followers).unwrap_or_default();
        for ticket in waiting.tickets.iter().copied().chain(followers) {
            effects.push(Effect::Reply(ticket, reply.clone()));
        }
    }
}
