//! The HTTP interface as its callers meet it: each test has a service of its own, in this process.

mod bad_decisions;
mod bad_outcomes;
mod bad_records;
mod caps;
mod consents;
mod decisions;
mod learning;
mod routes;
pub mod service;
pub mod shop;
mod slates;
mod transcript;
