//! Shelves: what a bundle says of the offers of one catalogue whoever asks, made once for all decisions. Asks about no
//! customer, no request and no instant.
//!
//! A shelf holds the offers under consideration at one placement, in the order of the catalogue, each with every rule
//! that leaves it out whatever the request: its currency, the floors under its margin and the limits of its price. What
//! is left for a decision are caps and cool-downs with something counted, conditions, and schedules: [`Judging`] asks
//! those. What may run out is named here and asked by [`Pools`](super::Pools).

mod behind;
mod counted;
mod fixed;
mod groups;
mod judging;
mod keys;
mod lifted;
mod lists;
mod memo;
mod pins;
mod prices;
mod sums;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

pub use behind::Behind;
pub use judging::Judging;
pub use lists::ListPrices;
pub(super) use memo::Memo;
pub use pins::Pin;
pub use prices::Moved;
pub use sums::Setting;

use super::condition::{Bits, Columns};
use super::kinds::floors::FloorOver;
use super::kinds::overrides::OverrideAction;
use super::kinds::pools::{self, Pooled};
use super::kinds::stackability::Stackability;
use super::merchandise;
use super::rules::{Rule, RuleKind};
use crate::domain::decision::Failed;
use crate::domain::{Belongs, Catalogue, Offer, OfferId, OfferStatus, Placement, PlacementId};
use fixed::Fixed;
use keys::{Keys, kinds, position};
use prices::Prices;

/// The shelves of all placements, for one bundle and one catalogue.
#[derive(Debug)]
pub struct Shelves {
    pub(super) columns: Arc<Columns>,
    keys: Keys,
    /// Positions of the rules about schedule and campaign.
    built_in: [Option<u16>; 2],
    by_placement: BTreeMap<PlacementId, Shelf>,
}

/// The offers under consideration at one placement.
#[derive(Debug)]
pub struct Shelf {
    stands: Vec<Stand>,
    /// Variants of all of them.
    candidates: usize,
    /// Rules that leave offers out whatever the request, one offer behind another.
    fixed: Vec<Failed>,
    /// Whether some of these rules hold at some times, in some regions or in some decisions only.
    partly: bool,
    /// Whether some offer is not always on sale.
    unsteady: bool,
    /// Caps and cool-downs, in the order of their rules.
    counting: Vec<Scoped<()>>,
    /// Their positions in `counting`, by the ids of the rules.
    counting_by_id: Vec<usize>,
    /// Rules about what stands together, in their order.
    answers: Vec<Scoped<Together>>,
    /// Overrides that put offers in.
    put_in: Vec<Scoped<()>>,
    /// Overrides that pin offers.
    pins: Vec<Scoped<()>>,
    /// Rules about what may run out, where some offer draws on it.
    pub(super) pools: Vec<Arc<Scoped<Pooled>>>,
    /// Guards of audiences, in their order.
    guards: Vec<Scoped<()>>,
    /// Floors over the answer or the basket.
    sums: Vec<Scoped<()>>,
    prices: Prices,
}

/// An offer under consideration. Its variants share what rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Position of the offer in the catalogue.
    pub offer: u32,
    /// Positions of its variants among the candidates of the catalogue.
    pub candidates: Range<u32>,
    /// `m_a` in minor units.
    pub margin_minor: i64,
    /// `c_a` in minor units.
    pub cost_minor: i64,
    /// Where its rules stand in [`Shelf::fixed`].
    fixed: Range<u32>,
    /// Whether neither schedule nor campaign ever keeps it back.
    steady: bool,
}

/// A rule with the offers it applies to.
#[derive(Debug)]
pub(super) struct Scoped<T> {
    pub(super) rule: u16,
    /// Everywhere if nothing is said.
    scope: Option<Bits>,
    pub(super) of: T,
}

impl<T> Scoped<T> {
    pub(super) fn covers(&self, offer: u32) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.has(offer as usize))
    }
}

