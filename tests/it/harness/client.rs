//! A small HTTP client of the service, with signed webhooks. Retries nothing and judges no answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proffer::domain::key::hmac_sha256;
use serde_json::{Value, json};
use ureq::http::{Request, Response};
use ureq::{Agent, Error};

/// An answer read to its end, whatever its status.
pub type Answer = Response<String>;

/// A source of outcomes with the secret that signs for it.
#[derive(Clone)]
pub struct Source {
    /// As in the field `source` of its events.
    pub name: String,
    secret: Vec<u8>,
}

impl Source {
    /// Takes a secret as it is printed: `whsec_BASE64`.
    pub fn new(name: &str, secret: &str) -> Self {
        let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        Self { name: name.to_owned(), secret }
    }

    /// The header `webhook-signature` of a message, as Standard Webhooks makes it.
    pub fn signature(&self, id: &str, seconds: &str, body: &[u8]) -> String {
        let tag = hmac_sha256(&self.secret, &[id.as_bytes(), b".", seconds.as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(tag))
    }
}

/// A client of one service with one API key.
#[derive(Clone)]
pub struct Client {
    url: String,
    key: String,
    agent: Agent,
}

impl Client {
    /// A client of the service at `http://...`; an empty key sends none.
    pub fn new(url: &str, key: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)))
            .max_idle_connections_per_host(64)
            // The service closes connections that were idle for five seconds.
            .max_idle_age(Duration::from_secs(3));
        Self { url: url.to_owned(), key: key.to_owned(), agent: config.build().new_agent() }
    }

    /// Sends anything: headers and body as given, and the key unless a header `authorization` is among them.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !self.key.is_empty() && !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            [] => self.agent.run(request.body(())?)?,
            body => self.agent.run(request.body(body)?)?,
        };
        let (head, mut body) = answer.into_parts();
        Ok(Response::from_parts(head, body.with_config().limit(64 << 20).read_to_string()?))
    }

    fn send_json(&self, method: &str, path: &str, body: &Value) -> Result<Answer, Error> {
        self.send(method, path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> Result<Answer, Error> {
        self.send("GET", path, &[], &[])
    }

    /// Asks for a decision.
    pub fn decide(&self, request: &Value) -> Result<Answer, Error> {
        self.send_json("POST", "/v1/decisions", request)
    }

    /// Sends outcomes, one or an array, signed by their source.
    pub fn outcomes(&self, source: &Source, events: &Value) -> Result<Answer, Error> {
        static MESSAGES: AtomicU64 = AtomicU64::new(0);
        let id = format!("msg_{}", MESSAGES.fetch_add(1, Ordering::Relaxed));
        let (seconds, body) = (now_ms().div_euclid(1_000).to_string(), events.to_string());
        let signature = source.signature(&id, &seconds, body.as_bytes());
        let headers = [("webhook-id", id.as_str()), ("webhook-timestamp", &seconds), ("webhook-signature", &signature)];
        Self { key: String::new(), ..self.clone() }.send("POST", "/v1/outcomes", &headers, body.as_bytes())
    }

    /// Puts consent records of a customer whose id needs no escaping.
    pub fn put_consents(&self, customer: &str, records: &Value) -> Result<Answer, Error> {
        self.send_json("PUT", &format!("/v1/customers/{customer}/consents"), &json!({"consents": records}))
    }

    /// Imports offers.
    pub fn import(&self, offers: &Value) -> Result<Answer, Error> {
        self.send_json("POST", "/v1/offers:import", offers)
    }
}

/// The body of an answer as JSON.
pub fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(answer.body()).unwrap_or_else(|error| panic!("{error} in `{}`", answer.body()))
}

/// A client's own clock, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "clients of the service have clocks of their own")]
    let now = SystemTime::now();
    i64::try_from(now.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
