//! A small shop for tests: its policies, its offers and what is asked of it. Starts no service.

use proffer::domain::{DecisionId, Timestamp};
use proffer::policy::Source;
use serde_json::{Value, json};

/// When every test begins: 2026-03-01T09:30:00Z.
pub const NOW: Timestamp = Timestamp(1_772_357_400_000);

const PURPOSES: &str = "\
purposes:
  - id: offer_personalisation
    dpv: ProvideProductRecommendations
    bases:
      EU: [consent]
      US: [consent, legitimate_interest]
    fallback: offer_contextual
  - id: offer_contextual
    dpv: Marketing
";

const ATTRIBUTES: &str = "\
attributes:
  - id: customer.tier
    type: {enum: [bronze, silver, gold]}
    class: personal
    source: crm
    time_to_live: 90d
    owner: crm-team
  - id: customer.visits
    type: {number: {mean: 4, scale: 4}}
    class: personal
    source: web-analytics
    time_to_live: 7d
    owner: web-team
  - id: context.device_type
    type: {enum: [desktop, mobile, tablet]}
    class: public
    source: shop-front
    owner: web-team
  - id: offer.category
    type: {enum: [shoes, outdoor, home, service]}
    class: public
    source: catalogue
    owner: merchandising
";

const PLACEMENTS: &str = "\
placements:
  - id: home
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    reservation: 10m
    # Two tiers teach what a tier does, though nobody without one was seen.
    strategy: {name: thompson_linear, prior: none, half_life: 60d, exploration: 0.05}
    features: [customer.tier, context.device_type]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}
  - id: explore
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    reservation: 10m
    strategy: {name: thompson_linear, half_life: 60d, exploration: 1.0}
    features: [customer.tier]
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}
";

const RULES: &str = "\
owner: shop
purpose_gates:
  - id: consent.personal
    why: Personal offers need a consent in force
    purpose: offer_personalisation
margin_floors:
  - id: margin.floor
    why: Finance floor for the year
    min_margin: 10%
frequency_caps:
  - id: cap.offer.day
    why: Nobody sees one offer more than twice a day
    scope: [customer, offer]
    max: 2
    window: {rolling: 24h}
    counts: decision
  - id: cap.all.week
    why: At most five offers a week
    scope: [customer]
    max: 5
    window: {rolling: 7d}
    counts: decision
";

/// The files of the bundle.
pub fn policies() -> Vec<Source> {
    let file = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    vec![
        file("bundle.yaml", "name: test-shop\nschema: 1\n"),
        file("catalog/attributes.yaml", ATTRIBUTES),
        file("catalog/purposes.yaml", PURPOSES),
        file("placements.yaml", PLACEMENTS),
        file("rules/shop.yaml", RULES),
    ]
}

/// The bundle with one piece of text replaced by another wherever it stands.
pub fn policies_with(old: &str, new: &str) -> Vec<Source> {
    let mut files = policies();
    assert!(files.iter().any(|file| file.text.contains(old)), "no policy file contains `{old}`");
    for file in &mut files {
        file.text = file.text.replace(old, new);
    }
    files
}

/// Writes policy files into a folder, as an author would have them.
pub fn write_policies(folder: &std::path::Path, files: &[Source]) {
    for file in files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.text).unwrap();
    }
}

/// An offer in dollars.
pub fn offer(id: &str, category: &str, price: &str, cost: &str) -> Value {
    json!({
        "offer_id": id, "name": id, "category": category,
        "price": {"amount": price, "currency": "USD"}, "cost_of_goods": {"amount": cost, "currency": "USD"},
        "variants": [{"variant_id": "a", "content": {"headline": format!("See {id}")}}],
    })
}

/// Four offers to choose from, one of them below the margin floor, and the house content.
pub fn offers() -> Value {
    json!([
        offer("boots", "shoes", "80.00", "52.00"),
        offer("lamp", "home", "40.00", "25.00"),
        offer("mug", "home", "10.00", "9.50"),
        offer("tent", "outdoor", "120.00", "90.00"),
        offer("house-welcome", "service", "0.00", "0.00"),
    ])
}

/// A decision id of the hour in which every test begins.
pub fn id(number: u8) -> String {
    DecisionId::from_parts(NOW.0, [number; 10]).to_string()
}

/// A request for a decision.
pub fn ask(customer: &str) -> Value {
    json!({
        "customer": {"id": customer, "attributes": {"tier": "gold"}},
        "placement": "home",
        "context": {"device_type": "mobile"},
    })
}

/// The same with a decision id.
pub fn ask_as(number: u8, customer: &str) -> Value {
    with(&ask(customer), "decision_id", &json!(id(number)))
}

/// The request with one field set.
pub fn with(request: &Value, field: &str, value: &Value) -> Value {
    let mut request = request.clone();
    request[field] = value.clone();
    request
}

/// A consent for personal offers.
pub fn consent(state: &str) -> Value {
    json!({"consents": [{"purpose": "offer_personalisation", "state": state}]})
}

/// An order that names the decision which earned it.
pub fn order(event: &str, decision: &str, revenue: &str) -> Value {
    json!({
        "event_id": event, "source": "checkout", "type": "order", "occurred_at": NOW.to_string(),
        "decision_id": decision, "revenue": {"amount": revenue, "currency": "USD"},
    })
}

/// A refund of an order.
pub fn refund(event: &str, order: &str) -> Value {
    json!({
        "event_id": event, "source": "checkout", "type": "refund", "occurred_at": NOW.to_string(), "refers_to": order,
    })
}
