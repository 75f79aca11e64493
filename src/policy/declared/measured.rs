//! `fairness.yaml`: the report by which a bundle was measured, named by its hash. Reads no report.

use crate::domain::{Digest, Malformed};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::syntax::Node;

/// The file of a bundle that names its report. It is the one file that is not measured itself.
pub const FAIRNESS: &str = "fairness.yaml";

/// The fields of the file.
pub(in crate::policy) const FIELDS: [&str; 1] = ["report"];

/// Reads which report the file names.
pub(in crate::policy) fn read(report: &mut Report<'_>, root: &Node) -> Option<Digest> {
    let fields = Fields::open(report, "fairness", root, &FIELDS, &[])?;
    let node = fields.need(report, "report", "report: b3:0f3a...")?;
    read::parsed(report, "fairness", node, "`b3:` and 64 hexadecimal digits", |text| {
        let digits = text.strip_prefix("b3:").filter(|digits| digits.len() == 64);
        digits.and_then(|digits| Digest::from_hex(digits).ok()).ok_or_else(|| {
            Malformed::new(format!("`{text}` names no report: expected what `proffer policy measure` writes here"))
        })
    })
}
