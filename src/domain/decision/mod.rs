//! The record of a decision: its public skeleton, its private groups, their commitments, the leaf. Renders nothing.
//!
//! Encoded as deterministic CBOR (definite lengths, shortest integers, floats as 64 bits). The names of candidates and
//! rules are positions within the catalogue revision and the bundle that the skeleton names, so that what those fix
//! is not repeated.

mod money;
mod personas;
mod prices;
mod private;
mod record;
mod skeleton;
mod skeleton_v1;

#[cfg(test)]
mod skeleton_tests;

pub use money::{CheapestTaken, Exploring, MoneyTerms, RowMoney, SlotMoney};
pub use personas::{PersonaSeen, SlotPersona};
pub use prices::SlotPrice;
pub use private::{
    Asked, CapReading, ConsentGroup, ConsentReading, ContactsGroup, ContextGroup, GROUPS, Private, SubjectGroup,
    SubjectRead, Withheld,
};
pub use record::{Record, decode_skeleton, leaf};
pub use skeleton::{
    AcceptedBy, CandidateRow, Draw, ENCODING, ExposedBy, Failed, FallbackReason, LearnedMargin, LeftOut, ModelVersion,
    RefusedPurpose, Scored, Shown, Skeleton, Slot, Terms, ValuesLearned,
};
