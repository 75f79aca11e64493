//! The learner: from decisions and their outcomes to learning events and the next models. Stores nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::bandit::Model;
use crate::domain::key::SubjectKey;
use crate::domain::outcome::OutcomeFact;
use crate::domain::{DecisionId, Digest, Malformed, ModelId, PoolKey, Settled, SpendKey, SubjectId, Timestamp};
use crate::learning::{Applied, Costs, LearningEvent, Lesson};

/// Name of a batch row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchKey {
    /// The engine's name.
    pub node: String,
    /// Its incarnation.
    pub incarnation: u64,
    /// Its number.
    pub number: u64,
}

/// A learning event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearningRow {
    /// Which model.
    pub model: ModelId,
    /// Position in its stream, from 1, without gaps.
    pub sequence: u64,
    /// The decision that earned it.
    pub decision_id: DecisionId,
    /// The subject whose features it holds.
    pub subject: Option<SubjectId>,
    /// Sealed under the subject's key.
    pub sealed: Vec<u8>,
    /// The subject's wrapped key when read back; ignored when written.
    pub wrapped_key: Option<Vec<u8>>,
}

/// A checkpoint of a model's integer state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Which model.
    pub model: ModelId,
    /// How many events it holds.
    pub sequence: u64,
    /// Digest of the state.
    pub digest: Digest,
    /// Encoded state.
    pub state: Vec<u8>,
}

/// What is applied of one slot of one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedRow {
    /// Which decision.
    pub decision_id: DecisionId,
    /// Which of its slots, from 0.
    pub slot: u16,
    /// What is applied.
    pub applied: Applied,
    /// When more of it is to be learned though nothing comes; nothing where nothing is.
    pub due: Option<Timestamp>,
}

/// All that one step of the learner stores: everything or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// Batches that are now learned.
    pub batches: Vec<BatchKey>,
    /// Outcomes that are now applied.
    pub outcomes: Vec<Digest>,
    /// What is now applied of each slot touched.
    pub applied: Vec<AppliedRow>,
    /// Decisions that were due and that nothing can be learned of any more.
    pub given_up: Vec<DecisionId>,
    /// The events, continuing each model's stream.
    pub events: Vec<LearningRow>,
    /// New checkpoints.
    pub checkpoints: Vec<CheckpointRow>,
    /// What is added to the sums of spending.
    pub spent: Spent,
    /// What becomes of holds.
    pub settled: Vec<HoldSettled>,
}

/// What becomes of what one slot of a decision holds of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldSettled {
    /// Which decision.
    pub decision_id: DecisionId,
    /// Which of its slots, from 0.
    pub slot: u16,
    /// Of which pool.
    pub pool: PoolKey,
    /// What it holds from now on.
    pub to: Settled,
}

/// Amounts to add to sums of spending.
pub type Spent = BTreeMap<SpendKey, i64>;

/// What one slot of a decision costs, and what was applied of it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costed {
    /// Which decision.
    pub decision_id: DecisionId,
    /// What its slot costs.
    pub costs: Costs,
    /// What was applied before; nothing where the learner looks at the slot for the first time.
    pub before: Option<Applied>,
}

