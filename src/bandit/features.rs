//! Features: a context as a vector of fixed-point numbers. Decides nothing about who may read which attribute.
//!
//! Numbers are Q20 (multiples of 2^-20), rounded once, half away from zero, and clamped to [-16, 16]; what is learned
//! and what is recorded is the rounded number. Component 0 is the intercept.

use chrono::Datelike as _;

use crate::domain::placement::Encoder;
use crate::domain::{AttributeId, Feature, FeatureAtom, LocalTime, Malformed, Placement, Value};

/// One, in Q20.
pub const ONE: i32 = 1 << 20;

/// The largest magnitude of a component, in Q20: sixteen.
pub const LIMIT: i32 = 16 * ONE;

/// The largest number of components: one more is no longer addressed by the 16-bit positions of a record.
pub const DIMENSIONS_MAX: usize = 1 << 16;

/// A feature vector in Q20: the intercept first, every component within [`LIMIT`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features(Vec<i32>);

/// Encodes the features of a placement, in their declared order behind the intercept.
///
/// `now` is what calendar and clock say where the customer is. `value` gives the value of an attribute, or nothing
/// where it is missing or was withheld. An unseen category, a missing value and a value of another kind are all zeros.
/// A product of atoms is their outer product, the first atom varying slowest.
pub fn features(placement: &Placement, now: LocalTime, value: &dyn Fn(&AttributeId) -> Option<Value>) -> Features {
    let mut components = Vec::with_capacity(placement.dimensions());
    components.push(ONE);
    for feature in &placement.features {
        encode_feature(feature, now, value, &mut components);
    }
    Features(components)
}

impl Features {
    /// Number of components, the intercept included.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The components in Q20.
    pub fn as_slice(&self) -> &[i32] {
        &self.0
    }

    /// The components as numbers; exact, since 2^-20 is a power of two.
    pub fn to_f64(&self) -> Vec<f64> {
        self.0.iter().map(|x| f64::from(*x) / f64::from(ONE)).collect()
    }

    /// The components that are not zero, as (position, Q20), by position.
    pub fn sparse(&self) -> Vec<(u16, i32)> {
        (0..=u16::MAX).zip(&self.0).filter(|(_, x)| **x != 0).map(|(at, x)| (at, *x)).collect()
    }

    /// Reads what [`Features::sparse`] wrote of a vector of `dimensions` components.
    pub fn from_sparse(dimensions: usize, sparse: &[(u16, i32)]) -> Result<Self, Malformed> {
        if dimensions == 0 || dimensions > DIMENSIONS_MAX {
            return Err(Malformed(format!("`{dimensions}` components: expected 1 to {DIMENSIONS_MAX}")));
        }
        let mut components = vec![0; dimensions];
        let mut next = 0;
        for (at, x) in sparse {
            let at = usize::from(*at);
            let Some(component) = components.get_mut(at).filter(|_| at >= next) else {
                return Err(Malformed(format!(
                    "feature component `{at}` is out of place: expected rising positions below {dimensions}"
                )));
            };
            if *x == 0 || x.unsigned_abs() > LIMIT.unsigned_abs() {
                return Err(Malformed(format!(
                    "feature component {at} is `{x}`: expected a number of 2^-20ths up to {LIMIT}, and not 0"
                )));
            }
            *component = *x;
            next = at + 1;
        }
        if components.first() != Some(&ONE) {
            return Err(Malformed(format!("feature component 0 is the intercept and must be `{ONE}`")));
        }
        Ok(Self(components))
    }
}

fn encode_feature(
    feature: &Feature,
    now: LocalTime,
    value: &dyn Fn(&AttributeId) -> Option<Value>,
    components: &mut Vec<i32>,
) {
    if let [atom @ FeatureAtom { attribute: Some(id), encoder: Encoder::OneHot(names) }] = feature.atoms.as_slice() {
        // The commonest feature by far, and the widest: ones and zeros, which nobody has to round.
        match value(id) {
            Some(Value::Text(seen)) => {
                components.extend(names.iter().map(|name| if *name == seen { ONE } else { 0 }));
            }
            _ => components.extend(std::iter::repeat_n(0, atom.width())),
        }
        return;
    }
    let product = feature.atoms.iter().fold(vec![1.0], |product, atom| {
        let numbers = encode_atom(atom, now, value);
        product.iter().flat_map(|p| numbers.iter().map(move |x| p * x)).collect()
    });
    components.extend(product.into_iter().map(quantise));
}

