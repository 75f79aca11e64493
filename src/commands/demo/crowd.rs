//! Drives the simulated crowd past the placements, through HTTP, day by day, and tells the service what came of it.
//! Judges no strategy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use proffer::domain::{AttributeId, Money, Timestamp, Value};
use proffer::simulation::{Crowd, Customer, Happened, Happening, Step, Visit, World};
use serde_json::{Map, json};

use super::DemoError;
use super::client::{Access, Client, ClientError, Shown};
use super::days::{self, Happenings, MOMENT_MS};
use super::measure::{self, Latencies};
use super::progress::Progress;
use super::scenes::Scenes;
use super::threads::hand_out;
use super::twins::{LANES, placement_id};

/// What customers' ids begin with, by lane: everybody is somebody else in each, so that no strategy uses up another
/// one's caps.
const PREFIXES: [&str; LANES.len()] = ["c", "l", "u"];
/// Events that one webhook carries at most.
const WEBHOOK_EVENTS: usize = 20;

/// What is needed to drive.
pub struct Drive<'a> {
    /// The truth.
    pub world: &'a World,
    /// Who visits.
    pub crowd: &'a Crowd,
    /// How to reach the service.
    pub access: &'a Access,
    /// How many offers a placement shows.
    pub slots: BTreeMap<String, usize>,
    /// How many clients ask at once.
    pub clients: usize,
    /// How many visits there are.
    pub visits: usize,
}

/// One decision, as the crowd saw it.
#[derive(Debug)]
pub struct Made {
    /// Which visit.
    pub visit: usize,
    /// Which of its steps.
    pub step: usize,
    /// Position in [`LANES`].
    pub lane: usize,
    /// Its name.
    pub decision_id: String,
    /// What was shown.
    pub shown: Vec<Shown>,
    /// Whether that was the fallback.
    pub fallback: bool,
    /// Whether the customer is one of those who always get it.
    pub holdout: bool,
    /// What is or will be ordered, by slot, with the margin that stays once refunds have come; minor units.
    pub sold: Vec<(usize, i64)>,
}

/// What the crowd did in all.
#[derive(Debug, Default)]
pub struct Driven {
    /// By visit, then step, then lane.
    pub made: Vec<Made>,
    /// Of decisions, as their client measured them.
    pub latencies: Latencies,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Events sent.
    pub events: usize,
    /// Events that were answered as duplicates.
    pub duplicates: usize,
    /// Orders sent behind their own refund.
    pub reordered: usize,
    /// Orders of which something was sent back.
    pub refunds: usize,
    /// Consents withdrawn.
    pub withdrawals: usize,
}

impl Driven {
    fn merge(&mut self, other: Self) {
        self.made.extend(other.made);
        self.latencies.merge(other.latencies);
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
        self.refunds += other.refunds;
        self.withdrawals += other.withdrawals;
    }
}

/// A customer's id in a lane.
pub fn customer_id(lane: usize, number: usize) -> String {
    format!("{}-{number:04}", PREFIXES.get(lane).copied().unwrap_or_default())
}

/// Attributes as a request carries them: by the name behind the scope.
pub fn plain(values: impl IntoIterator<Item = (AttributeId, Value)>) -> Map<String, serde_json::Value> {
    values.into_iter().map(|(id, value)| (id.name().to_owned(), json!(value))).collect()
}

/// Luck of a slot: that of the step for the first one, and turned on by the golden ratio for those behind it, so that
/// each slot by itself is uniform.
pub fn slot_luck(accept: f64, slot: usize) -> f64 {
    const TURN: f64 = 0.618_033_988_749_894_9;
    (0..slot).fold(accept, |luck, _| (luck + TURN).fract())
}

impl Drive<'_> {
    /// Everybody who will visit.
    pub fn visitors(&self) -> Vec<usize> {
        let visitors = (0..self.visits).map(|visit| self.crowd.visit(self.world, visit).customer);
        visitors.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Records the answer of every customer who will visit to the question for consent.
    pub fn consents(&self, visitors: &[usize], progress: &Progress) -> Result<(), DemoError> {
        hand_out(visitors.len(), self.clients, self.access, &|client, number, (): &mut ()| {
            let Some(customer) = visitors.get(number).and_then(|number| self.crowd.customers.get(*number)) else {
                return Ok(());
            };
            let state = if customer.consents { "granted" } else { "refused" };
            for lane in 0..LANES.len() {
                client.consent(&customer_id(lane, customer.number), state, None)?;
            }
            progress.advance(LANES.len());
            Ok(())
        })
        .map(drop)
    }

    /// Sends the visits past every lane, day by day, and lets days pass until the last webhook has come.
    pub fn days(&self, visitors: &[usize], scenes: Scenes, progress: &Progress) -> Result<Driven, DemoError> {
        let withdrawals = visitors.iter().filter_map(|number| {
            let customer = self.crowd.customers.get(*number)?;
            Some((self.world.calendar.midnight(customer.withdraws_on?), Due::Withdrawal { customer: customer.number }))
        });
        let mut due: BTreeMap<Timestamp, Vec<Due>> = BTreeMap::new();
        for (at, what) in withdrawals {
            due.entry(at).or_default().push(what);
        }
        let days = Days {
            drive: self,
            progress,
            due: Mutex::new(due),
            scenes: Mutex::new(scenes),
            now: Mutex::new(Moment::default()),
        };
        let watch = measure::start();
        let parts = days::pass(self.world.calendar.start, self.clients, self.access, &days)?;
        let mut driven = Driven::default();
        for part in parts {
            driven.merge(part);
        }
        driven.made.sort_by_key(|made| (made.visit, made.step, made.lane));
        driven.seconds = watch.elapsed().as_secs_f64();
        Ok(driven)
    }
}

