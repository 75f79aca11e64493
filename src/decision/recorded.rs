//! For tests: the scores that a record holds, as its distributions are computed from them. Reads no model.

use super::distribute::value;
use crate::bandit::Score;
use crate::domain::Placement;
use crate::domain::decision::{CandidateRow, MoneyTerms};

/// The score of a row; nothing where it was not scored.
pub(super) fn score(placement: &Placement, row: &CandidateRow, terms: Option<&MoneyTerms>) -> Option<Score> {
    let (margin, cost) = value(placement, row, terms);
    Some(Score::recorded(row.scored.as_ref()?, margin, cost))
}
