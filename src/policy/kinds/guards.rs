//! Guards of audiences: offers that minors, employees, vulnerable people or whoever has an open complaint are not
//! shown. Asked once for each request, about the customer alone. Ranks nothing, and feeds no feature.
//!
//! A guard that could not look would have to leave its offers out for everybody who refused personal offers, or show
//! drinks to minors. So its attributes are read for the purpose `service`, whatever was said to others, and are seen by
//! guards alone.

use std::collections::BTreeSet;

use crate::domain::{AttributeId, AttributeScope, Placement, Timestamp};
use crate::policy::applies::AppliesTo;
use crate::policy::bundle::Bundle;
use crate::policy::codes;
use crate::policy::condition::{self, Condition, Facts};
use crate::policy::declare;
use crate::policy::declared::attributes::AttributeKind;
use crate::policy::declared::lineage::ReadBy;
use crate::policy::finding::{Place, Report};
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, OnMissing, Rule, RuleKind};
use crate::policy::syntax::Node;

/// Who is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The audience by its name, where it has one.
    pub audience: Option<Audience>,
    /// Who belongs to it.
    pub when: Condition,
    reads: BTreeSet<AttributeId>,
}

/// Audiences with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever is not 18 yet.
    Minors,
    /// People who work for the shop.
    Employees,
    /// People in a situation that must not be exploited.
    Vulnerable,
    /// Whoever waits for an answer to a complaint.
    OpenComplaint,
}

impl Audience {
    /// Each by its name, and in words.
    const ALL: [(&'static str, Self, &'static str); 4] = [
        ("minors", Self::Minors, "minors"),
        ("employees", Self::Employees, "employees"),
        ("vulnerable", Self::Vulnerable, "vulnerable people"),
        ("open_complaint", Self::OpenComplaint, "customers with an open complaint"),
    ];

    fn told(self) -> &'static str {
        Self::ALL.iter().find(|(_, audience, _)| *audience == self).map_or("", |(_, _, told)| told)
    }

    /// The condition under which an attribute says that somebody belongs.
    fn condition(self, attribute: &AttributeId, kind: &AttributeKind) -> Option<String> {
        Some(match (self, kind) {
            (_, AttributeKind::Bool) => attribute.to_string(),
            (Self::Minors, AttributeKind::Number { .. }) => format!("{attribute} < 18"),
            // Eighteen years have at most so many days: on the day itself rather one too long than one too short.
            (Self::Minors, AttributeKind::Date) => format!("{attribute} > context.today - 3650d - 2925d"),
            (Self::OpenComplaint, AttributeKind::Number { .. }) => format!("{attribute} > 0"),
            _ => return None,
        })
    }

    /// What an attribute has to be for that.
    fn needed(self) -> &'static str {
        match self {
            Self::Minors => "the age as a number, the birthday as a date, or true or false",
            Self::OpenComplaint => "how many there are as a number, or true or false",
            Self::Employees | Self::Vulnerable => "true or false",
        }
    }
}

impl Guard {
    /// Whether it reads an attribute.
    pub fn reads(&self, id: &AttributeId) -> bool {
        self.reads.contains(id)
    }

    /// Whether the customer belongs to the audience; nothing where that is not known.
    fn belongs(&self, facts: &Facts<'_>) -> Option<bool> {
        self.when.term().asked(facts)
    }

    /// Why it leaves an offer out, in words.
    pub(in crate::policy) fn told(&self, on_missing: OnMissing) -> String {
        let open = match on_missing {
            OnMissing::Exclude => ", or a value that it needs is missing",
            OnMissing::Allow => "",
        };
        let whom = self.audience.map_or_else(String::new, |audience| format!("not for {}: ", audience.told()));
        format!("{whom}`{}` holds{open}", self.when.text())
    }
}

/// The guards that are asked at a placement, with their positions.
pub(in crate::policy) fn asking<'a>(
    bundle: &'a Bundle,
    placement: &'a Placement,
    now: Timestamp,
    jurisdiction: Option<&'a str>,
) -> impl Iterator<Item = (u16, &'a Guard)> {
    bundle.guards.iter().filter_map(move |at| {
        let rule = bundle.rule(*at)?;
        let RuleKind::AudienceGuard(guard) = &rule.kind else { return None };
        let asks = rule.in_force(now, jurisdiction) && rule.applies_to.covers_placement(placement);
        asks.then_some((*at, guard))
    })
}

