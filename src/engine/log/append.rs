//! From what has no position to what one transaction stores: leaves checked, the tree grown, segments filled. Reads no
//! store.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::segment::{Segment, Term, terms};
use super::{Appended, Head, NewBatch, Unlogged, place};
use crate::domain::decision::{Skeleton, leaf};
use crate::domain::{Digest, Malformed};
use crate::policy::Bundle;
use crate::transparency::edge::Edge;
use crate::transparency::entry::LeafId;
use crate::transparency::merkle_root;

/// The bundles, with the switches of a revision, that the rules of decisions have their names from.
pub type RuleNames = BTreeMap<(Digest, Option<u64>), Arc<Bundle>>;

/// Gives everything that waits its position: changes first, then batches, each in its order. `skeletons` are those of
/// [`Unlogged::decisions`], decoded. What is not what was committed gets none, and neither does what stands behind it.
pub fn append(work: Unlogged, skeletons: &[Skeleton], rules: &RuleNames) -> Result<Appended, Malformed> {
    let Unlogged { head, tiles, segment, changes, batches } = work;
    let mut edge = Edge::open(head.size, &tiles)?;
    if edge.root() != head.root {
        return Err(Malformed(format!(
            "the log of {} leaves has the root {}, and its tiles have {}: tiles or head were altered; \
             `proffer audit verify` says which",
            head.size,
            head.root.hex(),
            edge.root().hex()
        )));
    }
    let mut segments = Segments::open(segment, head.size)?;
    let mut appended = Appended {
        before: head,
        after: head,
        tiles,
        segments: Vec::new(),
        decisions: Vec::with_capacity(skeletons.len()),
        changes: Vec::with_capacity(changes.len()),
        batches: Vec::with_capacity(batches.len()),
    };
    for change in changes {
        appended.changes.push((change.sequence, edge.size()));
        segments.push(LeafId::Change(change.sequence), []);
        edge.append(change.leaf());
    }
    let mut skeletons = skeletons.iter();
    for batch in batches {
        check(&batch)?;
        appended.batches.push((batch.key, edge.size()));
        for (decision, skeleton) in batch.decisions.iter().zip(&mut skeletons) {
            if skeleton.decision_id != decision.decision_id {
                return Err(Malformed(format!(
                    "decision {} has the record of decision {}: its row was altered after it was committed",
                    decision.decision_id, skeleton.decision_id
                )));
            }
            appended.decisions.push((decision.decision_id, edge.size()));
            segments.push(LeafId::Decision(decision.decision_id), terms(skeleton, rules));
            edge.append(decision.leaf);
        }
    }
    appended.after = Head { size: edge.size(), root: edge.root() };
    appended.segments = segments.into_changed();
    appended.tiles = edge.into_changed();
    Ok(appended)
}

/// Whether a batch is what was committed: whoever alters it later alters what its digest says.
fn check(batch: &NewBatch) -> Result<(), Malformed> {
    let mut leaves = Vec::with_capacity(batch.decisions.len());
    for decision in &batch.decisions {
        if leaf(&decision.skeleton) != decision.leaf {
            return Err(Malformed(format!(
                "the record of decision {} is not the one that its leaf was made of: it was altered after it was \
                 committed",
                decision.decision_id
            )));
        }
        leaves.push(decision.leaf);
    }
    if merkle_root(&leaves) != batch.digest {
        return Err(Malformed(format!(
            "batch {} of incarnation {} of node `{}` does not have the decisions that it was committed with",
            batch.key.number, batch.key.incarnation, batch.key.node
        )));
    }
    Ok(())
}

/// The segment that is being filled, and those that are full.
struct Segments {
    full: Vec<Segment>,
    open: Segment,
    changed: bool,
}

impl Segments {
    fn open(last: Option<Segment>, size: u64) -> Result<Self, Malformed> {
        let (number, filled) = place(size);
        let open = match last {
            Some(segment) if filled > 0 => segment,
            _ => Segment { number, ..Segment::default() },
        };
        if (open.number, open.ids.len()) != (number, filled) {
            return Err(Malformed(format!(
                "segment {} of the log holds {} ids, and a log of {size} leaves has {filled} in its segment {number}",
                open.number,
                open.ids.len()
            )));
        }
        Ok(Self { full: Vec::new(), open, changed: false })
    }

    fn push(&mut self, id: LeafId, terms: impl IntoIterator<Item = Term>) {
        self.changed = true;
        self.open.push(id, terms);
        if self.open.is_full() {
            let next = Segment { number: self.open.number + 1, ..Segment::default() };
            self.full.push(std::mem::replace(&mut self.open, next));
            self.changed = false;
        }
    }

    fn into_changed(self) -> Vec<Segment> {
        let mut segments = self.full;
        segments.extend(self.changed.then_some(self.open));
        segments
    }
}
