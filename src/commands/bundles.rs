//! `proffer policy publish|activate|rollback|status`: bundles in a store, beside a running service or without one.
//! Checks no rule itself.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use proffer::domain::Digest;
use proffer::policy::{Bundle, compile_with_tests};
use proffer::runtime::{BundleMaker, Measurer, StartError, keys_of, mistakes, read_policies};
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
type Ended = Result<ExitCode, Box<dyn Error>>;

impl InStore {
    /// Opens it.
    pub async fn open(&self) -> Result<BundleMaker, Box<dyn Error>> {
        let mut settings = serve::settings(self.config.as_ref())?;
        settings.store = self.store.clone().unwrap_or(settings.store);
        Ok(BundleMaker { store: store::open(&settings.store, 1).await? })
    }

    /// Opens it with the keys of its customers.
    pub async fn measurer(&self) -> Result<Measurer, Box<dyn Error>> {
        let mut settings = serve::settings(self.config.as_ref())?;
        settings.store = self.store.clone().unwrap_or(settings.store);
        settings.complete();
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

/// Tells on standard error; the exit code says whose mistake it is.
pub fn told(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}

fn hash_text(hash: Digest) -> String {
    format!("b3:{}", hash.hex())
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
    let digits = text.strip_prefix("b3:").unwrap_or(text).to_ascii_lowercase();
    if digits.len() < 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let message = format!(
            "`{text}` is neither a folder nor the hash of a bundle: expected a folder such as `policies`, or `b3:` and \
             at least 4 hexadecimal digits"
        );
        return Ok(Err(told(&message, 2)));
    }
    let hashes = maker.store.bundles().await?;
    let mut fitting = hashes.iter().filter(|hash| hash.hex().starts_with(&digits));
    match (fitting.next(), fitting.count()) {
        (Some(hash), 0) => Ok(Ok(maker.read(*hash).await?)),
        (Some(_), more) => {
            let message = format!("`{text}` begins the hash of {} bundles: give more of its digits", more + 1);
            Ok(Err(told(&message, 1)))
        }
        (None, _) => {
            let message = format!(
                "no bundle with the hash `{text}` is published here: `proffer policy status` lists those that are, \
                 `proffer policy publish DIR` publishes one"
            );
            Ok(Err(told(&message, 1)))
        }
    }
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
    let before = maker.store.control().await?.sequence;
    let control = maker.activate(bundle, BY).await?;
    let (hash, changed) = (bundle.hash_text(), control.sequence != before);
    let text = if changed {
        format!("{hash} is active: every decision from now on is made under it")
    } else {
        format!("{hash} was active already; nothing was changed")
    };
    at.print(&text, &json!({"bundle": hash, "changed": changed, "control_sequence": control.sequence}));
    Ok(ExitCode::SUCCESS)
}

/// `proffer policy rollback`.
pub async fn rollback(at: &InStore) -> Ended {
    let maker = at.open().await?;
    let active = maker.store.control().await?.bundle;
    let history = maker.store.activations().await?;
    let Some(before) = history.iter().find(|activation| Some(activation.hash) != active) else {
        return Ok(told("no other bundle was active before: `proffer policy status` shows the history", 1));
    };
    let bundle = maker.read(before.hash).await?;
    put_in_force(&maker, &bundle, at).await
}

fn told_activation(activation: &Activation) -> Value {
    let hash = hash_text(activation.hash);
    json!({"bundle": hash, "at": activation.at, "by": activation.by, "control_sequence": activation.sequence})
}

/// `proffer policy status`.
pub async fn status(at: &InStore) -> Ended {
    let store = at.open().await?.store;
    let active = store.control().await?.bundle;
    let history = store.activations().await?;
    let newest = history.first().filter(|newest| Some(newest.hash) == active);
    let mut waiting = store.bundles().await?;
    waiting.retain(|hash| history.iter().all(|activation| activation.hash != *hash));
    let mut lines = vec![match newest {
        Some(newest) => format!("active    {} since {} by {}", hash_text(newest.hash), newest.at, newest.by),
        None => "active    none yet: `proffer policy activate DIR` or the first start of `proffer serve`".to_owned(),
    }];
    for before in history.iter().skip(1) {
        lines.push(format!("before    {} from  {} by {}", hash_text(before.hash), before.at, before.by));
    }
    lines.extend(waiting.iter().map(|hash| format!("waiting   {} published, never active", hash_text(*hash))));
    let json = json!({
        "active": newest.map(told_activation),
        "history": history.iter().map(told_activation).collect::<Vec<_>>(),
        "never_active": waiting.iter().copied().map(hash_text).collect::<Vec<_>>(),
    });
    at.print(&lines.join("\n"), &json);
    Ok(ExitCode::SUCCESS)
}
