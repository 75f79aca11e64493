//! Prices on a shelf: which differ from what others pay, and what is read of a customer before they are shown. Computes
//! no price.
//!
//! A price is **special** where a discount is taken off it, or where an offer of the same product has another net
//! price. It is **moved** by every attribute of the customer that the decision saw and that a rule in force reads about
//! the offer or about another of the same product, or that a feature reads where a strategy of the placement weighs
//! features. A special price that something moves is personalised.

use std::collections::BTreeMap;

use super::super::bundle::Bundle;
use super::super::condition::{Bits, Facts};
use super::super::kinds::diversity::Per;
use super::super::rules::{OnMissing, Rule, RuleKind};
use super::keys::kinds;
use super::{Scoped, Shelves, is_considered, scope};
use crate::domain::decision::{Failed, SlotPrice};
use crate::domain::{AttributeId, AttributeScope, Offer, Placement};

/// What a shelf knows of prices, whoever asks.
#[derive(Debug, Default)]
pub(super) struct Prices {
    /// Offers with a special price.
    special: Bits,
    /// What rules read of the customer, each with the offers whose price it moves.
    readers: Vec<Scoped<AttributeId>>,
    /// What features read of the customer.
    features: Vec<AttributeId>,
    /// The rules about personalised prices.
    rules: Vec<Scoped<()>>,
}

/// The product of each offer, by one attribute.
struct Product {
    of: Vec<Option<u32>>,
}

impl Product {
    /// The offers that sell the same as some of these, and these.
    fn closed(&self, over: &Bits) -> Bits {
        let mut sold: Vec<u32> = Vec::new();
        sold.extend(self.of.iter().enumerate().filter_map(|(at, product)| product.filter(|_| over.has(at))));
        sold.sort_unstable();
        let same = |product: &Option<u32>| product.is_some_and(|product| sold.binary_search(&product).is_ok());
        Bits::of(self.of.iter().enumerate().map(|(at, product)| over.has(at) || same(product)))
    }

    /// Whose net price another offer of the same product does not have.
    fn apart(&self, offers: &[Offer], stands: &[bool]) -> Vec<bool> {
        let mut bounds: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
        for ((product, offer), _) in self.of.iter().zip(offers).zip(stands).filter(|(_, stands)| **stands) {
            let (Some(product), net) = (product, offer.net_price_minor()) else { continue };
            let (least, most) = bounds.entry(*product).or_insert((net, net));
            (*least, *most) = (net.min(*least), net.max(*most));
        }
        let apart = |product: &Option<u32>| {
            product.and_then(|product| bounds.get(&product)).is_some_and(|(least, most)| least < most)
        };
        self.of.iter().map(apart).collect()
    }
}

impl Prices {
    pub(super) fn new(here: &[(u16, &Rule)], placement: &Placement, offers: &[Offer]) -> Self {
        let stands: Vec<bool> = offers.iter().map(|offer| is_considered(placement, offer)).collect();
        let mut attributes: Vec<&AttributeId> = here.iter().filter_map(|(_, rule)| same_as(rule)).collect();
        attributes.sort();
        attributes.dedup();
        let products: Vec<Product> =
            attributes.into_iter().map(|id| Product { of: kinds(&Per::of(id), offers) }).collect();
        let mut special: Vec<bool> = offers.iter().map(|offer| offer.discount_minor() > 0).collect();
        for product in &products {
            for (special, apart) in special.iter_mut().zip(product.apart(offers, &stands)) {
                *special |= apart;
            }
        }
        let mut readers = Vec::new();
        for (at, rule) in here {
            let covers = scope(rule, offers).map(|own| {
                let each: Vec<Bits> = products.iter().map(|product| product.closed(&own)).collect();
                Bits::of((0..offers.len()).map(|at| own.has(at) || each.iter().any(|closed| closed.has(at))))
            });
            for id in rule.kind.reads_of_customer() {
                readers.push(Scoped { rule: *at, scope: covers.clone(), of: id });
            }
        }
        let about = here.iter().filter(|(_, rule)| matches!(rule.kind, RuleKind::PricePersonalisation(_)));
        let about = about.map(|(at, rule)| Scoped { rule: *at, scope: scope(rule, offers), of: () });
        Self { special: Bits::of(special.into_iter()), readers, features: weighed(placement), rules: about.collect() }
    }
}

/// The attribute by which a rule says that offers sell the same.
pub(super) fn same_as(rule: &Rule) -> Option<&AttributeId> {
    match &rule.kind {
        RuleKind::PricePersonalisation(personalisation) => personalisation.same_as.as_ref(),
        _ => None,
    }
}

