//! YAML as a tree. The policy files' parser reads it, so that the same things are refused in both; knows no field.

use super::tree::{Node, Raw, Spot};
use crate::policy::Source;
use crate::policy::finding::{Place, Report};
use crate::policy::syntax::{self, Yaml};

/// The tree of a file, and what is wrong with its form.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<(Spot, String)>) {
    let sources = [Source { path: String::new(), text: text.to_owned() }];
    let mut report = Report::new(&sources);
    let root = syntax::parse(&mut report, 0, text);
    let wrong = report.finish().into_iter().map(|finding| {
        let spot = Spot { line: finding.line, column: finding.column, field: None };
        let help = finding.help.map(|help| format!(": {help}")).unwrap_or_default();
        (spot, format!("{}{help}", finding.message))
    });
    let wrong = wrong.collect();
    (root.map(node), wrong)
}

fn spot(place: Place) -> Spot {
    Spot { line: place.line, column: place.column, field: None }
}

fn node(yaml: syntax::Node) -> Node {
    let raw = match yaml.value {
        Yaml::Scalar { text, plain } => Raw::Text { text, plain },
        Yaml::List(items) => Raw::List(items.into_iter().map(node).collect()),
        Yaml::Map(entries) => {
            Raw::Map(entries.into_iter().map(|(key, value)| (key.text, spot(key.place), node(value))).collect())
        }
        Yaml::Refused => Raw::Refused,
    };
    Node { spot: spot(yaml.place), raw }
}
