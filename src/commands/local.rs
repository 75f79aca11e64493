//! A service in this process: store, runtime and HTTP server together. Used by `serve` and `demo`; decides nothing.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proffer::config::{Settings, keyfile};
use proffer::policy::Source;
use proffer::runtime::{Clock, Core, Setup, keys_of};
use proffer::{api, store};

/// What a service of this process is started with.
pub struct LocalOptions {
    /// `sqlite:PATH` or `postgres://...`; nothing for a temporary SQLite file.
    pub store: Option<String>,
    /// The policy bundle.
    pub policies: Vec<Source>,
    /// A clock set by hand, for replays.
    pub clock: Option<Clock>,
    /// Address and port; port 0 takes a free one.
    pub listen: String,
}

/// A running service.
pub struct Local {
    /// Where it answers.
    pub url: String,
    /// The runtime behind it.
    pub core: Arc<Core>,
    /// A key that may do everything.
    pub admin_key: String,
    handle: actix_web::dev::ServerHandle,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    folder: Option<PathBuf>,
}

/// Starts runtime and server with these settings.
pub async fn start(
    settings: Settings,
    policies: Vec<Source>,
    clock: Option<Clock>,
) -> Result<(Arc<Core>, api::Listening), Box<dyn Error>> {
    // The address comes first: a second service started by mistake must not take the learner's term from the first.
    let bound = api::bind(&settings.listen).map_err(|error| cannot_listen(&settings.listen, &error))?;
    let store = store::open(&settings.store, settings.connections_max).await?;
    let (keys, new) = keys_of(store.as_ref(), &settings.key_file).await?;
    if new {
        tracing::info!(file = %settings.key_file.display(), "made new keys; keep a backup apart from the database");
    }
    let core = Core::start(Setup { store, settings, keys, policies, clock }).await?;
    let listening = api::serve(&core, bound)?;
    Ok((core, listening))
}

fn cannot_listen(address: &str, error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::AddrInUse => {
            format!("`{address}` is in use by another program: stop that one, or choose another address with --listen")
        }
        ErrorKind::PermissionDenied => {
            format!("this user may not listen on `{address}`: choose a port above 1023 with --listen")
        }
        ErrorKind::InvalidInput => {
            format!("`{address}` is not an address: expected ADDRESS:PORT, such as `127.0.0.1:8080`")
        }
        _ => format!("cannot listen on `{address}`: {error}; choose another address with --listen"),
    }
}

impl Local {
    /// Starts a service for as long as this process wants it.
    pub async fn start(options: LocalOptions) -> Result<Self, Box<dyn Error>> {
        let tag = proffer::domain::SubjectId(keyfile::random()?).hex();
        let folder = std::env::temp_dir().join(format!("proffer-{tag}"));
        std::fs::create_dir(&folder)?;
        let started = Self::start_in(&folder, &tag, options).await;
        if started.is_err() {
            let _ = std::fs::remove_dir_all(&folder);
        }
        started
    }

    async fn start_in(folder: &Path, tag: &str, options: LocalOptions) -> Result<Self, Box<dyn Error>> {
        let store = options.store.unwrap_or_else(|| format!("sqlite:{}", folder.join("store.sqlite").display()));
        // A named store keeps its keys beside it, so that a second run can open it.
        let temporary = store.starts_with(&format!("sqlite:{}", folder.display())) || !store.starts_with("sqlite:");
        let mut settings = Settings { store, listen: options.listen, ..Settings::default() };
        if temporary {
            settings.key_file = folder.join("keys.toml");
            settings.erased_file = folder.join("erased");
            settings.admin_key_file = folder.join("admin-key");
        }
        settings.complete();
        let bundle = proffer::policy::compile(&options.policies).map_err(proffer::runtime::StartError::Policies)?;
        let (core, listening) = start(settings, options.policies, options.clock).await?;
        // On a store that knew it, too: what follows is about these rules.
        core.activate(&bundle, "start").await??;
        let name = format!("local-{tag}");
        let admin_key = core.create_key(&name, &[proffer::runtime::Role::Admin], "start").await?;
        let api::Listening { server, handle, address } = listening;
        Ok(Self {
            url: format!("http://{address}"),
            core,
            admin_key: admin_key.ok_or("the key could not be made")?,
            handle,
            serving: tokio::spawn(server),
            folder: Some(folder.to_owned()),
        })
    }

    /// Lets requests in flight finish, then stops and removes what was temporary.
    pub async fn stop(mut self) {
        self.handle.stop(true).await;
        let _ = self.serving.await;
        self.core.stop().await;
        if let Some(folder) = self.folder.take() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
