//! What the routes of switches are for, what they read and what they may be answered. Reads no request.
#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]
#![expect(clippy::struct_field_names, reason = "fields have the names that the answers have")]

use serde_json::json;
use utoipa::ToSchema;

use super::examples::Example;
use super::operations::{About, Answer, INVALID, STORE_AWAY, about};
use super::shape;
use super::shapes::Instant;

const SWITCH: &[(&str, &str)] = &[("id", "The switch's id.")];

/// Which list of a bundle it would stand in.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum SwitchKind {
    KillSwitch,
    Override,
}

/// A kill switch or an override, with the fields that it would have in a bundle.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Names it for ever: an id is used once.
    #[schema(example = "recall-boots", max_length = 48)]
    id: String,
    kind: SwitchKind,
    /// The justification, told with everything that it leaves out, puts in or pins.
    why: String,
    /// Who answers for it; the key that sets it unless given.
    owner: Option<String>,
    /// Who approved it.
    approver: String,
    /// Where that is written down.
    ticket: String,
    /// `from` (now unless given) and `until`, at most 14 days later; dates need a `time_zone`.
    #[schema(value_type = Object)]
    effective: serde_json::Value,
    /// `placements`, `channels` and `regions`; everywhere unless given.
    #[schema(value_type = Object, required = false)]
    applies_to: Option<serde_json::Value>,
    /// Of a kill switch: `offers`, `categories` and `campaigns`, or the word `all`.
    stop: Option<serde_json::Value>,
    /// Of an override: `force_in`, `force_out` or `pin`.
    action: Option<String>,
    /// Of an override.
    offers: Option<Vec<String>>,
}

/// How it stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum SwitchState {
    Planned,
    InForce,
    Expired,
    Ended,
}

/// Who set it, and when.
#[derive(ToSchema)]
pub struct SwitchSet {
    at: Instant,
    by: String,
    /// The revision of the switches that it made.
    revision: u64,
}

/// Who ended it before its time, when and why.
#[derive(ToSchema)]
pub struct SwitchEnded {
    at: Instant,
    by: String,
    why: String,
    /// The revision of the switches that it made.
    revision: u64,
}

/// A switch as it is kept.
#[derive(ToSchema)]
pub struct SwitchShown {
    switch: Switch,
    /// The id by which records name it.
    #[schema(example = "proffer.switch.recall-boots")]
    rule: String,
    state: SwitchState,
    /// It no longer holds from then on, by the time of a decision.
    until: Instant,
    set: SwitchSet,
    #[schema(required = true)]
    ended: Option<SwitchEnded>,
}

/// A switch after a change.
#[derive(ToSchema)]
pub struct SwitchChanged {
    switch: Switch,
    /// The id by which records name it.
    rule: String,
    state: SwitchState,
    /// It no longer holds from then on, by the time of a decision.
    until: Instant,
    set: SwitchSet,
    #[schema(required = true)]
    ended: Option<SwitchEnded>,
    /// Whether this call has changed anything.
    changed: bool,
    /// What works but will surprise.
    warnings: Option<Vec<String>>,
}

/// A page of switches.
#[derive(ToSchema)]
pub struct Switches {
    /// The revision of the switches.
    revision: u64,
    /// The instant that `state` is of.
    at: Instant,
    switches: Vec<SwitchShown>,
    /// Send it as `cursor` for older ones; `null` where there are none.
    #[schema(required = true)]
    next_cursor: Option<u64>,
}

/// `GET /v1/switches`.
pub fn list() -> About {
    let description = "Kill switches and overrides that were set beside bundles, newest first, with who set and who \
                       ended them, when and why.";
    About {
        query: &[
            ("cursor", "`next_cursor` of the page before."),
            ("limit", "At most so many, 1 to 1000; 100 unless given."),
            ("state", "Only those that are `in_force`, `planned`, `expired` or `ended`."),
        ],
        answers: vec![
            Answer::json("A page of them.", shape::<Switches>),
            Answer::problem(422, "A parameter says something that cannot be."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("listSwitches", "switches", "List switches", description)
    }
}

/// `POST /v1/switches`.
pub fn set() -> About {
    let description = "A kill switch or an override in force at once, on every node, without a bundle: when the answer \
                       has come, no decision that starts afterwards overlooks it. It says the same as it would in \
                       `kill_switches` or `overrides` of a bundle, ends by itself after 14 days at most, and lifts no \
                       rule that is not overridable. Sent again it changes nothing; another switch of the same id is a \
                       409.";
    let recall = json!({
        "id": "recall-boots", "kind": "kill_switch", "why": "Recalled by the maker", "approver": "Jane Doe",
        "ticket": "OPS-1234", "effective": {"until": "2026-03-05T00:00:00Z"}, "stop": {"offers": ["boots"]},
    });
    let launch = json!({
        "id": "launch-tent", "kind": "override", "why": "Launch of the year", "approver": "Jane Doe",
        "ticket": "MKT-77", "effective": {"from": "2026-03-02T08:00:00Z", "until": "2026-03-04T08:00:00Z"},
        "applies_to": {"placements": ["home_banner"]}, "action": "pin", "offers": ["tent"],
    });
    let example = |name, summary, value| Example { name, summary, value };
    About {
        body: Some((
            shape::<Switch>,
            vec![example("stop", "Stop an offer at once", recall), example("pin", "Pin an offer for two days", launch)],
        )),
        answers: vec![
            Answer::json("It is in force, or will be.", shape::<SwitchChanged>),
            Answer::problem(409, "The id names another switch, or one that was ended; or no bundle is active."),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("setSwitch", "switches", "Set a switch", description)
    }
}

/// `DELETE /v1/switches/{id}`.
pub fn end() -> About {
    let description = "It is kept with everything that it did; from now on it no longer holds. Sent again it stays \
                       as it was ended first.";
    About {
        path_parts: SWITCH,
        query: &[("why", "The reason, kept with it, 1 to 500 bytes; needed.")],
        answers: vec![
            Answer::json("It is ended.", shape::<SwitchChanged>),
            Answer::problem(404, "No switch of this id was ever set."),
            Answer::problem(422, "The reason is missing."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("endSwitch", "switches", "End a switch", description)
    }
}
