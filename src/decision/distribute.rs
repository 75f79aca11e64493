//! Value and score of the eligible candidates, once per decision and persona. Excludes nothing and draws nothing.

use std::sync::Arc;

use super::money::paced;
use super::personas::Apart;
use super::snapshot::Snapshot;
use crate::bandit::{self, Candidate, Features, Inputs, ModelView, Score};
use crate::domain::decision::{CandidateRow, MoneyTerms, Scored};
use crate::domain::{AttributeId, AttributeScope, LocalTime, ObjectiveKind, Offer, Placement, Value};
use crate::policy::Seen;

/// The eligible candidates that can be scored (so without *nothing*), in the order of their rows.
pub(super) struct Valued {
    /// Positions in the record's candidates.
    pub(super) rows: Vec<usize>,
    /// For each who has a seat, their scores and features.
    tastes: Vec<Taste>,
}

struct Taste {
    scores: Vec<Score>,
    features: Contexts,
}

impl Valued {
    /// The features of a candidate for one who has a seat.
    pub(super) fn features(&self, seat: usize, at: usize) -> Option<&Arc<Features>> {
        let Contexts { made, of } = &self.tastes.get(seat)?.features;
        made.get(of.get(at).copied().unwrap_or(0)).map(|(features, _)| features)
    }

    /// The scores of all candidates for one who has a seat.
    pub(super) fn scores(&self, seat: usize) -> Option<&[Score]> {
        self.tastes.get(seat).map(|taste| taste.scores.as_slice())
    }

    /// The same as a record holds them, by so many rows, without those left out for them alone.
    pub(super) fn scored(&self, seat: usize, rows: usize, apart: &Apart) -> Option<Vec<Option<Scored>>> {
        let mut scored = vec![None; rows];
        for (row, score) in self.rows.iter().zip(self.scores(seat)?).filter(|(row, _)| !apart.bars(seat, **row)) {
            *scored.get_mut(*row)? = Some(kept(score));
        }
        Some(scored)
    }
}

/// Scores every eligible row, in one pass for each who has a seat, and writes the scores for the first of them into the
/// rows.
pub(super) fn score(
    snapshot: &Snapshot,
    placement: &Placement,
    view: &ModelView,
    (rows, terms): (&mut [CandidateRow], Option<&MoneyTerms>),
    (seen, apart): (&[Seen], &Apart),
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
    let taste = |(seat, seen): (usize, &Seen)| {
        let features = Contexts::of(snapshot, placement, &candidates, seen, now)?;
        let scores = features.scores((view, seat), &candidates)?;
        Some(Taste { scores, features })
    };
    let tastes = seen.iter().enumerate().map(taste).collect::<Option<_>>()?;
    let valued = Valued { tastes, rows: positions };
    for (at, score) in valued.rows.iter().zip(valued.scores(0)?).filter(|(at, _)| !apart.bars(0, **at)) {
        rows.get_mut(*at)?.scored = Some(kept(score));
    }
    Some(valued)
}

/// A score as a record holds it.
fn kept(score: &Score) -> Scored {
    let beta = score.beta.map(|beta| (beta.alpha, beta.beta));
    let bags = score.bags.as_ref().map(|bags| bags.to_vec());
    let logit = score.logit.map(|logit| (logit.mean, logit.deviation));
    Scored { mean: score.mean, deviation: score.deviation, beta, bags, logit }
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
        seen: &Seen,
        now: LocalTime,
    ) -> Option<Self> {
        let make = |offer: Option<&Offer>| {
            let value = |id: &AttributeId| -> Option<Value> {
                match id.scope() {
                    AttributeScope::Offer => offer?.attribute(id.name()),
                    _ => seen.feature(id).cloned(),
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

    /// What every candidate is worth to one who has a seat.
    fn scores(&self, (view, seat): (&ModelView, usize), candidates: &[Candidate]) -> Option<Vec<Score>> {
        if self.of.is_empty() {
            let x = self.made.first().map_or(&[][..], |(_, x)| x);
            return Some(view.scores_of(seat, candidates, Inputs::Shared(x)));
        }
        let xs: Option<Vec<&[f64]>> = self.of.iter().map(|at| Some(self.made.get(*at)?.1.as_slice())).collect();
        Some(view.scores_of(seat, candidates, Inputs::Each(&xs?)))
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
