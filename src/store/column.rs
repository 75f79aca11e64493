//! Column: turns what a row of either database holds into the store's types and back. Knows no SQL.

use crate::domain::decision::Record;
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{
    CampaignId, Currency, Day, DecisionId, Digest, Malformed, ModelId, OfferId, PlacementId, Spend, SpendKey,
    SubjectId, SubjectKind, SubjectRef, Timestamp,
};
use crate::engine::batch::{Batch, DecisionWrite, Known};

use super::{
    Activation, Applied, AppliedRow, BatchKey, CampaignBody, CatalogueRows, CheckpointRow, ConsentRow, Control, Holder,
    KeptOutcome, KeyRow, LearningRow, Lease, OfferBody, OfferRevision, OutcomeRow, SourceRow, StoreError,
    StoredDecision, SubjectRow,
};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            error => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// kind, name, day, amount
pub(super) type SpendColumns = (i16, String, i32, i64);

/// A sum of spending as a row.
pub(super) fn spend((key, amount): (&SpendKey, &i64)) -> SpendColumns {
    match key {
        SpendKey::Campaign(id, day) => (0, id.to_string(), day.0, *amount),
        SpendKey::Exploration(id, day) => (1, id.to_string(), day.0, *amount),
    }
}

/// The sums of all campaigns, and of exploration on a day.
pub(super) fn spent(day: Day, rows: Vec<SpendColumns>) -> Result<Spend, StoreError> {
    let mut spend = Spend::none(day);
    for (kind, name, of, amount) in rows {
        let malformed = |error: Malformed| StoreError::Corrupt(error.to_string());
        let key = match kind {
            0 => SpendKey::Campaign(CampaignId::new(name).map_err(malformed)?, Day(of)),
            1 => SpendKey::Exploration(PlacementId::new(name).map_err(malformed)?, Day(of)),
            _ => return Err(StoreError::Corrupt(format!("spending of kind {kind}, where 0 and 1 were written"))),
        };
        spend.add(&key, amount);
    }
    Ok(spend)
}

/// The name of the pool that the stock of an offer is counted in.
pub(super) fn stock_pool(offer: &OfferId) -> String {
    format!("proffer.stock/{offer}")
}

/// A number as databases hold it, which know only signed ones.
pub(super) fn signed(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Corrupt(format!("`{value}` does not fit into a column")))
}

/// A number that was written by [`signed`].
pub(super) fn natural(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt(format!("`{value}` where only positive numbers were written")))
}

/// Exactly the bytes of an id or a digest.
fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt(format!("{} bytes where {N} were written", bytes.len())))
}

pub(super) fn decision_id(bytes: &[u8]) -> Result<DecisionId, StoreError> {
    exactly(bytes).map(DecisionId::from_bytes)
}

pub(super) fn subject_id(bytes: &[u8]) -> Result<SubjectId, StoreError> {
    exactly(bytes).map(SubjectId)
}

pub(super) fn model_id(bytes: &[u8]) -> Result<ModelId, StoreError> {
    exactly(bytes).map(ModelId)
}

pub(super) fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    exactly(bytes).map(Digest)
}

pub(super) fn subject_kind(code: i16) -> Result<SubjectKind, StoreError> {
    SubjectKind::ALL
        .into_iter()
        .find(|kind| super::kind_code(*kind) == code)
        .ok_or_else(|| StoreError::Corrupt(format!("`{code}` is no kind of subject")))
}

fn outcome_kind(code: i16) -> Result<OutcomeKind, StoreError> {
    let mut kinds = OutcomeKind::ALL.into_iter().chain([OutcomeKind::Release]);
    kinds
        .find(|kind| super::outcome_code(*kind) == code)
        .ok_or_else(|| StoreError::Corrupt(format!("`{code}` is no kind of outcome")))
}

/// sequence, bundle, `catalogue_revision`, `switch_revision`
pub(super) type ControlColumns = (i64, Option<Vec<u8>>, i64, i64);

pub(super) fn control(columns: ControlColumns) -> Result<Control, StoreError> {
    let (sequence, bundle, revision, switches) = columns;
    Ok(Control {
        sequence: natural(sequence)?,
        bundle: bundle.as_deref().map(digest).transpose()?,
        catalogue_revision: natural(revision)?,
        switch_revision: natural(switches)?,
    })
}

/// kind, `outside_id`, `subject_id`, `wrapped_key`, version, state
pub(super) type SubjectColumns = (i16, String, Vec<u8>, Vec<u8>, i64, Vec<u8>);

