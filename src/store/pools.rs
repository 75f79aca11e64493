//! Pools: what both stores do alike with what may run out, as functions of what was read. Knows no SQL.

use std::collections::BTreeMap;

use super::{StoreError, column};
use crate::domain::pool::PORTION_SHARE;
use crate::domain::{DecisionId, Hold, PoolKey, PoolLevel, PoolLevels, Timestamp};
use crate::engine::batch::Batch;

/// Each pool that a batch takes of, once and in order, with all that it takes and the most that may be given out.
pub(super) fn taken(batch: &Batch) -> BTreeMap<&PoolKey, (i64, Option<i64>)> {
    let mut taken: BTreeMap<&PoolKey, (i64, Option<i64>)> = BTreeMap::new();
    for take in batch.decisions.iter().flat_map(|decision| &decision.takes) {
        let (amount, total) = taken.entry(&take.pool).or_insert((0, take.total));
        *amount = amount.saturating_add(take.amount);
        *total = (*total).into_iter().chain(take.total).min();
    }
    taken
}

/// What an engine leases that needs so much more than it has in hand, of a pool of which so much is left; nothing where
/// too little is left.
pub(super) fn granted(missing: i64, left: Option<i64>) -> Option<i64> {
    match left {
        None => Some(missing),
        Some(left) if left < missing => None,
        Some(left) => Some(missing.max(left / PORTION_SHARE)),
    }
}

/// The pools that a batch was refused for, with what is gone of each for its engine. Where enough is left by now, all
/// of them: the next attempt reads what it knows anew.
pub(super) fn short(batch: &Batch, levels: &PoolLevels) -> Vec<(PoolKey, i64)> {
    let own = (batch.node.clone(), batch.incarnation);
    let gone = |pool: &PoolKey| {
        let level = levels.get(pool);
        level.map_or(0, |level| level.leased - level.free.get(&own).copied().unwrap_or(0))
    };
    let bounded = taken(batch).into_iter().filter_map(|(pool, (amount, total))| Some((pool, amount, total?)));
    let all: Vec<(&PoolKey, i64, i64, i64)> =
        bounded.map(|(pool, amount, total)| (pool, amount, total, gone(pool))).collect();
    let lacks = |(_, amount, total, gone): &&(&PoolKey, i64, i64, i64)| gone.saturating_add(*amount) > *total;
    let any = all.iter().any(|row| lacks(&row));
    all.iter().filter(|row| !any || lacks(row)).map(|(pool, _, _, gone)| ((*pool).clone(), *gone)).collect()
}

/// Holds that are removed at once at most.
pub(super) const PRUNED_MAX: i64 = 1_024;

/// In the place of a decision's id: what decisions hold for good of which nothing else is kept. No decision has it.
pub(super) const NO_DECISION: [u8; 16] = [0; 16];

/// The first id that a decision of an instant may have.
pub(super) fn first_id(at: Timestamp) -> [u8; 16] {
    *DecisionId::from_parts(at.0.max(0), [0; 10]).as_bytes()
}

/// Sums of rows of (name, period, amount) by pool.
pub(super) fn summed(rows: Vec<(String, i64, i64)>) -> BTreeMap<PoolKey, i64> {
    let mut sums = BTreeMap::new();
    for (name, period, amount) in rows {
        *sums.entry(PoolKey { name, period: Timestamp(period) }).or_default() += amount;
    }
    sums
}

/// Of what removed holds held, by pool, what has to stay: that of pools for good. Nobody asks for windows that ended.
pub(super) fn kept(removed: Vec<(String, i64, i64)>) -> BTreeMap<PoolKey, i64> {
    let mut kept = summed(removed);
    kept.retain(|pool, held| pool.period == Timestamp(0) && *held != 0);
    kept
}

/// Whether one of the two pieces that were removed was as large as it may be, so that there may be more.
pub(super) fn is_full(of_ended: usize, older: usize) -> bool {
    usize::try_from(PRUNED_MAX).is_ok_and(|most| of_ended >= most || older >= most)
}

/// name, period, leased, node, incarnation, free: a pool has no node, a portion no share of `leased`.
pub(super) type LevelColumns = (String, i64, i64, Option<String>, i64, i64);

pub(super) fn levels(rows: Vec<LevelColumns>) -> Result<PoolLevels, StoreError> {
    let mut levels = PoolLevels::new();
    for (name, period, leased, node, incarnation, free) in rows {
        let level: &mut PoolLevel = levels.entry(PoolKey { name, period: Timestamp(period) }).or_default();
        level.leased += leased;
        if let Some(node) = node {
            level.free.insert((node, column::natural(incarnation)?), free);
        }
    }
    Ok(levels)
}

/// `decision_id`, slot, name, period, reserved, sunk, held, until, units
pub(super) type HoldColumns = (Vec<u8>, i16, String, i64, i64, i64, i64, Option<i64>, bool);

pub(super) fn hold(row: HoldColumns) -> Result<(DecisionId, Hold), StoreError> {
    let (id, slot, name, period, reserved, sunk, held, until, units) = row;
    let slot = u16::try_from(slot).map_err(|_| StoreError::Corrupt(format!("slot `{slot}`")))?;
    let pool = PoolKey { name, period: Timestamp(period) };
    let until = until.map(Timestamp);
    Ok((column::decision_id(&id)?, Hold { slot, pool, reserved, sunk, held, until, units }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_shrink_with_what_is_left_and_never_pass_it() {
        assert_eq!(granted(1, Some(6_400)), Some(200));
        assert_eq!(granted(500, Some(6_400)), Some(500), "what is needed at least");
        assert_eq!(granted(1, Some(31)), Some(1), "near the end no more than that");
        assert_eq!(granted(3, Some(3)), Some(3));
        assert_eq!(granted(4, Some(3)), None);
        assert_eq!(granted(1, Some(-5)), None, "a total that was lowered");
        assert_eq!(granted(4, None), Some(4));
    }
}
