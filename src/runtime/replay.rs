//! Replays over a store: what a record names is read, and the decision made again by
//! [`audit::replay`](crate::audit::replay). Needs no running service and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::catalogue::read_catalogue;
use super::records::read_bundle;
use super::reports::{Found, Pages, Scope};
use super::switches::switched;
use super::{Core, RuntimeError, key_of};
use crate::audit::replay::{ModelAt, Verdict, Versions, replay};
use crate::bandit::Model;
use crate::config::keyfile::Keys;
use crate::domain::decision::{ModelVersion, Skeleton};
use crate::domain::{Catalogue, DecisionId, Digest};
use crate::engine::learner::Models;
use crate::learning::LearningEvent;
use crate::policy::Bundle;
use crate::store::{Store, StoredDecision};

/// Bundles and catalogues kept in memory, each.
const VERSIONS_MAX: usize = 16;
/// Learning events read at once.
const EVENTS_MAX: u64 = 4_096;

/// Some decisions of many, the same ones for the same seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How many.
    pub count: usize,
    /// Chooses them.
    pub seed: u64,
}

/// What became of one decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// Which.
    pub decision_id: DecisionId,
    /// Whether it is the same.
    pub verdict: Verdict,
}

/// Makes decisions of a store again.
pub struct Replayer {
    store: Arc<dyn Store>,
    keys: Keys,
    bundles: BTreeMap<(Digest, Option<u64>), Arc<Bundle>>,
    catalogues: BTreeMap<u64, Arc<Catalogue>>,
    /// As far as they were followed last: the next decision is most often a little further on.
    models: Models,
}

/// A part of a record that is there, or why it is not.
type There<T> = Result<T, String>;

/// Whatever is malformed is missing; a store that does not answer is not.
fn there<T>(read: Result<T, RuntimeError>) -> Result<There<T>, RuntimeError> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(RuntimeError::Malformed(why)) => Ok(Err(why.to_string())),
        Err(error) => Err(error),
    }
}

impl Replayer {
    /// Over a store, with its keys.
    pub fn new(store: Arc<dyn Store>, keys: Keys) -> Self {
        let (bundles, catalogues, models) = (BTreeMap::new(), BTreeMap::new(), Models::default());
        Self { store, keys, bundles, catalogues, models }
    }

    /// Makes one decision again; nothing if none has the id.
    pub async fn one(&mut self, id: DecisionId) -> Result<Option<Verdict>, RuntimeError> {
        match self.store.decision(id).await? {
            Some(stored) => Ok(Some(self.again(&stored).await?)),
            None => Ok(None),
        }
    }

