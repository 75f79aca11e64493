//! The record of a decision: its public skeleton, its private groups, their commitments, the leaf. Renders nothing.
//!
//! Encoded as deterministic CBOR (definite lengths, shortest integers, floats as 64 bits). The names of candidates and
//! rules are positions within the catalogue revision and the bundle that the skeleton names, so that what those fix
//! is not repeated.

use minicbor::{Decode, Encode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::key::SubjectKey;
use super::{
    AttributeId, Basis, BasketLine, ConsentState, Currency, Day, DecisionId, Digest, Malformed, ModelId, OfferId,
    PlacementId, Propensity, PurposeId, Span, SubjectId, SubjectKind, Timestamp, Value, VariantId,
};

/// Version of this encoding. Old versions stay readable.
pub const ENCODING: u16 = 1;

/// A model as a decision read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct ModelVersion {
    /// Which model.
    #[n(0)]
    pub id: ModelId,
    /// How many learning events it had absorbed.
    #[n(1)]
    pub sequence: u64,
    /// Digest of its integer state.
    #[n(2)]
    pub digest: Digest,
}

/// A rule that left a candidate out, with what may be public of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Failed {
    /// Position of the rule in the bundle.
    #[n(0)]
    pub rule: u16,
    /// What was observed (basis points or minor units); nothing where that is personal and stands in a private group.
    #[n(1)]
    pub observed: Option<i64>,
    /// What was required, in the same unit.
    #[n(2)]
    pub limit: Option<i64>,
}

/// Score and probability of an eligible candidate.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Scored {
    /// Mean of the score, in the objective's unit.
    #[n(0)]
    pub mean: f64,
    /// Deviation of the score.
    #[n(1)]
    pub deviation: f64,
    /// Probability in the distribution, exploration included.
    #[n(2)]
    pub probability: f64,
}

/// One candidate of one decision.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct CandidateRow {
    /// Position in the catalogue revision.
    #[n(0)]
    pub candidate: u32,
    /// `m_a` in minor units.
    #[n(1)]
    pub margin_minor: i64,
    /// `c_a` in minor units.
    #[n(2)]
    pub cost_minor: i64,
    /// Every rule that left it out; empty means eligible.
    #[n(3)]
    pub failed: Vec<Failed>,
    /// Nothing for candidates left out, and where no distribution was needed.
    #[n(4)]
    pub scored: Option<Scored>,
}

/// The draw of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
pub struct Draw {
    /// Which generator key.
    #[n(0)]
    pub key_period: u32,
    /// The uniform number drawn, in [0, 1).
    #[n(1)]
    pub u: f64,
    /// Position of what was chosen in [`Skeleton::candidates`].
    #[n(2)]
    pub chosen: u32,
    /// Its probability.
    #[n(3)]
    pub propensity: Propensity,
}

/// The content that was answered with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Shown {
    /// The offer, or the placement's house content.
    #[n(0)]
    pub offer: OfferId,
    /// Its variant.
    #[n(1)]
    pub variant: VariantId,
}

/// What the placement promised about learning when it decided; a later bundle does not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Terms {
    /// Orders count until this long after the decision.
    #[n(0)]
    pub window: Span,
    /// Reported reward is clamped to plus or minus this, in minor units.
    #[n(1)]
    pub reward_cap_minor: i64,
    /// Half-life of what is learned, in days.
    #[n(2)]
    pub half_life_days: Option<u32>,
    /// Currency of all amounts.
    #[n(3)]
    pub currency: Currency,
}

/// Why the fallback was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum FallbackReason {
    /// Consent for the purpose is lacking and no contextual purpose is declared.
    #[n(0)]
    PurposeRefused,
    /// Every candidate was excluded, or there was none.
    #[n(1)]
    NoEligibleCandidate,
    /// The customer is in the holdout.
    #[n(2)]
    Holdout,
    /// What was read kept changing: three attempts found it stale.
    #[n(3)]
    Contention,
    /// The distribution failed its check; nothing is drawn from numbers that are wrong.
    #[n(4)]
    DistributionInvalid,
}

/// A purpose that was refused, and the gate that refused it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RefusedPurpose {
    /// Position of the gate in the bundle.
    #[n(0)]
    pub rule: u16,
    /// The purpose the placement asked for.
    #[n(1)]
    pub purpose: PurposeId,
}

