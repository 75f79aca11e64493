//! Counters of caps and cool-downs, read once per decision and looked up by number. Counts no contact.
//!
//! A rule of which nothing is counted lets every offer through, so that only what is counted is ever asked about.

use super::super::declared::subjects::States;
use super::super::kinds::caps::{self, CapBy, CapWindows, WithoutIdentifier};
use super::super::rules::{Rule, RuleKind};
use super::super::verdict::Reading;
use super::keys::{Apart, Keys};
use super::{Scoped, Shelf};
use crate::domain::decision::Failed;
use crate::domain::{CapCounter, Offer, Placement, SubjectState, Timestamp};

/// What is counted of one rule.
struct Tally<'a> {
    /// Position in the shelf.
    at: usize,
    of: &'a Scoped<()>,
    apart: Apart,
    limit: u32,
    says: Says,
}

enum Says {
    /// Contacts that a cap counts: for every offer, and by number; and how many of them one more joins.
    Used { everywhere: Used, by: Vec<(u32, Used)>, tell_joined: bool },
    /// Events that a cool-down counts and until when it then holds: for every offer, and by number.
    Cooling { everywhere: Cooling, by: Vec<(u32, Cooling)> },
    /// Nobody can be counted for, and the rule leaves out whoever is not known.
    Unidentified,
}

/// How many, and how many of them one more joins.
type Used = (usize, usize);

type Cooling = (Option<Timestamp>, usize);

/// What caps and cool-downs say in one decision, or for one slot of it.
pub(super) struct Counted<'a> {
    tallies: Vec<Tally<'a>>,
}

/// What of a shelf is asked.
pub(super) struct Ground<'a> {
    pub(super) rules: &'a [Rule],
    pub(super) shelf: &'a Shelf,
    pub(super) keys: &'a Keys,
    pub(super) offers: &'a [Offer],
    pub(super) placement: &'a Placement,
    pub(super) windows: &'a CapWindows,
    /// Where the request comes from.
    pub(super) jurisdiction: Option<&'a str>,
    /// Whether caps alone are asked.
    pub(super) caps_alone: bool,
}

impl<'a> Counted<'a> {
    pub(super) fn new(ground: &Ground<'a>, states: States<'_>) -> Self {
        let mut tallies: Vec<Tally<'a>> = Vec::new();
        tallies.extend((0..ground.shelf.counting.len()).filter_map(|at| unidentified(ground, states, at)));
        for state in states.each() {
            let mut last: Option<(&CapCounter, Option<usize>)> = None;
            for counter in &state.caps {
                let same = last.filter(|(before, _)| before.rule == counter.rule);
                let at = same.map_or_else(|| find(ground, counter), |(_, at)| at);
                // A household's counters are not those of a session that stood for one elsewhere.
                let at = at.filter(|at| held(ground, states, *at).is_some_and(|held| std::ptr::eq(held, state)));
                last = Some((counter, at));
                if let Some(at) = at {
                    read(ground, &mut tallies, at, counter);
                }
            }
        }
        tallies.sort_by_key(|tally| tally.at);
        tallies.iter_mut().for_each(Tally::settle);
        Self { tallies }
    }

    /// Adds what they say of one offer.
    pub(super) fn ask(&self, keys: &Keys, offer: u32, failed: &mut Vec<Failed>, readings: &mut Vec<Reading>) {
        for tally in self.tallies.iter().filter(|tally| tally.of.covers(offer)) {
            let Tally { of: Scoped { rule, .. }, apart, limit, .. } = *tally;
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let mut joined = None;
            let (used, until, fails) = match &tally.says {
                Says::Unidentified => (0, None, true),
                Says::Used { everywhere, by, tell_joined } => {
                    let own = keys.of(apart, &offer).iter().filter_map(|key| found(by, *key));
                    let (used, own) = own.fold(*everywhere, sum);
                    joined = tell_joined.then(|| number(own));
                    (number(used), None, number(used) >= limit)
                }
                Says::Cooling { everywhere, by } => {
                    let own = keys.of(apart, &offer).iter().filter_map(|key| found(by, *key));
                    let (until, counted) = own.fold(*everywhere, Ord::max);
                    (number(counted), until, until.is_some())
                }
            };
            readings.extend((used > 0).then_some(Reading { rule: *rule, used, limit, until, joined }));
            failed.extend(fails.then_some(Failed { rule: *rule, observed: None, limit: Some(i64::from(limit)) }));
        }
    }
}

fn sum(one: Used, other: Used) -> Used {
    (one.0 + other.0, one.1 + other.1)
}

fn found<T: Copy>(by: &[(u32, T)], key: u32) -> Option<T> {
    let at = by.binary_search_by_key(&key, |(key, _)| *key).ok()?;
    by.get(at).map(|(_, found)| *found)
}

impl Tally<'_> {
    /// Sorts what is counted by number, and unites what is counted twice.
    fn settle(&mut self) {
        match &mut self.says {
            Says::Used { by, .. } => {
                by.sort_unstable();
                by.dedup_by(|(key, used), (kept, all)| {
                    key == kept && {
                        *all = sum(*all, *used);
                        true
                    }
                });
            }
            Says::Cooling { by, .. } => {
                by.sort_unstable();
                by.dedup_by(|(key, cooling), (kept, most)| {
                    key == kept && {
                        *most = (*most).max(*cooling);
                        true
                    }
                });
            }
            Says::Unidentified => {}
        }
    }
}

