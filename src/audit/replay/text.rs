//! What became of a decision made again, in words. Decides nothing.

use super::{Difference, Verdict};

/// Fields told at most: the rest is counted.
const FIELDS_MAX: usize = 8;
/// Bytes of a value told at most.
const VALUE_BYTES_MAX: usize = 120;

/// A line, and one more for each field that differs.
pub fn told(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Identical => vec!["identical".to_owned()],
        Verdict::IdenticalFromScores { missing } => {
            vec![format!("identical, model state no longer kept: {missing}")]
        }
        Verdict::Erased => vec!["erased: the customer's key is gone, and with it what was read of them".to_owned()],
        Verdict::Unavailable { missing } => vec![format!("unavailable: {missing}")],
        Verdict::Differs { fields } => {
            let mut lines =
                vec![format!("differs in {} field{}", fields.len(), if fields.len() == 1 { "" } else { "s" })];
            lines.extend(fields.iter().take(FIELDS_MAX).map(field));
            let more = fields.len().saturating_sub(FIELDS_MAX);
            lines.extend((more > 0).then(|| format!("  and {more} more")));
            lines
        }
    }
}

fn field(Difference { path, recorded, again }: &Difference) -> String {
    format!("  `{path}`: recorded {}, again {}", short(&recorded.to_string()), short(&again.to_string()))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(VALUE_BYTES_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
