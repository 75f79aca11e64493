//! Fairness gates: a group of customers named by an attribute, and what must be alike for its values. Reads no
//! customer's own value: a discount is asked about for every value there is.

use super::attributes::{AttributeClass, AttributeKind, AttributeSpec};
use super::codes;
use super::declare;
use super::finding::Report;
use super::read::{self, Fields};
use super::rules::{Known, RuleKind};
use super::syntax::Node;
use crate::domain::{AttributeId, AttributeScope, Percent, PurposeId, Span, Value};

/// What must be alike for the groups that an attribute names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FairnessGate {
    /// The attribute of customers that names the groups.
    pub attribute: AttributeId,
    /// Its values.
    pub groups: Vec<Value>,
    /// What is alike.
    pub check: FairnessCheck,
}

/// What is alike for all groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FairnessCheck {
    /// Whether rules let a discounted offer through.
    OneGroupDiscount,
    /// What an answer is worth, measured over what was decided; judges no offer.
    Parity(ParityGate),
}

/// How alike what an answer is worth must be, and how sure one must be of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParityGate {
    /// The least share of the best group's worth that every group must have, in basis points.
    pub min_ratio: Percent,
    /// Over how long it is measured.
    pub window: Span,
    /// Decisions that every group needs before anything is said.
    pub min_group_size: u32,
    /// How sure: 90%, 95% or 99%.
    pub interval: Percent,
}

impl FairnessGate {
    /// Whether it is asked about offers.
    pub fn judges(&self) -> bool {
        self.check == FairnessCheck::OneGroupDiscount
    }

    /// That it leaves an offer out, in words.
    pub(super) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
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
pub(super) const FIELDS: [&str; 7] =
    ["attribute", "check", "metric", "min_ratio", "window", "min_group_size", "interval"];

/// Fields of a gate that measures.
const MEASURED: [&str; 4] = ["min_ratio", "window", "min_group_size", "interval"];

const PURPOSE: &str = "measurement";

/// Reads which groups a gate is about, and what it asks.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "attribute", "attribute: customer.region");
    let asked = fields.get("check");
    let metric = fields.get("metric");
    let ((Some(_), None) | (None, Some(_))) = (asked, metric) else {
        if !fields.misspelt(&["check", "metric"]) {
            let message = format!("{what}: it says either `check` or `metric`");
            report
                .add(codes::FAIRNESS_CHECK, fields.place, message, "one of both")
                .with_help("write `check: one_group_discount`, or `metric: parity` with `min_ratio` and `window`");
        }
        return None;
    };
    let check = match (asked, metric) {
        (Some(node), _) => {
            for name in MEASURED {
                if let Some(node) = fields.get(name) {
                    let message = format!("{what}: `{name}` belongs to `metric: parity`");
                    report
                        .add(codes::FAIRNESS_CHECK, node.place, message, "nothing is measured")
                        .with_help("remove it, or write the metric as a rule of its own");
                    return None;
                }
            }
            let chosen = read::choice(report, what, node, "check", &["one_group_discount"], &[]);
            chosen.map(|_| FairnessCheck::OneGroupDiscount)
        }
        (None, Some(node)) => {
            let chosen = read::choice(report, what, node, "metric", &["parity"], &[]);
            let gate = parity(report, fields, known);
            chosen.and(gate).map(FairnessCheck::Parity)
        }
        (None, None) => None,
    };
    let judges = asked.is_some();
    let (attribute, groups) = groups(report, what, node?, judges, known)?;
    Some(RuleKind::FairnessGate(FairnessGate { attribute, groups, check: check? }))
}

fn parity(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<ParityGate> {
    let what = fields.what.as_str();
    let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
    let place = fields.get("metric").map_or(fields.place, |node| node.place);
    let purpose = PurposeId::new(PURPOSE).ok()?;
    let declared = declare::refer(report, home, what, (place, purpose.as_str()), known.purposes);
    let min_ratio = fields.need(report, "min_ratio", "min_ratio: 80%").and_then(|node| {
        let percent = read::percent(report, what, node)?;
        if percent.0 == 0 {
            read::out_of_range(report, what, node, "more than 0%");
            return None;
        }
        Some(percent)
    });
    let window = fields.need(report, "window", "window: 30d").and_then(|node| read::span(report, what, node));
    let size = fields.need(report, "min_group_size", "min_group_size: 200");
    let size = size.and_then(|node| read::whole(report, what, node, 2, 1_000_000_000));
    let interval = fields.need(report, "interval", "interval: 95%").and_then(|node| {
        let chosen = read::choice(report, what, node, "interval", &["90%", "95%", "99%"], &[])?;
        Percent::parse(chosen).ok()
    });
    declared.then_some(())?;
    Some(ParityGate { min_ratio: min_ratio?, window: window?, min_group_size: size?, interval: interval? })
}

/// The attribute that names the groups, with its values.
fn groups(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    judges: bool,
    known: Known<'_>,
) -> Option<(AttributeId, Vec<Value>)> {
    let name = read::parsed(report, what, node, "a name such as `customer.region`", AttributeId::parse)?;
    let Some(spec) = known.attributes.specs.get(&name) else {
        let home = (codes::ATTRIBUTE_UNKNOWN, "attribute", "catalog/attributes.yaml");
        declare::refer(report, home, what, (node.place, name.as_str()), known.attributes.declared);
        return None;
    };
    if judges && spec.class == AttributeClass::Protected {
        let message =
            format!("{what}: no rule of offers reads `{name}`, which is protected, so that no discount depends on it");
        report.add(codes::FAIRNESS_ATTRIBUTE, node.place, message, "holds already").with_help(
            "name an attribute that rules read, such as `customer.region`, or measure with `metric: parity`",
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