    /// Makes the decisions of a scope again, in the order of their ids: all of them, or some. Time: in proportion to
    /// the decisions stored in the scope and in the day before and after, and to the learning events between them.
    pub async fn all(
        &mut self,
        scope: &Scope,
        sample: Option<Sample>,
        mut each: impl FnMut(Replayed),
    ) -> Result<(), RuntimeError> {
        let store = self.store.clone();
        let chosen = match sample {
            Some(sample) => Some(choose(store.as_ref(), scope, sample).await?),
            None => None,
        };
        let mut pages = Pages::new(store.as_ref(), scope);
        while let Some(found) = pages.next().await? {
            for Found { stored, .. } in found {
                let decision_id = stored.decision_id;
                if chosen.as_ref().is_none_or(|chosen| chosen.contains(&decision_id)) {
                    each(Replayed { decision_id, verdict: self.again(&stored).await? });
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn again(&mut self, stored: &StoredDecision) -> Result<Verdict, RuntimeError> {
        let wrapped = stored.wrapped_key.as_deref();
        if stored.subject.is_some() && wrapped.is_none() {
            return Ok(Verdict::Erased);
        }
        let key = key_of(&self.keys, stored.subject, wrapped, stored.decision_id)?;
        let skeleton = match stored.record.skeleton() {
            Ok(skeleton) => skeleton,
            Err(why) => return Ok(Verdict::unavailable(why.to_string())),
        };
        let bundle = match there(self.bundle(&skeleton).await)? {
            Ok(bundle) => bundle,
            Err(missing) => return Ok(Verdict::unavailable(missing)),
        };
        let catalogue = match there(self.catalogue(skeleton.catalogue_revision).await)? {
            Ok(catalogue) => catalogue,
            Err(missing) => return Ok(Verdict::unavailable(missing)),
        };
        let period = skeleton.slots.first().map(|slot| slot.draw.key_period);
        let Some(generator) = period.map_or(Some(&self.keys.generator), |period| self.keys.generator_of(period)) else {
            let period = period.unwrap_or_default();
            return Ok(Verdict::unavailable(format!("the generator key of period {period} in the key file")));
        };
        let generator = generator.clone();
        let dimensions = bundle.placement(skeleton.placement.as_str()).map(crate::domain::Placement::dimensions);
        let model = self.model(skeleton.model, dimensions.unwrap_or_default()).await?;
        let versions = Versions { bundle: &bundle, catalogue: &catalogue, generator: &generator, key: &key };
        let model = model.as_ref().map_or_else(|gone| ModelAt::Gone(gone), |model| ModelAt::Known(model));
        Ok(replay(&stored.record, &versions, model))
    }

    async fn bundle(&mut self, skeleton: &Skeleton) -> Result<Arc<Bundle>, RuntimeError> {
        let key = (skeleton.bundle, skeleton.switches);
        if let Some(bundle) = self.bundles.get(&key) {
            return Ok(bundle.clone());
        }
        let alone = match self.bundles.get(&(skeleton.bundle, None)) {
            Some(bundle) => bundle.clone(),
            None => Arc::new(read_bundle(self.store.as_ref(), skeleton.bundle).await?),
        };
        let bundle = match skeleton.switches {
            Some(revision) => switched(self.store.as_ref(), alone.clone(), revision).await?,
            None => alone.clone(),
        };
        keep(&mut self.bundles, (skeleton.bundle, None), alone);
        keep(&mut self.bundles, key, bundle.clone());
        Ok(bundle)
    }

    async fn catalogue(&mut self, revision: u64) -> Result<Arc<Catalogue>, RuntimeError> {
        if let Some(catalogue) = self.catalogues.get(&revision) {
            return Ok(catalogue.clone());
        }
        let catalogue = Arc::new(read_catalogue(self.store.as_ref(), revision).await?);
        keep(&mut self.catalogues, revision, catalogue.clone());
        Ok(catalogue)
    }

    /// The integers of a model at the sequence that a record names: those of the newest checkpoint at or before it, and
    /// the events since. What is missing, where it is.
    async fn model(&mut self, version: ModelVersion, dimensions: usize) -> Result<There<Arc<Model>>, RuntimeError> {
        let ModelVersion { id, sequence: wanted, .. } = version;
        if wanted == 0 {
            return Ok(Ok(Arc::new(Model::new(id, dimensions))));
        }
        let mut sequence = self.models.by_id.get(&id).map_or(0, |model| model.sequence());
        if sequence > wanted {
            self.models.by_id.remove(&id);
            sequence = 0;
        }
        if let Some(checkpoint) = self.store.checkpoint(id, Some(wanted)).await?
            && checkpoint.sequence > sequence
        {
            if let Err(why) = self.models.restore(&checkpoint) {
                return Ok(Err(why.to_string()));
            }
            sequence = checkpoint.sequence;
        }
        while sequence < wanted {
            let limit = u32::try_from((wanted - sequence).min(EVENTS_MAX)).unwrap_or(u32::MAX);
            let rows = self.store.learning_events(id, sequence, limit).await?;
            if rows.first().is_none_or(|row| row.sequence != sequence + 1) {
                return Ok(Err(format!("learning event {} of model {} is gone", sequence + 1, id.hex())));
            }
            for row in rows {
                let gone = |why: &str| format!("learning event {} of model {}: {why}", row.sequence, id.hex());
                let key = key_of(&self.keys, row.subject, row.wrapped_key.as_deref(), row.decision_id);
                let Ok(key) = there(key)? else { return Ok(Err(gone("its customer's key is gone"))) };
                let opened = LearningEvent::open(&key, row.decision_id, row.sequence, &row.sealed);
                let absorbed = opened.and_then(|event| self.models.absorb(id, row.sequence, &event));
                if let Err(why) = absorbed {
                    return Ok(Err(gone(&why.to_string())));
                }
                sequence = row.sequence;
            }
            tokio::task::yield_now().await;
        }
        let Some(found) = self.models.by_id.get(&id).cloned() else {
            return Ok(Err(format!("model {} at event {wanted}", id.hex())));
        };
        // What was learned from somebody who is erased is in no model any more, whichever event it stands at.
        if found.digest() != version.digest && self.store.erased_through().await? > 0 {
            return Ok(Err(format!("model {} at event {wanted} as it was before an erasure", id.hex())));
        }
        Ok(Ok(found))
    }
}

/// Keeps something read, and of too many not the oldest.
fn keep<K: Ord, V>(kept: &mut BTreeMap<K, V>, key: K, value: V) {
    if kept.len() >= VERSIONS_MAX {
        kept.pop_first();
    }
    kept.insert(key, value);
}

/// The ids of a sample: those whose hash with the seed is least, so that any order of reading gives the same.
async fn choose(store: &dyn Store, scope: &Scope, sample: Sample) -> Result<BTreeSet<DecisionId>, RuntimeError> {
    let (mut least, mut pages) = (BTreeSet::new(), Pages::new(store, scope));
    while let Some(found) = pages.next().await? {
        for Found { stored, .. } in found {
            let hash =
                Sha256::new().chain_update(sample.seed.to_be_bytes()).chain_update(stored.decision_id.as_bytes());
            let hash: [u8; 32] = hash.finalize().into();
            least.insert((hash, stored.decision_id));
            if least.len() > sample.count {
                least.pop_last();
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(least.into_iter().map(|(_, id)| id).collect())
}

impl Core {
    /// Makes a decision again; nothing if none has the id.
    pub async fn replay(&self, id: DecisionId) -> Result<Option<Verdict>, RuntimeError> {
        let mut replayer = Replayer::new(self.store.clone(), self.keys.clone());
        let snapshot = self.snapshot();
        let bundle = &snapshot.bundle;
        replayer.bundles.insert((bundle.hash, bundle.switches), bundle.clone());
        replayer.catalogues.insert(snapshot.catalogue.revision, snapshot.catalogue.clone());
        replayer.one(id).await
    }
}
