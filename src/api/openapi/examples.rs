//! Requests as callers send them, for the document. Tests read each one as the service does.

use serde_json::{Value, json};

/// A named example of a body.
#[derive(Debug, Clone)]
pub struct Example {
    /// Unique within the body.
    pub name: &'static str,
    /// What it shows.
    pub summary: &'static str,
    /// The body.
    pub value: Value,
}

const fn example(name: &'static str, summary: &'static str, value: Value) -> Example {
    Example { name, summary, value }
}

/// For `POST /v1/decisions`.
pub fn decisions() -> Vec<Example> {
    let least = json!({"placement": "home_banner"});
    let most = json!({
        "decision_id": "019ca8bb-b5c0-7101-8101-010101010101",
        "customer": {
            "id": "c-42", "session": "s-9", "device": "d-1", "household": null,
            "attributes": {"tier": "gold", "region": "north"},
        },
        "placement": "home_banner", "count": 1, "jurisdiction": "US-NY", "time_zone": "America/New_York",
        "context": {"device_type": "mobile"},
        "basket": [{
            "sku": "A1", "category": "shoes", "quantity": 1, "price": {"amount": "51.20", "currency": "USD"},
        }],
        "candidates": ["free-shipping", "ten-off"],
        "dry_run": false,
    });
    vec![example("least", "Of nobody in particular", least), example("most", "With everything there is", most)]
}

/// For a line of `POST /v1/decisions:batch`.
pub fn batch() -> Vec<Example> {
    let line = json!({"placement": "home_banner", "customer": {"id": "c-42"}});
    let named = json!({
        "decision_id": "019ca8bb-b5c0-7102-8102-020202020202", "placement": "home_banner", "customer": {"id": "c-43"},
    });
    vec![example("line", "For one customer", line), example("named", "For another, to be sent again safely", named)]
}

/// For `POST /v1/outcomes`.
pub fn outcomes() -> Vec<Example> {
    let order = json!({
        "event_id": "order-9001", "source": "checkout", "type": "order", "occurred_at": "2026-03-01T09:30:00Z",
        "decision_id": "019ca8bb-b5c0-7101-8101-010101010101", "customer_id": "c-42", "offer_id": "free-shipping",
        "coupon": null, "refers_to": null,
        "revenue": {"amount": "59.90", "currency": "USD"}, "margin": {"amount": "14.20", "currency": "USD"},
    });
    let refund = json!([{
        "event_id": "refund-77", "source": "checkout", "type": "refund", "occurred_at": "2026-03-01T09:34:00Z",
        "refers_to": "order-9001", "revenue": {"amount": "59.90", "currency": "USD"},
    }]);
    vec![example("order", "One order", order), example("refund", "A list with a refund of it", refund)]
}

/// For `PUT /v1/customers/{id}/consents`.
pub fn consents() -> Vec<Example> {
    let granted = json!({"consents": [{"purpose": "offer_personalisation", "state": "granted"}]});
    let whole = json!({"consents": [{
        "purpose": "offer_personalisation", "state": "withdrawn", "basis": "consent",
        "valid_from": "2026-03-01T09:30:00Z", "valid_until": null, "notice_hash": "b3:8f0c", "evidence_id": "call-17",
        "source": "consent-platform",
    }]});
    vec![example("granted", "A yes from now on", granted), example("withdrawn", "A yes taken back", whole)]
}

/// For `PUT /v1/customers/{id}/attributes`.
pub fn attributes() -> Vec<Example> {
    let values = json!({"attributes": {"tier": "gold", "region": null}});
    let timed = json!({"attributes": {
        "tier": {"value": "gold", "at": "2026-03-01T09:30:00Z", "valid_until": "2026-04-01T00:00:00Z"},
    }});
    vec![example("values", "One is set, one removed", values), example("timed", "With its times", timed)]
}

/// For `POST /v1/offers:import`.
pub fn offers() -> Vec<Example> {
    let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let offers = json!([{
        "offer_id": "free-shipping", "name": "Free shipping", "category": "shoes", "status": "active",
        "price": money("40.00"), "discount": money("0.00"), "cost_of_goods": money("24.00"),
        "shipping": money("4.00"), "expected_return_cost": money("1.00"), "loyalty_cost": money("0.40"),
        "vendor_funding": money("0.50"), "cost_of_showing": money("0.01"), "attributes": {},
        "variants": [{"variant_id": "a", "content": {"headline": "We pay the postage"}}],
    }]);
    let values = |examples: Vec<Example>| examples.into_iter().map(|one| one.value).collect::<Vec<_>>();
    let both = json!({"campaigns": values(campaign()), "offers": values(offer())});
    vec![
        example("offers", "One offer with its costs", offers),
        example("both", "A campaign and an offer of it, with everything there is", both),
    ]
}

/// For `PUT /v1/offers/{id}`.
pub fn offer() -> Vec<Example> {
    let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let offer = json!({
        "offer_id": "spring-boots", "name": "Spring boots", "category": "shoes", "more_categories": ["outdoor"],
        "campaign": "spring", "status": "active", "starts_at": "2026-03-01T00:00:00Z",
        "ends_at": "2026-06-01T00:00:00Z",
        "pauses": [{"from": "2026-04-03T00:00:00Z", "until": "2026-04-06T00:00:00Z"}], "stock": 40,
        "price": money("90.00"), "cost_of_goods": money("52.00"),
        "variants": [{"variant_id": "a", "content": {"headline": "Dry feet all spring"}}],
    });
    vec![example("scheduled", "An offer with a schedule, a stock and a campaign", offer)]
}

/// For `PUT /v1/campaigns/{id}`.
pub fn campaign() -> Vec<Example> {
    let campaign = json!({
        "campaign_id": "spring", "name": "Into the spring", "owner": "outdoor-team", "status": "active",
        "starts_at": "2026-03-01T00:00:00Z", "ends_at": "2026-06-01T00:00:00Z",
        "pauses": [{"from": "2026-04-03T00:00:00Z", "until": "2026-04-06T00:00:00Z"}],
        "budget": {"amount": "20000.00", "currency": "USD"},
    });
    vec![example("spring", "A campaign of three months with a break", campaign)]
}

/// For `POST /v1/offers/{id}/stock`.
pub fn stock() -> Vec<Example> {
    vec![
        example("set", "Counted: 40 are there", json!({"set": 40})),
        example("sold", "Three were sold", json!({"add": -3, "request_id": "order-9001"})),
        example("unlimited", "No longer counted", json!({"set": null})),
    ]
}
