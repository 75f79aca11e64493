//! Subjects and the small state a decision reads of them. Knows the outside id only as a key to look up.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::consent::{ConsentEntry, ConsentState};
use super::{DecisionId, Digest, KnownAttribute, RuleId, Timestamp};

/// What kind of subject an outside id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum SubjectKind {
    /// A customer.
    #[n(0)]
    Customer,
    /// A session.
    #[n(1)]
    Session,
    /// A household: everybody who lives together, as the shop knows it.
    #[n(2)]
    Household,
    /// A device.
    #[n(3)]
    Device,
}

impl SubjectKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Session, Self::Household, Self::Device];

    /// Its name in rules and requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Session => "session",
            Self::Household => "household",
            Self::Device => "device",
        }
    }
}

/// A set of kinds of subject: those that one subject of a decision stands for. Every subject stands for its own kind;
/// a session stands as well for each kind that its request names nobody of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectKinds(u8);

impl SubjectKinds {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// Every kind.
    pub const ALL: Self = Self(0b1111);

    fn bit(kind: SubjectKind) -> u8 {
        1 << (kind as u8)
    }

    /// One kind.
    pub fn of(kind: SubjectKind) -> Self {
        Self(Self::bit(kind))
    }

    /// What a subject of a kind stands for where it is the only one of its decision: a session for its customer too.
    pub fn alone(kind: SubjectKind) -> Self {
        match kind {
            SubjectKind::Session => Self::of(kind).and(SubjectKind::Customer),
            _ => Self::of(kind),
        }
    }

    /// These and one more.
    #[must_use]
    pub fn and(self, kind: SubjectKind) -> Self {
        Self(self.0 | Self::bit(kind))
    }

    /// Whether a kind is among them.
    pub fn has(self, kind: SubjectKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    /// Of what a subject stands for, its own kind alone: a session is a session, whomever it stands for.
    #[must_use]
    pub fn own(self) -> Self {
        if self.has(SubjectKind::Session) { Self::of(SubjectKind::Session) } else { self }
    }

    /// As it stands in the store: one bit for each kind, by its number.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Read back from the store.
    pub fn from_bits(bits: u8) -> Option<Self> {
        (bits & !Self::ALL.0 == 0).then_some(Self(bits))
    }
}

/// An outside id with its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectRef {
    /// What it names.
    pub kind: SubjectKind,
    /// As the shop knows it.
    pub outside_id: String,
}

/// How a contact stands with a cap that counts impressions. What was seen is more than what is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Held {
    /// Decided and not seen: counts before this instant and is released by it.
    #[n(0)]
    ReservedUntil(#[n(0)] Timestamp),
    /// Seen, last at this instant.
    #[n(1)]
    SeenAt(#[n(0)] Timestamp),
}

/// A contact that a cap holds by its impressions; named, so that an impression confirms it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CapHold {
    /// The decision that chose the offer.
    #[n(0)]
    pub decision: DecisionId,
    /// The slot, from zero.
    #[n(1)]
    pub slot: u16,
    /// How it stands.
    #[n(2)]
    pub held: Held,
}

/// The newest contacts that one cap counts, oldest first; never more than the cap's limit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CapCounter {
    /// The cap.
    #[n(0)]
    pub rule: RuleId,
    /// The offer, category or channel counted apart; nothing where the cap counts all, or where nobody knows.
    #[n(1)]
    pub of: Option<String>,
    /// When, where the cap counts decisions; the newest event that undoes others, for a cool-down that knows one.
    #[n(2)]
    pub at: Vec<Timestamp>,
    /// Where the cap counts events: reservations first, by their end, then what happened, by when.
    #[n(3)]
    #[cbor(default)]
    pub held: Vec<CapHold>,
}

/// One versioned aggregate per subject. Stored encrypted under the subject's key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct SubjectState {
    /// The latest instant any decision read; time never runs backwards for a subject.
    #[n(0)]
    pub last_at: Option<Timestamp>,
    /// Consents that count now or later, per purpose.
    #[n(1)]
    pub consents: Vec<ConsentEntry>,
    /// Hash of the cap set that the counters were built for; another one means they are rebuilt from contacts.
    #[n(2)]
    pub cap_set: Option<Digest>,
    /// Counted contacts.
    #[n(3)]
    pub caps: Vec<CapCounter>,
    /// Attributes that the shop wants kept, by name.
    #[n(8)]
    #[cbor(default)]
    pub known: Vec<KnownAttribute>,
}

/// Consent entries kept per purpose: those in force, of each channel and jurisdiction, and a few announced ones.
const CONSENTS_PER_PURPOSE_MAX: usize = 16;

