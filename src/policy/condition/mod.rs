//! The typed condition language: text to a checked condition to columns. Has no loops and no functions.
//!
//! Spelt like CEL. Names and values are checked against `catalog/attributes.yaml`, a missing value is a third truth
//! value, and what is evaluated are bits of 64 offers at a time.

mod slip;

mod tree;
mod value;

mod token;

mod parse;

mod read;

mod term;

mod build;

mod check;
mod compare;

mod columns;
mod program;

mod asked;

mod worlds;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod oracle_trees;
#[cfg(test)]
mod tests;

pub use asked::Asked;
pub use columns::Columns;
pub use read::Facts;

pub(super) use columns::Bits;
pub(super) use program::Program;
pub(super) use term::Term;
pub(crate) use value::date;
pub(super) use value::{and, local_time};
pub(super) use worlds::{World, Worlds};

use check::Checker;
use slip::Slip;

use super::applies::AppliesTo;
use super::codes;
use super::declared::lineage::ReadBy;
use super::finding::{Place, Report};
use super::read::{self as reader, Fields};
use super::rules::Known;
use super::scalar::Scalar;

/// A checked condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    text: String,
    term: Term,
}

impl Condition {
    /// As its author wrote it, in one line.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn term(&self) -> &Term {
        &self.term
    }
}

/// Reads the condition of a rule; which attributes it may read depends on the kind of rule that the reader is.
pub(super) fn read(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    (applies_to, reader): (Option<&AppliesTo>, ReadBy),
) -> Option<Condition> {
    let what = fields.what.as_str();
    let node = fields.need(report, "when", "when: customer.tier == \"bronze\"")?;
    let text = reader::parsed(report, what, node, "a condition such as `a == \"x\"`", Ok)?;
    let mut slips = Vec::new();
    let term = checked(text, known, (applies_to, reader), &mut slips);
    let scalar = Scalar::of(report, node);
    for slip in slips {
        let place = scalar.as_ref().and_then(|scalar| scalar.place(&slip.at)).unwrap_or(node.place);
        let finding = report.add(slip.code, place, format!("{what}: {}", slip.message), slip.label);
        if let Some(help) = slip.help {
            finding.with_help(help);
        }
    }
    let text = text.trim().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Some(Condition { text, term: term? })
}

/// A condition that another field stands for, told where that field is.
pub(super) fn of_text(
    report: &mut Report<'_>,
    what: &str,
    (text, place): (&str, Place),
    known: Known<'_>,
    (applies_to, reader): (Option<&AppliesTo>, ReadBy),
) -> Option<Condition> {
    let mut slips = Vec::new();
    let term = checked(text, known, (applies_to, reader), &mut slips);
    for slip in slips {
        report.add(slip.code, place, format!("{what}: {}", slip.message), slip.label);
    }
    Some(Condition { text: text.to_owned(), term: term? })
}

fn checked(
    text: &str,
    known: Known<'_>,
    (applies_to, reader): (Option<&AppliesTo>, ReadBy),
    slips: &mut Vec<Slip>,
) -> Option<Term> {
    if text.trim().is_empty() {
        slips.push(
            Slip::new(0..text.len(), codes::CONDITION_SYNTAX, "an empty condition", "nothing is asked")
                .with_help("write what must hold, such as `customer.tier == \"gold\"`"),
        );
        return None;
    }
    let tree = parse::parse(text, slips)?;
    let covered =
        known.placements.values().filter(|placement| applies_to.is_some_and(|to| to.covers_placement(placement)));
    let currencies = covered.map(|placement| (&placement.id, placement.currency)).collect();
    let mended = slips.is_empty();
    let term = Checker { text, catalog: known.attributes, currencies, reader, slips }.condition(&tree)?;
    mended.then_some(term)
}
