//! Which bundle is in force: published, put in force once every node is ready for it, taken back. Compiles nothing
//! unread.
//!
//! A bundle is put in force in steps: its own tests hold; it is kept; every node that is there has made it ready; then
//! the control row names it. Until the last step nothing has changed for anybody, and a step that fails leaves the
//! bundle before in force.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::authority::permit;
use super::fairness::{may_be_put_in_force, may_begin};
use super::ready::{holds, verified};
use super::records::{print_sources, read_bundle};
use super::{Core, RuntimeError};
use crate::config::Settings;
use crate::domain::{Digest, Malformed, Timestamp};
use crate::policy::{Bundle, Finding};
use crate::report::fairness::Unfair;
use crate::store::{Activation, By, Control, NODE_LIFE, NodeState, PublishedBundle, Store};

/// How long nodes are waited for at most: looks, and the pause before each of them but the first. One that has not
/// answered by then decides nothing until it has the bundle.
const LOOKS: u32 = 80;
const PAUSE: Duration = Duration::from_millis(50);

/// The fewest digits of a hash that name a bundle.
const DIGITS_MIN: usize = 4;

/// Why a bundle was not put in force: the one before still is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotActivated {
    /// Its own tests do not hold.
    #[error("{0}; `proffer policy test` shows what came instead")]
    Tests(String),
    /// A node would not decide under it: each with the reason.
    #[error("{}; the bundle before is still in force everywhere", told(.0))]
    Nodes(Vec<(String, String)>),
    /// People have not approved what it asks for.
    #[error("{}", unapproved(.bundle, .findings))]
    Unapproved {
        /// Which, by its hash.
        bundle: String,
        /// What is missing, each with its place and with the command that mends it.
        findings: Vec<Finding>,
    },
    /// Its fairness gates keep it from being put in force.
    #[error(transparent)]
    Unfair(Box<Unfair>),
}

fn unapproved(bundle: &str, findings: &[Finding]) -> String {
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let told = told.join("\n\n");
    let lacks = format!("{} lack{}", findings.len(), if findings.len() == 1 { "" } else { "s" });
    format!("bundle {bundle} may not be put in force: {lacks} of approval; nothing was changed\n\n{told}")
}

fn told(nodes: &[(String, String)]) -> String {
    let told: Vec<String> =
        nodes.iter().map(|(node, why)| format!("node `{node}` cannot take it over: {why}")).collect();
    told.join("; ")
}

/// What became of a bundle that was put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activated {
    /// The control row.
    pub control: Control,
    /// Whether another one was in force before.
    pub changed: bool,
    /// Nodes that have not said yet whether they are ready.
    pub unheard: Vec<String>,
}

