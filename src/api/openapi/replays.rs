//! What the route is for that makes a decision again, and what it answers. Adds no route.
#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use serde_json::Value;
use utoipa::ToSchema;

use super::operations::{About, Answer, STORE_AWAY, about};
use super::shape;

/// What became of a decision that was made again.
#[derive(ToSchema)]
pub struct Replay {
    #[schema(format = Uuid)]
    decision_id: String,
    /// `identical`: the same bytes, from the recorded scores and from the model; `identical_from_scores`: the same, and
    /// the model state is no longer kept; `differs`; `erased`: the customer's key is gone; `unavailable`: something
    /// that the record names is gone.
    #[schema(example = "identical")]
    verdict: String,
    /// In words.
    explanation: String,
    /// What is gone, where something is.
    missing: Option<String>,
    /// What differs, where something does.
    fields: Option<Vec<ReplayedField>>,
}

/// A field that came out otherwise.
#[derive(ToSchema)]
pub struct ReplayedField {
    #[schema(example = "slots[0].draw.u")]
    path: String,
    /// What the record says.
    #[schema(required = true)]
    recorded: Value,
    /// What came of deciding again.
    #[schema(required = true)]
    again: Value,
}

/// `GET /v1/decisions/{id}/replay`.
pub fn replay() -> About {
    let description = "Makes the decision again: first from the facts and scores that its record holds, then from the \
                       model as it was, rebuilt from its newest checkpoint before the decision and the learning \
                       events since. Both times the record is sealed anew and compared byte for byte. Changes nothing.";
    About {
        path_parts: &[("id", "The decision's id, a UUIDv7.")],
        answers: vec![
            Answer::json("What became of it.", shape::<Replay>),
            Answer::problem(404, "No decision has this id."),
            Answer::problem(422, "That is no decision id."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("replayDecision", "decisions", "Make it again and compare", description)
    }
}
