//! What all rules together say of an offer: before anything is drawn, for every taste that has a seat, and for a slot.
//! Knows no decision.

use std::collections::{BTreeMap, BTreeSet};

use super::asked::Asked;
use super::at_once::{Act, favouring};
use super::gates::Gates;
use super::seats::{Seats, add, shared};
use super::written::{Reading, When};
use super::{Said, Spoken, merchandise, personal_prices};
use crate::domain::Offer;

/// When an offer is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before anything is drawn, for one taste.
    Before,
    /// Then, of what may run out, which is the same for all.
    RunsOut,
    /// For a slot.
    Slot(usize),
}

/// What is expected of an offer.
#[derive(Default)]
pub(super) struct Expected {
    pub(super) failed: Said,
    pub(super) noted: Said,
    pub(super) readings: BTreeMap<String, Reading>,
}

/// What every rule says of an offer.
fn expected(asked: &Asked<'_>, offer: &Offer, stage: Stage, spoken: &mut Spoken) -> Expected {
    let mut said = Expected::default();
    for rule in &asked.town.rules {
        let runs_out = ["budgets", "stock"].contains(&rule.list);
        let now = match (rule.kind.when(), stage) {
            (When::Before | When::BeforeAndBehind, Stage::Before) => !runs_out,
            (_, Stage::RunsOut) => runs_out,
            (When::EverySlot, Stage::Slot(_)) => true,
            (When::BeforeAndBehind, Stage::Slot(slot)) => slot > 0,
            (When::Before, Stage::Slot(_)) | (When::EverySlot, Stage::Before) => false,
        };
        let gate = rule.kind.guards().is_some();
        if gate || !now || !rule.holds(asked) || !rule.applies(asked, offer) {
            continue;
        }
        let found = rule.kind.says(rule, asked, offer);
        if let Some(reading) = found.reading.filter(|reading| reading.used > 0) {
            said.readings.insert(rule.id.clone(), reading);
        }
        spoken.count(rule.list, found.against.is_some());
        let Some((observed, limit)) = found.against else { continue };
        let list = if rule.severity == "block" { &mut said.failed } else { &mut said.noted };
        list.insert((rule.id.clone(), observed, limit));
    }
    for (id, (observed, limit)) in merchandise::against(asked, offer) {
        // Stock runs out for all.
        let asked_at = if id == "proffer.stock" { Stage::RunsOut } else { Stage::Before };
        if stage == asked_at {
            said.failed.insert((id.to_owned(), observed, limit));
        }
    }
    if stage != Stage::RunsOut {
        lift(asked, offer, &mut said, spoken);
    }
    said
}

/// Lifts what an override lifts: it is noted instead, and behind it every override that does so.
fn lift(asked: &Asked<'_>, offer: &Offer, said: &mut Expected, spoken: &mut Spoken) {
    if said.failed.is_empty() {
        return;
    }
    let by = favouring(asked, Act::In, offer);
    let overridable = |(id, ..): &(String, Option<i64>, Option<i64>)| {
        asked.town.rules.iter().any(|rule| rule.id == *id && rule.overridable())
    };
    if by.is_empty() {
        return;
    }
    let (lifted, stays): (Said, Said) = std::mem::take(&mut said.failed).into_iter().partition(overridable);
    spoken.count("lifted", !lifted.is_empty());
    said.failed = stays;
    if !lifted.is_empty() {
        let count = i64::try_from(lifted.len()).ok();
        said.noted.extend(lifted);
        said.noted.extend(by.into_iter().map(|rule| (rule.id.clone(), count, None)));
    }
}

/// What is expected of an offer before anything is drawn: for all who have a seat, and for each alone.
pub(super) struct Row {
    pub(super) all: Expected,
    apart: Vec<Said>,
}