/// Why a text names no published bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// It cannot be a hash.
    #[error("`{0}` is not the hash of a bundle: expected `b3:` and at least 4 hexadecimal digits")]
    Malformed(String),
    /// It begins the hashes of several.
    #[error("`{0}` begins the hash of {1} bundles: give more of its digits")]
    Several(String, usize),
    /// It begins none.
    #[error("no bundle with the hash `{0}` is published here")]
    Unknown(String),
}

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
    let permitted = match (permit(store, &own, by.at).await, store.control().await?) {
        (
            Err(RuntimeError::NotActivated(NotActivated::Unapproved { findings, .. })),
            control @ Control { bundle: Some(active), .. },
        ) => Some((control, active, findings)),
        (permitted, _) => permitted.map(|()| None)?,
    };
    if let Some((control, active, findings)) = permitted {
        let bundle = read_bundle(store, active).await?;
        tracing::warn!(
            active = bundle.hash_text(),
            folder = %settings.policies.display(),
            of_folder = own.hash_text(),
            missing = findings.len(),
            "the folder's bundle is not approved, and the active one stays in force; `proffer policy approvals` with \
             the folder shows what is missing"
        );
        return Ok((control, Arc::new(bundle)));
    }
    let alone = settings.store.starts_with("sqlite:");
    let active = store.control().await?.bundle;
    if active != Some(own.hash) && (alone || active.is_none() || store.bundle(own.hash).await?.is_none()) {
        holds(&own).map_err(NotActivated::Tests)?;
    }
    may_begin(store, &own, !alone, by.at).await?;
    let control = if alone {
        store.activate_bundle(own.hash, &body, by).await?
    } else {
        store.introduce_bundle(own.hash, &body, by).await?
    };
    match control.bundle {
        Some(active) if active != own.hash => {
            let body = store.bundle(active).await?;
            let ready = tokio::task::spawn_blocking(move || verified(active, body.as_deref())).await;
            let bundle = ready.unwrap_or_else(|error| Err(error.to_string()));
            let bundle = bundle.map_err(|why| RuntimeError::Takeover { hash: active, why })?;
            tracing::warn!(
                active = bundle.hash_text(),
                folder = %settings.policies.display(),
                of_folder = own.hash_text(),
                "the folder's bundle is neither new to the store nor in force; `proffer policy activate` with the \
                 folder puts it in force"
            );
            Ok((control, bundle))
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

    /// Publishes and activates bundles in the store of this process.
    pub fn bundles(&self) -> BundleMaker {
        BundleMaker { store: self.store.clone() }
    }

    /// Activates a bundle, whatever was active before, and decides under it from now on.
    pub async fn activate(&self, bundle: &Bundle, by: &str) -> Result<Result<Activated, NotActivated>, RuntimeError> {
        let (maker, by) = (self.bundles(), By { key: by, at: self.clock.now() });
        let activated = maker.activate_as(bundle, by, Some(self)).await?;
        if activated.is_ok() {
            self.reload().await?;
        }
        Ok(activated)
    }
}

/// Publishes and activates bundles in a store, with or without a service running on it.
pub struct BundleMaker {
    /// The store.
    pub store: Arc<dyn Store>,
}

impl BundleMaker {
    /// Keeps a bundle under its hash; `false` if it was kept already. Nodes make it ready from now on.
    pub async fn publish(&self, bundle: &Bundle, by: &str) -> Result<bool, RuntimeError> {
        self.publish_as(bundle, By { key: by, at: self.store.now().await? }).await
    }

    /// The same, by whom and when.
    pub async fn publish_as(&self, bundle: &Bundle, by: By<'_>) -> Result<bool, RuntimeError> {
        let new = self.store.publish_bundle(bundle.hash, &print_sources(&bundle.sources), by).await?;
        if new {
            self.store.want_bundle(bundle.hash).await?;
        }
        Ok(new)
    }

    /// A bundle that was published, compiled by this build.
    pub async fn read(&self, hash: Digest) -> Result<Bundle, RuntimeError> {
        read_bundle(self.store.as_ref(), hash).await
    }

    /// The published bundle whose hash begins as given, with or without `b3:`.
    pub async fn find(&self, text: &str) -> Result<Result<Digest, NotFound>, RuntimeError> {
        let digits = text.strip_prefix("b3:").unwrap_or(text).to_ascii_lowercase();
        if digits.len() < DIGITS_MIN || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Err(NotFound::Malformed(text.to_owned())));
        }
        let all = self.store.bundles().await?;
        let fitting: Vec<Digest> =
            all.into_iter().map(|bundle| bundle.hash).filter(|hash| hash.hex().starts_with(&digits)).collect();
        Ok(match fitting.as_slice() {
            [] => Err(NotFound::Unknown(text.to_owned())),
            [one] => Ok(*one),
            several => Err(NotFound::Several(text.to_owned(), several.len())),
        })
    }

    /// Everything about the bundles of the store.
    pub async fn standing(&self) -> Result<Standing, RuntimeError> {
        let now = self.store.now().await?;
        Ok(Standing {
            control: self.store.control().await?,
            activations: self.store.activations().await?,
            published: self.store.bundles().await?,
            nodes: self.store.nodes().await?.into_iter().map(|state| standing(state, now)).collect(),
        })
    }

    /// The bundle that was in force before another one; nothing where there was none.
    pub async fn before(&self, active: Option<Digest>) -> Result<Option<Digest>, RuntimeError> {
        let history = self.store.activations().await?;
        Ok(history.iter().map(|activation| activation.hash).find(|hash| Some(*hash) != active))
    }

    /// Makes a bundle the active one. When this returns, no decision is committed under any other.
    pub async fn activate(&self, bundle: &Bundle, by: &str) -> Result<Result<Activated, NotActivated>, RuntimeError> {
        self.activate_as(bundle, By { key: by, at: self.store.now().await? }, None).await
    }

    async fn activate_as(
        &self,
        bundle: &Bundle,
        by: By<'_>,
        here: Option<&Core>,
    ) -> Result<Result<Activated, NotActivated>, RuntimeError> {
        let before = self.store.control().await?;
        if before.bundle == Some(bundle.hash) {
            return Ok(Ok(Activated { control: before, changed: false, unheard: Vec::new() }));
        }
        match self.may_be_activated(bundle, by.at).await {
            Err(RuntimeError::NotActivated(not)) => return Ok(Err(not)),
            other => other?,
        }
        self.publish_as(bundle, by).await?;
        if let Some(core) = here {
            // Nobody has to wait until this process looks by itself.
            let _ = core.made_ready(bundle.hash).await?;
        }
        let unheard = match self.nodes_ready(bundle.hash).await? {
            Ok(unheard) => unheard,
            Err(not) => return Ok(Err(not)),
        };
        let control = self.store.activate_bundle(bundle.hash, &print_sources(&bundle.sources), by).await?;
        Ok(Ok(Activated { changed: control.sequence != before.sequence, control, unheard }))
    }

    /// Whether a bundle may be put in force, whoever decides under it: its own tests hold, people have approved it, and
    /// what has to be measured of it was.
    async fn may_be_activated(&self, bundle: &Bundle, now: Timestamp) -> Result<(), RuntimeError> {
        holds(bundle).map_err(NotActivated::Tests)?;
        permit(self.store.as_ref(), bundle, now).await?;
        may_be_put_in_force(self.store.as_ref(), bundle, now).await
    }

    /// Waits until every node that is there has made a bundle ready; gives those that have not said so in time.
    async fn nodes_ready(&self, hash: Digest) -> Result<Result<Vec<String>, NotActivated>, RuntimeError> {
        for look in 1.. {
            let now = self.store.now().await?;
            let (nodes, reports) = (self.store.nodes().await?, self.store.bundle_reports(hash).await?);
            let (mut failing, mut unheard) = (Vec::new(), Vec::new());
            for node in nodes.iter().filter(|node| node.seen_at.plus(NODE_LIFE) >= now) {
                match reports.iter().find(|report| report.holder == node.holder) {
                    Some(report) => {
                        failing.extend(report.failed.clone().map(|why| (node.holder.node.clone(), why)));
                    }
                    None => unheard.push(node.holder.node.clone()),
                }
            }
            if !failing.is_empty() {
                return Ok(Err(NotActivated::Nodes(failing)));
            }
            if unheard.is_empty() || look >= LOOKS {
                return Ok(Ok(unheard));
            }
            if look == 1 {
                self.store.want_bundle(hash).await?;
            }
            #[expect(clippy::disallowed_methods, reason = "nodes answer through the store, which announces nothing")]
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Ok(Vec::new()))
    }
}

