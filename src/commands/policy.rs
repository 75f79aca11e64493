//! `proffer policy`: checks policy files. What concerns a store is handed over to [`bundles`](super::bundles).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use proffer::domain::Timestamp;
use proffer::policy::{Bundle, lacking, sarif};
use proffer::runtime::{Clock, Export};
use proffer::transparency::signature::SiteKey;

use super::bundles::{InStore, told};
use super::policy_approvals::{self, ApprovalsArgs, ApproveArgs, RevokeArgs};
use super::policy_delay::{self, DelayArgs};
use super::policy_diff::{self, DiffArgs};
use super::policy_explain::{self, ExplainArgs};
use super::policy_findings::{FindingFormat, checked, print_json, tell};
use super::policy_fmt::{self, FmtArgs};
use super::policy_init::{self, InitArgs};
use super::policy_lint::{self, LintArgs};
use super::policy_measure::{self, MeasureArgs};
use super::policy_schema::{self, SchemaArgs};
use super::policy_test::{self, TestArgs};
use super::{bundles, failed};

/// Arguments of `proffer policy`.
#[derive(Args)]
#[command(
    after_help = "A running service takes an activation up within a second; no decision is committed under the old \
bundle once\nthe command has returned.\n\nExamples:\n  proffer policy init\n  proffer policy check policies\n  proffer policy test policies\n  proffer policy publish policies\n  \
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
    proffer policy check /etc/proffer/policies --format json\n  \
    proffer policy check --format sarif > policies.sarif")]
    Check {
        /// Folder of the bundle.
        #[arg(default_value = "policies")]
        folder: PathBuf,
        /// How to print what was found.
        #[arg(long, value_enum, default_value = "text")]
        format: FindingFormat,
        /// Check approvals too, by a file that `proffer policy approvals --export FILE` made.
        #[arg(long, value_name = "FILE", requires = "site_key")]
        approvals: Option<PathBuf>,
        /// The public key of the site whose export it is, as `proffer policy approvals --site-key` prints it.
        #[arg(long, value_name = "ed25519:KEY", env = "PROFFER_SITE_KEY")]
        site_key: Option<String>,
    },
    /// Warn of what a bundle says and can hardly mean: rules that never or always fire, shadow or contradict another.
    Lint(LintArgs),
    /// Say in sentences what changed from one bundle to another.
    Diff(DiffArgs),
    /// Say what a rule does in plain words, or what the code of a finding means.
    Explain(ExplainArgs),
    /// Bring the files of a bundle into their canonical layout, with their comments.
    Fmt(FmtArgs),
    /// Write JSON Schemas by which editors complete and check the files of a bundle.
    Schema(SchemaArgs),
    /// Try the tests of a bundle: exactly which rules leave which offer out, and which rules no case shows.
    #[command(after_help = "Cases are kept in tests/*.test.yaml, and the customers and offers that they share in \
