//! What a record refers to: bundles and catalogues of any version, and private parts opened. Renders nothing.

use std::sync::{Arc, Mutex, PoisonError};

use super::catalogue::read_catalogue;
use super::{Core, RuntimeError, Versions};
use crate::domain::decision::{Private, Skeleton};
use crate::domain::{Catalogue, DecisionId, Digest, Malformed};
use crate::policy::{Bundle, Source, compile};
use crate::store::StoredDecision;

/// Versions kept in memory besides the current ones.
const VERSIONS_MAX: usize = 16;

/// Bundles and catalogues read before.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Versions>);

/// A record with everything it refers to.
#[derive(Debug, Clone)]
pub struct Opened {
    /// As stored.
    pub stored: StoredDecision,
    /// The public part.
    pub skeleton: Skeleton,
    /// The private part; nothing once its key is gone.
    pub private: Option<Private>,
    /// The bundle it was decided under.
    pub bundle: Arc<Bundle>,
    /// The catalogue it was decided over.
    pub catalogue: Arc<Catalogue>,
}

/// A bundle's files as they are stored.
pub(super) fn print_sources(sources: &[Source]) -> String {
    let files: Vec<(&str, &str)> = sources.iter().map(|source| (source.path.as_str(), source.text.as_str())).collect();
    serde_json::to_string(&files).unwrap_or_default()
}

pub(super) fn parse_sources(body: &str) -> Result<Vec<Source>, Malformed> {
    let files: Vec<(String, String)> =
        serde_json::from_str(body).map_err(|error| Malformed(format!("a stored bundle does not parse: {error}")))?;
    Ok(files.into_iter().map(|(path, text)| Source { path, text }).collect())
}

impl Core {
    /// The bundle of a hash.
    pub async fn bundle_at(&self, hash: Digest) -> Result<Arc<Bundle>, RuntimeError> {
        let current = self.snapshot().bundle.clone();
        if current.hash == hash {
            return Ok(current);
        }
        if let Some(bundle) = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).1.get(&hash) {
            return Ok(bundle.clone());
        }
        let bundle = Arc::new(read_bundle(self.store.as_ref(), hash).await?);
        let mut kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.1.len() >= VERSIONS_MAX {
            kept.1.pop_first();
        }
        kept.1.insert(hash, bundle.clone());
        Ok(bundle)
    }

    /// The catalogue of a revision.
    pub async fn catalogue_at(&self, revision: u64) -> Result<Arc<Catalogue>, RuntimeError> {
        let current = self.snapshot().catalogue.clone();
        if current.revision == revision {
            return Ok(current);
        }
        if let Some(catalogue) = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(&revision) {
            return Ok(catalogue.clone());
        }
        let catalogue = Arc::new(read_catalogue(self.store.as_ref(), revision).await?);
        let mut kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0.len() >= VERSIONS_MAX {
            kept.0.pop_first();
        }
        kept.0.insert(revision, catalogue.clone());
        Ok(catalogue)
    }

    /// A record with everything it refers to; nothing if no decision has the id.
    pub async fn record(&self, id: DecisionId) -> Result<Option<Opened>, RuntimeError> {
        match self.store.decision(id).await? {
            Some(stored) => Ok(Some(self.open_record(stored).await?)),
            None => Ok(None),
        }
    }

    /// Opens a stored decision.
    pub async fn open_record(&self, stored: StoredDecision) -> Result<Opened, RuntimeError> {
        let skeleton = stored.record.skeleton()?;
        let private = match self.key_of(stored.subject, stored.wrapped_key.as_deref(), stored.decision_id) {
            Ok(key) => Some(stored.record.private(&key)?),
            Err(_) if stored.wrapped_key.is_none() => None,
            Err(error) => return Err(error),
        };
        let bundle = self.bundle_at(skeleton.bundle).await?;
        let catalogue = self.catalogue_at(skeleton.catalogue_revision).await?;
        Ok(Opened { stored, skeleton, private, bundle, catalogue })
    }
}

/// Reads a bundle from the store and compiles it.
pub(super) async fn read_bundle(store: &dyn crate::store::Store, hash: Digest) -> Result<Bundle, RuntimeError> {
    let body = store.bundle(hash).await?;
    let body = body.ok_or_else(|| Malformed(format!("bundle {} is not in the store", hash.hex())))?;
    let bundle = compile(&parse_sources(&body)?).map_err(|findings| {
        Malformed(format!("bundle {} no longer compiles: {} findings", hash.hex(), findings.len()))
    })?;
    Ok(bundle)
}
