//! Ground: what the store holds, opened, and the models that follow from it. Asks no service and changes nothing.

use std::collections::BTreeMap;

use proffer::config::keyfile::Keys;
use proffer::domain::decision::{Private, Skeleton};
use proffer::domain::key::SubjectKey;
use proffer::domain::outcome::OutcomeFact;
use proffer::domain::{DecisionId, Digest, ModelId, SubjectId, Timestamp};
use proffer::engine::learner::Models;
use proffer::learning::{Applied, LearningEvent, Lesson};
use proffer::store::{Store, StoredDecision};

/// A decision of the ground state, opened.
pub struct Opened {
    pub stored: StoredDecision,
    pub skeleton: Skeleton,
    pub private: Private,
    pub outcomes: Vec<OutcomeFact>,
}

/// The name of each model's state.
pub type Digests = BTreeMap<ModelId, Digest>;

fn key_of(keys: &Keys, subject: Option<SubjectId>, wrapped: Option<&[u8]>, decision: DecisionId) -> SubjectKey {
    match subject {
        Some(subject) => keys.master.unwrap(subject, wrapped.unwrap()).unwrap(),
        None => keys.master.anonymous_key(decision.as_bytes()),
    }
}

/// Every decision with its outcomes, in the order of the ids; without those of customers who are erased.
pub async fn read(store: &dyn Store, keys: &Keys) -> Vec<Opened> {
    let (mut opened, mut last): (Vec<Opened>, _) = (Vec::new(), None);
    loop {
        let page = store.decisions_after(last, 500).await.unwrap();
        if page.is_empty() {
            return opened;
        }
        last = page.last().map(|last| last.decision_id);
        for stored in page.into_iter().filter(|stored| stored.subject.is_none() || stored.wrapped_key.is_some()) {
            let key = key_of(keys, stored.subject, stored.wrapped_key.as_deref(), stored.decision_id);
            let skeleton = stored.record.skeleton().unwrap();
            let private = stored.record.private(&key).unwrap();
            let outcomes = store.outcomes_of(stored.decision_id).await.unwrap();
            opened.push(Opened { stored, skeleton, private, outcomes });
        }
    }
}

fn digests(models: &Models) -> Digests {
    models.by_id.iter().map(|(id, model)| (*id, model.digest())).collect()
}

/// The models of an undisturbed run: one event for each decision, holding all that ever came of it.
pub fn models_of(ground: &[Opened]) -> Digests {
    let mut models = Models::default();
    for decision in ground {
        for lesson in Lesson::read(&decision.skeleton, &decision.private).unwrap() {
            let (now, _) = lesson.earned(&decision.outcomes, Timestamp(i64::MAX));
            if let Some(event) = lesson.event(Applied::default(), now) {
                let sequence = models.by_id.get(&lesson.model).map_or(0, |model| model.sequence()) + 1;
                models.absorb(lesson.model, sequence, &event).unwrap();
            }
        }
    }
    digests(&models)
}

/// The models of the newest checkpoints and the events after them, as a restart builds them. Says how many started
/// from a checkpoint.
pub async fn models_of_events(store: &dyn Store, keys: &Keys) -> (Digests, usize) {
    let (mut models, mut checkpoints) = (Models::default(), 0);
    for (model, last) in store.model_heads().await.unwrap() {
        let mut sequence = 0;
        if let Some(checkpoint) = store.checkpoint(model, None).await.unwrap() {
            models.restore(&checkpoint).unwrap();
            sequence = checkpoint.sequence;
            checkpoints += 1;
        }
        while sequence < last {
            let events = store.learning_events(model, sequence, 1_000).await.unwrap();
            assert!(!events.is_empty(), "the stream of {model:?} ends at {sequence}, before its head {last}");
            for row in events {
                let key = key_of(keys, row.subject, row.wrapped_key.as_deref(), row.decision_id);
                let event = LearningEvent::open(&key, row.decision_id, row.sequence, &row.sealed).unwrap();
                models.absorb(model, row.sequence, &event).unwrap();
                sequence = row.sequence;
            }
        }
    }
    (digests(&models), checkpoints)
}
