//! Decisions and records as JSON. A rendering of what is stored; decides and stores nothing.

use serde_json::{Value, json};

use super::money;
use crate::audit;
use crate::domain::decision::{CandidateRow, ConsentReading, Failed, Private, Shown, Skeleton, Slot, SlotPersona};
use crate::domain::{self, AttributeId, Catalogue, Money, OfferId, PoolReading, Prior, VariantId};
use crate::policy::Bundle;
use crate::runtime::{Opened, OutcomesSeen, Tried};

/// The answer to a request: the same whenever it is rendered from the same record.
pub fn answer(skeleton: &Skeleton, bundle: &Bundle, catalogue: &Catalogue) -> Value {
    let offers: Vec<Value> = (1..)
        .zip(&skeleton.shown)
        .map(|(slot, shown): (usize, &Shown)| {
            let offer = catalogue.offer(shown.offer.as_str());
            let variant = offer.and_then(|o| o.variants.iter().find(|v| v.variant_id == shown.variant));
            let price = skeleton.slots.get(slot - 1).and_then(|slot| slot.price.as_ref());
            let content = variant.map(|variant| Value::Object(variant.content.clone()));
            json!({
                "slot": slot,
                "offer_id": shown.offer,
                "variant_id": shown.variant,
                "content": content.unwrap_or(Value::Null),
                "propensity": skeleton.slots.get(slot - 1).map(|slot| slot.draw.propensity),
                "price_personalised": price.is_some_and(|price| price.personalised),
                "disclosure": price.and_then(|price| bundle.disclosure(price.rule?)),
            })
        })
        .collect();
    json!({
        "decision_id": skeleton.decision_id,
        "placement": skeleton.placement,
        "offers": offers,
        "nothing": skeleton.shows_nothing(),
        "fallback": skeleton.fallback.is_some(),
        "degraded": false,
        "holdout": skeleton.fallback == Some(domain::decision::FallbackReason::Holdout),
        "reserved_until": skeleton.reserved_until,
        "explanation": audit::summary(skeleton),
        "versions": {
            "bundle": format!("b3:{}", skeleton.bundle.hex()),
            "catalogue": skeleton.catalogue_revision,
            "switches": skeleton.switches,
            "model_sequence": skeleton.model.sequence,
        },
    })
}

/// The decision in sentences.
pub fn sentences(opened: &Opened) -> Vec<String> {
    audit::explain(&opened.skeleton, opened.private.as_ref(), &opened.bundle, &opened.catalogue)
}

/// What a dry run would answer, with its distribution and every reason. Nothing of it is stored. What is personal in it
/// (consents, attributes, counts) is told only to those who may read records.
pub fn tried(tried: &Tried, personal: bool) -> Value {
    let skeleton = &tried.decision.skeleton;
    let private = personal.then_some(&tried.decision.private);
    let mut answer = answer(skeleton, &tried.snapshot.bundle, &tried.snapshot.catalogue);
    if let Some(fields) = answer.as_object_mut() {
        let (bundle, catalogue) = (&tried.snapshot.bundle, &tried.snapshot.catalogue);
        fields.insert("dry_run".into(), json!(true));
        // Nothing is reserved.
        fields.insert("reserved_until".into(), Value::Null);
        fields.insert("candidates".into(), json!(candidates(skeleton, private, bundle, catalogue)));
        fields.insert("slots".into(), json!(slots(skeleton, private, bundle, catalogue)));
        fields.insert("private".into(), json!(private.map(self::private)));
        fields.insert("sentences".into(), json!(audit::explain(skeleton, private, bundle, catalogue)));
    }
    answer
}

pub(super) fn told(told: &audit::Told) -> Value {
    json!({
        "rule": told.rule, "why": told.why, "observed": told.observed, "limit": told.limit, "sentence": told.sentence,
    })
}

/// What a rule said that leaves nothing out, and why it does not: it warns, is on trial, or is lifted (`block`).
pub(super) fn noted(noted: &audit::Told) -> Value {
    let mut shown = told(noted);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("severity".into(), json!(noted.severity.name()));
    }
    shown
}

pub(super) fn named<'a>(row: &CandidateRow, catalogue: &'a Catalogue) -> Option<(&'a OfferId, &'a VariantId)> {
    let (offer, variant) = catalogue.at(row.candidate? as usize)?;
    Some((&offer.offer_id, &variant.variant_id))
}