fn encode_atom(atom: &FeatureAtom, now: LocalTime, value: &dyn Fn(&AttributeId) -> Option<Value>) -> Vec<f64> {
    let value = atom.attribute.as_ref().and_then(value);
    match (&atom.encoder, value) {
        (Encoder::HourOfDay, _) => {
            let angle = std::f64::consts::TAU * f64::from(now.hour()) / 24.0;
            vec![libm::sin(angle), libm::cos(angle)]
        }
        (Encoder::DayOfWeek, _) => (0..7).map(|day| f64::from(u8::from(day == now.weekday()))).collect(),
        (Encoder::Weekend, _) => vec![f64::from(u8::from(now.weekday() >= 5))],
        (Encoder::Season, _) => {
            let day = now.day.date().map_or(0, |date| date.ordinal0());
            let angle = std::f64::consts::TAU * f64::from(day) / 365.25;
            vec![libm::sin(angle), libm::cos(angle)]
        }
        (Encoder::Holiday(holidays), _) => {
            let ahead = holidays.days_until(now.day).map_or(0.0, |days| 1.0 - f64::from(days) / 8.0);
            vec![f64::from(u8::from(holidays.contains(now.day))), ahead]
        }
        (Encoder::OneHot(names), Some(Value::Text(seen))) => {
            names.iter().map(|name| f64::from(u8::from(*name == seen))).collect()
        }
        (Encoder::Standardised { mean, scale }, Some(Value::Number(number))) => vec![(number.to_f64() - mean) / scale],
        (Encoder::Flag, Some(Value::Bool(truth))) => vec![f64::from(u8::from(truth))],
        (Encoder::OneHot(_) | Encoder::Standardised { .. } | Encoder::Flag, _) => vec![0.0; atom.width()],
    }
}

