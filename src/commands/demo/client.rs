//! A client of the service's own HTTP API, as a shop would write one. Knows nothing of what is behind it but its clock.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use proffer::domain::Timestamp;
use proffer::domain::key::hmac_sha256;
use proffer::runtime::Core;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The source that the demo's webhooks are signed by.
pub const SOURCE: &str = "demo-checkout";

/// Why a call was in vain.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered.
    #[error("{call} was not answered")]
    Transport {
        /// Method and path.
        call: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The service refused.
    #[error("{call} was answered {status}: {body}")]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        body: String,
    },
    /// The answer has another shape.
    #[error("{call} was answered with something unexpected")]
    Shape {
        /// Method and path.
        call: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// What was decided.
#[derive(Debug, Deserialize)]
pub struct Decided {
    /// Its name.
    pub decision_id: String,
    /// What to show, slot by slot; nothing where that is best.
    pub offers: Vec<Shown>,
    /// Whether that is the fallback.
    pub fallback: bool,
    /// Whether the customer is one of those who always get it.
    pub holdout: bool,
}

/// An offer in one variant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// The offer.
    pub offer_id: String,
    /// Its variant.
    pub variant_id: String,
}

/// What the demo reads of a decision made again.
#[derive(Debug, Deserialize)]
struct Replay {
    explanation: String,
}

/// What the demo reads of a record.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// The purpose it was decided under.
    pub purpose: String,
    /// The placement's own purpose, where consent for it was lacking.
    pub refused_purpose: Option<String>,
    /// In sentences.
    pub explanation: Vec<String>,
    /// Every candidate.
    pub candidates: Vec<Candidate>,
    /// What was drawn for each slot.
    pub slots: Vec<Slot>,
    /// What came of it.
    pub outcomes: Outcomes,
    /// What a privacy owner may read.
    pub private: Option<Private>,
}

impl Record {
    /// Every rule that left a candidate out, of all slots or of a later one; each once for a candidate.
    pub fn exclusions(&self) -> Vec<&Exclusion> {
        let mut told: Vec<(&LeftOut, &Exclusion)> = Vec::new();
        for left in self.slots.iter().flat_map(|slot| &slot.left_out) {
            for exclusion in &left.excluded_by {
                let same = |(other, known): &(&LeftOut, &Exclusion)| {
                    (&other.offer_id, &other.variant_id, &known.rule)
                        == (&left.offer_id, &left.variant_id, &exclusion.rule)
                };
                if !told.iter().any(same) {
                    told.push((left, exclusion));
                }
            }
        }
        let everywhere = self.candidates.iter().flat_map(|candidate| &candidate.excluded_by);
        everywhere.chain(told.into_iter().map(|(_, exclusion)| exclusion)).collect()
    }
}

/// One slot of a record.
#[derive(Debug, Deserialize)]
pub struct Slot {
    /// Candidates left out of it, given what stands in the slots before.
    pub left_out: Vec<LeftOut>,
}

/// A candidate left out of a later slot.
#[derive(Debug, Deserialize)]
pub struct LeftOut {
    /// The offer.
    pub offer_id: Option<String>,
    /// Its variant.
    pub variant_id: Option<String>,
    /// Every rule that did.
    pub excluded_by: Vec<Exclusion>,
}

/// One candidate of a record.
#[derive(Debug, Deserialize)]
pub struct Candidate {
    /// The offer; nothing where showing nothing is the candidate.
    pub offer_id: Option<String>,
    /// Its variant.
    pub variant_id: Option<String>,
    /// Whether no rule left it out.
    pub eligible: bool,
    /// Of being drawn for the first slot.
    pub probability: Option<f64>,
    /// Every rule that did.
    pub excluded_by: Vec<Exclusion>,
}

/// A rule that left a candidate out.
#[derive(Debug, Deserialize)]
pub struct Exclusion {
    /// Its id.
    pub rule: String,
    /// Why it is there.
    pub why: String,
    /// For people.
    pub sentence: String,
}

/// What came of a decision.
#[derive(Debug, Deserialize)]
pub struct Outcomes {
    /// Whether something was ordered and kept.
    pub accepted: bool,
    /// Events that came after the placement's window.
    pub late: usize,
    /// The reward so far.
    pub reward: Amount,
}