impl Row {
    pub(super) fn of(seats: &[Asked<'_>], gates: &Gates, offer: &Offer, spoken: &mut Spoken) -> Self {
        let mut each = Vec::new();
        for asked in seats {
            let mut said = expected(asked, offer, Stage::Before, spoken);
            said.failed.extend(gates.closed_by.iter().map(|gate| (gate.clone(), None, None)));
            if !gates.prices.is_empty() && !personal_prices::moved(asked, offer).is_empty() {
                said.failed.extend(gates.prices.iter().map(|gate| (gate.clone(), None, None)));
            }
            each.push(said);
        }
        let mut all = Expected { readings: std::mem::take(&mut each[0].readings), ..Expected::default() };
        for said in &each {
            add(&mut all.noted, &said.noted);
        }
        let failed: Vec<Said> = each.into_iter().map(|said| said.failed).collect();
        let (shared, apart) = shared(&failed);
        all.failed = shared;
        let runs_out = expected(&seats[0], offer, Stage::RunsOut, spoken);
        all.failed.extend(runs_out.failed);
        all.noted.extend(runs_out.noted);
        Self { all, apart }
    }
}

/// Everything that an answer is put together from. *Nothing* is a row behind the others, where it may be shown.
pub(super) struct Table<'a> {
    pub(super) asked: Vec<Asked<'a>>,
    pub(super) seats: Seats,
    pub(super) each: Vec<(u32, &'a Offer)>,
    pub(super) rows: Vec<Row>,
    pub(super) nothing: Option<usize>,
}

/// What may stand in one slot, and what not.
#[derive(Default)]
pub(super) struct Stands {
    /// Whose slot it is, by position among those who have a seat.
    pub(super) seat: usize,
    pub(super) open: Vec<usize>,
    pub(super) left: BTreeMap<usize, Said>,
    pub(super) noted: BTreeMap<usize, Said>,
    pub(super) readings: BTreeMap<usize, BTreeMap<String, Reading>>,
}

impl Table<'_> {
    /// Rows that nothing leaves out for everybody.
    pub(super) fn open(&self) -> Vec<usize> {
        (0..self.rows.len()).filter(|row| self.rows[*row].all.failed.is_empty()).collect()
    }

    /// What may stand in a slot behind what stands in those before.
    pub(super) fn stands(&self, slot: usize, chosen: &[&Offer], spoken: &mut Spoken) -> Stands {
        let mut found = Stands::default();
        let behind = Asked { chosen: chosen.to_vec(), ..self.asked[0].clone() };
        let stands = |row: &usize| chosen.iter().any(|chosen| chosen.offer_id == self.each[*row].1.offer_id);
        for row in self.open().into_iter().filter(|row| !stands(row)) {
            let wanted = expected(&behind, self.each[row].1, Stage::Slot(slot), spoken);
            if slot > 0 {
                found.readings.insert(row, wanted.readings);
            }
            if wanted.failed.is_empty() {
                found.open.push(row);
            } else {
                found.left.insert(row, wanted.failed);
            }
            if !wanted.noted.is_empty() {
                found.noted.insert(row, wanted.noted);
            }
        }
        let bars = |seat: usize, row: usize| !self.rows[row].apart[seat].is_empty();
        let turns = self.seats.turns(slot);
        let has_some = |seat: &&usize| found.open.iter().any(|row| !bars(**seat, *row));
        found.seat = *turns.iter().find(has_some).unwrap_or(&turns[0]);
        for (row, of) in self.rows.iter().enumerate().filter(|(row, _)| !stands(row)) {
            let own = &of.apart[found.seat];
            if !own.is_empty() {
                found.open.retain(|open| *open != row);
                found.left.entry(row).or_default().extend(own.iter().cloned());
            }
        }
        if slot == 0 {
            self.pin(&mut found, spoken);
        }
        if !found.open.is_empty() || slot == 0 {
            found.open.extend(self.nothing.filter(|row| !found.left.contains_key(row)));
        }
        found
    }

    /// Leaves the first slot to what an override puts first, where any of that may stand there.
    fn pin(&self, found: &mut Stands, spoken: &mut Spoken) {
        let asked = &self.asked[0];
        let pins = |row: usize| favouring(asked, Act::First, self.each[row].1);
        let first: BTreeSet<&str> = found.open.iter().flat_map(|row| pins(*row)).map(|rule| rule.id.as_str()).collect();
        let Some(by) = first.into_iter().next() else { return };
        let (stay, others): (Vec<usize>, Vec<usize>) =
            found.open.iter().partition(|row| pins(**row).iter().any(|rule| rule.id == by));
        spoken.count("put first", !others.is_empty());
        for row in others.into_iter().chain(self.nothing) {
            found.left.insert(row, Said::from([(by.to_owned(), None, None)]));
        }
        found.open = stay;
    }
}
