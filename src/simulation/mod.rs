//! Simulation: worlds of customers whose true responses are known, and replays of recorded ones, from one seed. Drives
//! no service and reads no file.

mod chance;

pub mod compare;

mod crowd;

mod orders;

pub mod replay;

pub mod trial;

pub mod warm_start;
#[cfg(test)]
mod warm_start_tests;

mod world;

pub use crowd::{Crowd, Customer, Luck, Step, Visit};
pub use orders::{Happened, Happening};
pub use world::{
    Calendar, Change, Delay, Drawn, Effect, Factors, Hours, Journey, Orders, Place, Population, PriceSensitivity,
    Reaching, Refunds, Response, Spread, Weekday, Withdrawn, World, WorldError, WorldOffer,
};
