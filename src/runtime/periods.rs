//! Key periods of the generator: the next one begun, the key of one that is over revealed. Draws nothing.

use std::path::PathBuf;
use std::sync::Arc;

use super::RuntimeError;
use crate::audit::draws::{COMMITTED, REVEALED, committed, revealed};
use crate::config::keyfile::{add_generator, generators};
use crate::store::{By, NODE_LIFE, Store};

/// Begins and ends key periods, with or without a service running.
pub struct PeriodMaker {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Where the keys are.
    pub key_file: PathBuf,
}

/// What became of a key to be revealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revealing {
    /// It stands in the record of changes, now or since before.
    Revealed,
    /// It does not, and why.
    Refused(String),
}

impl PeriodMaker {
    /// Adds the key of a new period to the key file and commits to it. Whoever starts from then on draws under it.
    pub async fn rotate(&self, by: &str) -> Result<u32, RuntimeError> {
        let next = add_generator(&self.key_file)?;
        let at = self.store.now().await?;
        self.store.note_once(COMMITTED, &committed(&next), By { key: by, at }).await?;
        Ok(next.period)
    }

    /// Reveals the key of a period under which nobody draws any more, and nothing drawn under it waits for its place in
    /// the log.
    pub async fn reveal(&self, period: u32, by: &str) -> Result<Revealing, RuntimeError> {
        let refused = |why: String| Ok(Revealing::Refused(why));
        let all = generators(&self.key_file)?;
        let Some(generator) = all.iter().find(|generator| generator.period == period) else {
            return refused(format!("the key file has no key of period {period}"));
        };
        if all.iter().all(|other| other.period <= period) {
            return refused(format!(
                "period {period} is the newest: begin another with `proffer keys rotate-generator`, restart every \
                 node, then reveal it"
            ));
        }
        let now = self.store.now().await?;
        let nodes = self.store.nodes().await?;
        let lives = |seen: crate::domain::Timestamp| seen.plus(NODE_LIFE) > now;
        if let Some(node) = nodes.iter().find(|node| lives(node.seen_at) && node.key_period <= period) {
            return refused(format!(
                "node `{}` still draws under period {}: restart it with a key file that has the newer one, or wait 15 \
                 seconds if it has stopped",
                node.holder.node, node.key_period
            ));
        }
        let waiting = self.store.log_waiting().await?.batches;
        if waiting > 0 {
            return refused(format!(
                "{waiting} batches wait for their place in the log, and some may be drawn under it: ask again in a \
                 second, while a service runs"
            ));
        }
        self.store.note_once(REVEALED, &revealed(generator), By { key: by, at: now }).await?;
        Ok(Revealing::Revealed)
    }
}
