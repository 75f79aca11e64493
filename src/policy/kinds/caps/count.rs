//! Counters of caps and cool-downs: read, counted into, confirmed, rebuilt. Knows no clock and no store.
//!
//! Counters are sets of which the newest are kept: the same contacts in any order, however often, give the same bytes.

use super::super::cool_downs::{CoolDown, EVENTS_KEPT_MAX};
use super::{Cap, CapBy, CapCounts, caps, cool_downs};
use crate::domain::outcome::OutcomeKind;
use crate::domain::subject::{CapHold, Held};
use crate::domain::{
    CapCounter, Catalogue, DecisionId, Digest, Offer, OfferId, Placement, PlacementId, SubjectKind, SubjectKinds,
    SubjectState, Timestamp,
};
use crate::policy::bundle::Bundle;
use crate::policy::rules::{Rule, RuleKind};

/// What was chosen for one slot of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Which decision.
    pub decision: DecisionId,
    /// Which of its slots, from zero.
    pub slot: u16,
    /// When it was decided.
    pub at: Timestamp,
    /// Until when it is reserved where impressions count; only instants before it.
    pub reserved_until: Timestamp,
    /// What the subject whose counters these are stood for.
    pub stands_for: SubjectKinds,
}

/// A contact as it is read back: an offer chosen for a slot, and whether it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What was chosen.
    pub chosen: Chosen,
    /// Where.
    pub placement: PlacementId,
    /// The offer.
    pub offer: OfferId,
    /// Its newest impression within the placement's window, if there is one.
    pub seen: Option<Timestamp>,
    /// Its newest click within the placement's window, if there is one.
    pub clicked: Option<Timestamp>,
    /// Its newest order within the placement's window, if there is one.
    pub redeemed: Option<Timestamp>,
    /// What followed it that cool-downs may count, each kind once, at its newest.
    pub events: Vec<(OutcomeKind, Timestamp)>,
    /// Whether its reservation was given back.
    pub released: bool,
}

impl Contact {
    /// Whether anything followed it that caps or cool-downs may count.
    pub fn followed(&self) -> bool {
        self.released || self.seen.or(self.clicked).or(self.redeemed).is_some() || !self.events.is_empty()
    }

    /// When what a cap counts happened, if it did and has not happened by itself.
    fn confirmed(&self, counts: CapCounts) -> Option<Timestamp> {
        match counts {
            CapCounts::Decision => None,
            CapCounts::Impression => self.seen,
            CapCounts::Click => self.clicked,
            CapCounts::Redemption => self.redeemed,
        }
    }
}

/// Marks counters that are to be rebuilt from contacts, whatever the bundle.
const TO_BE_REBUILT: Digest = Digest([0; 32]);

/// Marks counters that whoever reads them next builds anew from contacts, whatever the bundle.
pub fn outdate_caps(state: &mut SubjectState) {
    state.cap_set = Some(TO_BE_REBUILT);
}

/// What a cap counts apart for an offer at a placement.
pub(in crate::policy) fn apart<'a>(by: CapBy, placement: &'a Placement, offer: &'a Offer) -> Option<&'a str> {
    match by {
        CapBy::All => None,
        CapBy::Offer => Some(offer.offer_id.as_str()),
        CapBy::Category => Some(offer.category.as_ref().map_or("", |category| category.as_str())),
        CapBy::Channel => Some(placement.channel.as_str()),
        CapBy::Campaign => Some(offer.campaign.as_ref().map_or("", |campaign| campaign.as_str())),
    }
}

/// Contacts of a counter that a cap counts from an instant on, reservations that have not ended included; and how many
/// of them one more joins.
pub(in crate::policy) fn counted(cap: &Cap, counter: &CapCounter, from: Timestamp, now: Timestamp) -> (usize, usize) {
    let decided = counter.at.iter().filter(|at| **at >= from).count();
    let (mut reserved, mut seen) = (0, 0);
    for hold in &counter.held {
        match hold.held {
            Held::ReservedUntil(until) => reserved += usize::from(until > now),
            Held::SeenAt(at) => seen += usize::from(at >= from),
        }
    }
    (decided + reserved + seen, if cap.counts == CapCounts::Decision { decided } else { reserved })
}

