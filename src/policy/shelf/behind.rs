//! One slot: the rules whose answer depends on the slots before. Asks no other rule again.

use super::super::bundle::Bundle;
use super::super::condition::Bits;
use super::super::declared::subjects::States;
use super::super::kinds::caps::CapWindows;
use super::super::kinds::stackability::Stackability;
use super::super::rules::{OnMissing, RuleKind};
use super::super::verdict::Verdict;
use super::counted::{Counted, Ground};
use super::lifted::Lifting;
use super::sums::{Setting, Sums};
use super::{Scoped, Shelf, Shelves, Together};
use crate::domain::decision::Failed;
use crate::domain::{Catalogue, Timestamp};

/// What caps, rules about the whole answer and floors over it say behind what stands in the slots before.
pub struct Behind<'a> {
    bundle: &'a Bundle,
    shelves: &'a Shelves,
    /// Nothing in front of the first slot, for which caps have been asked already.
    counted: Option<Counted<'a>>,
    full: Vec<Full<'a>>,
    lifting: Lifting<'a>,
    sums: Sums<'a>,
}

/// A rule about answers that has no room for some offers.
struct Full<'a> {
    of: &'a Scoped<Together>,
    limit: u32,
    whom: Whom<'a>,
}

enum Whom<'a> {
    /// The members of a group, of which so many are there.
    Members(&'a Bits, u32),
    /// Offers paired with so many that are there.
    Paired(Vec<(u32, u32)>),
    /// Offers of these kinds, of which so many are there.
    Kinds(&'a [Option<u32>], Vec<(Option<u32>, u32)>),
}

impl<'a> Behind<'a> {
    /// Behind offers chosen, given by their positions in the catalogue, for a request from a jurisdiction; the states
    /// have those contacts counted.
    pub fn new<'s>(
        bundle: &'a Bundle,
        (shelves, catalogue): (&'a Shelves, &'a Catalogue),
        setting: Setting<'a>,
        chosen: &[u32],
        states: impl Into<States<'s>>,
        windows: &'a CapWindows,
    ) -> Option<Self> {
        let Setting { placement, jurisdiction, .. } = setting;
        let shelf = shelves.at(&placement.id)?;
        let (rules, keys, offers) = (bundle.rules.as_slice(), &shelves.keys, catalogue.offers());
        let ground = Ground { rules, shelf, keys, offers, placement, windows, jurisdiction, caps_alone: true };
        Some(Self {
            bundle,
            shelves,
            counted: Some(Counted::new(&ground, states.into())),
            full: full(bundle, shelf, chosen, (windows.now, jurisdiction)),
            lifting: Lifting::at(bundle, shelf, windows.now, jurisdiction),
            sums: Sums::new(bundle, shelf, (offers, chosen), setting, windows.now),
        })
    }

    /// In front of the first slot; nothing where no rule has anything to say that is not said of all slots.
    pub fn nothing(
        bundle: &'a Bundle,
        (shelves, catalogue): (&'a Shelves, &'a Catalogue),
        setting: Setting<'a>,
        now: Timestamp,
    ) -> Option<Self> {
        let shelf = shelves.at(&setting.placement.id)?;
        let sums = Sums::new(bundle, shelf, (catalogue.offers(), &[]), setting, now);
        let lifting = Lifting::at(bundle, shelf, now, setting.jurisdiction);
        (!sums.is_none()).then_some(Self { bundle, shelves, counted: None, full: Vec::new(), lifting, sums })
    }

    /// Adds every rule that leaves an offer out there, and what caps counted for it; notes what only speaks.
    pub fn ask(&self, offer: u32, verdict: &mut Verdict) {
        if let Some(counted) = &self.counted {
            counted.ask(&self.shelves.keys, offer, &mut verdict.failed, &mut verdict.readings);
        }
        for Full { of, limit, whom } in self.full.iter().filter(|full| full.of.covers(offer)) {
            let there = match whom {
                Whom::Members(members, there) => members.has(offer as usize).then_some(*there),
                Whom::Paired(paired) => paired.iter().find(|(with, _)| *with == offer).map(|(_, there)| *there),
                Whom::Kinds(kinds, full) => {
                    let kind = kinds.get(offer as usize).copied().flatten();
                    full.iter().find(|(full, _)| *full == kind).map(|(_, there)| *there)
                }
            };
            let failed =
                |there: u32| Failed { rule: of.rule, observed: Some(there.into()), limit: Some((*limit).into()) };
            verdict.failed.extend(there.map(failed));
        }
        self.sums.ask(offer, &mut verdict.failed);
        verdict.settle(self.bundle);
        self.lifting.lift(self.bundle, offer, verdict);
    }
}

/// The rules about answers that have no room left for some offers.
fn full<'a>(
    bundle: &Bundle,
    shelf: &'a Shelf,
    chosen: &[u32],
    (now, jurisdiction): (Timestamp, Option<&str>),
) -> Vec<Full<'a>> {
    let full = shelf.answers.iter().filter_map(|of| {
        let rule = bundle.rule(of.rule).filter(|rule| rule.in_force(now, jurisdiction))?;
        let (limit, whom) = match (&of.of, &rule.kind) {
            (Together::Group(members), RuleKind::Stackability(Stackability::Group { at_most, .. })) => {
                let there = count(chosen.iter().filter(|other| members.has(**other as usize)));
                (*at_most, Whom::Members(members, (there >= *at_most).then_some(there)?))
            }
            (Together::Pairs(pairs), _) => (1, Whom::Paired(paired(pairs, chosen))),
            (Together::Kinds(kinds), RuleKind::Diversity(diversity)) => {
                let kind = |offer: &u32| kinds.get(*offer as usize).copied().flatten();
                let mut there: Vec<(Option<u32>, u32)> = Vec::new();
                for kind in chosen.iter().filter(|other| of.covers(**other)).map(kind) {
                    match there.iter_mut().find(|(known, _)| *known == kind) {
                        Some((_, count)) => *count += 1,
                        None => there.push((kind, 1)),
                    }
                }
                // Offers whose kind is not known are one kind together, unless the rule lets them be.
                let allowed = rule.on_missing == OnMissing::Allow;
                there.retain(|(kind, count)| *count >= diversity.at_most && !(allowed && kind.is_none()));
                (diversity.at_most, Whom::Kinds(kinds, there))
            }
            _ => return None,
        };
        Some(Full { of, limit, whom })
    });
    full.collect()
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// Each offer that is paired with some that are there, with how many.
fn paired(pairs: &[(u32, u32)], chosen: &[u32]) -> Vec<(u32, u32)> {
    let with = |other: u32| {
        let partner = move |(a, b): &(u32, u32)| match other {
            other if other == *a => Some(*b),
            other if other == *b => Some(*a),
            _ => None,
        };
        let mut partners: Vec<u32> = pairs.iter().filter_map(partner).collect();
        partners.sort_unstable();
        partners.dedup();
        partners
    };
    let mut found: Vec<(u32, u32)> = Vec::new();
    for partner in chosen.iter().flat_map(|other| with(*other)) {
        match found.iter_mut().find(|(known, _)| *known == partner) {
            Some((_, count)) => *count += 1,
            None => found.push((partner, 1)),
        }
    }
    found
}
