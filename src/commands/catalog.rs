//! `proffer catalog`: the catalogue in a store, beside a running service or without one. Reads and writes no format
//! itself.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use proffer::catalogue::{
    FileFormat, Mistake, SourceFile, read, write_campaigns_csv, write_json, write_offers_csv, write_yaml,
};
use proffer::config::Settings;
use proffer::domain::{Catalogue, OfferId};
use proffer::policy::{Bundle, check_catalogue, compile};
use proffer::runtime::{CatalogueMaker, mistakes, read_policies};
use proffer::store;
use serde_json::json;

use super::policy_findings::print_findings;
use super::shelf::{self, Table};
use super::{Format, failed, serve};

const BY: &str = "command line";

/// Revisions of an offer that are shown.
const REVISIONS: u32 = 10;

/// Arguments of `proffer catalog`.
#[derive(Args)]
#[command(
    after_help = "A running service takes an import up within a second. The formats are described for those who write\n\
them in src/docs/catalogue.md.\n\nExamples:\n  proffer catalog import offers.csv\n  proffer catalog export --as yaml \
--out shop.yaml\n  proffer catalog show winter-boots"
)]
pub struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Subcommand)]
enum CatalogCommand {
    /// Add offers and campaigns, or replace those of the same id: all of them, or none and everything that is wrong.
    #[command(after_help = "Exit code 0: done, or with --check: it could be; 1: something is wrong and nothing was \
        changed; 2: a file\ncannot be read.\n\nExamples:\n  proffer catalog import campaigns.csv offers.csv\n  \
        proffer catalog import shop.yaml --check\n  proffer catalog import feed.txt --as csv --store sqlite:shop.sqlite")]
    Import {
        /// Files of offers, campaigns or both; together they become one revision.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The format; otherwise the ending of each name says it (`.yaml`, `.json`, `.csv`).
        #[arg(long = "as", value_enum, value_name = "FORMAT")]
        as_format: Option<As>,
        /// Only say what is wrong and what would be new.
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        at: InStore,
    },
    /// Write the catalogue, so that `import` reads it again.
    #[command(
        after_help = "Examples:\n  proffer catalog export\n  proffer catalog export --as csv --out offers.csv\n  \
        proffer catalog export --as csv --campaigns --revision 17"
    )]
    Export {
        /// The format; otherwise the ending of --out says it, or it is YAML.
        #[arg(long = "as", value_enum, value_name = "FORMAT")]
        as_format: Option<As>,
        /// As the catalogue was at a revision.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
        /// Into a file instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The campaigns: a CSV holds either offers or campaigns.
        #[arg(long)]
        campaigns: bool,
        #[command(flatten)]
        at: InStore,
    },
    /// Show the offers, or one of them in full with its revisions.
    #[command(after_help = "Examples:\n  proffer catalog show\n  proffer catalog show winter-boots --format json")]
    Show {
        /// An offer.
        offer_id: Option<String>,
        #[command(flatten)]
        at: InStore,
    },
}

/// Formats by name.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum As {
    Yaml,
    Json,
    Csv,
}

impl From<As> for FileFormat {
    fn from(chosen: As) -> Self {
        match chosen {
            As::Yaml => Self::Yaml,
            As::Json => Self::Json,
            As::Csv => Self::Csv,
        }
    }
}

