//! `GET /v1/decisions/{id}/replay`: a decision made again. Nothing is decided here.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::App;
use super::problem::Problem;
use crate::audit::replay;
use crate::domain::DecisionId;

/// `GET /v1/decisions/{id}/replay`.
pub async fn replay(app: App, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = DecisionId::parse(&id).map_err(|error| Problem::invalid_id(error.to_string()))?;
    let verdict = app.replay(id).await?;
    let verdict = verdict.ok_or_else(|| Problem::not_found(format!("no decision `{id}` is stored")))?;
    let mut answer = json!(verdict);
    answer["decision_id"] = json!(id);
    answer["explanation"] = json!(replay::told(&verdict).join("\n"));
    Ok(HttpResponse::Ok().json(answer))
}
