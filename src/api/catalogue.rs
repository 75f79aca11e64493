//! Offers one by one: listed, shown, put, paused, their stock. Judges no margin.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::problem::{At, Checks, Problem};
use super::query::Query;
use super::standing::{self, Condition};
use super::{App, auth, body};
use crate::domain::{
    CampaignId, Catalogue, CatalogueDraft, CategoryId, Offer, OfferId, OfferStatus, Placed, Timestamp,
};
use crate::policy::check_catalogue;
use crate::runtime::CatalogueKept;

/// Offers or campaigns of one page.
pub(super) const PAGE: (u64, u64) = (100, 1_000);

/// Revisions of one page.
const REVISIONS: (u64, u64) = (20, 100);

const REQUEST_ID_BYTES_MAX: usize = 128;

/// Statuses by their words.
const STATUSES: [(&str, OfferStatus); 2] = [("active", OfferStatus::Active), ("paused", OfferStatus::Paused)];

/// A change of an offer's stock: `set` or `add`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `set` or `add`")]
#[schema(as = ChangeStock)]
pub(super) struct StockWire {
    /// Units there are from now on; `null` for unlimited.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    set: Option<Units>,
    /// Units more, or fewer where negative. Never below 0.
    add: Option<i64>,
    /// The caller's own name for this change of this offer's stock: sent again it changes nothing more.
    #[schema(min_length = 1, max_length = 128)]
    request_id: Option<String>,
}

/// Units there are; nothing where they are not counted.
struct Units(Option<u32>);

/// What is given counts, `null` too.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Units>, D::Error> {
    Option::deserialize(deserializer).map(|units| Some(Units(units)))
}

fn offer_id(text: &str) -> Result<OfferId, Problem> {
    OfferId::new(text).map_err(|error| Problem::invalid_id(error.to_string()))
}

fn missing(id: &OfferId) -> Problem {
    Problem::not_found(format!("no offer `{id}` is in the catalogue; `GET /v1/offers` lists those that are"))
}

/// An offer of a catalogue as answers show it.
fn shown(catalogue: &Catalogue, offer: &Offer, at: Timestamp) -> Value {
    json!({
        "offer": offer, "revision": catalogue.offer_revision(offer.offer_id.as_str()),
        "standing": standing::shown(catalogue.hindrance(offer, at)),
    })
}

/// The header that names a revision.
pub(super) fn tagged(mut answer: HttpResponseBuilder, revision: Option<u64>) -> HttpResponseBuilder {
    if let Some(revision) = revision {
        answer.insert_header((header::ETAG, format!("\"{revision}\"")));
    }
    answer
}

/// `GET /v1/offers`.
pub(super) async fn list(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let known = ["cursor", "limit", "campaign", "category", "status", "standing", "at"];
    let mut query = Query::read(&request, &known);
    let cursor = query.parsed("cursor", |text| OfferId::new(text));
    let limit = query.number("limit", 1, PAGE.1).unwrap_or(PAGE.0);
    let campaign = query.parsed("campaign", |text| CampaignId::new(text));
    let category = query.parsed("category", |text| CategoryId::new(text));
    let status = query.choice("status", &STATUSES);
    let wanted = query.choice("standing", &standing::WORDS.map(|word| (word, word)));
    let at = query.parsed("at", Timestamp::parse).unwrap_or(app.clock.now());
    query.done()?;
    let catalogue = app.snapshot().catalogue.clone();
    let fits = |offer: &&Offer| {
        cursor.as_ref().is_none_or(|cursor| offer.offer_id > *cursor)
            && (campaign.is_none() || offer.campaign == campaign)
            && category.as_ref().is_none_or(|category| offer.categories().any(|one| one == category))
            && status.is_none_or(|status| offer.status == status)
            && wanted.is_none_or(|wanted| standing::word(catalogue.hindrance(offer, at)) == wanted)
    };
    let mut found = catalogue.offers().iter().filter(fits);
    let page: Vec<&Offer> = found.by_ref().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let next = found.next().and_then(|_| page.last().map(|offer| offer.offer_id.clone()));
    let offers: Vec<Value> = page.into_iter().map(|offer| shown(&catalogue, offer, at)).collect();
    Ok(HttpResponse::Ok()
        .json(json!({"catalogue": catalogue.revision, "at": at, "offers": offers, "next_cursor": next})))
}

