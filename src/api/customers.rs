//! `PUT` and `GET /v1/customers/{id}/consents`: append-only consent records. Judges no consent.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::openapi::shapes;
use super::problem::{At, Checks, Problem};
use super::{App, auth, body};
use crate::domain::{ConsentRecord, PurposeId, SubjectKind, SubjectRef};
use crate::policy::{check_jurisdiction, did_you_mean};
use crate::runtime::Merge;

/// Consent records to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with the list `consents`")]
#[schema(as = PutConsents)]
pub(super) struct ConsentsWire {
    /// In the order in which they are taken in.
    #[schema(value_type = Vec<shapes::ConsentRecord>, min_items = 1, max_items = 50)]
    consents: Vec<ConsentRecord>,
}

const RECORDS_MAX: usize = 50;

pub(super) fn customer(id: &str) -> Result<SubjectRef, Problem> {
    if id.is_empty() || id.len() > 128 {
        return Err(Problem::invalid_id(format!("a customer id has 1 to 128 bytes; this one has {}", id.len())));
    }
    Ok(SubjectRef { kind: SubjectKind::Customer, outside_id: id.to_owned() })
}

/// `PUT /v1/customers/{id}/consents`.
pub async fn put_consents(app: App, id: web::Path<String>, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let customer = customer(&id)?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let wire: ConsentsWire = body::parse(&bytes)?;
    let bundle = app.snapshot().bundle.clone();
    let mut checks = Checks::default();
    if wire.consents.is_empty() || wire.consents.len() > RECORDS_MAX {
        let message = format!("{} records were sent: expected 1 to {RECORDS_MAX}", wire.consents.len());
        checks.add("/consents", message);
    }
    for (at, record) in wire.consents.iter().enumerate() {
        if !bundle.purposes.contains_key(&record.purpose) {
            let known: Vec<&str> = bundle.purposes.keys().map(PurposeId::as_str).collect();
            let meant = did_you_mean(record.purpose.as_str(), known.iter().copied());
            let known = known.join("`, `");
            let message = format!("unknown purpose `{}`: expected one of `{known}`{meant}", record.purpose);
            checks.add(format!("/consents/{at}/purpose"), message);
        }
        let known: Vec<&str> = bundle.placements.values().map(|placement| placement.channel.as_str()).collect();
        if let Some(channel) = record.channel.as_deref().filter(|channel| !known.contains(channel)) {
            let meant = did_you_mean(channel, known.iter().copied());
            let message = format!("unknown channel `{channel}`: no placement of the active bundle uses it{meant}");
            checks.add(format!("/consents/{at}/channel"), message);
        }
        if let Some(text) = record.jurisdiction.as_deref() {
            checks.ok(&format!("/consents/{at}/jurisdiction"), check_jurisdiction(text));
        }
        let from = record.valid_from.unwrap_or(app.clock.now());
        if record.valid_until.is_some_and(|until| until <= from) {
            let message = "valid_until is not after valid_from: such a record would never count";
            checks.add(format!("/consents/{at}/valid_until"), message);
        }
    }
    if !checks.0.is_empty() {
        return Err(Problem::invalid(checks.0));
    }
    app.put_consents(customer.clone(), &wire.consents).await?;
    listed(&app, &customer).await
}

/// Into whom a customer is merged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with the customer id `into`")]
#[schema(as = MergeRequest)]
pub(super) struct MergeWire {
    /// The customer that stays.
    #[schema(min_length = 1, max_length = 128)]
    into: String,
}

/// `POST /v1/customers/{id}:merge`.
pub async fn merge(
    app: App,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let from = customer(&id)?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let wire: MergeWire = body::parse(&bytes)?;
    let into = customer(&wire.into).map_err(|problem| Problem::invalid(vec![At::new("/into", problem.to_string())]))?;
    if from == into {
        let message = format!("customer `{}` cannot be merged into itself", into.outside_id);
        return Err(Problem::invalid(vec![At::new("/into", message)]));
    }
    match app.merge_customers(&from, &into, &auth::caller(&request)).await? {
        Merge::Merged => Ok(HttpResponse::Ok().json(json!({
            "customer_id": from.outside_id, "into": into.outside_id, "status": "merged",
        }))),
        Merge::Unknown(id) => Err(Problem::not_found(format!("no customer `{id}` is known"))),
        Merge::Circle => Err(Problem::conflict(format!(
            "customer `{}` was merged into `{}` before: they are one already, known as the second",
            into.outside_id, from.outside_id
        ))),
        Merge::Elsewhere(other) => Err(Problem::conflict(format!(
            "customer `{}` was merged into `{other}` before: merge that one",
            from.outside_id
        ))),
    }
}

/// `GET /v1/customers/{id}/consents`.
pub async fn get_consents(app: App, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    listed(&app, &customer(&id)?).await
}

async fn listed(app: &App, customer: &SubjectRef) -> Result<HttpResponse, Problem> {
    let kept = app.consents(customer).await?;
    let kept = kept.ok_or_else(|| Problem::not_found(format!("no customer `{}` is known", customer.outside_id)))?;
    let consents: Vec<Value> = kept
        .iter()
        .map(|kept| {
            let mut value = json!(kept.record);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("taken_in_at".into(), json!(kept.at));
            }
            value
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"customer_id": customer.outside_id, "consents": consents})))
}
