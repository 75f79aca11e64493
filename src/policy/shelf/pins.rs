//! Pins: which override keeps the first slot for its offers, among those that may stand there. Lifts nothing.

use super::super::bundle::Bundle;
use super::{Scoped, Shelf};
use crate::domain::Timestamp;
use crate::domain::decision::Failed;

/// An override that keeps the first slot for its offers.
#[derive(Clone, Copy)]
pub struct Pin<'a>(&'a Scoped<()>);

impl Pin<'_> {
    /// That it leaves an offer out of the first slot, given by its position; nothing of its own offers.
    pub fn fails(&self, offer: u32) -> Option<Failed> {
        (!self.0.covers(offer)).then(|| self.failed())
    }

    /// That it leaves something out.
    pub fn failed(&self) -> Failed {
        Failed { rule: self.0.rule, observed: None, limit: None }
    }
}

impl Shelf {
    /// The override that keeps the first slot of a decision for its offers, if one of those may stand there. `open`
    /// are the positions of all offers that may. Of several the first by id: they name the same offers.
    pub fn pin(
        &self,
        bundle: &Bundle,
        (now, jurisdiction): (Timestamp, Option<&str>),
        open: &(impl Iterator<Item = u32> + Clone),
    ) -> Option<Pin<'_>> {
        let holds = |of: &&Scoped<()>| bundle.rule(of.rule).is_some_and(|rule| rule.in_force(now, jurisdiction));
        let mut pins = self.pins.iter().filter(holds);
        pins.find(|of| open.clone().any(|offer| of.covers(offer))).map(Pin)
    }
}
