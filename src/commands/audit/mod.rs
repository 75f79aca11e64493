//! `proffer audit`: proofs, verification, witnessing and recorded decisions made again, on the store itself or through
//! a service. Judges nothing: the library does.

mod prove;
mod replay;
mod verify;
mod witness;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use proffer::config::Settings;
use proffer::config::keyfile::Keys;
use proffer::runtime::keys_of;
use proffer::store::{self, Store};

use super::{Format, failed, serve};

/// Arguments of `proffer audit`.
#[derive(Args)]
#[command(after_help = "Exit code 0: all is well; 1: something is wrong.\n\nExamples:\n  proffer audit verify\n  \
proffer audit replay 01969e0c-8a00-7000-8000-000000000001\n  proffer audit replay --sample 1000 --seed 7\n  \
proffer audit prove 01969e0c-8a00-7000-8000-000000000001 --format json\n  \
proffer audit witness --seen shop.checkpoint")]
pub struct AuditArgs {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The store: `sqlite:PATH` or `postgres://...`.
    #[arg(long, value_name = "URL", global = true)]
    store: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "text", global = true)]
    format: Format,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Make decisions again, and compare them byte for byte with what is recorded.
    Replay(replay::ReplayArgs),
    /// Prove that a decision stands in the log.
    Prove(prove::ProveArgs),
    /// Verify every record, batch, change, tile, root and signature of a store, or a proof that was saved.
    Verify(verify::VerifyArgs),
    /// Keep the newest checkpoint, and say whether the log still begins with the one kept before.
    Witness(witness::WitnessArgs),
}

/// A store with the keys that belong to it.
struct Site {
    store: Arc<dyn Store>,
    keys: Keys,
    settings: Settings,
}

impl AuditArgs {
    fn settings(&self) -> Result<Settings, Box<dyn Error>> {
        let mut settings = serve::settings(self.config.as_ref())?;
        settings.store = self.store.clone().unwrap_or(settings.store);
        settings.complete();
        Ok(settings)
    }

    async fn site(&self) -> Result<Site, Box<dyn Error>> {
        let settings = self.settings()?;
        let store: Arc<dyn Store> = store::open(&settings.store, 2).await?;
        let (keys, _) = keys_of(store.as_ref(), &settings.key_file).await?;
        Ok(Site { store, keys, settings })
    }
}

/// Runs the command.
pub async fn run(args: AuditArgs) -> ExitCode {
    let done = match &args.command {
        AuditCommand::Replay(replay) => replay::run(&args, replay).await,
        AuditCommand::Prove(prove) => prove::run(&args, prove).await,
        AuditCommand::Verify(verify) => verify::run(&args, verify).await,
        AuditCommand::Witness(witness) => witness::run(&args, witness).await,
    };
    done.unwrap_or_else(|error| failed(error.as_ref()))
}
