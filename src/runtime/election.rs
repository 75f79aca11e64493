//! The election of the learner: every process seeks the lease, one learns while it holds it, the others follow its
//! models. Judges no lease by a clock of its own: the store does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::backoff::Backoff;
use super::{Core, Progress, RuntimeError};
use crate::domain::Span;

/// How often a process looks for what nobody announces to it: work of other processes, their events, an expired lease.
const LOOK: Duration = Duration::from_millis(500);
/// Renewals within one lease: two may fail before anybody else is elected.
const RENEWALS: u32 = 3;
/// The longest that a stop waits for a step of the learner under way.
const LAST_STEP: Duration = Duration::from_secs(2);
/// The longest that a stop tries to give up the lease.
const GIVE_UP: Duration = Duration::from_secs(5);

impl Core {
    /// Takes part in the election until the process stops. Learns while elected, otherwise follows.
    pub(super) async fn seek_lease(self: Arc<Self>) {
        let lease = Span(i64::try_from(self.lease().as_millis()).unwrap_or(i64::MAX));
        let mut backoff = Backoff::new();
        while !self.is_stopping() {
            match self.store.elect(&self.holder, lease).await {
                Ok(Some(term)) => {
                    backoff.reset();
                    tracing::info!(term, node = self.holder.node, "this process is the learner");
                    self.term.store(term, Ordering::Release);
                    if self.hold(term).await == Progress::Fenced {
                        self.term.store(0, Ordering::Release);
                    }
                }
                Ok(None) => match self.catch_up().await {
                    Ok(_) => {
                        backoff.reset();
                        let _ = timeout(LOOK, self.stopping.notified()).await;
                    }
                    Err(error) => {
                        self.metrics.store_failed("follow");
                        tracing::warn!(%error, "the models could not be followed and will be tried again");
                        backoff.pause().await;
                    }
                },
                Err(error) => {
                    self.metrics.store_failed("elect");
                    tracing::warn!(%error, "no learner could be elected; it will be tried again");
                    backoff.pause().await;
                }
            }
        }
    }

    fn lease(&self) -> Duration {
        Duration::from_secs(self.settings.learner_lease_seconds.max(1))
    }

    /// Learns under a term until it is fenced or the process stops.
    async fn hold(&self, term: u64) -> Progress {
        let mut renewal = interval(self.lease() / RENEWALS);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut backoff = Backoff::new();
        // What was learned before the election is read first, and again after a failure: whether a step that failed
        // is stored nobody knows, and events that do not continue their stream are refused for ever.
        let mut behind = true;
        while !self.is_stopping() {
            let due = timeout(Duration::ZERO, renewal.tick()).await.is_ok();
            match self.step(term, due, behind).await {
                Ok(Progress::Learned) => {
                    behind = false;
                    backoff.reset();
                    tokio::task::yield_now().await;
                }
                Ok(Progress::Idle) => {
                    self.idle.notify_waiters();
                    // Work of this process is announced; the pause only catches that of others.
                    let pause = LOOK.min(self.lease() / RENEWALS);
                    // What nobody announces: events that were appended beside this process, such as a warm start.
                    behind = timeout(pause, self.work.notified()).await.is_err();
                }
                Ok(Progress::Fenced) => {
                    tracing::warn!(term, "another process has become the learner; this one follows it");
                    return Progress::Fenced;
                }
                Err(error) => {
                    self.metrics.store_failed("learn");
                    tracing::warn!(%error, "learning is interrupted and will be tried again");
                    behind = true;
                    backoff.pause().await;
                }
            }
        }
        Progress::Idle
    }

    async fn step(&self, term: u64, renew: bool, behind: bool) -> Result<Progress, RuntimeError> {
        if renew && !self.store.renew_term(term).await? {
            return Ok(Progress::Fenced);
        }
        if renew && self.store.return_portions().await? {
            self.read_pools().await?;
        }
        if renew {
            self.prune_pools().await?;
        }
        if behind {
            self.catch_up().await?;
        }
        self.learn_once(term).await
    }

    /// Reads on what was learned elsewhere and publishes it. Says whether there was anything.
    pub(super) async fn catch_up(&self) -> Result<bool, RuntimeError> {
        let mut models = (*self.models()).clone();
        let spent = self.read_spend().await?;
        self.read_pools().await?;
        let any = self.read_on(&mut models).await? || spent;
        if any {
            self.adopt_models(models, true);
        }
        Ok(any)
    }

    fn is_stopping(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Ends the loop and gives up the lease, if this process holds it.
    pub(super) async fn stop_learning(&self) {
        self.stopped.store(true, Ordering::Release);
        self.stopping.notify_one();
        self.work.notify_one();
        let Some(mut seeking) = self.seeking.lock().await.take() else { return };
        if timeout(LAST_STEP, &mut seeking).await.is_err() {
            // A step that is given up is stored whole or not at all; whoever learns next sees which.
            seeking.abort();
            let _ = seeking.await;
        }
        let term = self.term.swap(0, Ordering::AcqRel);
        if term > 0 && timeout(GIVE_UP, self.give_up(term)).await.is_err() {
            tracing::warn!(term, "the lease could not be given up; it will expire");
        }
    }

    /// Gives up the lease, again and again until the store has answered: connections that were opened for requests end
    /// with the threads that served them, and the pool finds that out one by one.
    async fn give_up(&self, term: u64) {
        let mut backoff = Backoff::new();
        while let Err(error) = self.store.release_term(term).await {
            tracing::debug!(%error, term, "the lease is given up again");
            backoff.pause().await;
        }
    }

    /// The term that this process learns under; nothing while it follows.
    pub fn term(&self) -> Option<u64> {
        Some(self.term.load(Ordering::Acquire)).filter(|term| *term > 0)
    }
}
