//! Fairness gates: groups of customers named by an attribute, whose discounts are for all of them or for none, or who
//! fare alike as measured. Reads no customer's own value: a discount is asked about for every value there is.

use super::measures::{self, FairnessAsk};
use crate::domain::{AttributeId, AttributeScope, Value};
use crate::policy::codes;
use crate::policy::declare;
use crate::policy::declared::attributes::{AttributeClass, AttributeKind, AttributeSpec};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::syntax::Node;

/// The groups that an attribute names, and what is to be alike for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FairnessGate {
    /// The attribute of customers that names the groups.
    pub attribute: AttributeId,
    /// Its values.
    pub groups: Vec<Value>,
    /// What is asked.
    pub asks: FairnessAsk,
}

impl FairnessGate {
    /// That it leaves an offer out, in words.
    pub(in crate::policy) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
        if let Some(measures) = self.measures() {
            return measures;
        }
        let attribute = &self.attribute;
        match observed.zip(limit) {
            Some((open, all)) => {
                format!("the discount would be for {open} of the {all} values of `{attribute}`, and not for the others")
            }
            None => format!("the discount would not be for every value of `{attribute}`"),
        }
    }
}

/// The fields of a gate.
pub(in crate::policy) const FIELDS: [&str; 8] =
    ["attribute", "check", "metric", "at_least", "at_most", "window", "min_group", "interval"];

/// Reads which groups a gate is about, and what it asks.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "attribute", "attribute: customer.region");
    let asks = measures::read(report, fields, known);
    let measured = fields.get("metric").is_some();
    let (attribute, groups) = groups(report, what, node?, measured, known)?;
    Some(RuleKind::FairnessGate(FairnessGate { attribute, groups, asks: asks? }))
}

/// The attribute that names the groups, with its values.
fn groups(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    measured: bool,
    known: Known<'_>,
) -> Option<(AttributeId, Vec<Value>)> {
    let name = read::parsed(report, what, node, "a name such as `customer.region`", AttributeId::parse)?;
    let Some(spec) = known.attributes.specs.get(&name) else {
        let home = (codes::ATTRIBUTE_UNKNOWN, "attribute", "catalog/attributes.yaml");
        declare::refer(report, home, what, (node.place, name.as_str()), known.attributes.declared);
        return None;
    };
    if spec.class == AttributeClass::Protected && !measured {
        let message =
            format!("{what}: no rule of offers reads `{name}`, which is protected, so that no discount depends on it");
        report.add(codes::FAIRNESS_ATTRIBUTE, node.place, message, "holds already").with_help(
            "name an attribute that rules read, such as `customer.region`, or measure with `metric: parity` or \
                 `metric: proxy`",
        );
        return None;
    }
    let groups = values(spec);
    if groups.is_none() {
        let message = format!("{what}: `{name}` names no groups of customers");
        report
            .add(codes::FAIRNESS_ATTRIBUTE, node.place, message, "not for groups")
            .with_help("name an attribute of customers that is declared with `type: {enum: [...]}` or `type: bool`");
    }
    Some((name, groups?))
}

fn values(spec: &AttributeSpec) -> Option<Vec<Value>> {
    if spec.id.scope() != AttributeScope::Customer {
        return None;
    }
    match &spec.kind {
        AttributeKind::Enum(names) if names.len() > 1 => Some(names.iter().cloned().map(Value::Text).collect()),
        AttributeKind::Bool => Some([true, false].map(Value::Bool).to_vec()),
        _ => None,
    }
}
