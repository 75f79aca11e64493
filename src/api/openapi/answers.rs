//! What is answered, as the document shows it. Answers are made elsewhere; a test holds real ones to these types.

#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]
#![expect(clippy::struct_excessive_bools, reason = "fields have the shapes that stand in JSON")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

use super::record::{RecordCandidate, RecordPrivate, RecordSlot};
use super::shapes::{AttributeValue, Basis, ConsentState, Instant};

/// What was decided. The same for every repetition of the request.
#[derive(ToSchema)]
pub struct DecisionAnswer {
    /// Names the decision: outcomes refer to it.
    #[schema(format = Uuid)]
    decision_id: String,
    /// As asked.
    placement: String,
    /// What to show, slot by slot; fewer than asked for where nothing is worth more than what remains, or nothing may.
    offers: Vec<OfferShown>,
    /// Whether *nothing* was drawn for the first slot: nothing is to be shown at all.
    nothing: bool,
    /// Whether that is the placement's house content.
    fallback: bool,
    /// Whether it was decided without the store; not yet, so `false`.
    degraded: bool,
    /// Whether the customer is in the holdout.
    holdout: bool,
    /// Until when what was chosen is reserved.
    #[schema(required = true)]
    reserved_until: Option<Instant>,
    /// Why, in one sentence.
    explanation: String,
    versions: AnswerVersions,
}

/// What would be decided, with every reason: the answer to a dry run. Nothing of it is stored.
#[derive(ToSchema)]
pub struct DecisionTried {
    #[serde(flatten)]
    answer: DecisionAnswer,
    /// `true`.
    dry_run: bool,
    candidates: Vec<RecordCandidate>,
    slots: Vec<RecordSlot>,
    /// What is personal; `null` unless the key may read records.
    #[schema(required = true)]
    private: Option<RecordPrivate>,
    /// All of it in sentences.
    sentences: Vec<String>,
}

/// A line of a batch that was decided.
#[derive(ToSchema)]
pub struct LineDecided {
    /// Which line, from 1.
    #[schema(minimum = 1)]
    line: u64,
    #[serde(flatten)]
    answer: DecisionAnswer,
}

/// A line of a batch that was tried out.
#[derive(ToSchema)]
pub struct LineTried {
    /// Which line, from 1.
    #[schema(minimum = 1)]
    line: u64,
    #[serde(flatten)]
    tried: DecisionTried,
}

/// A line of a batch that was not decided.
#[derive(ToSchema)]
pub struct LineProblem {
    /// Which line, from 1.
    #[schema(minimum = 1)]
    line: u64,
    #[serde(flatten)]
    problem: Problem,
    /// Where sending it again may help: after how many seconds.
    retry_after_seconds: Option<u32>,
}

/// What to show in one slot.
#[derive(ToSchema)]
pub struct OfferShown {
    #[schema(minimum = 1)]
    slot: u16,
    offer_id: String,
    variant_id: String,
    /// What the shop renders, as it was imported; `null` where the catalogue does not have it.
    #[schema(required = true)]
    content: Option<BTreeMap<String, Value>>,
    /// The probability with which it was drawn; `null` for house content.
    #[schema(required = true, minimum = 0, maximum = 1)]
    propensity: Option<f64>,
    /// Whether what is known of the customer moved the price that it is shown at: a price other than the list price, or
    /// than that of another offer of the same product.
    price_personalised: bool,
    /// What must be said beside its price, where that is personalised and a rule says what.
    #[schema(required = true)]
    disclosure: Option<String>,
}

/// A personalised price, and what moved it.
#[derive(ToSchema)]
pub struct RecordPrice {
    personalised: bool,
    /// The attributes of the customer that moved it, by name.
    attributes: Vec<String>,
    /// The rule that says what must be said beside it; `null` where none does.
    #[schema(required = true)]
    rule: Option<String>,
    #[schema(required = true)]
    disclosure: Option<String>,
}

/// What a decision was made under.
#[derive(ToSchema)]
pub struct AnswerVersions {
    /// The policy bundle: `b3:` and its hash.
    bundle: String,
    /// The catalogue's revision.
    catalogue: u64,
    /// The revision of the switches set beside the bundle; `null` where none ever were.
    #[schema(required = true)]
    switches: Option<u64>,
    /// Learning events that the model had absorbed.
    model_sequence: u64,
}

/// What became of each event, in the order sent.
#[derive(ToSchema)]
pub struct OutcomeResults {
    results: Vec<OutcomeResult>,
}

/// What became of one event.
#[derive(ToSchema)]
pub struct OutcomeResult {
    /// As sent, whatever it is.
    #[schema(required = true)]
    event_id: Value,
    status: OutcomeStatus,
    /// Of an accepted one: the decision it belongs to.
    #[schema(format = Uuid)]
    decision_id: Option<String>,
    /// Of an accepted one: whether it lies outside the placement's window, so that it is counted and not learned.
    late: Option<bool>,
    /// Of an accepted impression: there, and true, where it came when the reservation that it would have confirmed had
    /// ended. Caps count it all the same.
    after_reservation: Option<bool>,
    /// Of an unmatched or rejected one.
    reason: Option<String>,
    /// Of a rejected one: every place that is wrong.
    errors: Option<Vec<Mistake>>,
    /// What is there instead of what a change expected, as `GET` shows it.
    current: Option<BTreeMap<String, Value>>,
}

/// What became of an event.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum OutcomeStatus {
    Accepted,
    Duplicate,
    Unmatched,
    Rejected,
}

