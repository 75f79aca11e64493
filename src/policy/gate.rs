//! Gates of a purpose: from `purpose_gates` in `rules/*.yaml` to what they say of one request. Judges no offer.

use super::bundle::Bundle;
use super::codes;
use super::declare;
use super::finding::Report;
use super::read::{self, Fields};
use super::rules::{Known, RuleKind};
use crate::domain::consent::in_force;
use crate::domain::decision::ConsentReading;
use crate::domain::{ConsentState, Placement, PurposeId, SubjectState, Timestamp};

/// What the gates of a purpose said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateVerdict {
    /// One per gate that was asked.
    pub readings: Vec<ConsentReading>,
    /// Position of the first gate that refused.
    pub refused_by: Option<u16>,
    /// Positions of the others that refused.
    pub also: Vec<u16>,
}

/// Asks every gate of a purpose at a placement. Without a gate the purpose is allowed. A gate lets through a consent
/// that was granted, has not expired, and rests on a basis that the jurisdiction allows for the purpose.
pub fn gate(
    bundle: &Bundle,
    placement: &Placement,
    purpose: &PurposeId,
    state: Option<&SubjectState>,
    jurisdiction: Option<&str>,
    now: Timestamp,
) -> GateVerdict {
    let mut verdict = GateVerdict::default();
    for (at, rule) in (0..=u16::MAX).zip(&bundle.rules) {
        let guards = matches!(&rule.kind, RuleKind::PurposeGate { purpose: guarded } if guarded == purpose);
        if !guards || !rule.in_force(now, jurisdiction) || !rule.applies_to.covers_placement(placement) {
            continue;
        }
        let entry = state.and_then(|state| in_force(&state.consents, purpose, now));
        let bases = bundle.purposes.get(purpose).map(|spec| spec.bases_in(jurisdiction)).unwrap_or_default();
        let open = entry.is_some_and(|entry| {
            entry.state == ConsentState::Granted
                && entry.valid_until.is_none_or(|until| until > now)
                && bases.contains(&entry.basis)
        });
        verdict.readings.push(ConsentReading {
            purpose: purpose.clone(),
            state: entry.map(|entry| entry.state),
            basis: entry.map(|entry| entry.basis),
            valid_from: entry.map(|entry| entry.valid_from),
            valid_until: entry.and_then(|entry| entry.valid_until),
        });
        match (open, verdict.refused_by) {
            (true, _) => {}
            (false, None) => verdict.refused_by = Some(at),
            (false, Some(_)) => verdict.also.push(at),
        }
    }
    verdict
}

/// That a gate refused, in words.
pub(super) fn told(purpose: &PurposeId) -> String {
    format!("no consent for `{purpose}` is in force")
}

/// The fields of a gate.
pub(super) const FIELDS: [&str; 1] = ["purpose"];

/// Fields of the language that are not available yet.
pub(super) const FIELDS_LATER: [&str; 4] = ["bases", "channel_opt_in", "consent_age", "jurisdictions"];

/// Reads which purpose a gate guards.
pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>, known: Known<'_>) -> Option<RuleKind> {
    let what = fields.what.as_str();
    let node = fields.need(report, "purpose", "purpose: offer_personalisation")?;
    let purpose = read::parsed(report, what, node, "a purpose id", PurposeId::new)?;
    let home = (codes::PURPOSE_UNKNOWN, "purpose", "catalog/purposes.yaml");
    if !declare::refer(report, home, what, (node.place, purpose.as_str()), known.purposes) {
        return None;
    }
    if known.specs.get(&purpose).is_some_and(|spec| spec.bases.is_empty()) {
        let message = format!("{what}: purpose `{purpose}` lists no lawful bases");
        report.add(codes::BASES_NONE, node.place, message, "no bases").with_help(
            "such a gate would refuse everyone: add `bases: {EU: [consent]}` to the purpose in \
             catalog/purposes.yaml, or remove the gate",
        );
        return None;
    }
    Some(RuleKind::PurposeGate { purpose })
}
