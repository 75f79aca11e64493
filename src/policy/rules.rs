//! Rules: from `rules/*.yaml` to checked rules. Evaluates none.

use std::collections::BTreeMap;

use super::applies::{self, AppliesTo};
use super::codes;
use super::declare::{self, Declared};
use super::finding::{Place, Report};
use super::purposes::PurposeSpec;
use super::read::{self, Fields};
use super::stackability::{self, Stackability};
use super::syntax::{Node, Yaml};
use crate::domain::{Currency, Malformed, Money, Percent, Placement, PlacementId, PurposeId, RuleId, Span};

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
    /// At most so many decisions for a customer in a rolling window.
    FrequencyCap {
        /// Counts each offer by itself; otherwise all offers together.
        by_offer: bool,
        /// The most decisions allowed in the window.
        max: u32,
        /// A contact exactly this old no longer counts.
        window: Span,
    },
    /// Offers that do not stand together in one answer.
    Stackability(Stackability),
}

impl RuleKind {
    /// Order of kinds within a bundle.
    fn rank(&self) -> u8 {
        match self {
            Self::Currency => 0,
            Self::PurposeGate { .. } => 1,
            Self::MarginFloor { .. } => 2,
            Self::FrequencyCap { .. } => 3,
            Self::Stackability(_) => 20,
        }
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
    /// What it checks.
    pub kind: RuleKind,
    /// File and line; no file and line 0 for a built-in rule.
    pub place: (String, usize),
}

/// The most decisions a cap may allow: its newest contacts are kept with the customer.
const CAP_MAX: u32 = 10_000;

const LISTS: [&str; 4] = ["purpose_gates", "margin_floors", "frequency_caps", "stackability"];

const LISTS_LATER: [&str; 15] = [
    "kill_switches",
    "overrides",
    "audience_guards",
    "availability",
    "category_exclusions",
    "loyalty_eligibility",
    "price_limits",
    "price_personalisation",
    "cool_downs",
    "budgets",
    "stock",
    "diversity",
    "fairness_gates",
    "exclusions",
    "requirements",
];

const FIELDS: [&str; 4] = ["id", "why", "owner", "applies_to"];

const FIELDS_LATER: [&str; 4] = ["effective", "severity", "on_missing", "overridable"];

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

/// The built-in rules, then by kind (gates, floors, caps) and id.
pub(super) fn in_order(mut rules: Vec<Rule>) -> Vec<Rule> {
    rules.extend(RuleId::new("proffer.currency").map(|id| Rule {
        id,
        why: "an offer is shown only where its currency is the placement's".into(),
        owner: "proffer".into(),
        applies_to: AppliesTo::default(),
        kind: RuleKind::Currency,
        place: (String::new(), 0),
    }));
    rules.sort_by(|a, b| (a.kind.rank(), &a.id).cmp(&(b.kind.rank(), &b.id)));
    rules
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
        "stackability" => (&stackability::FIELDS, &[]),
        _ => (&["scope", "max", "window", "counts"], &["obeys_caps", "counts_toward_caps", "without_identifier"]),
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
    let kind = match list {
        "purpose_gates" => gate(report, &fields, known),
        "margin_floors" => floor(report, &fields, known, applies_to.as_ref()),
        "stackability" => stackability::read(report, &fields, known),
        _ => cap(report, &fields),
    };
    let place = id_node.map_or(fields.place, |node| node.place);
    Some(Rule {
        id: id?,
        why: why?,
        owner: owner?.to_owned(),
        applies_to: applies_to?,
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

fn cap(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let by_offer = fields.need(report, "scope", "scope: [customer, offer]").and_then(|node| scope(report, what, node));
    let max = fields.need(report, "max", "max: 2").and_then(|node| {
        if matches!(&node.value, Yaml::Scalar { text, plain: true } if text == "0") {
            report
                .add(codes::CAP_ZERO, node.place, format!("{what}: a cap of 0 would exclude everything"), "at least 1")
                .with_help("use `max: 1` or more; to stop offers altogether, pause them in the catalogue");
            return None;
        }
        read::whole(report, what, node, 1, CAP_MAX)
    });
    let window = fields.need(report, "window", "window: {rolling: 24h}").and_then(|node| window(report, what, node));
    let counts = fields.need(report, "counts", "counts: decision").and_then(|node| {
        read::choice(report, what, node, "kind of contact", &["decision"], &["impression", "click", "redemption"])
    });
    counts?;
    Some(RuleKind::FrequencyCap { by_offer: by_offer?, max: max?, window: window? })
}

fn scope(report: &mut Report<'_>, what: &str, node: &Node) -> Option<bool> {
    let later = ["household", "device", "session", "campaign", "category", "channel", "all"];
    let names = read::list_of(report, what, node, "expected `[customer]` or `[customer, offer]`", |report, node| {
        read::choice(report, what, node, "scope", &["customer", "offer"], &later)
    })?;
    if !names.contains(&"customer") {
        let message = format!("{what}: a cap counts for a customer");
        report
            .add(codes::CHOICE, node.place, message, "no `customer`")
            .with_help("write `[customer]` for all offers together or `[customer, offer]` for each offer by itself");
        return None;
    }
    Some(names.contains(&"offer"))
}

fn window(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Span> {
    if let Yaml::Scalar { text, .. } = &node.value {
        if ["lifetime", "session"].contains(&text.as_str()) {
            read::not_yet(report, what, node.place, &format!("window `{text}`"), "window: {rolling: 24h}");
            return None;
        }
        if let Ok(span) = Span::parse(text) {
            return missing_rolling(report, what, node.place, span);
        }
    }
    let fields = Fields::open(report, format!("{what}: window"), node, &["rolling"], &["calendar"])?;
    if fields.get("calendar").is_some() {
        return None;
    }
    let rolling = fields.need(report, "rolling", "window: {rolling: 24h}")?;
    read::span(report, what, rolling)
}

fn missing_rolling(report: &mut Report<'_>, what: &str, place: Place, span: Span) -> Option<Span> {
    report
        .add(codes::TYPE, place, format!("{what}: a window says how it is counted"), "expected `{rolling: ...}`")
        .with_help(format!("write `window: {{rolling: {span}}}`"));
    None
}
