//! Statistics: what one arm has learned, as integers. Holds no prior, no floating point and nothing decayed in place.
//!
//! All of it is sums, so any order of the same increments gives the same integers, a refund undoes exactly what its
//! order did, and the states of several nodes add. What has become zero is not kept: unlearned equals never learned.

use std::collections::BTreeMap;

use minicbor::{Decode, Decoder, Encode, Encoder};
use sha2::{Digest as _, Sha256};

use super::Features;
use super::packing::{packed, unpacked};
use super::sums::{Sums, triangle};
use crate::domain::{Digest, Malformed};

/// What one learning event changes, as differences from what the same decision had changed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Increment {
    /// Generation of the exposure's day.
    pub generation: u32,
    /// Weight of the exposure's day within that generation, in 2^-16ths; never itself a difference.
    pub weight: i64,
    /// Features as they were recorded with the decision.
    pub features: Features,
    /// +1 when the exposure is learned, -1 when it is taken back, 0 when only its reward changed.
    pub exposure: i8,
    /// Change of accepted, which is 0 or 1 for one decision.
    pub accepted: i8,
    /// Change of the reported reward, in minor units.
    pub reward: i64,
    /// Change of the reported reward squared, in minor units squared.
    pub reward_squared: i128,
    /// Change of the exposure's weight where it is gained in steps, in 2^-16ths; nothing where it comes whole, which is
    /// `weight` times `exposure`.
    pub matured: Option<i64>,
    /// Change of the realised margin of what was accepted, in minor units; zero where values are not learned.
    pub value: i64,
    /// How often it counts in each bag, as [`multiplicities`](super::multiplicities) says of its decision; empty where
    /// the placement has no bags. The plain sums count it once in any case.
    pub bags: Vec<u8>,
}

impl Increment {
    /// The one that takes this one back: both together change nothing.
    #[must_use]
    pub fn opposite(&self) -> Self {
        Self {
            exposure: -self.exposure,
            accepted: -self.accepted,
            reward: -self.reward,
            reward_squared: -self.reward_squared,
            matured: self.matured.map(|weight| -weight),
            value: -self.value,
            ..self.clone()
        }
    }
}

/// The sufficient statistics of one arm: unweighted counts for people, weighted sums by generation for the posterior.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArmStatistics {
    exposures: i64,
    accepted: i64,
    reward: i128,
    reward_squared: i128,
    generations: BTreeMap<u32, Sums>,
    bags: Vec<Self>, // without bags of their own; those behind the last that holds something are not kept
}

impl ArmStatistics {
    /// Decisions learned from, unweighted.
    pub fn exposures(&self) -> i64 {
        self.exposures
    }

    /// Decisions accepted among them, unweighted.
    pub fn accepted(&self) -> i64 {
        self.accepted
    }

    /// Sum of reported rewards, in minor units, unweighted.
    pub fn reward(&self) -> i128 {
        self.reward
    }

    /// Sum of squared reported rewards, in minor units squared, unweighted.
    pub fn reward_squared(&self) -> i128 {
        self.reward_squared
    }

    /// The weighted sums by generation, none of them all zero.
    pub fn generations(&self) -> &BTreeMap<u32, Sums> {
        &self.generations
    }

    /// What each bag was dealt; those behind the last that holds something are not kept.
    pub fn bags(&self) -> &[Self] {
        &self.bags
    }

    /// Whether nothing is left of anything ever learned.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what one learning event changes.
    pub fn apply(&mut self, increment: &Increment) {
        self.add(increment, 1);
        self.grow(increment.bags.len());
        for (bag, times) in self.bags.iter_mut().zip(&increment.bags).filter(|(_, times)| **times > 0) {
            bag.add(increment, *times);
        }
        self.trim();
    }

    fn add(&mut self, increment: &Increment, times: u8) {
        self.exposures += i64::from(times) * i64::from(increment.exposure);
        self.accepted += i64::from(times) * i64::from(increment.accepted);
        self.reward += i128::from(times) * i128::from(increment.reward);
        self.reward_squared += i128::from(times) * increment.reward_squared;
        self.change(increment.generation, |sums| sums.apply(increment, times));
    }

    fn grow(&mut self, bags: usize) {
        if bags > self.bags.len() {
            self.bags.resize_with(bags, Self::default);
        }
    }

    fn trim(&mut self) {
        while self.bags.pop_if(|last| last.is_empty()).is_some() {}
    }

    /// Adds what another node learned of the same arm.
    pub fn merge(&mut self, other: &Self) {
        self.exposures += other.exposures;
        self.accepted += other.accepted;
        self.reward += other.reward;
        self.reward_squared += other.reward_squared;
        for (generation, sums) in &other.generations {
            self.change(*generation, |own| own.merge(sums));
        }
        self.grow(other.bags.len());
        self.bags.iter_mut().zip(&other.bags).for_each(|(own, more)| own.merge(more));
        self.trim();
    }

