//! Pools: what may run out (units of stock, units or money of a budget), the portions that engines lease of them, and
//! what decisions hold until an order comes or does not. Keeps no pool: the store does, and it alone says no.
//!
//! `leased` of a pool is the sum of what engines have in hand and of what decisions hold. A commit takes from the
//! portion of its engine; where that is too small a further one is leased in the same transaction, as long as `leased`
//! stays within the total. So nothing is ever given out twice, whatever anybody believed is left. What an engine has in
//! hand and does not give out is lost to the others until it is returned: at most one portion for each engine.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{Span, Timestamp};

/// An engine leases this share of what is left, or what it needs if that is more: one of so many parts. The fewer are
/// left, the smaller are portions, so that the last units are not in the hands of somebody who does not need them.
pub const PORTION_SHARE: i64 = 32;

/// How long an engine may go without taking anything before its portion is returned, by the store's clock.
pub const PORTION_LIFE: Span = Span(60_000);

/// Windows that began longer ago have ended: none is longer than a month.
pub const WINDOW_MAX: Span = Span(40 * 86_400_000);

/// How long behind its decision a refund still gives back what was ordered, and a late order still takes. Older holds
/// stay as they are.
pub const HOLD_LIFE: Span = Span(400 * 86_400_000);

/// Names one pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PoolKey {
    /// The rule and what it counts apart, such as `proffer.stock/red-boots`.
    pub name: String,
    /// When the window began that it is of; 0 where it is for good.
    pub period: Timestamp,
}

/// What one slot of a decision takes from one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// The slot, from 0.
    pub slot: u16,
    /// The pool.
    pub pool: PoolKey,
    /// Units, or minor units; more than 0.
    pub amount: i64,
    /// What of it is spent though no order comes: the cost of showing.
    pub sunk: i64,
    /// The most that may be given out of the pool; nothing where it is counted and limits nobody.
    pub total: Option<i64>,
    /// Until when it is reserved.
    pub until: Timestamp,
    /// Whether it is units, which only orders keep; money is kept by whatever the placement counts as acceptance.
    pub units: bool,
}

/// What a decision holds of a pool, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The slot, from 0.
    pub slot: u16,
    /// The pool.
    pub pool: PoolKey,
    /// What was taken when it was decided.
    pub reserved: i64,
    /// What of that is spent though no order comes.
    pub sunk: i64,
    /// What it holds now.
    pub held: i64,
    /// Until when it is reserved; nothing once an order came or the reservation ended.
    pub until: Option<Timestamp>,
    /// Whether it is units.
    pub units: bool,
}

impl Hold {
    /// What becomes of it at an instant, given whether its order is kept (for money, whether it counts as accepted) and
    /// whether its offer counts as seen; nothing where nothing changes.
    ///
    /// An order keeps what was reserved, for good. A reservation that ends without one gives back all but what showing
    /// cost, and so does a refund of everything. An order behind the end of the reservation takes its units although
    /// somebody else may have them by then: they are counted, and [`Settled::late`] says so.
    pub fn settle(&self, ordered: bool, exposed: bool, now: Timestamp) -> Option<Settled> {
        let waits = self.until.filter(|until| !ordered && now < *until);
        let held = match waits {
            Some(_) => self.held,
            None if ordered => self.reserved,
            None if exposed => self.sunk,
            None => 0,
        };
        let late = ordered && self.until.is_none() && held > self.held;
        (held != self.held || waits != self.until).then_some(Settled { held, until: waits, late })
    }
}

/// What becomes of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// What it holds from now on.
    pub held: i64,
    /// Until when it is still only reserved.
    pub until: Option<Timestamp>,
    /// Whether the order came after the reservation had ended.
    pub late: bool,
}

/// A pool as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolLevel {
    /// What is in the hands of engines and held by decisions.
    pub leased: i64,
    /// What of it engines have in hand, by name and incarnation.
    pub free: BTreeMap<(String, u64), i64>,
}

/// Every pool that something was taken from.
pub type PoolLevels = BTreeMap<PoolKey, PoolLevel>;

/// What is gone of every pool, as far as somebody who decides knows: what is not in it is whole. Knowing too little is
/// harmless: the store gives out nothing that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purse {
    gone: BTreeMap<String, BTreeMap<Timestamp, i64>>,
}

