//! Fields that every rule may have: when it holds, how severe it is, what a missing value means. Reads no rule's own.

use super::super::codes;
use super::super::finding::Report;
use super::super::interval::{self, Interval};
use super::super::read::{self, Fields};
use super::OnMissing;
use super::kinds::{self, Kind};

/// What they say.
pub(super) struct Common {
    pub(super) effective: Interval,
    pub(super) on_missing: OnMissing,
}

/// Reads `effective`, `severity` and `on_missing`.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, kind: &Kind) -> Option<Common> {
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
        if allow && !kind.reads {
            let message = format!("{what}: nothing that it reads can be allowed to be missing");
            let help = format!("`on_missing: allow` is for {}; remove it", kinds::named(|kind| kind.reads));
            report.add(codes::ON_MISSING_UNUSED, node.place, message, "not for this kind").with_help(help);
            return None;
        }
        Some(if allow { OnMissing::Allow } else { OnMissing::Exclude })
    });
    severity?;
    Some(Common { effective: effective?, on_missing: on_missing? })
}
