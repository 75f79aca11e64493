//! Findings as commands print them: for people, for machines, for code hosts. Looks for none itself.

use std::path::Path;
use std::process::ExitCode;

use proffer::policy::{Bundle, Finding, Tests, compile_with_tests, sarif};
use proffer::runtime::{StartError, mistakes, read_policies};
use serde_json::Value;

use super::{Format, failed};

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FindingFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

impl From<Format> for FindingFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

/// Findings with the folder before their paths, as an editor opens them.
pub fn placed(folder: &Path, findings: &[Finding]) -> Vec<Finding> {
    let path = |finding: &Finding| folder.join(&finding.path).to_string_lossy().into_owned();
    findings.iter().map(|finding| Finding { path: path(finding), ..finding.clone() }).collect()
}

/// Prints findings on standard error.
pub fn print_findings(folder: &Path, findings: &[Finding]) {
    for finding in placed(folder, findings) {
        eprintln!("{finding}\n");
    }
}

/// Prints a document for machines.
pub fn print_json(value: &Value) {
    println!("{value}");
}

/// Reads, compiles and checks the bundle of a folder with its tests, or tells what is wrong and how to exit.
pub fn checked(folder: &Path, format: FindingFormat) -> Result<(Bundle, Tests), ExitCode> {
    let sources = read_policies(folder).map_err(|error| match error {
        StartError::Read { path, source } => {
            eprintln!("error: `{}` cannot be read: {source}; name the folder of a bundle", path.display());
            ExitCode::from(2)
        }
        error => failed(&error),
    })?;
    compile_with_tests(&sources).map_err(|findings| tell(folder, &findings, format))
}

/// Prints what is wrong with the bundle of a folder.
pub fn tell(folder: &Path, findings: &[Finding], format: FindingFormat) -> ExitCode {
    match format {
        FindingFormat::Text => {
            print_findings(folder, findings);
            eprintln!("{} in {}", mistakes(findings.len()), folder.display());
        }
        FindingFormat::Json => {
            let findings = placed(folder, findings);
            print_json(&serde_json::json!({"ok": false, "findings": findings}));
        }
        FindingFormat::Sarif => print_json(&sarif(&placed(folder, findings))),
    }
    ExitCode::from(1)
}
