//! Catalogue: offers and campaigns as YAML, JSON and CSV, read with all mistakes at once and written again. Reads no
//! disk, stores nothing, and does not judge whether what it read fits the bundle: that is
//! [`check_catalogue`](crate::policy::check_catalogue).
//!
//! Every format becomes one kind of tree whose values know their place (`tree`), and one reader turns that into
//! campaigns and offers (`items`), so that a mistake is told in the same words wherever it was made.

mod mistake;

mod tree;

mod fields;

mod items;

mod decode;

mod yaml;

mod sheet;

mod columns;

mod rows;

mod reading;

mod write;

mod write_csv;

#[cfg(test)]
mod page;
#[cfg(test)]
mod roundtrip;
#[cfg(test)]
mod tests;

pub use mistake::Mistake;
pub use reading::{FileFormat, ITEMS_MAX, Reading, SourceFile, read};
pub use write::{write_json, write_yaml};
pub use write_csv::{write_campaigns_csv, write_offers_csv};