/// Positions of the guards among some rules.
pub(in crate::policy) fn positions(rules: &[Rule]) -> Vec<u16> {
    let guards = (0..=u16::MAX).zip(rules).filter(|(_, rule)| matches!(rule.kind, RuleKind::AudienceGuard(_)));
    guards.map(|(at, _)| at).collect()
}

/// Positions of the guards that speak in one decision: the customer belongs to their audience, or may.
pub(in crate::policy) fn speaking(bundle: &Bundle, placement: &Placement, facts: &Facts<'_>) -> Vec<u16> {
    if bundle.guards.is_empty() {
        return Vec::new();
    }
    let seen = facts.attributes.for_guards();
    let facts = Facts { attributes: &seen, ..*facts };
    let speaks = |(at, guard): (u16, &Guard)| {
        let on_missing = bundle.rule(at)?.on_missing;
        guard.belongs(&facts).unwrap_or(on_missing == OnMissing::Exclude).then_some(at)
    };
    asking(bundle, placement, facts.now, facts.jurisdiction).filter_map(speaks).collect()
}

/// The fields of a guard.
pub(in crate::policy) const FIELDS: [&str; 3] = ["audience", "attribute", "when"];

/// Reads whom a guard is about.
pub(in crate::policy) fn read(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    applies_to: Option<&AppliesTo>,
) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let named = fields.get("audience").map(|node| (node, audience(report, what, node)));
    let (audience, when, place) = match (named, fields.get("when")) {
        (None, Some(node)) => (None, condition::read(report, fields, known, (applies_to, ReadBy::Guard))?, node.place),
        (Some((node, audience)), None) => {
            let (text, place) = described(report, fields, known, audience?)?;
            (
                audience,
                condition::of_text(report, what, (&text, node.place), known, (applies_to, ReadBy::Guard))?,
                place,
            )
        }
        (named, when) => {
            let place = when.or(named.map(|(node, _)| node)).map_or(fields.place, |node| node.place);
            let message =
                format!("{what}: it says in {} who is guarded", if named.is_some() { "two ways" } else { "no way" });
            report.add(codes::GUARD_WHEN, place, message, "who?").with_help(
                "write `audience: minors` with `attribute: customer.age`, or a condition such as \
                 `when: customer.age < 18`",
            );
            return None;
        }
    };
    let mut reads = BTreeSet::new();
    let mut offers = false;
    when.term().reads(&mut |read| {
        offers |= read.of_offer();
        reads.extend(read.attribute().cloned());
    });
    if offers {
        let message = format!("{what}: a guard is asked about the customer, before any offer is looked at");
        report.add(codes::GUARD_OFFER, place, message, "reads an offer").with_help(
            "name the offers that it leaves out with `applies_to: {categories: [...]}`, or write it as an exclusion",
        );
        return None;
    }
    Some(RuleKind::AudienceGuard(Guard { audience, when, reads }))
}

fn audience(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Audience> {
    let names = Audience::ALL.map(|(name, _, _)| name);
    let chosen = read::choice(report, what, node, "audience", &names, &[])?;
    Audience::ALL.iter().find(|(name, _, _)| *name == chosen).map(|(_, audience, _)| *audience)
}

/// The condition that a named audience and its attribute stand for, and where the attribute is named.
fn described(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    known: Known<'_>,
    audience: Audience,
) -> Option<(String, Place)> {
    let what = fields.what.as_str();
    let node = fields.need(report, "attribute", "attribute: customer.age")?;
    let id = read::parsed(report, what, node, "an attribute such as `customer.age`", AttributeId::parse)?;
    let home = (codes::ATTRIBUTE_UNKNOWN, "attribute", "catalog/attributes.yaml");
    if !declare::refer(report, home, what, (node.place, id.as_str()), known.attributes.declared) {
        return None;
    }
    let spec = known.attributes.specs.get(&id)?;
    let text = audience.condition(&id, &spec.kind).filter(|_| id.scope() != AttributeScope::Offer);
    if text.is_none() {
        let message = format!("{what}: `{id}` cannot say who belongs to {}", audience.told());
        report
            .add(codes::GUARD_ATTRIBUTE, node.place, message, "says something else")
            .with_help(format!("it has to be {}; or write a condition as `when`", audience.needed()));
    }
    Some((text?, node.place))
}
