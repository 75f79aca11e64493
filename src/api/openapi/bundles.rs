//! What the routes of bundles are for, what they read and what they may be answered. Reads no request.
#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]
#![expect(clippy::struct_field_names, reason = "fields have the names that the answers have")]

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::ToSchema;

use super::answers::Mistake;
use super::examples::Example;
use super::operations::{About, Answer, INVALID, STORE_AWAY, about};
use super::shape;
use super::shapes::Instant;
use crate::api::policies::{FilesWire, RollbackWire};

const HASH: &[(&str, &str)] = &[("hash", "The hash of a published bundle, or enough of its first digits.")];
const UNKNOWN: &str = "No bundle with this hash is published.";
const AMBIGUOUS: &str = "Several bundles have a hash that begins so.";
const NO_HASH: &str = "That is no hash, or a parameter says something that cannot be.";

/// One activation of a bundle.
#[derive(ToSchema)]
pub struct Activation {
    /// `b3:` and its hash.
    bundle: String,
    at: Instant,
    /// The name of the key that did, or `start`, `command line` and the like.
    by: String,
    /// The control row from then on.
    control_sequence: u64,
}

/// A bundle that was kept.
#[derive(ToSchema)]
pub struct Published {
    bundle: String,
    /// `null` for those kept before it was written down.
    #[schema(required = true)]
    published_at: Option<Instant>,
    #[schema(required = true)]
    published_by: Option<String>,
    active: bool,
    #[schema(required = true)]
    last_activated_at: Option<Instant>,
}

/// The active bundle where a node cannot take it over.
#[derive(ToSchema)]
pub struct BundleRefused {
    bundle: String,
    /// Why, for people.
    why: String,
    since: Instant,
}

/// How a node stands.
#[derive(ToSchema)]
pub struct NodeStanding {
    node: String,
    build: String,
    /// The bundle that it decides under.
    bundle: String,
    /// Since when it does.
    since: Instant,
    control_sequence: u64,
    seen_at: Instant,
    /// Whether it was heard of in the last 15 seconds.
    here: bool,
    /// Why it cannot take the active bundle over: it then decides nothing. `null` where it does, or soon will.
    #[schema(required = true)]
    refused: Option<BundleRefused>,
}

/// Every bundle, and who decides under which.
#[derive(ToSchema)]
pub struct Bundles {
    #[schema(required = true)]
    active: Option<Activation>,
    /// Newest first, 100 at most.
    activations: Vec<Activation>,
    bundles: Vec<Published>,
    /// The revision of the switches set beside bundles.
    switches: u64,
    nodes: Vec<NodeStanding>,
}

/// A rule of a bundle.
#[derive(ToSchema)]
pub struct RuleShown {
    id: String,
    /// The list that it stands in.
    list: String,
    why: String,
    owner: String,
    severity: String,
    overridable: bool,
    #[schema(required = true)]
    effective: Option<String>,
    /// File and line; `null` for a built-in rule.
    #[schema(required = true)]
    place: Option<String>,
}

/// A case that does not hold.
#[derive(ToSchema)]
pub struct CaseFailed {
    name: String,
    path: String,
    line: u64,
    /// What was expected and what came.
    sentences: String,
}

/// A rule of which no case shows some side.
#[derive(ToSchema)]
pub struct Uncovered {
    rule: String,
    gap: String,
}

/// What the own tests of a bundle come to.
#[derive(ToSchema)]
pub struct TestsTried {
    /// Whether every case holds: only then it may be activated.
    holds: bool,
    cases: u64,
    failed: Vec<CaseFailed>,
    uncovered: Vec<Uncovered>,
    /// What this build finds wrong with files that were published by another.
    findings: Option<Vec<Mistake>>,
}

/// What a node said of a bundle that it was asked to make ready.
#[derive(ToSchema)]
pub struct NodeReady {
    node: String,
    ready: bool,
    #[schema(required = true)]
    why_not: Option<String>,
    at: Instant,
}

/// A bundle with everything in it.
#[derive(ToSchema)]
pub struct BundleShown {
    bundle: String,
    name: String,
    /// The meaning given to its text, which is part of the hash.
    compiler: String,
    active: bool,
    #[schema(required = true)]
    published_at: Option<Instant>,
    #[schema(required = true)]
    published_by: Option<String>,
    activations: Vec<Activation>,
    /// By path.
    files: BTreeMap<String, String>,
    placements: Vec<String>,
    rules: Vec<RuleShown>,
    tests: TestsTried,
    nodes: Vec<NodeReady>,
}

/// A bundle that was checked, and kept unless it was a dry run.
#[derive(ToSchema)]
pub struct BundlePublished {
    bundle: String,
    name: String,
    /// Whether it was not kept before.
    new: bool,
    dry_run: bool,
    /// How many rules it has, without the built-in ones.
    rules: u64,
    tests: TestsTried,
}

/// The bundle in force from now on.
#[derive(ToSchema)]
pub struct BundleActivated {
    bundle: String,
    /// Whether another one was in force before.
    changed: bool,
    control_sequence: u64,
    /// Nodes that did not say in time that they are ready: they decide nothing until they have it.
    unheard: Vec<String>,
}

