//! All that a bundle asks people to approve, each with how it stands and who uses it. Approves nothing.

use super::demands::Authority;
use super::given::{Given, Matter};
use super::standing::{Book, Held, Standing};
use super::{creative, whole_offer};
use crate::domain::{Catalogue, Timestamp};
use crate::policy::bundle::Bundle;

/// Something to be approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// What, and how it stands.
    pub standing: Standing,
    /// What uses it, with the place that says so: `placement home at placements.yaml:9:16`.
    pub used_by: Vec<String>,
}

/// Everything that a bundle asks for at an instant: uses of attributes, then the bundle, then the offers of a
/// catalogue.
pub fn needed(bundle: &Bundle, catalogue: &Catalogue, given: &[Given], now: Timestamp) -> Vec<Needed> {
    let (book, both) = (Book::of(given), Authority::both());
    let uses = bundle.uses.distinct().into_iter().filter_map(|(of, sites)| {
        let pinned = bundle.definition(&of.attribute)?;
        let standing = Standing::in_book(&book, (&Matter::Use(of.clone()), pinned), &both, now);
        let used_by = sites.iter().map(|site| format!("{} at {}", site.by, site.at)).collect();
        Some(Needed { standing, used_by })
    });
    let mut found: Vec<Needed> = uses.collect();
    let alone = |standing| Needed { standing, used_by: Vec::new() };
    let whole = &bundle.demands.bundle;
    if !whole.is_empty() {
        found.push(alone(Standing::in_book(&book, (&Matter::Bundle, bundle.hash), whole, now)));
    }
    let offers = &bundle.demands.offers;
    for offer in catalogue.offers().iter().filter(|_| !offers.is_empty()) {
        let matter = |variant_id| Matter::Offer { offer_id: offer.offer_id.clone(), variant_id };
        let whole = Standing::in_book(&book, (&matter(None), whole_offer(offer)), offers, now);
        let variants = offer.variants.iter().map(|variant| {
            let matter = matter(Some(variant.variant_id.clone()));
            Standing::in_book(&book, (&matter, creative(offer, variant)), offers, now)
        });
        let variants: Vec<Standing> = variants.collect();
        let unknown = |standing: &Standing| standing.held.iter().all(|(_, held)| *held == Held::Missing);
        if whole.is_approved() || variants.iter().all(unknown) {
            found.push(alone(whole));
        } else {
            found.extend(variants.into_iter().map(alone));
        }
    }
    found
}
