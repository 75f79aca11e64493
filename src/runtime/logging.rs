//! Keeping the log: whoever learns gives what was committed its positions and signs a checkpoint, once a second. Hashes
//! nothing itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::export::{seed, site_key};
use super::learning::Progress;
use super::proofs::root_at;
use super::{Core, RuntimeError};
use crate::config::keyfile::{checkpoint_file, replace_file};
use crate::domain::decision::{Skeleton, decode_skeleton};
use crate::domain::{Digest, Malformed};
use crate::engine::log::{RuleNames, append};
use crate::store::Store;
use crate::transparency::checkpoint::{Checkpoint, origin};
use crate::transparency::signature::SiteKey;

/// Time between two checkpoints: what is younger than this and the next step is not covered by one yet.
const PAUSE: Duration = Duration::from_secs(1);
/// Leaves that one step appends at most: SQLite commits nothing meanwhile.
const LEAVES_MAX: u32 = 1_024;
/// The longest that a stop waits for the last step.
const LAST_STEP: Duration = Duration::from_secs(5);

/// The task that keeps the log, and how it is spoken to.
#[derive(Debug, Default)]
pub struct LogKeeper {
    task: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
    stopped: AtomicBool,
    /// Announces the end, or that somebody waits.
    wake: Notify,
    /// Announces that nothing waits.
    done: Notify,
    /// The term under which the log was compared with the checkpoint beside the key file.
    compared: AtomicU64,
}

impl Core {
    /// Starts the task that keeps the log while this process learns.
    pub(super) async fn start_log(self: &Arc<Self>) {
        *self.log.task.lock().await = Some(tokio::spawn(self.clone().keep_log()));
    }

    async fn keep_log(self: Arc<Self>) {
        loop {
            // Read before the last step, which then sees what was committed before the stop.
            let stopped = self.log.stopped.load(Ordering::Acquire);
            if let Some(term) = self.term() {
                match self.log_all(term).await {
                    Ok(_) => self.log.done.notify_waiters(),
                    Err(error) => {
                        self.metrics.store_failed("log");
                        tracing::error!(%error, "the log could not be appended to; decisions are not covered by it");
                    }
                }
            }
            if stopped {
                return;
            }
            let _ = timeout(PAUSE, self.log.wake.notified()).await;
        }
    }

    /// Ends the task, when what was committed has its position. The lease is given up after that.
    pub(super) async fn stop_log(&self) {
        self.log.stopped.store(true, Ordering::Release);
        self.log.wake.notify_one();
        let Some(mut task) = self.log.task.lock().await.take() else { return };
        if timeout(LAST_STEP, &mut task).await.is_err() {
            // A step that is given up is stored whole or not at all.
            task.abort();
            let _ = task.await;
        }
    }

    /// Waits until everything committed so far is covered by a checkpoint, whichever process makes it.
    pub async fn logged_all(&self) -> Result<(), RuntimeError> {
        loop {
            let done = self.log.done.notified();
            let waiting = self.store.log_waiting().await?;
            let state = self.store.log_state().await?;
            if waiting.is_nothing() && state.checkpoint_size == state.head.size {
                return Ok(());
            }
            self.log.wake.notify_one();
            let _ = timeout(Duration::from_millis(200), done).await;
        }
    }

    /// Appends all that waits, and signs a checkpoint of it.
    async fn log_all(&self, term: u64) -> Result<Progress, RuntimeError> {
        if self.log.compared.load(Ordering::Acquire) != term {
            let kept = read_outside(&checkpoint_file(&self.settings.key_file), &site_key(&self.keys.master))?;
            compare(self.store.as_ref(), kept.as_ref()).await?;
            self.log.compared.store(term, Ordering::Release);
        }
        loop {
            match self.log_once(term).await? {
                Progress::Learned => {}
                Progress::Idle => return self.sign_checkpoint(term).await,
                Progress::Fenced => return Ok(Progress::Fenced),
            }
        }
    }

    /// One step of the log.
    async fn log_once(&self, term: u64) -> Result<Progress, RuntimeError> {
        let work = self.store.unlogged(LEAVES_MAX).await?;
        if work.is_empty() {
            return Ok(Progress::Idle);
        }
        let decode = |leaf: &crate::engine::log::NewLeaf| decode_skeleton(&leaf.skeleton);
        let skeletons = work.decisions().map(decode).collect::<Result<Vec<Skeleton>, Malformed>>()?;
        let wanted: BTreeSet<(Digest, Option<u64>)> =
            skeletons.iter().map(|skeleton| (skeleton.bundle, skeleton.switches)).collect();
        let mut rules = RuleNames::new();
        for (hash, switches) in wanted {
            rules.insert((hash, switches), self.bundle_at(hash, switches).await?);
        }
        let step = append(work, &skeletons, &rules)?;
        Ok(if self.store.append_log(term, &step).await? { Progress::Learned } else { Progress::Fenced })
    }

    /// Signs where the log ends, which is durable by now, and keeps that in the store and beside the key file: a store
    /// that is cut back to an older checkpoint is noticed by the newer one there.
    async fn sign_checkpoint(&self, term: u64) -> Result<Progress, RuntimeError> {
        let state = self.store.log_state().await?;
        let last = state.checkpoint.as_deref().map(Checkpoint::peek).transpose()?;
        if state.head.size == 0 || last.as_ref().is_some_and(|last| last.size == state.head.size) {
            return Ok(Progress::Idle);
        }
        let site = site_key(&self.keys.master);
        let named = || origin(&self.settings.tenant, &site);
        let checkpoint = Checkpoint {
            origin: last.map_or_else(named, |last| last.origin),
            size: state.head.size,
            root: state.head.root,
        };
        let note = checkpoint.sign(&seed(&self.keys.master));
        if !self.store.keep_checkpoint(term, checkpoint.size, &note).await? {
            return Ok(Progress::Fenced);
        }
        replace_file(&checkpoint_file(&self.settings.key_file), &note)?;
        Ok(Progress::Learned)
    }
}

/// The checkpoint kept beside the key file; nothing before the first.
pub fn read_outside(path: &Path, site: &SiteKey) -> Result<Option<Checkpoint>, RuntimeError> {
    let told = |what: &dyn std::fmt::Display| Malformed(format!("the checkpoint file `{}`: {what}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(note) => Ok(Some(Checkpoint::open(&note, site).map_err(|error| told(&error))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(&error).into()),
    }
}

/// Whether the log of a store begins with what a checkpoint says that was seen of it before.
pub async fn compare(store: &dyn Store, seen: Option<&Checkpoint>) -> Result<(), RuntimeError> {
    let Some(seen) = seen else { return Ok(()) };
    let head = store.log_state().await?.head;
    if seen.size > head.size {
        return Err(Malformed(format!(
            "the log ends at {} leaves, and it had {} when the checkpoint beside the key file was signed: the store \
             was cut back; restore its newest backup, or remove the checkpoint file if what is missing is known to be lost",
            head.size, seen.size
        ))
        .into());
    }
    let root = root_at(store, seen.size).await?;
    if root != seen.root {
        return Err(Malformed(format!(
            "the first {} leaves of the log are not those that the checkpoint beside the key file was signed for: \
             history was replaced; restore the store from a backup",
            seen.size
        ))
        .into());
    }
    Ok(())
}
