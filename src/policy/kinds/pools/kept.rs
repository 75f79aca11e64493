//! Pools of the offers of one catalogue, named once for all decisions. Asks about no request and no instant.

use std::collections::BTreeMap;

use super::PoolBy;
use crate::domain::{Belongs, CampaignId, Catalogue, CategoryId, Offer, Placement};
use crate::policy::rules::{Rule, RuleKind};

/// Which pool of one rule each offer draws on.
#[derive(Debug)]
pub(in crate::policy) struct Pooled {
    /// Each by its name, with its total where the catalogue says it.
    pools: Vec<(String, Option<i64>)>,
    /// By position in the catalogue.
    of: Vec<Option<u32>>,
}

impl Pooled {
    /// The pool of an offer, with its total where the catalogue says it; nothing where the offer draws on none.
    pub(in crate::policy) fn of(&self, offer: u32) -> Option<(&str, Option<i64>)> {
        let at = self.of.get(offer as usize).copied().flatten()?;
        self.pools.get(at as usize).map(|(name, total)| (name.as_str(), *total))
    }

    /// Bytes of memory that it holds, about.
    pub(in crate::policy) fn bytes(&self) -> usize {
        let names: usize = self.pools.iter().map(|(name, _)| name.len()).sum();
        size_of_val(self.of.as_slice()) + size_of_val(self.pools.as_slice()) + names
    }
}

/// The pools of a rule at a placement; nothing for rules of other kinds, and where no offer draws on one.
pub(in crate::policy) fn pooled(rule: &Rule, placement: &Placement, catalogue: &Catalogue) -> Option<Pooled> {
    let counted =
        matches!(rule.kind, RuleKind::Stock | RuleKind::Budget | RuleKind::Budgeted(_) | RuleKind::Stocked(_));
    if !counted {
        return None;
    }
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut pools = Vec::new();
    let mut of = Vec::with_capacity(catalogue.offers().len());
    for (at, offer) in catalogue.offers().iter().enumerate() {
        let number = apart(&rule.kind, placement, (offer, catalogue, at)).map(|(apart, total)| {
            let name = format!("{}/{apart}", rule.id);
            let next = u32::try_from(pools.len()).unwrap_or(u32::MAX);
            *numbers.entry(name).or_insert_with_key(|name| {
                pools.push((name.clone(), total));
                next
            })
        });
        of.push(number);
    }
    (!pools.is_empty()).then_some(Pooled { pools, of })
}

/// What an offer is counted by, with the total where the catalogue says it.
fn apart<'a>(
    kind: &RuleKind,
    placement: &'a Placement,
    (offer, catalogue, at): (&'a Offer, &'a Catalogue, usize),
) -> Option<(&'a str, Option<i64>)> {
    let by = match kind {
        RuleKind::Stock => return offer.stock.map(|units| (offer.offer_id.as_str(), Some(i64::from(units)))),
        RuleKind::Budget => {
            let Belongs::To(_) = catalogue.belongs(at) else { return None };
            let campaign = catalogue.campaigns().get(offer.campaign.as_ref()?)?;
            return campaign.budget.map(|budget| (campaign.campaign_id.as_str(), Some(budget.minor)));
        }
        RuleKind::Budgeted(pool) | RuleKind::Stocked(pool) => pool.by,
        _ => return None,
    };
    let apart = match by {
        PoolBy::All => "all",
        PoolBy::Offer | PoolBy::OfferInStore => offer.offer_id.as_str(),
        PoolBy::Category => offer.category.as_ref().map_or("", CategoryId::as_str),
        PoolBy::Campaign => offer.campaign.as_ref().map_or("", CampaignId::as_str),
        PoolBy::Placement => placement.id.as_str(),
    };
    Some((apart, None))
}
