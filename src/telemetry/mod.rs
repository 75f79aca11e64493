//! Telemetry: where log lines go, and what a process counts of itself. Decides nothing about what is logged where.

pub mod metrics;

use std::io::IsTerminal as _;

pub use metrics::{Metrics, Stopwatch};

/// Sends log lines to standard error, at `info` unless `PROFFER_LOG` says otherwise. Colours are for terminals only: in
/// a file they would be noise that no search finds its way through. A second call changes nothing.
pub fn start(filter: Option<&str>) {
    let filter = tracing_subscriber::EnvFilter::new(filter.unwrap_or("info,sqlx=warn,actix_server=warn"));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(!plain && std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
}