/// What became of an event so far.
#[derive(ToSchema)]
pub struct OutcomeTold {
    event_id: String,
    source: String,
    /// As it was sent.
    r#type: String,
    occurred_at: Instant,
    /// When it was taken in.
    received_at: Instant,
    status: OutcomeToldStatus,
    /// Of an accepted one: the decision it belongs to.
    #[schema(format = Uuid)]
    decision_id: Option<String>,
    /// Of an accepted one: the slot, from 1; null for all of them.
    slot: Option<u16>,
    /// Of an accepted one: whether it lies outside the placement's window, so that it is counted and not learned.
    late: Option<bool>,
    /// Of an accepted one: whether it was learned from by now.
    learned: Option<bool>,
    /// Of an unmatched one.
    reason: Option<String>,
}

/// Whether an event belongs to a decision by now.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum OutcomeToldStatus {
    Accepted,
    Unmatched,
}

/// A customer's consent records, oldest first.
#[derive(ToSchema)]
pub struct Consents {
    customer_id: String,
    consents: Vec<ConsentKept>,
}

/// A consent record as it is kept.
#[derive(ToSchema)]
pub struct ConsentKept {
    purpose: String,
    state: ConsentState,
    basis: Basis,
    valid_from: Instant,
    valid_until: Option<Instant>,
    notice_hash: Option<String>,
    evidence_id: Option<String>,
    source: Option<String>,
    taken_in_at: Instant,
}

/// What is kept of a customer.
#[derive(ToSchema)]
pub struct Attributes {
    customer_id: String,
    /// By the name behind `customer.`.
    attributes: BTreeMap<String, AttributeKept>,
}

/// One attribute as it is kept.
#[derive(ToSchema)]
pub struct AttributeKept {
    value: AttributeValue,
    /// When that was so.
    at: Instant,
    /// Until when it holds; `null` where it holds until it is replaced.
    #[schema(required = true)]
    valid_until: Option<Instant>,
    /// Whether it no longer holds: decisions do not see it.
    expired: bool,
}

/// What an import came to.
#[derive(ToSchema)]
pub struct Imported {
    /// How many offers.
    offers: u64,
    /// How many campaigns.
    campaigns: u64,
    /// How many of both were not there before.
    created: u64,
    /// How many of both were there and said something else.
    changed: u64,
    /// How many of both were there just so. If that is all, there is no new revision.
    unchanged: u64,
    /// The catalogue's revision from now on.
    catalogue: u64,
    /// What works but will surprise.
    warnings: Option<Vec<String>>,
}

/// What was learned.
#[derive(ToSchema)]
#[expect(clippy::struct_field_names, reason = "fields have the names that the answer has")]
pub struct Models {
    /// Days since 1970-01-01 that posteriors are derived for.
    day: i32,
    /// The process that learns; `null` before the first election and while the store is away.
    #[schema(required = true)]
    learner: Option<Learner>,
    this: ThisProcess,
    models: Vec<ModelShown>,
}

/// Who learns, as the store says.
#[derive(ToSchema)]
pub struct Learner {
    /// The newest term: no older one writes any more.
    term: u64,
    node: String,
    /// Which start of the node.
    incarnation: u64,
    /// Nobody else is elected before.
    lease_until: Instant,
    /// Whether that is still to come.
    held: bool,
}

/// The process that answered.
#[derive(ToSchema)]
pub struct ThisProcess {
    node: String,
    /// Which start of the node.
    incarnation: u64,
    /// The term it learns under; `null` while it follows the learner.
    #[schema(required = true)]
    term: Option<u64>,
    /// The bundle it decides under.
    bundle: String,
    /// The catalogue's revision it decides over.
    catalogue: u64,
}

/// One model.
#[derive(ToSchema)]
pub struct ModelShown {
    model: String,
    #[schema(required = true)]
    placement: Option<String>,
    #[schema(required = true)]
    strategy: Option<String>,
    /// Learning events absorbed.
    sequence: u64,
    /// Names its integers.
    digest: String,
    dimensions: u16,
    arms: Vec<ArmShown>,
}

/// What was learned of one variant.
#[derive(ToSchema)]
pub struct ArmShown {
    offer_id: String,
    variant_id: String,
    exposures: i64,
    accepted: i64,
    /// Decimal text in the placement's currency.
    reward: String,
}

/// How the service is.
#[derive(ToSchema)]
pub struct Status {
    /// `ok` or `ready`.
    status: String,
}

/// What went wrong (RFC 9457).
#[derive(ToSchema)]
pub struct Problem {
    /// Stable name of the kind of problem, such as `urn:proffer:problem:invalid`.
    r#type: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What was wrong and what to do.
    detail: String,
    /// Every place that is wrong, 100 at most.
    errors: Option<Vec<Mistake>>,
}

/// Something wrong at one place of the request.
#[derive(ToSchema)]
pub struct Mistake {
    /// RFC 6901 pointer into the request.
    #[schema(example = "/placement")]
    pointer: String,
    /// The line of a YAML or CSV body or of a file of policies, from 1.
    line: Option<u64>,
    /// The column of a YAML body or of a file of policies, from 1.
    column: Option<u64>,
    /// The column of a CSV body by its name.
    field: Option<String>,
    /// The code of a finding in policies, which `proffer policy explain` explains.
    #[schema(example = "P0107")]
    code: Option<String>,
    /// What was wrong, what was expected, how to mend it.
    message: String,
}
