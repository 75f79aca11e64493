//! A bounded memory of Beta distributions: the same posteriors, margins and eligible set are not computed twice. Pure in
//! effect: what is remembered is what would be computed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::hot;
use crate::bandit::Score;

/// One half of the memory holds distributions over this many candidates together, some three megabytes.
const CANDIDATES_MAX: usize = 1 << 16;

/// Everything that a distribution is computed from, to the bit.
type Key = Vec<u64>;

#[derive(Debug, Default)]
struct Halves {
    young: BTreeMap<Key, Arc<[f64]>>,
    old: BTreeMap<Key, Arc<[f64]>>,
    young_candidates: usize,
}

/// Remembers the distributions that were asked for last. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Memo(Arc<Mutex<Halves>>);

impl Memo {
    /// The distribution by the hot rule, remembered or computed now.
    pub fn distribution(&self, scores: &[Score], nothing: bool) -> Vec<f64> {
        let Some(key) = key(scores, nothing) else { return hot(scores, nothing) };
        if let Some(known) = self.get(&key) {
            return known.to_vec();
        }
        // Computed outside of the lock: two engines may both compute it, and get the same.
        let w = hot(scores, nothing);
        self.put(key, w.as_slice().into());
        w
    }

    /// How many distributions are remembered.
    pub fn len(&self) -> usize {
        let halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.len() + halves.old.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, key: &Key) -> Option<Arc<[f64]>> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = halves.young.get(key) {
            return Some(known.clone());
        }
        let (key, known) = halves.old.remove_entry(key)?;
        halves.put(key, known.clone());
        Some(known)
    }

    fn put(&self, key: Key, w: Arc<[f64]>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, w);
    }
}

impl Halves {
    /// When the young half is full the old one is forgotten and the young one becomes old.
    fn put(&mut self, key: Key, w: Arc<[f64]>) {
        if self.young_candidates + w.len() > CANDIDATES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.young_candidates = 0;
        }
        let candidates = w.len();
        if self.young.insert(key, w).is_none() {
            self.young_candidates += candidates;
        }
    }
}

fn key(scores: &[Score], nothing: bool) -> Option<Key> {
    let mut key = Vec::with_capacity(1 + 4 * scores.len());
    key.push(u64::from(nothing));
    for score in scores {
        let beta = score.beta?;
        key.extend([beta.alpha, beta.beta, beta.margin, beta.cost].map(f64::to_bits));
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::Beta;

    fn scores(accepted: u32, arms: usize) -> Vec<Score> {
        let arm = |at: usize| {
            let margin = f64::from(u32::try_from(at % 7).unwrap()) + 1.0;
            Score::beta(Beta { alpha: 1.0 + f64::from(accepted), beta: 3.0, margin, cost: 0.5 })
        };
        (0..arms).map(arm).collect()
    }

    #[test]
    fn what_is_remembered_is_what_would_be_computed_and_is_computed_once() {
        let memo = Memo::default();
        for _ in 0..3 {
            for accepted in 0..5 {
                for nothing in [false, true] {
                    let scores = scores(accepted, 4);
                    assert_eq!(memo.distribution(&scores, nothing), hot(&scores, nothing));
                }
            }
        }
        assert_eq!(memo.len(), 10);
        let shared = memo.clone();
        shared.distribution(&scores(9, 4), false);
        assert_eq!(memo.len(), 11);
    }

    #[test]
    fn a_memory_that_is_full_forgets_what_was_not_asked_for_lately() {
        let memo = Memo::default();
        let w: Arc<[f64]> = vec![0.0; CANDIDATES_MAX / 4].into();
        for n in 0..40 {
            memo.put(vec![n], w.clone());
            assert!(memo.get(&vec![0]).is_some(), "asked for after every other, it stays");
            assert!(memo.len() <= 9, "{}", memo.len());
        }
        assert!(memo.get(&vec![3]).is_none());
        assert!(memo.get(&vec![39]).is_some());
    }
}
