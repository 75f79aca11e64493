//! The purpose of a decision after its gates were asked: its own, the contextual one, or none. Judges no candidate.

use super::snapshot::Snapshot;
use crate::domain::decision::{ConsentReading, RefusedPurpose};
use crate::domain::{DecisionRequest, Placement, PurposeId, SubjectState, Timestamp};
use crate::policy::{self, Allowed, Asking, GateVerdict};

/// The purpose a decision is made under, after its gates were asked.
pub(super) struct Purpose {
    pub(super) decided_under: PurposeId,
    pub(super) refused: Option<RefusedPurpose>,
    /// What may be seen.
    pub(super) allowed: Allowed,
    /// The gate that leaves no purpose but house content, and so leaves every candidate out.
    pub(super) closed_by: Option<u16>,
    /// That nothing may be learned from the decision, and by which gate.
    pub(super) unlearned: Option<RefusedPurpose>,
    /// Purposes that are asked whatever it is decided for, each with the gates that refuse it.
    pub(super) aside: Vec<(PurposeId, Vec<u16>)>,
    pub(super) readings: Vec<ConsentReading>,
    /// The purpose of personalising prices with the gates that refuse it, where some gate guards it here and something
    /// personal may be seen at all.
    pub(super) prices: Option<(PurposeId, Vec<u16>)>,
}

/// The purpose that learning from customers has, whatever a decision is made for. Without a gate it is allowed.
const MODEL_TRAINING: &str = "model_training";

/// The purpose that guards of audiences read under. Without a gate it is allowed.
const SERVICE: &str = "service";

/// The purpose of letting what is known of customers move the prices that they are shown.
const PRICES: &str = "price_personalisation";

/// The refusal of a purpose, where some gate refused it.
fn refused(purpose: &PurposeId, verdict: &GateVerdict) -> Option<RefusedPurpose> {
    let also = (!verdict.also.is_empty()).then(|| verdict.also.clone());
    Some(RefusedPurpose { rule: verdict.refused_by?, purpose: purpose.clone(), also })
}

/// Every gate that refused.
fn refusing(verdict: &GateVerdict) -> Vec<u16> {
    verdict.refused_by.into_iter().chain(verdict.also.iter().copied()).collect()
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
        let signal = request.privacy_signal == Some(true);
        let asking = Asking { placement, state, jurisdiction: request.jurisdiction.as_deref(), signal, now };
        let asked = policy::gate(&snapshot.bundle, decided_under, &asking);
        Self {
            decided_under: decided_under.clone(),
            refused: refused(decided_under, &asked),
            allowed: Allowed { personal, guards: true },
            closed_by: asked.refused_by,
            unlearned: None,
            aside: Vec::new(),
            readings: asked.readings,
            prices: None,
        }
    }

    pub(super) fn ask(
        snapshot: &Snapshot,
        placement: &Placement,
        request: &DecisionRequest,
        state: Option<&SubjectState>,
        now: Timestamp,
    ) -> Self {
        let bundle = &snapshot.bundle;
        let signal = request.privacy_signal == Some(true);
        let asking = Asking { placement, state, jurisdiction: request.jurisdiction.as_deref(), signal, now };
        let gate = |purpose: &PurposeId| -> GateVerdict { policy::gate(bundle, purpose, &asking) };
        let own = gate(&placement.purpose);
        let mut asked = Self {
            decided_under: placement.purpose.clone(),
            refused: refused(&placement.purpose, &own),
            allowed: Allowed { personal: own.refused_by.is_none(), guards: true },
            closed_by: None,
            unlearned: None,
            aside: Vec::new(),
            readings: own.readings,
            prices: None,
        };
        if let Some(rule) = own.refused_by {
            asked.closed_by = Some(rule);
            if let Some(contextual) = bundle.purposes.get(&placement.purpose).and_then(|spec| spec.fallback.clone()) {
                let verdict = gate(&contextual);
                asked.readings.extend(verdict.readings);
                asked.closed_by = verdict.refused_by;
                asked.decided_under = contextual;
            }
        } else if let Some((prices, _)) = bundle.purposes.get_key_value(PRICES) {
            let verdict = gate(prices);
            let guarded = !verdict.readings.is_empty();
            asked.prices = guarded.then(|| (prices.clone(), refusing(&verdict)));
            if *prices != placement.purpose {
                asked.readings.extend(verdict.readings);
            }
        }
        if let Some((training, _)) = bundle.purposes.get_key_value(MODEL_TRAINING) {
            let verdict = gate(training);
            asked.unlearned = refused(training, &verdict);
            asked.aside.push((training.clone(), refusing(&verdict)));
            asked.readings.extend(verdict.readings);
        }
        // Guards of audiences read what they need for the service itself, whatever was said to other purposes.
        if let Some((service, _)) = bundle.purposes.get_key_value(SERVICE).filter(|_| bundle.guards(placement)) {
            let verdict = gate(service);
            asked.allowed.guards = verdict.refused_by.is_none();
            asked.aside.push((service.clone(), refusing(&verdict)));
            asked.readings.extend(verdict.readings);
        }
        asked
    }
}
