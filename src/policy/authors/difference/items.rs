//! What a bundle is made of, one thing at a time: rules, placements, declarations, cases, each with its fields as
//! written. Knows no kind of rule: a new one is compared as soon as it can be written.

use std::collections::BTreeMap;

use crate::policy::bundle::Bundle;
use crate::policy::finding::Report;
use crate::policy::syntax::{self, Node, Yaml};

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    /// One value, in one line.
    Text(String),
    /// Several, in their order.
    List(Vec<String>),
}

/// One thing of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// File and line.
    pub(super) place: (String, usize),
    /// By name, with dots for what lies deeper: `window.rolling`.
    pub(super) fields: BTreeMap<String, Said>,
}

/// What a thing is (`rule`), the list it stands in (`exclusions`), and its name.
pub(super) type Name = (&'static str, String, String);

/// What the items of a list are called, by the list; those of other lists are rules.
const PARTS: [(&str, &str); 9] = [
    ("placements", "placement"),
    ("attributes", "attribute"),
    ("purposes", "purpose"),
    ("calendars", "calendar"),
    ("customers", "customer of the tests"),
    ("offers", "offer of the tests"),
    ("campaigns", "campaign of the tests"),
    ("cases", "case"),
    ("given", "what all cases of a file are given"),
];

/// Everything that a bundle declares. What stands there twice is there once, as it is compiled.
pub(super) fn items(bundle: &Bundle) -> BTreeMap<Name, Item> {
    let mut items = BTreeMap::new();
    let mut report = Report::new(&bundle.sources);
    for (at, source) in bundle.sources.iter().enumerate() {
        let Some(Node { value: Yaml::Map(lists), .. }) = syntax::parse(&mut report, at, &source.text) else { continue };
        let owner = lists.iter().find(|(key, _)| key.text == "owner").map(|(_, node)| node);
        for (key, node) in &lists {
            let list = key.text.as_str();
            let known = PARTS.iter().find(|(known, _)| *known == list).map(|(_, part)| *part);
            match &node.value {
                Yaml::List(entries) => {
                    let rules = source.path.starts_with("rules/");
                    let part = known.filter(|_| !rules).unwrap_or("rule");
                    for (position, entry) in entries.iter().enumerate() {
                        let mut item = item(&source.path, entry);
                        if rules && let Some(owner) = owner.and_then(text) {
                            item.fields.entry("owner".to_owned()).or_insert(Said::Text(owner));
                        }
                        let id = ["id", "name"].iter().find_map(|field| match item.fields.remove(*field) {
                            Some(Said::Text(text)) => Some(text),
                            _ => None,
                        });
                        let id = id.unwrap_or_else(|| format!("{} {}", source.path, position + 1));
                        items.insert((part, list.to_owned(), id), item);
                    }
                }
                _ if list == "owner" && source.path.starts_with("rules/") => {}
                _ => {
                    let part = known.unwrap_or("setting");
                    let name = if part == "setting" { list.to_owned() } else { source.path.clone() };
                    items.insert((part, source.path.clone(), name), item(&source.path, node));
                }
            }
        }
    }
    items
}

fn item(path: &str, node: &Node) -> Item {
    let line = match &node.value {
        Yaml::Map(entries) => entries.first().map_or(node.place.line, |(key, _)| key.place.line),
        _ => node.place.line,
    };
    let mut fields = BTreeMap::new();
    flatten("", node, &mut fields);
    Item { place: (path.to_owned(), line), fields }
}

fn flatten(name: &str, node: &Node, fields: &mut BTreeMap<String, Said>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match &node.value {
        Yaml::Map(entries) => entries.iter().for_each(|(key, node)| flatten(&below(&key.text), node, fields)),
        // Things with a name are compared by it, wherever they stand in their list.
        Yaml::List(entries) if !entries.is_empty() && entries.iter().all(|entry| id(entry).is_some()) => {
            for entry in entries {
                flatten(&below(&id(entry).unwrap_or_default()), entry, fields);
            }
        }
        Yaml::List(entries) => {
            fields.insert(name.to_owned(), Said::List(entries.iter().map(written).collect()));
        }
        _ => {
            fields.insert(name.to_owned(), Said::Text(written(node)));
        }
    }
}

fn id(node: &Node) -> Option<String> {
    let Yaml::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.text == "id").and_then(|(_, node)| text(node))
}

fn text(node: &Node) -> Option<String> {
    match &node.value {
        Yaml::Scalar { text, .. } => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

/// A value in one line.
fn written(node: &Node) -> String {
    match &node.value {
        Yaml::Scalar { .. } => text(node).unwrap_or_default(),
        Yaml::List(entries) => format!("[{}]", entries.iter().map(written).collect::<Vec<_>>().join(", ")),
        Yaml::Map(entries) => {
            let fields = entries.iter().map(|(key, node)| format!("{}: {}", key.text, written(node)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Yaml::Refused => String::new(),
    }
}
