//! Rules: from `rules/*.yaml` to checked rules. Evaluates none.

mod common;

mod kinds;

mod read;

pub(super) use common::reads_nothing;
#[cfg(test)]
pub(crate) use kinds::lists;
pub(super) use read::{FIELDS, read};

use std::collections::{BTreeMap, BTreeSet};

use super::applies::AppliesTo;
use super::authority::Demands;
use super::condition::Condition;
use super::declare::Declared;
use super::declared::features::Catalog;
use super::declared::purposes::PurposeSpec;
use super::declared::stores::StoreNames;
use super::finding::{Place, Report};
use super::interval::Interval;
use super::kinds::availability::Availability;
use super::kinds::caps::Cap;
use super::kinds::category_exclusions::CategoryExclusion;
use super::kinds::cool_downs::CoolDown;
use super::kinds::diversity::Diversity;
use super::kinds::fairness::FairnessGate;
use super::kinds::floors::{FloorLimit, FloorOver};
use super::kinds::gate::Gate;
use super::kinds::guards::Guard;
use super::kinds::loyalty::Loyalty;
use super::kinds::overrides::Override;
use super::kinds::pools::Pool;
use super::kinds::price_limits::PriceLimit;
use super::kinds::price_personalisation::PricePersonalisation;
use super::kinds::stackability::Stackability;
use super::kinds::switches::Switch;
use crate::domain::{AttributeId, AttributeScope, Placement, PlacementId, PurposeId, RuleId, Timestamp};
pub(super) use kinds::{KINDS, Kind};

/// What becomes of an offer where a rule reads something that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMissing {
    /// It is left out.
    #[default]
    Exclude,
    /// The rule does not leave it out.
    Allow,
}

/// What becomes of an offer that a rule speaks against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Severity {
    /// It is left out.
    #[default]
    Block,
    /// It is shown, and what the rule said is noted for whoever answers for the offer.
    Warn,
    /// It is shown, and what the rule would have done is noted: a rule on trial.
    Shadow,
}

impl Severity {
    /// Each by its name in `severity`.
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("block", Self::Block), ("warn", Self::Warn), ("shadow", Self::Shadow)];

    /// Its name in `severity`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Warn => "warn",
            Self::Shadow => "shadow",
        }
    }
}

/// What a rule checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleKind {
    /// Built in: an offer is shown only where its currency is the placement's.
    Currency,
    /// The placement's purpose needs a consent in force.
    PurposeGate(Gate),
    /// The contribution margin reaches a minimum.
    MarginFloor {
        /// The least margin allowed.
        min: FloorLimit,
        /// Of what it is the margin.
        over: FloorOver,
    },
    /// What the price of an offer keeps to.
    PriceLimit(PriceLimit),
    /// What prices may be personalised by.
    PricePersonalisation(PricePersonalisation),
    /// At most so many contacts for a customer in a window.
    FrequencyCap(Cap),
    /// The offers it applies to are shown only there and then.
    Availability(Availability),
    /// Leaves an offer out where a condition holds.
    Exclusion {
        /// The condition.
        when: Condition,
    },
    /// Leaves an offer out where a condition does not hold.
    Requirement {
        /// The condition.
        when: Condition,
    },
    /// Leaves an offer out for an audience.
    AudienceGuard(Guard),
    /// Offers that do not stand together in one answer.
    Stackability(Stackability),
    /// Offers of one kind of which only so many stand in one answer.
    Diversity(Diversity),
    /// Needs a tier, points or a time as a member.
    LoyaltyEligibility(Loyalty),
    /// Built in: an offer is shown only within its own schedule.
    Schedule,
    /// Built in: an offer is shown only while its campaign runs.
    Campaign,
    /// Built in: an offer is shown only while there is stock of it.
    Stock,
    /// Leaves offers out for a while after something happened.
    CoolDown(CoolDown),
    /// Built in: an offer that spends of its campaign's budget is shown only while there is some of it.
    Budget,
    /// Leaves out what is sensitive, of a competitor, or regulated.
    CategoryExclusion(CategoryExclusion),
    /// Keeps a discount from being for one group of customers alone, or measures how alike groups fare.
    FairnessGate(FairnessGate),
    /// Puts offers in, out, or into the first slot for some days.
    Override(Override),
    /// Stops offers at once.
    KillSwitch(Switch),
    /// Only so much is spent, or so many are given out, in a window.
    Budgeted(Pool),
    /// Only so many units are given out.
    Stocked(Pool),
    /// Built in, where a bundle asks for it: an offer is shown only while people have approved it as it is.
    Approval,
}

