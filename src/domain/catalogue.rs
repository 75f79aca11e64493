//! The catalogue: all offers and campaigns at one revision, and what somebody wants to change of it. Judges neither.

use std::collections::BTreeMap;

use super::{Campaign, CampaignId, Offer, OfferId, Standing, Timestamp, Variant, VariantId};

/// An (offer, variant) pair: positions in [`Catalogue::offers`] and in the offer's variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Position of the offer.
    pub offer: usize,
    /// Position of the variant within the offer.
    pub variant: usize,
}

/// Which campaign an offer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// To none.
    Alone,
    /// To one: its position in [`Catalogue::campaigns`].
    To(usize),
    /// To one that the catalogue does not have.
    Unknown,
}

/// What keeps an offer from being shown, apart from rules that people wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// Its own status or schedule.
    Offer(Standing),
    /// The status or schedule of its campaign.
    Campaign(Standing),
    /// It names a campaign that the catalogue does not have.
    CampaignUnknown,
    /// Its stock is 0.
    SoldOut,
}

/// All offers and campaigns at one revision. Order is by (offer id, variant id) bytes, so that a position is a stable
/// name within the revision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    /// Grows by one with each change; 0 is the empty catalogue.
    pub revision: u64,
    offers: Vec<Offer>,
    campaigns: BTreeMap<CampaignId, Campaign>,
    candidates: Vec<Candidate>,
    /// Of each offer.
    belongs: Vec<Belongs>,
    /// When offers and campaigns were changed last, where that is known.
    changed: (BTreeMap<OfferId, u64>, BTreeMap<CampaignId, u64>),
}

impl Catalogue {
    /// Sorts the offers and their variants; a later offer or campaign of the same id replaces an earlier one.
    pub fn new(revision: u64, offers: Vec<Offer>, campaigns: Vec<Campaign>) -> Self {
        let by_id: BTreeMap<OfferId, Offer> = offers.into_iter().map(|o| (o.offer_id.clone(), o)).collect();
        let mut offers: Vec<Offer> = by_id.into_values().collect();
        for offer in &mut offers {
            offer.variants.sort_by(|a, b| a.variant_id.cmp(&b.variant_id));
        }
        let candidates = offers
            .iter()
            .enumerate()
            .flat_map(|(offer, o)| (0..o.variants.len()).map(move |variant| Candidate { offer, variant }))
            .collect();
        let campaigns: BTreeMap<CampaignId, Campaign> =
            campaigns.into_iter().map(|c| (c.campaign_id.clone(), c)).collect();
        let positions: BTreeMap<&CampaignId, usize> = campaigns.keys().zip(0..).collect();
        let belongs = |offer: &Offer| match &offer.campaign {
            None => Belongs::Alone,
            Some(id) => positions.get(id).map_or(Belongs::Unknown, |at| Belongs::To(*at)),
        };
        let belongs = offers.iter().map(belongs).collect();
        Self { revision, offers, campaigns, candidates, belongs, changed: Default::default() }
    }

    /// The same catalogue, knowing at which revision each of its offers and campaigns was changed last.
    #[must_use]
    pub fn changed_at(self, offers: BTreeMap<OfferId, u64>, campaigns: BTreeMap<CampaignId, u64>) -> Self {
        Self { changed: (offers, campaigns), ..self }
    }

    /// The revision that changed an offer last.
    pub fn offer_revision(&self, id: &str) -> Option<u64> {
        self.changed.0.get(id).copied()
    }

    /// The revision that changed a campaign last.
    pub fn campaign_revision(&self, id: &str) -> Option<u64> {
        self.changed.1.get(id).copied()
    }

    /// Which campaign the offer at a position belongs to.
    pub fn belongs(&self, offer: usize) -> Belongs {
        self.belongs.get(offer).copied().unwrap_or(Belongs::Alone)
    }

    /// The first thing by which an offer, its campaign or its stock keeps it from being shown at an instant, whatever
    /// rules people wrote.
    pub fn hindrance(&self, offer: &Offer, at: Timestamp) -> Option<Hindrance> {
        let own = offer.standing(at);
        if own != Standing::Running {
            return Some(Hindrance::Offer(own));
        }
        if let Some(id) = &offer.campaign {
            match self.campaigns.get(id).map(|campaign| campaign.standing(at)) {
                Some(Standing::Running) => {}
                Some(standing) => return Some(Hindrance::Campaign(standing)),
                None => return Some(Hindrance::CampaignUnknown),
            }
        }
        (offer.stock == Some(0)).then_some(Hindrance::SoldOut)
    }

