//! Learning: outcomes to rewards to learning events. Stores nothing; models themselves are the bandit's.

pub mod delay;

pub mod event;

pub mod fold;

pub mod held;

pub mod spend;

pub use delay::{DelayFit, Watched};
pub use event::{Applied, LearningEvent, Lesson};
pub use fold::{Earned, Exposed, fold, within_window};
pub use held::settled;
pub use spend::{Costs, micros};

#[cfg(test)]
mod delay_tests;

#[cfg(test)]
mod unlearned_tests;

#[cfg(test)]
mod value_tests;
