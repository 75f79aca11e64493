//! Typed readers: a value as what its field holds, or a finding that says what was expected. Knows no field by name.

use std::collections::BTreeSet;

use super::codes;
use super::finding::{Finding, Place, Report};
use super::suggest::{did_you_mean, nearest};
use super::syntax::{Key, MERGE, Node, Yaml};
use crate::domain::{Malformed, Percent, Span};

/// Fields that people look for, with the field that says it and how it is written there.
const ELSEWHERE: [(&str, &str, &str); 2] = [
    ("jurisdictions", "applies_to", "applies_to: {regions: [EU]}"),
    ("leaves_out", "applies_to", "applies_to: {categories: [...]}"),
];

/// The fields of a mapping, checked against those the language knows.
pub(super) struct Fields<'n> {
    /// For messages, such as "rule `cap.offer.day`".
    pub(super) what: String,
    /// Where the mapping begins.
    pub(super) place: Place,
    entries: &'n [(Key, Node)],
    /// Fields that a misspelt one stands for: not missing as well.
    meant: Vec<String>,
}

impl<'n> Fields<'n> {
    /// Opens a mapping. `known` are its fields; `later` are fields of the language that are not available yet.
    pub(super) fn open(
        report: &mut Report<'_>,
        what: impl Into<String>,
        node: &'n Node,
        known: &[&str],
        later: &[&str],
    ) -> Option<Self> {
        Self::open_all(report, what.into(), node, known, later, (&[], &[]))
    }

    /// As [`Self::open`], for a mapping that may hold attributes too: any of the scopes of these names. Whether they
    /// are declared is for the reader to say, and so is what becomes of fields that belong `elsewhere`.
    pub(super) fn open_dotted(
        report: &mut Report<'_>,
        what: impl Into<String>,
        node: &'n Node,
        known: &[&str],
        elsewhere: &[&str],
        attributes: &[&str],
    ) -> Option<Self> {
        Self::open_all(report, what.into(), node, known, &[], (elsewhere, attributes))
    }

    fn open_all(
        report: &mut Report<'_>,
        what: String,
        node: &'n Node,
        known: &[&str],
        later: &[&str],
        (elsewhere, attributes): (&[&str], &[&str]),
    ) -> Option<Self> {
        let scope_of = |name: &str| name.split_once('.').map(|(scope, _)| scope.to_owned());
        let scopes: BTreeSet<String> = attributes.iter().filter_map(|name| scope_of(name)).collect();
        let Yaml::Map(entries) = &node.value else {
            if let Some(finding) = expected(report, &what, node, "a mapping of fields") {
                let example = known.first().copied().unwrap_or("id");
                finding.with_help(format!(
                    "write its fields, each as `{example}: ...`, in braces or one in each line; they are `{}`",
                    known.join("`, `")
                ));
            }
            return None;
        };
        let mut meant = Vec::new();
        for (key, _) in entries.iter().filter(|(key, _)| key.text != MERGE) {
            let name = key.text.as_str();
            if known.contains(&name)
                || elsewhere.contains(&name)
                || scope_of(name).is_some_and(|scope| scopes.contains(&scope))
            {
                continue;
            }
            if later.contains(&name) {
                not_yet(report, &what, key.place, &format!("`{name}`"), &known.join("`, `"));
                continue;
            }
            // `tier` for `customer.tier`.
            let bare = attributes.iter().find(|full| full.split_once('.').is_some_and(|(_, rest)| rest == name));
            let elsewhere = || ELSEWHERE.iter().find(|(field, of, _)| *field == name && known.contains(of));
            let spelt = bare.copied().or_else(|| elsewhere().map(|(_, _, written)| *written));
            let spelt = spelt.or_else(|| nearest(name, known.iter().chain(later).copied()));
            meant.extend(spelt.map(str::to_owned));
            let spelt = spelt.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            let message = format!("{what}: unknown field `{name}`{spelt}");
            let dotted = scopes.iter().map(|scope| format!("{scope}.NAME"));
            let fields: Vec<String> = known.iter().map(|name| (*name).to_owned()).chain(dotted).collect();
            let help = format!("the fields here are `{}`", fields.join("`, `"));
            report.add(codes::FIELD_UNKNOWN, key.place, message, "unknown field").with_help(help);
        }
        let place = entries.first().map_or(node.place, |(key, _)| key.place);
        Some(Self { what, place, entries, meant })
    }

