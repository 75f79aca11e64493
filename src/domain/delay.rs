//! Delay curves: how much of a decision counts as tried at which age, declared per placement. Fits no curve and reads
//! no clock.
//!
//! A reward comes late, so that a young decision without one says little. It counts in steps: from each age on by the
//! share of rewards that have come by then; its reward, when it comes, counts in full.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{OfferId, Percent, Span};

/// One step of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct DelayStep {
    /// From this age of a decision on.
    #[n(0)]
    pub age: Span,
    /// This share of its weight counts.
    #[n(1)]
    pub share: Percent,
}

/// Steps with rising ages and shares. A decision younger than the first step does not count yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
#[cbor(transparent)]
pub struct Curve(#[n(0)] Vec<DelayStep>);

/// Why steps make no curve: the position of the step at fault, and what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CurveError {
    /// There is none.
    #[error("a curve needs a step")]
    Empty,
    /// It is not behind the one before.
    #[error("an age that is not behind the one before")]
    AgeNotRising(usize),
    /// It is not above the one before, or zero.
    #[error("a share that is not above the one before")]
    ShareNotRising(usize),
    /// A decision of that age hears of no order any more.
    #[error("an age behind the window")]
    BehindWindow(usize),
    /// Neither everything counts at the end, nor does the end stand at the window.
    #[error("a curve that ends below 100% before the window does")]
    Unfinished(usize),
}

impl Curve {
    /// A curve of rising steps within a window. The last share is 100 %; below that, the last age is the window, and
    /// the share says how much of all that ever comes does so in time.
    pub fn new(steps: Vec<DelayStep>, window: Span) -> Result<Self, CurveError> {
        let mut before: Option<DelayStep> = None;
        for (at, step) in steps.iter().enumerate() {
            if before.is_some_and(|before| step.age <= before.age) {
                return Err(CurveError::AgeNotRising(at));
            }
            if step.share.0 <= before.map_or(0, |before| before.share.0) {
                return Err(CurveError::ShareNotRising(at));
            }
            if step.age > window {
                return Err(CurveError::BehindWindow(at));
            }
            before = Some(*step);
        }
        match before {
            None => Err(CurveError::Empty),
            Some(last) if last.share.0 != WHOLE && last.age != window => Err(CurveError::Unfinished(steps.len() - 1)),
            Some(_) => Ok(Self(steps)),
        }
    }

    /// Its steps.
    pub fn steps(&self) -> &[DelayStep] {
        &self.0
    }

    /// How many steps a decision of this age has reached.
    pub fn reached(&self, age: Span) -> u16 {
        u16::try_from(self.0.iter().take_while(|step| step.age <= age).count()).unwrap_or(u16::MAX)
    }

    /// The age at which the next step is reached; nothing behind the last.
    pub fn next(&self, reached: u16) -> Option<Span> {
        self.0.get(usize::from(reached)).map(|step| step.age)
    }

    /// The share that counts after so many steps.
    pub fn share(&self, reached: u16) -> Percent {
        let last = usize::from(reached).min(self.0.len()).checked_sub(1);
        last.and_then(|last| self.0.get(last)).map_or(Percent(0), |step| step.share)
    }

    /// What counts of a weight after so many steps, rounded half up once: differences between steps then add up to the
    /// weight at the end, whatever the steps in between.
    pub fn weight(&self, reached: u16, weight: i64) -> i64 {
        let (share, whole) = (i128::from(self.share(reached).0), i128::from(WHOLE));
        i64::try_from((i128::from(weight) * share + whole / 2).div_euclid(whole)).unwrap_or(weight)
    }
}

/// 100 %.
const WHOLE: i32 = 10_000;

/// The curve of an offer that has its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct OfferCurve {
    /// Which.
    #[n(0)]
    pub offer: OfferId,
    /// Its curve.
    #[n(1)]
    pub curve: Curve,
}

/// What a placement declares of delays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct Delay {
    /// Names the fit, for people: it grows when the curve is fitted anew.
    #[n(0)]
    pub version: u32,
    /// The curve of offers that have none of their own.
    #[n(1)]
    pub curve: Curve,
    /// Offers with curves of their own, in the order of their ids.
    #[n(2)]
    pub offers: Vec<OfferCurve>,
}

impl Delay {
    /// The curve of an offer.
    pub fn curve_of(&self, offer: &OfferId) -> &Curve {
        self.offers.iter().find(|own| own.offer == *offer).map_or(&self.curve, |own| &own.curve)
    }

    /// The same for these offers only, as a record of them holds it.
    #[must_use]
    pub fn only(&self, offers: &[&OfferId]) -> Self {
        let kept = self.offers.iter().filter(|own| offers.contains(&&own.offer));
        Self { version: self.version, curve: self.curve.clone(), offers: kept.cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn steps(of: &[(i64, i32)]) -> Vec<DelayStep> {
        of.iter().map(|(age, share)| DelayStep { age: Span(*age), share: Percent(*share) }).collect()
    }

    #[test]
    fn a_curve_rises_and_ends_at_all_or_at_the_window() {
        let check = |of: &[(i64, i32)], expected: Result<(), CurveError>| {
            assert_eq!(Curve::new(steps(of), Span(100)).map(|_| ()), expected, "{of:?}");
        };
        check(&[(0, 3_000), (10, 10_000)], Ok(()));
        check(&[(100, 10_000)], Ok(()));
        check(&[(5, 1), (100, 3_900)], Ok(()));
        check(&[], Err(CurveError::Empty));
        check(&[(5, 3_000), (5, 10_000)], Err(CurveError::AgeNotRising(1)));
        check(&[(5, 3_000), (6, 3_000)], Err(CurveError::ShareNotRising(1)));
        check(&[(5, 0), (6, 10_000)], Err(CurveError::ShareNotRising(0)));
        check(&[(5, 3_000), (101, 10_000)], Err(CurveError::BehindWindow(1)));
        check(&[(5, 3_000), (99, 9_999)], Err(CurveError::Unfinished(1)));
    }

    #[test]
    fn a_step_counts_from_its_very_age() {
        let curve = Curve::new(steps(&[(10, 3_100), (60, 10_000)]), Span(100)).unwrap();
        let at = |age| (curve.reached(Span(age)), curve.next(curve.reached(Span(age))));
        assert_eq!(at(-5), (0, Some(Span(10))));
        assert_eq!(at(9), (0, Some(Span(10))));
        assert_eq!(at(10), (1, Some(Span(60))));
        assert_eq!(at(60), (2, None));
        assert_eq!([0, 1, 2, 9].map(|reached| curve.weight(reached, 65_536)), [0, 20_316, 65_536, 65_536]);
    }

    proptest! {
        #[test]
        fn the_steps_add_up_to_the_weight(
            shares in proptest::collection::btree_set(1..10_000_i32, 0..8),
            weight in 1..(1_i64 << 41),
        ) {
            let of: Vec<(i64, i32)> = (1..).zip(shares.into_iter().chain([10_000])).collect();
            let curve = Curve::new(steps(&of), Span(100)).unwrap();
            let grown: Vec<i64> = (0..=u16::try_from(of.len()).unwrap()).map(|at| curve.weight(at, weight)).collect();
            let gains: Vec<i64> = grown.windows(2).map(|pair| pair[1] - pair[0]).collect();
            prop_assert!(gains.iter().all(|gain| *gain >= 0));
            prop_assert_eq!(gains.iter().sum::<i64>(), weight);
        }
    }
}
