//! The crowd of a world: customers with attributes and tastes, their visits, and the luck of each. Decides no offer.

use std::collections::{BTreeMap, BTreeSet};

use super::chance::{below, normal, stream, uniform};
use super::world::{Drawn, Shown, Spread, World};
use crate::domain::{AttributeId, AttributeScope, CategoryId, Number, PlacementId, Timestamp, Value};

/// One customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Position in the crowd.
    pub number: usize,
    /// Attributes that the shop knows, by full name.
    pub attributes: BTreeMap<AttributeId, Value>,
    /// Whether personalisation is consented to when the world starts.
    pub consents: bool,
    /// The day, counted from 0, on which a consent is withdrawn.
    pub withdraws_on: Option<u32>,
    tastes: BTreeMap<CategoryId, f64>,
    factors: Vec<f64>,
    /// Log-odds for each unit of the relative discount, and for each unit of the net price's logarithm.
    money: (f64, f64),
}

impl Customer {
    /// Whether personalisation is consented to on a day counted from 0.
    pub fn consents_on(&self, day: u32) -> bool {
        self.consents && self.withdraws_on.is_none_or(|withdrawn| day < withdrawn)
    }
}

/// One visit of one customer: one decision for each placement that it passes.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Position among all visits.
    pub number: usize,
    /// Position of the customer in the crowd.
    pub customer: usize,
    /// When it begins; later visits never begin earlier.
    pub at: Timestamp,
    /// Attributes of the context, by full name.
    pub context: BTreeMap<AttributeId, Value>,
    /// The placements that it passes, in their order; at least one.
    pub steps: Vec<Step>,
}

/// One placement of a visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where.
    pub placement: PlacementId,
    /// When.
    pub at: Timestamp,
    /// What chance holds for it.
    pub luck: Luck,
}

/// What chance holds for a step: drawn before anything is shown, so that the same crowd can be sent past several
/// strategies. Numbers are uniform in [0, 1) unless said otherwise.
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
    /// The order's webhook is held up below the world's share.
    pub out_of_order: f64,
    /// A refund is of a part below the world's share.
    pub partial: f64,
    /// Of the order: whether at once, and standard normal how long.
    pub delay: (f64, f64),
    /// The same of the refund.
    pub refund_delay: (f64, f64),
}

/// Everybody in a world.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowd {
    /// By number.
    pub customers: Vec<Customer>,
    /// What customers see in offers beyond their attributes, by position in the world's file.
    appeals: Vec<Appeal>,
    seed: u64,
}

/// What customers see in an offer.
#[derive(Debug, Clone, PartialEq, Default)]
struct Appeal {
    /// Discount by price.
    discount: f64,
    /// Logarithm of the net price, less the mean of all offers.
    log_price: f64,
    /// Where it lies among the factors; the mean square of its product with a customer's place is 1.
    factors: Vec<f64>,
}

impl Crowd {
    /// The crowd that a seed makes of a world.
    pub fn new(world: &World, seed: u64) -> Self {
        let categories: BTreeSet<&CategoryId> =
            world.offers.iter().filter_map(|offer| offer.offer.category.as_ref()).collect();
        let customers = (0..world.population.customers).map(|number| customer(world, &categories, seed, number));
        Self { customers: customers.collect(), appeals: appeals(world, seed), seed }
    }

    /// The visit of a number: any number, in any order, always the same one.
    pub fn visit(&self, world: &World, number: usize) -> Visit {
        let mut numbers = stream(self.seed, "visit", number as u64);
        let customer = below(&mut numbers, self.customers.len());
        let context = draw(world, AttributeScope::Context, &mut numbers);
        let at = world.calendar.instant(number, uniform(&mut numbers));
        let passes = journey(world, uniform(&mut numbers));
        let pace = i64::from(world.calendar.pace_minutes) * 60_000;
        let steps = (0..).zip(passes).map(|(step, placement)| Step {
            placement: placement.clone(),
            at: Timestamp(at.0 + step * pace),
            luck: Luck {
                accept: uniform(&mut numbers),
                margin: normal(&mut numbers),
                refund: uniform(&mut numbers),
                twice: uniform(&mut numbers),
                out_of_order: uniform(&mut numbers),
                partial: uniform(&mut numbers),
                delay: (uniform(&mut numbers), normal(&mut numbers)),
                refund_delay: (uniform(&mut numbers), normal(&mut numbers)),
            },
        });
        let steps = steps.collect();
        Visit { number, customer, at, context, steps }
    }

