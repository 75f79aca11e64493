//! `proffer demo`: a shop, a simulated crowd and the service in one process. Decides nothing: it asks over HTTP.

mod client;
mod threads;

mod crowd;
mod days;
mod report;
mod scenes;
mod shop;
mod summary;
mod twins;

mod replay;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine as _;
use clap::Args;
use proffer::domain::Strategy;
use proffer::policy::Source;
use proffer::runtime::{Clock, RuntimeError};
use proffer::simulation::WorldError;

use super::local::{Local, LocalOptions};
use super::{Format, failed, measure, progress};
use crate::commands::feedback::FeedbackFileError;
use client::{Access, ClientError, SOURCE};

/// Arguments of `proffer demo`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  proffer demo\n  proffer demo --keep\n  proffer demo --decisions 90000 --seed 7 \
    --report out.html\n  \
proffer demo --replay events.full.ndjson.gz --strategy linucb\n  \
proffer demo --replay events.full.ndjson.gz --store postgres://localhost/empty --format json")]
pub struct DemoArgs {
    /// Leave the service running at the end and print calls to try.
    #[arg(long)]
    keep: bool,
    /// About how many decisions the crowd asks for, over all placements and strategies.
    #[arg(long, value_name = "N", default_value_t = 36_000,
          value_parser = clap::value_parser!(u32).range(3..=1_000_000))]
    decisions: u32,
    /// Another seed is another crowd.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Replay a full-feedback file (`*.full.ndjson`, `.gz` too) instead; its `offers.json` lies beside it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keep", "decisions", "seed"])]
    replay: Option<PathBuf>,
    /// How a replay chooses: a strategy's name, as in `placements.yaml`.
    #[arg(long, value_name = "NAME", requires = "replay", default_value = "thompson_linear",
          value_parser = Strategy::NAMES)]
    strategy: String,
    /// What a replay learns from: keys of `context`, separated by commas, or `none` [default: all that fit].
    #[arg(long, value_name = "KEYS", requires = "replay")]
    features: Option<String>,
    /// Where the report is written, one page that loads nothing; an old one is replaced.
    #[arg(long, value_name = "OUT.html", default_value = "proffer-demo.html", conflicts_with = "replay")]
    report: PathBuf,
    /// Write no report.
    #[arg(long, conflicts_with = "report")]
    no_report: bool,
    /// An empty store to use: `sqlite:PATH` or `postgres://...` [default: a temporary SQLite file].
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How many clients ask at once.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    clients: u16,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A call to the service was in vain.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The world inside the binary is broken.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The file to replay cannot be.
    #[error(transparent)]
    Replay(#[from] FeedbackFileError),
    /// The service failed.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The store is somebody's.
    #[error("{store} already holds {holds}; name an empty store, or leave --store out for a temporary one")]
    StoreInUse {
        /// As given.
        store: String,
        /// What is in it.
        holds: String,
    },
    /// The report cannot be written.
    #[error(
        "the report `{}` cannot be written: name a file in a folder that you may write to with --report, or leave it \
         out with --no-report",
        .path.display()
    )]
    Report {
        /// Where to.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A chart cannot be drawn.
    #[error("a chart of the report cannot be drawn: {0}")]
    Chart(String),
    /// A thread ended early.
    #[error("a client of the demo stopped before its time")]
    Thread,
}

/// Runs the command.
pub async fn run(args: DemoArgs) -> ExitCode {
    let done = match args.replay.clone() {
        Some(file) => replay::run(args, file).await,
        None => shop::run(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

/// Starts a service on an empty store, with a source of webhooks.
async fn service(
    store: Option<String>,
    policies: Vec<Source>,
    clock: Option<Clock>,
) -> Result<(Local, Access), Box<dyn Error>> {
    if let Some(store) = &store {
        // Before anything is written to it: somebody else's keys would not open it either.
        let decisions = proffer::store::open(store, 1).await?.totals().await?.decisions;
        if decisions > 0 {
            return Err(in_use(store, format!("{decisions} decisions")).into());
        }
    }
    let listen = "127.0.0.1:0".to_owned();
    let local = Local::start(LocalOptions { store: store.clone(), policies, clock, listen }).await?;
    let Some(secret) = local.core.create_source(SOURCE, "demo").await? else {
        local.stop().await;
        return Err(in_use(&store.unwrap_or_default(), format!("a source of webhooks named `{SOURCE}`")).into());
    };
    let secret = base64::engine::general_purpose::STANDARD.decode(secret.trim_start_matches("whsec_"))?;
    let access = Access { url: local.url.clone(), key: local.admin_key.clone(), secret, core: local.core.clone() };
    Ok((local, access))
}

fn in_use(store: &str, holds: String) -> DemoError {
    // An address may carry a password.
    let store = if store.starts_with("sqlite:") { store } else { "the PostgreSQL database" };
    DemoError::StoreInUse { store: store.to_owned(), holds }
}

/// Runs what blocks on threads of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DemoError> + Send + 'static,
) -> Result<T, DemoError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(DemoError::Thread))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: DemoArgs,
    }

    /// The arguments of a command line.
    pub(super) fn args(line: &str) -> DemoArgs {
        Line::parse_from(std::iter::once("demo").chain(line.split_whitespace())).args
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_in_use_is_refused_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let line = format!("--decisions 3 --no-report --store sqlite:{}", folder.path().join("used.sqlite").display());
        let (_, local) = shop::perform(args(&line)).await.unwrap();
        let decisions = local.core.store.totals().await.unwrap().decisions;
        local.stop().await;
        let refused = shop::perform(args(&line)).await.err().unwrap().to_string();
        assert!(refused.contains(&format!("already holds {decisions} decisions; name an empty store")), "{refused}");
    }
}
