//! Simulation: worlds of customers whose true responses are known, and replays of recorded ones, from one seed. Drives
//! no service and reads no file.

mod chance;

mod crowd;

pub mod replay;

mod world;

pub use crowd::{Crowd, Customer, Luck, Visit};
pub use world::{Drawn, Effect, Orders, Population, Response, World, WorldError, WorldOffer};
