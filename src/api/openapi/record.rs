//! The whole record of a decision, as the document shows it. Records are rendered elsewhere; a test holds real ones to
//! these types.

#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::pools::{RecordBudget, RecordPool};
use super::shapes::{AttributeValue, Basis, ConsentState, Instant, Money};

/// The whole record of a decision with its justification.
#[derive(ToSchema)]
pub struct DecisionRecord {
    #[schema(format = Uuid)]
    decision_id: String,
    /// Whether the service made the id up.
    id_minted: bool,
    tenant: String,
    placement: String,
    /// The purpose it was decided under.
    purpose: String,
    /// The placement's own purpose, where that was refused.
    #[schema(required = true)]
    refused_purpose: Option<String>,
    /// Time as the decision read it.
    at: Instant,
    /// SHA-256 of the canonical request.
    request_digest: String,
    /// How often it was decided before on state that proved stale.
    attempt: u16,
    versions: RecordVersions,
    /// Why the house content was served: `purpose_refused`, `no_eligible_candidate`, `holdout`, `contention` or
    /// `distribution_invalid`.
    #[schema(required = true)]
    fallback: Option<String>,
    /// What was answered with, slot by slot.
    shown: Vec<RecordShown>,
    /// The challenger that decided; `null` where the champion did.
    #[schema(required = true)]
    challenger: Option<String>,
    /// Exploration mass in force.
    exploration: f64,
    /// What a variant was thought to be before anything was known of it: `category` or `none`; `null` in records from
    /// before it was kept.
    #[schema(required = true)]
    prior: Option<String>,
    /// Budgets and settings of money it was made under; `null` where there were none.
    #[schema(required = true)]
    money: Option<RecordMoney>,
    /// What may run out, as far as it left something out or was taken from; `null` where it was not.
    #[schema(required = true)]
    pools: Option<Vec<RecordPool>>,
    #[schema(required = true)]
    reserved_until: Option<Instant>,
    /// Every candidate, by offer id and variant id; *nothing* last.
    candidates: Vec<RecordCandidate>,
    /// Every slot with its distribution and its draw; none for the house content.
    slots: Vec<RecordSlot>,
    /// What is personal; `null` once the customer's key is destroyed.
    #[schema(required = true)]
    private: Option<RecordPrivate>,
    /// SHA-256 over a zero byte and the public part.
    leaf: String,
    /// Size of the stored record.
    record_bytes: u64,
    /// All of it in sentences.
    explanation: Vec<String>,
    outcomes: RecordOutcomes,
}

/// Everything a decision read, by version.
#[derive(ToSchema)]
pub struct RecordVersions {
    bundle: String,
    catalogue: u64,
    /// The revision of the switches set beside the bundle; `null` where none ever were.
    #[schema(required = true)]
    switches: Option<u64>,
    control: u64,
    model: ModelVersion,
    engine: String,
    distribution_rule: u16,
    encoding: u16,
}

/// A model as a decision read it.
#[derive(ToSchema)]
pub struct ModelVersion {
    id: String,
    sequence: u64,
    digest: String,
}

/// What was answered with in one slot.
#[derive(ToSchema)]
pub struct RecordShown {
    offer_id: String,
    variant_id: String,
}

/// What one slot chose from, and the draw.
#[derive(ToSchema)]
pub struct RecordSlot {
    #[schema(minimum = 1)]
    slot: u16,
    /// Whether *nothing* was drawn, which ends the answer.
    nothing: bool,
    #[schema(required = true)]
    offer_id: Option<String>,
    #[schema(required = true)]
    variant_id: Option<String>,
    #[schema(minimum = 0, maximum = 1)]
    propensity: f64,
    draw: RecordDraw,
    /// Over all that could still stand here; it sums to 1.
    distribution: Vec<RecordProbability>,
    /// What is left out here and not of all slots: by what stands in the slots before, or for the slot's persona.
    left_out: Vec<RecordLeftOut>,
    /// What rules said that were asked again for this slot and leave nothing out.
    noted: Vec<RecordNotedOf>,
    /// What settings of money made of its distribution; `null` without such settings.
    #[schema(required = true)]
    money: Option<RecordSlotMoney>,
    /// Which taste of the account it is for; `null` where the request names no personas.
    #[schema(required = true)]
    persona: Option<RecordPersona>,
    /// Its price, where that is personalised; otherwise `null`.
    #[schema(required = true)]
    price: Option<super::answers::RecordPrice>,
}

