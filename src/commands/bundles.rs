//! `proffer policy publish|activate|rollback|status`: bundles in a store, beside a running service or without one.
//! Checks no rule itself.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use proffer::config::Settings;
use proffer::domain::Timestamp;
use proffer::policy::{Bundle, compile_with_tests};
use proffer::runtime::{
    Activated, BundleMaker, BundleRefused, Measurer, NodeStanding, NotActivated, NotFound, StartError, hash_text,
    keys_of, mistakes, read_policies,
};
use proffer::store::{self, Activation};
use serde_json::{Value, json};

use super::policy_findings::print_findings;
use super::{Format, serve};

/// The name under which commands change a store.
pub const BY: &str = "command line";

/// What names the bundle in force.
const ACTIVE: &str = "active";

/// Which store, and how to print.
#[derive(Args)]
pub struct InStore {
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

/// What a command ends with where nothing failed on the way: printed already.
pub type Ended = Result<ExitCode, Box<dyn Error>>;

impl InStore {
    /// The settings in force.
    pub fn settings(&self) -> Result<Settings, Box<dyn Error>> {
        let mut settings = serve::settings(self.config.as_ref())?;
        settings.store = self.store.clone().unwrap_or(settings.store);
        settings.complete();
        Ok(settings)
    }

    /// Opens it.
    pub async fn open(&self) -> Result<BundleMaker, Box<dyn Error>> {
        let settings = self.settings()?;
        Ok(BundleMaker { store: store::open(&settings.store, 1).await? })
    }

    /// Opens it with the keys of its customers.
    pub async fn measurer(&self) -> Result<Measurer, Box<dyn Error>> {
        let settings = self.settings()?;
        let store = store::open(&settings.store, 1).await?;
        let (keys, _) = keys_of(store.as_ref(), &settings.key_file).await?;
        Ok(Measurer { store, keys })
    }

    /// Prints as asked for.
    pub fn print(&self, text: &str, json: &Value) {
        match self.format {
            Format::Text => println!("{text}"),
            Format::Json => println!("{json}"),
        }
    }
}

/// An instant, or the beginning of a day.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{text}T00:00:00Z"))).map_err(|_| {
        format!("`{text}` is neither an instant nor a day: expected `2026-11-27T09:00:00Z` or `2026-11-27` (UTC)")
    })
}

/// Tells on standard error; the exit code says whose mistake it is.
pub fn told(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}

/// The bundle of a folder, or what to exit with after everything wrong with it is printed.
fn bundle_of(folder: &Path) -> Result<Bundle, ExitCode> {
    let sources = read_policies(folder).map_err(|error| match error {
        StartError::Read { path, source } => {
            told(&format!("`{}` cannot be read: {source}; name the folder of a bundle", path.display()), 2)
        }
        error => told(&error.to_string(), 1),
    })?;
    compile_with_tests(&sources).map(|(bundle, _)| bundle).map_err(|findings| {
        print_findings(folder, &findings);
        eprintln!("{} in {}; nothing was changed", mistakes(findings.len()), folder.display());
        ExitCode::from(1)
    })
}

/// `proffer policy publish`.
pub async fn publish(folder: &Path, at: &InStore) -> Ended {
    let bundle = match bundle_of(folder) {
        Ok(bundle) => bundle,
        Err(code) => return Ok(code),
    };
    let new = at.open().await?.publish(&bundle, BY).await?;
    let (hash, state) = (bundle.hash_text(), if new { "published" } else { "published before" });
    let text = format!("{hash} {state}; `proffer policy activate {hash}` puts it in force");
    at.print(&text, &json!({"bundle": hash, "new": new}));
    Ok(ExitCode::SUCCESS)
}

/// The published bundle whose hash begins as given, or what to exit with.
async fn published(maker: &BundleMaker, text: &str) -> Result<Result<Bundle, ExitCode>, Box<dyn Error>> {
    Ok(match maker.find(text).await? {
        Ok(hash) => Ok(maker.read(hash).await?),
        Err(NotFound::Malformed(_)) => {
            let message = format!(
                "`{text}` is neither a folder nor the hash of a bundle: expected a folder such as `policies`, or `b3:` \
                 and at least 4 hexadecimal digits"
            );
            Err(told(&message, 2))
        }
        Err(not @ NotFound::Several(..)) => Err(told(&not.to_string(), 1)),
        Err(not @ NotFound::Unknown(_)) => {
            let message = format!(
                "{not}: `proffer policy status` lists those that are, `proffer policy publish DIR` publishes one"
            );
            Err(told(&message, 1))
        }
    })
}

