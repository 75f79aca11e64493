//! Pools in one decision: whether there is enough left for an offer, and what choosing it takes. Knows what is gone
//! from whoever asks; the store says whether that is true.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Pool, PoolAmount, PoolBy, Pooled};
use crate::domain::decision::Failed;
use crate::domain::{Catalogue, Offer, Placement, PoolKey, PoolReading, Purse, RuleId, StoreId, Take, Timestamp};
use crate::policy::bundle::Bundle;
use crate::policy::rules::{OnMissing, Rule, RuleKind};
use crate::policy::shelf::{Scoped, Shelves};
use crate::policy::verdict::Verdict;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct PoolsAsked<'a> {
    /// Where.
    pub placement: &'a Placement,
    /// Where the request comes from.
    pub jurisdiction: Option<&'a str>,
    /// The store asked in.
    pub store: Option<&'a StoreId>,
    /// When it is decided.
    pub now: Timestamp,
    /// What is known to be gone.
    pub purse: &'a Purse,
}

/// The pools of one decision, and what it took of them.
#[derive(Debug, Clone)]
pub struct Pools<'a> {
    rules: Vec<One<'a>>,
    catalogue: &'a Catalogue,
    asked: PoolsAsked<'a>,
    takes: Vec<Take>,
    /// What left something out or was taken from: the total, and what was gone before the decision.
    met: BTreeMap<(u16, PoolKey), (i64, i64)>,
}

#[derive(Debug, Clone)]
struct One<'a> {
    of: Arc<Scoped<Pooled>>,
    rule: &'a Rule,
    period: Timestamp,
    /// The same for all offers; nothing where the catalogue says it of each.
    total: Option<i64>,
}

/// What choosing an offer takes of a pool.
struct Draw<'n> {
    name: Cow<'n, str>,
    total: i64,
    need: i64,
    sunk: i64,
    units: bool,
}

impl<'a> Pools<'a> {
    /// The pools that rules in force at a placement limit.
    pub fn at(bundle: &'a Bundle, (shelves, catalogue): (&Shelves, &'a Catalogue), asked: PoolsAsked<'a>) -> Self {
        let kept = shelves.at(&asked.placement.id).map(|shelf| shelf.pools.as_slice()).unwrap_or_default();
        let one = |of: &Arc<Scoped<Pooled>>| {
            let rule = bundle.rule(of.rule).filter(|rule| rule.in_force(asked.now, asked.jurisdiction))?;
            let pool = pool_of(rule);
            let period = pool.map_or(Timestamp(0), |pool| pool.window.began(asked.now));
            Some(One { of: of.clone(), rule, period, total: pool.map(|pool| pool.total(asked.now)) })
        };
        let rules = kept.iter().filter_map(one).collect();
        Self { rules, catalogue, asked, takes: Vec::new(), met: BTreeMap::new() }
    }

    /// Adds every rule of whose pool too little is left for an offer; notes it where the rule only speaks.
    pub fn ask(&mut self, offer: u32, verdict: &mut Verdict) {
        let Self { rules, catalogue, asked, takes, met } = self;
        for one in rules.iter().filter(|one| one.of.covers(offer)) {
            let Some(found) = catalogue.offers().get(offer as usize) else { continue };
            let rule = one.of.rule;
            let failed = match one.draw(offer, found, asked.store) {
                Drawn::Nothing => continue,
                Drawn::Unknown => Failed { rule, observed: None, limit: None },
                Drawn::From(draw) => {
                    let before = asked.purse.gone(&draw.name, one.period);
                    let gone = before.saturating_add(taken(takes, &draw.name, one.period));
                    if gone.saturating_add(draw.need) <= draw.total {
                        continue;
                    }
                    let pool = PoolKey { name: draw.name.into_owned(), period: one.period };
                    met.insert((rule, pool), (draw.total, before));
                    Failed { rule, observed: Some(gone), limit: Some(draw.total) }
                }
            };
            if one.rule.blocks() { verdict.failed.push(failed) } else { verdict.noted.push(failed) }
        }
    }

    /// Takes what an offer needs that was chosen for a slot.
    pub fn take(&mut self, offer: u32, slot: u16) {
        let Self { rules, catalogue, asked, takes, met } = self;
        let until = asked.now.plus(asked.placement.reservation);
        for one in rules.iter().filter(|one| one.of.covers(offer)) {
            let Some(found) = catalogue.offers().get(offer as usize) else { continue };
            let Drawn::From(draw) = one.draw(offer, found, asked.store) else { continue };
            let before = asked.purse.gone(&draw.name, one.period);
            let pool = PoolKey { name: draw.name.into_owned(), period: one.period };
            met.insert((one.of.rule, pool.clone()), (draw.total, before));
            let total = one.rule.blocks().then_some(draw.total);
            takes.push(Take { slot, pool, amount: draw.need, sunk: draw.sunk, total, until, units: draw.units });
        }
    }

    /// The pools that an offer draws on, each with the rule that limits it.
    pub fn drawn_on(&self, offer: u32) -> Vec<(&RuleId, PoolKey)> {
        let covers = self.rules.iter().filter(|one| one.of.covers(offer));
        let drawn = covers.filter_map(|one| {
            let found = self.catalogue.offers().get(offer as usize)?;
            let Drawn::From(draw) = one.draw(offer, found, self.asked.store) else { return None };
            Some((&one.rule.id, PoolKey { name: draw.name.into_owned(), period: one.period }))
        });
        drawn.collect()
    }

    /// Gives everything back: nothing of what was chosen is shown.
    pub fn give_back(&mut self) {
        self.takes.clear();
    }

    /// What was taken, and what a record keeps of the pools that mattered.
    pub fn done(self) -> (Vec<Take>, Option<Vec<PoolReading>>) {
        let Self { takes, met, .. } = self;
        let reading = |((rule, pool), (total, gone)): ((u16, PoolKey), (i64, i64))| PoolReading {
            rule,
            total,
            gone,
            taken: taken(&takes, &pool.name, pool.period),
            since: (pool.period != Timestamp(0)).then_some(pool.period),
            name: pool.name,
        };
        let readings: Vec<PoolReading> = met.into_iter().map(reading).collect();
        let readings = (!readings.is_empty()).then_some(readings);
        (takes, readings)
    }
}

