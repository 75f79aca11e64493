//! Approval of what acts at once: who approved a switch or an override, by which ticket, and for how long at most.
//! Asks no rule.

use super::codes;
use super::finding::Report;
use super::interval::Interval;
use super::read::{self, Fields};

/// Who approved, and where that is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// A person.
    pub approver: String,
    /// A ticket.
    pub ticket: String,
}

impl std::fmt::Display for Approval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "approved by {}, ticket {}", self.approver, self.ticket)
    }
}

/// Lists whose rules act at once and pass.
const LISTS: [&str; 2] = ["kill_switches", "overrides"];

/// Days that such a rule may hold at most.
const DAYS_MAX: i64 = 14;

const HOUR_MS: i64 = 3_600_000;

/// Whether the rules of a list act at once, and so need an approval and an end.
pub(super) fn is_needed(list: &str) -> bool {
    LISTS.contains(&list)
}

/// Reads `approver` and `ticket`.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<Approval> {
    let what = fields.what.as_str();
    let mut text = |name: &str, example: &str| {
        let node = fields.need(report, name, example)?;
        read::parsed(report, what, node, "a name", |text| Ok(text.trim().to_owned()))
    };
    let (approver, ticket) = (text("approver", "approver: Jane Doe"), text("ticket", "ticket: OPS-1234"));
    Some(Approval { approver: approver?, ticket: ticket? })
}

/// Whether a rule that acts at once begins, ends, and holds for no longer than it may. Fourteen days by the calendar
/// have an hour more where clocks go back.
pub(super) fn passes(report: &mut Report<'_>, fields: &Fields<'_>, effective: &Interval) -> bool {
    let what = fields.what.as_str();
    let Some(node) = fields.get("effective") else {
        let example = "effective: {from: 2026-11-27T09:00:00Z, until: 2026-12-04T09:00:00Z}";
        return fields.need(report, "effective", example).is_some();
    };
    let zoned = effective.text.ends_with(')');
    let longest = DAYS_MAX * 24 * HOUR_MS + if zoned { HOUR_MS } else { 0 };
    let told = match effective.from.zip(effective.until) {
        Some((from, until)) if until.0.saturating_sub(from.0) <= longest => return true,
        Some(_) => format!("it holds for more than {DAYS_MAX} days"),
        None => "both `from` and `until` are needed".to_owned(),
    };
    report.add(codes::SWITCH_EFFECTIVE, node.place, format!("{what}: {told}"), "no lasting rule").with_help(format!(
        "what acts at once passes: say when it begins and when it ends, at most {DAYS_MAX} days later; what is to \
         stay is a rule of another list"
    ));
    false
}
