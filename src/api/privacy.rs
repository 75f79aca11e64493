//! `GET` and `DELETE /v1/customers/{id}`, and legal holds: what is held about a customer, and that it is erased. Judges
//! no claim to either.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::customers::customer;
use super::problem::{At, Problem};
use super::{App, auth, body, render};
use crate::domain::{Money, SubjectRef};
use crate::runtime::{Accessed, Erasure};
use crate::store::{ErasureRow, KeptOutcome, LegalHold};

/// The longest reason, in bytes.
const WHY_BYTES_MAX: usize = 500;

fn unknown(customer: &SubjectRef) -> Problem {
    Problem::not_found(format!("no customer `{}` is known", customer.outside_id))
}

fn hold(hold: &LegalHold) -> Value {
    json!({"why": hold.why, "since": hold.at, "by": hold.by})
}

fn outcome(kept: &KeptOutcome) -> Value {
    let (row, fact) = (&kept.row, &kept.row.fact);
    let money = |minor: Option<i64>| minor.zip(row.currency).map(|(minor, currency)| Money { minor, currency });
    json!({
        "source": row.source, "type": fact.kind.name(), "occurred_at": fact.occurred_at, "received_at": row.received_at,
        "decision_id": row.decision_id, "revenue": money(fact.revenue_minor), "margin": money(fact.margin_minor),
    })
}

fn shown(customer: &SubjectRef, accessed: &Accessed) -> Value {
    let names = accessed.names.iter().map(|name| json!({"kind": name.kind, "id": name.outside_id}));
    let consents = accessed.consents.iter().map(|kept| {
        let mut record = json!(kept.record);
        record["taken_in_at"] = json!(kept.at);
        record
    });
    let attributes = accessed
        .attributes
        .iter()
        .map(|kept| json!({"name": kept.name, "value": kept.value, "at": kept.at, "valid_until": kept.until}));
    let decisions = accessed.decisions.iter().map(|(opened, outcomes)| render::record(opened, outcomes));
    json!({
        "customer_id": customer.outside_id,
        "known_as": names.collect::<Vec<_>>(),
        "legal_hold": accessed.hold.as_ref().map(hold),
        "consents": consents.collect::<Vec<_>>(),
        "attributes": attributes.collect::<Vec<_>>(),
        "decisions": decisions.collect::<Vec<_>>(),
        "outcomes": accessed.outcomes.iter().map(outcome).collect::<Vec<_>>(),
    })
}

/// `GET /v1/customers/{id}`.
pub async fn access(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let customer = customer(&id)?;
    let accessed = app.access_customer(&customer, &auth::caller(&request)).await?;
    let accessed = accessed.ok_or_else(|| unknown(&customer))?;
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.starts_with("text/plain")) {
        let text = accessed.sentences().join("\n") + "\n";
        return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text));
    }
    Ok(HttpResponse::Ok().json(shown(&customer, &accessed)))
}

/// `DELETE /v1/customers/{id}`.
pub async fn erase(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let customer = customer(&id)?;
    match app.erase_customer(&customer, &auth::caller(&request)).await? {
        Erasure::Unknown => Err(unknown(&customer)),
        Erasure::Held(hold) => Err(Problem::conflict(format!(
            "customer `{}` is under a legal hold since {} ({}): end that first, with `POST /v1/customers/{}:unhold`",
            customer.outside_id, hold.at, hold.why, customer.outside_id
        ))),
        Erasure::Made(row) => Ok(erased(&customer, &row)),
    }
}

fn erased(customer: &SubjectRef, row: &ErasureRow) -> HttpResponse {
    let status = if row.done.is_some() { "erased" } else { "erasing" };
    let answer = json!({
        "customer_id": customer.outside_id,
        "erasure": row.erasure,
        "status": status,
        "asked_at": row.at,
        "done_at": row.done.map(|done| done.at),
        "decisions": row.done.map(|done| done.decisions),
        "learning_events": row.done.map(|done| done.learning_events),
        "outcomes": row.done.map(|done| done.outcomes),
    });
    if row.done.is_some() { HttpResponse::Ok().json(answer) } else { HttpResponse::Accepted().json(answer) }
}

/// Why a customer is under a legal hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with the reason `why`")]
#[schema(as = HoldRequest)]
pub(super) struct HoldWire {
    /// For those who ask later.
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

/// `POST /v1/customers/{id}:hold`.
pub async fn hold_customer(
    app: App,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let customer = customer(&id)?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let wire: HoldWire = body::parse(&bytes)?;
    let why = wire.why.trim();
    if why.is_empty() || why.len() > WHY_BYTES_MAX {
        let message = format!("a reason has 1 to {WHY_BYTES_MAX} bytes; this one has {}", why.len());
        return Err(Problem::invalid(vec![At::new("/why", message)]));
    }
    let held = app.hold_customer(&customer, why, &auth::caller(&request)).await?;
    let changed = held.ok_or_else(|| unknown(&customer))?;
    let answer = json!({"customer_id": customer.outside_id, "status": "held", "changed": changed});
    Ok(HttpResponse::Ok().json(answer))
}

/// `POST /v1/customers/{id}:unhold`.
pub async fn end_hold(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let customer = customer(&id)?;
    let ended = app.end_hold(&customer, &auth::caller(&request)).await?;
    let changed = ended.ok_or_else(|| unknown(&customer))?;
    let answer = json!({"customer_id": customer.outside_id, "status": "not_held", "changed": changed});
    Ok(HttpResponse::Ok().json(answer))
}
