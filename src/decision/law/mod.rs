//! The law of all rules: over random bundles, customers, offers and requests a whole decision says of every offer, in
//! every slot, what a slow and obvious reading of the rules says. Draws nothing by itself and knows no score.
//!
//! What is written is kept beside what it means: the files are printed from it and the rules asked from it, so that
//! nothing of what reads, compiles, counts or judges is shared with what is tried. A kind of rule is one type that says
//! its fields and what it says of an offer; it gets a row in [`KINDS`](written::KINDS).
//!
//! `PROFFER_TEST_SEEDS` plays more rounds: 1,000,000 are the whole trial.

mod chance;

mod town;

mod written;

mod answers;
mod availability;
mod conditions;
mod counted;
mod gates;
mod merchandise;
mod money;
mod pools;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chance::Chance;
use town::{Asked, Town};
use written::{Reading, When};

use super::{Ask, Decision, Snapshot, SubjectView, decide};
use crate::bandit::DrawPurpose;
use crate::domain::decision::{CapReading, Failed, FallbackReason, LeftOut};
use crate::domain::key::GeneratorKey;
use crate::domain::{Catalogue, DecisionId, Digest, Offer, OfferStatus, SubjectId, SubjectKind, SubjectState};
use crate::policy::{Bundle, compile, rebuild_caps};

/// What a rule said, by its id: what it compared.
type Said = BTreeSet<(String, Option<i64>, Option<i64>)>;

/// How often each kind spoke, and let be what it applies to.
#[derive(Default)]
struct Spoken(BTreeMap<&'static str, (u64, u64)>);

/// What is expected of one offer.
struct Expected {
    failed: Said,
    noted: Said,
    readings: BTreeMap<String, Reading>,
}

/// What every rule says of an offer: before anything is drawn, or for a slot.
fn expected(town: &Town, asked: &Asked<'_>, offer: &Offer, slot: Option<usize>, spoken: &mut Spoken) -> Expected {
    let mut said = Expected { failed: Said::new(), noted: Said::new(), readings: BTreeMap::new() };
    for rule in &town.rules {
        let now = match (rule.kind.when(), slot) {
            (When::Before | When::BeforeAndBehind, None) | (When::EverySlot, Some(_)) => true,
            (When::BeforeAndBehind, Some(slot)) => slot > 0,
            (When::Before, Some(_)) | (When::EverySlot, None) => false,
        };
        let gate = rule.kind.guards().is_some();
        if gate || !now || !rule.holds(asked) || !rule.applies(asked, offer) {
            continue;
        }
        let found = rule.kind.says(rule, asked, offer);
        if let Some(reading) = found.reading.filter(|reading| reading.used > 0) {
            said.readings.insert(rule.id.clone(), reading);
        }
        let counts = spoken.0.entry(rule.list).or_default();
        let Some((observed, limit)) = found.against else {
            counts.1 += 1;
            continue;
        };
        counts.0 += 1;
        let list = if rule.severity == "block" { &mut said.failed } else { &mut said.noted };
        list.insert((rule.id.clone(), observed, limit));
    }
    if slot.is_none() {
        for (id, (observed, limit)) in merchandise::against(asked, offer) {
            said.failed.insert((id.to_owned(), observed, limit));
        }
    }
    said
}

/// Leaves out what a cool-down that does not hold counted where the counters are older than the decision: events may
/// have grown too old since, and are forgotten when something is counted next.
fn told(asked: &Asked<'_>, mut readings: BTreeMap<String, Reading>) -> BTreeMap<String, Reading> {
    readings.retain(|id, reading| asked.fresh || reading.until.is_some() || !id.starts_with("cool_downs"));
    readings
}

/// What the decision recorded, by the ids of the rules.
fn recorded(bundle: &Bundle, failed: &[Failed]) -> Said {
    let named = |failed: &Failed| (bundle.rule(failed.rule).unwrap().id.to_string(), failed.observed, failed.limit);
    let said: Said = failed.iter().map(named).collect();
    assert_eq!(said.len(), failed.len(), "a rule said something twice");
    said
}

/// Readings of one row and slot. Of a cap that is reached more is not counted, so that it is enough to see that.
fn readings(bundle: &Bundle, all: &[CapReading], row: usize, slot: u16) -> BTreeMap<String, Reading> {
    let here = all.iter().filter(|reading| (reading.candidate as usize, reading.slot) == (row, slot));
    let named = here.map(|reading| {
        let found = Reading { used: reading.used, limit: reading.limit, until: reading.until.map(|until| until.0) };
        (bundle.rule(reading.rule).unwrap().id.to_string(), found.seen())
    });
    named.collect()
}

/// The offers asked about, with the positions of their variants.
fn considered<'a>(town: &Town, asked: &Asked<'_>, catalogue: &'a Catalogue) -> Vec<(&'a Offer, Vec<u32>)> {
    let mut found = Vec::new();
    let mut next = 0;
    for offer in catalogue.offers() {
        let variants: Vec<u32> = (next..).take(offer.variants.len()).collect();
        next += u32::try_from(variants.len()).unwrap();
        let wanted = asked.request.candidates.as_ref().is_none_or(|named| named.contains(&offer.offer_id));
        if wanted && offer.status == OfferStatus::Active && offer.offer_id.as_str() != town.house(asked.spot) {
            found.push((offer, variants));
        }
    }
    found
}

