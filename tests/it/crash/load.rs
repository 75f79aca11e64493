//! Load: what one client thread does, drawn by chance from a seed. Checks nothing.

use proffer::domain::{DecisionId, Timestamp};
use serde_json::{Value, json};

use super::ledger::{Asked, Consented, Imported, Ledger, Order, Refund, Sent};
use super::wire::{Gone, Wire};
use crate::harness::client::now_ms;

/// Decisions asked for each customer, by all threads at once, so that caps bite.
const DECISIONS_PER_CUSTOMER: u64 = 12;
const OFFERS: u64 = 10;
const DAY_MS: i64 = 86_400_000;

/// Numbers from a seed (`SplitMix64`).
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let at = self.below(among.len().max(1) as u64);
        among.get(usize::try_from(at).unwrap())
    }
}

/// Writes an import down, ready to be sent, and names it.
pub fn plan_import(ledger: &mut Ledger) -> u64 {
    let name = ledger.next();
    let money = |cents: u64| json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "USD"});
    let offers: Vec<Value> = (0..OFFERS)
        .map(|number| {
            json!({
                "offer_id": format!("offer-{number}"),
                "price": money(4_000),
                "cost_of_goods": money(2_500 + (name * 37 + number * 113) % 1_000),
                "cost_of_showing": money(number),
                "variants": [
                    {"variant_id": "a", "content": {"import": name}},
                    {"variant_id": "b", "content": {"import": name}},
                ],
            })
        })
        .collect();
    ledger.imports.insert(name, Imported { offers: Value::Array(offers), times: 0, revision: None });
    name
}

/// One client thread.
pub struct Worker<'a> {
    wire: &'a Wire<'a>,
    chance: Chance,
    /// Decisions that were answered and no order was sent for.
    open: Vec<DecisionId>,
    /// Every decision that was answered.
    answered: Vec<DecisionId>,
    /// Events to be sent later.
    later: Vec<String>,
    /// Events that were answered.
    told: Vec<String>,
}

impl<'a> Worker<'a> {
    pub fn new(wire: &'a Wire<'a>, seed: u64) -> Self {
        let (open, answered, later, told) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { wire, chance: Chance(seed), open, answered, later, told }
    }

    /// Works until a connection breaks.
    pub fn run(mut self) {
        while !self.wire.is_broken() && self.step().is_ok() {}
    }

    fn step(&mut self) -> Result<(), Gone> {
        match self.chance.below(200) {
            0 => {
                let name = plan_import(&mut self.wire.ledger());
                self.wire.import(name).map(drop)
            }
            1..15 => self.consent(),
            15..60 => self.trade(),
            60..70 => match self.chance.pick(&self.answered) {
                Some(id) => self.wire.ask(*id).map(drop),
                None => Ok(()),
            },
            _ => self.decide(),
        }
    }

    /// The customer whose turn it is, or one of a few who keep coming back.
    fn customer(&mut self, turn: u64) -> String {
        if self.chance.one_in(5) {
            format!("regular-{}", turn % 3)
        } else {
            format!("customer-{}", turn / DECISIONS_PER_CUSTOMER)
        }
    }

    fn decide(&mut self) -> Result<(), Gone> {
        let turn = self.wire.ledger().next();
        let mut bits = [0; 10];
        bits[..8].copy_from_slice(&self.chance.next().to_be_bytes());
        let id = DecisionId::from_parts(now_ms(), bits);
        let mut request = json!({
            "decision_id": id,
            "placement": self.chance.pick(&["home_banner", "sidebar", "checkout", "checkout"]),
            "jurisdiction": "US-NY",
            "context": {"device_type": self.chance.pick(&["desktop", "mobile"])},
        });
        if !self.chance.one_in(12) {
            let tier = self.chance.pick(&["bronze", "silver", "gold"]);
            request["customer"] = json!({"id": self.customer(turn), "attributes": {"tier": tier}});
        }
        self.wire.ledger().decisions.insert(id, Asked { request, answer: None, found: false });
        // Some orders come before the decision they name is known.
        let early = self.chance.one_in(15);
        if early {
            let order = self.plan_order(id);
            self.wire.tell(&[order])?;
        }
        if self.wire.ask(id)? {
            if !early {
                self.open.push(id);
            }
            self.answered.push(id);
        }
        Ok(())
    }

