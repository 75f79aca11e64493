//! The keyed draw: a uniform number that a revealed key can prove, and the walk that picks by it. Computes no
//! distribution and holds no generator state.

use crate::domain::DecisionId;
use crate::domain::key::{GeneratorKey, hmac_sha256};

/// What a number is drawn for. Each purpose has its own numbers, so that nobody can grind dry runs for a served draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawPurpose {
    /// The decision is served and committed.
    Served = 0,
    /// The decision is only shown to the asker.
    DryRun = 1,
}

/// The uniform number in [0, 1) of one slot of one decision: top 53 bits of HMAC-SHA256(generator key,
/// `"proffer/draw/1"` || tenant || decision id || slot, big-endian || purpose) / 2^53.
pub fn uniform(generator: &GeneratorKey, tenant: &str, decision: &DecisionId, slot: u16, purpose: DrawPurpose) -> f64 {
    let parts: [&[u8]; 5] =
        [b"proffer/draw/1", tenant.as_bytes(), decision.as_bytes(), &slot.to_be_bytes(), &[purpose as u8]];
    let tag = hmac_sha256(&generator.key, &parts);
    let word = tag.iter().take(8).fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let numerator = (word >> 11) as f64;
    numerator / 9_007_199_254_740_992.0
}

/// The position that `u` falls on when the probabilities are laid end to end. The last one above zero takes what
/// rounding leaves over; one of probability zero is never picked; nothing is picked where none is above zero.
pub fn pick(p: &[f64], u: f64) -> Option<usize> {
    let mut upper = 0.0;
    let mut last = None;
    for (at, p) in p.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        upper += p;
        last = Some(at);
        if u < upper {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn generator(byte: u8) -> GeneratorKey {
        GeneratorKey { period: 1, key: [byte; 32] }
    }

    fn id(n: u64) -> DecisionId {
        let mut bits = [0; 10];
        bits[2..].copy_from_slice(&n.to_be_bytes());
        DecisionId::from_parts(1_700_000_000_000, bits)
    }

    #[test]
    fn a_draw_is_the_number_anyone_can_recompute_from_the_revealed_key() {
        let id = DecisionId::from_bytes(*b"0123456789abcdef");
        let check = |slot, purpose, expected: f64| {
            assert_eq!(uniform(&generator(7), "shop", &id, slot, purpose), expected);
        };
        check(0, DrawPurpose::Served, 0.669_763_854_847_723_7);
        check(1, DrawPurpose::Served, 0.808_962_324_285_791_7);
        check(0, DrawPurpose::DryRun, 0.933_618_391_584_899_8);
        assert_ne!(
            uniform(&generator(7), "shop", &id, 0, DrawPurpose::Served),
            uniform(&generator(8), "shop", &id, 0, DrawPurpose::Served)
        );
    }

    #[test]
    fn the_walk_picks_where_u_falls_and_leaves_the_remainder_to_the_last() {
        let check = |p: &[f64], u: f64, expected: Option<usize>| assert_eq!(pick(p, u), expected, "{p:?} at {u}");
        check(&[0.25, 0.25, 0.5], 0.0, Some(0));
        check(&[0.25, 0.25, 0.5], 0.25, Some(1));
        check(&[0.25, 0.25, 0.5], 0.499, Some(1));
        check(&[0.25, 0.25, 0.5], 0.999, Some(2));
        check(&[0.0, 1.0, 0.0], 0.0, Some(1));
        check(&[0.5, 0.499, 0.0], 0.9999, Some(1));
        check(&[], 0.5, None);
        check(&[0.0, 0.0], 0.0, None);
        check(&[f64::NAN], 0.0, None);
    }

    proptest! {
        #[test]
        fn nothing_of_probability_zero_is_ever_picked(
            weights in proptest::collection::vec(prop_oneof![Just(0.0), 0.0..1.0], 1..12),
            u in 0.0..1.0,
        ) {
            let sum: f64 = weights.iter().sum();
            let p: Vec<f64> = weights.iter().map(|w| w / sum).collect();
            match pick(&p, u) {
                Some(at) => prop_assert!(p[at] > 0.0),
                None => prop_assert!(sum.is_nan() || sum <= 0.0),
            }
        }
    }

    #[test]
    fn keyed_draws_follow_the_distribution() {
        let p = [0.4, 0.05, 0.0, 0.3, 0.2, 0.05];
        let draws = 200_000_u32;
        for (slot, purpose) in [(0, DrawPurpose::Served), (3, DrawPurpose::DryRun)] {
            let mut counts = [0_u32; 6];
            for n in 0..draws {
                counts[pick(&p, uniform(&generator(1), "shop", &id(u64::from(n)), slot, purpose)).unwrap()] += 1;
            }
            assert_eq!(counts[2], 0);
            let chi_square: f64 = (p.iter().zip(counts).filter(|(p, _)| **p > 0.0))
                .map(|(p, count)| {
                    let expected = p * f64::from(draws);
                    (f64::from(count) - expected) * (f64::from(count) - expected) / expected
                })
                .sum();
            assert!(chi_square < 18.47, "{chi_square} is above the 0.1 % point of 4 degrees of freedom: {counts:?}");
        }
    }
}
