//! `proffer switch`: kill switches and overrides in a store, beside a running service or without one. Judges none.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use proffer::api::shown_switch;
use proffer::domain::{OfferId, Span, Timestamp};
use proffer::policy::{SwitchKind, SwitchSpec};
use proffer::runtime::{SwitchKept, SwitchMaker, SwitchRefused, SwitchState, unknown_offers};
use proffer::store::By;
use serde_json::{Map, Value, json};

use super::bundles::{InStore, told};
use super::failed;

const BY: &str = "command line";

/// Switches listed at most.
const LISTED_MAX: u32 = 1_000;

/// Arguments of `proffer switch`.
#[derive(Args)]
#[command(
    after_help = "A switch is in force on every node once the command has returned; it ends by itself after 14 days at \
most.\nWhat is to stay is a rule of a bundle (`kill_switches` and `overrides` there say the same).\n\nExamples:\n  \
proffer switch set recall-boots --stop-offers boots --for 7d \\\n    --why 'Recalled by the maker' \
--approver 'Jane Doe' --ticket OPS-1234\n  \
proffer switch list\n  proffer switch end recall-boots --why 'The maker has mended it'"
)]
pub struct SwitchArgs {
    #[command(subcommand)]
    command: SwitchCommand,
}

#[derive(Subcommand)]
enum SwitchCommand {
    /// Stop offers, categories, campaigns or everything; put offers in, out, or into the first slot.
    #[command(after_help = "Exit code 0: it is in force; 1: something is wrong with it; 2: it cannot be meant.\n\n\
        Examples:\n  proffer switch set stop-all --stop-all --placements home --for 2h \\\n    \
        --why 'Prices are wrong' --approver 'Jane Doe' --ticket OPS-1\n  \
        proffer switch set launch --pin tent --until 2026-12-01T00:00:00Z \\\n    \
        --why 'Launch of the year' --approver 'Jane Doe' --ticket MKT-77")]
    Set(Box<SetArgs>),
    /// List switches, newest first: those in force or planned.
    #[command(after_help = "Example:\n  proffer switch list --all --format json")]
    List {
        /// Those that have expired or were ended, too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        at: InStore,
    },
    /// End a switch before its time.
    #[command(after_help = "Example:\n  proffer switch end recall-boots --why 'The maker has mended it'")]
    End {
        /// Its id.
        id: String,
        /// Why, kept with it.
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[command(flatten)]
        at: InStore,
    },
}

/// What is to be set.
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(true).args([
    "stop_all", "stop_offers", "stop_categories", "stop_campaigns", "force_in", "force_out", "pin",
])))]
#[command(group(ArgGroup::new("end").required(true).args(["until", "for_span"])))]
struct SetArgs {
    /// Names it for ever: an id is used once.
    id: String,
    /// Stop everything.
    #[arg(long, conflicts_with_all = [
        "stop_offers", "stop_categories", "stop_campaigns", "force_in", "force_out", "pin",
    ])]
    stop_all: bool,
    /// Stop these offers.
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with_all = ["force_in", "force_out", "pin"])]
    stop_offers: Vec<String>,
    /// Stop the offers of these categories.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with_all = ["force_in", "force_out", "pin"])]
    stop_categories: Vec<String>,
    /// Stop the offers of these campaigns.
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with_all = ["force_in", "force_out", "pin"])]
    stop_campaigns: Vec<String>,
    /// Lift what may be lifted of these offers.
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with_all = ["force_out", "pin"])]
    force_in: Vec<String>,
    /// Leave these offers out.
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with = "pin")]
    force_out: Vec<String>,
    /// Keep the first slot for these offers.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pin: Vec<String>,
    /// Only at these placements.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    placements: Vec<String>,
    /// Only by these channels.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    channels: Vec<String>,
    /// Only for requests from these regions, such as `EU` or `US-NY`.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    regions: Vec<String>,
    /// The justification, told with everything that it leaves out, puts in or pins.
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Who approved it.
    #[arg(long, value_name = "NAME")]
    approver: String,
    /// Where that is written down.
    #[arg(long, value_name = "TEXT")]
    ticket: String,
    /// Who answers for it; the command line unless given.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// It begins then, an instant such as `2026-12-01T09:00:00Z`; now unless given.
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// It ends then, an instant.
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// It ends so long after it begins, such as `4h` or `7d`.
    #[arg(long = "for", id = "for_span", value_name = "SPAN")]
    for_span: Option<String>,
    #[command(flatten)]
    at: InStore,
}