    fn consent(&mut self) -> Result<(), Gone> {
        let turn = self.wire.ledger().next();
        let (customer, evidence) = (self.customer(turn), format!("evidence-{turn}"));
        let state = self.chance.pick(&["granted", "granted", "granted", "withdrawn"]);
        let record = json!({"purpose": "offer_personalisation", "state": state, "evidence_id": evidence});
        let put = Consented { customer, record, times: 0, acknowledged: false };
        self.wire.ledger().consents.insert(evidence.clone(), put);
        self.wire.put(&evidence).map(drop)
    }

    /// Sends one to four events in any order: orders, refunds before and after them, and some of them again.
    fn trade(&mut self) -> Result<(), Gone> {
        let mut names = Vec::new();
        if !self.later.is_empty() && self.chance.one_in(2) {
            names.push(self.later.swap_remove(0));
        }
        if !self.open.is_empty() {
            let at = self.chance.below(self.open.len() as u64);
            let id = self.open.swap_remove(usize::try_from(at).unwrap());
            let order = self.plan_order(id);
            match self.chance.below(6) {
                0 => names.extend([order, self.plan_refund(id)]),
                1 => names.extend([self.plan_refund(id), order]),
                2 => {
                    names.push(order);
                    let refund = self.plan_refund(id);
                    self.later.push(refund);
                }
                3 => {
                    names.push(self.plan_refund(id));
                    self.later.push(order);
                }
                _ => names.push(order),
            }
        }
        if self.chance.one_in(3) {
            names.extend(self.chance.pick(&self.told).cloned());
        }
        names.dedup();
        if !names.is_empty() && self.wire.tell(&names)? {
            self.told.extend(names);
        }
        Ok(())
    }

    fn plan_order(&mut self, id: DecisionId) -> String {
        let name = format!("order-{id}");
        let revenue = 500 + self.chance.below(8_000).cast_signed();
        let margin = self.chance.one_in(2).then(|| self.chance.below(3_000).cast_signed() - 1_000);
        let late = self.chance.one_in(20);
        let at = Timestamp(if late { id.unix_ms() - 2 * DAY_MS } else { now_ms() });
        let mut event = json!({
            "event_id": name, "source": self.wire.source.name, "type": "order", "occurred_at": at, "decision_id": id,
            "revenue": dollars(revenue),
        });
        if let Some(margin) = margin {
            event["margin"] = dollars(margin);
        }
        let mut ledger = self.wire.ledger();
        ledger.events.insert(name.clone(), Sent { event, times: 0, acknowledged: false });
        ledger.trades.entry(id).or_default().order = Some(Order { revenue, margin, late });
        name
    }

    fn plan_refund(&mut self, id: DecisionId) -> String {
        let name = format!("refund-{id}");
        let mut ledger = self.wire.ledger();
        let order = ledger.trades[&id].order.unwrap();
        let back = self.chance.one_in(2).then(|| 1 + self.chance.below(order.revenue.cast_unsigned()).cast_signed());
        let mut event = json!({
            "event_id": name, "source": self.wire.source.name, "type": "refund", "occurred_at": Timestamp(now_ms()),
            "refers_to": format!("order-{id}"),
        });
        if let Some(back) = back {
            event["revenue"] = dollars(back);
        }
        if self.chance.one_in(2) {
            event["decision_id"] = json!(id);
        }
        ledger.events.insert(name.clone(), Sent { event, times: 0, acknowledged: false });
        ledger.trades.get_mut(&id).unwrap().refund = Some(back.map_or(Refund::All, Refund::Amount));
        name
    }
}

fn dollars(cents: i64) -> Value {
    let sign = if cents < 0 { "-" } else { "" };
    json!({
        "amount": format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100), "currency": "USD",
    })
}
