//! Subjects and the small state a decision reads of them. Knows the outside id only as a key to look up.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::consent::ConsentEntry;
use super::{Digest, KnownAttribute, OfferId, RuleId, Timestamp};

/// What kind of subject an outside id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum SubjectKind {
    /// A customer.
    #[n(0)]
    Customer,
    /// A session, where no customer is known.
    #[n(1)]
    Session,
}

/// An outside id with its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectRef {
    /// What it names.
    pub kind: SubjectKind,
    /// As the shop knows it.
    pub outside_id: String,
}

/// The newest contacts that one cap counts, oldest first; never more than the cap's limit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CapCounter {
    /// The cap.
    #[n(0)]
    pub rule: RuleId,
    /// The offer counted, or nothing where the cap counts all.
    #[n(1)]
    pub offer: Option<OfferId>,
    /// When.
    #[n(2)]
    pub at: Vec<Timestamp>,
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

/// Consent entries kept per purpose: the one in force and a few announced ones.
const CONSENTS_PER_PURPOSE_MAX: usize = 8;

impl SubjectState {
    /// Takes in a consent entry; entries that can no longer count are dropped.
    pub fn add_consent(&mut self, entry: ConsentEntry, now: Timestamp) {
        let purpose = entry.purpose.clone();
        self.consents.push(entry);
        let counting = super::consent::in_force(&self.consents, &purpose, now).cloned();
        self.consents.retain(|old| old.purpose != purpose || old.valid_from > now || counting.as_ref() == Some(old));
        self.consents.dedup();
        let mut kept = 0;
        self.consents.retain(|old| {
            kept += usize::from(old.purpose == purpose);
            old.purpose != purpose || kept <= CONSENTS_PER_PURPOSE_MAX
        });
    }

    /// Contacts that a cap counts in the window that ends at `now`: those with `at > now - window`.
    pub fn cap_used(&self, rule: &RuleId, offer: Option<&OfferId>, now: Timestamp, window: super::Span) -> usize {
        let since = now.minus(window);
        self.caps
            .iter()
            .find(|counter| counter.rule == *rule && counter.offer.as_ref() == offer)
            .map_or(0, |counter| counter.at.iter().filter(|at| **at > since).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Basis, ConsentState, PurposeId, Span};

    #[test]
    fn a_rolling_window_counts_contacts_younger_than_its_span() {
        let rule = RuleId::new("cap").unwrap();
        let offer = OfferId::new("o").unwrap();
        let state = SubjectState {
            caps: vec![CapCounter {
                rule: rule.clone(),
                offer: Some(offer.clone()),
                at: vec![Timestamp(1_000), Timestamp(5_000)],
            }],
            ..SubjectState::default()
        };
        let used = |now: i64| state.cap_used(&rule, Some(&offer), Timestamp(now), Span(4_000));
        assert_eq!((used(4_999), used(5_000), used(9_000)), (2, 1, 0));
        assert_eq!(state.cap_used(&rule, None, Timestamp(5_000), Span(4_000)), 0);
    }

    #[test]
    fn consents_in_force_and_announced_are_kept_and_past_ones_dropped() {
        let mut state = SubjectState::default();
        let entry = |state, from| ConsentEntry {
            purpose: PurposeId::new("p").unwrap(),
            state,
            basis: Basis::Consent,
            valid_from: Timestamp(from),
            valid_until: None,
        };
        state.add_consent(entry(ConsentState::Granted, 10), Timestamp(10));
        state.add_consent(entry(ConsentState::Withdrawn, 90), Timestamp(20));
        state.add_consent(entry(ConsentState::Refused, 30), Timestamp(30));
        let kept: Vec<_> = state.consents.iter().map(|e| e.valid_from.0).collect();
        assert_eq!(kept, [90, 30]);
    }
}
