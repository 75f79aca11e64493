//! The crowd of a world: customers with attributes and tastes, their visits, and the luck of each. Decides no offer.

use std::collections::{BTreeMap, BTreeSet};

use super::chance::{below, normal, stream, uniform};
use super::world::{Drawn, World};
use crate::domain::{AttributeId, AttributeScope, CategoryId, Number, Value};

/// One customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Position in the crowd.
    pub number: usize,
    /// Attributes that the shop knows, by full name.
    pub attributes: BTreeMap<AttributeId, Value>,
    /// Whether personalisation is consented to.
    pub consents: bool,
    tastes: BTreeMap<String, f64>,
}

/// One visit of one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Position among all visits.
    pub number: usize,
    /// Position of the customer in the crowd.
    pub customer: usize,
    /// Attributes of the context, by full name.
    pub context: BTreeMap<AttributeId, Value>,
    /// What chance holds for it.
    pub luck: Luck,
}

/// What chance holds for a visit: uniform numbers in [0, 1), drawn before anything is shown, so that the same crowd
/// can be sent past several strategies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Luck {
    /// Accepts whatever has a true probability above this.
    pub accept: f64,
    /// Standard normal: how far the order's margin is from the catalogue's.
    pub margin: f64,
    /// The order is refunded below the world's share.
    pub refund: f64,
    /// The order's webhook arrives twice below the world's share.
    pub twice: f64,
}

/// Everybody in a world.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowd {
    /// By number.
    pub customers: Vec<Customer>,
    seed: u64,
}

impl Crowd {
    /// The crowd that a seed makes of a world.
    pub fn new(world: &World, seed: u64) -> Self {
        let categories: BTreeSet<&str> =
            world.offers.iter().filter_map(|offer| offer.offer.category.as_ref()).map(CategoryId::as_str).collect();
        let customers = (0..world.population.customers).map(|number| customer(world, &categories, seed, number));
        Self { customers: customers.collect(), seed }
    }

    /// The visit of a number: any number, in any order, always the same one.
    pub fn visit(&self, world: &World, number: usize) -> Visit {
        let mut numbers = stream(self.seed, "visit", number as u64);
        let customer = below(&mut numbers, self.customers.len());
        let context = draw(world, AttributeScope::Context, &mut numbers);
        let luck = Luck {
            accept: uniform(&mut numbers),
            margin: normal(&mut numbers),
            refund: uniform(&mut numbers),
            twice: uniform(&mut numbers),
        };
        Visit { number, customer, context, luck }
    }

    /// The true probability that a visit ends in accepting this variant, in (0, 1); 0 for house content.
    pub fn acceptance(&self, world: &World, visit: &Visit, offer_id: &str, variant_id: &str) -> f64 {
        let Some(customer) = self.customers.get(visit.customer) else { return 0.0 };
        let mut values = customer.attributes.clone();
        values.extend(visit.context.iter().map(|(id, value)| (id.clone(), value.clone())));
        let category = world.offer(offer_id).and_then(|offer| offer.offer.category.as_ref());
        let taste = category.and_then(|category| customer.tastes.get(category.as_str())).copied().unwrap_or(0.0);
        world.acceptance(offer_id, variant_id, &values, taste)
    }
}

fn customer(world: &World, categories: &BTreeSet<&str>, seed: u64, number: usize) -> Customer {
    let mut numbers = stream(seed, "customer", number as u64);
    let attributes = draw(world, AttributeScope::Customer, &mut numbers);
    let consents = uniform(&mut numbers) >= world.population.consent_refused;
    let mut likings = stream(seed, "taste", number as u64);
    let tastes = categories
        .iter()
        .map(|category| ((*category).to_owned(), world.population.taste * normal(&mut likings)))
        .collect();
    Customer { number, attributes, consents, tastes }
}

fn draw(world: &World, scope: AttributeScope, numbers: &mut impl rand::Rng) -> BTreeMap<AttributeId, Value> {
    let wanted = world.population.attributes.iter().filter(|(id, _)| id.scope() == scope);
    wanted.map(|(id, drawn)| (id.clone(), value(drawn, numbers))).collect()
}

fn value(drawn: &Drawn, numbers: &mut impl rand::Rng) -> Value {
    match drawn {
        Drawn::Shares(shares) => {
            let u = uniform(numbers);
            let mut reached = 0.0;
            let mut chosen = shares.keys().next_back();
            for (name, share) in shares {
                reached += share;
                if u < reached {
                    chosen = Some(name);
                    break;
                }
            }
            Value::Text(chosen.cloned().unwrap_or_default())
        }
        Drawn::Number { mean, deviation, min, max } => {
            let drawn = (mean + deviation * normal(numbers)).round().clamp(*min, *max);
            Value::Number(Number::from_f64(drawn).unwrap_or(Number(0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady() -> World {
        World::parse(include_str!("../../simulators/steady.yaml")).unwrap()
    }

    #[test]
    fn the_same_seed_makes_the_same_world_and_another_seed_another() {
        let world = steady();
        let (crowd, again, other) = (Crowd::new(&world, 1), Crowd::new(&world, 1), Crowd::new(&world, 2));
        assert_eq!(crowd, again);
        assert_ne!(crowd.customers, other.customers);
        let visits = |crowd: &Crowd| (0..50).map(|number| crowd.visit(&world, number)).collect::<Vec<_>>();
        let backwards: Vec<Visit> = (0..50).rev().map(|number| again.visit(&world, number)).collect();
        assert_eq!(visits(&crowd), backwards.into_iter().rev().collect::<Vec<_>>());
        assert_ne!(visits(&crowd), visits(&other));
    }

    #[test]
    fn shares_of_the_world_are_met_by_its_crowd() {
        let world = steady();
        let mut large = world.clone();
        large.population.customers = 20_000;
        let crowd = Crowd::new(&large, 3);
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let share = |wanted: &dyn Fn(&Customer) -> bool| {
            crowd.customers.iter().filter(|customer| wanted(customer)).count() as f64 / 20_000.0
        };
        let tier = AttributeId::parse("customer.tier").unwrap();
        assert!((share(&|customer| !customer.consents) - 0.08).abs() < 0.01);
        assert!((share(&|customer| customer.attributes[&tier] == Value::Text("gold".into())) - 0.15).abs() < 0.01);
    }

    #[test]
    fn the_true_probability_of_every_visit_lies_between_zero_and_one() {
        let world = steady();
        let crowd = Crowd::new(&world, 5);
        for number in 0..200 {
            let visit = crowd.visit(&world, number);
            for offer in world.offers.iter().filter(|offer| offer.response.is_some()) {
                let variant = offer.offer.variants[0].variant_id.as_str();
                let probability = crowd.acceptance(&world, &visit, offer.offer.offer_id.as_str(), variant);
                assert!(probability > 0.0 && probability < 1.0);
            }
        }
    }
}
