//! A service in this process and a client for it. Knows routes only as text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use proffer::api;
use proffer::config::keyfile::Keys;
use proffer::config::{MetricsAccess, Settings};
use proffer::domain::key::{GeneratorKey, MasterKey, hmac_sha256};
use proffer::policy::Source;
use proffer::runtime::verify::Verified;
use proffer::runtime::{Clock, Core, Role, Setup};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::shop::{self, NOW};
use crate::harness::database::{Database, Kind};

/// What a service is started with. Keys and clock are always the same, so that answers are too.
pub struct Plan {
    database: Arc<Database>,
    policies: Vec<Source>,
    node: String,
    engines: usize,
    waiting_max: usize,
    metrics: MetricsAccess,
    /// Where the list of who was erased lies: outside the database, for every start.
    outside: Arc<TempDir>,
}

impl Plan {
    /// The shop on an empty store.
    pub fn new(kind: Kind) -> Self {
        let database = Arc::new(runtime().block_on(Database::create(kind)));
        let (policies, node) = (shop::policies(), "node-1".into());
        let (metrics, outside) = (MetricsAccess::default(), Arc::new(tempfile::tempdir().unwrap()));
        Self { database, policies, node, engines: 1, waiting_max: 4_096, metrics, outside }
    }

    /// With other policies.
    pub fn policies(self, policies: Vec<Source>) -> Self {
        Self { policies, ..self }
    }

    /// With several engines.
    pub fn engines(self, engines: usize) -> Self {
        Self { engines, ..self }
    }

    /// With room for fewer requests at once.
    pub fn waiting_max(self, waiting_max: usize) -> Self {
        Self { waiting_max, ..self }
    }

    /// With metrics for others.
    pub fn metrics(self, metrics: MetricsAccess) -> Self {
        Self { metrics, ..self }
    }

    /// Another node on the same store.
    pub fn beside(&self, node: &str) -> Self {
        let (database, policies, outside) = (self.database.clone(), self.policies.clone(), self.outside.clone());
        let (node, engines, waiting_max, metrics) = (node.into(), self.engines, self.waiting_max, self.metrics);
        Self { database, policies, node, engines, waiting_max, metrics, outside }
    }

    /// Starts it.
    pub fn start(self) -> Service {
        Service::start_plan(self)
    }
}

/// A running service.
pub struct Service {
    /// The runtime behind it.
    pub core: Arc<Core>,
    /// Where it answers.
    pub url: String,
    /// A key that may do everything.
    pub admin: String,
    plan: Plan,
    agent: ureq::Agent,
    handle: actix_web::dev::ServerHandle,
    runtime: Option<Runtime>,
    _files: TempDir,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The body of an answer that must be a success.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

impl Service {
    /// The shop on SQLite, with its offers.
    pub fn start() -> Self {
        let service = Plan::new(Kind::Sqlite).start();
        service.import(&shop::offers());
        service
    }

