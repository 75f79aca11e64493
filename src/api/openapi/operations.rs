//! What each route is for, what it reads and what it may be answered. Who may ask stands in the table of routes.

use super::examples::{self, Example};
use super::{Schemas, Shape, answers, any_of, list, object, one_or_list, record, shape, shapes, text};
use utoipa::openapi::{RefOr, Schema};

use crate::api::batch::NDJSON;
use crate::api::{attributes, customers, decisions, outcomes as events};
use crate::config::Settings;
use crate::domain::known::{KNOWN_BYTES_MAX, KNOWN_MAX};
use crate::telemetry::metrics::{OPEN_METRICS, PLAIN};

/// What holds for every call.
pub const INTRODUCTION: &str = "\
Which offer, in which content variant, for this customer, here, now? And what came of it?

**Errors** are `application/problem+json` (RFC 9457) with a stable `type`, a sentence that says what to do, and a pointer to \
every place that is wrong. Unknown fields are errors.

**Again**: a decision id names one request, and a source's event id one event; sending either again changes nothing and is \
answered as before. A decision id with another request is a 409.

**Too much**: a service without room, or whose store does not answer, says so with 503 and `Retry-After`, at once.

**Limits** are settings of the service (`proffer serve --print-config`); what is given here are the defaults.";

/// What a route is for.
#[derive(Clone)]
pub struct About {
    /// Unique among all.
    pub id: &'static str,
    /// Groups it with others.
    pub tag: &'static str,
    /// In a few words.
    pub summary: &'static str,
    /// In full, with its limits.
    pub description: String,
    /// Parts of the path, with what they mean.
    pub path_parts: &'static [(&'static str, &'static str)],
    /// Parameters behind the `?`, with what they mean.
    pub query: &'static [(&'static str, &'static str)],
    /// Headers that change the answer.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body it reads, with examples; where that is [`NDJSON`], of one line.
    pub body: Option<(Shape, Vec<Example>)>,
    /// The media type of that body.
    pub body_type: &'static str,
    /// Media types of the body besides JSON, as text.
    pub body_texts: &'static [&'static str],
    /// What is particular to it; what follows from its access and its body is added.
    pub answers: Vec<Answer>,
}

/// What a call may be answered.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// When.
    pub meaning: &'static str,
    /// By media type.
    pub content: Vec<(&'static str, Shape)>,
}

impl Answer {
    /// A success as JSON.
    pub fn json(meaning: &'static str, shape: Shape) -> Self {
        Self { status: 200, meaning, content: vec![(super::JSON, shape)] }
    }

    /// An error.
    pub fn problem(status: u16, meaning: &'static str) -> Self {
        Self { status, meaning, content: vec![(super::PROBLEM, shape::<answers::Problem>)] }
    }
}

fn decided_or_tried(schemas: &mut Schemas) -> RefOr<Schema> {
    any_of([shape::<answers::DecisionAnswer>(schemas), shape::<answers::DecisionTried>(schemas)])
}

/// When the store is to blame.
pub const STORE_AWAY: &str = "The store does not answer.";
/// When a body cannot be.
pub const INVALID: &str = "The body is JSON and says something that cannot be: `errors` names every place.";
const CUSTOMER: &[(&str, &str)] = &[("id", "The customer as the shop knows them, 1 to 128 bytes.")];

/// A route in words, to be completed.
pub fn about(id: &'static str, tag: &'static str, summary: &'static str, description: impl Into<String>) -> About {
    let (path_parts, headers, query, body_texts): (&[_], &[_], &[_], &[_]) = (&[], &[], &[], &[]);
    let (description, body_type, answers) = (description.into(), super::JSON, Vec::new());
    About { id, tag, summary, description, path_parts, headers, body: None, body_type, body_texts, query, answers }
}

/// `POST /v1/decisions`.
pub fn decide() -> About {
    let limits = Settings::default();
    let description = format!(
        "The placement fixes purpose and currency. Attributes sent here win over those kept of the customer. The \
         answer comes once the decision is durable. Send a `decision_id` of your own to be able to ask again safely.\n\n\
         Limits: body {} bytes; {} attributes of each kind; {} candidates; 200 lines in the basket; outside ids of 1 to \
         128 bytes; text values of 256 bytes.",
        limits.body_bytes_max, limits.attributes_max, limits.candidates_max
    );
    About {
        body: Some((shape::<decisions::DecisionWire>, examples::decisions())),
        answers: vec![
            Answer::json("Decided, now or before under the same id; or tried out.", decided_or_tried),
            Answer::problem(409, "The decision id names another request."),
            Answer::problem(422, INVALID),
            Answer::problem(503, "Too many wait already, or the store does not answer: ask again with the same id."),
        ],
        headers: &[(
            "Sec-GPC",
            "`1` where the customer's browser asks not to pass data on; the same as `privacy_signal`.",
        )],
        ..about("decide", "decisions", "Ask which offer to show", description)
    }
}

