//! How a matter stands: under each authority who approved it, or why nobody's approval counts. Asks no clock.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::print_hash;
use super::demands::Authority;
use super::given::{Given, Matter};
use crate::domain::{Digest, Timestamp};

/// Approvals by what they are about.
pub(super) struct Book<'g>(BTreeMap<&'g Matter, Vec<&'g Given>>);

impl<'g> Book<'g> {
    pub(super) fn of(given: &'g [Given]) -> Self {
        let mut book: BTreeMap<&Matter, Vec<&Given>> = BTreeMap::new();
        for given in given {
            book.entry(&given.matter).or_default().push(given);
        }
        Self(book)
    }

    fn about(&self, matter: &Matter) -> &[&'g Given] {
        self.0.get(matter).map_or(&[], Vec::as_slice)
    }

    /// Before which instant a matter is approved under all of these authorities, by different people.
    pub(super) fn until(&self, (matter, pinned): (&Matter, Digest), needed: &BTreeSet<Authority>) -> Option<Timestamp> {
        let standing = |authority: &Authority| -> Vec<&Given> {
            let about = self.about(matter).iter().copied();
            about.filter(|given| given.authority == *authority && given.stands_for(pinned)).collect()
        };
        let each: Vec<Vec<&Given>> = needed.iter().map(standing).collect();
        match each.as_slice() {
            [one] => one.iter().map(|given| given.expires).max(),
            [one, other] => pair(one, other).map(|(a, b)| a.expires.min(b.expires)),
            _ => None,
        }
    }
}

/// The two approvals of different people that last longest together.
fn pair<'g>(one: &[&'g Given], other: &[&'g Given]) -> Option<(&'g Given, &'g Given)> {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (*a, *b))).filter(|(a, b)| !a.same_person(b));
    pairs.max_by_key(|(a, b)| (a.expires.min(b.expires), a.id.max(b.id)))
}

/// What there is under one authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// An approval that counts.
    By(Given),
    /// None was ever given.
    Missing,
    /// The last one has expired.
    Expired(Given),
    /// The last one was taken back.
    Revoked(Given),
    /// The last one was given for something else under the same name: it was edited since.
    Voided(Given),
    /// One was given, by the person who approved under the other authority.
    SamePerson(Given),
}

impl Held {
    /// In a word, for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::By(_) => "approved",
            Self::Missing => "missing",
            Self::Expired(_) => "expired",
            Self::Revoked(_) => "revoked",
            Self::Voided(_) => "voided",
            Self::SamePerson(_) => "same_person",
        }
    }

    /// What is told of an authority under which nothing counts, in words; nothing where something does.
    pub fn told(&self, authority: Authority) -> Option<String> {
        let name = authority.name();
        Some(match self {
            Self::By(_) => return None,
            Self::Missing => format!("nobody approved it for `{name}`"),
            Self::Expired(given) => {
                format!("the approval for `{name}` by `{}` expired at {}", given.by, given.expires)
            }
            Self::Revoked(given) => {
                let by = given.revoked.as_ref().map_or_else(String::new, |revoked| {
                    let why = if revoked.note.is_empty() { String::new() } else { format!(" ({})", revoked.note) };
                    format!(" by `{}` at {}{why}", revoked.by, revoked.at)
                });
                format!("the approval for `{name}` by `{}` was taken back{by}", given.by)
            }
            // A bundle that was edited is another one, and so is the one to go back to.
            Self::Voided(given) if given.matter == Matter::Bundle => format!(
                "what `{}` approved for `{name}` at {} is another bundle, {}",
                given.by,
                given.at,
                print_hash(given.pinned)
            ),
            Self::Voided(given) => format!(
                "the approval for `{name}` by `{}` of {} is for what it was then: it was edited since",
                given.by, given.at
            ),
            Self::SamePerson(given) => format!("`{}` approved it for both: `{name}` needs another person", given.by),
        })
    }

    /// The approval that it is about.
    pub fn given(&self) -> Option<&Given> {
        match self {
            Self::Missing => None,
            Self::By(given)
            | Self::Expired(given)
            | Self::Revoked(given)
            | Self::Voided(given)
            | Self::SamePerson(given) => Some(given),
        }
    }
}

