//! Drives the events of a file through the service: decide, look up the reward, post it. Sums up nothing.

use std::collections::BTreeMap;

use proffer::domain::{DecisionId, Timestamp};
use proffer::simulation::replay::feedback::Event;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::file::PLACEMENT;
use crate::commands::demo::DemoError;
use crate::commands::demo::client::{Access, Client, ClientError, Decided, SOURCE};
use crate::commands::demo::threads::hand_out;
use crate::commands::measure::{self, Latencies};
use crate::commands::progress::Progress;

/// What came of one event.
#[derive(Debug)]
pub struct Played {
    /// Position in the file.
    pub event: usize,
    /// The name its decision got.
    pub decision_id: String,
    /// Whether the fallback was shown.
    pub fallback: bool,
    /// The file's reward of what was shown; 0 for the fallback.
    pub reward: f64,
}

/// What came of all events.
#[derive(Debug, Default)]
pub struct Driven {
    /// In the order of the file.
    pub played: Vec<Played>,
    /// Of decisions, as their client measured them.
    pub latencies: Latencies,
    /// Orders posted.
    pub orders: usize,
    /// From the first request to the last answer.
    pub seconds: f64,
}

/// A decision id may lie within a day of the service's clock; with many clients that clock can be ahead of an event.
const BEHIND_MS_MAX: i64 = 12 * 3_600_000;
/// How often a decision is asked for whose id had grown too old while it was under way.
const TRIES_MAX: usize = 8;

/// Plays every event, in the order of the file as far as several clients at once can keep it.
pub fn play(events: &[Event], access: &Access, clients: usize, progress: &Progress) -> Result<Driven, DemoError> {
    let watch = measure::start();
    let parts = hand_out(events.len(), clients, access, &|client, number, driven: &mut Driven| {
        let Some(event) = events.get(number) else { return Ok(()) };
        access.core.clock.set(event.at);
        access.core.follow_day();
        let watch = measure::start();
        let decided = decide(client, event)?;
        driven.latencies.add(watch.elapsed());
        let shown = decided.offers.first().map(|shown| shown.offer_id.as_str()).unwrap_or_default();
        let reward = if decided.fallback { 0.0 } else { event.rewards.get(shown).copied().unwrap_or(0.0) };
        if reward > 0.0 {
            client.webhook(&order(client, event, &decided.decision_id, shown, reward))?;
            driven.orders += 1;
        }
        let (decision_id, fallback) = (decided.decision_id, decided.fallback);
        driven.played.push(Played { event: number, decision_id, fallback, reward });
        progress.advance(1);
        Ok(())
    })?;
    let mut all = Driven { seconds: watch.elapsed().as_secs_f64(), ..Driven::default() };
    for part in parts {
        all.played.extend(part.played);
        all.latencies.merge(part.latencies);
        all.orders += part.orders;
    }
    all.played.sort_by_key(|played| played.event);
    Ok(all)
}

/// How many candidates each rule left out, from the records.
pub fn exclusions(
    played: &[Played],
    access: &Access,
    clients: usize,
    progress: &Progress,
) -> Result<BTreeMap<String, usize>, DemoError> {
    let parts = hand_out(played.len(), clients, access, &|client, number, counts: &mut BTreeMap<String, usize>| {
        let Some(played) = played.get(number) else { return Ok(()) };
        let record = client.record(&played.decision_id)?;
        for exclusion in record.candidates.into_iter().flat_map(|candidate| candidate.excluded_by) {
            *counts.entry(exclusion.rule).or_insert(0) += 1;
        }
        progress.advance(1);
        Ok(())
    })?;
    let mut all = BTreeMap::new();
    for (rule, count) in parts.into_iter().flatten() {
        *all.entry(rule).or_insert(0) += count;
    }
    Ok(all)
}

fn decide(client: &Client, event: &Event) -> Result<Decided, ClientError> {
    let mut tries = 0;
    loop {
        match client.decide(&request(event, &decision_id(event, client.now()))) {
            Err(ClientError::Refused { status: 422, body, .. })
                if tries < TRIES_MAX && body.contains("/decision_id") =>
            {
                tries += 1;
            }
            other => return other,
        }
    }
}

/// The event's own time where the clock is still near it, otherwise the clock's; the rest names the event.
fn decision_id(event: &Event, now: Timestamp) -> DecisionId {
    let at = if now.0 - event.at.0 > BEHIND_MS_MAX { now } else { event.at };
    let named = Sha256::new().chain_update("proffer/replay/1").chain_update(&event.id).finalize();
    let mut bits = [0; 10];
    bits.iter_mut().zip(named).for_each(|(bit, byte)| *bit = byte);
    DecisionId::from_parts(at.0, bits)
}

fn request(event: &Event, id: &DecisionId) -> Json {
    json!({
        "decision_id": id,
        "placement": PLACEMENT,
        "customer": {"id": event.customer_id},
        "context": event.context,
        "candidates": event.rewards.keys().collect::<Vec<_>>(),
    })
}

fn order(client: &Client, event: &Event, decision_id: &str, offer_id: &str, reward: f64) -> Json {
    // An order of nothing would be none: a reward below a cent is posted as a cent.
    let amount = json!({"amount": format!("{:.2}", reward.max(0.01)), "currency": "USD"});
    json!({
        "event_id": format!("order-{decision_id}"), "source": SOURCE, "type": "order", "occurred_at": client.now(),
        "decision_id": decision_id, "customer_id": event.customer_id, "offer_id": offer_id,
        "revenue": amount, "margin": amount,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_named_by_its_event_and_near_the_clock() {
        let event = |id: &str, at| Event {
            line: 1,
            id: id.to_owned(),
            at: Timestamp(at),
            customer_id: "c".into(),
            context: BTreeMap::new(),
            rewards: BTreeMap::new(),
        };
        let day = 86_400_000;
        let id = |name: &str, at, now| decision_id(&event(name, at), Timestamp(now));
        assert_eq!(id("a", day, day), id("a", day, day + 1_000));
        assert_ne!(id("a", day, day), id("b", day, day));
        assert_eq!(id("a", day, 3 * day).unix_ms(), 3 * day);
    }
}
