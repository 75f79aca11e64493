//! Every route in one table: what is served, who may ask, and where it is described. Handles no request itself.
//!
//! From this table the router is made, callers are let in or turned away, `/openapi.json` is written and the page
//! [`api`](crate::docs::api) is checked.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, Resource, guard, web};

use super::openapi::approvals as asked;
use super::openapi::bundles as law;
use super::openapi::catalogue as shelf;
use super::openapi::log as leaves;
use super::openapi::operations as about;
use super::openapi::operations::About;
use super::openapi::privacy as rights;
use super::openapi::rechecks as sent;
use super::openapi::replays as again;
use super::openapi::reports as told;
use super::openapi::switches as stops;
use super::problem::Problem;
use super::{
    App, approvals, attributes, auth, batch, campaigns, catalogue, customers, decisions, log, models, offers, outcomes,
    page, policies, privacy, probes, rechecks, replays, reports, switches,
};
use crate::config::MetricsAccess;
use crate::runtime::{ApiKey, Role};
use crate::telemetry::Stopwatch;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a key.
    Open,
    /// Keys with one of these roles, and `admin`.
    Roles(&'static [Role]),
    /// Keys that have one of these roles themselves: `admin` is not enough.
    Own(&'static [Role]),
    /// Whoever signed the body as a source of outcomes, and keys with one of these roles.
    Signed(&'static [Role]),
    /// Keys with one of these roles, and everybody where the setting `metrics` says so.
    Scrape(&'static [Role]),
}

impl Access {
    /// The roles whose keys are let in, beside `admin` where that is enough.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Open => &[],
            Self::Roles(roles) | Self::Own(roles) | Self::Signed(roles) | Self::Scrape(roles) => roles,
        }
    }

    /// Whether `admin` is enough.
    pub fn admits_admin(self) -> bool {
        !matches!(self, Self::Own(_))
    }
}

/// One method of one path.
#[derive(Clone, Copy)]
pub struct Route {
    /// `GET` is answered to `HEAD` too.
    pub method: &'static str,
    /// A pattern, with the names of its parts in braces.
    pub path: &'static str,
    /// Who may ask.
    pub access: Access,
    handler: fn() -> actix_web::Route,
    pub(super) about: fn() -> About,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.access)
    }
}

const fn route(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> actix_web::Route,
    about: fn() -> About,
) -> Route {
    Route { method, path, access, handler, about }
}

const CONSENTS: &str = "/v1/customers/{id}/consents";
const OUTCOME: &str = "/v1/outcomes/{source}/{event_id}";
const ATTRIBUTES: &str = "/v1/customers/{id}/attributes";
const OFFER: &str = "/v1/offers/{id}";
const CAMPAIGN: &str = "/v1/campaigns/{id}";
const AUDIT: Access = Access::Roles(&[Role::Audit]);
const CATALOGUE: Access = Access::Roles(&[Role::Catalogue]);
const DECIDE: Access = Access::Roles(&[Role::Decide]);
const EVENTS: Access = Access::Roles(&[Role::Outcomes, Role::Audit]);
const MODELS: Access = Access::Roles(&[Role::Decide, Role::Audit, Role::Operate]);
const OUTCOMES: Access = Access::Signed(&[Role::Outcomes]);
const PRIVACY: Access = Access::Roles(&[Role::Privacy]);
const SHELF: Access = Access::Roles(&[Role::Decide, Role::Catalogue, Role::Audit]);
const REPORTS: Access =
    Access::Roles(&[Role::Catalogue, Role::Author, Role::ApproveBusiness, Role::Operate, Role::Audit]);
const POLICIES: Access =
    Access::Roles(&[Role::Author, Role::ApprovePrivacy, Role::ApproveBusiness, Role::Operate, Role::Audit]);
const AUTHOR: Access = Access::Roles(&[Role::Author]);
const ROLLBACK: Access = Access::Roles(&[Role::Author, Role::Operate]);
const OPERATE: Access = Access::Roles(&[Role::Operate]);
const SWITCHES: Access = Access::Roles(&[Role::Author, Role::Operate, Role::Audit]);
const APPROVE: Access = Access::Own(&[Role::ApprovePrivacy, Role::ApproveBusiness]);
const UNAPPROVE: Access = Access::Roles(&[Role::ApprovePrivacy, Role::ApproveBusiness, Role::Privacy]);
const APPROVALS: Access =
    Access::Roles(&[Role::Author, Role::ApprovePrivacy, Role::ApproveBusiness, Role::Audit, Role::Privacy]);
const SCRAPE: Access = Access::Scrape(&[Role::Operate]);

