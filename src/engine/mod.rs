//! Engine: `step(state, events) -> effects`, and the learner beside it. Performs no effect and reads no clock.

pub mod batch;

pub mod cache;

pub mod learner;

pub mod step;

pub use cache::Subject;
pub use step::{Effect, Engine, Event, Loaded, Reply, Settings, Ticket, open_state, seal_state};
