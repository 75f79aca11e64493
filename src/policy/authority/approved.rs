//! What decisions may rely on: approved uses and offers with the instants before which they are. Asks no clock: the
//! decision's own time is an argument.

use std::collections::BTreeMap;

use super::demands::Authority;
use super::given::{Given, Matter};
use super::standing::Book;
use super::uses::Use;
use super::{creative, whole_offer};
use crate::domain::{Catalogue, Timestamp};
use crate::policy::bundle::Bundle;

/// What is approved for one bundle over one catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approved {
    /// Nobody is asked: for trials of a bundle that is not in force.
    everything: bool,
    uses: BTreeMap<Use, Timestamp>,
    /// Of each candidate of the catalogue; nothing where offers need no approval.
    candidates: Option<Vec<Option<Timestamp>>>,
}

impl Approved {
    /// As if everything were approved, as tests of a bundle have it.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// What is approved of what a bundle asks for.
    pub fn of(bundle: &Bundle, catalogue: &Catalogue, given: &[Given]) -> Self {
        let (book, both) = (Book::of(given), Authority::both());
        let distinct = bundle.uses.distinct();
        let uses = distinct.keys().filter_map(|of| {
            let pinned = bundle.definition(&of.attribute)?;
            Some(((*of).clone(), book.until((&Matter::Use((*of).clone()), pinned), &both)?))
        });
        let candidates = || {
            catalogue.candidates().iter().map(|candidate| {
                let offer = catalogue.offers().get(candidate.offer)?;
                let variant = offer.variants.get(candidate.variant)?;
                let matter = |variant_id| Matter::Offer { offer_id: offer.offer_id.clone(), variant_id };
                let needed = &bundle.demands.offers;
                let own = book.until((&matter(Some(variant.variant_id.clone())), creative(offer, variant)), needed);
                own.max(book.until((&matter(None), whole_offer(offer)), needed))
            })
        };
        Self {
            everything: false,
            uses: uses.collect(),
            candidates: (!bundle.demands.offers.is_empty()).then(|| candidates().collect()),
        }
    }

    /// As a record says that it was: without the uses that were refused and without candidates, by position, that were
    /// withheld, each with the instant at which its approval had ended.
    pub fn recorded(
        (bundle, catalogue): (&Bundle, &Catalogue),
        refused: impl Fn(&Use) -> bool,
        withheld: &BTreeMap<u32, Option<Timestamp>>,
    ) -> Self {
        const FOR_EVER: Timestamp = Timestamp(i64::MAX);
        let uses = bundle.uses.distinct().into_keys().filter(|of| !refused(of));
        let until = |at: u32| withheld.get(&at).copied().unwrap_or(Some(FOR_EVER));
        let candidates = || (0..u32::MAX).zip(catalogue.candidates()).map(|(at, _)| until(at)).collect();
        Self {
            everything: false,
            uses: uses.map(|of| (of.clone(), FOR_EVER)).collect(),
            candidates: (!bundle.demands.offers.is_empty()).then(candidates),
        }
    }

    /// Whether a use that needs approval has it at an instant.
    pub fn allows(&self, of: &Use, now: Timestamp) -> bool {
        self.everything || self.uses.get(of).is_some_and(|until| now < *until)
    }

    /// Whether a candidate, by its position in the catalogue, may not be shown at an instant; then the instant at which
    /// its approval ended, if it ever had one.
    pub fn withholds(&self, candidate: u32, now: Timestamp) -> Option<Option<Timestamp>> {
        let candidates = self.candidates.as_ref().filter(|_| !self.everything)?;
        let until = candidates.get(candidate as usize).copied().flatten();
        until.is_none_or(|until| until <= now).then_some(until)
    }
}