/// `GET /v1/offers/{id}`.
pub(super) async fn show(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = offer_id(&id)?;
    let mut query = Query::read(&request, &["revision"]);
    let revision = query.number("revision", 0, i64::MAX.unsigned_abs());
    query.done()?;
    let catalogue = app.snapshot().catalogue.clone();
    let Some(revision) = revision else {
        let offer = catalogue.offer(id.as_str()).ok_or_else(|| missing(&id))?;
        let answer = shown(&catalogue, offer, app.clock.now());
        return Ok(tagged(HttpResponse::Ok(), catalogue.offer_revision(id.as_str())).json(answer));
    };
    let as_of = app.offer_revisions(&id, Some(revision.saturating_add(1)), 1).await?.pop();
    let Some((as_of, offer)) = as_of.filter(|_| revision <= catalogue.revision) else {
        return Err(Problem::not_found(format!(
            "the catalogue has no offer `{id}` at revision {revision}; it is at revision {} now",
            catalogue.revision
        )));
    };
    let answer = json!({"offer": offer, "revision": as_of.revision, "standing": null});
    Ok(tagged(HttpResponse::Ok(), Some(as_of.revision)).json(answer))
}

/// `GET /v1/offers/{id}/revisions`.
pub(super) async fn revisions(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = offer_id(&id)?;
    let mut query = Query::read(&request, &["cursor", "limit"]);
    let before = query.number("cursor", 1, i64::MAX.unsigned_abs());
    let limit = query.number("limit", 1, REVISIONS.1).unwrap_or(REVISIONS.0);
    query.done()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = app.offer_revisions(&id, before, u32::try_from(limit + 1).unwrap_or(u32::MAX)).await?;
    if found.is_empty() && before.is_none() {
        return Err(missing(&id));
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(made, _)| made.revision.to_string());
    let revisions: Vec<Value> = found
        .into_iter()
        .map(|(made, offer)| json!({"revision": made.revision, "at": made.at, "by": made.by_key, "offer": offer}))
        .collect();
    Ok(HttpResponse::Ok().json(json!({"offer_id": id, "revisions": revisions, "next_cursor": next})))
}

/// What became of a change, in a word.
pub(super) fn result(kept: &CatalogueKept) -> &'static str {
    match kept {
        CatalogueKept { repeated: true, .. } => "repeated",
        CatalogueKept { tally, .. } if tally.created > 0 => "created",
        CatalogueKept { tally, .. } if tally.changed > 0 => "changed",
        _ => "unchanged",
    }
}

/// The answer to a change of one offer.
fn changed(app: &App, kept: &CatalogueKept, id: &OfferId) -> Result<HttpResponse, Problem> {
    let catalogue = &kept.catalogue;
    let offer = catalogue.offer(id.as_str()).ok_or_else(|| missing(id))?;
    let mut answer = shown(catalogue, offer, app.clock.now());
    answer["result"] = json!(result(kept));
    answer["catalogue"] = json!(catalogue.revision);
    Ok(tagged(HttpResponse::Ok(), catalogue.offer_revision(id.as_str())).json(answer))
}

