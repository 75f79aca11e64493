//! Chance: streams of numbers from a seed with a purpose mixed in. Knows no world and keeps no stream.

use std::f64::consts::TAU;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// A stream of its own for one purpose and number: two uses never draw the same numbers.
pub(super) fn stream(seed: u64, purpose: &str, number: u64) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(key(seed, purpose, number))
}

/// A key of its own for one purpose and number.
pub(super) fn key(seed: u64, purpose: &str, number: u64) -> [u8; 32] {
    let mixed = Sha256::new()
        .chain_update("proffer/simulation/1")
        .chain_update(seed.to_be_bytes())
        .chain_update(number.to_be_bytes())
        .chain_update(purpose);
    mixed.finalize().into()
}

/// Uniform in [0, 1), by the top 53 bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a float")]
pub(super) fn uniform(stream: &mut impl Rng) -> f64 {
    (stream.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Standard normal, by Box and Muller.
pub(super) fn normal(stream: &mut impl Rng) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - uniform(stream))).sqrt();
    radius * libm::cos(TAU * uniform(stream))
}

/// A whole number below `bound`, which is above zero.
#[expect(clippy::cast_precision_loss, reason = "populations are small")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a uniform share of a small number")]
pub(super) fn below(stream: &mut impl Rng, bound: usize) -> usize {
    ((uniform(stream) * bound as f64) as usize).min(bound.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_purposes_draw_different_numbers_and_one_draws_the_same_again() {
        let first = |seed, purpose, number| stream(seed, purpose, number).next_u64();
        assert_eq!(first(1, "visit", 1), first(1, "visit", 1));
        let other = [first(2, "visit", 1), first(1, "taste", 1), first(1, "visit", 2)];
        assert!(!other.contains(&first(1, "visit", 1)));
    }

    #[test]
    fn the_normal_has_mean_zero_and_deviation_one() {
        let mut numbers = stream(7, "test", 0);
        let drawn: Vec<f64> = (0..20_000).map(|_| normal(&mut numbers)).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
