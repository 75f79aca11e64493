//! `proffer policy`: checks policy files. What concerns a store is handed over to [`bundles`](super::bundles).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use proffer::policy::{Finding, compile};
use proffer::runtime::{StartError, mistakes, read_policies};

use super::bundles::InStore;
use super::{Format, bundles, failed};

/// Arguments of `proffer policy`.
#[derive(Args)]
#[command(
    after_help = "A running service takes an activation up within a second; no decision is committed under the old \
bundle once\nthe command has returned.\n\nExamples:\n  proffer policy check policies\n  proffer policy publish policies\n  \
proffer policy activate b3:4f1c29aa\n  proffer policy status\n  proffer policy rollback"
)]
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
    /// Check a bundle and keep it in the store under its hash, without putting it in force.
    #[command(after_help = "Example:\n  proffer policy publish policies\n  \
    DATABASE_URL=postgres://localhost/shop proffer policy publish /etc/proffer/policies")]
    Publish {
        /// Folder of the bundle.
        #[arg(default_value = "policies")]
        folder: PathBuf,
        #[command(flatten)]
        at: InStore,
    },
    /// Put a published bundle, or that of a folder, in force for every process.
    #[command(after_help = "Example:\n  proffer policy activate policies\n  \
    proffer policy activate b3:4f1c29aa --store postgres://localhost/shop")]
    Activate {
        /// A folder, or the hash of a published bundle, or enough of its first digits.
        #[arg(value_name = "HASH|DIR")]
        target: String,
        #[command(flatten)]
        at: InStore,
    },
    /// Put the bundle back in force that was active before this one.
    #[command(after_help = "Example:\n  proffer policy rollback")]
    Rollback {
        #[command(flatten)]
        at: InStore,
    },
    /// Show the active bundle, since when and by whom, and those before it.
    #[command(after_help = "Example:\n  proffer policy status --format json")]
    Status {
        #[command(flatten)]
        at: InStore,
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
pub async fn run(args: &PolicyArgs) -> ExitCode {
    let ended = match &args.command {
        PolicyCommand::Check { folder, format } => return check(folder, *format),
        PolicyCommand::Publish { folder, at } => bundles::publish(folder, at).await,
        PolicyCommand::Activate { target, at } => bundles::activate(target, at).await,
        PolicyCommand::Rollback { at } => bundles::rollback(at).await,
        PolicyCommand::Status { at } => bundles::status(at).await,
    };
    ended.unwrap_or_else(|error| failed(error.as_ref()))
}

fn check(folder: &Path, format: Format) -> ExitCode {
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
