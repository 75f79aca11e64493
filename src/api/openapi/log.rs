//! What the routes of the log are for, what they read and what they may be answered. Reads no request.
#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ObjectBuilder, RefOr};

use super::operations::{About, Answer, STORE_AWAY, about};
use super::{Schemas, shape, text};
use crate::api::log::BYTES;

/// That a decision stands in the log: hash `record` behind a zero byte, climb `path` from `position`, and the root of
/// `checkpoint` must come out. All bytes are Base64.
#[derive(ToSchema)]
pub struct InclusionProof {
    #[schema(format = Uuid)]
    decision_id: String,
    /// Its position in the log, from 0.
    position: u64,
    /// The public part of its record, as it was committed.
    record: String,
    /// SHA-256 of a zero byte and the record.
    leaf: String,
    /// The hashes beside it, from the leaf up, as RFC 6962 has them.
    path: Vec<String>,
    /// Leaves of the log that the path leads to.
    size: u64,
    /// Their root.
    root: String,
    /// The same, signed: a note as C2SP has them.
    checkpoint: String,
}

/// That the log of `to` leaves begins with that of `from`: a consistency proof of RFC 6962, in Base64.
#[derive(ToSchema)]
pub struct ConsistencyProof {
    from: u64,
    to: u64,
    path: Vec<String>,
}

fn bytes(_: &mut Schemas) -> RefOr<Schema> {
    RefOr::T(Schema::Object(ObjectBuilder::new().description(Some("32 bytes for each hash.")).build()))
}

/// `GET /v1/decisions/{id}/proof`.
pub fn proof() -> About {
    About {
        path_parts: &[("id", "The decision's id, a UUIDv7.")],
        answers: vec![
            Answer::json("The proof, under the newest checkpoint.", shape::<InclusionProof>),
            Answer::problem(404, "No decision has this id."),
            Answer::problem(409, "It is stored and no checkpoint covers it yet: ask again in a second or two."),
            Answer::problem(422, "That is no decision id."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about(
            "proveDecision",
            "log",
            "Prove that a decision stands in the log",
            "Its public record, its leaf, the hashes beside it and the signed checkpoint that they lead to: enough to \
             check it without asking again.",
        )
    }
}

/// `GET /v1/log/checkpoint`.
pub fn checkpoint() -> About {
    About {
        answers: vec![
            Answer { status: 200, meaning: "The checkpoint.", content: vec![("text/plain", text)] },
            Answer::problem(409, "There is none yet: ask again in a second or two."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about(
            "logCheckpoint",
            "log",
            "Read the newest checkpoint of the log",
            "A signed note (C2SP tlog-checkpoint): origin, number of leaves, root, and the site's signature. Keep it: \
             whoever has an older one can prove later that nothing before it was changed.",
        )
    }
}

/// `GET /v1/log/tile/{tile}`.
pub fn tile() -> About {
    About {
        path_parts: &[("tile", "As C2SP tlog-tiles names it, such as `0/x001/234` or `0/x001/234.p/17`.")],
        answers: vec![
            Answer { status: 200, meaning: "Its hashes.", content: vec![(BYTES, bytes)] },
            Answer::problem(404, "The log has no such tile, or not so much of it."),
            Answer::problem(422, "That is no path of a tile."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about(
            "logTile",
            "log",
            "Read hashes of the log",
            "A tile of 256 hashes, or of as many as its name says: every root and every proof can be computed from \
             tiles. What a tile holds never changes.",
        )
    }
}

/// `GET /v1/log/consistency`.
pub fn consistency() -> About {
    About {
        query: &[
            ("from", "Leaves of the older checkpoint; 0 unless given."),
            ("to", "Leaves of the newer one; those of the newest unless given."),
        ],
        answers: vec![
            Answer::json("The proof.", shape::<ConsistencyProof>),
            Answer::problem(404, "The log has not so many leaves."),
            Answer::problem(422, "The parameters say something that cannot be."),
            Answer::problem(503, STORE_AWAY),
        ],
        ..about(
            "logConsistency",
            "log",
            "Prove that the log only grew",
            "For whoever kept an older checkpoint: the newer one begins with everything that the older one covered.",
        )
    }
}
