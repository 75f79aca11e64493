//! Catalogue: changes of offers and campaigns as stores take them in, and what they keep of them. Runs no SQL.

use std::collections::BTreeMap;

use super::Control;
use crate::domain::{CampaignId, OfferId, Timestamp};

/// One offer of a change: its id and its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferBody {
    /// Which.
    pub offer_id: OfferId,
    /// The offer as JSON, always written in the same way: two texts are two offers.
    pub json: String,
}

/// One campaign of a change: its id and its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignBody {
    /// Which.
    pub campaign_id: CampaignId,
    /// The campaign as JSON, always written in the same way.
    pub json: String,
}

/// Offers and campaigns to be added, or to stand in place of those of the same id, all of them or none. Of an id that
/// comes twice the last one counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogueChange {
    /// In any order.
    pub offers: Vec<OfferBody>,
    /// In any order.
    pub campaigns: Vec<CampaignBody>,
    /// The revision that the change was made from, where it read anything of it.
    pub expected_revision: Option<u64>,
    /// A name by which the change is known when it is asked for again.
    pub request_id: Option<String>,
    /// Offers of which somebody counted what there is: orders counted of their stock before are forgotten.
    pub recounted: Vec<OfferId>,
}

/// What became of the offers and campaigns of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Were not there before.
    pub created: usize,
    /// Were there, and said something else.
    pub changed: usize,
    /// Were there just so.
    pub unchanged: usize,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogueChanged {
    /// It is in force: a revision of its own, unless everything was there before.
    Made {
        /// As it stands now.
        control: Control,
        /// What was new.
        tally: Tally,
    },
    /// The catalogue was at another revision than the one expected. Nothing changed.
    Moved {
        /// The revision it is at.
        revision: u64,
    },
    /// The request was carried out before. Nothing changed.
    Repeated {
        /// The revision it left behind then.
        revision: u64,
    },
}

/// Everything as it was at a revision, in the order of ids, each with the revision that changed it last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatalogueRows {
    /// Offers.
    pub offers: Vec<(OfferBody, u64)>,
    /// Campaigns.
    pub campaigns: Vec<(CampaignBody, u64)>,
}

/// One revision of one offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRevision {
    /// The catalogue's revision that changed the offer.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// Name of the key that did.
    pub by_key: String,
    /// The offer from then on, as JSON.
    pub json: String,
}

/// The texts of a change that differ from what is there.
pub(super) struct Fresh<'a> {
    pub(super) offers: Vec<(&'a str, &'a str)>,
    pub(super) campaigns: Vec<(&'a str, &'a str)>,
    pub(super) tally: Tally,
}

impl CatalogueChange {
    /// Offers by id, the last of each.
    pub(super) fn offer_texts(&self) -> BTreeMap<&str, &str> {
        self.offers.iter().map(|offer| (offer.offer_id.as_str(), offer.json.as_str())).collect()
    }

    /// Campaigns by id, the last of each.
    pub(super) fn campaign_texts(&self) -> BTreeMap<&str, &str> {
        self.campaigns.iter().map(|campaign| (campaign.campaign_id.as_str(), campaign.json.as_str())).collect()
    }

    /// What of the change is new beside the offers and campaigns of its ids that are there: (id, text).
    pub(super) fn fresh(&self, offers: &[(String, String)], campaigns: &[(String, String)]) -> Fresh<'_> {
        let mut tally = Tally::default();
        let offers = fresh(self.offer_texts(), offers, &mut tally);
        let campaigns = fresh(self.campaign_texts(), campaigns, &mut tally);
        Fresh { offers, campaigns, tally }
    }
}

fn fresh<'a>(
    sent: BTreeMap<&'a str, &'a str>,
    there: &[(String, String)],
    tally: &mut Tally,
) -> Vec<(&'a str, &'a str)> {
    let there: BTreeMap<&str, &str> = there.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let mut fresh = Vec::new();
    for (id, text) in sent {
        let count = match there.get(id) {
            None => &mut tally.created,
            Some(known) if *known == text => {
                tally.unchanged += 1;
                continue;
            }
            Some(_) => &mut tally.changed,
        };
        *count += 1;
        fresh.push((id, text));
    }
    fresh
}

impl Fresh<'_> {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.campaigns.is_empty()
    }

    /// The control row once they are written.
    pub(super) fn after(&self, before: Control) -> Control {
        if self.is_empty() {
            return before;
        }
        Control { sequence: before.sequence + 1, catalogue_revision: before.catalogue_revision + 1, ..before }
    }

    /// What the record of privileged changes says.
    pub(super) fn detail(&self, revision: i64) -> String {
        format!("revision {revision}: {} offers, {} campaigns", self.offers.len(), self.campaigns.len())
    }
}

/// What the record of privileged changes calls a change of the catalogue.
pub(super) const CHANGED: &str = "catalogue changed";