    /// Whether a campaign has a budget.
    pub fn has_budget(&self, id: &CampaignId) -> bool {
        self.campaigns.get(id).is_some_and(|campaign| campaign.budget.is_some())
    }

    /// The campaigns, by id.
    pub fn campaigns(&self) -> &BTreeMap<CampaignId, Campaign> {
        &self.campaigns
    }

    /// The offers, by id.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// Every (offer, variant), by (offer id, variant id).
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The offer of this id.
    pub fn offer(&self, id: &str) -> Option<&Offer> {
        let at = self.offers.binary_search_by(|o| o.offer_id.as_str().cmp(id)).ok()?;
        self.offers.get(at)
    }

    /// The position of a candidate.
    pub fn place(&self, offer: &OfferId, variant: &VariantId) -> Option<usize> {
        let named = |candidate: &Candidate| {
            let of = self.offers.get(candidate.offer)?;
            Some((&of.offer_id, &of.variants.get(candidate.variant)?.variant_id))
        };
        self.candidates.binary_search_by(|candidate| named(candidate).cmp(&Some((offer, variant)))).ok()
    }

    /// Offer and variant of a candidate position.
    pub fn at(&self, candidate: usize) -> Option<(&Offer, &Variant)> {
        let found = self.candidates.get(candidate)?;
        let offer = self.offers.get(found.offer)?;
        Some((offer, offer.variants.get(found.variant)?))
    }
}

/// Something read from what somebody sent, with a JSON pointer to where it stood there.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// Such as `/offers/3`; empty where it was all there was.
    pub at: String,
    /// What was read.
    pub item: T,
}

impl<T> Placed<T> {
    /// Something that stood at a place.
    pub fn new(at: impl Into<String>, item: T) -> Self {
        Self { at: at.into(), item }
    }
}

/// Offers and campaigns that somebody wants in the catalogue: added, or in place of those of the same id.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CatalogueDraft {
    /// Offers of which somebody counted what there is, so that what was sold before is in that number. Where nothing is
    /// said: those whose stock is another number than before.
    pub recounted: Option<Vec<OfferId>>,
    /// In the order they were sent.
    pub campaigns: Vec<Placed<Campaign>>,
    /// In the order they were sent.
    pub offers: Vec<Placed<Offer>>,
    /// Ids of campaigns that were sent and could not be read: an offer that names one is not blamed for it too.
    pub campaigns_unread: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OfferStatus, Pause};

    fn offer(json: &serde_json::Value) -> Offer {
        let mut whole = serde_json::json!({
            "offer_id": "a", "price": {"amount": "20.00", "currency": "USD"},
            "variants": [{"variant_id": "b"}, {"variant_id": "a"}],
        });
        whole.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn variants_stand_in_the_order_of_their_ids() {
        let catalogue = Catalogue::new(1, vec![offer(&serde_json::json!({}))], Vec::new());
        assert_eq!(catalogue.at(0).unwrap().1.variant_id.as_str(), "a");
    }

    #[test]
    fn what_keeps_an_offer_back_is_its_schedule_then_its_campaign_then_its_stock() {
        let mut campaign: Campaign = serde_json::from_str(r#"{"campaign_id": "spring", "owner": "toys"}"#).unwrap();
        campaign.pauses = vec![Pause { from: Timestamp(30), until: Timestamp(40) }];
        let mut offer = offer(&serde_json::json!({"campaign": "spring", "stock": 0}));
        offer.ends_at = Some(Timestamp(35));
        let check = |offer: &Offer, campaigns: &[&Campaign], at: i64, expected: Option<Hindrance>| {
            let campaigns = campaigns.iter().copied().cloned().collect();
            let catalogue = Catalogue::new(1, vec![offer.clone()], campaigns);
            assert_eq!(catalogue.hindrance(offer, Timestamp(at)), expected, "at {at}");
        };
        check(&offer, &[&campaign], 35, Some(Hindrance::Offer(Standing::EndedAt(Timestamp(35)))));
        check(&offer, &[&campaign], 34, Some(Hindrance::Campaign(Standing::PausedUntil(Timestamp(40)))));
        check(&offer, &[&campaign], 29, Some(Hindrance::SoldOut));
        check(&offer, &[], 29, Some(Hindrance::CampaignUnknown));
        offer.stock = Some(1);
        check(&offer, &[&campaign], 29, None);
        campaign.status = OfferStatus::Paused;
        check(&offer, &[&campaign], 29, Some(Hindrance::Campaign(Standing::Paused)));
    }
}
