//! Reports carried out: one pass over the decisions of a time, page by page, with their outcomes. Adds nothing up
//! itself and opens no sealed part.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Core, RuntimeError};
use crate::domain::decision::Skeleton;
use crate::domain::outcome::OutcomeFact;
use crate::domain::{Catalogue, DecisionId, PlacementId, Span, Timestamp};
use crate::policy::Bundle;
use crate::report::{By, Exclusions, Performance, Seen};
use crate::store::{Store, StoredDecision};

/// Decisions in memory at once.
const PAGE: u32 = 256;
/// An id, by whose time decisions are found, may lie this far from the decision itself: requests name their own.
const ID_AWAY: Span = Span(25 * 3_600_000);

/// Which decisions a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Made at this instant or later.
    pub from: Timestamp,
    /// Made before this instant.
    pub to: Timestamp,
    /// Asked for at this placement; at any where none is named.
    pub placement: Option<PlacementId>,
}

impl Scope {
    fn holds(&self, skeleton: &Skeleton) -> bool {
        self.placement.as_ref().is_none_or(|placement| *placement == skeleton.placement)
    }
}

/// A decision of the scope.
pub(super) struct Found {
    pub(super) stored: StoredDecision,
    pub(super) skeleton: Skeleton,
}

/// Reads the decisions of a scope in pages.
pub(super) struct Pages<'a> {
    store: &'a dyn Store,
    scope: &'a Scope,
    after: Option<DecisionId>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(store: &'a dyn Store, scope: &'a Scope) -> Self {
        let first = scope.from.minus(ID_AWAY);
        let after = (first.0 > 0).then(|| DecisionId::from_parts(first.0, [0; 10]));
        Self { store, scope, after, ended: false }
    }

    /// The next decisions; nothing when there are no more. Reads what lies between the ids, in their order.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Found>>, RuntimeError> {
        if self.ended {
            return Ok(None);
        }
        let stored = self.store.decisions_after(self.after, PAGE).await?;
        let last_ms = self.scope.to.plus(ID_AWAY).0;
        let last = stored.last().map(|decision| decision.decision_id);
        self.ended = stored.len() < PAGE as usize || last.is_none_or(|id| id.unix_ms() > last_ms);
        self.after = last;
        let mut found = Vec::new();
        for decision in stored {
            if decision.at < self.scope.from || decision.at >= self.scope.to {
                continue;
            }
            let skeleton = decision.record.skeleton()?;
            if self.scope.holds(&skeleton) {
                found.push(Found { stored: decision, skeleton });
            }
        }
        Ok(Some(found))
    }
}

impl Core {
    /// What the decisions of a scope came to. Time: in proportion to the decisions stored in it and in the day before
    /// and after; memory: a page, and one tally per group.
    pub async fn performance(&self, scope: &Scope, by: By) -> Result<Performance, RuntimeError> {
        let (mut report, mut pages) = (Performance::new(by), Pages::new(self.store.as_ref(), scope));
        while let Some(found) = pages.next().await? {
            let ids: Vec<DecisionId> = found.iter().map(|found| found.skeleton.decision_id).collect();
            let mut outcomes: BTreeMap<DecisionId, Vec<OutcomeFact>> = BTreeMap::new();
            if !ids.is_empty() {
                for (id, fact) in self.store.outcomes_of_all(&ids).await? {
                    outcomes.entry(id).or_default().push(fact);
                }
            }
            for Found { skeleton, stored } in &found {
                let bundle = if by == By::Strategy { self.bundle_then(skeleton).await? } else { None };
                let strategy = bundle.and_then(|bundle| {
                    let placement = bundle.placements.get(&skeleton.placement)?;
                    Some(placement.contender_of(skeleton.challenger.as_ref())?.strategy.name())
                });
                let catalogue =
                    if by == By::Campaign { self.catalogue_then(skeleton.catalogue_revision).await? } else { None };
                let outcomes = outcomes.get(&skeleton.decision_id).map(Vec::as_slice).unwrap_or_default();
                let known = stored.subject.is_some();
                report.add(&Seen { skeleton, known, strategy, catalogue: catalogue.as_deref(), outcomes });
            }
            tokio::task::yield_now().await;
        }
        Ok(report)
    }

    /// What rules left out of the decisions of a scope. Time and memory as for [`Core::performance`].
    pub async fn exclusions(&self, scope: &Scope) -> Result<Exclusions, RuntimeError> {
        let (mut report, mut pages) = (Exclusions::default(), Pages::new(self.store.as_ref(), scope));
        while let Some(found) = pages.next().await? {
            for Found { skeleton, .. } in &found {
                report.add(skeleton, self.bundle_then(skeleton).await?.as_deref());
            }
            tokio::task::yield_now().await;
        }
        Ok(report)
    }

    /// The bundle of a decision. A report does without one that can no longer be read.
    async fn bundle_then(&self, skeleton: &Skeleton) -> Result<Option<Arc<Bundle>>, RuntimeError> {
        readable(self.bundle_at(skeleton.bundle, skeleton.switches).await)
    }

    async fn catalogue_then(&self, revision: u64) -> Result<Option<Arc<Catalogue>>, RuntimeError> {
        readable(self.catalogue_at(revision).await)
    }
}

fn readable<T>(read: Result<T, RuntimeError>) -> Result<Option<T>, RuntimeError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(RuntimeError::Malformed(error)) => {
            tracing::warn!(%error, "a report does without it");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
