//! What caps, cool-downs and rules about answers tell offers apart by, as numbers over one catalogue. Counts nothing.

use std::collections::BTreeMap;

use super::super::kinds::diversity::Per;
use crate::domain::{CampaignId, CategoryId, Offer, Value};

/// By what a rule counts offers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Apart {
    /// All together.
    Together,
    /// Each offer.
    Offer,
    /// The offer's own category; offers without one together.
    Category,
    /// Each of its categories.
    Categories,
    /// The campaign; offers of none together.
    Campaign,
}

/// The numbers of everything that offers are told apart by. What is not numbered belongs to no offer.
#[derive(Debug, PartialEq, Eq, Default)]
pub(in crate::policy) struct Keys {
    categories: BTreeMap<String, u32>,
    campaigns: BTreeMap<String, u32>,
    /// Of each offer.
    category: Vec<u32>,
    /// Of each offer.
    campaign: Vec<u32>,
    /// The categories of all offers, one offer behind another.
    all: Vec<u32>,
    /// Where those of each offer end.
    ends: Vec<u32>,
}

fn number(names: &mut BTreeMap<String, u32>, name: &str) -> u32 {
    let next = u32::try_from(names.len()).unwrap_or(u32::MAX);
    if let Some(known) = names.get(name) {
        return *known;
    }
    names.insert(name.to_owned(), next);
    next
}

impl Keys {
    pub(in crate::policy) fn new(offers: &[Offer]) -> Self {
        let mut keys = Self::default();
        for offer in offers {
            let category = offer.category.as_ref().map_or("", CategoryId::as_str);
            let campaign = offer.campaign.as_ref().map_or("", CampaignId::as_str);
            keys.category.push(number(&mut keys.categories, category));
            keys.campaign.push(number(&mut keys.campaigns, campaign));
            for category in offer.categories() {
                keys.all.push(number(&mut keys.categories, category.as_str()));
            }
            keys.ends.push(u32::try_from(keys.all.len()).unwrap_or(u32::MAX));
        }
        keys
    }

    /// The number of a name, if some offer goes by it.
    pub(in crate::policy) fn named(&self, apart: Apart, name: &str, offers: &[Offer]) -> Option<u32> {
        match apart {
            Apart::Together => None,
            Apart::Offer => position(offers, name),
            Apart::Category | Apart::Categories => self.categories.get(name).copied(),
            Apart::Campaign => self.campaigns.get(name).copied(),
        }
    }

    /// The numbers that an offer goes by.
    pub(in crate::policy) fn of<'a>(&'a self, apart: Apart, offer: &'a u32) -> &'a [u32] {
        let at = *offer as usize;
        let one = |column: &'a [u32]| column.get(at).map_or(&[][..], std::slice::from_ref);
        match apart {
            Apart::Together => &[],
            Apart::Offer => std::slice::from_ref(offer),
            Apart::Category => one(&self.category),
            Apart::Campaign => one(&self.campaign),
            Apart::Categories => {
                let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
                let from = at.checked_sub(1).map_or(0, end);
                self.all.get(from..end(at)).unwrap_or_default()
            }
        }
    }
}

/// The position of an offer.
pub(super) fn position(offers: &[Offer], id: &str) -> Option<u32> {
    let at = offers.binary_search_by(|offer| offer.offer_id.as_str().cmp(id)).ok()?;
    u32::try_from(at).ok()
}

/// The kind of each offer by a number, where it is known.
pub(super) fn kinds(per: &Per, offers: &[Offer]) -> Vec<Option<u32>> {
    let mut names = BTreeMap::new();
    let mut kind = |offer: &Offer| {
        Some(match per {
            Per::Category => number(&mut names, offer.category.as_ref()?.as_str()),
            Per::Campaign => number(&mut names, offer.campaign.as_ref()?.as_str()),
            Per::Attribute(id) => {
                let named = match offer.attributes.get(id.name())? {
                    Value::Bool(truth) => format!("b{truth}"),
                    Value::Number(value) => format!("n{}", value.0),
                    Value::Text(text) => format!("t{text}"),
                };
                number(&mut names, named.as_str())
            }
        })
    };
    offers.iter().map(&mut kind).collect()
}
