//! The log as a store keeps it: head, tiles, positions, segments, and what waits for a position. Hashes nothing.

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;

use super::column;
use super::{BatchKey, By, StoreError};
use crate::domain::{DecisionId, Digest, Timestamp};
use crate::engine::log::{Appended, Bits, Field, Head, NewBatch, NewLeaf, Segment, Unlogged, Waiting};
use crate::transparency::entry::{Change, LeafId};
use crate::transparency::tile::{TileId, Tiles, tile_hashes};

/// Rows that a check of the whole store reads at once.
pub const LOG_PAGE: u32 = 1_024;

/// The newest checkpoint, and the head that it may be behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// Where the log ends.
    pub head: Head,
    /// The newest checkpoint as a signed note; nothing before the first.
    pub checkpoint: Option<String>,
    /// How many leaves it covers.
    pub checkpoint_size: u64,
}

/// A batch, as the table of batches has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Which.
    pub key: BatchKey,
    /// The root over its leaves.
    pub digest: Digest,
    /// In the order of their leaves.
    pub decisions: Vec<DecisionId>,
    /// The position of the first of them.
    pub position: Option<u64>,
}

/// How many rows the tables of the log have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogCounts {
    /// Decisions stored.
    pub decisions: u64,
    /// Positions of decisions.
    pub positions: u64,
    /// Tiles.
    pub tiles: u64,
    /// Segments.
    pub segments: u64,
    /// Rows of postings.
    pub postings: u64,
}

/// The part of a store that is about its log.
#[async_trait]
pub trait Log: Send + Sync {
    /// Where the log ends, and its newest checkpoint.
    async fn log_state(&self) -> Result<LogState, StoreError>;

    /// What has no position yet: changes, then batches, oldest first, at least one if there is any, then as many as fit
    /// in `leaves_max`; with the end of the log that they are appended to.
    async fn unlogged(&self, leaves_max: u32) -> Result<Unlogged, StoreError>;

    /// Stores one step of the log and renews the lease; `false` and nothing changed if the term is fenced. An error
    /// where the log does not end where the step begins: nobody can fork it.
    async fn append_log(&self, term: u64, step: &Appended) -> Result<bool, StoreError>;

    /// Keeps a checkpoint of so many leaves in place of an older one; `false` and nothing changed if the term is
    /// fenced.
    async fn keep_checkpoint(&self, term: u64, size: u64, note: &str) -> Result<bool, StoreError>;

