//! Authority: which uses of attributes, which offers and which bundles people have to approve, and whether they did.
//! Keeps no approval and asks no clock.
//!
//! A bundle says in bundle.yaml what must be approved: [`Demands`]. Each use of an attribute is a triple (attribute,
//! purpose, use case): [`Use`]. An approval is [`Given`] by one person under one authority for exactly what was seen:
//! it is pinned to a hash, so that whoever edits a definition afterwards voids it. A use needs both authorities, and
//! two people. What a decision may rely on stands in [`Approved`], judged by the decision's own time.

mod approved;

mod definition;

mod demands;

mod given;

mod lacking;

mod needed;

mod standing;

mod uses;

#[cfg(test)]
mod tests;

pub use approved::Approved;
pub(super) use definition::definition;
pub use definition::{creative, parse_hash, print_hash, whole_offer};
pub use demands::{Authority, Demands};
pub(super) use demands::{FIELDS, read};
pub use given::{Given, Matter, Revocation};
pub use lacking::{lacking, lacking_to_measure, weakened};
pub use needed::{Needed, needed};
pub use standing::{Held, Standing};
pub(super) use uses::gather;
pub use uses::{Site, Use, UseCase, Uses};
