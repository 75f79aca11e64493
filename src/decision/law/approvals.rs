//! The plain reading of approvals: which uses of attributes people have to approve, and whether two of them have. Asks
//! no rule.

use super::chance::Chance;
use super::town::{ATTRIBUTES, HOUR, NOW};
use crate::domain::{AttributeId, Digest, PurposeId, Timestamp};
use crate::policy::{Authority, Bundle, Given, Matter, Revocation, Use, UseCase};

/// What somebody said of one use.
struct Word {
    name: &'static str,
    purpose: &'static str,
    use_case: &'static str,
    authority: &'static str,
    by: &'static str,
    until: i64,
    taken_back: bool,
    /// Of an attribute of this name that was declared otherwise.
    of_another: bool,
}

/// What a town asks people to approve of attributes, and what they have said.
pub(super) struct Approvals {
    classes: &'static [&'static str],
    words: Vec<Word>,
}

/// Every use there may be, by its purpose.
const USES: [(&str, &str); 6] = [
    ("personal", "rule"),
    ("plain", "rule"),
    ("personal", "feature"),
    ("plain", "feature"),
    ("service", "guard"),
    ("price_personalisation", "price"),
];

/// Attributes of customers and requests with their classes, as they are declared.
fn declared() -> impl Iterator<Item = (&'static str, &'static str)> {
    ATTRIBUTES.lines().filter_map(|line| {
        let after = |word: &str| line.split_once(word)?.1.split([',', '}']).next();
        Some((after("id: ")?, after("class: ")?))
    })
}

impl Approvals {
    pub(super) fn any(chance: &mut Chance) -> Self {
        let lists: [&[&str]; 4] =
            [&["personal"], &["personal", "sensitive"], &["protected"], &["personal", "sensitive", "protected"]];
        let classes = chance.maybe(5, &lists).unwrap_or_default();
        let mut words = Vec::new();
        for (name, _) in declared().filter(|(_, class)| classes.contains(class)) {
            for (purpose, use_case) in USES {
                for authority in ["privacy", "privacy", "business", "business"] {
                    if chance.often(6) {
                        words.push(Word {
                            name,
                            purpose,
                            use_case,
                            authority,
                            by: chance.one(&["jane", "joe", "Jane ", "ann"]),
                            until: NOW + chance.one(&[0, 1, HOUR / 2, HOUR, HOUR]),
                            taken_back: chance.often(1),
                            of_another: chance.often(1),
                        });
                    }
                }
            }
        }
        Self { classes, words }
    }

    /// As bundle.yaml says it.
    pub(super) fn text(&self) -> String {
        if self.classes.is_empty() {
            return String::new();
        }
        format!("approvers: {{attributes: [{}]}}\n", self.classes.join(", "))
    }

    /// Whether an attribute may be used so for a purpose at an instant, as far as that is for people to say.
    pub(super) fn allow(&self, name: &str, (purpose, use_case): (&str, &str), now: i64) -> bool {
        if !declared().any(|(known, class)| known == name && self.classes.contains(&class)) {
            return true;
        }
        let counts = |word: &&Word| {
            (word.name, word.purpose, word.use_case) == (name, purpose, use_case)
                && now < word.until
                && !word.taken_back
                && !word.of_another
        };
        let person = |word: &Word| word.by.trim().to_lowercase();
        let mut pairs = self.words.iter().filter(counts).filter(|one| one.authority == "privacy");
        pairs.any(|one| {
            let mut others = self.words.iter().filter(counts).filter(|other| other.authority == "business");
            others.any(|other| person(one) != person(other))
        })
    }

    /// The same as a store keeps it.
    pub(super) fn given(&self, bundle: &Bundle) -> Vec<Given> {
        let given = self.words.iter().enumerate().map(|(at, word)| {
            let attribute = AttributeId::parse(word.name).unwrap();
            let use_case = UseCase::ALL.iter().find(|(_, name)| *name == word.use_case).unwrap().0;
            let pinned = if word.of_another { Digest([9; 32]) } else { bundle.definition(&attribute).unwrap() };
            let revoked = Revocation { sequence: 1, at: Timestamp(1), by: "ann".to_owned(), note: String::new() };
            Given {
                id: at as u64,
                matter: Matter::Use(Use { attribute, purpose: PurposeId::new(word.purpose).unwrap(), use_case }),
                pinned,
                authority: Authority::parse(word.authority).unwrap(),
                at: Timestamp(0),
                by: word.by.to_owned(),
                expires: Timestamp(word.until),
                note: String::new(),
                revoked: word.taken_back.then_some(revoked),
            }
        });
        given.collect()
    }
}
