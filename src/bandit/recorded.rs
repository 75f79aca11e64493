//! Scores as a record holds them, which stand in the place of those that a model gives. Learns and derives nothing.

use std::collections::BTreeMap;

use super::strategies::Score;
use super::view::Candidate;
use crate::domain::decision::{LearnedMargin, Scored};

/// What a record says of the scores of one decision, by positions in the catalogue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordedScores {
    /// For each who has a seat.
    pub seats: Vec<BTreeMap<usize, Scored>>,
    /// Margins that were learned.
    pub learned: BTreeMap<usize, LearnedMargin>,
    /// The rule that computed the distributions.
    pub rule: u16,
}

impl RecordedScores {
    /// The scores of candidates for one who has a seat. One that was not recorded is no number, so that nothing can be
    /// drawn from it.
    pub(super) fn scores(&self, seat: usize, candidates: &[Candidate]) -> Vec<Score> {
        let score = |candidate: &Candidate| {
            let scored = self.seats.get(seat).and_then(|seat| seat.get(&candidate.at));
            let missing = Score::gaussian(f64::NAN, f64::NAN);
            scored.map_or(missing, |scored| Score::recorded(scored, candidate.margin, candidate.cost))
        };
        candidates.iter().map(score).collect()
    }
}
