//! Crash tests: the real binary is killed with SIGKILL at every step of persistence and at random moments, under load,
//! on both stores, and started again. No acknowledged decision or outcome may be lost, none doubled, every cap kept,
//! and every model equal to one rebuilt. Cuts no power: what was written and not synced survives here.
//!
//! `PROFFER_KILLS` says how many random moments each store gets, `PROFFER_SEED` repeats a run's draws (not its timing).

pub mod check;
mod erasures;
pub mod ground;
pub mod ledger;
pub mod load;
mod merges;
mod moments;
mod plant;
mod seen;
pub mod siege;
mod steps;
pub mod wire;
