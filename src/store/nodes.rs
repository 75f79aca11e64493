//! What several processes over one store agree on: who learns, and which bundle is active since when. Elects nobody.

use crate::domain::{Digest, Timestamp};

/// One start of a process, as the learner's lease names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Name of the node; no two that run at once share one.
    pub node: String,
    /// Which start of it.
    pub incarnation: u64,
}

/// Who learns, as the store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The newest term; 0 before the first election. Every older one is fenced.
    pub term: u64,
    /// Who was elected for it.
    pub holder: Holder,
    /// Nobody else is elected before this instant.
    pub until: Timestamp,
    /// Whether that is still to come, by the store's clock.
    pub held: bool,
}

/// An activation of a bundle, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The control row's sequence that it made.
    pub sequence: u64,
    /// The bundle.
    pub hash: Digest,
    /// When.
    pub at: Timestamp,
    /// Name of the key, or `start`, `command line` and the like.
    pub by: String,
}
