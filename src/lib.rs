//! Proffer: decides which offer, in which content variant, for this customer, here and now, and learns from what
//! follows. Renders no page and sends no mail.
//!
//! Modules are listed floor by floor. A module uses only modules on lower floors, and modules of one floor are blind
//! to each other; floors 0 to 4 are functions of their arguments and touch neither clock, disk nor network. A test
//! holds all of this. Start with [`docs::architecture`].

pub mod docs;

// floor 0
pub mod domain;

// floor 1
pub mod bandit;

pub mod policy;

pub mod transparency;

// floor 2
pub mod catalogue;

pub mod decision;

pub mod learning;

// floor 3
pub mod audit;

pub mod engine;

pub mod report;

// floor 4
pub mod simulation;

// floor 5
pub mod store;

// floor 6
pub mod config;

pub mod telemetry;

// floor 7
pub mod runtime;

// floor 8
pub mod api;
