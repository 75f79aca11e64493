//! Overrides: an offer put in, put out or pinned for some days by somebody who answers for it. Lifts nothing that
//! protects people, and nothing that is built in.

use std::collections::BTreeMap;

use super::switches;
use crate::domain::{OfferId, Placement, PlacementId};
use crate::policy::approval::{self, Approval};
use crate::policy::codes;
use crate::policy::declare::Declared;
use crate::policy::declared::jurisdiction;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Rule, RuleKind};

/// What an override does with its offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverrideAction {
    /// Rules that may be lifted leave them out no longer.
    ForceIn,
    /// They are left out.
    ForceOut,
    /// One of them stands in the first slot wherever one may stand there at all; nothing is lifted for it.
    Pin,
}

impl OverrideAction {
    const ALL: [(&'static str, Self); 3] =
        [("force_in", Self::ForceIn), ("force_out", Self::ForceOut), ("pin", Self::Pin)];

    /// Its name in `action`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ForceIn => "force_in",
            Self::ForceOut => "force_out",
            Self::Pin => "pin",
        }
    }
}

/// An override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// What it does.
    pub action: OverrideAction,
    /// With which offers.
    pub offers: Vec<OfferId>,
    /// Who approved it.
    pub approval: Approval,
}

impl Override {
    /// What it does to an offer, in words: of one that is put in, how many rules it lifted.
    pub(in crate::policy) fn told(&self, observed: Option<i64>) -> String {
        let approval = &self.approval;
        match (self.action, observed) {
            (OverrideAction::ForceIn, Some(1)) => format!("lifted one rule that would have left it out, {approval}"),
            (OverrideAction::ForceIn, Some(lifted)) => {
                format!("lifted {lifted} rules that would have left it out, {approval}")
            }
            (OverrideAction::ForceIn, None) => format!("lifted what would have left it out, {approval}"),
            (OverrideAction::ForceOut, _) => format!("the offer is put out, {approval}"),
            (OverrideAction::Pin, _) => format!("another offer is pinned to the first slot, {approval}"),
        }
    }
}

impl Rule {
    /// Whether it lifts others.
    pub fn lifts(&self) -> bool {
        self.overrides(OverrideAction::ForceIn).is_some()
    }

    /// Whether it speaks for offers and not against them.
    pub(in crate::policy) fn favours(&self) -> bool {
        self.lifts() || self.overrides(OverrideAction::Pin).is_some()
    }

    /// What it overrides, if it is an override of this sort.
    pub fn overrides(&self, action: OverrideAction) -> Option<&[OfferId]> {
        match &self.kind {
            RuleKind::Override(found) if found.action == action => Some(&found.offers),
            _ => None,
        }
    }
}

/// The fields of an override.
pub(in crate::policy) const FIELDS: [&str; 4] = ["action", "offers", "approver", "ticket"];

/// Reads what an override does, with which offers, and who approved it.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let action = fields.need(report, "action", "action: force_in").and_then(|node| {
        let names = OverrideAction::ALL.map(|(name, _)| name);
        let chosen = read::choice(report, what, node, "action", &names, &[])?;
        OverrideAction::ALL.into_iter().find(|(name, _)| *name == chosen).map(|(_, action)| action)
    });
    let offers = fields.need(report, "offers", "offers: [boots]");
    let offers = offers.and_then(|node| switches::offers(report, what, node));
    let approval = approval::read(report, fields);
    Some(RuleKind::Override(Override { action: action?, offers: offers?, approval: approval? }))
}

/// Finds overrides that say opposite things of one offer at the same time and place.
pub(in crate::policy) fn contradictions(
    report: &mut Report<'_>,
    rules: &[Rule],
    placements: &BTreeMap<PlacementId, Placement>,
    declared: &Declared,
) {
    let overrides: Vec<(&Rule, &Override)> = rules
        .iter()
        .filter_map(|rule| match &rule.kind {
            RuleKind::Override(found) => Some((rule, found)),
            _ => None,
        })
        .collect();
    for (at, (rule, own)) in overrides.iter().enumerate() {
        for (other, others) in overrides.iter().take(at) {
            let Some(told) = contradiction(own, others).filter(|_| meet(rule, other, placements)) else { continue };
            let Some(place) = declared.place(rule.id.as_str()) else { continue };
            let message = format!("rule `{}`: it contradicts `{}`: {told}", rule.id, other.id);
            report.add(codes::OVERRIDE_CONTRADICTS, place, message, "which of them?").with_help(format!(
                "both hold at the same time and place: remove one of them, or part them by `effective` or `applies_to` \
                 (`{}` stands at {}:{})",
                other.id, other.place.0, other.place.1
            ));
        }
    }
}

/// What two overrides contradict each other about, if they do.
fn contradiction(a: &Override, b: &Override) -> Option<String> {
    use OverrideAction::{ForceIn, ForceOut, Pin};
    match (a.action, b.action) {
        (Pin, Pin) => {
            let same = a.offers.len() == b.offers.len() && a.offers.iter().all(|offer| b.offers.contains(offer));
            (!same).then(|| "the first slot is pinned to different offers".to_owned())
        }
        (ForceOut, ForceIn | Pin) | (ForceIn | Pin, ForceOut) => {
            let both = a.offers.iter().find(|offer| b.offers.contains(offer))?;
            let (own, other) = (a.action.name(), b.action.name());
            Some(format!("`{own}` and `{other}` of `{both}`"))
        }
        _ => None,
    }
}

/// Whether two rules may hold in one decision.
fn meet(a: &Rule, b: &Rule, placements: &BTreeMap<PlacementId, Placement>) -> bool {
    let begins_before =
        |a: &Rule, b: &Rule| a.effective.from.zip(b.effective.until).is_none_or(|(from, until)| from < until);
    let region = match (&a.applies_to.regions, &b.applies_to.regions) {
        (Some(a), Some(b)) => jurisdiction::meet(a, b),
        _ => true,
    };
    let covered =
        |placement: &Placement| a.applies_to.covers_placement(placement) && b.applies_to.covers_placement(placement);
    begins_before(a, b) && begins_before(b, a) && region && placements.values().any(covered)
}