    /// Writes down that somebody used a privilege that changes nothing, such as reading all of a customer.
    async fn note(&self, what: &str, detail: &str, by: By<'_>) -> Result<(), StoreError>;

    /// Writes a privileged change down that changes nothing else; `false` if the same was written down before.
    async fn note_once(&self, what: &str, detail: &str, by: By<'_>) -> Result<bool, StoreError>;

    /// How much waits for a position.
    async fn log_waiting(&self) -> Result<Waiting, StoreError>;

    /// Tiles; those that are not stored are left out.
    async fn log_tiles(&self, ids: &[TileId]) -> Result<Tiles, StoreError>;

    /// The positions of decisions, in the order of the ids; those that have none are left out.
    async fn log_positions(&self, decisions: &[DecisionId]) -> Result<Vec<(DecisionId, u64)>, StoreError>;

    /// One segment with its postings.
    async fn log_segment(&self, number: u64) -> Result<Option<Segment>, StoreError>;

    /// Privileged changes of these sequences, with their positions, by sequence.
    async fn changes(&self, sequences: &[u64]) -> Result<Vec<(Change, Option<u64>)>, StoreError>;

    /// Privileged changes after a sequence, with their positions, by sequence.
    async fn changes_after(&self, sequence: u64, limit: u32) -> Result<Vec<(Change, Option<u64>)>, StoreError>;

    /// Batches after one of them (or all), by node, incarnation and number.
    async fn batches_after(&self, after: Option<&BatchKey>, limit: u32) -> Result<Vec<BatchRow>, StoreError>;

    /// Batches whose first decision stands within these positions, by position.
    async fn batches_at(&self, positions: Range<u64>) -> Result<Vec<BatchRow>, StoreError>;

    /// Decisions without a position after one of them (or all), by id.
    async fn decisions_unlogged(&self, after: Option<DecisionId>, limit: u32) -> Result<Vec<DecisionId>, StoreError>;

    /// Positions of decisions after one of them (or all), by id.
    async fn positions_after(
        &self,
        after: Option<DecisionId>,
        limit: u32,
    ) -> Result<Vec<(DecisionId, u64)>, StoreError>;

    /// How many rows there are.
    async fn log_counts(&self) -> Result<LogCounts, StoreError>;
}

/// The error for a step that does not begin where the log ends.
pub(super) fn moved(step: &Appended) -> StoreError {
    StoreError::Corrupt(format!(
        "the log no longer ends at {} leaves, where this step begins: somebody else has appended to it under the same \
         term",
        step.before.size
    ))
}

/// size, root, checkpoint, `checkpoint_size`
pub(super) type StateColumns = (i64, Vec<u8>, Option<String>, i64);

pub(super) fn state(row: Option<StateColumns>) -> Result<LogState, StoreError> {
    let gone = || StoreError::Corrupt("the head of the log is gone from the table `log_head`".to_owned());
    let (size, root, checkpoint, covered) = row.ok_or_else(gone)?;
    let head = Head { size: column::natural(size)?, root: column::digest(&root)? };
    Ok(LogState { head, checkpoint, checkpoint_size: column::natural(covered)? })
}

/// level, number, hashes
pub(super) type TileColumns = (i16, i64, Vec<u8>);

pub(super) fn tiles(rows: Vec<TileColumns>) -> Result<Tiles, StoreError> {
    let tile = |(level, number, bytes): TileColumns| {
        let level = u8::try_from(level).map_err(|_| StoreError::Corrupt(format!("`{level}` is no level of tiles")))?;
        let hashes = tile_hashes(&bytes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok((TileId { level, index: column::natural(number)? }, hashes))
    };
    rows.into_iter().map(tile).collect::<Result<_, StoreError>>().map(Tiles)
}

/// A tile as databases name it.
pub(super) fn tile_name(id: TileId) -> Result<(i16, i64), StoreError> {
    Ok((i16::from(id.level), column::signed(id.index)?))
}

/// The column `ids` of a segment.
pub(super) fn segment_ids(segment: &Segment) -> Vec<u8> {
    segment.ids.iter().flat_map(|id| id.to_bytes()).collect()
}

/// field, term, bits
pub(super) type PostingColumns = (i16, String, Vec<u8>);

pub(super) fn segment(number: u64, ids: &[u8], postings: Vec<PostingColumns>) -> Result<Segment, StoreError> {
    let id = |bytes: &[u8]| {
        let bytes = bytes.try_into().map_err(|_| {
            StoreError::Corrupt(format!("segment {number} of the log has {} bytes, no multiple of 16", ids.len()))
        })?;
        Ok(LeafId::from_bytes(bytes))
    };
    let mut of = BTreeMap::new();
    for (code, term, bits) in postings {
        let field = Field::of_code(code).ok_or_else(|| StoreError::Corrupt(format!("`{code}` is no field")))?;
        let bits: Bits = bits.try_into().map_err(|bits: Vec<u8>| {
            StoreError::Corrupt(format!("{} bytes of postings where 32 were written", bits.len()))
        })?;
        of.insert((field, term), bits);
    }
    Ok(Segment { number, ids: ids.chunks(16).map(id).collect::<Result<_, StoreError>>()?, postings: of })
}

/// `decision_id`, skeleton, leaf
pub(super) type LeafColumns = (Vec<u8>, Vec<u8>, Vec<u8>);

/// sequence, at, `by_key`, what, detail, position
pub(super) type ChangeColumns = (i64, i64, String, String, String, Option<i64>);

pub(super) fn change(columns: ChangeColumns) -> Result<(Change, Option<u64>), StoreError> {
    let (sequence, at, by, what, detail, position) = columns;
    let change = Change::new(column::natural(sequence)?, (Timestamp(at), by), what, detail);
    Ok((change, position.map(column::natural).transpose()?))
}

/// node, incarnation, number, digest, `decision_ids`, position
pub(super) type LogBatchColumns = (String, i64, i64, Vec<u8>, Vec<u8>, Option<i64>);

pub(super) fn batch(columns: LogBatchColumns) -> Result<BatchRow, StoreError> {
    let (node, incarnation, number, digest, ids, position) = columns;
    let (key, decisions) = column::batch((node, incarnation, number, ids))?;
    let position = position.map(column::natural).transpose()?;
    Ok(BatchRow { key, digest: column::digest(&digest)?, decisions, position })
}

/// The first of these batches, and as many more as have so many decisions together.
pub(super) fn fitting(batches: Vec<BatchRow>, leaves_max: u32) -> Vec<BatchRow> {
    let mut leaves = 0;
    let fits = |batch: &BatchRow| {
        let first = leaves == 0;
        leaves += batch.decisions.len();
        first || leaves <= leaves_max as usize
    };
    batches.into_iter().take_while(fits).collect()
}

/// What waits, from what was read of it. A decision that is gone is an error: its batch says that it was committed.
pub(super) fn unlogged(
    (head, tiles, segment): (Head, Tiles, Option<Segment>),
    changes: Vec<Change>,
    batches: Vec<BatchRow>,
    rows: Vec<LeafColumns>,
) -> Result<Unlogged, StoreError> {
    let mut leaves_of = BTreeMap::new();
    for (id, skeleton, leaf) in rows {
        let (decision_id, leaf) = (column::decision_id(&id)?, column::digest(&leaf)?);
        leaves_of.insert(decision_id, NewLeaf { decision_id, skeleton, leaf });
    }
    let mut found = Vec::with_capacity(batches.len());
    for BatchRow { key, digest, decisions, .. } in batches {
        let mut leaves = Vec::with_capacity(decisions.len());
        for decision_id in decisions {
            let leaf = leaves_of.remove(&decision_id).ok_or_else(|| {
                StoreError::Corrupt(format!(
                    "decision {decision_id} is not stored, and batch {} of incarnation {} of node `{}` committed it",
                    key.number, key.incarnation, key.node
                ))
            })?;
            leaves.push(leaf);
        }
        found.push(NewBatch { key, digest, decisions: leaves });
    }
    Ok(Unlogged { head, tiles, segment, changes, batches: found })
}

/// decisions, positions, tiles, segments, postings
pub(super) type CountColumns = (i64, i64, i64, i64, i64);

pub(super) fn counts((decisions, positions, tiles, segments, postings): CountColumns) -> Result<LogCounts, StoreError> {
    Ok(LogCounts {
        decisions: column::natural(decisions)?,
        positions: column::natural(positions)?,
        tiles: column::natural(tiles)?,
        segments: column::natural(segments)?,
        postings: column::natural(postings)?,
    })
}

/// Batches and changes that wait.
pub(super) fn waiting((batches, changes): (i64, i64)) -> Result<Waiting, StoreError> {
    Ok(Waiting { batches: column::natural(batches)?, changes: column::natural(changes)? })
}

/// The key of a batch to read on after; before all of them where there is none.
pub(super) fn after_batch(after: Option<&BatchKey>) -> Result<(String, i64, i64), StoreError> {
    Ok(match after {
        Some(key) => (key.node.clone(), column::signed(key.incarnation)?, column::signed(key.number)?),
        None => (String::new(), 0, 0),
    })
}

/// `decision_id`, position
pub(super) type PositionColumns = (Vec<u8>, i64);

pub(super) fn positions(rows: &[PositionColumns]) -> Result<Vec<(DecisionId, u64)>, StoreError> {
    rows.iter().map(|(id, position)| Ok((column::decision_id(id)?, column::natural(*position)?))).collect()
}

/// The bytes of a decision id to read on after; before all of them where there is none.
pub(super) fn after_decision(after: Option<DecisionId>) -> Vec<u8> {
    after.map_or(Vec::new(), |id| id.as_bytes().to_vec())
}
