//! Making a bundle ready in the background: fetched, verified, compiled, its own tests run. Puts none in force.
//!
//! Only what was made ready replaces the bundle that a process decides under. Where that fails the process keeps the
//! one before, commits nothing under it (the store's gate sees to that), and says so: in `/readyz`, in the metrics, and
//! to the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::bundles::not_stored;
use super::records::parse_sources;
use super::{Core, RuntimeError};
use crate::decision::trial::{Trial, try_all};
use crate::domain::{Digest, Span, Timestamp};
use crate::policy::{Bundle, Tests, compile_with_tests};
use crate::store::{BundleReport, NodeState, RefusedBundle};

/// Bundles that were asked for so long ago are no longer made ready unasked.
const WANTED: Span = Span(60_000);

/// Rounds of housekeeping after which a node says again that it is there.
const ROUNDS: u64 = 10;

/// What this process has found out about bundles.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    /// Whether each is ready, or why not.
    tried: BTreeMap<Digest, Result<(), String>>,
    /// The active bundle, where this process cannot decide under it.
    refused: Option<RefusedBundle>,
    /// Since when it decides under the bundle of its snapshot.
    since: Option<(Digest, Timestamp)>,
    /// What it last said of itself.
    told: Option<NodeState>,
}

/// Says in words that tests do not hold; nothing where they do.
pub fn failing(trial: &Trial) -> Option<String> {
    let failed: Vec<_> = trial.failed().collect();
    let first = failed.first()?;
    let (count, all) = (failed.len(), trial.cases.len());
    let fail = if count == 1 { "fails" } else { "fail" };
    let place = format!("{}:{}", first.path, first.line);
    Some(format!("{count} of the {all} tests of the bundle {fail}, the first is `{}` ({place})", first.name))
}

/// Whether the own tests of a bundle hold; why not, otherwise.
pub(super) fn holds(bundle: &Bundle) -> Result<(), String> {
    let (bundle, tests) = with_tests(bundle)?;
    failing(&try_all(&bundle, &tests)).map_or(Ok(()), Err)
}

fn with_tests(bundle: &Bundle) -> Result<(Arc<Bundle>, Tests), String> {
    compiled(compile_with_tests(&bundle.sources))
}

fn compiled(compiled: Result<(Bundle, Tests), Vec<crate::policy::Finding>>) -> Result<(Arc<Bundle>, Tests), String> {
    let (bundle, tests) = compiled.map_err(|findings| {
        let first = findings.first().map(|finding| {
            format!(", the first at {}:{}: {} [{}]", finding.path, finding.line, finding.message, finding.code)
        });
        format!("this build finds {} in it{}", super::mistakes(findings.len()), first.unwrap_or_default())
    })?;
    Ok((Arc::new(bundle), tests))
}

/// The bundle of a body as the store has it, once everything about it has been tried; why not, otherwise.
pub(super) fn verified(hash: Digest, body: Option<&str>) -> Result<Arc<Bundle>, String> {
    let body = body.ok_or_else(|| not_stored(hash).to_string())?;
    let sources = parse_sources(body).map_err(|error| error.to_string())?;
    let (bundle, tests) = compiled(compile_with_tests(&sources))?;
    if bundle.hash != hash {
        return Err(format!(
            "its files come to {}: they are damaged, or another build gives them another meaning",
            bundle.hash_text()
        ));
    }
    failing(&try_all(&bundle, &tests)).map_or(Ok(bundle), Err)
}

impl Core {
    fn found<T>(&self, read: impl FnOnce(&mut Found) -> T) -> T {
        read(&mut self.readiness.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a bundle ready, once, away from the threads that answer; why it is not, otherwise. Tells the store.
    pub(super) async fn made_ready(&self, hash: Digest) -> Result<Result<Arc<Bundle>, String>, RuntimeError> {
        let known = self.found(|found| found.tried.get(&hash).cloned());
        match known {
            Some(Err(why)) => return Ok(Err(why)),
            Some(Ok(())) => return Ok(Ok(self.bundle_at(hash, None).await?)),
            None => {}
        }
        let current = self.snapshot().bundle.clone();
        let ready = if current.hash == hash {
            Ok(self.bundle_at(hash, None).await?)
        } else {
            let body = self.store.bundle(hash).await?;
            let ready = tokio::task::spawn_blocking(move || verified(hash, body.as_deref())).await;
            ready.unwrap_or_else(|error| Err(format!("making it ready failed: {error}")))
        };
        match &ready {
            Ok(bundle) => self.keep_bundle(bundle),
            Err(why) => tracing::error!(bundle = hash.hex(), why, "a bundle cannot be taken over"),
        }
        let failed = ready.as_ref().err().cloned();
        let report = BundleReport { holder: self.holder.clone(), hash, failed, at: Timestamp(0) };
        // Before it is noted here: where nobody could be told it is tried again.
        self.store.report_bundle(&report).await?;
        self.found(|found| found.tried.insert(hash, ready.as_ref().map(|_| ()).map_err(Clone::clone)));
        Ok(ready)
    }

    /// The bundle to decide under from now on; an error, which is told everywhere, where this process cannot.
    pub(super) async fn taken_over(&self, hash: Digest) -> Result<Arc<Bundle>, RuntimeError> {
        let ready = self.made_ready(hash).await?;
        ready.map_err(|why| {
            let since = self.clock.now();
            self.found(|found| {
                if found.refused.as_ref().is_none_or(|refused| refused.hash != hash) {
                    found.refused = Some(RefusedBundle { hash, why: why.clone(), since });
                }
            });
            self.metrics.bundle_refused(true);
            RuntimeError::Takeover { hash, why }
        })
    }

    /// Notes that it decides under the bundle of its snapshot, which is the active one.
    pub(super) fn decides_under(&self, hash: Digest) {
        let now = self.clock.now();
        self.found(|found| {
            found.refused = None;
            if found.since.is_none_or(|(under, _)| under != hash) {
                found.since = Some((hash, now));
            }
        });
        self.metrics.bundle_refused(false);
    }

    /// The active bundle, where this process cannot decide under it.
    pub fn refused(&self) -> Option<RefusedBundle> {
        self.found(|found| found.refused.clone())
    }

    /// Makes ready whatever somebody asked for.
    async fn make_wanted_ready(&self) -> Result<(), RuntimeError> {
        for hash in self.store.wanted_bundles(WANTED).await? {
            if self.found(|found| !found.tried.contains_key(&hash)) {
                let _ = self.made_ready(hash).await?;
            }
        }
        Ok(())
    }

    /// Makes ready what others want to activate, and tells the store how this process stands.
    pub(super) async fn speak_of_bundles(&self, round: u64) -> Result<(), RuntimeError> {
        self.make_wanted_ready().await?;
        self.tell_state(round).await
    }

    /// Tells the store what this process decides under: when that has changed, and now and then.
    pub(super) async fn tell_state(&self, round: u64) -> Result<(), RuntimeError> {
        let snapshot = self.snapshot();
        let (refused, since) = self.found(|found| (found.refused.clone(), found.since));
        let state = NodeState {
            holder: self.holder.clone(),
            build: snapshot.build.clone(),
            bundle: snapshot.bundle.hash,
            since: since.map_or(self.clock.now(), |(_, since)| since),
            control_sequence: snapshot.control_sequence,
            refused,
            key_period: self.keys.generator.period,
            seen_at: Timestamp(0),
        };
        if round.is_multiple_of(ROUNDS) || self.found(|found| found.told.as_ref() != Some(&state)) {
            self.store.report_node(&state).await?;
            self.found(|found| found.told = Some(state));
        }
        Ok(())
    }
}
