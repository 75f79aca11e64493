//! Judging a report: whether it is about this bundle, whole, young enough and good enough for the bundle to be put in
//! force. Fails closed: whatever is not shown does not hold.

use super::{FairnessReport, hash_report, hash_text, verdict};
use crate::domain::{Digest, Span, Timestamp};
use crate::policy::Bundle;

/// A report's decisions end no longer ago than this when its bundle is first put in force.
pub const REPORT_AGE_MAX: Span = Span(7 * 86_400_000);

/// Why the fairness gates of a bundle keep it from being put in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "fairness gates keep bundle {bundle} from being put in force: {why}; run `proffer policy measure DIR` on its \
     folder, which measures and names the report in {file}, then activate the folder",
    file = crate::policy::FAIRNESS
)]
pub struct Unfair {
    /// The bundle, as people see it.
    pub bundle: String,
    /// What is missing.
    pub why: Lacking,
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lacking {
    /// No report is named.
    #[error("`{0}` asks for a measure, and the bundle names no report")]
    Unnamed(String),
    /// The store has no such report.
    #[error("the report {0} that it names is not in this store")]
    Unknown(String),
    /// The report is not what its hash says.
    #[error("the report {0} is not the one that was kept under this hash: it was altered")]
    Altered(String),
    /// The files were changed after they were measured.
    #[error("the report {0} is about other files: the bundle was changed after it was measured")]
    Elsewhere(String),
    /// The decisions measured are too old.
    #[error("the report {report} ends at {to}, more than {} ago", REPORT_AGE_MAX)]
    Old {
        /// Which.
        report: String,
        /// The end of what it measured.
        to: Timestamp,
    },
    /// Gates that do not hold, each with why.
    #[error("{}", .0.join("; "))]
    Gates(Vec<String>),
}

/// Judges the report that a bundle names, as kept under that hash. A bundle whose gates measure nothing needs none.
/// What was in force before may be put back whatever the age of its report, since taking a bundle back must not wait.
pub fn judge(
    bundle: &Bundle,
    kept: impl FnOnce(Digest) -> Option<String>,
    was_in_force: bool,
    now: Timestamp,
) -> Result<(), Unfair> {
    let gates: Vec<_> = bundle.measuring(now).collect();
    let Some((first, ..)) = gates.first() else { return Ok(()) };
    let lacks = |why| Err(Unfair { bundle: bundle.hash_text(), why });
    let Some(hash) = bundle.report else { return lacks(Lacking::Unnamed(first.id.to_string())) };
    let name = hash_text(hash);
    let Some(body) = kept(hash) else { return lacks(Lacking::Unknown(name)) };
    let read = FairnessReport::read(&body).ok().filter(|_| hash_report(&body) == hash);
    let Some(report) = read else { return lacks(Lacking::Altered(name)) };
    if report.measured != hash_text(bundle.measured) {
        return lacks(Lacking::Elsewhere(name));
    }
    if !was_in_force && report.to.plus(REPORT_AGE_MAX) < now {
        return lacks(Lacking::Old { report: name, to: report.to });
    }
    let mut failing = Vec::new();
    for (rule, gate, measure) in gates {
        let Some(measured) = report.gates.iter().find(|measured| measured.rule == rule.id) else {
            failing.push(format!("`{}` was not measured", rule.id));
            continue;
        };
        let covered = Span(report.to.0.saturating_sub(measured.from.0).max(0));
        let verdict = verdict(bundle, (rule, gate), measured);
        if covered < measure.window {
            let window = measure.window;
            failing.push(format!("`{}` asks for {window} of decisions, and {covered} were measured", rule.id));
        } else if !verdict.holds() {
            failing.push(format!("`{}` ({}): {}", rule.id, verdict.word(), verdict.sentence()));
        }
    }
    if failing.is_empty() { Ok(()) } else { lacks(Lacking::Gates(failing)) }
}
