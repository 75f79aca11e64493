//! Counting: what every cap had to count, over all records, one contact after another. Slow and plain; shares nothing
//! with the counters of the engine.
//!
//! Contacts stand in the order of the states that were read. What a source told is counted as told only where the
//! decision was asked for after the answer to it, and as not told only where it was answered before; in between both
//! are right.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use proffer::domain::outcome::OutcomeKind;
use proffer::domain::{DecisionId, SubjectId, Timestamp};

use super::bylaws::{TownCap, Window};
use super::facts::{Fact, rule};
use super::town::{Edition, group_of};

/// When something was sent and when it was answered, on the one clock of the clients.
pub type Between = (u64, u64);

/// What the clients know.
pub struct Witness<'a> {
    pub facts: &'a BTreeMap<DecisionId, Fact>,
    pub editions: [&'a Edition; 2],
    /// When each decision was asked for, and where its customer is.
    pub asked: BTreeMap<DecisionId, (Between, Tz)>,
    /// When each outcome was told.
    pub told: BTreeMap<(DecisionId, OutcomeKind), Between>,
}

/// What came of counting.
#[derive(Default)]
pub struct Count {
    pub wrong: Vec<String>,
    /// Caps that left an offer out, and rightly so.
    pub reached: BTreeSet<&'static str>,
    /// Readings compared.
    pub compared: u64,
    /// Reservations that had ended, unseen, when it was counted.
    pub released: u64,
    /// Contacts that count although their reservation had ended, as they were seen or followed.
    pub confirmed: u64,
}

/// One slot of a decision that asks how much is counted for an offer.
#[derive(Clone, Copy)]
struct Question<'a> {
    fact: &'a Fact,
    cap: &'a TownCap,
    slot: usize,
    offer: u32,
}

fn day_of(at: Timestamp, zone: Tz) -> NaiveDate {
    DateTime::from_timestamp_millis(at.0).unwrap().with_timezone(&zone).date_naive()
}

fn apart(by: &str, fact: &Fact, offer: u32) -> String {
    match by {
        "offer" => offer.to_string(),
        "category" => group_of(offer).0,
        "campaign" => group_of(offer).1,
        "channel" => fact.channel.0.to_owned(),
        "all" => String::new(),
        other => panic!("nothing is counted by {other}"),
    }
}

/// Counts everything again and compares.
pub fn count(witness: &Witness<'_>) -> Count {
    let mut count = Count::default();
    // Who was drawn for whom, by the version read: every decision that shows something counts for all its subjects.
    let mut drawn: BTreeMap<SubjectId, BTreeMap<u64, &Fact>> = BTreeMap::new();
    let mut of_subject: BTreeMap<SubjectId, Vec<&Fact>> = BTreeMap::new();
    for fact in witness.facts.values().filter(|fact| !fact.shown.is_empty()) {
        for read in &fact.read {
            of_subject.entry(read.subject).or_default().push(fact);
            if drawn.entry(read.subject).or_default().insert(read.version, fact).is_some() {
                let kind = read.kind.name();
                count
                    .wrong
                    .push(format!("decision {} read a version of a {kind} that another one had replaced", fact.id));
            }
        }
    }
    for fact in witness.facts.values().filter(|fact| !fact.contended && !fact.read.is_empty()) {
        let edition = witness.editions.iter().find(|edition| edition.hash() == fact.bundle).unwrap();
        for cap in &edition.caps {
            witness.compare(&mut count, &of_subject, edition, (fact, cap));
        }
    }
    count
}