/// Money as the API writes it.
#[derive(Debug, Deserialize)]
pub struct Amount {
    /// Decimal text.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

impl Amount {
    /// In minor units of a currency with cents.
    pub fn cents(&self) -> f64 {
        self.amount.parse::<f64>().map_or(0.0, |amount| (amount * 100.0).round())
    }
}

/// The private part of a record.
#[derive(Debug, Deserialize)]
pub struct Private {
    /// Attributes that rules and features could see.
    pub attributes: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Taken>,
}

/// What became of an event.
#[derive(Debug, Deserialize)]
pub struct Taken {
    /// `accepted`, `duplicate`, `unmatched` or `rejected`.
    pub status: String,
}

/// What a client needs to know: made once, cloned for every thread.
#[derive(Clone)]
pub struct Access {
    /// Where the service answers.
    pub url: String,
    /// API key.
    pub key: String,
    /// Bytes of the webhook secret.
    pub secret: Vec<u8>,
    /// For its clock: webhooks carry the time, which stands still in a replay.
    pub core: Arc<Core>,
}

/// One connection to the service.
pub struct Client {
    agent: ureq::Agent,
    access: Access,
}

/// How often a call is repeated that the service was too busy for, with a pause each: ten seconds and more.
const BUSY_MAX: u32 = 500;
/// How often a webhook is signed anew whose time had passed while it was under way.
const STALE_MAX: u32 = 100;

impl Client {
    /// A connection of its own.
    pub fn new(access: &Access) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT));
        Self { agent: config.build().new_agent(), access: access.clone() }
    }

    /// The service's time.
    pub fn now(&self) -> Timestamp {
        self.access.core.clock.now()
    }

    /// Asks for a decision.
    pub fn decide(&self, request: &Value) -> Result<Decided, ClientError> {
        self.json("POST", "/v1/decisions", Some(request))
    }

    /// Reads a record.
    pub fn record(&self, decision_id: &str) -> Result<Record, ClientError> {
        self.json("GET", &format!("/v1/decisions/{decision_id}"), None)
    }

    /// Lets a decision be made again; what became of it, in words.
    pub fn replay(&self, decision_id: &str) -> Result<String, ClientError> {
        let replay: Replay = self.json("GET", &format!("/v1/decisions/{decision_id}/replay"), None)?;
        Ok(replay.explanation)
    }

    /// Imports offers, or an object of campaigns and offers.
    pub fn import(&self, catalogue: &Value) -> Result<(), ClientError> {
        self.call("POST", "/v1/offers:import", Some(&catalogue.to_string()), &[]).map(drop)
    }

    /// Records a customer's answer to the question for consent to personalisation.
    pub fn consent(&self, customer: &str, state: &str, from: Option<Timestamp>) -> Result<(), ClientError> {
        let mut consent = json!({"purpose": "offer_personalisation", "state": state});
        if let Some(from) = from {
            consent["valid_from"] = json!(from);
        }
        let path = format!("/v1/customers/{}/consents", escape(customer));
        self.call("PUT", &path, Some(&json!({"consents": [consent]}).to_string()), &[]).map(drop)
    }

    /// Sends one event as a signed webhook.
    pub fn webhook(&self, event: &Value) -> Result<Taken, ClientError> {
        let id = format!("msg-{}", event["event_id"].as_str().unwrap_or_default());
        let (call, text) = self.signed(&id, &event.to_string())?;
        let answer: Results = parse(call, &text)?;
        answer.results.into_iter().next().ok_or_else(|| refused(call, 200, &text))
    }

    /// Sends several events as one signed webhook; what became of each, in their order.
    pub fn webhooks(&self, id: &str, events: &[Value]) -> Result<Vec<Taken>, ClientError> {
        let (call, text) = self.signed(id, &Value::from(events).to_string())?;
        let answer: Results = parse(call, &text)?;
        if answer.results.len() == events.len() { Ok(answer.results) } else { Err(refused(call, 200, &text)) }
    }

    /// Signed anew when the clock moved on while it was under way.
    fn signed(&self, id: &str, body: &str) -> Result<(&'static str, String), ClientError> {
        let call = "POST /v1/outcomes";
        let mut tries = 0;
        let text = loop {
            let seconds = self.now().0.div_euclid(1_000).to_string();
            let signed = [id.as_bytes(), b".", seconds.as_bytes(), b".", body.as_bytes()];
            let tag = base64::engine::general_purpose::STANDARD.encode(hmac_sha256(&self.access.secret, &signed));
            let headers = [
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", seconds),
                ("webhook-signature", format!("v1,{tag}")),
            ];
            match self.call("POST", "/v1/outcomes", Some(body), &headers) {
                Err(ClientError::Refused { status: 401, .. }) if tries < STALE_MAX => tries += 1,
                other => break other?,
            }
        };
        Ok((call, text))
    }

    fn json<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> Result<T, ClientError> {
        let text = self.call(method, path, body.map(ToString::to_string).as_deref(), &[])?;
        parse(&format!("{method} {path}"), &text)
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, String)],
    ) -> Result<String, ClientError> {
        let call = format!("{method} {path}");
        for tried in 0.. {
            let (status, text) = self
                .once(method, path, body, headers)
                .map_err(|error| ClientError::Transport { call: call.clone(), source: Box::new(error) })?;
            match status {
                200..300 => return Ok(text),
                429 | 503 if tried < BUSY_MAX => pause(),
                _ => return Err(refused(&call, status, &text)),
            }
        }
        Err(refused(&call, 503, ""))
    }

    fn once(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        headers: &[(&str, String)],
    ) -> Result<(u16, String), ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.access.url))
            .header("authorization", format!("Bearer {}", self.access.key));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = match body {
            Some(body) => self.agent.run(request.header("content-type", "application/json").body(body.to_owned())?)?,
            None => self.agent.run(request.body(())?)?,
        };
        Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
    }
}

const TIMEOUT: Duration = Duration::from_mins(1);

/// Gives a busy service a moment.
pub fn pause() {
    #[expect(clippy::disallowed_methods, reason = "a client of the demo waits on a thread of its own")]
    std::thread::sleep(Duration::from_millis(20));
}

fn refused(call: &str, status: u16, body: &str) -> ClientError {
    ClientError::Refused { call: call.to_owned(), status, body: body.to_owned() }
}

fn parse<T: DeserializeOwned>(call: &str, text: &str) -> Result<T, ClientError> {
    serde_json::from_str(text).map_err(|source| ClientError::Shape { call: call.to_owned(), source })
}

/// An id within a path: everything but letters, digits, `-`, `_` and `.` in percent form.
fn escape(id: &str) -> String {
    use std::fmt::Write as _;
    id.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_a_path_keeps_nothing_that_a_path_means() {
        assert_eq!(escape("c-42_x.y"), "c-42_x.y");
        assert_eq!(escape("a/b ?é"), "a%2Fb%20%3F%C3%A9");
    }
}
