//! What becomes of a batch: stored, refused or unknown. Performs no effect.

use super::batch::{CommitOutcome, Known};
use super::chain::Decided;
use super::chain::InFlight;
use super::message::{Effect, Reply};
use super::step::{Engine, Halt};
use crate::domain::{PoolKey, SubjectId, SubjectRef};

impl Engine {
    pub(super) fn committed(
        &mut self,
        outcome: CommitOutcome,
        wanted: &mut Vec<SubjectRef>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(batch) = self.in_flight.take() else { return };
        let read = std::mem::take(&mut self.read_in_flight);
        match outcome {
            CommitOutcome::Stored => {
                self.next_number += 1;
                for chained in batch.chained.into_values() {
                    self.cache.put(chained.subject);
                }
                for decided in batch.decided {
                    // What was read meanwhile may hold them: believing too little gone costs one refusal, and too much
                    // would be believed for as long as nothing changes.
                    for take in decided.write.takes.iter().filter(|_| !read) {
                        self.purse.take(take);
                    }
                    self.reply(&decided.waiting, &Reply::Decided(decided.skeleton), effects);
                }
            }
            CommitOutcome::Refused { gate, stale, known, short } => {
                for (pool, gone) in &short {
                    self.purse.set(pool, *gone);
                }
                self.refused(batch, gate, (&stale, &known, &short), wanted, effects);
            }
        }
    }

    /// Settles a refused batch: known ids are answered from the store, what read something stale, took of what had run
    /// out, or came after such a decision of the same subject, is decided again, the rest goes into the next attempt at
    /// once.
    fn refused(
        &mut self,
        batch: InFlight,
        gate: Option<u64>,
        (stale, known, short): (&[SubjectId], &[Known], &[(PoolKey, i64)]),
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
        let took =
            |decided: &Decided| decided.write.takes.iter().any(|take| short.iter().any(|(pool, _)| *pool == take.pool));
        again.extend(
            decided.iter().filter(|decided| took(decided)).flat_map(|decided| decided.subjects.iter().cloned()),
        );
        let (mut kept, mut redo) = (Vec::new(), Vec::new());
        for decided in decided {
            match known.iter().find(|known| known.decision_id == decided.waiting.decision_id) {
                Some(known) => {
                    let same = known.request_digest == decided.waiting.request_digest;
                    let reply =
                        if same { Reply::Stored(known.record.clone()) } else { Reply::Conflict(known.decision_id) };
                    self.reply(&decided.waiting, &reply, effects);
                    again.extend(decided.subjects);
                }
                None => kept.push(decided),
            }
        }
        spread(&kept, &mut again);
        let stays = |decided: &Decided| {
            let fresh = decided.subjects.iter().all(|reference| !again.contains(reference));
            gate.is_none() && !took(decided) && (fresh || decided.waiting.contended())
        };
        let mut rest = Vec::new();
        for decided in kept {
            if stays(&decided) { rest.push(decided) } else { redo.push(decided.waiting) }
        }
        chained.retain(|reference, _| !again.contains(reference));
        // The oldest first, before what came meanwhile.
        for mut waiting in redo.into_iter().rev() {
            waiting.attempt += 1;
            match self.read_missing(&waiting, wanted) {
                Some(waited_for) => waited_for.insert(0, waiting),
                None => self.ready.push_front(waiting),
            }
        }
        if let Some(sequence) = gate.filter(|sequence| *sequence > self.snapshot.control_sequence) {
            self.halted = Some(Halt::Snapshot(sequence));
            effects.push(Effect::ReloadSnapshot);
        }
        self.commit(InFlight { decided: rest, chained }, effects);
    }

    /// Answers everybody who waits for a snapshot that does not come.
    pub(super) fn snapshot_refused(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.halted, Some(Halt::Snapshot(_))) {
            while let Some(waiting) = self.ready.pop_front() {
                self.reply(&waiting, &Reply::Unavailable, effects);
            }
        }
    }

    pub(super) fn commit_failed(&mut self, effects: &mut Vec<Effect>) {
        let batch = self.in_flight.take().unwrap_or_default();
        self.read_in_flight = false;
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
}

/// Adds every subject of a decision that read one of them, and so on: what such a decision made of its other subjects
/// was read by those behind it.
fn spread(decided: &[Decided], again: &mut Vec<SubjectRef>) {
    loop {
        let before = again.len();
        for one in decided.iter().filter(|one| !one.waiting.contended()) {
            if one.subjects.iter().any(|reference| again.contains(reference)) {
                let new: Vec<SubjectRef> =
                    one.subjects.iter().filter(|reference| !again.contains(reference)).cloned().collect();
                again.extend(new);
            }
        }
        if again.len() == before {
            return;
        }
    }
}
