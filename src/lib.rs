//! Proffer library root.

// floor 0
pub mod domain;
