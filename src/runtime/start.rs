//! Start-up: policies, keys, models, engines, learner. Listens on no port.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use tokio::sync::Notify;

use super::catalogue::read_catalogue;
use super::keys::{KeyRing, Role};
use super::ready::Readiness;
use super::records::Kept;
use super::switches::switched;
use super::{Clock, Core, Engines, RuntimeError, derive_views};
use crate::audit::draws;
use crate::config::Settings;
use crate::config::keyfile::{self, KeyFileError, Keys, write_secret};
use crate::decision::Snapshot;
use crate::domain::Spend;
use crate::engine;
use crate::engine::learner::Models;
use crate::policy::{Finding, Source, compile};
use crate::store::{By, Holder, Store};
use crate::telemetry::Metrics;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The bundle does not compile.
    #[error("the policies have {}; `proffer policy check` lists them", mistakes(.0.len()))]
    Policies(Vec<Finding>),
    /// The policies cannot be read.
    #[error("the policies in `{path}` cannot be read; name their folder with --policies")]
    Read {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The key file belongs to another store.
    #[error(
        "the key file `{path}` does not open this store: it belongs to another one; restore the right file or name it \
         with PROFFER_MASTER_KEY_FILE"
    )]
    WrongKeys {
        /// Which file.
        path: PathBuf,
    },
    /// The key file is gone, and a new one would not open the store.
    #[error(
        "the key file `{path}` is missing, and the store holds data sealed under its keys; restore it from its backup \
         or name it with PROFFER_MASTER_KEY_FILE"
    )]
    KeysMissing {
        /// Which file.
        path: PathBuf,
    },
    /// The admin key cannot be written down.
    #[error("the first admin key cannot be written to `{path}`; move an old file away or set admin_key_file")]
    AdminKey {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Threads cannot be started.
    #[error("an engine cannot be started")]
    Thread(#[source] std::io::Error),
    /// Anything carried out while starting.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

impl From<crate::store::StoreError> for StartError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Runtime(error.into())
    }
}

impl From<KeyFileError> for StartError {
    fn from(error: KeyFileError) -> Self {
        Self::Runtime(error.into())
    }
}

/// What a service is started with.
pub struct Setup {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Settings.
    pub settings: Settings,
    /// Keys.
    pub keys: Keys,
    /// The files of the policy bundle.
    pub policies: Vec<Source>,
    /// A clock set by hand, for replays.
    pub clock: Option<Clock>,
}

/// `1 mistake`, `2 mistakes`.
pub fn mistakes(count: usize) -> String {
    format!("{count} mistake{}", if count == 1 { "" } else { "s" })
}

/// Reads the key file and makes it at first start, unless the store was written under other keys. Says whether the file
/// was made now.
pub async fn keys_of(store: &dyn Store, key_file: &Path) -> Result<(Keys, bool), StartError> {
    let path = || key_file.to_owned();
    let (keys, new) = keyfile::load_or_create(key_file)?;
    if keys_open(store, &keys).await? {
        return Ok((keys, new));
    }
    if new {
        // Left behind it would be taken for the right one.
        let _ = std::fs::remove_file(key_file);
        return Err(StartError::KeysMissing { path: path() });
    }
    Err(StartError::WrongKeys { path: path() })
}

/// Whether these keys open what a store holds. New records under keys that do not could never be read beside the old.
async fn keys_open(store: &dyn Store, keys: &Keys) -> Result<bool, StartError> {
    for source in store.sources().await? {
        if keys.master.open_secret(&source.name, &source.sealed_secret).is_err() {
            return Ok(false);
        }
    }
    let first = store.decisions_after(None, 1).await?.into_iter().next();
    let owner = first.and_then(|first| first.subject.zip(first.wrapped_key));
    Ok(owner.is_none_or(|(subject, wrapped)| keys.master.unwrap(subject, &wrapped).is_ok()))
}

