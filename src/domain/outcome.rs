//! Outcomes: what was observed after a decision. How much reward they make is folded by learning.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{DecisionId, Digest, Money, OfferId, Timestamp};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum OutcomeKind {
    /// The customer bought.
    #[n(0)]
    Order,
    /// Money went back, all or part of it.
    #[n(1)]
    Refund,
    /// The offer was seen.
    #[n(2)]
    Impression,
    /// The customer followed the offer.
    #[n(3)]
    Click,
    /// The customer dismissed the offer.
    #[n(4)]
    Reject,
    /// Goods came back; the money is told of by the refund that follows.
    #[n(5)]
    Return,
    /// What was decided was never sent: its reservation was given back. Told of by `:release` and by no source.
    #[n(6)]
    #[serde(skip)]
    Release,
}

impl OutcomeKind {
    /// Every kind that a source may tell of.
    pub const ALL: [Self; 6] = [Self::Order, Self::Refund, Self::Impression, Self::Click, Self::Reject, Self::Return];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Refund => "refund",
            Self::Impression => "impression",
            Self::Click => "click",
            Self::Reject => "reject",
            Self::Return => "return",
            Self::Release => "release",
        }
    }

    /// Whether it belongs to its decision only within the placement's window; the others count at any time.
    pub fn is_timely(self) -> bool {
        matches!(self, Self::Order | Self::Impression | Self::Click)
    }
}

/// The slot of an impression that names no offer: every slot of its decision.
pub const EVERY_SLOT: u16 = u16::MAX;

/// One outcome as a source sent it, parsed and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The source's own name for the event; unique within the source.
    pub event_id: String,
    /// The source that signed it.
    pub source: String,
    /// What happened.
    pub kind: OutcomeKind,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// The decision it follows, where the shop kept it.
    pub decision_id: Option<DecisionId>,
    /// The customer, as the shop knows it.
    pub customer_id: Option<String>,
    /// The offer that was accepted.
    pub offer_id: Option<OfferId>,
    /// The coupon code that was redeemed.
    pub coupon: Option<String>,
    /// The event it corrects: a refund names its order's event id.
    pub refers_to: Option<String>,
    /// What was paid, or paid back.
    pub revenue: Option<Money>,
    /// The contribution margin of it, where the shop knows better than the catalogue.
    pub margin: Option<Money>,
}

/// What an outcome says of itself, kept so that it can be attributed later or by other rules.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The decision it names, known or not.
    #[n(0)]
    pub decision_id: Option<DecisionId>,
    /// The offer it names.
    #[n(1)]
    pub offer_id: Option<OfferId>,
    /// The coupon it names.
    #[n(2)]
    pub coupon: Option<String>,
}

/// What the fold reads of an outcome. Amounts are in minor units of the placement's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OutcomeFact {
    /// Keyed hash of source and event id: the permanent business key.
    #[n(0)]
    pub key: Digest,
    /// What happened.
    #[n(1)]
    pub kind: OutcomeKind,
    /// When it happened.
    #[n(2)]
    pub occurred_at: Timestamp,
    /// Key of the event it corrects.
    #[n(3)]
    pub refers_to: Option<Digest>,
    /// What was paid, or paid back.
    #[n(4)]
    pub revenue_minor: Option<i64>,
    /// The contribution margin of it.
    #[n(5)]
    pub margin_minor: Option<i64>,
    /// The slot of the decision that it belongs to, from zero; [`EVERY_SLOT`] for all of them.
    #[n(6)]
    pub slot: u16,
}

impl OutcomeFact {
    /// Whether it belongs to a slot.
    pub fn is_of(&self, slot: u16) -> bool {
        self.slot == slot || self.slot == EVERY_SLOT
    }
}
