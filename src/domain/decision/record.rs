//! A record sealed and opened: bytes, commitments, leaf. Renders nothing.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::private::{GROUPS, Private};
use super::skeleton::{ENCODING, Skeleton};
use super::skeleton_v1::SkeletonV1;
use crate::domain::key::SubjectKey;
use crate::domain::{Digest, Malformed};

const SEALED_AS: &str = "record";

fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing into memory cannot fail.
    minicbor::to_vec(value).unwrap_or_default()
}

fn decode<'b, T: Decode<'b, ()>>(what: &str, bytes: &'b [u8]) -> Result<T, Malformed> {
    minicbor::decode(bytes).map_err(|error| Malformed(format!("{what} does not decode: {error}")))
}

/// A record as it is stored: public bytes, sealed private bytes, and the leaf over the public ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Encoded [`Skeleton`].
    pub skeleton: Vec<u8>,
    /// Sealed [`Private`].
    pub private: Vec<u8>,
    /// SHA-256(0x00 || skeleton).
    pub leaf: Digest,
}

impl Record {
    /// Commits to the private groups, encodes and seals.
    pub fn seal(mut skeleton: Skeleton, private: &Private, key: &SubjectKey) -> Self {
        let groups =
            [encode(&private.subject), encode(&private.context), encode(&private.consent), encode(&private.contacts)];
        let id = skeleton.decision_id;
        let attempt = skeleton.attempt;
        skeleton.commitments = GROUPS
            .iter()
            .zip(&groups)
            .map(|(group, bytes)| commitment(&key.salt(group, id.as_bytes(), attempt), bytes))
            .collect();
        let groups = groups.map(minicbor::bytes::ByteVec::from);
        let private = key.seal(SEALED_AS, id.as_bytes(), u64::from(attempt), &encode(&groups));
        let skeleton = encode(&skeleton);
        let leaf = leaf(&skeleton);
        Self { skeleton, private, leaf }
    }

    /// Decodes the public part.
    pub fn skeleton(&self) -> Result<Skeleton, Malformed> {
        decode_skeleton(&self.skeleton)
    }

    /// Opens the private part and checks it against the commitments.
    pub fn private(&self, key: &SubjectKey) -> Result<Private, Malformed> {
        let skeleton = self.skeleton()?;
        let id = skeleton.decision_id;
        let plain = key.open(SEALED_AS, id.as_bytes(), u64::from(skeleton.attempt), &self.private)?;
        let groups: [minicbor::bytes::ByteVec; 4] = decode("the private part", &plain)?;
        for ((group, bytes), committed) in GROUPS.iter().zip(&groups).zip(&skeleton.commitments) {
            if commitment(&key.salt(group, id.as_bytes(), skeleton.attempt), bytes) != *committed {
                return Err(Malformed(format!("group `{group}` is not what the record committed to")));
            }
        }
        let [subject, context, consent, contacts] = &groups;
        Ok(Private {
            subject: decode("group `subject`", subject)?,
            context: decode("group `context`", context)?,
            consent: decode("group `consent`", consent)?,
            contacts: decode("group `contacts`", contacts)?,
        })
    }
}

/// Decodes a skeleton of any known encoding.
pub fn decode_skeleton(bytes: &[u8]) -> Result<Skeleton, Malformed> {
    // The encoding stands first in every version.
    let mut head = minicbor::Decoder::new(bytes);
    let encoding = head.array().and_then(|_| head.u16());
    match encoding.map_err(|error| Malformed(format!("the skeleton does not decode: {error}")))? {
        ENCODING => decode("the skeleton", bytes),
        1 => decode::<SkeletonV1>("the skeleton", bytes).map(Skeleton::from),
        other => Err(Malformed(format!("the record has encoding {other}; this build reads 1 to {ENCODING}"))),
    }
}

fn commitment(salt: &[u8; 32], group: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update(salt).chain_update(group).finalize().into())
}

/// The leaf of a decision: SHA-256(0x00 || skeleton), as RFC 6962 hashes leaves.
pub fn leaf(skeleton: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(skeleton).finalize().into())
}