pub(super) fn subject(columns: SubjectColumns) -> Result<SubjectRow, StoreError> {
    let (kind, outside_id, subject, wrapped_key, version, state) = columns;
    Ok(SubjectRow {
        reference: SubjectRef { kind: subject_kind(kind)?, outside_id },
        subject: subject_id(&subject)?,
        wrapped_key,
        version: natural(version)?,
        state,
    })
}

/// `decision_id`, `subject_id`, `wrapped_key`, at, `request_digest`, skeleton, private, leaf
pub(super) type DecisionColumns = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, i64, Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>);

pub(super) fn decision(columns: DecisionColumns) -> Result<StoredDecision, StoreError> {
    let (id, subject, wrapped_key, at, request_digest, skeleton, private, leaf) = columns;
    Ok(StoredDecision {
        decision_id: decision_id(&id)?,
        subject: subject.as_deref().map(subject_id).transpose()?,
        wrapped_key,
        at: Timestamp(at),
        request_digest: digest(&request_digest)?,
        record: Record { skeleton, private, leaf: digest(&leaf)? },
    })
}

pub(super) fn decisions(rows: Vec<DecisionColumns>) -> Result<Vec<StoredDecision>, StoreError> {
    rows.into_iter().map(decision).collect()
}

/// What a commit answers of decisions that it found stored.
pub(super) fn known(stored: Vec<StoredDecision>) -> Vec<Known> {
    stored
        .into_iter()
        .map(|decision| Known {
            decision_id: decision.decision_id,
            request_digest: decision.request_digest,
            record: decision.record,
        })
        .collect()
}

/// version, position, at, sealed
pub(super) type ConsentColumns = (i64, i16, i64, Vec<u8>);

pub(super) fn consent(columns: ConsentColumns) -> Result<ConsentRow, StoreError> {
    let (version, position, at, sealed) = columns;
    let position = u16::try_from(position).map_err(|_| StoreError::Corrupt(format!("position `{position}`")))?;
    Ok(ConsentRow { version: natural(version)?, position, at: Timestamp(at), sealed })
}

/// Positions of the records of one change of consents.
pub(super) fn positions(records: usize) -> Result<Vec<i16>, StoreError> {
    let count = i16::try_from(records)
        .map_err(|_| StoreError::Corrupt(format!("{records} consent records in one change: at most {}", i16::MAX)))?;
    Ok((0..count).collect())
}

/// `decision_id`, key, kind, `occurred_at`, `refers_to`, `revenue_minor`, `margin_minor`, slot
pub(super) type AttributedColumns = (Vec<u8>, Vec<u8>, i16, i64, Option<Vec<u8>>, Option<i64>, Option<i64>, i16);

pub(super) fn attributed(columns: AttributedColumns) -> Result<(DecisionId, OutcomeFact), StoreError> {
    let (decision, key, kind, occurred_at, refers_to, revenue_minor, margin_minor, slot) = columns;
    let fact = OutcomeFact {
        key: digest(&key)?,
        kind: outcome_kind(kind)?,
        occurred_at: Timestamp(occurred_at),
        refers_to: refers_to.as_deref().map(digest).transpose()?,
        revenue_minor,
        margin_minor,
        slot: slot.cast_unsigned(),
    };
    Ok((decision_id(&decision)?, fact))
}

/// An outcome with all its columns, and the wrapped key of its subject.
#[derive(sqlx::FromRow)]
pub(super) struct KeptColumns {
    key: Vec<u8>,
    kind: i16,
    occurred_at: i64,
    refers_to: Option<Vec<u8>>,
    revenue_minor: Option<i64>,
    margin_minor: Option<i64>,
    slot: i16,
    source: String,
    received_at: i64,
    decision_id: Option<Vec<u8>>,
    subject_id: Option<Vec<u8>>,
    claim: Vec<u8>,
    currency: Option<String>,
    awaits: Option<Vec<u8>>,
    applied: bool,
    wrapped_key: Option<Vec<u8>>,
}

/// The columns of [`KeptColumns`], of an outcome `o` and its identity `i`.
pub(super) const KEPT: &str = "o.key, o.kind, o.occurred_at, o.refers_to, o.revenue_minor, o.margin_minor, o.slot, \
     o.source, o.received_at, o.decision_id, o.subject_id, o.claim, o.currency, o.awaits, o.applied, i.wrapped_key \
     from outcome o left join identity i on i.subject_id = o.subject_id";

