//! Typed identifiers. They hold names and random numbers; they look nothing up.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Malformed;

/// The longest text identifier, in bytes.
pub const ID_BYTES_MAX: usize = 64;

fn check_name(what: &str, text: &str) -> Result<(), Malformed> {
    let head = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let body = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
    if text.len() > ID_BYTES_MAX || !head || !body {
        let shown: String = text.chars().take(80).collect();
        return Err(Malformed(format!(
            "`{shown}` is not {what}: expected 1 to {ID_BYTES_MAX} letters, digits, `.`, `_`, `:` or `-`, \
             starting with a letter, a digit or `_`"
        )));
    }
    Ok(())
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
        #[serde(try_from = "String", into = "String")]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] String);

        impl $name {
            /// Parses the identifier, or says what is wrong with it.
            pub fn new(text: impl Into<String>) -> Result<Self, Malformed> {
                let text = text.into();
                check_name($what, &text)?;
                Ok(Self(text))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

text_ids! {
    /// An offer of the catalogue.
    OfferId, "an offer id";
    /// A content variant, unique within its offer.
    VariantId, "a variant id";
    /// A placement that asks for decisions.
    PlacementId, "a placement id";
    /// A purpose of processing, such as `offer_personalisation`.
    PurposeId, "a purpose id";
    /// A rule of the policy bundle, unique within it.
    RuleId, "a rule id";
    /// A category of offers.
    CategoryId, "a category";
    /// A campaign of the catalogue.
    CampaignId, "a campaign id";
    /// A store, as the shop names it.
    StoreId, "a store id";
    /// A challenger, unique within its placement.
    ChallengerId, "a challenger id";
}

macro_rules! byte_ids {
    ($($(#[$doc:meta])* $name:ident, $bytes:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; $bytes]);

        impl $name {
            /// Reads the identifier from bytes of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Lower-case hexadecimal.
            pub fn hex(&self) -> String {
                use std::fmt::Write as _;
                self.0.iter().fold(String::new(), |mut text, byte| {
                    let _ = write!(text, "{byte:02x}");
                    text
                })
            }

            /// Parses lower- or upper-case hexadecimal.
            pub fn from_hex(text: &str) -> Result<Self, Malformed> {
                let bytes: Option<Vec<u8>> = (0..text.len())
                    .step_by(2)
                    .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
                    .collect();
                bytes.and_then(|bytes| Self::from_slice(&bytes)).ok_or_else(|| {
                    Malformed(format!("`{text}` is not {} hexadecimal digits", 2 * $bytes))
                })
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.hex())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.hex())
            }
        }
    )*};
}

byte_ids! {
    /// A SHA-256 digest (or, for bundles, a BLAKE3 one).
    Digest, 32;
    /// A subject: a customer, household, device or session under a random internal number.
    SubjectId, 16;
    /// What fixes the layout of a model's statistics: placement, features, half-life, what is learned.
    ModelId, 16;
}

/// The name of one decision: a `UUIDv7`, given by the caller or minted by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct DecisionId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl DecisionId {
    /// Parses the usual text form and refuses any version but 7.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let id = uuid::Uuid::try_parse(text).map_err(|_| {
            Malformed(format!("`{text}` is not a UUIDv7, such as `01969e0c-8a00-7000-8000-000000000001`"))
        })?;
        if id.get_version_num() != 7 {
            return Err(Malformed(format!(
                "`{text}` is a UUID of version {}; a decision id is a UUIDv7, whose first 48 bits are its time",
                id.get_version_num()
            )));
        }
        Ok(Self(id.into_bytes()))
    }

    /// A `UUIDv7` from its time in milliseconds and ten bytes, of which 74 bits are kept.
    pub fn from_parts(unix_ms: i64, bits: [u8; 10]) -> Self {
        let ms = u64::try_from(unix_ms).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(ms, &bits).into_uuid().into_bytes())
    }

    /// Sixteen bytes as stored; the caller vouches that they came from a decision id.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes, in an order that sorts by time.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The time inside the id, in milliseconds since 1970.
    pub fn unix_ms(&self) -> i64 {
        self.0.iter().take(6).fold(0, |ms, byte| (ms << 8) | i64::from(*byte))
    }
}

impl std::fmt::Display for DecisionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", uuid::Uuid::from_bytes(self.0).hyphenated())
    }
}

impl Serialize for DecisionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_refused_with_what_was_read_and_what_was_expected() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(OfferId::new(text).err().map(|e| e.to_string()).as_deref(), expected, "{text}");
        };
        check("free-shipping", None);
        check("_n:1.b", None);
        check(
            "free shipping",
            Some(
                "`free shipping` is not an offer id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, \
                 starting with a letter, a digit or `_`",
            ),
        );
        assert!(OfferId::new("").is_err());
        assert!(OfferId::new("a".repeat(65)).is_err());
    }

    #[test]
    fn a_decision_id_carries_its_time_and_refuses_other_versions() {
        let id = DecisionId::from_parts(1_700_000_000_123, [7; 10]);
        assert_eq!(id.unix_ms(), 1_700_000_000_123);
        assert_eq!(DecisionId::parse(&id.to_string()), Ok(id));
        let error = DecisionId::parse("7f2c1b1e-5f1c-4c7e-9d5c-0f1b5c8b6a11").unwrap_err().to_string();
        assert!(error.contains("version 4"), "{error}");
    }

    #[test]
    fn hexadecimal_round_trips() {
        let id = SubjectId([0xa7; 16]);
        assert_eq!(SubjectId::from_hex(&id.hex()), Ok(id));
        assert!(SubjectId::from_hex("xyz").is_err());
    }
}
