//! One decision over a shelf: what its request, its customer and its instant add to what is fixed. Ranks nothing.

use super::super::bundle::Bundle;
use super::super::condition::{Asked, Facts};
use super::super::declared::subjects::States;
use super::super::kinds::caps::CapWindows;
use super::super::kinds::category_exclusions::is_personal;
use super::super::kinds::guards;
use super::super::merchandise::Merchandise;
use super::super::rules::Rule;
use super::super::verdict::Verdict;
use super::counted::{Counted, Ground};
use super::fixed::about_persons;
use super::groups::Groups;
use super::lifted::Lifting;
use super::prices::Moved;
use super::{Scoped, Shelf, Shelves, Stand};
use crate::domain::decision::Failed;
use crate::domain::{Catalogue, Placement};

/// The rules of one placement in one decision. Gates are asked apart, by [`gate`](crate::policy::gate()).
pub struct Judging<'a> {
    bundle: &'a Bundle,
    shelves: &'a Shelves,
    shelf: &'a Shelf,
    /// Positions of rules that do not hold now and here, in order; only where some of what is fixed may not.
    idle: Vec<u16>,
    counted: Counted<'a>,
    lifting: Lifting<'a>,
    conditions: Asked<'a>,
    groups: Groups<'a>,
    /// Guards of audiences that the customer belongs to, or may.
    guards: Vec<&'a Scoped<()>>,
    moved: Moved<'a>,
    /// Where some offer is not always on sale.
    merchandise: Option<Merchandise<'a>>,
    catalogue: &'a Catalogue,
}

impl<'a> Judging<'a> {
    /// What is the same for all offers. `shelves` and `catalogue` belong together; nothing for a placement that the
    /// bundle does not have.
    pub fn new<'s>(
        bundle: &'a Bundle,
        (shelves, catalogue): (&'a Shelves, &'a Catalogue),
        placement: &'a Placement,
        facts: &Facts<'a>,
        states: impl Into<States<'s>>,
        windows: &'a CapWindows,
    ) -> Option<Self> {
        let shelf = shelves.at(&placement.id)?;
        let (rules, keys, offers) = (bundle.rules.as_slice(), &shelves.keys, catalogue.offers());
        let ground = Ground {
            rules,
            shelf,
            keys,
            offers,
            placement,
            windows,
            jurisdiction: facts.jurisdiction,
            caps_alone: false,
        };
        let seen = |id| bundle.attributes.get(id).is_none_or(|spec| is_personal(spec.class));
        let personal = shelf.partly && facts.attributes.used().keys().any(seen);
        let holds = |rule: &Rule| rule.in_force(windows.now, facts.jurisdiction) && (personal || !about_persons(rule));
        let idle = (0..=u16::MAX).zip(rules).filter(|(_, rule)| shelf.partly && !holds(rule)).map(|(at, _)| at);
        let merchandise = || Merchandise::at(shelves.built_in, catalogue, windows.now);
        let spoken = guards::speaking(bundle, placement, facts);
        Some(Self {
            guards: shelf.guards.iter().filter(|guard| spoken.contains(&guard.rule)).collect(),
            bundle,
            shelves,
            shelf,
            idle: idle.collect(),
            counted: Counted::new(&ground, states.into()),
            lifting: Lifting::at(bundle, shelf, windows.now, facts.jurisdiction),
            conditions: bundle.ask(&shelves.columns, placement, facts),
            groups: Groups::at(bundle, &shelves.columns, (placement, offers), facts),
            moved: Moved::new(bundle, shelves, placement, facts)?,
            merchandise: shelf.unsteady.then(merchandise),
            catalogue,
        })
    }

    /// The same where gates refuse to personalise prices.
    #[must_use]
    pub fn refusing(mut self, gates: &[u16]) -> Self {
        self.moved.refused = gates.to_vec();
        self
    }

    /// Adds every rule that leaves an offer out, and what caps and cool-downs counted for it; notes what only speaks.
    ///
    /// Usage of caps is personal, so that a failed cap carries its limit only and what was used stands in the readings.
    /// Without a subject there is nothing to count by: a cap that applies leaves the offer out unless it says
    /// otherwise.
    pub fn ask(&mut self, stand: &Stand, verdict: &mut Verdict) {
        let fixed = self.shelf.fixed.get(stand.fixed.start as usize..stand.fixed.end as usize).unwrap_or_default();
        if self.idle.is_empty() {
            verdict.failed.extend_from_slice(fixed);
        } else {
            verdict.failed.extend(fixed.iter().filter(|failed| self.idle.binary_search(&failed.rule).is_err()));
        }
        self.counted.ask(&self.shelves.keys, stand.offer, &mut verdict.failed, &mut verdict.readings);
        self.conditions.fail(stand.offer as usize, &mut verdict.failed);
        self.groups.ask(stand.offer, || self.catalogue.offers().get(stand.offer as usize), &mut verdict.failed);
        let guarding = self.guards.iter().filter(|guard| guard.covers(stand.offer));
        verdict.failed.extend(guarding.map(|guard| Failed { rule: guard.rule, observed: None, limit: None }));
        if let Some(merchandise) = self.merchandise.as_ref().filter(|_| !stand.steady)
            && let Some(offer) = self.catalogue.offers().get(stand.offer as usize)
        {
            merchandise.fail(stand.offer as usize, offer, &mut verdict.failed);
        }
        self.moved.fail(stand.offer, &mut verdict.failed);
        verdict.settle(self.bundle);
        self.lifting.lift(self.bundle, stand.offer, verdict);
    }
}
