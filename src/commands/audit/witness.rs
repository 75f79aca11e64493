//! `proffer audit witness`: keeps the newest checkpoint and tells where it does not follow from the one kept before.
//! Believes no service: it verifies what that answers.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use proffer::config::keyfile::replace_file;
use proffer::domain::{Digest, Malformed};
use proffer::runtime::proofs::{newest_checkpoint, prove_growth};
use proffer::runtime::site_key;
use proffer::transparency::checkpoint::Checkpoint;
use proffer::transparency::signature::SiteKey;
use proffer::transparency::witness::follows;
use serde::Deserialize;
use serde_json::json;

use super::{AuditArgs, Format, Site};

/// Arguments of `proffer audit witness`.
#[derive(Args)]
#[command(
    after_help = "Run it now and then on a machine that the operators of the service cannot write to: what it has \
seen once can no longer be changed unnoticed.\n\nExit code 0: the log only grew; 1: it did not, and the checkpoint kept \
before stays.\n\nExamples:\n  proffer audit witness --seen shop.checkpoint --url http://127.0.0.1:8080 \\\n      \
--key-file auditor.key --site-key ed25519:...\n  proffer audit witness --seen shop.checkpoint --store sqlite:shop.sqlite"
)]
pub struct WitnessArgs {
    /// Where the newest checkpoint is kept; made at first.
    #[arg(long, value_name = "FILE")]
    seen: PathBuf,
    /// A running service (`http://...`; where it is behind TLS, through a tunnel), instead of a store.
    #[arg(long, value_name = "URL", requires_all = ["key_file", "site_key"])]
    url: Option<String>,
    /// File with an API key of the role `audit`.
    #[arg(long, value_name = "FILE", requires = "url")]
    key_file: Option<PathBuf>,
    /// The site whose signature counts; that of the key file, with a store.
    #[arg(long, value_name = "KEY", value_parser = SiteKey::parse)]
    site_key: Option<SiteKey>,
}

/// Where checkpoints and proofs come from.
enum Log {
    Store(Box<Site>),
    Service { agent: ureq::Agent, url: String, key: String },
}

#[derive(Deserialize)]
struct Growth {
    path: Vec<String>,
}

impl Log {
    async fn newest(&self) -> Result<String, Box<dyn Error>> {
        match self {
            Self::Store(site) => match newest_checkpoint(site.store.as_ref()).await? {
                Some((_, note)) => Ok(note),
                None => Err("the log has no checkpoint yet: a running service signs one".into()),
            },
            Self::Service { .. } => self.get("/v1/log/checkpoint"),
        }
    }

    async fn growth(&self, from: u64, to: u64) -> Result<Vec<Digest>, Box<dyn Error>> {
        match self {
            Self::Store(site) => Ok(prove_growth(site.store.as_ref(), from, to).await?.unwrap_or_default()),
            Self::Service { .. } => {
                let growth: Growth =
                    serde_json::from_str(&self.get(&format!("/v1/log/consistency?from={from}&to={to}"))?)?;
                let hash = |text: &String| {
                    let bytes = STANDARD.decode(text).ok();
                    let hash = bytes.as_deref().and_then(Digest::from_slice);
                    hash.ok_or_else(|| Malformed(format!("`{text}` is no hash in Base64")))
                };
                Ok(growth.path.iter().map(hash).collect::<Result<_, _>>()?)
            }
        }
    }

    fn get(&self, path: &str) -> Result<String, Box<dyn Error>> {
        let Self::Service { agent, url, key } = self else { return Err("no service was named".into()) };
        let url = format!("{}{path}", url.trim_end_matches('/'));
        let call = agent.get(&url).header("authorization", format!("Bearer {key}")).call();
        let mut answer = call.map_err(|error| format!("`{url}` does not answer: {error}"))?;
        let text = answer.body_mut().read_to_string()?;
        if answer.status().as_u16() == 200 {
            return Ok(text);
        }
        let detail = serde_json::from_str::<serde_json::Value>(&text).ok();
        let detail = detail.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or(&text);
        Err(format!("`{url}` answers {}: {detail}", answer.status().as_u16()).into())
    }
}

pub(super) async fn run(args: &AuditArgs, witness: &WitnessArgs) -> Result<ExitCode, Box<dyn Error>> {
    let (log, own) = if let (Some(url), Some(file)) = (&witness.url, &witness.key_file) {
        let key = std::fs::read_to_string(file)
            .map_err(|error| format!("the key in `{}` cannot be read: {error}", file.display()))?;
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        (Log::Service { agent, url: url.clone(), key: key.trim().to_owned() }, None)
    } else {
        let site = args.site().await?;
        let key = site_key(&site.keys.master);
        (Log::Store(Box::new(site)), Some(key))
    };
    let site = witness.site_key.clone().or(own).ok_or("name the site whose signature counts with --site-key")?;
    let seen = match std::fs::read_to_string(&witness.seen) {
        Ok(note) => Some(Checkpoint::open(&note, &site)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("`{}` cannot be read: {error}", witness.seen.display()).into()),
    };
    let note = log.newest().await?;
    let newest = Checkpoint::open(&note, &site)?;
    if let Some(seen) = &seen {
        let path = if seen.size < newest.size { log.growth(seen.size, newest.size).await? } else { Vec::new() };
        if let Err(error) = follows(seen, &newest, &path) {
            eprintln!(
                "error: the newest checkpoint does not follow from the one in `{}`: {error}",
                witness.seen.display()
            );
            return Ok(ExitCode::from(1));
        }
    }
    replace_file(&witness.seen, &note)?;
    let before = seen.map(|seen| seen.size);
    match (args.format, before) {
        (Format::Json, _) => println!("{}", json!({"before": before, "size": newest.size, "root": newest.root.hex()})),
        (Format::Text, None) => println!("kept the checkpoint of {} leaves, the first", newest.size),
        (Format::Text, Some(before)) => {
            println!("the log of {} leaves begins with the {before} seen before; kept its checkpoint", newest.size);
        }
    }
    Ok(ExitCode::SUCCESS)
}