/// The public part of a record. Its SHA-256 with a leading zero byte is the leaf.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Skeleton {
    /// [`ENCODING`].
    #[n(0)]
    pub encoding: u16,
    /// Which decision.
    #[n(1)]
    pub decision_id: DecisionId,
    /// Whether the server minted the id (then the draw is not proved free of a chosen id).
    #[n(2)]
    pub id_minted: bool,
    /// Whose store.
    #[n(3)]
    pub tenant: String,
    /// Where.
    #[n(4)]
    pub placement: PlacementId,
    /// The purpose it was decided under.
    #[n(5)]
    pub purpose: PurposeId,
    /// Set when the placement's own purpose was refused.
    #[n(6)]
    pub refused: Option<RefusedPurpose>,
    /// Time as the logic read it.
    #[n(7)]
    pub at: Timestamp,
    /// Digest of the request.
    #[n(8)]
    pub request_digest: Digest,
    /// How often it had been decided before on state that proved stale.
    #[n(9)]
    pub attempt: u16,
    /// The build of the engine.
    #[n(10)]
    pub build: String,
    /// The policy bundle.
    #[n(11)]
    pub bundle: Digest,
    /// The catalogue.
    #[n(12)]
    pub catalogue_revision: u64,
    /// The control row it was gated on.
    #[n(13)]
    pub control_sequence: u64,
    /// The model.
    #[n(14)]
    pub model: ModelVersion,
    /// The day posteriors were derived for.
    #[n(15)]
    pub day: Day,
    /// Which rule computed the distribution.
    #[n(16)]
    pub distribution_rule: u16,
    /// Exploration mass in force, a total.
    #[n(17)]
    pub exploration: f64,
    /// Every candidate, by (offer id, variant id).
    #[n(18)]
    pub candidates: Vec<CandidateRow>,
    /// Nothing when the fallback was served.
    #[n(19)]
    pub draw: Option<Draw>,
    /// Why the fallback was served.
    #[n(20)]
    pub fallback: Option<FallbackReason>,
    /// Until when the chosen offer is reserved.
    #[n(21)]
    pub reserved_until: Option<Timestamp>,
    /// The content that was answered with.
    #[n(22)]
    pub shown: Shown,
    /// What was promised about learning.
    #[n(23)]
    pub terms: Terms,
    /// Commitments to the private groups, in the order of [`GROUPS`].
    #[n(24)]
    pub commitments: Vec<Digest>,
}

impl Skeleton {
    /// The chosen row, unless the fallback was served.
    pub fn chosen(&self) -> Option<&CandidateRow> {
        self.draw.and_then(|draw| self.candidates.get(draw.chosen as usize))
    }
}

/// Private group *subject*: who.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct SubjectGroup {
    /// The subject read, with the version of its state.
    #[n(0)]
    pub read: Option<SubjectRead>,
}

/// A subject state as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SubjectRead {
    /// What kind.
    #[n(0)]
    pub kind: SubjectKind,
    /// Internal id.
    #[n(1)]
    pub subject: SubjectId,
    /// Version read; the decision made the next one.
    #[n(2)]
    pub version: u64,
}

/// Why an attribute was never seen by a rule or a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Withheld {
    /// The purpose decided under may not use personal attributes.
    #[n(0)]
    PurposeNotConsented,
    /// No feature or rule of the placement reads it.
    #[n(1)]
    NotUsed,
}

/// Private group *context*: attributes, features, basket.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
pub struct ContextGroup {
    /// Attributes that rules and features could see.
    #[n(0)]
    pub used: Vec<(AttributeId, Value)>,
    /// Attributes kept from them, with the reason.
    #[n(1)]
    pub withheld: Vec<(AttributeId, Withheld)>,
    /// As the request said.
    #[n(2)]
    pub jurisdiction: Option<String>,
    /// Local hour of the request's time zone.
    #[n(3)]
    pub hour: u8,
    /// As the request said.
    #[n(4)]
    pub basket: Vec<BasketLine>,
    /// Number of feature components, the intercept included.
    #[n(5)]
    pub dimensions: u16,
    /// Quantised features (Q20) of what was chosen, as (component, value) without the zeros.
    #[n(6)]
    pub features: Vec<(u16, i32)>,
}

/// A consent as it was read for one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ConsentReading {
    /// What for.
    #[n(0)]
    pub purpose: PurposeId,
    /// What counted; nothing if there was no record.
    #[n(1)]
    pub state: Option<ConsentState>,
    /// Its basis.
    #[n(2)]
    pub basis: Option<Basis>,
    /// From when it counted.
    #[n(3)]
    pub valid_from: Option<Timestamp>,
    /// Until when it counted.
    #[n(4)]
    pub valid_until: Option<Timestamp>,
}

