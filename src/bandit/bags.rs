//! Bags: how often chance deals a decision to each model of a bag, and what the models believe on a day. Learns nothing
//! itself: the sums of each bag stand in [`ArmStatistics`].
//!
//! Online bootstrap (Oza and Russell 2001): where an offline bootstrap draws n decisions of n with replacement, each
//! counts a number of times that is nearly Poisson with mean 1. Here that number is a function of the decision, its
//! slot and the bag, so that any order, a duplicate and a refund leave the same integers, and two bags are independent.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::posterior::Posterior;
use super::statistics::ArmStatistics;
use crate::domain::{Contender, Day, DecisionId};

/// Poisson(1): `floor(2^64 sum_{j <= k} e^-1 / j!)` for k = 0, 1, ... A word counts as many times as entries lie at or
/// below it.
const POISSON: [u64; 21] = [
    0x5e2d_58d8_b3bc_df1a,
    0xbc5a_b1b1_6779_be35,
    0xeb71_5e1d_c158_2dc2,
    0xfb23_9797_34a2_52f1,
    0xff10_25f5_9174_dc3d,
    0xffd9_0f3b_a405_5e19,
    0xfffa_8b71_fc72_c913,
    0xffff_540c_0914_b3c9,
    0xffff_ed1f_4aa8_f120,
    0xffff_fe21_6e64_1462,
    0xffff_ffd4_d85d_3183,
    0xffff_fffc_6da2_62b4,
    0xffff_ffff_ba12_d178,
    0xffff_ffff_fb07_c64c,
    0xffff_ffff_ffab_8ea5,
    0xffff_ffff_fffa_be22,
    0xffff_ffff_ffff_b11a,
    0xffff_ffff_ffff_fba1,
    0xffff_ffff_ffff_ffc5,
    0xffff_ffff_ffff_fffd,
    0xffff_ffff_ffff_ffff,
];

/// Bags that one hash deals to.
const BAGS_OF_HASH: usize = 4;

/// How often a slot of a decision counts in each bag, from the first on: fewer bags are the first of more. The words
/// are those of SHA-256(`"proffer/bag/1"` || decision id || slot, big-endian || block), four bags to a block.
pub fn multiplicities(decision: &DecisionId, slot: u16, bags: u8) -> Vec<u8> {
    let mut dealt = Vec::with_capacity(bags.into());
    for block in 0..=u8::MAX {
        let missing = usize::from(bags) - dealt.len();
        if missing == 0 {
            break;
        }
        let hash: [u8; 32] = Sha256::new()
            .chain_update(b"proffer/bag/1")
            .chain_update(decision.as_bytes())
            .chain_update(slot.to_be_bytes())
            .chain_update([block])
            .finalize()
            .into();
        dealt.extend(hash.chunks(32 / BAGS_OF_HASH).take(missing).map(|word| {
            let word = word.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
            u8::try_from(POISSON.partition_point(|bound| *bound <= word)).unwrap_or(u8::MAX)
        }));
    }
    dealt
}

/// What the models of a bag believe of one arm on a day: their means alone, since they vote by them.
#[derive(Debug, Clone, PartialEq)]
pub struct Bags {
    dimensions: usize,
    theta: Vec<f64>, // theta of each bag, one after another
}

impl Bags {
    /// Derives each model as [`Posterior::derive`] does the plain one. A bag that was dealt nothing, or whose sums make
    /// no posterior, decides by the prior.
    pub fn derive(
        statistics: &ArmStatistics,
        dimensions: usize,
        day: Day,
        half_life_days: Option<u32>,
        contender: &Contender,
    ) -> Self {
        let count = usize::from(contender.strategy.bags());
        let mut theta = Vec::with_capacity(count * dimensions);
        for bag in 0..count {
            match statistics.bags().get(bag) {
                Some(dealt) => {
                    let derived = Posterior::derive(dealt, dimensions, day, half_life_days, contender.lambda);
                    theta.extend(derived.posterior.theta());
                }
                None => theta.resize(theta.len() + dimensions, 0.0),
            }
        }
        Self { dimensions, theta }
    }

    /// `theta_b' x` by each model.
    pub fn means(&self, x: &[f64]) -> Arc<[f64]> {
        let mean = |theta: &[f64]| theta.iter().zip(x).map(|(t, x)| t * x).sum();
        self.theta.chunks(self.dimensions.max(1)).map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Challenger, ChallengerId, Percent, Prior, Strategy};

    fn id(n: u64) -> DecisionId {
        let mut bits = [0; 10];
        bits[2..].copy_from_slice(&n.to_be_bytes());
        DecisionId::from_parts(1_700_000_000_000, bits)
    }

