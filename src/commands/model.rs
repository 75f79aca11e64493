//! `proffer model`: what models learn from elsewhere. Learns nothing itself: the library does.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use proffer::domain::{Placement, PlacementId};
use proffer::policy::did_you_mean;
use proffer::runtime::{CatalogueMaker, WarmStarter, Warmed, keys_of};
use proffer::simulation::replay::feedback;
use proffer::simulation::warm_start::{Mapping, WarmStart, WarmStartError};
use proffer::store;
use serde_json::json;

use super::feedback::{FeedbackFileError, read_text};
use super::{Format, failed, serve};

const WARM_START: &str = r#"The file is logged feedback (`*.logged.ndjson`, `.gz` too), one row a line:
  {"id": "e1", "at": "2026-01-05T10:00:00Z", "customer_id": "c-17", "context": {"tier": "gold"},
   "chosen": "winter-boots", "propensity": 0.2, "reward": 14.5}
A reward above 0 is an acceptance; where margins are maximised it is money in the placement's currency. Rows are shared
out among the variants of an offer. Each row is learned once: the same file again changes nothing.

A running service need not stop: it takes up what was learned within a second. Without one, the next start does.

Exit code 0: done; 1: something is wrong, and nothing was learned.

Examples:
  proffer model warm-start --placement home_banner --log 2026.logged.ndjson.gz --dry-run
  proffer model warm-start --placement home_banner --log 2026.logged.ndjson.gz --map customer.tier=loyalty
  proffer model warm-start --placement home_banner --log old.logged.ndjson --without context.device_type"#;

/// Arguments of `proffer model`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  proffer model warm-start --placement home_banner --log 2026.logged.ndjson.gz --dry-run"
)]
pub struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Subcommand)]
enum ModelCommand {
    /// Let a placement begin with what was learned before Proffer: a file of what was shown and what came of it.
    #[command(
        name = "warm-start",
        after_help = WARM_START
    )]
    WarmStart(WarmStartArgs),
}

#[derive(Args)]
struct WarmStartArgs {
    /// The placement that learns.
    #[arg(long, value_name = "ID")]
    placement: String,
    /// The file of logged feedback.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// The key of `context` that holds an attribute, where it is called otherwise than the attribute.
    #[arg(long, value_name = "ATTRIBUTE=KEY", value_parser = mapped)]
    map: Vec<(String, String)>,
    /// An attribute that the file does not have: it is learned as missing.
    #[arg(long, value_name = "ATTRIBUTE")]
    without: Vec<String>,
    /// Only say what would be learned.
    #[arg(long)]
    dry_run: bool,
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store: `sqlite:PATH` or `postgres://...`; otherwise `DATABASE_URL` or the settings say.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn mapped(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((attribute, key)) if !attribute.is_empty() && !key.is_empty() => Ok((attribute.into(), key.into())),
        _ => Err("expected ATTRIBUTE=KEY, such as `customer.tier=loyalty`".to_owned()),
    }
}

/// Runs the command.
pub async fn run(args: ModelArgs) -> ExitCode {
    let ModelCommand::WarmStart(args) = args.command;
    match warm_start(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

async fn warm_start(args: &WarmStartArgs) -> Result<(), Box<dyn Error>> {
    let text = read_text(&args.log)?;
    let log = feedback::logged_of_any(&text).map_err(|mistake| FeedbackFileError::within(&args.log, mistake))?;
    let mut settings = serve::settings(args.config.as_ref())?;
    settings.store = args.store.clone().unwrap_or(settings.store);
    settings.complete();
    let store: Arc<dyn store::Store> = store::open(&settings.store, 1).await?;
    let (keys, _) = keys_of(store.as_ref(), &settings.key_file).await?;
    let starter = WarmStarter { store: store.clone(), keys };
    let placement = placement(&starter, &args.placement).await?;
    let catalogue = CatalogueMaker { store: store.clone() }.current().await?;
    let named: BTreeMap<String, String> = args.map.iter().cloned().collect();
    let without: BTreeSet<String> = args.without.iter().cloned().collect();
    let within = |error: WarmStartError| format!("`{}` cannot be learned from: {error}", args.log.display());
    let mapping = Mapping::find(&placement, &log, &named, &without).map_err(within)?;
    let start = WarmStart::read(&placement, &catalogue, &log, &mapping, store.now().await?).map_err(within)?;
    let warmed = if args.dry_run { starter.compare(&start).await? } else { starter.append(&placement, &start).await? };
    match args.format {
        Format::Text => print!("{}", told(args, &start, warmed)),
        Format::Json => println!("{}", told_json(args, &start, warmed)),
    }
    Ok(())
}

async fn placement(starter: &WarmStarter, id: &str) -> Result<Placement, Box<dyn Error>> {
    let Some(bundle) = starter.bundle().await? else {
        return Err("no bundle is in force in this store: `proffer policy activate DIR` puts one in force".into());
    };
    let Some(placement) = bundle.placement(id) else {
        let meant = did_you_mean(id, bundle.placements.keys().map(PlacementId::as_str));
        return Err(format!("the bundle in force has no placement `{id}`{meant}").into());
    };
    Ok(placement.clone())
}

fn told(args: &WarmStartArgs, start: &WarmStart, warmed: Warmed) -> String {
    let mut text = String::new();
    for (attribute, key) in &start.keys {
        let _ = writeln!(text, "{attribute} is `{key}` in the file");
    }
    for (value, rows) in &start.unseen {
        let _ = writeln!(text, "{value} is none of the declared values: learned as missing in {rows} rows");
    }
    for (offer, tally) in &start.offers {
        let _ = writeln!(text, "{offer:32} shown {:>9}  accepted {:>9}", tally.shown, tally.accepted);
    }
    let Warmed { learned, known } = warmed;
    let done = if args.dry_run { "would learn" } else { "learned" };
    let _ = writeln!(text, "{} {done} {learned} rows; {known} were learned before", args.placement);
    text
}

fn told_json(args: &WarmStartArgs, start: &WarmStart, warmed: Warmed) -> serde_json::Value {
    let offers = start
        .offers
        .iter()
        .map(|(offer, tally)| json!({"offer_id": offer, "shown": tally.shown, "accepted": tally.accepted}));
    json!({
        "placement": args.placement, "dry_run": args.dry_run, "learned": warmed.learned, "known": warmed.known,
        "keys": start.keys, "unseen": start.unseen, "offers": offers.collect::<Vec<_>>(),
    })
}
