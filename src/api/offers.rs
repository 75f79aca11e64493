//! `POST /v1/offers:import`: offers as JSON, all mistakes at once. Judges no margin.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::{At, Problem};
use super::{App, auth, body};
use crate::domain::{Campaign, CatalogueDraft, Offer, Placed};
use crate::runtime::CatalogueKept;

/// Offers and campaigns of one import at most.
pub(super) const ITEMS_MAX: usize = 10_000;

/// Campaigns and offers together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a list of offers, or an object with `campaigns` and `offers`")]
struct ImportWire {
    #[serde(default)]
    campaigns: Vec<Value>,
    #[serde(default)]
    offers: Vec<Value>,
}

/// What is read of an import.
struct Sent {
    draft: CatalogueDraft,
    errors: Vec<At>,
}

/// Reads offers, or campaigns and offers, from JSON; what cannot be read is told with its place.
fn read_json(bytes: &[u8]) -> Result<Sent, Problem> {
    let (campaigns, offers, below) = match body::parse(bytes)? {
        Value::Array(offers) => (Vec::new(), offers, ""),
        Value::Object(both) if both.contains_key("campaigns") || both.contains_key("offers") => {
            let both: ImportWire = body::parse_value_at(Value::Object(both))
                .map_err(|(pointer, message)| Problem::invalid(vec![At { pointer, message }]))?;
            (both.campaigns, both.offers, "/offers")
        }
        _ => {
            let detail = "an import is a list of offers, or an object with the lists `campaigns` and `offers`";
            return Err(Problem::malformed(detail));
        }
    };
    let mut sent = Sent { draft: CatalogueDraft::default(), errors: Vec::new() };
    let count = campaigns.len() + offers.len();
    if count == 0 || count > ITEMS_MAX {
        let message = format!("{count} offers and campaigns were sent: expected 1 to {ITEMS_MAX}");
        sent.errors.push(At { pointer: String::new(), message });
    }
    for (at, item) in campaigns.into_iter().enumerate() {
        let (at, id) = (format!("/campaigns/{at}"), item.get("campaign_id").and_then(Value::as_str).map(str::to_owned));
        match body::parse_value_at::<Campaign>(item) {
            Ok(campaign) => sent.draft.campaigns.push(Placed::new(at, campaign)),
            Err((pointer, message)) => {
                sent.draft.campaigns_unread.extend(id);
                sent.errors.push(At { pointer: at + &pointer, message });
            }
        }
    }
    for (at, item) in offers.into_iter().enumerate() {
        let at = format!("{below}/{at}");
        match body::parse_value_at::<Offer>(item) {
            Ok(offer) => sent.draft.offers.push(Placed::new(at, offer)),
            Err((pointer, message)) => sent.errors.push(At { pointer: at + &pointer, message }),
        }
    }
    Ok(sent)
}

/// `POST /v1/offers:import`.
pub async fn import(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload, app.settings.import_bytes_max).await?;
    let Sent { draft, mut errors } = read_json(&bytes)?;
    if !errors.is_empty() {
        // What could be read is checked too, so that a second attempt does not meet the next mistake.
        errors.extend(app.check_catalogue(&draft).into_iter().map(At::from));
        return Err(Problem::invalid(errors));
    }
    let kept = app.import_catalogue(&draft, &auth::caller(&request)).await?;
    let CatalogueKept { catalogue, tally, .. } =
        kept.map_err(|problems| Problem::invalid(problems.into_iter().map(At::from).collect()))?;
    let mut answer = json!({
        "catalogue": catalogue.revision, "offers": draft.offers.len(), "campaigns": draft.campaigns.len(),
        "created": tally.created, "changed": tally.changed, "unchanged": tally.unchanged,
    });
    let warnings = app.missing_fallbacks();
    if !warnings.is_empty() {
        answer["warnings"] = json!(warnings);
    }
    Ok(HttpResponse::Ok().json(answer))
}