/// Every candidate with its score and what left it out; *nothing* has no offer. Its probability is that of the first
/// slot.
fn candidates(skeleton: &Skeleton, private: Option<&Private>, bundle: &Bundle, catalogue: &Catalogue) -> Vec<Value> {
    let currency = skeleton.terms.currency;
    let first = skeleton.slots.first();
    let candidate = |(position, row): (usize, &CandidateRow)| {
        let named = named(row, catalogue);
        let said = |failed: &[Failed]| audit::exclusions(failed, (position, 0), skeleton, private, (bundle, catalogue));
        let (excluded, notes) = (said(&row.failed), said(row.noted.as_deref().unwrap_or_default()));
        json!({
            "nothing": row.candidate.is_none(),
            "offer_id": named.map(|(offer, _)| offer),
            "variant_id": named.map(|(_, variant)| variant),
            "margin": Money { minor: row.margin_minor, currency },
            "cost_of_showing": Money { minor: row.cost_minor, currency },
            "learned_margin": row.learned.map(|learned| super::models::digits(learned.margin, currency.exponent())),
            "learned_from_orders": row.learned.map(|learned| learned.orders),
            "eligible": row.failed.is_empty(),
            "mean": row.scored.as_ref().map(|scored| scored.mean),
            "deviation": row.scored.as_ref().map(|scored| scored.deviation),
            "probability": first.and_then(|slot| slot.probabilities.get(position)),
            "discount": row.money.map(|money| Money { minor: money.discount_minor, currency }),
            "paid_by": money::paid_by(skeleton, row),
            "excluded_by": excluded.iter().map(told).collect::<Vec<_>>(),
            "noted": notes.iter().map(noted).collect::<Vec<_>>(),
        })
    };
    skeleton.candidates.iter().enumerate().map(candidate).collect()
}

/// Every slot with its distribution, its draw and what was left out of it; empty for the fallback.
fn slots(skeleton: &Skeleton, private: Option<&Private>, bundle: &Bundle, catalogue: &Catalogue) -> Vec<Value> {
    let slot = |(number, slot): (u16, &Slot)| {
        let open = skeleton.candidates.iter().zip(&slot.probabilities).filter_map(|(row, p)| Some((row, (*p)?)));
        let distribution = open.map(|(row, probability)| {
            let named = named(row, catalogue);
            json!({
                "nothing": row.candidate.is_none(),
                "offer_id": named.map(|(offer, _)| offer),
                "variant_id": named.map(|(_, variant)| variant),
                "probability": probability,
            })
        });
        let left_out = slot.left_out.iter().filter_map(|left| {
            let named = named(skeleton.candidates.get(left.row as usize)?, catalogue);
            let excluded =
                audit::exclusions(&left.failed, (left.row as usize, number), skeleton, private, (bundle, catalogue));
            Some(json!({
                "offer_id": named.map(|(offer, _)| offer),
                "variant_id": named.map(|(_, variant)| variant),
                "excluded_by": excluded.iter().map(told).collect::<Vec<_>>(),
            }))
        });
        let notes = slot.noted.iter().flatten().filter_map(|spoken| {
            let named = named(skeleton.candidates.get(spoken.row as usize)?, catalogue);
            let said = audit::exclusions(
                &spoken.failed,
                (spoken.row as usize, number),
                skeleton,
                private,
                (bundle, catalogue),
            );
            Some(json!({
                "offer_id": named.map(|(offer, _)| offer),
                "variant_id": named.map(|(_, variant)| variant),
                "noted": said.iter().map(noted).collect::<Vec<_>>(),
            }))
        });
        let shown = skeleton.shown.get(usize::from(number));
        json!({
            "slot": number + 1,
            "nothing": shown.is_none(),
            "offer_id": shown.map(|shown| &shown.offer),
            "variant_id": shown.map(|shown| &shown.variant),
            "propensity": slot.draw.propensity,
            "draw": {"key_period": slot.draw.key_period, "u": slot.draw.u},
            "distribution": distribution.collect::<Vec<_>>(),
            "left_out": left_out.collect::<Vec<_>>(),
            "noted": notes.collect::<Vec<_>>(),
            "money": money::slot(skeleton, slot, catalogue),
            "persona": slot.persona.as_ref().map(|persona| self::persona(persona, number, skeleton, catalogue)),
            "price": slot.price.as_ref().map(|price| json!({
                "personalised": price.personalised,
                "attributes": price.attributes,
                "rule": price.rule.and_then(|rule| Some(&bundle.rule(rule)?.id)),
                "disclosure": price.rule.and_then(|rule| bundle.disclosure(rule)),
            })),
        })
    };
    (0..).zip(&skeleton.slots).map(slot).collect()
}