    /// The true probability that this variant is accepted at a step of a visit, in (0, 1); 0 for house content.
    pub fn acceptance(&self, world: &World, visit: &Visit, step: &Step, offer_id: &str, variant_id: &str) -> f64 {
        world.position(offer_id).map_or(0.0, |offer| self.acceptance_at(world, visit, step, offer, variant_id))
    }

    /// The same, of the offer at a position in the world's file.
    pub(super) fn acceptance_at(
        &self,
        world: &World,
        visit: &Visit,
        step: &Step,
        offer: usize,
        variant_id: &str,
    ) -> f64 {
        let Some(customer) = self.customers.get(visit.customer) else { return 0.0 };
        let value = |id: &AttributeId| visit.context.get(id).or_else(|| customer.attributes.get(id));
        let liking = self.liking(world, customer, offer);
        let shown = Shown { placement: &step.placement, at: step.at, value: &value, liking };
        world.acceptance(offer, variant_id, &shown)
    }

    /// What no attribute tells: taste for the category, factors, and the price.
    fn liking(&self, world: &World, customer: &Customer, offer: usize) -> f64 {
        let category = world.offers.get(offer).and_then(|offer| offer.offer.category.as_ref());
        let taste = category.and_then(|category| customer.tastes.get(category)).copied().unwrap_or(0.0);
        let Some(appeal) = self.appeals.get(offer) else { return taste };
        let near: f64 = customer.factors.iter().zip(&appeal.factors).map(|(own, its)| own * its).sum();
        let (discount, log_price) = customer.money;
        taste + world.population.factors.deviation * near + discount * appeal.discount - log_price * appeal.log_price
    }
}

fn appeals(world: &World, seed: u64) -> Vec<Appeal> {
    let offers = || world.offers.iter().filter(|offer| offer.response.is_some()).map(|offer| &offer.offer);
    let logarithm = |offer: &crate::domain::Offer| libm::log(float(offer.net_price_minor().max(1)));
    let (count, sum) = offers().fold((0.0, 0.0), |(count, sum), offer| (count + 1.0, sum + logarithm(offer)));
    let mean = sum / f64::max(count, 1.0);
    let number = world.population.factors.number;
    let length = (0..number).map(|_| 1.0).sum::<f64>().sqrt();
    let appeal = |offer: &crate::domain::Offer| {
        // By its name, so that an offer more or less in the file moves no other one.
        let mut places = stream(seed, &format!("factors of {}", offer.offer_id), 0);
        let off = offer.price.minor - offer.net_price_minor();
        Appeal {
            discount: float(off) / float(offer.price.minor.max(1)),
            log_price: logarithm(offer) - mean,
            factors: (0..number).map(|_| normal(&mut places) / length).collect(),
        }
    };
    world.offers.iter().map(|offer| appeal(&offer.offer)).collect()
}

/// The placements of the journey that a uniform number falls on.
fn journey(world: &World, u: f64) -> &[PlacementId] {
    let mut reached = 0.0;
    let mut chosen = world.journeys.last();
    for journey in &world.journeys {
        reached += journey.share;
        if u < reached {
            chosen = Some(journey);
            break;
        }
    }
    chosen.map_or(&[], |journey| journey.passes.as_slice())
}

fn customer(world: &World, categories: &BTreeSet<&CategoryId>, seed: u64, number: usize) -> Customer {
    let population = &world.population;
    let mut numbers = stream(seed, "customer", number as u64);
    let attributes = draw(world, AttributeScope::Customer, &mut numbers);
    let consents = uniform(&mut numbers) >= population.consent_refused;
    let withdraws = uniform(&mut numbers) < population.consent_withdrawn.share;
    let day = below(&mut numbers, population.consent_withdrawn.within_days.max(1) as usize);
    let mut likings = stream(seed, "taste", number as u64);
    let taste = |category: &CategoryId| population.tastes.get(category).copied().unwrap_or(population.taste);
    let tastes = categories.iter().map(|id| ((*id).clone(), taste(id) * normal(&mut likings))).collect();
    let factors = (0..population.factors.number).map(|_| normal(&mut likings)).collect();
    let mut felt = |spread: Spread| (spread.mean + spread.deviation * normal(&mut likings)).max(0.0);
    let money = (felt(population.price.discount), felt(population.price.log_price));
    let withdraws_on = (consents && withdraws).then(|| u32::try_from(day).unwrap_or(0));
    Customer { number, attributes, consents, withdraws_on, tastes, factors, money }
}

