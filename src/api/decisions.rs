//! `POST /v1/decisions` and `GET /v1/decisions/{id}`: JSON in, JSON out. Nothing is decided here.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::openapi::shapes;
use super::problem::{Checks, Problem};
use super::{App, auth, body, render};
use crate::config::Settings;
use crate::decision::check;
use crate::domain::{
    BasketLine, CategoryId, Customer, DecisionId, DecisionRequest, Money, OfferId, Persona, PlacementId, StoreId,
    Timestamp, Value,
};
use crate::engine::Reply;
use crate::policy::Bundle;
use crate::runtime::Role;

/// A request for a decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a request for a decision as a JSON object")]
#[schema(as = DecisionRequest)]
pub(super) struct DecisionWire {
    /// A `UUIDv7` at most 24 hours from now; it names this request, so that it can be sent again. The service makes one
    /// up otherwise.
    #[schema(format = Uuid)]
    decision_id: Option<String>,
    /// Who is asked for; nobody in particular where absent.
    customer: Option<CustomerWire>,
    /// A placement of the active bundle.
    placement: String,
    /// Slots asked for, at most those of the placement; all of them unless given.
    #[schema(minimum = 1)]
    count: Option<u16>,
    /// Such as `DE` or `US-NY`.
    #[schema(min_length = 2, max_length = 16, pattern = "^[A-Z-]+$")]
    jurisdiction: Option<String>,
    /// An IANA name, such as `Europe/Berlin`; UTC where absent.
    time_zone: Option<String>,
    /// Whether the customer's browser sends the signal of Global Privacy Control (`Sec-GPC: 1`). The header itself is
    /// read too, where a single decision is asked for. What it leads to is for the purposes of the bundle to say.
    #[serde(default)]
    privacy_signal: bool,
    /// The store asked in, as rules about stores name it.
    #[schema(min_length = 1, max_length = 64)]
    store: Option<String>,
    /// Declared attributes of this request, by the name behind `context.`.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, shapes::AttributeValue>)]
    context: BTreeMap<String, Value>,
    /// What lies in the basket.
    #[serde(default)]
    #[schema(max_items = 200)]
    basket: Vec<BasketWire>,
    /// Restricts the choice to these offers, as a retrieval stage found them.
    candidates: Option<Vec<String>>,
    /// Tries it out: shows what would be decided, with every reason, and stores, reserves and learns nothing. What is
    /// personal in it is told to keys that may read records too.
    #[serde(default)]
    dry_run: bool,
}

/// Who is asked for, by the ids of the shop. The customer's state counts, else the session's.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a customer as a JSON object")]
#[schema(as = Customer)]
pub(super) struct CustomerWire {
    #[schema(min_length = 1, max_length = 128)]
    id: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    session: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    device: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    household: Option<String>,
    /// Declared attributes, by the name behind `customer.`. They win over those that are kept.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, shapes::AttributeValue>)]
    attributes: BTreeMap<String, Value>,
    /// Tastes that share the account, where it has several: the slots are shared out among them by weight, so that the
    /// answer is a mix of what suits each and not what suits their average.
    #[schema(min_items = 1, max_items = 8)]
    personas: Option<Vec<PersonaWire>>,
}

/// One taste of an account that has several.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a persona as a JSON object")]
#[schema(as = Persona)]
pub(super) struct PersonaWire {
    /// Its part of the slots, against those of the others.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    weight: u32,
    /// Declared attributes, by the name behind `customer.`. For its slots they win over the customer's own.
    #[schema(value_type = BTreeMap<String, shapes::AttributeValue>)]
    attributes: BTreeMap<String, Value>,
}

fn one() -> u32 {
    1
}

/// A line of the basket.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a line of the basket as a JSON object")]
#[schema(as = BasketLine)]
pub(super) struct BasketWire {
    sku: String,
    category: Option<String>,
    #[schema(minimum = 1)]
    quantity: u32,
    /// Price of one.
    #[schema(value_type = Option<shapes::Money>)]
    price: Option<Money>,
    /// What one earns; floors over the basket need it. May be negative.
    #[schema(value_type = Option<shapes::Money>)]
    margin: Option<Money>,
}