tests/fixtures/*.yaml.\nEvery rule needs a case in which it leaves an offer out and one in which it is asked and does \
not.\n\nExit code 0: every case holds and every rule is covered; 1: not so; 2: there is no such folder or rule.\n\n\
        Examples:\n  proffer policy test\n  \
    proffer policy test policies --rule margin.floor.beauty\n  \
    proffer policy test /etc/proffer/policies --format json")]
    Test(TestArgs),
    /// Write a small complete bundle to start from, with tests that pass.
    #[command(after_help = "Every file says what it is for. Nothing is written into a folder that holds anything.\n\n\
        Examples:\n  proffer policy init\n  \
    proffer policy init my-shop/policies")]
    Init(InitArgs),
    /// Fit the delay curve of a placement: how long after decisions their orders or clicks come.
    #[command(
        after_help = "Prints what has come by which age (Kaplan-Meier, with two deviations), the curve in force \
beside it, and\nthe `delay` to paste into placements.yaml.\n\nExit code 0: fitted; 1: there is no reward to fit; \
2: there is no such placement, bundle or world.\n\n\
        Examples:\n  proffer policy delay home_banner\n  \
    proffer policy delay home_banner --by-offer 200 --store postgres://localhost/shop\n  \
    proffer policy delay home_banner --world simulators/shop.yaml"
    )]
    Delay(DelayArgs),
    /// Measure what fairness gates ask for over recorded decisions, and let the bundle name the report.
    #[command(
        after_help = "Of customers who agreed to `measurement` the value that names their group is read, and of nobody \
else.\nThe report is kept in the store under its hash. A folder is given a fairness.yaml that names it: without one \
that\nholds, is young enough and is about these files, the bundle cannot be put in force.\n\n\
Exit code 0: every gate holds; 1: one does not, or too little is known; 2: there is no such bundle.\n\n\
        Examples:\n  proffer policy measure policies\n  \
    proffer policy measure policies --store postgres://localhost/shop --out fairness.json\n  \
    proffer policy measure active --from 2026-10-01 --to 2026-11-01 --format json"
    )]
    Measure(MeasureArgs),
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
    /// Show what a bundle asks people to approve, who approved what until when, and what is missing.
    Approvals(ApprovalsArgs),
    /// Approve a use of an attribute, an offer or a bundle, under the authority of your key.
    Approve(ApproveArgs),
    /// Take an approval back: the very next decision obeys.
    Revoke(RevokeArgs),
    /// Show the active bundle, since when and by whom, and those before it.
    #[command(after_help = "Example:\n  proffer policy status --format json")]
    Status {
        #[command(flatten)]
        at: InStore,
    },
}

/// Runs the command.
pub async fn run(args: &PolicyArgs) -> ExitCode {
    let ended = match &args.command {
        PolicyCommand::Check { folder, format, approvals, site_key } => {
            let export = approvals.as_deref().zip(site_key.as_deref());
            return check(folder, *format, export);
        }
        PolicyCommand::Lint(args) => return policy_lint::run(args),
        PolicyCommand::Explain(args) => return policy_explain::run(args),
        PolicyCommand::Diff(args) => policy_diff::run(args).await,
        PolicyCommand::Schema(args) => return policy_schema::run(args),
        PolicyCommand::Fmt(args) => return policy_fmt::run(args),
        PolicyCommand::Test(args) => return policy_test::run(args),
        PolicyCommand::Init(args) => return policy_init::run(args),
        PolicyCommand::Delay(args) => policy_delay::run(args).await,
        PolicyCommand::Measure(args) => policy_measure::run(args).await,
        PolicyCommand::Publish { folder, at } => bundles::publish(folder, at).await,
        PolicyCommand::Activate { target, at } => bundles::activate(target, at).await,
        PolicyCommand::Rollback { at } => bundles::rollback(at).await,
        PolicyCommand::Approvals(args) => policy_approvals::approvals(args).await,
        PolicyCommand::Approve(args) => policy_approvals::approve(args).await,
        PolicyCommand::Revoke(args) => policy_approvals::revoke(args).await,
        PolicyCommand::Status { at } => bundles::status(at).await,
    };
    ended.unwrap_or_else(|error| failed(error.as_ref()))
}

/// A number of things: `1 case`, `2 cases`.
pub fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// What approvals say of a bundle that compiles.
enum Approvals {
    /// It asks for none.
    NotAsked,
    /// Nobody said which there are.
    NotChecked,
    /// All are there, as of an instant.
    AsOf(Timestamp),
}

impl Approvals {
    fn note(&self, folder: &Path) -> String {
        match self {
            Self::NotAsked => "note: nobody has to approve anything here; `approvers` in bundle.yaml says what people \
                               must approve"
                .to_owned(),
            Self::NotChecked => format!(
                "note: it asks for approvals, and none were looked at: `proffer policy approvals {}` shows them, and \
                 `--approvals FILE` checks an export",
                folder.display()
            ),
            Self::AsOf(at) => format!("approved as of {at}"),
        }
    }
}

/// What an export of approvals says of a bundle, or how to exit after everything missing is printed.
fn approved(
    (folder, bundle): (&Path, &Bundle),
    export: Option<(&Path, &str)>,
    format: FindingFormat,
) -> Result<Approvals, ExitCode> {
    let Some((path, key)) = export else {
        return Ok(if bundle.demands.is_empty() { Approvals::NotAsked } else { Approvals::NotChecked });
    };
    let key = SiteKey::parse(key).map_err(|error| told(&format!("--site-key: {error}"), 2))?;
    let text = std::fs::read_to_string(path).map_err(|error| {
        told(&format!("`{}` cannot be read: {error}; name a file with exported approvals", path.display()), 2)
    })?;
    let export = Export::read(&text, &key).map_err(|error| told(&format!("`{}`: {error}", path.display()), 1))?;
    let findings = lacking(bundle, &export.approvals, Clock::present());
    if findings.is_empty() { Ok(Approvals::AsOf(export.at)) } else { Err(tell(folder, &findings, format)) }
}

fn check(folder: &Path, format: FindingFormat, export: Option<(&Path, &str)>) -> ExitCode {
    let checked = checked(folder, format)
        .and_then(|(bundle, tests)| Ok((approved((folder, &bundle), export, format)?, bundle, tests)));
    let (approvals, bundle, tests) = match checked {
        Ok(checked) => checked,
        Err(code) => return code,
    };
    match format {
        FindingFormat::Text => {
            println!(
                "{}: {}, {}, {}, {}; nothing is wrong",
                folder.display(),
                counted(bundle.sources.len(), "file"),
                counted(bundle.placements.len(), "placement"),
                counted(bundle.rules.iter().filter(|rule| rule.place.1 > 0).count(), "rule"),
                counted(tests.cases.len(), "test case")
            );
            println!("bundle {}", bundle.hash_text());
            println!("{}", approvals.note(folder));
        }
        FindingFormat::Json => {
            let note = approvals.note(folder);
            print_json(&serde_json::json!({
                "ok": true, "bundle": bundle.hash_text(), "findings": [], "notes": [note],
            }));
        }
        FindingFormat::Sarif => print_json(&sarif(&[])),
    }
    ExitCode::SUCCESS
}
