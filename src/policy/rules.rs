//! Rules: from `rules/*.yaml` to checked rules. Evaluates none.

use std::collections::BTreeMap;

use super::applies::{self, AppliesTo};
use super::caps::{self, Cap};
use super::codes;
use super::condition::{self, Condition};
use super::cool_downs::{self, CoolDown};
use super::daypart::Dayparts;
use super::declare::{self, Declared};
use super::diversity::{self, Diversity};
use super::features::Catalog;
use super::finding::{Place, Report};
use super::interval::Interval;
use super::loyalty::{self, Loyalty};
use super::purposes::PurposeSpec;
use super::read::{self, Fields};
use super::stackability::{self, Stackability};
use super::syntax::{Node, Yaml};
use super::{availability, common};
use crate::domain::{Currency, Malformed, Money, Percent, Placement, PlacementId, PurposeId, RuleId, StoreId};

/// A floor under the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloorLimit {
    /// Share of the net price.
    Percent(Percent),
    /// Amount per accepted offer.
    Amount(Money),
}

impl std::fmt::Display for FloorLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Percent(percent) => percent.fmt(f),
            Self::Amount(money) => money.fmt(f),
        }
    }
}

/// What becomes of an offer where a rule reads something that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMissing {
    /// It is left out.
    #[default]
    Exclude,
    /// The rule does not leave it out.
    Allow,
}

/// What a rule checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleKind {
    /// Built in: an offer is shown only where its currency is the placement's.
    Currency,
    /// The placement's purpose needs a consent in force.
    PurposeGate {
        /// The purpose guarded.
        purpose: PurposeId,
    },
    /// The contribution margin reaches a minimum.
    MarginFloor {
        /// The least margin allowed.
        min: FloorLimit,
    },
    /// At most so many contacts for a customer in a window.
    FrequencyCap(Cap),
    /// The offers it applies to are shown only there and then.
    Availability {
        /// Jurisdictions such as `EU`, `US` or `US-NY`.
        regions: Option<Vec<String>>,
        /// Channels.
        channels: Option<Vec<String>>,
        /// The time.
        dates: Option<Interval>,
        /// The times of day and of the week.
        dayparts: Option<Dayparts>,
        /// Stores.
        stores: Option<Vec<StoreId>>,
    },
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
}

impl RuleKind {
    /// Order of kinds within a bundle.
    fn rank(&self) -> u8 {
        match self {
            Self::Currency => 0,
            Self::PurposeGate { .. } => 1,
            Self::MarginFloor { .. } => 2,
            Self::FrequencyCap(_) => 3,
            Self::Availability { .. } => 4,
            Self::Exclusion { .. } => 5,
            Self::Requirement { .. } => 6,
            Self::Stackability(_) => 20,
            Self::Diversity(_) => 21,
            Self::LoyaltyEligibility(_) => 22,
            Self::Schedule => 30,
            Self::Campaign => 31,
            Self::Stock => 32,
            Self::CoolDown(_) => 40,
            // Behind all others, so that records made before it name the same rules.
            Self::Budget => 50,
        }
    }

    /// Whether it is about what stands in one answer together, and so asked only behind something.
    pub fn is_about_answers(&self) -> bool {
        matches!(self, Self::Stackability(_) | Self::Diversity(_))
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
    /// What it makes of a missing value.
    pub on_missing: OnMissing,
    /// What it checks.
    pub kind: RuleKind,
    /// File and line; no file and line 0 for a built-in rule.
    pub place: (String, usize),
}

const LISTS: [&str; 10] = [
    "purpose_gates",
    "margin_floors",
    "frequency_caps",
    "availability",
    "exclusions",
    "requirements",
    "stackability",
    "diversity",
    "loyalty_eligibility",
    "cool_downs",
];

/// Lists whose rules read something that may be missing.
const LISTS_READING: [&str; 5] = ["availability", "exclusions", "requirements", "diversity", "loyalty_eligibility"];

const LISTS_LATER: [&str; 9] = [
    "kill_switches",
    "overrides",
    "audience_guards",
    "category_exclusions",
    "price_limits",
    "price_personalisation",
    "budgets",
    "stock",
    "fairness_gates",
];

const FIELDS: [&str; 7] = ["id", "why", "owner", "applies_to", "effective", "severity", "on_missing"];

const FIELDS_LATER: [&str; 1] = ["overridable"];

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
}

/// Reads one rule file and adds its rules.
pub(super) fn read(
    report: &mut Report<'_>,
    root: &Node,
    known: Known<'_>,
    declared: &mut Declared,
    rules: &mut Vec<Rule>,
) {
    let top: Vec<&str> = std::iter::once("owner").chain(LISTS).collect();
    let Some(file) = Fields::open(report, "rules", root, &top, &LISTS_LATER) else { return };
    let owner = file.get("owner").and_then(|node| read::text(report, "rules", node));
    for (key, node) in file.entries() {
        let list = key.text.as_str();
        if !LISTS.contains(&list) {
            continue;
        }
        for item in read::list(report, list, node).into_iter().flatten() {
            rules.extend(rule(report, item, list, owner, known, declared));
        }
    }
}

/// Rules that nobody wrote: what they check, their ids, and why.
const BUILT_IN: [(RuleKind, &str, &str); 5] = [
    (RuleKind::Currency, "proffer.currency", "an offer is shown only where its currency is the placement's"),
    (RuleKind::Schedule, "proffer.schedule", "an offer is shown only within its own schedule"),
    (RuleKind::Campaign, "proffer.campaign", "an offer is shown only while its campaign runs"),
    (RuleKind::Stock, "proffer.stock", "an offer is shown only while there is stock of it"),
    (RuleKind::Budget, "proffer.budget", "an offer is shown only while its campaign's budget lasts"),
];