/// Whom a slot is for, with the scores that its distribution is computed from; none where they are those of the
/// candidates.
fn persona(persona: &SlotPersona, number: u16, skeleton: &Skeleton, catalogue: &Catalogue) -> Value {
    let scores = skeleton.scores_apart(number.into()).map(|scores| {
        let scored = skeleton.candidates.iter().zip(scores).filter_map(|(row, scored)| {
            let ((offer, variant), scored) = (named(row, catalogue)?, scored.as_ref()?);
            let (mean, deviation) = (scored.mean, scored.deviation);
            Some(json!({"offer_id": offer, "variant_id": variant, "mean": mean, "deviation": deviation}))
        });
        scored.collect::<Vec<_>>()
    });
    json!({"number": persona.at + 1, "of": persona.of, "scores": scores})
}

/// The whole record.
pub fn record(opened: &Opened, outcomes: &OutcomesSeen) -> Value {
    let skeleton = &opened.skeleton;
    let currency = skeleton.terms.currency;
    let private_part = opened.private.as_ref();
    let shown: Vec<Value> =
        skeleton.shown.iter().map(|s| json!({"offer_id": s.offer, "variant_id": s.variant})).collect();
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
            "switches": skeleton.switches,
            "control": skeleton.control_sequence,
            "model": skeleton.model,
            "engine": skeleton.build,
            "distribution_rule": skeleton.distribution_rule,
            "encoding": skeleton.encoding,
        },
        "fallback": skeleton.fallback,
        "shown": shown,
        "challenger": skeleton.challenger,
        "exploration": skeleton.exploration,
        "prior": skeleton.prior.map(Prior::name),
        "money": money::terms(skeleton),
        "pools": pools(skeleton, &opened.bundle),
        "reserved_until": skeleton.reserved_until,
        "candidates": candidates(skeleton, private_part, &opened.bundle, &opened.catalogue),
        "slots": slots(skeleton, private_part, &opened.bundle, &opened.catalogue),
        "private": private_part.map(private),
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

/// Pools that left something out or were taken from; nothing where there were none.
fn pools(skeleton: &Skeleton, bundle: &Bundle) -> Option<Vec<Value>> {
    let pool = |reading: &PoolReading| {
        let rule = bundle.rule(reading.rule).map(|rule| &rule.id);
        let PoolReading { name, total, gone, taken, since, .. } = reading;
        json!({"rule": rule, "pool": name, "since": since, "total": total, "gone": gone, "taken": taken})
    };
    skeleton.pools.as_ref().map(|pools| pools.iter().map(pool).collect())
}

fn private(private: &Private) -> Value {
    let attributes = |used: &[(AttributeId, domain::Value)]| -> serde_json::Map<String, Value> {
        used.iter().map(|(id, value)| (id.as_str().to_owned(), json!(value))).collect()
    };
    let personas = private.context.personas.as_ref().map(|personas| {
        let seen = personas.iter().map(|seen| json!({"number": seen.at + 1, "attributes": attributes(&seen.used)}));
        seen.collect::<Vec<_>>()
    });
    let withheld: Vec<Value> =
        private.context.withheld.iter().map(|(id, reason)| json!({"attribute": id, "reason": reason})).collect();
    let caps: Vec<Value> = private
        .contacts
        .readings
        .iter()
        .map(|r| {
            let (slot, candidate, rule) = (r.slot + 1, r.candidate, r.rule);
            let (used, limit, until) = (r.used, r.limit, r.until);
            json!({"slot": slot, "candidate": candidate, "rule": rule, "used": used, "limit": limit, "until": until})
        })
        .collect();
    json!({
        "subject": private.subject.read.map(|read| {
            json!({"kind": read.kind, "subject": read.subject, "version": read.version})
        }),
        "attributes": attributes(&private.context.used),
        "personas": personas,
        "guarded": private.context.guarded.as_deref().map(attributes),
        "withheld": withheld,
        "jurisdiction": private.context.jurisdiction,
        "hour": private.context.hour,
        "store": private.context.store,
        "local_time": private.context.local.map(|local| {
            json!({"time": local.to_string(), "weekday": local.weekday_name(), "zone_named": local.zone_named})
        }),
        "consents": private.consent.readings.iter().map(consent).collect::<Vec<_>>(),
        "privacy_signal": private.consent.signal == Some(true),
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
        "channel": reading.channel,
    })
}
