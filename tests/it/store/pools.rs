//! What may run out: never given out twice whatever engines, orders, returns and crashes come in which order, and
//! nothing of it lost for longer than until it is returned.

use std::collections::BTreeMap;
use std::sync::Arc;

use proffer::domain::pool::PORTION_SHARE;
use proffer::domain::{OfferId, PoolKey, PoolLevel, PoolLevels, Settled, Take, Timestamp};
use proffer::engine::batch::{Batch, CommitOutcome, DecisionWrite};
use proffer::store::{CatalogueChange, HoldSettled, Learned, OfferBody, Store};

use super::lease::elected;
use super::make::{BY, batch, decision, decision_id, digest};
use crate::harness::database::{Database, on_both_stores};

on_both_stores! {
    whatever_happens_in_whatever_order_a_pool_is_never_given_out_twice,
    engines_that_take_at_once_give_out_all_of_it_and_not_one_more,
    a_batch_that_takes_too_much_is_refused_whole_with_what_is_gone,
    what_was_counted_by_somebody_forgets_orders_and_keeps_what_is_reserved,
    pools_of_windows_that_ended_go_with_what_was_held_of_them_once_none_of_it_is_only_reserved,
    what_is_held_of_old_goes_and_counts_until_somebody_counts_anew,
}

const TOTAL: i64 = 500;

fn pool(name: &str) -> PoolKey {
    PoolKey { name: name.to_owned(), period: Timestamp(0) }
}

fn take(name: &str, amount: i64, total: Option<i64>) -> Take {
    Take { slot: 0, pool: pool(name), amount, sunk: amount / 10, total, until: Timestamp(9_000), units: true }
}

fn taking(number: u32, takes: Vec<Take>) -> DecisionWrite {
    DecisionWrite { takes, ..decision(number, None) }
}

async fn level(store: &dyn Store, name: &str) -> PoolLevel {
    store.pools(Timestamp(0)).await.unwrap().remove(&pool(name)).unwrap_or_default()
}

/// A number from a seed and a counter: splitmix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Engines, what decisions hold, and what is owed for orders that came too late.
struct Town {
    store: Arc<dyn Store>,
    engines: Vec<(String, u64, u64)>,
    holds: BTreeMap<u32, (i64, i64, bool)>,
    late: i64,
    next: u32,
    sequence: u64,
    term: u64,
}

impl Town {
    async fn new(store: Arc<dyn Store>) -> Self {
        let term = elected(&*store, "learner", 1).await.unwrap();
        let mut engines = Vec::new();
        for name in ["a", "b", "c"] {
            engines.push((name.to_owned(), store.start_incarnation(name).await.unwrap(), 0));
        }
        Self { store, engines, holds: BTreeMap::new(), late: 0, next: 1, sequence: 0, term }
    }

    async fn commit(&mut self, at: usize, amounts: &[i64]) {
        let (first, (node, incarnation, number)) = (self.next, self.engines[at].clone());
        let writes =
            (first..).zip(amounts).map(|(n, amount)| taking(n, vec![take("p", *amount, Some(TOTAL))])).collect();
        self.next += u32::try_from(amounts.len()).unwrap();
        let batch = Batch {
            node: node.clone(),
            incarnation,
            control_sequence: self.sequence,
            ..batch(number + 1, vec![], writes)
        };
        let before = level(&*self.store, "p").await;
        let (wanted, own) = (amounts.iter().sum::<i64>(), before.free.get(&(node, incarnation)).copied().unwrap_or(0));
        match self.store.commit(&batch).await.unwrap() {
            CommitOutcome::Stored => {
                assert!(before.leased - own + wanted <= TOTAL, "{before:?} gave out {wanted}");
                self.engines[at].2 += 1;
                self.holds.extend((first..).zip(amounts.iter().map(|amount| (*amount, *amount, true))));
            }
            CommitOutcome::Refused { short, .. } => {
                assert_eq!(short, [(pool("p"), before.leased - own)]);
                assert!(before.leased - own + wanted > TOTAL, "{before:?} had enough for {wanted}");
            }
        }
    }

    /// An order for a decision, or the end of its reservation, or a refund.
    async fn settle(&mut self, number: u32, ordered: bool) {
        let (reserved, held, open) = self.holds[&number];
        let to = Settled { held: if ordered { reserved } else { reserved / 10 }, until: None, late: !open && ordered };
        let settled = vec![HoldSettled { decision_id: decision_id(number), slot: 0, pool: pool("p"), to }];
        assert!(self.store.learn(self.term, &Learned { settled, ..Learned::default() }).await.unwrap());
        self.late += if open { 0 } else { (to.held - held).max(0) };
        self.holds.insert(number, (reserved, to.held, false));
    }

