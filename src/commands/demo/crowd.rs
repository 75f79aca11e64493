//! Drives the simulated crowd past the placements, through HTTP, from several threads. Judges no strategy.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proffer::domain::{AttributeId, Money, Value};
use proffer::simulation::{Crowd, Customer, Happened, Step, Visit, World};
use serde_json::{Map, json};

use super::DemoError;
use super::client::{Access, Client, ClientError, Shown};
use super::measure::{self, Latencies};
use super::progress::Progress;
use super::threads::hand_out;

/// The placements that the same crowd is sent past, with what their customers' ids begin with.
pub const PLACEMENTS: [(&str, &str); 3] =
    [("home_banner", "ts"), ("home_banner_linucb", "lu"), ("home_banner_uniform", "un")];

/// What is needed to drive.
pub struct Drive<'a> {
    /// The truth.
    pub world: &'a World,
    /// Who visits.
    pub crowd: &'a Crowd,
    /// How to reach the service.
    pub access: &'a Access,
    /// How many clients ask at once.
    pub clients: usize,
}

/// One decision, as the crowd saw it.
#[derive(Debug)]
pub struct Made {
    /// Which visit.
    pub visit: usize,
    /// Position in [`PLACEMENTS`].
    pub placement: usize,
    /// Its name.
    pub decision_id: String,
    /// What was shown.
    pub shown: Shown,
    /// Whether that was the fallback.
    pub fallback: bool,
    /// Whether it was ordered and kept.
    pub accepted: bool,
    /// Margin of what was ordered and kept, in minor units.
    pub margin_minor: i64,
}

/// What the crowd did in all.
#[derive(Debug, Default)]
pub struct Driven {
    /// By visit, then placement.
    pub made: Vec<Made>,
    /// Of decisions, as their client measured them.
    pub latencies: Latencies,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Webhooks sent.
    pub webhooks: usize,
    /// Webhooks that were answered as duplicates.
    pub duplicates: usize,
    /// Orders refunded.
    pub refunds: usize,
}

impl Driven {
    fn merge(&mut self, other: Self) {
        self.made.extend(other.made);
        self.latencies.merge(other.latencies);
        self.webhooks += other.webhooks;
        self.duplicates += other.duplicates;
        self.refunds += other.refunds;
    }
}

/// A customer's id at a placement: distinct per placement, so that no strategy uses up another one's caps.
pub fn customer_id(placement: usize, number: usize) -> String {
    let prefix = PLACEMENTS.get(placement).map_or("", |(_, prefix)| prefix);
    format!("{prefix}-{number:04}")
}

/// Attributes as a request carries them: by the name behind the scope.
pub fn plain(values: impl IntoIterator<Item = (AttributeId, Value)>) -> Map<String, serde_json::Value> {
    values.into_iter().map(|(id, value)| (id.name().to_owned(), json!(value))).collect()
}

