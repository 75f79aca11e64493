//! Counters made of what a record read of them, so that reading them says the same again. Knows no contact.

use std::collections::BTreeMap;

use super::super::cool_downs::CoolDown;
use super::count::{apart, rests_with};
use super::{Cap, CapBy, CapCounts};
use crate::domain::decision::CapReading;
use crate::domain::subject::{CapHold, Held};
use crate::domain::{CapCounter, DecisionId, Offer, Placement, Span, SubjectKind, SubjectKinds, Timestamp};
use crate::policy::bundle::Bundle;
use crate::policy::rules::{Rule, RuleKind};

/// An offer with what was read of its counters in front of the first slot; what was not read was not counted.
pub type ReadOf<'a> = (&'a Offer, Vec<CapReading>);

/// The counters of a subject that stands for these kinds, given what was read of them for every offer considered.
pub fn counters_read(
    bundle: &Bundle,
    placement: &Placement,
    (read, stands_for): (&[ReadOf<'_>], SubjectKinds),
    now: Timestamp,
) -> Vec<CapCounter> {
    let mut counters = Vec::new();
    for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
        let covers = |offer: &Offer| rule.applies_to.covers(placement, offer);
        let of_rule = read.iter().filter(|(offer, _)| covers(offer)).map(|(offer, readings)| {
            let reading = readings.iter().find(|reading| reading.rule == at);
            (*offer, reading)
        });
        match &rule.kind {
            RuleKind::FrequencyCap(cap) if cap.counts_for(stands_for) => {
                counters.extend(of_cap((rule, cap), placement, of_rule, now));
            }
            RuleKind::CoolDown(cool_down) if stands_for.has(SubjectKind::Customer) => {
                counters.extend(of_cool_down((rule, cool_down), of_rule, now));
            }
            _ => {}
        }
    }
    // In the order in which they are kept.
    counters.sort_by(|a, b| (&a.rule, &a.of).cmp(&(&b.rule, &b.of)));
    counters
}

/// One counter for each thing counted apart, and one of what nobody can name any more, which counts for everything: no
/// more than was read of any offer, and no less than there was.
fn of_cap<'a>(
    (rule, cap): (&Rule, &Cap),
    placement: &Placement,
    read: impl Iterator<Item = (&'a Offer, Option<&'a CapReading>)>,
    now: Timestamp,
) -> Vec<CapCounter> {
    let (mut of, mut unnamed): (BTreeMap<Option<&str>, Counted>, Option<u32>) = (BTreeMap::new(), None);
    for (offer, reading) in read {
        let counted = reading.map_or(Counted { joined: 0, rest: 0 }, |reading| Counted::of(cap, reading));
        // Where it is not said what is joined, it does not matter.
        let rest = if reading.is_some_and(|reading| reading.joined.is_none()) { 0 } else { counted.rest };
        unnamed = Some(unnamed.map_or(rest, |least| least.min(rest)));
        of.entry(apart(cap.by, placement, offer)).or_insert(counted);
    }
    let unnamed = unnamed.filter(|_| cap.by != CapBy::All).unwrap_or(0);
    let counter = |of: Option<&str>, at: u32, seen: u32, reserved: u32| {
        let held = holds(reserved, Held::ReservedUntil(now.plus(Span(1)))).chain(holds(seen, Held::SeenAt(now)));
        CapCounter { rule: rule.id.clone(), of: of.map(str::to_owned), at: times(at, now), held: held.collect() }
    };
    // No more than `max` of each sort are kept; nothing joins what has no name, and so it may be of any sort.
    let (at, more) = (unnamed.min(cap.max), unnamed.saturating_sub(cap.max));
    let nobodys = counter(None, at, more.min(cap.max), more.saturating_sub(cap.max));
    let own = of.into_iter().map(|(of, counted)| {
        let rest = counted.rest - unnamed.min(counted.rest);
        match cap.counts {
            CapCounts::Decision => counter(of, counted.joined, rest, 0),
            CapCounts::Impression | CapCounts::Click | CapCounts::Redemption => counter(of, 0, rest, counted.joined),
        }
    });
    let any = |counter: &CapCounter| !counter.at.is_empty() || !counter.held.is_empty();
    own.chain([nobodys]).filter(any).collect()
}

/// Contacts counted: those that one more joins, and the rest.
#[derive(Clone, Copy)]
struct Counted {
    joined: u32,
    rest: u32,
}

impl Counted {
    /// Where it is not said, nothing more is counted once the cap is reached, and any of them will do.
    fn of(cap: &Cap, reading: &CapReading) -> Self {
        let any = match cap.counts {
            CapCounts::Decision => reading.used,
            CapCounts::Impression | CapCounts::Click | CapCounts::Redemption => 0,
        };
        let joined = reading.joined.unwrap_or(any).min(reading.used);
        Self { joined, rest: reading.used - joined }
    }
}

/// Of an offer that rests with several categories the most was read: so each of them has counted no more than what was
/// read of any offer that rests with it, and one of them has counted that.
fn of_cool_down<'a>(
    (rule, cool_down): (&Rule, &CoolDown),
    read: impl Iterator<Item = (&'a Offer, Option<&'a CapReading>)>,
    now: Timestamp,
) -> Vec<CapCounter> {
    let mut of: BTreeMap<Option<&str>, (Option<Timestamp>, u32)> = BTreeMap::new();
    for (offer, reading) in read {
        let counted = reading.map_or((None, 0), |reading| (reading.until, reading.used));
        for key in rests_with(cool_down.by, offer) {
            let least = of.entry(key).or_insert(counted);
            *least = (*least).min(counted);
        }
    }
    let counter = |(of, (until, used)): (Option<&str>, (Option<Timestamp>, u32))| {
        // All at one instant: those start a cool-down if there are enough of them, and it has ended or has not.
        let ends = until.unwrap_or(now);
        let held = holds(used, Held::SeenAt(ends.minus(cool_down.suppress_for))).collect();
        CapCounter { rule: rule.id.clone(), of: of.map(str::to_owned), at: Vec::new(), held }
    };
    of.into_iter().filter(|(_, (_, used))| *used > 0).map(counter).collect()
}

fn times(count: u32, at: Timestamp) -> Vec<Timestamp> {
    (0..count).map(|_| at).collect()
}

/// So many contacts of a decision that nobody made.
fn holds(count: u32, held: Held) -> impl Iterator<Item = CapHold> {
    (0..count).map(move |slot| CapHold {
        decision: DecisionId::from_bytes([0; 16]),
        slot: u16::try_from(slot).unwrap_or(u16::MAX),
        held,
    })
}
