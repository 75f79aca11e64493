//! What fairness gates measure before a bundle is put in force: parity of what is offered, and proxies among features.
//! Declares and checks; measures nothing and reads nobody's value.

use std::collections::BTreeMap;

use super::fairness::FairnessGate;
use super::gate::{self, Asking};
use crate::domain::{Percent, Placement, PlacementId, Span, SubjectState, Timestamp};
use crate::policy::bundle::Bundle;
use crate::policy::codes;
use crate::policy::declare::{self, Declared};
use crate::policy::declared::attributes::AttributeSpec;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, Rule, RuleKind};

/// What a fairness gate asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FairnessAsk {
    /// Whether rules let a discounted offer through for every group, of every decision.
    OneGroupDiscount,
    /// Whether decisions are worth at least so much to every group, by what they are worth to any other.
    Parity(Measure),
    /// Whether the features of placements tell no group from the others better than so.
    Proxy(Measure),
}

/// How something is measured, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Of parity the least ratio, of a proxy the largest area under the curve.
    pub limit: Percent,
    /// Over the decisions of how long.
    pub window: Span,
    /// Customers that every group needs before anything is said.
    pub group_min: u32,
    /// How sure: 90%, 95% or 99%.
    pub interval: Percent,
}

/// The purpose under which the attribute of a measure is read, and no other.
pub const MEASUREMENT: &str = "measurement";

/// Intervals of fewer customers would promise more than they keep.
const GROUP_MIN: u32 = 30;

const GROUP_MAX: u32 = 1_000_000_000;

const INTERVALS: [&str; 3] = ["90%", "95%", "99%"];

/// Fields of both metrics.
const MEASURED: [&str; 3] = ["window", "min_group", "interval"];

/// A metric with the field of its limit, how that is written, and the field of the other.
const METRICS: [(&str, &str, &str, &str); 2] =
    [("parity", "at_least", "at_least: 80%", "at_most"), ("proxy", "at_most", "at_most: 70%", "at_least")];

impl FairnessAsk {
    /// How it is measured; nothing for what is asked of every decision.
    pub fn measure(&self) -> Option<&Measure> {
        match self {
            Self::OneGroupDiscount => None,
            Self::Parity(measure) | Self::Proxy(measure) => Some(measure),
        }
    }
}

impl FairnessGate {
    /// What it asks to be measured, in words that go on from `it`; nothing for what is asked of every decision.
    pub(in crate::policy) fn measures(&self) -> Option<String> {
        let attribute = &self.attribute;
        let Measure { limit, window, group_min, interval } = self.asks.measure()?;
        let asks = match self.asks {
            FairnessAsk::Proxy(_) => format!(
                "features tell nobody's `{attribute}` with an area under the curve above {limit}, with an interval of \
                 {interval}"
            ),
            _ => format!(
                "decisions are worth at least {limit} to every `{attribute}` of what they are worth to any other, with \
                 an interval of {interval}"
            ),
        };
        Some(format!(
            "keeps the bundle from being put in force until it was measured over {window}, on {group_min} customers of \
             every group, that {asks}"
        ))
    }

    /// The position of the group that a customer is in, by what is kept and still holds; nothing where no value is.
    pub fn group_of(&self, spec: &AttributeSpec, state: &SubjectState, now: Timestamp) -> Option<usize> {
        let kept = state.known.iter().find(|kept| kept.name == self.attribute.name() && kept.holds(now))?;
        let lives = spec.time_to_live.is_none_or(|lives| now < kept.at.plus(lives));
        self.groups.iter().position(|group| lives && *group == kept.value)
    }
}

/// Whether a customer may be measured: some gate asks for the purpose where the decision was made, and none refuses it.
pub fn may_measure(bundle: &Bundle, asking: &Asking<'_>) -> bool {
    let Some((purpose, _)) = bundle.purposes.get_key_value(MEASUREMENT) else { return false };
    let verdict = gate::gate(bundle, purpose, asking);
    !verdict.readings.is_empty() && verdict.refused_by.is_none()
}

impl Rule {
    /// What it says of fairness, if it is a gate of that.
    pub fn fairness_gate(&self) -> Option<&FairnessGate> {
        match &self.kind {
            RuleKind::FairnessGate(gate) => Some(gate),
            _ => None,
        }
    }

    /// Whether it is asked when a bundle is put in force, and about no offer.
    pub fn is_measured(&self) -> bool {
        self.fairness_gate().is_some_and(|gate| gate.asks.measure().is_some())
    }

    /// Whether a case of the tests can show it: what is measured is asked for by no decision, and so is the consent
    /// that it is measured by.
    pub fn is_for_cases(&self) -> bool {
        !self.is_measured() && !asks_to_measure(self)
    }
}

/// Whether it is a gate for consent to be measured.
fn asks_to_measure(rule: &Rule) -> bool {
    matches!(&rule.kind, RuleKind::PurposeGate(gate) if gate.purpose.as_str() == MEASUREMENT)
}