fn quantise(x: f64) -> i32 {
    let scaled = libm::round(x * f64::from(ONE)).clamp(-f64::from(LIMIT), f64::from(LIMIT));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and within the limit; NaN becomes 0, like a missing value"
    )]
    let quantised = scaled as i32;
    quantised
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::sample;
    use crate::domain::{Holidays, Number, Timestamp};

    fn atom(attribute: &str, encoder: Encoder) -> FeatureAtom {
        FeatureAtom { attribute: AttributeId::parse(attribute).ok(), encoder }
    }

    fn tier() -> FeatureAtom {
        atom("customer.tier", Encoder::OneHot(vec!["bronze".into(), "silver".into(), "gold".into()]))
    }

    fn category() -> FeatureAtom {
        atom("offer.category", Encoder::OneHot(vec!["shoes".into(), "hats".into()]))
    }

    fn at(text: &str) -> LocalTime {
        LocalTime::utc(Timestamp::parse(text).unwrap())
    }

    fn check(atoms: Vec<FeatureAtom>, values: &[(&str, Value)], expected: &[i32]) {
        let mut placement = sample::placement();
        placement.features = vec![Feature { text: String::new(), atoms }];
        let lookup = |id: &AttributeId| values.iter().find(|(name, _)| *name == id.as_str()).map(|(_, v)| v.clone());
        let features = features(&placement, at("2026-11-25T06:30:00Z"), &lookup);
        assert_eq!(features.as_slice().first(), Some(&ONE));
        assert_eq!(&features.as_slice()[1..], expected);
        assert_eq!(features.dimensions(), placement.dimensions());
        assert_eq!(Features::from_sparse(features.dimensions(), &features.sparse()), Ok(features));
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn number(x: f64) -> Value {
        Value::Number(Number::from_f64(x).unwrap())
    }

    #[test]
    fn a_category_is_one_component_and_an_unseen_or_missing_one_is_all_zeros() {
        check(vec![tier()], &[("customer.tier", text("silver"))], &[0, ONE, 0]);
        check(vec![tier()], &[("customer.tier", text("platinum"))], &[0, 0, 0]);
        check(vec![tier()], &[("customer.tier", number(1.0))], &[0, 0, 0]);
        check(vec![tier()], &[], &[0, 0, 0]);
    }

    #[test]
    fn a_number_is_standardised_rounded_half_away_from_zero_and_clamped() {
        let age = |mean, scale| vec![atom("customer.age", Encoder::Standardised { mean, scale })];
        let check = |mean, scale, x, expected| check(age(mean, scale), &[("customer.age", number(x))], &[expected]);
        check(40.0, 10.0, 45.0, ONE / 2);
        check(0.0, 1.0, 0.7, 734_003);
        check(0.0, 1_048_576.0, 0.5, 1);
        check(0.0, 1_048_576.0, -0.5, -1);
        check(0.0, 1_048_576.0, 0.499_999, 0);
        check(0.0, 1.0, 1e6, LIMIT);
        check(0.0, 1.0, -1e6, -LIMIT);
        check(f64::NAN, 1.0, 3.0, 0);
    }

    #[test]
    fn a_product_is_the_outer_product_with_the_first_atom_major() {
        let values = [("customer.tier", text("gold")), ("offer.category", text("shoes"))];
        check(vec![tier(), category()], &values, &[0, 0, 0, 0, ONE, 0]);
        check(vec![category(), tier()], &values, &[0, 0, ONE, 0, 0, 0]);
        check(vec![tier(), category()], &values[..1], &[0; 6]);
    }

    #[test]
    fn the_hour_is_a_point_on_a_circle_and_a_flag_is_one_or_zero() {
        check(vec![FeatureAtom { attribute: None, encoder: Encoder::HourOfDay }], &[], &[ONE, 0]);
        let flag = || vec![atom("context.returning", Encoder::Flag)];
        check(flag(), &[("context.returning", Value::Bool(true))], &[ONE]);
        check(flag(), &[("context.returning", Value::Bool(false))], &[0]);
        check(flag(), &[], &[0]);
    }

    #[test]
    fn the_calendar_says_weekday_weekend_season_and_holidays() {
        let clock = |encoder| FeatureAtom { attribute: None, encoder };
        // A Wednesday, the day before Thanksgiving.
        check(vec![clock(Encoder::DayOfWeek)], &[], &[0, 0, ONE, 0, 0, 0, 0]);
        check(vec![clock(Encoder::Weekend)], &[], &[0]);
        check(vec![clock(Encoder::Holiday(Holidays::UnitedStates))], &[], &[0, ONE / 8 * 7]);
        check(vec![clock(Encoder::Holiday(Holidays::Germany))], &[], &[0, 0]);
        let seen = |encoder, text| encode_atom(&clock(encoder), at(text), &|_| None);
        assert_eq!(seen(Encoder::Weekend, "2026-11-28T23:59:00Z"), [1.0]);
        assert_eq!(seen(Encoder::Holiday(Holidays::UnitedStates), "2026-11-26T00:00:00Z"), [1.0, 0.0]);
        assert_eq!(seen(Encoder::Season, "2026-01-01T00:00:00Z"), [0.0, 1.0]);
        let [sine, cosine] = seen(Encoder::Season, "2026-07-02T00:00:00Z")[..] else { panic!("two components") };
        assert!(sine.abs() < 0.02 && cosine < -0.999, "half a year later: {sine} {cosine}");
    }

    #[test]
    fn sparse_features_out_of_place_or_out_of_range_are_refused() {
        let check = |dimensions, sparse: &[(u16, i32)], word: &str| {
            let error = Features::from_sparse(dimensions, sparse).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        };
        check(0, &[], "`0` components");
        check(3, &[(1, ONE)], "intercept");
        check(3, &[(0, ONE), (3, 5)], "`3`");
        check(3, &[(0, ONE), (2, 5), (1, 5)], "`1`");
        check(3, &[(0, ONE), (0, ONE)], "`0`");
        check(3, &[(0, ONE), (1, 0)], "not 0");
        check(3, &[(0, ONE), (1, LIMIT + 1)], "up to");
    }
}
