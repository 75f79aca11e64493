//! What may run out, held against a store in memory: decisions of one batch see what those before them took, and what
//! an engine believed wrongly costs one refusal. Starts no thread and reads no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::batch::{Batch, CommitOutcome, DecisionWrite};
use super::sample::{Memory, NOW, consent, customer, request, settings, snapshot};
use super::{Effect, Engine, Event, Reply, Ticket};
use crate::decision::Snapshot;
use crate::domain::decision::FallbackReason;
use crate::domain::{
    Catalogue, ConsentState, DecisionRequest, Offer, OfferId, PoolKey, PoolLevel, PoolLevels, SubjectRef, Timestamp,
};

const PEOPLE: [&str; 6] = ["ann", "bob", "cat", "dan", "eve", "fay"];

/// The sample shop with so many boots; there are tents for everybody.
fn stocked(boots: u32) -> Arc<Snapshot> {
    let plain = snapshot(0, 1_000);
    let with = |offer: &Offer| Offer { stock: (offer.offer_id.as_str() == "boots").then_some(boots), ..offer.clone() };
    let offers = plain.catalogue.offers().iter().map(with).collect();
    Arc::new(Snapshot { catalogue: Arc::new(Catalogue::new(1, offers, Vec::new())), ..(*plain).clone() })
}

fn pool() -> PoolKey {
    PoolKey { name: "proffer.stock/boots".to_owned(), period: Timestamp(0) }
}

fn asked(who: &str, offer: &str) -> Arc<DecisionRequest> {
    let candidates = Some(vec![OfferId::new(offer).unwrap()]);
    Arc::new(DecisionRequest { candidates, ..(*request(who, None)).clone() })
}

fn consenting(gone: i64) -> Memory {
    let mut memory = Memory { gone: BTreeMap::from([(pool(), gone)]), ..Memory::default() };
    for name in PEOPLE {
        memory.change(&customer(name), |state| {
            state.add_consent(consent(ConsentState::Granted, Timestamp(0)), NOW);
        });
    }
    memory
}

/// One engine whose effects are carried out when the test says so.
struct Bench {
    engine: Engine,
    commits: Vec<Batch>,
    /// What the store made of the batch in flight, of which the engine is not told yet.
    settled: Option<CommitOutcome>,
    loads: Vec<SubjectRef>,
    replies: BTreeMap<Ticket, Reply>,
    /// What it was last told of pools.
    told: i64,
}

impl Bench {
    fn new(node: &str, boots: u32) -> Self {
        let engine = Engine::new(settings(node), stocked(boots));
        let (commits, loads, replies) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { engine, commits, settled: None, loads, replies, told: 0 }
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

    fn ask(&mut self, asked: &[(Ticket, &str, &str)]) {
        let event = |(ticket, who, offer): &(Ticket, &str, &str)| Event::Asked {
            ticket: *ticket,
            request: self::asked(who, offer),
        };
        self.tell(asked.iter().map(event).collect::<Vec<_>>());
    }

    fn load(&mut self, memory: &Memory) {
        let loaded = std::mem::take(&mut self.loads).iter().map(|reference| memory.load(reference)).collect();
        self.tell([Event::SubjectsLoaded(loaded)]);
    }

    fn store(&mut self, memory: &mut Memory) {
        if !self.commits.is_empty() {
            self.settled = Some(memory.commit(&self.commits.remove(0)));
        }
    }

    fn answer(&mut self) {
        if let Some(outcome) = self.settled.take() {
            self.tell([Event::Committed(outcome)]);
        }
    }

    fn commit(&mut self, memory: &mut Memory) {
        self.store(memory);
        self.answer();
    }

    /// Reads what is gone, as the runtime does: an engine is told where that has changed.
    fn read(&mut self, memory: &Memory) {
        let leased = memory.gone[&pool()];
        if leased != self.told {
            self.told = leased;
            let levels = PoolLevels::from([(pool(), PoolLevel { leased, free: BTreeMap::new() })]);
            self.tell([Event::PoolsRead(Arc::new(levels))]);
        }
    }

    fn run(&mut self, memory: &mut Memory) {
        self.answer();
        while !self.commits.is_empty() || !self.loads.is_empty() {
            if self.loads.is_empty() { self.commit(memory) } else { self.load(memory) }
        }
    }

    /// Who was shown what was asked for, of these tickets.
    fn shown(&self, tickets: impl IntoIterator<Item = Ticket>) -> Vec<bool> {
        let of = |ticket: Ticket| match self.replies.get(&ticket) {
            Some(Reply::Decided(skeleton)) => {
                assert!(matches!(skeleton.fallback, None | Some(FallbackReason::NoEligibleCandidate)), "{skeleton:?}");
                skeleton.fallback.is_none()
            }
            other => panic!("ticket {ticket} was answered {other:?}"),
        };
        tickets.into_iter().map(of).collect()
    }
}

#[test]
fn decisions_of_one_batch_and_of_the_next_see_what_those_before_them_took_and_nothing_is_refused() {
    let (mut bench, mut memory) = (Bench::new("a", 3), consenting(0));
    bench.ask(&[(1, "ann", "boots"), (2, "bob", "boots")]);
    bench.run(&mut memory);
    bench.ask(&[(3, "cat", "boots"), (4, "dan", "boots"), (5, "eve", "boots"), (6, "fay", "tent")]);
    bench.run(&mut memory);
    assert_eq!(bench.shown(1..=6), [true, true, true, false, false, true]);
    assert_eq!((memory.gone[&pool()], memory.refusals), (3, 0));
}

#[test]
fn what_an_engine_believed_wrongly_is_refused_once_and_then_decided_on_what_is_so() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(4));
    bench.ask(&[(1, "ann", "boots"), (2, "bob", "boots"), (3, "cat", "tent")]);
    bench.load(&memory);
    let sizes = |bench: &Bench| bench.commits.iter().map(|batch| batch.decisions.len()).collect::<Vec<_>>();
    assert_eq!(sizes(&bench), [3]);
    bench.commit(&mut memory);
    assert_eq!(sizes(&bench), [1], "whoever took nothing of it goes into the next attempt at once");
    bench.run(&mut memory);
    assert_eq!(bench.shown(1..=3), [true, false, true]);
    assert_eq!((memory.gone[&pool()], memory.refusals), (5, 1));
}

