//! `/healthz`, `/readyz`, `/metrics` and `/openapi.json`: what machines ask of the service itself.

use std::sync::OnceLock;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::problem::Problem;
use super::{App, openapi};
use crate::telemetry::metrics::{OPEN_METRICS, PLAIN};

/// The process lives.
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// The store answers, and decisions are made under the active bundle.
pub(super) async fn ready(app: App) -> Result<HttpResponse, Problem> {
    app.store.now().await.map_err(|error| Problem::store_away(error.to_string()))?;
    if let Some(refused) = app.refused() {
        let (bundle, why) = (refused.hash.hex(), refused.why);
        let detail =
            format!("the active bundle b3:{bundle} cannot be taken over, so that nothing is decided here: {why}");
        return Err(Problem::unavailable(detail));
    }
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}

/// What this process counts of itself.
pub(super) async fn metrics(app: App, request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = if accept.contains("application/openmetrics-text") { OPEN_METRICS } else { PLAIN };
    HttpResponse::Ok().content_type(media_type).body(app.print_metrics().await)
}

/// What there is to be asked, for machines. The same for everybody, so it is printed once.
pub(super) async fn openapi() -> HttpResponse {
    static PRINTED: OnceLock<String> = OnceLock::new();
    let printed = PRINTED.get_or_init(openapi::print);
    HttpResponse::Ok().content_type("application/json").body(printed.as_str())
}
