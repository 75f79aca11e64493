//! Commands of the binary: one file each. They parse arguments, call the library and print; they decide nothing.

pub mod audit;

pub mod bundles;

pub mod catalog;

pub mod demo;

pub mod feedback;

pub mod keys;

pub mod local;

pub mod measure;

pub mod model;

pub mod policy;

pub mod policy_approvals;

pub mod policy_delay;

pub mod policy_diff;

pub mod policy_explain;

pub mod policy_findings;

pub mod policy_fmt;

pub mod policy_init;

pub mod policy_lint;

pub mod policy_measure;

pub mod policy_schema;

pub mod policy_test;

pub mod progress;

pub mod sample;

pub mod serve;

pub mod shelf;

pub mod simulate;

pub mod switch;

pub mod threads;

pub mod watch;

use std::process::ExitCode;

/// How a command's result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Prints an error with its causes on standard error; the exit code says that the thing asked for went wrong.
pub fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::from(1)
}
