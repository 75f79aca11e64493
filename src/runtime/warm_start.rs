//! Warm start: appends what a logged-feedback file teaches to the stream of a placement's model, each row once. Reads
//! no file, no service and stops none.
//!
//! Where nobody learns it takes the learner's lease while it writes. Where a service does, it writes under the term of
//! that service. The store holds every event to the end of its stream, so that of two who append at once one is
//! refused: it reads on and tries again, here as in [`super::Core::learn_once`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RuntimeError;
use super::records::read_bundle;
use crate::config::keyfile::{self, Keys};
use crate::domain::key::SubjectKey;
use crate::domain::{DecisionId, ModelId, Placement, Span, SubjectId, SubjectKind, SubjectRef};
use crate::policy::Bundle;
use crate::simulation::warm_start::{WarmRow, WarmStart};
use crate::store::{AppliedRow, Holder, Learned, LearningRow, NewSubject, Store, StoreError};

/// Rows written at once.
const ROWS_MAX: usize = 512;
/// How long a lease is held for rows that are written at once.
const LEASE: Span = Span(10_000);
/// How often rows are tried again because somebody else appended meanwhile.
const TRIES: u32 = 20;
/// The name that the lease is held under.
const NODE: &str = "warm-start";

/// What became of a warm start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Warmed {
    /// Rows that the model has learned now.
    pub learned: u64,
    /// Rows that it had learned before.
    pub known: u64,
}

/// Reads what is needed for a warm start, and writes it.
pub struct WarmStarter {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The keys of its subjects.
    pub keys: Keys,
}

impl WarmStarter {
    /// The bundle in force; nothing where none was ever activated.
    pub async fn bundle(&self) -> Result<Option<Bundle>, RuntimeError> {
        match self.store.control().await?.bundle {
            Some(hash) => Ok(Some(read_bundle(self.store.as_ref(), hash).await?)),
            None => Ok(None),
        }
    }

    /// How many rows are new and how many were learned before, changing nothing.
    pub async fn compare(&self, start: &WarmStart) -> Result<Warmed, RuntimeError> {
        let mut compared = Warmed::default();
        for rows in start.rows.chunks(ROWS_MAX) {
            compared.learned += count(self.unknown(rows).await?.len());
        }
        compared.known = count(start.rows.len()) - compared.learned;
        Ok(compared)
    }

    /// Appends every row that is new. What was appended before an error stays, and is not appended again.
    pub async fn append(&self, placement: &Placement, start: &WarmStart) -> Result<Warmed, RuntimeError> {
        let mut warmed = Warmed::default();
        let model = placement.model_id();
        for rows in start.rows.chunks(ROWS_MAX) {
            let learned = self.append_rows(model, rows).await?;
            warmed.learned += learned;
            warmed.known += count(rows.len()) - learned;
        }
        Ok(warmed)
    }

    async fn unknown<'a>(&self, rows: &'a [WarmRow]) -> Result<Vec<&'a WarmRow>, RuntimeError> {
        let ids: Vec<DecisionId> = rows.iter().map(|row| row.decision_id).collect();
        let known = self.store.applied_of(&ids).await?;
        let known: BTreeSet<DecisionId> = known.into_iter().map(|row| row.decision_id).collect();
        Ok(rows.iter().filter(|row| !known.contains(&row.decision_id)).collect())
    }

    async fn append_rows(&self, model: ModelId, rows: &[WarmRow]) -> Result<u64, RuntimeError> {
        let mut tries = 0;
        loop {
            let new = self.unknown(rows).await?;
            if new.is_empty() {
                return Ok(0);
            }
            let learned = self.learned(model, &new).await?;
            match self.write(&learned).await {
                Ok(true) => return Ok(count(new.len())),
                // Somebody else was elected, or appended first.
                Ok(false) | Err(StoreError::Corrupt(_)) if tries < TRIES => tries += 1,
                Ok(false) => return Err(StoreError::Corrupt("the learner's term never holds".to_owned()).into()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn write(&self, learned: &Learned) -> Result<bool, StoreError> {
        let incarnation = self.store.start_incarnation(NODE).await?;
        let holder = Holder { node: NODE.to_owned(), incarnation };
        let Some(own) = self.store.elect(&holder, LEASE).await? else {
            let term = self.store.lease().await?.term;
            return self.store.learn(term, learned).await;
        };
        let written = self.store.learn(own, learned).await;
        self.store.release_term(own).await?;
        written
    }

    async fn learned(&self, model: ModelId, rows: &[&WarmRow]) -> Result<Learned, RuntimeError> {
        let heads: BTreeMap<ModelId, u64> = self.store.model_heads().await?.into_iter().collect();
        let mut sequence = heads.get(&model).copied().unwrap_or_default();
        let subjects = self.subjects(rows).await?;
        let mut learned = Learned::default();
        for row in rows {
            let Some((subject, key)) = subjects.get(&row.customer_id) else { continue };
            sequence += 1;
            learned.applied.push(AppliedRow { decision_id: row.decision_id, slot: 0, applied: row.applied, due: None });
            learned.events.push(LearningRow {
                model,
                sequence,
                decision_id: row.decision_id,
                subject: Some(*subject),
                sealed: row.event.seal(key, row.decision_id, sequence),
                wrapped_key: None,
            });
        }
        Ok(learned)
    }

    /// The customers of these rows with their keys; those not known yet are made known.
    async fn subjects(&self, rows: &[&WarmRow]) -> Result<BTreeMap<String, (SubjectId, SubjectKey)>, RuntimeError> {
        let ids: BTreeSet<&String> = rows.iter().map(|row| &row.customer_id).collect();
        let mut wanted = Vec::with_capacity(ids.len());
        for id in ids {
            let subject = SubjectId(keyfile::random()?);
            let key = SubjectKey(keyfile::random()?);
            let reference = SubjectRef { kind: SubjectKind::Customer, outside_id: id.clone() };
            wanted.push(NewSubject { reference, subject, wrapped_key: self.keys.master.wrap(subject, &key) });
        }
        let rows = self.store.load_subjects(&wanted).await?;
        let opened = rows.into_iter().map(|row| -> Result<_, RuntimeError> {
            let key = self.keys.master.unwrap(row.subject, &row.wrapped_key)?;
            Ok((row.reference.outside_id, (row.subject, key)))
        });
        opened.collect()
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
