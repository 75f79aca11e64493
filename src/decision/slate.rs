//! The slots of one answer: for each, what may still stand there, the distribution over it, the draw. Scores nothing.
//!
//! Slot by slot: what stands in the slots before is counted first (caps, rules about the whole answer), then the
//! distribution over the candidates that remain is computed, recorded and drawn from. So every propensity is exact,
//! given the slots before it. An offer stands in one slot at most. A slot that draws *nothing* ends the answer.

use std::borrow::Cow;
use std::sync::Arc;

use super::ask::{Ask, Subjects};
use super::counted::Counted;
use super::distribute::Valued;
use super::eligibility::facts;
use super::money;
use super::personas::{Apart, Seating};
use super::snapshot::Snapshot;
use crate::bandit::{self, Features, ModelView, Score};
use crate::domain::decision::{
    CandidateRow, CapReading, Draw, Failed, LeftOut, MoneyTerms, Shown, Slot, SlotPersona, SlotPrice,
};
use crate::domain::key::GeneratorKey;
use crate::domain::{Catalogue, Placement, Propensity, SubjectState, Timestamp};
use crate::policy::{Behind, CapWindows, Moved, Pools, Seen, Setting, States, Verdict};

/// What every slot of one decision is filled from.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) placement: &'a Placement,
    pub(super) view: &'a ModelView,
    pub(super) ask: &'a Ask<'a>,
    pub(super) generator: &'a GeneratorKey,
    pub(super) now: Timestamp,
    pub(super) windows: &'a CapWindows,
    pub(super) rows: &'a [CandidateRow],
    pub(super) seating: &'a Seating,
    pub(super) seen: &'a [Seen],
    pub(super) apart: &'a Apart,
    pub(super) valued: &'a Valued,
    pub(super) terms: Option<&'a MoneyTerms>,
}

/// The slots filled.
#[derive(Default)]
pub(super) struct Slate {
    pub(super) slots: Vec<Slot>,
    /// What stands in them; none for *nothing*.
    pub(super) shown: Vec<Shown>,
    /// Caps read again for slots behind the first.
    pub(super) readings: Vec<CapReading>,
    /// What leaves everything out of the first slot, so that there is none, and what only speaks there.
    pub(super) barred: (Vec<LeftOut>, Vec<LeftOut>),
    /// The features of what was chosen, by slot.
    pub(super) features: Vec<Arc<Features>>,
    /// The state of whom it is for, with every contact counted.
    pub(super) next: Option<SubjectState>,
    /// The states beside, in their order; nothing of one for which no cap counted anything.
    pub(super) beside: Vec<Option<SubjectState>>,
}

/// What may stand in one slot.
#[derive(Default)]
struct Open {
    /// Positions in [`Valued`].
    scored: Vec<usize>,
    left_out: Vec<LeftOut>,
    /// What only speaks, of what is open and of what is left out.
    noted: Vec<LeftOut>,
    readings: Vec<CapReading>,
}

/// Fills the slots asked for, as far as candidates reach. Nothing if a distribution fails its check: then nothing is
/// drawn at all.
pub(super) fn fill(table: &Table<'_>, subjects: &Subjects<'_>, pools: &mut Pools<'_>) -> Option<Slate> {
    let mut counted = Counted::of(subjects);
    let mut slate = Slate::default();
    let mut chosen: Vec<u32> = Vec::new();
    // *Nothing* is the last row, if it is one.
    let nothing = table.rows.last().filter(|row| row.candidate.is_none()).map(|_| table.rows.len() - 1);
    for slot in 0..table.ask.request.count.unwrap_or(table.placement.slots) {
        let open = table.open(slot, &chosen, counted.states(), pools);
        let (seat, open) = table.seat(slot, open);
        let (open, nothing) = if slot == 0 { table.pin(open, nothing) } else { (open, nothing) };
        if open.scored.is_empty() && (slot > 0 || nothing.is_none()) {
            slate.barred = if slot == 0 { (open.left_out, open.noted) } else { Default::default() };
            break;
        }
        let (made, picked) = table.draw((slot, seat), &open, nothing)?;
        let persona = table.persona(seat, &slate.slots);
        let noted = (!open.noted.is_empty()).then_some(open.noted);
        let price = table.price(seat, picked);
        slate.slots.push(Slot { left_out: open.left_out, noted, persona, price, ..made });
        slate.readings.extend(open.readings);
        let Some(at) = picked else { break };
        let candidate = table.rows.get(*table.valued.rows.get(at)?)?.candidate?;
        let (offer, variant) = table.snapshot.catalogue.at(candidate as usize)?;
        let place = position(&table.snapshot.catalogue, candidate)?;
        chosen.push(place);
        pools.take(place, slot);
        slate.shown.push(Shown { offer: offer.offer_id.clone(), variant: variant.variant_id.clone() });
        slate.features.push(table.valued.features(seat, at)?.clone());
        counted.count(&table.snapshot.bundle, table.placement, offer, (table.ask.decision_id, slot, table.now));
    }
    // An answer that shows nothing changes nobody.
    if !slate.shown.is_empty() {
        (slate.next, slate.beside) = counted.changed();
    }
    Some(slate)
}

