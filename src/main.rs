//! The binary `proffer`: reads the command line and hands over. Nothing is decided here.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Decides which offer, in which content variant, for this customer, here and now, and learns from what follows.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  proffer demo\n  proffer serve --listen 127.0.0.1:8080 --policies policies\n  \
                  proffer policy check policies"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service.
    Serve(commands::serve::ServeArgs),
    /// Show the whole loop: a sample shop, a simulated crowd, three strategies.
    Demo(commands::demo::DemoArgs),
    /// Make, list and revoke API keys and webhook secrets.
    Keys(commands::keys::KeysArgs),
    /// Check policy files; publish and activate bundles.
    Policy(commands::policy::PolicyArgs),
    /// Kill switches and overrides, in force at once: set, list, end.
    Switch(commands::switch::SwitchArgs),
    /// Offers and campaigns as YAML, JSON or CSV: import, export, show.
    Catalog(commands::catalog::CatalogArgs),
    /// Prove decisions, make them again, verify the whole store against its log, witness that the log only grows.
    Audit(commands::audit::AuditArgs),
    /// Let models begin with what was learned elsewhere.
    Model(commands::model::ModelArgs),
    /// Play strategies through recorded events and compare what they would have earned.
    Simulate(commands::simulate::SimulateArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The demo says itself what a person should see of it.
    let quiet = matches!(arguments.command, Command::Demo(_)).then(|| "warn".to_owned());
    proffer::telemetry::start(std::env::var("PROFFER_LOG").ok().or(quiet).as_deref());
    match arguments.command {
        Command::Serve(args) => commands::serve::run(args).await,
        Command::Demo(args) => commands::demo::run(args).await,
        Command::Keys(args) => commands::keys::run(args).await,
        Command::Policy(args) => commands::policy::run(&args).await,
        Command::Switch(args) => commands::switch::run(&args).await,
        Command::Catalog(args) => commands::catalog::run(&args).await,
        Command::Audit(args) => commands::audit::run(args).await,
        Command::Model(args) => commands::model::run(args).await,
        Command::Simulate(args) => commands::simulate::run(&args),
    }
}
