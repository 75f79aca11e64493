//! `PUT` and `GET /v1/customers/{id}/attributes`: what the shop wants kept of a customer, each with its time to live.
//! Decides nothing about who may see it.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::customers::customer;
use super::openapi::shapes;
use super::problem::{Checks, Problem};
use super::{App, body};
use crate::domain::known::KNOWN_MAX;
use crate::domain::{AttributeChange, AttributeScope, KnownAttribute, SubjectRef, Timestamp, Value};
use crate::policy::Bundle;

/// Attributes of a customer to be kept. Those that are not named stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with the attributes under `attributes`")]
#[schema(as = PutAttributes)]
pub(super) struct AttributesWire {
    /// By the name behind `customer.`, as declared in `catalog/attributes.yaml`. `null` removes one.
    #[schema(value_type = BTreeMap<String, shapes::GivenAttribute>)]
    attributes: BTreeMap<String, Json>,
}

/// A value with its times.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a value, or an object with `value`, `at` and `valid_until`")]
#[schema(as = TimedAttribute)]
pub(super) struct TimedWire {
    /// What it is; `null` removes it.
    #[schema(value_type = Option<shapes::AttributeValue>)]
    value: Option<Value>,
    /// When that was so; the time of intake unless given. Older news than what is kept change nothing.
    #[schema(value_type = Option<shapes::Instant>)]
    at: Option<Timestamp>,
    /// Until when it holds, where that is sooner than the declared time to live says.
    #[schema(value_type = Option<shapes::Instant>)]
    valid_until: Option<Timestamp>,
}

/// An attribute may be this far in the future: clocks differ, but not by more.
const FUTURE_MS_MAX: i64 = 300_000;

/// What becomes of one attribute; nothing where it cannot be, with a note of why.
fn change(bundle: &Bundle, name: &str, given: Json, now: Timestamp, checks: &mut Checks) -> Option<AttributeChange> {
    let pointer = format!("/attributes/{}", name.replace('~', "~0").replace('/', "~1"));
    let noted = |checks: &mut Checks, (below, message): (String, String)| checks.add(pointer.clone() + &below, message);
    let wire = match given {
        Json::Null => Ok(TimedWire { value: None, at: None, valid_until: None }),
        Json::Object(_) => body::parse_value_at::<TimedWire>(given),
        given => body::parse_value_at::<Value>(given).map(|value| TimedWire {
            value: Some(value),
            at: None,
            valid_until: None,
        }),
    };
    let wire = wire.map_err(|error| noted(checks, error)).ok()?;
    let mistakes = checks.0.len();
    let at = wire.at.unwrap_or(now);
    if at.0 > now.0.saturating_add(FUTURE_MS_MAX) {
        checks.add(format!("{pointer}/at"), format!("{at} is in the future: it is {now}"));
    }
    let Some(value) = wire.value else {
        return Some(AttributeChange { name: name.to_owned(), value: None, at, until: None });
    };
    let one = BTreeMap::from([(name.to_owned(), value.clone())]);
    for (_, message) in bundle.check_attributes(AttributeScope::Customer, &one) {
        checks.add(pointer.clone(), message);
    }
    let spec = bundle.attributes.get(format!("customer.{name}").as_str());
    let lives = spec.and_then(|spec| spec.time_to_live);
    let until = wire.valid_until.into_iter().chain(lives.map(|lives| at.plus(lives))).min();
    if let Some(until) = until.filter(|until| *until <= now) {
        let why = match (lives, wire.valid_until) {
            (Some(lives), sent) if sent.is_none_or(|sent| sent > until) => {
                format!("said at {at}, with a time to live of {lives}, it has expired at {until}")
            }
            _ => format!("it has expired at {until}"),
        };
        checks.add(pointer, format!("{why}: leave it out, or send `null` to remove what is kept"));
    }
    let change = AttributeChange { name: name.to_owned(), value: Some(value), at, until };
    (checks.0.len() == mistakes).then_some(change)
}

/// `PUT /v1/customers/{id}/attributes`.
pub(super) async fn put(app: App, id: web::Path<String>, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let customer = customer(&id)?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let wire: AttributesWire = body::parse(&bytes)?;
    let (bundle, now) = (app.snapshot().bundle.clone(), app.clock.now());
    let mut checks = Checks::default();
    let count = wire.attributes.len();
    if count == 0 || count > KNOWN_MAX {
        checks.add("/attributes", format!("{count} attributes were sent: expected 1 to {KNOWN_MAX}"));
    }
    let mut changes = Vec::new();
    for (name, given) in wire.attributes {
        changes.extend(change(&bundle, &name, given, now, &mut checks));
    }
    if !checks.0.is_empty() {
        return Err(Problem::invalid(checks.0));
    }
    match app.put_attributes(customer.clone(), &changes).await? {
        Ok(kept) => Ok(listed(&app, &customer, &kept)),
        Err(too_much) => {
            checks.add("/attributes", too_much.to_string());
            Err(Problem::invalid(checks.0))
        }
    }
}

/// `GET /v1/customers/{id}/attributes`.
pub(super) async fn get(app: App, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let customer = customer(&id)?;
    let kept = app.attributes(&customer).await?;
    let kept = kept.ok_or_else(|| Problem::not_found(format!("no customer `{}` is known", customer.outside_id)))?;
    Ok(listed(&app, &customer, &kept))
}

fn listed(app: &App, customer: &SubjectRef, kept: &[KnownAttribute]) -> HttpResponse {
    let now = app.clock.now();
    let attributes: serde_json::Map<String, Json> = kept
        .iter()
        .map(|kept| {
            let shown = json!({
                "value": kept.value, "at": kept.at, "valid_until": kept.until, "expired": !kept.holds(now),
            });
            (kept.name.clone(), shown)
        })
        .collect();
    HttpResponse::Ok().json(json!({"customer_id": customer.outside_id, "attributes": attributes}))
}