    async fn check(&self) {
        let level = level(&*self.store, "p").await;
        let (free, held): (i64, i64) = (level.free.values().sum(), self.holds.values().map(|(_, held, _)| held).sum());
        assert_eq!(level.leased, free + held, "{level:?}: what is leased is in hand or held");
        assert!(held <= TOTAL + self.late, "{held} of {TOTAL} are held, {} too late", self.late);
        // At most a portion is lost with an engine, until it is returned.
        let most = TOTAL / PORTION_SHARE;
        assert!(level.free.values().all(|free| (0..=most).contains(free)), "{level:?}: more than {most} in hand");
    }
}

async fn whatever_happens_in_whatever_order_a_pool_is_never_given_out_twice(database: Arc<Database>) {
    let seed = std::env::var("PROFFER_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let moves = std::env::var("PROFFER_POOL_MOVES").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let mut town = Town::new(database.open().await).await;
    let mut chance = Chance(seed);
    for step in 0..moves {
        let engine = usize::try_from(chance.below(3)).unwrap();
        let known: Vec<u32> = town.holds.keys().copied().collect();
        let some = known.get(usize::try_from(chance.below(1.max(known.len() as u64))).unwrap()).copied();
        match (chance.below(12), some) {
            (0..=5, _) | (_, None) => {
                let amounts: Vec<i64> =
                    (0..=chance.below(3)).map(|_| 1 + i64::try_from(chance.below(12)).unwrap()).collect();
                town.commit(engine, &amounts).await;
            }
            (6..=9, Some(number)) => town.settle(number, chance.below(3) == 0).await,
            // Killed and started anew: what it had in hand is somebody's to return.
            (10, _) => {
                let (name, incarnation, number) = &mut town.engines[engine];
                (*incarnation, *number) = (town.store.start_incarnation(name).await.unwrap(), 0);
                if chance.below(2) == 0 {
                    town.store.return_portions().await.unwrap();
                }
            }
            _ => {
                let hash = digest(u8::try_from(step % 256).unwrap());
                town.sequence = town.store.activate_bundle(hash, "", BY).await.unwrap().sequence;
            }
        }
        town.check().await;
    }
    for (name, ..) in &town.engines {
        town.store.start_incarnation(name).await.unwrap();
    }
    town.store.return_portions().await.unwrap();
    let level = level(&*town.store, "p").await;
    assert_eq!(level.free, BTreeMap::new());
    assert_eq!(level.leased, town.holds.values().map(|(_, held, _)| held).sum::<i64>(), "nothing is lost");
}

/// Takes one unit after another of two pools until one is refused; how many.
async fn take_all(store: &dyn Store, engine: u32, units: i64) -> i64 {
    let node = format!("node-{engine}");
    let incarnation = store.start_incarnation(&node).await.unwrap();
    let mut stored = 0;
    for number in 1.. {
        // Named in either order, as offers of an answer come in any; both are taken from in one.
        let names = if number % 2 == 0 { ["p", "q"] } else { ["q", "p"] };
        let write = taking(engine * 1_000 + number, names.map(|name| take(name, 1, Some(units))).to_vec());
        let next = Batch { node: node.clone(), incarnation, ..batch(stored + 1, vec![], vec![write]) };
        match store.commit(&next).await.unwrap() {
            CommitOutcome::Stored => stored += 1,
            CommitOutcome::Refused { short, .. } => {
                assert_eq!(short.first().map(|(_, gone)| *gone), Some(units), "{short:?}");
                break;
            }
        }
    }
    i64::try_from(stored).unwrap()
}

async fn engines_that_take_at_once_give_out_all_of_it_and_not_one_more(database: Arc<Database>) {
    const UNITS: i64 = 100;
    let mut engines = Vec::new();
    for engine in 0_u32..8 {
        let store = database.open().await;
        engines.push(tokio::spawn(async move { take_all(&*store, engine, UNITS).await }));
    }
    let mut given = 0;
    for engine in engines {
        given += engine.await.unwrap();
    }
    // Portions are of one unit near the end, so that none is left in anybody's hands.
    let level = level(&*database.open().await, "p").await;
    assert_eq!((given + level.free.values().sum::<i64>(), level.leased), (UNITS, UNITS));
    assert_eq!(given, UNITS);
}

async fn a_batch_that_takes_too_much_is_refused_whole_with_what_is_gone(database: Arc<Database>) {
    let store = database.open().await;
    let ok = batch(1, vec![], vec![taking(1, vec![take("p", 7, Some(10))])]);
    assert_eq!(store.commit(&ok).await.unwrap(), CommitOutcome::Stored);
    let writes =
        vec![taking(2, vec![take("p", 2, Some(10)), take("q", 5, Some(10))]), taking(3, vec![take("p", 2, Some(10))])];
    let refused = CommitOutcome::Refused { gate: None, stale: vec![], known: vec![], short: vec![(pool("p"), 7)] };
    assert_eq!(store.commit(&batch(2, vec![], writes)).await.unwrap(), refused);
    assert_eq!(store.decision(decision_id(2)).await.unwrap(), None);
    assert_eq!(level(&*store, "q").await, PoolLevel::default(), "nothing of it is left");
    // What only counts is never refused, and counts.
    let counted = batch(2, vec![], vec![taking(4, vec![take("p", 50, None)])]);
    assert_eq!(store.commit(&counted).await.unwrap(), CommitOutcome::Stored);
    assert_eq!(level(&*store, "p").await.leased, 57);
    // A total that was lowered gives out nothing more, though the engine had some in hand.
    let lowered = batch(3, vec![], vec![taking(5, vec![take("p", 1, Some(20))])]);
    assert!(matches!(store.commit(&lowered).await.unwrap(), CommitOutcome::Refused { .. }));
    let other = store.pools(Timestamp(1)).await.unwrap();
    assert!(other.contains_key(&pool("p")), "a pool without a window is always there");
}

async fn what_was_counted_by_somebody_forgets_orders_and_keeps_what_is_reserved(database: Arc<Database>) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    let name = "proffer.stock/boots";
    let writes = (1..=5).map(|number| taking(number, vec![take(name, 1, Some(40))])).collect();
    assert_eq!(store.commit(&batch(1, vec![], writes)).await.unwrap(), CommitOutcome::Stored);
    let to = Settled { held: 1, until: None, late: false };
    let ordered = |number| HoldSettled { decision_id: decision_id(number), slot: 0, pool: pool(name), to };
    let learned = Learned { settled: vec![ordered(1), ordered(2)], ..Learned::default() };
    assert!(store.learn(term, &learned).await.unwrap());
    let offers = vec![OfferBody { offer_id: OfferId::new("boots").unwrap(), json: "{}".into() }];
    let recounted = vec![OfferId::new("boots").unwrap(), OfferId::new("lamp").unwrap()];
    store.change_catalogue(&CatalogueChange { offers, recounted, ..CatalogueChange::default() }, BY).await.unwrap();
    assert_eq!(level(&*store, name).await, PoolLevel { leased: 3, ..PoolLevel::default() });
    // A refund of what is in the new count already changes nothing; the end of a reservation gives back.
    let back = Settled { held: 0, until: None, late: false };
    let settled = [1, 3].map(|number| HoldSettled { to: back, ..ordered(number) }).to_vec();
    assert!(store.learn(term, &Learned { settled, ..Learned::default() }).await.unwrap());
    assert_eq!(level(&*store, name).await.leased, 2);
    let due = store.learner_work(10, Timestamp(9_000)).await.unwrap();
    let held: Vec<usize> = due.touched.iter().map(|touched| touched.holds.len()).collect();
    assert_eq!((due.due.len(), held), (2, vec![0, 0, 1, 1, 1]));
}

