//! A whole decision beside what is expected of it: the purpose, what was seen, every candidate, every slot. Decides
//! nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::asked::{Asked, Kept};
use super::gates::Gates;
use super::says::{Row, Table};
use super::seats::{Seats, personas};
use super::town::Town;
use super::written::Reading;
use super::{Said, Spoken, personal_prices};
use crate::decision::{Decision, Snapshot};
use crate::domain::decision::{CapReading, Failed, FallbackReason, LeftOut, RefusedPurpose};
use crate::domain::{AttributeId, Catalogue, Offer, Value};
use crate::policy::Bundle;

/// Leaves out what a cool-down that does not hold counted where the counters are older than the decision: events may
/// have grown too old since, and are forgotten when something is counted next.
fn told(asked: &Asked<'_>, mut readings: BTreeMap<String, Reading>) -> BTreeMap<String, Reading> {
    readings.retain(|id, reading| asked.fresh || reading.until.is_some() || !id.starts_with("cool_downs"));
    readings
}

fn id(bundle: &Bundle, rule: u16) -> String {
    bundle.rule(rule).unwrap().id.to_string()
}

/// What the decision recorded, by the ids of the rules.
fn recorded(bundle: &Bundle, failed: &[Failed]) -> Said {
    let said: Said = failed.iter().map(|failed| (id(bundle, failed.rule), failed.observed, failed.limit)).collect();
    assert_eq!(said.len(), failed.len(), "a rule said something twice: {said:?}");
    said
}

fn recorded_of_slot(bundle: &Bundle, list: &[LeftOut]) -> BTreeMap<usize, Said> {
    list.iter().map(|left| (left.row as usize, recorded(bundle, &left.failed))).collect()
}

fn refusing(bundle: &Bundle, refused: Option<&RefusedPurpose>) -> Vec<String> {
    refused.into_iter().flat_map(RefusedPurpose::rules).map(|rule| id(bundle, rule)).collect()
}

/// Readings of one row and slot. Of a cap that is reached more is not counted, so that it is enough to see that.
fn readings(bundle: &Bundle, all: &[CapReading], row: usize, slot: u16) -> BTreeMap<String, Reading> {
    let here = all.iter().filter(|reading| (reading.candidate as usize, reading.slot) == (row, slot));
    let named = here.map(|reading| {
        let found = Reading { used: reading.used, limit: reading.limit, until: reading.until.map(|until| until.0) };
        (id(bundle, reading.rule), found.seen())
    });
    named.collect()
}

/// The offers asked about, with the positions of their variants.
fn considered<'a>(town: &'a Town, asked: &Asked<'a>, catalogue: &Catalogue) -> Vec<(u32, &'a Offer)> {
    let there: BTreeSet<&str> = asked.considered().map(|offer| offer.offer_id.as_str()).collect();
    let mut found = Vec::new();
    let mut next = 0;
    for offer in catalogue.offers() {
        let variants = (next..).take(offer.variants.len());
        next += u32::try_from(offer.variants.len()).unwrap();
        let wanted = asked.request.candidates.as_ref().is_none_or(|named| named.contains(&offer.offer_id));
        if wanted && there.contains(offer.offer_id.as_str()) {
            found.extend(variants.map(|variant| (variant, &town.offers[offer.offer_id.as_str()])));
        }
    }
    found
}

