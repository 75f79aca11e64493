//! The HTTP interface as its callers meet it: each test has a service of its own, in this process.

mod attributes;
mod bad_decisions;
mod bad_outcomes;
mod bad_records;
mod batch;
mod caps;
mod catalogue;
mod catalogue_files;
mod consents;
mod contenders;
mod cool_downs;
mod cool_downs_late;
mod decisions;
mod everyday;
mod impressions;
mod learning;
mod matching;
mod metrics;
mod openapi;
mod page;
mod reports;
mod routes;
mod schema;
pub mod service;
pub mod shop;
mod slates;
mod transcript;
