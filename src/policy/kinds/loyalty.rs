//! Loyalty: what a customer needs to be eligible for an offer: a tier, points, a time as a member. Compiled to a
//! condition and asked as one; told in its own words. Keeps no account of points.

use crate::domain::attribute::NUMBER_SCALE;
use crate::domain::{AttributeId, AttributeScope, LocalTime, Value};
use crate::policy::codes;
use crate::policy::condition::{Term, date};
use crate::policy::declared::attributes::{AttributeKind, AttributeSpec};
use crate::policy::declared::lineage::{self, ReadBy};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::{Node, Yaml};

/// What a customer needs. All of it must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loyalty {
    /// What is needed, one of each kind at most: tier, points, membership.
    pub needs: Vec<Need>,
    term: Term,
}

/// One thing that a customer needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A tier, or one above.
    Tier {
        /// An enum.
        attribute: AttributeId,
        /// Its names, in the order in which they are declared: from the lowest.
        names: Vec<String>,
        /// Position of the least one.
        least: usize,
    },
    /// So many points.
    Points {
        /// A number.
        attribute: AttributeId,
        /// The least of them.
        least: u32,
    },
    /// Days as a member.
    Membership {
        /// The date since when.
        attribute: AttributeId,
        /// The least of them.
        least_days: u32,
    },
}

/// What a customer lacks: how much of it is there, how much is needed, and that in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct Lacking {
    /// A position among the tiers from 1, points, or days; nothing where it is not known.
    pub(in crate::policy) observed: Option<i64>,
    pub(in crate::policy) limit: i64,
    pub(in crate::policy) told: String,
}

impl Need {
    /// What it reads.
    pub fn attribute(&self) -> &AttributeId {
        match self {
            Self::Tier { attribute, .. } | Self::Points { attribute, .. } | Self::Membership { attribute, .. } => {
                attribute
            }
        }
    }

    /// How much is needed: a position among the tiers from 1, points, or days.
    fn limit(&self) -> i64 {
        match self {
            Self::Tier { least, .. } => place(*least),
            Self::Points { least, .. } => i64::from(*least),
            Self::Membership { least_days, .. } => i64::from(*least_days),
        }
    }

    /// How much is there, in the same unit, by a value that its declaration allows.
    fn observed(&self, value: &Value, today: Option<LocalTime>) -> Option<i64> {
        match (self, value) {
            (Self::Tier { names, .. }, Value::Text(text)) => names.iter().position(|name| name == text).map(place),
            // A point that is not whole is none yet.
            (Self::Points { .. }, Value::Number(points)) => Some(points.0.div_euclid(NUMBER_SCALE)),
            (Self::Membership { .. }, Value::Text(text)) => {
                let since = date(text)?.div_euclid(DAY_MS);
                Some(i64::from(today?.day.0) - since)
            }
            _ => None,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Tier { .. } => "the tier",
            Self::Points { .. } => "the number of points",
            Self::Membership { .. } => "the time as a member",
        }
    }

    /// An amount in words: `silver`, `500 points`.
    fn amount(&self, of: i64) -> String {
        let counted = |noun: &str| format!("{of} {noun}{}", if of == 1 { "" } else { "s" });
        match self {
            Self::Tier { names, .. } => {
                let name = usize::try_from(of - 1).ok().and_then(|at| names.get(at));
                name.map_or_else(|| format!("tier {of}"), |name| format!("`{name}`"))
            }
            Self::Points { .. } => counted("point"),
            Self::Membership { .. } => counted("day") + " as a member",
        }
    }

    fn term(&self) -> Term {
        match self {
            Self::Tier { attribute, names, least } => Term::one_of_behind(attribute, names, *least),
            Self::Points { attribute, least } => Term::at_least(attribute, *least),
            Self::Membership { attribute, least_days } => Term::days_ago(attribute, *least_days),
        }
    }
}

const DAY_MS: i64 = 86_400_000;

/// Tiers listed in a finding at most.
const NAMES_SHOWN_MAX: usize = 12;

fn place(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1)
}

impl Loyalty {
    pub(in crate::policy) fn term(&self) -> &Term {
        &self.term
    }

    /// What is needed, in words.
    pub(in crate::policy) fn needed(&self) -> String {
        let needs: Vec<String> = self.needs.iter().map(|need| need.amount(need.limit())).collect();
        match needs.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }

    /// What a customer lacks, by the attributes and the local time that rules saw.
    pub(in crate::policy) fn lacking(&self, seen: &[(AttributeId, Value)], today: Option<LocalTime>) -> Vec<Lacking> {
        let mut lacking = Vec::new();
        for need in &self.needs {
            let value = seen.iter().find(|(id, _)| id == need.attribute()).map(|(_, value)| value);
            let (limit, observed) = (need.limit(), value.and_then(|value| need.observed(value, today)));
            if observed.is_some_and(|observed| observed >= limit) {
                continue;
            }
            let needs = need.amount(limit);
            let told = match observed {
                Some(observed) => format!("needs {needs}, has {}", need.amount(observed)),
                None => format!("needs {needs}, and {} is not known", need.word()),
            };
            lacking.push(Lacking { observed, limit, told });
        }
        lacking
    }
}

/// The fields of a rule of loyalty.
pub(in crate::policy) const FIELDS: [&str; 3] = ["tier", "points", "member_for"];

const EXAMPLE: &str = "write `tier: silver`, `points: 500` or `member_for: 365d`, or several of them";

