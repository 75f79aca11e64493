//! Attributes: what a shop declares about customers, contexts and offers. Holds no customer's values.

use std::collections::BTreeMap;

use super::lineage;
use crate::domain::attribute::VALUE_BYTES_MAX;
use crate::domain::{AttributeId, AttributeScope, CategoryId, Malformed, Number, Span, Value};
use crate::policy::codes;
use crate::policy::condition::date;
use crate::policy::declare::{self, Declared};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::{Node, Yaml};

/// The attribute whose value is the category of an offer.
pub const CATEGORY: &str = "offer.category";

/// What values an attribute takes.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeKind {
    /// One of these names.
    Enum(Vec<String>),
    /// A number; features use `(value - mean) / scale`.
    Number {
        /// Declared mean.
        mean: f64,
        /// Declared scale, above zero.
        scale: f64,
    },
    /// True or false.
    Bool,
    /// A date such as `2026-03-01`, given as text; no feature can read it.
    Date,
    /// Free text; no feature can read it.
    Text,
}

/// How carefully an attribute is handled. Ordered from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeClass {
    /// About no person.
    Public,
    /// About a person.
    Personal,
    /// About health, belief and the like; never a feature.
    Sensitive,
    /// Protected by law against discrimination; never a feature.
    Protected,
}

pub(in crate::policy) const CLASSES: [(&str, AttributeClass); 4] = [
    ("public", AttributeClass::Public),
    ("personal", AttributeClass::Personal),
    ("sensitive", AttributeClass::Sensitive),
    ("protected", AttributeClass::Protected),
];

impl AttributeClass {
    /// Its name in `catalog/attributes.yaml`.
    pub fn name(self) -> &'static str {
        CLASSES.iter().find(|(_, class)| *class == self).map_or("", |(name, _)| name)
    }
}

/// A declared attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeSpec {
    /// Its full name.
    pub id: AttributeId,
    /// What values it takes.
    pub kind: AttributeKind,
    /// How carefully it is handled.
    pub class: AttributeClass,
    /// The system it comes from; empty where not said.
    pub source: String,
    /// How long a value may be kept.
    pub time_to_live: Option<Span>,
    /// Who answers for it; empty where not said.
    pub owner: String,
    /// What it is computed from; its class is the strictest of theirs and its own.
    pub derived_from: Vec<AttributeId>,
}

impl AttributeSpec {
    /// A value that it may take, where it does not matter which.
    pub fn any_value(&self) -> Value {
        match &self.kind {
            AttributeKind::Enum(names) => Value::Text(names.first().cloned().unwrap_or_default()),
            AttributeKind::Number { .. } => Value::Number(Number(0)),
            AttributeKind::Bool => Value::Bool(false),
            AttributeKind::Date => Value::Text("2000-01-01".to_owned()),
            AttributeKind::Text => Value::Text(String::new()),
        }
    }

    /// What is wrong with a value, with what is allowed instead.
    pub fn problem(&self, value: &Value) -> Option<String> {
        let id = &self.id;
        match (&self.kind, value) {
            (AttributeKind::Enum(names), Value::Text(text)) => (!names.contains(text)).then(|| {
                let meant = did_you_mean(text, names.iter().map(String::as_str));
                format!("`{text}` is not a value of `{id}`: expected one of `{}`{meant}", names.join("`, `"))
            }),
            (AttributeKind::Date, Value::Text(text)) => date(text)
                .is_none()
                .then(|| format!("`{text}` is not a value of `{id}`: expected a date such as `2026-03-01`")),
            (AttributeKind::Number { .. }, Value::Number(_))
            | (AttributeKind::Bool, Value::Bool(_))
            | (AttributeKind::Text, Value::Text(_)) => None,
            (kind, value) => {
                let wanted = match kind {
                    AttributeKind::Enum(names) => format!("one of `{}`", names.join("`, `")),
                    AttributeKind::Number { .. } => "a number".to_owned(),
                    AttributeKind::Bool => "true or false".to_owned(),
                    AttributeKind::Date => "a date such as `2026-03-01`".to_owned(),
                    AttributeKind::Text => "text".to_owned(),
                };
                Some(format!("`{id}` is {wanted}, found {}", value.kind()))
            }
        }
    }
}

/// Everything wrong with the given values of one scope, by the name behind the scope.
pub(in crate::policy) fn problems(
    specs: &BTreeMap<AttributeId, AttributeSpec>,
    scope: AttributeScope,
    values: &BTreeMap<String, Value>,
) -> Vec<(String, String)> {
    let undeclared = |full: &str| {
        let meant = did_you_mean(full, specs.keys().filter(|id| id.scope() == scope).map(AttributeId::as_str));
        format!("`{full}` is not declared in catalog/attributes.yaml{meant}")
    };
    values
        .iter()
        .filter_map(|(name, value)| {
            let full = [scope.prefix(), name].concat();
            let declared = specs.get(full.as_str());
            let problem = declared.map_or_else(|| Some(undeclared(&full)), |spec| spec.problem(value))?;
            Some((name.clone(), problem))
        })
        .collect()
}

/// The fields of an attribute.
pub(in crate::policy) const FIELDS: [&str; 7] =
    ["id", "type", "class", "source", "time_to_live", "owner", "derived_from"];

/// Reads `catalog/attributes.yaml`.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    root: &Node,
) -> (BTreeMap<AttributeId, AttributeSpec>, Declared) {
    let mut specs = BTreeMap::new();
    let mut declared = Declared::default();
    let mut written = Vec::new();
    for item in declare::items(report, root, "attributes", "attributes: [...]", &mut declared) {
        if let Some(spec) = attribute(report, item, &mut declared, &mut written) {
            specs.insert(spec.id.clone(), spec);
        }
    }
    lineage::derive(report, &mut specs, &written, &declared);
    (specs, declared)
}