    /// The canonical bytes: equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing into memory cannot fail.
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`ArmStatistics::to_bytes`] wrote, and refuses any other bytes for the same state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut decoder = Decoder::new(bytes);
        let read = decoder.decode().map_err(|error| Malformed(format!("arm statistics do not decode: {error}")))?;
        if decoder.position() == bytes.len() {
            Ok(read)
        } else {
            Err(Malformed::new("arm statistics do not decode: bytes are left over"))
        }
    }

    /// SHA-256 of [`ArmStatistics::to_bytes`].
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.to_bytes()).into())
    }

    fn change(&mut self, generation: u32, change: impl FnOnce(&mut Sums)) {
        let sums = self.generations.entry(generation).or_default();
        change(sums);
        if sums.is_zero() {
            self.generations.remove(&generation);
        }
    }
}

/// Version of the encoding of [`ArmStatistics`].
const ENCODING: u8 = 1;

impl<C> Encode<C> for ArmStatistics {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(if self.bags.is_empty() { 5 } else { 6 })?;
        e.u8(ENCODING)?.i64(self.exposures)?.i64(self.accepted)?;
        e.bytes(&packed([self.reward, self.reward_squared].iter()))?;
        e.map(self.generations.len() as u64)?;
        for (generation, sums) in &self.generations {
            let numbers = [sums.w, sums.r];
            let numbers = numbers.iter().chain(&sums.rx).chain(&sums.xx);
            let valued = sums.v != 0;
            e.u32(*generation)?.array(2 + u64::from(valued))?;
            e.u64(sums.rx.len() as u64)?.bytes(&packed(numbers))?;
            if valued {
                e.bytes(&packed([sums.v].iter()))?;
            }
        }
        if !self.bags.is_empty() {
            e.encode(&self.bags)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for ArmStatistics {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let malformed = |what: &'static str| minicbor::decode::Error::message(what);
        let start = d.position();
        let fields = d.array()?;
        if !matches!(fields, Some(5 | 6)) || d.u8()? != ENCODING {
            return Err(malformed("not arm statistics of encoding 1"));
        }
        let mut read = Self { exposures: d.i64()?, accepted: d.i64()?, ..Self::default() };
        let totals = unpacked(d.bytes()?).ok_or_else(|| malformed("totals are cut short"))?;
        if let [reward, reward_squared] = totals[..] {
            (read.reward, read.reward_squared) = (reward, reward_squared);
        }
        for _ in 0..d.map()?.unwrap_or(0) {
            let generation = d.u32()?;
            let valued = d.array()? == Some(3);
            let dimensions = usize::from(d.u16()?);
            let numbers = unpacked(d.bytes()?).ok_or_else(|| malformed("sums are cut short"))?;
            let [w, r, vectors @ ..] = numbers.as_slice() else { return Err(malformed("sums are missing")) };
            if vectors.len() != dimensions + triangle(dimensions) {
                return Err(malformed("sums do not have their number of components"));
            }
            let value = if valued { unpacked(d.bytes()?) } else { Some(vec![0]) };
            let Some([v]) = value.as_deref() else { return Err(malformed("the sum of values is missing")) };
            let (rx, xx) = vectors.split_at(dimensions);
            let mut sums = Sums { w: *w, r: *r, v: *v, rx: rx.to_vec(), xx: xx.to_vec() };
            sums.trim();
            read.change(generation, |own| *own = sums);
        }
        if fields == Some(6) {
            for _ in 0..d.array()?.unwrap_or(0) {
                // Looked at first, so that nothing nests deeper than a bag.
                if d.probe().array()? != Some(5) {
                    return Err(malformed("a bag within a bag"));
                }
                read.bags.push(d.decode()?);
            }
            read.trim();
        }
        // One comparison refuses everything that is not canonical: padded numbers, kept zeros, wrong order.
        if d.input().get(start..d.position()) == Some(&read.to_bytes()) {
            Ok(read)
        } else {
            Err(malformed("arm statistics are not in canonical form"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::sample::increment;
    use crate::domain::Day;
    use proptest::prelude::*;

    fn any_increment() -> impl Strategy<Value = Increment> {
        let day = prop_oneof![0..5, 2_000..2_040];
        let x = proptest::collection::vec(prop_oneof![Just(0.0), -20.0..20.0], 0..4);
        let bags = proptest::collection::vec(0..4_u8, 0..4);
        let values = (day, x, -1..=1_i8, -1..=1_i8, -5_000..5_000_i64, bags);
        values.prop_map(|(day, x, exposure, accepted, reward, bags)| {
            let x: Vec<f64> = std::iter::once(1.0).chain(x).collect();
            let mut made = increment(Day(day), Some(30), &x, exposure, accepted);
            made.reward = reward;
            made.reward_squared = i128::from(reward) * i128::from(reward);
            made.value = if reward % 3 == 0 { 0 } else { reward };
            made.matured = (reward % 2 == 0).then_some(made.weight * reward / 5_000);
            made.bags = bags;
            made
        })
    }

    fn fold<'a>(increments: impl IntoIterator<Item = &'a Increment>) -> ArmStatistics {
        increments.into_iter().fold(ArmStatistics::default(), |mut statistics, increment| {
            statistics.apply(increment);
            statistics
        })
    }

    #[test]
    fn an_exposure_and_its_order_add_up_to_the_sums_of_the_formula() {
        let mut exposure = increment(Day(30), Some(30), &[1.0, -0.5, 0.0, 2.0], 1, 0);
        let mut order = Increment { exposure: 0, accepted: 1, reward: 250, reward_squared: 62_500, ..exposure.clone() };
        let both = fold([&exposure, &order]);
        assert_eq!((both.exposures(), both.accepted(), both.reward(), both.reward_squared()), (1, 1, 250, 62_500));
        let sums = &both.generations()[&0];
        let (w, q20) = (1 << 17, 1 << 20);
        assert_eq!((sums.w(), sums.r(), sums.dimensions()), (w, w, 4));
        assert_eq!([0, 1, 2, 3].map(|i| sums.rx(i)), [w * q20, -w * q20 / 2, 0, 2 * w * q20]);
        assert_eq!(
            [(0, 0), (1, 0), (1, 1), (3, 1), (2, 3)].map(|(i, j)| sums.xx(i, j)),
            [w * q20 * q20, -w * q20 * q20 / 2, w * q20 * q20 / 4, -w * q20 * q20, 0]
        );

        // The refund comes forty days later and still meets the weight of its exposure.
        (order.accepted, order.reward, order.reward_squared) = (-1, -250, -62_500);
        let mut refunded = both.clone();
        refunded.apply(&order);
        assert_eq!(refunded, fold([&exposure]));
        exposure.exposure = -1;
        refunded.apply(&exposure);
        assert!(refunded.is_empty());
        assert_eq!(refunded.digest(), ArmStatistics::default().digest());
    }

    #[test]
    fn bytes_that_are_not_canonical_are_refused() {
        let statistics = fold([&increment(Day(3), None, &[1.0, 0.25], 1, 1)]);
        let bytes = statistics.to_bytes();
        assert_eq!(ArmStatistics::from_bytes(&bytes), Ok(statistics));
        assert_eq!(bytes.len(), 56, "seven numbers of at most nine bytes and their frame");
        for cut in 0..bytes.len() {
            assert!(ArmStatistics::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(ArmStatistics::from_bytes(&longer).unwrap_err().to_string().contains("left over"));
        let check = |bytes: &[u8]| assert!(ArmStatistics::from_bytes(bytes).is_err(), "{bytes:?}");
        check(&[0x85, 2, 0, 0, 0x42, 0, 0, 0xa0]); // another encoding
        check(&[0x85, 1, 0, 0, 0x43, 0x80, 0, 0, 0xa0]); // a padded number
        check(&[0x85, 1, 0, 0, 0x42, 0, 0, 0xa1, 0, 0x82, 0, 0x42, 0, 0]); // a generation of zeros
        check(&[0x85, 1, 0, 0, 0x42, 0, 0, 0xa1, 0, 0x82, 1, 0x44, 2, 0, 0, 0]); // a component of zeros
        check(&[0x85, 1, 0, 0, 0x42, 0, 0, 0xbf, 0xff]); // an indefinite map
        check(&[0x86, 1, 0, 0, 0x42, 0, 0, 0xa0, 0x80]); // no bags, told
        check(&[0x86, 1, 0, 0, 0x42, 0, 0, 0xa0, 0x81, 0x86, 1, 0, 0, 0x42, 0, 0, 0xa0, 0x80]); // a bag in a bag
        assert_eq!(ArmStatistics::from_bytes(&[0x85, 1, 0, 0, 0x42, 0, 0, 0xa0]), Ok(ArmStatistics::default()));
    }

    proptest! {
        #[test]
        fn any_order_of_the_same_increments_gives_the_same_integers(
            (increments, shuffled) in proptest::collection::vec(any_increment(), 0..24)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            prop_assert_eq!(fold(&increments), fold(&shuffled));
            prop_assert_eq!(fold(&increments).digest(), fold(&shuffled).digest());
        }

        #[test]
        fn what_is_taken_back_was_never_learned(
            kept in proptest::collection::vec(any_increment(), 0..12),
            order in any_increment(),
        ) {
            let refund = order.opposite();
            let mut undone = vec![order];
            undone.extend(kept.iter().cloned());
            undone.push(refund);
            prop_assert_eq!(fold(&undone), fold(&kept));
        }

        #[test]
        fn merging_any_split_gives_the_whole(
            parts in proptest::collection::vec((any_increment(), 0_usize..3), 0..24),
        ) {
            let whole = fold(parts.iter().map(|(increment, _)| increment));
            let nodes = [2, 0, 1].map(|node| fold(parts.iter().filter(|(_, at)| *at == node).map(|(part, _)| part)));
            let mut merged = ArmStatistics::default();
            for node in &nodes {
                merged.merge(node);
            }
            prop_assert_eq!(&merged, &whole);
        }

        #[test]
        fn encoded_statistics_come_back(increments in proptest::collection::vec(any_increment(), 0..24)) {
            let statistics = fold(&increments);
            prop_assert_eq!(ArmStatistics::from_bytes(&statistics.to_bytes()), Ok(statistics));
        }
    }
}
