//! Engine: `step(state, events) -> effects`, and the learner beside it. Performs no effect and reads no clock.

pub mod batch;

pub mod cache;

mod chain;

pub mod learner;

pub mod log;

mod message;

mod sealed;

mod settle;

mod step;

#[cfg(test)]
mod sample;

#[cfg(test)]
mod household_tests;
#[cfg(test)]
mod pool_tests;
#[cfg(test)]
mod tests;

pub use cache::Subject;
pub use message::{Effect, Event, Loaded, Reply, Settings, Ticket};
pub use sealed::{open_state, seal_state};
pub use step::Engine;
