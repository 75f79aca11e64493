//! Declarations and references: every id declared once, every name used declared somewhere. Reads no values.

use std::collections::BTreeMap;

use super::codes;
use super::finding::{Place, Report};
use super::read::{self, Fields};
use super::suggest::did_you_mean;
use super::syntax::Node;
use crate::domain::Malformed;

/// Ids declared so far, with their places: nothing is declared twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared {
    ids: BTreeMap<String, Place>,
    /// Some declaration could not be read: then nothing can be called undeclared.
    incomplete: bool,
}

impl Declared {
    /// Declares an id; false (and a finding that names both places) if it was there before.
    pub(super) fn add(&mut self, report: &mut Report<'_>, kind: &str, id: &str, place: Place) -> bool {
        if let Some(first) = self.ids.get(id) {
            let first = report.name(*first);
            report
                .add(
                    codes::ID_TWICE,
                    place,
                    format!("{kind} `{id}` is declared twice"),
                    format!("first declared at {first}"),
                )
                .with_help("rename one of them or remove it");
            self.incomplete = true;
            return false;
        }
        self.ids.insert(id.to_owned(), place);
        true
    }

    /// The declarations of a file that cannot be read.
    pub(super) fn unreadable() -> Self {
        Self { incomplete: true, ..Self::default() }
    }

    /// Whether every declaration was read, and these are as many.
    pub(super) fn are(&self, count: usize) -> bool {
        !self.incomplete && self.ids.len() == count
    }

    /// Notes that a declaration could not be read.
    pub(super) fn miss(&mut self) {
        self.incomplete = true;
    }

    /// Whether the id is certainly not declared.
    pub(super) fn lacks(&self, id: &str) -> bool {
        !self.incomplete && !self.ids.contains_key(id)
    }

    /// Where an id is declared.
    pub(super) fn place(&self, id: &str) -> Option<Place> {
        self.ids.get(id).copied()
    }

    /// Every id.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(String::as_str)
    }
}

/// The items of the one list of a file. A file without the list leaves the declarations incomplete.
pub(super) fn items<'n>(
    report: &mut Report<'_>,
    root: &'n Node,
    name: &str,
    example: &str,
    declared: &mut Declared,
) -> &'n [Node] {
    let items = Fields::open(report, name, root, &[name], &[])
        .and_then(|fields| fields.need(report, name, example))
        .and_then(|node| read::list(report, name, node));
    if items.is_none() {
        declared.miss();
    }
    items.unwrap_or_default()
}

/// The fields of an item that declares something.
pub(super) fn item<'n>(
    report: &mut Report<'_>,
    kind: &str,
    node: &'n Node,
    known: &[&str],
    declared: &mut Declared,
) -> Option<Fields<'n>> {
    let fields = Fields::open(report, read::title(kind, node), node, known, &[]);
    if fields.is_none() {
        declared.miss();
    }
    fields
}

/// The id of an item, declared; an id that cannot be read leaves the declarations incomplete.
pub(super) fn declare<T: std::fmt::Display>(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    (kind, wanted, example): (&str, &str, &str),
    parse: impl Fn(&str) -> Result<T, Malformed>,
    declared: &mut Declared,
) -> Option<T> {
    let node = fields.need(report, "id", example);
    let id = node.and_then(|node| read::parsed(report, &fields.what, node, wanted, parse));
    let Some((id, node)) = id.zip(node) else {
        declared.miss();
        return None;
    };
    declared.add(report, kind, &id.to_string(), node.place).then_some(id)
}

/// A reference to something declared elsewhere: false with a finding if it is certainly not declared.
pub(super) fn refer(
    report: &mut Report<'_>,
    (code, noun, home): (&'static str, &str, &str),
    what: &str,
    (place, name): (Place, &str),
    declared: &Declared,
) -> bool {
    if !declared.lacks(name) {
        return true;
    }
    let meant = did_you_mean(name, declared.names());
    let found = report.add(code, place, format!("{what}: unknown {noun} `{name}`{meant}"), format!("not in {home}"));
    if meant.is_empty() {
        found.with_help(known(declared));
    }
    false
}

/// Names listed in a finding at most.
const NAMES_MAX: usize = 12;

/// What there is to name instead.
fn known(declared: &Declared) -> String {
    let names: Vec<String> = declared.names().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    let more = if declared.names().count() > NAMES_MAX { " and more" } else { "" };
    match names.as_slice() {
        [] => "none is declared yet: declare it there".to_owned(),
        names => format!("declare it there, or name one of {}{more}", names.join(", ")),
    }
}
