//! Everything shared that a decision may read, immutable, taken once per batch. Loads nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bandit::ModelView;
use crate::domain::{Catalogue, Day, PlacementId};
use crate::policy::Bundle;

/// One consistent view of bundle, catalogue and models. A decision never mixes two of them.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Whose store.
    pub tenant: String,
    /// The build of the engine, as records name it.
    pub build: String,
    /// The control row that bundle and catalogue belong to; commits are gated on it.
    pub control_sequence: u64,
    /// The active bundle.
    pub bundle: Arc<Bundle>,
    /// The current catalogue.
    pub catalogue: Arc<Catalogue>,
    /// The model of each placement, derived for [`Snapshot::day`].
    pub models: BTreeMap<PlacementId, Arc<ModelView>>,
    /// The UTC day that posteriors were derived for.
    pub day: Day,
}
