//! Several subjects of one decision, held against a store in memory: households whose members share a cap. Starts no
//! thread and reads no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::batch::Batch;
use super::sample::{Memory, NOW, capped, consent, customer, request, settings};
use super::{Effect, Engine, Event, Reply, Ticket};
use crate::domain::decision::FallbackReason;
use crate::domain::{ConsentState, Customer, DecisionRequest, SubjectKind, SubjectKinds, SubjectRef, Timestamp};

/// Who asks: two share a household, the third lives alone; and each may name their home or not.
const PEOPLE: [(&str, &str); 3] = [("ann", "oak"), ("bob", "oak"), ("cat", "elm")];
const OF_CUSTOMER: u32 = 3;
const OF_HOUSEHOLD: u32 = 2;

fn asked(who: usize, at_home: bool) -> Arc<DecisionRequest> {
    let (name, home) = PEOPLE[who];
    let household = at_home.then(|| home.to_owned());
    let plain = request(name, None);
    let customer = Customer { household, session: Some(format!("s-{name}")), ..plain.customer.clone() };
    Arc::new(DecisionRequest { customer, ..(*plain).clone() })
}

fn household(name: &str) -> SubjectRef {
    SubjectRef { kind: SubjectKind::Household, outside_id: name.to_owned() }
}

/// One engine whose effects are carried out when the test says so.
struct Bench {
    engine: Engine,
    commits: Vec<Batch>,
    loads: Vec<SubjectRef>,
    replies: BTreeMap<Ticket, Reply>,
}

impl Bench {
    fn new(node: &str) -> Self {
        let snapshot = capped(0, &[("customer", OF_CUSTOMER), ("household", OF_HOUSEHOLD)]);
        let engine = Engine::new(settings(node), snapshot);
        Self { engine, commits: Vec::new(), loads: Vec::new(), replies: BTreeMap::new() }
    }

    fn tell(&mut self, events: impl IntoIterator<Item = Event>) {
        for effect in self.engine.step(events, NOW) {
            match effect {
                Effect::LoadSubjects(references) => self.loads.extend(references),
                Effect::Commit(batch) => self.commits.push(*batch),
                Effect::Reply(ticket, reply) => drop(self.replies.insert(ticket, reply)),
                Effect::Resync | Effect::ReloadSnapshot => {}
            }
        }
    }

    /// Reads one of the subjects wanted, so that those of one request come one after another.
    fn load(&mut self, memory: &Memory) {
        if let Some(reference) = self.loads.pop() {
            self.tell([Event::SubjectsLoaded(vec![memory.load(&reference)])]);
        }
    }

    fn commit(&mut self, memory: &mut Memory) {
        if !self.commits.is_empty() {
            let outcome = memory.commit(&self.commits.remove(0));
            self.tell([Event::Committed(outcome)]);
        }
    }

    fn run(&mut self, memory: &mut Memory) {
        while !self.commits.is_empty() || !self.loads.is_empty() {
            self.load(memory);
            self.commit(memory);
        }
    }

    fn fallback(&self, ticket: Ticket) -> Option<FallbackReason> {
        match self.replies.get(&ticket) {
            Some(Reply::Decided(skeleton)) => skeleton.fallback,
            other => panic!("ticket {ticket} was answered {other:?}"),
        }
    }
}

fn consenting(careless: bool) -> Memory {
    let mut memory = Memory { careless, ..Memory::default() };
    for (name, _) in PEOPLE {
        memory.change(&customer(name), |state| {
            state.add_consent(consent(ConsentState::Granted, Timestamp(0)), NOW);
        });
    }
    memory
}

#[test]
fn members_of_one_household_in_a_batch_are_chained_on_it_and_its_cap_holds_within_it() {
    let (mut bench, mut memory) = (Bench::new("a"), consenting(false));
    let all = [(1, 0), (2, 1), (3, 0), (4, 2)];
    bench.tell(all.map(|(ticket, who)| Event::Asked { ticket, request: asked(who, true) }));
    assert_eq!(bench.loads.len(), 5, "each subject is read once");
    bench.run(&mut memory);
    let none_left = Some(FallbackReason::NoEligibleCandidate);
    assert_eq!([1, 2, 3, 4].map(|ticket| bench.fallback(ticket)), [None, None, none_left, None]);
    assert_eq!(memory.load(&household("oak")).subject.version, 2);
    let stood = memory.decisions.values().flat_map(|decision| &decision.beside).map(|(_, stands)| *stands);
    assert!(
        stood.clone().count() == 3 && stood.clone().all(|stands| stands == SubjectKinds::of(SubjectKind::Household))
    );
}