/// Every route there is, in the order of the page.
pub const ROUTES: &[Route] = &[
    route("POST", "/v1/decisions", DECIDE, || web::to(decisions::decide), about::decide),
    route("POST", "/v1/decisions:batch", DECIDE, || web::to(batch::decide), about::batch),
    route("POST", "/v1/decisions/{id}:recheck", DECIDE, || web::to(rechecks::recheck), sent::recheck),
    route("POST", "/v1/decisions/{id}:release", DECIDE, || web::to(rechecks::release), sent::release),
    route("GET", "/v1/decisions/{id}/replay", AUDIT, || web::to(replays::replay), again::replay),
    route("GET", "/v1/decisions/{id}", AUDIT, || web::to(decisions::show), about::show),
    route("GET", "/v1/decisions/{id}/proof", AUDIT, || web::to(log::proof), leaves::proof),
    route("GET", "/v1/log/checkpoint", AUDIT, || web::to(log::checkpoint), leaves::checkpoint),
    route("GET", "/v1/log/consistency", AUDIT, || web::to(log::consistency), leaves::consistency),
    route("GET", "/v1/log/tile/{tile}", AUDIT, || web::to(log::tile), leaves::tile),
    route("POST", "/v1/outcomes", OUTCOMES, || web::to(outcomes::take), about::outcomes),
    route("GET", OUTCOME, EVENTS, || web::to(outcomes::show), about::outcome),
    route("POST", "/v1/customers/{id}:hold", PRIVACY, || web::to(privacy::hold_customer), rights::hold),
    route("POST", "/v1/customers/{id}:unhold", PRIVACY, || web::to(privacy::end_hold), rights::end_hold),
    route("POST", "/v1/customers/{id}:merge", PRIVACY, || web::to(customers::merge), sent::merge),
    route("GET", "/v1/customers/{id}", PRIVACY, || web::to(privacy::access), rights::access),
    route("DELETE", "/v1/customers/{id}", PRIVACY, || web::to(privacy::erase), rights::erase),
    route("GET", CONSENTS, PRIVACY, || web::to(customers::get_consents), about::get_consents),
    route("PUT", CONSENTS, PRIVACY, || web::to(customers::put_consents), about::put_consents),
    route("GET", ATTRIBUTES, PRIVACY, || web::to(attributes::get), about::get_attributes),
    route("PUT", ATTRIBUTES, PRIVACY, || web::to(attributes::put), about::put_attributes),
    route("POST", "/v1/offers:import", CATALOGUE, || web::to(offers::import), about::import),
    route("GET", "/v1/offers:export", CATALOGUE, || web::to(offers::export), shelf::export),
    route("GET", "/v1/offers", SHELF, || web::to(catalogue::list), shelf::list_offers),
    route("GET", OFFER, SHELF, || web::to(catalogue::show), shelf::show_offer),
    route("PUT", OFFER, CATALOGUE, || web::to(catalogue::put), shelf::put_offer),
    route("GET", "/v1/offers/{id}/revisions", SHELF, || web::to(catalogue::revisions), shelf::revisions),
    route("POST", "/v1/offers/{id}/stock", CATALOGUE, || web::to(catalogue::stock), shelf::stock),
    route("POST", "/v1/offers/{id}/pause", CATALOGUE, || web::to(catalogue::pause), shelf::pause_offer),
    route("POST", "/v1/offers/{id}/resume", CATALOGUE, || web::to(catalogue::resume), shelf::resume_offer),
    route("GET", "/v1/campaigns", SHELF, || web::to(campaigns::list), shelf::list_campaigns),
    route("GET", CAMPAIGN, SHELF, || web::to(campaigns::show), shelf::show_campaign),
    route("PUT", CAMPAIGN, CATALOGUE, || web::to(campaigns::put), shelf::put_campaign),
    route("POST", "/v1/campaigns/{id}/pause", CATALOGUE, || web::to(campaigns::pause), shelf::pause_campaign),
    route("POST", "/v1/campaigns/{id}/resume", CATALOGUE, || web::to(campaigns::resume), shelf::resume_campaign),
    route("GET", "/v1/approvals", APPROVALS, || web::to(approvals::list), asked::list),
    route("POST", "/v1/approvals", APPROVE, || web::to(approvals::approve), asked::approve),
    route("POST", "/v1/approvals/{id}:revoke", UNAPPROVE, || web::to(approvals::revoke), asked::revoke),
    route("GET", "/v1/policies", POLICIES, || web::to(policies::list), law::list),
    route("POST", "/v1/policies", AUTHOR, || web::to(policies::publish), law::publish),
    route("POST", "/v1/policies:rollback", ROLLBACK, || web::to(policies::rollback), law::rollback),
    route("POST", "/v1/policies/{hash}:activate", AUTHOR, || web::to(policies::activate), law::activate),
    route("GET", "/v1/policies/{hash}/diff", POLICIES, || web::to(policies::diff), law::diff),
    route("GET", "/v1/policies/{hash}", POLICIES, || web::to(policies::show), law::show),
    route("GET", "/v1/switches", SWITCHES, || web::to(switches::list), stops::list),
    route("POST", "/v1/switches", OPERATE, || web::to(switches::set), stops::set),
    route("DELETE", "/v1/switches/{id}", OPERATE, || web::to(switches::end), stops::end),
    route("GET", "/v1/models", MODELS, || web::to(models::list), about::models),
    route("GET", "/v1/models/{placement}", REPORTS, || web::to(models::show), told::model),
    route("GET", "/v1/reports/performance", REPORTS, || web::to(reports::performance), told::performance),
    route("GET", "/v1/reports/exclusions", REPORTS, || web::to(reports::exclusions), told::exclusions),
    route("GET", "/", Access::Open, || web::to(page::home), about::home),
    route("GET", "/docs", Access::Open, || web::to(page::docs), about::docs),
    route("GET", "/openapi.json", Access::Open, || web::to(probes::openapi), about::openapi),
    route("GET", "/healthz", Access::Open, || web::to(probes::health), about::health),
    route("GET", "/readyz", Access::Open, || web::to(probes::ready), about::ready),
    route("GET", "/metrics", SCRAPE, || web::to(probes::metrics), about::metrics),
];