impl SubjectState {
    /// Takes in a consent entry; entries that can no longer count are dropped. The newest no is kept behind a newer
    /// yes, which does not count everywhere. Of too many the oldest yes is dropped: what is forgotten must never open
    /// what was closed.
    pub fn add_consent(&mut self, entry: ConsentEntry, now: Timestamp) {
        let said = entry.clone();
        self.consents.push(entry);
        let newest = |of: &dyn Fn(&ConsentEntry) -> bool| {
            let same = self.consents.iter().filter(|old| old.is_about(&said) && old.valid_from <= now && of(old));
            same.max_by_key(|old| (old.valid_from, old.state)).cloned()
        };
        let (counting, closing) = (newest(&|_| true), newest(&|old| old.state != ConsentState::Granted));
        let counts = |old: &ConsentEntry| counting.as_ref() == Some(old) || closing.as_ref() == Some(old);
        self.consents.retain(|old| !old.is_about(&said) || old.valid_from > now || counts(old));
        self.consents.dedup();
        loop {
            let of_purpose = || self.consents.iter().enumerate().filter(|(_, old)| old.purpose == said.purpose);
            if of_purpose().count() <= CONSENTS_PER_PURPOSE_MAX {
                break;
            }
            let oldest = of_purpose().min_by_key(|(_, old)| (old.state != ConsentState::Granted, old.valid_from));
            let Some((oldest, _)) = oldest else { break };
            self.consents.remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Basis, PurposeId};

    #[test]
    fn a_state_from_before_impressions_counted_is_still_read() {
        let counter = (RuleId::new("cap").unwrap(), Some("o"), vec![Timestamp(7)]);
        let before = (None::<Timestamp>, Vec::<ConsentEntry>::new(), None::<Digest>, vec![counter]);
        let state: SubjectState = minicbor::decode(&minicbor::to_vec(&before).unwrap()).unwrap();
        let counter = CapCounter {
            rule: RuleId::new("cap").unwrap(),
            of: Some("o".into()),
            at: vec![Timestamp(7)],
            held: Vec::new(),
        };
        assert_eq!(state.caps, [counter]);
    }

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

    #[test]
    fn what_is_said_of_one_channel_drops_nothing_said_of_another() {
        let mut state = SubjectState::default();
        for (at, channel) in [(10, None), (20, Some("email")), (30, Some("sms")), (40, Some("email"))] {
            state.add_consent(entry(ConsentState::Granted, at, channel), Timestamp(at));
        }
        let kept: Vec<_> = state.consents.iter().map(|e| (e.valid_from.0, e.channel.as_deref())).collect();
        assert_eq!(kept, [(10, None), (30, Some("sms")), (40, Some("email"))]);
    }

    #[test]
    fn of_too_many_the_oldest_yes_is_forgotten_and_never_a_no() {
        let mut state = SubjectState::default();
        state.add_consent(entry(ConsentState::Withdrawn, 1, Some("sms")), Timestamp(1));
        for at in 100..130 {
            state.add_consent(entry(ConsentState::Granted, at, None), Timestamp(2));
        }
        state.add_consent(entry(ConsentState::Withdrawn, 2, None), Timestamp(2));
        let kept: Vec<_> = state.consents.iter().map(|e| e.valid_from.0).collect();
        assert_eq!(kept, [&[1][..], &(116..130).collect::<Vec<_>>(), &[2]].concat());
    }

    #[test]
    fn a_no_is_kept_behind_a_newer_yes_that_does_not_count_everywhere() {
        let mut state = SubjectState::default();
        let said =
            [(ConsentState::Granted, Some("email")), (ConsentState::Refused, None), (ConsentState::Granted, None)];
        for (at, (what, channel)) in (1..).zip(said) {
            state.add_consent(entry(what, at, channel), Timestamp(at));
        }
        // To a gate that asks for an opt-in to the channel the last yes is none, and the first ended with the no.
        let kept: Vec<_> = state.consents.iter().map(|e| (e.valid_from.0, e.state)).collect();
        assert_eq!(kept, [(1, ConsentState::Granted), (2, ConsentState::Refused), (3, ConsentState::Granted)]);
        state.add_consent(entry(ConsentState::Withdrawn, 4, None), Timestamp(4));
        let kept: Vec<_> = state.consents.iter().map(|e| (e.valid_from.0, e.state)).collect();
        assert_eq!(kept, [(1, ConsentState::Granted), (4, ConsentState::Withdrawn)]);
    }

    #[test]
    fn consents_in_force_and_announced_are_kept_and_past_ones_dropped() {
        let mut state = SubjectState::default();
        let entry = |state, from| entry(state, from, None);
        state.add_consent(entry(ConsentState::Granted, 10), Timestamp(10));
        state.add_consent(entry(ConsentState::Withdrawn, 90), Timestamp(20));
        state.add_consent(entry(ConsentState::Refused, 30), Timestamp(30));
        let kept: Vec<_> = state.consents.iter().map(|e| e.valid_from.0).collect();
        assert_eq!(kept, [90, 30]);
    }
}