#[test]
fn what_is_read_of_pools_is_believed_with_what_the_engine_has_in_hand_itself() {
    let (mut bench, mut memory) = (Bench::new("a", 5), consenting(4));
    let own = |incarnation: u64| {
        let free = BTreeMap::from([(("a".to_owned(), incarnation), 1), (("b".to_owned(), 1), 1)]);
        Event::PoolsRead(Arc::new(PoolLevels::from([(pool(), PoolLevel { leased: 5, free })])))
    };
    // In the hands of an earlier start of it, and of somebody else.
    bench.tell([own(7)]);
    bench.ask(&[(1, "ann", "boots")]);
    bench.run(&mut memory);
    bench.tell([own(1)]);
    bench.ask(&[(2, "bob", "boots"), (3, "cat", "boots")]);
    bench.run(&mut memory);
    assert_eq!(bench.shown(1..=3), [false, true, false]);
    assert_eq!((memory.gone[&pool()], memory.refusals), (5, 0));
}

#[test]
fn what_is_read_while_a_batch_is_on_its_way_is_not_taken_twice() {
    let (mut bench, mut memory) = (Bench::new("a", 2), consenting(0));
    bench.ask(&[(1, "ann", "boots")]);
    bench.load(&memory);
    bench.store(&mut memory);
    bench.read(&memory);
    bench.answer();
    bench.ask(&[(2, "bob", "boots"), (3, "cat", "boots")]);
    bench.run(&mut memory);
    assert_eq!(bench.shown(1..=3), [true, true, false]);
}

/// One move of the game, on one of two engines.
#[derive(Debug, Clone)]
enum Move {
    Ask { engine: usize, who: usize, offer: &'static str },
    Load(usize),
    Store(usize),
    Answer(usize),
    Read(usize),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => (0..2_usize, 0..PEOPLE.len(), prop_oneof![4 => Just("boots"), 1 => Just("tent")])
            .prop_map(|(engine, who, offer)| Move::Ask { engine, who, offer }),
        6 => (0..2_usize).prop_map(Move::Load),
        6 => (0..2_usize).prop_map(Move::Store),
        6 => (0..2_usize).prop_map(Move::Answer),
        3 => (0..2_usize).prop_map(Move::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn two_engines_over_one_store_give_out_what_there_is_and_not_one_more(
        moves in prop::collection::vec(any_move(), 0..100),
        boots in 0_u32..8,
    ) {
        let mut memory = consenting(0);
        let mut benches = [Bench::new("a", boots), Bench::new("b", boots)];
        for (ticket, next) in (1..).zip(&moves) {
            match *next {
                Move::Ask { engine, who, offer } => benches[engine].ask(&[(ticket, PEOPLE[who], offer)]),
                Move::Load(engine) => benches[engine].load(&memory),
                Move::Store(engine) => benches[engine].store(&mut memory),
                Move::Answer(engine) => benches[engine].answer(),
                Move::Read(engine) => benches[engine].read(&memory),
            }
        }
        for bench in &mut benches {
            bench.run(&mut memory);
            bench.read(&memory);
        }
        // Whatever was believed before, the last of them are given out to who asks then.
        for ticket in 1_000..1_008 {
            benches[0].ask(&[(ticket, "ann", "boots")]);
            benches[0].run(&mut memory);
        }
        for bench in &benches {
            prop_assert!(bench.engine.is_idle(), "everybody was answered");
        }
        let of_boots = |decision: &&DecisionWrite| !decision.takes.is_empty();
        let shown = memory.decisions.values().filter(of_boots).count();
        prop_assert_eq!((memory.gone[&pool()], shown), (i64::from(boots), boots as usize));
    }
}
