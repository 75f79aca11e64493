//! Consent records and which of them counts at an instant. What a refusal leads to is policy.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{PurposeId, Timestamp};

/// What the customer said. Ordered from lenient to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum ConsentState {
    /// Yes.
    #[n(0)]
    Granted,
    /// Not known, which means no.
    #[n(1)]
    Unknown,
    /// No.
    #[n(2)]
    Refused,
    /// A yes taken back.
    #[n(3)]
    Withdrawn,
}

impl ConsentState {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The lawful basis a record claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Basis {
    /// The person agreed.
    #[n(0)]
    Consent,
    /// A balanced interest of the shop.
    #[n(1)]
    LegitimateInterest,
    /// Needed for a contract with the person.
    #[n(2)]
    Contract,
    /// Required by law.
    #[n(3)]
    LegalObligation,
}

impl Basis {
    /// Every basis, with its name in JSON and YAML.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Consent, "consent"),
        (Self::LegitimateInterest, "legitimate_interest"),
        (Self::Contract, "contract"),
        (Self::LegalObligation, "legal_obligation"),
    ];

    /// Its name in JSON and YAML.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(basis, _)| *basis == self).map_or("", |(_, name)| name)
    }
}

/// One append-only consent record, in the shape of ISO/IEC TS 27560.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(deny_unknown_fields, expecting = "a consent record as a JSON object")]
pub struct ConsentRecord {
    /// What it is about.
    #[n(0)]
    pub purpose: PurposeId,
    /// What was said.
    #[n(1)]
    pub state: ConsentState,
    /// The basis claimed; consent unless said otherwise.
    #[n(2)]
    #[serde(default = "consent_basis")]
    pub basis: Basis,
    /// From when it counts; the time of intake unless given.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until when; open unless given.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Hash of the notice shown.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_hash: Option<String>,
    /// Where the evidence lies.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_id: Option<String>,
    /// Who sent it, such as the consent platform's name.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

fn consent_basis() -> Basis {
    Basis::Consent
}

/// What of a record a decision reads; kept in the subject state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConsentEntry {
    /// What it is about.
    #[n(0)]
    pub purpose: PurposeId,
    /// What was said.
    #[n(1)]
    pub state: ConsentState,
    /// The basis claimed.
    #[n(2)]
    pub basis: Basis,
    /// From when it counts.
    #[n(3)]
    pub valid_from: Timestamp,
    /// Until when it counts.
    #[n(4)]
    pub valid_until: Option<Timestamp>,
}

/// The entry that counts for a purpose at an instant: the newest `valid_from` not in the future; ties go to the
/// stricter. It may be expired: that is for the reader to judge, since an expired yes is a no with a reason.
pub fn in_force<'a>(entries: &'a [ConsentEntry], purpose: &PurposeId, at: Timestamp) -> Option<&'a ConsentEntry> {
    entries
        .iter()
        .filter(|entry| entry.purpose == *purpose && entry.valid_from <= at)
        .max_by_key(|entry| (entry.valid_from, entry.state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(state: ConsentState, from: i64) -> ConsentEntry {
        ConsentEntry {
            purpose: PurposeId::new("p").unwrap(),
            state,
            basis: Basis::Consent,
            valid_from: Timestamp(from),
            valid_until: None,
        }
    }

    #[test]
    fn the_newest_counts_and_ties_go_to_the_stricter() {
        use ConsentState::{Granted, Refused, Withdrawn};
        let p = PurposeId::new("p").unwrap();
        let check = |entries: &[ConsentEntry], at: i64, expected: Option<ConsentState>| {
            assert_eq!(in_force(entries, &p, Timestamp(at)).map(|e| e.state), expected);
        };
        check(&[], 10, None);
        check(&[entry(Granted, 5)], 4, None);
        check(&[entry(Granted, 5), entry(Withdrawn, 9)], 8, Some(Granted));
        check(&[entry(Withdrawn, 9), entry(Granted, 5)], 9, Some(Withdrawn));
        check(&[entry(Granted, 5), entry(Refused, 5)], 6, Some(Refused));
        check(&[entry(Refused, 5), entry(Granted, 5)], 6, Some(Refused));
    }
}
