//! `POST /v1/decisions/{id}:recheck` and `:release`: just before sending, and instead of it. Nothing is decided here.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::problem::{Checks, Problem};
use super::{App, auth, body, render};
use crate::audit;
use crate::decision::Rechecked;
use crate::domain::DecisionId;
use crate::domain::decision::{CandidateRow, Failed, Private, Skeleton};
use crate::domain::outcome::OutcomeKind;
use crate::runtime::{Recheck, Release, Role, Unchecked};

/// What is said again of the request of a decision; an empty body says nothing.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object, which may hold `time_zone`")]
#[schema(as = RecheckRequest)]
pub(super) struct RecheckWire {
    /// An IANA name, such as `Europe/Berlin`, as in the request that was decided: rules are asked about the place that
    /// is named now. UTC where absent.
    time_zone: Option<String>,
}

fn decision(id: &str) -> Result<DecisionId, Problem> {
    DecisionId::parse(id).map_err(|error| Problem::invalid_id(error.to_string()))
}

fn unknown(id: DecisionId) -> Problem {
    Problem::not_found(format!("no decision `{id}` is stored"))
}

/// `POST /v1/decisions/{id}:recheck`.
pub async fn recheck(
    app: App,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let id = decision(&id)?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let empty = bytes.trim_ascii().is_empty();
    let wire: RecheckWire = if empty { RecheckWire::default() } else { body::parse(&bytes)? };
    let mut checks = Checks::default();
    checks.time_zone(wire.time_zone.as_deref());
    if !checks.0.is_empty() {
        return Err(Problem::invalid(checks.0));
    }
    let checked = app.recheck(id, wire.time_zone.as_deref()).await?.ok_or_else(|| unknown(id))?;
    let checked = checked.map_err(|why| {
        Problem::conflict(match why {
            Unchecked::KeyGone => {
                format!("what decision `{id}` knew of its customer can no longer be read: do not send it")
            }
            Unchecked::PlacementGone => {
                format!("the active bundle no longer has the placement of decision `{id}`: do not send it")
            }
        })
    })?;
    Ok(HttpResponse::Ok().json(told(&checked, auth::may(&request, Role::Audit))))
}

/// The answer; what is personal only where it may be told.
fn told(checked: &Recheck, personal: bool) -> Value {
    let (skeleton, bundle) = (&checked.opened.skeleton, &checked.snapshot.bundle);
    // What rules compare is as it is now: the candidates are those of now, one for each slot.
    let mut now = Skeleton { at: checked.at, ..skeleton.clone() };
    let row = |found: &Rechecked| found.row.clone().unwrap_or_else(absent);
    now.candidates = checked.slots.iter().map(row).collect();
    let both = (bundle.as_ref(), checked.snapshot.catalogue.as_ref());
    let slots = skeleton.chosen().zip(&checked.slots).map(|((number, shown, _), found)| {
        let mut private: Option<Private> = checked.opened.private.clone().filter(|_| personal);
        if let Some(private) = &mut private {
            private.contacts.readings.clone_from(&found.readings);
        }
        let said = |failed: &[Failed]| audit::exclusions(failed, (number.into(), number), &now, private.as_ref(), both);
        json!({
            "slot": number + 1,
            "offer_id": shown.offer,
            "variant_id": shown.variant,
            "allowed": found.allowed(),
            "candidate": found.row.is_some(),
            "excluded_by": said(&found.failed).iter().map(render::told).collect::<Vec<_>>(),
            "noted": said(&found.noted).iter().map(render::noted).collect::<Vec<_>>(),
        })
    });
    json!({
        "decision_id": skeleton.decision_id,
        "placement": skeleton.placement,
        "checked_at": checked.at,
        "allowed": checked.slots.iter().all(Rechecked::allowed),
        "slots": slots.collect::<Vec<_>>(),
        "reserved_until": skeleton.reserved_until,
        "bundle": format!("b3:{}", bundle.hash.hex()),
    })
}

/// In the place of what is no candidate any more, of which nothing is said.
fn absent() -> CandidateRow {
    CandidateRow {
        candidate: None,
        margin_minor: 0,
        cost_minor: 0,
        failed: Vec::new(),
        scored: None,
        learned: None,
        money: None,
        noted: None,
    }
}

/// `POST /v1/decisions/{id}:release`.
pub async fn release(app: App, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = decision(&id)?;
    let status = match app.release(id).await?.ok_or_else(|| unknown(id))? {
        Release::Released => "released",
        Release::NothingReserved => "nothing_reserved",
        Release::Followed(kind, at) => {
            return Err(Problem::conflict(format!(
                "decision `{id}` was {} at {at}: what was shown counts, and cannot be given back",
                happened(kind)
            )));
        }
    };
    Ok(HttpResponse::Ok().json(json!({"decision_id": id, "status": status})))
}

/// What an outcome says of what was shown, in words.
fn happened(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Order => "ordered",
        OutcomeKind::Refund => "refunded",
        OutcomeKind::Impression => "seen",
        OutcomeKind::Click => "clicked",
        OutcomeKind::Reject => "dismissed",
        OutcomeKind::Return => "sent back",
        OutcomeKind::Release => "given back",
    }
}
