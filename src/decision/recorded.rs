//! For tests: the scores that a record holds, as its distributions are computed from them. Reads no model.

use super::distribute::value;
use crate::bandit::{Beta, Logit, Score};
use crate::domain::Placement;
use crate::domain::decision::{CandidateRow, MoneyTerms};

/// The score of a row; nothing where it was not scored.
pub(super) fn score(placement: &Placement, row: &CandidateRow, terms: Option<&MoneyTerms>) -> Option<Score> {
    let (margin, cost) = value(placement, row, terms);
    let scored = row.scored.as_ref()?;
    Some(match (scored.beta, scored.logit, &scored.bags) {
        (Some((alpha, beta)), _, _) => Score::beta(Beta { alpha, beta, margin, cost }),
        (_, Some((mean, deviation)), _) => Score::logit(Logit { mean, deviation, margin, cost }),
        (_, _, Some(bags)) => Score::bagged(bags.as_slice().into()),
        _ => Score::gaussian(scored.mean, scored.deviation),
    })
}
