//! Where a rule applies: placements, offers, categories, channels, regions. What it then checks is elsewhere.

use super::approval;
use super::codes;
use super::declare::{self, Declared};
use super::declared::jurisdiction;
use super::declared::placements::channel_name;
use super::finding::Report;
use super::read::{self, Fields};
use super::rules::{Categories, Kind, Known};
use super::suggest::did_you_mean;
use super::syntax::Node;
use crate::domain::{CategoryId, Offer, OfferId, Placement, PlacementId};

/// Where a rule applies. Every list given must name the candidate's; a list not given allows any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppliesTo {
    /// Placements named.
    pub placements: Option<Vec<PlacementId>>,
    /// Offers named.
    pub offers: Option<Vec<OfferId>>,
    /// Categories named; an offer without category is in none.
    pub categories: Option<Vec<CategoryId>>,
    /// Channels named.
    pub channels: Option<Vec<String>>,
    /// Jurisdictions named, such as `EU`, `US` or `US-NY`.
    pub regions: Option<Vec<String>>,
}

impl AppliesTo {
    /// Whether it applies at a placement, to some offer.
    pub fn covers_placement(&self, placement: &Placement) -> bool {
        self.placements.as_ref().is_none_or(|named| named.contains(&placement.id))
            && self.channels.as_ref().is_none_or(|named| named.contains(&placement.channel))
    }

    /// Whether it applies to a request from a jurisdiction; nothing where that is not known.
    pub fn covers_region(&self, jurisdiction: Option<&str>) -> Option<bool> {
        self.regions.as_ref().map_or(Some(true), |named| jurisdiction::covered(named, jurisdiction))
    }

    /// Whether it applies to an offer at a placement, wherever the request comes from.
    pub fn covers(&self, placement: &Placement, offer: &Offer) -> bool {
        self.covers_placement(placement) && self.covers_offer(offer)
    }

    /// Whether it applies to an offer, at some placement.
    pub(super) fn covers_offer(&self, offer: &Offer) -> bool {
        self.offers.as_ref().is_none_or(|named| named.contains(&offer.offer_id))
            && self.categories.as_ref().is_none_or(|named| offer.categories().any(|c| named.contains(c)))
    }

    /// As [`Self::covers`], for a contact whose placement or offer may be gone. What is gone cannot be shown to fall
    /// outside, so that it counts; nor can its region, which no contact keeps.
    pub(super) fn covers_contact(
        &self,
        (placement_id, placement): (&PlacementId, Option<&Placement>),
        (offer_id, offer): (&OfferId, Option<&Offer>),
    ) -> bool {
        let in_category = |named: &Vec<CategoryId>| {
            offer.is_none_or(|offer| offer.categories().any(|category| named.contains(category)))
        };
        self.placements.as_ref().is_none_or(|named| named.contains(placement_id))
            && self.offers.as_ref().is_none_or(|named| named.contains(offer_id))
            && self.channels.as_ref().is_none_or(|named| placement.is_none_or(|p| named.contains(&p.channel)))
            && self.categories.as_ref().is_none_or(in_category)
    }
}

/// The lists of `applies_to`.
pub(super) const FIELDS: [&str; 5] = ["placements", "offers", "categories", "channels", "regions"];

