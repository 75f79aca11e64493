//! `POST /v1/offers:import`: offers as JSON, all mistakes at once. Judges no margin.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::problem::{At, Problem};
use super::{App, auth, body};
use crate::domain::Offer;

const OFFERS_MAX: usize = 10_000;

/// `POST /v1/offers:import`.
pub async fn import(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload, app.settings.import_bytes_max).await?;
    let parsed: Value = body::parse(&bytes)?;
    let Value::Array(items) = parsed else {
        return Err(Problem::malformed("an import is a JSON array of offers"));
    };
    let mut errors = Vec::new();
    if items.is_empty() || items.len() > OFFERS_MAX {
        let message = format!("{} offers were sent: expected 1 to {OFFERS_MAX}", items.len());
        errors.push(At { pointer: String::new(), message });
    }
    let mut offers = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        match body::parse_value_at::<Offer>(item) {
            Ok(offer) => offers.push((at, offer)),
            Err((pointer, message)) => errors.push(At { pointer: format!("/{at}{pointer}"), message }),
        }
    }
    if !errors.is_empty() {
        // What could be read is checked too, so that a second attempt does not meet the next mistake.
        let more = app.check_offers(&offers).into_iter();
        errors.extend(more.map(|problem| At { pointer: problem.pointer, message: problem.message }));
        return Err(Problem::invalid(errors));
    }
    let count = offers.len();
    let offers = offers.into_iter().map(|(_, offer)| offer).collect();
    match app.import_offers(offers, &auth::caller(&request)).await? {
        Ok(control) => {
            let mut answer = json!({"offers": count, "catalogue": control.catalogue_revision});
            let warnings = app.missing_fallbacks();
            if !warnings.is_empty() {
                answer["warnings"] = json!(warnings);
            }
            Ok(HttpResponse::Ok().json(answer))
        }
        Err(problems) => Err(problems.into()),
    }
}
