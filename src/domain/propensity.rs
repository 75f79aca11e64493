//! The probability of what was chosen. Computes nothing; it only refuses what no draw can produce.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::Malformed;

/// The probability, under the recorded distribution, of what was chosen: in (0, 1], never NaN.
///
/// Estimators divide by it, so that zero cannot be constructed.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Encode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Propensity(#[n(0)] f64);

impl Propensity {
    /// Accepts a probability in (0, 1].
    pub fn new(p: f64) -> Result<Self, Malformed> {
        if p > 0.0 && p <= 1.0 {
            Ok(Self(p))
        } else {
            Err(Malformed(format!("`{p}` is not a propensity: expected a number above 0 and at most 1")))
        }
    }

    /// The probability.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'b, C> Decode<'b, C> for Propensity {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.f64()?).map_err(minicbor::decode::Error::message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_more_than_one_and_nan_are_refused() {
        for bad in [0.0, -0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert!(Propensity::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Propensity::new(1.0).unwrap().get(), 1.0);
    }
}
