//! Everything shared that a decision may read, immutable, taken once per batch. Loads nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bandit::ModelView;
use crate::domain::{Catalogue, Day, Placement, PlacementId, Spend};
use crate::policy::{Approved, Bundle};

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
    /// What each contender of each placement reads of its model, derived for [`Snapshot::day`]; the champion first.
    pub models: BTreeMap<PlacementId, Vec<Arc<ModelView>>>,
    /// The UTC day that posteriors were derived for.
    pub day: Day,
    /// What campaigns and exploration have spent, as counted so far.
    pub spend: Arc<Spend>,
    /// What people have approved of what the bundle asks for, as of the same control row.
    pub approved: Arc<Approved>,
}

impl Snapshot {
    /// What a contender of a placement reads, 0 being the champion; of a model that learned nothing where there is
    /// none.
    pub fn view(&self, placement: &Placement, contender: usize) -> Arc<ModelView> {
        let view = self.models.get(&placement.id).and_then(|views| views.get(contender)).cloned();
        let by = placement.contenders().nth(contender).unwrap_or(&placement.champion);
        view.unwrap_or_else(|| Arc::new(ModelView::prior(placement, by)))
    }
}