/// Whether everybody may scrape here: decided once, where it is known on which addresses the service listens.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScrapeOpen(pub bool);

impl ScrapeOpen {
    /// Judged by where the service listens and not by whom it hears: a proxy on the same machine speaks for everybody.
    pub(super) fn on(setting: MetricsAccess, mut addresses: impl Iterator<Item = IpAddr>) -> Self {
        Self(match setting {
            MetricsAccess::Open => true,
            MetricsAccess::Loopback => addresses.all(|address| address.is_loopback()),
            MetricsAccess::Key => false,
        })
    }
}

/// Sets every route up.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    // The routes of one path stand together.
    paths.dedup();
    for path in paths {
        config.service(resource(path));
    }
    config.default_service(web::to(nothing_here));
}

/// A path with its methods. What may be got may be asked for its head; any other method is told which there are.
fn resource(path: &'static str) -> Resource {
    // The name of a tile has slashes in it.
    let mut resource = web::resource(path.replace("{tile}", "{tile:.+}"));
    let mut allow = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path == path) {
        allow.push(route.method);
        let served = (route.handler)();
        let served = if route.method == "GET" {
            allow.push("HEAD");
            served.guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            served.method(Method::from_bytes(route.method.as_bytes()).unwrap_or_default())
        };
        resource = resource.route(served.wrap(from_fn(move |request, next| door(route, request, next))));
    }
    let allow: Arc<str> = allow.join(", ").into();
    resource.default_service(web::to(move |app: App, request: HttpRequest| {
        let detail = format!("{} does not know {}: it knows {allow}", request.path(), request.method());
        app.metrics.answered("other", path, 405, None);
        std::future::ready(Err::<HttpResponse, Problem>(Problem::method_not_allowed(detail, &allow)))
    }))
}

/// Lets a caller in or turns it away, and counts what the answer was and how long it took.
async fn door(
    route: &'static Route,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let watch = Stopwatch::start();
    let Some(app) = request.app_data::<App>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let answer = match admit(&app, route.access, request.request()) {
        Ok(caller) => {
            if let Some(key) = caller {
                request.extensions_mut().insert(key);
            }
            next.call(request).await?.map_into_boxed_body()
        }
        Err(problem) => request.error_response(problem),
    };
    let response = answer.response();
    if response.error().and_then(Error::as_error::<Problem>).is_some_and(Problem::is_of_the_store) {
        app.metrics.store_failed("request");
    }
    let (status, seconds) = (response.status().as_u16(), watch.seconds());
    app.metrics.answered(route.method, route.path, status, Some(seconds));
    tracing::debug!(method = route.method, route = route.path, status, seconds, "answered");
    Ok(answer)
}

fn admit(app: &App, access: Access, request: &HttpRequest) -> Result<Option<ApiKey>, Problem> {
    match access {
        Access::Open => Ok(None),
        // The body has to be read before its signature can be checked.
        Access::Signed(_) if auth::is_signed(request) => Ok(None),
        Access::Signed(roles) => auth::authorise_unsigned(app, request, roles).map(Some),
        Access::Scrape(_) if request.app_data::<ScrapeOpen>().is_some_and(|open| open.0) => Ok(None),
        Access::Own(roles) => auth::authorise_own(app, request, roles).map(Some),
        Access::Roles(roles) | Access::Scrape(roles) => auth::authorise(app, request, roles).map(Some),
    }
}

async fn nothing_here(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    app.metrics.answered("other", "none", 404, None);
    Err(Problem::not_found(format!("there is nothing at {}", request.path())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_need_no_key_where_only_this_machine_reaches_the_service() {
        let open = |setting, addresses: &[&str]| {
            ScrapeOpen::on(setting, addresses.iter().map(|address| address.parse().unwrap())).0
        };
        let loopback = MetricsAccess::Loopback;
        assert!(open(loopback, &["127.0.0.1"]) && open(loopback, &["127.0.0.1", "::1"]));
        assert!(!open(loopback, &["0.0.0.0"]) && !open(loopback, &["127.0.0.1", "192.0.2.1"]));
        assert!(open(MetricsAccess::Open, &["0.0.0.0"]) && !open(MetricsAccess::Key, &["127.0.0.1"]));
    }
}
