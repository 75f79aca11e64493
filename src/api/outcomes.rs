//! `POST /v1/outcomes`: signed webhooks, one event or an array; and what became of an event. Computes no reward.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::openapi::shapes;
use super::problem::{At, Checks, Problem};
use super::{App, auth, body};
use crate::domain::outcome::{EVERY_SLOT, Outcome, OutcomeKind};
use crate::domain::{DecisionId, Money, OfferId, Timestamp};
use crate::runtime::{Intake, OutcomeStatus, Unmatched};

/// Something that a customer did.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an event as a JSON object")]
#[schema(as = Outcome)]
pub(super) struct OutcomeWire {
    /// The source's own name for it, unique within the source for ever.
    #[schema(min_length = 1, max_length = 256)]
    event_id: String,
    /// Who tells: the source that signed it.
    #[schema(min_length = 1, max_length = 128)]
    source: String,
    /// `order`, `refund`, `impression`, `click`, `reject` (the customer dismissed it) or `return`.
    #[serde(rename = "type")]
    #[schema(pattern = "^(order|refund|impression|click|reject|return)$")]
    kind: String,
    /// When it happened.
    #[schema(value_type = shapes::Instant)]
    occurred_at: Timestamp,
    /// The decision it follows. Without it, it is matched by customer and offer.
    #[schema(format = Uuid)]
    decision_id: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    customer_id: Option<String>,
    /// The offer that it is about; needed where the decision has several slots, except for an impression of them all.
    offer_id: Option<String>,
    /// The coupon that was redeemed.
    #[schema(min_length = 1, max_length = 128)]
    coupon: Option<String>,
    /// The event it corrects: a refund names its order's event id.
    #[schema(min_length = 1, max_length = 256)]
    refers_to: Option<String>,
    /// What was paid, or paid back; never negative.
    #[schema(value_type = Option<shapes::Money>)]
    revenue: Option<Money>,
    /// Its contribution margin, where the shop knows better than the catalogue.
    #[schema(value_type = Option<shapes::Money>)]
    margin: Option<Money>,
}

/// An event may lie this far in the future: clocks differ, but not by more.
const FUTURE_MS_MAX: i64 = 300_000;
const EVENT_ID_BYTES_MAX: usize = 256;
const OUTSIDE_ID_BYTES_MAX: usize = 128;
/// A body may always be this large, so that a full array of events fits.
const BODY_BYTES_MIN: usize = 1024 * 1024;

fn kind(checks: &mut Checks, text: &str) -> Option<OutcomeKind> {
    match text {
        "unsubscribe" => checks.add(
            "/type",
            "type `unsubscribe` is not taken in: withdraw the consent with `PUT /v1/customers/{id}/consents`, which \
             the very next decision honours",
        ),
        other => {
            let known = OutcomeKind::ALL.iter().find(|kind| kind.name() == other);
            if known.is_none() {
                let names: Vec<String> = OutcomeKind::ALL.iter().map(|kind| format!("`{}`", kind.name())).collect();
                let expected = names.join(", ");
                checks.add("/type", format!("type `{other}` is not known: expected one of {expected}"));
            }
            return known.copied();
        }
    }
    None
}

/// Only what is bought or sent back has amounts.
fn has_amounts(kind: OutcomeKind) -> bool {
    matches!(kind, OutcomeKind::Order | OutcomeKind::Refund | OutcomeKind::Return)
}

