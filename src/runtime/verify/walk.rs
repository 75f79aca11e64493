//! The walk along the log, segment by segment: every leaf made anew from its row, the tree grown from those, and
//! batches and postings compared on the way. Looks at no row that the log does not name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Findings, Omitted, RuntimeError, Verifier};
use crate::audit::draws::Periods;
use crate::domain::decision::{Skeleton, leaf};
use crate::domain::key::SubjectKey;
use crate::domain::{DecisionId, Digest, SubjectId};
use crate::engine::log::{Bits, Head, RuleNames, SEGMENT_LEAVES, Segment, terms};
use crate::runtime::records::read_bundle;
use crate::runtime::switches::switched;
use crate::store::log::BatchRow;
use crate::store::{BatchKey, StoredDecision};
use crate::transparency::checkpoint::Checkpoint;
use crate::transparency::edge::Edge;
use crate::transparency::entry::{Change, LeafId};
use crate::transparency::merkle_root;
use crate::transparency::tile::{TileId, Tiles, WIDTH};

/// What was counted on the way.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) decisions: u64,
    pub(super) batches: u64,
    pub(super) postings: u64,
    pub(super) segments: u64,
    pub(super) tiles: u64,
    /// The position of each change.
    pub(super) changes: BTreeMap<u64, u64>,
}

/// What a walk came to.
pub(super) struct Walked {
    pub(super) findings: Findings,
    pub(super) counted: Counted,
}

pub(super) struct Walk<'a> {
    verifier: &'a Verifier<'a>,
    head: Head,
    /// Roots that must come out, by the size at which they must.
    roots: BTreeMap<u64, Vec<(&'static str, Digest)>>,
    edge: Edge,
    /// The batch that the walk is within, with the leaves of it so far.
    open: Option<(BatchRow, Vec<Digest>)>,
    rules: RuleNames,
    periods: Periods,
    /// Whose keys may be gone.
    erased: BTreeSet<SubjectId>,
    findings: Findings,
    counted: Counted,
}

