//! Replays of recorded events: what a strategy would have earned, learning online from its own choices only. A function
//! of a file's content, the strategies with their settings, and the seed; opens no file and starts no thread.
//!
//! From the file to the table: [`feedback`] parses, [`settings`] names strategies, [`bundle`] declares the attributes,
//! [`Replay`] encodes every event once, [`play()`] walks it with one strategy and one seed through the code of
//! [`crate::bandit`] that serves decisions, and [`summary`] compares what came of it with the [`yardstick`]s.

pub mod bundle;

pub mod feedback;

pub mod settings;

pub mod yardstick;

mod found;

mod prepare;

mod play;

pub mod summary;

mod tally;

pub use bundle::UnknownFeature;
pub use found::number;
pub use play::{PlayError, Played, play};
pub use prepare::{Known, PrepareError, Range, Replay, Source, Step};
pub use settings::{Settings, SettingsError, Slots};
pub use summary::{Compared, Summary};
pub use tally::{Curve, Difference};