/// Reads every YAML file of a bundle's folder, with paths relative to it.
pub fn read_policies(folder: &Path) -> Result<Vec<Source>, StartError> {
    let mut sources = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let failed = |source| StartError::Read { path: next.clone(), source };
        for entry in std::fs::read_dir(&next).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
                let text =
                    std::fs::read_to_string(&path).map_err(|source| StartError::Read { path: path.clone(), source })?;
                let relative = path.strip_prefix(folder).unwrap_or(&path);
                sources.push(Source { path: relative.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

impl Core {
    /// Starts everything but the HTTP server. The first admin key, if one was made, is in the settings' file.
    pub async fn start(setup: Setup) -> Result<Arc<Self>, StartError> {
        let Setup { store, settings, keys, policies, clock } = setup;
        let own = Arc::new(compile(&policies).map_err(StartError::Policies)?);
        let clock = match clock {
            Some(clock) => clock,
            None => Clock::following(store.now().await?),
        };
        let by = By { key: "start", at: clock.now() };
        let (control, by_itself) = super::bundles::at_start(store.as_ref(), &settings, own, by).await?;
        let bundle = switched(store.as_ref(), by_itself.clone(), control.switch_revision).await?;
        let holder =
            Holder { node: settings.node.clone(), incarnation: store.start_incarnation(&settings.node).await? };
        let catalogue = Arc::new(read_catalogue(store.as_ref(), control.catalogue_revision).await?);
        let approved = super::authority::approved(store.as_ref(), (&bundle, &catalogue), control.sequence).await?;
        let day = clock.now().day();
        let core = Arc::new(Self {
            store,
            clock,
            ring: KeyRing::default(),
            metrics: Metrics::new(env!("CARGO_PKG_VERSION")),
            keys,
            snapshot: RwLock::new(Arc::new(Snapshot {
                tenant: settings.tenant.clone(),
                build: env!("CARGO_PKG_VERSION").to_owned(),
                control_sequence: control.sequence,
                models: derive_views(&bundle, &catalogue, &Models::default(), None, day),
                bundle,
                catalogue,
                day,
                spend: Arc::new(Spend::none(day)),
                approved,
            })),
            settings,
            models: RwLock::new(Arc::new(Models::default())),
            spend: RwLock::new(Arc::new(Spend::none(day))),
            pools: RwLock::default(),
            engines: OnceLock::new(),
            kept: Kept::default(),
            readiness: Readiness::default(),
            changing_catalogue: tokio::sync::Mutex::default(),
            publishing: Mutex::default(),
            holder,
            term: AtomicU64::new(0),
            seeking: tokio::sync::Mutex::default(),
            stopped: AtomicBool::new(false),
            log: super::logging::LogKeeper::default(),
            stopping: Notify::new(),
            work: Notify::new(),
            idle: Notify::new(),
        });
        if !keys_open(core.store.as_ref(), &core.keys).await? {
            return Err(StartError::WrongKeys { path: core.settings.key_file.clone() });
        }
        // Before anything is drawn under it.
        let committed = draws::committed(&core.keys.generator);
        core.store.note_once(draws::COMMITTED, &committed, By { key: "start", at: core.clock.now() }).await?;
        core.keep_bundle(&by_itself);
        core.decides_under(by_itself.hash);
        core.tell_state(0).await?;
        core.refresh_keys().await?;
        core.ensure_admin_key().await?;
        core.apply_erased_list().await?;
        core.catch_up().await?;
        core.start_engines().await?;
        *core.seeking.lock().await = Some(tokio::spawn(core.clone().seek_lease()));
        core.start_log().await;
        tokio::spawn(core.clone().keep_house());
        Ok(core)
    }

    async fn ensure_admin_key(&self) -> Result<(), StartError> {
        let admin = self
            .store
            .keys()
            .await?
            .iter()
            .any(|key| key.revoked_at.is_none() && key.roles.split(',').any(|role| role == Role::Admin.name()));
        if admin {
            return Ok(());
        }
        let path = &self.settings.admin_key_file;
        let failed = |source| StartError::AdminKey { path: path.clone(), source };
        if path.exists() {
            return Err(failed(std::io::Error::from(std::io::ErrorKind::AlreadyExists)));
        }
        if let Some(key) = self.create_key("admin", &[Role::Admin], "start").await? {
            write_secret(path, &format!("{key}\n")).map_err(failed)?;
            tracing::info!(file = %path.display(), "made the first admin key");
        }
        Ok(())
    }

    async fn start_engines(self: &Arc<Self>) -> Result<(), StartError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let count = match self.settings.engines {
            // SQLite has one writer, so a second engine would only wait for the first.
            0 if self.settings.store.starts_with("sqlite:") => 1,
            0 => cores,
            given => given,
        };
        let mut settings = Vec::new();
        for number in 1..=count {
            let node = format!("{}/{number}", self.settings.node);
            let incarnation = self.store.start_incarnation(&node).await?;
            settings.push(engine::Settings {
                node,
                incarnation,
                batch_decisions_max: self.settings.batch_decisions_max,
                waiting_max: self.settings.waiting_max,
                subjects_max: self.settings.subjects_max,
                generator: self.keys.generator.clone(),
                master: self.keys.master.clone(),
            });
        }
        let engines = Engines::start(self, settings).map_err(StartError::Thread)?;
        let _ = self.engines.set(engines);
        Ok(())
    }

    /// Twice a second: a bundle activated, switches set or offers imported elsewhere, bundles to make ready. Once a
    /// second: keys made or revoked elsewhere, the store's clock, a new day.
    async fn keep_house(self: Arc<Self>) {
        let mut tick = tokio::time::interval(Duration::from_millis(500));
        for round in 0_u64.. {
            tick.tick().await;
            match self.follow_control().await {
                // Told when it was found out.
                Ok(()) | Err(RuntimeError::Takeover { .. }) => {}
                Err(error) => {
                    self.metrics.store_failed("follow");
                    tracing::warn!(%error, "the active bundle and the catalogue could not be followed");
                }
            }
            if let Err(error) = self.speak_of_bundles(round).await {
                self.metrics.store_failed("bundles");
                tracing::warn!(%error, "bundles could not be made ready, or nobody told");
            }
            if round % 2 == 1 {
                continue;
            }
            if let Err(error) = self.refresh_keys().await {
                self.metrics.store_failed("keys");
                tracing::warn!(%error, "keys could not be read");
            }
            if let (false, Ok(now)) = (self.clock.is_by_hand(), self.store.now().await) {
                self.clock.follow(now);
            }
            self.follow_day();
        }
    }
}