/// The name of a batch for people.
pub(super) fn named(key: &BatchKey) -> String {
    format!("batch {} of incarnation {} of node `{}`", key.number, key.incarnation, key.node)
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        verifier: &'a Verifier<'a>,
        head: Head,
        [signed, outside]: [Option<Checkpoint>; 2],
        (periods, erased): (Periods, BTreeSet<SubjectId>),
    ) -> Self {
        let mut roots: BTreeMap<u64, Vec<(&'static str, Digest)>> = BTreeMap::new();
        let told = [(signed, "checkpoint"), (outside, "checkpoint outside the store")];
        for (checkpoint, what) in told.into_iter().filter_map(|(checkpoint, what)| Some((checkpoint?, what))) {
            roots.entry(checkpoint.size).or_default().push((what, checkpoint.root));
        }
        roots.entry(head.size).or_default().push(("head of the log", head.root));
        let (edge, rules) = (Edge::default(), RuleNames::new());
        let (findings, counted) = (Findings::default(), Counted::default());
        Self { verifier, head, roots, edge, open: None, rules, periods, erased, findings, counted }
    }

    pub(super) fn done(self) -> Walked {
        Walked { findings: self.findings, counted: self.counted }
    }

    pub(super) async fn run(&mut self) -> Result<(), RuntimeError> {
        self.root();
        for number in 0..self.head.size.div_ceil(SEGMENT_LEAVES) {
            self.segment(number).await?;
            (self.verifier.progress)(self.edge.size(), self.head.size);
        }
        if let Some((batch, leaves)) = self.open.take() {
            let told = format!("the log ends after {} of its {} decisions", leaves.len(), batch.decisions.len());
            self.findings.add(&named(&batch.key), told);
        }
        let rest = std::mem::take(&mut self.edge).into_changed();
        self.tiles(rest).await
    }

    async fn segment(&mut self, number: u64) -> Result<(), RuntimeError> {
        let store = self.verifier.store;
        let begin = number * SEGMENT_LEAVES;
        let end = self.head.size.min(begin + SEGMENT_LEAVES);
        let width = usize::try_from(end - begin).unwrap_or(WIDTH);
        let stored = store.log_segment(number).await?;
        let place = format!("segment {number} of the log");
        self.counted.segments += 1;
        let mut stored = stored.unwrap_or_default();
        if stored.ids.len() < width {
            let told = format!("it names {} of {width} leaves, from position {begin} on", stored.ids.len());
            self.findings.add(&place, told);
        }
        // A service that runs may have filled it further meanwhile.
        let grown = stored.ids.len() > width;
        stored.ids.truncate(width);
        let id = TileId { level: 0, index: number };
        let tile = store.log_tiles(&[id]).await?.0.remove(&id).unwrap_or_default();
        let rows = Rows::read(self.verifier, &stored.ids).await?;
        let mut starts: BTreeMap<u64, Vec<BatchRow>> = BTreeMap::new();
        for batch in store.batches_at(begin..end).await? {
            starts.entry(batch.position.unwrap_or_default()).or_default().push(batch);
        }
        let mut expected = Segment { number, ..Segment::default() };
        for position in begin..end {
            let at = usize::try_from(position - begin).unwrap_or(WIDTH);
            let id = stored.ids.get(at).copied();
            let hash = tile.get(at).copied();
            let found = match id {
                Some(LeafId::Decision(id)) => self.decision(id, position, &rows, &mut expected).await?,
                Some(LeafId::Change(sequence)) => self.change(sequence, position, &rows, &mut expected),
                None => None,
            };
            if let (Some(id), Some(found), Some(hash)) = (id, found, hash)
                && found != hash
                && !self.verifier.leaves_out(Omitted::Records)
            {
                let told = format!(
                    "its leaf is {}, and the log has {} at position {position}: it was altered",
                    found.hex(),
                    hash.hex()
                );
                self.findings.add(&id.to_string(), told);
            }
            let found = if self.verifier.leaves_out(Omitted::Records) { hash.or(found) } else { found.or(hash) };
            let leaf = found.unwrap_or(Digest([0; 32]));
            if !self.verifier.leaves_out(Omitted::Batches) {
                self.batch(id, position, leaf, &mut starts);
            }
            self.edge.append(leaf);
            self.root();
        }
        if !self.verifier.leaves_out(Omitted::Batches) {
            for batch in starts.into_values().flatten() {
                let told = "it says that it stands in the log at a position where something else stands";
                self.findings.add(&named(&batch.key), format!("{told}: {}", batch.position.unwrap_or_default()));
            }
        }
        if !self.verifier.leaves_out(Omitted::Postings) {
            self.postings(&place, &expected, &stored, if grown { width } else { WIDTH });
        }
        self.counted.postings += expected.postings.len() as u64;
        let full = self.edge.take_full();
        self.tiles(full).await
    }

    /// Compares the roots that must come out where the walk is now.
    fn root(&mut self) {
        for (what, root) in self.roots.remove(&self.edge.size()).unwrap_or_default() {
            let found = self.edge.root();
            if found != root {
                let (size, root, found) = (self.edge.size(), root.hex(), found.hex());
                let told = format!("it says that {size} leaves have the root {root}, and they have {found}");
                self.findings.add(what, told);
            }
        }
    }

    /// Compares tiles that the walk has made with those stored.
    async fn tiles(&mut self, made: Tiles) -> Result<(), RuntimeError> {
        let ids: Vec<TileId> = made.0.keys().copied().collect();
        let stored = self.verifier.store.log_tiles(&ids).await?;
        for (id, hashes) in made.0 {
            self.counted.tiles += 1;
            let place = format!("tile {}", id.path(WIDTH));
            // A service that runs may have made it longer meanwhile.
            match stored.0.get(&id).map(|stored| stored.get(..hashes.len())) {
                None => self.findings.add(&place, "it is gone"),
                Some(None) => self.findings.add(&place, format!("it has fewer than {} hashes", hashes.len())),
                Some(Some(stored)) if *stored != hashes[..] => {
                    let at = stored.iter().zip(&hashes).position(|(a, b)| a != b).unwrap_or_default();
                    self.findings.add(&place, format!("hash {at} of it is not the one that the leaves give"));
                }
                Some(Some(_)) => {}
            }
        }
        Ok(())
    }

    /// The leaf of a decision as its row gives it; nothing where the row is gone.
    async fn decision(
        &mut self,
        id: DecisionId,
        position: u64,
        rows: &Rows,
        expected: &mut Segment,
    ) -> Result<Option<Digest>, RuntimeError> {
        self.counted.decisions += 1;
        let place = format!("decision {id}");
        match rows.positions.get(&id) {
            Some(found) if *found == position => {}
            Some(found) => {
                let told = format!("the table of positions has it at {found}, and it stands at {position}");
                self.findings.add(&place, told);
            }
            None => self.findings.add(&place, format!("the table of positions lacks it: it stands at {position}")),
        }
        let Some(stored) = rows.decisions.get(&id) else {
            expected.push(LeafId::Decision(id), []);
            self.findings.add(&place, format!("it stands in the log at position {position}, and its row is gone"));
            return Ok(None);
        };
        let made = leaf(&stored.record.skeleton);
        if made != stored.record.leaf && !self.verifier.leaves_out(Omitted::Records) {
            self.findings.add(&place, "its record is not the one that its leaf was made of: one of them was altered");
        }
        match stored.record.skeleton() {
            Ok(skeleton) => {
                self.columns(&place, stored, &skeleton);
                let draws = self.periods.check(&skeleton, position);
                for told in draws.into_iter().filter(|_| !self.verifier.leaves_out(Omitted::Draws)) {
                    self.findings.add(&place, told);
                }
                self.bundle(&place, &skeleton).await?;
                expected.push(LeafId::Decision(id), terms(&skeleton, &self.rules));
            }
            Err(error) => {
                expected.push(LeafId::Decision(id), []);
                self.findings.add(&place, error.to_string());
            }
        }
        Ok(Some(made))
    }

    /// What stands beside the record must be what it says.
    fn columns(&mut self, place: &str, stored: &StoredDecision, skeleton: &Skeleton) {
        if self.verifier.leaves_out(Omitted::Records) {
            return;
        }
        if skeleton.decision_id != stored.decision_id {
            self.findings.add(place, format!("it has the record of decision {}", skeleton.decision_id));
            return;
        }
        if skeleton.at != stored.at {
            self.findings.add(place, format!("its row says {}, and its record {}", stored.at, skeleton.at));
        }
        if skeleton.request_digest != stored.request_digest {
            self.findings.add(place, "its row has another request's digest than its record");
        }
        let key = match (stored.subject, stored.wrapped_key.as_deref()) {
            (None, _) => Ok(self.verifier.master.anonymous_key(stored.decision_id.as_bytes())),
            (Some(subject), Some(wrapped)) => self.verifier.master.unwrap(subject, wrapped),
            (Some(subject), None) if self.erased.contains(&subject) => return,
            (Some(subject), None) => {
                let told =
                    format!("the key of its subject {} is gone: nobody can open its private part", subject.hex());
                self.findings.add(place, told);
                return;
            }
        };
        let opened = key.and_then(|key: SubjectKey| stored.record.private(&key));
        if let Err(error) = opened {
            self.findings.add(place, format!("its private part is not what its record commits to: {error}"));
        }
    }

    /// Makes the bundle of a record known, by whose rules its terms have their names.
    async fn bundle(&mut self, place: &str, skeleton: &Skeleton) -> Result<(), RuntimeError> {
        let key = (skeleton.bundle, skeleton.switches);
        if self.rules.contains_key(&key) {
            return Ok(());
        }
        let store = self.verifier.store;
        let bundle = match self.rules.get(&(skeleton.bundle, None)) {
            Some(bundle) => Ok(bundle.clone()),
            None => read_bundle(store, skeleton.bundle).await.map(Arc::new),
        };
        let bundle = match (bundle, skeleton.switches) {
            (Ok(bundle), Some(revision)) => switched(store, bundle, revision).await,
            (bundle, _) => bundle,
        };
        match bundle {
            Ok(bundle) if bundle.hash != skeleton.bundle => {
                let told = format!("what is kept as bundle {} is another one: it was altered", skeleton.bundle.hex());
                self.findings.add(place, told);
            }
            Ok(bundle) => drop(self.rules.insert(key, bundle)),
            Err(RuntimeError::Store(error)) => return Err(error.into()),
            Err(error) => self.findings.add(place, format!("its bundle cannot be had: {error}")),
        }
        Ok(())
    }

    /// The leaf of a privileged change as its row gives it; nothing where the row is gone.
    fn change(&mut self, sequence: u64, position: u64, rows: &Rows, expected: &mut Segment) -> Option<Digest> {
        expected.push(LeafId::Change(sequence), []);
        let place = format!("privileged change {sequence}");
        if self.counted.changes.insert(sequence, position).is_some() {
            self.findings.add(&place, "it stands in the log twice");
        }
        let Some((change, stored)) = rows.changes.get(&sequence) else {
            self.findings.add(&place, format!("it stands in the log at position {position}, and its row is gone"));
            return None;
        };
        if *stored != Some(position) {
            self.findings.add(&place, format!("its row has another position than {position}, where it stands"));
        }
        Some(change.leaf())
    }

    /// Goes on in the batch that the walk is within, or begins the one that stands here.
    fn batch(&mut self, id: Option<LeafId>, position: u64, leaf: Digest, starts: &mut BTreeMap<u64, Vec<BatchRow>>) {
        if self.open.is_none() {
            let Some(LeafId::Decision(decision)) = id else { return };
            let starting = starts.get_mut(&position).and_then(Vec::pop).filter(|batch| !batch.decisions.is_empty());
            let Some(batch) = starting else {
                let told = format!("it stands in the log at position {position}, and no batch has committed it");
                self.findings.add(&format!("decision {decision}"), told);
                return;
            };
            starts.retain(|_, batches| !batches.is_empty());
            self.open = Some((batch, Vec::new()));
        }
        let Some((batch, mut leaves)) = self.open.take() else { return };
        if id != batch.decisions.get(leaves.len()).copied().map(LeafId::Decision) {
            let told = format!("position {position} of the log is not of its decision {}", leaves.len() + 1);
            self.findings.add(&named(&batch.key), told);
            return;
        }
        leaves.push(leaf);
        if leaves.len() < batch.decisions.len() {
            self.open = Some((batch, leaves));
            return;
        }
        self.counted.batches += 1;
        if merkle_root(&leaves) != batch.digest {
            let told = "its digest is not that of its decisions: one of them, or the digest, was altered";
            self.findings.add(&named(&batch.key), told);
        }
    }

    /// Compares the postings of a segment, as far as the walk goes.
    fn postings(&mut self, place: &str, expected: &Segment, stored: &Segment, width: usize) {
        let within = |bits: &Bits| -> Bits {
            let mut bits = *bits;
            for at in width..WIDTH {
                if let Some(byte) = bits.get_mut(at / 8) {
                    *byte &= !(1 << (at % 8));
                }
            }
            bits
        };
        for ((field, term), bits) in &expected.postings {
            let found = stored.postings.get(&(*field, term.clone())).map(within);
            if found != Some(*bits) {
                let told = format!("a search for {} `{term}` does not find what is there", field.name());
                self.findings.add(place, told);
            }
        }
        for ((field, term), bits) in &stored.postings {
            if !expected.postings.contains_key(&(*field, term.clone())) && within(bits) != [0; 32] {
                let told = format!("a search for {} `{term}` finds what is not there", field.name());
                self.findings.add(place, told);
            }
        }
    }
}

/// The rows that a segment names.
struct Rows {
    decisions: BTreeMap<DecisionId, StoredDecision>,
    positions: BTreeMap<DecisionId, u64>,
    changes: BTreeMap<u64, (Change, Option<u64>)>,
}

impl Rows {
    async fn read(verifier: &Verifier<'_>, ids: &[LeafId]) -> Result<Self, RuntimeError> {
        let (mut decisions, mut changes) = (Vec::new(), Vec::new());
        for id in ids {
            match id {
                LeafId::Decision(id) => decisions.push(*id),
                LeafId::Change(sequence) => changes.push(*sequence),
            }
        }
        let store = verifier.store;
        let rows = store.decisions(&decisions).await?;
        Ok(Self {
            decisions: rows.into_iter().map(|row| (row.decision_id, row)).collect(),
            positions: store.log_positions(&decisions).await?.into_iter().collect(),
            changes: store.changes(&changes).await?.into_iter().map(|row| (row.0.sequence, row)).collect(),
        })
    }
}
