//! The engine's promises, held against a store in memory. Starts no thread and reads no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::batch::{Batch, CommitOutcome};
use super::sample::{Memory, NOW, consent, customer, request, settings, snapshot};
use super::{Effect, Engine, Event, Reply, Ticket};
use crate::domain::decision::FallbackReason;
use crate::domain::{ConsentState, DecisionId, SubjectRef, Timestamp};

/// One engine whose effects are carried out when the test says so.
struct Bench {
    engine: Engine,
    commits: Vec<Batch>,
    loads: Vec<SubjectRef>,
    replies: BTreeMap<Ticket, Reply>,
    reloads: usize,
    resyncs: usize,
}

impl Bench {
    fn new(node: &str, cap: u32) -> Self {
        let engine = Engine::new(settings(node), snapshot(0, cap));
        let (commits, loads, replies) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { engine, commits, loads, replies, reloads: 0, resyncs: 0 }
    }

    fn tell(&mut self, events: impl IntoIterator<Item = Event>) {
        for effect in self.engine.step(events, NOW) {
            match effect {
                Effect::LoadSubjects(references) => self.loads.extend(references),
                Effect::Commit(batch) => self.commits.push(*batch),
                Effect::Resync => self.resyncs += 1,
                Effect::ReloadSnapshot => self.reloads += 1,
                Effect::Reply(ticket, reply) => {
                    assert!(self.replies.insert(ticket, reply).is_none(), "ticket {ticket} was answered twice");
                }
            }
        }
    }

    fn ask(&mut self, ticket: Ticket, who: &str, id: Option<DecisionId>) {
        self.tell([Event::Asked { ticket, request: request(who, id) }]);
    }

    fn load(&mut self, memory: &Memory) {
        let loaded = std::mem::take(&mut self.loads).iter().map(|reference| memory.load(reference)).collect();
        self.tell([Event::SubjectsLoaded(loaded)]);
    }

    fn commit(&mut self, memory: &mut Memory) {
        let batch = self.commits.remove(0);
        let outcome = memory.commit(&batch);
        self.tell([Event::Committed(outcome)]);
    }

    /// Carries everything out until nothing is left to do.
    fn run(&mut self, memory: &mut Memory) {
        while !self.commits.is_empty() || !self.loads.is_empty() {
            if self.loads.is_empty() { self.commit(memory) } else { self.load(memory) }
        }
    }

    fn fallback(&self, ticket: Ticket) -> Option<FallbackReason> {
        match self.replies.get(&ticket) {
            Some(Reply::Decided(skeleton)) => skeleton.fallback,
            other => panic!("ticket {ticket} was answered {other:?}"),
        }
    }
}

fn id(n: u8) -> DecisionId {
    DecisionId::from_parts(NOW.0, [n; 10])
}

fn consenting(customers: &[&str]) -> Memory {
    let mut memory = Memory::default();
    for name in customers {
        memory.change(&customer(name), |state| {
            state.add_consent(consent(ConsentState::Granted, Timestamp(0)), NOW);
        });
    }
    memory
}

#[test]
fn nobody_is_answered_before_the_batch_is_durable() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann"]));
    bench.ask(1, "ann", None);
    bench.load(&memory);
    assert_eq!((bench.commits.len(), bench.replies.len()), (1, 0));
    bench.commit(&mut memory);
    assert_eq!(bench.fallback(1), None);
}

#[test]
fn what_gathers_while_a_commit_runs_forms_the_next_batch() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann", "bob", "cat"]));
    for (ticket, who) in [(1, "ann"), (2, "bob"), (3, "cat")] {
        bench.ask(ticket, who, None);
        bench.load(&memory);
    }
    assert_eq!(bench.commits.len(), 1);
    bench.commit(&mut memory);
    assert_eq!(bench.commits[0].decisions.len(), 2);
}

#[test]
fn decisions_of_one_customer_in_a_batch_are_chained_and_the_cap_holds_within_it() {
    let (mut bench, mut memory) = (Bench::new("a", 2), consenting(&["ann"]));
    let asked: Vec<Event> = (1..=4).map(|ticket| Event::Asked { ticket, request: request("ann", None) }).collect();
    bench.tell(asked);
    bench.load(&memory);
    assert_eq!(bench.commits[0].subjects.len(), 1, "a subject is sent once");
    bench.run(&mut memory);
    let fallbacks: Vec<_> = (1..=4).map(|ticket| bench.fallback(ticket)).collect();
    let none_left = Some(FallbackReason::NoEligibleCandidate);
    assert_eq!(fallbacks, [None, None, none_left, none_left]);
    assert_eq!(memory.contacts(&customer("ann")), 2);
}