impl Witness<'_> {
    fn compare(
        &self,
        count: &mut Count,
        of_subject: &BTreeMap<SubjectId, Vec<&Fact>>,
        edition: &Edition,
        (fact, cap): (&Fact, &TownCap),
    ) {
        let at = rule(edition, cap.id);
        let skeleton = &fact.opened.skeleton;
        let whose = fact.whose(cap.whose).unwrap();
        let before: Vec<&Fact> = of_subject.get(&whose.subject).into_iter().flatten().copied().collect();
        let mut used = BTreeMap::new();
        for reading in &fact.opened.private.contacts.readings {
            if usize::from(reading.rule) == at && reading.slot == 0 {
                used.insert(reading.candidate, reading.used);
            }
        }
        for (number, row) in (0_u32..).zip(&skeleton.candidates) {
            let Some(offer) = fact.offer_of(number) else { continue };
            let (fewest, most) = self.contacts(count, &before, Question { fact, cap, slot: 0, offer });
            let used = used.get(&number).copied().unwrap_or(0);
            let failed = row.failed.iter().any(|failed| usize::from(failed.rule) == at);
            count.compared += 1;
            // Of what a cap has no room for, the newest is kept.
            if !(fewest.min(cap.max)..=most.min(cap.max)).contains(&used.min(cap.max)) || failed != (used >= cap.max) {
                count.wrong.push(format!(
                    "decision {} counted {used} of {} for offer {offer} (left out: {failed}); there were {fewest} to \
                     {most}",
                    fact.id, cap.id
                ));
            }
            if failed && fewest >= cap.max {
                count.reached.insert(cap.id);
            }
        }
        for (slot, offer) in fact.shown.iter().enumerate() {
            let (fewest, _) = self.contacts(count, &before, Question { fact, cap, slot, offer: *offer });
            if fewest >= cap.max {
                count.wrong.push(format!("decision {} went over a cap: {fewest} of {}", fact.id, cap.id));
            }
        }
        for (slot, stands) in skeleton.slots.iter().enumerate() {
            for out in stands.left_out.iter().filter(|out| out.failed.iter().any(|it| usize::from(it.rule) == at)) {
                let offer = fact.offer_of(out.row).unwrap();
                let (_, most) = self.contacts(count, &before, Question { fact, cap, slot, offer });
                if most < cap.max {
                    let id = cap.id;
                    count.wrong.push(format!("decision {} left offer {offer} out by {id}: {most} counted", fact.id));
                }
            }
        }
    }

    /// How many contacts count, at least and at most.
    fn contacts(&self, count: &mut Count, before: &[&Fact], question: Question<'_>) -> (u32, u32) {
        let Question { fact, cap, slot, offer } = question;
        let whose = fact.whose(cap.whose).unwrap();
        let wanted = apart(cap.by, fact, offer);
        let (mut fewest, mut most) = (0, 0);
        for other in before {
            let own = other.id == fact.id;
            let counted = other
                .whose(cap.whose)
                .is_some_and(|read| read.subject == whose.subject && (own || read.version < whose.version));
            if !counted {
                continue;
            }
            for (at, shown) in other.shown.iter().enumerate() {
                if own && at >= slot || apart(cap.by, other, *shown) != wanted {
                    continue;
                }
                let (least, greatest) = self.counts(count, cap, fact, (other, at));
                fewest += u32::from(least);
                most += u32::from(greatest);
            }
        }
        (fewest, most)
    }

    /// Whether a slot decided before counts: surely, and possibly.
    fn counts(&self, count: &mut Count, cap: &TownCap, fact: &Fact, (other, slot): (&Fact, usize)) -> (bool, bool) {
        let (now, decided) = (fact.opened.stored.at, other.opened.stored.at);
        let Some(kind) = cap.counts else {
            let counts = self.in_window(cap, fact, decided);
            return (counts, counts);
        };
        let reserved = decided.0 + other.channel.1 > now.0;
        let slot = u16::try_from(slot).unwrap();
        let seen = other.opened.outcomes.iter().find(|outcome| outcome.kind == kind && outcome.is_of(slot));
        let Some(seen) = seen.filter(|_| other.id != fact.id) else {
            count.released += u64::from(!reserved);
            return (reserved, reserved);
        };
        let counts = self.in_window(cap, fact, Timestamp(seen.occurred_at.0.max(decided.0)));
        let asked = self.asked.get(&fact.id).map(|(between, _)| *between);
        let (sent, answered) = asked.unwrap_or((0, u64::MAX));
        let (told_from, told_until) = self.told[&(other.id, kind)];
        // House content may be answered from a state that has been replaced meanwhile.
        let surely = told_until < sent && !fact.shown.is_empty();
        let possibly = told_from < answered;
        count.confirmed += u64::from(surely && counts && !reserved);
        match (surely, possibly) {
            (true, _) => (counts, counts),
            (false, true) => (counts && reserved, counts || reserved),
            (false, false) => (reserved, reserved),
        }
    }

    fn in_window(&self, cap: &TownCap, fact: &Fact, at: Timestamp) -> bool {
        let now = fact.opened.stored.at;
        match cap.window {
            Window::Always => true,
            Window::Rolling(ms) => now.0 - at.0 < ms,
            Window::Day(zone) => {
                let customer = self.asked.get(&fact.id).map_or(Tz::UTC, |(_, zone)| *zone);
                let zone = zone.unwrap_or(customer);
                day_of(at, zone) >= day_of(now, zone)
            }
        }
    }
}
