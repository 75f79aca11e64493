//! Personalised prices: from `price_personalisation` in `rules/*.yaml` to which attributes of customers may move a
//! price, how far, and what must be said beside it. Which did is asked on the shelf.

use super::floors;
use crate::domain::{AttributeId, AttributeScope, Percent};
use crate::policy::codes;
use crate::policy::declared::attributes::AttributeClass;
use crate::policy::declared::jurisdiction;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{self, Known, RuleKind};
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::{Node, Yaml};

/// What prices may be personalised by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PricePersonalisation {
    /// Attributes of the customer that may move a price; nothing where any may.
    pub allowed: Option<Vec<AttributeId>>,
    /// The attribute of offers that says which of them sell the same.
    pub same_as: Option<AttributeId>,
    /// How far the net prices of one product may lie apart, as a share of the dearest.
    pub max_spread: Option<Percent>,
    /// What must be said beside a personalised price.
    pub disclosure: Option<String>,
    /// Jurisdictions where no price may be personalised.
    pub banned_in: Vec<String>,
}

impl PricePersonalisation {
    /// Whether an attribute may move a price, for a request from a jurisdiction. Where that is not known, it may not
    /// where some jurisdiction bans it.
    pub(in crate::policy) fn allows(&self, id: &AttributeId, jurisdiction: Option<&str>) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(id))
            && jurisdiction::covered(&self.banned_in, jurisdiction) == Some(false)
    }

    /// That it leaves an offer out, in words: `observed` and `limit` in basis points of the dearest price, or as many
    /// attributes as would move its price, of which none may.
    pub(in crate::policy) fn told(&self, observed: Option<i64>, limit: Option<i64>) -> String {
        match (observed, limit) {
            (Some(count), Some(0)) => {
                let (many, would) =
                    if count == 1 { ("", "that may not do so here") } else { ("s", "that may not here") };
                format!("its price would be moved by {count} attribute{many} of the customer {would}")
            }
            (Some(spread), Some(most)) => format!(
                "it costs {} less than the dearest of the same product, and {} may be",
                floors::percent(spread),
                floors::percent(most)
            ),
            _ => {
                let same_as = self.same_as.as_ref().map(AttributeId::as_str).unwrap_or_default();
                format!("the catalogue does not say its `{same_as}`, so that nobody knows what else the same costs")
            }
        }
    }
}

/// The fields of a rule about personalised prices.
pub(in crate::policy) const FIELDS: [&str; 5] = ["allowed", "same_as", "max_spread", "disclosure", "banned_in"];

/// The longest text to be said beside a price, in characters.
const DISCLOSURE_MAX: usize = 500;

/// Reads a rule about personalised prices.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    if FIELDS.iter().all(|name| fields.get(name).is_none()) {
        if !fields.misspelt(&FIELDS) {
            let message = format!("{what}: nothing is said about personalised prices");
            report.add(codes::PRICE_PERSONAL_EMPTY, fields.place, message, "asks for nothing").with_help(
                "say what may move a price (`allowed: [customer.tier]`), how far (`max_spread: 20%` with \
                 `same_as: offer.product`), where none may be moved (`banned_in: [US-NY]`), or what is said beside \
                 it (`disclosure`)",
            );
        }
        return None;
    }
    let allowed = fields.get("allowed").map_or(Some(None), |node| allowed(report, what, node, known).map(Some));
    let same_as = fields.get("same_as").map_or(Some(None), |node| product(report, what, node, known).map(Some));
    let max_spread = fields.get("max_spread").map_or(Some(None), |node| {
        let spread = read::percent(report, what, node)?;
        if spread.0 == 0 {
            read::out_of_range(report, what, node, "a share above 0% and up to 100%");
            return None;
        }
        fields.need(report, "same_as", "same_as: offer.product").map(|_| Some(spread))
    });
    let disclosure = fields.get("disclosure").map_or(Some(None), |node| {
        let text = read::text(report, what, node)?.trim();
        if text.chars().count() > DISCLOSURE_MAX {
            read::out_of_range(report, what, node, "at most 500 characters");
            return None;
        }
        Some(Some(text.to_owned()))
    });
    let banned_in = fields.get("banned_in").map_or(Some(Vec::new()), |node| {
        read::list_of(report, what, node, "it would ban nothing; leave the list out", |report, node| {
            read::parsed(report, what, node, "`EU`, `US` or `US-NY`", jurisdiction::check)
        })
    });
    let spreads = fields.get("max_spread").is_some();
    if !spreads && !rules::reads_nothing(report, fields, "those with `max_spread`") {
        return None;
    }
    Some(RuleKind::PricePersonalisation(PricePersonalisation {
        allowed: allowed?,
        same_as: same_as?,
        max_spread: max_spread?,
        disclosure: disclosure?,
        banned_in: banned_in?,
    }))
}

/// An empty list is meant: no attribute may move a price.
fn allowed(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<Vec<AttributeId>> {
    if matches!(&node.value, Yaml::List(items) if items.is_empty()) {
        return Some(Vec::new());
    }
    read::list_of(report, what, node, "", |report, node| {
        attribute(report, what, node, (known, AttributeScope::Customer))
    })
}

fn product(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<AttributeId> {
    attribute(report, what, node, (known, AttributeScope::Offer))
}

/// A declared attribute of one scope; of customers one whose class lets it move a price.
fn attribute(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    (known, scope): (Known<'_>, AttributeScope),
) -> Option<AttributeId> {
    let text = read::text(report, what, node)?;
    let help = match scope {
        AttributeScope::Customer => {
            "expected a declared attribute of the customer that is neither sensitive nor \
                                     protected, such as `customer.tier`"
        }
        _ => "expected a declared attribute of offers, such as `offer.product`",
    };
    let Some(spec) = known.attributes.specs.get(text) else {
        // A declared attribute without a spec has a finding of its own.
        if known.attributes.declared.lacks(text) {
            let meant = did_you_mean(text, known.attributes.declared.names());
            let message = format!("{what}: unknown attribute `{text}`{meant}");
            report.add(codes::ATTRIBUTE_UNKNOWN, node.place, message, "not in catalog/attributes.yaml").with_help(help);
        }
        return None;
    };
    let barred = scope == AttributeScope::Customer && spec.class >= AttributeClass::Sensitive;
    if spec.id.scope() != scope || barred {
        let why = if barred { format!("is {}", spec.class.name()) } else { "is of another kind".to_owned() };
        let message = format!("{what}: `{text}` {why}");
        report.add(codes::PRICE_ATTRIBUTE, node.place, message, "not for this").with_help(help);
        return None;
    }
    Some(spec.id.clone())
}