/// Stores one decision for each take; their numbers begin with 1.
async fn taken(store: &dyn Store, takes: Vec<Take>) {
    let writes = (1..).zip(takes).map(|(number, take)| taking(number, vec![take])).collect();
    assert_eq!(store.commit(&batch(1, vec![], writes)).await.unwrap(), CommitOutcome::Stored);
}

async fn settle(store: &dyn Store, term: u64, number: u32, pool: &PoolKey, held: i64) {
    let to = Settled { held, until: None, late: false };
    let settled = vec![HoldSettled { decision_id: decision_id(number), slot: 0, pool: pool.clone(), to }];
    assert!(store.learn(term, &Learned { settled, ..Learned::default() }).await.unwrap());
}

async fn held(store: &dyn Store, numbers: std::ops::RangeInclusive<u32>) -> Vec<Vec<i64>> {
    let mut all = Vec::new();
    for number in numbers {
        let holds = store.holds_of(decision_id(number)).await.unwrap();
        all.push(holds.iter().map(|hold| hold.held).collect());
    }
    all
}

async fn pools_of_windows_that_ended_go_with_what_was_held_of_them_once_none_of_it_is_only_reserved(
    database: Arc<Database>,
) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    let day = |period| PoolKey { name: "budget.day/all".to_owned(), period: Timestamp(period) };
    let of = |period| Take { pool: day(period), ..take("", 10, Some(40)) };
    taken(&*store, vec![of(1_000), of(1_000), of(1_000), of(2_000), take("for good", 10, None)]).await;
    for (number, left) in [(1, 10), (2, 0)] {
        settle(&*store, term, number, &day(1_000), left).await;
    }
    settle(&*store, term, 4, &day(2_000), 10).await;
    settle(&*store, term, 5, &pool("for good"), 10).await;
    let old = Timestamp(0);
    assert!(!store.prune_pools(Timestamp(1_000), old).await.unwrap(), "its first instant is its own");
    assert_eq!(held(&*store, 1..=5).await, [vec![10], vec![0], vec![10], vec![10], vec![10]]);
    assert!(!store.prune_pools(Timestamp(1_001), old).await.unwrap());
    assert_eq!(held(&*store, 1..=5).await, [vec![], vec![0], vec![10], vec![10], vec![10]], "one is only reserved");
    assert!(store.pools(old).await.unwrap().contains_key(&day(1_000)));
    settle(&*store, term, 3, &day(1_000), 1).await;
    assert!(!store.prune_pools(Timestamp(1_001), old).await.unwrap());
    assert_eq!(held(&*store, 3..=5).await, [vec![], vec![10], vec![10]]);
    let names = |levels: PoolLevels| levels.into_keys().map(|key| (key.name, key.period.0)).collect::<Vec<_>>();
    let left = [("budget.day/all".to_owned(), 2_000), ("for good".to_owned(), 0)];
    assert_eq!(
        names(store.pools(old).await.unwrap()).into_iter().filter(|(_, period)| *period != 1_000).collect::<Vec<_>>(),
        left
    );
    assert_eq!(
        store
            .pools(old)
            .await
            .unwrap()
            .get(&day(1_000))
            .map_or(0, |level| level.leased - level.free.values().sum::<i64>()),
        0
    );
    // An order that comes this late makes no pool of a window that is over.
    settle(&*store, term, 2, &day(1_000), 10).await;
    store.start_incarnation("node").await.unwrap();
    store.start_incarnation("node").await.unwrap();
    store.return_portions().await.unwrap();
    assert_eq!(names(store.pools(old).await.unwrap()), left);
}

