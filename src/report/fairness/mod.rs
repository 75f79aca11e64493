//! Fairness: what was measured for the gates of a bundle over recorded decisions, and whether it is enough for the
//! bundle to be put in force. Reads no store, opens no sealed part and knows nobody's id.

mod judge;

mod logistic;

mod parity;

mod proxy;

mod text;

mod verdict;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use judge::{Lacking, REPORT_AGE_MAX, Unfair, judge};
pub use parity::{GroupWorth, Offered, ParityMeasured, Ratio, parity};
pub use proxy::{Featured, GroupTold, PROXY_CUSTOMERS_MAX, ProxyMeasured, of_people, told};
pub use text::text;
pub use verdict::{Verdict, verdict};

use crate::domain::{Digest, Malformed, Percent, Placement, RuleId, Timestamp};
use crate::policy::{Bundle, Rule};

/// The version of the report's form.
const FORM: u16 = 1;

/// What was measured for the fairness gates of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FairnessReport {
    /// Version of this form.
    form: u16,
    /// What of the bundle it is about: `b3:` and the hash of what is measured of it.
    pub measured: String,
    /// When it was made.
    pub at: Timestamp,
    /// Decisions made before this instant.
    pub to: Timestamp,
    /// Every gate that measures, by the order of the bundle.
    pub gates: Vec<GateMeasured>,
}

/// What was measured for one gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateMeasured {
    /// The gate.
    pub rule: RuleId,
    /// Decisions made at this instant or later.
    pub from: Timestamp,
    /// Decisions in its scope and time that were made for somebody who is still known.
    pub decisions: u64,
    /// Those of them that were measured: their customers allow it, and have a value that names a group.
    pub read: u64,
    /// What was found.
    pub found: Found,
}

/// What was found for a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// What decisions were worth to groups.
    Parity(ParityMeasured),
    /// How well groups are told apart, placement by placement.
    Proxy(Vec<ProxyMeasured>),
}

impl FairnessReport {
    /// A report about a bundle.
    pub fn new(bundle: &Bundle, at: Timestamp, to: Timestamp, gates: Vec<GateMeasured>) -> Self {
        Self { form: FORM, measured: hash_text(bundle.measured), at, to, gates }
    }

    /// As it is kept: its bytes are what the hash is over.
    pub fn body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Self::body`] wrote.
    pub fn read(body: &str) -> Result<Self, Malformed> {
        let report: Self =
            serde_json::from_str(body).map_err(|error| Malformed(format!("a report does not parse: {error}")))?;
        if report.form != FORM {
            return Err(Malformed(format!("a report has form {}: this build reads {FORM}", report.form)));
        }
        Ok(report)
    }
}

/// BLAKE3 over the body of a report: its name.
pub fn hash_report(body: &str) -> Digest {
    Digest(*blake3::hash(body.as_bytes()).as_bytes())
}

/// A hash as people and files have it: `b3:` and hexadecimal.
pub fn hash_text(hash: Digest) -> String {
    format!("b3:{}", hash.hex())
}

/// The placements that a gate is about.
pub fn scope<'a>(bundle: &'a Bundle, rule: &'a Rule) -> impl Iterator<Item = &'a Placement> {
    bundle.placements.values().filter(|placement| rule.applies_to.covers_placement(placement))
}

/// The quantile of the normal distribution that an interval reaches to: of 90 %, 95 % or 99 %.
pub fn quantile(interval: Percent) -> f64 {
    match interval.0 {
        ..=9_000 => 1.644_853_626_951_472_7,
        9_001..=9_500 => 1.959_963_984_540_054,
        _ => 2.575_829_303_548_900_4,
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums are exact integers, rounded once for an estimate")]
fn number(sum: i128) -> f64 {
    sum as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of customers are far below 2^53")]
fn count(of: usize) -> f64 {
    of as f64
}
