//! A record sealed and opened: bytes, commitments, leaf. Renders nothing.

use minicbor::encode::Write;
use minicbor::{Decode, Encode, Encoder};
use sha2::{Digest as _, Sha256};

use super::private::{GROUPS, Private};
use super::skeleton::{ENCODING, Skeleton};
use super::skeleton_v1::SkeletonV1;
use crate::domain::key::{SEAL_BYTES, SubjectKey};
use crate::domain::{Digest, Malformed};

const SEALED_AS: &str = "record";

/// Room for the private groups of a usual decision.
const GROUPS_BYTES: usize = 512;

/// The heads of the four groups and of the list of them: 5 bytes each are enough for 4 GiB.
const FRAME_BYTES: usize = 5 * 5;

/// Memory written to a few bytes at a time: a record is hundreds of writes of one byte, or of eight, each of which a
/// general copy would take longer to begin than to do.
struct Sink<'a>(&'a mut Vec<u8>);

impl Write for Sink<'_> {
    type Error = std::convert::Infallible;

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        if let [byte] = bytes {
            self.0.push(*byte);
        } else if let Ok(eight) = <&[u8; 8]>::try_from(bytes) {
            self.0.extend_from_slice(eight);
        } else if let [one, two] = bytes {
            self.0.extend_from_slice(&[*one, *two]);
        } else {
            self.0.extend_from_slice(bytes);
        }
        Ok(())
    }
}

/// Writes a value behind what is there, and says where it ends.
fn append<T: Encode<()>>(to: &mut Vec<u8>, value: &T) -> usize {
    // Writing into memory cannot fail.
    let _ = minicbor::encode(value, Sink(to));
    to.len()
}

/// Room for an encoded skeleton: a guess that is seldom too small, so that little is copied while it grows.
fn about_bytes(skeleton: &Skeleton) -> usize {
    let slots: usize = skeleton.slots.iter().map(|slot| 96 + 10 * slot.probabilities.len()).sum();
    640 + 48 * skeleton.candidates.len() + slots
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
    /// Commits to the private groups, which the skeleton then holds too, encodes and seals.
    pub fn seal(skeleton: &mut Skeleton, private: &Private, key: &SubjectKey) -> Self {
        let key = key.ready();
        let (id, attempt) = (skeleton.decision_id, skeleton.attempt);
        // The groups one behind another, each with where it ends.
        let mut groups = Vec::with_capacity(GROUPS_BYTES);
        let ends = [
            append(&mut groups, &private.subject),
            append(&mut groups, &private.context),
            append(&mut groups, &private.consent),
            append(&mut groups, &private.contacts),
        ];
        let mut plain = Vec::with_capacity(groups.len() + FRAME_BYTES + SEAL_BYTES);
        let mut frame = Encoder::new(&mut plain);
        // Writing into memory cannot fail.
        let _ = frame.array(4);
        skeleton.commitments.clear();
        skeleton.commitments.reserve_exact(ends.len());
        let mut begin = 0;
        for (group, end) in GROUPS.iter().zip(ends) {
            let bytes = groups.get(begin..end).unwrap_or_default();
            let _ = frame.bytes(bytes);
            skeleton.commitments.push(commitment(&key.salt(group, id.as_bytes(), attempt), bytes));
            begin = end;
        }
        let private = key.seal(SEALED_AS, id.as_bytes(), u64::from(attempt), plain);
        let mut public = Vec::with_capacity(about_bytes(skeleton));
        append(&mut public, skeleton);
        let leaf = leaf(&public);
        Self { skeleton: public, private, leaf }
    }

    /// Decodes the public part.
    pub fn skeleton(&self) -> Result<Skeleton, Malformed> {
        decode_skeleton(&self.skeleton)
    }

    /// Opens the private part and checks it against the commitments.
    pub fn private(&self, key: &SubjectKey) -> Result<Private, Malformed> {
        let skeleton = self.skeleton()?;
        let id = skeleton.decision_id;
        let key = key.ready();
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
