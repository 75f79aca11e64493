//! `/v1/switches`: kill switches and overrides beside bundles, in force at once. Judges none itself.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::problem::{At, Problem};
use super::query::Query;
use super::{App, auth, body};
use crate::domain::{Malformed, Timestamp};
use crate::policy::SwitchSpec;
use crate::runtime::{SwitchKept, SwitchRefused, SwitchState};

/// Switches of a page: unless asked, and at most.
const PAGE: (u32, u64) = (100, 1_000);

/// The longest reason, in bytes.
const WHY_BYTES_MAX: usize = 500;

/// A switch as answers show it.
pub fn shown(kept: &SwitchKept, now: Timestamp) -> Value {
    let SwitchKept { row, spec, .. } = kept;
    json!({
        "switch": spec,
        "rule": spec.rule_id(),
        "state": kept.state(now).name(),
        "until": row.until,
        "set": {"at": row.at, "by": row.by, "revision": row.revision},
        "ended": row.ended.as_ref().map(|ended| {
            json!({"at": ended.at, "by": ended.by, "why": ended.why, "revision": ended.revision})
        }),
    })
}

fn changed(kept: &SwitchKept, now: Timestamp) -> Value {
    let mut answer = shown(kept, now);
    answer["changed"] = json!(kept.changed);
    answer
}

/// `GET /v1/switches`.
pub(super) async fn list(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["cursor", "limit", "state"]);
    let cursor = query.number("cursor", 1, u64::MAX);
    let limit = query.number("limit", 1, PAGE.1).and_then(|limit| u32::try_from(limit).ok()).unwrap_or(PAGE.0);
    let wanted = query.choice("state", &SwitchState::ALL);
    query.done()?;
    let now = app.clock.now();
    let (mut found, mut next, mut before) = (Vec::new(), None, cursor);
    loop {
        let page = app.switches().list(before, PAGE.0).await?;
        let last = page.len() < PAGE.0 as usize;
        before = page.last().map(|kept| kept.row.revision);
        for kept in page {
            if wanted.is_some_and(|wanted| kept.state(now) != wanted) {
                continue;
            }
            if found.len() >= limit as usize {
                next = found.last().map(|kept: &SwitchKept| kept.row.revision);
                break;
            }
            found.push(kept);
        }
        if last || next.is_some() {
            break;
        }
    }
    let revision = app.store.control().await.map_err(crate::runtime::RuntimeError::from)?.switch_revision;
    let switches: Vec<Value> = found.iter().map(|kept| shown(kept, now)).collect();
    Ok(HttpResponse::Ok().json(json!({"revision": revision, "at": now, "switches": switches, "next_cursor": next})))
}

/// `POST /v1/switches`.
pub(super) async fn set(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let spec: SwitchSpec = body::parse(&bytes)?;
    let set = app.set_switch(spec, &auth::caller(&request)).await?;
    let (kept, warnings) = set.map_err(|refused| match refused {
        SwitchRefused::Mistakes(mistakes) => Problem::invalid(mistakes.into_iter().map(At::from).collect()),
        SwitchRefused::Conflict(detail) => Problem::conflict(detail),
    })?;
    let mut answer = changed(&kept, app.clock.now());
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// `DELETE /v1/switches/{id}`.
pub(super) async fn end(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["why"]);
    let why = query.parsed("why", |text| {
        let fits = !text.trim().is_empty() && text.len() <= WHY_BYTES_MAX;
        let wrong = || Malformed(format!("a reason has 1 to {WHY_BYTES_MAX} bytes"));
        fits.then(|| text.trim().to_owned()).ok_or_else(wrong)
    });
    query.done()?;
    let Some(why) = why else {
        let message = "say why it is ended, such as `?why=the%20recall%20is%20over`: it is kept with the switch";
        return Err(Problem::invalid(vec![At::new("?why", message)]));
    };
    let ended = app.end_switch(&id, &why, &auth::caller(&request)).await?;
    let ended = ended.ok_or_else(|| {
        Problem::not_found(format!("no switch `{id}` was ever set; `GET /v1/switches` lists those that were"))
    })?;
    Ok(HttpResponse::Ok().json(changed(&ended, app.clock.now())))
}