/// What a rule about answers knows of the offers.
#[derive(Debug)]
enum Together {
    /// Members of a group.
    Group(Bits),
    /// Pairs of positions.
    Pairs(Vec<(u32, u32)>),
    /// The kind of each offer.
    Kinds(Vec<Option<u32>>),
}

impl Shelves {
    pub(super) fn new<'p>(
        rules: &[Rule],
        placements: impl Iterator<Item = &'p Placement>,
        columns: Arc<Columns>,
        catalogue: &Catalogue,
    ) -> Self {
        let by_placement = placements.map(|placement| (placement.id.clone(), Shelf::new(rules, placement, catalogue)));
        let by_placement = by_placement.collect();
        Self { columns, keys: Keys::new(catalogue.offers()), built_in: merchandise::positions(rules), by_placement }
    }

    /// The shelf of a placement.
    pub fn at(&self, placement: &PlacementId) -> Option<&Shelf> {
        self.by_placement.get(placement)
    }
}

impl Shelf {
    fn new(rules: &[Rule], placement: &Placement, catalogue: &Catalogue) -> Self {
        let offers = catalogue.offers();
        let here: Vec<(u16, &Rule)> =
            (0..=u16::MAX).zip(rules).filter(|(_, rule)| rule.applies_to.covers_placement(placement)).collect();
        let fixed = Fixed::of(&here, placement, offers);
        let scoped = |those: &dyn Fn(&RuleKind) -> bool| -> Vec<Scoped<()>> {
            let those = here.iter().filter(|(_, rule)| those(&rule.kind));
            those.map(|(at, rule)| Scoped { rule: *at, scope: scope(rule, offers), of: () }).collect()
        };
        let counting = scoped(&|kind| match kind {
            RuleKind::FrequencyCap(_) => placement.obeys_caps,
            RuleKind::CoolDown(_) => true,
            _ => false,
        });
        let mut counting_by_id: Vec<usize> = (0..counting.len()).collect();
        let id = |at: &usize| counting.get(*at).and_then(|counting| rules.get(usize::from(counting.rule)));
        counting_by_id.sort_by(|a, b| id(a).map(|rule| &rule.id).cmp(&id(b).map(|rule| &rule.id)));
        let answers = here.iter().filter_map(|(at, rule)| {
            Some(Scoped { rule: *at, scope: scope(rule, offers), of: together(&rule.kind, offers)? })
        });
        let pools = here.iter().filter_map(|(at, rule)| {
            let of = pools::pooled(rule, placement, catalogue)?;
            Some(Arc::new(Scoped { rule: *at, scope: scope(rule, offers), of }))
        });
        let guards = here.iter().filter(|(_, rule)| matches!(rule.kind, RuleKind::AudienceGuard(_)));
        let guards = guards.map(|(at, rule)| Scoped { rule: *at, scope: scope(rule, offers), of: () });
        let mut shelf = Self {
            guards: guards.collect(),
            stands: Vec::new(),
            candidates: 0,
            fixed: Vec::new(),
            partly: false,
            unsteady: false,
            answers: answers.collect(),
            put_in: lifted::scoped(&here, OverrideAction::ForceIn, offers),
            pins: lifted::scoped(&here, OverrideAction::Pin, offers),
            pools: pools.collect(),
            prices: Prices::new(&here, placement, offers),
            sums: scoped(&|kind| matches!(kind, RuleKind::MarginFloor { over, .. } if *over != FloorOver::Offer)),
            counting,
            counting_by_id,
        };
        let mut candidates = 0..0_u32;
        for (at, offer) in (0..u32::MAX).zip(offers) {
            candidates = candidates.end..candidates.end + u32::try_from(offer.variants.len()).unwrap_or(u32::MAX);
            if is_considered(placement, offer) {
                shelf.put(at, offer, candidates.clone(), &fixed, (placement, catalogue));
            }
        }
        shelf.stands.shrink_to_fit();
        shelf.fixed.shrink_to_fit();
        shelf
    }