impl Bundle {
    /// Every gate that is measured before the bundle is put in force, but for those on trial and those that are over.
    pub fn measuring(&self, now: Timestamp) -> impl Iterator<Item = (&Rule, &FairnessGate, &Measure)> {
        let holds = move |rule: &&Rule| rule.blocks() && rule.effective.until.is_none_or(|until| now < until);
        self.rules.iter().filter(holds).filter_map(|rule| {
            let gate = rule.fairness_gate()?;
            Some((rule, gate, gate.asks.measure()?))
        })
    }
}

/// Reads what a gate asks: of every decision, or as measured.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<FairnessAsk> {
    let what = fields.what.as_str();
    let ask = match (fields.get("check"), fields.get("metric")) {
        (Some(node), None) => {
            let chosen = read::choice(report, what, node, "check", &["one_group_discount"], &[]);
            let foreign = MEASURED.into_iter().chain(METRICS.map(|(_, limit, ..)| limit));
            for name in foreign {
                if let Some(node) = fields.get(name) {
                    let message = format!("{what}: `{name}` belongs to a `metric`");
                    report
                        .add(codes::FAIRNESS_CHECK, node.place, message, "nothing is measured")
                        .with_help("remove it, or write what is measured as a rule of its own");
                    return None;
                }
            }
            return chosen.map(|_| FairnessAsk::OneGroupDiscount);
        }
        (None, Some(node)) => node,
        _ => {
            if !fields.misspelt(&["check", "metric"]) {
                let message = format!("{what}: it says either `check` or `metric`");
                report
                    .add(codes::FAIRNESS_CHECK, fields.place, message, "one of both")
                    .with_help("write `check: one_group_discount`, `metric: parity` or `metric: proxy`");
            }
            return None;
        }
    };
    let metric = read::choice(report, what, ask, "metric", &METRICS.map(|(name, ..)| name), &[]);
    let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
    let purpose = declare::refer(report, home, what, (ask.place, MEASUREMENT), known.purposes);
    let (_, limit, example, foreign) = METRICS.into_iter().find(|(name, ..)| Some(*name) == metric)?;
    if let Some(node) = fields.get(foreign) {
        let message = format!("{what}: `{foreign}` does not belong to `metric: {}`", metric.unwrap_or_default());
        report
            .add(codes::FAIRNESS_CHECK, node.place, message, "the limit of another metric")
            .with_help(format!("its limit is written `{example}`"));
    }
    let limit = fields.need(report, limit, example).and_then(|node| {
        let percent = read::percent(report, what, node)?;
        let (low, range) = if metric == Some("proxy") {
            (5_001, "more than 50%, which tells nothing, and less than 100%")
        } else {
            (1, "more than 0% and less than 100%")
        };
        if (low..10_000).contains(&percent.0) {
            return Some(percent);
        }
        read::out_of_range(report, what, node, range);
        None
    });
    let window = fields.need(report, "window", "window: 30d").and_then(|node| read::span(report, what, node));
    let group_min = fields.need(report, "min_group", "min_group: 200");
    let group_min = group_min.and_then(|node| read::whole(report, what, node, GROUP_MIN, GROUP_MAX));
    let interval = fields.need(report, "interval", "interval: 95%").and_then(|node| {
        let chosen = read::choice(report, what, node, "interval", &INTERVALS, &[])?;
        Percent::parse(chosen).ok()
    });
    if fields.get(foreign).is_some() || !purpose {
        return None;
    }
    let measure = Measure { limit: limit?, window: window?, group_min: group_min?, interval: interval? };
    Some(if metric == Some("proxy") { FairnessAsk::Proxy(measure) } else { FairnessAsk::Parity(measure) })
}

/// Says which measured gates would be read without anybody's consent, or would add up amounts of several currencies.
pub(in crate::policy) fn check(
    report: &mut Report<'_>,
    rules: &[Rule],
    placements: &BTreeMap<PlacementId, Placement>,
    declared: &Declared,
) {
    let guarded =
        |place: &Placement| rules.iter().any(|rule| asks_to_measure(rule) && rule.applies_to.covers_placement(place));
    for rule in rules.iter().filter(|rule| rule.is_measured()) {
        let Some(place) = declared.place(rule.id.as_str()) else { continue };
        let covered = || placements.values().filter(|placement| rule.applies_to.covers_placement(placement));
        if let Some(open) = covered().find(|placement| !guarded(placement)) {
            let message =
                format!("rule `{}`: no gate asks for consent to `{MEASUREMENT}` at placement `{}`", rule.id, open.id);
            report.add(codes::FAIRNESS_CONSENT, place, message, "nobody would be asked").with_help(format!(
                "what it measures is read of those alone who agreed: add a rule with `purpose: {MEASUREMENT}` to \
                 `purpose_gates`"
            ));
        }
        let parity = rule.fairness_gate().is_some_and(|gate| matches!(gate.asks, FairnessAsk::Parity(_)));
        let first = covered().next();
        let other = first.and_then(|first| covered().find(|placement| placement.currency != first.currency));
        if let (true, Some(first), Some(other)) = (parity, first, other) {
            let message = format!(
                "rule `{}`: placement `{}` is in {} and `{}` in {}",
                rule.id, first.id, first.currency, other.id, other.currency
            );
            report
                .add(codes::FAIRNESS_CURRENCY, place, message, "amounts that do not add up")
                .with_help("write a rule for each currency, with `applies_to: {placements: [...]}`");
        }
    }
}