fn decided(snapshot: &Snapshot, asked: &Asked<'_>, state: Option<&SubjectState>, seed: u64) -> Decision {
    let kind = SubjectKind::Customer;
    let subject = state.map(|state| SubjectView { kind, subject: SubjectId([1; 16]), version: 1, state });
    let ask = Ask {
        request: asked.request,
        request_digest: Digest([5; 32]),
        decision_id: DecisionId::from_parts(asked.now, u128::from(seed).to_be_bytes()[6..].try_into().unwrap()),
        id_minted: false,
        attempt: 0,
        purpose: DrawPurpose::Served,
        contended: false,
        purse: &crate::domain::Purse::default(),
    };
    let generator = GeneratorKey { period: 1, key: [3; 32] };
    decide(snapshot, &ask, subject, &generator, crate::domain::Timestamp(asked.now)).unwrap()
}

/// One bundle, one catalogue, and some requests.
fn check(seed: u64, spoken: &mut Spoken) {
    let mut chance = Chance::new(seed);
    let town = Town::any(&mut chance);
    let files = town.files();
    let bundle = compile(&files).unwrap_or_else(|findings| {
        panic!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    let catalogue = Catalogue::new(1, town.offers.values().cloned().collect(), town.campaigns.clone());
    let now = crate::domain::Timestamp(town::NOW);
    let snapshot = Snapshot {
        tenant: "default".into(),
        build: "law".into(),
        control_sequence: 1,
        bundle: Arc::new(bundle),
        catalogue: Arc::new(catalogue),
        models: BTreeMap::new(),
        spend: Arc::new(crate::domain::Spend::none(now.day())),
        approved: Arc::default(),
        day: now.day(),
    };
    for round in 0..4 {
        let at = town::NOW + [0, 1_800_000][round % 2];
        let counted = if round < 2 { now } else { crate::domain::Timestamp(at) };
        let (person, spot) = (Town::person(&mut chance), chance.below(2));
        let request = town.request(&mut chance, spot, person.as_ref());
        let state = person.as_ref().map(|person| {
            let mut state = SubjectState { consents: person.consents.clone(), ..SubjectState::default() };
            rebuild_caps(&snapshot.bundle, &snapshot.catalogue, &person.contacts, &mut state, counted);
            state
        });
        let mut asked = Asked::new(&town, spot, &request, person.as_ref(), at);
        asked.fresh = counted.0 == at;
        let made = decided(&snapshot, &asked, state.as_ref(), seed * 4 + round as u64);
        compare(&town, asked, &snapshot, &made, spoken);
    }
}

fn compare<'a>(town: &'a Town, mut asked: Asked<'a>, snapshot: &Snapshot, made: &Decision, spoken: &mut Spoken) {
    let (bundle, catalogue) = (&snapshot.bundle, snapshot.catalogue.as_ref());
    let gates = gates::ask(town, &asked);
    let skeleton = &made.skeleton;
    let refused: Vec<String> = skeleton
        .refused
        .iter()
        .flat_map(|refused| refused.rules().map(|rule| bundle.rule(rule).unwrap().id.to_string()))
        .collect();
    assert_eq!((skeleton.purpose.as_str(), &refused), (gates.purpose, &gates.refused_by), "the purpose");
    let tally = spoken.0.entry("purpose_gates").or_default();
    if gates.refused_by.is_empty() {
        tally.1 += 1;
    } else {
        tally.0 += 1;
    }
    asked.see(&gates);

    let all = &made.private.contacts.readings;
    let rows = considered(town, &asked, catalogue);
    let each: Vec<(u32, &Offer)> =
        rows.iter().flat_map(|(offer, variants)| variants.iter().map(move |variant| (*variant, *offer))).collect();
    let there: Vec<u32> = skeleton.candidates.iter().filter_map(|row| row.candidate).collect();
    assert_eq!(there, each.iter().map(|(variant, _)| *variant).collect::<Vec<_>>(), "the candidates");
    let mut wanted: Vec<Expected> = Vec::new();
    for (_, offer) in &each {
        let mut said = expected(town, &asked, offer, None, spoken);
        said.failed.extend(gates.closed_by.iter().map(|gate| (gate.clone(), None, None)));
        wanted.push(said);
    }
    let mut open: Vec<usize> = (0..each.len()).filter(|at| wanted[*at].failed.is_empty()).collect();
    let first = stands(town, &asked, (&each, &open), 0, spoken);
    if !open.is_empty() && first.open.is_empty() {
        // What leaves all of them out of the first slot leaves them out of the answer.
        first.left.into_iter().for_each(|(row, said)| wanted[row].failed.extend(said));
        first.noted.into_iter().for_each(|(row, said)| wanted[row].noted.extend(said));
        open.clear();
    }
    for (at, (row, wanted)) in skeleton.candidates.iter().zip(wanted).enumerate() {
        let id = &each[at].1.offer_id;
        assert_eq!(recorded(bundle, &row.failed), wanted.failed, "what leaves {id} out");
        assert_eq!(recorded(bundle, row.noted.as_deref().unwrap_or_default()), wanted.noted, "what is noted of {id}");
        let counted = readings(bundle, all, at, 0);
        assert_eq!(told(&asked, counted), told(&asked, wanted.readings), "what is counted for {id}");
    }
    let fallback = match (gates.closed_by.is_some(), open.is_empty()) {
        (true, _) => Some(FallbackReason::PurposeRefused),
        (false, true) => Some(FallbackReason::NoEligibleCandidate),
        (false, false) => None,
    };
    assert_eq!(skeleton.fallback, fallback);
    if fallback.is_some() {
        return;
    }
    let shown: Vec<&Offer> = skeleton.chosen().map(|(_, shown, _)| &town.offers[shown.offer.as_str()]).collect();
    for slot in 0..=skeleton.slots.len() {
        asked.chosen = shown[..slot.min(shown.len())].to_vec();
        let stands = stands(town, &asked, (&each, &open), slot, spoken);
        let Some(made) = skeleton.slots.get(slot) else {
            let most = usize::from(asked.request.count.unwrap_or(3));
            assert!(slot == most || stands.open.is_empty(), "it ends at {slot}, {:?} may stand there", stands.open);
            return;
        };
        let at = u16::try_from(slot).unwrap();
        for (row, wanted) in stands.readings {
            assert_eq!(readings(bundle, all, row, at), wanted, "counted for {} in {slot}", each[row].1.offer_id);
        }
        let by_row = |list: &[LeftOut]| -> BTreeMap<usize, Said> {
            list.iter().map(|left| (left.row as usize, recorded(bundle, &left.failed))).collect()
        };
        assert_eq!(by_row(&made.left_out), stands.left, "left out of slot {slot}");
        assert_eq!(by_row(made.noted.as_deref().unwrap_or_default()), stands.noted, "noted in slot {slot}");
        let drawn: Vec<usize> = (0..made.probabilities.len()).filter(|at| made.probabilities[*at].is_some()).collect();
        assert_eq!(drawn, stands.open, "what may stand in slot {slot}");
    }
}

/// What may stand in one slot, and what not.
#[derive(Default)]
struct Stands {
    open: Vec<usize>,
    left: BTreeMap<usize, Said>,
    noted: BTreeMap<usize, Said>,
    readings: BTreeMap<usize, BTreeMap<String, Reading>>,
}

fn stands(
    town: &Town,
    asked: &Asked<'_>,
    (each, open): (&[(u32, &Offer)], &[usize]),
    slot: usize,
    spoken: &mut Spoken,
) -> Stands {
    let mut found = Stands::default();
    for row in open {
        let offer = each[*row].1;
        if asked.chosen.iter().any(|chosen| chosen.offer_id == offer.offer_id) {
            continue;
        }
        let wanted = expected(town, asked, offer, Some(slot), spoken);
        if slot > 0 {
            found.readings.insert(*row, wanted.readings);
        }
        if wanted.failed.is_empty() {
            found.open.push(*row);
        } else {
            found.left.insert(*row, wanted.failed);
        }
        if !wanted.noted.is_empty() {
            found.noted.insert(*row, wanted.noted);
        }
    }
    found
}

fn rounds() -> u64 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2_500)
}

