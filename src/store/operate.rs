//! What operators change beside bundles, and what nodes say of themselves: switches, and who runs which bundle. Judges
//! no switch and compiles no bundle.

use async_trait::async_trait;

use super::column;
use super::{By, Control, Holder, StoreError};
use crate::domain::{Digest, Span, Timestamp};

/// A node that was not heard of for so long is not waited for.
pub const NODE_LIFE: Span = Span(15_000);

/// A switch to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSwitch<'a> {
    /// Names it for ever: an id is used once.
    pub id: &'a str,
    /// As it was asked for, as JSON.
    pub body: &'a str,
    /// The instant from which on it no longer holds.
    pub until: Timestamp,
}

/// A switch as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchRow {
    /// Its id.
    pub id: String,
    /// As it was asked for, as JSON.
    pub body: String,
    /// The instant from which on it no longer holds.
    pub until: Timestamp,
    /// The revision of the switches that it made.
    pub revision: u64,
    /// When it was set.
    pub at: Timestamp,
    /// Name of the key that set it, or `command line`.
    pub by: String,
    /// How it was ended; nothing where it was not.
    pub ended: Option<SwitchEnd>,
}

/// The end of a switch before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchEnd {
    /// The revision of the switches that it made.
    pub revision: u64,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// Name of the key, or `command line`.
    pub by: String,
}

/// What became of a change of the switches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchChanged {
    /// It is in force: no decision is committed without it under any other control row than this or a later one.
    Made(Control),
    /// Nothing was changed. Of one to be set: the id names this one already. Of one to be ended: it has ended.
    Known(Box<SwitchRow>),
    /// Nothing was changed: no switch has the id.
    Unknown,
}

/// A bundle as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedBundle {
    /// Its hash.
    pub hash: Digest,
    /// When it was kept first; nothing of those kept before that was written down.
    pub at: Option<Timestamp>,
    /// Name of the key, or `start`, `command line` and the like.
    pub by: Option<String>,
}

/// The active bundle, where a node does not decide under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedBundle {
    /// Which.
    pub hash: Digest,
    /// Why, for people.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Which start of which node.
    pub holder: Holder,
    /// Its build.
    pub build: String,
    /// The bundle that it decides under.
    pub bundle: Digest,
    /// Since when it does.
    pub since: Timestamp,
    /// The control row that it decides under.
    pub control_sequence: u64,
    /// The active bundle, where it cannot take that over.
    pub refused: Option<RefusedBundle>,
    /// The key period that it draws under.
    pub key_period: u32,
    /// When it last said so, by the store's clock; not read where it is told.
    pub seen_at: Timestamp,
}

/// What a node says of a bundle that it was asked to make ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleReport {
    /// Which start of which node.
    pub holder: Holder,
    /// The bundle.
    pub hash: Digest,
    /// Why it will not decide under it; nothing where it is ready to.
    pub failed: Option<String>,
    /// When, by the store's clock; not read where it is told.
    pub at: Timestamp,
}

/// The part of a store that is about operating it.
#[async_trait]
pub trait Operate: Send + Sync {
    /// Keeps a switch, as the next revision of the switches, and moves the control row on, in one transaction.
    async fn set_switch(&self, switch: &NewSwitch<'_>, by: By<'_>) -> Result<SwitchChanged, StoreError>;

