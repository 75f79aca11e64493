//! Verification of a whole store against its log: every record, batch, change, tile, root, signature, position and
//! posting, and nothing more or less. Mends nothing and needs no service.

mod rest;
mod told;
mod walk;

use std::collections::BTreeSet;
use std::path::Path;

pub use told::{FINDINGS_MAX, Finding, Findings};

use super::export::site_key;
use super::logging::read_outside;
use super::{Core, RuntimeError};
use crate::audit::draws::Periods;
use crate::config::keyfile::checkpoint_file;
use crate::domain::SubjectId;
use crate::domain::key::MasterKey;
use crate::engine::log::{Head, Waiting};
use crate::store::erasure::erased_by;
use crate::store::log::{LOG_PAGE, LogState};
use crate::store::{Store, StoreError};
use crate::transparency::checkpoint::Checkpoint;

/// What a verification came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Where the log ended when it began.
    pub head: Head,
    /// Decisions in the log.
    pub decisions: u64,
    /// Privileged changes in the log.
    pub changes: u64,
    /// Batches in the log.
    pub batches: u64,
    /// What had no position yet.
    pub waiting: Waiting,
    /// Everything that is not as it should be.
    pub findings: Findings,
}

/// A check that tests leave out, to see that they would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omitted {
    /// Whether records are those of their leaves.
    Records,
    /// Whether batches have the decisions that they were committed with.
    Batches,
    /// Whether draws are those of the keys that were revealed.
    Draws,
    /// Whether postings are true.
    Postings,
    /// Whether the checkpoint outside the store is covered.
    Outside,
    /// Whether tables hold what the log lacks.
    Extras,
}

/// What is verified, and with what.
pub struct Verifier<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// Opens private parts, as far as their keys are left, and says whose signature counts.
    pub master: &'a MasterKey,
    /// The key file, beside which the newest checkpoint is kept.
    pub key_file: &'a Path,
    /// Told how many leaves of how many are done.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Nothing but in tests.
    pub omitted: Option<Omitted>,
}

impl Verifier<'_> {
    /// Verifies everything that was there when it began; what a running service adds meanwhile is not looked at.
    pub async fn run(&self) -> Result<Verified, RuntimeError> {
        let mut findings = Findings::default();
        let state = self.store.log_state().await?;
        let signed = self.checkpoint(&state, &mut findings);
        let outside = self.outside(&state, &mut findings);
        let unlogged = self.unlogged().await?;
        let (mut periods, mut erased) = (Periods::default(), BTreeSet::new());
        let read = self.told(&mut periods, &mut erased, &mut findings).await;
        self.pass("privileged changes", &mut findings, read)?;
        let mut walk = walk::Walk::new(self, state.head, [signed, outside], (periods, erased));
        self.pass("log", &mut findings, walk.run().await)?;
        let walked = walk.done();
        findings.extend(walked.findings);
        let (waiting, passed) = self.rest(&walked.counted, state.head, unlogged, &mut findings).await;
        self.pass("tables", &mut findings, passed)?;
        let counted = walked.counted;
        Ok(Verified {
            head: state.head,
            decisions: counted.decisions,
            changes: counted.changes.len() as u64,
            batches: counted.batches,
            waiting,
            findings,
        })
    }

    /// Key periods, and who was erased, as changes tell of them.
    async fn told(
        &self,
        periods: &mut Periods,
        erased: &mut BTreeSet<SubjectId>,
        findings: &mut Findings,
    ) -> Result<(), RuntimeError> {
        let mut after = 0;
        loop {
            let page = self.store.changes_after(after, LOG_PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = last.sequence;
            for (change, position) in &page {
                erased.extend(erased_by(&change.what, &change.detail));
                if let Err(told) = periods.add(change, *position) {
                    findings.add(&format!("privileged change {}", change.sequence), told);
                }
            }
        }
    }

    fn leaves_out(&self, check: Omitted) -> bool {
        self.omitted == Some(check)
    }

    /// What cannot be read is a finding: whoever alters a column may give it a length that it never has.
    #[expect(clippy::unused_self, reason = "reads as a step of the verification")]
    fn pass(&self, what: &str, findings: &mut Findings, passed: Result<(), RuntimeError>) -> Result<(), RuntimeError> {
        match passed {
            Err(RuntimeError::Store(StoreError::Corrupt(told))) => {
                findings.add(what, format!("{told}: what stands behind it was not looked at"));
                Ok(())
            }
            passed => passed,
        }
    }

    /// The store's own checkpoint, if it is signed by the site and not of more than there is.
    fn checkpoint(&self, state: &LogState, findings: &mut Findings) -> Option<Checkpoint> {
        let note = state.checkpoint.as_deref()?;
        let size = state.checkpoint_size;
        let checkpoint = match Checkpoint::open(note, &site_key(self.master)) {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                findings.add("checkpoint", error.to_string());
                return None;
            }
        };
        if checkpoint.size > state.head.size {
            let told = format!(
                "it covers {} leaves, and the log ends at {}: its end was cut off",
                checkpoint.size, state.head.size
            );
            findings.add("checkpoint", told);
            return None;
        }
        if checkpoint.size != size {
            findings.add("checkpoint", format!("it covers {} leaves, and the store counts {size}", checkpoint.size));
        }
        Some(checkpoint)
    }

    /// The checkpoint beside the key file: a store that was cut back as a whole does not know what it once had.
    fn outside(&self, state: &LogState, findings: &mut Findings) -> Option<Checkpoint> {
        if self.leaves_out(Omitted::Outside) {
            return None;
        }
        let path = checkpoint_file(self.key_file);
        let place = path.display().to_string();
        let seen = match read_outside(&path, &site_key(self.master)) {
            Ok(seen) => seen?,
            Err(error) => {
                findings.add(&place, error.to_string());
                return None;
            }
        };
        let (size, head, newest) = (seen.size, state.head.size, state.checkpoint_size);
        if size > head {
            findings
                .add(&place, format!("it covers {size} leaves, and the log ends at {head}: the store was cut back"));
            return None;
        }
        // The store keeps one first.
        if size > newest {
            findings.add(&place, format!("it covers {size} leaves, and the store's own checkpoint only {newest}"));
        }
        Some(seen)
    }
}

impl Core {
    /// Verifies the whole store against its log, while it is in use.
    pub async fn verify_log(&self) -> Result<Verified, RuntimeError> {
        let (store, master, key_file) = (self.store.as_ref(), &self.keys.master, self.settings.key_file.as_path());
        Verifier { store, master, key_file, progress: &|_, _| {}, omitted: None }.run().await
    }
}
