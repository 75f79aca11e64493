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

mod words;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use actix_web::http::Method;
use actix_web::rt::net::TcpSocket;
use actix_web::{App as Application, HttpRequest, HttpResponse, HttpServer, Resource, Route, guard, web};
use serde_json::json;

pub use problem::Problem;

use crate::runtime::Core;

type App = web::Data<Core>;

fn routes(config: &mut web::ServiceConfig) {
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    let consents = [(get.clone(), web::to(customers::get_consents)), (put, web::to(customers::put_consents))];
    config
        .service(path("/v1/decisions", [(post.clone(), web::to(decisions::decide))]))
        .service(path("/v1/decisions/{id}", [(get.clone(), web::to(decisions::show))]))
        .service(path("/v1/outcomes", [(post.clone(), web::to(outcomes::take))]))
        .service(path("/v1/outcomes/{source}/{event_id}", [(get.clone(), web::to(outcomes::show))]))
        .service(path("/v1/customers/{id}/consents", consents))
        .service(path("/v1/offers:import", [(post, web::to(offers::import))]))
        .service(path("/v1/models", [(get.clone(), web::to(models::list))]))
        .service(path("/healthz", [(get.clone(), web::to(health))]))
        .service(path("/readyz", [(get, web::to(ready))]))
        .default_service(web::to(nothing_here));
}

/// A path with its methods. What may be got may be asked for its head; any other method is told which there are.
fn path<const N: usize>(path: &str, methods: [(Method, Route); N]) -> Resource {
    let mut resource = web::resource(path);
    let mut allow = Vec::new();
    for (method, route) in methods {
        allow.push(method.to_string());
        let route = if method == Method::GET {
            allow.push(Method::HEAD.to_string());
            route.guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            route.method(method)
        };
        resource = resource.route(route);
    }
    let allow: Arc<str> = allow.join(", ").into();
    resource.default_service(web::to(move |request: HttpRequest| {
        let detail = format!("{} does not know {}: it knows {allow}", request.path(), request.method());
        std::future::ready(Err::<HttpResponse, Problem>(Problem::method_not_allowed(detail, &allow)))
    }))
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

async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found(format!("there is nothing at {}", request.path())))
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

/// An address that is taken but not listened on yet.
#[derive(Debug)]
pub struct Bound(Vec<TcpSocket>);

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 2_048;

/// Takes an address such as `127.0.0.1:8080`, so that nothing is started where it turns out to be taken.
pub fn bind(address: &str) -> std::io::Result<Bound> {
    let mut sockets = Vec::new();
    for address in address.to_socket_addrs()? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restart need not wait until the connections of the process before it are forgotten.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        sockets.push(socket);
    }
    Ok(Bound(sockets))
}

/// [`bind`] and [`serve`].
pub fn listen(core: &Arc<Core>, address: &str) -> std::io::Result<Listening> {
    serve(core, bind(address)?)
}

/// Sets the routes up on an address. Stop signals are the caller's business.
pub fn serve(core: &Arc<Core>, bound: Bound) -> std::io::Result<Listening> {
    let data = web::Data::from(core.clone());
    let mut server = HttpServer::new(move || Application::new().app_data(data.clone()).configure(routes))
        .disable_signals()
        .shutdown_timeout(core.settings.stop_seconds_max);
    for socket in bound.0 {
        server = server.listen(socket.listen(BACKLOG)?.into_std()?)?;
    }
    let bound = server.addrs().first().copied();
    let address = bound.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrNotAvailable))?;
    let server = server.run();
    Ok(Listening { handle: server.handle(), server, address })
}