/// Checks a decision.
pub(super) fn compare(town: &Town, asked: &Asked<'_>, snapshot: &Snapshot, made: &Decision, spoken: &mut Spoken) {
    let (bundle, skeleton) = (&snapshot.bundle, &made.skeleton);
    let gates = Gates::ask(asked);
    purposes(&gates, bundle, made);
    spoken.count("purpose_gates", !gates.refused_by.is_empty());
    let seats = Seats::of(asked.request);
    let (all, kept) = see(asked, &gates, &seats);
    seen(&all, &kept, &seats, made);
    spoken.count("unapproved", kept.iter().any(|(_, why)| why.ends_with("NotApproved")));
    spoken.count("withheld", kept.iter().any(|(_, why)| why == "PurposeNotConsented"));

    let each = considered(town, asked, &snapshot.catalogue);
    let there: Vec<Option<u32>> = skeleton.candidates.iter().map(|row| row.candidate).collect();
    let nothing = town.spots[asked.spot].nothing;
    let wanted = each.iter().map(|(variant, _)| Some(*variant)).chain(nothing.then_some(None));
    assert_eq!(there, wanted.collect::<Vec<_>>(), "the candidates");
    let rows: Vec<Row> = each.iter().map(|(_, offer)| Row::of(&all, &gates, offer, spoken)).collect();
    let nothing = (nothing && gates.closed_by.is_none()).then_some(rows.len());
    let mut table = Table { asked: all, seats, each, rows, nothing };

    let mut open = !table.open().is_empty();
    let first = table.stands(0, &[], spoken);
    if open && first.open.is_empty() {
        // What leaves all of them out of the first slot leaves them out of the answer.
        first.left.into_iter().for_each(|(row, said)| table.rows[row].all.failed.extend(said));
        first.noted.into_iter().for_each(|(row, said)| table.rows[row].all.noted.extend(said));
        open = false;
    }
    candidates(&table, bundle, made);
    let fallback = if gates.closed_by.is_some() {
        Some(FallbackReason::PurposeRefused)
    } else {
        (!open && table.nothing.is_none()).then_some(FallbackReason::NoEligibleCandidate)
    };
    assert_eq!(skeleton.fallback, fallback);
    if fallback.is_none() {
        slots(&table, bundle, made, spoken);
    }
}

fn purposes(gates: &Gates, bundle: &Bundle, made: &Decision) {
    let skeleton = &made.skeleton;
    let refused = refusing(bundle, skeleton.refused.as_ref());
    assert_eq!((skeleton.purpose.as_str(), &refused), (gates.purpose, &gates.refused_by), "the purpose");
    assert_eq!(refusing(bundle, skeleton.terms.unlearned.as_ref()), gates.unlearned, "what bars learning");
    let read = made.private.consent.readings.iter();
    let read: Vec<_> = read.map(|read| (read.purpose.as_str(), read.state.zip(read.valid_from))).collect();
    assert_eq!(read, gates.read, "what the gates read");
}

/// The same for each who has a seat, and what is withheld of any.
fn see<'a>(asked: &Asked<'a>, gates: &Gates, seats: &Seats) -> (Vec<Asked<'a>>, Kept) {
    let mut kept = Kept::new();
    let each = seats.seated.iter().map(|at| {
        let mut own = asked.clone();
        kept.extend(own.see(gates, personas(asked.request).get(*at)));
        own
    });
    (each.collect(), kept)
}

type Attributes = Vec<(String, Value)>;

fn listed(attributes: &[(AttributeId, Value)]) -> Attributes {
    let mut listed: Attributes = attributes.iter().map(|(id, value)| (id.to_string(), value.clone())).collect();
    listed.sort_by_key(|(id, value)| (id.clone(), value.to_string()));
    listed
}

