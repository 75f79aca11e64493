//! The purpose of a decision after its gates were asked: its own, the contextual one, or none. Judges no candidate.

use super::snapshot::Snapshot;
use crate::domain::decision::{ConsentReading, RefusedPurpose};
use crate::domain::{DecisionRequest, Placement, PurposeId, SubjectState, Timestamp};
use crate::policy::{self, GateVerdict};

/// The purpose a decision is made under, after its gates were asked.
pub(super) struct Purpose {
    pub(super) decided_under: PurposeId,
    pub(super) refused: Option<RefusedPurpose>,
    /// Whether personal attributes may be seen.
    pub(super) personal: bool,
    /// The gate that leaves no purpose but house content, and so leaves every candidate out.
    pub(super) closed_by: Option<u16>,
    pub(super) readings: Vec<ConsentReading>,
}

impl Purpose {
    /// The purpose that something was decided under, asked again. Where its gates refuse now, nothing takes its place.
    pub(super) fn again(
        snapshot: &Snapshot,
        (placement, decided_under, personal): (&Placement, &PurposeId, bool),
        request: &DecisionRequest,
        state: Option<&SubjectState>,
        now: Timestamp,
    ) -> Self {
        let jurisdiction = request.jurisdiction.as_deref();
        let asked = policy::gate(&snapshot.bundle, placement, decided_under, state, jurisdiction, now);
        let also = (!asked.also.is_empty()).then_some(asked.also);
        let refused = asked.refused_by.map(|rule| RefusedPurpose { rule, purpose: decided_under.clone(), also });
        let (decided_under, closed_by) = (decided_under.clone(), asked.refused_by);
        Self { decided_under, refused, personal, closed_by, readings: asked.readings }
    }

    pub(super) fn ask(
        snapshot: &Snapshot,
        placement: &Placement,
        request: &DecisionRequest,
        state: Option<&SubjectState>,
        now: Timestamp,
    ) -> Self {
        let bundle = &snapshot.bundle;
        let gate = |purpose: &PurposeId| -> GateVerdict {
            policy::gate(bundle, placement, purpose, state, request.jurisdiction.as_deref(), now)
        };
        let own = gate(&placement.purpose);
        let Some(rule) = own.refused_by else {
            return Self {
                decided_under: placement.purpose.clone(),
                refused: None,
                personal: true,
                closed_by: None,
                readings: own.readings,
            };
        };
        let also = (!own.also.is_empty()).then_some(own.also);
        let refused = Some(RefusedPurpose { rule, purpose: placement.purpose.clone(), also });
        let mut readings = own.readings;
        if let Some(contextual) = bundle.purposes.get(&placement.purpose).and_then(|spec| spec.fallback.clone()) {
            let verdict = gate(&contextual);
            readings.extend(verdict.readings);
            let closed_by = verdict.refused_by;
            return Self { decided_under: contextual, refused, personal: false, closed_by, readings };
        }
        let decided_under = placement.purpose.clone();
        Self { decided_under, refused, personal: false, closed_by: Some(rule), readings }
    }
}