/// How a node stands, for people and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeStanding {
    /// Its name.
    pub node: String,
    /// Its build.
    pub build: String,
    /// The bundle that it decides under.
    pub bundle: String,
    /// Since when it does.
    pub since: Timestamp,
    /// The control row that it decides under.
    pub control_sequence: u64,
    /// When it was heard of last.
    pub seen_at: Timestamp,
    /// Whether that is so short ago that it is there.
    pub here: bool,
    /// Why it does not decide under the active bundle; nothing where it does, or soon will.
    pub refused: Option<BundleRefused>,
}

/// The active bundle where a node cannot take it over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleRefused {
    /// The active bundle.
    pub bundle: String,
    /// Why, for people.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// Everything about the bundles of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The control row.
    pub control: Control,
    /// Every activation, newest first.
    pub activations: Vec<Activation>,
    /// Every bundle kept.
    pub published: Vec<PublishedBundle>,
    /// Every node that was heard of and has not stopped.
    pub nodes: Vec<NodeStanding>,
}

impl Standing {
    /// The activation that is in force.
    pub fn active(&self) -> Option<&Activation> {
        self.activations.first().filter(|newest| Some(newest.hash) == self.control.bundle)
    }

    /// Bundles that never were in force.
    pub fn never_active(&self) -> impl Iterator<Item = &PublishedBundle> {
        let was = |hash| self.activations.iter().any(|activation| activation.hash == hash);
        self.published.iter().filter(move |bundle| !was(bundle.hash))
    }
}

/// A hash as people and answers show it.
pub fn hash_text(hash: Digest) -> String {
    format!("b3:{}", hash.hex())
}

fn standing(state: NodeState, now: Timestamp) -> NodeStanding {
    NodeStanding {
        here: state.seen_at.plus(NODE_LIFE) >= now,
        node: state.holder.node,
        build: state.build,
        bundle: hash_text(state.bundle),
        since: state.since,
        control_sequence: state.control_sequence,
        seen_at: state.seen_at,
        refused: state.refused.map(|refused| BundleRefused {
            bundle: hash_text(refused.hash),
            why: refused.why,
            since: refused.since,
        }),
    }
}

/// Says of a hash that it is not in the store.
pub(super) fn not_stored(hash: Digest) -> Malformed {
    Malformed(format!("bundle {} is not in the store", hash_text(hash)))
}