/// Something that is due at an instant.
enum Due {
    Event { body: serde_json::Value, told: Happening },
    Withdrawal { customer: usize },
}

/// What one moment holds.
#[derive(Default)]
struct Moment {
    webhooks: Vec<Vec<Due>>,
    first_visit: usize,
    next_visit: usize,
}

struct Days<'a> {
    drive: &'a Drive<'a>,
    progress: &'a Progress,
    due: Mutex<BTreeMap<Timestamp, Vec<Due>>>,
    scenes: Mutex<Scenes>,
    now: Mutex<Moment>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Happenings for Days<'_> {
    type Kept = Driven;

    fn begin(&self, client: &Client, moment: usize) -> Result<Option<usize>, DemoError> {
        let Drive { world, crowd, visits, .. } = *self.drive;
        let now = client.now();
        for line in lock(&self.scenes).play(client, world, moment)? {
            self.progress.say(&line);
        }
        let mut due = lock(&self.due);
        let mut ripe: Vec<Due> = Vec::new();
        while let Some(first) = due.first_entry().filter(|first| *first.key() <= now) {
            ripe.extend(first.remove());
        }
        let more = !due.is_empty();
        drop(due);
        let mut current = lock(&self.now);
        current.first_visit = current.next_visit;
        let end = now.0.saturating_add(MOMENT_MS);
        while current.next_visit < visits && crowd.visit(world, current.next_visit).at.0 < end {
            current.next_visit += 1;
        }
        if ripe.is_empty() && !more && current.first_visit == visits && lock(&self.scenes).are_over() {
            return Ok(None);
        }
        current.webhooks.clear();
        while !ripe.is_empty() {
            let rest = ripe.split_off(ripe.len().min(WEBHOOK_EVENTS));
            current.webhooks.push(std::mem::replace(&mut ripe, rest));
        }
        Ok(Some(current.webhooks.len() + current.next_visit - current.first_visit))
    }

    fn work(&self, client: &Client, piece: usize, driven: &mut Driven) -> Result<(), DemoError> {
        let (webhooks, visit) = {
            let mut now = lock(&self.now);
            let behind = now.webhooks.len();
            let visit = now.first_visit + piece.saturating_sub(behind);
            (now.webhooks.get_mut(piece).map(std::mem::take), visit)
        };
        match webhooks {
            Some(due) => tell(client, due, driven),
            None => self.visit(client, visit, driven),
        }
    }
}

