//! Who is known: customers, sessions, households and devices, each with a past of its own. Says nothing of what rules
//! mean.

use std::collections::BTreeMap;

use super::chance::Chance;
use super::town::{HOUR, NOW, RESERVED, TIERS};
use crate::domain::consent::{Basis, ConsentEntry};
use crate::domain::outcome::OutcomeKind;
use crate::domain::{
    ConsentState, DecisionId, KnownAttribute, Number, OfferId, PlacementId, PurposeId, SubjectKind, SubjectKinds,
    Timestamp, Value,
};
use crate::policy::{Chosen, Contact};

/// Every purpose that gates may guard.
pub(super) const PURPOSES: [&str; 5] = ["personal", "plain", "price_personalisation", "service", "model_training"];

/// Somebody or something known.
#[derive(Default)]
pub(super) struct Person {
    /// What was said, with when it came in, in that order.
    pub(super) said: Vec<(i64, ConsentEntry)>,
    pub(super) contacts: Vec<Contact>,
    pub(super) kept: Vec<KnownAttribute>,
}

/// Whom a request names.
pub(super) struct Folk(BTreeMap<SubjectKind, Person>);

impl Folk {
    /// Some of them, or nobody.
    pub(super) fn any(chance: &mut Chance) -> Self {
        use SubjectKind::{Customer, Device, Household, Session};
        let mut folk = BTreeMap::new();
        for (kind, of_ten) in [(Customer, 7), (Session, 4), (Household, 3), (Device, 3)] {
            if chance.often(of_ten) {
                folk.insert(kind, Person::any(chance, kind));
            }
        }
        Self(folk)
    }

    /// Whoever is named.
    pub(super) fn named(&self, kind: SubjectKind) -> Option<&Person> {
        self.0.get(&kind)
    }

    /// Whose word and whose attributes count: the customer's, or those of the session of whom nobody knows.
    pub(super) fn customer(&self) -> Option<&Person> {
        self.named(SubjectKind::Customer).or_else(|| self.named(SubjectKind::Session))
    }

    /// The contacts of the past with whom a rule counts for; nothing where nobody can be counted for. A session may
    /// stand for whom nobody named, with what it was shown while it did.
    pub(super) fn contacts(&self, whose: SubjectKind, by_name: bool) -> Option<Vec<&Contact>> {
        match (self.named(whose), by_name) {
            (Some(person), _) => Some(person.contacts.iter().collect()),
            (None, true) => None,
            (None, false) => {
                let session = self.named(SubjectKind::Session)?.contacts.iter();
                Some(session.filter(|contact| contact.chosen.stands_for.has(whose)).collect())
            }
        }
    }
}

impl Person {
    fn any(chance: &mut Chance, kind: SubjectKind) -> Self {
        let most = if kind == SubjectKind::Customer { 14 } else { 8 };
        let contacts = (0..chance.below(most)).map(|number| contact(chance, number, kind)).collect();
        let mut kept: Vec<KnownAttribute> = Vec::new();
        for name in ["tier", "brand", "points", "staff", "gone"] {
            if chance.often(2) {
                let all = attributes(chance, 10);
                let value =
                    if chance.often(1) { text("platinum") } else { all.get(name).cloned().unwrap_or(number(1)) };
                let at = Timestamp(chance.one(&[NOW - HOUR, NOW - HOUR + 1, NOW - HOUR / 2, NOW - HOUR / 2 + 1]));
                let until = chance.maybe(4, &[NOW, NOW + 1, NOW + HOUR]).map(Timestamp);
                kept.push(KnownAttribute { name: name.to_owned(), value, at, until });
            }
        }
        // As it is stored.
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        Self { said: said(chance), contacts, kept }
    }
}

