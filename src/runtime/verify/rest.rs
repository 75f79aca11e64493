//! What the walk along the log does not meet: rows that the log lacks, and batches that wait. Hashes only those.

use std::collections::{BTreeMap, BTreeSet};

use super::walk::{Counted, named};
use super::{Findings, Omitted, RuntimeError, Verifier};
use crate::domain::DecisionId;
use crate::domain::decision::leaf;
use crate::engine::log::{Head, SEGMENT_LEAVES, Waiting};
use crate::store::log::{BatchRow, LOG_PAGE};
use crate::store::{BatchKey, StoreError};
use crate::transparency::entry::LeafId;
use crate::transparency::merkle_root;

/// What is known of the batches of one incarnation of a node so far.
struct Run {
    number: u64,
    position: Option<u64>,
}

impl Verifier<'_> {
    /// Decisions without a position. Read first: whatever is committed later is not among them.
    pub(super) async fn unlogged(&self) -> Result<Vec<DecisionId>, RuntimeError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.decisions_unlogged(after, LOG_PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(*last);
            found.extend(page);
        }
    }

    pub(super) async fn rest(
        &self,
        counted: &Counted,
        head: Head,
        unlogged: Vec<DecisionId>,
        findings: &mut Findings,
    ) -> (Waiting, Result<(), RuntimeError>) {
        let mut waiting = Waiting::default();
        if self.leaves_out(Omitted::Extras) {
            return (waiting, Ok(()));
        }
        let passed = async {
            let committed = self.batches(&mut waiting, findings).await?;
            self.nobodys(unlogged, &committed, findings).await?;
            self.changes(counted, &mut waiting, findings).await?;
            // What a running service appends meanwhile would be counted.
            if self.store.log_state().await?.head == head {
                self.counts(counted, head, findings).await?;
            }
            Ok(())
        };
        let passed = passed.await;
        (waiting, passed)
    }

    /// Whether the batches of each incarnation have no gap, and those that wait are what was committed. Returns the
    /// decisions of those that wait.
    async fn batches(
        &self,
        waiting: &mut Waiting,
        findings: &mut Findings,
    ) -> Result<BTreeSet<DecisionId>, RuntimeError> {
        let (mut runs, mut after): (BTreeMap<(String, u64), Run>, Option<BatchKey>) = (BTreeMap::new(), None);
        let mut committed = BTreeSet::new();
        loop {
            let page = self.store.batches_after(after.as_ref(), LOG_PAGE).await?;
            let Some(last) = page.last() else { return Ok(committed) };
            after = Some(last.key.clone());
            for batch in page {
                let run = runs.entry((batch.key.node.clone(), batch.key.incarnation));
                let run = run.or_insert(Run { number: 0, position: Some(0) });
                if run.position.is_none() && batch.position.is_some() {
                    // The one before was read earlier, and may have been appended since.
                    let earlier = BatchKey { number: run.number.saturating_sub(1), ..batch.key.clone() };
                    let again = self.store.batches_after(Some(&earlier), 1).await?;
                    run.position = again.first().and_then(|again| again.position);
                }
                follows(run, &batch, findings);
                if batch.position.is_none() {
                    waiting.batches += 1;
                    committed.extend(batch.decisions.iter().copied());
                    self.waits(&batch, findings).await?;
                }
            }
        }
    }

    /// Whether a batch that waits has the decisions that it was committed with.
    async fn waits(&self, batch: &BatchRow, findings: &mut Findings) -> Result<(), RuntimeError> {
        let rows = self.store.decisions(&batch.decisions).await?;
        let leaves: BTreeMap<DecisionId, _> =
            rows.iter().map(|row| (row.decision_id, leaf(&row.record.skeleton))).collect();
        let gone = batch.decisions.iter().find(|id| !leaves.contains_key(id));
        if let Some(id) = gone {
            findings.add(&format!("decision {id}"), format!("{} committed it, and its row is gone", named(&batch.key)));
            return Ok(());
        }
        if let Some((id, at)) = self.store.log_positions(&batch.decisions).await?.into_iter().min_by_key(|(_, at)| *at)
        {
            // Appended since it was read.
            if self.store.batches_at(at..at + 1).await?.iter().any(|appended| appended.key == batch.key) {
                return Ok(());
            }
            let told = format!("it waits for its position, and its decision {id} stands in the log at {at} already");
            findings.add(&named(&batch.key), told);
            return Ok(());
        }
        let leaves: Vec<_> = batch.decisions.iter().filter_map(|id| leaves.get(id).copied()).collect();
        if merkle_root(&leaves) != batch.digest {
            let told = "it waits for its position, and its digest is not that of its decisions: one was altered";
            findings.add(&named(&batch.key), told);
        }
        Ok(())
    }

    /// Decisions that neither the log nor a batch that waits knows of.
    async fn nobodys(
        &self,
        unlogged: Vec<DecisionId>,
        committed: &BTreeSet<DecisionId>,
        findings: &mut Findings,
    ) -> Result<(), RuntimeError> {
        let unknown: Vec<DecisionId> = unlogged.into_iter().filter(|id| !committed.contains(id)).collect();
        for page in unknown.chunks(LOG_PAGE as usize) {
            // They may have got their position since.
            let logged: BTreeSet<DecisionId> =
                self.store.log_positions(page).await?.into_iter().map(|(id, _)| id).collect();
            for id in page.iter().filter(|id| !logged.contains(id)) {
                let told = "it is in the table of decisions, and neither the log nor a batch that waits has it";
                findings.add(&format!("decision {id}"), told);
            }
        }
        Ok(())
    }

    /// Changes whose row says that they stand in the log where they do not.
    async fn changes(
        &self,
        counted: &Counted,
        waiting: &mut Waiting,
        findings: &mut Findings,
    ) -> Result<(), RuntimeError> {
        let size = self.store.log_state().await?.head.size;
        let mut after = 0;
        loop {
            let page = self.store.changes_after(after, LOG_PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = last.sequence;
            for (change, position) in page {
                let place = || format!("privileged change {}", change.sequence);
                match (position, counted.changes.get(&change.sequence)) {
                    (None, None) => waiting.changes += 1,
                    // Both of the same, or told of on the way.
                    (_, Some(_)) => {}
                    (Some(position), None) if position >= size => {
                        findings.add(&place(), format!("its position {position} lies behind the end of the log"));
                    }
                    (Some(position), None) => {
                        let told = format!("its row says that it stands at position {position}, where it does not");
                        if self.stands(LeafId::Change(change.sequence), position).await? {
                            // Appended while this ran.
                            continue;
                        }
                        findings.add(&place(), told);
                    }
                }
            }
        }
    }

    async fn stands(&self, id: LeafId, position: u64) -> Result<bool, StoreError> {
        let segment = self.store.log_segment(position / SEGMENT_LEAVES).await?;
        Ok(segment.is_some_and(|segment| segment.at(position) == Some(id)))
    }

    /// Whether the tables of the log have as many rows as the log needs.
    async fn counts(&self, counted: &Counted, head: Head, findings: &mut Findings) -> Result<(), RuntimeError> {
        let there = self.store.log_counts().await?;
        let mut compare = |table: &str, there: u64, needed: u64| {
            if there != needed {
                findings.add(&format!("table `{table}`"), format!("it has {there} rows, and the log needs {needed}"));
            }
        };
        compare("log_position", there.positions, counted.decisions);
        compare("log_tile", there.tiles, counted.tiles);
        compare("log_segment", there.segments, counted.segments);
        compare("log_posting", there.postings, counted.postings);
        if there.positions == counted.decisions {
            return Ok(());
        }
        let mut after = None;
        loop {
            let page = self.store.positions_after(after, LOG_PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            for (id, position) in page {
                if position >= head.size || !self.stands(LeafId::Decision(id), position).await? {
                    let told = format!("the table of positions has it at {position}, where it does not stand");
                    findings.add(&format!("decision {id}"), told);
                }
            }
        }
    }
}

/// Whether a batch follows the one before it of the same incarnation, in number and position.
fn follows(run: &mut Run, batch: &BatchRow, findings: &mut Findings) {
    let place = named(&batch.key);
    if batch.key.number != run.number + 1 {
        let told = format!("it follows batch {}: those between are gone, as numbers have no gaps", run.number);
        findings.add(&place, told);
    }
    match (run.position, batch.position) {
        (None, Some(_)) => findings.add(&place, "it stands in the log, and the one before it waits for its position"),
        (Some(before), Some(at)) if at < before => {
            findings.add(&place, format!("it stands at position {at}, before the batch before it"));
        }
        _ => {}
    }
    *run = Run { number: batch.key.number, position: batch.position };
}