/// With the built-in rules, by kind (currency, gates, floors, caps, availability, conditions, whole answers,
/// merchandise) and id.
pub(super) fn in_order(mut rules: Vec<Rule>) -> Vec<Rule> {
    let built_in = BUILT_IN.into_iter().filter_map(|(kind, id, why)| {
        Some(Rule {
            id: RuleId::new(id).ok()?,
            why: why.into(),
            owner: "proffer".into(),
            applies_to: AppliesTo::default(),
            effective: Interval::default(),
            on_missing: OnMissing::Exclude,
            kind,
            place: (String::new(), 0),
        })
    });
    rules.extend(built_in);
    rules.sort_by(|a, b| (a.kind.rank(), &a.id).cmp(&(b.kind.rank(), &b.id)));
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

fn rule(
    report: &mut Report<'_>,
    node: &Node,
    list: &str,
    owner: Option<&str>,
    known: Known<'_>,
    declared: &mut Declared,
) -> Option<Rule> {
    let (own, later): (&[&str], &[&str]) = match list {
        "purpose_gates" => (&["purpose"], &["bases", "channel_opt_in", "consent_age", "jurisdictions"]),
        "margin_floors" => (&["min_margin"], &["regions"]),
        "availability" => (&availability::FIELDS, &[]),
        "exclusions" | "requirements" => (&["when"], &[]),
        "stackability" => (&stackability::FIELDS, &[]),
        "diversity" => (&diversity::FIELDS, &[]),
        "loyalty_eligibility" => (&loyalty::FIELDS, &[]),
        "cool_downs" => (&cool_downs::FIELDS, &[]),
        _ => (&caps::FIELDS, &caps::FIELDS_LATER),
    };
    let fields = [&FIELDS[..], own].concat();
    let fields = Fields::open(report, read::title("rule", node), node, &fields, &[&FIELDS_LATER[..], later].concat())?;
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
    let applies_to = fields.get("applies_to").map_or(Some(AppliesTo::default()), |node| {
        let gate = list == "purpose_gates";
        applies::read(report, what, node, known, gate)
    });
    let common = common::read(report, &fields, LISTS_READING.contains(&list));
    let kind = match list {
        "purpose_gates" => gate(report, &fields, known),
        "margin_floors" => floor(report, &fields, known, applies_to.as_ref()),
        "availability" => availability::read(report, &fields, known),
        "exclusions" => {
            condition::read(report, &fields, known, applies_to.as_ref()).map(|when| RuleKind::Exclusion { when })
        }
        "requirements" => {
            condition::read(report, &fields, known, applies_to.as_ref()).map(|when| RuleKind::Requirement { when })
        }
        "stackability" => stackability::read(report, &fields, known),
        "diversity" => diversity::read(report, &fields, known),
        "loyalty_eligibility" => loyalty::read(report, &fields, known),
        "cool_downs" => cool_downs::read(report, &fields),
        _ => caps::read(report, &fields),
    };
    let place = id_node.map_or(fields.place, |node| node.place);
    let (effective, on_missing) = common?;
    Some(Rule {
        id: id?,
        why: why?,
        owner: owner?.to_owned(),
        applies_to: applies_to?,
        effective,
        on_missing,
        kind: kind?,
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

fn gate(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "purpose", "purpose: offer_personalisation")?;
    let purpose = read::parsed(report, what, node, "a purpose id", PurposeId::new)?;
    let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
    if !declare::refer(report, home, what, (node.place, purpose.as_str()), known.purposes) {
        return None;
    }
    if known.specs.get(&purpose).is_some_and(|spec| spec.bases.is_empty()) {
        let message = format!("{what}: purpose `{purpose}` lists no lawful bases");
        report.add(codes::BASES_NONE, node.place, message, "no bases").with_help(
            "such a gate would refuse everyone: add `bases: {EU: [consent]}` to the purpose in \
             catalog/purposes.yaml, or remove the gate",
        );
        return None;
    }
    Some(RuleKind::PurposeGate { purpose })
}

fn floor(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    applies_to: Option<&AppliesTo>,
) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "min_margin", "min_margin: 15%")?;
    let min = read::parsed(report, what, node, "`15%` or `5.00 USD`", floor_limit)?;
    match min {
        FloorLimit::Percent(percent) if !(0..=10_000).contains(&percent.0) => {
            read::out_of_range(report, what, node, "0% to 100%");
            return None;
        }
        FloorLimit::Amount(money) => {
            let applies_to = applies_to?;
            let mut covered = known.placements.values().filter(|placement| applies_to.covers_placement(placement));
            if let Some(placement) = covered.find(|placement| placement.currency != money.currency) {
                let (id, currency) = (&placement.id, placement.currency);
                let message =
                    format!("{what}: the floor is in {} but placement `{id}` is in {currency}", money.currency);
                let help =
                    "use a percent, or name the placements of this currency in `applies_to: {placements: [...]}`";
                report.add(codes::FLOOR_CURRENCY, node.place, message, format!("not in {currency}")).with_help(help);
                return None;
            }
        }
        FloorLimit::Percent(_) => {}
    }
    Some(RuleKind::MarginFloor { min })
}

fn floor_limit(text: &str) -> Result<FloorLimit, Malformed> {
    if text.ends_with('%') {
        return Percent::parse(text).map(FloorLimit::Percent);
    }
    let Some((amount, currency)) = text.split_once(' ') else {
        return Err(Malformed::new(format!(
            "`{text}` is no margin: expected a percent such as `15%` or an amount such as `5.00 USD`"
        )));
    };
    Money::parse(amount, Currency::parse(currency.trim())?).map(FloorLimit::Amount)
}