    /// The value of a field, if given.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// The value of a field that must be given; `example` shows how it is written.
    pub(super) fn need(&self, report: &mut Report<'_>, name: &str, example: &str) -> Option<&'n Node> {
        let found = self.get(name);
        let excused = self.get(MERGE).is_some() || self.meant.iter().any(|meant| meant == name);
        if found.is_none() && !excused {
            let message = format!("{}: field `{name}` is missing", self.what);
            report
                .add(codes::FIELD_MISSING, self.place, message, format!("no `{name}` here"))
                .with_help(format!("add it, such as `{example}`"));
        }
        found
    }

    /// Whether a misspelt field stands for one of these.
    pub(super) fn misspelt(&self, names: &[&str]) -> bool {
        self.meant.iter().any(|meant| names.contains(&meant.as_str()))
    }

    /// The fields as written, in order.
    pub(super) fn entries(&self) -> &'n [(Key, Node)] {
        self.entries
    }
}

/// What an item of a list is called in messages: by its id, where it has one.
pub(super) fn title(kind: &str, node: &Node) -> String {
    let id = match &node.value {
        Yaml::Map(entries) => entries.iter().find(|(key, _)| key.text == "id").and_then(|(_, id)| raw(id)),
        _ => None,
    };
    let article = if kind.starts_with('a') { "an" } else { "a" };
    id.map_or_else(|| format!("{article} {kind}"), |id| format!("{kind} `{id}`"))
}

/// The text of a scalar as written, whatever its type.
pub(super) fn raw(node: &Node) -> Option<&str> {
    match &node.value {
        Yaml::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b"._eE-+".contains(&b))
        && digits.parse::<f64>().is_ok()
}

/// What a value is, for messages.
pub(super) fn kind(node: &Node) -> &'static str {
    match &node.value {
        Yaml::Scalar { text, plain: true } => match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => "nothing",
            "true" | "false" => "true or false",
            text if is_number(text) => "a number",
            _ => "text",
        },
        Yaml::Scalar { .. } => "text",
        Yaml::List(_) => "a list",
        Yaml::Map(_) => "a mapping",
        Yaml::Refused => "",
    }
}

/// Says which type was expected and which was found, with the way from one to the other. Silent where the value was
/// refused before.
pub(super) fn expected<'r>(
    report: &'r mut Report<'_>,
    what: &str,
    node: &Node,
    wanted: &str,
) -> Option<&'r mut Finding> {
    if matches!(node.value, Yaml::Refused) {
        return None;
    }
    let found = kind(node);
    let label = if found == "nothing" { "no value given".to_owned() } else { format!("this is {found}") };
    let finding = report.add(codes::TYPE, node.place, format!("{what}: expected {wanted}, found {found}"), label);
    let help = match (wanted, found, raw(node)) {
        (_, "nothing", _) => "write a value behind the colon, or leave the field out".to_owned(),
        ("text", "a number" | "true or false", _) => "put it in quotes if it is meant as text".to_owned(),
        ("a list", _, Some(text)) if !text.contains('\n') => format!("write it in brackets: `[{text}]`"),
        ("a list", "a mapping", _) => "write it in brackets, or with a dash: `[{...}]`".to_owned(),
        (_, "text", Some(text)) if wanted.contains("number") && is_number(text) => {
            format!("write the number without quotes: `{text}`")
        }
        ("a whole number", "text", _) => "write it in digits, such as `5`".to_owned(),
        (_, "a list", _) if wanted != "a mapping of fields" => "write one value, without brackets or dashes".to_owned(),
        _ => return Some(finding),
    };
    finding.with_help(help);
    Some(finding)
}

/// Says that a part of the language is not available yet, and what is.
pub(super) fn not_yet(report: &mut Report<'_>, what: &str, place: Place, name: &str, available: &str) {
    report
        .add(codes::NOT_YET, place, format!("{what}: {name} is not available yet"), "not available yet")
        .with_help(format!("available now: `{available}`"));
}

/// Text that is not a number, a truth value or nothing.
pub(super) fn text<'n>(report: &mut Report<'_>, what: &str, node: &'n Node) -> Option<&'n str> {
    if kind(node) == "text" {
        return raw(node);
    }
    expected(report, what, node, "text");
    None
}

/// True or false, spelt so.
pub(super) fn flag(report: &mut Report<'_>, what: &str, node: &Node) -> Option<bool> {
    match (kind(node), raw(node)) {
        ("true or false", text) => text.map(|text| text == "true"),
        ("text", Some(text)) => {
            let label = match text.to_ascii_lowercase().as_str() {
                "yes" | "y" | "on" | "true" => "write `true`",
                "no" | "n" | "off" | "false" => "write `false`",
                _ => "expected `true` or `false`",
            };
            report.add(codes::NOT_BOOLEAN, node.place, format!("{what}: `{text}` is not `true` or `false`"), label);
            None
        }
        _ => {
            expected(report, what, node, "`true` or `false`");
            None
        }
    }
}

/// A number within bounds, both included; `range` says them.
pub(super) fn number(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    low: f64,
    high: f64,
    range: &str,
) -> Option<f64> {
    let value = raw(node).filter(|_| kind(node) == "a number").and_then(|text| text.parse::<f64>().ok());
    let Some(value) = value else {
        expected(report, what, node, "a number");
        return None;
    };
    if value.is_finite() && value >= low && value <= high {
        return Some(value);
    }
    out_of_range(report, what, node, range);
    None
}