/// The persona that a slot is for.
#[derive(ToSchema)]
pub struct RecordPersona {
    /// Its place in the request.
    #[schema(minimum = 1)]
    number: u16,
    /// How many personas the request named.
    #[schema(minimum = 1)]
    of: u16,
    /// The scores that its distributions are computed from; `null` where they are those of `candidates`.
    #[schema(required = true)]
    scores: Option<Vec<RecordScore>>,
}

/// What rules and features could see for one persona.
#[derive(ToSchema)]
pub struct RecordPersonaSeen {
    /// Its place in the request.
    #[schema(minimum = 1)]
    number: u16,
    attributes: BTreeMap<String, AttributeValue>,
}

/// The score of one candidate for one persona.
#[derive(ToSchema)]
pub struct RecordScore {
    offer_id: String,
    variant_id: String,
    mean: f64,
    deviation: f64,
}

/// Budgets and settings of money that a decision was made under.
#[derive(ToSchema)]
pub struct RecordMoney {
    /// Budgets of the campaigns of eligible candidates, as they stood.
    campaigns: Vec<RecordBudget>,
    /// The placement's exploration budget, as it stood.
    #[schema(required = true)]
    exploration_budget: Option<RecordExploring>,
    /// The share of the best that the cheapest intervention has to reach.
    #[schema(required = true, example = "90%")]
    cheapest: Option<String>,
}

/// An exploration budget as it stood on the decision's UTC day, in the unit of scores.
#[derive(ToSchema)]
pub struct RecordExploring {
    budget: f64,
    spent: f64,
    /// Whether it was spent: then the highest expected score was taken, and nothing explored.
    over: bool,
}

/// What settings of money made of the distribution of one slot.
#[derive(ToSchema)]
pub struct RecordSlotMoney {
    /// The cheapest intervention that reached the share.
    #[schema(required = true)]
    cheapest: Option<RecordCheapest>,
    /// What exploring cost, in the unit of scores; `null` without an exploration budget.
    #[schema(required = true)]
    explored: Option<f64>,
}

/// The cheapest intervention that reached a share of the best.
#[derive(ToSchema)]
pub struct RecordCheapest {
    best: RecordNamed,
    /// May be the best itself.
    taken: RecordNamed,
    /// Its expected score as a share of the best one.
    reached: f64,
}

/// A candidate by its names.
#[derive(ToSchema)]
pub struct RecordNamed {
    nothing: bool,
    #[schema(required = true)]
    offer_id: Option<String>,
    #[schema(required = true)]
    variant_id: Option<String>,
}

/// The probability of one candidate in one slot.
#[derive(ToSchema)]
pub struct RecordProbability {
    nothing: bool,
    #[schema(required = true)]
    offer_id: Option<String>,
    #[schema(required = true)]
    variant_id: Option<String>,
    #[schema(minimum = 0, maximum = 1)]
    probability: f64,
}

/// A candidate left out of one slot.
#[derive(ToSchema)]
pub struct RecordLeftOut {
    #[schema(required = true)]
    offer_id: Option<String>,
    #[schema(required = true)]
    variant_id: Option<String>,
    excluded_by: Vec<RecordExclusion>,
}

/// A candidate that rules spoke against in one slot and left there.
#[derive(ToSchema)]
pub struct RecordNotedOf {
    #[schema(required = true)]
    offer_id: Option<String>,
    #[schema(required = true)]
    variant_id: Option<String>,
    noted: Vec<RecordNote>,
}

/// The draw.
#[derive(ToSchema)]
pub struct RecordDraw {
    /// Which generator key.
    key_period: u32,
    /// The uniform number drawn, in [0, 1).
    u: f64,
}

/// One candidate of a decision.
#[derive(ToSchema)]
pub struct RecordCandidate {
    /// Whether it is *nothing*, which has no offer.
    nothing: bool,
    #[schema(required = true)]
    offer_id: Option<String>,
    #[schema(required = true)]
    variant_id: Option<String>,
    margin: Money,
    cost_of_showing: Money,
    /// The margin it was ranked by, as decimal text in the currency, where that was learned from orders; `null` where
    /// it is the catalogue's.
    #[schema(required = true)]
    learned_margin: Option<String>,
    /// Weight of the orders it was learned from.
    #[schema(required = true)]
    learned_from_orders: Option<f64>,
    eligible: bool,
    /// Mean of its score, with personas for the one whose seat is the first; `null` where nothing was drawn, and where
    /// it is left out for that persona.
    #[schema(required = true)]
    mean: Option<f64>,
    #[schema(required = true)]
    deviation: Option<f64>,
    /// In the first slot.
    #[schema(required = true)]
    probability: Option<f64>,
    /// Spent if it is accepted; `null` where nobody counts it.
    #[schema(required = true)]
    discount: Option<Money>,
    /// The campaign whose budget pays discount and cost of showing; `null` where none does.
    #[schema(required = true)]
    paid_by: Option<String>,
    /// Every rule that left it out.
    excluded_by: Vec<RecordExclusion>,
    /// Every rule that spoke against it and left it be.
    noted: Vec<RecordNote>,
}

