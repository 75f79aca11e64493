//! Fields that every rule may have: when it holds, what becomes of offers and of missing values, whether it may be
//! lifted. Reads no rule's own.

use super::super::approval;
use super::super::codes;
use super::super::finding::Report;
use super::super::interval::{self, Interval};
use super::super::kinds::category_exclusions;
use super::super::read::{self, Fields};
use super::super::syntax::Node;
use super::kinds::{self, Kind};
use super::{OnMissing, Severity};

/// Whether nothing is said of what such a rule would not read; otherwise tells so. `only` names the rules that do.
pub(in crate::policy) fn reads_nothing(report: &mut Report<'_>, fields: &Fields<'_>, only: &str) -> bool {
    let allows = |node: &&Node| read::raw(node) == Some("allow");
    let Some(node) = fields.get("on_missing").filter(allows) else { return true };
    let message = format!("{}: nothing that it reads can be allowed to be missing", fields.what);
    let help = format!("among rules of this list `on_missing: allow` is for {only}; remove it");
    report.add(codes::ON_MISSING_UNUSED, node.place, message, "not for this rule").with_help(help);
    false
}

/// What they say.
pub(super) struct Common {
    pub(super) effective: Interval,
    pub(super) severity: Severity,
    pub(super) on_missing: OnMissing,
    pub(super) overridable: bool,
}

/// Reads `effective`, `severity`, `on_missing` and `overridable`.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, kind: &Kind) -> Option<Common> {
    let what = fields.what.as_str();
    let effective = fields
        .get("effective")
        .map_or(Some(Interval::default()), |node| interval::read(report, &format!("{what}: effective"), node));
    let severity = fields.get("severity").map_or(Some(Severity::Block), |node| {
        let names = Severity::ALL.map(|(name, _)| name);
        let chosen = read::choice(report, what, node, "severity", &names, &[])?;
        let (_, severity) = Severity::ALL.into_iter().find(|(name, _)| *name == chosen)?;
        if severity != Severity::Block && approval::is_needed(kind.list) {
            let message = format!("{what}: a rule of `{}` always acts", kind.list);
            report.add(codes::SWITCH_SEVERITY, node.place, message, "never on trial").with_help(
                "who approved it counts on it: remove it, or say `severity: block`; what is to be tried is a rule of \
                 another list",
            );
            return None;
        }
        if severity != Severity::Block && kind.list == "purpose_gates" {
            let message = format!("{what}: a rule of `{}` always blocks", kind.list);
            report.add(codes::SEVERITY_GATE, node.place, message, "never on trial").with_help(
                "a gate that refuses nothing would let personal data be read without consent: remove it, or say \
                 `severity: block`",
            );
            return None;
        }
        Some(severity)
    });
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
    let protects = kind.list == "category_exclusions" && category_exclusions::protects(fields);
    let liftable = kind.liftable && !protects;
    let overridable = fields.get("overridable").map_or(Some(liftable), |node| {
        let overridable = read::flag(report, what, node)?;
        if overridable && !liftable {
            let of = if protects { " that is sensitive or regulated" } else { "" };
            let message = format!("{what}: no override lifts a rule of `{}`{of}", kind.list);
            report.add(codes::OVERRIDABLE, node.place, message, "never lifted").with_help(
                "what protects people by law or by their own word holds whatever is overridden: remove it, or say \
                 `overridable: false`",
            );
            return None;
        }
        Some(overridable)
    });
    let lasts = approval::is_needed(kind.list)
        && effective.as_ref().is_some_and(|effective| !approval::passes(report, fields, effective));
    if lasts {
        return None;
    }
    Some(Common { effective: effective?, severity: severity?, on_missing: on_missing?, overridable: overridable? })
}