impl Slate {
    /// Writes into the rows what leaves all of them out of the first slot, where that is why there is none: then it
    /// leaves them out of the answer. Whether it was so.
    pub(super) fn bar(&mut self, rows: &mut [CandidateRow]) -> bool {
        if !self.slots.is_empty() {
            return false;
        }
        let (left_out, noted) = std::mem::take(&mut self.barred);
        for LeftOut { row, failed } in left_out {
            if let Some(row) = rows.get_mut(row as usize) {
                add(&mut row.failed, failed, |known, more| known.rule == more.rule);
                (row.scored, row.learned) = (None, None);
            }
        }
        for LeftOut { row, failed } in noted {
            if let Some(row) = rows.get_mut(row as usize) {
                // An override may note something else for another taste.
                add(row.noted.get_or_insert_default(), failed, PartialEq::eq);
            }
        }
        true
    }
}

/// Adds what does not stand there already: what leaves a row out for its taste may.
fn add(known: &mut Vec<Failed>, more: Vec<Failed>, same: impl Fn(&Failed, &Failed) -> bool) {
    for more in more {
        if !known.iter().any(|known| same(known, &more)) {
            known.push(more);
        }
    }
}

/// Position of the offer of a candidate.
fn position(catalogue: &Catalogue, candidate: u32) -> Option<u32> {
    let found = catalogue.candidates().get(candidate as usize)?;
    u32::try_from(found.offer).ok()
}

fn everything(valued: &Valued) -> Open {
    Open { scored: (0..valued.rows.len()).collect(), ..Open::default() }
}

