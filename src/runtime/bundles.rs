//! Which bundle is in force: at a start, while others activate, and for the command line. Compiles nothing unread.

use std::sync::Arc;

use super::fairness::{may_be_put_in_force, may_begin};
use super::records::{print_sources, read_bundle};
use super::{Core, RuntimeError};
use crate::config::Settings;
use crate::domain::Digest;
use crate::policy::Bundle;
use crate::store::{By, Control, Store};

/// The bundle that a start decides under, given that of its own folder. On SQLite, which knows one process, that is
/// activated. On PostgreSQL it is if the store does not know it yet; otherwise the active one is followed, so that
/// processes with different folders do not take turns, and an old process that comes back brings no old rules.
pub(super) async fn at_start(
    store: &dyn Store,
    settings: &Settings,
    own: Arc<Bundle>,
    by: By<'_>,
) -> Result<(Control, Arc<Bundle>), RuntimeError> {
    let body = print_sources(&own.sources);
    let alone = settings.store.starts_with("sqlite:");
    may_begin(store, &own, !alone, by.at).await?;
    let control = if alone {
        store.activate_bundle(own.hash, &body, by).await?
    } else {
        store.introduce_bundle(own.hash, &body, by).await?
    };
    match control.bundle {
        Some(active) if active != own.hash => {
            let bundle = read_bundle(store, active).await?;
            tracing::warn!(
                active = bundle.hash_text(),
                folder = %settings.policies.display(),
                of_folder = own.hash_text(),
                "the folder's bundle is neither new to the store nor in force; `proffer policy activate` with the \
                 folder puts it in force"
            );
            Ok((control, Arc::new(bundle)))
        }
        _ => Ok((control, own)),
    }
}

impl Core {
    /// Publishes a snapshot of the control row if somebody else has changed it.
    pub(super) async fn follow_control(&self) -> Result<(), RuntimeError> {
        if self.store.control().await?.sequence != self.snapshot().control_sequence {
            self.reload().await?;
        }
        Ok(())
    }

    /// Activates a bundle, whatever was active before, and decides under it from now on.
    pub async fn activate(&self, bundle: &Bundle, by: &str) -> Result<Control, RuntimeError> {
        let by = By { key: by, at: self.clock.now() };
        may_be_put_in_force(self.store.as_ref(), bundle, by.at).await?;
        let control = self.store.activate_bundle(bundle.hash, &print_sources(&bundle.sources), by).await?;
        self.reload().await?;
        Ok(control)
    }
}

/// Publishes and activates bundles in a store, with or without a service running on it.
pub struct BundleMaker {
    /// The store.
    pub store: Arc<dyn Store>,
}

impl BundleMaker {
    /// Keeps a bundle under its hash; `false` if it was kept already.
    pub async fn publish(&self, bundle: &Bundle, by: &str) -> Result<bool, RuntimeError> {
        let by = By { key: by, at: self.store.now().await? };
        Ok(self.store.publish_bundle(bundle.hash, &print_sources(&bundle.sources), by).await?)
    }

    /// A bundle that was published, compiled by this build.
    pub async fn read(&self, hash: Digest) -> Result<Bundle, RuntimeError> {
        read_bundle(self.store.as_ref(), hash).await
    }

    /// Makes a bundle the active one. When this returns, no decision is committed under any other.
    pub async fn activate(&self, bundle: &Bundle, by: &str) -> Result<Control, RuntimeError> {
        let by = By { key: by, at: self.store.now().await? };
        may_be_put_in_force(self.store.as_ref(), bundle, by.at).await?;
        Ok(self.store.activate_bundle(bundle.hash, &print_sources(&bundle.sources), by).await?)
    }
}