impl Learned {
    /// Counts what the slots studied spend. A slot that drew *nothing* teaches nothing, but exploring it may have cost
    /// something: it is marked as applied, so that it is counted once.
    pub fn count(&mut self, costed: &[Costed]) {
        let applied: BTreeMap<(DecisionId, u16), Applied> =
            self.applied.iter().map(|row| ((row.decision_id, row.slot), row.applied)).collect();
        for Costed { decision_id, costs, before } in costed {
            let now = applied.get(&(*decision_id, costs.slot)).copied();
            let since = costs.since(*before, now.or(*before).unwrap_or_default());
            if now.is_none() && before.is_none() && !since.is_empty() {
                let (decision_id, slot) = (*decision_id, costs.slot);
                self.applied.push(AppliedRow { decision_id, slot, applied: Applied::default(), due: None });
            }
            for (key, amount) in since {
                let sum = self.spent.entry(key).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
        self.spent.retain(|_, amount| *amount != 0);
    }
}

/// A slot of a decision to learn from, opened.
#[derive(Debug, Clone)]
pub struct Studied {
    /// What its record teaches.
    pub lesson: Lesson,
    /// Whose features it holds.
    pub subject: Option<SubjectId>,
    /// The key that its event is sealed under.
    pub key: SubjectKey,
    /// What was applied before.
    pub before: Applied,
    /// All of its outcomes.
    pub outcomes: Vec<OutcomeFact>,
}

/// A checkpoint is due when a stream passes a multiple of this many events.
pub const CHECKPOINT_EVENTS: u64 = 2_000;

/// Every model with the integers it has absorbed.
#[derive(Debug, Clone, Default)]
pub struct Models {
    /// By id.
    pub by_id: BTreeMap<ModelId, Arc<Model>>,
    /// The newest erasure that they are without; 0 before the first.
    pub erased_through: u64,
}

impl Models {
    /// What is to be stored for these decisions, and the models after it. Changes nothing: the caller adopts the
    /// models once the store has taken the rest. `at` is the time that says how far weights have grown.
    pub fn study(&self, studied: &[Studied], at: Timestamp) -> Result<(Learned, Self), Malformed> {
        let mut next = self.clone();
        let mut learned = Learned::default();
        for study in studied {
            let (now, _) = study.lesson.earned(&study.outcomes, at);
            let Lesson { decision_id, slot, .. } = study.lesson;
            learned.applied.push(AppliedRow { decision_id, slot, applied: now, due: study.lesson.due(now) });
            let Some(event) = study.lesson.event(study.before, now) else { continue };
            let id = study.lesson.model;
            let sequence = next.by_id.get(&id).map_or(0, |model| model.sequence()) + 1;
            learned.events.push(LearningRow {
                model: id,
                sequence,
                decision_id: study.lesson.decision_id,
                subject: study.subject,
                sealed: event.seal(&study.key, study.lesson.decision_id, sequence),
                wrapped_key: None,
            });
            next.absorb(id, sequence, &event)?;
            if sequence.is_multiple_of(CHECKPOINT_EVENTS)
                && let Some(model) = next.by_id.get(&id)
            {
                let (digest, state) = (model.digest(), model.encode());
                learned.checkpoints.push(CheckpointRow { model: id, sequence, digest, state });
            }
        }
        Ok((learned, next))
    }

    /// Applies the next event of a model's stream.
    pub fn absorb(&mut self, id: ModelId, sequence: u64, event: &LearningEvent) -> Result<(), Malformed> {
        let dimensions = event.increment.features.dimensions();
        let model = self.by_id.entry(id).or_insert_with(|| Arc::new(Model::new(id, dimensions)));
        Arc::make_mut(model).apply(sequence, &event.arm, &event.increment)
    }

    /// The models without what was learned from somebody, and a checkpoint of each that this changes. Of a model that
    /// is not there an event cannot be taken back.
    pub fn without(&self, events: &[(ModelId, u64, LearningEvent)]) -> Result<(Self, Vec<CheckpointRow>), Malformed> {
        let (mut next, mut changed) = (self.clone(), BTreeSet::new());
        for (id, sequence, event) in events {
            let Some(model) = next.by_id.get_mut(id) else {
                return Err(Malformed(format!("model {} is not there to forget event {sequence}", id.hex())));
            };
            Arc::make_mut(model).forget(*sequence, &event.arm, &event.increment)?;
            changed.insert(*id);
        }
        let checkpoint = |id| {
            let model = next.by_id.get(&id)?;
            Some(CheckpointRow { model: id, sequence: model.sequence(), digest: model.digest(), state: model.encode() })
        };
        let checkpoints = changed.into_iter().filter_map(checkpoint).collect();
        Ok((next, checkpoints))
    }

    /// Takes a model from a checkpoint and says whether its digest is the one written with it.
    pub fn restore(&mut self, row: &CheckpointRow) -> Result<(), Malformed> {
        let model = Model::decode(&row.state)?;
        if model.digest() != row.digest || model.sequence() != row.sequence {
            return Err(Malformed(format!(
                "the checkpoint of model {} at {} does not have the digest written with it",
                row.model.hex(),
                row.sequence
            )));
        }
        self.by_id.insert(row.model, Arc::new(model));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Day, PlacementId};

    #[test]
    fn exploring_is_counted_once_even_where_nothing_was_drawn_and_nothing_is_learned() {
        let explored = Some((PlacementId::new("home").unwrap(), 7));
        let (key, decision_id) =
            (SpendKey::Exploration(explored.clone().unwrap().0, Day(3)), DecisionId::from_bytes([1; 16]));
        let costs = Costs { slot: 2, day: Day(3), campaign: None, explored };
        let look = |before: Option<Applied>| {
            let mut learned = Learned::default();
            learned.count(&[Costed { decision_id, costs: costs.clone(), before }]);
            learned
        };
        let first = look(None);
        assert_eq!(first.spent, Spent::from([(key, 7)]));
        let marked = AppliedRow { decision_id, slot: 2, applied: Applied::default(), due: None };
        assert_eq!(first.applied, [marked]);
        assert_eq!(look(Some(Applied::default())), Learned::default(), "looked at again, for an outcome");
    }
}
