//! Value and score of the eligible candidates, once per decision. Excludes nothing and draws nothing.

use std::sync::Arc;

use super::minimise::Minimised;
use super::snapshot::Snapshot;
use crate::bandit::{self, Features, ModelView, Score};
use crate::domain::decision::{CandidateRow, Scored};
use crate::domain::{AttributeId, AttributeScope, LocalTime, ObjectiveKind, Placement, Value};

/// The eligible candidates that can be scored (so without *nothing*), in the order of their rows.
pub(super) struct Valued {
    /// Positions in the record's candidates.
    pub(super) rows: Vec<usize>,
    /// Their scores, as the record holds them.
    pub(super) scores: Vec<Score>,
    /// Their features.
    pub(super) features: Vec<Arc<Features>>,
}

/// Scores every eligible row and writes the scores into the rows.
pub(super) fn score(
    snapshot: &Snapshot,
    placement: &Placement,
    view: &ModelView,
    rows: &mut [CandidateRow],
    seen: &Minimised,
    now: LocalTime,
) -> Option<Valued> {
    let mut shared: Option<(Arc<Features>, Vec<f64>)> = None;
    let (mut arms, mut positions, mut all_features) = (Vec::new(), Vec::new(), Vec::new());
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.failed.is_empty()) {
        let Some(candidate) = row.candidate else { continue };
        let (offer, _) = snapshot.catalogue.at(candidate as usize)?;
        let (features, x) = match &shared {
            Some(made) if !reads_offers(placement) => made.clone(),
            _ => {
                let value = |id: &AttributeId| -> Option<Value> {
                    match id.scope() {
                        AttributeScope::Offer => offer.attribute(id.name()),
                        _ => seen.used.get(id).cloned(),
                    }
                };
                let features = bandit::features(placement, now, &value);
                let x = features.to_f64();
                let made = (Arc::new(features), x);
                shared = Some(made.clone());
                made
            }
        };
        let (margin, cost) = value(placement, row);
        arms.push(view.arm(candidate as usize, &x, margin, cost));
        positions.push(at);
        all_features.push(features);
    }
    let scores = view.scores(&arms);
    for (at, score) in positions.iter().zip(&scores) {
        let beta = score.beta.map(|beta| (beta.alpha, beta.beta));
        let logit = score.logit.map(|logit| (logit.mean, logit.deviation));
        rows.get_mut(*at)?.scored = Some(Scored { mean: score.mean, deviation: score.deviation, beta, logit });
    }
    Some(Valued { rows: positions, scores, features: all_features })
}

/// `m_a` and `c_a` of a candidate under the placement's objective.
#[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53 at the door")]
pub(super) fn value(placement: &Placement, row: &CandidateRow) -> (f64, f64) {
    match placement.objective.kind {
        ObjectiveKind::Margin => (row.margin_minor as f64, row.cost_minor as f64),
        ObjectiveKind::Conversion | ObjectiveKind::Click => (1.0, 0.0),
    }
}

/// Whether a feature of the placement reads the offer, so that features differ between candidates.
pub(super) fn reads_offers(placement: &Placement) -> bool {
    let mut atoms = placement.features.iter().flat_map(|feature| &feature.atoms);
    atoms.any(|atom| atom.attribute.as_ref().is_some_and(|id| id.scope() == AttributeScope::Offer))
}
