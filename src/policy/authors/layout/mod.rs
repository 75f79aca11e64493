//! The canonical layout of a file: indentation, dashes, spaces, the order of fields, blank lines. Changes no value and
//! no comment: what is written is read again and compared, and where it would say something else the file is left
//! alone.

mod text;
mod write;

#[cfg(test)]
mod tests;

use crate::policy::declared::{attributes, calendars, placements, purposes};
use crate::policy::finding::Report;
use crate::policy::rules::{FIELDS, KINDS};
use crate::policy::syntax::{self, Node, Yaml};
use crate::policy::{Finding, Source, bundle};

/// Why a file was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotLaidOut {
    /// It cannot be read.
    Wrong(Vec<Finding>),
    /// It holds something that has no canonical layout, such as a comment within brackets.
    Beyond,
}

/// The file in its canonical layout.
pub fn lay_out(source: &Source) -> Result<String, NotLaidOut> {
    let text = source.text.replace("\r\n", "\n").replace('\r', "\n");
    let node = read(&source.path, &text)?;
    if matches!(&node.value, Yaml::Scalar { .. }) {
        return Ok(text);
    }
    let laid = write::document(&source.path, &text, &node).ok_or(NotLaidOut::Beyond)?;
    let again = read(&source.path, &laid).map_err(|_| NotLaidOut::Beyond)?;
    let comments = |text: &str| {
        let mut found = text::comments(text);
        found.sort_unstable();
        found
    };
    let kept = same(&node, &again) && comments(&text) == comments(&laid);
    if kept { Ok(laid) } else { Err(NotLaidOut::Beyond) }
}

fn read(path: &str, text: &str) -> Result<Node, NotLaidOut> {
    let sources = [Source { path: path.to_owned(), text: text.to_owned() }];
    let mut report = Report::new(&sources);
    let node = syntax::parse(&mut report, 0, text);
    let findings = report.finish();
    node.filter(|_| findings.is_empty()).ok_or(NotLaidOut::Wrong(findings))
}

/// Whether two trees say the same, whatever the order of fields.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Yaml::Scalar { text, plain }, Yaml::Scalar { text: other, plain: also }) => (text, plain) == (other, also),
        (Yaml::List(a), Yaml::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Yaml::Map(a), Yaml::Map(b)) => {
            let found = |name: &str| b.iter().find(|(key, _)| key.text == name).map(|(_, node)| node);
            a.len() == b.len() && a.iter().all(|(key, node)| found(&key.text).is_some_and(|other| same(node, other)))
        }
        _ => false,
    }
}

/// The order of the fields of the things in a list; of others the order is their author's.
fn order(path: &str, list: &str) -> Vec<&'static str> {
    match (path, list) {
        ("bundle.yaml", "") => bundle::FIELDS.to_vec(),
        ("catalog/attributes.yaml", "attributes") => attributes::FIELDS.to_vec(),
        ("catalog/purposes.yaml", "purposes") => purposes::FIELDS.to_vec(),
        ("catalog/calendars.yaml", "calendars") => calendars::FIELDS.to_vec(),
        ("placements.yaml", "placements") => placements::KNOWN.to_vec(),
        (path, list) if path.starts_with("rules/") => {
            let own = KINDS.iter().find(|kind| kind.list == list).map(|kind| kind.fields);
            // What the rule checks stands between where it applies and what becomes of offers.
            let (before, after) = FIELDS.split_at(5);
            own.map(|own| [before, own, after].concat()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