/// What somebody said to each purpose. No two records say the same at the same instant.
fn said(chance: &mut Chance) -> Vec<(i64, ConsentEntry)> {
    use ConsentState::{Granted, Refused, Unknown, Withdrawn};
    let mut said: Vec<(i64, ConsentEntry)> = Vec::new();
    let arrives = chance.one(&[NOW - HOUR, NOW - 2, NOW]);
    for purpose in PURPOSES {
        for _ in 0..chance.one(&[0, 1, 1, 2, 3, 4]) {
            let ago = [NOW - HOUR - 1, NOW - HOUR, NOW - 3, NOW - 2, NOW - 1, NOW, NOW + 1, NOW + HOUR];
            let past = if chance.often(2) { 8 } else { 6 };
            let entry = ConsentEntry {
                purpose: PurposeId::new(purpose).unwrap(),
                state: chance.one(&[Granted, Granted, Granted, Granted, Granted, Refused, Withdrawn, Unknown]),
                basis: chance.one(&[Basis::Consent, Basis::Consent, Basis::LegitimateInterest, Basis::Contract]),
                valid_from: Timestamp(chance.one(&ago[..past])),
                channel: chance.maybe(4, &["web", "web", "email", "sms"]).map(str::to_owned),
                jurisdiction: chance.maybe(3, &["US", "US-NY", "EU", "DE"]).map(str::to_owned),
                valid_until: chance.maybe(2, &[Timestamp(NOW), Timestamp(NOW + 1), Timestamp(NOW + HOUR)]),
            };
            let same = |(_, other): &(i64, ConsentEntry)| {
                (&other.purpose, other.valid_from, other.state) == (&entry.purpose, entry.valid_from, entry.state)
            };
            if !said.iter().any(same) {
                said.push((if chance.often(5) { arrives } else { NOW }, entry));
            }
        }
    }
    said.sort_by_key(|(at, _)| *at);
    said
}

pub(super) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn number(value: i64) -> Value {
    Value::Number(Number(value * 1_000_000))
}

/// Attributes of a customer, each so often.
pub(super) fn attributes(chance: &mut Chance, of_ten: usize) -> BTreeMap<String, Value> {
    let mut attributes = BTreeMap::new();
    let mut may = |name: &str, values: &[Value]| {
        if chance.often(of_ten) {
            attributes.insert(name.to_owned(), values[chance.below(values.len())].clone());
        }
    };
    let truths = [true, false].map(Value::Bool);
    may("tier", &TIERS.map(text));
    may("brand", &["acme", "zeta", "nova"].map(text));
    may("points", &[0, 1, 3, 499, 500, 501].map(number));
    may("member_since", &["2026-05-28", "2026-04-28", "2026-04-29", "2020-01-01"].map(text));
    may("member", &truths);
    may("staff", &truths);
    may("age", &[17, 18, 40].map(number));
    may("born", &["2008-05-27", "2008-05-28", "2008-05-29", "1990-01-01"].map(text));
    may("complaints", &[0, 1].map(number));
    attributes
}

/// A contact of the last days, maybe of an offer or a placement that is gone.
fn contact(chance: &mut Chance, number: usize, kind: SubjectKind) -> Contact {
    let days = chance.within(0, 96 * HOUR);
    // Some are still reserved.
    let at = NOW - if chance.often(3) { days % (2 * HOUR) } else { days };
    let later = |chance: &mut Chance| Timestamp(chance.within(at - HOUR / 4, NOW));
    let mut maybe = |of_ten: usize| chance.often(of_ten).then(|| later(chance));
    let (seen, clicked, redeemed) = (maybe(6), maybe(3), maybe(2));
    let kinds = [
        (OutcomeKind::Reject, maybe(3)),
        (OutcomeKind::Return, maybe(2)),
        (OutcomeKind::Impression, seen),
        (OutcomeKind::Click, clicked),
        (OutcomeKind::Order, redeemed),
    ];
    let mut stands_for = SubjectKinds::of(kind);
    if kind == SubjectKind::Session {
        // As it was then: whom the request did not name.
        for other in SubjectKind::ALL.into_iter().filter(|_| chance.often(6)) {
            stands_for = stands_for.and(other);
        }
    }
    Contact {
        chosen: Chosen {
            decision: DecisionId::from_parts(at, [u8::try_from(number).unwrap(); 10]),
            slot: u16::try_from(chance.below(2)).unwrap(),
            at: Timestamp(at),
            reserved_until: Timestamp(at + RESERVED),
            stands_for,
        },
        placement: PlacementId::new(chance.one(&["home", "home", "mail", "gone"])).unwrap(),
        offer: OfferId::new(chance.one(&["o0", "o1", "o1", "o2", "o3", "o4", "gone"])).unwrap(),
        seen,
        clicked,
        redeemed,
        events: kinds.into_iter().filter_map(|(kind, at)| Some((kind, at?))).collect(),
        released: chance.often(2),
    }
}
