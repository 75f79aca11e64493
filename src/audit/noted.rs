//! What rules said that leave nothing out, in words: a warning, or a rule on trial. Tells nothing of exclusions.

use super::Told;
use crate::policy::Severity;

/// Everything noted of one candidate, for the end of a sentence.
pub(super) fn told(noted: &[Told]) -> String {
    noted.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn one(told: &Told) -> String {
    let Told { rule, severity, sentence, .. } = told;
    match severity {
        Severity::Shadow => format!("on trial, `{rule}` would have left it out: {sentence}"),
        Severity::Warn | Severity::Block => format!("`{rule}` warns: {sentence}"),
    }
}
