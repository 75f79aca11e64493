//! `GET /v1/models`: what was learned, arm by arm, and which process learns. Derives nothing.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::App;
use crate::domain::money::print_decimal;

/// `GET /v1/models`.
pub async fn list(app: App) -> HttpResponse {
    let (snapshot, models) = (app.snapshot(), app.models());
    let listed: Vec<Value> = models
        .0
        .iter()
        .map(|(id, model)| {
            let placement = snapshot.bundle.placements.values().find(|placement| placement.model_id() == *id);
            let digits = placement.map_or(2, |placement| placement.currency.exponent());
            let arms: Vec<Value> = model
                .arms()
                .map(|(arm, statistics)| {
                    let reward = i64::try_from(statistics.reward()).unwrap_or(i64::MAX);
                    json!({
                        "offer_id": arm.offer, "variant_id": arm.variant, "exposures": statistics.exposures(),
                        "accepted": statistics.accepted(), "reward": print_decimal(reward, digits),
                    })
                })
                .collect();
            json!({
                "model": id, "placement": placement.map(|placement| &placement.id),
                "strategy": placement.map(|placement| placement.strategy.name()),
                "sequence": model.sequence(), "digest": model.digest(), "dimensions": model.dimensions(), "arms": arms,
            })
        })
        .collect();
    // What was learned is told even while the store is away.
    let learner = app.store.lease().await.ok().filter(|lease| lease.term > 0).map(|lease| {
        json!({
            "term": lease.term, "node": lease.holder.node, "incarnation": lease.holder.incarnation,
            "lease_until": lease.until, "held": lease.held,
        })
    });
    let this = json!({
        "node": app.holder.node, "incarnation": app.holder.incarnation, "term": app.term(),
        "bundle": snapshot.bundle.hash_text(), "catalogue": snapshot.catalogue.revision,
    });
    HttpResponse::Ok().json(json!({"day": snapshot.day.0, "learner": learner, "this": this, "models": listed}))
}
