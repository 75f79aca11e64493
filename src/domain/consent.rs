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
    /// The channel it is about, such as `email`; every channel unless given.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Where it was given, such as `US-NY`: a yes that names a jurisdiction counts for requests from there alone, a no
    /// counts wherever they come from.
    #[n(9)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
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
    /// The channel it is about; every channel where absent.
    #[n(5)]
    pub channel: Option<String>,
    /// The jurisdiction that a yes counts for; everywhere where absent.
    #[n(6)]
    pub jurisdiction: Option<String>,
}

impl ConsentEntry {
    /// What a record says from its intake on.
    pub fn of(record: &ConsentRecord, now: Timestamp) -> Self {
        Self {
            purpose: record.purpose.clone(),
            state: record.state,
            basis: record.basis,
            valid_from: record.valid_from.unwrap_or(now),
            valid_until: record.valid_until,
            channel: record.channel.clone(),
            jurisdiction: record.jurisdiction.clone(),
        }
    }

    /// Whether it is about the same purpose, channel and jurisdiction as another, so that the newer of them counts.
    pub fn is_about(&self, other: &Self) -> bool {
        (&self.purpose, &self.channel, &self.jurisdiction) == (&other.purpose, &other.channel, &other.jurisdiction)
    }
}

/// The entry that counts for a purpose on a channel at an instant, of those that may: the newest `valid_from` not in
/// the future; ties go to the stricter, and then to what was said of the channel itself. An entry without channel is
/// about every channel, so that it counts where it is newer than one of the channel itself. The entry found may be
/// expired: that is for the reader to judge, since an expired yes is a no with a reason.
pub fn in_force<'a>(
    entries: &'a [ConsentEntry],
    (purpose, channel): (&PurposeId, &str),
    at: Timestamp,
    may_count: impl Fn(&ConsentEntry) -> bool,
) -> Option<&'a ConsentEntry> {
    entries
        .iter()
        .filter(|entry| entry.purpose == *purpose && entry.valid_from <= at)
        .filter(|entry| entry.channel.as_deref().is_none_or(|named| named == channel) && may_count(entry))
        .max_by_key(|entry| (entry.valid_from, entry.state, entry.channel.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(state: ConsentState, from: i64, channel: Option<&str>) -> ConsentEntry {
        ConsentEntry {
            purpose: PurposeId::new("p").unwrap(),
            state,
            basis: Basis::Consent,
            valid_from: Timestamp(from),
            valid_until: None,
            channel: channel.map(str::to_owned),
            jurisdiction: None,
        }
    }

    fn check(entries: &[ConsentEntry], at: i64, expected: Option<ConsentState>) {
        let p = PurposeId::new("p").unwrap();
        let found = in_force(entries, (&p, "email"), Timestamp(at), |_| true);
        assert_eq!(found.map(|entry| entry.state), expected, "{entries:?}");
    }

    #[test]
    fn the_newest_counts_and_ties_go_to_the_stricter() {
        use ConsentState::{Granted, Refused, Withdrawn};
        let entry = |state, from| entry(state, from, None);
        check(&[], 10, None);
        check(&[entry(Granted, 5)], 4, None);
        check(&[entry(Granted, 5), entry(Withdrawn, 9)], 8, Some(Granted));
        check(&[entry(Withdrawn, 9), entry(Granted, 5)], 9, Some(Withdrawn));
        check(&[entry(Granted, 5), entry(Refused, 5)], 6, Some(Refused));
        check(&[entry(Refused, 5), entry(Granted, 5)], 6, Some(Refused));
    }

    #[test]
    fn what_is_said_of_a_channel_counts_there_until_something_newer_is_said_of_all() {
        use ConsentState::{Granted, Refused, Withdrawn};
        let (email, sms) = (Some("email"), Some("sms"));
        check(&[entry(Granted, 5, sms)], 9, None);
        check(&[entry(Granted, 5, email), entry(Refused, 7, sms)], 9, Some(Granted));
        check(&[entry(Refused, 5, None), entry(Granted, 7, email)], 9, Some(Granted));
        check(&[entry(Granted, 5, email), entry(Withdrawn, 7, None)], 9, Some(Withdrawn));
        check(&[entry(Granted, 5, email), entry(Withdrawn, 5, None)], 9, Some(Withdrawn));
        check(&[entry(Refused, 5, email), entry(Granted, 5, None)], 9, Some(Refused));
        check(&[entry(Refused, 5, email), entry(Granted, 6, None)], 9, Some(Granted));
    }

    #[test]
    fn of_what_was_said_at_once_that_of_the_channel_counts_in_whatever_order_it_came() {
        let both = [entry(ConsentState::Granted, 5, None), entry(ConsentState::Granted, 5, Some("email"))];
        let [general, own] = &both;
        let p = PurposeId::new("p").unwrap();
        for entries in [[general.clone(), own.clone()], [own.clone(), general.clone()]] {
            assert_eq!(in_force(&entries, (&p, "email"), Timestamp(9), |_| true), Some(own));
        }
    }

    #[test]
    fn records_and_entries_without_channel_are_written_as_they_were_before_there_were_any() {
        let bytes = minicbor::to_vec(entry(ConsentState::Granted, 5, None)).unwrap();
        assert_eq!(bytes, [0x84, 0x61, 0x70, 0x00, 0x00, 0x05]);
        let named = ConsentEntry { jurisdiction: Some("DE".into()), ..entry(ConsentState::Refused, 5, Some("sms")) };
        assert_eq!(minicbor::decode::<ConsentEntry>(&minicbor::to_vec(&named).unwrap()).unwrap(), named);
        let record: ConsentRecord = serde_json::from_str(r#"{"purpose": "p", "state": "granted"}"#).unwrap();
        assert_eq!(minicbor::to_vec(&record).unwrap(), [0x83, 0x61, 0x70, 0x00, 0x00]);
        let named = ConsentRecord { channel: Some("email".into()), jurisdiction: Some("US".into()), ..record };
        assert_eq!(minicbor::decode::<ConsentRecord>(&minicbor::to_vec(&named).unwrap()).unwrap(), named);
    }
}
