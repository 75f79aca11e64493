//! `proffer policy lint`: warns of what a bundle says and can hardly mean. Looks for nothing itself.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use proffer::decision::trial::try_all;
use proffer::domain::{RuleId, Timestamp};
use proffer::policy::{Finding, LINTS, Linted, did_you_mean, lint, sarif};
use proffer::runtime::Clock;
use serde_json::json;

use super::policy::counted;
use super::policy_findings::{FindingFormat, checked, placed, print_json};

/// Arguments of `proffer policy lint`.
#[derive(Args)]
#[command(after_help = "Warnings are told with a witness: a customer and an offer that shows it. They stop nothing; \
`--deny warnings` makes\nthem fail, as a pipeline wants it. `proffer policy explain L05` says what a code means.\n\n\
Exit code 0: nothing denied was found; 1: something was, or the bundle has mistakes; 2: there is no such folder.\n\n\
Examples:\n  proffer policy lint\n  proffer policy lint policies --deny warnings --allow L11\n  \
proffer policy lint policies --deny L03 --deny L06 --format sarif")]
pub struct LintArgs {
    /// Folder of the bundle.
    #[arg(default_value = "policies")]
    folder: PathBuf,
    /// Fail where this code is found, or anything at all (`warnings`). May be given several times.
    #[arg(long, value_name = "warnings|CODE")]
    deny: Vec<String>,
    /// Say nothing of this code. May be given several times.
    #[arg(long, value_name = "CODE")]
    allow: Vec<String>,
    /// The instant that rules are over or end soon by; now, if left out.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<Timestamp>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value = "text")]
    format: FindingFormat,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| format!("{error}, such as `2026-11-27T09:00:00Z`"))
}

/// Runs the command.
pub fn run(args: &LintArgs) -> ExitCode {
    for code in args.deny.iter().chain(&args.allow) {
        let known = LINTS.iter().map(|(known, _)| *known);
        if code != "warnings" && !known.clone().any(|known| known == code) {
            let meant = did_you_mean(code, known.chain(["warnings"]));
            eprintln!("error: there is no warning `{code}`{meant} (`warnings`, or a code from L01 on)");
            return ExitCode::from(2);
        }
    }
    let (bundle, tests) = match checked(&args.folder, args.format) {
        Ok(checked) => checked,
        Err(code) => return code,
    };
    let bundle = Arc::new(bundle);
    let trial = try_all(&bundle, &tests);
    let gaps: Vec<(RuleId, &str)> = trial.gaps().map(|(cover, gap)| (cover.rule.clone(), gap)).collect();
    let Linted { mut findings, unsettled } = lint(&bundle, &tests, &gaps, args.at.unwrap_or_else(Clock::present));
    let listed = |codes: &[String], code: &str| codes.iter().any(|named| named == "warnings" || named == code);
    findings.retain(|finding| !listed(&args.allow, finding.code));
    let findings = placed(&args.folder, &findings);
    let denied = findings.iter().filter(|finding| listed(&args.deny, finding.code)).count();
    match args.format {
        FindingFormat::Text => print(args, &findings, &unsettled, denied),
        FindingFormat::Json => {
            print_json(&json!({"ok": denied == 0, "findings": findings, "unsettled": unsettled}));
        }
        FindingFormat::Sarif => print_json(&sarif(&findings)),
    }
    if denied == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn print(args: &LintArgs, findings: &[Finding], unsettled: &[String], denied: usize) {
    for finding in findings {
        println!("{finding}\n");
    }
    if !unsettled.is_empty() {
        println!("not looked through, because there are too many cases:");
        for question in unsettled {
            println!("  {question}");
        }
        println!();
    }
    let found = match findings.len() {
        0 => "nothing to warn of".to_owned(),
        some => counted(some, "warning"),
    };
    let denied = if denied == 0 { String::new() } else { format!(", {denied} denied") };
    println!("{}: {found}{denied}", args.folder.display());
}
