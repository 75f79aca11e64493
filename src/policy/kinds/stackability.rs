//! Stackability: which offers may stand together in one answer. Read from `rules/*.yaml` and asked slot by slot, before
//! the draw of the slot.

use crate::domain::{CategoryId, Offer, OfferId};
use crate::policy::codes;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::syntax::{Node, Yaml};

/// What may stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stackability {
    /// At most so many of a group.
    Group {
        /// Offers of the group.
        offers: Vec<OfferId>,
        /// Categories whose offers belong to the group.
        categories: Vec<CategoryId>,
        /// The most of them in one answer.
        at_most: u32,
    },
    /// Of each pair one at most.
    Pairs(Vec<(OfferId, OfferId)>),
}

impl Stackability {
    /// Whether an offer belongs to the group, where it is one.
    pub(in crate::policy) fn has(&self, offer: &Offer) -> bool {
        let Self::Group { offers, categories, .. } = self else { return false };
        offers.contains(&offer.offer_id)
            || offer.category.as_ref().is_some_and(|category| categories.contains(category))
    }

    /// That it leaves an offer out, in words: so many stood there of so many that may.
    pub(in crate::policy) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
        match self {
            Self::Group { at_most, .. } => {
                let most = limit.unwrap_or_else(|| i64::from(*at_most));
                let there = observed.unwrap_or(most);
                format!("at most {most} of {} in one answer, and {there} stood there", self.members())
            }
            Self::Pairs(_) => format!("{} do not stand in one answer, and the other stood there", self.members()),
        }
    }

    /// What it names, for sentences.
    fn members(&self) -> String {
        let quoted =
            |names: Vec<&str>| names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Group { offers, categories, .. } => {
                let ids = offers.iter().map(OfferId::as_str).chain(categories.iter().map(CategoryId::as_str));
                quoted(ids.collect())
            }
            Self::Pairs(pairs) => {
                let pairs = pairs.iter().map(|(a, b)| format!("`{a}` with `{b}`"));
                pairs.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// The fields of a stackability rule.
pub(in crate::policy) const FIELDS: [&str; 3] = ["group", "at_most", "exclusive_pairs"];

/// Reads what a stackability rule checks.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let stackability = match (fields.get("exclusive_pairs"), fields.get("group")) {
        (Some(node), None) => {
            if let Some(node) = fields.get("at_most") {
                let message = format!("{what}: a pair has room for one; `at_most` belongs to a `group`");
                report.add(codes::CHOICE, node.place, message, "not for pairs").with_help("remove it");
                return None;
            }
            Stackability::Pairs(pairs(report, what, node)?)
        }
        (None, Some(node)) => {
            let group = group(report, what, node, known);
            let at_most = fields.need(report, "at_most", "at_most: 1");
            let at_most = at_most.and_then(|node| read::whole(report, what, node, 1, 100));
            let (offers, categories) = group?;
            Stackability::Group { offers, categories, at_most: at_most? }
        }
        (both, _) => {
            let message = match both {
                Some(_) => format!("{what}: `group` and `exclusive_pairs` are two rules"),
                None => format!("{what}: what may not stand together is missing"),
            };
            report.add(codes::FIELD_MISSING, fields.place, message, "one of `group`, `exclusive_pairs`").with_help(
                "write `group: {offers: [a, b]}` with `at_most: 1`, or `exclusive_pairs: [[a, b]]`; a second one is a \
                 rule of its own",
            );
            return None;
        }
    };
    Some(RuleKind::Stackability(stackability))
}

const GROUP_EMPTY: &str = "name offers or categories, such as `group: {offers: [free-shipping, ten-off]}`";

fn group(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    known: Known<'_>,
) -> Option<(Vec<OfferId>, Vec<CategoryId>)> {
    let fields = Fields::open(report, format!("{what}: group"), node, &["offers", "categories"], &[])?;
    let what = fields.what.as_str();
    let offers = fields.get("offers").map_or(Some(Vec::new()), |node| {
        read::list_of(report, what, node, GROUP_EMPTY, |report, node| {
            read::parsed(report, what, node, "an offer id", OfferId::new)
        })
    });
    let categories = fields.get("categories").map_or(Some(Vec::new()), |node| {
        read::list_of(report, what, node, GROUP_EMPTY, |report, node| {
            let id = read::parsed(report, what, node, "a category", CategoryId::new)?;
            crate::policy::applies::category_known(report, what, node, id.as_str(), known).then_some(id)
        })
    });
    let (offers, categories) = (offers?, categories?);
    if offers.is_empty() && categories.is_empty() {
        report
            .add(codes::LIST_EMPTY, fields.place, format!("{what}: nobody belongs to it"), "nothing in it")
            .with_help(GROUP_EMPTY);
        return None;
    }
    Some((offers, categories))
}

fn pairs(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Vec<(OfferId, OfferId)>> {
    read::list_of(report, what, node, "name pairs, such as `exclusive_pairs: [[a, b]]`", |report, node| {
        if let Yaml::List(items) = &node.value
            && let [a, b] = items.as_slice()
        {
            let id = |report: &mut Report<'_>, node| read::parsed(report, what, node, "an offer id", OfferId::new);
            let (a, b) = (id(report, a), id(report, b));
            let (a, b) = (a?, b?);
            if a != b {
                return Some((a, b));
            }
        }
        report
            .add(codes::TYPE, node.place, format!("{what}: a pair is two different offers"), "expected `[a, b]`")
            .with_help("write two offer ids, such as `[free-shipping, ten-off]`");
        None
    })
}
