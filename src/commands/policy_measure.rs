//! `proffer policy measure`: measures the fairness gates of a bundle over recorded decisions, keeps the report and lets
//! the bundle name it. Puts nothing in force.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use proffer::domain::Timestamp;
use proffer::policy::{Bundle, FAIRNESS};
use proffer::report::fairness::{FairnessReport, hash_text, text, verdict};
use serde_json::{Value, json};

use super::bundles::{BY, InStore, instant, named, told};

/// Arguments of `proffer policy measure`.
#[derive(Args)]
pub struct MeasureArgs {
    /// A folder, the hash of a published bundle, or `active` for the one in force.
    #[arg(value_name = "DIR|HASH", default_value = "policies")]
    bundle: String,
    /// Measure decisions from this instant or day on; as long before as each gate says, if left out.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// Measure decisions made before this instant or day; until now, if left out.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    /// Write the report as JSON into a file as well.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    at: InStore,
}

/// Runs the command.
pub async fn run(args: &MeasureArgs) -> Result<ExitCode, Box<dyn Error>> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Ok(told(&format!("--from {from} is not before --to {to}: nothing lies between them"), 2));
    }
    let bundle = match named(&args.bundle, &args.at).await? {
        Ok(bundle) => bundle,
        Err(code) => return Ok(code),
    };
    if !bundle.rules.iter().any(proffer::policy::Rule::is_measured) {
        let text = format!("`{}` has no fairness gate with a `metric`: nothing is to be measured", bundle.name);
        args.at.print(&text, &json!({"report": null, "gates": []}));
        return Ok(ExitCode::SUCCESS);
    }
    let measurer = args.at.measurer().await?;
    let now = measurer.store.now().await?;
    let lacking = measurer.lacking(&bundle, now).await?;
    if !lacking.is_empty() {
        let findings: Vec<String> = lacking.iter().map(ToString::to_string).collect();
        let head = "nothing was measured, since nobody approved reading what it compares groups by";
        return Ok(told(&format!("{head}\n\n{}", findings.join("\n\n")), 1));
    }
    let report = measurer.measure(&bundle, (args.from, args.to), now).await?;
    let hash = hash_text(measurer.keep(&report, BY).await?);
    if let Some(path) = &args.out {
        write(path, &report.body())?;
    }
    let folder = Path::new(&args.bundle);
    let mut said = text(&bundle, &report);
    if folder.is_dir() {
        let path = folder.join(FAIRNESS);
        write(
            &path,
            &format!(
                "# Written by `proffer policy measure`: by what report this bundle was measured.\nreport: {hash}\n"
            ),
        )?;
        let _ = write!(said, "\n\nreport {hash}, named in {}", path.display());
    } else {
        let _ = write!(said, "\n\nreport {hash}; a bundle names it by `report: {hash}` in {FAIRNESS}");
    }
    let (holds, gates) = gates(&bundle, &report);
    args.at.print(&said, &json!({"report": hash, "holds": holds, "to": report.to, "gates": gates}));
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Whether every gate holds that is not on trial, and all of them with what was measured.
fn gates(bundle: &Bundle, report: &FairnessReport) -> (bool, Vec<Value>) {
    let (mut all, mut told) = (true, Vec::new());
    for measured in &report.gates {
        let rule = bundle.rules.iter().find(|rule| rule.id == measured.rule);
        let Some((rule, gate)) = rule.and_then(|rule| Some((rule, rule.fairness_gate()?))) else { continue };
        let verdict = verdict(bundle, (rule, gate), measured);
        all &= verdict.holds() || !rule.blocks();
        told.push(json!({
            "rule": rule.id, "verdict": verdict.word(), "why": verdict.sentence(), "on_trial": !rule.blocks(),
            "from": measured.from, "decisions": measured.decisions, "read": measured.read, "found": measured.found,
        }));
    }
    (all, told)
}

fn write(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    std::fs::write(path, text).map_err(|error| format!("`{}` cannot be written: {error}", path.display()).into())
}