/// How a matter stands at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What is to be approved.
    pub matter: Matter,
    /// As it is now.
    pub pinned: Digest,
    /// Under each authority needed.
    pub held: Vec<(Authority, Held)>,
}

impl Standing {
    /// How a matter stands by what was given.
    pub fn of(
        given: &[Given],
        (matter, pinned): (&Matter, Digest),
        needed: &BTreeSet<Authority>,
        now: Timestamp,
    ) -> Self {
        Self::in_book(&Book::of(given), (matter, pinned), needed, now)
    }

    pub(super) fn in_book(
        book: &Book<'_>,
        (matter, pinned): (&Matter, Digest),
        needed: &BTreeSet<Authority>,
        now: Timestamp,
    ) -> Self {
        let about = book.about(matter);
        let under = |authority: Authority| about.iter().copied().filter(move |given| given.authority == authority);
        let counting = |authority: Authority| -> Vec<&Given> {
            under(authority).filter(|given| given.stands_for(pinned) && given.expires > now).collect()
        };
        let found = |authority: Authority| {
            let newest = |those: &dyn Fn(&Given) -> bool| under(authority).rev().find(|given| those(given));
            let expired = newest(&|given| given.stands_for(pinned));
            let revoked = newest(&|given| given.pinned == pinned);
            match (expired, revoked, newest(&|_| true)) {
                (Some(given), ..) => Held::Expired(given.clone()),
                (None, Some(given), _) => Held::Revoked(given.clone()),
                (None, None, Some(given)) => Held::Voided(given.clone()),
                (None, None, None) => Held::Missing,
            }
        };
        let each: Vec<(Authority, Vec<&Given>)> =
            needed.iter().map(|authority| (*authority, counting(*authority))).collect();
        let longest =
            |given: &[&Given]| given.iter().max_by_key(|given| (given.expires, given.id)).map(|given| (*given).clone());
        let single = |(authority, given): &(Authority, Vec<&Given>)| {
            (*authority, longest(given).map_or_else(|| found(*authority), Held::By))
        };
        let held = match each.as_slice() {
            [(first, one), (second, other)] => {
                if let Some((a, b)) = pair(one, other) {
                    vec![(*first, Held::By(a.clone())), (*second, Held::By(b.clone()))]
                } else {
                    let mut held: Vec<(Authority, Held)> = each.iter().map(single).collect();
                    // Both gave one, and they are the same person.
                    if let (false, Some(given)) = (one.is_empty(), longest(other)) {
                        held[1].1 = Held::SamePerson(given);
                    }
                    held
                }
            }
            each => each.iter().map(single).collect(),
        };
        Self { matter: matter.clone(), pinned, held }
    }

    /// Whether every authority needed has approved it.
    pub fn is_approved(&self) -> bool {
        self.held.iter().all(|(_, held)| matches!(held, Held::By(_)))
    }

    /// Before which instant it is approved, if it is.
    pub fn until(&self) -> Option<Timestamp> {
        if !self.is_approved() {
            return None;
        }
        self.held.iter().filter_map(|(_, held)| held.given()).map(|given| given.expires).min()
    }

    /// Everything that is missing, in words.
    pub fn told(&self) -> String {
        let told: Vec<String> = self.held.iter().filter_map(|(authority, held)| held.told(*authority)).collect();
        told.join("; ")
    }

    /// The authorities under which nothing counts.
    pub fn missing(&self) -> Vec<Authority> {
        let missing = self.held.iter().filter(|(_, held)| !matches!(held, Held::By(_)));
        missing.map(|(authority, _)| *authority).collect()
    }
}
