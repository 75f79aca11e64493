//! Three scenes while the crowd visits: a refund, a withdrawal of consent, a cap. Each is told in one line.

use proffer::simulation::World;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::crowd::{order_event, refund_event};
use super::measure;

const PLACEMENT: &str = "home_banner";

/// What a scene is made of: the client it is played with, and the world's catalogue.
pub type Scene = fn(&Client, &World) -> Result<String, ClientError>;

/// The scenes with the share of all visits after which each is played.
pub const SCENES: [(f64, Scene); 3] = [(0.25, refund), (0.5, withdrawal), (0.75, cap)];

fn request(customer: &str, candidates: Option<&[&str]>) -> Value {
    let mut request = json!({
        "placement": PLACEMENT,
        "customer": {"id": customer, "attributes": {"tier": "gold", "region": "north", "visits_90d": 6}},
        "context": {"device_type": "mobile"},
    });
    if let Some(candidates) = candidates {
        request["candidates"] = json!(candidates);
    }
    request
}

/// An order, then all of it back: the reward is undone.
fn refund(client: &Client, world: &World) -> Result<String, ClientError> {
    let customer = "ada";
    client.consent(customer, "granted", None)?;
    let decided = client.decide(&request(customer, None))?;
    let id = decided.decision_id;
    let shown = decided.offers.first().map(|shown| shown.offer_id.clone()).unwrap_or_default();
    let Some(offer) = world.offer(&shown).map(|offer| &offer.offer) else {
        return Ok(format!("refund: `{customer}` was shown `{shown}`, which nobody can order"));
    };
    let money = |minor| proffer::domain::Money { minor, currency: offer.currency() };
    let (revenue, margin) = (money(offer.net_price_minor()), money(offer.margin_minor()));
    client.webhook(&order_event(&id, customer, client, revenue, margin))?;
    let before = client.record(&id)?.outcomes.reward;
    client.webhook(&refund_event(&id, client, revenue))?;
    let after = client.record(&id)?.outcomes.reward;
    Ok(format!(
        "refund: `{customer}` ordered `{shown}` for {revenue} and sent it back; the decision's reward went from {} to \
         {} {}",
        before.amount, after.amount, after.currency
    ))
}

/// A withdrawal is honoured by the very next decision.
fn withdrawal(client: &Client, _: &World) -> Result<String, ClientError> {
    let customer = "ben";
    let seen = |record: &super::client::Record| {
        let private = record.private.as_ref();
        let names = private.map(|private| private.attributes.keys().map(String::as_str).collect::<Vec<_>>());
        names.unwrap_or_default().join(", ")
    };
    client.consent(customer, "granted", None)?;
    let first = client.record(&client.decide(&request(customer, None))?.decision_id)?;
    client.consent(customer, "withdrawn", None)?;
    let watch = measure::start();
    let next = client.decide(&request(customer, None))?;
    let took = watch.elapsed().as_secs_f64() * 1_000.0;
    let second = client.record(&next.decision_id)?;
    Ok(format!(
        "consent: `{customer}` withdrew `{}`; the very next decision, {took:.0} ms later, was made for `{}` and \
         read {} instead of {}",
        first.purpose,
        second.purpose,
        seen(&second),
        seen(&first)
    ))
}

/// The third request of a day no longer gets the offer that two showed.
fn cap(client: &Client, _: &World) -> Result<String, ClientError> {
    let (customer, offer) = ("cleo", "trail-runner");
    client.consent(customer, "granted", None)?;
    for _ in 0..2 {
        client.decide(&request(customer, Some(&[offer])))?;
    }
    let third = client.decide(&request(customer, None))?;
    let record = client.record(&third.decision_id)?;
    let shown = third.offers.first().map(|shown| shown.offer_id.clone()).unwrap_or_default();
    let why = record.candidates.iter().find(|candidate| candidate.named.offer_id == offer);
    let why = why.and_then(|candidate| candidate.excluded_by.first()).map(|exclusion| exclusion.sentence.clone());
    Ok(format!(
        "cap: `{customer}` saw `{offer}` twice today; the third request got `{shown}`, because {}",
        why.unwrap_or_else(|| "nothing left it out".to_owned())
    ))
}
