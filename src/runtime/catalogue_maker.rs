//! The catalogue of a store for the command line, with or without a service running on it. Reads no file.

use std::sync::Arc;

use super::catalogue::{bodies, parse, read_catalogue};
use super::records::read_bundle;
use super::{CatalogueKept, RuntimeError};
use crate::domain::{Catalogue, CatalogueDraft, Offer, OfferId};
use crate::policy::{Bundle, CatalogueProblem, check_catalogue};
use crate::store::{By, CatalogueChanged, OfferRevision, Store, Tally};

/// Reads and changes the catalogue in a store.
pub struct CatalogueMaker {
    /// The store.
    pub store: Arc<dyn Store>,
}

impl CatalogueMaker {
    /// The catalogue in force.
    pub async fn current(&self) -> Result<Catalogue, RuntimeError> {
        let revision = self.store.control().await?.catalogue_revision;
        self.at(revision).await
    }

    /// The catalogue as it was at a revision.
    pub async fn at(&self, revision: u64) -> Result<Catalogue, RuntimeError> {
        read_catalogue(self.store.as_ref(), revision).await
    }

    /// The bundle in force; nothing where none was ever activated.
    pub async fn bundle(&self) -> Result<Option<Bundle>, RuntimeError> {
        match self.store.control().await?.bundle {
            Some(hash) => Ok(Some(read_bundle(self.store.as_ref(), hash).await?)),
            None => Ok(None),
        }
    }

    /// Puts a draft in force as the next revision, or says everything wrong with it. A running service takes it up.
    pub async fn import(
        &self,
        draft: &CatalogueDraft,
        bundle: &Bundle,
        by: &str,
    ) -> Result<Result<CatalogueKept, Vec<CatalogueProblem>>, RuntimeError> {
        loop {
            let current = self.current().await?;
            let problems = check_catalogue(draft, bundle, &current);
            if !problems.is_empty() {
                return Ok(Err(problems));
            }
            let mut change = bodies(draft);
            // What was checked still holds when it comes into force.
            change.expected_revision = Some(current.revision);
            let by = By { key: by, at: self.store.now().await? };
            if let CatalogueChanged::Made { control, tally } = self.store.change_catalogue(&change, by).await? {
                let catalogue = Arc::new(self.at(control.catalogue_revision).await?);
                return Ok(Ok(CatalogueKept { tally, repeated: false, catalogue }));
            }
        }
    }

    /// What an import would do.
    pub fn tally(draft: &CatalogueDraft, present: &Catalogue) -> Tally {
        let mut tally = Tally::default();
        let mut count = |there: Option<bool>| match there {
            None => tally.created += 1,
            Some(false) => tally.changed += 1,
            Some(true) => tally.unchanged += 1,
        };
        let sent = |draft: &CatalogueDraft| draft.offers.iter().map(|placed| placed.item.clone()).collect();
        // As a catalogue has them, variants in order.
        for offer in Catalogue::new(0, sent(draft), Vec::new()).offers() {
            count(present.offer(offer.offer_id.as_str()).map(|there| there == offer));
        }
        for placed in &draft.campaigns {
            count(present.campaigns().get(&placed.item.campaign_id).map(|there| *there == placed.item));
        }
        tally
    }

    /// The newest revisions of an offer, newest first.
    pub async fn revisions(&self, id: &OfferId, limit: u32) -> Result<Vec<(OfferRevision, Offer)>, RuntimeError> {
        let made = self.store.offer_revisions(id, None, limit).await?;
        let opened = made.into_iter().map(|made| {
            let offer = parse("offer", id.as_str(), &made.json)?;
            Ok((made, offer))
        });
        opened.collect()
    }
}