    fn put(
        &mut self,
        at: u32,
        offer: &Offer,
        candidates: Range<u32>,
        fixed: &Fixed<'_>,
        (placement, catalogue): (&Placement, &Catalogue),
    ) {
        let from = self.fixed.len();
        self.partly |= fixed.ask(at, offer, placement, &mut self.fixed);
        let steady = offer.starts_at.is_none()
            && offer.ends_at.is_none()
            && offer.pauses.is_empty()
            && catalogue.belongs(at as usize) == Belongs::Alone;
        self.unsteady |= !steady;
        self.candidates += candidates.len();
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.stands.push(Stand {
            offer: at,
            candidates,
            margin_minor: offer.margin_minor(),
            cost_minor: offer.cost_of_showing_minor(),
            fixed: place(from)..place(self.fixed.len()),
            steady,
        });
    }

    /// The offers under consideration: all of them, or those of the offers asked for, which come sorted.
    pub fn stands<'a>(
        &'a self,
        asked: Option<&'a [OfferId]>,
        catalogue: &'a Catalogue,
    ) -> impl Iterator<Item = &'a Stand> {
        let all = if asked.is_none() { self.stands.as_slice() } else { &[] };
        let mut last = None;
        let named = asked.unwrap_or_default().iter().filter_map(move |id| {
            let offer = position(catalogue.offers(), id.as_str()).filter(|offer| last != Some(*offer))?;
            last = Some(offer);
            let at = self.stands.binary_search_by_key(&offer, |stand| stand.offer).ok()?;
            self.stands.get(at)
        });
        all.iter().chain(named)
    }

    /// How many candidates are under consideration, all variants of all offers.
    pub fn candidates(&self) -> usize {
        self.candidates
    }

    /// Bytes of memory that it holds, about.
    pub fn bytes(&self) -> usize {
        let bits = |scope: Option<&Bits>| scope.map_or(0, Bits::bytes);
        let scoped = self.counting.iter().chain(&self.put_in).chain(&self.pins).chain(&self.sums).chain(&self.guards);
        let counting = scoped.map(|counting| bits(counting.scope.as_ref()));
        let answers = self.answers.iter().map(|rule| {
            bits(rule.scope.as_ref())
                + match &rule.of {
                    Together::Group(members) => members.bytes(),
                    Together::Pairs(pairs) => size_of_val(pairs.as_slice()),
                    Together::Kinds(kinds) => size_of_val(kinds.as_slice()),
                }
        });
        let pools = self.pools.iter().map(|rule| bits(rule.scope.as_ref()) + rule.of.bytes());
        size_of_val(self.stands.as_slice())
            + size_of_val(self.fixed.as_slice())
            + counting.chain(answers).chain(pools).sum::<usize>()
    }
}

/// Active, and not the placement's own house content. An offer that somebody paused is not under consideration; one
/// that its schedule, its campaign or its stock keeps back is, and is left out with the reason.
fn is_considered(placement: &Placement, offer: &Offer) -> bool {
    offer.status == OfferStatus::Active && offer.offer_id != placement.fallback.offer
}

/// The offers a rule applies to; nothing if it is not limited.
fn scope(rule: &Rule, offers: &[Offer]) -> Option<Bits> {
    let applies_to = &rule.applies_to;
    let limited = applies_to.offers.is_some() || applies_to.categories.is_some();
    limited.then(|| Bits::of(offers.iter().map(|offer| applies_to.covers_offer(offer))))
}

fn together(kind: &RuleKind, offers: &[Offer]) -> Option<Together> {
    Some(match kind {
        RuleKind::Stackability(Stackability::Pairs(pairs)) => {
            let place = |id: &OfferId| position(offers, id.as_str());
            Together::Pairs(pairs.iter().filter_map(|(a, b)| place(a).zip(place(b))).collect())
        }
        RuleKind::Stackability(group) => Together::Group(Bits::of(offers.iter().map(|offer| group.has(offer)))),
        RuleKind::Diversity(diversity) => Together::Kinds(kinds(&diversity.per, offers)),
        _ => return None,
    })
}
