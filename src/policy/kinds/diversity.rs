//! Diversity: how many offers of one kind stand in one answer. Read from `rules/*.yaml` and asked slot by slot, before
//! the draw of the slot.

use crate::domain::{AttributeId, AttributeScope};
use crate::policy::codes;
use crate::policy::declared::attributes::CATEGORY;
use crate::policy::declared::lineage::{self, ReadBy};
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::Node;

/// What makes two offers of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Per {
    /// Their category.
    Category,
    /// Their campaign.
    Campaign,
    /// Their value of a declared attribute of offers.
    Attribute(AttributeId),
}

/// At most so many of each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversity {
    /// What makes two offers of one kind.
    pub per: Per,
    /// The most of one kind in one answer.
    pub at_most: u32,
}

impl Per {
    /// The value of a declared attribute of offers.
    pub(in crate::policy) fn of(id: &AttributeId) -> Self {
        if id.as_str() == CATEGORY { Self::Category } else { Self::Attribute(id.clone()) }
    }

    /// As its author writes it.
    pub(in crate::policy) fn name(&self) -> &str {
        match self {
            Self::Category => "category",
            Self::Campaign => "campaign",
            Self::Attribute(id) => id.as_str(),
        }
    }
}

impl Diversity {
    /// That it leaves an offer out, in words: so many stood there of so many that may.
    pub(in crate::policy) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
        let most = limit.unwrap_or_else(|| i64::from(self.at_most));
        let (per, there) = (self.per.name(), observed.unwrap_or(most));
        format!("at most {most} of one `{per}` in one answer, and {there} of the same stood there")
    }
}

/// The fields of a diversity rule.
pub(in crate::policy) const FIELDS: [&str; 2] = ["per", "at_most"];

/// Reads what a diversity rule checks.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let per = fields.need(report, "per", "per: category").and_then(|node| per(report, what, node, known));
    let at_most = fields.need(report, "at_most", "at_most: 1").and_then(|node| read::whole(report, what, node, 1, 100));
    Some(RuleKind::Diversity(Diversity { per: per?, at_most: at_most? }))
}

const PER: &str = "expected `category`, `campaign`, or an attribute of offers that is declared, such as `offer.brand`";

fn per(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<Per> {
    let text = read::text(report, what, node)?;
    match text {
        "category" | CATEGORY => return Some(Per::Category),
        "campaign" => return Some(Per::Campaign),
        _ => {}
    }
    let declared = known.attributes.specs.keys().filter(|id| id.scope() == AttributeScope::Offer);
    match known.attributes.specs.get(text) {
        Some(spec) if spec.id.scope() == AttributeScope::Offer => {
            let Some(barred) = lineage::barred(known.attributes.specs, spec, ReadBy::Other) else {
                return Some(Per::Attribute(spec.id.clone()));
            };
            let message = format!("{what}: {}", barred.message);
            report.add(codes::RULE_CLASS, node.place, message, barred.label).with_help(barred.help);
        }
        Some(_) => {
            let message = format!("{what}: `{text}` says nothing about an offer");
            report.add(codes::CHOICE, node.place, message, "not of an offer").with_help(PER);
        }
        // A declared attribute without a spec has a finding of its own.
        None if text.contains('.') && !known.attributes.declared.lacks(text) => {}
        None => {
            let scoped = known.attributes.specs.get(format!("offer.{text}").as_str());
            let names = ["category", "campaign"].into_iter().chain(declared.map(AttributeId::as_str));
            let meant =
                scoped.map_or_else(|| did_you_mean(text, names), |spec| format!("; did you mean `{}`?", spec.id));
            let (code, noun, label) = if text.contains('.') {
                (codes::ATTRIBUTE_UNKNOWN, "attribute", "not in catalog/attributes.yaml")
            } else {
                (codes::CHOICE, "kind of offers", "unknown kind")
            };
            report.add(code, node.place, format!("{what}: unknown {noun} `{text}`{meant}"), label).with_help(PER);
        }
    }
    None
}
