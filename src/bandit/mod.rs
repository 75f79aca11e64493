//! Bandit: what arms have learned, what it means on a day, and how it becomes a distribution and a draw. Reads no
//! clock, knows no rule, no offer and no price, and never chooses by itself.
//!
//! From the ground up: [`features()`] turns a context into fixed-point numbers; [`ArmStatistics`] adds them up as
//! integers, weighted by [`decay`]; [`Posterior`] derives a belief from the integers of one arm for one day;
//! [`strategies`] turn the estimates of the eligible candidates into scores and scores into a [`distribution`];
//! [`explore`] mixes the exploration mass in and [`check`] holds the result to its invariants; [`draw`] makes the
//! uniform number and picks.
//!
//! **Distribution first**: nothing is sampled from a posterior. The whole distribution is computed, recorded by the
//! caller, and only then drawn from, so that the propensity of what was chosen is exact by construction.

pub mod bags;
pub mod beta;
mod blocks;
mod bounded;
pub mod cheapest;
mod cholesky;
mod day_sums;
pub mod decay;
mod derivation;
pub mod draw;
pub mod effects;
pub mod exact_rule;
pub mod features;
mod gaussians;
pub mod hot_rule;
mod hybrid;
pub mod kernel;
mod lines;
pub mod lineup;
pub mod logistic;
pub mod model;
mod packing;
mod polynomials;
pub mod posterior;
mod prior;
mod products;
mod recorded;
pub mod rules;
mod sharing;
mod spread;
pub mod statistics;
pub mod strategies;
mod sums;
pub mod view;

#[cfg(test)]
mod alarm_tests;
#[cfg(test)]
mod cholesky_tests;
#[cfg(test)]
mod hot_rule_tests;
#[cfg(test)]
mod hybrid_tests;
#[cfg(test)]
mod kernel_tests;
#[cfg(test)]
mod prior_tests;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod sharing_tests;

pub use bags::{Bags, multiplicities};
pub use beta::{Beta, Memo};
pub use cheapest::{Cheapest, cheapest, expected, take_cheapest};
pub use decay::{generation_and_weight, weight_on};
pub use draw::{DrawPurpose, pick, uniform};
pub use effects::{Effect, component_names, effects};
pub use features::{Features, features};
pub use kernel::{Belief, Inputs, Packed};
pub use lineup::{Group, Lineup};
pub use logistic::Logit;
pub use model::{ArmKey, Model};
pub use posterior::{Derived, Estimate, Posterior, PosteriorAlarm};
pub use recorded::RecordedScores;
pub use rules::{DISTRIBUTION_RULE, KNOWN_RULES};
pub use statistics::{ArmStatistics, Increment};
pub use strategies::{Arm, InvalidDistribution, Score, check, distribution, distribution_of, explore, scores};
pub use sums::Sums;
pub use view::{Candidate, ModelView};
