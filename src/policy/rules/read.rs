//! One file of rules: every rule of every list, with the fields that all kinds share. Reads nothing that a kind has of
//! its own.

use super::super::applies::{self, AppliesTo};
use super::super::codes;
use super::super::declare::Declared;
use super::super::finding::Report;
use super::super::read::{self, Fields};
use super::super::syntax::{Node, Yaml};
use super::common::{self, Common};
use super::kinds::{self, KINDS, Kind, LATER};
use super::{Known, Rule};
use crate::domain::RuleId;

/// Fields that every rule may have.
pub(in crate::policy) const FIELDS: [&str; 8] =
    ["id", "why", "owner", "applies_to", "effective", "severity", "on_missing", "overridable"];

/// Reads one rule file and adds its rules.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    root: &Node,
    known: Known<'_>,
    declared: &mut Declared,
    rules: &mut Vec<Rule>,
) {
    let top: Vec<&str> = std::iter::once("owner").chain(KINDS.iter().map(|kind| kind.list)).collect();
    let later = LATER.map(|(list, _)| list);
    let Some(file) = Fields::open(report, "rules", root, &top, &later) else { return };
    let owner = file.get("owner").and_then(|node| read::text(report, "rules", node));
    for (key, node) in file.entries() {
        let Some(kind) = kinds::of(&key.text) else { continue };
        for item in read::list(report, kind.list, node).into_iter().flatten() {
            rules.extend(rule(report, item, kind, owner, known, declared));
        }
    }
}

fn rule(
    report: &mut Report<'_>,
    node: &Node,
    kind: &Kind,
    owner: Option<&str>,
    known: Known<'_>,
    declared: &mut Declared,
) -> Option<Rule> {
    let own = [&FIELDS[..], kind.fields].concat();
    let fields = Fields::open(report, read::title("rule", node), node, &own, kind.later)?;
    let what = fields.what.as_str();
    let id_node = fields.need(report, "id", "id: margin.floor.default");
    let id = id_node.and_then(|node| rule_id(report, what, node, declared));
    let why = fields.need(report, "why", "why: Finance floor for the year, memo 112");
    let why = why.and_then(|node| why_text(report, what, node));
    let owner = match fields.get("owner") {
        Some(node) => read::text(report, what, node),
        None if owner.is_some() => owner,
        None => {
            let message = format!("{what}: nobody owns it");
            report
                .add(codes::FIELD_MISSING, fields.place, message, "no `owner`")
                .with_help("add `owner: pricing` to the rule, or once at the top of the file for all its rules");
            None
        }
    };
    let applies_to = fields
        .get("applies_to")
        .map_or(Some(AppliesTo::default()), |node| applies::read(report, what, node, known, kind));
    let common = common::read(report, &fields, kind);
    let checks = (kind.read)(report, &fields, known, applies_to.as_ref());
    let place = id_node.map_or(fields.place, |node| node.place);
    let Common { effective, severity, on_missing, overridable } = common?;
    Some(Rule {
        id: id?,
        why: why?,
        owner: owner?.to_owned(),
        applies_to: applies_to?,
        effective,
        severity,
        on_missing,
        overridable,
        kind: checks?,
        place: (report.path(place), place.line),
    })
}

fn rule_id(report: &mut Report<'_>, what: &str, node: &Node, declared: &mut Declared) -> Option<RuleId> {
    let id = read::parsed(report, what, node, "a rule id", RuleId::new)?;
    if id.as_str().starts_with("proffer.") {
        report
            .add(
                codes::ID_RESERVED,
                node.place,
                format!("{what}: ids that begin with `proffer.` name built-in rules"),
                "reserved",
            )
            .with_help("choose another id, such as one that begins with the team's name");
        return None;
    }
    declared.add(report, "rule", id.as_str(), node.place).then_some(id)
}

fn why_text(report: &mut Report<'_>, what: &str, node: &Node) -> Option<String> {
    let absent = matches!(&node.value, Yaml::Scalar { text, .. } if text.trim().is_empty());
    if absent {
        report
            .add(codes::WHY_EMPTY, node.place, format!("{what}: `why` is empty"), "the justification is required")
            .with_help("say who asked for the rule and where that is written down: it is logged with every exclusion");
        return None;
    }
    read::text(report, what, node).map(|text| text.trim().to_owned())
}
