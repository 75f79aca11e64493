//! How customers truly respond to an offer: log-odds that add up. Draws nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Weekday, World};
use crate::domain::{AttributeId, CategoryId, OfferId, PlacementId, Timestamp, Value};

/// The log-odds of acceptance: a base and effects that add up.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Log-odds of a customer about whom nothing else counts.
    pub base: f64,
    /// What attributes add.
    #[serde(default)]
    pub effects: BTreeMap<AttributeId, Effect>,
    /// What variants add, by variant id.
    #[serde(default)]
    pub variants: BTreeMap<String, f64>,
    /// What attributes add where a variant is shown, by variant id.
    #[serde(default)]
    pub variant_effects: BTreeMap<String, BTreeMap<AttributeId, Effect>>,
    /// What placements add, beside what each adds to everything.
    #[serde(default)]
    pub placements: BTreeMap<PlacementId, f64>,
    /// What hours of the day add, by UTC.
    #[serde(default)]
    pub hours: Vec<Hours>,
    /// What days of the week add, by UTC.
    #[serde(default)]
    pub weekdays: BTreeMap<Weekday, f64>,
    /// What each day since the start adds: a trend.
    #[serde(default)]
    pub per_day: f64,
}

/// What one attribute adds to the log-odds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// For each unit of a number above its mean in the population.
    PerUnit(f64),
    /// By name; names left out add nothing.
    ByName(BTreeMap<String, f64>),
}

/// What some hours of the day add.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The first hour, from 0.
    pub from: u8,
    /// The first hour that is no longer meant, up to 24.
    pub until: u8,
    /// To the log-odds.
    pub adds: f64,
}

/// What changes tastes from a day on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Days since the start, from 0.
    pub day: u32,
    /// Of offers in these categories.
    #[serde(default)]
    pub categories: Vec<CategoryId>,
    /// And of these offers.
    #[serde(default)]
    pub offers: Vec<OfferId>,
    /// To the log-odds.
    pub adds: f64,
}

/// Log-odds are held within this, so that every probability is above 0 and below 1.
const LOG_ODDS_MAX: f64 = 30.0;

/// Where, when and to whom something is shown.
pub(in crate::simulation) struct Shown<'a> {
    /// Where.
    pub(in crate::simulation) placement: &'a PlacementId,
    /// When.
    pub(in crate::simulation) at: Timestamp,
    /// All attributes of customer and context.
    pub(in crate::simulation) value: &'a dyn Fn(&AttributeId) -> Option<&'a Value>,
    /// What no attribute tells: the customer's own liking for the offer at its price, in log-odds.
    pub(in crate::simulation) liking: f64,
}

impl World {
    /// The true probability that this variant of the offer at a position is accepted, in (0, 1); 0 for house content
    /// and for offers that are not of this world.
    ///
    /// `P = 1 / (1 + exp(-(base + sum of effects + placement + time + liking)))`
    pub(in crate::simulation) fn acceptance(&self, offer: usize, variant_id: &str, shown: &Shown<'_>) -> f64 {
        let Some((offer, response)) = self.offers.get(offer).and_then(|of| of.response.as_ref().map(|r| (of, r)))
        else {
            return 0.0;
        };
        let place = self.placements.iter().find(|place| place.id == *shown.placement).map_or(0.0, |place| place.adds);
        let day = self.calendar.day(shown.at);
        let log_odds = response.log_odds(&self.population, variant_id, shown)
            + place
            + response.per_day * f64::from(day)
            + self.changed(&offer.offer.offer_id, offer.offer.category.as_ref(), day)
            + shown.liking;
        1.0 / (1.0 + libm::exp(-log_odds.clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)))
    }
}

