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
mod dpv;
mod lineage;
mod purposes;

mod calendars;
mod stores;

mod contenders;
mod delay;
mod features;
mod money;
mod observed;
mod placements;

mod applies;
mod approval;
mod caps;
mod condition;
mod interval;

mod availability;
mod category_exclusions;
mod cool_downs;
mod daypart;
mod diversity;
mod fairness;
mod floors;

mod gate;
mod guards;
mod loyalty;
mod overrides;
mod pools;
mod price_limits;
mod price_personalisation;
mod rules;
mod stackability;
mod subjects;
mod switches;

mod cases;

mod bundle;
mod catalogue;
mod describe;
mod difference;
mod explain;
mod layout;
mod lint;
mod merchandise;
mod minimise;
mod sarif;
mod schema;
mod verdict;

mod shelf;

#[cfg(test)]
mod cool_downs_tests;
#[cfg(test)]
mod everyday_tests;
#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod mistakes_conditions;
#[cfg(test)]
mod mistakes_consent;
#[cfg(test)]
mod mistakes_contenders;
#[cfg(test)]
mod mistakes_delay;
#[cfg(test)]
mod mistakes_everyday;
#[cfg(test)]
mod mistakes_fairness;
#[cfg(test)]
mod mistakes_form;
#[cfg(test)]
mod mistakes_meaning;
#[cfg(test)]
mod mistakes_money;
#[cfg(test)]
mod mistakes_pools;
#[cfg(test)]
mod mistakes_prices;
#[cfg(test)]
mod mistakes_slate;
#[cfg(test)]
mod mistakes_switches;
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
mod prices_tests;
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
pub use attributes::{AttributeClass, AttributeKind, AttributeSpec, CATEGORY};
pub use availability::Availability;
pub use bundle::{Bundle, COMPILER, Source, compile, compile_with_tests};
pub use caps::{
    CalendarUnit, Cap, CapBy, CapCounts, CapWindow, CapWindows, Chosen, Contact, WithoutIdentifier, Zone,
    confirm_contact, count_contact, outdate_caps, rebuild_caps,
};
pub use cases::{Case, Expected, Person, Tests};
pub use catalogue::{CatalogueProblem, check_catalogue};
pub use category_exclusions::{CategoryExclusion, CategorySort};
pub(crate) use condition::date;
pub use condition::{Asked, Columns, Condition, Facts};
pub(crate) use contenders::PARTICULAR;
pub use cool_downs::{CoolDown, EVENT_AFTER_MAX, EVENTS};
pub use daypart::{Daypart, Dayparts};
pub use describe::{Lacks, describe, describe_lacking};
pub use difference::{Change, FieldChange, How, difference};
pub use diversity::{Diversity, Per};
pub use explain::{Example, Explained, example, explain};
pub use fairness::FairnessGate;
pub use finding::Finding;
pub use floors::{FloorLimit, FloorOver, basket_margin};
pub use gate::{Asking, Gate, GateVerdict, gate};
pub use guards::{Audience, Guard};
pub use interval::Interval;
pub(crate) use interval::day_start;
pub use jurisdiction::check as check_jurisdiction;
pub use layout::{NotLaidOut, lay_out};
pub use lint::{LINTS, Linted, level, lint, meaning};
pub use loyalty::{Loyalty, Need};
pub use minimise::{Allowed, Seen, minimise};
pub use observed::{Observed, describe_observed};
pub use overrides::{Override, OverrideAction};
pub use pools::{Pool, PoolAmount, PoolBy, PoolWindow, Pools, PoolsAsked};
pub use price_limits::PriceLimit;
pub use price_personalisation::PricePersonalisation;
pub use purposes::PurposeSpec;
#[cfg(test)]
pub(crate) use rules::lists;
pub use rules::{OnMissing, Rule, RuleKind, Severity};
pub use sarif::sarif;
pub use schema::{schema_of, schemas};
pub use shelf::{Behind, Judging, Moved, Pin, Setting, Shelf, Shelves, Stand};
pub use stackability::Stackability;
pub use subjects::States;
pub use suggest::did_you_mean;
pub use switches::{Stop, Switch, stopped};
pub use verdict::{Reading, Verdict};