/// What changed of one thing.
#[derive(ToSchema)]
pub struct DifferenceField {
    field: String,
    #[schema(required = true)]
    before: Option<String>,
    #[schema(required = true)]
    after: Option<String>,
}

/// One thing that was added, removed or changed.
#[derive(ToSchema)]
pub struct Difference {
    /// Such as `rule` or `placement`.
    part: String,
    list: String,
    id: String,
    /// `added`, `removed` or `changed`.
    how: String,
    /// File and line.
    place: Vec<serde_json::Value>,
    fields: Vec<DifferenceField>,
    sentences: Vec<String>,
}

/// What changed from one bundle to another.
#[derive(ToSchema)]
pub struct Differences {
    before: String,
    after: String,
    same: bool,
    changes: Vec<Difference>,
}

/// `GET /v1/policies`.
pub fn list() -> About {
    let description = "The active bundle, every activation, every bundle published, and of every node under which it \
                       decides, since when, and why not under the active one where that is so.";
    About {
        answers: vec![Answer::json("All of it.", shape::<Bundles>), Answer::problem(503, STORE_AWAY)],
        ..about("listPolicies", "policies", "List bundles", description)
    }
}

/// `POST /v1/policies`.
pub fn publish() -> About {
    let description = "The files of a bundle: checked, its own tests run, kept under its hash. It is not in force \
                       until it is activated. With `dry_run` nothing is kept. Everything wrong is told at once, each \
                       with its code, file, line and column. Sent again it changes nothing.";
    let files = json!({
        "bundle.yaml": include_str!("../../commands/starter/bundle.yaml"),
        "catalog/attributes.yaml": include_str!("../../commands/starter/catalog/attributes.yaml"),
        "catalog/purposes.yaml": include_str!("../../commands/starter/catalog/purposes.yaml"),
        "placements.yaml": include_str!("../../commands/starter/placements.yaml"),
        "rules/10-consent.yaml": include_str!("../../commands/starter/rules/10-consent.yaml"),
    });
    let value = json!({"files": files, "dry_run": true});
    let example = Example { name: "check", summary: "Check a small bundle and keep nothing", value };
    About {
        body: Some((shape::<FilesWire>, vec![example])),
        answers: vec![
            Answer::json("It may be activated if its tests hold.", shape::<BundlePublished>),
            Answer::problem(422, "The files have mistakes: `errors` names every one, with its code and place."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("publishPolicies", "policies", "Check or publish a bundle", description)
    }
}

/// `POST /v1/policies:rollback`.
pub fn rollback() -> About {
    let description = "Puts the bundle back in force that was active before this one. Every node has it ready, so that \
                       it takes no longer than a commit. With `from` it may be sent again: where that bundle is no \
                       longer the active one nothing is changed.";
    let value = json!({"from": "b3:4f1c29aa"});
    let example = Example { name: "from", summary: "Take this one back", value };
    About {
        body: Some((shape::<RollbackWire>, vec![example])),
        answers: in_force(),
        ..about("rollbackPolicies", "policies", "Take the active bundle back", description)
    }
}

fn in_force() -> Vec<Answer> {
    vec![
        Answer::json("It is in force: no decision is committed under any other.", shape::<BundleActivated>),
        Answer::problem(404, UNKNOWN),
        Answer::problem(
            409,
            "It is not put in force, and the one before still is: its own tests do not hold, a node cannot take it \
             over, there is none before, or several have a hash that begins so.",
        ),
        Answer::problem(422, INVALID),
        Answer::problem(503, STORE_AWAY),
    ]
}

/// `POST /v1/policies/{hash}:activate`.
pub fn activate() -> About {
    let description = "Its own tests are run; every node that is there fetches it, verifies it, compiles it and runs \
                       its tests; only then it is in force, everywhere at once. Where one of them fails, the bundle \
                       before stays in force and the answer says why. Sent again it changes nothing.";
    About {
        path_parts: HASH,
        answers: in_force(),
        ..about("activatePolicies", "policies", "Put a bundle in force", description)
    }
}

/// `GET /v1/policies/{hash}`.
pub fn show() -> About {
    let description = "Its files, its rules, what its own tests come to now, and which nodes have it ready.";
    About {
        path_parts: HASH,
        answers: vec![
            Answer::json("The bundle.", shape::<BundleShown>),
            Answer::problem(404, UNKNOWN),
            Answer::problem(409, AMBIGUOUS),
            Answer::problem(422, NO_HASH),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("showPolicies", "policies", "See a bundle", description)
    }
}

/// `GET /v1/policies/{hash}/diff`.
pub fn diff() -> About {
    let description = "What would change if this bundle were put in force in place of another one, rule by rule and in \
                       sentences.";
    About {
        path_parts: HASH,
        query: &[("with", "The hash of the bundle before, or `active`, which it is unless given.")],
        answers: vec![
            Answer::json("What changed.", shape::<Differences>),
            Answer::problem(404, UNKNOWN),
            Answer::problem(409, AMBIGUOUS),
            Answer::problem(422, NO_HASH),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("diffPolicies", "policies", "Compare bundles", description)
    }
}
