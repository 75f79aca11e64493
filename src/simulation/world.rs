//! Worlds: one file of `simulators/` parsed and checked, with the true probability of every acceptance. Draws nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{AttributeId, Offer, Value};

/// What is wrong with a world file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WorldError {
    /// It is not YAML of the right shape; the text carries line and column.
    #[error("the world does not parse: {0}")]
    Shape(String),
    /// It parses, and says things that cannot be; every one of them.
    #[error("the world cannot be: {}", .0.join("; "))]
    Wrong(Vec<String>),
}

/// A world of customers: who they are, what there is for them, how they truly respond.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// For people.
    pub name: String,
    /// Who there is.
    pub population: Population,
    /// What happens to orders.
    pub orders: Orders,
    /// What there is to show.
    pub offers: Vec<WorldOffer>,
}

/// Who there is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// How many customers.
    pub customers: usize,
    /// Share of customers who refuse personalisation, from 0 to 1.
    pub consent_refused: f64,
    /// Deviation of a customer's own liking for a category, in log-odds: what no attribute tells.
    pub taste: f64,
    /// How attributes are spread: those of a customer are drawn once, those of a context at every visit.
    pub attributes: BTreeMap<AttributeId, Drawn>,
}

/// How an attribute is spread over customers or visits.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawn {
    /// Names with their shares, which sum to 1.
    Shares(BTreeMap<String, f64>),
    /// A whole number: normal, rounded, held within bounds.
    Number {
        /// Mean before rounding.
        mean: f64,
        /// Deviation before rounding.
        deviation: f64,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
}

/// What happens to orders. Shares are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// Relative deviation of an order's margin from the catalogue's.
    pub margin_spread: f64,
    /// Share of orders that are refunded in full.
    pub refunded: f64,
    /// Share of orders whose webhook arrives twice.
    pub sent_twice: f64,
}

/// An offer as it is imported, and how customers truly respond to it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldOffer {
    /// In the form of the import.
    pub offer: Offer,
    /// Nothing for house content, which nobody accepts.
    #[serde(default)]
    pub response: Option<Response>,
}

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

/// Log-odds are held within this, so that every probability is above 0 and below 1.
const LOG_ODDS_MAX: f64 = 30.0;

impl World {
    /// Parses a world file, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        let world: Self = serde_saphyr::from_str(text).map_err(|error| WorldError::Shape(error.to_string()))?;
        let problems = world.problems();
        if problems.is_empty() { Ok(world) } else { Err(WorldError::Wrong(problems)) }
    }

    /// The offer of an id.
    pub fn offer(&self, offer_id: &str) -> Option<&WorldOffer> {
        self.offers.iter().find(|offer| offer.offer.offer_id.as_str() == offer_id)
    }

    /// The true probability that this variant of this offer is accepted, in (0, 1); 0 for house content and for
    /// offers that are not of this world. `values` are all attributes of customer and context, `taste` is the
    /// customer's own liking for the offer's category in log-odds.
    ///
    /// `P = 1 / (1 + exp(-(base + sum of effects + taste)))`
    pub fn acceptance(
        &self,
        offer_id: &str,
        variant_id: &str,
        values: &BTreeMap<AttributeId, Value>,
        taste: f64,
    ) -> f64 {
        let Some(response) = self.offer(offer_id).and_then(|offer| offer.response.as_ref()) else { return 0.0 };
        let mut log_odds = response.base + taste + response.variants.get(variant_id).copied().unwrap_or(0.0);
        for (id, effect) in &response.effects {
            log_odds += match (effect, values.get(id)) {
                (Effect::PerUnit(slope), Some(Value::Number(number))) => {
                    slope * (number.to_f64() - self.population.mean(id))
                }
                (Effect::ByName(steps), Some(Value::Text(name))) => steps.get(name).copied().unwrap_or(0.0),
                _ => 0.0,
            };
        }
        1.0 / (1.0 + libm::exp(-log_odds.clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)))
    }

    fn problems(&self) -> Vec<String> {
        let mut found = self.population.problems();
        for (what, value) in [
            ("orders.margin_spread", self.orders.margin_spread),
            ("orders.refunded", self.orders.refunded),
            ("orders.sent_twice", self.orders.sent_twice),
        ] {
            found.extend(share_problem(what, value));
        }
        if self.offers.iter().all(|offer| offer.response.is_none()) {
            found.push("no offer has a `response`: give one to at least one offer".into());
        }
        for (at, offer) in self.offers.iter().enumerate() {
            let id = &offer.offer.offer_id;
            if self.offers.iter().take(at).any(|other| other.offer.offer_id == *id) {
                found.push(format!("offer `{id}` appears twice"));
            }
            found
                .extend(offer.offer.problems().into_iter().map(|(place, what)| format!("offer `{id}`{place}: {what}")));
            if let Some(response) = &offer.response {
                found.extend(self.response_problems(&offer.offer, response));
            }
        }
        found
    }

    fn response_problems(&self, offer: &Offer, response: &Response) -> Vec<String> {
        let id = &offer.offer_id;
        let mut found = Vec::new();
        if !response.base.is_finite() {
            found.push(format!("offer `{id}`: base `{}` is not a number", response.base));
        }
        for variant in response.variants.keys() {
            if offer.variants.iter().all(|known| known.variant_id.as_str() != variant) {
                found.push(format!("offer `{id}`: it has no variant `{variant}`"));
            }
        }
        for (attribute, effect) in &response.effects {
            match (effect, self.population.attributes.get(attribute)) {
                (_, None) => found.push(format!("offer `{id}`: `{attribute}` is not in population.attributes")),
                (Effect::PerUnit(_), Some(Drawn::Number { .. })) => {}
                (Effect::ByName(steps), Some(Drawn::Shares(shares))) => {
                    let unknown = steps.keys().filter(|name| !shares.contains_key(*name));
                    found.extend(unknown.map(|name| format!("offer `{id}`: `{attribute}` is never `{name}`")));
                }
                (Effect::PerUnit(_), Some(Drawn::Shares(_))) => {
                    found.push(format!("offer `{id}`: `{attribute}` has names, so its effect is `by_name`"));
                }
                (Effect::ByName(_), Some(Drawn::Number { .. })) => {
                    found.push(format!("offer `{id}`: `{attribute}` is a number, so its effect is `per_unit`"));
                }
            }
        }
        found
    }
}