/// Which store, and how to print.
#[derive(Args)]
struct InStore {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store: `sqlite:PATH` or `postgres://...`; otherwise `DATABASE_URL` or the settings say.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

type Ended = Result<ExitCode, Box<dyn Error>>;

impl InStore {
    async fn open(&self) -> Result<(CatalogueMaker, Settings), Box<dyn Error>> {
        let mut settings = serve::settings(self.config.as_ref())?;
        settings.store = self.store.clone().unwrap_or(settings.store);
        Ok((CatalogueMaker { store: store::open(&settings.store, 1).await? }, settings))
    }
}

/// Tells on standard error; the exit code says whose mistake it is.
fn told(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}

/// Runs the command.
pub async fn run(args: &CatalogArgs) -> ExitCode {
    let ended = match &args.command {
        CatalogCommand::Import { files, as_format, check, at } => import(files, *as_format, *check, at).await,
        CatalogCommand::Export { as_format, revision, out, campaigns, at } => {
            let chosen = as_format.map(FileFormat::from);
            let by_name = out.as_ref().and_then(|path| FileFormat::of_path(&path.to_string_lossy()));
            let format = chosen.or(by_name).unwrap_or(FileFormat::Yaml);
            export(format, *revision, out.as_deref(), *campaigns, at).await
        }
        CatalogCommand::Show { offer_id, at } => show(offer_id.as_deref(), at).await,
    };
    ended.unwrap_or_else(|error| failed(error.as_ref()))
}

/// The files, or what to exit with after everything wrong with them is told.
fn sources(files: &[PathBuf], chosen: Option<As>) -> Result<Vec<SourceFile>, ExitCode> {
    let mut sources = Vec::new();
    let mut code = None;
    for file in files {
        let path = file.display().to_string();
        let Some(format) = chosen.map(FileFormat::from).or_else(|| FileFormat::of_path(&path)) else {
            let message =
                format!("`{path}` does not say its format: name it `.yaml`, `.json` or `.csv`, or add --as csv");
            code = Some(told(&message, 2));
            continue;
        };
        match std::fs::read(file) {
            Ok(bytes) => sources.push(SourceFile { path, format, bytes }),
            Err(error) => code = Some(told(&format!("`{path}` cannot be read: {error}; name a file"), 2)),
        }
    }
    code.map_or(Ok(sources), Err)
}

/// The bundle in force, or that of the folder where the store has none yet.
async fn bundle(maker: &CatalogueMaker, settings: &Settings) -> Result<Result<Bundle, ExitCode>, Box<dyn Error>> {
    if let Some(bundle) = maker.bundle().await? {
        return Ok(Ok(bundle));
    }
    let folder = &settings.policies;
    let Ok(sources) = read_policies(folder) else {
        let message = format!(
            "no bundle is active in this store and there is no folder `{}`, so nobody says which attributes offers may \
             have: `proffer policy activate DIR` first",
            folder.display()
        );
        return Ok(Err(told(&message, 1)));
    };
    Ok(compile(&sources).map_err(|findings| {
        print_findings(folder, &findings);
        eprintln!("{} in {}; nothing was changed", mistakes(findings.len()), folder.display());
        ExitCode::from(1)
    }))
}

fn tell_mistakes(mistakes_found: &[Mistake], format: Format) -> ExitCode {
    match format {
        Format::Text => {
            for mistake in mistakes_found {
                eprintln!("error: {mistake}");
            }
            eprintln!("{}; nothing was changed", mistakes(mistakes_found.len()));
        }
        Format::Json => println!("{}", json!({"ok": false, "mistakes": mistakes_found})),
    }
    ExitCode::from(1)
}

async fn import(files: &[PathBuf], chosen: Option<As>, check: bool, at: &InStore) -> Ended {
    let sources = match sources(files, chosen) {
        Ok(sources) => sources,
        Err(code) => return Ok(code),
    };
    let (maker, settings) = at.open().await?;
    let bundle = match bundle(&maker, &settings).await? {
        Ok(bundle) => bundle,
        Err(code) => return Ok(code),
    };
    let reading = read(&sources, &bundle.attributes);
    let present = maker.current().await?;
    // What could be read is judged too, so that a second attempt does not meet the next mistake.
    let found = reading.mistakes(check_catalogue(&reading.draft, &bundle, &present));
    if !found.is_empty() {
        return Ok(tell_mistakes(&found, at.format));
    }
    let (tally, revision) = if check {
        (CatalogueMaker::tally(&reading.draft, &present), present.revision)
    } else {
        match maker.import(&reading.draft, &bundle, BY).await? {
            Ok(kept) => (kept.tally, kept.catalogue.revision),
            Err(problems) => return Ok(tell_mistakes(&reading.mistakes(problems), at.format)),
        }
    };
    match at.format {
        Format::Text => {
            let counts = format!("{} new, {} changed, {} unchanged", tally.created, tally.changed, tally.unchanged);
            let end = if check {
                "nothing is wrong and nothing was changed".to_owned()
            } else {
                format!("revision {revision}")
            };
            println!("{counts}, {end}");
        }
        Format::Json => println!(
            "{}",
            json!({
                "ok": true, "checked_only": check, "catalogue": revision,
                "offers": reading.draft.offers.len(), "campaigns": reading.draft.campaigns.len(),
                "created": tally.created, "changed": tally.changed, "unchanged": tally.unchanged,
            })
        ),
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(format: FileFormat, revision: Option<u64>, out: Option<&Path>, campaigns: bool, at: &InStore) -> Ended {
    if campaigns && format != FileFormat::Csv {
        let message = "--campaigns chooses what a CSV holds: YAML and JSON hold campaigns and offers together";
        return Ok(told(message, 2));
    }
    let (maker, settings) = at.open().await?;
    let newest = maker.store.control().await?.catalogue_revision;
    if let Some(revision) = revision.filter(|revision| *revision > newest) {
        return Ok(told(&format!("the catalogue has no revision {revision}: it is at {newest} now"), 1));
    }
    let catalogue = maker.at(revision.unwrap_or(newest)).await?;
    let text = match format {
        FileFormat::Yaml => write_yaml(&catalogue),
        FileFormat::Json => write_json(&catalogue),
        FileFormat::Csv if campaigns => write_campaigns_csv(&catalogue),
        FileFormat::Csv => {
            // Without a bundle an attribute is written as what it looks like.
            let specs = match maker.bundle().await? {
                Some(bundle) => bundle.attributes,
                None => read_policies(&settings.policies)
                    .ok()
                    .and_then(|sources| compile(&sources).ok())
                    .map(|bundle| bundle.attributes)
                    .unwrap_or_default(),
            };
            write_offers_csv(&catalogue, &specs)
        }
    };
    match out {
        Some(path) => {
            if let Err(error) = std::fs::write(path, text) {
                return Ok(told(&format!("`{}` cannot be written: {error}; choose another --out", path.display()), 1));
            }
            eprintln!("{} in {}", shelf::counted(&catalogue), path.display());
        }
        None => print!("{text}"),
    }
    if format == FileFormat::Csv && !campaigns && !catalogue.campaigns().is_empty() {
        let count = catalogue.campaigns().len();
        eprintln!("note: {count} campaigns are not in this CSV: add --campaigns for a CSV of them");
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(offer_id: Option<&str>, at: &InStore) -> Ended {
    let maker = at.open().await?.0;
    let (catalogue, now) = (maker.current().await?, maker.store.now().await?);
    let Some(id) = offer_id else {
        let table = Table::of(&catalogue, now);
        match at.format {
            Format::Text => println!("{table}"),
            Format::Json => println!("{}", table.json()),
        }
        return Ok(ExitCode::SUCCESS);
    };
    let (Some(offer), Ok(id)) = (catalogue.offer(id), OfferId::new(id)) else {
        let names = catalogue.offers().iter().map(|offer| offer.offer_id.as_str());
        let meant = proffer::policy::did_you_mean(id, names);
        let way = if meant.is_empty() { ": `proffer catalog show` lists those that are" } else { meant.as_str() };
        return Ok(told(&format!("no offer `{id}` is in the catalogue{way}"), 1));
    };
    let revisions = maker.revisions(&id, REVISIONS).await?;
    match at.format {
        Format::Text => {
            let standing = shelf::standing(catalogue.hindrance(offer, now));
            println!("{id}: {standing}; margin {}", shelf::margin(offer));
            for (made, _) in &revisions {
                println!("revision {} at {} by {}", made.revision, made.at, made.by_key);
            }
            print!("\n{}", write_yaml(&Catalogue::new(0, vec![offer.clone()], Vec::new())));
        }
        Format::Json => {
            let history = revisions.iter().map(
                |(made, offer)| json!({"revision": made.revision, "at": made.at, "by": made.by_key, "offer": offer}),
            );
            let standing = shelf::standing(catalogue.hindrance(offer, now));
            let history: Vec<_> = history.collect();
            println!("{}", json!({"offer": offer, "standing": standing, "revisions": history}));
        }
    }
    Ok(ExitCode::SUCCESS)
}
