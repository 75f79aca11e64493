//! What the routes for jobs that send later are for, and what they answer. Adds no route.
#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use utoipa::ToSchema;

use super::examples::Example;
use super::operations::{About, Answer, INVALID, STORE_AWAY, about};
use super::record::{RecordExclusion, RecordNote};
use super::shape;
use super::shapes::Instant;
use crate::api::customers::MergeWire;
use crate::api::rechecks::RecheckWire;

const DECISION: &[(&str, &str)] = &[("id", "The decision's id, a UUIDv7.")];

/// What the rules say now of what was decided.
#[derive(ToSchema)]
pub struct Rechecked {
    #[schema(format = Uuid)]
    decision_id: String,
    placement: String,
    /// When the rules were asked.
    checked_at: Instant,
    /// Whether all of it may still be shown; house content always may.
    allowed: bool,
    /// Every slot that shows an offer of the catalogue.
    slots: Vec<RecheckedSlot>,
    /// Until when it is reserved, as decided.
    #[schema(required = true)]
    reserved_until: Option<Instant>,
    /// The bundle whose rules were asked.
    bundle: String,
}

/// What the rules say now of what stands in one slot.
#[derive(ToSchema)]
pub struct RecheckedSlot {
    /// From 1.
    slot: u16,
    offer_id: String,
    variant_id: String,
    /// Whether it may still be shown.
    allowed: bool,
    /// Whether it is still a candidate: neither paused nor gone from the catalogue.
    candidate: bool,
    /// Every rule that would leave it out now.
    excluded_by: Vec<RecordExclusion>,
    /// Every rule that speaks against it and lets it be.
    noted: Vec<RecordNote>,
}

/// What became of a reservation.
#[derive(ToSchema)]
pub struct Released {
    #[schema(format = Uuid)]
    decision_id: String,
    /// `released`, now or before; or `nothing_reserved`, where it shows no offer of the catalogue.
    #[schema(example = "released")]
    status: String,
}

/// What became of two customers.
#[derive(ToSchema)]
pub struct Merged {
    /// As asked.
    customer_id: String,
    /// As asked.
    into: String,
    /// `merged`, now or before.
    #[schema(example = "merged")]
    status: String,
}

/// `POST /v1/customers/{id}:merge`.
pub fn merge() -> About {
    let description = "For two ids that turned out to be one customer: from now on either means the one that stays, \
                       for decisions, outcomes, consents and attributes. The consent records of both count: for each \
                       purpose the newest, of equal ones the stricter. Of each attribute the newer is kept. Caps and \
                       cool-downs count the contacts of both, which may leave more counted than a cap allows; nothing \
                       further is then shown. In one transaction, and never undone. Again it is answered as before.";
    let value = serde_json::json!({"into": "c-42"});
    let example = Example { name: "into", summary: "A guest who signed in", value };
    About {
        path_parts: &[("id", "The customer that goes, as the shop knows them, 1 to 128 bytes.")],
        body: Some((shape::<MergeWire>, vec![example])),
        answers: vec![
            Answer::json("They are one.", shape::<Merged>),
            Answer::problem(404, "No customer is known by one of the ids."),
            Answer::problem(409, "The one that goes was merged into somebody else before, or the other way round."),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("mergeCustomers", "customers", "Make one customer of two", description)
    }
}

/// `POST /v1/decisions/{id}:recheck`.
pub fn recheck() -> About {
    let description = "For a job that decides today and sends tomorrow: asks the rules again, at this moment, about \
                       every offer that was decided, for the purpose it was decided under and on what it knew of \
                       customer and request. Its own contacts do not count against it, and behind a slot only what \
                       is still allowed does. Decides nothing and keeps nothing. What is personal in the reasons is \
                       told to keys that may read records too.";
    let example = Example {
        name: "berlin",
        summary: "Where the customer is, for rules about days there",
        value: serde_json::json!({"time_zone": "Europe/Berlin"}),
    };
    About {
        path_parts: DECISION,
        body: Some((shape::<RecheckWire>, vec![example])),
        answers: vec![
            Answer::json("Slot by slot.", shape::<Rechecked>),
            Answer::problem(404, "No decision has this id."),
            Answer::problem(409, "Nothing can be said any more: what it knew, or its placement, is gone."),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("recheckDecision", "decisions", "Ask whether it may still be sent", description)
    }
}

/// `POST /v1/decisions/{id}:release`.
pub fn release() -> About {
    let description = "For what will not be sent: caps that count what is seen no longer hold room for it, stock and \
                       budgets get back what it held, and nothing is learned from it. A cap that counts decisions \
                       counts it still: it was decided. Again it is answered as before. An impression that comes all \
                       the same counts, with `after_reservation`.";
    About {
        path_parts: DECISION,
        answers: vec![
            Answer::json("It is given back.", shape::<Released>),
            Answer::problem(404, "No decision has this id."),
            Answer::problem(409, "It was seen, clicked, ordered, dismissed or sent back: what was shown counts."),
            Answer::problem(422, "That is no decision id."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("releaseDecision", "decisions", "Give back what will not be sent", description)
    }
}