/// A decision id may lie this far from now: further away, its time says nothing true.
const ID_AWAY_MS_MAX: i64 = 24 * 3_600_000;
/// Longest outside id, in bytes.
const OUTSIDE_ID_BYTES_MAX: usize = 128;
const BASKET_LINES_MAX: usize = 200;
const PERSONAS_MAX: usize = 8;
const PERSONA_WEIGHT_MAX: u32 = 1_000;

impl DecisionWire {
    /// The request, or everything that is wrong with it: by itself and, where that much could be read, against the
    /// active bundle.
    fn parse(self, settings: &Settings, bundle: &Bundle, now: Timestamp) -> Result<DecisionRequest, Problem> {
        let mut checks = Checks::default();
        let decision_id = self.decision_id.and_then(|text| {
            let id = checks.ok("/decision_id", DecisionId::parse(&text))?;
            if id.unix_ms().abs_diff(now.0) > ID_AWAY_MS_MAX.unsigned_abs() {
                let at = Timestamp(id.unix_ms());
                let message = format!("the time inside `{text}` is {at}: at most 24 hours from now ({now})");
                checks.add("/decision_id", message);
            }
            Some(id)
        });
        let customer = self.customer.unwrap_or_default();
        checks.text("/customer/id", "an id", customer.id.as_deref(), OUTSIDE_ID_BYTES_MAX);
        checks.text("/customer/session", "an id", customer.session.as_deref(), OUTSIDE_ID_BYTES_MAX);
        checks.text("/customer/device", "an id", customer.device.as_deref(), OUTSIDE_ID_BYTES_MAX);
        checks.text("/customer/household", "an id", customer.household.as_deref(), OUTSIDE_ID_BYTES_MAX);
        let attributes_max = settings.attributes_max;
        checks.at_most("/customer/attributes", "attributes", customer.attributes.len(), attributes_max);
        let personas = customer.personas.map(|personas| PersonaWire::parse(personas, attributes_max, &mut checks));
        checks.at_most("/context", "attributes", self.context.len(), attributes_max);
        checks.at_most("/basket", "lines", self.basket.len(), BASKET_LINES_MAX);
        if let Some(text) = &self.jurisdiction {
            let fits = (2..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
            if !fits {
                checks
                    .add("/jurisdiction", format!("`{text}` is not a jurisdiction: expected such as `DE` or `US-NY`"));
            }
        }
        checks.time_zone(self.time_zone.as_deref());
        let mut basket = Vec::new();
        for (at, line) in self.basket.into_iter().enumerate() {
            if line.quantity == 0 {
                checks.add(format!("/basket/{at}/quantity"), "a quantity is at least 1");
            }
            if line.price.is_some_and(|price| price.minor < 0) {
                checks.add(format!("/basket/{at}/price/amount"), "a price is 0.00 or more");
            }
            let category = line
                .category
                .and_then(|category| checks.ok(&format!("/basket/{at}/category"), CategoryId::new(category)));
            let (price, margin) = (line.price, line.margin);
            basket.push(BasketLine { sku: line.sku, category, quantity: line.quantity, price, margin });
        }
        let candidates = self.candidates.map(|named| {
            checks.at_most("/candidates", "candidates", named.len(), settings.candidates_max);
            let mut ids = Vec::new();
            for (at, id) in named.into_iter().enumerate().take(settings.candidates_max) {
                ids.extend(checks.ok(&format!("/candidates/{at}"), OfferId::new(id)));
            }
            ids.sort();
            ids.dedup();
            ids
        });
        let store = self.store.and_then(|text| checks.ok("/store", StoreId::new(text)));
        let Some(placement) = checks.ok("/placement", PlacementId::new(self.placement)) else {
            return Err(Problem::invalid(checks.0));
        };
        let request = DecisionRequest {
            decision_id,
            customer: Customer {
                id: customer.id,
                session: customer.session,
                device: customer.device,
                household: customer.household,
                attributes: customer.attributes,
                personas,
            },
            placement,
            count: self.count,
            jurisdiction: self.jurisdiction,
            time_zone: self.time_zone,
            context: self.context,
            basket,
            candidates,
            store,
            privacy_signal: self.privacy_signal.then_some(true),
        };
        if checks.0.is_empty() {
            return Ok(request);
        }
        // Deciding would find the rest; whoever mends a request wants to see all of it now.
        for problem in check(bundle, &request).err().unwrap_or_default() {
            checks.add(problem.pointer, problem.message);
        }
        Err(Problem::invalid(checks.0))
    }
}

impl PersonaWire {
    fn parse(personas: Vec<Self>, attributes_max: usize, checks: &mut Checks) -> Vec<Persona> {
        if personas.is_empty() {
            checks.add("/customer/personas", "the list is empty: name at least one persona, or leave `personas` out");
        }
        checks.at_most("/customer/personas", "personas", personas.len(), PERSONAS_MAX);
        for (at, persona) in personas.iter().enumerate().take(PERSONAS_MAX) {
            let place = format!("/customer/personas/{at}/attributes");
            checks.at_most(&place, "attributes", persona.attributes.len(), attributes_max);
            if !(1..=PERSONA_WEIGHT_MAX).contains(&persona.weight) {
                let message = format!("`{}` is not a weight: expected 1 to {PERSONA_WEIGHT_MAX}", persona.weight);
                checks.add(format!("/customer/personas/{at}/weight"), message);
            }
        }
        personas.into_iter().map(|Self { weight, attributes }| Persona { weight, attributes }).collect()
    }
}

/// `POST /v1/decisions`.
pub async fn decide(app: App, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let bytes = body::read(payload, app.settings.body_bytes_max).await?;
    let asker = Asker { personal: auth::may(&request, Role::Audit), signal: signals(&request) };
    let answer = answer(&app, &bytes, asker).await?;
    Ok(HttpResponse::Ok().json(answer))
}

/// What is known of whoever sent a body, besides the body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    /// Whether a dry run may tell what is personal.
    pub(super) personal: bool,
    /// Whether the signal of Global Privacy Control came as a header.
    pub(super) signal: bool,
}

