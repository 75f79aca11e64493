//! Attribute names and values of customers, contexts and offers. What is declared, and who may read it, is policy.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Malformed;

/// Whose attribute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeScope {
    /// `customer.*`: about a person.
    Customer,
    /// `context.*`: about this request.
    Context,
    /// `offer.*`: about an offer of the catalogue.
    Offer,
}

/// The full name of an attribute, such as `customer.tier`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(try_from = "String", into = "String")]
#[cbor(transparent)]
pub struct AttributeId(#[n(0)] String);

impl AttributeScope {
    /// What stands before the name of an attribute, the dot included.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Customer => "customer.",
            Self::Context => "context.",
            Self::Offer => "offer.",
        }
    }
}

impl AttributeId {
    /// The attribute of this name within a scope.
    pub fn of(scope: AttributeScope, name: &str) -> Result<Self, Malformed> {
        Self::try_from([scope.prefix(), name].concat())
    }

    /// Parses `customer.NAME`, `context.NAME` or `offer.NAME`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        Self::try_from(text.to_owned())
    }

    /// Whose attribute it is.
    pub fn scope(&self) -> AttributeScope {
        match self.0.split_once('.').map(|(scope, _)| scope) {
            Some("customer") => AttributeScope::Customer,
            Some("context") => AttributeScope::Context,
            _ => AttributeScope::Offer,
        }
    }

    /// The name behind the scope, as it stands in a request.
    pub fn name(&self) -> &str {
        self.0.split_once('.').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AttributeId {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        let named = text.split_once('.').is_some_and(|(scope, name)| {
            ["customer", "context", "offer"].contains(&scope)
                && !name.is_empty()
                && text.len() <= super::ids::ID_BYTES_MAX
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b))
        });
        if !named {
            return Err(Malformed(format!(
                "`{text}` is not an attribute: expected `customer.`, `context.` or `offer.` \
                 and a name of letters, digits and `_`"
            )));
        }
        Ok(Self(text))
    }
}

impl From<AttributeId> for String {
    fn from(id: AttributeId) -> Self {
        id.0
    }
}

impl std::borrow::Borrow<str> for AttributeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AttributeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// A number in millionths, exact: comparisons and records never depend on floating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Number(#[n(0)] pub i64);

/// Millionths in one.
pub const NUMBER_SCALE: i64 = 1_000_000;

impl Number {
    /// Rounds a finite number of moderate size to millionths, half away from zero.
    pub fn from_f64(value: f64) -> Result<Self, Malformed> {
        if !value.is_finite() || value.abs() > 1e12 {
            return Err(Malformed(format!("`{value}` is not a number between -1e12 and 1e12")));
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded above, so it fits")]
        let scaled = (value * 1e6).round() as i64;
        Ok(Self(scaled))
    }

    /// The nearest floating-point number.
    #[expect(clippy::cast_precision_loss, reason = "for display and features, which are quantised after")]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Value {
    /// Text, or one of the names of an enumeration.
    #[n(0)]
    Text(#[n(0)] String),
    /// A number.
    #[n(1)]
    Number(#[n(0)] Number),
    /// True or false.
    #[n(2)]
    Bool(#[n(0)] bool),
}

impl Value {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{}", number.to_f64()),
            Self::Bool(truth) => write!(f, "{truth}"),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) if number.0 % NUMBER_SCALE == 0 => serializer.serialize_i64(number.0 / NUMBER_SCALE),
            Self::Number(number) => serializer.serialize_f64(number.to_f64()),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Value;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text, a number, true or false")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
                if text.len() > VALUE_BYTES_MAX {
                    return Err(E::custom(format!(
                        "text of {} bytes is too long: at most {VALUE_BYTES_MAX}",
                        text.len()
                    )));
                }
                Ok(Value::Text(text.to_owned()))
            }
            fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Value, E> {
                Ok(Value::Bool(truth))
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
                Number::from_f64(number).map(Value::Number).map_err(E::custom)
            }
            #[expect(clippy::cast_precision_loss, reason = "bounded by the check inside")]
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
                self.visit_f64(number as f64)
            }
            #[expect(clippy::cast_precision_loss, reason = "bounded by the check inside")]
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
                self.visit_f64(number as f64)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The longest text value, in bytes.
pub const VALUE_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_kind_through_json() {
        for (json, value) in [
            ("\"gold\"", Value::Text("gold".into())),
            ("3", Value::Number(Number(3_000_000))),
            ("-0.25", Value::Number(Number(-250_000))),
            ("true", Value::Bool(true)),
        ] {
            assert_eq!(serde_json::from_str::<Value>(json).unwrap(), value);
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
        }
        assert!(serde_json::from_str::<Value>("null").is_err());
        assert!(serde_json::from_str::<Value>("1e300").is_err());
    }

    #[test]
    fn an_attribute_name_says_whose_it_is() {
        let id = AttributeId::parse("customer.tier").unwrap();
        assert_eq!((id.scope(), id.name()), (AttributeScope::Customer, "tier"));
        assert!(AttributeId::parse("tier").is_err());
        assert!(AttributeId::parse("shop.tier").is_err());
    }
}
