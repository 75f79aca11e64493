//! Several processes over one PostgreSQL, as real services: one learns and is fenced, all follow its models, one bundle
//! is in force, and caps, consents and activations hold exactly whoever is asked. Kills no database.
//!
//! `PROFFER_CONTEST` says how many groups of customers the contest of 64 clients gets.

mod bylaws;
mod commands;
mod contest;
mod counting;
mod facts;
mod following;
mod pair;
mod pools;
mod takeover;
mod town;
mod watched;
