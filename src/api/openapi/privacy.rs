//! What the routes about the rights of customers are for, and what they answer. Adds no route.
#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use utoipa::ToSchema;

use super::answers::ConsentKept;
use super::examples::Example;
use super::operations::{About, Answer, INVALID, STORE_AWAY, about};
use super::record::DecisionRecord;
use super::shapes::{AttributeValue, Instant, Money};
use super::{shape, text};
use crate::api::privacy::HoldWire;

const CUSTOMER: &[(&str, &str)] = &[("id", "The customer as the shop knows them, 1 to 128 bytes.")];

/// Everything that is held about a customer.
#[derive(ToSchema)]
pub struct CustomerHeld {
    /// As asked.
    customer_id: String,
    /// Every id, those of customers merged into this one too.
    known_as: Vec<KnownAs>,
    /// The legal hold that the customer is under.
    #[schema(required = true)]
    legal_hold: Option<Hold>,
    consents: Vec<ConsentKept>,
    attributes: Vec<AttributeHeld>,
    /// Every decision with its record, oldest first.
    decisions: Vec<DecisionRecord>,
    /// Every event known to be about the customer.
    outcomes: Vec<OutcomeHeld>,
}

/// An id of the customer.
#[derive(ToSchema)]
pub struct KnownAs {
    #[schema(example = "customer")]
    kind: String,
    id: String,
}

/// Why and since when nobody erases the customer.
#[derive(ToSchema)]
pub struct Hold {
    why: String,
    since: Instant,
    by: String,
}

/// An attribute that is kept.
#[derive(ToSchema)]
pub struct AttributeHeld {
    name: String,
    value: AttributeValue,
    at: Instant,
    #[schema(required = true)]
    valid_until: Option<Instant>,
}

/// An event that is kept. Its id at its source is known to nobody: only a keyed hash of it is kept.
#[derive(ToSchema)]
pub struct OutcomeHeld {
    source: String,
    #[schema(example = "order")]
    r#type: String,
    occurred_at: Instant,
    received_at: Instant,
    #[schema(required = true, format = Uuid)]
    decision_id: Option<String>,
    #[schema(required = true)]
    revenue: Option<Money>,
    #[schema(required = true)]
    margin: Option<Money>,
}

/// What became of an erasure.
#[derive(ToSchema)]
pub struct CustomerErased {
    /// As asked.
    customer_id: String,
    /// Its number; the record of privileged changes names it too.
    erasure: u64,
    /// `erased`, or `erasing` until what was learned is taken back.
    #[schema(example = "erased")]
    status: String,
    asked_at: Instant,
    #[schema(required = true)]
    done_at: Option<Instant>,
    /// Decisions of which nobody can say any more whom they were for.
    #[schema(required = true)]
    decisions: Option<u64>,
    /// What was taken back from the models.
    #[schema(required = true)]
    learning_events: Option<u64>,
    /// Events that no longer say whom they are about.
    #[schema(required = true)]
    outcomes: Option<u64>,
}

/// Whether a customer is under a legal hold now.
#[derive(ToSchema)]
pub struct HoldChanged {
    /// As asked.
    customer_id: String,
    /// `held` or `not_held`.
    #[schema(example = "held")]
    status: String,
    /// Whether that is new.
    changed: bool,
}

/// `GET /v1/customers/{id}`.
pub fn access() -> About {
    let description = "Everything that is held about a customer, as Article 15 of the GDPR gives them a right to: ids, \
                       consents, attributes, every decision with its record and its reasons in sentences, and every \
                       event. `Accept: text/plain` gives all of it in sentences. That it was asked for is itself \
                       recorded.";
    About {
        path_parts: CUSTOMER,
        headers: &[("Accept", "`text/plain` for sentences.")],
        answers: vec![
            Answer {
                status: 200,
                meaning: "What is held.",
                content: vec![(super::JSON, shape::<CustomerHeld>), ("text/plain", text)],
            },
            Answer::problem(404, "No customer is known by the id."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("accessCustomer", "customers", "Show everything held about a customer", description)
    }
}

/// `DELETE /v1/customers/{id}`.
pub fn erase() -> About {
    let description = "Erases a customer, with every id merged into it. At once nobody finds the customer any more, \
                       and no decision can read anything of it. Then what was learned from it is taken back exactly, so \
                       that every model is as if it had never seen the customer, and its key is destroyed: what is \
                       sealed under it opens for nobody. Decisions stay in the log without saying whom they were for, \
                       and every proof still verifies. Again it is answered as before. A legal hold prevents it.";
    About {
        path_parts: CUSTOMER,
        answers: vec![
            Answer::json("Gone.", shape::<CustomerErased>),
            Answer {
                status: 202,
                meaning: "Found by nobody any more; what was learned is taken back as soon as the learner is there.",
                content: vec![(super::JSON, shape::<CustomerErased>)],
            },
            Answer::problem(404, "No customer is known by the id."),
            Answer::problem(409, "The customer is under a legal hold."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("eraseCustomer", "customers", "Erase a customer", description)
    }
}

/// `POST /v1/customers/{id}:hold`.
pub fn hold() -> About {
    let description = "Puts a customer under a legal hold: nobody erases it until the hold is ended. It stops no \
                       access. Again it is answered as before.";
    let value = serde_json::json!({"why": "Dispute 2026-114, until the court has decided"});
    let example = Example { name: "dispute", summary: "A dispute before a court", value };
    About {
        path_parts: CUSTOMER,
        body: Some((shape::<HoldWire>, vec![example])),
        answers: vec![
            Answer::json("The customer is under a hold.", shape::<HoldChanged>),
            Answer::problem(404, "No customer is known by the id."),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("holdCustomer", "customers", "Put a customer under a legal hold", description)
    }
}

/// `POST /v1/customers/{id}:unhold`.
pub fn end_hold() -> About {
    About {
        path_parts: CUSTOMER,
        answers: vec![
            Answer::json("The customer is under no hold.", shape::<HoldChanged>),
            Answer::problem(404, "No customer is known by the id."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("unholdCustomer", "customers", "End the legal hold of a customer", "Ends it; it can be erased again.")
    }
}
