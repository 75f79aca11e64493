//! What several integration tests share. Holds no test of its own subject.

pub mod client;
pub mod database;
pub mod postgres;
pub mod server;
pub mod source;
