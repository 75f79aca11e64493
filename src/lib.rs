//! Proffer library root.

// floor 0
pub mod domain;

// floor 3
pub mod engine;

// floor 5
pub mod store;
