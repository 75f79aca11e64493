//! Reports: what many decisions came to, and what rules left out, added up from records and outcomes. Opens no sealed
//! part and reads no store. A group of one decision is still one decision: small groups are told too.

mod exclusions;

pub mod fairness;

mod interval;

mod performance;

pub use exclusions::{Exclusions, LeftOut};
pub use interval::{Around, difference_of_means, difference_of_shares, share_within};
pub use performance::{By, CHAMPION, Group, Performance, Seen, Side, Tally};