/// `PUT /v1/offers/{id}`.
pub(super) async fn put(
    app: App,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let id = offer_id(&id)?;
    let condition = Condition::of(request.headers())?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let offer: Offer = body::parse(&bytes)?;
    let mut errors = Vec::new();
    if offer.offer_id != id {
        let message = format!("the body is offer `{}` and the path names `{id}`: use one id", offer.offer_id);
        errors.push(At::new("/offer_id", message));
    }
    let draft = CatalogueDraft { offers: vec![Placed::new("", offer)], ..CatalogueDraft::default() };
    let change = |catalogue: &Catalogue| {
        let there = catalogue.offer(id.as_str()).zip(catalogue.offer_revision(id.as_str()));
        let there = there.map(|(offer, revision)| (revision, shown(catalogue, offer, app.clock.now())));
        condition.check(&format!("offer `{id}`"), there)?;
        let found = check_catalogue(&draft, &app.snapshot().bundle, catalogue).into_iter().map(At::from);
        let errors: Vec<At> = errors.iter().cloned().chain(found).collect();
        if errors.is_empty() { Ok(draft.clone()) } else { Err(Problem::invalid(errors)) }
    };
    let kept = app.change_catalogue(None, &auth::caller(&request), change).await??;
    changed(&app, &kept, &id)
}

/// Changes one offer that is there; `recounted` says whether its stock was, where that is not for the number to say.
async fn edit(
    app: &App,
    by: &HttpRequest,
    id: &OfferId,
    (request_id, recounted): (Option<String>, Option<bool>),
    edit: impl Fn(&mut Offer) -> Result<(), Problem>,
) -> Result<HttpResponse, Problem> {
    let change = |catalogue: &Catalogue| {
        let mut offer = catalogue.offer(id.as_str()).cloned().ok_or_else(|| missing(id))?;
        edit(&mut offer)?;
        let recounted = recounted.map(|yes| if yes { vec![id.clone()] } else { Vec::new() });
        let offers = vec![Placed::new("", offer)];
        Ok::<_, Problem>(CatalogueDraft { recounted, offers, ..CatalogueDraft::default() })
    };
    let kept = app.change_catalogue(request_id, &auth::caller(by), change).await??;
    changed(app, &kept, id)
}

/// `POST /v1/offers/{id}/pause`.
pub(super) async fn pause(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    set_status(&app, &request, &id, OfferStatus::Paused).await
}

/// `POST /v1/offers/{id}/resume`.
pub(super) async fn resume(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    set_status(&app, &request, &id, OfferStatus::Active).await
}

async fn set_status(app: &App, request: &HttpRequest, id: &str, to: OfferStatus) -> Result<HttpResponse, Problem> {
    let id = offer_id(id)?;
    edit(app, request, &id, (None, None), |offer| {
        offer.status = to;
        Ok(())
    })
    .await
}

/// `POST /v1/offers/{id}/stock`.
pub(super) async fn stock(
    app: App,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let id = offer_id(&id)?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let StockWire { set, add, request_id } = body::parse(&bytes)?;
    let mut checks = Checks::default();
    if set.is_some() == add.is_some() {
        checks.add("", "say either `set`, the units there are, or `add`, how many more or fewer");
    }
    checks.text("/request_id", "a request id", request_id.as_deref(), REQUEST_ID_BYTES_MAX);
    if !checks.0.is_empty() {
        return Err(Problem::invalid(checks.0));
    }
    let name = request_id.map(|name| format!("stock/{id}/{name}"));
    // What is set was counted, after all that was sold; what is added came or went otherwise.
    edit(&app, &request, &id, (name, Some(set.is_some())), |offer| {
        offer.stock = match (&set, add, offer.stock) {
            (Some(Units(units)), _, _) => *units,
            (None, Some(more), Some(units)) => {
                let units = i64::from(units).saturating_add(more);
                Some(u32::try_from(units.max(0)).unwrap_or(u32::MAX))
            }
            (None, _, _) => {
                let message = format!("the stock of offer `{id}` is not counted: `set` it once, then `add` to it");
                return Err(Problem::invalid(vec![At::new("/add", message)]));
            }
        };
        Ok(())
    })
    .await
}