type Ended = Result<ExitCode, Box<dyn Error>>;

/// Runs the command.
pub async fn run(args: &SwitchArgs) -> ExitCode {
    let ended = match &args.command {
        SwitchCommand::Set(args) => set(args).await,
        SwitchCommand::List { all, at } => list(*all, at).await,
        SwitchCommand::End { id, why, at } => end(id, why, at).await,
    };
    ended.unwrap_or_else(|error| failed(error.as_ref()))
}

async fn open(at: &InStore) -> Result<SwitchMaker, Box<dyn Error>> {
    Ok(SwitchMaker { store: at.open().await?.store })
}

/// A mapping of the lists that were given.
fn lists<const N: usize>(all: [(&str, &Vec<String>); N]) -> Option<Value> {
    let given: Map<String, Value> = all
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| (name.to_owned(), json!(list)))
        .collect();
    (!given.is_empty()).then_some(Value::Object(given))
}

fn spec(args: &SetArgs, now: Timestamp) -> Result<SwitchSpec, String> {
    let instant = |name: &str, text: &String| {
        Timestamp::parse(text).map_err(|error| format!("--{name}: {error}")).map(|_| Value::from(text.as_str()))
    };
    let mut effective = Map::new();
    let from = args.from.as_ref().map(|text| instant("from", text)).transpose()?;
    let begins = args.from.as_deref().and_then(|text| Timestamp::parse(text).ok()).unwrap_or(now);
    effective.extend(from.map(|from| ("from".to_owned(), from)));
    let until = match (&args.until, &args.for_span) {
        (Some(until), _) => instant("until", until)?,
        (None, Some(span)) => {
            let span = Span::parse(span).map_err(|error| format!("--for: {error}"))?;
            // What lasts for a span begins at an instant that is known.
            effective.entry("from").or_insert_with(|| Value::from(begins.to_string()));
            Value::from(begins.plus(span).to_string())
        }
        (None, None) => return Err("say when it ends: --until INSTANT or --for SPAN".to_owned()),
    };
    effective.insert("until".to_owned(), until);
    let actions = [("force_in", &args.force_in), ("force_out", &args.force_out), ("pin", &args.pin)];
    let action = actions.into_iter().find(|(_, offers)| !offers.is_empty());
    let stop = if args.stop_all {
        Some(json!("all"))
    } else {
        lists([
            ("offers", &args.stop_offers),
            ("categories", &args.stop_categories),
            ("campaigns", &args.stop_campaigns),
        ])
    };
    Ok(SwitchSpec {
        id: args.id.clone(),
        kind: if action.is_some() { SwitchKind::Override } else { SwitchKind::KillSwitch },
        why: args.why.clone(),
        owner: args.owner.clone(),
        approver: args.approver.clone(),
        ticket: args.ticket.clone(),
        effective,
        applies_to: lists([("placements", &args.placements), ("channels", &args.channels), ("regions", &args.regions)]),
        stop,
        action: action.map(|(name, _)| json!(name)),
        offers: action.map(|(_, offers)| json!(offers)),
    })
}

