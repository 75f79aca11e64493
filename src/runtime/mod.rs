//! Runtime: carries out what the engine decides: clock, commits, learner, reloads. Decides nothing itself.

mod access;

mod attributes;

mod authority;

mod backoff;

mod bundles;

mod catalogue;

mod catalogue_maker;

mod clock;

mod counted;

mod dry_run;

mod election;

mod engines;

mod erasure;

mod export;
mod fairness;

mod keys;

mod learning;

pub mod logging;

mod matching;

mod measuring;

mod merge;

mod outcomes;

mod periods;

pub mod proofs;

mod ready;

mod recheck;

mod records;

mod release;

mod replay;

mod reports;

mod start;

mod subjects;

mod switches;

pub mod verify;

mod warm_start;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use tokio::sync::Notify;

pub use access::Accessed;
pub use attributes::AttributesKept;
pub use authority::{APPROVAL_DAYS_MAX, Approval, Approver, Proposed, authority_of};
pub use bundles::{Activated, BundleMaker, BundleRefused, NodeStanding, NotActivated, NotFound, Standing, hash_text};
pub use catalogue::CatalogueKept;
pub use catalogue_maker::CatalogueMaker;
pub use clock::Clock;
pub use dry_run::Tried;
pub use engines::Engines;
pub use erasure::Erasure;
pub use export::{Export, site_key};
pub use keys::{ApiKey, KeyMaker, KeyRing, Role, hash_key};
pub use learning::Progress;
pub use measuring::Measurer;
pub use merge::Merge;
pub use outcomes::{Intake, OutcomeStatus, OutcomesSeen, Unmatched};
pub use periods::{PeriodMaker, Revealing};
pub use ready::failing;
pub use recheck::{Recheck, Unchecked};
pub use records::{Kept, Opened};
pub use release::Release;
pub use replay::{Replayed, Replayer, Sample};
pub use reports::Scope;
pub use start::{Setup, StartError, keys_of, mistakes, read_policies};
pub use subjects::ConsentKept;
pub use switches::{SWITCHES_MAX, SwitchKept, SwitchMaker, SwitchRefused, SwitchState, unknown_offers};
pub use warm_start::{WarmStarter, Warmed};

use crate::bandit::ModelView;
use crate::config::Settings;
use crate::config::erased::ErasedListError;
use crate::config::keyfile::{KeyFileError, Keys};
use crate::decision::Snapshot;
use crate::domain::key::SubjectKey;
use crate::domain::{
    Catalogue, DecisionId, DecisionRequest, Digest, Malformed, PlacementId, PoolLevels, Spend, SubjectId, SubjectRef,
};
use crate::engine::Reply;
use crate::engine::learner::Models;
use crate::policy::Bundle;
use crate::store::{Holder, Store, StoreError};
use crate::telemetry::Metrics;

