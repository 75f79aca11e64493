//! What a leaf is about: a decision, or a privileged change, whose bytes are made here. Stores none.

use minicbor::{Decode, Encode};

use crate::domain::decision::leaf;
use crate::domain::{DecisionId, Digest, Malformed, Timestamp};

/// What the bytes of a change begin with, where those of a decision have the number of their encoding: nobody can take
/// the one for the other.
const KIND: &str = "proffer/change/1";

/// What stands at a position of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeafId {
    /// A privileged change, by its sequence.
    Change(u64),
    /// A decision.
    Decision(DecisionId),
}

impl LeafId {
    /// Sixteen bytes: those of the decision, or the sequence behind eight zeros, which no `UUIDv7` begins with.
    pub fn to_bytes(self) -> [u8; 16] {
        match self {
            Self::Decision(id) => *id.as_bytes(),
            Self::Change(sequence) => u128::from(sequence).to_be_bytes(),
        }
    }

    /// Reads what [`LeafId::to_bytes`] made.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        match u64::try_from(u128::from_be_bytes(bytes)) {
            Ok(sequence) => Self::Change(sequence),
            Err(_) => Self::Decision(DecisionId::from_bytes(bytes)),
        }
    }
}

impl std::fmt::Display for LeafId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decision(id) => write!(f, "decision {id}"),
            Self::Change(sequence) => write!(f, "privileged change {sequence}"),
        }
    }
}

/// A privileged change, as its leaf says it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Change {
    /// Names it within the store; there may be gaps.
    #[n(1)]
    pub sequence: u64,
    /// When.
    #[n(2)]
    pub at: Timestamp,
    /// Name of the key, or `start`, `command line` and the like.
    #[n(3)]
    pub by: String,
    /// What was done.
    #[n(4)]
    pub what: String,
    /// To what.
    #[n(5)]
    pub detail: String,
    #[n(0)]
    kind: String,
}

impl Change {
    /// A change done to something.
    pub fn new(sequence: u64, (at, by): (Timestamp, String), what: String, detail: String) -> Self {
        Self { sequence, at, by, what, detail, kind: KIND.to_owned() }
    }

    /// Its bytes, over which its leaf is made.
    pub fn bytes(&self) -> Vec<u8> {
        // Writing into memory cannot fail.
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Its leaf.
    pub fn leaf(&self) -> Digest {
        leaf(&self.bytes())
    }

    /// Reads the bytes of a change.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let change: Self = minicbor::decode(bytes)
            .map_err(|error| Malformed(format!("the leaf of a change does not decode: {error}")))?;
        if change.kind != KIND {
            return Err(Malformed(format!("the leaf is of kind `{}`; this build reads `{KIND}`", change.kind)));
        }
        Ok(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_whether_it_is_of_a_decision_or_of_a_change() {
        for id in [LeafId::Change(0), LeafId::Change(u64::MAX), LeafId::Decision(DecisionId::from_parts(1, [0; 10]))] {
            assert_eq!(LeafId::from_bytes(id.to_bytes()), id);
        }
        assert_eq!(LeafId::Change(7).to_string(), "privileged change 7");
    }

    #[test]
    fn the_bytes_of_a_change_are_fixed_and_are_read_back() {
        let change = Change::new(7, (Timestamp(1_000), "jane".to_owned()), "switch set".to_owned(), "s-1".to_owned());
        let hex = change.bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let kind = "70726f666665722f6368616e67652f31";
        assert_eq!(hex, format!("8670{kind}071903e8646a616e656a73776974636820736574") + "63732d31");
        assert_eq!(Change::decode(&change.bytes()), Ok(change));
        assert!(Change::decode(b"\x81\x02").is_err());
    }
}
