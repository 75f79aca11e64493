//! Approvals as they were given: by whom, under which authority, of what exactly, until when. Judges none.

use serde::{Deserialize, Serialize};

use super::demands::Authority;
use super::uses::Use;
use crate::domain::{Digest, OfferId, Timestamp, VariantId};

/// What an approval is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Matter {
    /// That an attribute is used so. Pinned to the attribute's definition.
    Use(Use),
    /// That an offer is shown, in one variant of it or in all. Pinned to its content.
    Offer {
        /// Which.
        offer_id: OfferId,
        /// Its variant; nothing for all of them.
        variant_id: Option<VariantId>,
    },
    /// That a bundle is put in force. Pinned to its hash.
    Bundle,
}

impl std::fmt::Display for Matter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Use(of) => of.fmt(f),
            Self::Offer { offer_id, variant_id: Some(variant_id) } => {
                write!(f, "variant `{variant_id}` of offer `{offer_id}`")
            }
            Self::Offer { offer_id, variant_id: None } => write!(f, "offer `{offer_id}`"),
            Self::Bundle => f.write_str("the bundle"),
        }
    }
}

/// That an approval was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The control row's sequence that it made.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Name of the key.
    pub by: String,
    /// Why.
    pub note: String,
}

/// One approval, never changed; what is taken back stays with the word that it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The control row's sequence that it made: its name.
    pub id: u64,
    /// Of what.
    pub matter: Matter,
    /// The hash of what was seen when it was given.
    #[serde(with = "hash_text")]
    pub pinned: Digest,
    /// Under which authority.
    pub authority: Authority,
    /// When.
    pub at: Timestamp,
    /// Name of the key: a person.
    pub by: String,
    /// It counts before this instant.
    pub expires: Timestamp,
    /// Why, or where that is written down.
    pub note: String,
    /// That it was taken back.
    pub revoked: Option<Revocation>,
}

impl Given {
    /// Whether it was given for just this content and not taken back.
    pub(super) fn stands_for(&self, pinned: Digest) -> bool {
        self.pinned == pinned && self.revoked.is_none()
    }

    /// Whether it was given by the same person as another one. A key that replaces a revoked one has its name.
    pub(super) fn same_person(&self, other: &Self) -> bool {
        self.by.trim().eq_ignore_ascii_case(other.by.trim())
    }

    /// The other authority, where this approval would not count beside what was given: all that counts under the other
    /// one is by the same person.
    pub fn alone(&self, given: &[Self], now: Timestamp) -> Option<Authority> {
        let counts = |other: &&Self| {
            other.matter == self.matter
                && other.authority != self.authority
                && other.stands_for(self.pinned)
                && other.expires > now
        };
        let others: Vec<&Self> = given.iter().filter(counts).collect();
        let same = !others.is_empty() && others.iter().all(|other| self.same_person(other));
        others.first().filter(|_| same).map(|other| other.authority)
    }

    /// As it was when the control row had a sequence; nothing if it was not given yet.
    #[must_use]
    pub fn as_of(mut self, sequence: u64) -> Option<Self> {
        self.revoked = self.revoked.filter(|revoked| revoked.sequence <= sequence);
        (self.id <= sequence).then_some(self)
    }
}

/// Digests in exports, as people see them.
mod hash_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::domain::Digest;
    use crate::policy::authority::definition::{parse_hash, print_hash};

    pub(super) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&print_hash(*digest))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        parse_hash(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