async fn what_is_held_of_old_goes_and_counts_until_somebody_counts_anew(database: Arc<Database>) {
    let store = database.open().await;
    let term = elected(&*store, "learner", 1).await.unwrap();
    let name = "proffer.stock/boots";
    taken(&*store, (1..=6).map(|_| take(name, 1, None)).collect()).await;
    // Two are ordered, one is given back, three are reserved.
    for (number, left) in [(1, 1), (2, 1), (3, 0)] {
        settle(&*store, term, number, &pool(name), left).await;
    }
    let at = |number: u32| Timestamp(1_700_000_000_000 + i64::from(number));
    assert_eq!(level(&*store, name).await.leased, 5);
    for (older, kept) in [
        (at(2), [vec![], vec![1], vec![0], vec![1], vec![1], vec![1]]),
        (at(9), [vec![], vec![], vec![], vec![1], vec![1], vec![1]]),
    ] {
        for _ in 0..2 {
            assert!(!store.prune_pools(Timestamp(0), older).await.unwrap(), "there is no more");
            assert_eq!(held(&*store, 1..=6).await, kept);
            assert_eq!(level(&*store, name).await.leased, 5, "what is ordered is gone, whoever remembers it");
        }
    }
    // A refund of the first comes too late; what is still reserved is settled as ever.
    settle(&*store, term, 1, &pool(name), 0).await;
    settle(&*store, term, 4, &pool(name), 0).await;
    assert_eq!(level(&*store, name).await.leased, 4);
    store.prune_pools(Timestamp(0), at(9)).await.unwrap();
    settle(&*store, term, 5, &pool(name), 1).await;
    store.prune_pools(Timestamp(0), at(9)).await.unwrap();
    assert_eq!((held(&*store, 4..=6).await, level(&*store, name).await.leased), (vec![vec![], vec![], vec![1]], 4));
    let offers = vec![OfferBody { offer_id: OfferId::new("boots").unwrap(), json: "{}".into() }];
    let recounted = vec![OfferId::new("boots").unwrap()];
    store.change_catalogue(&CatalogueChange { offers, recounted, ..CatalogueChange::default() }, BY).await.unwrap();
    assert_eq!(level(&*store, name).await.leased, 1, "only what is reserved");
}
