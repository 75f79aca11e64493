//! One step of the learner: read work, study it, store the events, publish the models; and reading on what was
//! learned elsewhere. Is elected by nobody: it writes under the term it is given.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use super::{Core, RuntimeError};
use crate::domain::decision::Record;
use crate::domain::pool::{HOLD_LIFE, WINDOW_MAX};
use crate::domain::{DecisionId, PoolLevels, Timestamp};
use crate::engine::learner::{CHECKPOINT_EVENTS, Costed, Models, Studied};
use crate::learning::{self, Costs, LearningEvent, Lesson};
use crate::store::{HoldSettled, StoredDecision, Touched};

/// Decisions studied in one step at most.
const DECISIONS_MAX: u32 = 1_024;
/// Pieces of what can never matter again that are removed at once at most.
const PRUNED_PIECES_MAX: u32 = 10;
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
    /// Reads on what was learned, here or by another process, after the sequences that the models stand at: the events,
    /// or the newest checkpoint first where a model is new or far behind. Says whether there was anything.
    pub(super) async fn read_on(&self, models: &mut Models) -> Result<bool, RuntimeError> {
        // Read before the heads: what is erased between the two is seen the next time, and never missed.
        let erased_through = self.store.erased_through().await?;
        let anew = erased_through > models.erased_through;
        let mut any = anew;
        for (model, last) in self.store.model_heads().await? {
            let mut sequence = models.by_id.get(&model).map_or(0, |model| model.sequence());
            any |= sequence < last;
            if (anew || sequence == 0 || last.saturating_sub(sequence) > CHECKPOINT_EVENTS)
                && let Some(checkpoint) = self.store.checkpoint(model, None).await?
                && (anew || checkpoint.sequence > sequence)
            {
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
        models.erased_through = erased_through;
        Ok(any)
    }

    /// Reads what was spent, as of the clock's day, here or by another process. Says whether it has changed; what
    /// decisions read changes with the next snapshot.
    pub(super) async fn read_spend(&self) -> Result<bool, RuntimeError> {
        let read = self.store.spend(self.clock.now().day()).await?;
        let mut spend = self.spend.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **spend != read;
        if changed {
            *spend = Arc::new(read);
        }
        Ok(changed)
    }

    /// Reads what is left of what may run out, here or in the hands of others, and tells the engines if it has changed.
    pub(super) async fn read_pools(&self) -> Result<(), RuntimeError> {
        let read = self.store.pools(self.clock.now().minus(WINDOW_MAX)).await?;
        {
            let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
            if **pools == read {
                return Ok(());
            }
            *pools = Arc::new(read);
        }
        if let Some(engines) = self.engines.get() {
            engines.pools_read(&self.pools());
        }
        Ok(())
    }

    /// Removes what can never matter again of pools and of what decisions hold of them, some of it at a time.
    pub(super) async fn prune_pools(&self) -> Result<(), RuntimeError> {
        let now = self.clock.now();
        for _ in 0..PRUNED_PIECES_MAX {
            if !self.store.prune_pools(now.minus(WINDOW_MAX), now.minus(HOLD_LIFE)).await? {
                break;
            }
        }
        Ok(())
    }

    /// What is left of what may run out, as last read.
    pub(super) fn pools(&self) -> Arc<PoolLevels> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn study(&self, touched: Touched) -> Result<(Vec<Studied>, Vec<Costed>), RuntimeError> {
        let StoredDecision { decision_id, subject, wrapped_key, record, .. } = touched.decision;
        let key = self.key_of(subject, wrapped_key.as_deref(), decision_id)?;
        let skeleton = Record::skeleton(&record)?;
        let private = record.private(&key)?;
        let costed = |costs: Costs| {
            let before = touched.applied.get(&costs.slot).copied();
            Costed { decision_id, costs, before }
        };
        let costed = Costs::read(&skeleton).into_iter().map(costed).collect();
        let study = |lesson: Lesson| Studied {
            subject,
            key: key.clone(),
            before: touched.applied.get(&lesson.slot).copied().unwrap_or_default(),
            outcomes: touched.outcomes.clone(),
            lesson,
        };
        Ok((Lesson::read(&skeleton, &private)?.into_iter().map(study).collect(), costed))
    }

    /// One step of the learner.
    pub async fn learn_once(&self, term: u64) -> Result<Progress, RuntimeError> {
        if self.complete_erasures(term).await? == Progress::Fenced {
            return Ok(Progress::Fenced);
        }
        let now = self.clock.now();
        let mut work = self.store.learner_work(DECISIONS_MAX, now).await?;
        // Outcomes that came before the decision they name are matched as soon as it is studied.
        let studied: Vec<DecisionId> = work.touched.iter().map(|touched| touched.decision.decision_id).collect();
        if !work.batches.is_empty() && self.match_awaiting(&studied).await? {
            work = self.store.learner_work(DECISIONS_MAX, now).await?;
        }
        if work.batches.is_empty() && work.outcomes.is_empty() && work.due.is_empty() {
            return Ok(Progress::Idle);
        }
        // Nothing can be learned from a customer whose key is gone, and nothing may wait for it.
        let settled = settled(&work.touched, now)?;
        let legible = |touched: &Touched| touched.decision.subject.is_none() || touched.decision.wrapped_key.is_some();
        let touched = work.touched.into_iter().filter(legible);
        let (mut studied, mut costed) = (Vec::new(), Vec::new());
        for touched in touched {
            let (lessons, costs) = self.study(touched)?;
            studied.extend(lessons);
            costed.extend(costs);
        }
        let models = self.models();
        let (mut learned, next) = models.study(&studied, now)?;
        learned.count(&costed);
        learned.settled = settled;
        let late = learned.settled.iter().filter(|settled| settled.to.late).count();
        learned.batches = work.batches;
        learned.outcomes = work.outcomes;
        // What is due and was not studied would be due for ever.
        let met: BTreeSet<DecisionId> = learned.applied.iter().map(|row| row.decision_id).collect();
        learned.given_up = work.due.into_iter().filter(|id| !met.contains(id)).collect();
        if !self.store.learn(term, &learned).await? {
            return Ok(Progress::Fenced);
        }
        self.metrics.pools_late(late);
        if !learned.settled.is_empty() {
            self.read_pools().await?;
        }
        let spent = !learned.spent.is_empty() && self.read_spend().await?;
        let changed = !learned.events.is_empty();
        self.adopt_models(next, changed || spent);
        Ok(Progress::Learned)
    }
}

/// What becomes of what decisions hold of what may run out. Those of a customer whose key is gone too: a skeleton holds
/// nothing personal.
fn settled(touched: &[Touched], now: Timestamp) -> Result<Vec<HoldSettled>, RuntimeError> {
    let mut all = Vec::new();
    for Touched { decision, outcomes, holds, .. } in touched.iter().filter(|touched| !touched.holds.is_empty()) {
        let (skeleton, decision_id) = (Record::skeleton(&decision.record)?, decision.decision_id);
        let settled = learning::settled(&skeleton, outcomes, holds, now).into_iter();
        all.extend(settled.map(|(hold, to)| HoldSettled { decision_id, slot: hold.slot, pool: hold.pool.clone(), to }));
    }
    Ok(all)
}
