//! Learning: outcomes to rewards to learning events. Stores nothing; models themselves are the bandit's.

pub mod event;

pub mod fold;

pub mod spend;

pub use event::{Applied, LearningEvent, Lesson};
pub use fold::{Earned, Exposed, fold, within_window};
pub use spend::Costs;
