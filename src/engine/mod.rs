//! Engine: `step(state, event) -> effects`. Performs no effect and reads no clock.

pub mod batch;
