//! Random choices from a seed. Knows nothing of rules.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From 0 to below the end.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// From one to another, both included.
    pub(super) fn within(&mut self, from: i64, to: i64) -> i64 {
        self.0.random_range(from..=to)
    }

    pub(super) fn often(&mut self, of_ten: usize) -> bool {
        self.below(10) < of_ten
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(super) fn maybe<T: Copy>(&mut self, of_ten: usize, of: &[T]) -> Option<T> {
        self.often(of_ten).then(|| self.one(of))
    }
}