/// A rule that spoke against a candidate and left it be.
#[derive(ToSchema)]
pub struct RecordNote {
    rule: String,
    why: String,
    /// `warn` for a warning, `shadow` for a rule on trial, `block` for a rule that an override lifted and for that
    /// override.
    #[schema(example = "shadow")]
    severity: String,
    /// In the unit of the limit.
    #[schema(required = true)]
    observed: Option<i64>,
    #[schema(required = true)]
    limit: Option<i64>,
    sentence: String,
}

/// A rule that left a candidate out.
#[derive(ToSchema)]
pub struct RecordExclusion {
    rule: String,
    why: String,
    /// In the unit of the limit.
    #[schema(required = true)]
    observed: Option<i64>,
    #[schema(required = true)]
    limit: Option<i64>,
    sentence: String,
}

/// The personal part of a record.
#[derive(ToSchema)]
pub struct RecordPrivate {
    #[schema(required = true)]
    subject: Option<RecordSubject>,
    /// What rules and features could see; with personas, for the one whose seat is the first.
    attributes: BTreeMap<String, AttributeValue>,
    /// The same for every persona that has a seat; `null` where the request names no personas.
    #[schema(required = true)]
    personas: Option<Vec<RecordPersonaSeen>>,
    /// What guards of audiences saw and nothing else did; `null` where they saw nothing.
    #[schema(required = true)]
    guarded: Option<BTreeMap<String, AttributeValue>>,
    withheld: Vec<RecordWithheld>,
    #[schema(required = true)]
    jurisdiction: Option<String>,
    /// Local hour of day.
    hour: u8,
    /// As the request said.
    #[schema(required = true)]
    store: Option<String>,
    /// The time where the customer is, where a rule of the placement reads it.
    #[schema(required = true)]
    local_time: Option<RecordLocalTime>,
    consents: Vec<RecordConsent>,
    /// Whether the request carried the signal of Global Privacy Control.
    privacy_signal: bool,
    caps: Vec<RecordCap>,
}

/// A local time as rules read it.
#[derive(ToSchema)]
pub struct RecordLocalTime {
    #[schema(example = "2026-03-01 09:30")]
    time: String,
    #[schema(example = "sun")]
    weekday: String,
    /// Whether the request named the time zone; otherwise it is UTC.
    zone_named: bool,
}

/// Whose state was read.
#[derive(ToSchema)]
pub struct RecordSubject {
    /// `customer` or `session`.
    kind: String,
    /// A random id of this service's own.
    subject: String,
    version: u64,
}

/// An attribute that no rule and no feature saw.
#[derive(ToSchema)]
pub struct RecordWithheld {
    #[schema(example = "customer.tier")]
    attribute: String,
    reason: WithheldReason,
}

/// Why an attribute was not seen.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum WithheldReason {
    PurposeNotConsented,
    NotUsed,
    Expired,
    Undeclared,
    NotApproved,
    GuardsOnly,
    FeatureNotApproved,
    RuleNotApproved,
    GuardNotApproved,
    PriceNotApproved,
}

/// A consent as it was read.
#[derive(ToSchema)]
pub struct RecordConsent {
    purpose: String,
    #[schema(required = true)]
    state: Option<ConsentState>,
    #[schema(required = true)]
    basis: Option<Basis>,
    #[schema(required = true)]
    valid_from: Option<Instant>,
    #[schema(required = true)]
    valid_until: Option<Instant>,
    /// The channel it was about; `null` where it was about every one.
    #[schema(required = true)]
    channel: Option<String>,
}

/// A counter of a cap or a cool-down above zero, as it was read.
#[derive(ToSchema)]
pub struct RecordCap {
    /// The slot it was read for.
    slot: u16,
    /// Position in `candidates`.
    candidate: u32,
    /// Position of the rule in the bundle.
    rule: u16,
    used: u32,
    limit: u32,
    /// Until when a cool-down leaves the candidate out, if it does.
    #[schema(required = true)]
    until: Option<Instant>,
}

/// What the outcomes of a decision amount to.
#[derive(ToSchema)]
pub struct RecordOutcomes {
    count: u64,
    /// How many lie outside the placement's window.
    late: u64,
    accepted: bool,
    reward: Money,
}