#[test]
fn a_withdrawal_between_reading_and_committing_is_honoured() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann", "bob"]));
    bench.tell([(1, "ann"), (2, "bob")].map(|(ticket, who)| Event::Asked { ticket, request: request(who, None) }));
    bench.load(&memory);
    memory.change(&customer("ann"), |state| state.add_consent(consent(ConsentState::Withdrawn, NOW), NOW));
    bench.commit(&mut memory);
    assert!(bench.replies.is_empty(), "all or nothing: bob's decision was not stored either");
    assert_eq!(bench.commits[0].decisions.len(), 1, "bob's goes into the next attempt at once");
    bench.run(&mut memory);
    assert_eq!((bench.fallback(1), bench.fallback(2)), (Some(FallbackReason::PurposeRefused), None));
    let Some(Reply::Decided(skeleton)) = bench.replies.get(&1) else { panic!() };
    assert_eq!(skeleton.attempt, 1);
}

#[test]
fn what_was_read_and_left_as_it_is_is_checked_too() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann"]));
    let before = Timestamp(NOW.0 - 1);
    memory.change(&customer("ann"), |state| state.add_consent(consent(ConsentState::Withdrawn, before), NOW));
    bench.ask(1, "ann", None);
    bench.load(&memory);
    assert!(bench.commits[0].subjects.iter().all(|touched| touched.next.is_none()), "nothing of her was changed");
    memory.change(&customer("ann"), |state| state.add_consent(consent(ConsentState::Granted, NOW), NOW));
    bench.run(&mut memory);
    assert_eq!(bench.fallback(1), None, "she agreed before it was stored");
}

#[test]
fn a_changed_control_row_decides_everything_again_under_the_new_snapshot() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann"]));
    bench.ask(1, "ann", None);
    bench.load(&memory);
    memory.control_sequence = 7;
    bench.commit(&mut memory);
    assert_eq!((bench.reloads, bench.commits.len(), bench.replies.len()), (1, 0, 0));
    bench.ask(2, "ann", None);
    bench.tell([Event::Published(snapshot(7, 1))]);
    bench.run(&mut memory);
    assert_eq!((bench.fallback(1), bench.fallback(2)), (None, Some(FallbackReason::NoEligibleCandidate)));
    let Some(Reply::Decided(skeleton)) = bench.replies.get(&1) else { panic!() };
    assert_eq!(skeleton.control_sequence, 7);
}

#[test]
fn a_stored_id_is_answered_from_the_store_and_another_request_under_it_is_a_conflict() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann", "bob"]));
    bench.ask(1, "ann", Some(id(1)));
    bench.run(&mut memory);
    bench.ask(2, "ann", Some(id(1)));
    bench.run(&mut memory);
    bench.ask(3, "bob", Some(id(1)));
    bench.run(&mut memory);
    let stored = memory.decisions.get(&id(1)).unwrap().record.clone();
    assert!(matches!(bench.replies.get(&2), Some(Reply::Stored(record)) if *record == stored));
    assert!(matches!(bench.replies.get(&3), Some(Reply::Conflict(_))));
    assert_eq!(memory.contacts(&customer("ann")), 1, "the repeat counted no contact");
}

#[test]
fn the_same_id_twice_at_once_is_one_decision_with_two_answers() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann", "bob"]));
    bench.ask(1, "ann", Some(id(1)));
    bench.ask(2, "ann", Some(id(1)));
    bench.ask(3, "bob", Some(id(1)));
    bench.run(&mut memory);
    assert_eq!((bench.fallback(1), bench.fallback(2)), (None, None));
    assert!(matches!(bench.replies.get(&3), Some(Reply::Conflict(_))));
    assert_eq!(memory.decisions.len(), 1);
}

#[test]
fn state_that_keeps_changing_ends_in_the_fallback_and_not_in_a_wait_for_ever() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann"]));
    bench.ask(1, "ann", None);
    for _ in 0..4 {
        bench.load(&memory);
        memory.change(&customer("ann"), |_| ());
        bench.commit(&mut memory);
    }
    bench.load(&memory);
    memory.change(&customer("ann"), |_| ());
    bench.run(&mut memory);
    assert_eq!(bench.fallback(1), Some(FallbackReason::Contention));
    let stored = memory.decisions.values().next().unwrap();
    assert!(stored.subject.is_some(), "it is sealed under the customer's key, so that it can be erased");
}

#[test]
fn a_failed_commit_is_answered_unavailable_and_numbers_stay_without_gap() {
    for stored_after_all in [false, true] {
        let (mut bench, mut memory) = (Bench::new("a", 5), consenting(&["ann"]));
        bench.ask(1, "ann", Some(id(1)));
        bench.load(&memory);
        let batch = bench.commits.remove(0);
        if stored_after_all {
            assert_eq!(memory.commit(&batch), CommitOutcome::Stored);
        }
        bench.tell([Event::CommitFailed]);
        assert!(matches!(bench.replies.get(&1), Some(Reply::Unavailable)));
        bench.ask(2, "ann", Some(id(1)));
        assert!(matches!(bench.replies.get(&2), Some(Reply::Unavailable)), "told at once, not kept waiting");
        assert_eq!(bench.resyncs, 1);
        let last = memory.batches.get("a").copied().unwrap_or(0);
        bench.tell([Event::Resynced(last)]);
        bench.ask(3, "ann", Some(id(1)));
        bench.run(&mut memory);
        let stored = matches!(bench.replies.get(&3), Some(Reply::Stored(_)));
        assert_eq!(stored, stored_after_all);
        assert_eq!(memory.contacts(&customer("ann")), 1);
    }
}