/// Whether a request carries `Sec-GPC: 1`; any other value is none.
fn signals(request: &HttpRequest) -> bool {
    request.headers().get("sec-gpc").is_some_and(|value| value.as_bytes().trim_ascii() == b"1")
}

/// Decides what one body asks for.
pub(super) async fn answer(app: &App, bytes: &[u8], asker: Asker) -> Result<serde_json::Value, Problem> {
    let bundle = app.snapshot().bundle.clone();
    let refused = |_: &Problem| app.metrics.decided("", "refused", "");
    let mut wire: DecisionWire = body::parse(bytes).inspect_err(refused)?;
    wire.privacy_signal |= asker.signal;
    let dry_run = wire.dry_run;
    let asked = wire.parse(&app.settings, &bundle, app.clock.now()).inspect_err(refused)?;
    if dry_run {
        let tried = app.try_out(&asked).await?.map_err(Problem::from).inspect_err(refused)?;
        app.metrics.decided(tried.decision.skeleton.placement.as_str(), "dry_run", "");
        return Ok(render::tried(&tried, asker.personal));
    }
    let skeleton = match app.decide(asked).await {
        Reply::Decided(skeleton) => skeleton,
        Reply::Stored(record) => Arc::new(record.skeleton().map_err(crate::runtime::RuntimeError::from)?),
        Reply::Conflict(id) => {
            return Err(Problem::conflict(format!(
                "decision `{id}` was made for another request: send the same body again, or use a new decision id"
            )));
        }
        Reply::Refused(problems) => return Err(problems.into()),
        Reply::Overloaded => return Err(Problem::overloaded()),
        Reply::Unavailable => {
            return Err(Problem::unavailable(
                "the decision may or may not be stored; sending it again with the same decision id is safe",
            ));
        }
    };
    let catalogue = app.catalogue_at(skeleton.catalogue_revision).await?;
    let bundle = app.bundle_at(skeleton.bundle, skeleton.switches).await?;
    Ok(render::answer(&skeleton, &bundle, &catalogue))
}

/// `GET /v1/decisions/{id}`.
pub async fn show(app: App, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = DecisionId::parse(&id).map_err(|error| Problem::invalid_id(error.to_string()))?;
    let opened = app.record(id).await?;
    let opened = opened.ok_or_else(|| Problem::not_found(format!("no decision `{id}` is stored")))?;
    let wants_text = request
        .headers()
        .get("accept")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.starts_with("text/plain"));
    if wants_text {
        let told = render::sentences(&opened).join("\n");
        return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(format!("{told}\n")));
    }
    let outcomes = app.outcomes_of(&opened).await?;
    Ok(HttpResponse::Ok().json(render::record(&opened, &outcomes)))
}
