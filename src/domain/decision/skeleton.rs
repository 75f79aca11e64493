//! The public part of a record. Holds nothing personal: that stands in the private groups it commits to.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::money::{MoneyTerms, RowMoney, SlotMoney};
use super::personas::SlotPersona;
use super::prices::SlotPrice;
use crate::domain::{
    ChallengerId, Currency, Day, DecisionId, Delay, Digest, Exposure, ModelId, ObjectiveKind, OfferId, Placement,
    PlacementId, PoolReading, Prior, Propensity, PurposeId, Span, Timestamp, ValueSource, VariantId,
};

/// Version of this encoding. Old versions stay readable: version 1 knew one slot and no *nothing*.
pub const ENCODING: u16 = 2;

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

/// A rule that left a candidate out, or spoke against it, with what may be public of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct Failed {
    /// Position of the rule in the bundle.
    #[n(0)]
    pub rule: u16,
    /// What was observed (basis points, minor units, a count or milliseconds); nothing where that is personal and
    /// stands in a private group.
    #[n(1)]
    pub observed: Option<i64>,
    /// What was required, in the same unit.
    #[n(2)]
    pub limit: Option<i64>,
}

/// Score of an eligible candidate: everything its distribution is computed from.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
pub struct Scored {
    /// Mean of the score, in the objective's unit.
    #[n(0)]
    pub mean: f64,
    /// Deviation of the score.
    #[n(1)]
    pub deviation: f64,
    /// Parameters alpha and beta of the arm's acceptance, where the score is a Beta and no Gaussian; its margin and
    /// cost stand beside it.
    #[n(2)]
    pub beta: Option<(f64, f64)>,
    /// Its score by each model of a bag, where the distribution is their vote.
    #[n(3)]
    pub bags: Option<Vec<f64>>,
    /// Mean and deviation of the logit of the arm's acceptance, where the score is a logistic curve of a Gaussian; its
    /// margin and cost stand beside it.
    #[n(4)]
    pub logit: Option<(f64, f64)>,
}

/// One candidate of one decision.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
pub struct CandidateRow {
    /// Position in the catalogue revision; none for *nothing*, which is the last row where the placement allows it.
    #[n(0)]
    pub candidate: Option<u32>,
    /// `m_a` in minor units.
    #[n(1)]
    pub margin_minor: i64,
    /// `c_a` in minor units.
    #[n(2)]
    pub cost_minor: i64,
    /// Every rule that left it out of all slots; empty means eligible.
    #[n(3)]
    pub failed: Vec<Failed>,
    /// Nothing for candidates left out, and where no distribution was needed. With personas, for the one whose seat is
    /// the first.
    #[n(4)]
    pub scored: Option<Scored>,
    /// The margin that it was ranked by, where that was learned and is not the catalogue's.
    #[n(5)]
    pub learned: Option<LearnedMargin>,
    /// What it spends, where somebody counts it.
    #[n(6)]
    pub money: Option<RowMoney>,
    /// Every rule that spoke against it and left it be, as it only warns or is on trial; nothing where none did. With
    /// personas, whatever was said of it for any of them.
    #[n(7)]
    pub noted: Option<Vec<Failed>>,
}

/// `m_a` as learned from orders: what ranks in place of the catalogue's margin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Encode, Decode)]
pub struct LearnedMargin {
    /// Minor units.
    #[n(0)]
    pub margin: f64,
    /// Weight of the accepted orders that it was learned from, as of the day.
    #[n(1)]
    pub orders: f64,
}

/// What one slot chose from: the distribution over what could still stand there, and the draw.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
pub struct Slot {
    /// Of each candidate, by row: its probability, exploration included. None where it was excluded, where its offer
    /// stands in an earlier slot, or where a rule about the whole answer left it out.
    #[n(0)]
    pub probabilities: Vec<Option<f64>>,
    /// Candidates left out here and not of all slots: by what stands in the slots before, or for the slot's persona.
    #[n(1)]
    pub left_out: Vec<LeftOut>,
    /// What was drawn.
    #[n(2)]
    pub draw: Draw,
    /// What settings of money made of its distribution; nothing without such settings.
    #[n(3)]
    pub money: Option<SlotMoney>,
    /// Which taste of the account it is for; nothing where the request names no personas.
    #[n(4)]
    pub persona: Option<SlotPersona>,
    /// What rules said that were asked again for this slot, only warn or are on trial; nothing where none did.
    #[n(5)]
    pub noted: Option<Vec<LeftOut>>,
    /// Its price, where that is personalised.
    #[n(6)]
    pub price: Option<SlotPrice>,
}

/// A candidate left out of one slot, or spoken against there.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
pub struct LeftOut {
    /// Position in [`Skeleton::candidates`].
    #[n(0)]
    pub row: u32,
    /// Every rule that left it out there, or spoke.
    #[n(1)]
    pub failed: Vec<Failed>,
}

/// The draw of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Encode, Decode)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct Shown {
    /// The offer, or the placement's house content.
    #[n(0)]
    pub offer: OfferId,
    /// Its variant.
    #[n(1)]
    pub variant: VariantId,
}

