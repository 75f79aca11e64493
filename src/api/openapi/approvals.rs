//! What the routes about approvals are for, and what they answer. Adds no route.
#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use utoipa::ToSchema;

use super::examples::Example;
use super::operations::{About, Answer, INVALID, STORE_AWAY, about};
use super::shape;
use super::shapes::Instant;
use crate::api::approvals::{ApprovalWire, RevokeWire};
use crate::runtime::APPROVAL_DAYS_MAX;

/// What an approval is about.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum MatterKind {
    Use,
    Offer,
    Bundle,
}

/// On whose behalf somebody approves.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ApprovalAuthority {
    Privacy,
    Business,
}

/// Whether an approval counts, apart from what it is pinned to.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ApprovalState {
    InForce,
    Expired,
    Revoked,
}

/// That it was taken back.
#[derive(ToSchema)]
pub struct ApprovalRevocation {
    at: Instant,
    /// The name of the key.
    by: String,
    note: String,
}

/// An approval as it was given.
#[derive(ToSchema)]
pub struct ApprovalGiven {
    id: u64,
    kind: MatterKind,
    #[schema(required = true, example = "customer.tier")]
    attribute: Option<String>,
    #[schema(required = true)]
    purpose: Option<String>,
    #[schema(required = true)]
    use_case: Option<String>,
    #[schema(required = true)]
    offer_id: Option<String>,
    /// `null` for every variant.
    #[schema(required = true)]
    variant_id: Option<String>,
    /// The hash of what was approved.
    pinned: String,
    authority: ApprovalAuthority,
    /// The name of the key: a person.
    by: String,
    at: Instant,
    expires: Instant,
    note: String,
    state: ApprovalState,
    #[schema(required = true)]
    revoked: Option<ApprovalRevocation>,
}

/// What there is under one authority.
#[derive(ToSchema)]
pub struct ApprovalHeld {
    authority: ApprovalAuthority,
    state: HeldState,
    /// Whose approval it is about.
    #[schema(required = true)]
    by: Option<String>,
    #[schema(required = true)]
    expires: Option<Instant>,
    /// Why it does not count; `null` where it does.
    #[schema(required = true)]
    sentence: Option<String>,
}

/// `voided`: given for what it was before somebody edited it. `same_person`: by who approved it under the other
/// authority.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum HeldState {
    Approved,
    Missing,
    Expired,
    Revoked,
    Voided,
    SamePerson,
}

/// How something that needs approval stands.
#[derive(ToSchema)]
pub struct ApprovalStanding {
    kind: MatterKind,
    #[schema(required = true, example = "customer.tier")]
    attribute: Option<String>,
    #[schema(required = true)]
    purpose: Option<String>,
    #[schema(required = true)]
    use_case: Option<String>,
    #[schema(required = true)]
    offer_id: Option<String>,
    #[schema(required = true)]
    variant_id: Option<String>,
    /// The hash to send when approving it: of the definition, the content or the bundle.
    pinned: String,
    /// Whether everybody has approved it who must.
    approved: bool,
    /// It is approved before this instant.
    #[schema(required = true)]
    until: Option<Instant>,
    held: Vec<ApprovalHeld>,
    /// The placements and rules that use an attribute so, each with its place in the bundle.
    used_by: Vec<String>,
}

/// An approval that was kept, and how what it is about stands now.
#[derive(ToSchema)]
pub struct ApprovalKept {
    approval: ApprovalGiven,
    standing: ApprovalStanding,
}

/// What became of taking one back.
#[derive(ToSchema)]
pub struct ApprovalRevoked {
    id: u64,
    /// `revoked`, or `revoked_before`.
    #[schema(example = "revoked")]
    status: String,
}

/// What a bundle asks to be approved.
#[derive(ToSchema)]
pub struct ApprovalAsks {
    /// Classes of attributes.
    attributes: Vec<String>,
    offers: Vec<ApprovalAuthority>,
    bundle: Vec<ApprovalAuthority>,
}

/// What a bundle asks for, how all of it stands, and every approval that was given.
#[derive(ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field is named so in the answer")]
pub struct Approvals {
    bundle: String,
    at: Instant,
    asks: ApprovalAsks,
    needed: Vec<ApprovalStanding>,
    /// Newest first.
    approvals: Vec<ApprovalGiven>,
}

/// `GET /v1/approvals`.
pub fn list() -> About {
    let description = "What the active bundle, or another one, asks people to approve: each use of an attribute, the \
                       bundle as a whole, the offers of the catalogue; who approved what until when, and what is \
                       missing. And every approval there is, newest first.";
    About {
        query: &[
            ("bundle", "The hash of a published bundle; the active one unless given."),
            ("state", "Only approvals that are `in_force`, `expired` or `revoked`."),
        ],
        answers: vec![
            Answer::json("How everything stands.", shape::<Approvals>),
            Answer::problem(404, "No such bundle is published."),
            Answer::problem(422, "A parameter says something that cannot be."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("listApprovals", "approvals", "See what is approved and what is missing", description)
    }
}

/// `POST /v1/approvals`.
pub fn approve() -> About {
    let description = format!(
        "One person's word for one use of an attribute, one offer or one bundle, under the authority of the key's \
         role. A use needs both authorities, by two different people. The approval is pinned to what was seen: \
         whoever edits the definition, the offer or the bundle afterwards voids it. When this is answered, the next \
         decision of every process relies on it.\n\nLimits: it ends at most {APPROVAL_DAYS_MAX} days from now; a note has 1000 bytes at most."
    );
    let hash = "b3:6c0a1f4e7b2d9358c0a1f4e7b2d9358c6c0a1f4e7b2d9358c0a1f4e7b2d9358c";
    let of_use = serde_json::json!({
        "attribute": "customer.tier", "purpose": "offer_personalisation", "use_case": "feature", "definition": hash,
        "expires": "2026-12-31T00:00:00Z", "note": "DPIA 7, section 3",
    });
    let of_offer = serde_json::json!({"offer_id": "free-shipping", "variant_id": "a", "content": hash,
        "expires": "2026-06-30T00:00:00Z", "note": "Spring campaign"});
    let of_bundle = serde_json::json!({"bundle": hash, "expires": "2026-06-30T00:00:00Z", "note": "Board, 3 March"});
    About {
        body: Some((
            shape::<ApprovalWire>,
            vec![
                Example { name: "use", summary: "A use of an attribute", value: of_use },
                Example { name: "offer", summary: "A variant of an offer", value: of_offer },
                Example { name: "bundle", summary: "A bundle", value: of_bundle },
            ],
        )),
        answers: vec![
            Answer::json("It counts.", shape::<ApprovalKept>),
            Answer::problem(409, "The same person has approved it under the other authority."),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("approve", "approvals", "Approve a use, an offer or a bundle", description)
    }
}

/// `POST /v1/approvals/{id}:revoke`.
pub fn revoke() -> About {
    let description = "Either authority may take back any approval. When this is answered, no decision that starts \
                       afterwards, in any process, relies on it. It stays in the list.";
    let value = serde_json::json!({"note": "Complaint 12"});
    About {
        path_parts: &[("id", "The approval's id.")],
        body: Some((shape::<RevokeWire>, vec![Example { name: "note", summary: "With the reason", value }])),
        answers: vec![
            Answer::json("It no longer counts.", shape::<ApprovalRevoked>),
            Answer::problem(404, "There is no such approval."),
            Answer::problem(422, INVALID),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about("revokeApproval", "approvals", "Take an approval back", description)
    }
}