#[test]
fn whoever_read_what_a_stale_member_made_is_decided_again_with_them() {
    let (mut bench, mut memory) = (Bench::new("a"), consenting(false));
    // Bob's second decision reads what his first one made, and the first one reads a household that has changed.
    let all = [(1, 1, true), (2, 1, false), (3, 2, true)];
    bench.tell(all.map(|(ticket, who, home)| Event::Asked { ticket, request: asked(who, home) }));
    let loaded = std::mem::take(&mut bench.loads).iter().map(|reference| memory.load(reference)).collect();
    bench.tell([Event::SubjectsLoaded(loaded)]);
    let decisions = |bench: &Bench| bench.commits.iter().map(|batch| batch.decisions.len()).collect::<Vec<_>>();
    assert_eq!(decisions(&bench), [3]);
    memory.change(&household("oak"), |state| state.last_at = Some(NOW));
    bench.commit(&mut memory);
    assert_eq!(decisions(&bench), [1], "cat's goes into the next attempt at once, both of bob's are decided again");
    bench.run(&mut memory);
    assert_eq!([1, 2, 3].map(|ticket| bench.fallback(ticket)), [None; 3]);
    assert_eq!(memory.load(&customer("bob")).subject.version, 3, "a consent and two contacts, none of them lost");
}

/// One move of the game, on one of two engines.
#[derive(Debug, Clone)]
enum Move {
    Ask { engine: usize, who: usize, at_home: bool },
    Load(usize),
    Commit(usize),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => (0..2_usize, 0..3_usize, any::<bool>())
            .prop_map(|(engine, who, at_home)| Move::Ask { engine, who, at_home }),
        9 => (0..2_usize).prop_map(Move::Load),
        6 => (0..2_usize).prop_map(Move::Commit),
    ]
}

/// Contacts of each customer and each household, after everything has come to rest.
fn play(moves: &[Move], careless: bool) -> BTreeMap<&'static str, u32> {
    let mut memory = consenting(careless);
    let mut benches = [Bench::new("a"), Bench::new("b")];
    for (ticket, next) in (1..).zip(moves) {
        match *next {
            Move::Ask { engine, who, at_home } => {
                benches[engine].tell([Event::Asked { ticket, request: asked(who, at_home) }]);
            }
            Move::Load(engine) => benches[engine].load(&memory),
            Move::Commit(engine) => benches[engine].commit(&mut memory),
        }
    }
    for bench in &mut benches {
        bench.run(&mut memory);
        assert!(bench.engine.is_idle(), "everybody was answered");
    }
    let mut contacts = BTreeMap::new();
    for (name, home) in PEOPLE {
        let (own, shared) =
            (memory.load(&customer(name)).subject.subject, memory.load(&household(home)).subject.subject);
        for decision in memory.decisions.values().filter(|decision| decision.subject == Some(own)) {
            if decision.record.skeleton().unwrap().chosen().next().is_some() {
                *contacts.entry(name).or_default() += 1;
                if decision.beside.iter().any(|(subject, _)| *subject == shared) {
                    *contacts.entry(home).or_default() += 1;
                }
            }
        }
    }
    contacts
}

fn holds(moves: &[Move], careless: bool) -> Result<(), String> {
    let max = |name: &str| if PEOPLE.iter().any(|(own, _)| *own == name) { OF_CUSTOMER } else { OF_HOUSEHOLD };
    match play(moves, careless).into_iter().find(|(name, contacts)| *contacts > max(name)) {
        Some((name, contacts)) => Err(format!("{name} was contacted {contacts} times")),
        None => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn two_engines_over_one_store_keep_the_caps_of_customers_and_of_their_households(
        moves in proptest::collection::vec(any_move(), 0..100),
    ) {
        prop_assert_eq!(holds(&moves, false), Ok(()));
    }
}

#[test]
fn a_store_that_checks_nothing_is_caught() {
    let ask = |engine, who| Move::Ask { engine, who, at_home: true };
    let load = || [Move::Load(0), Move::Load(1), Move::Load(0), Move::Load(1)];
    let race: Vec<Move> = [ask(0, 0), ask(1, 1), ask(0, 0), ask(1, 1)]
        .into_iter()
        .chain(load())
        .chain([Move::Commit(0), Move::Commit(1), Move::Commit(0), Move::Commit(1)])
        .collect();
    assert_eq!(holds(&race, false), Ok(()));
    assert!(holds(&race, true).is_err());
}
