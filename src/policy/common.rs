//! Fields that every rule may have: when it holds, how severe it is, what a missing value means. Reads no rule's own.

use super::codes;
use super::finding::Report;
use super::interval::{self, Interval};
use super::read::{self, Fields};
use super::rules::OnMissing;

/// Reads `effective`, `severity` and `on_missing`. `reads` says whether the rule reads anything that may be missing.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, reads: bool) -> Option<(Interval, OnMissing)> {
    let what = fields.what.as_str();
    let effective = fields
        .get("effective")
        .map_or(Some(Interval::default()), |node| interval::read(report, &format!("{what}: effective"), node));
    // Rules that only warn need a place in the record.
    let severity = fields
        .get("severity")
        .map_or(Some("block"), |node| read::choice(report, what, node, "severity", &["block"], &["warn", "shadow"]));
    let on_missing = fields.get("on_missing").map_or(Some(OnMissing::Exclude), |node| {
        let allow = read::choice(report, what, node, "choice", &["exclude", "allow"], &[])? == "allow";
        if allow && !reads {
            let message = format!("{what}: nothing that it reads can be allowed to be missing");
            report.add(codes::ON_MISSING_UNUSED, node.place, message, "not for this kind").with_help(
                "`on_missing: allow` is for exclusions, requirements, availability, loyalty and diversity; remove it",
            );
            return None;
        }
        Some(if allow { OnMissing::Allow } else { OnMissing::Exclude })
    });
    severity?;
    Some((effective?, on_missing?))
}
