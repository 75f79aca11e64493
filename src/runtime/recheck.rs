//! Rechecks: whether what was decided may still be sent. Decides nothing, stores nothing.

use std::sync::Arc;

use super::{Core, Opened, RuntimeError};
use crate::decision::{Rechecked, Snapshot, SubjectView, Subjects, recheck};
use crate::domain::decision::Skeleton;
use crate::domain::{DecisionId, Hold, Purse, SubjectId, SubjectKinds, Timestamp};
use crate::engine::Subject;
use crate::policy::rebuild_caps;

/// What the rules say now of what was decided.
#[derive(Debug, Clone)]
pub struct Recheck {
    /// The decision.
    pub opened: Opened,
    /// What was asked.
    pub snapshot: Arc<Snapshot>,
    /// When.
    pub at: Timestamp,
    /// One for each slot that shows an offer.
    pub slots: Vec<Rechecked>,
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchecked {
    /// The customer's key is gone.
    KeyGone,
    /// The active bundle does not have the placement.
    PlacementGone,
}

impl Core {
    /// Asks the rules of this moment about every offer of a decision, its own contacts left out; nothing where no such
    /// decision is stored.
    pub async fn recheck(
        &self,
        id: DecisionId,
        time_zone: Option<&str>,
    ) -> Result<Option<Result<Recheck, Unchecked>>, RuntimeError> {
        let Some(opened) = self.record(id).await? else { return Ok(None) };
        // No commit will tell that something has changed.
        self.follow_control().await?;
        let (snapshot, at) = (self.snapshot(), self.clock.now());
        let Some(private) = &opened.private else { return Ok(Some(Err(Unchecked::KeyGone))) };
        let Some(placement) = snapshot.bundle.placement(opened.skeleton.placement.as_str()) else {
            return Ok(Some(Err(Unchecked::PlacementGone)));
        };
        let subjects = self.counted_without(id, &snapshot, at).await?;
        let read = Subjects::of(subjects.iter().map(|(subject, stands_for)| {
            let Subject { reference, subject, version, state, .. } = subject;
            (SubjectView { kind: reference.kind, subject: *subject, version: *version, state }, *stands_for)
        }));
        let purse = self.purse_without(&opened.skeleton).await?;
        let slots = recheck(&snapshot, placement, (&opened.skeleton, private), time_zone, (&read, &purse), at);
        self.metrics.decided(opened.skeleton.placement.as_str(), "rechecked", "");
        Ok(Some(Ok(Recheck { opened, snapshot, at, slots })))
    }

    /// What is gone of every pool, without what a decision holds.
    async fn purse_without(&self, skeleton: &Skeleton) -> Result<Purse, RuntimeError> {
        let own = format!("{}/", self.settings.node);
        let drew = skeleton.pools.iter().flatten().any(|pool| pool.taken > 0);
        if drew {
            self.read_pools().await?;
        }
        let mut purse = Purse::of(&self.pools(), |node, _| node.starts_with(&own));
        // Read behind the pools: what was given back in between is then only not there yet, and not there twice.
        let holds = if drew { self.store.holds_of(skeleton.decision_id).await? } else { Vec::new() };
        for Hold { pool, held, .. } in holds {
            purse.set(&pool, purse.gone(&pool.name, pool.period).saturating_sub(held));
        }
        Ok(purse)
    }

    /// Everybody whom a decision counts for, each with its contacts counted anew without those of the decision: what a
    /// counter let go because of them nobody else knows.
    async fn counted_without(
        &self,
        id: DecisionId,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Vec<(Subject, SubjectKinds)>, RuntimeError> {
        let counted = self.store.counted_for(&[id]).await?;
        let ids: Vec<SubjectId> = counted.iter().map(|counted| counted.subject).collect();
        let mut subjects = Vec::new();
        for row in self.store.subjects(&ids).await? {
            let stands_for =
                counted.iter().find(|counted| counted.subject == row.subject).map(|found| found.stands_for);
            let (mut subject, Some(stands_for)) = (self.open(row)?, stands_for) else { continue };
            let since = snapshot.bundle.contacts_since(now).unwrap_or(now);
            let mut contacts = self.contacts(&subject, since, snapshot.bundle.counts_outcomes()).await?;
            contacts.retain(|contact| contact.chosen.decision != id);
            rebuild_caps(&snapshot.bundle, &snapshot.catalogue, &contacts, &mut subject.state, now);
            subjects.push((subject, stands_for));
        }
        Ok(subjects)
    }
}
