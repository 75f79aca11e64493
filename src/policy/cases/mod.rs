//! Tests of rules as their authors write them: fixtures and cases, from files to checked data. Tries no case.
//!
//! `tests/fixtures/*.yaml` name customers, offers and campaigns for all tests; `tests/*.test.yaml` hold cases, which
//! say what is given and exactly which rules are to leave which offer out. [`crate::decision::trial`] tries them.

mod moment;

mod attributes;

mod customer;
mod offer;

mod fixtures;

mod given;
mod gone;

mod case;

use std::collections::BTreeMap;

use super::codes;
use super::declare::Declared;
use super::finding::{Place, Report};
use super::kinds::caps::Contact;
use super::rules::Known;
use super::suggest::nearest;
use super::syntax::Node;
use crate::domain::consent::ConsentEntry;
use crate::domain::{BasketLine, Campaign, Offer, OfferId, PlacementId, RuleId, StoreId, Timestamp, Value};

/// The fields that the files of tests have, by what they stand in. Attributes stand beside them, with a dot.
pub(super) mod fields {
    pub(in crate::policy) use super::customer::FIELDS as CUSTOMER;
    pub(in crate::policy) use super::fixtures::LISTS;
    pub(in crate::policy) use super::given::FIELDS as GIVEN;
    pub(in crate::policy) use super::offer::{CAMPAIGN_FIELDS as CAMPAIGN, FIELDS as OFFER};

    /// What a case has beside what it is given.
    pub(in crate::policy) const CASE: [&str; 4] = ["name", "expect", "notes", "refused_by"];
}

/// The customer of a case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Person {
    /// What the case calls this person: the name of a fixture, or nothing.
    pub name: String,
    /// Attributes, by the name behind `customer.`.
    pub attributes: BTreeMap<String, Value>,
    /// What was consented to and refused.
    pub consents: Vec<ConsentEntry>,
    /// What was shown before.
    pub history: Vec<Contact>,
}

/// What a case expects of one offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The offer.
    pub offer: OfferId,
    /// Every rule that is to leave it out, in the order of their names; none means that it may be shown.
    pub excluded_by: Vec<RuleId>,
    /// Every rule that is to speak against it and let it be, in the order of their names.
    pub noted: Vec<RuleId>,
}

/// One case, with all that is inherited filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it is about, in its author's words.
    pub name: String,
    /// File and line.
    pub place: (String, usize),
    /// Where a decision is asked for.
    pub placement: PlacementId,
    /// When.
    pub at: Timestamp,
    /// The time zone of the request.
    pub time_zone: Option<String>,
    /// The jurisdiction of the request.
    pub jurisdiction: Option<String>,
    /// Whether the request carries the signal of Global Privacy Control.
    pub gpc: bool,
    /// The store asked in.
    pub store: Option<StoreId>,
    /// Attributes of the request, by the name behind `context.`.
    pub context: BTreeMap<String, Value>,
    /// What lies in the basket.
    pub basket: Vec<BasketLine>,
    /// The customer; none where nobody is known.
    pub customer: Option<Person>,
    /// Attributes sent with a request of which nobody is known.
    pub attributes: BTreeMap<String, Value>,
    /// What stands in the slots before, in order.
    pub behind: Vec<OfferId>,
    /// What is gone of what may run out, by rule: units, or minor units.
    pub gone: BTreeMap<RuleId, i64>,
    /// Every offer that it names, as it is in this case.
    pub offers: Vec<Offer>,
    /// Every campaign, as it is in this case.
    pub campaigns: Vec<Campaign>,
    /// What is expected of each offer asked about, in the order written.
    pub expected: Vec<Expected>,
    /// The gates that are to refuse the placement's purpose, where another purpose goes on in its place.
    pub refused_by: Vec<RuleId>,
}

/// The tests of a bundle.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tests {
    /// Every case, by file and line.
    pub cases: Vec<Case>,
}

/// What tests refer to.
#[derive(Clone, Copy)]
struct Ground<'a> {
    known: Known<'a>,
    rules: &'a Declared,
}

const LAYOUT: &str = "tests are kept in tests/NAME.test.yaml, and what they share in tests/fixtures/NAME.yaml";

fn is_fixtures(path: &str) -> bool {
    path.strip_prefix("tests/fixtures/").and_then(|name| name.strip_suffix(".yaml")).is_some_and(is_plain)
}

fn is_cases(path: &str) -> bool {
    path.strip_prefix("tests/").and_then(|name| name.strip_suffix(".test.yaml")).is_some_and(is_plain)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains('/')
}

/// Whether a file belongs to the tests and is read as such.
pub(super) fn is_tests(path: &str) -> bool {
    is_fixtures(path) || is_cases(path)
}

/// Says which files below `tests/` are none of the tests.
pub(super) fn check_layout<'a>(report: &mut Report<'_>, paths: impl Iterator<Item = (usize, &'a str)>) {
    for (file, path) in paths.filter(|(_, path)| path.starts_with("tests/") && !is_tests(path)) {
        let stem = path.trim_end_matches(".yml").trim_end_matches(".yaml");
        let guesses = [format!("{stem}.yaml"), format!("{}.test.yaml", stem.trim_end_matches(".tests"))];
        let moved = stem.strip_prefix("tests/fixture/").map(|name| format!("tests/fixtures/{name}.yaml"));
        let fitting = moved.into_iter().chain(guesses).find(|guess| is_tests(guess));
        let meant = fitting.as_deref().or_else(|| nearest(path, ["tests/fixtures"]));
        let meant = meant.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        let message = format!("the tests of a bundle have no file `{path}`{meant}");
        report.add(codes::FILE_UNKNOWN, Place::file(file), message, "").with_help(LAYOUT);
    }
}

/// Reads every fixture and every case.
pub(super) fn read(
    report: &mut Report<'_>,
    trees: &BTreeMap<&str, Node>,
    known: Known<'_>,
    rules: &Declared,
    whole: bool,
) -> Tests {
    let ground = Ground { known, rules };
    let mut shared = fixtures::Shelf::default();
    let files = || trees.iter().map(|(path, root)| (*path, root));
    for (_, root) in files().filter(|(path, _)| is_fixtures(path)) {
        shared.read(report, root, ground);
    }
    if !whole {
        shared.miss();
    }
    shared.settle(report);
    let mut tests = Tests::default();
    for (path, root) in files().filter(|(path, _)| is_cases(path)) {
        tests.cases.extend(case::read(report, path, root, ground, &shared));
    }
    tests
}