async fn set(args: &SetArgs) -> Ended {
    let maker = open(&args.at).await?;
    let now = maker.store.now().await?;
    let spec = match spec(args, now) {
        Ok(spec) => spec,
        Err(message) => return Ok(told(&message, 2)),
    };
    let (kept, rule) = match maker.set(spec, By { key: BY, at: now }).await? {
        Ok(set) => set,
        Err(SwitchRefused::Conflict(message)) => return Ok(told(&message, 1)),
        Err(SwitchRefused::Mistakes(mistakes)) => {
            for mistake in mistakes {
                let code = mistake.code.map(|code| format!("[{code}]")).unwrap_or_default();
                eprintln!("error{code}: {}", mistake.message);
            }
            return Ok(ExitCode::from(1));
        }
    };
    if let Some(rule) = rule {
        let catalogue = maker.store.catalogue(maker.store.control().await?.catalogue_revision).await?;
        let is_known = |offer: &OfferId| catalogue.offers.iter().any(|(body, _)| body.offer_id == *offer);
        for warning in unknown_offers(&rule, is_known) {
            eprintln!("warning: {warning}");
        }
    }
    let (id, until) = (&kept.row.id, kept.row.until);
    let text = match (kept.changed, kept.state(now)) {
        (false, _) => format!("switch `{id}` was set already; nothing was changed"),
        (true, SwitchState::Planned) => format!("switch `{id}` is set: it begins later and ends at {until}"),
        (true, _) => format!("switch `{id}` is in force until {until}: every decision from now on keeps to it"),
    };
    let mut json = shown_switch(&kept, now);
    json["changed"] = json!(kept.changed);
    args.at.print(&text, &json);
    Ok(ExitCode::SUCCESS)
}

fn line(kept: &SwitchKept, now: Timestamp) -> String {
    let SwitchKept { row, spec, .. } = kept;
    let does = match (&spec.stop, &spec.action, &spec.offers) {
        (Some(stop), ..) => format!("stops {stop}"),
        (None, Some(action), Some(offers)) => format!("{} {offers}", action.as_str().unwrap_or_default()),
        _ => String::new(),
    };
    let state = kept.state(now).name();
    let mut line = format!(
        "{state:<9} {} {does} until {}: {}, approved by {}, ticket {}; set at {} by {}",
        row.id, row.until, spec.why, spec.approver, spec.ticket, row.at, row.by
    );
    if let Some(ended) = &row.ended {
        let _ = write!(line, "; ended at {} by {}: {}", ended.at, ended.by, ended.why);
    }
    line
}

async fn list(all: bool, at: &InStore) -> Ended {
    let maker = open(at).await?;
    let now = maker.store.now().await?;
    let mut found = maker.list(None, LISTED_MAX).await?;
    found.retain(|kept| all || matches!(kept.state(now), SwitchState::InForce | SwitchState::Planned));
    let mut lines: Vec<String> = found.iter().map(|kept| line(kept, now)).collect();
    if lines.is_empty() {
        lines.push("no switch is in force or planned".to_owned());
    }
    let json = json!({"switches": found.iter().map(|kept| shown_switch(kept, now)).collect::<Vec<_>>()});
    at.print(&lines.join("\n"), &json);
    Ok(ExitCode::SUCCESS)
}

async fn end(id: &str, why: &str, at: &InStore) -> Ended {
    if why.trim().is_empty() {
        return Ok(told("--why is empty: say why it is ended", 2));
    }
    let maker = open(at).await?;
    let now = maker.store.now().await?;
    let Some(kept) = maker.end(id, why.trim(), By { key: BY, at: now }).await? else {
        return Ok(told(
            &format!("no switch `{id}` was ever set; `proffer switch list --all` lists those that were"),
            1,
        ));
    };
    let text = match (&kept.row.ended, kept.changed) {
        (Some(ended), false) => format!("switch `{id}` was ended already, at {} by {}", ended.at, ended.by),
        _ => format!("switch `{id}` is ended: every decision from now on is made without it"),
    };
    let mut json = shown_switch(&kept, now);
    json["changed"] = json!(kept.changed);
    at.print(&text, &json);
    Ok(ExitCode::SUCCESS)
}