impl RuleKind {
    /// Whether it is about what stands in one answer together, and so asked only behind something.
    pub fn is_about_answers(&self) -> bool {
        matches!(self, Self::Stackability(_) | Self::Diversity(_))
    }

    /// The attributes of the customer that it reads.
    pub(super) fn reads_of_customer(&self) -> BTreeSet<AttributeId> {
        let mut found = BTreeSet::new();
        let term = match self {
            Self::Exclusion { when } | Self::Requirement { when } => when.term(),
            Self::LoyaltyEligibility(loyalty) => loyalty.term(),
            _ => return found,
        };
        term.reads(&mut |read| {
            found.extend(read.attribute().filter(|id| id.scope() == AttributeScope::Customer).cloned());
        });
        found
    }
}

/// A checked rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Unique within the bundle.
    pub id: RuleId,
    /// The justification, logged with every exclusion.
    pub why: String,
    /// Who answers for it.
    pub owner: String,
    /// Where it applies.
    pub applies_to: AppliesTo,
    /// When it holds; a cap counts contacts at any time.
    pub effective: Interval,
    /// What becomes of an offer that it speaks against.
    pub severity: Severity,
    /// What it makes of a missing value.
    pub on_missing: OnMissing,
    /// Whether an override may lift it. Never what protects people by law or by their own word.
    pub overridable: bool,
    /// What it checks.
    pub kind: RuleKind,
    /// File and line; no file and line 0 for a built-in rule.
    pub place: (String, usize),
}

impl Rule {
    /// Whether it holds at an instant, for a request from a jurisdiction. Where that is not known a rule holds that
    /// names regions: what may be forbidden is not shown. One that lifts or pins does not: what may be forbidden is not
    /// brought back.
    pub fn in_force(&self, now: Timestamp, jurisdiction: Option<&str>) -> bool {
        self.effective.holds(now) && self.applies_to.covers_region(jurisdiction).unwrap_or(!self.favours())
    }

    /// Whether it says something to somebody, and is not on trial.
    pub fn speaks(&self) -> bool {
        self.severity != Severity::Shadow
    }

    /// Whether it leaves offers out, and not only speaks.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Block
    }
}

/// What is known of the categories of offers.
#[derive(Clone, Copy)]
pub(super) enum Categories<'a> {
    /// The names of `offer.category`.
    Declared(&'a [String]),
    /// `offer.category` is not declared.
    Undeclared,
    /// Its declaration cannot be read, so that nothing can be said.
    Unreadable,
}

/// What rules refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) specs: &'a BTreeMap<PurposeId, PurposeSpec>,
    pub(super) purposes: &'a Declared,
    pub(super) placements: &'a BTreeMap<PlacementId, Placement>,
    pub(super) placement_names: &'a Declared,
    pub(super) categories: Categories<'a>,
    pub(super) attributes: Catalog<'a>,
    pub(super) stores: &'a StoreNames,
}

/// With the built-in rules, by kind (currency, gates, floors, caps, availability, conditions, whole answers,
/// merchandise) and id.
pub(super) fn in_order(mut rules: Vec<Rule>, demands: &Demands) -> Vec<Rule> {
    let here = |built_in: &kinds::BuiltIn| built_in.kind != RuleKind::Approval || !demands.offers.is_empty();
    let built_in = kinds::BUILT_IN.into_iter().filter(here).filter_map(|kinds::BuiltIn { kind, id, why, .. }| {
        Some(Rule {
            id: RuleId::new(id).ok()?,
            why: why.into(),
            owner: "proffer".into(),
            applies_to: AppliesTo::default(),
            effective: Interval::default(),
            severity: Severity::Block,
            on_missing: OnMissing::Exclude,
            overridable: false,
            kind,
            place: (String::new(), 0),
        })
    });
    rules.extend(built_in);
    sorted(rules)
}

/// By kind and id.
pub(super) fn sorted(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.sort_by(|a, b| (kinds::rank(&a.kind), &a.id).cmp(&(kinds::rank(&b.kind), &b.id)));
    rules
}

/// The names that a test may use: built-in ones too. Where a file of rules is wrong, none can be called unknown.
pub(super) fn names(report: &mut Report<'_>, declared: &Declared, rules: &[Rule]) -> Declared {
    let mut names = declared.clone();
    for rule in rules.iter().filter(|rule| rule.place.1 == 0) {
        names.add(report, "rule", rule.id.as_str(), Place::file(0));
    }
    if report.any_below("rules/") {
        names.miss();
    }
    names
}