impl Table<'_> {
    /// What may stand in a slot, given the offers that stand before it, by position.
    fn open(&self, slot: u16, chosen: &[u32], states: States<'_>, pools: &mut Pools<'_>) -> Open {
        let mut open = Open::default();
        let (bundle, catalogue) = (&self.snapshot.bundle, &self.snapshot.catalogue);
        let shelves = bundle.shelves(catalogue);
        let request = self.ask.request;
        let jurisdiction = bundle.region(request.jurisdiction.as_deref(), request.store.as_ref());
        let setting = Setting { placement: self.placement, jurisdiction, basket: &request.basket };
        let both = (shelves.as_ref(), catalogue.as_ref());
        let behind = if slot == 0 {
            let Some(nothing) = Behind::nothing(bundle, both, setting, self.now) else {
                return everything(self.valued);
            };
            nothing
        } else {
            let behind = Behind::new(bundle, both, setting, chosen, states, self.windows);
            let Some(behind) = behind else { return open };
            behind
        };
        let (mut verdict, mut last) = (Verdict::default(), None);
        for (at, row) in self.valued.rows.iter().enumerate() {
            let candidate = self.rows.get(*row).and_then(|row| row.candidate);
            let Some(offer) = candidate.and_then(|candidate| position(catalogue, candidate)) else { continue };
            if chosen.contains(&offer) {
                continue;
            }
            // The variants of one offer share the verdict.
            if last != Some(offer) {
                verdict.failed.clear();
                verdict.readings.clear();
                behind.ask(offer, &mut verdict);
                // In front of the first slot they were asked with everything else.
                if slot > 0 {
                    pools.ask(offer, &mut verdict);
                }
                last = Some(offer);
            }
            let row = u32::try_from(*row).unwrap_or(u32::MAX);
            open.readings.extend(verdict.readings.iter().map(|reading| reading.of(row, slot)));
            if !verdict.noted.is_empty() {
                open.noted.push(LeftOut { row, failed: verdict.noted.clone() });
            }
            if verdict.failed.is_empty() {
                open.scored.push(at);
            } else {
                open.left_out.push(LeftOut { row, failed: verdict.failed.clone() });
            }
        }
        open
    }

    /// Whom a slot is for, and what may stand there of what is open: whose seat it is or, where nothing is left for
    /// them, the next for whom something is.
    fn seat(&self, slot: u16, open: Open) -> (usize, Open) {
        if self.apart.is_none() {
            return (self.seating.turns(slot).next().unwrap_or(0), open);
        }
        let row = |at: usize| self.valued.rows.get(at).copied();
        let bars = |seat: usize, at: usize| row(at).is_some_and(|row| self.apart.bars(seat, row));
        let left = |seat: &usize| open.scored.iter().any(|at| !bars(*seat, *at));
        let mut turns = self.seating.turns(slot);
        let own = turns.clone().next().unwrap_or(0);
        let seat = turns.find(left).unwrap_or(own);
        let Open { scored, mut left_out, noted, readings } = open;
        // Rows that rules let through and that are neither open nor left out stand in a slot before.
        let rows_of = |at: &usize| row(*at).and_then(|row| u32::try_from(row).ok());
        let told: Vec<u32> = scored.iter().filter_map(rows_of).chain(left_out.iter().map(|left| left.row)).collect();
        let stands =
            |row: u32| !told.contains(&row) && self.rows.get(row as usize).is_some_and(|found| found.failed.is_empty());
        self.apart.extend(seat, &mut left_out, stands);
        let scored = scored.into_iter().filter(|at| !bars(seat, *at)).collect();
        (seat, Open { scored, left_out, noted, readings })
    }

    /// What may stand in the first slot where an override pins some of it: that alone, and not *nothing*.
    fn pin(&self, open: Open, nothing: Option<usize>) -> (Open, Option<usize>) {
        let (bundle, catalogue) = (&self.snapshot.bundle, &self.snapshot.catalogue);
        let shelves = bundle.shelves(catalogue);
        let Some(shelf) = shelves.at(&self.placement.id) else { return (open, nothing) };
        let row = |at: &usize| self.valued.rows.get(*at).copied();
        let offer = |at: &usize| position(catalogue, self.rows.get(row(at)?)?.candidate?);
        let request = self.ask.request;
        let asked = (self.now, bundle.region(request.jurisdiction.as_deref(), request.store.as_ref()));
        let Some(pin) = shelf.pin(bundle, asked, &open.scored.iter().filter_map(offer)) else { return (open, nothing) };
        let Open { scored, mut left_out, noted, readings } = open;
        let (others, scored): (Vec<usize>, Vec<usize>) =
            scored.into_iter().partition(|at| offer(at).is_none_or(|offer| pin.fails(offer).is_some()));
        let rows = others.iter().filter_map(row).chain(nothing).filter_map(|row| u32::try_from(row).ok());
        left_out.extend(rows.map(|row| LeftOut { row, failed: vec![pin.failed()] }));
        left_out.sort_by_key(|left| left.row);
        (Open { scored, left_out, noted, readings }, None)
    }

    /// What the record says of whom a slot is for, given the slots before.
    fn persona(&self, seat: usize, before: &[Slot]) -> Option<SlotPersona> {
        let (at, of) = self.seating.named(seat)?;
        let had_one = before.iter().any(|slot| slot.persona.as_ref().is_some_and(|persona| persona.at == at));
        // Scores for the first who has a seat stand in the rows.
        let scores = if seat == 0 || had_one { None } else { self.valued.scored(seat, self.rows.len(), self.apart) };
        Some(SlotPersona { at, of, scores })
    }

    /// What the record says of the price of what was drawn for one who has a seat.
    fn price(&self, seat: usize, picked: Option<usize>) -> Option<SlotPrice> {
        let candidate = self.rows.get(*self.valued.rows.get(picked?)?)?.candidate?;
        let (bundle, catalogue) = (&self.snapshot.bundle, &self.snapshot.catalogue);
        let facts = facts((bundle, self.placement), self.ask.request, self.seen.get(seat)?, self.now);
        let shelves = bundle.shelves(catalogue);
        Moved::new(bundle, &shelves, self.placement, &facts)?.price(position(catalogue, candidate)?)
    }

    /// The distribution over what is open, and which of [`Valued`] was drawn from it; none for *nothing*.
    fn draw(&self, (slot, seat): (u16, usize), open: &Open, nothing: Option<usize>) -> Option<(Slot, Option<usize>)> {
        let (rows, scores) = (&self.valued.rows, self.valued.scores(seat)?);
        let scores: Cow<'_, [Score]> = if open.scored.len() == scores.len() {
            Cow::Borrowed(scores)
        } else {
            open.scored.iter().filter_map(|at| scores.get(*at).cloned()).collect()
        };
        let open_rows: Vec<usize> = open.scored.iter().filter_map(|at| rows.get(*at).copied()).chain(nothing).collect();
        let by = |scores: &[Score], nothing| self.view.distribution(scores, nothing);
        let open_to = |row: &usize| self.rows.get(*row);
        let distributed = match self.terms {
            Some(_) => {
                let costs: Vec<i64> = open_rows.iter().filter_map(open_to).map(money::intervention_minor).collect();
                money::distribute(&self.view.contender().strategy, self.terms, (&costs, &scores), by)
            }
            None => money::Distributed::plain(by(&scores, nothing.is_some())),
        };
        let exploration = money::exploration(self.view, self.terms);
        let p = bandit::explore(&distributed.w, exploration);
        bandit::check(&p, exploration).ok()?;
        let mut probabilities = vec![None; self.rows.len()];
        for (row, probability) in open_rows.iter().zip(&p) {
            *probabilities.get_mut(*row)? = Some(*probability);
        }
        let ask = self.ask;
        let u = bandit::uniform(self.generator, &self.snapshot.tenant, &ask.decision_id, slot, ask.purpose);
        let picked = bandit::pick(&p, u)?;
        let at = open.scored.get(picked).copied();
        let row = match at {
            Some(at) => *rows.get(at)?,
            None => nothing?,
        };
        let draw = Draw {
            key_period: self.generator.period,
            u,
            chosen: u32::try_from(row).ok()?,
            // Rounding may lift a lone candidate's share a hair above one.
            propensity: Propensity::new(p.get(picked)?.min(1.0)).ok()?,
        };
        let money = distributed.kept(self.terms, &open_rows, picked);
        Some((Slot { probabilities, left_out: Vec::new(), draw, money, persona: None, noted: None, price: None }, at))
    }
}