impl Days<'_> {
    /// One visit, step by step, in every lane.
    fn visit(&self, client: &Client, number: usize, driven: &mut Driven) -> Result<(), DemoError> {
        let visit = self.drive.crowd.visit(self.drive.world, number);
        for (at, step) in visit.steps.iter().enumerate() {
            for turn in 0..LANES.len() {
                // In turns, so that no strategy always comes first.
                let lane = (number + turn) % LANES.len();
                let mut made = self.ask(client, &visit, (at, step), lane, driven)?;
                self.accept(client, &visit, step, &mut made, driven);
                driven.made.push(made);
            }
            self.progress.advance(LANES.len());
        }
        Ok(())
    }

    fn ask(
        &self,
        client: &Client,
        visit: &Visit,
        (at, step): (usize, &Step),
        lane: usize,
        driven: &mut Driven,
    ) -> Result<Made, ClientError> {
        let count = self.drive.slots.get(step.placement.as_str()).copied().unwrap_or(1);
        let customer = self.drive.crowd.customers.get(visit.customer);
        let attributes = customer.map(|customer: &Customer| plain(customer.attributes.clone())).unwrap_or_default();
        let request = json!({
            "placement": placement_id(step.placement.as_str(), lane),
            "count": count,
            "customer": {"id": customer_id(lane, visit.customer), "attributes": attributes},
            "context": plain(visit.context.clone()),
            "jurisdiction": "US-NY",
            "time_zone": "America/New_York",
        });
        let watch = measure::start();
        let decided = client.decide(&request)?;
        driven.latencies.add(watch.elapsed());
        Ok(Made {
            visit: visit.number,
            step: at,
            lane,
            decision_id: decided.decision_id,
            shown: decided.offers,
            fallback: decided.fallback,
            holdout: decided.holdout,
            sold: Vec::new(),
        })
    }

    /// What is accepted is ordered, sooner or later.
    fn accept(&self, client: &Client, visit: &Visit, step: &Step, made: &mut Made, driven: &mut Driven) {
        let Drive { world, crowd, .. } = *self.drive;
        for (slot, shown) in made.shown.iter().enumerate().filter(|_| !made.fallback) {
            let mut own = step.clone();
            own.luck.accept = slot_luck(step.luck.accept, slot);
            if own.luck.accept >= crowd.acceptance(world, visit, &own, &shown.offer_id, &shown.variant_id) {
                continue;
            }
            let Some(offer) = world.offer(&shown.offer_id).map(|offer| &offer.offer) else { continue };
            let customer = customer_id(made.lane, visit.customer);
            let told = world.happenings(offer, &own);
            let margin = |one: &Happening| match one.what {
                Happened::Order => {
                    if one.again {
                        0
                    } else {
                        one.margin_minor
                    }
                }
                Happened::Refund => -one.margin_minor,
            };
            made.sold.push((slot, told.iter().map(margin).sum()));
            let refunded = told.iter().position(|one| one.what == Happened::Refund);
            let ordered = told.iter().position(|one| one.what == Happened::Order);
            driven.reordered += usize::from(refunded.zip(ordered).is_some_and(|(refund, order)| refund < order));
            for told in told {
                let about = About { decision_id: &made.decision_id, customer: &customer, offer: &shown.offer_id };
                let money = |minor| Money { minor, currency: offer.currency() };
                let body = about.event(&told, money(told.revenue_minor), money(told.margin_minor));
                let at = Timestamp(told.arrives_at.0.max(client.now().0));
                lock(&self.due).entry(at).or_default().push(Due::Event { body, told });
            }
        }
    }
}

/// Tells the service of what happened.
fn tell(client: &Client, due: Vec<Due>, driven: &mut Driven) -> Result<(), DemoError> {
    let (mut events, mut name) = (Vec::new(), String::new());
    for one in due {
        match one {
            Due::Withdrawal { customer } => {
                for lane in 0..LANES.len() {
                    client.consent(&customer_id(lane, customer), "withdrawn", None)?;
                }
                driven.withdrawals += LANES.len();
            }
            Due::Event { body, told } => {
                driven.refunds += usize::from(told.what == Happened::Refund);
                name = format!("msg-{}-{}", body["event_id"].as_str().unwrap_or_default(), told.again);
                events.push(body);
            }
        }
    }
    if !events.is_empty() {
        let taken = client.webhooks(&name, &events)?;
        driven.events += taken.len();
        driven.duplicates += taken.iter().filter(|taken| taken.status == "duplicate").count();
    }
    Ok(())
}

/// Which order an event is about.
pub struct About<'a> {
    /// The decision that showed the offer.
    pub decision_id: &'a str,
    /// Who ordered.
    pub customer: &'a str,
    /// What.
    pub offer: &'a str,
}

impl About<'_> {
    /// The event as a webhook carries it.
    pub fn event(&self, told: &Happening, revenue: Money, margin: Money) -> serde_json::Value {
        let (kind, other) = match told.what {
            Happened::Order => ("order", None),
            Happened::Refund => ("refund", Some(format!("order-{}-{}", self.decision_id, self.offer))),
        };
        let mut event = json!({
            "event_id": format!("{kind}-{}-{}", self.decision_id, self.offer), "source": super::SOURCE, "type": kind,
            "occurred_at": told.occurred_at, "decision_id": self.decision_id, "customer_id": self.customer,
            "offer_id": self.offer, "revenue": revenue, "margin": margin,
        });
        if let (Some(order), Some(fields)) = (other, event.as_object_mut()) {
            fields.insert("refers_to".to_owned(), order.into());
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_one_step_have_lucks_of_their_own_and_each_is_uniform() {
        let lucks: Vec<f64> = (0..3).map(|slot| slot_luck(0.5, slot)).collect();
        assert!(lucks[0] == 0.5 && (lucks[1] - 0.118_034).abs() < 1e-6 && (lucks[2] - 0.736_068).abs() < 1e-6);
        let third: Vec<f64> = (0..1_000).map(|at| slot_luck(f64::from(at) / 1_000.0, 2)).collect();
        assert_eq!(third.iter().filter(|luck| **luck < 0.1).count(), 100);
    }
}