impl Population {
    fn mean(&self, id: &AttributeId) -> f64 {
        match self.attributes.get(id) {
            Some(Drawn::Number { mean, .. }) => *mean,
            _ => 0.0,
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.customers == 0 {
            found.push("population.customers is 0: expected at least 1".into());
        }
        found.extend(share_problem("population.consent_refused", self.consent_refused));
        if !(0.0..=10.0).contains(&self.taste) {
            found.push(format!("population.taste `{}` is not a deviation from 0 to 10", self.taste));
        }
        for (id, drawn) in &self.attributes {
            match drawn {
                Drawn::Shares(shares) => {
                    let sum: f64 = shares.values().sum();
                    if shares.values().any(|share| !(0.0..=1.0).contains(share)) || (sum - 1.0).abs() > 1e-9 {
                        found.push(format!("population.attributes.{id}: the shares sum to {sum}: expected 1"));
                    }
                }
                Drawn::Number { mean, deviation, min, max } => {
                    let finite = [mean, deviation, min, max].iter().all(|number| number.is_finite());
                    if !finite || *deviation < 0.0 || min > max {
                        found.push(format!("population.attributes.{id}: expected deviation >= 0 and min <= max"));
                    }
                }
            }
        }
        found
    }
}

fn share_problem(what: &str, value: f64) -> Option<String> {
    (!(0.0..=1.0).contains(&value)).then(|| format!("{what} `{value}` is not a share from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: &str = include_str!("../../simulators/steady.yaml");

    #[test]
    fn the_sample_world_parses_and_every_response_is_a_probability() {
        let world = World::parse(STEADY).unwrap();
        assert!(world.offers.len() >= 12);
        let nothing_known = BTreeMap::new();
        let mut extreme = BTreeMap::new();
        extreme.insert(
            AttributeId::parse("customer.visits_90d").unwrap(),
            Value::Number(crate::domain::Number(1_000_000_000_000)),
        );
        for offer in world.offers.iter().filter(|offer| offer.response.is_some()) {
            for variant in &offer.offer.variants {
                for (values, taste) in [(&nothing_known, 0.0), (&extreme, 900.0), (&extreme, -900.0)] {
                    let (offer, variant) = (offer.offer.offer_id.as_str(), variant.variant_id.as_str());
                    let probability = world.acceptance(offer, variant, values, taste);
                    assert!(probability > 0.0 && probability < 1.0, "{offer} {variant} {probability}");
                }
            }
        }
        assert_eq!(world.acceptance("house-welcome", "a", &nothing_known, 0.0), 0.0);
    }

    #[test]
    fn a_broken_world_is_refused_with_what_is_wrong() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(STEADY.contains(from), "the sample world has no `{from}`");
            let error = World::parse(&STEADY.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(
            "consent_refused: 0.08",
            "consent_refused: 8",
            "population.consent_refused `8` is not a share from 0 to 1",
        );
        check("customers: ", "customers: 0 # ", "population.customers is 0");
        check("gold: 0.15", "gold: 0.25", "population.attributes.customer.tier: the shares sum to 1.1");
        check("name: steady", "name: steady\nnmae: x", "nmae");
        check("by_name: {gold: 0.8", "by_name: {glod: 0.8", "`customer.tier` is never `glod`");
        check("refunded: ", "refunded: -", "orders.refunded `-0.04` is not a share");
        check("variants: {b:", "variants: {z:", "it has no variant `z`");
        check("offer_id: trail-runner", "offer_id: city-sneaker", "offer `city-sneaker` appears twice");
        assert!(World::parse("name: [").unwrap_err().to_string().starts_with("the world does not parse: "));
    }
}
