//! The learner's loop: read work, study it, store the events, publish the models. Holds the term it was given.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::{Core, RuntimeError};
use crate::domain::decision::Record;
use crate::engine::learner::{Models, Studied};
use crate::learning::LearningEvent;
use crate::learning::Lesson;
use crate::store::{StoredDecision, Touched};

/// Decisions studied in one step at most.
const DECISIONS_MAX: u32 = 1_024;
/// Events read at once when models are rebuilt.
const EVENTS_MAX: u32 = 4_096;

/// What a look for work found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Something was learned and there may be more.
    Learned,
    /// There was nothing to learn.
    Idle,
    /// A newer term exists: this process learns no more.
    Fenced,
}

impl Core {
    /// Rebuilds every model from its newest checkpoint and the events after it.
    pub(super) async fn restore_models(&self) -> Result<Models, RuntimeError> {
        let mut models = Models::default();
        for (model, last) in self.store.model_heads().await? {
            let mut sequence = 0;
            if let Some(checkpoint) = self.store.checkpoint(model).await? {
                sequence = checkpoint.sequence;
                models.restore(&checkpoint)?;
            }
            while sequence < last {
                let rows = self.store.learning_events(model, sequence, EVENTS_MAX).await?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    let key = self.key_of(row.subject, row.wrapped_key.as_deref(), row.decision_id)?;
                    let event = LearningEvent::open(&key, row.decision_id, row.sequence, &row.sealed)?;
                    models.absorb(model, row.sequence, &event)?;
                    sequence = row.sequence;
                }
            }
        }
        Ok(models)
    }

    fn study(&self, touched: Touched) -> Result<Vec<Studied>, RuntimeError> {
        let StoredDecision { decision_id, subject, wrapped_key, record, .. } = touched.decision;
        let key = self.key_of(subject, wrapped_key.as_deref(), decision_id)?;
        let skeleton = Record::skeleton(&record)?;
        let private = record.private(&key)?;
        let study = |lesson: Lesson| Studied {
            subject,
            key: key.clone(),
            before: touched.applied.get(&lesson.slot).copied().unwrap_or_default(),
            outcomes: touched.outcomes.clone(),
            lesson,
        };
        Ok(Lesson::read(&skeleton, &private)?.into_iter().map(study).collect())
    }

    /// One step of the learner.
    pub async fn learn_once(&self, term: u64) -> Result<Progress, RuntimeError> {
        let work = self.store.learner_work(DECISIONS_MAX).await?;
        if work.batches.is_empty() && work.outcomes.is_empty() {
            return Ok(Progress::Idle);
        }
        // Nothing can be learned from a customer whose key is gone, and nothing may wait for it.
        let legible = |touched: &Touched| touched.decision.subject.is_none() || touched.decision.wrapped_key.is_some();
        let touched = work.touched.into_iter().filter(legible);
        let studied: Vec<Vec<Studied>> = touched.map(|touched| self.study(touched)).collect::<Result<_, _>>()?;
        let models = self.models();
        let (mut learned, next) = models.study(&studied.concat())?;
        learned.batches = work.batches;
        learned.outcomes = work.outcomes;
        if !self.store.learn(term, &learned).await? {
            return Ok(Progress::Fenced);
        }
        let changed = !learned.events.is_empty();
        self.adopt_models(next);
        if changed {
            self.publish();
        }
        Ok(Progress::Learned)
    }

    /// Runs until the process stops, a newer term appears, or nothing can be read any more.
    pub(super) async fn learn_forever(self: Arc<Self>, term: u64) {
        let mut backoff = Backoff::new();
        loop {
            match self.learn_once(term).await {
                Ok(Progress::Learned) => {
                    backoff.reset();
                    tokio::task::yield_now().await;
                }
                Ok(Progress::Idle) => {
                    self.idle.notify_waiters();
                    // Work is announced; the pause only catches what another process announced to itself.
                    let _ = tokio::time::timeout(Duration::from_secs(1), self.work.notified()).await;
                }
                Ok(Progress::Fenced) => {
                    tracing::warn!(term, "another process has become the learner; this one learns no more");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "learning is interrupted and will be tried again");
                    backoff.pause().await;
                }
            }
        }
    }
}