/// Checks that rules saw what they may and nothing else.
fn seen(all: &[Asked<'_>], kept: &Kept, seats: &Seats, made: &Decision) {
    let context = &made.private.context;
    let used: Vec<Attributes> = all.iter().map(|asked| asked.used.clone().into_iter().collect()).collect();
    assert_eq!(listed(&context.used), used[0], "what rules saw");
    let named: Vec<(usize, Attributes)> =
        context.personas.iter().flatten().map(|seen| (seen.at.into(), listed(&seen.used))).collect();
    let wanted = seats.seated.iter().copied().zip(used).filter(|_| seats.of > 0);
    assert_eq!(named, wanted.collect::<Vec<_>>(), "what rules saw of each taste");
    let withheld = context.withheld.iter().map(|(id, why)| (id.to_string(), format!("{why:?}")));
    assert_eq!(withheld.collect::<Kept>(), *kept, "what was withheld");
    let mut guarded: Attributes = all.iter().flat_map(|asked| asked.guarded.clone()).collect();
    guarded.sort_by_key(|(id, value)| (id.clone(), value.to_string()));
    guarded.dedup();
    assert_eq!(listed(context.guarded.as_deref().unwrap_or_default()), guarded, "what guards saw");
}

fn candidates(table: &Table<'_>, bundle: &Bundle, made: &Decision) {
    let all = &made.private.contacts.readings;
    for (at, row) in made.skeleton.candidates.iter().enumerate() {
        let Some(wanted) = table.rows.get(at).map(|row| &row.all) else {
            assert_eq!(
                row.failed.is_empty(),
                table.nothing.is_some(),
                "nothing is what is left where nothing is closed"
            );
            continue;
        };
        let (offer, asked) = (&table.each[at].1.offer_id, &table.asked[0]);
        assert_eq!(recorded(bundle, &row.failed), wanted.failed, "what leaves {offer} out");
        assert_eq!(
            recorded(bundle, row.noted.as_deref().unwrap_or_default()),
            wanted.noted,
            "what is noted of {offer}"
        );
        let counted = readings(bundle, all, at, 0);
        assert_eq!(told(asked, counted), told(asked, wanted.readings.clone()), "what is counted for {offer}");
    }
}

fn slots(table: &Table<'_>, bundle: &Bundle, made: &Decision, spoken: &mut Spoken) {
    let slots = &made.skeleton.slots;
    let drawn = slots.iter().map(|slot| slot.draw.chosen as usize);
    let shown: Vec<&Offer> = drawn.map_while(|row| table.each.get(row)).map(|(_, offer)| *offer).collect();
    let asked = &table.asked[0];
    for (slot, made_of) in slots.iter().enumerate() {
        let stands = table.stands(slot, &shown[..slot], spoken);
        for (row, wanted) in stands.readings {
            let counted = readings(bundle, &made.private.contacts.readings, row, u16::try_from(slot).unwrap());
            assert_eq!(counted, wanted, "counted for {} in {slot}", table.each[row].1.offer_id);
        }
        assert_eq!(recorded_of_slot(bundle, &made_of.left_out), stands.left, "left out of slot {slot}");
        let noted = made_of.noted.as_deref().unwrap_or_default();
        assert_eq!(recorded_of_slot(bundle, noted), stands.noted, "noted in slot {slot}");
        let may = &made_of.probabilities;
        let open: Vec<usize> = (0..may.len()).filter(|at| may[*at].is_some()).collect();
        assert_eq!(open, stands.open, "what may stand in slot {slot}");
        let whose = made_of.persona.as_ref().map(|persona| (usize::from(persona.at), usize::from(persona.of)));
        let wanted = (table.seats.of > 0).then(|| (table.seats.seated[stands.seat], table.seats.of));
        assert_eq!(whose, wanted, "whose slot {slot} is");
        spoken.count("tastes", wanted.is_some_and(|(at, _)| at > 0));
        let moved = shown.get(slot).map(|offer| (personal_prices::moved(&table.asked[stands.seat], offer), *offer));
        let wanted = moved.filter(|(by, _)| !by.is_empty());
        let wanted = wanted.map(|(by, offer)| (by, personal_prices::told(&table.asked[stands.seat], offer)));
        let price = made_of.price.as_ref().map(|price| {
            assert!(price.personalised);
            let by: BTreeSet<String> = price.attributes.iter().map(ToString::to_string).collect();
            (by, price.rule.map(|rule| id(bundle, rule)))
        });
        spoken.count("personalised", price.is_some());
        assert_eq!(price, wanted, "what moved the price in slot {slot}");
    }
    let most = usize::from(asked.request.count.unwrap_or(3));
    if shown.len() == slots.len() && slots.len() < most {
        let stands = table.stands(slots.len(), &shown, spoken);
        assert!(stands.open.is_empty(), "it ends at {}, {:?} may stand there", slots.len(), stands.open);
    }
}
