//! `proffer keys`: API keys and webhook secrets, made and revoked in the store. Authorises nothing.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use proffer::runtime::{KeyMaker, PeriodMaker, Revealing, Role, keys_of};
use proffer::store;

use super::{Format, failed, serve};

/// Arguments of `proffer keys`.
#[derive(Args)]
#[command(after_help = "A running service takes changes up within a second.\n\nExamples:\n  \
proffer keys create shop-front --role decide\n  proffer keys create-source checkout\n  proffer keys list\n  \
proffer keys revoke shop-front")]
pub struct KeysArgs {
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
    command: KeysCommand,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make an API key; it is printed once and only its hash is kept.
    #[command(after_help = "Example:\n  proffer keys create shop-front --role decide\n  proffer keys create auditor \
    --role audit --role privacy --store sqlite:shop.sqlite")]
    Create {
        /// For people; unique among the keys in force.
        #[arg(value_parser = name)]
        name: String,
        /// What it may do; give it several times for several roles.
        #[arg(long = "role", required = true, value_name = "ROLE", value_parser = Role::parse)]
        roles: Vec<Role>,
    },
    /// Make a source of outcomes; its webhook secret is printed once and kept sealed.
    #[command(after_help = "Example:\n  proffer keys create-source checkout")]
    CreateSource {
        /// As in the field `source` of its events.
        #[arg(value_parser = name)]
        name: String,
    },
    /// List keys and sources.
    #[command(after_help = "Example:\n  proffer keys list --format json")]
    List,
    /// Begin another key period: draws are made with a new key by whoever starts from then on.
    #[command(
        after_help = "The hash of the new key is written into the record of changes, and so into the log, before \
    anything is drawn with it. Restart every node, with the new key file where nodes have their own; then the key of \
    the period before can be revealed, and everybody can recompute what was drawn with it.\n\nExample:\n  \
    proffer keys rotate-generator"
    )]
    RotateGenerator,
    /// Reveal the key of a period that is over, so that everybody can recompute its draws.
    #[command(
        after_help = "Refused while a node draws under it. `proffer audit verify` recomputes the draws of every \
    period that was revealed.\n\nExample:\n  proffer keys reveal-generator --period 1"
    )]
    RevealGenerator {
        /// The period, from 1.
        #[arg(long, value_name = "N")]
        period: u32,
    },
    /// Revoke an API key.
    #[command(after_help = "Example:\n  proffer keys revoke shop-front")]
    Revoke {
        /// The key's name.
        name: String,
    },
}

/// A name that can be told apart in a list and typed again.
fn name(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err("expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`".to_owned())
}

/// Makes keys, and begins and ends the periods of the generator.
async fn makers(args: &KeysArgs) -> Result<(KeyMaker, PeriodMaker), Box<dyn Error>> {
    let mut settings = serve::settings(args.config.as_ref())?;
    settings.store = args.store.clone().unwrap_or(settings.store);
    settings.complete();
    let store: Arc<dyn store::Store> = store::open(&settings.store, 1).await?;
    let (keys, _) = keys_of(store.as_ref(), &settings.key_file).await?;
    let periods = PeriodMaker { store: store.clone(), key_file: settings.key_file };
    Ok((KeyMaker { store, master: keys.master }, periods))
}

/// Runs the command.
pub async fn run(args: KeysArgs) -> ExitCode {
    match execute(&args).await {
        Ok(code) => code,
        Err(error) => failed(error.as_ref()),
    }
}

async fn execute(args: &KeysArgs) -> Result<ExitCode, Box<dyn Error>> {
    let (maker, periods) = makers(args).await?;
    let made = |what: &str, name: &str, secret: Option<String>| match (secret, args.format) {
        (None, _) => {
            eprintln!("error: {what} `{name}` exists already: revoke it first or choose another name");
            ExitCode::from(1)
        }
        (Some(secret), Format::Json) => {
            println!("{}", serde_json::json!({"name": name, "secret": secret}));
            ExitCode::SUCCESS
        }
        (Some(secret), Format::Text) => {
            println!("{secret}");
            eprintln!("made {what} `{name}`; this is the only time it is shown");
            ExitCode::SUCCESS
        }
    };
    match &args.command {
        KeysCommand::Create { name, roles } => {
            Ok(made("key", name, maker.create_key(name, roles, "command line").await?))
        }
        KeysCommand::CreateSource { name } => {
            Ok(made("source", name, maker.create_source(name, "command line").await?))
        }
        KeysCommand::RotateGenerator => {
            let period = periods.rotate("command line").await?;
            match args.format {
                Format::Json => println!("{}", serde_json::json!({"period": period})),
                Format::Text => println!("key period {period} begins with the next start of each node"),
            }
            Ok(ExitCode::SUCCESS)
        }
        KeysCommand::RevealGenerator { period } => match periods.reveal(*period, "command line").await? {
            Revealing::Revealed => {
                eprintln!("revealed the key of period {period}");
                Ok(ExitCode::SUCCESS)
            }
            Revealing::Refused(why) => {
                eprintln!("error: {why}");
                Ok(ExitCode::from(1))
            }
        },
        KeysCommand::Revoke { name } => {
            if maker.revoke_key(name, "command line").await? {
                eprintln!("revoked `{name}`");
                return Ok(ExitCode::SUCCESS);
            }
            eprintln!("error: no key in force is called `{name}`; `proffer keys list` shows them");
            Ok(ExitCode::from(1))
        }
        KeysCommand::List => {
            let (keys, sources) = (maker.store.keys().await?, maker.store.sources().await?);
            match args.format {
                Format::Json => {
                    let keys: Vec<serde_json::Value> = keys
                        .iter()
                        .map(|key| {
                            serde_json::json!({
                                "name": key.name, "roles": key.roles.split(',').collect::<Vec<_>>(),
                                "created_at": key.created_at, "revoked_at": key.revoked_at,
                            })
                        })
                        .collect();
                    let sources: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
                    println!("{}", serde_json::json!({"keys": keys, "sources": sources}));
                }
                Format::Text => {
                    for key in keys {
                        let state = key.revoked_at.map_or("in force".to_owned(), |at| format!("revoked {at}"));
                        println!("key     {:24} {:32} {state}", key.name, key.roles);
                    }
                    for source in sources {
                        println!("source  {:24} made {}", source.name, source.created_at);
                    }
                }
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