fn line_decided_or_not(schemas: &mut Schemas) -> RefOr<Schema> {
    let (decided, tried) = (shape::<answers::LineDecided>(schemas), shape::<answers::LineTried>(schemas));
    any_of([decided, tried, shape::<answers::LineProblem>(schemas)])
}

/// `POST /v1/decisions:batch`.
pub fn batch() -> About {
    let limits = Settings::default();
    let description = format!(
        "For e-mail and push jobs: a request in every line (NDJSON), an answer in every line, in the order of the \
         lines, each with the number of its `line`. What is shown here is one line. A line that is wrong is answered \
         with what is wrong, and spoils no other; blank lines are passed over. Answers come while lines are still being \
         sent, so read while you send, as curl does: the service reads no further while answers are not taken, and \
         slows its reading down where there is no room, instead of answering 503. A line is answered 503 only where the \
         store is away, with `retry_after_seconds`. What was decided stays decided when the connection breaks: send the \
         lines again with the same decision ids.\n\nLimits: {} bytes in a line, any number of lines, {} of them in work \
         at once.",
        limits.body_bytes_max, limits.stream_lines_max
    );
    About {
        body: Some((shape::<decisions::DecisionWire>, examples::batch())),
        body_type: NDJSON,
        answers: vec![Answer {
            status: 200,
            meaning: "An answer to every line, as it comes.",
            content: vec![(NDJSON, line_decided_or_not)],
        }],
        ..about("decideBatch", "decisions", "Ask for many at once", description)
    }
}

