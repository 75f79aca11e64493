//! Value and score of the eligible candidates, once per decision. Excludes nothing and draws nothing.

use std::sync::Arc;

use super::minimise::Minimised;
use super::money::paced;
use super::snapshot::Snapshot;
use crate::bandit::{self, Candidate, Features, Inputs, ModelView, Score};
use crate::domain::decision::{CandidateRow, MoneyTerms, Scored};
use crate::domain::{AttributeId, AttributeScope, LocalTime, ObjectiveKind, Offer, Placement, Value};

/// The eligible candidates that can be scored (so without *nothing*), in the order of their rows.
pub(super) struct Valued {
    /// Positions in the record's candidates.
    pub(super) rows: Vec<usize>,
    /// Their scores, as the record holds them.
    pub(super) scores: Vec<Score>,
    features: Contexts,
}

impl Valued {
    /// The features of a candidate.
    pub(super) fn features(&self, at: usize) -> Option<&Arc<Features>> {
        self.features.made.get(self.features.of.get(at).copied().unwrap_or(0)).map(|(features, _)| features)
    }
}

/// Scores every eligible row, all in one pass, and writes the scores into the rows.
pub(super) fn score(
    snapshot: &Snapshot,
    placement: &Placement,
    view: &ModelView,
    (rows, terms): (&mut [CandidateRow], Option<&MoneyTerms>),
    seen: &Minimised,
    now: LocalTime,
) -> Option<Valued> {
    let (mut candidates, mut positions) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for (position, row) in rows.iter_mut().enumerate().filter(|(_, row)| row.failed.is_empty()) {
        let Some(at) = row.candidate else { continue };
        row.learned = view.learned_margin(at as usize, catalogue_margin(row));
        let (margin, cost) = value(placement, row, terms);
        candidates.push(Candidate { at: at as usize, margin, cost });
        positions.push(position);
    }
    let features = Contexts::of(snapshot, placement, &candidates, seen, now)?;
    let scores = view.scores(&features.arms(view, &candidates)?);
    for (at, score) in positions.iter().zip(&scores) {
        let beta = score.beta.map(|beta| (beta.alpha, beta.beta));
        let bags = score.bags.as_ref().map(|bags| bags.to_vec());
        let logit = score.logit.map(|logit| (logit.mean, logit.deviation));
        rows.get_mut(*at)?.scored = Some(Scored { mean: score.mean, deviation: score.deviation, beta, bags, logit });
    }
    Some(Valued { rows: positions, scores, features })
}

/// Features, each made once: for all candidates, or for each offer where a feature reads it.
struct Contexts {
    made: Vec<(Arc<Features>, Vec<f64>)>,
    /// Which of them is a candidate's; empty where the first is everyone's.
    of: Vec<usize>,
}

impl Contexts {
    fn of(
        snapshot: &Snapshot,
        placement: &Placement,
        candidates: &[Candidate],
        seen: &Minimised,
        now: LocalTime,
    ) -> Option<Self> {
        let make = |offer: Option<&Offer>| {
            let value = |id: &AttributeId| -> Option<Value> {
                match id.scope() {
                    AttributeScope::Offer => offer?.attribute(id.name()),
                    _ => seen.used.get(id).cloned(),
                }
            };
            let features = bandit::features(placement, now, &value);
            let x = features.to_f64();
            (Arc::new(features), x)
        };
        if !reads_offers(placement) {
            let made = if candidates.is_empty() { Vec::new() } else { vec![make(None)] };
            return Some(Self { made, of: Vec::new() });
        }
        let (mut made, mut of, mut last) = (Vec::new(), Vec::with_capacity(candidates.len()), None);
        for candidate in candidates {
            let offer = snapshot.catalogue.candidates().get(candidate.at)?.offer;
            // The variants of an offer stand side by side.
            if last != Some(offer) {
                made.push(make(Some(snapshot.catalogue.offers().get(offer)?)));
                last = Some(offer);
            }
            of.push(made.len() - 1);
        }
        Some(Self { made, of })
    }

    /// What every candidate is worth.
    fn arms(&self, view: &ModelView, candidates: &[Candidate]) -> Option<Vec<bandit::Arm>> {
        if self.of.is_empty() {
            let x = self.made.first().map_or(&[][..], |(_, x)| x);
            return Some(view.arms(candidates, Inputs::Shared(x)));
        }
        let xs: Option<Vec<&[f64]>> = self.of.iter().map(|at| Some(self.made.get(*at)?.1.as_slice())).collect();
        Some(view.arms(candidates, Inputs::Each(&xs?)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53 at the door")]
fn catalogue_margin(row: &CandidateRow) -> f64 {
    row.margin_minor as f64
}

/// `m_a` and `c_a` of a candidate under the placement's objective: the margin learned, where it is, and paced where
/// money is maximised.
#[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53 at the door")]
pub(super) fn value(placement: &Placement, row: &CandidateRow, terms: Option<&MoneyTerms>) -> (f64, f64) {
    match placement.objective.kind {
        ObjectiveKind::Margin => {
            let margin = row.learned.map_or_else(|| catalogue_margin(row), |learned| learned.margin);
            paced(row, terms, (margin, row.cost_minor as f64))
        }
        ObjectiveKind::Conversion | ObjectiveKind::Click => (1.0, 0.0),
    }
}

/// Whether a feature of the placement reads the offer, so that features differ between candidates.
pub(super) fn reads_offers(placement: &Placement) -> bool {
    let mut atoms = placement.features.iter().flat_map(|feature| &feature.atoms);
    atoms.any(|atom| atom.attribute.as_ref().is_some_and(|id| id.scope() == AttributeScope::Offer))
}