/// Why something could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was read cannot be opened or decoded.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// No keys or random numbers.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The list of erased customers cannot be used.
    #[error(transparent)]
    ErasedList(#[from] ErasedListError),
    /// The bundle of the policies is not put in force.
    #[error(transparent)]
    NotActivated(#[from] NotActivated),
    /// This process cannot decide under the active bundle, and keeps the one before without committing anything.
    #[error("the active bundle b3:{} cannot be taken over: {why}", .hash.hex())]
    Takeover {
        /// The active bundle.
        hash: Digest,
        /// Why not.
        why: String,
    },
}

/// Everything a process shares: store, keys, clock, snapshot, engines. A handle to it is the service.
pub struct Core {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Clock,
    /// Settings in force.
    pub settings: Settings,
    /// API keys and webhook secrets in force.
    pub ring: KeyRing,
    /// What this process counts of itself.
    pub metrics: Metrics,
    keys: Keys,
    snapshot: RwLock<Arc<Snapshot>>,
    models: RwLock<Arc<Models>>,
    /// What was spent, as last read.
    spend: RwLock<Arc<Spend>>,
    /// What is left of what may run out, as last read.
    pools: RwLock<Arc<PoolLevels>>,
    engines: OnceLock<Engines>,
    kept: Kept,
    /// What was found out about bundles.
    readiness: ready::Readiness,
    /// Held by whoever changes the catalogue.
    changing_catalogue: tokio::sync::Mutex<()>,
    /// Held from deriving a snapshot to replacing the last one, or one with older models could come after a newer one.
    publishing: Mutex<()>,
    /// This start of this process, as the learner's lease names it.
    pub holder: Holder,
    /// The term that this process learns under; 0 while it follows.
    term: AtomicU64,
    /// The task that seeks the lease.
    seeking: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
    stopped: AtomicBool,
    /// What keeps the log.
    log: logging::LogKeeper,
    /// Announces the end to a process that follows.
    stopping: Notify,
    /// Announces work to the learner.
    work: Notify,
    /// Announces that the learner found nothing left.
    idle: Notify,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

impl Core {
    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest models.
    pub fn models(&self) -> Arc<Models> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn spend(&self) -> Arc<Spend> {
        self.spend.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for a decision.
    pub async fn decide(&self, request: DecisionRequest) -> Reply {
        let placement = request.placement.clone();
        let reply = match self.engines.get() {
            // Nothing that it decides would be committed.
            _ if self.refused().is_some() => Reply::Unavailable,
            Some(engines) => engines.ask(request, self.snapshot().bundle.counted).await,
            None => Reply::Unavailable,
        };
        self.count_reply(&placement, &reply);
        reply
    }

    fn subject_changed(&self, reference: &SubjectRef) {
        if let Some(engines) = self.engines.get() {
            engines.subject_changed(reference);
        }
    }

    /// The key that a decision's private part is sealed under.
    fn key_of(
        &self,
        subject: Option<SubjectId>,
        wrapped: Option<&[u8]>,
        decision: DecisionId,
    ) -> Result<SubjectKey, RuntimeError> {
        key_of(&self.keys, subject, wrapped, decision)
    }

    fn adopt_models(&self, models: Models, publish: bool) {
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(models);
        if publish {
            self.publish();
        }
    }

    /// Derives posteriors for the clock's day and publishes a snapshot of the same bundle and catalogue.
    pub fn publish(&self) {
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let (snapshot, models, day) = (self.snapshot(), self.models(), self.clock.now().day());
        let views = derive_views(&snapshot.bundle, &snapshot.catalogue, &models, Some(&snapshot), day);
        self.replace(Snapshot { models: views, day, spend: self.spend(), ..(*snapshot).clone() });
    }

    /// Publishes anew if the day has changed since posteriors were derived.
    pub fn follow_day(&self) {
        if self.clock.now().day() != self.snapshot().day {
            self.publish();
        }
    }

    fn replace(&self, snapshot: Snapshot) {
        // Here, and not by the first decision over a new catalogue, which somebody waits for.
        snapshot.bundle.shelves(&snapshot.catalogue);
        {
            let mut current = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
            // Two loads may end in the wrong order; an older control row never replaces a newer one.
            if snapshot.control_sequence < current.control_sequence {
                return;
            }
            *current = Arc::new(snapshot);
        }
        if let Some(engines) = self.engines.get() {
            engines.published(self);
        }
    }

    /// Reads the control row and publishes a snapshot for it.
    pub async fn reload(&self) -> Result<(), RuntimeError> {
        let control = self.store.control().await?;
        let current = self.snapshot();
        let hash = control.bundle.unwrap_or(current.bundle.hash);
        if hash != current.bundle.hash {
            self.taken_over(hash).await?;
        }
        let switches = Some(control.switch_revision).filter(|revision| *revision > 0);
        let bundle = self.bundle_at(hash, switches).await?;
        let catalogue = if control.catalogue_revision == current.catalogue.revision {
            current.catalogue.clone()
        } else {
            self.catalogue_at(control.catalogue_revision).await?
        };
        let approved = authority::approved(self.store.as_ref(), (&bundle, &catalogue), control.sequence).await?;
        let _publishing = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let day = self.clock.now().day();
        let models = derive_views(&bundle, &catalogue, &self.models(), Some(&self.snapshot()), day);
        let (tenant, build) = (current.tenant.clone(), current.build.clone());
        let (control_sequence, spend) = (control.sequence, self.spend());
        self.replace(Snapshot { tenant, build, control_sequence, bundle, catalogue, models, day, spend, approved });
        self.decides_under(hash);
        Ok(())
    }

    async fn reload_until_done(&self) {
        let mut backoff = backoff::Backoff::new();
        while let Err(error) = self.reload().await {
            if matches!(error, RuntimeError::Takeover { .. }) {
                if let Some(engines) = self.engines.get() {
                    engines.snapshot_refused();
                }
            } else {
                self.metrics.store_failed("reload");
                tracing::warn!(%error, "the snapshot could not be read and will be tried again");
            }
            backoff.pause().await;
        }
        // Engines that wait for a snapshot are told even if nothing changed.
        if let Some(engines) = self.engines.get() {
            engines.published(self);
        }
    }

    /// Waits until the learner has nothing left to do, and this process has the models that came of it.
    pub async fn learned_all(&self) -> Result<(), RuntimeError> {
        loop {
            let idle = self.idle.notified();
            let totals = self.store.totals().await?;
            let waiting = totals.batches_unlearned + totals.outcomes_unapplied;
            if waiting == 0
                && self.store.learner_work(1, self.clock.now()).await?.due.is_empty()
                && self.is_up_to_date().await?
            {
                return Ok(());
            }
            self.work.notify_one();
            let _ = tokio::time::timeout(std::time::Duration::from_millis(200), idle).await;
        }
    }

    async fn is_up_to_date(&self) -> Result<bool, RuntimeError> {
        let heads = self.store.model_heads().await?;
        let spend = self.store.spend(self.snapshot().spend.day).await?;
        let (erasing, erased_through) = (self.store.erasing().await?, self.store.erased_through().await?);
        let _published = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let models = self.models();
        let counted = *self.snapshot().spend == spend;
        let erased = erasing.is_empty() && models.erased_through >= erased_through;
        let learned = |(id, last): &(crate::domain::ModelId, u64)| {
            models.by_id.get(id).is_some_and(|model| model.sequence() >= *last)
        };
        Ok(erased && counted && heads.iter().all(learned))
    }

    /// Lets everybody who waits be answered, then stops deciding, and learning: another process may learn at once.
    pub async fn stop(&self) {
        if let Some(engines) = self.engines.get() {
            engines.stop().await;
        }
        self.stop_log().await;
        self.stop_learning().await;
        if let Err(error) = self.store.forget_node(&self.holder).await {
            tracing::warn!(%error, "others will wait for this process for a while when a bundle is activated");
        }
    }
}

/// The key that a decision's private part is sealed under.
fn key_of(
    keys: &Keys,
    subject: Option<SubjectId>,
    wrapped: Option<&[u8]>,
    decision: DecisionId,
) -> Result<SubjectKey, RuntimeError> {
    match (subject, wrapped) {
        (None, _) => Ok(keys.master.anonymous_key(decision.as_bytes())),
        (Some(subject), Some(wrapped)) => Ok(keys.master.unwrap(subject, wrapped)?),
        (Some(_), None) => {
            Err(Malformed::new("the customer's key is gone: the private part can no longer be read").into())
        }
    }
}

/// What each contender of each placement reads of its model on a day; arms that did not change are taken over from
/// `before`.
fn derive_views(
    bundle: &Bundle,
    catalogue: &Catalogue,
    models: &Models,
    before: Option<&Snapshot>,
    day: crate::domain::Day,
) -> BTreeMap<PlacementId, Vec<Arc<ModelView>>> {
    let mut views = BTreeMap::new();
    for placement in bundle.placements.values() {
        let old = before.and_then(|snapshot| snapshot.models.get(&placement.id));
        let Some(model) = models.by_id.get(&placement.model_id()) else {
            let view = |contender| Arc::new(ModelView::prior(placement, contender));
            views.insert(placement.id.clone(), placement.contenders().map(view).collect());
            continue;
        };
        let (version, lineup) = (model.version(), model.lineup(catalogue));
        let view = |(at, contender)| {
            let old = old.and_then(|views| views.get(at)).map(AsRef::as_ref);
            ModelView::derive(version, placement, contender, lineup.clone(), day, old)
        };
        let derived: Vec<Arc<ModelView>> = placement.contenders().enumerate().map(view).map(Arc::new).collect();
        for (at, alarm) in derived.iter().flat_map(|view| &view.alarms) {
            let (offer, variant) = catalogue
                .at(*at)
                .map_or(("", ""), |(offer, variant)| (offer.offer_id.as_str(), variant.variant_id.as_str()));
            tracing::error!(placement = %placement.id, offer, variant, alarm, "an arm fell back to its prior");
        }
        views.insert(placement.id.clone(), derived);
    }
    views
}

/// What the catalogue and bundle caches hold.
type Versions = (BTreeMap<u64, Arc<Catalogue>>, BTreeMap<(Digest, Option<u64>), Arc<Bundle>>);