/// `GET /v1/decisions/{id}`.
pub fn show() -> About {
    let description = "Every candidate with its probability and every rule that left it out, what was read and in \
                       which version, and what came of it.";
    About {
        path_parts: &[("id", "The decision's id, a UUIDv7.")],
        headers: &[("Accept", "`text/plain` for sentences instead of JSON.")],
        answers: vec![
            Answer {
                status: 200,
                meaning: "The record.",
                content: vec![(super::JSON, shape::<record::DecisionRecord>), ("text/plain", text)],
            },
            Answer::problem(404, "No decision has this id."),
            Answer::problem(422, "That is no decision id."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("showDecision", "decisions", "See why it was decided so", description)
    }
}

/// `POST /v1/outcomes`.
pub fn outcomes() -> About {
    let description = format!(
        "One event, or a list of up to {}. The event id is unique within its source for ever: an event sent again is a \
         `duplicate` and changes nothing. Of a list each event is answered for itself; a single event that cannot be \
         taken in is an error. What names no known decision is kept as `unmatched`. A source's secret is made with \
         `proffer keys create-source`.\n\nLimits: body 1 MiB (or the setting `body_bytes_max` if larger); event ids of \
         1 to 256 bytes; at most five minutes in the future.",
        Settings::default().outcomes_max
    );
    About {
        body: Some((one_or_list::<events::OutcomeWire>, examples::outcomes())),
        answers: vec![
            Answer::json(
                "What became of each event: all but rejected ones are durable.",
                shape::<answers::OutcomeResults>,
            ),
            Answer::problem(422, "The list is too long, or the single event says something that cannot be."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("takeOutcomes", "outcomes", "Tell what customers did", description)
    }
}

/// `GET /v1/outcomes/{source}/{event_id}`.
pub fn outcome() -> About {
    let description = "Whether it belongs to a decision by now, and whether it was learned from. What waits for a \
                       decision or an event that is not known yet is `unmatched` until that comes.";
    About {
        path_parts: &[("source", "The source that told of it."), ("event_id", "The source's own name for it.")],
        answers: vec![
            Answer::json("What became of it so far.", shape::<answers::OutcomeTold>),
            Answer::problem(404, "No such event was taken in."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("showOutcome", "outcomes", "See what became of an event", description)
    }
}

fn consents_answers(meaning: &'static str) -> Vec<Answer> {
    vec![Answer::json(meaning, shape::<answers::Consents>), Answer::problem(503, STORE_AWAY)]
}

/// `GET /v1/customers/{id}/consents`.
pub fn get_consents() -> About {
    let mut answers = consents_answers("The records, oldest first.");
    answers.push(Answer::problem(404, "Nobody is known under this id."));
    answers.push(Answer::problem(422, "That is no customer id."));
    let description = "Every record that was taken in, with when.";
    About {
        path_parts: CUSTOMER,
        answers,
        ..about("getConsents", "customers", "See a customer's consents", description)
    }
}

/// `PUT /v1/customers/{id}/consents`.
pub fn put_consents() -> About {
    let description = "Records are appended, never replaced; of each purpose and channel the one with the newest \
                       `valid_from` counts. When this is answered, no decision that starts afterwards overlooks it.\n\nLimits: 1 \
                       to 50 records.";
    let mut answers = consents_answers("All records there are now, oldest first.");
    answers.push(Answer::problem(422, INVALID));
    About {
        path_parts: CUSTOMER,
        body: Some((shape::<customers::ConsentsWire>, examples::consents())),
        answers,
        ..about("putConsents", "customers", "Add consent records", description)
    }
}

fn attributes_answers(meaning: &'static str) -> Vec<Answer> {
    vec![Answer::json(meaning, shape::<answers::Attributes>), Answer::problem(503, STORE_AWAY)]
}

/// `GET /v1/customers/{id}/attributes`.
pub fn get_attributes() -> About {
    let mut answers = attributes_answers("What is kept.");
    answers.push(Answer::problem(404, "Nobody is known under this id."));
    answers.push(Answer::problem(422, "That is no customer id."));
    let description = "What is kept of a customer, and until when each value holds.";
    let (id, summary) = ("getAttributes", "See what is kept of a customer");
    About { path_parts: CUSTOMER, answers, ..about(id, "customers", summary, description) }
}

/// `PUT /v1/customers/{id}/attributes`.
pub fn put_attributes() -> About {
    let description = format!(
        "Declared attributes of a customer, kept for later decisions; those not named stay as they are, and `null` \
         removes one. A value holds from `at` for the declared `time_to_live`, or until `valid_until` where that is \
         sooner; without either, until it is replaced. Once it no longer holds it is as if it were missing. What a \
         request says itself wins, and consent and minimisation apply to both alike. When this is answered, no decision \
         that starts afterwards overlooks it.\n\nLimits: {KNOWN_MAX} attributes and {KNOWN_BYTES_MAX} bytes of one \
         customer; at most five minutes in the future."
    );
    let mut answers = attributes_answers("What is kept now.");
    answers.push(Answer::problem(422, INVALID));
    About {
        path_parts: CUSTOMER,
        body: Some((shape::<attributes::AttributesWire>, examples::attributes())),
        answers,
        ..about("putAttributes", "customers", "Keep attributes of a customer", description)
    }
}

fn offers_or_catalogue(schemas: &mut Schemas) -> RefOr<Schema> {
    any_of([list::<shapes::Offer>(schemas), shape::<shapes::Catalogue>(schemas)])
}

/// `POST /v1/offers:import`.
pub fn import() -> About {
    let description = format!(
        "Offers and campaigns are added, or replace those of the same id, all or none, as the next revision of the \
         catalogue; what is there just so is left as it is, and if that is all there is no new revision. Decisions see it \
         from the next commit on.\n\nLimits: body {} bytes; 1 to 10000 offers and campaigns. Without \
         `Content-Type` the body is JSON. Mistakes in YAML and CSV are told with line and column instead of a pointer; a \
         CSV holds offers, a row for each variant, or campaigns.",
        Settings::default().import_bytes_max
    );
    About {
        body: Some((offers_or_catalogue, examples::offers())),
        body_texts: &["application/yaml", "text/csv"],
        answers: vec![
            Answer::json("The catalogue's revision from now on.", shape::<answers::Imported>),
            Answer::problem(415, "The body is neither JSON nor YAML nor CSV, by its `Content-Type`."),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("importOffers", "catalogue", "Import offers and campaigns", description)
    }
}

/// `GET /v1/models`.
pub fn models() -> About {
    let description = "What was learned in this process's models, arm by arm.";
    let answers = vec![Answer::json("The models.", shape::<answers::Models>)];
    About { answers, ..about("listModels", "models", "See what was learned", description) }
}

/// `GET /`.
pub fn home() -> About {
    let description = "What there is: for browsers a page, for others JSON.";
    let content = vec![(super::JSON, object as Shape), ("text/html", text)];
    let answers = vec![Answer { status: 200, meaning: "Where to go on.", content }];
    About { answers, ..about("home", "service", "Where to begin", description) }
}

/// `GET /docs`.
pub fn docs() -> About {
    let answers = vec![Answer { status: 200, meaning: "The page.", content: vec![("text/html", text)] }];
    let description = "What can be asked, for people: this document as one page, without scripts and without anything \
                       from elsewhere.";
    About { answers, ..about("docs", "service", "This document as a page", description) }
}

/// `GET /openapi.json`.
pub fn openapi() -> About {
    let answers = vec![Answer::json("OpenAPI 3.1.", object)];
    About { answers, ..about("openapi", "service", "This document", "What can be asked, for machines.") }
}

/// `GET /healthz`.
pub fn health() -> About {
    let answers = vec![Answer::json("It lives.", shape::<answers::Status>)];
    About { answers, ..about("health", "service", "Whether the process lives", "Asks nothing of the store.") }
}

/// `GET /readyz`.
pub fn ready() -> About {
    let answers = vec![Answer::json("It is ready.", shape::<answers::Status>), Answer::problem(503, STORE_AWAY)];
    About { answers, ..about("ready", "service", "Whether it can decide", "Asks the store for its time.") }
}

/// `GET /metrics`.
pub fn metrics() -> About {
    let meaning = "OpenMetrics text, which is plain Prometheus text too.";
    let answers = vec![Answer { status: 200, meaning, content: vec![(OPEN_METRICS, text), (PLAIN, text)] }];
    let description = "What this process counts of itself, for Prometheus. No label names a person, a decision or a \
                       request.";
    let headers = &[("Accept", "`application/openmetrics-text` for that media type; plain text otherwise.")];
    About { headers, answers, ..about("metrics", "service", "Metrics", description) }
}
