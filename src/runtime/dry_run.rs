//! Dry runs: a decision as it would be made, committed nowhere. Creates no customer, reserves and learns nothing.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Core, RuntimeError};
use crate::bandit::DrawPurpose;
use crate::decision::{Ask, Decision, Problem, Snapshot, SubjectView, Subjects, decide};
use crate::domain::{DecisionId, DecisionRequest, Digest, Purse, SubjectId, SubjectState};
use crate::engine::Subject;
use crate::policy::rebuild_caps;

/// A decision that was only tried out.
#[derive(Debug, Clone)]
pub struct Tried {
    /// What would have been decided.
    pub decision: Decision,
    /// What it read.
    pub snapshot: Arc<Snapshot>,
}

impl Core {
    /// Decides as the service would at this moment, on the state that the store has, and forgets it. Its numbers are
    /// drawn for their own purpose, so that nobody can try until a draw suits.
    pub async fn try_out(&self, request: &DecisionRequest) -> Result<Result<Tried, Vec<Problem>>, RuntimeError> {
        // Nothing of it is committed, so that no commit would find out that something was taken back elsewhere.
        self.follow_control().await?;
        let (snapshot, now) = (self.snapshot(), self.clock.now());
        let mut subjects = Vec::new();
        for (reference, stands_for) in request.subjects(snapshot.bundle.counted) {
            let mut subject = match self.store.find_subject(&reference).await? {
                Some(row) => self.open(row)?,
                // Nobody is known by this id, and nobody is made known by a dry run: a state as of a first visit.
                None => Subject {
                    reference,
                    subject: SubjectId([0; 16]),
                    key: self.keys.master.anonymous_key(&[0; 16]),
                    version: 0,
                    state: SubjectState::default(),
                },
            };
            if let Some(contacts) = self.contacts_to_rebuild(&subject, &snapshot.bundle, now).await? {
                rebuild_caps(&snapshot.bundle, &snapshot.catalogue, &contacts, &mut subject.state, now);
            }
            subjects.push((subject, stands_for));
        }
        let read =
            Subjects::of(subjects.iter().map(|(Subject { reference, subject, version, state, .. }, stands_for)| {
                (SubjectView { kind: reference.kind, subject: *subject, version: *version, state }, *stands_for)
            }));
        let request_digest = request.digest();
        let (decision_id, id_minted) = match request.decision_id {
            Some(id) => (id, false),
            None => (tried_id(request_digest, now.0), true),
        };
        let own = format!("{}/", self.settings.node);
        let purse = Purse::of(&self.pools(), |node, _| node.starts_with(&own));
        let ask = Ask {
            request,
            request_digest,
            decision_id,
            id_minted,
            attempt: 0,
            purpose: DrawPurpose::DryRun,
            contended: false,
            purse: &purse,
        };
        let decided = decide(&snapshot, &ask, read, &self.keys.generator, now);
        Ok(decided.map(|decision| Tried { decision, snapshot }))
    }
}

/// An id for what is stored nowhere: the same for the same request at the same instant.
fn tried_id(request_digest: Digest, unix_ms: i64) -> DecisionId {
    let hash: [u8; 32] =
        Sha256::new().chain_update(b"proffer/dry-run/1").chain_update(request_digest.0).finalize().into();
    let mut bits = [0; 10];
    bits.copy_from_slice(&hash[..10]);
    DecisionId::from_parts(unix_ms, bits)
}