impl OutcomeWire {
    /// The outcome, or everything that is wrong with it.
    fn parse(self, signed_by: Option<&str>, now: Timestamp) -> Result<Outcome, Vec<At>> {
        let mut checks = Checks::default();
        if let Some(source) = signed_by
            && source != self.source
        {
            let message = format!("source `{}` did not sign this: the signature is of `{source}`", self.source);
            checks.add("/source", message);
        }
        checks.text("/source", "a source", Some(&self.source), OUTSIDE_ID_BYTES_MAX);
        checks.text("/event_id", "an event id", Some(&self.event_id), EVENT_ID_BYTES_MAX);
        checks.text("/refers_to", "an event id", self.refers_to.as_deref(), EVENT_ID_BYTES_MAX);
        checks.text("/customer_id", "an id", self.customer_id.as_deref(), OUTSIDE_ID_BYTES_MAX);
        checks.text("/coupon", "a coupon", self.coupon.as_deref(), OUTSIDE_ID_BYTES_MAX);
        if self.refers_to.as_ref() == Some(&self.event_id) {
            checks.add("/refers_to", "an event cannot refer to itself: name the order that it corrects");
        }
        let kind = kind(&mut checks, &self.kind);
        if self.occurred_at.0 > now.0.saturating_add(FUTURE_MS_MAX) {
            checks.add("/occurred_at", format!("{} is in the future: it is {now}", self.occurred_at));
        }
        // A margin may be a loss; a revenue is what was paid (or paid back, in a refund), never below zero.
        if let Some(revenue) = self.revenue.filter(|revenue| revenue.minor < 0) {
            let message = format!("revenue `{}` is negative: send money paid back as a `refund`", revenue.amount());
            checks.add("/revenue/amount", message);
        }
        if let (Some(revenue), Some(margin)) = (self.revenue, self.margin)
            && revenue.currency != margin.currency
        {
            let (a, b) = (revenue.currency, margin.currency);
            checks.add("/margin/currency", format!("revenue is in {a} but margin in {b}: use one currency"));
        }
        if let Some(kind) = kind.filter(|kind| !has_amounts(*kind)) {
            let name = kind.name();
            for (given, place) in [(self.revenue.is_some(), "/revenue"), (self.margin.is_some(), "/margin")] {
                if given {
                    checks.add(place, format!("{} has no amounts: send what was bought as an `order`", article(name)));
                }
            }
        }
        let decision_id = self.decision_id.and_then(|text| checks.ok("/decision_id", DecisionId::parse(&text)));
        let offer_id = self.offer_id.and_then(|text| checks.ok("/offer_id", OfferId::new(text)));
        match kind {
            Some(kind) if checks.0.is_empty() => Ok(Outcome {
                event_id: self.event_id,
                source: self.source,
                kind,
                occurred_at: self.occurred_at,
                decision_id,
                customer_id: self.customer_id,
                offer_id,
                coupon: self.coupon,
                refers_to: self.refers_to,
                revenue: self.revenue,
                margin: self.margin,
            }),
            _ => Err(checks.0),
        }
    }
}