/// Until when the events of a counter leave offers out, if they do, and how many they are. What happened up to the
/// newest event that undoes them counts no more; that one stands in `at`.
pub(in crate::policy) fn cooled(
    cool_down: &CoolDown,
    counter: &CapCounter,
    now: Timestamp,
) -> (Option<Timestamp>, usize) {
    let undone = counter.at.iter().max();
    let mut events: Vec<Timestamp> = counter
        .held
        .iter()
        .filter_map(|hold| match hold.held {
            Held::SeenAt(at) => Some(at).filter(|at| undone.is_none_or(|undone| at > undone)),
            Held::ReservedUntil(_) => None,
        })
        .collect();
    events.sort_unstable();
    (cool_down.ends(&events).filter(|until| *until > now), events.len())
}

/// What an offer counts as for a cool-down, and rests with: each of its categories. One without a category or a
/// campaign rests with no other.
pub(in crate::policy) fn rests_with(by: CapBy, offer: &Offer) -> Vec<Option<&str>> {
    match by {
        CapBy::Offer => vec![Some(offer.offer_id.as_str())],
        // No cool-down is about a channel.
        CapBy::All | CapBy::Channel => vec![None],
        CapBy::Category => offer.categories().map(|category| Some(category.as_str())).collect(),
        CapBy::Campaign => offer.campaign.iter().map(|campaign| Some(campaign.as_str())).collect(),
    }
}

/// Counts or reserves what was chosen for every cap that applies, and tidies the counters: at most the newest `max`
/// contacts that may still count, no empty counter, none of a rule that the bundle does not have. Marks the state with
/// the bundle's cap set. Says whether any cap counted it.
pub fn count_contact(
    bundle: &Bundle,
    placement: &Placement,
    offer: &Offer,
    state: &mut SubjectState,
    chosen: &Chosen,
) -> bool {
    let mut counted = false;
    let counts = |(rule, cap): &(&Rule, &Cap)| {
        placement.counts_toward_caps && cap.counts_for(chosen.stands_for) && rule.applies_to.covers(placement, offer)
    };
    for (rule, cap) in caps(bundle).filter(counts) {
        put(counter(state, rule, apart(cap.by, placement, offer)), cap.counts, chosen, None);
        counted = true;
    }
    tidy(bundle, state, chosen.at);
    counted
}

/// Builds every counter anew from contacts, in any order. A contact whose placement or offer is gone counts wherever it
/// cannot be shown to fall outside.
pub fn rebuild_caps(
    bundle: &Bundle,
    catalogue: &Catalogue,
    contacts: &[Contact],
    state: &mut SubjectState,
    now: Timestamp,
) {
    state.caps.clear();
    for contact in contacts {
        let counts = |(rule, cap): &(&Rule, &Cap)| {
            // What was given back is reserved no more, unless it was confirmed since; that it was decided counts.
            let held = !contact.released || cap.counts == CapCounts::Decision;
            (held || contact.confirmed(cap.counts).is_some())
                && cap.counts_for(contact.chosen.stands_for)
                && caps_cover(rule, bundle, catalogue, contact)
        };
        for (rule, cap) in caps(bundle).filter(counts) {
            put(
                counter(state, rule, apart_of(cap.by, bundle, catalogue, contact)),
                cap.counts,
                &contact.chosen,
                contact.confirmed(cap.counts),
            );
        }
        put_events(bundle, catalogue, contact, state);
    }
    tidy(bundle, state, now);
}