#[test]
fn a_whole_decision_says_of_every_offer_what_a_slow_reading_of_the_rules_says() {
    let (mut spoken, count) = (Spoken::default(), rounds());
    let first: u64 = std::env::var("PROFFER_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    for seed in first..first + count {
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(seed, &mut spoken)));
        if held.is_err() {
            let files = Town::any(&mut Chance::new(seed)).files();
            let rules = files.iter().find(|file| file.path.starts_with("rules/")).unwrap();
            panic!("seed {seed}: PROFFER_TEST_SEED={seed} PROFFER_TEST_SEEDS=1 plays it again\n{}", rules.text);
        }
    }
    for (list, (against, let_be)) in &spoken.0 {
        assert!(*against > 0 && *let_be > 0 || count < 100, "{list} was tried from one side only");
    }
    let spoken: Vec<String> =
        spoken.0.iter().map(|(list, (against, let_be))| format!("{list} {against}/{let_be}")).collect();
    println!("{count} bundles, {} decisions; spoke/let be: {}", count * 4, spoken.join(", "));
    assert!(spoken.len() == written::KINDS.len() || count < 100, "some kind was never tried");
}

#[test]
fn every_kind_of_rule_has_a_plain_reading() {
    let known: BTreeSet<&str> = written::KINDS.iter().map(|(list, _)| *list).collect();
    let lacking: Vec<&str> = crate::policy::lists().filter(|list| !known.contains(list)).collect();
    assert_eq!(lacking, written::LACKING, "kinds without a plain reading");
}
