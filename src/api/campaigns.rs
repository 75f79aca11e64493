//! Campaigns: listed, shown, put, paused. Holds no offer: offers name their campaign.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::catalogue::{PAGE, result, tagged};
use super::problem::{At, Problem};
use super::query::Query;
use super::standing::{self, Condition};
use super::{App, auth, body};
use crate::domain::{
    Campaign, CampaignId, Catalogue, CatalogueDraft, Hindrance, Money, OfferStatus, Placed, Timestamp,
};
use crate::policy::check_catalogue;
use crate::runtime::CatalogueKept;

fn campaign_id(text: &str) -> Result<CampaignId, Problem> {
    CampaignId::new(text).map_err(|error| Problem::invalid_id(error.to_string()))
}

fn missing(id: &CampaignId) -> Problem {
    Problem::not_found(format!("no campaign `{id}` is in the catalogue; `GET /v1/campaigns` lists those that are"))
}

/// A campaign of a catalogue as answers show it, with how its budget stands by what was counted so far.
fn shown(app: &App, catalogue: &Catalogue, campaign: &Campaign, at: Timestamp) -> Value {
    let spent = app.snapshot().spend.of_campaign(&campaign.campaign_id);
    let offers = catalogue.offers().iter().filter(|offer| offer.campaign.as_ref() == Some(&campaign.campaign_id));
    json!({
        "campaign": campaign, "revision": catalogue.campaign_revision(campaign.campaign_id.as_str()),
        "standing": standing::shown(Some(Hindrance::Offer(campaign.standing(at)))), "offers": offers.count(),
        "spending": campaign.budget.zip(campaign.budget_at(spent, at)).map(|(Money { currency, .. }, budget)| {
            let money = |minor: i64| Money { minor, currency };
            json!({
                "spent": money(budget.spent_minor), "planned": budget.planned_minor.map(money),
                "multiplier": budget.multiplier,
            })
        }),
    })
}

/// `GET /v1/campaigns`.
pub(super) async fn list(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["cursor", "limit", "standing", "at"]);
    let cursor = query.parsed("cursor", |text| CampaignId::new(text));
    let limit = query.number("limit", 1, PAGE.1).unwrap_or(PAGE.0);
    let words = ["running", "paused", "scheduled", "ended"].map(|word| (word, word));
    let wanted = query.choice("standing", &words);
    let at = query.parsed("at", Timestamp::parse).unwrap_or(app.clock.now());
    query.done()?;
    let catalogue = app.snapshot().catalogue.clone();
    let fits = |campaign: &&Campaign| {
        cursor.as_ref().is_none_or(|cursor| campaign.campaign_id > *cursor)
            && wanted.is_none_or(|wanted| standing::word(Some(Hindrance::Offer(campaign.standing(at)))) == wanted)
    };
    let mut found = catalogue.campaigns().values().filter(fits);
    let page: Vec<&Campaign> = found.by_ref().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let next = found.next().and_then(|_| page.last().map(|campaign| campaign.campaign_id.clone()));
    let campaigns: Vec<Value> = page.into_iter().map(|campaign| shown(&app, &catalogue, campaign, at)).collect();
    Ok(HttpResponse::Ok()
        .json(json!({"catalogue": catalogue.revision, "at": at, "campaigns": campaigns, "next_cursor": next})))
}

/// `GET /v1/campaigns/{id}`.
pub(super) async fn show(app: App, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = campaign_id(&id)?;
    let catalogue = app.snapshot().catalogue.clone();
    let campaign = catalogue.campaigns().get(&id).ok_or_else(|| missing(&id))?;
    let answer = shown(&app, &catalogue, campaign, app.clock.now());
    Ok(tagged(HttpResponse::Ok(), catalogue.campaign_revision(id.as_str())).json(answer))
}

/// The answer to a change of one campaign.
fn changed(app: &App, kept: &CatalogueKept, id: &CampaignId) -> Result<HttpResponse, Problem> {
    let catalogue = &kept.catalogue;
    let campaign = catalogue.campaigns().get(id).ok_or_else(|| missing(id))?;
    let mut answer = shown(app, catalogue, campaign, app.clock.now());
    answer["result"] = json!(result(kept));
    answer["catalogue"] = json!(catalogue.revision);
    Ok(tagged(HttpResponse::Ok(), catalogue.campaign_revision(id.as_str())).json(answer))
}

/// `PUT /v1/campaigns/{id}`.
pub(super) async fn put(
    app: App,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let id = campaign_id(&id)?;
    let condition = Condition::of(request.headers())?;
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let campaign: Campaign = body::parse(&bytes)?;
    let mut errors = Vec::new();
    if campaign.campaign_id != id {
        let message = format!("the body is campaign `{}` and the path names `{id}`: use one id", campaign.campaign_id);
        errors.push(At::new("/campaign_id", message));
    }
    let draft = CatalogueDraft { campaigns: vec![Placed::new("", campaign)], ..CatalogueDraft::default() };
    let change = |catalogue: &Catalogue| {
        let there = catalogue.campaigns().get(&id).zip(catalogue.campaign_revision(id.as_str()));
        let there = there.map(|(campaign, revision)| (revision, shown(&app, catalogue, campaign, app.clock.now())));
        condition.check(&format!("campaign `{id}`"), there)?;
        let found = check_catalogue(&draft, &app.snapshot().bundle, catalogue).into_iter().map(At::from);
        let errors: Vec<At> = errors.iter().cloned().chain(found).collect();
        if errors.is_empty() { Ok(draft.clone()) } else { Err(Problem::invalid(errors)) }
    };
    let kept = app.change_catalogue(None, &auth::caller(&request), change).await??;
    changed(&app, &kept, &id)
}

/// `POST /v1/campaigns/{id}/pause`.
pub(super) async fn pause(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    set_status(&app, &request, &id, OfferStatus::Paused).await
}

/// `POST /v1/campaigns/{id}/resume`.
pub(super) async fn resume(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    set_status(&app, &request, &id, OfferStatus::Active).await
}

async fn set_status(app: &App, request: &HttpRequest, id: &str, to: OfferStatus) -> Result<HttpResponse, Problem> {
    let id = campaign_id(id)?;
    let change = |catalogue: &Catalogue| {
        let campaign = catalogue.campaigns().get(&id).ok_or_else(|| missing(&id))?;
        let campaign = Campaign { status: to, ..campaign.clone() };
        Ok::<_, Problem>(CatalogueDraft { campaigns: vec![Placed::new("", campaign)], ..CatalogueDraft::default() })
    };
    let kept = app.change_catalogue(None, &auth::caller(request), change).await??;
    changed(app, &kept, &id)
}
