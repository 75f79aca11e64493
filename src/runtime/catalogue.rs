//! The catalogue: changed as one revision, from what it says now. Reads no format and judges no margin.

use std::sync::Arc;

use super::{Core, RuntimeError};
use crate::domain::{Campaign, Catalogue, CatalogueDraft, Malformed, Offer, OfferId};
use crate::policy::{CatalogueProblem, check_catalogue};
use crate::store::{By, CampaignBody, CatalogueChange, CatalogueChanged, OfferBody, OfferRevision, Store, Tally};

/// What became of a change.
#[derive(Debug, Clone)]
pub struct CatalogueKept {
    /// What was new.
    pub tally: Tally,
    /// Whether the change was carried out before, under the same name. Nothing is new then.
    pub repeated: bool,
    /// The catalogue as the change left it behind.
    pub catalogue: Arc<Catalogue>,
}

impl Core {
    /// Everything wrong with a draft, beside the catalogue and the bundle of this moment.
    pub fn check_catalogue(&self, draft: &CatalogueDraft) -> Vec<CatalogueProblem> {
        let snapshot = self.snapshot();
        check_catalogue(draft, &snapshot.bundle, &snapshot.catalogue)
    }

    /// Stores a draft as the next revision and publishes it; everything wrong with it at once if anything is.
    pub async fn import_catalogue(
        &self,
        draft: &CatalogueDraft,
        by: &str,
    ) -> Result<Result<CatalogueKept, Vec<CatalogueProblem>>, RuntimeError> {
        self.change_catalogue(None, by, |catalogue| {
            let problems = check_catalogue(draft, &self.snapshot().bundle, catalogue);
            if problems.is_empty() { Ok(draft.clone()) } else { Err(problems) }
        })
        .await
    }

    /// Changes the catalogue by what `change` makes of it. It is asked again whenever somebody else, here or at another
    /// node, was faster: so what it read still holds when its draft comes into force. Under a `request_id` it is
    /// carried out once, however often it is asked for.
    pub async fn change_catalogue<E>(
        &self,
        request_id: Option<String>,
        by: &str,
        change: impl Fn(&Catalogue) -> Result<CatalogueDraft, E>,
    ) -> Result<Result<CatalogueKept, E>, RuntimeError> {
        // Those of one process take turns; only other nodes are raced.
        let _turn = self.changing_catalogue.lock().await;
        loop {
            let current = self.newest_catalogue().await?;
            let draft = match change(&current) {
                Ok(draft) => draft,
                Err(error) => return Ok(Err(error)),
            };
            let mut wanted = bodies(&draft);
            wanted.recounted = recounted(&draft, &current);
            wanted.expected_revision = Some(current.revision);
            wanted.request_id.clone_from(&request_id);
            let by = By { key: by, at: self.clock.now() };
            let (revision, tally, repeated) = match self.store.change_catalogue(&wanted, by).await? {
                CatalogueChanged::Made { control, tally } => (control.catalogue_revision, tally, false),
                CatalogueChanged::Repeated { .. } => (current.revision, Tally::default(), true),
                CatalogueChanged::Moved { .. } => continue,
            };
            self.newest_catalogue().await?;
            if !wanted.recounted.is_empty() {
                self.read_pools().await?;
            }
            return Ok(Ok(CatalogueKept { catalogue: self.catalogue_at(revision).await?, tally, repeated }));
        }
    }

    /// The catalogue in force by the store, published here too.
    pub async fn newest_catalogue(&self) -> Result<Arc<Catalogue>, RuntimeError> {
        if self.store.control().await?.catalogue_revision != self.snapshot().catalogue.revision {
            self.reload().await?;
        }
        Ok(self.snapshot().catalogue.clone())
    }

    /// The revisions of an offer before one of them, newest first, each with the offer as it was from then on.
    pub async fn offer_revisions(
        &self,
        offer: &OfferId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(OfferRevision, Offer)>, RuntimeError> {
        let revisions = self.store.offer_revisions(offer, before, limit).await?;
        let opened = revisions.into_iter().map(|made| {
            let offer = parse("offer", offer.as_str(), &made.json)?;
            Ok((made, offer))
        });
        opened.collect()
    }

    /// Placements whose house content the current catalogue does not have: they would answer without content.
    pub fn missing_fallbacks(&self) -> Vec<String> {
        let snapshot = self.snapshot();
        let placements = snapshot.bundle.placements.values();
        let missing = placements.filter(|placement| {
            let (offer, variant) = (&placement.fallback.offer, &placement.fallback.variant);
            let offer = snapshot.catalogue.offer(offer.as_str());
            offer.is_none_or(|offer| offer.variants.iter().all(|known| known.variant_id != *variant))
        });
        missing
            .map(|placement| {
                let (id, offer, variant) = (&placement.id, &placement.fallback.offer, &placement.fallback.variant);
                format!("the fallback `{offer}/{variant}` of placement `{id}` is not in the catalogue: import it too")
            })
            .collect()
    }
}

/// The offers of a draft of which somebody counted what there is.
fn recounted(draft: &CatalogueDraft, before: &Catalogue) -> Vec<OfferId> {
    let another = |offer: &Offer| {
        let known = before.offer(offer.offer_id.as_str()).and_then(|known| known.stock);
        offer.stock.is_some() && offer.stock != known
    };
    let changed = || draft.offers.iter().map(|placed| &placed.item).filter(|offer| another(offer));
    let mut offers = draft.recounted.clone().unwrap_or_else(|| changed().map(|offer| offer.offer_id.clone()).collect());
    offers.sort();
    offers.dedup();
    offers
}

/// A draft as stores keep it.
pub(super) fn bodies(draft: &CatalogueDraft) -> CatalogueChange {
    // The order of variants means nothing, so that it makes no difference between two texts.
    let offer = |offer: &Offer| {
        let mut offer = offer.clone();
        offer.variants.sort_by(|a, b| a.variant_id.cmp(&b.variant_id));
        OfferBody { json: print(&offer), offer_id: offer.offer_id }
    };
    let campaign =
        |campaign: &Campaign| CampaignBody { campaign_id: campaign.campaign_id.clone(), json: print(campaign) };
    CatalogueChange {
        offers: draft.offers.iter().map(|placed| offer(&placed.item)).collect(),
        campaigns: draft.campaigns.iter().map(|placed| campaign(&placed.item)).collect(),
        ..CatalogueChange::default()
    }
}

fn print(item: &impl serde::Serialize) -> String {
    serde_json::to_string(item).unwrap_or_default()
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(what: &str, id: &str, json: &str) -> Result<T, Malformed> {
    serde_json::from_str(json).map_err(|error| Malformed(format!("{what} `{id}` does not parse: {error}")))
}

/// Reads a catalogue from the store.
pub(super) async fn read_catalogue(store: &dyn Store, revision: u64) -> Result<Catalogue, RuntimeError> {
    let rows = store.catalogue(revision).await?;
    let (mut offers, mut campaigns) = (Vec::new(), Vec::new());
    let mut changed = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
    for (body, revision) in rows.offers {
        offers.push(parse("offer", body.offer_id.as_str(), &body.json)?);
        changed.0.insert(body.offer_id, revision);
    }
    for (body, revision) in rows.campaigns {
        campaigns.push(parse("campaign", body.campaign_id.as_str(), &body.json)?);
        changed.1.insert(body.campaign_id, revision);
    }
    Ok(Catalogue::new(revision, offers, campaigns).changed_at(changed.0, changed.1))
}