/// A whole number within bounds, both included.
pub(super) fn whole(report: &mut Report<'_>, what: &str, node: &Node, low: u32, high: u32) -> Option<u32> {
    let text = raw(node).filter(|_| kind(node) == "a number");
    let Some(text) = text else {
        expected(report, what, node, "a whole number");
        return None;
    };
    match text.parse::<u32>() {
        Ok(value) if value >= low && value <= high => Some(value),
        _ => {
            out_of_range(report, what, node, &format!("a whole number from {low} to {high}"));
            None
        }
    }
}

/// Says that a value is outside its range.
pub(super) fn out_of_range(report: &mut Report<'_>, what: &str, node: &Node, range: &str) {
    let text = raw(node).unwrap_or_default();
    report.add(
        codes::RANGE,
        node.place,
        format!("{what}: `{text}` is out of range: expected {range}"),
        format!("expected {range}"),
    );
}

/// A value parsed from its text as written, such as an id, an amount or a percent.
pub(super) fn parsed<'n, T>(
    report: &mut Report<'_>,
    what: &str,
    node: &'n Node,
    wanted: &str,
    parse: impl FnOnce(&'n str) -> Result<T, Malformed>,
) -> Option<T> {
    let Some(text) = raw(node).filter(|_| ["text", "a number"].contains(&kind(node))) else {
        expected(report, what, node, wanted);
        return None;
    };
    match parse(text) {
        Ok(value) => Some(value),
        Err(error) => {
            unreadable(report, what, node.place, &error, wanted);
            None
        }
    }
}

/// Says that a text cannot be read, and moves what was expected from the message to the way out.
pub(super) fn unreadable(report: &mut Report<'_>, what: &str, place: Place, error: &Malformed, wanted: &str) {
    let error = error.to_string();
    let (wrong, way_out) = error.split_once(": expected ").unwrap_or((&error, ""));
    let finding = report.add(codes::VALUE, place, format!("{what}: {wrong}"), format!("expected {wanted}"));
    if !way_out.is_empty() && way_out != wanted {
        finding.with_help(format!("expected {way_out}"));
    }
}

/// A span of time above zero.
pub(super) fn span(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Span> {
    let span = parsed(report, what, node, "a span such as `24h` or `7d`", Span::parse)?;
    if span.0 == 0 {
        out_of_range(report, what, node, "a span longer than zero");
        return None;
    }
    Some(span)
}

/// A percent from 0% to 100%.
pub(super) fn percent(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Percent> {
    let percent = parsed(report, what, node, "a percent such as `15%`", Percent::parse)?;
    if !(0..=10_000).contains(&percent.0) {
        out_of_range(report, what, node, "0% to 100%");
        return None;
    }
    Some(percent)
}

/// One of the names that a field allows. `later` are names of the language that are not available yet.
pub(super) fn choice<'k>(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    noun: &str,
    known: &[&'k str],
    later: &[&str],
) -> Option<&'k str> {
    let text = text(report, what, node)?;
    let found = known.iter().find(|name| **name == text);
    if found.is_none() {
        let shown = known.join("`, `");
        if later.contains(&text) {
            not_yet(report, what, node.place, &format!("{noun} `{text}`"), &shown);
        } else {
            let meant = did_you_mean(text, known.iter().chain(later).copied());
            report
                .add(
                    codes::CHOICE,
                    node.place,
                    format!("{what}: unknown {noun} `{text}`{meant}"),
                    format!("unknown {noun}"),
                )
                .with_help(format!("expected one of `{shown}`"));
        }
    }
    found.copied()
}

/// The items of a list.
pub(super) fn list<'n>(report: &mut Report<'_>, what: &str, node: &'n Node) -> Option<&'n [Node]> {
    if let Yaml::List(items) = &node.value {
        return Some(items);
    }
    expected(report, what, node, "a list");
    None
}

/// The items of a list that must not be empty, each read by `item`; the same item twice is a finding.
pub(super) fn list_of<T: PartialEq>(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    empty: &str,
    mut item: impl FnMut(&mut Report<'_>, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    let items = list(report, what, node)?;
    if items.is_empty() {
        report.add(codes::LIST_EMPTY, node.place, format!("{what}: an empty list"), "nothing in it").with_help(empty);
        return None;
    }
    let mut read: Vec<T> = Vec::new();
    let mut whole = true;
    for node in items {
        match item(report, node) {
            Some(value) if read.contains(&value) => {
                let text = raw(node).unwrap_or_default();
                report
                    .add(codes::ENTRY_TWICE, node.place, format!("{what}: `{text}` appears twice in the list"), "again")
                    .with_help("keep one of them");
            }
            Some(value) => read.push(value),
            None => whole = false,
        }
    }
    whole.then_some(read)
}
