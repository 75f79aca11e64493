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

mod jurisdiction;

mod attributes;
mod purposes;

mod calendars;
mod contenders;
mod delay;
mod features;
mod money;
mod placements;

mod applies;
mod caps;
mod condition;
mod interval;

mod availability;
mod cool_downs;
mod daypart;
mod diversity;
mod floors;
mod gate;
mod loyalty;
mod rules;
mod stackability;

mod cases;

mod bundle;
mod catalogue;
mod describe;
mod difference;
mod explain;
mod layout;
mod lint;
mod merchandise;
mod sarif;
mod schema;
mod verdict;

mod shelf;

#[cfg(test)]
mod cool_downs_tests;
#[cfg(test)]
mod everyday_tests;
#[cfg(test)]
mod mistakes_conditions;
#[cfg(test)]
mod mistakes_contenders;
#[cfg(test)]
mod mistakes_delay;
#[cfg(test)]
mod mistakes_everyday;
#[cfg(test)]
mod mistakes_form;
#[cfg(test)]
mod mistakes_meaning;
#[cfg(test)]
mod mistakes_money;
#[cfg(test)]
mod mistakes_slate;
#[cfg(test)]
mod mistakes_tests;
#[cfg(test)]
mod mistakes_validity;
#[cfg(test)]
mod mistakes_values;
#[cfg(test)]
mod page;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod validity_tests;
#[cfg(test)]
mod verdict_tests;

pub use applies::AppliesTo;
pub use attributes::{AttributeClass, AttributeKind, AttributeSpec, CATEGORY};
pub use availability::Availability;
pub use bundle::{Bundle, COMPILER, Source, compile, compile_with_tests};
pub use caps::{
    CalendarUnit, Cap, CapBy, CapCounts, CapWindow, CapWindows, Chosen, Contact, Zone, confirm_contact, count_contact,
    rebuild_caps,
};
pub use cases::{Case, Expected, Person, Tests};
pub use catalogue::{CatalogueProblem, check_catalogue};
pub(crate) use condition::date;
pub use condition::{Asked, Columns, Condition, Facts};
pub(crate) use contenders::PARTICULAR;
pub use cool_downs::{CoolDown, EVENT_AFTER_MAX, EVENTS};
pub use daypart::{Daypart, Dayparts};
pub use describe::{Lacks, describe, describe_lacking};
pub use difference::{Change, FieldChange, How, difference};
pub use diversity::{Diversity, Per};
pub use explain::{Example, Explained, example, explain};
pub use finding::Finding;
pub use floors::FloorLimit;
pub use gate::{GateVerdict, gate};
pub use interval::Interval;
pub(crate) use interval::day_start;
pub use layout::{NotLaidOut, lay_out};
pub use lint::{LINTS, Linted, level, lint, meaning};
pub use loyalty::{Loyalty, Need};
pub use merchandise::budget_rule;
pub use purposes::PurposeSpec;
pub use rules::{OnMissing, Rule, RuleKind, Severity};
pub use sarif::sarif;
pub use schema::{schema_of, schemas};
pub use shelf::{Behind, Judging, Shelf, Shelves, Stand};
pub use stackability::Stackability;
pub use suggest::did_you_mean;
pub use verdict::{Reading, Verdict};