#[test]
fn too_many_who_wait_are_turned_away_at_the_door() {
    let mut bench = Bench::new("a", 5);
    for ticket in 0..=100 {
        bench.ask(ticket, "ann", None);
    }
    assert!(matches!(bench.replies.get(&100), Some(Reply::Overloaded)));
    assert_eq!(bench.replies.len(), 1);
}

/// What happens next in a run of two engines over one store.
#[derive(Debug, Clone, Copy)]
enum Move {
    Ask { engine: usize, who: usize },
    Load(usize),
    Commit(usize),
    Fail { engine: usize, stored: bool },
    Withdraw(usize),
    Activate,
}

const NAMES: [&str; 3] = ["ann", "bob", "cat"];

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => (0..2_usize, 0..3_usize).prop_map(|(engine, who)| Move::Ask { engine, who }),
        6 => (0..2_usize).prop_map(Move::Load),
        6 => (0..2_usize).prop_map(Move::Commit),
        1 => (0..2_usize, any::<bool>()).prop_map(|(engine, stored)| Move::Fail { engine, stored }),
        1 => (0..3_usize).prop_map(Move::Withdraw),
        1 => Just(Move::Activate),
    ]
}

/// Plays the moves, then lets everything come to rest. The contacts of each customer, and what was acknowledged.
fn play(moves: &[Move], cap: u32, careless: bool) -> (Memory, Vec<DecisionId>, Vec<Option<usize>>) {
    let mut memory = Memory { careless, ..consenting(&NAMES) };
    let mut benches = [Bench::new("a", cap), Bench::new("b", cap)];
    let mut withdrawn_at = vec![None; NAMES.len()];
    let mut ticket = 0;
    let mut live = Arc::clone(&snapshot(0, cap));
    for next in moves {
        match *next {
            Move::Ask { engine, who } => {
                ticket += 1;
                benches[engine].ask(ticket, NAMES[who], None);
            }
            Move::Load(engine) if !benches[engine].loads.is_empty() => benches[engine].load(&memory),
            Move::Commit(engine) if !benches[engine].commits.is_empty() => benches[engine].commit(&mut memory),
            Move::Fail { engine, stored } if !benches[engine].commits.is_empty() => {
                let bench = &mut benches[engine];
                let batch = bench.commits.remove(0);
                if stored {
                    memory.commit(&batch);
                }
                let last = memory.batches.get(&batch.node).copied().unwrap_or(0);
                bench.tell([Event::CommitFailed]);
                bench.tell([Event::Resynced(last)]);
            }
            Move::Withdraw(who) => {
                memory.change(&customer(NAMES[who]), |state| {
                    state.add_consent(consent(ConsentState::Withdrawn, NOW), NOW);
                });
                withdrawn_at[who].get_or_insert(memory.contacts(&customer(NAMES[who])));
            }
            Move::Activate => {
                memory.control_sequence += 1;
                live = snapshot(memory.control_sequence, cap);
            }
            Move::Load(_) | Move::Commit(_) | Move::Fail { .. } => {}
        }
    }
    for bench in &mut benches {
        bench.tell([Event::Published(live.clone())]);
        bench.run(&mut memory);
        assert!(bench.engine.is_idle(), "everybody was answered");
    }
    let acknowledged = benches
        .iter()
        .flat_map(|bench| bench.replies.values())
        .filter_map(|reply| match reply {
            Reply::Decided(skeleton) => Some(skeleton.decision_id),
            _ => None,
        })
        .collect();
    (memory, acknowledged, withdrawn_at)
}

/// Whether caps, acknowledgements and withdrawals held.
fn holds(moves: &[Move], cap: u32, careless: bool) -> Result<(), String> {
    let (memory, acknowledged, withdrawn_at) = play(moves, cap, careless);
    for (who, name) in NAMES.iter().enumerate() {
        let contacts = memory.contacts(&customer(name));
        if contacts > cap as usize {
            return Err(format!("{name} was contacted {contacts} times; the cap is {cap}"));
        }
        if withdrawn_at[who].is_some_and(|before| contacts > before) {
            return Err(format!("{name} was contacted after the withdrawal"));
        }
    }
    match acknowledged.iter().find(|id| !memory.decisions.contains_key(id)) {
        Some(id) => Err(format!("{id} was acknowledged and is not stored")),
        None => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn two_engines_over_one_store_keep_caps_withdrawals_and_acknowledgements(
        moves in proptest::collection::vec(any_move(), 0..80),
        cap in 1..4_u32,
    ) {
        prop_assert_eq!(holds(&moves, cap, false), Ok(()));
    }
}

#[test]
fn a_store_that_checks_nothing_is_caught() {
    let ask = |engine| Move::Ask { engine, who: 0 };
    let race = [ask(0), ask(1), Move::Load(0), Move::Load(1), Move::Commit(0), Move::Commit(1)];
    assert_eq!(holds(&race, 1, false), Ok(()));
    assert_eq!(holds(&race, 1, true), Err("ann was contacted 2 times; the cap is 1".to_owned()));
}
