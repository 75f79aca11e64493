//! Kill switches: offers, categories, campaigns or everything, stopped at once. They read the catalogue alone, and no
//! override lifts them.

use crate::domain::decision::Failed;
use crate::domain::{CampaignId, CategoryId, Offer, OfferId};
use crate::policy::applies;
use crate::policy::approval::{self, Approval};
use crate::policy::codes;
use crate::policy::finding::Report;
use crate::policy::read::{self, Fields};
use crate::policy::rules::{Known, RuleKind};
use crate::policy::syntax::{Node, Yaml};

/// What is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Every offer.
    All,
    /// What is named, each list by itself.
    Named {
        /// Offers.
        offers: Vec<OfferId>,
        /// Offers of these categories.
        categories: Vec<CategoryId>,
        /// Offers of these campaigns.
        campaigns: Vec<CampaignId>,
    },
}

/// A kill switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// What it stops.
    pub stop: Stop,
    /// Who approved it.
    pub approval: Approval,
}

impl Stop {
    /// Whether it stops an offer.
    pub fn stops(&self, offer: &Offer) -> bool {
        match self {
            Self::All => true,
            Self::Named { offers, categories, campaigns } => {
                offers.contains(&offer.offer_id)
                    || offer.categories().any(|category| categories.contains(category))
                    || offer.campaign.as_ref().is_some_and(|campaign| campaigns.contains(campaign))
            }
        }
    }
}

/// Adds every switch that stops an offer, each given with the position by which a record names it.
pub fn stopped<'s>(switches: impl IntoIterator<Item = (u16, &'s Stop)>, offer: &Offer, failed: &mut Vec<Failed>) {
    let of = switches.into_iter().filter(|(_, stop)| stop.stops(offer));
    failed.extend(of.map(|(rule, _)| Failed { rule, observed: None, limit: None }));
}

impl Switch {
    /// That it stops an offer, in words.
    pub(in crate::policy) fn told(&self) -> String {
        let Self { stop, approval } = self;
        match stop {
            Stop::All => format!("everything is stopped, {approval}"),
            Stop::Named { .. } => format!("the offer is stopped, {approval}"),
        }
    }
}

/// The fields of a switch.
pub(in crate::policy) const FIELDS: [&str; 3] = ["stop", "approver", "ticket"];

/// Reads what a switch stops, and who approved it.
pub(in crate::policy) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let stop = fields.need(report, "stop", "stop: {offers: [boots]}").and_then(|node| stop(report, what, node, known));
    let approval = approval::read(report, fields);
    Some(RuleKind::KillSwitch(Switch { stop: stop?, approval: approval? }))
}

fn stop(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<Stop> {
    let what = &format!("{what}: stop");
    if let Yaml::Scalar { text, .. } = &node.value {
        if text == "all" {
            return Some(Stop::All);
        }
        nothing(report, what, node);
        return None;
    }
    let fields = Fields::open(report, what.as_str(), node, &["offers", "categories", "campaigns"], &[])?;
    if fields.entries().is_empty() {
        nothing(report, what, node);
        return None;
    }
    let offers = fields.get("offers").map(|node| offers(report, what, node));
    let categories = fields.get("categories").map(|node| applies::categories_of(report, what, node, EMPTY, known));
    let campaigns = fields.get("campaigns").map(|node| {
        read::list_of(report, what, node, EMPTY, |report, node| {
            read::parsed(report, what, node, "a campaign id", CampaignId::new)
        })
    });
    Some(Stop::Named {
        offers: offers.unwrap_or(Some(Vec::new()))?,
        categories: categories.unwrap_or(Some(Vec::new()))?,
        campaigns: campaigns.unwrap_or(Some(Vec::new()))?,
    })
}

const EMPTY: &str = "it names nothing; leave the list out, or name something";

/// Reads a list of offers, at least one.
pub(in crate::policy) fn offers(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Vec<OfferId>> {
    read::list_of(report, what, node, EMPTY, |report, node| {
        read::parsed(report, what, node, "an offer id", OfferId::new)
    })
}

fn nothing(report: &mut Report<'_>, what: &str, node: &Node) {
    report
        .add(codes::SWITCH_STOP, node.place, format!("{what}: it is not said what is stopped"), "stops nothing")
        .with_help("write `stop: {offers: [...], categories: [...], campaigns: [...]}`, or `stop: all`");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_stops_by_each_of_its_lists_and_by_every_category_of_an_offer() {
        let money = serde_json::json!({"amount": "9.00", "currency": "USD"});
        let offer: Offer = serde_json::from_value(serde_json::json!({
            "offer_id": "boots", "price": money, "cost_of_goods": money, "category": "shoes",
            "more_categories": ["home"], "campaign": "spring", "variants": [{"variant_id": "a"}],
        }))
        .unwrap();
        for (list, name, stops) in [
            ("offers", "boots", true),
            ("offers", "tent", false),
            ("categories", "shoes", true),
            ("categories", "home", true),
            ("categories", "toys", false),
            ("campaigns", "spring", true),
            ("campaigns", "autumn", false),
        ] {
            let named = |own: &str| if own == list { vec![name] } else { Vec::new() };
            let stop = Stop::Named {
                offers: named("offers").into_iter().map(|id| OfferId::new(id).unwrap()).collect(),
                categories: named("categories").into_iter().map(|id| CategoryId::new(id).unwrap()).collect(),
                campaigns: named("campaigns").into_iter().map(|id| CampaignId::new(id).unwrap()).collect(),
            };
            assert_eq!(stop.stops(&offer), stops, "{list}: {name}");
        }
    }
}
