//! `proffer policy`: checks policy files. Publishes nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use proffer::policy::{Finding, compile};
use proffer::runtime::{StartError, mistakes, read_policies};

use super::{Format, failed};

/// Arguments of `proffer policy`.
#[derive(Args)]
#[command(after_help = "Example:\n  proffer policy check policies")]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Subcommand)]
enum PolicyCommand {
    /// Check a bundle and say everything that is wrong with it, with line and column.
    #[command(after_help = "Exit code 0: nothing is wrong; 1: something is; 2: there is no such folder.\n\n\
        Examples:\n  proffer policy check\n  \
    proffer policy check /etc/proffer/policies --format json")]
    Check {
        /// Folder of the bundle.
        #[arg(default_value = "policies")]
        folder: PathBuf,
        /// How to print what was found.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// A finding with the folder before its path, as an editor opens it.
fn placed(folder: &Path, finding: &Finding) -> Finding {
    Finding { path: folder.join(&finding.path).to_string_lossy().into_owned(), ..finding.clone() }
}

/// Prints findings on standard error.
pub fn print_findings(folder: &Path, findings: &[Finding]) {
    for finding in findings {
        eprintln!("{}\n", placed(folder, finding));
    }
}

/// Runs the command.
pub fn run(args: &PolicyArgs) -> ExitCode {
    let PolicyCommand::Check { folder, format } = &args.command;
    let sources = match read_policies(folder) {
        Ok(sources) => sources,
        Err(StartError::Read { path, source }) => {
            eprintln!("error: `{}` cannot be read: {source}; name the folder of a bundle", path.display());
            return ExitCode::from(2);
        }
        Err(error) => return failed(&error),
    };
    match (compile(&sources), format) {
        (Ok(bundle), Format::Text) => {
            println!(
                "{}: {} files, {} placements, {} rules; nothing is wrong",
                folder.display(),
                bundle.sources.len(),
                bundle.placements.len(),
                bundle.rules.len()
            );
            println!("bundle {}", bundle.hash_text());
            ExitCode::SUCCESS
        }
        (Ok(bundle), Format::Json) => {
            println!("{}", serde_json::json!({"ok": true, "bundle": bundle.hash_text(), "findings": []}));
            ExitCode::SUCCESS
        }
        (Err(findings), Format::Text) => {
            print_findings(folder, &findings);
            eprintln!("{} in {}", mistakes(findings.len()), folder.display());
            ExitCode::from(1)
        }
        (Err(findings), Format::Json) => {
            let findings: Vec<Finding> = findings.iter().map(|finding| placed(folder, finding)).collect();
            println!("{}", serde_json::json!({"ok": false, "findings": findings}));
            ExitCode::from(1)
        }
    }
}
