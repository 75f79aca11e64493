//! Ledger: all that the clients sent and what they were told. Sends nothing and reads no store.

use std::collections::BTreeMap;

use proffer::domain::DecisionId;
use serde_json::Value;

/// What was found wrong, however it was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Acknowledged and gone.
    pub lost: usize,
    /// Counted or stored twice.
    pub doubled: usize,
    /// Every finding in words, those two kinds included.
    pub told: Vec<String>,
}

impl Findings {
    /// Something acknowledged is gone.
    pub fn lost(&mut self, what: &str) {
        self.lost += 1;
        self.told.push(format!("lost: {what}"));
    }

    /// Something is there twice.
    pub fn doubled(&mut self, what: &str) {
        self.doubled += 1;
        self.told.push(format!("doubled: {what}"));
    }

    /// Something else is not as it must be.
    pub fn wrong(&mut self, what: &str) {
        self.told.push(format!("wrong: {what}"));
    }
}

/// A decision that was asked for.
pub struct Asked {
    /// The request, the same every time.
    pub request: Value,
    /// The first answer that came.
    pub answer: Option<Value>,
    /// It was found in the store after a kill that followed its answer.
    pub found: bool,
}

/// An outcome that was sent.
pub struct Sent {
    /// The event, the same every time.
    pub event: Value,
    /// How often it was sent.
    pub times: u32,
    /// Whether an answer came.
    pub acknowledged: bool,
}

/// A consent record that was put.
pub struct Consented {
    /// Whose.
    pub customer: String,
    /// The record; its evidence id is its name here.
    pub record: Value,
    /// How often it was sent.
    pub times: u32,
    /// Whether an answer came.
    pub acknowledged: bool,
}

/// Offers that were imported.
pub struct Imported {
    /// The offers; each carries the name of the import.
    pub offers: Value,
    /// How often they were sent.
    pub times: u32,
    /// The catalogue revision that was answered.
    pub revision: Option<u64>,
}

/// An order of a decision, as the clients know it. Amounts are in cents.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub revenue: i64,
    /// Nothing where the catalogue's counts.
    pub margin: Option<i64>,
    /// Outside the window of its decision.
    pub late: bool,
}

/// A refund of an order.
#[derive(Debug, Clone, Copy)]
pub enum Refund {
    /// It names no amount, which means all.
    All,
    /// Cents paid back.
    Amount(i64),
}

/// What the clients know of the outcomes of one decision: at most one order, and at most one refund of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trade {
    pub order: Option<Order>,
    pub refund: Option<Refund>,
}

impl Trade {
    /// Whether the decision counts as accepted and its reward in cents, computed by hand for one order and one refund.
    pub fn earned(&self, margin: i64, cost: i64, cap: i64) -> (bool, i64) {
        let Some(order) = self.order.filter(|order| !order.late) else { return (false, -cost) };
        let margin = order.margin.unwrap_or(margin);
        match self.refund {
            None => (true, margin.clamp(-cap, cap) - cost),
            Some(Refund::Amount(back)) if back < order.revenue => {
                // Its share of the margin, rounded half up.
                let share = (2 * margin * back + order.revenue).div_euclid(2 * order.revenue);
                (true, (margin - share).clamp(-cap, cap) - cost)
            }
            Some(_) => (false, -cost),
        }
    }
}

/// All that the clients of one store know, over every kill.
#[derive(Default)]
pub struct Ledger {
    pub decisions: BTreeMap<DecisionId, Asked>,
    pub events: BTreeMap<String, Sent>,
    pub trades: BTreeMap<DecisionId, Trade>,
    pub consents: BTreeMap<String, Consented>,
    pub imports: BTreeMap<u64, Imported>,
    pub findings: Findings,
    turn: u64,
}

impl Ledger {
    /// The next of the numbers that all clients share.
    pub fn next(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    /// How many decisions and outcomes were acknowledged.
    pub fn acknowledged(&self) -> (usize, usize) {
        let decisions = self.decisions.values().filter(|asked| asked.answer.is_some()).count();
        (decisions, self.events.values().filter(|sent| sent.acknowledged).count())
    }

    /// Names of what was sent and never answered.
    pub fn unanswered(&self) -> Unanswered {
        Unanswered {
            decisions: self.decisions.iter().filter(|(_, asked)| asked.answer.is_none()).map(|(id, _)| *id).collect(),
            events: self.events.iter().filter(|(_, sent)| !sent.acknowledged).map(|(id, _)| id.clone()).collect(),
            consents: self.consents.iter().filter(|(_, put)| !put.acknowledged).map(|(id, _)| id.clone()).collect(),
            imports: self.imports.iter().filter(|(_, made)| made.revision.is_none()).map(|(id, _)| *id).collect(),
        }
    }
}

/// Names of what was sent and never answered.
pub struct Unanswered {
    pub decisions: Vec<DecisionId>,
    pub events: Vec<String>,
    pub consents: Vec<String>,
    pub imports: Vec<u64>,
}

impl Unanswered {
    /// How many.
    pub fn count(&self) -> usize {
        self.decisions.len() + self.events.len() + self.consents.len() + self.imports.len()
    }
}

#[test]
fn one_order_and_one_refund_earn_what_a_hand_computes() {
    let order = Some(Order { revenue: 4_000, margin: None, late: false });
    let check = |trade: Trade, accepted: bool, reward: i64| {
        assert_eq!(trade.earned(900, 5, 1_000), (accepted, reward), "{trade:?}");
    };
    check(Trade::default(), false, -5);
    check(Trade { order, refund: None }, true, 895);
    check(Trade { order, refund: Some(Refund::All) }, false, -5);
    check(Trade { order, refund: Some(Refund::Amount(1_000)) }, true, 670);
    check(Trade { order, refund: Some(Refund::Amount(4_000)) }, false, -5);
    check(Trade { order: order.map(|order| Order { late: true, ..order }), refund: None }, false, -5);
    check(Trade { order: order.map(|order| Order { margin: Some(9_000), ..order }), refund: None }, true, 995);
}