fn article(name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// Who sends: the source that signed, or nobody where an API key vouches.
async fn sender(
    app: &App,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<(Option<String>, web::Bytes), Problem> {
    let limit = app.settings.body_bytes_max.max(BODY_BYTES_MIN);
    if auth::is_signed(request) {
        let bytes = body::read(payload, limit).await?;
        return Ok((Some(auth::signed_source(app, request, &bytes)?), bytes));
    }
    Ok((None, body::read(payload, limit).await?))
}

/// `POST /v1/outcomes`.
pub async fn take(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let (signed_by, bytes) = sender(&app, &request, payload).await?;
    let now = app.clock.now();
    let parsed: Value = body::parse(&bytes)?;
    let one = !parsed.is_array();
    let events = match parsed {
        Value::Array(events) => events,
        event => vec![event],
    };
    let mut checks = Checks::default();
    checks.at_most("", "events in one array", events.len(), app.settings.outcomes_max);
    if !checks.0.is_empty() {
        return Err(Problem::invalid(checks.0));
    }
    let (mut event_ids, mut outcomes) = (Vec::new(), Vec::new());
    for (at, event) in events.into_iter().enumerate() {
        event_ids.push(event.get("event_id").cloned().unwrap_or(Value::Null));
        let outcome = body::parse_value_at::<OutcomeWire>(event)
            .map_err(|(pointer, message)| vec![At::new(pointer, message)])
            .and_then(|wire| wire.parse(signed_by.as_deref(), now));
        outcomes.push(outcome.map_err(|errors| if one { errors } else { under(at, errors) }));
    }
    outcomes.iter().filter(|outcome| outcome.is_err()).for_each(|_| app.metrics.outcome("unknown", "rejected"));
    if one && let Some(Err(errors)) = outcomes.first() {
        return Err(Problem::invalid(errors.clone()));
    }
    let good: Vec<Outcome> = outcomes.iter().filter_map(|outcome| outcome.clone().ok()).collect();
    let taken = app.take_outcomes(&good).await?;
    // A single event that is not stored is an error like any other; in an array the rest goes its way.
    if one && let Some(Intake::Rejected { field, why }) = taken.first() {
        return Err(Problem::invalid(vec![At::new((*field).to_owned(), why.clone())]));
    }
    let mut taken = taken.into_iter();
    let mut results = Vec::new();
    for (at, (event_id, outcome)) in event_ids.iter().zip(outcomes).enumerate() {
        results.push(match outcome {
            Err(errors) => rejected(event_id, &errors),
            Ok(_) => match taken.next() {
                Some(Intake::Rejected { field, why }) => {
                    rejected(event_id, &under(at, vec![At::new(field.to_owned(), why)]))
                }
                Some(intake) => stored(event_id, &intake),
                None => stored(event_id, &Intake::Unmatched(Unmatched::Unknown)),
            },
        });
    }
    Ok(HttpResponse::Ok().json(json!({"results": results})))
}

/// The same mistakes with their place in the array.
fn under(at: usize, errors: Vec<At>) -> Vec<At> {
    errors.into_iter().map(|error| At { pointer: format!("/{at}{}", error.pointer), ..error }).collect()
}

fn rejected(event_id: &Value, errors: &[At]) -> Value {
    let reasons: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    json!({"event_id": event_id, "status": "rejected", "reason": reasons.join("; "), "errors": errors})
}

fn stored(event_id: &Value, intake: &Intake) -> Value {
    match intake {
        Intake::Accepted { decision_id, late, after_reservation } => {
            let mut told =
                json!({"event_id": event_id, "status": "accepted", "decision_id": decision_id, "late": late});
            if *after_reservation {
                told["after_reservation"] = Value::Bool(true);
            }
            told
        }
        Intake::Duplicate => json!({"event_id": event_id, "status": "duplicate"}),
        Intake::Erased => json!({"event_id": event_id, "status": "erased"}),
        Intake::Unmatched(why) => json!({"event_id": event_id, "status": "unmatched", "reason": why.why()}),
        Intake::Rejected { why, .. } => json!({"event_id": event_id, "status": "rejected", "reason": why}),
    }
}

/// `GET /v1/outcomes/{source}/{event_id}`: what became of an event.
pub async fn show(app: App, path: web::Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (source, event_id) = path.into_inner();
    let Some(OutcomeStatus { kept, late, learned, unmatched }) = app.outcome_status(&source, &event_id).await? else {
        return Err(Problem::not_found(format!("no event `{event_id}` of source `{source}` was taken in")));
    };
    let fact = &kept.row.fact;
    let mut told = json!({
        "event_id": event_id, "source": source, "type": fact.kind.name(), "occurred_at": fact.occurred_at,
        "received_at": kept.row.received_at, "status": if unmatched.is_some() { "unmatched" } else { "accepted" },
    });
    if let Some(why) = unmatched {
        told["reason"] = Value::from(why.why());
    } else {
        told["decision_id"] = json!(kept.row.decision_id);
        // Slots are told from one, as decisions tell them.
        told["slot"] = if fact.slot == EVERY_SLOT { Value::Null } else { Value::from(fact.slot + 1) };
        told["late"] = Value::Bool(late);
        told["learned"] = Value::Bool(learned);
    }
    Ok(HttpResponse::Ok().json(told))
}