#[expect(clippy::cast_precision_loss, reason = "money of one offer is small")]
fn float(number: i64) -> f64 {
    number as f64
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
                let offer = offer.offer.offer_id.as_str();
                let probability = crowd.acceptance(&world, &visit, &visit.steps[0], offer, variant);
                assert!(probability > 0.0 && probability < 1.0);
            }
        }
    }

    #[test]
    fn visits_of_a_world_pass_its_placements_as_its_journeys_say() {
        let world = World::parse(include_str!("../../simulators/shop.yaml")).unwrap();
        let crowd = Crowd::new(&world, 1);
        let visits: Vec<Visit> = (0..4_000).map(|number| crowd.visit(&world, number)).collect();
        assert!(visits.iter().map(|visit| visit.at).is_sorted());
        for journey in &world.journeys {
            let passes = |visit: &&Visit| visit.steps.iter().map(|step| &step.placement).eq(&journey.passes);
            #[expect(clippy::cast_precision_loss, reason = "a small count")]
            let share = visits.iter().filter(passes).count() as f64 / 4_000.0;
            assert!((share - journey.share).abs() < 0.03, "{share} {journey:?}");
        }
        let steps = visits.iter().flat_map(|visit| &visit.steps);
        let lucks: BTreeSet<u64> = steps.clone().map(|step| step.luck.accept.to_bits()).collect();
        assert_eq!(lucks.len(), steps.count());
    }

    #[test]
    fn what_no_attribute_tells_is_as_large_as_the_world_says() {
        let mut world = steady();
        world.population.customers = 4_000;
        world.population.taste = 0.0;
        world.population.factors = super::super::world::Factors { number: 3, deviation: 0.5 };
        world.population.price.discount = Spread { mean: 4.0, deviation: 0.5 };
        let crowd = Crowd::new(&world, 1);
        let of = |offer: &str| {
            let offer = world.position(offer).unwrap();
            let likings: Vec<f64> = crowd.customers.iter().map(|one| crowd.liking(&world, one, offer)).collect();
            let mean = likings.iter().sum::<f64>() / 4_000.0;
            (mean, (likings.iter().map(|liking| (liking - mean) * (liking - mean)).sum::<f64>() / 4_000.0).sqrt())
        };
        // Ten off sixty-nine, and nothing off ninety-nine.
        assert!((of("city-sneaker").0 - 4.0 * 10.0 / 69.0).abs() < 0.05, "{:?}", of("city-sneaker"));
        assert!(of("trail-runner").0.abs() < 0.05, "{:?}", of("trail-runner"));
        let widths: Vec<f64> = world.offers.iter().map(|offer| of(offer.offer.offer_id.as_str()).1).collect();
        let squares = widths.iter().map(|width| width * width).sum::<f64>() / 13.0;
        assert!((0.1..0.6).contains(&squares), "a quarter in the mean over many offers: {squares}");
    }

    #[test]
    fn consent_is_withdrawn_on_its_day_and_not_before() {
        let mut world = steady();
        world.population.consent_withdrawn = super::super::world::Withdrawn { share: 0.5, within_days: 10 };
        let crowd = Crowd::new(&world, 1);
        let on = |day: u32| crowd.customers.iter().filter(|customer| customer.consents_on(day)).count();
        assert!(on(0) > on(5) && on(5) > on(9) && on(9) == on(99), "{} {} {}", on(0), on(5), on(9));
        let first = crowd.customers.iter().find(|customer| customer.withdraws_on == Some(4)).unwrap();
        assert!(first.consents_on(3) && !first.consents_on(4));
    }
}