pub(super) fn kept(columns: KeptColumns) -> Result<KeptOutcome, StoreError> {
    let currency = columns.currency.as_deref().map(Currency::parse).transpose();
    let fact = OutcomeFact {
        key: digest(&columns.key)?,
        kind: outcome_kind(columns.kind)?,
        occurred_at: Timestamp(columns.occurred_at),
        refers_to: columns.refers_to.as_deref().map(digest).transpose()?,
        revenue_minor: columns.revenue_minor,
        margin_minor: columns.margin_minor,
        slot: columns.slot.cast_unsigned(),
    };
    let row = OutcomeRow {
        fact,
        source: columns.source,
        received_at: Timestamp(columns.received_at),
        decision_id: columns.decision_id.as_deref().map(decision_id).transpose()?,
        subject: columns.subject_id.as_deref().map(subject_id).transpose()?,
        claim: columns.claim,
        currency: currency.map_err(|error| StoreError::Corrupt(error.to_string()))?,
        awaits: columns.awaits.as_deref().map(decision_id).transpose()?,
    };
    Ok(KeptOutcome { row, wrapped_key: columns.wrapped_key, applied: columns.applied })
}

/// node, incarnation, number, `decision_ids`
pub(super) type BatchColumns = (String, i64, i64, Vec<u8>);

/// A batch with its decisions in the order of their leaves.
pub(super) fn batch(columns: BatchColumns) -> Result<(BatchKey, Vec<DecisionId>), StoreError> {
    let (node, incarnation, number, ids) = columns;
    let decisions = ids.chunks(16).map(decision_id).collect::<Result<_, _>>()?;
    Ok((BatchKey { node, incarnation: natural(incarnation)?, number: natural(number)? }, decisions))
}

/// The column `decision_ids` of a batch.
pub(super) fn decision_ids(batch: &Batch) -> Vec<u8> {
    batch.decisions.iter().flat_map(|decision| *decision.decision_id.as_bytes()).collect()
}

/// The decisions of a batch in the order of their ids, in which both stores write them.
pub(super) fn sorted(batch: &Batch) -> Vec<&DecisionWrite> {
    let mut decisions: Vec<&DecisionWrite> = batch.decisions.iter().collect();
    decisions.sort_by_key(|decision| decision.decision_id);
    decisions
}

/// The error for a batch whose number is taken: writing it under another would hide that two engines share a name.
pub(super) fn number_taken(batch: &Batch) -> StoreError {
    StoreError::Corrupt(format!(
        "batch {} of incarnation {} of node `{}` is stored already; give each engine a name of its own",
        batch.number, batch.incarnation, batch.node
    ))
}

/// The error for a batch that is refused although nothing speaks against it.
pub(super) fn refused_without_reason(batch: &Batch) -> StoreError {
    StoreError::Corrupt(format!("batch {} of node `{}` names a decision or a subject twice", batch.number, batch.node))
}

/// `decision_id`, slot, exposed, accepted, `reward_minor`, steps, `due_at`
pub(super) type AppliedColumns = (Vec<u8>, i16, bool, bool, i64, i16, Option<i64>);

pub(super) fn applied(columns: &AppliedColumns) -> Result<AppliedRow, StoreError> {
    let (id, slot, exposed, accepted, reward_minor, steps, due) = columns;
    let slot = u16::try_from(*slot).map_err(|_| StoreError::Corrupt(format!("slot `{slot}`")))?;
    let steps = u16::try_from(*steps).map_err(|_| StoreError::Corrupt(format!("steps `{steps}`")))?;
    let applied = Applied { exposed: *exposed, accepted: *accepted, reward_minor: *reward_minor, steps };
    Ok(AppliedRow { decision_id: decision_id(id)?, slot, applied, due: due.map(Timestamp) })
}

/// A slot as databases hold it, which know only signed numbers.
pub(super) fn slot(slot: u16) -> Result<i16, StoreError> {
    i16::try_from(slot).map_err(|_| StoreError::Corrupt(format!("slot `{slot}` does not fit into a column")))
}

/// A number of steps as databases hold it.
pub(super) fn steps(steps: u16) -> Result<i16, StoreError> {
    i16::try_from(steps).map_err(|_| StoreError::Corrupt(format!("steps `{steps}` do not fit into a column")))
}

/// `model_id`, sequence, `decision_id`, `subject_id`, sealed, `wrapped_key`
pub(super) type LearningColumns = (Vec<u8>, i64, Vec<u8>, Option<Vec<u8>>, Vec<u8>, Option<Vec<u8>>);

