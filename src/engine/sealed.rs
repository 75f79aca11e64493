//! Subject states as they are stored: encoded, and sealed with their version. Stores nothing.

use crate::domain::key::SubjectKey;
use crate::domain::{Malformed, SubjectId, SubjectState};

const STATE_SEALED_AS: &str = "state";

/// Encodes and seals a subject state with its version.
pub fn seal_state(key: &SubjectKey, subject: SubjectId, version: u64, state: &SubjectState) -> Vec<u8> {
    let plain = minicbor::to_vec(state).unwrap_or_default();
    key.seal(STATE_SEALED_AS, &subject.0, version, &plain)
}

/// Opens what [`seal_state`] made; version 0 is the empty state that was never stored.
pub fn open_state(
    key: &SubjectKey,
    subject: SubjectId,
    version: u64,
    sealed: &[u8],
) -> Result<SubjectState, Malformed> {
    if version == 0 {
        return Ok(SubjectState::default());
    }
    let plain = key.open(STATE_SEALED_AS, &subject.0, version, sealed)?;
    minicbor::decode(&plain).map_err(|error| Malformed(format!("a subject state does not decode: {error}")))
}
