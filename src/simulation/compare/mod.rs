//! Comparison of strategies that were played side by side: settings by name, means with their errors, regret, curves
//! and sentences. Plays nothing and knows not whether events were recorded or made up.

pub mod settings;

mod found;

mod marks;

mod money;

mod summary;

mod tally;

pub use found::number;
pub use marks::Marks;
pub use money::{MoneyAt, Spending};
pub use settings::{Delays, Kind, Named, Settings, SettingsError, Slots};
pub use summary::{AtPlacement, Compared, Log, Played, RewardRange, Summary, WorldFacts, WorldPlacement};
pub use tally::{Curve, Difference};

pub(super) use found::{found, notes, world_notes};
pub(super) use marks::float;
pub(super) use summary::{Sides, compare, share_of_gain, share_of_oracle};
pub(super) use tally::Tally;