impl Drive<'_> {
    /// Records the answer of every customer who will visit to the question for consent.
    pub fn consents(&self, visitors: &[usize], progress: &Progress) -> Result<(), DemoError> {
        hand_out(visitors.len(), self.clients, self.access, &|client, number, (): &mut ()| {
            let Some(customer) = visitors.get(number).and_then(|number| self.crowd.customers.get(*number)) else {
                return Ok(());
            };
            let state = if customer.consents { "granted" } else { "refused" };
            for placement in 0..PLACEMENTS.len() {
                client.consent(&customer_id(placement, customer.number), state, None)?;
            }
            progress.advance(PLACEMENTS.len());
            Ok(())
        })
        .map(drop)
    }

    /// Sends the visits past every placement. `done` counts them; `meanwhile` runs beside, until the last one is done.
    pub fn visits(
        &self,
        visits: usize,
        progress: &Progress,
        meanwhile: &(dyn Fn(&AtomicUsize, &AtomicBool) -> Result<(), ClientError> + Sync),
    ) -> Result<Driven, DemoError> {
        let (done, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let watch = measure::start();
        let (parts, beside) = std::thread::scope(|scope| {
            let beside = scope.spawn(|| meanwhile(&done, &over));
            let parts = hand_out(visits, self.clients, self.access, &|client, number, driven: &mut Driven| {
                let visit = self.crowd.visit(self.world, number);
                for turn in 0..PLACEMENTS.len() {
                    // In turns, so that no placement always comes first.
                    self.one(client, &visit, (number + turn) % PLACEMENTS.len(), driven)?;
                }
                done.fetch_add(1, Ordering::Relaxed);
                progress.advance(PLACEMENTS.len());
                Ok(())
            });
            over.store(true, Ordering::Relaxed);
            (parts, beside.join())
        });
        let seconds = watch.elapsed().as_secs_f64();
        let mut driven = Driven::default();
        parts?.into_iter().for_each(|part| driven.merge(part));
        beside.map_err(|_| DemoError::Thread)??;
        driven.made.sort_by_key(|made| (made.visit, made.placement));
        driven.seconds = seconds;
        Ok(driven)
    }

    /// One visit at one placement: ask, look, perhaps order.
    fn one(&self, client: &Client, visit: &Visit, placement: usize, driven: &mut Driven) -> Result<(), ClientError> {
        let Some((name, customer)) = PLACEMENTS.get(placement).zip(self.crowd.customers.get(visit.customer)) else {
            return Ok(());
        };
        let request = request(name.0, &customer_id(placement, customer.number), customer, visit);
        let watch = measure::start();
        let decided = client.decide(&request)?;
        driven.latencies.add(watch.elapsed());
        let Some(shown) = decided.offers.into_iter().next() else { return Ok(()) };
        let mut made = Made {
            visit: visit.number,
            placement,
            decision_id: decided.decision_id,
            shown,
            fallback: decided.fallback,
            accepted: false,
            margin_minor: 0,
        };
        if let Some(step) = visit.steps.first().filter(|_| !made.fallback) {
            let (offer, variant) = (&made.shown.offer_id, &made.shown.variant_id);
            if step.luck.accept < self.crowd.acceptance(self.world, visit, step, offer, variant) {
                self.order(client, visit, step, &mut made, driven)?;
            }
        }
        driven.made.push(made);
        Ok(())
    }

    /// The order's webhook, perhaps twice, perhaps with a refund behind it. Delays are left out.
    fn order(
        &self,
        client: &Client,
        visit: &Visit,
        step: &Step,
        made: &mut Made,
        driven: &mut Driven,
    ) -> Result<(), ClientError> {
        let Some(offer) = self.world.offer(&made.shown.offer_id).map(|offer| &offer.offer) else { return Ok(()) };
        let customer = customer_id(made.placement, visit.customer);
        let money = |minor| Money { minor, currency: offer.currency() };
        made.accepted = true;
        for told in self.world.happenings(offer, step) {
            let (revenue, margin) = (money(told.revenue_minor), money(told.margin_minor));
            let event = match told.what {
                Happened::Order => order_event(&made.decision_id, &customer, client, revenue, margin),
                Happened::Refund => refund_event(&made.decision_id, client, revenue),
            };
            driven.duplicates += usize::from(client.webhook(&event)?.status == "duplicate");
            driven.webhooks += 1;
            match told.what {
                Happened::Order if !told.again => made.margin_minor += told.margin_minor,
                Happened::Order => {}
                Happened::Refund => {
                    driven.refunds += 1;
                    made.accepted &= told.revenue_minor < offer.net_price_minor();
                    made.margin_minor -= told.margin_minor;
                }
            }
        }
        Ok(())
    }
}

/// The request of a visit.
pub fn request(placement: &str, customer_id: &str, customer: &Customer, visit: &Visit) -> serde_json::Value {
    json!({
        "placement": placement,
        "customer": {"id": customer_id, "attributes": plain(customer.attributes.clone())},
        "context": plain(visit.context.clone()),
    })
}

/// The webhook of an order.
pub fn order_event(
    decision_id: &str,
    customer_id: &str,
    client: &Client,
    revenue: Money,
    margin: Money,
) -> serde_json::Value {
    json!({
        "event_id": format!("order-{decision_id}"), "source": super::SOURCE, "type": "order",
        "occurred_at": client.now(), "decision_id": decision_id, "customer_id": customer_id,
        "revenue": revenue, "margin": margin,
    })
}

/// The webhook of a refund of all of it.
pub fn refund_event(decision_id: &str, client: &Client, revenue: Money) -> serde_json::Value {
    json!({
        "event_id": format!("refund-{decision_id}"), "source": super::SOURCE, "type": "refund",
        "occurred_at": client.now(), "decision_id": decision_id, "refers_to": format!("order-{decision_id}"),
        "revenue": revenue,
    })
}