impl Response {
    fn log_odds(&self, population: &super::Population, variant_id: &str, shown: &Shown<'_>) -> f64 {
        let hour = u8::try_from(shown.at.0.rem_euclid(86_400_000) / 3_600_000).unwrap_or(0);
        let hours = self.hours.iter().filter(|hours| (hours.from..hours.until).contains(&hour));
        let weekday = || self.weekdays.get(&Weekday::of(shown.at)).copied().unwrap_or(0.0);
        let own = self.variant_effects.get(variant_id).into_iter().flatten();
        self.base
            + self.variants.get(variant_id).copied().unwrap_or(0.0)
            + self.placements.get(shown.placement).copied().unwrap_or(0.0)
            + hours.map(|hours| hours.adds).sum::<f64>()
            + if self.weekdays.is_empty() { 0.0 } else { weekday() }
            + self.effects.iter().chain(own).map(|(id, effect)| effect.of(id, population, shown)).sum::<f64>()
    }
}

impl Effect {
    fn of(&self, id: &AttributeId, population: &super::Population, shown: &Shown<'_>) -> f64 {
        match (self, (shown.value)(id)) {
            (Self::PerUnit(slope), Some(Value::Number(number))) => slope * (number.to_f64() - population.mean(id)),
            (Self::ByName(steps), Some(Value::Text(name))) => steps.get(name).copied().unwrap_or(0.0),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: &str = include_str!("../../../simulators/steady.yaml");

    #[test]
    fn every_response_of_a_sample_world_is_a_probability() {
        let world = World::parse(STEADY).unwrap();
        let placement = world.placements[0].id.clone();
        let many = Value::Number(crate::domain::Number(1_000_000_000_000));
        let visits = AttributeId::parse("customer.visits_90d").unwrap();
        for (at, offer) in world.offers.iter().enumerate() {
            for variant in &offer.offer.variants {
                for liking in [0.0, 900.0, -900.0] {
                    let extreme = |id: &AttributeId| (*id == visits).then_some(&many);
                    let shown = Shown { placement: &placement, at: world.calendar.start, value: &extreme, liking };
                    let probability = world.acceptance(at, variant.variant_id.as_str(), &shown);
                    let possible = probability > 0.0 && probability < 1.0;
                    assert!(possible == offer.response.is_some(), "{at} {probability}");
                }
            }
        }
    }

    #[test]
    fn place_time_variant_and_change_add_up_to_the_log_odds() {
        let text = "
name: small
population: {customers: 1, consent_refused: 0, taste: 0, attributes: {customer.tier: {shares: {gold: 1}}}}
placements: [{id: home, adds: 0.5}, {id: checkout}]
orders: {margin_spread: 0, refunded: 0, sent_twice: 0}
changes: [{day: 3, categories: [shoes], adds: 4}, {day: 3, offers: [other], adds: 99}]
offers:
  - offer: {offer_id: other, price: {amount: '10', currency: USD}, variants: [{variant_id: a}]}
  - offer: {offer_id: boots, category: shoes, price: {amount: '10', currency: USD}, variants: [{variant_id: a}]}
    response:
      base: -1
      effects: {customer.tier: {by_name: {gold: 0.25}}}
      variants: {a: 0.125}
      variant_effects: {a: {customer.tier: {by_name: {gold: 8}}}}
      placements: {checkout: 2}
      hours: [{from: 6, until: 7, adds: 16}]
      weekdays: {tue: 32}
      per_day: 0.0625
";
        let world = World::parse(text).unwrap();
        let gold = Value::Text("gold".to_owned());
        let told = |placement: &str, days: i64, hour: i64, liking: f64| {
            let placement = PlacementId::new(placement).unwrap();
            let at = Timestamp(world.calendar.start.0 + (days * 24 + hour) * 3_600_000);
            let shown = Shown { placement: &placement, at, value: &|_| Some(&gold), liking };
            let p = world.acceptance(1, "a", &shown);
            libm::log(p / (1.0 - p))
        };
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        let known = -1.0 + 0.25 + 0.125 + 8.0;
        close(told("home", 0, 5, 0.0), known + 0.5);
        close(told("checkout", 0, 5, -3.0), known + 2.0 - 3.0);
        close(told("home", 0, 6, -16.0), known + 0.5);
        close(told("home", 1, 5, -32.0), known + 0.5 + 0.0625);
        close(told("home", 3, 5, 0.0), known + 0.5 + 3.0 * 0.0625 + 4.0);
    }
}
