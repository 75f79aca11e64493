//! What a record keeps of a price that was personalised. Personalises none.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::domain::AttributeId;

/// The price of what stands in a slot, where the decision made it the customer's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct SlotPrice {
    /// Whether it is personalised.
    #[n(0)]
    pub personalised: bool,
    /// Position of the rule that says what must be said beside it; nothing where none does.
    #[n(1)]
    pub rule: Option<u16>,
    /// The attributes of the customer that moved it, by name and without their values, which are personal.
    #[n(2)]
    pub attributes: Vec<AttributeId>,
}
