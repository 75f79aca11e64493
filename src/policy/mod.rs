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

mod jurisdiction;

mod attributes;
mod purposes;

mod features;
mod placements;

mod applies;
mod rules;
mod stackability;

mod bundle;
mod describe;
mod verdict;

#[cfg(test)]
mod mistakes_form;
#[cfg(test)]
mod mistakes_meaning;
#[cfg(test)]
mod mistakes_slate;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod verdict_tests;

pub use applies::AppliesTo;
pub use attributes::{AttributeClass, AttributeKind, AttributeSpec, CATEGORY};
pub use bundle::{Bundle, COMPILER, Source, compile};
pub use describe::describe;
pub use finding::Finding;
pub use purposes::PurposeSpec;
pub use rules::{FloorLimit, Rule, RuleKind};
pub use stackability::Stackability;
pub use suggest::did_you_mean;
pub use verdict::{Contact, GateVerdict, Verdict, count_contact, gate, judge, judge_behind, rebuild_caps};
