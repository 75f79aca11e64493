//! Replays of recorded events: what a strategy would have earned, learning online from its own choices only. A function
//! of a file's content, the strategies with their settings, and the seed; opens no file and starts no thread.
//!
//! From the file to the table: [`feedback`] parses, [`super::compare`] names strategies, [`bundle`] declares the
//! attributes, [`Replay`] encodes every event once, [`play()`] walks it with one strategy and one seed through the code
//! of [`crate::bandit`] that serves decisions, and [`summarise`] compares what came of it with the [`yardstick`]s.

pub mod bundle;

pub mod feedback;

pub mod yardstick;

mod prepare;

mod play;

mod summary;

pub use bundle::UnknownFeature;
pub use play::{Learner, PlayError, earned, play};
pub(super) use prepare::told;
pub use prepare::{Known, PrepareError, Range, Replay, Source, Step};
pub use summary::summarise;
