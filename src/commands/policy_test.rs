//! `proffer policy test`: tries the tests of a bundle and says which rules they leave uncovered. Judges nothing itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use proffer::decision::trial::{Trial, Tried, try_all};
use proffer::domain::RuleId;
use proffer::policy::{Bundle, did_you_mean};
use serde_json::{Value, json};

use super::Format;
use super::policy::counted;
use super::policy_findings::checked;

/// Arguments of `proffer policy test`.
#[derive(Args)]
pub struct TestArgs {
    /// Folder of the bundle.
    #[arg(default_value = "policies")]
    folder: PathBuf,
    /// Only the cases that expect this rule or are left out by it, and only its coverage.
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Let rules pass that no case shows from both sides.
    #[arg(long)]
    allow_uncovered: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Runs the command.
pub fn run(args: &TestArgs) -> ExitCode {
    let (bundle, tests) = match checked(&args.folder, args.format.into()) {
        Ok(checked) => checked,
        Err(code) => return code,
    };
    let bundle = Arc::new(bundle);
    let mut trial = try_all(&bundle, &tests);
    if let Some(name) = &args.rule {
        match rule(&bundle, name) {
            Ok(id) => trial = trial.about(&id),
            Err(message) => {
                eprintln!("error: {message}");
                return ExitCode::from(2);
            }
        }
    }
    for tried in &mut trial.cases {
        tried.path = in_folder(&args.folder, &tried.path);
    }
    let holds = trial.failed().count() == 0 && (args.allow_uncovered || trial.gaps().count() == 0);
    match args.format {
        Format::Text => print(&args.folder, &trial, args.allow_uncovered),
        Format::Json => println!("{}", as_json(&args.folder, &trial, holds)),
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn rule(bundle: &Bundle, name: &str) -> Result<RuleId, String> {
    let found = bundle.rules.iter().find(|rule| rule.id.as_str() == name).map(|rule| rule.id.clone());
    found.ok_or_else(|| {
        let meant = did_you_mean(name, bundle.rules.iter().map(|rule| rule.id.as_str()));
        format!("the bundle has no rule `{name}`{meant}")
    })
}

fn in_folder(folder: &Path, path: &str) -> String {
    folder.join(path).to_string_lossy().into_owned()
}

fn print(folder: &Path, trial: &Trial, allow_uncovered: bool) {
    for tried in trial.failed() {
        println!("{tried}\n");
    }
    let gaps: Vec<_> = trial.gaps().collect();
    if !gaps.is_empty() {
        println!("not covered{}:", if allow_uncovered { " (allowed)" } else { "" });
        for (cover, gap) in &gaps {
            println!("  {}:{}: `{}`: {gap}", in_folder(folder, &cover.path), cover.line, cover.rule);
        }
        println!(
            "  in tests/*.test.yaml, write a case that expects the rule and one about the same offers that does not\n"
        );
    }
    let (failed, own) = (trial.failed().count(), trial.rules.iter().filter(|cover| cover.line > 0).count());
    let failed = match failed {
        0 => "all hold".to_owned(),
        1 => "1 fails".to_owned(),
        some => format!("{some} fail"),
    };
    let covered = match gaps.len() {
        0 => "all covered".to_owned(),
        some => format!("{some} not covered"),
    };
    println!(
        "{}: {}, {failed}; {}, {covered}",
        folder.display(),
        counted(trial.cases.len(), "case"),
        counted(own, "rule")
    );
}

fn as_json(folder: &Path, trial: &Trial, holds: bool) -> Value {
    let uncovered = trial.gaps().map(|(cover, gap)| {
        let path = in_folder(folder, &cover.path);
        json!({"rule": cover.rule, "path": path, "line": cover.line, "gap": gap})
    });
    let failed: Vec<&Tried> = trial.failed().collect();
    json!({
        "ok": holds,
        "cases": trial.cases.len(),
        "failed": failed,
        "uncovered": uncovered.collect::<Vec<Value>>(),
        "rules": trial.rules,
    })
}
