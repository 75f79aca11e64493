//! Draws recomputed: what key periods were committed to and revealed, and whether decisions were drawn under them.
//! Holds no key that is not revealed.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::bandit::{DrawPurpose, pick, uniform};
use crate::domain::Digest;
use crate::domain::decision::Skeleton;
use crate::domain::key::GeneratorKey;
use crate::transparency::entry::Change;

/// What the change is called by which a key period begins: its leaf has the hash of the period's key.
pub const COMMITTED: &str = "generator key committed";
/// What the change is called by which a key period ends: its leaf has the key.
pub const REVEALED: &str = "generator key revealed";

/// The hash by which a key is committed to before anything is drawn under it.
pub fn commitment(generator: &GeneratorKey) -> Digest {
    let hash = Sha256::new().chain_update(b"proffer/generator/1").chain_update(generator.period.to_be_bytes());
    Digest(hash.chain_update(generator.key).finalize().into())
}

/// What the change says that commits to a key.
pub fn committed(generator: &GeneratorKey) -> String {
    detail(generator.period, commitment(generator))
}

/// What the change says that reveals a key.
pub fn revealed(generator: &GeneratorKey) -> String {
    detail(generator.period, Digest(generator.key))
}

fn detail(period: u32, digest: Digest) -> String {
    format!("period {period}: {}", digest.hex())
}

fn parse(detail: &str) -> Option<(u32, Digest)> {
    let (period, hex) = detail.strip_prefix("period ")?.split_once(": ")?;
    Some((period.parse().ok()?, Digest::from_hex(hex).ok()?))
}

/// One key period. Positions are those in the log; nothing for what waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Period {
    committed: Option<(Digest, Option<u64>)>,
    revealed: Option<(GeneratorKey, Option<u64>)>,
}

/// Every key period that a log tells of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Periods(BTreeMap<u32, Period>);

impl Periods {
    /// Takes a change in, if it is about a key period; what is wrong with it, otherwise. In the order of sequences.
    pub fn add(&mut self, change: &Change, position: Option<u64>) -> Result<(), String> {
        if change.what != COMMITTED && change.what != REVEALED {
            return Ok(());
        }
        let (number, digest) = parse(&change.detail).ok_or("it names no key period")?;
        let period = self.0.entry(number).or_default();
        if change.what == COMMITTED {
            match period.committed {
                // Several nodes may say it at once.
                Some((before, _)) if before == digest => {}
                Some(_) => return Err(format!("key period {number} was committed to another key before")),
                None => period.committed = Some((digest, position)),
            }
            return Ok(());
        }
        let generator = GeneratorKey { period: number, key: digest.0 };
        if period.committed.map(|(hash, _)| hash) != Some(commitment(&generator)) {
            return Err(format!("the key revealed is not the one that key period {number} was committed to"));
        }
        period.revealed.get_or_insert((generator, position));
        Ok(())
    }

    /// Everything that is wrong with the draws of a decision at a position of the log.
    pub fn check(&self, skeleton: &Skeleton, position: u64) -> Vec<String> {
        let mut wrong = Vec::new();
        for (slot, made) in (0_u16..).zip(&skeleton.slots) {
            let (number, place) = (made.draw.key_period, slot + 1);
            let period = self.0.get(&number);
            let begun = period.and_then(|period| period.committed).and_then(|(_, at)| at);
            if begun.is_none_or(|begun| begun > position) {
                wrong.push(format!(
                    "slot {place} was drawn under key period {number}, and no commitment stands before it"
                ));
            }
            let Some((generator, ended)) = period.and_then(|period| period.revealed.as_ref()) else { continue };
            if ended.is_some_and(|ended| ended < position) {
                wrong.push(format!("slot {place} was drawn under key period {number} after its key was revealed"));
            }
            let u = uniform(generator, &skeleton.tenant, &skeleton.decision_id, slot, DrawPurpose::Served);
            let p: Vec<f64> = made.probabilities.iter().map(|p| p.unwrap_or_default()).collect();
            if u.to_bits() != made.draw.u.to_bits() {
                wrong.push(format!("slot {place} has the number {}, and its key gives {u}", made.draw.u));
            } else if pick(&p, u).and_then(|at| u32::try_from(at).ok()) != Some(made.draw.chosen) {
                wrong.push(format!("slot {place} does not show what its number {u} picks"));
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn change(what: &str, detail: String) -> Change {
        Change::new(1, (Timestamp(0), "start".to_owned()), what.to_owned(), detail)
    }

    #[test]
    fn a_key_is_revealed_that_was_committed_to_and_no_other() {
        let key = |byte| GeneratorKey { period: 2, key: [byte; 32] };
        let mut periods = Periods::default();
        assert_eq!(periods.add(&change("switch set", "s".to_owned()), Some(0)), Ok(()));
        assert_eq!(periods.add(&change(COMMITTED, committed(&key(1))), Some(1)), Ok(()));
        assert_eq!(periods.add(&change(COMMITTED, committed(&key(1))), Some(2)), Ok(()));
        let told = "key period 2 was committed to another key before";
        assert_eq!(periods.add(&change(COMMITTED, committed(&key(3))), Some(3)), Err(told.to_owned()));
        let told = "the key revealed is not the one that key period 2 was committed to";
        assert_eq!(periods.add(&change(REVEALED, revealed(&key(3))), Some(4)), Err(told.to_owned()));
        assert_eq!(periods.add(&change(REVEALED, revealed(&key(1))), Some(5)), Ok(()));
        assert_eq!(
            periods.add(&change(REVEALED, "soon".to_owned()), Some(6)),
            Err("it names no key period".to_owned())
        );
    }
}
