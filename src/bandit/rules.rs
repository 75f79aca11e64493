//! Versions of the distribution rule, as records name them. Computes nothing.
//!
//! An old rule stays in the code, so that records that name it can be replayed from their scores.

use super::Score;

/// The exact rules: quadrature to 1e-11 and better. In force until the hot rules came; serves tests and evaluation.
pub const EXACT: u16 = 1;

/// The hot rules, within 1e-4 of the exact ones.
pub const HOT: u16 = 2;

/// Every rule that this build knows.
pub const KNOWN_RULES: [u16; 2] = [EXACT, HOT];

/// The rule that decisions are made by.
pub const DISTRIBUTION_RULE: u16 = HOT;

/// The answer of a rule that this build does not know: all NaN, which the check of the distribution refuses.
pub(super) fn unknown(scores: &[Score], nothing: bool) -> Vec<f64> {
    vec![f64::NAN; scores.len() + usize::from(nothing)]
}
