//! Policy: files to checked rules to a bundle to verdicts with reasons. Chooses nothing, reads no disk and no clock.
//!
//! [`compile`] turns the files of `policies/` into a [`Bundle`] or into every [`Finding`] at once; [`gate`] and
//! [`Judging`] ask its rules, all of them, about one decision and one offer.

pub mod codes;

pub(crate) mod finding;
mod suggest;
pub(crate) mod syntax;

mod read;

mod declare;

mod scalar;

mod applies;
mod approval;
mod authority;
mod condition;
mod interval;

mod declared;
mod kinds;
mod rules;

mod cases;

mod authors;
mod bundle;
mod catalogue;
mod describe;
mod merchandise;
mod minimise;
mod switched;
mod verdict;

mod shelf;

#[cfg(test)]
mod judged;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod page;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod storm_tests;
#[cfg(test)]
mod validity_tests;
#[cfg(test)]
mod verdict_tests;

pub use applies::AppliesTo;
pub use approval::Approval;
pub use authority::{
    Approved, Authority, Demands, Given, Held, Matter, Needed, Revocation, Site, Standing, Use, UseCase, Uses,
    creative, lacking, lacking_to_measure, needed, parse_hash, print_hash, weakened, whole_offer,
};
pub use authors::difference::{Change, FieldChange, How, difference};
pub use authors::explain::{Example, Explained, example, explain};
pub use authors::layout::{NotLaidOut, lay_out};
pub use authors::lint::{LINTS, Linted, level, lint, meaning};
pub use authors::sarif::sarif;
pub use authors::schema::{SCHEMA_FILES, schema_of, schemas};
pub use bundle::{Bundle, COMPILER, Source, compile, compile_with_tests};
pub use cases::{Case, Expected, Person, Tests};
pub use catalogue::{CatalogueProblem, check_catalogue};
pub(crate) use condition::date;
pub use condition::{Asked, Columns, Condition, Facts};
pub use declared::attributes::{AttributeClass, AttributeKind, AttributeSpec, CATEGORY};
pub(crate) use declared::contenders::PARTICULAR;
pub use declared::jurisdiction::check as check_jurisdiction;
pub use declared::measured::FAIRNESS;
pub use declared::observed::{Observed, describe_observed};
pub use declared::purposes::PurposeSpec;
pub use declared::subjects::States;
pub use describe::{Lacks, describe, describe_lacking};
pub use finding::Finding;
pub use interval::Interval;
pub(crate) use interval::day_start;
pub use kinds::availability::Availability;
pub use kinds::caps::{
    CalendarUnit, Cap, CapBy, CapCounts, CapWindow, CapWindows, Chosen, Contact, ReadOf, WithoutIdentifier, Zone,
    confirm_contact, count_contact, counters_read, outdate_caps, rebuild_caps,
};
pub use kinds::category_exclusions::{CategoryExclusion, CategorySort};
pub use kinds::cool_downs::{CoolDown, EVENT_AFTER_MAX, EVENTS};
pub use kinds::daypart::{Daypart, Dayparts};
pub use kinds::diversity::{Diversity, Per};
pub use kinds::fairness::FairnessGate;
pub use kinds::floors::{FloorLimit, FloorOver, basket_margin};
pub use kinds::gate::{Asking, Gate, GateVerdict, gate};
pub use kinds::guards::{Audience, Guard};
pub use kinds::loyalty::{Loyalty, Need};
pub use kinds::measures::{FairnessAsk, MEASUREMENT, Measure, may_measure};
pub use kinds::overrides::{Override, OverrideAction};
pub use kinds::pools::{Pool, PoolAmount, PoolBy, PoolWindow, Pools, PoolsAsked};
pub use kinds::price_limits::PriceLimit;
pub use kinds::price_personalisation::PricePersonalisation;
pub use kinds::stackability::Stackability;
pub use kinds::switches::{Stop, Switch, stopped};
pub use minimise::{Allowed, Seen, minimise};
#[cfg(test)]
pub(crate) use rules::lists;
pub use rules::{OnMissing, Rule, RuleKind, Severity};
pub use shelf::{Behind, Judging, ListPrices, Moved, Pin, Setting, Shelf, Shelves, Stand};
pub use suggest::did_you_mean;
pub use switched::{SWITCH_ID_BYTES_MAX, SwitchKind, SwitchMistake, SwitchSpec};
pub use verdict::{Reading, Verdict};