/// What features read of the customer, where some strategy of the placement weighs features.
fn weighed(placement: &Placement) -> Vec<AttributeId> {
    if !placement.contenders().any(|contender| contender.strategy.weighs_features()) {
        return Vec::new();
    }
    let atoms = placement.features.iter().flat_map(|feature| &feature.atoms);
    let ids = atoms.filter_map(|atom| atom.attribute.clone());
    let mut ids: Vec<AttributeId> = ids.filter(|id| id.scope() == AttributeScope::Customer).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// How far the net prices of each product lie apart, by one rule: the dearest that the rule covers of each.
#[derive(Debug)]
pub(super) struct Spread {
    of: Vec<Option<u32>>,
    dearest: BTreeMap<u32, i64>,
    /// In basis points.
    most: i64,
}

impl Spread {
    /// Nothing for a rule that limits none.
    pub(super) fn of(rule: &Rule, placement: &Placement, offers: &[Offer]) -> Option<Self> {
        let RuleKind::PricePersonalisation(personalisation) = &rule.kind else { return None };
        let (same_as, most) = (personalisation.same_as.as_ref()?, personalisation.max_spread?);
        let of = kinds(&Per::of(same_as), offers);
        let mut dearest = BTreeMap::new();
        for (product, offer) in of.iter().zip(offers) {
            let counts = is_considered(placement, offer)
                && offer.currency() == placement.currency
                && rule.applies_to.covers_offer(offer);
            if let Some(product) = product.filter(|_| counts) {
                let net = dearest.entry(product).or_insert(i64::MIN);
                *net = offer.net_price_minor().max(*net);
            }
        }
        Some(Self { of, dearest, most: i64::from(most.0) })
    }

    /// What was compared in basis points of the dearest price, rounded up, if that leaves an offer out.
    pub(super) fn fails(&self, at: u32, offer: &Offer, on_missing: OnMissing) -> Option<(Option<i64>, Option<i64>)> {
        let Some(product) = self.of.get(at as usize).copied().flatten() else {
            return (on_missing == OnMissing::Exclude).then_some((None, None));
        };
        let dearest = i128::from(self.dearest.get(&product).copied().filter(|dearest| *dearest > 0)?);
        let less = dearest - i128::from(offer.net_price_minor());
        let spread = i64::try_from(-(-less * 10_000).div_euclid(dearest)).unwrap_or(i64::MAX);
        (spread > self.most).then_some((Some(spread), Some(self.most)))
    }
}

/// What moves the prices of one decision.
pub struct Moved<'a> {
    prices: &'a Prices,
    /// Each attribute that was seen, with the offers whose price it moves.
    by: Vec<(&'a AttributeId, Option<&'a Bits>)>,
    /// Rules that bar some of them, by position in `by`.
    barring: Vec<(&'a Scoped<()>, Vec<usize>)>,
    /// Rules with something to say beside a price, in their order.
    disclosing: Vec<&'a Scoped<()>>,
    /// Gates that refuse to personalise prices.
    pub(super) refused: Vec<u16>,
}

impl<'a> Moved<'a> {
    /// By what was seen of the customer. Nothing for a placement that the bundle does not have.
    pub fn new(bundle: &Bundle, shelves: &'a Shelves, placement: &Placement, facts: &Facts<'_>) -> Option<Self> {
        let prices = &shelves.at(&placement.id)?.prices;
        let holds = |rule: u16| bundle.rule(rule).filter(|rule| rule.in_force(facts.now, facts.jurisdiction));
        let saw = |id: &AttributeId| facts.attributes.get(id).is_some();
        let weighed = |id: &&AttributeId| facts.attributes.feature(id).is_some();
        let features = prices.features.iter().filter(weighed).map(|id| (id, None));
        let readers = prices.readers.iter().filter(|reader| saw(&reader.of) && holds(reader.rule).is_some());
        let by: Vec<(&AttributeId, Option<&Bits>)> =
            features.chain(readers.map(|reader| (&reader.of, reader.scope.as_ref()))).collect();
        let (mut barring, mut disclosing) = (Vec::new(), Vec::new());
        for of in prices.rules.iter().filter(|_| !by.is_empty()) {
            let Some(rule) = holds(of.rule) else { continue };
            let RuleKind::PricePersonalisation(personalisation) = &rule.kind else { continue };
            let barred = |(_, (id, _)): &(usize, &(&AttributeId, Option<&Bits>))| {
                !personalisation.allows(id, facts.jurisdiction) || !facts.attributes.may_move_prices(id)
            };
            let barred: Vec<usize> = by.iter().enumerate().filter(barred).map(|(at, _)| at).collect();
            if !barred.is_empty() {
                barring.push((of, barred));
            }
            if personalisation.disclosure.is_some() && rule.speaks() {
                disclosing.push(of);
            }
        }
        Some(Self { prices, by, barring, disclosing, refused: Vec::new() })
    }

    /// Adds every rule and every gate that does not let the price of an offer be moved as it would be.
    pub(super) fn fail(&self, offer: u32, failed: &mut Vec<Failed>) {
        if self.by.is_empty() || !self.prices.special.has(offer as usize) {
            return;
        }
        for (of, barred) in self.barring.iter().filter(|(of, _)| of.covers(offer)) {
            // That it is too far from others' is said already.
            if failed.iter().any(|failed| failed.rule == of.rule) {
                continue;
            }
            let mut ids: Vec<&AttributeId> = barred.iter().filter_map(|at| self.moves(*at, offer)).collect();
            ids.sort();
            ids.dedup();
            if !ids.is_empty() {
                let observed = i64::try_from(ids.len()).ok();
                failed.push(Failed { rule: of.rule, observed, limit: Some(0) });
            }
        }
        if !self.refused.is_empty() && (0..self.by.len()).any(|at| self.moves(at, offer).is_some()) {
            failed.extend(self.refused.iter().map(|rule| Failed { rule: *rule, observed: None, limit: None }));
        }
    }

    /// What a record keeps of the price of an offer that is shown; nothing where it is not personalised.
    pub fn price(&self, offer: u32) -> Option<SlotPrice> {
        if !self.prices.special.has(offer as usize) {
            return None;
        }
        let moves = (0..self.by.len()).filter_map(|at| self.moves(at, offer));
        let mut attributes: Vec<AttributeId> = moves.cloned().collect();
        attributes.sort();
        attributes.dedup();
        let rule = self.disclosing.iter().find(|of| of.covers(offer)).map(|of| of.rule);
        (!attributes.is_empty()).then_some(SlotPrice { personalised: true, rule, attributes })
    }

    fn moves(&self, at: usize, offer: u32) -> Option<&'a AttributeId> {
        let (id, over) = self.by.get(at)?;
        over.is_none_or(|over| over.has(offer as usize)).then_some(*id)
    }
}