/// Reads what a rule of loyalty asks for.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let mut needs = Vec::new();
    let mut whole = true;
    for name in FIELDS {
        if let Some(node) = fields.get(name) {
            let need = need(report, &format!("{what}: {name}"), name, node, known);
            whole &= need.is_some();
            needs.extend(need);
        }
    }
    if FIELDS.iter().all(|name| fields.get(name).is_none()) {
        if !fields.misspelt(&FIELDS) {
            report
                .add(codes::LOYALTY_EMPTY, fields.place, format!("{what}: it asks for nothing"), "here")
                .with_help(EXAMPLE);
        }
        return None;
    }
    let term = needs.iter().map(Need::term).reduce(Term::both)?;
    whole.then_some(RuleKind::LoyaltyEligibility(Loyalty { needs, term }))
}

/// `silver`, about the usual attribute, or `{attribute: customer.level, at_least: silver}`.
fn need(report: &mut Report<'_>, what: &str, name: &str, node: &Node, known: Known<'_>) -> Option<Need> {
    let (usual, wanted) = match name {
        "tier" => ("customer.tier", "silver"),
        "points" => ("customer.points", "500"),
        _ => ("customer.member_since", "365d"),
    };
    let (attribute, least) = match &node.value {
        Yaml::Map(_) => {
            let fields = Fields::open(report, what, node, &["attribute", "at_least"], &[])?;
            let attribute = fields.need(report, "attribute", &format!("attribute: {usual}"));
            let least = fields.need(report, "at_least", &format!("at_least: {wanted}"));
            let attribute = attribute.and_then(|node| Some((node, read::text(report, what, node)?)));
            (attribute?, least?)
        }
        _ => ((node, usual), node),
    };
    let spec = spec(report, what, name, attribute, known)?;
    let attribute = spec.id.clone();
    match &spec.kind {
        AttributeKind::Enum(names) => {
            let Yaml::Scalar { .. } = &least.value else {
                read::expected(report, what, least, "the lowest tier that will do, such as `silver`");
                return None;
            };
            let wanted = read::text(report, what, least)?;
            let Some(at) = names.iter().position(|name| name == wanted) else {
                let meant = did_you_mean(wanted, names.iter().map(String::as_str));
                let message = format!("{what}: `{wanted}` is not a value of `{attribute}`{meant}");
                let shown: Vec<&str> = names.iter().take(NAMES_SHOWN_MAX).map(String::as_str).collect();
                let more = if names.len() > shown.len() { " and more" } else { "" };
                let help = format!("from the lowest they are `{}`{more}", shown.join("`, `"));
                report.add(codes::CONDITION_VALUE, least.place, message, "no such value").with_help(help);
                return None;
            };
            Some(Need::Tier { attribute, names: names.clone(), least: at })
        }
        AttributeKind::Number { .. } => {
            let least = read::whole(report, what, least, 1, 1_000_000_000)?;
            Some(Need::Points { attribute, least })
        }
        _ => {
            let span = read::span(report, what, least)?;
            let Some(least_days) = span.whole_days() else {
                read::out_of_range(report, what, least, "whole days, such as `365d`");
                return None;
            };
            Some(Need::Membership { attribute, least_days })
        }
    }
}

/// The declaration of an attribute that can say what is asked.
fn spec<'a>(
    report: &mut Report<'_>,
    what: &str,
    name: &str,
    (node, attribute): (&Node, &str),
    known: Known<'a>,
) -> Option<&'a AttributeSpec> {
    let fits = |spec: &AttributeSpec| {
        spec.id.scope() != AttributeScope::Offer
            && matches!(
                (name, &spec.kind),
                ("tier", AttributeKind::Enum(_))
                    | ("points", AttributeKind::Number { .. })
                    | ("member_for", AttributeKind::Date)
            )
    };
    let (told, wanted, kind) = match name {
        "tier" => ("a tier", "an enum of tiers, the lowest first", "{enum: [bronze, silver, gold]}"),
        "points" => ("points", "a number", "number"),
        _ => ("since when somebody is a member", "a date", "date"),
    };
    let specs = known.attributes.specs;
    let Some(spec) = specs.get(attribute) else {
        // A declared attribute without a spec has a finding of its own.
        if known.attributes.declared.lacks(attribute) {
            let meant = did_you_mean(attribute, specs.values().filter(|spec| fits(spec)).map(|spec| spec.id.as_str()));
            let message = format!("{what}: unknown attribute `{attribute}`{meant}");
            let help = format!(
                "declare it with `type: {kind}`, or name another with `{name}: {{attribute: ..., at_least: ...}}`"
            );
            report.add(codes::ATTRIBUTE_UNKNOWN, node.place, message, "not in catalog/attributes.yaml").with_help(help);
        }
        return None;
    };
    if !fits(spec) {
        let message = format!("{what}: `{attribute}` does not tell {told}: expected {wanted}");
        let label = match &spec.kind {
            _ if spec.id.scope() == AttributeScope::Offer => "about an offer",
            AttributeKind::Enum(_) => "an enum",
            AttributeKind::Number { .. } => "a number",
            AttributeKind::Bool => "true or false",
            AttributeKind::Date => "a date",
            AttributeKind::Text => "free text",
        };
        report
            .add(codes::LOYALTY_ATTRIBUTE, node.place, message, label)
            .with_help(format!("name an attribute of the customer that is declared with `type: {kind}`"));
        return None;
    }
    if let Some(barred) = lineage::barred(specs, spec, ReadBy::Other) {
        let message = format!("{what}: {}", barred.message);
        report.add(codes::RULE_CLASS, node.place, message, barred.label).with_help(barred.help);
        return None;
    }
    Some(spec)
}
