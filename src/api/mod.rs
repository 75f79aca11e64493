//! API: HTTP and JSON in front of the runtime. Nothing is decided here.

mod auth;

mod body;

mod customers;

mod decisions;

mod models;

mod offers;

mod outcomes;

mod problem;

mod render;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App as Application, HttpResponse, HttpServer, web};
use serde_json::json;

pub use problem::Problem;

use crate::runtime::Core;

type App = web::Data<Core>;

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/v1/decisions", web::post().to(decisions::decide))
        .route("/v1/decisions/{id}", web::get().to(decisions::show))
        .route("/v1/outcomes", web::post().to(outcomes::take))
        .route("/v1/customers/{id}/consents", web::put().to(customers::put_consents))
        .route("/v1/customers/{id}/consents", web::get().to(customers::get_consents))
        .route("/v1/offers:import", web::post().to(offers::import))
        .route("/v1/models", web::get().to(models::list))
        .route("/healthz", web::get().to(health))
        .route("/readyz", web::get().to(ready))
        .default_service(web::to(nothing_here));
}

/// The process lives.
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// The store answers.
async fn ready(app: App) -> Result<HttpResponse, Problem> {
    app.store.now().await.map_err(|error| Problem::unavailable(error.to_string()))?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}

async fn nothing_here(request: actix_web::HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(format!("there is no {} {}", request.method(), request.path())))
}

/// A server that listens but does not run until awaited.
pub struct Listening {
    /// Await it to serve.
    pub server: Server,
    /// Stops it: gracefully, so that requests in flight are answered.
    pub handle: ServerHandle,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Binds the address and sets the routes up. Stop signals are the caller's business.
pub fn listen(core: &Arc<Core>, address: &str) -> std::io::Result<Listening> {
    let data = web::Data::from(core.clone());
    let server = HttpServer::new(move || Application::new().app_data(data.clone()).configure(routes))
        .disable_signals()
        .shutdown_timeout(core.settings.stop_seconds_max)
        .bind(address)?;
    let bound = server.addrs().first().copied();
    let address = bound.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrNotAvailable))?;
    let server = server.run();
    Ok(Listening { handle: server.handle(), server, address })
}
