//! Erasure: a customer is found by nobody any more, then taken out of every model, then gone. Judges no claim to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::timeout;

use super::{Core, Progress, RuntimeError};
use crate::config::erased;
use crate::domain::key::SubjectKey;
use crate::domain::{Digest, Malformed, ModelId, SubjectId, SubjectRef};
use crate::learning::LearningEvent;
use crate::store::{Begun, By, Erased, Erasing, ErasureRow, LegalHold};

/// How long a call waits for the learner of this process before it looks whether what was learned is taken back:
/// another process announces nothing.
const LOOK: Duration = Duration::from_millis(100);
/// How often it looks before it answers that it is still to be done.
const LOOKS_MAX: u32 = 100;
/// Outside ids compared at once with the list of who was erased.
const NAMES_MAX: u32 = 4_096;

/// What became of the wish to erase a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasure {
    /// Nobody is known by the id, and nobody was erased who was.
    Unknown,
    /// A legal hold keeps the customer.
    Held(LegalHold),
    /// The customer is gone, or will be as soon as the learner has taken back what was learned.
    Made(ErasureRow),
}

impl Core {
    /// Erases a customer, with everybody who became it. When this returns no decision can read anything of it; unless
    /// the learner is away it is also taken out of every model, and its keys are gone.
    pub async fn erase_customer(&self, who: &SubjectRef, by: &str) -> Result<Erasure, RuntimeError> {
        let hash = |name: &SubjectRef| self.keys.master.outside_hash(name);
        let names = self.store.known_as(who).await?;
        if names.is_empty() {
            let before = self.store.erasure_of(hash(who)).await?;
            return Ok(before.map_or(Erasure::Unknown, Erasure::Made));
        }
        for (subject, _) in &names {
            if let Some(hold) = self.store.held(*subject).await? {
                return Ok(Erasure::Held(hold));
            }
        }
        // First outside the database: a backup of it from a moment later must know of it too.
        self.list_erased(&names.iter().map(|(_, name)| hash(name)).collect::<Vec<_>>())?;
        let erasure = match self.begin_erasure(who, by).await? {
            Begun::Unknown => return Ok(Erasure::Unknown),
            Begun::Held(hold) => return Ok(Erasure::Held(hold)),
            Begun::Begun { erasure, .. } => erasure,
        };
        let mut looks = 0;
        loop {
            let idle = self.idle.notified();
            self.work.notify_one();
            let row = self.store.erasure(erasure).await?;
            let row = row.ok_or_else(|| Malformed(format!("erasure {erasure} is not there any more")))?;
            if row.done.is_some() || looks == LOOKS_MAX {
                return Ok(Erasure::Made(row));
            }
            looks += 1;
            let _ = timeout(LOOK, idle).await;
        }
    }

    async fn begin_erasure(&self, who: &SubjectRef, by: &str) -> Result<Begun, RuntimeError> {
        let hash = |name: &SubjectRef| self.keys.master.outside_hash(name);
        let begun = self.store.begin_erasure(who, &hash, By { key: by, at: self.clock.now() }).await?;
        if let Begun::Begun { names, .. } = &begun {
            // One that became the customer between the look and the lock is among them.
            self.list_erased(&names.iter().map(hash).collect::<Vec<_>>())?;
            for name in names {
                self.subject_changed(name);
            }
        }
        Ok(begun)
    }

    fn list_erased(&self, hashes: &[Digest]) -> Result<(), RuntimeError> {
        Ok(erased::add(&self.settings.erased_file, hashes)?)
    }

    /// Brings the store and the list outside it together, before anybody is served: whoever is on the list and was not
    /// erased in this store, which then is older, is erased again; and the list gets what the store knows.
    pub(super) async fn apply_erased_list(&self) -> Result<(), RuntimeError> {
        let listed = erased::read(&self.settings.erased_file)?;
        let done = self.store.erased_hashes().await?;
        self.list_erased(&done)?;
        let done: BTreeSet<Digest> = done.into_iter().collect();
        let missing: BTreeSet<&Digest> = listed.difference(&done).collect();
        if missing.is_empty() {
            return Ok(());
        }
        tracing::info!(entries = missing.len(), "customers were erased since this store was written; looking for them");
        let mut after = None;
        loop {
            let names = self.store.outside_ids(after.as_ref(), NAMES_MAX).await?;
            let Some(last) = names.last() else { return Ok(()) };
            for name in names.iter().filter(|name| missing.contains(&self.keys.master.outside_hash(name))) {
                if let Begun::Begun { erasure, .. } = self.begin_erasure(name, "start").await? {
                    tracing::info!(erasure, "a customer was erased again");
                }
            }
            after = Some(last.clone());
        }
    }

    /// Completes every erasure that was begun, as the learner under its term.
    pub(super) async fn complete_erasures(&self, term: u64) -> Result<Progress, RuntimeError> {
        for erasing in self.store.erasing().await? {
            if self.complete(term, &erasing).await? == Progress::Fenced {
                return Ok(Progress::Fenced);
            }
        }
        Ok(Progress::Idle)
    }

    async fn complete(&self, term: u64, erasing: &Erasing) -> Result<Progress, RuntimeError> {
        let mut keys: BTreeMap<SubjectId, SubjectKey> = BTreeMap::new();
        for (subject, wrapped) in &erasing.subjects {
            keys.insert(*subject, self.keys.master.unwrap(*subject, wrapped)?);
        }
        let mut events: Vec<(ModelId, u64, LearningEvent)> = Vec::new();
        for row in self.store.learning_events_of(erasing.erasure).await? {
            let key = row.subject.and_then(|subject| keys.get(&subject));
            let key = key.ok_or_else(|| Malformed::new("a learning event of somebody else is among those to erase"))?;
            let event = LearningEvent::open(key, row.decision_id, row.sequence, &row.sealed)?;
            events.push((row.model, row.sequence, event));
        }
        let (mut next, checkpoints) = self.models().without(&events)?;
        let (erasure, learning_events, at) = (erasing.erasure, events.len() as u64, self.clock.now());
        if !self.store.erase(term, &Erased { erasure, checkpoints, learning_events, at }).await? {
            return Ok(Progress::Fenced);
        }
        next.erased_through = erasure;
        self.adopt_models(next, !events.is_empty());
        tracing::info!(erasure, learning_events, "a customer is erased");
        Ok(Progress::Learned)
    }

    /// Puts a customer under a legal hold, so that nobody erases it; `None` if nobody is known by the id, `false` if it
    /// is under one already.
    pub async fn hold_customer(&self, who: &SubjectRef, why: &str, by: &str) -> Result<Option<bool>, RuntimeError> {
        let Some(found) = self.store.find_subject(who).await? else { return Ok(None) };
        Ok(Some(self.store.hold(found.subject, why, By { key: by, at: self.clock.now() }).await?))
    }

    /// Ends the legal hold of a customer; `None` if nobody is known by the id, `false` if it is under none.
    pub async fn end_hold(&self, who: &SubjectRef, by: &str) -> Result<Option<bool>, RuntimeError> {
        let mut ended = None;
        for (subject, _) in self.store.known_as(who).await? {
            let one = self.store.end_hold(subject, By { key: by, at: self.clock.now() }).await?;
            ended = Some(ended.unwrap_or(false) || one);
        }
        Ok(ended)
    }
}
