//! Value, distribution and draw over the eligible candidates. The distribution comes first; nothing is excluded here.

use std::sync::Arc;

use super::ask::Ask;
use super::minimise::Minimised;
use super::snapshot::Snapshot;
use crate::bandit::draw::{self, DrawPurpose};
use crate::bandit::{self, Arm, ArmKey, Features, ModelView};
use crate::domain::decision::{CandidateRow, Draw, Scored};
use crate::domain::key::GeneratorKey;
use crate::domain::{AttributeId, AttributeScope, ObjectiveKind, Placement, Propensity, Value};

/// What the draw needs of the eligible candidates.
pub(super) struct Eligible {
    rows: Vec<usize>,
    probabilities: Vec<f64>,
    features: Vec<Arc<Features>>,
}

/// The strategy's distribution over the eligible rows, written into them; nothing if it fails its check.
pub(super) fn distribute(
    snapshot: &Snapshot,
    placement: &Placement,
    rows: &mut [CandidateRow],
    seen: &Minimised,
    hour: u8,
) -> Option<Eligible> {
    let prior;
    let model = if let Some(model) = snapshot.models.get(&placement.id) {
        model
    } else {
        prior = Arc::new(ModelView::prior(placement));
        &prior
    };
    let by_offer = placement
        .features
        .iter()
        .flat_map(|feature| &feature.atoms)
        .any(|atom| atom.attribute.as_ref().is_some_and(|id| id.scope() == AttributeScope::Offer));
    let mut shared: Option<(Arc<Features>, Vec<f64>)> = None;
    let mut eligible = Eligible { rows: Vec::new(), probabilities: Vec::new(), features: Vec::new() };
    let mut arms = Vec::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.failed.is_empty()) {
        let (offer, variant) = snapshot.catalogue.at(row.candidate as usize)?;
        let (features, x) = match &shared {
            Some(made) if !by_offer => made.clone(),
            _ => {
                let value = |id: &AttributeId| -> Option<Value> {
                    match id.scope() {
                        AttributeScope::Offer => offer.attribute(id.name()),
                        _ => seen.used.get(id).cloned(),
                    }
                };
                let features = bandit::features(placement, hour, &value);
                let x = features.to_f64();
                let made = (Arc::new(features), x);
                shared = Some(made.clone());
                made
            }
        };
        let key = ArmKey { offer: offer.offer_id.clone(), variant: variant.variant_id.clone() };
        let posterior = model.posterior(&key);
        #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53 at the door")]
        let (margin, cost) = match placement.objective.kind {
            ObjectiveKind::Margin => (row.margin_minor as f64, row.cost_minor as f64),
            ObjectiveKind::Conversion => (1.0, 0.0),
        };
        arms.push(Arm::new(posterior, &x, margin, cost));
        eligible.rows.push(at);
        eligible.features.push(features);
    }
    let (scores, w) = model.distribution(&placement.strategy, &arms, false);
    let p = bandit::explore(&w, placement.exploration);
    bandit::check(&p, placement.exploration).ok()?;
    for ((at, score), probability) in eligible.rows.iter().zip(&scores).zip(&p) {
        rows.get_mut(*at)?.scored =
            Some(Scored { mean: score.mean, deviation: score.deviation, probability: *probability });
    }
    eligible.probabilities = p;
    Some(eligible)
}

/// Draws one of the eligible with the keyed number of the decision.
pub(super) fn draw_one(
    snapshot: &Snapshot,
    ask: &Ask<'_>,
    generator: &GeneratorKey,
    rows: &[CandidateRow],
    eligible: Eligible,
) -> Option<(Draw, Arc<Features>)> {
    let u = draw::uniform(generator, &snapshot.tenant, &ask.decision_id, 0, DrawPurpose::Served);
    let picked = draw::pick(&eligible.probabilities, u)?;
    let chosen = *eligible.rows.get(picked)?;
    let probability = rows.get(chosen)?.scored?.probability;
    let draw = Draw {
        key_period: generator.period,
        u,
        chosen: u32::try_from(chosen).ok()?,
        // Rounding may lift a lone candidate's share a hair above one.
        propensity: Propensity::new(probability.min(1.0)).ok()?,
    };
    Some((draw, eligible.features.into_iter().nth(picked)?))
}