/// Confirms what was reserved for a contact that was seen, followed or bought, and counts what else happened. Doing so
/// again changes nothing, and a contact whose reservation has ended counts all the same. A state whose counters are of
/// another cap set, or that holds a reservation given back, is marked to be rebuilt from contacts, which know of what
/// followed.
pub fn confirm_contact(
    bundle: &Bundle,
    catalogue: &Catalogue,
    contact: &Contact,
    state: &mut SubjectState,
    now: Timestamp,
) {
    // A counter keeps only the newest reservations: which one takes the place of one given back, contacts alone know.
    if state.cap_set != Some(bundle.cap_set) || contact.released {
        state.cap_set = Some(TO_BE_REBUILT);
        return;
    }
    let confirmed = |(rule, cap): &(&Rule, &Cap)| {
        let counts = contact.confirmed(cap.counts).is_some() && cap.counts_for(contact.chosen.stands_for);
        counts && caps_cover(rule, bundle, catalogue, contact)
    };
    for (rule, cap) in caps(bundle).filter(confirmed) {
        // Where it was reserved it is confirmed, even if the offer has moved to another category since.
        let holds = |counter: &CapCounter| counter.held.iter().any(|hold| is_of(hold, &contact.chosen));
        let reserved = state.caps.iter().position(|counter| counter.rule == rule.id && holds(counter));
        let found = match reserved.and_then(|at| state.caps.get_mut(at)) {
            Some(found) => found,
            None => counter(state, rule, apart_of(cap.by, bundle, catalogue, contact)),
        };
        put(found, cap.counts, &contact.chosen, contact.confirmed(cap.counts));
    }
    put_events(bundle, catalogue, contact, state);
    tidy(bundle, state, now);
}

/// Counts what followed a contact for every cool-down that it starts, is part of or undoes. Nobody knows the categories
/// and the campaign of an offer that is gone: for those it counts nowhere, or else everything would rest.
fn put_events(bundle: &Bundle, catalogue: &Catalogue, contact: &Contact, state: &mut SubjectState) {
    if !contact.chosen.stands_for.has(SubjectKind::Customer) {
        return;
    }
    for (rule, cool_down) in cool_downs(bundle) {
        if !covers(rule, bundle, catalogue, contact) {
            continue;
        }
        let of = match catalogue.offer(contact.offer.as_str()) {
            Some(offer) => rests_with(cool_down.by, offer),
            None if cool_down.by == CapBy::Offer => vec![Some(contact.offer.as_str())],
            None if cool_down.by == CapBy::All => vec![None],
            None => Vec::new(),
        };
        for (kind, at) in &contact.events {
            let starts = *kind == cool_down.event;
            if !starts && cool_down.unless != Some(*kind) {
                continue;
            }
            for of in &of {
                let counter = counter(state, rule, *of);
                if starts {
                    put(counter, CapCounts::Impression, &contact.chosen, Some(*at));
                } else {
                    counter.at.push((*at).max(contact.chosen.at));
                }
            }
        }
    }
}

/// As [`covers`], for caps: some placements keep their contacts out of all of them.
fn caps_cover(rule: &Rule, bundle: &Bundle, catalogue: &Catalogue, contact: &Contact) -> bool {
    let counts = bundle.placements.get(&contact.placement).is_none_or(|placement| placement.counts_toward_caps);
    counts && covers(rule, bundle, catalogue, contact)
}

fn covers(rule: &Rule, bundle: &Bundle, catalogue: &Catalogue, contact: &Contact) -> bool {
    let placement = (&contact.placement, bundle.placements.get(&contact.placement));
    let offer = (&contact.offer, catalogue.offer(contact.offer.as_str()));
    rule.applies_to.covers_contact(placement, offer)
}

/// As [`apart`], for a contact whose placement or offer may be gone.
fn apart_of<'a>(by: CapBy, bundle: &'a Bundle, catalogue: &'a Catalogue, contact: &'a Contact) -> Option<&'a str> {
    match by {
        CapBy::All => None,
        CapBy::Offer => Some(contact.offer.as_str()),
        CapBy::Category => {
            let offer = catalogue.offer(contact.offer.as_str())?;
            Some(offer.category.as_ref().map_or("", |category| category.as_str()))
        }
        CapBy::Channel => bundle.placements.get(&contact.placement).map(|placement| placement.channel.as_str()),
        CapBy::Campaign => {
            let offer = catalogue.offer(contact.offer.as_str())?;
            Some(offer.campaign.as_ref().map_or("", |campaign| campaign.as_str()))
        }
    }
}

