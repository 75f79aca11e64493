//! Fairness gates: groups of customers named by an attribute, whose discounts are for all of them or for none. Reads
//! no customer's own value: a discount is asked about for every value there is.

use crate::domain::{AttributeId, AttributeScope, Value};
use crate::policy::codes;
use crate::policy::declare;
use crate::policy::declared::attributes::{AttributeClass, AttributeKind, AttributeSpec};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::syntax::Node;

/// The groups that an attribute names, for all of which rules let a discounted offer through, or for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FairnessGate {
    /// The attribute of customers that names the groups.
    pub attribute: AttributeId,
    /// Its values.
    pub groups: Vec<Value>,
}

impl FairnessGate {
    /// That it leaves an offer out, in words.
    pub(in crate::policy) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
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
pub(in crate::policy) const FIELDS: [&str; 2] = ["attribute", "check"];

/// Fields of a gate that would measure.
pub(in crate::policy) const FIELDS_LATER: [&str; 5] = ["metric", "min_ratio", "window", "min_group_size", "interval"];

/// Reads which groups a gate is about, and what it asks.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "attribute", "attribute: customer.region");
    let check = fields.need(report, "check", "check: one_group_discount");
    let check = check.and_then(|node| read::choice(report, what, node, "check", &["one_group_discount"], &[]));
    let (attribute, groups) = groups(report, what, node?, known)?;
    check.map(|_| RuleKind::FairnessGate(FairnessGate { attribute, groups }))
}

/// The attribute that names the groups, with its values.
fn groups(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<(AttributeId, Vec<Value>)> {
    let name = read::parsed(report, what, node, "a name such as `customer.region`", AttributeId::parse)?;
    let Some(spec) = known.attributes.specs.get(&name) else {
        let home = (codes::ATTRIBUTE_UNKNOWN, "attribute", "catalog/attributes.yaml");
        declare::refer(report, home, what, (node.place, name.as_str()), known.attributes.declared);
        return None;
    };
    if spec.class == AttributeClass::Protected {
        let message =
            format!("{what}: no rule of offers reads `{name}`, which is protected, so that no discount depends on it");
        report
            .add(codes::FAIRNESS_ATTRIBUTE, node.place, message, "holds already")
            .with_help("name an attribute that rules read, such as `customer.region`");
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
