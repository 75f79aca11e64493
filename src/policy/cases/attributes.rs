//! Attributes in tests, spelt as rules spell them: `customer.tier: gold`. Holds no value.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::declare;
use super::super::declared::attributes::{AttributeKind, AttributeSpec};
use super::super::finding::Report;
use super::super::read;
use super::super::syntax::{Key, Node};
use super::Ground;
use crate::domain::{AttributeId, AttributeScope, Number, Value};

/// What a test says of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said<T> {
    /// It is this.
    Is(T),
    /// It is not known, whatever was inherited.
    Unknown,
}

impl<T> Said<T> {
    /// The value, if it is known.
    pub(super) fn known(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unknown => None,
        }
    }
}

/// Values by name.
pub(super) type Values = BTreeMap<String, Said<Value>>;

/// The values that are known.
pub(super) fn known(values: &Values) -> BTreeMap<String, Value> {
    values.iter().filter_map(|(name, value)| Some((name.clone(), value.clone().known()?))).collect()
}

/// The names of every declared attribute of these scopes.
pub(super) fn names<'a>(ground: Ground<'a>, scopes: &[AttributeScope]) -> Vec<&'a str> {
    let ids = ground.known.attributes.specs.keys();
    ids.filter(|id| scopes.contains(&id.scope())).map(AttributeId::as_str).collect()
}

/// Reads one attribute into the values of its scope. True unless something is wrong.
pub(super) fn put(
    report: &mut Report<'_>,
    what: &str,
    (key, node): (&Key, &Node),
    ground: Ground<'_>,
    values: &mut Values,
) -> bool {
    let catalog = ground.known.attributes;
    let home = (codes::ATTRIBUTE_UNKNOWN, "attribute", "catalog/attributes.yaml");
    let Some(spec) = catalog.specs.get(key.text.as_str()) else {
        return declare::refer(report, home, what, (key.place, &key.text), catalog.declared);
    };
    let value = value(report, what, node, spec);
    let whole = value.is_some();
    values.extend(value.map(|value| (spec.id.name().to_owned(), value)));
    whole
}

/// A value as the attribute is declared.
fn value(report: &mut Report<'_>, what: &str, node: &Node, spec: &AttributeSpec) -> Option<Said<Value>> {
    if read::kind(node) == "nothing" {
        return Some(Said::Unknown);
    }
    let what = format!("{what}: `{}`", spec.id);
    let value = match &spec.kind {
        AttributeKind::Number { .. } => {
            let number = read::number(report, &what, node, -1e12, 1e12, "a number between -1e12 and 1e12")?;
            Value::Number(Number::from_f64(number).ok()?)
        }
        AttributeKind::Bool => Value::Bool(read::flag(report, &what, node)?),
        AttributeKind::Enum(_) | AttributeKind::Date | AttributeKind::Text => {
            Value::Text(read::text(report, &what, node)?.to_owned())
        }
    };
    if let Some(problem) = spec.problem(&value) {
        let (wrong, help) = problem.split_once(": expected ").unwrap_or((&problem, ""));
        let finding = report.add(codes::VALUE, node.place, format!("{what}: {wrong}"), "not a value of it");
        if !help.is_empty() {
            finding.with_help(format!("expected {help}"));
        }
        return None;
    }
    Some(Said::Is(value))
}
