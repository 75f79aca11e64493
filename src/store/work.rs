//! Work: what both stores do alike with outcomes and learning events, as functions of what was read. Knows no SQL.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::outcome::OutcomeFact;
use crate::domain::{DecisionId, Digest, Hold, ModelId};

use super::{
    Applied, AppliedRow, BatchKey, Learned, LearnerWork, LearningRow, OutcomeRow, StoreError, StoredDecision, Taken,
    Touched,
};

/// The first outcome of each key, in the order of the keys: every call then meets the rows in the same order, so that
/// two of them cannot wait for one another in a circle.
pub(super) fn firsts(outcomes: &[OutcomeRow]) -> Vec<&OutcomeRow> {
    let mut firsts: BTreeMap<Digest, &OutcomeRow> = BTreeMap::new();
    for outcome in outcomes {
        firsts.entry(outcome.fact.key).or_insert(outcome);
    }
    firsts.into_values().collect()
}

/// What became of each outcome, given the keys that were new and the decisions they have now.
pub(super) fn taken(
    outcomes: &[OutcomeRow],
    mut new: BTreeSet<Digest>,
    decisions: &BTreeMap<Digest, DecisionId>,
) -> Vec<Taken> {
    let answer = |outcome: &OutcomeRow| match (new.remove(&outcome.fact.key), decisions.get(&outcome.fact.key)) {
        (false, _) => Taken::Duplicate,
        (true, Some(decision)) => Taken::Accepted(*decision),
        (true, None) => Taken::Unmatched,
    };
    outcomes.iter().map(answer).collect()
}

/// What the learner has to look at, before the decisions themselves are read.
pub(super) struct Found {
    /// Unlearned batches with their decisions.
    pub(super) batches: Vec<(BatchKey, Vec<DecisionId>)>,
    /// Unapplied outcomes with their decision.
    pub(super) outcomes: Vec<(Digest, DecisionId)>,
    /// Decisions that are due.
    pub(super) due: Vec<DecisionId>,
}

impl Found {
    /// Every decision touched, once, in the order of the ids.
    pub(super) fn decision_ids(&self) -> Vec<DecisionId> {
        let of_batches = self.batches.iter().flat_map(|(_, ids)| ids.iter().copied());
        let ids: BTreeSet<DecisionId> =
            of_batches.chain(self.outcomes.iter().map(|(_, id)| *id)).chain(self.due.iter().copied()).collect();
        ids.into_iter().collect()
    }

    /// The work, with each decision's outcomes in the order given.
    pub(super) fn work(
        self,
        decisions: Vec<StoredDecision>,
        (applied, holds): (Vec<AppliedRow>, Vec<(DecisionId, Hold)>),
        facts: Vec<(DecisionId, OutcomeFact)>,
    ) -> LearnerWork {
        let mut outcomes: BTreeMap<DecisionId, Vec<OutcomeFact>> = BTreeMap::new();
        for (decision, fact) in facts {
            outcomes.entry(decision).or_default().push(fact);
        }
        let mut before: BTreeMap<DecisionId, BTreeMap<u16, Applied>> = BTreeMap::new();
        for AppliedRow { decision_id, slot, applied, .. } in applied {
            before.entry(decision_id).or_default().insert(slot, applied);
        }
        let mut held: BTreeMap<DecisionId, Vec<Hold>> = BTreeMap::new();
        for (decision, hold) in holds {
            held.entry(decision).or_default().push(hold);
        }
        let touched = decisions.into_iter().map(|decision| Touched {
            applied: before.remove(&decision.decision_id).unwrap_or_default(),
            outcomes: outcomes.remove(&decision.decision_id).unwrap_or_default(),
            holds: held.remove(&decision.decision_id).unwrap_or_default(),
            decision,
        });
        LearnerWork {
            touched: touched.collect(),
            batches: self.batches.into_iter().map(|(key, _)| key).collect(),
            outcomes: self.outcomes.into_iter().map(|(key, _)| key).collect(),
            due: self.due,
        }
    }
}

/// The models that a step writes events of.
pub(super) fn models(learned: &Learned) -> Vec<ModelId> {
    let models: BTreeSet<ModelId> = learned.events.iter().map(|event| event.model).collect();
    models.into_iter().collect()
}

/// The heads after these events; refused where an event does not continue its stream, for a gap would never be noticed
/// by those who read on from a sequence.
pub(super) fn continued(
    mut heads: BTreeMap<ModelId, u64>,
    events: &[LearningRow],
) -> Result<BTreeMap<ModelId, u64>, StoreError> {
    for event in events {
        let head = heads.entry(event.model).or_default();
        if event.sequence != *head + 1 {
            return Err(StoreError::Corrupt(format!(
                "event {} of model `{}` does not continue its stream, which ends at {head}",
                event.sequence,
                event.model.hex()
            )));
        }
        *head = event.sequence;
    }
    Ok(heads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_continue_their_streams_without_gaps() {
        let event = |model: u8, sequence| LearningRow {
            model: ModelId([model; 16]),
            sequence,
            decision_id: DecisionId::from_bytes([0; 16]),
            subject: None,
            sealed: Vec::new(),
            wrapped_key: None,
        };
        let heads = BTreeMap::from([(ModelId([1; 16]), 7)]);
        let check = |events: &[LearningRow]| continued(heads.clone(), events).map_err(|error| error.to_string());
        let after = BTreeMap::from([(ModelId([1; 16]), 9), (ModelId([2; 16]), 1)]);
        assert_eq!(check(&[event(1, 8), event(2, 1), event(1, 9)]), Ok(after));
        assert_eq!(
            check(&[event(1, 9)]).unwrap_err(),
            format!(
                "the store holds something unreadable: event 9 of model `{}` does not continue its stream, \
                 which ends at 7",
                "01".repeat(16)
            )
        );
    }
}
