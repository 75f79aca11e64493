//! Domain: the words of Proffer as types. Decides nothing, stores nothing, reads no clock.
//!
//! Values are parsed at the door (JSON, YAML, command line) into these types; inside, the type is the proof.

pub mod attribute;
pub mod campaign;
pub mod catalogue;
pub mod consent;
pub mod decision;
pub mod delay;
pub mod holidays;
pub mod ids;
pub mod key;
pub mod known;
pub mod money;
pub mod offer;
pub mod outcome;
pub mod placement;
pub mod pool;
pub mod propensity;
pub mod request;
pub mod schedule;
pub mod spend;
pub mod subject;
pub mod time;

pub use attribute::{AttributeId, AttributeScope, Number, Value};
pub use campaign::Campaign;
pub use catalogue::{Belongs, Candidate, Catalogue, CatalogueDraft, Hindrance, Placed};
pub use consent::{Basis, ConsentRecord, ConsentState};
pub use delay::{Curve, CurveError, Delay, DelayStep, OfferCurve};
pub use holidays::{Calendar, Holidays, Marked};
pub use ids::{
    CampaignId, CategoryId, ChallengerId, DecisionId, Digest, ModelId, OfferId, PlacementId, PurposeId, RuleId,
    StoreId, SubjectId, VariantId,
};
pub use known::{AttributeChange, KnownAttribute};
pub use money::{Currency, Money, Percent};
pub use offer::{Offer, OfferStatus, Variant};
pub use placement::{
    Challenger, Contender, Exposure, Feature, FeatureAtom, Objective, ObjectiveKind, Placement, Prior, Strategy,
    ValueSource,
};
pub use pool::{Hold, PoolKey, PoolLevel, PoolLevels, PoolReading, Purse, Settled, Take};
pub use propensity::Propensity;
pub use request::{BasketLine, Customer, DecisionRequest, Persona};
pub use schedule::{Pause, Standing};
pub use spend::{CampaignBudget, MoneySettings, Plan, Spend, SpendKey};
pub use subject::{CapCounter, CapHold, Held, SubjectKind, SubjectKinds, SubjectRef, SubjectState};
pub use time::{Day, LocalTime, Span, Timestamp};

/// A value that could not be parsed at the door: what was read and what was expected.
///
/// The message is lower case, carries the offending text in backticks and names a way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Malformed {
    /// An error with the given sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}
