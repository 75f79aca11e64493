//! The contract of a store, held against SQLite and PostgreSQL by the same cases.

mod approvals;
mod beside;
mod bundles;
mod catalogue;
mod commit;
mod commit_races;
mod erasure;
mod fairness;
mod given_up;
mod keys;
mod learner;
mod lease;
mod log;
mod make;
mod matching;
mod merges;
mod operate;
mod outcomes;
mod pools;
mod postgres_locks;
mod spend;
mod subjects;
