//! Decisions and records as JSON. A rendering of what is stored; decides and stores nothing.

use serde_json::{Value, json};

use crate::audit;
use crate::domain::decision::{ConsentReading, Private, Skeleton};
use crate::domain::{Catalogue, Money};
use crate::runtime::{Opened, OutcomesSeen};

/// The answer to a request: the same whenever it is rendered from the same record.
pub fn answer(skeleton: &Skeleton, catalogue: &Catalogue) -> Value {
    let offer = catalogue.offer(skeleton.shown.offer.as_str());
    let variant = offer.and_then(|o| o.variants.iter().find(|v| v.variant_id == skeleton.shown.variant));
    let content = variant.map(|variant| Value::Object(variant.content.clone()));
    json!({
        "decision_id": skeleton.decision_id,
        "placement": skeleton.placement,
        "offers": [{
            "slot": 1,
            "offer_id": skeleton.shown.offer,
            "variant_id": skeleton.shown.variant,
            "content": content.unwrap_or(Value::Null),
            "propensity": skeleton.draw.map(|draw| draw.propensity),
            "price_personalised": false,
            "disclosure": null,
        }],
        "fallback": skeleton.fallback.is_some(),
        "degraded": false,
        "holdout": skeleton.fallback == Some(crate::domain::decision::FallbackReason::Holdout),
        "reserved_until": skeleton.reserved_until,
        "explanation": audit::summary(skeleton),
        "versions": {
            "bundle": format!("b3:{}", skeleton.bundle.hex()),
            "catalogue": skeleton.catalogue_revision,
            "model_sequence": skeleton.model.sequence,
        },
    })
}

/// The decision in sentences.
pub fn sentences(opened: &Opened) -> Vec<String> {
    audit::explain(&opened.skeleton, opened.private.as_ref(), &opened.bundle, &opened.catalogue)
}

/// The whole record.
pub fn record(opened: &Opened, outcomes: &OutcomesSeen) -> Value {
    let skeleton = &opened.skeleton;
    let currency = skeleton.terms.currency;
    let contacts = opened.private.as_ref().map(|private| &private.contacts);
    let candidates: Vec<Value> = skeleton
        .candidates
        .iter()
        .enumerate()
        .map(|(position, row)| {
            let named = opened.catalogue.at(row.candidate as usize);
            let excluded: Vec<Value> = audit::exclusions(row, position, skeleton, contacts, &opened.bundle)
                .into_iter()
                .map(|told| {
                    json!({
                        "rule": told.rule, "why": told.why, "observed": told.observed, "limit": told.limit,
                        "sentence": told.sentence,
                    })
                })
                .collect();
            json!({
                "offer_id": named.map(|(offer, _)| &offer.offer_id),
                "variant_id": named.map(|(_, variant)| &variant.variant_id),
                "margin": Money { minor: row.margin_minor, currency },
                "cost_of_showing": Money { minor: row.cost_minor, currency },
                "eligible": row.failed.is_empty(),
                "mean": row.scored.map(|scored| scored.mean),
                "deviation": row.scored.map(|scored| scored.deviation),
                "probability": row.scored.map(|scored| scored.probability),
                "excluded_by": excluded,
            })
        })
        .collect();
    json!({
        "decision_id": skeleton.decision_id,
        "id_minted": skeleton.id_minted,
        "tenant": skeleton.tenant,
        "placement": skeleton.placement,
        "purpose": skeleton.purpose,
        "refused_purpose": skeleton.refused.as_ref().map(|refused| &refused.purpose),
        "at": skeleton.at,
        "request_digest": skeleton.request_digest,
        "attempt": skeleton.attempt,
        "versions": {
            "bundle": format!("b3:{}", skeleton.bundle.hex()),
            "catalogue": skeleton.catalogue_revision,
            "control": skeleton.control_sequence,
            "model": skeleton.model,
            "engine": skeleton.build,
            "distribution_rule": skeleton.distribution_rule,
            "encoding": skeleton.encoding,
        },
        "fallback": skeleton.fallback,
        "shown": {"offer_id": skeleton.shown.offer, "variant_id": skeleton.shown.variant},
        "propensity": skeleton.draw.map(|draw| draw.propensity),
        "draw": skeleton.draw.map(|draw| json!({"key_period": draw.key_period, "u": draw.u})),
        "exploration": skeleton.exploration,
        "reserved_until": skeleton.reserved_until,
        "candidates": candidates,
        "private": opened.private.as_ref().map(private),
        "leaf": opened.stored.record.leaf,
        "record_bytes": opened.stored.record.skeleton.len() + opened.stored.record.private.len(),
        "explanation": sentences(opened),
        "outcomes": {
            "count": outcomes.count,
            "late": outcomes.earned.late,
            "accepted": outcomes.earned.accepted,
            "reward": Money { minor: outcomes.earned.reward_minor, currency },
        },
    })
}

fn private(private: &Private) -> Value {
    let used: serde_json::Map<String, Value> =
        private.context.used.iter().map(|(id, value)| (id.as_str().to_owned(), json!(value))).collect();
    let withheld: Vec<Value> =
        private.context.withheld.iter().map(|(id, reason)| json!({"attribute": id, "reason": reason})).collect();
    let caps: Vec<Value> = private
        .contacts
        .readings
        .iter()
        .map(|r| json!({"candidate": r.candidate, "rule": r.rule, "used": r.used, "limit": r.limit}))
        .collect();
    json!({
        "subject": private.subject.read.map(|read| {
            json!({"kind": read.kind, "subject": read.subject, "version": read.version})
        }),
        "attributes": used,
        "withheld": withheld,
        "jurisdiction": private.context.jurisdiction,
        "hour": private.context.hour,
        "consents": private.consent.readings.iter().map(consent).collect::<Vec<_>>(),
        "caps": caps,
    })
}

fn consent(reading: &ConsentReading) -> Value {
    json!({
        "purpose": reading.purpose,
        "state": reading.state,
        "basis": reading.basis,
        "valid_from": reading.valid_from,
        "valid_until": reading.valid_until,
    })
}
