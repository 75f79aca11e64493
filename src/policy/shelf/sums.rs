//! Floors over the answer and over the basket: what stands in the slots before is added up, with each offer that may
//! stand behind it. Asked in front of every slot, the first too; floors under each offer alone are fixed on the shelf.

use super::super::bundle::Bundle;
use super::super::kinds::floors::{FloorLimit, FloorOver, Margin, ground};
use super::super::rules::{OnMissing, RuleKind};
use super::{Scoped, Shelf};
use crate::domain::decision::Failed;
use crate::domain::{BasketLine, Offer, Placement, Timestamp};

/// Where and for what an answer is put together.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// Where.
    pub placement: &'a Placement,
    /// As the request said.
    pub jurisdiction: Option<&'a str>,
    /// What lies in the basket.
    pub basket: &'a [BasketLine],
}

/// The floors in force in front of one slot.
pub(super) struct Sums<'a> {
    offers: &'a [Offer],
    floors: Vec<Floor<'a>>,
}

struct Floor<'a> {
    of: &'a Scoped<()>,
    min: FloorLimit,
    over: FloorOver,
    /// What counts before an offer is added; nothing where that is not known.
    before: Option<Margin>,
}

impl<'a> Sums<'a> {
    /// Behind offers chosen, given by their positions in the catalogue.
    pub(super) fn new(
        bundle: &Bundle,
        shelf: &'a Shelf,
        (offers, chosen): (&'a [Offer], &[u32]),
        setting: Setting<'_>,
        now: Timestamp,
    ) -> Self {
        let floors = shelf.sums.iter().filter_map(|of| {
            let rule = bundle.rule(of.rule).filter(|rule| rule.in_force(now, setting.jurisdiction))?;
            let RuleKind::MarginFloor { min, over } = rule.kind else { return None };
            let ground = ground((min, over), setting.basket, setting.placement.currency);
            if ground.is_none() && rule.on_missing == OnMissing::Allow {
                return None;
            }
            let counted = chosen.iter().filter(|other| of.covers(**other));
            let counted = counted.filter_map(|other| offers.get(*other as usize));
            let before = ground.map(|ground| counted.fold(ground, Margin::with));
            Some(Floor { of, min, over, before })
        });
        Self { offers, floors: floors.collect() }
    }

    /// Whether no floor is in force.
    pub(super) fn is_none(&self) -> bool {
        self.floors.is_empty()
    }

    /// Adds every floor that an offer does not reach. What lies in the basket is personal, so that of a floor over it
    /// the limit alone is kept.
    pub(super) fn ask(&self, offer: u32, failed: &mut Vec<Failed>) {
        let Some(found) = self.offers.get(offer as usize) else { return };
        for Floor { of, min, over, before } in self.floors.iter().filter(|floor| floor.of.covers(offer)) {
            let compared = before.map_or_else(|| Some((None, Some(min.limit()))), |sum| min.fails(&sum.with(found)));
            let Some((observed, limit)) = compared else { continue };
            let observed = observed.filter(|_| *over != FloorOver::Basket);
            failed.push(Failed { rule: of.rule, observed, limit });
        }
    }
}
