//! What rules said that leave nothing out, in words: a warning, a rule on trial, or what an override lifted.
//! Tells nothing of exclusions.

use super::Told;
use crate::policy::Severity;

/// Everything noted of one candidate, for the end of a sentence.
pub(super) fn told(noted: &[Told]) -> String {
    noted.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn one(told: &Told) -> String {
    let Told { rule, severity, sentence, lifts, .. } = told;
    match severity {
        Severity::Shadow => format!("on trial, `{rule}` would have left it out: {sentence}"),
        Severity::Warn => format!("`{rule}` warns: {sentence}"),
        Severity::Block if *lifts => format!("an override brings it back: {sentence}"),
        Severity::Block => format!("lifted, `{rule}` does not leave it out: {sentence}"),
    }
}