/// Reads `applies_to`.
pub(super) fn read(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    known: Known<'_>,
    kind: &Kind,
) -> Option<AppliesTo> {
    let fields = Fields::open(report, format!("{what}: applies_to"), node, &FIELDS, &[])?;
    let what = fields.what.as_str();
    if approval::is_needed(kind.list) {
        for name in ["offers", "categories"] {
            if let Some(node) = fields.get(name) {
                let message = format!("{what}: which {name} it is about stands beside `applies_to`");
                report.add(codes::SWITCH_OFFERS, node.place, message, "not here").with_help(
                    "`applies_to` says where: `placements`, `channels`, `regions`; the rule itself says of what",
                );
            }
        }
    }
    if kind.list == "purpose_gates" {
        for name in ["offers", "categories"] {
            if let Some(node) = fields.get(name) {
                report
                    .add(
                        codes::GATE_OFFERS,
                        node.place,
                        format!("{what}: a gate cannot be limited to {name}"),
                        "not for gates",
                    )
                    .with_help(
                        "a gate is asked once, before any offer is looked at; limit it by placements or channels",
                    );
            }
        }
    }
    let placements = fields.get("placements").map(|node| {
        let home = (codes::PLACEMENT_UNKNOWN, "placement", "placements.yaml");
        read::list_of(report, what, node, EMPTY, |report, node| {
            let id = read::parsed(report, what, node, "a placement id", PlacementId::new)?;
            declare::refer(report, home, what, (node.place, id.as_str()), known.placement_names).then_some(id)
        })
    });
    let offers = fields.get("offers").map(|node| {
        read::list_of(report, what, node, EMPTY, |report, node| {
            read::parsed(report, what, node, "an offer id", OfferId::new)
        })
    });
    let categories = fields.get("categories").map(|node| categories_of(report, what, node, EMPTY, known));
    let channels = fields.get("channels").map(|node| channels(report, what, node, known));
    let regions = fields.get("regions").map(|node| {
        read::list_of(report, what, node, EMPTY, |report, node| {
            read::parsed(report, what, node, "`EU`, `US` or `US-NY`", jurisdiction::check)
        })
    });
    // A list not given is fine, a list given and broken is not.
    let unbroken = || {
        Ok::<_, ()>(AppliesTo {
            placements: placements.map(|list| list.ok_or(())).transpose()?,
            offers: offers.map(|list| list.ok_or(())).transpose()?,
            categories: categories.map(|list| list.ok_or(())).transpose()?,
            channels: channels.map(|list| list.ok_or(())).transpose()?,
            regions: regions.map(|list| list.ok_or(())).transpose()?,
        })
    };
    unbroken().ok()
}

/// Reads a list of categories, each declared; `empty` says what an empty list would do.
pub(super) fn categories_of(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    empty: &str,
    known: Known<'_>,
) -> Option<Vec<CategoryId>> {
    read::list_of(report, what, node, empty, |report, node| {
        let id = read::parsed(report, what, node, "a category", CategoryId::new)?;
        category_known(report, what, node, id.as_str(), known).then_some(id)
    })
}

/// Reads a list of channels, each used by some placement.
pub(super) fn channels(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<Vec<String>> {
    read::list_of(report, what, node, EMPTY, |report, node| channel(report, what, node, known))
}

/// Reads a channel that some placement uses.
pub(super) fn channel(report: &mut Report<'_>, what: &str, node: &Node, known: Known<'_>) -> Option<String> {
    let mut used = Declared::default();
    for placement in known.placements.values() {
        if used.lacks(&placement.channel) {
            used.add(report, "channel", &placement.channel, node.place);
        }
    }
    // The channel of a placement with findings of its own is not known here.
    if !known.placement_names.are(known.placements.len()) {
        used.miss();
    }
    let home = (codes::CHANNEL_UNKNOWN, "channel", "placements.yaml: no placement uses it");
    let channel = read::parsed(report, what, node, "a channel such as `web`", channel_name)?;
    declare::refer(report, home, what, (node.place, &channel), &used).then_some(channel)
}

const EMPTY: &str = "the rule would apply nowhere; leave the list out to apply everywhere";

pub(super) fn category_known(report: &mut Report<'_>, what: &str, node: &Node, id: &str, known: Known<'_>) -> bool {
    let (names, help) = match known.categories {
        Categories::Unreadable => return true,
        Categories::Declared(names) if names.iter().any(|name| name == id) => return true,
        Categories::Declared(names) => (
            names,
            "categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or correct it here",
        ),
        Categories::Undeclared => {
            (&[][..], "declare `offer.category` in catalog/attributes.yaml with `type: {enum: [...]}`")
        }
    };
    let meant = did_you_mean(id, names.iter().map(String::as_str));
    let message = format!("{what}: unknown category `{id}`{meant}");
    report.add(codes::CATEGORY_UNKNOWN, node.place, message, "not declared").with_help(help);
    false
}
