//! API: HTTP and JSON in front of the runtime. Nothing is decided here.

mod approvals;

mod attributes;

mod auth;

mod batch;

mod body;

mod campaigns;

mod catalogue;
mod lines;

pub mod log;

mod customers;

mod decisions;

mod models;

mod money;

mod offers;

mod openapi;

mod outcomes;

mod page;

mod policies;

mod privacy;

mod probes;

mod problem;

mod query;

mod rechecks;

mod render;

mod replays;

mod reports;

mod routes;

mod standing;

mod switches;

mod words;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::net::TcpSocket;
use actix_web::{App as Application, HttpServer, web};

pub use problem::Problem;
pub use routes::{Access, ROUTES, Route};
pub use switches::shown as shown_switch;

use crate::runtime::Core;

type App = web::Data<Core>;

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
    let addresses = bound.0.iter().filter_map(|socket| socket.local_addr().ok()).map(|address| address.ip());
    let scrape = routes::ScrapeOpen::on(core.settings.metrics, addresses);
    let application = move || Application::new().app_data(data.clone()).app_data(scrape).configure(routes::configure);
    let mut server = HttpServer::new(application).disable_signals().shutdown_timeout(core.settings.stop_seconds_max);
    for socket in bound.0 {
        server = server.listen(socket.listen(BACKLOG)?.into_std()?)?;
    }
    let bound = server.addrs().first().copied();
    let address = bound.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrNotAvailable))?;
    let server = server.run();
    Ok(Listening { handle: server.handle(), server, address })
}