/// What the placement promised about learning when it decided; a later bundle does not change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
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
    /// What counts as acceptance; nothing means an order that was not fully refunded.
    #[n(4)]
    pub accepted_by: Option<AcceptedBy>,
    /// What exposes the decision; nothing means that it was made.
    #[n(5)]
    pub exposed_by: Option<ExposedBy>,
    /// How the decision gains its weight; nothing means all of it at once.
    #[n(6)]
    pub delay: Option<Delay>,
    /// Whether what orders are worth is learned; nothing means that it is not.
    #[n(7)]
    pub values: Option<ValuesLearned>,
    /// Bags that learn from it, beside the plain sums; nothing where none do.
    #[n(8)]
    pub bags: Option<u8>,
    /// That nothing is learned from it, and by which gate of `model_training`; nothing where it may be learned from.
    #[n(9)]
    pub unlearned: Option<RefusedPurpose>,
}

/// What is learned of orders besides that they were accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
#[cbor(index_only)]
pub enum ValuesLearned {
    /// Their realised margin.
    #[n(0)]
    Margin,
}

/// What counts as acceptance where an order does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
#[cbor(index_only)]
pub enum AcceptedBy {
    /// A click.
    #[n(0)]
    Click,
}

/// What exposes a decision other than that it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
#[cbor(index_only)]
pub enum ExposedBy {
    /// An impression of it.
    #[n(0)]
    Impression,
}

impl Terms {
    /// What a placement promises for the offers shown.
    pub fn of(placement: &Placement, offers: &[&OfferId]) -> Self {
        Self {
            window: placement.objective.window,
            reward_cap_minor: placement.objective.reward_cap_minor,
            half_life_days: placement.half_life_days,
            currency: placement.currency,
            accepted_by: (placement.objective.kind == ObjectiveKind::Click).then_some(AcceptedBy::Click),
            exposed_by: (placement.exposure == Exposure::Impression).then_some(ExposedBy::Impression),
            delay: placement.delay.as_ref().map(|delay| delay.only(offers)),
            values: matches!(placement.objective.value, ValueSource::Learned { .. }).then_some(ValuesLearned::Margin),
            bags: Some(placement.bags()).filter(|bags| *bags > 0),
            unlearned: None,
        }
    }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct RefusedPurpose {
    /// Position of the gate in the bundle.
    #[n(0)]
    pub rule: u16,
    /// The purpose the placement asked for.
    #[n(1)]
    pub purpose: PurposeId,
    /// Positions of the other gates that refused it; nothing where none did.
    #[n(2)]
    pub also: Option<Vec<u16>>,
}

impl RefusedPurpose {
    /// Positions of all gates that refused it.
    pub fn rules(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.rule).chain(self.also.iter().flatten().copied())
    }
}

/// The public part of a record. Its SHA-256 with a leading zero byte is the leaf.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
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
    /// Every candidate, by (offer id, variant id); *nothing* last.
    #[n(18)]
    pub candidates: Vec<CandidateRow>,
    /// The slots in the order they were filled; none when the fallback was served. A slot that drew *nothing* is the
    /// last one.
    #[n(19)]
    pub slots: Vec<Slot>,
    /// Why the fallback was served.
    #[n(20)]
    pub fallback: Option<FallbackReason>,
    /// Until when the chosen offers are reserved.
    #[n(21)]
    pub reserved_until: Option<Timestamp>,
    /// The content that was answered with, slot by slot; none where *nothing* was drawn first.
    #[n(22)]
    pub shown: Vec<Shown>,
    /// What was promised about learning.
    #[n(23)]
    pub terms: Terms,
    /// Commitments to the private groups, in the order of [`GROUPS`](super::GROUPS).
    #[n(24)]
    pub commitments: Vec<Digest>,
    /// The challenger that decided; nothing where the champion did.
    #[n(25)]
    pub challenger: Option<ChallengerId>,
    /// Budgets and settings of money in force; nothing where there were none.
    #[n(26)]
    pub money: Option<MoneyTerms>,
    /// What arms were thought to be before anything was known of them, whatever a later version takes where a bundle
    /// does not say it. Nothing in records from before it was kept.
    #[n(27)]
    pub prior: Option<Prior>,
    /// Pools that left something out or that were taken from; nothing where none did and none were.
    #[n(28)]
    pub pools: Option<Vec<PoolReading>>,
    /// The revision of the switches that were set beside the bundle; nothing where none ever were. Positions name rules
    /// of the bundle with these.
    #[n(29)]
    pub switches: Option<u64>,
}

impl Skeleton {
    /// The offers chosen, each with its slot (from 0), its content and its row; empty when the fallback was served.
    pub fn chosen(&self) -> impl Iterator<Item = (u16, &Shown, &CandidateRow)> {
        let rows = self.slots.iter().map(|slot| self.candidates.get(slot.draw.chosen as usize));
        (0..=u16::MAX).zip(&self.shown).zip(rows).filter_map(|((slot, shown), row)| Some((slot, shown, row?)))
    }

    /// The slot that shows an offer, where one does and it was chosen.
    pub fn slot_of(&self, offer: &OfferId) -> Option<u16> {
        self.chosen().find(|(_, shown, _)| shown.offer == *offer).map(|(slot, _, _)| slot)
    }

    /// Whether *nothing* was drawn for the first slot, so that no content stands anywhere.
    pub fn shows_nothing(&self) -> bool {
        self.shown.is_empty()
    }
}