fn is_of(hold: &CapHold, chosen: &Chosen) -> bool {
    hold.decision == chosen.decision && hold.slot == chosen.slot
}

fn counter<'s>(state: &'s mut SubjectState, rule: &Rule, of: Option<&str>) -> &'s mut CapCounter {
    let known = state.caps.iter().position(|counter| counter.rule == rule.id && counter.of.as_deref() == of);
    let at = known.unwrap_or_else(|| {
        let of = of.map(str::to_owned);
        state.caps.push(CapCounter { rule: rule.id.clone(), of, at: Vec::new(), held: Vec::new() });
        state.caps.len() - 1
    });
    &mut state.caps[at]
}

/// Counts a contact. What was seen several times counts once, when it was seen last: so any order gives the same.
fn put(counter: &mut CapCounter, counts: CapCounts, chosen: &Chosen, seen: Option<Timestamp>) {
    match counts {
        CapCounts::Decision => counter.at.push(chosen.at),
        CapCounts::Impression | CapCounts::Click | CapCounts::Redemption => {
            // A source's clock may be behind: nothing is seen before it was decided.
            let held = seen.map_or(Held::ReservedUntil(chosen.reserved_until), |at| Held::SeenAt(at.max(chosen.at)));
            match counter.held.iter_mut().find(|hold| is_of(hold, chosen)) {
                Some(hold) => hold.held = hold.held.max(held),
                None => counter.held.push(CapHold { decision: chosen.decision, slot: chosen.slot, held }),
            }
        }
    }
}

fn tidy(bundle: &Bundle, state: &mut SubjectState, now: Timestamp) {
    let mut last: Option<&Rule> = None;
    state.caps.retain_mut(|counter| {
        // Counters of one rule stand together, so that each rule is searched for once.
        let same = last.filter(|rule| rule.id == counter.rule);
        let counts = |rule: &&Rule| matches!(rule.kind, RuleKind::FrequencyCap(_) | RuleKind::CoolDown(_));
        let rule = same.or_else(|| bundle.rules.iter().filter(counts).find(|rule| rule.id == counter.rule));
        last = rule.or(last);
        let (from, max) = match rule.map(|rule| &rule.kind) {
            Some(RuleKind::FrequencyCap(cap)) => {
                (cap.window.kept_from(now), usize::try_from(cap.max).unwrap_or(usize::MAX))
            }
            Some(RuleKind::CoolDown(cool_down)) => {
                // Of what undoes events the newest is enough, and what it undoes is not kept.
                counter.at = counter.at.iter().max().copied().into_iter().collect();
                let undone = |held: Held| counter.at.iter().any(|undone| held <= Held::SeenAt(*undone));
                counter.held.retain(|hold| !undone(hold.held));
                (cool_down.kept_from(now), EVENTS_KEPT_MAX)
            }
            _ => return false,
        };
        counter.at.retain(|at| *at >= from);
        counter.at.sort_unstable();
        let surplus = counter.at.len().saturating_sub(max);
        counter.at.drain(..surplus);
        counter.held.retain(|hold| match hold.held {
            Held::ReservedUntil(until) => until > now,
            Held::SeenAt(at) => at >= from,
        });
        // Reservations and confirmed contacts each keep the newest `max`: as many as it takes to see the cap reached.
        counter.held.sort_unstable_by_key(|hold| (hold.held, hold.decision, hold.slot));
        let reserved = counter.held.partition_point(|hold| matches!(hold.held, Held::ReservedUntil(_)));
        let surplus_seen = (counter.held.len() - reserved).saturating_sub(max);
        counter.held.drain(reserved..reserved + surplus_seen);
        counter.held.drain(..reserved.saturating_sub(max));
        !(counter.at.is_empty() && counter.held.is_empty())
    });
    // One order whatever the history, so that equal counts are equal bytes.
    state.caps.sort_by(|a, b| (&a.rule, &a.of).cmp(&(&b.rule, &b.of)));
    state.cap_set = Some(bundle.cap_set);
}