    /// Ends a switch, as the next revision of the switches, and moves the control row on, in one transaction.
    async fn end_switch(&self, id: &str, why: &str, by: By<'_>) -> Result<SwitchChanged, StoreError>;

    /// The switches in force at a revision, in the order of their ids. Those that had ended by their own time an hour
    /// before the revision was made are left out: the same ones at any time.
    async fn switches_at(&self, revision: u64) -> Result<Vec<SwitchRow>, StoreError>;

    /// One switch, whether it holds or not.
    async fn switch(&self, id: &str) -> Result<Option<SwitchRow>, StoreError>;

    /// Switches set before a revision (or all), newest first, whether they hold or not.
    async fn switches(&self, before: Option<u64>, limit: u32) -> Result<Vec<SwitchRow>, StoreError>;

    /// Asks every node to make a bundle ready that is kept.
    async fn want_bundle(&self, hash: Digest) -> Result<(), StoreError>;

    /// The bundles that were asked for within a span until now.
    async fn wanted_bundles(&self, within: Span) -> Result<Vec<Digest>, StoreError>;

    /// Keeps what a node says of a bundle in place of what it said before.
    async fn report_bundle(&self, report: &BundleReport) -> Result<(), StoreError>;

    /// What nodes said of a bundle, by node.
    async fn bundle_reports(&self, hash: Digest) -> Result<Vec<BundleReport>, StoreError>;

    /// Keeps what a node says of itself in place of what it said before.
    async fn report_node(&self, state: &NodeState) -> Result<(), StoreError>;

    /// Forgets a node that has stopped, unless it was started anew.
    async fn forget_node(&self, holder: &Holder) -> Result<(), StoreError>;

    /// What every node last said of itself, by node.
    async fn nodes(&self) -> Result<Vec<NodeState>, StoreError>;
}

/// What every select of switches reads.
pub(super) const SWITCH: &str = "select s.switch_id, s.body, s.until, s.revision, s.at, s.by_key, e.revision, e.why, \
                                 e.at, e.by_key from switch s left join switch_end e on e.switch_id = s.switch_id ";

/// As [`SWITCH`] reads them.
pub(super) type SwitchColumns =
    (String, String, i64, i64, i64, String, Option<i64>, Option<String>, Option<i64>, Option<String>);

pub(super) fn switch(columns: SwitchColumns) -> Result<SwitchRow, StoreError> {
    let (id, body, until, revision, at, by, ended_revision, why, ended_at, ended_by) = columns;
    let ended = match (ended_revision, why, ended_at, ended_by) {
        (Some(revision), Some(why), Some(at), Some(by)) => {
            Some(SwitchEnd { revision: column::natural(revision)?, why, at: Timestamp(at), by })
        }
        _ => None,
    };
    let revision = column::natural(revision)?;
    Ok(SwitchRow { id, body, until: Timestamp(until), revision, at: Timestamp(at), by, ended })
}

/// hash, at, `by_key`
pub(super) type PublishedColumns = (Vec<u8>, Option<i64>, Option<String>);

pub(super) fn published((hash, at, by): PublishedColumns) -> Result<PublishedBundle, StoreError> {
    Ok(PublishedBundle { hash: column::digest(&hash)?, at: at.map(Timestamp), by })
}

/// node, incarnation, build, `seen_at`, bundle, since, `control_sequence`, refused, `refused_why`, `refused_at`,
/// `key_period`
pub(super) type NodeColumns =
    (String, i64, String, i64, Vec<u8>, i64, i64, Option<Vec<u8>>, Option<String>, Option<i64>, i64);

pub(super) fn node(columns: NodeColumns) -> Result<NodeState, StoreError> {
    let (node, incarnation, build, seen_at, bundle, since, sequence, refused, why, refused_at, period) = columns;
    let refused = match (refused, why, refused_at) {
        (Some(hash), Some(why), Some(since)) => {
            Some(RefusedBundle { hash: column::digest(&hash)?, why, since: Timestamp(since) })
        }
        _ => None,
    };
    Ok(NodeState {
        holder: Holder { node, incarnation: column::natural(incarnation)? },
        build,
        bundle: column::digest(&bundle)?,
        since: Timestamp(since),
        control_sequence: column::natural(sequence)?,
        refused,
        key_period: u32::try_from(period).map_err(|_| StoreError::Corrupt(format!("`{period}` is no key period")))?,
        seen_at: Timestamp(seen_at),
    })
}

/// node, incarnation, hash, failed, at
pub(super) type ReportColumns = (String, i64, Vec<u8>, Option<String>, i64);

pub(super) fn report((node, incarnation, hash, failed, at): ReportColumns) -> Result<BundleReport, StoreError> {
    Ok(BundleReport {
        holder: Holder { node, incarnation: column::natural(incarnation)? },
        hash: column::digest(&hash)?,
        failed,
        at: Timestamp(at),
    })
}
