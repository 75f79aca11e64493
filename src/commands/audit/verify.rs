//! `proffer audit verify`: a whole store against its log, or a saved proof by itself. Mends nothing.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use proffer::domain::decision::{decode_skeleton, leaf};
use proffer::domain::{DecisionId, Digest, Malformed};
use proffer::runtime::site_key;
use proffer::runtime::verify::{Verified, Verifier};
use proffer::transparency::checkpoint::{Checkpoint, verifier};
use proffer::transparency::proof::verify_inclusion;
use proffer::transparency::signature::SiteKey;
use serde::Deserialize;
use serde_json::json;

use super::{AuditArgs, Format};
use crate::commands::progress::Progress;

/// Arguments of `proffer audit verify`.
#[derive(Args)]
#[command(
    after_help = "Reads the store itself, with or without a service running on it. Needs the key file: it opens \
private parts, and beside it lies the newest checkpoint that this machine has signed.\n\nWith --proof nothing but the \
file is read, and the site's public key (`proffer policy approvals --site-key` prints it).\n\nExit code 0: all is well; \
1: something was altered, is missing, or is too much.\n\nExamples:\n  proffer audit verify\n  \
proffer audit verify --store postgres://shop@db/shop --format json\n  \
proffer audit verify --proof proof.json --site-key ed25519:..."
)]
pub struct VerifyArgs {
    /// A proof as `proffer audit prove --format json` prints it, instead of a store.
    #[arg(long, value_name = "FILE", requires = "site_key")]
    proof: Option<PathBuf>,
    /// The site whose signature counts.
    #[arg(long, value_name = "KEY", requires = "proof", value_parser = SiteKey::parse)]
    site_key: Option<SiteKey>,
}

/// A saved proof, as far as it has to be believed.
#[derive(Deserialize)]
struct Saved {
    decision_id: String,
    position: u64,
    record: String,
    path: Vec<String>,
    checkpoint: String,
}

pub(super) async fn run(args: &AuditArgs, verify: &VerifyArgs) -> Result<ExitCode, Box<dyn Error>> {
    match (&verify.proof, &verify.site_key) {
        (Some(file), Some(key)) => proof(args.format, file, key),
        _ => store(args).await,
    }
}

async fn store(args: &AuditArgs) -> Result<ExitCode, Box<dyn Error>> {
    let site = args.site().await?;
    let leaves = site.store.log_state().await?.head.size;
    let bar = Progress::new("leaves verified", usize::try_from(leaves)?, args.format);
    let shown = AtomicU64::new(0);
    let progress = |done: u64, _: u64| {
        let before = shown.swap(done, Ordering::Relaxed);
        bar.advance(usize::try_from(done.saturating_sub(before)).unwrap_or_default());
    };
    let store = site.store.as_ref();
    let (master, key_file) = (&site.keys.master, site.settings.key_file.as_path());
    let verified = Verifier { store, master, key_file, progress: &progress, omitted: None }.run().await;
    bar.finish();
    let verified = verified?;
    let key = site_key(master);
    let newest = store.log_state().await?.checkpoint.as_deref().and_then(|note| Checkpoint::peek(note).ok());
    match args.format {
        Format::Json => println!("{:#}", told(&verified)),
        Format::Text => {
            for finding in &verified.findings.first {
                println!("{finding}");
            }
            let left = verified.findings.count - verified.findings.first.len() as u64;
            if left > 0 {
                println!("... and {left} more");
            }
            println!(
                "{} leaves: {} decisions in {} batches, {} privileged changes",
                verified.head.size, verified.decisions, verified.batches, verified.changes
            );
            println!("root {}", verified.head.root.hex());
            if let Some(checkpoint) = newest {
                println!("signed up to {} leaves; verifier {}", checkpoint.size, verifier(&checkpoint.origin, &key));
            }
            if !verified.waiting.is_nothing() {
                let waiting = verified.waiting;
                println!("not in the log yet: {} batches, {} changes", waiting.batches, waiting.changes);
            }
            match verified.findings.count {
                0 => println!("nothing was altered, nothing is missing, nothing is too much"),
                1 => println!("1 finding"),
                count => println!("{count} findings"),
            }
        }
    }
    Ok(ExitCode::from(u8::from(!verified.findings.is_empty())))
}

fn told(verified: &Verified) -> serde_json::Value {
    let findings = verified.findings.first.iter().map(|finding| json!({"place": finding.place, "what": finding.what}));
    json!({
        "size": verified.head.size, "root": verified.head.root.hex(), "decisions": verified.decisions,
        "batches": verified.batches, "changes": verified.changes,
        "waiting": {"batches": verified.waiting.batches, "changes": verified.waiting.changes},
        "findings": findings.collect::<Vec<_>>(), "findings_count": verified.findings.count,
    })
}

fn proof(format: Format, file: &Path, key: &SiteKey) -> Result<ExitCode, Box<dyn Error>> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("`{}` cannot be read: {error}", file.display()))?;
    let saved: Saved = serde_json::from_str(&text).map_err(|error| {
        format!("`{}` is no proof: expected what `proffer audit prove --format json` prints: {error}", file.display())
    })?;
    match check(&saved, key) {
        Ok(checkpoint) => {
            let (id, size) = (&saved.decision_id, checkpoint.size);
            match format {
                Format::Json => println!("{}", json!({"decision_id": id, "position": saved.position, "size": size})),
                Format::Text => println!("decision {id} stands at position {} of {size} leaves", saved.position),
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("error: the proof does not hold: {error}");
            Ok(ExitCode::from(1))
        }
    }
}

fn check(saved: &Saved, key: &SiteKey) -> Result<Checkpoint, Malformed> {
    let bytes =
        |text: &str| STANDARD.decode(text).map_err(|error| Malformed(format!("`{text}` is no Base64: {error}")));
    let checkpoint = Checkpoint::open(&saved.checkpoint, key)?;
    let record = bytes(&saved.record)?;
    let skeleton = decode_skeleton(&record)?;
    if DecisionId::parse(&saved.decision_id)? != skeleton.decision_id {
        return Err(Malformed(format!("it has the record of decision {}", skeleton.decision_id)));
    }
    let hash = |text: &String| {
        Digest::from_slice(&bytes(text)?).ok_or_else(|| Malformed(format!("`{text}` is no hash of 32 bytes")))
    };
    let path = saved.path.iter().map(hash).collect::<Result<Vec<_>, _>>()?;
    if !verify_inclusion(leaf(&record), saved.position, (checkpoint.size, checkpoint.root), &path) {
        return Err(Malformed::new("the record does not lead to the root of the checkpoint: one of them was altered"));
    }
    Ok(checkpoint)
}