pub(super) fn learning(columns: LearningColumns) -> Result<LearningRow, StoreError> {
    let (model, sequence, decision, subject, sealed, wrapped_key) = columns;
    Ok(LearningRow {
        model: model_id(&model)?,
        sequence: natural(sequence)?,
        decision_id: decision_id(&decision)?,
        subject: subject.as_deref().map(subject_id).transpose()?,
        sealed,
        wrapped_key,
    })
}

/// `model_id`, sequence, digest, state
pub(super) type CheckpointColumns = (Vec<u8>, i64, Vec<u8>, Vec<u8>);

pub(super) fn checkpoint(columns: CheckpointColumns) -> Result<CheckpointRow, StoreError> {
    let (model, sequence, state_digest, state) = columns;
    Ok(CheckpointRow { model: model_id(&model)?, sequence: natural(sequence)?, digest: digest(&state_digest)?, state })
}

/// term, holder, incarnation, `lease_until`, whether that is to come
pub(super) type LeaseColumns = (i64, String, i64, i64, bool);

pub(super) fn lease(columns: LeaseColumns) -> Result<Lease, StoreError> {
    let (term, node, incarnation, until, held) = columns;
    let holder = Holder { node, incarnation: natural(incarnation)? };
    Ok(Lease { term: natural(term)?, holder, until: Timestamp(until), held })
}

/// sequence, hash, at, `by_key`
pub(super) type ActivationColumns = (i64, Vec<u8>, i64, String);

pub(super) fn activation(columns: ActivationColumns) -> Result<Activation, StoreError> {
    let (sequence, hash, at, by) = columns;
    Ok(Activation { sequence: natural(sequence)?, hash: digest(&hash)?, at: Timestamp(at), by })
}

/// id, body, revision
pub(super) type BodyColumns = (String, String, i64);

pub(super) fn catalogue(offers: Vec<BodyColumns>, campaigns: Vec<BodyColumns>) -> Result<CatalogueRows, StoreError> {
    let offer = |(id, json, revision)| Ok((OfferBody { offer_id: name(OfferId::new, id)?, json }, natural(revision)?));
    let campaign =
        |(id, json, revision)| Ok((CampaignBody { campaign_id: name(CampaignId::new, id)?, json }, natural(revision)?));
    Ok(CatalogueRows {
        offers: offers.into_iter().map(offer).collect::<Result<_, StoreError>>()?,
        campaigns: campaigns.into_iter().map(campaign).collect::<Result<_, StoreError>>()?,
    })
}

fn name<T>(parse: impl Fn(String) -> Result<T, Malformed>, text: String) -> Result<T, StoreError> {
    parse(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// revision, at, `by_key`, body
pub(super) type RevisionColumns = (i64, i64, String, String);

pub(super) fn revision(columns: RevisionColumns) -> Result<OfferRevision, StoreError> {
    let (revision, at, by_key, json) = columns;
    Ok(OfferRevision { revision: natural(revision)?, at: Timestamp(at), by_key, json })
}

/// `key_hash`, name, roles, `created_at`, `revoked_at`
pub(super) type KeyColumns = (Vec<u8>, String, String, i64, Option<i64>);

pub(super) fn key(columns: KeyColumns) -> Result<KeyRow, StoreError> {
    let (hash, name, roles, created_at, revoked_at) = columns;
    Ok(KeyRow {
        hash: digest(&hash)?,
        name,
        roles,
        created_at: Timestamp(created_at),
        revoked_at: revoked_at.map(Timestamp),
    })
}

/// name, `sealed_secret`, `created_at`
pub(super) type SourceColumns = (String, Vec<u8>, i64);

pub(super) fn source(columns: SourceColumns) -> SourceRow {
    let (name, sealed_secret, created_at) = columns;
    SourceRow { name, sealed_secret, created_at: Timestamp(created_at) }
}

/// decisions, outcomes, batches unlearned, outcomes unapplied
pub(super) type TotalsColumns = (i64, i64, i64, i64);

pub(super) fn totals(columns: TotalsColumns) -> Result<super::Totals, StoreError> {
    let (decisions, outcomes, batches, unapplied) = columns;
    Ok(super::Totals {
        decisions: natural(decisions)?,
        outcomes: natural(outcomes)?,
        batches_unlearned: natural(batches)?,
        outcomes_unapplied: natural(unapplied)?,
    })
}
