//! Proofs from the log of a store: of a decision, and that the log only grew. Signs nothing.

use std::ops::Range;

use super::RuntimeError;
use crate::domain::{DecisionId, Digest, Malformed};
use crate::store::{Store, StoredDecision};
use crate::transparency::checkpoint::Checkpoint;
use crate::transparency::proof::{consistency_ranges, hashes, inclusion_ranges};
use crate::transparency::tile::{Tiles, tiles_of};

/// A decision in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The decision as stored.
    pub stored: StoredDecision,
    /// Where it stands.
    pub position: u64,
    /// What the path leads to.
    pub checkpoint: Checkpoint,
    /// The checkpoint as it was signed.
    pub note: String,
    /// The hashes beside it, from the leaf up.
    pub path: Vec<Digest>,
}

/// What is known of a decision's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proved {
    /// It is in the log.
    Logged(Box<Proof>),
    /// It is stored and no checkpoint covers it yet, which takes a second or two.
    NotYet,
    /// No such decision is stored.
    Unknown,
}

/// The tiles that the hashes of ranges need.
async fn tiles(store: &dyn Store, ranges: &[Range<u64>]) -> Result<Tiles, RuntimeError> {
    let ids: Vec<_> = tiles_of(ranges).into_iter().collect();
    Ok(store.log_tiles(&ids).await?)
}

/// The root of the log when it had so many leaves.
pub async fn root_at(store: &dyn Store, size: u64) -> Result<Digest, RuntimeError> {
    let range = 0..size;
    Ok(tiles(store, std::slice::from_ref(&range)).await?.hash(&range)?)
}

/// The proof that a decision stands in the log, under the newest checkpoint.
pub async fn prove(store: &dyn Store, id: DecisionId) -> Result<Proved, RuntimeError> {
    let Some(stored) = store.decision(id).await? else { return Ok(Proved::Unknown) };
    let (positions, state) = (store.log_positions(&[id]).await?, store.log_state().await?);
    let (Some((_, position)), Some(note)) = (positions.first().copied(), state.checkpoint) else {
        return Ok(Proved::NotYet);
    };
    let checkpoint = Checkpoint::peek(&note)?;
    if position >= checkpoint.size {
        return Ok(Proved::NotYet);
    }
    let ranges = inclusion_ranges(position, checkpoint.size)?;
    let path = hashes(&tiles(store, &ranges).await?, &ranges)?;
    Ok(Proved::Logged(Box::new(Proof { stored, position, checkpoint, note, path })))
}

/// The hashes that prove that the log of so many leaves begins with that of fewer; nothing where it has not so many.
pub async fn prove_growth(store: &dyn Store, from: u64, to: u64) -> Result<Option<Vec<Digest>>, RuntimeError> {
    if from > to || to > store.log_state().await?.head.size {
        return Ok(None);
    }
    let ranges = consistency_ranges(from, to)?;
    Ok(Some(hashes(&tiles(store, &ranges).await?, &ranges)?))
}

/// The newest checkpoint, as it was signed.
pub async fn newest_checkpoint(store: &dyn Store) -> Result<Option<(Checkpoint, String)>, RuntimeError> {
    let Some(note) = store.log_state().await?.checkpoint else { return Ok(None) };
    let checkpoint = Checkpoint::peek(&note).map_err(|error| Malformed(format!("the store's checkpoint: {error}")))?;
    Ok(Some((checkpoint, note)))
}