/// The bundle of a folder, the one in force (`active`), or a published one by its hash; or what to exit with. Of a
/// folder no store is opened.
pub async fn named(text: &str, at: &InStore) -> Result<Result<Bundle, ExitCode>, Box<dyn Error>> {
    let folder = Path::new(text);
    if folder.is_dir() {
        return Ok(bundle_of(folder));
    }
    let maker = at.open().await?;
    if text != ACTIVE {
        return published(&maker, text).await;
    }
    match maker.store.control().await?.bundle {
        Some(hash) => Ok(Ok(maker.read(hash).await?)),
        None => Ok(Err(told("no bundle is active here: `proffer policy activate DIR` puts one in force", 1))),
    }
}

/// `proffer policy activate`.
pub async fn activate(target: &str, at: &InStore) -> Ended {
    match named(target, at).await? {
        Ok(bundle) => put_in_force(&at.open().await?, &bundle, at).await,
        Err(code) => Ok(code),
    }
}

async fn put_in_force(maker: &BundleMaker, bundle: &Bundle, at: &InStore) -> Ended {
    let Activated { control, changed, unheard } = match maker.activate(bundle, BY).await? {
        Ok(activated) => activated,
        Err(not @ (NotActivated::Tests(_) | NotActivated::Nodes(_))) => {
            return Ok(told(&format!("{} was not put in force: {not}", bundle.hash_text()), 1));
        }
        Err(not) => return Ok(told(&not.to_string(), 1)),
    };
    let hash = bundle.hash_text();
    let text = if changed {
        format!("{hash} is active: every decision from now on is made under it")
    } else {
        format!("{hash} was active already; nothing was changed")
    };
    for node in &unheard {
        eprintln!("warning: node `{node}` has not said that it is ready; it decides nothing until it is");
    }
    let mut json = json!({"bundle": hash, "changed": changed, "control_sequence": control.sequence});
    if !unheard.is_empty() {
        json["unheard"] = json!(unheard);
    }
    at.print(&text, &json);
    Ok(ExitCode::SUCCESS)
}

/// `proffer policy rollback`.
pub async fn rollback(at: &InStore) -> Ended {
    let maker = at.open().await?;
    let active = maker.store.control().await?.bundle;
    let Some(before) = maker.before(active).await? else {
        return Ok(told("no other bundle was active before: `proffer policy status` shows the history", 1));
    };
    let bundle = maker.read(before).await?;
    put_in_force(&maker, &bundle, at).await
}

fn told_activation(activation: &Activation) -> Value {
    let hash = hash_text(activation.hash);
    json!({"bundle": hash, "at": activation.at, "by": activation.by, "control_sequence": activation.sequence})
}

fn told_node(node: &NodeStanding) -> String {
    let NodeStanding { node: name, bundle, since, seen_at, here, refused, .. } = node;
    let gone = if *here { String::new() } else { format!("; not heard of since {seen_at}") };
    match refused {
        Some(BundleRefused { bundle: active, why, since }) => {
            format!(
                "node      {name} decides nothing since {since} and keeps {bundle}: {active} cannot be taken \
                 over: {why}{gone}"
            )
        }
        None => format!("node      {name} decides under {bundle} since {since}{gone}"),
    }
}

/// `proffer policy status`.
pub async fn status(at: &InStore) -> Ended {
    let standing = at.open().await?.standing().await?;
    let newest = standing.active();
    let mut lines = vec![match newest {
        Some(newest) => format!("active    {} since {} by {}", hash_text(newest.hash), newest.at, newest.by),
        None => "active    none yet: `proffer policy activate DIR` or the first start of `proffer serve`".to_owned(),
    }];
    for before in standing.activations.iter().skip(1) {
        lines.push(format!("before    {} from  {} by {}", hash_text(before.hash), before.at, before.by));
    }
    let waiting: Vec<String> = standing.never_active().map(|bundle| hash_text(bundle.hash)).collect();
    lines.extend(waiting.iter().map(|hash| format!("waiting   {hash} published, never active")));
    lines.extend(standing.nodes.iter().map(told_node));
    let json = json!({
        "active": newest.map(told_activation),
        "history": standing.activations.iter().map(told_activation).collect::<Vec<_>>(),
        "never_active": waiting,
        "nodes": standing.nodes,
    });
    at.print(&lines.join("\n"), &json);
    Ok(ExitCode::SUCCESS)
}