    #[test]
    fn a_decision_is_dealt_the_same_everywhere_and_fewer_bags_are_the_first_of_more() {
        let id = DecisionId::from_bytes(*b"0123456789abcdef");
        let dealt = multiplicities(&id, 0, 10);
        assert_eq!(dealt, [1, 1, 2, 4, 3, 1, 1, 1, 0, 1]);
        assert_eq!(multiplicities(&id, 0, 3), dealt[..3]);
        assert_eq!(multiplicities(&id, 0, 64)[..10], dealt);
        assert_ne!(multiplicities(&id, 1, 10), dealt);
        assert!(multiplicities(&id, 0, 0).is_empty());
    }

    #[test]
    fn a_bag_learns_a_decision_as_often_as_it_was_dealt_it() {
        let once = super::super::sample::increment(Day(40), Some(30), &[1.0, -0.5], 1, 1);
        let dealt = |bags: &[u8]| {
            let mut statistics = ArmStatistics::default();
            statistics.apply(&super::super::Increment { bags: bags.to_vec(), ..once.clone() });
            statistics
        };
        let mut twice = dealt(&[]);
        twice.apply(&once);
        let statistics = dealt(&[2, 0, 1, 0]);
        assert_eq!(statistics.bags(), [twice.clone(), ArmStatistics::default(), dealt(&[])]);
        assert_eq!(statistics.exposures(), 1, "the plain sums count it once");
        let by = Contender {
            strategy: Strategy::BaggedLinear { bags: 4 },
            lambda: 1.0,
            exploration: 0.0,
            prior: Prior::None,
        };
        let means = Bags::derive(&statistics, 2, Day(40), Some(30), &by).means(&[1.0, 2.0]);
        let mean =
            |of: &ArmStatistics| Posterior::derive(of, 2, Day(40), Some(30), 1.0).posterior.score(&[1.0, 2.0]).mean;
        assert_eq!(means.as_ref(), [mean(&twice), 0.0, mean(&dealt(&[])), 0.0]);
    }

    #[test]
    fn what_is_dealt_is_poisson_with_mean_one_and_independent_between_bags() {
        let (decisions, bags) = (20_000_u32, 8_usize);
        let mut counts = vec![[0_u32; 21]; bags];
        let mut both = 0.0;
        for n in 0..decisions {
            let dealt = multiplicities(&id(n.into()), 0, 8);
            dealt.iter().zip(&mut counts).for_each(|(k, counts)| counts[usize::from(*k)] += 1);
            both += (f64::from(dealt[0]) - 1.0) * (f64::from(dealt[5]) - 1.0);
        }
        // e^-1 / k! for k = 0 to 5, and the rest.
        let mut p: Vec<f64> = [1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0].map(|p| p * libm::exp(-1.0)).into();
        p.push(1.0 - p.iter().sum::<f64>());
        for counts in &counts {
            let mut seen: Vec<u32> = counts[..6].to_vec();
            seen.push(counts[6..].iter().sum());
            let expected = p.iter().map(|p| p * f64::from(decisions));
            let chi: f64 = seen.iter().zip(expected).map(|(n, e)| (f64::from(*n) - e) * (f64::from(*n) - e) / e).sum();
            assert!(chi < 22.46, "{chi} is above the 0.1 % point of 6 degrees of freedom: {counts:?}");
        }
        let correlation = both / f64::from(decisions);
        assert!(correlation.abs() < 4.0 / f64::from(decisions).sqrt(), "{correlation}");
    }

    #[test]
    fn strategies_can_be_swapped_and_only_bags_make_another_model() {
        let plain = super::super::sample::placement();
        let with = |strategy, challenger: Option<Strategy>| {
            let mut placement = plain.clone();
            placement.champion.strategy = strategy;
            placement.challengers = challenger
                .map(|strategy| Challenger {
                    id: ChallengerId::new("other").unwrap(),
                    share: Percent(100),
                    contender: Contender { strategy, ..plain.champion },
                })
                .into_iter()
                .collect();
            placement.model_id()
        };
        let (thompson, bag) = (Strategy::ThompsonLinear, |bags| Strategy::BaggedLinear { bags });
        let squarecb = Strategy::Squarecb { gamma_scale: 10.0, gamma_exponent: 0.5 };
        assert_eq!(with(squarecb, None), plain.model_id());
        assert_eq!(with(thompson, Some(squarecb)), plain.model_id());
        assert_eq!(plain.model_id().hex(), "86d37e005b2ee7e4d8ea6e8ac42c70a4", "as before there were bags");
        let ten = with(bag(10), None);
        assert_ne!(ten, plain.model_id());
        assert_eq!(with(thompson, Some(bag(10))), ten, "whoever of the contenders reads them");
        assert_eq!(with(bag(4), Some(bag(10))), ten, "fewer bags are the first of more");
        assert_ne!(with(bag(4), None), ten);
    }
}
