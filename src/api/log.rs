//! `GET /v1/log/...` and proofs of decisions: the log as anybody can check it with tools that are not ours. Signs
//! nothing.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::App;
use super::problem::Problem;
use super::query::Query;
use crate::domain::{DecisionId, Digest};
use crate::runtime::proofs::{Proof, Proved, newest_checkpoint, prove, prove_growth};
use crate::transparency::tile::{TileId, tile_bytes};

/// Media type of a tile.
pub const BYTES: &str = "application/octet-stream";

fn hashes(path: &[Digest]) -> Vec<String> {
    path.iter().map(|hash| STANDARD.encode(hash.0)).collect()
}

/// A proof as it is answered.
pub fn shown(proof: &Proof) -> Value {
    json!({
        "decision_id": proof.stored.decision_id,
        "position": proof.position,
        "record": STANDARD.encode(&proof.stored.record.skeleton),
        "leaf": STANDARD.encode(proof.stored.record.leaf.0),
        "path": hashes(&proof.path),
        "size": proof.checkpoint.size,
        "root": STANDARD.encode(proof.checkpoint.root.0),
        "checkpoint": proof.note,
    })
}

/// `GET /v1/decisions/{id}/proof`.
pub async fn proof(app: App, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = DecisionId::parse(&id).map_err(|error| Problem::invalid_id(error.to_string()))?;
    match prove(app.store.as_ref(), id).await? {
        Proved::Logged(proof) => Ok(HttpResponse::Ok().json(shown(&proof))),
        Proved::NotYet => Err(Problem::not_yet(format!(
            "decision `{id}` is stored and no checkpoint of the log covers it yet: ask again in a second or two"
        ))),
        Proved::Unknown => Err(Problem::not_found(format!("no decision `{id}` is stored"))),
    }
}

/// `GET /v1/log/checkpoint`.
pub async fn checkpoint(app: App) -> Result<HttpResponse, Problem> {
    match newest_checkpoint(app.store.as_ref()).await? {
        Some((_, note)) => Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(note)),
        None => Err(Problem::not_yet("the log has no checkpoint yet: ask again in a second or two")),
    }
}

/// `GET /v1/log/tile/{tile}`.
pub async fn tile(app: App, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let (id, width) = TileId::parse(&path).map_err(|error| Problem::invalid_id(error.to_string()))?;
    let tiles = app.store.log_tiles(&[id]).await.map_err(crate::runtime::RuntimeError::from)?;
    let hashes = tiles.0.get(&id).and_then(|hashes| hashes.get(..width));
    let hashes = hashes.ok_or_else(|| {
        let there = tiles.0.get(&id).map_or(0, Vec::len);
        Problem::not_found(format!("tile `{path}` has {there} hashes so far, and {width} were asked for"))
    })?;
    // What is there never changes: a longer tile has another name.
    let forever = ("cache-control", "private, max-age=31536000, immutable");
    Ok(HttpResponse::Ok().insert_header(forever).content_type(BYTES).body(tile_bytes(hashes)))
}

/// `GET /v1/log/consistency`.
pub async fn consistency(app: App, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::read(&request, &["from", "to"]);
    let from = query.number("from", 0, u64::MAX);
    let to = query.number("to", 0, u64::MAX);
    query.done()?;
    let newest = newest_checkpoint(app.store.as_ref()).await?.map_or(0, |(checkpoint, _)| checkpoint.size);
    let (from, to) = (from.unwrap_or(0), to.unwrap_or(newest));
    let path = prove_growth(app.store.as_ref(), from, to).await?;
    let path = path.ok_or_else(|| {
        Problem::not_found(format!("the log has no proof from {from} to {to} leaves: its checkpoint is of {newest}"))
    })?;
    Ok(HttpResponse::Ok().json(json!({"from": from, "to": to, "path": hashes(&path)})))
}