fn attribute(
    report: &mut Report<'_>,
    node: &Node,
    declared: &mut Declared,
    written: &mut Vec<lineage::Written>,
) -> Option<AttributeSpec> {
    let fields = declare::item(report, "attribute", node, &FIELDS, declared)?;
    let what = fields.what.as_str();
    let id = ("attribute", "a name such as `customer.tier`", "id: customer.tier");
    let id = declare::declare(report, &fields, id, AttributeId::parse, declared);
    let kind = fields.need(report, "type", "type: {enum: [bronze, silver, gold]}");
    let kind = kind.and_then(|node| kind_of(report, what, node, id.as_ref()));
    let class = class(report, &fields, id.as_ref());
    let source = fields.get("source").and_then(|node| read::text(report, what, node));
    let owner = fields.get("owner").and_then(|node| read::text(report, what, node));
    let time_to_live = fields.get("time_to_live").and_then(|node| read::span(report, what, node));
    let (derived_from, places) = lineage::read(report, &fields)?;
    written.extend(id.iter().map(|id| lineage::Written::new(id, &fields, places.clone())));
    Some(AttributeSpec {
        derived_from,
        id: id?,
        kind: kind?,
        class: class?,
        source: source.unwrap_or_default().to_owned(),
        time_to_live,
        owner: owner.unwrap_or_default().to_owned(),
    })
}

fn class(report: &mut Report<'_>, fields: &Fields<'_>, id: Option<&AttributeId>) -> Option<AttributeClass> {
    let of_customer = id.is_some_and(|id| id.scope() == AttributeScope::Customer);
    let Some(node) = fields.get("class") else {
        return Some(if of_customer { AttributeClass::Personal } else { AttributeClass::Public });
    };
    let names = CLASSES.map(|(name, _)| name);
    let chosen = read::choice(report, &fields.what, node, "class", &names, &[])?;
    let class = CLASSES.iter().find(|(name, _)| *name == chosen).map(|(_, class)| *class)?;
    if of_customer && class == AttributeClass::Public {
        let message = format!("{}: an attribute of a customer is never public", fields.what);
        report
            .add(codes::CLASS_PUBLIC, node.place, message, "at least `personal`")
            .with_help("write `class: personal`, or leave the field out");
        return None;
    }
    Some(class)
}

const KINDS: &str = "expected `{enum: [a, b]}`, `{number: {mean: 3, scale: 2}}`, `number`, `bool`, `date` or `text`";

fn kind_of(report: &mut Report<'_>, what: &str, node: &Node, id: Option<&AttributeId>) -> Option<AttributeKind> {
    let kind = match &node.value {
        Yaml::Scalar { text, .. } => match text.as_str() {
            "number" => AttributeKind::Number { mean: 0.0, scale: 1.0 },
            "bool" => AttributeKind::Bool,
            "date" => AttributeKind::Date,
            "text" => AttributeKind::Text,
            other => {
                let meant = did_you_mean(other, ["number", "bool", "date", "text", "enum"]);
                report
                    .add(codes::CHOICE, node.place, format!("{what}: unknown type `{other}`{meant}"), "unknown type")
                    .with_help(KINDS);
                return None;
            }
        },
        Yaml::Map(entries) if entries.len() != 1 => {
            report
                .add(codes::TYPE, node.place, format!("{what}: a type has exactly one name"), "here")
                .with_help(KINDS);
            return None;
        }
        _ => {
            let fields = Fields::open(report, format!("{what}: type"), node, &["enum", "number"], &[])?;
            match (fields.get("enum"), fields.get("number")) {
                (Some(names), _) => AttributeKind::Enum(enumeration(report, what, names)?),
                (None, Some(number)) => scaled(report, what, number)?,
                (None, None) => return None,
            }
        }
    };
    if id.is_some_and(|id| id.as_str() == CATEGORY) && !categories_fit(&kind) {
        report
            .add(
                codes::CATEGORY_KIND,
                node.place,
                format!("{what}: categories are an enum of names"),
                "not a list of categories",
            )
            .with_help("write `type: {enum: [shoes, home]}` with letters, digits, `.`, `_`, `:` or `-`");
        return None;
    }
    Some(kind)
}

fn categories_fit(kind: &AttributeKind) -> bool {
    matches!(kind, AttributeKind::Enum(names) if names.iter().all(|name| CategoryId::new(name.as_str()).is_ok()))
}

fn enumeration(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Vec<String>> {
    read::list_of(report, what, node, "an enum needs at least one name", |report, node| {
        let name = read::text(report, what, node)?.to_owned();
        if name.is_empty() || name.len() > VALUE_BYTES_MAX {
            let wanted = format!("a name of 1 to {VALUE_BYTES_MAX} bytes");
            let error = Malformed::new(format!("this is not {wanted}"));
            return read::parsed(report, what, node, &wanted, |_| Err(error));
        }
        Some(name)
    })
}

fn scaled(report: &mut Report<'_>, what: &str, node: &Node) -> Option<AttributeKind> {
    let fields = Fields::open(report, format!("{what}: number"), node, &["mean", "scale"], &[])?;
    let mean = fields
        .get("mean")
        .map_or(Some(0.0), |node| read::number(report, what, node, -1e12, 1e12, "a mean between -1e12 and 1e12"));
    let scale = fields.get("scale").map_or(Some(1.0), |node| {
        read::number(report, what, node, 1e-6, 1e12, "a scale above zero (0.000001 to 1e12)")
    });
    Some(AttributeKind::Number { mean: mean?, scale: scale? })
}
