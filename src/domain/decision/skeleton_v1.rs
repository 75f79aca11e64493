//! Skeletons of encoding 1, as they were written before a decision had several slots. Writes none.

use minicbor::Decode;

use super::skeleton::{
    CandidateRow, Draw, Failed, FallbackReason, ModelVersion, RefusedPurpose, Scored, Shown, Skeleton, Slot, Terms,
};
use crate::domain::{Day, DecisionId, Digest, PlacementId, PurposeId, Timestamp};

#[derive(Decode)]
struct ScoredV1 {
    #[n(0)]
    mean: f64,
    #[n(1)]
    deviation: f64,
    #[n(2)]
    probability: f64,
}

#[derive(Decode)]
struct CandidateRowV1 {
    #[n(0)]
    candidate: u32,
    #[n(1)]
    margin_minor: i64,
    #[n(2)]
    cost_minor: i64,
    #[n(3)]
    failed: Vec<Failed>,
    #[n(4)]
    scored: Option<ScoredV1>,
}

/// A skeleton of encoding 1: one slot, probabilities beside the scores.
#[derive(Decode)]
pub(super) struct SkeletonV1 {
    #[n(0)]
    encoding: u16,
    #[n(1)]
    decision_id: DecisionId,
    #[n(2)]
    id_minted: bool,
    #[n(3)]
    tenant: String,
    #[n(4)]
    placement: PlacementId,
    #[n(5)]
    purpose: PurposeId,
    #[n(6)]
    refused: Option<RefusedPurpose>,
    #[n(7)]
    at: Timestamp,
    #[n(8)]
    request_digest: Digest,
    #[n(9)]
    attempt: u16,
    #[n(10)]
    build: String,
    #[n(11)]
    bundle: Digest,
    #[n(12)]
    catalogue_revision: u64,
    #[n(13)]
    control_sequence: u64,
    #[n(14)]
    model: ModelVersion,
    #[n(15)]
    day: Day,
    #[n(16)]
    distribution_rule: u16,
    #[n(17)]
    exploration: f64,
    #[n(18)]
    candidates: Vec<CandidateRowV1>,
    #[n(19)]
    draw: Option<Draw>,
    #[n(20)]
    fallback: Option<FallbackReason>,
    #[n(21)]
    reserved_until: Option<Timestamp>,
    #[n(22)]
    shown: Shown,
    #[n(23)]
    terms: Terms,
    #[n(24)]
    commitments: Vec<Digest>,
}

impl From<SkeletonV1> for Skeleton {
    fn from(old: SkeletonV1) -> Self {
        let probabilities = old.candidates.iter().map(|row| row.scored.as_ref().map(|scored| scored.probability));
        let probabilities: Vec<Option<f64>> = probabilities.collect();
        let slots = old.draw.map(|draw| Slot {
            probabilities,
            left_out: Vec::new(),
            draw,
            money: None,
            persona: None,
            noted: None,
            price: None,
        });
        let row = |row: CandidateRowV1| CandidateRow {
            candidate: Some(row.candidate),
            margin_minor: row.margin_minor,
            cost_minor: row.cost_minor,
            failed: row.failed,
            scored: row.scored.map(|scored| Scored {
                mean: scored.mean,
                deviation: scored.deviation,
                beta: None,
                bags: None,
                logit: None,
            }),
            learned: None,
            money: None,
            noted: None,
        };
        Self {
            encoding: old.encoding,
            decision_id: old.decision_id,
            id_minted: old.id_minted,
            tenant: old.tenant,
            placement: old.placement,
            purpose: old.purpose,
            refused: old.refused,
            at: old.at,
            request_digest: old.request_digest,
            attempt: old.attempt,
            build: old.build,
            bundle: old.bundle,
            catalogue_revision: old.catalogue_revision,
            control_sequence: old.control_sequence,
            model: old.model,
            day: old.day,
            distribution_rule: old.distribution_rule,
            challenger: None,
            money: None,
            prior: None,
            pools: None,
            switches: None,
            exploration: old.exploration,
            candidates: old.candidates.into_iter().map(row).collect(),
            slots: slots.into_iter().collect(),
            fallback: old.fallback,
            reserved_until: old.reserved_until,
            shown: vec![old.shown],
            terms: old.terms,
            commitments: old.commitments,
        }
    }
}
