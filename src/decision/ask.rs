//! What one decision is asked: the request with its names, and the subject as it is read. Decides nothing.

use crate::bandit::DrawPurpose;
use crate::domain::{DecisionId, DecisionRequest, Digest, Purse, SubjectId, SubjectKind, SubjectState};

/// What is asked, with everything that names it.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The request.
    pub request: &'a DecisionRequest,
    /// Its digest.
    pub request_digest: Digest,
    /// The decision's name.
    pub decision_id: DecisionId,
    /// Whether the server minted the name.
    pub id_minted: bool,
    /// How often it was decided before on state that proved stale.
    pub attempt: u16,
    /// What its numbers are drawn for: a dry run draws others than the decision would.
    pub purpose: DrawPurpose,
    /// What was read kept changing: answer with the fallback and read no subject.
    pub contended: bool,
    /// What is known to be gone of what may run out.
    pub purse: &'a Purse,
}

/// A subject as a decision reads it.
#[derive(Debug, Clone, Copy)]
pub struct SubjectView<'a> {
    /// What kind.
    pub kind: SubjectKind,
    /// Internal id.
    pub subject: SubjectId,
    /// Version of the state.
    pub version: u64,
    /// The state.
    pub state: &'a SubjectState,
}