fn taken(takes: &[Take], name: &str, period: Timestamp) -> i64 {
    let of = takes.iter().filter(|take| take.pool.name == name && take.pool.period == period);
    of.map(|take| take.amount).sum()
}

fn pool_of(rule: &Rule) -> Option<&Pool> {
    match &rule.kind {
        RuleKind::Budgeted(pool) | RuleKind::Stocked(pool) => Some(pool),
        _ => None,
    }
}

enum Drawn<'n> {
    /// The offer takes nothing of it.
    Nothing,
    /// Of which pool is not known, and the rule leaves out what is not known.
    Unknown,
    From(Draw<'n>),
}

impl One<'_> {
    fn draw(&self, at: u32, offer: &Offer, store: Option<&StoreId>) -> Drawn<'_> {
        let Some((name, told)) = self.of.of.of(at) else { return Drawn::Nothing };
        let units = match &self.rule.kind {
            RuleKind::Budgeted(pool) | RuleKind::Stocked(pool) => matches!(pool.amount, PoolAmount::Units(_)),
            kind => *kind == RuleKind::Stock,
        };
        let (need, sunk) = if units {
            (1, 0)
        } else {
            let showing = offer.cost_of_showing_minor();
            (offer.discount_minor().saturating_add(showing), showing)
        };
        let total = told.or(self.total);
        let Some(total) = total.filter(|_| need > 0) else { return Drawn::Nothing };
        let name = match (pool_of(self.rule).map(|pool| pool.by), store) {
            (Some(PoolBy::OfferInStore), Some(store)) => Cow::Owned(format!("{name}/{store}")),
            (Some(PoolBy::OfferInStore), None) if self.rule.on_missing == OnMissing::Allow => return Drawn::Nothing,
            (Some(PoolBy::OfferInStore), None) => return Drawn::Unknown,
            _ => Cow::Borrowed(name),
        };
        Drawn::From(Draw { name, total, need, sunk, units })
    }
}
