//! `proffer audit replay`: decisions of a store made again. Prints what differs, and how many do not.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use proffer::audit::replay::{Verdict, told};
use proffer::domain::{DecisionId, Timestamp};
use proffer::runtime::{Replayed, Replayer, Sample, Scope};
use serde_json::{Value, json};

use super::{AuditArgs, Site};
use crate::commands::Format;
use crate::commands::bundles::{instant, told as mistaken};
use crate::commands::progress::{Progress, count};

/// Decisions told one by one at most: of more their number is.
const TOLD_MAX: usize = 100;

/// Arguments of `proffer audit replay`.
#[derive(Args)]
#[command(after_help = "Exit code 0: nothing differs; 1: something does.\n\nExamples:\n  \
proffer audit replay 01969e0c-8a00-7000-8000-000000000001\n  proffer audit replay --from 2026-11-01 --to 2026-12-01\n  \
proffer audit replay --sample 1000 --seed 7 --format json")]
pub struct ReplayArgs {
    /// One decision; all of them, if left out.
    #[arg(value_name = "ID", conflicts_with_all = ["from", "to", "sample"])]
    id: Option<String>,
    /// Decisions from this instant or day on.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// Decisions made before this instant or day.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    /// So many of them, chosen by the seed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    sample: Option<u32>,
    /// Which sample.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "sample")]
    seed: u64,
}

/// Runs the command.
pub async fn run(args: &AuditArgs, replay: &ReplayArgs) -> Result<ExitCode, Box<dyn Error>> {
    match &replay.id {
        Some(id) => one(args, id).await,
        None => many(args, replay).await,
    }
}

async fn one(args: &AuditArgs, id: &str) -> Result<ExitCode, Box<dyn Error>> {
    let id = match DecisionId::parse(id) {
        Ok(id) => id,
        Err(error) => return Ok(mistaken(&error.to_string(), 2)),
    };
    let Site { store, keys, .. } = args.site().await?;
    let Some(verdict) = Replayer::new(store, keys).one(id).await? else {
        return Ok(mistaken(&format!("no decision `{id}` is stored"), 1));
    };
    match args.format {
        Format::Text => println!("{id}: {}", told(&verdict).join("\n")),
        Format::Json => println!("{}", line(&Replayed { decision_id: id, verdict: verdict.clone() })),
    }
    Ok(code(matches!(verdict, Verdict::Differs { .. })))
}

async fn many(args: &AuditArgs, replay: &ReplayArgs) -> Result<ExitCode, Box<dyn Error>> {
    let (from, to) = (replay.from.unwrap_or(Timestamp(0)), replay.to.unwrap_or(Timestamp(i64::MAX)));
    if from >= to {
        return Ok(mistaken(&format!("--from {from} is not before --to {to}: nothing lies between them"), 2));
    }
    let Site { store, keys, .. } = args.site().await?;
    let stored = usize::try_from(store.totals().await?.decisions).unwrap_or(usize::MAX);
    let sample = replay.sample.map(|count| Sample { count: count as usize, seed: replay.seed });
    let steps = sample.map_or(stored, |sample| sample.count.min(stored));
    let progress = Progress::new("decided again", steps, args.format);
    let mut found = Found::default();
    let scope = Scope { from, to, placement: None };
    let each = |replayed: Replayed| {
        progress.advance(1);
        found.add(replayed);
    };
    let done = Replayer::new(store, keys).all(&scope, sample, each).await;
    progress.finish();
    done?;
    match args.format {
        Format::Text => println!("{}", found.text()),
        Format::Json => println!("{}", found.json()),
    }
    Ok(code(found.differ > 0))
}

fn code(differs: bool) -> ExitCode {
    if differs { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// A decision with its verdict.
fn line(replayed: &Replayed) -> Value {
    let mut line = json!(replayed.verdict);
    line["decision_id"] = json!(replayed.decision_id);
    line
}

/// What became of many.
#[derive(Default)]
struct Found {
    all: usize,
    identical: usize,
    from_scores: usize,
    differ: usize,
    erased: usize,
    unavailable: usize,
    /// What differs or cannot be decided again.
    told: Vec<Replayed>,
}

impl Found {
    fn add(&mut self, replayed: Replayed) {
        self.all += 1;
        *match replayed.verdict {
            Verdict::Identical => &mut self.identical,
            Verdict::IdenticalFromScores { .. } => &mut self.from_scores,
            Verdict::Differs { .. } => &mut self.differ,
            Verdict::Erased => &mut self.erased,
            Verdict::Unavailable { .. } => &mut self.unavailable,
        } += 1;
        let worth = matches!(replayed.verdict, Verdict::Differs { .. } | Verdict::Unavailable { .. });
        if worth && self.told.len() < TOLD_MAX {
            self.told.push(replayed);
        }
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for Replayed { decision_id, verdict } in &self.told {
            lines.push(format!("{decision_id}: {}", told(verdict).join("\n")));
        }
        let parts = [
            (self.identical, "identical"),
            (self.from_scores, "identical, model state no longer kept"),
            (self.differ, "differ"),
            (self.erased, "erased"),
            (self.unavailable, "unavailable"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts.map(|(number, what)| format!("{} {what}", count(number))).collect();
        let plural = if self.all == 1 { "" } else { "s" };
        let parts = if parts.is_empty() { "none to decide again".to_owned() } else { parts.join("; ") };
        lines.push(format!("{} decision{plural}: {parts}", count(self.all)));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        json!({
            "decisions": self.all,
            "identical": self.identical,
            "identical_from_scores": self.from_scores,
            "differs": self.differ,
            "erased": self.erased,
            "unavailable": self.unavailable,
            "told": self.told.iter().map(line).collect::<Vec<_>>(),
        })
    }
}
