//! Uses of attributes: which attribute a bundle reads for which purpose and as what, and where that is written. Judges
//! no approval.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::demands::Demands;
use crate::domain::{AttributeId, AttributeScope, Placement, PlacementId, PurposeId};
use crate::policy::declared::attributes::AttributeSpec;
use crate::policy::finding::{Place, Report};
use crate::policy::read;
use crate::policy::rules::{self, Rule, RuleKind};
use crate::policy::syntax::{Key, Node, Yaml};

/// What an attribute is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseCase {
    /// A condition of a rule reads it: it decides what somebody may be shown.
    Rule,
    /// A strategy weighs it: it decides what somebody is likely to be shown.
    Feature,
    /// It may move the price that somebody is shown.
    Price,
    /// A guard of an audience reads it: it keeps offers from those whom it protects.
    Guard,
    /// A fairness gate compares its groups.
    Measurement,
}

impl UseCase {
    /// Each by its name.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Rule, "rule"),
        (Self::Feature, "feature"),
        (Self::Price, "price"),
        (Self::Guard, "guard"),
        (Self::Measurement, "measurement"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(use_case, _)| *use_case == self).map_or("", |(_, name)| name)
    }
}

/// One use: an attribute for a purpose, as something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Use {
    /// What is read.
    pub attribute: AttributeId,
    /// What for: that of the placement, or the one that prices, guards and measurements have of their own.
    pub purpose: PurposeId,
    /// As what.
    pub use_case: UseCase,
}

