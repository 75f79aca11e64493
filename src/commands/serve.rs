//! `proffer serve`: runs the service until it is told to stop. Answers nothing itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use proffer::config::Settings;
use proffer::policy::compile;
use proffer::runtime::{Approver, StartError, read_policies};

use super::{failed, local, policy_findings, watch};

/// Arguments of `proffer serve`.
#[derive(Args)]
#[command(after_help = "Settings come from defaults, then --config, then PROFFER_... variables and\n\
DATABASE_URL, then flags.\n\n\
Examples:\n  proffer serve\n  proffer serve --listen 0.0.0.0:8080 --policies /etc/proffer/policies\n  \
DATABASE_URL=postgres://localhost/shop proffer serve\n  proffer serve --print-config")]
pub struct ServeArgs {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Folder of the policy bundle.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// Where to keep everything: `sqlite:PATH` or `postgres://...`.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Put the bundle of the folder in force whenever its files change; one that people have not approved is refused.
    #[arg(long)]
    watch: bool,
    /// Print the settings in force and stop.
    #[arg(long)]
    print_config: bool,
}

/// Settings from file and environment.
pub fn settings(config: Option<&PathBuf>) -> Result<Settings, proffer::config::ConfigError> {
    Settings::load(config.map(PathBuf::as_path), &|name| std::env::var(name).ok())
}

/// Runs the command.
pub async fn run(args: ServeArgs) -> ExitCode {
    let mut settings = match settings(args.config.as_ref()) {
        Ok(settings) => settings,
        Err(error) => return failed(&error),
    };
    settings.listen = args.listen.unwrap_or(settings.listen);
    settings.policies = args.policies.unwrap_or(settings.policies);
    settings.store = args.store.unwrap_or(settings.store);
    settings.complete();
    if args.print_config {
        // What is printed ends up in tickets and logs.
        settings.store = shown(&settings.store);
        print!("{}", settings.print());
        return ExitCode::SUCCESS;
    }
    let policies = match read_policies(&settings.policies) {
        Ok(policies) => policies,
        Err(error) => return failed(&error),
    };
    // Before a file is made or a port taken.
    let bundle = match compile(&policies) {
        Ok(bundle) => bundle,
        Err(findings) => {
            policy_findings::print_findings(&settings.policies, &findings);
            return failed(&StartError::Policies(findings));
        }
    };
    let (own, folder) = (bundle.hash_text(), settings.policies.clone());
    let admin = settings.admin_key_file.clone();
    let store = settings.store.clone();
    let files = policies.clone();
    let (core, listening) = match local::start(settings, policies, None).await {
        Ok(started) => started,
        Err(error) => return failed(error.as_ref()),
    };
    let snapshot = core.snapshot();
    let approved = Approver { store: core.store.clone() }.permits(&bundle, core.clock.now()).await.is_ok();
    eprintln!("proffer {} listens on http://{}", env!("CARGO_PKG_VERSION"), listening.address);
    eprintln!("  store     {}", shown(&store));
    let (rules, active) = (snapshot.bundle.rules.len(), snapshot.bundle.hash_text());
    if active == own {
        eprintln!("  policies  {} ({rules} rules), {active}", folder.display());
    } else {
        eprintln!("  policies  the active bundle of the store ({rules} rules), {active}");
        let at = folder.display();
        if approved {
            eprintln!("            {at} holds {own}, which is neither new to the store nor in force;");
            eprintln!("            `proffer policy activate {at}` puts it in force");
        } else {
            eprintln!("            {at} holds {own}, which people have not approved;");
            eprintln!("            `proffer policy approvals {at}` shows what is missing");
        }
    }
    eprintln!("  catalogue revision {}, {} offers", snapshot.catalogue.revision, snapshot.catalogue.offers().len());
    if admin.exists() {
        eprintln!("  admin key in {}", admin.display());
    }
    let handle = listening.handle.clone();
    let serving = tokio::spawn(listening.server);
    let watching = args.watch.then(|| tokio::spawn(watch::watch(core.clone(), folder, files)));
    let stopped = wait_for_stop().await;
    if let Err(error) = stopped {
        return failed(&error);
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    eprintln!("stopping: requests in flight are answered first");
    handle.stop(true).await;
    let served = serving.await;
    core.stop().await;
    match served {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

/// The store's address without its password.
fn shown(store: &str) -> String {
    match (store.find("://"), store.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let user = store[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}://{user}@{}", &store[..scheme], &store[at + 1..])
        }
        _ => store.to_owned(),
    }
}

/// Returns at Ctrl-C or SIGTERM.
pub async fn wait_for_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(shown("postgres://shop:secret@db/shop"), "postgres://shop@db/shop");
        assert_eq!(shown("sqlite:proffer.sqlite"), "sqlite:proffer.sqlite");
    }
}
