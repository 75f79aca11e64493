//! `proffer audit prove`: the proof that a decision stands in the log, from the store. Verifies it before it is shown.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use proffer::api::log::shown;
use proffer::domain::{DecisionId, Malformed};
use proffer::runtime::proofs::{Proved, prove};
use proffer::runtime::site_key;
use proffer::transparency::checkpoint::verifier;
use proffer::transparency::proof::verify_inclusion;

use super::{AuditArgs, Format};

/// Arguments of `proffer audit prove`.
#[derive(Args)]
#[command(
    after_help = "With `--format json` it prints what `proffer audit verify --proof` reads, and what the service \
answers to `GET /v1/decisions/{id}/proof`.\n\nExamples:\n  proffer audit prove 01969e0c-8a00-7000-8000-000000000001\n  \
proffer audit prove 01969e0c-8a00-7000-8000-000000000001 --format json > proof.json"
)]
pub struct ProveArgs {
    /// The decision's id.
    #[arg(value_name = "ID", value_parser = decision)]
    id: DecisionId,
}

fn decision(text: &str) -> Result<DecisionId, Malformed> {
    DecisionId::parse(text)
}

pub(super) async fn run(args: &AuditArgs, prove_args: &ProveArgs) -> Result<ExitCode, Box<dyn Error>> {
    let (site, id) = (args.site().await?, prove_args.id);
    let proof = match prove(site.store.as_ref(), id).await? {
        Proved::Logged(proof) => proof,
        Proved::NotYet => {
            eprintln!("error: decision `{id}` is stored and no checkpoint covers it yet: a running service signs one");
            return Ok(ExitCode::from(1));
        }
        Proved::Unknown => {
            eprintln!("error: no decision `{id}` is stored");
            return Ok(ExitCode::from(1));
        }
    };
    let (leaf, checkpoint) = (proof.stored.record.leaf, &proof.checkpoint);
    if !verify_inclusion(leaf, proof.position, (checkpoint.size, checkpoint.root), &proof.path) {
        eprintln!(
            "error: what is stored of decision `{id}` does not lead to the checkpoint; run `proffer audit verify`"
        );
        return Ok(ExitCode::from(1));
    }
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&shown(&proof))?),
        Format::Text => {
            let key = site_key(&site.keys.master);
            println!("decision    {id}");
            println!("position    {} of {} leaves", proof.position, checkpoint.size);
            println!("leaf        {}", leaf.hex());
            for hash in &proof.path {
                println!("beside      {}", hash.hex());
            }
            println!("root        {}", checkpoint.root.hex());
            println!("site key    {key}");
            println!("verifier    {}", verifier(&checkpoint.origin, &key));
            println!("\n{}", proof.note.trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}