fn rule_of<'a>(ground: &Ground<'a>, at: usize) -> Option<(&'a Scoped<()>, &'a Rule)> {
    let of = ground.shelf.counting.get(at)?;
    let rule = ground.rules.get(usize::from(of.rule))?;
    let asked = !ground.caps_alone || matches!(rule.kind, RuleKind::FrequencyCap(_));
    (asked && rule.in_force(ground.windows.now, ground.jurisdiction)).then_some((of, rule))
}

/// The state that holds the counters of a rule.
fn held<'s>(ground: &Ground<'_>, states: States<'s>, at: usize) -> Option<&'s SubjectState> {
    let of = ground.shelf.counting.get(at)?;
    match &ground.rules.get(usize::from(of.rule))?.kind {
        RuleKind::FrequencyCap(cap) => states.state_of(cap),
        _ => states.customer(),
    }
}

fn unidentified<'a>(ground: &Ground<'a>, states: States<'_>, at: usize) -> Option<Tally<'a>> {
    if held(ground, states, at).is_some() {
        return None;
    }
    let (of, rule) = rule_of(ground, at)?;
    let (limit, allowed) = match &rule.kind {
        RuleKind::FrequencyCap(cap) => (cap.max, cap.without_identifier == WithoutIdentifier::Allow),
        RuleKind::CoolDown(cool_down) => (cool_down.times, cool_down.allow_unidentified),
        _ => return None,
    };
    (!allowed).then_some(Tally { at, of, apart: Apart::Together, limit, says: Says::Unidentified })
}

/// The rule of a counter, by its position in the shelf.
fn find(ground: &Ground<'_>, counter: &CapCounter) -> Option<usize> {
    let order = |at: &usize| {
        let rule = ground.shelf.counting.get(*at).and_then(|of| ground.rules.get(usize::from(of.rule)));
        rule.map_or(std::cmp::Ordering::Less, |rule| rule.id.cmp(&counter.rule))
    };
    let by_id = &ground.shelf.counting_by_id;
    by_id.binary_search_by(order).ok().and_then(|found| by_id.get(found)).copied()
}

/// Takes in one counter.
fn read<'a>(ground: &Ground<'a>, tallies: &mut Vec<Tally<'a>>, at: usize, counter: &CapCounter) {
    let Some((of, rule)) = rule_of(ground, at) else { return };
    match &rule.kind {
        RuleKind::FrequencyCap(cap) => {
            let apart = match cap.by {
                CapBy::All | CapBy::Channel => Apart::Together,
                CapBy::Offer => Apart::Offer,
                CapBy::Category => Apart::Category,
                CapBy::Campaign => Apart::Campaign,
            };
            let used = caps::counted(cap, counter, ground.windows.of(cap), ground.windows.now);
            // A counter without a name holds contacts of which nobody knows what they were: they count for everything.
            let all = counter.of.is_none()
                || cap.by == CapBy::Channel && counter.of.as_deref() == Some(ground.placement.channel.as_str());
            let key = counter.of.as_deref().and_then(|name| ground.keys.named(apart, name, ground.offers));
            if used.0 == 0 || !all && key.is_none() {
                return;
            }
            let says = tally(tallies, at, || Tally {
                at,
                of,
                apart,
                limit: cap.max,
                says: Says::Used {
                    everywhere: (0, 0),
                    by: Vec::new(),
                    // What is shown though a cap is reached is counted on.
                    tell_joined: !rule.blocks() || !ground.shelf.put_in.is_empty(),
                },
            });
            if let Some(Says::Used { everywhere, by, .. }) = says {
                // Nothing that is chosen joins what nobody can name any more.
                let unnamed = counter.of.is_none() && cap.by != CapBy::All;
                let used = if unnamed { (used.0, 0) } else { used };
                *everywhere = if all { sum(*everywhere, used) } else { *everywhere };
                by.extend(key.filter(|_| !all).map(|key| (key, used)));
            }
        }
        RuleKind::CoolDown(cool_down) => {
            let apart = match cool_down.by {
                CapBy::All | CapBy::Channel => Apart::Together,
                CapBy::Offer => Apart::Offer,
                CapBy::Category => Apart::Categories,
                CapBy::Campaign => Apart::Campaign,
            };
            let cooling = caps::cooled(cool_down, counter, ground.windows.now);
            let all = apart == Apart::Together && counter.of.is_none();
            // What has no category and no campaign rests with no other.
            let name = counter.of.as_deref().filter(|name| !name.is_empty());
            let key = name.and_then(|name| ground.keys.named(apart, name, ground.offers));
            if cooling.1 == 0 || !all && key.is_none() {
                return;
            }
            let says = tally(tallies, at, || Tally {
                at,
                of,
                apart,
                limit: cool_down.times,
                says: Says::Cooling { everywhere: (None, 0), by: Vec::new() },
            });
            if let Some(Says::Cooling { everywhere, by }) = says {
                *everywhere = if all { (*everywhere).max(cooling) } else { *everywhere };
                by.extend(key.map(|key| (key, cooling)));
            }
        }
        _ => {}
    }
}

/// What is counted of a rule so far.
fn tally<'t, 'a>(tallies: &'t mut Vec<Tally<'a>>, at: usize, new: impl FnOnce() -> Tally<'a>) -> Option<&'t mut Says> {
    // Counters of one rule come one behind another.
    let known = tallies.iter().rposition(|tally| tally.at == at);
    let known = known.unwrap_or_else(|| {
        tallies.push(new());
        tallies.len() - 1
    });
    tallies.get_mut(known).map(|tally| &mut tally.says)
}
