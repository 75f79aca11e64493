//! `proffer demo --replay FILE`: drives a full-feedback file through the service. Models no delay of rewards.

mod drive;
mod file;
mod report;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;

use proffer::domain::Timestamp;
use proffer::runtime::Clock;
use proffer::simulation::replay::bundle::{self, Asked, Made};

use super::client::{Access, Client};
use super::progress::{Progress, say};
use super::threads::hand_out;
use super::{DemoArgs, DemoError, blocking, service};
use crate::commands::Format;
use file::{PLACEMENT, ReplayFile};
use report::{About, Report};

/// The clock starts this long before the first event, when consents are granted.
const BEFORE_MS: i64 = 60_000;

/// Runs it.
pub async fn run(args: DemoArgs, path: PathBuf) -> Result<(), Box<dyn Error>> {
    let format = args.format;
    let report = perform(args, path).await?;
    match format {
        Format::Text => print!("{report}"),
        Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
    }
    Ok(())
}

/// Everything up to the report.
async fn perform(args: DemoArgs, path: PathBuf) -> Result<Report, Box<dyn Error>> {
    let file = file::read(&path)?;
    let fallback = bundle::fallback_id(&file.offers);
    let strategy = format!("name: {}", args.strategy);
    let asked = [Asked { placement: PLACEMENT, strategy: &strategy }];
    let contexts = file.events.iter().map(|event| &event.context);
    let made = bundle::make(contexts, &asked, args.features.as_deref(), &fallback)?;
    let first = file.events.first().map_or(Timestamp(0), |event| event.at);
    let start = Timestamp(first.0 - BEFORE_MS);
    let (local, access) = service(args.store.clone(), made.policies.clone(), Some(Clock::by_hand(start))).await?;
    let (format, clients) = (args.format, usize::from(args.clients));
    let about = About {
        file: path.display().to_string(),
        strategy: args.strategy,
        store: args.store.as_deref().map_or("a temporary SQLite file", kind_of_store).to_owned(),
        clients,
    };
    let done = replay(file, made, fallback, access, about, (start, format)).await;
    local.stop().await;
    Ok(done?)
}

/// The kind only: an address may carry a password.
fn kind_of_store(store: &str) -> &'static str {
    if store.starts_with("sqlite:") { "a SQLite file" } else { "PostgreSQL" }
}

async fn replay(
    file: ReplayFile,
    made: Made,
    fallback: String,
    access: Access,
    about: About,
    (start, format): (Timestamp, Format),
) -> Result<Report, DemoError> {
    let core = access.core.clone();
    let clients = about.clients;
    let (driven, file, access) = blocking(move || {
        Client::new(&access).import(&file::offers(&file.offers, &fallback))?;
        grant(&file, &access, clients, start, format)?;
        let deciding = Progress::new("deciding", file.events.len(), format);
        let driven = drive::play(&file.events, &access, clients, &deciding)?;
        deciding.finish();
        Ok((driven, file, access))
    })
    .await?;
    core.learned_all().await?;
    blocking(move || {
        let reading = Progress::new("reading records", driven.played.len(), format);
        let excluded = drive::exclusions(&driven.played, &access, clients, &reading)?;
        reading.finish();
        Ok(Report::new(about, made, &file.events, &driven, excluded))
    })
    .await
}

/// Everybody consents before the first event.
fn grant(
    file: &ReplayFile,
    access: &Access,
    clients: usize,
    start: Timestamp,
    format: Format,
) -> Result<(), DemoError> {
    let customers: BTreeSet<&str> = file.events.iter().map(|event| event.customer_id.as_str()).collect();
    let customers: Vec<&str> = customers.into_iter().collect();
    say(format, &format!("{} events of {} customers; every one of them consents.", file.events.len(), customers.len()));
    let granting = Progress::new("granting consent", customers.len(), format);
    hand_out(customers.len(), clients, access, &|client, number, (): &mut ()| {
        if let Some(customer) = customers.get(number) {
            client.consent(customer, "granted", Some(start))?;
        }
        granting.advance(1);
        Ok(())
    })?;
    granting.finish();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::args;
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_replay_over_sparse_days_decides_every_event_and_learns_what_is_always_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.full.ndjson");
        let line = |n: i64| {
            // Far apart and long ago: every client but the slowest leaves the others' clocks behind.
            let at = Timestamp(1_500_000_000_000 + n * 30_000_000);
            let town = if n % 2 == 0 { "a: b" } else { "c" };
            let rewards = serde_json::json!({"a": 0, "b": 1});
            serde_json::json!({
                "id": format!("e{n}"), "at": at, "customer_id": format!("c/{}", n % 7), "context": {"town": town},
                "rewards": rewards,
            })
            .to_string()
        };
        std::fs::write(&path, (0..120).map(line).collect::<Vec<_>>().join("\n")).unwrap();
        std::fs::write(folder.path().join("offers.json"), r#"[{"offer_id":"a"},{"offer_id":"b"}]"#).unwrap();
        let report = perform(args(&format!("--replay {} --format json", path.display())), path).await.unwrap();
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["decisions"], &json["fallbacks"]), (&120.into(), &0.into()));
        assert_eq!((&json["excluded"], &json["reward"]["all"]["oracle"]), (&serde_json::json!({}), &1.0.into()));
        assert!(json["reward"]["last_quarter"]["reward"].as_f64().unwrap() > 0.6, "{json}");
    }
}