/// Private group *consent*: records and states.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ConsentGroup {
    /// One per gate that was asked.
    #[n(0)]
    pub readings: Vec<ConsentReading>,
}

/// A cap counter as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CapReading {
    /// Position of the candidate in [`Skeleton::candidates`].
    #[n(0)]
    pub candidate: u32,
    /// Position of the cap in the bundle.
    #[n(1)]
    pub rule: u16,
    /// Contacts counted.
    #[n(2)]
    pub used: u32,
    /// Contacts allowed.
    #[n(3)]
    pub limit: u32,
}

/// Private group *contacts*: cap readings above zero.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ContactsGroup {
    /// Readings above zero; an absent one was zero.
    #[n(0)]
    pub readings: Vec<CapReading>,
}

/// The private part of a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Private {
    /// Who.
    pub subject: SubjectGroup,
    /// Attributes, features, basket.
    pub context: ContextGroup,
    /// Consents read.
    pub consent: ConsentGroup,
    /// Cap readings.
    pub contacts: ContactsGroup,
}

/// The private groups, in the order of their commitments.
pub const GROUPS: [&str; 4] = ["subject", "context", "consent", "contacts"];

const SEALED_AS: &str = "record";

fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing into memory cannot fail.
    minicbor::to_vec(value).unwrap_or_default()
}

fn decode<'b, T: Decode<'b, ()>>(what: &str, bytes: &'b [u8]) -> Result<T, Malformed> {
    minicbor::decode(bytes).map_err(|error| Malformed(format!("{what} does not decode: {error}")))
}

/// A record as it is stored: public bytes, sealed private bytes, and the leaf over the public ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Encoded [`Skeleton`].
    pub skeleton: Vec<u8>,
    /// Sealed [`Private`].
    pub private: Vec<u8>,
    /// SHA-256(0x00 || skeleton).
    pub leaf: Digest,
}

impl Record {
    /// Commits to the private groups, encodes and seals.
    pub fn seal(mut skeleton: Skeleton, private: &Private, key: &SubjectKey) -> Self {
        let groups =
            [encode(&private.subject), encode(&private.context), encode(&private.consent), encode(&private.contacts)];
        let id = skeleton.decision_id;
        let attempt = skeleton.attempt;
        skeleton.commitments = GROUPS
            .iter()
            .zip(&groups)
            .map(|(group, bytes)| commitment(&key.salt(group, id.as_bytes(), attempt), bytes))
            .collect();
        let groups = groups.map(minicbor::bytes::ByteVec::from);
        let private = key.seal(SEALED_AS, id.as_bytes(), u64::from(attempt), &encode(&groups));
        let skeleton = encode(&skeleton);
        let leaf = leaf(&skeleton);
        Self { skeleton, private, leaf }
    }

    /// Decodes the public part.
    pub fn skeleton(&self) -> Result<Skeleton, Malformed> {
        decode_skeleton(&self.skeleton)
    }

    /// Opens the private part and checks it against the commitments.
    pub fn private(&self, key: &SubjectKey) -> Result<Private, Malformed> {
        let skeleton = self.skeleton()?;
        let id = skeleton.decision_id;
        let plain = key.open(SEALED_AS, id.as_bytes(), u64::from(skeleton.attempt), &self.private)?;
        let groups: [minicbor::bytes::ByteVec; 4] = decode("the private part", &plain)?;
        for ((group, bytes), committed) in GROUPS.iter().zip(&groups).zip(&skeleton.commitments) {
            if commitment(&key.salt(group, id.as_bytes(), skeleton.attempt), bytes) != *committed {
                return Err(Malformed(format!("group `{group}` is not what the record committed to")));
            }
        }
        let [subject, context, consent, contacts] = &groups;
        Ok(Private {
            subject: decode("group `subject`", subject)?,
            context: decode("group `context`", context)?,
            consent: decode("group `consent`", consent)?,
            contacts: decode("group `contacts`", contacts)?,
        })
    }
}

/// Decodes a skeleton of any known encoding.
pub fn decode_skeleton(bytes: &[u8]) -> Result<Skeleton, Malformed> {
    let skeleton: Skeleton = decode("the skeleton", bytes)?;
    if skeleton.encoding != ENCODING {
        return Err(Malformed(format!("the record has encoding {}; this build reads {ENCODING}", skeleton.encoding)));
    }
    Ok(skeleton)
}

fn commitment(salt: &[u8; 32], group: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update(salt).chain_update(group).finalize().into())
}

/// The leaf of a decision: SHA-256(0x00 || skeleton), as RFC 6962 hashes leaves.
pub fn leaf(skeleton: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(skeleton).finalize().into())
}