impl Purse {
    /// As somebody sees the pools who may use the portions that `own` says.
    pub fn of(levels: &PoolLevels, own: impl Fn(&str, u64) -> bool) -> Self {
        let mut purse = Self::default();
        for (key, level) in levels {
            let in_hand = level.free.iter().filter(|((node, incarnation), _)| own(node, *incarnation));
            purse.set(key, level.leased - in_hand.map(|(_, free)| free).sum::<i64>());
        }
        purse
    }

    /// What is gone of a pool.
    pub fn gone(&self, name: &str, period: Timestamp) -> i64 {
        self.gone.get(name).and_then(|periods| periods.get(&period)).copied().unwrap_or(0)
    }

    /// Corrects what is known of a pool.
    pub fn set(&mut self, key: &PoolKey, gone: i64) {
        match self.gone.get_mut(&key.name) {
            Some(periods) => drop(periods.insert(key.period, gone)),
            None => drop(self.gone.insert(key.name.clone(), BTreeMap::from([(key.period, gone)]))),
        }
    }

    /// Takes in what was taken.
    pub fn take(&mut self, take: &Take) {
        let gone = self.gone(&take.pool.name, take.pool.period);
        self.set(&take.pool, gone.saturating_add(take.amount));
    }
}

/// What a record keeps of a pool that left something out or that was taken from: all that replaying it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct PoolReading {
    /// Position of the rule.
    #[n(0)]
    pub rule: u16,
    /// Name of the pool.
    #[n(1)]
    pub name: String,
    /// What may be given out of it.
    #[n(2)]
    pub total: i64,
    /// What was known to be gone before the decision.
    #[n(3)]
    pub gone: i64,
    /// What the decision took.
    #[n(4)]
    pub taken: i64,
    /// When its window began; nothing where it has none.
    #[n(5)]
    pub since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(held: i64, until: Option<i64>) -> Hold {
        let pool = PoolKey { name: "budget/all".into(), period: Timestamp(0) };
        Hold { slot: 0, pool, reserved: 850, sunk: 50, held, until: until.map(Timestamp), units: false }
    }

    #[test]
    fn a_hold_waits_for_its_order_keeps_it_and_gives_back_what_was_not_spent() {
        let settle = |hold: Hold, ordered, exposed, now| {
            hold.settle(ordered, exposed, Timestamp(now)).map(|settled| {
                let Settled { held, until, late } = settled;
                (held, until.map(|until| until.0), late)
            })
        };
        let open = || hold(850, Some(1_000));
        assert_eq!(settle(open(), false, true, 999), None, "it waits");
        assert_eq!(settle(open(), true, true, 999), Some((850, None, false)), "ordered in time");
        assert_eq!(settle(open(), true, true, 5_000), Some((850, None, false)), "seen late, before it was returned");
        assert_eq!(settle(open(), false, true, 1_000), Some((50, None, false)), "no order came");
        assert_eq!(settle(open(), false, false, 1_000), Some((0, None, false)), "nobody saw it");
        assert_eq!(settle(hold(850, None), true, true, 9_000), None, "kept for good");
        assert_eq!(settle(hold(850, None), false, true, 9_000), Some((50, None, false)), "refunded");
        assert_eq!(settle(hold(50, None), true, true, 9_000), Some((850, None, true)), "ordered too late");
        assert_eq!(settle(hold(0, None), false, true, 9_000), Some((50, None, false)), "seen at last");
        assert_eq!(settle(hold(50, None), false, true, 9_000), None);
    }

    #[test]
    fn a_purse_knows_what_others_have_and_what_was_taken() {
        let key = PoolKey { name: "proffer.stock/boots".into(), period: Timestamp(0) };
        let free = BTreeMap::from([(("a-0".to_owned(), 2), 3), (("a-0".to_owned(), 1), 4), (("b-0".to_owned(), 1), 5)]);
        let levels = PoolLevels::from([(key.clone(), PoolLevel { leased: 20, free })]);
        let mut purse = Purse::of(&levels, |node, incarnation| (node, incarnation) == ("a-0", 2));
        assert_eq!(purse.gone(&key.name, Timestamp(0)), 17, "an older start is somebody else");
        let until = Timestamp(9);
        purse.take(&Take { slot: 0, pool: key.clone(), amount: 2, sunk: 0, total: Some(20), until, units: true });
        assert_eq!(purse.gone(&key.name, Timestamp(0)), 19);
        assert_eq!(purse.gone(&key.name, Timestamp(1)), 0, "another window is another pool");
    }
}
