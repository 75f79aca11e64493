//! The law of all rules: over random bundles, customers, offers and requests a whole decision says of every offer, in
//! every slot, what a slow and obvious reading of the rules says. Draws nothing by itself and knows no score.
//!
//! What is written is kept beside what it means: the files are printed from it and the rules asked from it, so that
//! nothing of what reads, compiles, counts or judges is shared with what is tried. A kind of rule is one type that says
//! its fields and what it says of an offer; it gets a row in [`KINDS`](written::KINDS).
//!
//! `PROFFER_TEST_SEEDS` plays more rounds: 1,000,000 are the whole trial.

mod chance;

mod approvals;
mod folk;
mod town;

mod asked;
mod seats;

mod written;

mod answers;
mod at_once;
mod availability;
mod categories;
mod conditions;
mod counted;
mod fairness;
mod gates;
mod guards;
mod merchandise;
mod money;
mod personal_prices;
mod pools;

mod says;

mod compare;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use asked::Asked;
use chance::Chance;
use folk::{Folk, Person};
use town::Town;

use super::{Ask, Decision, Snapshot, SubjectView, Subjects, decide};
use crate::bandit::DrawPurpose;
use crate::domain::key::GeneratorKey;
use crate::domain::{Catalogue, DecisionId, DecisionRequest, Digest, SubjectId, SubjectState, Timestamp};
use crate::policy::{Approved, compile, rebuild_caps};

/// What a rule said, by its id: what it compared.
type Said = BTreeSet<(String, Option<i64>, Option<i64>)>;

/// How often each kind spoke, and let be what it applies to; and how often else something was so, and was not.
#[derive(Default)]
struct Spoken(BTreeMap<&'static str, (u64, u64)>);

/// What else is counted: both sides of it have to be met.
const MET: [&str; 6] = ["lifted", "put first", "withheld", "unapproved", "tastes", "personalised"];

impl Spoken {
    fn count(&mut self, of: &'static str, so: bool) {
        let (yes, no) = self.0.entry(of).or_default();
        *(if so { yes } else { no }) += 1;
    }
}

/// The state of whoever is named: what was said, what is kept, and every contact counted.
fn state(snapshot: &Snapshot, person: &Person, counted: Timestamp) -> SubjectState {
    let mut state = SubjectState { known: person.kept.clone(), ..SubjectState::default() };
    for (at, entry) in &person.said {
        state.add_consent(entry.clone(), Timestamp(*at));
    }
    rebuild_caps(&snapshot.bundle, &snapshot.catalogue, &person.contacts, &mut state, counted);
    state
}

/// What its numbers are drawn with.
pub(crate) const GENERATOR: GeneratorKey = GeneratorKey { period: 1, key: [3; 32] };

fn decided(
    snapshot: &Snapshot,
    (request, folk): (&DecisionRequest, &Folk),
    (at, counted): (i64, Timestamp),
    number: u64,
) -> Decision {
    let named = request.subjects(snapshot.bundle.counted);
    let states = named.iter().map(|(of, _)| state(snapshot, folk.named(of.kind).unwrap(), counted));
    let states: Vec<SubjectState> = states.collect();
    let views = named.iter().zip(&states).map(|((of, stands_for), state)| {
        let subject = SubjectId([of.kind as u8 + 1; 16]);
        (SubjectView { kind: of.kind, subject, version: 1, state }, *stands_for)
    });
    let ask = Ask {
        request,
        request_digest: Digest([5; 32]),
        decision_id: DecisionId::from_parts(at, u128::from(number).to_be_bytes()[6..].try_into().unwrap()),
        id_minted: false,
        attempt: 0,
        purpose: DrawPurpose::Served,
        contended: false,
        purse: &crate::domain::Purse::default(),
    };
    decide(snapshot, &ask, Subjects::of(views), &GENERATOR, Timestamp(at)).unwrap()
}

/// Requests for each bundle.
const ROUNDS: usize = 10;

/// One bundle, one catalogue, and some requests, each decided.
fn play(seed: u64, mut each: impl FnMut(&Town, &Asked<'_>, &Snapshot, Decision)) {
    let mut chance = Chance::new(seed);
    let town = Town::any(&mut chance);
    let files = town.files();
    let bundle = compile(&files).unwrap_or_else(|findings| {
        panic!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    let catalogue = Catalogue::new(1, town.offers.values().cloned().collect(), town.campaigns.clone());
    let now = Timestamp(town::NOW);
    let approved = Approved::of(&bundle, &catalogue, &town.approvals.given(&bundle));
    let snapshot = Snapshot {
        tenant: "default".into(),
        build: "law".into(),
        control_sequence: 1,
        bundle: Arc::new(bundle),
        catalogue: Arc::new(catalogue),
        models: BTreeMap::new(),
        spend: Arc::new(crate::domain::Spend::none(now.day())),
        approved: Arc::new(approved),
        day: now.day(),
    };
    for round in 0..ROUNDS {
        let at = town::NOW + [0, 1_800_000][round % 2];
        let counted = if round < ROUNDS / 2 { now } else { Timestamp(at) };
        let (folk, spot) = (Folk::any(&mut chance), chance.below(2));
        let request = town.request(&mut chance, spot, &folk);
        let asked = Asked::new(&town, spot, (&request, &folk), at, counted.0 == at);
        let made = decided(&snapshot, (&request, &folk), (at, counted), seed * ROUNDS as u64 + round as u64);
        each(&town, &asked, &snapshot, made);
    }
}

fn check(seed: u64, spoken: &mut Spoken) {
    play(seed, |town, asked, snapshot, made| compare::compare(town, asked, snapshot, &made, spoken));
}

/// What a seed decides, for whoever tries something else on it.
pub(crate) fn decisions(seed: u64, mut each: impl FnMut(&Snapshot, Decision)) {
    play(seed, |_, _, snapshot, made| each(snapshot, made));
}

/// How many bundles are tried.
pub(crate) fn rounds() -> u64 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1_000)
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
    println!("{count} bundles, {} decisions; spoke/let be: {}", count * ROUNDS as u64, spoken.join(", "));
    assert!(spoken.len() == written::KINDS.len() + MET.len() || count < 100, "something was never tried");
}

#[test]
fn every_kind_of_rule_has_a_plain_reading() {
    let known: BTreeSet<&str> = written::KINDS.iter().map(|(list, _)| *list).collect();
    let lacking: Vec<&str> = crate::policy::lists().filter(|list| !known.contains(list)).collect();
    assert!(lacking.is_empty(), "kinds without a plain reading: {lacking:?}");
}
