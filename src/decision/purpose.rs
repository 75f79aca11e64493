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
    /// The purpose of personalising prices with the gates that refuse it, where some gate guards it here and something
    /// personal may be seen at all.
    pub(super) prices: Option<(PurposeId, Vec<u16>)>,
}

/// The purpose of letting what is known of customers move the prices that they are shown.
const PRICES: &str = "price_personalisation";

impl Purpose {
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
            let mut readings = own.readings;
            let prices = bundle.purposes.keys().find(|purpose| purpose.as_str() == PRICES).and_then(|purpose| {
                let verdict = gate(purpose);
                let guarded = !verdict.readings.is_empty();
                if *purpose != placement.purpose {
                    readings.extend(verdict.readings);
                }
                let refused = verdict.refused_by.into_iter().chain(verdict.also).collect();
                guarded.then(|| (purpose.clone(), refused))
            });
            let decided_under = placement.purpose.clone();
            return Self { decided_under, refused: None, personal: true, closed_by: None, readings, prices };
        };
        let also = (!own.also.is_empty()).then_some(own.also);
        let refused = Some(RefusedPurpose { rule, purpose: placement.purpose.clone(), also });
        let mut readings = own.readings;
        if let Some(contextual) = bundle.purposes.get(&placement.purpose).and_then(|spec| spec.fallback.clone()) {
            let verdict = gate(&contextual);
            readings.extend(verdict.readings);
            let closed_by = verdict.refused_by;
            let decided_under = contextual;
            return Self { decided_under, refused, personal: false, closed_by, readings, prices: None };
        }
        let decided_under = placement.purpose.clone();
        Self { decided_under, refused, personal: false, closed_by: Some(rule), readings, prices: None }
    }
}
