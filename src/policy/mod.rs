//! Policy: files to checked rules to a bundle to verdicts with reasons. Chooses nothing, reads no disk and no clock.
//!
//! [`compile`] turns the files of `policies/` into a [`Bundle`] or into every [`Finding`] at once; [`gate`] and
//! [`judge`] ask its rules, all of them, about one decision and one offer.

pub mod codes;

mod finding;
mod suggest;
mod syntax;

mod read;

mod declare;

mod scalar;

mod jurisdiction;

mod attributes;
mod purposes;

mod features;
mod placements;

mod applies;
mod caps;
mod condition;
mod interval;

mod availability;
mod common;
mod cool_downs;
mod rules;
mod stackability;

mod bundle;
mod describe;
mod verdict;

#[cfg(test)]
mod mistakes_conditions;
#[cfg(test)]
mod mistakes_form;
#[cfg(test)]
mod mistakes_meaning;
#[cfg(test)]
mod mistakes_slate;
#[cfg(test)]
mod mistakes_validity;
#[cfg(test)]
mod mistakes_values;
#[cfg(test)]
mod page;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod validity_tests;
#[cfg(test)]
mod verdict_tests;

pub use applies::AppliesTo;
pub use attributes::{AttributeClass, AttributeKind, AttributeSpec, CATEGORY};
pub use bundle::{Bundle, COMPILER, Source, compile};
pub use caps::{
    CalendarUnit, Cap, CapBy, CapCounts, CapWindow, CapWindows, Chosen, Contact, Zone, confirm_contact, count_contact,
    rebuild_caps,
};
pub use condition::{Asked, Columns, Condition, Facts};
pub use cool_downs::{CoolDown, EVENT_AFTER_MAX};
pub use describe::describe;
pub use finding::Finding;
pub use interval::Interval;
pub use purposes::PurposeSpec;
pub use rules::{FloorLimit, OnMissing, Rule, RuleKind};
pub use stackability::Stackability;
pub use suggest::did_you_mean;
pub use verdict::{GateVerdict, Reading, Verdict, gate, judge, judge_behind};