impl std::fmt::Display for Use {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` as `{}` for `{}`", self.attribute, self.use_case.name(), self.purpose)
    }
}

/// Where a use is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Which.
    pub of: Use,
    /// What uses it: a placement or a rule.
    pub by: String,
    /// Where.
    pub(super) place: Place,
    /// The same as people name it.
    pub at: String,
}

/// Every use that must be approved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// In the order of files and lines.
    pub sites: Vec<Site>,
    by_placement: BTreeMap<PlacementId, BTreeMap<AttributeId, Vec<Use>>>,
}

impl Uses {
    /// How an attribute is used at a placement, as far as that must be approved.
    pub fn at(&self, placement: &PlacementId, attribute: &AttributeId) -> &[Use] {
        let used = self.by_placement.get(placement).and_then(|used| used.get(attribute));
        used.map_or(&[], Vec::as_slice)
    }

    /// Each use once, with every site of it.
    pub fn distinct(&self) -> BTreeMap<&Use, Vec<&Site>> {
        let mut distinct: BTreeMap<&Use, Vec<&Site>> = BTreeMap::new();
        for site in &self.sites {
            distinct.entry(&site.of).or_default().push(site);
        }
        distinct
    }
}

/// The purpose that moving prices has, whatever a placement is for.
const PRICES: &str = "price_personalisation";
/// The purpose that guards read under.
const SERVICE: &str = "service";
/// The purpose that groups are compared for.
const MEASUREMENT: &str = "measurement";

/// Finds every use of an attribute whose class is among those that must be approved.
pub(in crate::policy) fn gather(
    report: &Report<'_>,
    trees: &BTreeMap<&str, Node>,
    (placements, rules): (&BTreeMap<PlacementId, Placement>, &[Rule]),
    attributes: &BTreeMap<AttributeId, AttributeSpec>,
    demands: &Demands,
) -> Uses {
    let mut uses = Gathering { report, attributes, demands, uses: Uses::default() };
    if demands.attributes.is_empty() {
        return uses.uses;
    }
    for placement in placements.values() {
        let node = trees.get("placements.yaml").and_then(|root| item(root, placement.id.as_str()));
        let by = format!("placement `{}`", placement.id);
        for id in features(placement) {
            let listed = node.and_then(|node| field(node, "features"));
            let place = listed.and_then(|listed| within(report, listed, id.as_str()));
            uses.add(placement, (&id, Some(placement.purpose.clone()), UseCase::Feature), &by, place);
        }
        let here: Vec<&Rule> = rules.iter().filter(|rule| rule.applies_to.covers_placement(placement)).collect();
        let moving: BTreeSet<AttributeId> =
            features(placement).into_iter().chain(here.iter().flat_map(|rule| conditions(&rule.kind))).collect();
        for rule in here {
            uses.rule(trees, (placement, rule), &moving);
        }
    }
    uses.uses.sites.sort_by(|a, b| (a.place, &a.of, &a.by).cmp(&(b.place, &b.of, &b.by)));
    uses.uses.sites.dedup();
    uses.uses
}

struct Gathering<'a, 's> {
    report: &'a Report<'s>,
    attributes: &'a BTreeMap<AttributeId, AttributeSpec>,
    demands: &'a Demands,
    uses: Uses,
}

impl Gathering<'_, '_> {
    fn rule(
        &mut self,
        trees: &BTreeMap<&str, Node>,
        (placement, rule): (&Placement, &Rule),
        moving: &BTreeSet<AttributeId>,
    ) {
        let own = || Some(placement.purpose.clone());
        let named = |purpose: &str| PurposeId::new(purpose).ok();
        let (ids, purpose, use_case): (Vec<AttributeId>, _, _) = match &rule.kind {
            RuleKind::AudienceGuard(guard) => (guard.attributes().cloned().collect(), named(SERVICE), UseCase::Guard),
            RuleKind::PricePersonalisation(prices) => {
                let may = |id: &&AttributeId| {
                    id.scope() == AttributeScope::Customer
                        && prices.allowed.as_ref().is_none_or(|allowed| allowed.contains(id))
                };
                (moving.iter().filter(may).cloned().collect(), named(PRICES), UseCase::Price)
            }
            RuleKind::FairnessGate(gate) => (vec![gate.attribute.clone()], named(MEASUREMENT), UseCase::Measurement),
            kind => (conditions(kind), own(), UseCase::Rule),
        };
        let by = format!("rule `{}`", rule.id);
        let node = trees.get(rule.place.0.as_str()).and_then(|root| item(root, rule.id.as_str()));
        for id in ids {
            let place = node.and_then(|node| {
                let own = fields(node).filter(|(name, _)| !rules::FIELDS.contains(name));
                let mut places = own.filter_map(|(_, node)| within(self.report, node, id.as_str()));
                places.next().or_else(|| field(node, "id").map(|id| id.place))
            });
            self.add(placement, (&id, purpose.clone(), use_case), &by, place);
        }
    }

    fn add(
        &mut self,
        placement: &Placement,
        (id, purpose, use_case): (&AttributeId, Option<PurposeId>, UseCase),
        by: &str,
        place: Option<Place>,
    ) {
        let class = self.attributes.get(id).map(|spec| spec.class);
        let demanded = class.is_some_and(|class| self.demands.attributes.contains(&class));
        let Some(purpose) = purpose.filter(|_| demanded && id.scope() != AttributeScope::Offer) else { return };
        let of = Use { attribute: id.clone(), purpose, use_case };
        let here = self.uses.by_placement.entry(placement.id.clone()).or_default().entry(id.clone()).or_default();
        if !here.contains(&of) {
            here.push(of.clone());
        }
        let place = place.unwrap_or(Place::file(0));
        let at = self.report.name(place);
        self.uses.sites.push(Site { of, by: by.to_owned(), place, at });
    }
}

/// What features of a placement read.
fn features(placement: &Placement) -> BTreeSet<AttributeId> {
    placement.features.iter().flat_map(|feature| &feature.atoms).filter_map(|atom| atom.attribute.clone()).collect()
}

/// What a condition of a rule reads.
fn conditions(kind: &RuleKind) -> Vec<AttributeId> {
    let term = match kind {
        RuleKind::Exclusion { when } | RuleKind::Requirement { when } => when.term(),
        RuleKind::LoyaltyEligibility(loyalty) => loyalty.term(),
        _ => return Vec::new(),
    };
    let mut found = BTreeSet::new();
    term.reads(&mut |read| found.extend(read.attribute().cloned()));
    found.into_iter().collect()
}

fn fields(node: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries: &[(Key, Node)] = match &node.value {
        Yaml::Map(entries) => entries,
        _ => &[],
    };
    entries.iter().map(|(key, node)| (key.text.as_str(), node))
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    fields(node).find(|(field, _)| *field == name).map(|(_, node)| node)
}

/// The item of this id in any list of a file.
fn item<'n>(root: &'n Node, id: &str) -> Option<&'n Node> {
    let lists = fields(root).filter_map(|(_, list)| match &list.value {
        Yaml::List(items) => Some(items),
        _ => None,
    });
    lists.flatten().find(|item| field(item, "id").and_then(read::raw) == Some(id))
}

/// Where a value names an attribute, in the text as it was written.
fn within(report: &Report<'_>, node: &Node, name: &str) -> Option<Place> {
    match &node.value {
        Yaml::List(items) => items.iter().find_map(|item| within(report, item, name)),
        Yaml::Map(entries) => entries.iter().find_map(|(_, node)| within(report, node, name)),
        Yaml::Scalar { text, .. } => {
            column(text, name, 0)?;
            let from = node.place;
            let lines = report.text(from).lines().enumerate().skip(from.line.saturating_sub(1)).take(text.len() + 1);
            let found = lines.filter_map(|(at, line)| {
                let skipped = if at + 1 == from.line { from.column.saturating_sub(1) } else { 0 };
                Some((at, column(line, name, skipped)?))
            });
            let mut exact =
                found.map(|(at, column)| Place { line: at + 1, column, length: name.chars().count(), ..from });
            Some(exact.next().unwrap_or(from))
        }
        Yaml::Refused => None,
    }
}

/// The column, from 1, where a line has a name as a word of its own behind so many characters.
fn column(line: &str, name: &str, skipped: usize) -> Option<usize> {
    let (line, name): (Vec<char>, Vec<char>) = (line.chars().collect(), name.chars().collect());
    let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || ['_', '.'].contains(c));
    let begins = |at: &usize| {
        line.get(*at..*at + name.len()).is_some_and(|found| found == name)
            && !word(at.checked_sub(1).and_then(|before| line.get(before)))
            && !word(line.get(at + name.len()))
    };
    (skipped..line.len()).find(begins).map(|at| at + 1)
}