    fn start_plan(plan: Plan) -> Self {
        let runtime = runtime();
        let files = tempfile::tempdir().unwrap();
        let settings = Settings {
            store: plan.database.url.clone(),
            node: plan.node.clone(),
            engines: plan.engines,
            waiting_max: plan.waiting_max,
            metrics: plan.metrics,
            key_file: files.path().join("keys.toml"),
            admin_key_file: files.path().join("admin-key"),
            erased_file: plan.outside.path().join("erased"),
            ..Settings::default()
        };
        let generator = GeneratorKey { period: 1, key: [2; 32] };
        let keys = Keys { master: MasterKey([1; 32]), generator, past: Vec::new() };
        let policies = plan.policies.clone();
        let (core, listening, admin) = runtime.block_on(async {
            let store = plan.database.open().await;
            let clock = Some(Clock::by_hand(NOW));
            let core = Core::start(Setup { store, settings, keys, policies, clock }).await.unwrap();
            let name = format!("test-{}", files.path().file_name().unwrap().to_string_lossy());
            let admin = core.create_key(&name, &[Role::Admin], "test").await.unwrap().unwrap();
            let listening = api::listen(&core, "127.0.0.1:0").unwrap();
            (core, listening, admin)
        });
        let api::Listening { server, handle, address } = listening;
        runtime.spawn(server);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(30)));
        Self {
            core,
            url: format!("http://{address}"),
            admin,
            plan,
            agent: config.build().into(),
            handle,
            runtime: Some(runtime),
            _files: files,
        }
    }

    /// Starts another node on the same store.
    pub fn beside(&self, node: &str) -> Self {
        self.plan.beside(node).start()
    }

    /// Stops it and starts another on the same store.
    pub fn restart(self) -> Self {
        let plan = self.plan.beside(&self.plan.node);
        drop(self);
        plan.start()
    }

    /// Stops it and starts another on the same store, with other policies.
    pub fn restart_with(self, policies: Vec<Source>) -> Self {
        let plan = self.plan.beside(&self.plan.node).policies(policies);
        drop(self);
        plan.start()
    }

    /// Stops it and starts another on the content of a SQLite file.
    pub fn restart_from(self, file: &std::path::Path) -> Self {
        let plan = Plan { database: Arc::new(Database::copy_of(file)), ..self.plan.beside(&self.plan.node) };
        drop(self);
        plan.start()
    }

    /// The list of who was erased.
    pub fn erased_file(&self) -> std::path::PathBuf {
        self.plan.outside.path().join("erased")
    }

    /// Stops it and removes its database, if nobody else uses that.
    pub fn remove(self) {
        let database = self.plan.database.clone();
        drop(self);
        if let Some(database) = Arc::into_inner(database) {
            runtime().block_on(database.remove());
        }
    }

    /// Takes everything in its database away.
    pub fn lose_store(&self) {
        self.wait(self.plan.database.lose());
    }

    /// Where its store is.
    pub fn store_url(&self) -> &str {
        &self.plan.database.url
    }

    /// Waits for something that the runtime does.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(future)
    }

    /// Waits until everything stored is learned.
    pub fn learn(&self) {
        self.wait(self.core.learned_all()).unwrap();
    }

    /// The whole store against its log.
    pub fn verify(&self) -> Verified {
        self.wait(self.core.verify_log()).unwrap()
    }

    /// Sends a request as it is.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        send(&self.agent, &format!("{}{path}", self.url), method, headers, body)
    }

    /// Sends JSON with the admin's key.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {}", self.admin);
        let body = body.map(|body| body.to_string().into_bytes());
        self.send(method, path, &[("authorization", &bearer)], body.as_deref())
    }

    /// `POST /v1/decisions`.
    pub fn decide(&self, request: &Value) -> Answer {
        self.call("POST", "/v1/decisions", Some(request))
    }

    /// `GET /v1/decisions/{id}` of a decision that an answer names.
    pub fn record(&self, answer: &Value) -> Value {
        self.call("GET", &format!("/v1/decisions/{}", answer["decision_id"].as_str().unwrap()), None).ok()
    }

    /// `POST /v1/offers:import`, which must succeed.
    pub fn import(&self, offers: &Value) -> Value {
        self.call("POST", "/v1/offers:import", Some(offers)).ok()
    }

    /// `PUT /v1/customers/{id}/consents`, which must succeed.
    pub fn consent(&self, customer: &str, state: &str) -> Value {
        self.call("PUT", &format!("/v1/customers/{customer}/consents"), Some(&shop::consent(state))).ok()
    }

    /// `POST /v1/outcomes` with the admin's key; the results.
    pub fn outcomes(&self, events: &Value) -> Vec<Value> {
        self.call("POST", "/v1/outcomes", Some(events)).ok()["results"].as_array().unwrap().clone()
    }

    /// Makes a source of outcomes; its secret.
    pub fn source(&self, name: &str) -> Vec<u8> {
        secret_bytes(&self.wait(self.core.create_source(name, "test")).unwrap().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.block_on(async {
                self.handle.stop(false).await;
                self.core.stop().await;
            });
            runtime.shutdown_background();
        }
    }
}

/// The bytes of a webhook secret as it is handed out.
pub fn secret_bytes(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text.strip_prefix("whsec_").unwrap()).unwrap()
}

/// The signature header of Standard Webhooks.
pub fn sign(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let tag = hmac_sha256(secret, &[format!("{id}.{timestamp}.").as_bytes(), body]);
    format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(tag))
}

/// Sends a request.
pub fn send(agent: &ureq::Agent, url: &str, method: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answered = match body {
        Some(body) => agent.run(request.header("content-type", "application/json").body(body).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    };
    let mut answered = answered.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let headers = answered.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
    Answer {
        status: answered.status().as_u16(),
        headers: headers.collect(),
        body: answered.body_mut().read_to_string().unwrap(),
    }
}

#[test]
fn signatures_are_those_of_standard_webhooks() {
    // The example of the specification's reference implementations.
    let secret = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let signature = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}
