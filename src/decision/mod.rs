//! Decision: one pure function from a snapshot, a subject and a request to a decision with its reasons.
//!
//! Reads no clock, draws no unkeyed number, commits nothing.

mod allot;
mod ask;

mod assess;

mod check;

mod counted;

mod decide;

mod distribute;

mod eligibility;

mod known;

pub(crate) mod money;

mod personas;

mod purpose;

mod recheck;

mod seats;

mod slate;

mod snapshot;

pub mod trial;

#[cfg(test)]
mod approval_tests;

#[cfg(test)]
mod condition_tests;

#[cfg(test)]
mod diversity_tests;
#[cfg(test)]
mod guard_tests;
#[cfg(test)]
pub(crate) mod law;
#[cfg(test)]
mod money_tests;
#[cfg(test)]
mod noted_tests;
#[cfg(test)]
mod persona_tests;
#[cfg(test)]
mod pool_tests;
#[cfg(test)]
mod prices_tests;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod served_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod slate_tests;
#[cfg(test)]
mod switches_tests;

#[cfg(test)]
mod tests;

pub use ask::{Ask, SubjectView, Subjects};
pub use check::{Problem, check};
pub use decide::{Decision, decide};
pub use recheck::{Rechecked, recheck};
pub use snapshot::Snapshot;
