//! What is wrong with a world: everything at once, each with its place. Parses no shape.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::{Change, Delay, Drawn, Effect, Journey, Place, Population, Reaching, Response, Spread, World, WorldOffer};
use crate::domain::{AttributeId, Money, Percent};

/// What is wrong with a world file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WorldError {
    /// It is not YAML of the right shape; the text carries line and column.
    #[error("the world does not parse: {0}")]
    Shape(String),
    /// It parses, and says things that cannot be; every one of them.
    #[error("the world cannot be:\n- {}", .0.join("\n- "))]
    Wrong(Vec<String>),
}

/// Where offers begin: for people, who look for a line.
#[derive(Deserialize)]
struct Places {
    offers: Vec<Spanned<IgnoredAny>>,
}

/// Everything wrong with a world.
pub(super) fn problems(world: &World, text: &str) -> Vec<String> {
    let mut found = world.calendar.problems();
    found.extend(population(&world.population));
    found.extend(placements(world));
    found.extend(orders(world));
    found.extend(world.changes.iter().flat_map(|change| changed(world, change)));
    found.extend(campaigns(world));
    if world.offers.iter().all(|offer| offer.response.is_none()) {
        found.push("no offer has a `response`: give one to at least one offer".into());
    }
    let currencies: BTreeSet<String> = world.offers.iter().map(|offer| offer.offer.currency().to_string()).collect();
    if currencies.len() > 1 {
        let named = currencies.into_iter().collect::<Vec<_>>().join(" and ");
        found.push(format!("offers are in {named}: use one currency"));
    }
    let lines = serde_saphyr::from_str::<Places>(text).map(|places| places.offers).unwrap_or_default();
    for (at, offer) in world.offers.iter().enumerate() {
        let line = lines.get(at).map(|place| format!("line {}: ", place.referenced.line())).unwrap_or_default();
        found.extend(of_offer(world, at, offer).into_iter().map(|what| format!("{line}{what}")));
    }
    found
}

fn of_offer(world: &World, at: usize, offer: &WorldOffer) -> Vec<String> {
    let id = &offer.offer.offer_id;
    let mut found = Vec::new();
    if world.offers.iter().take(at).any(|other| other.offer.offer_id == *id) {
        found.push(format!("offer `{id}` appears twice"));
    }
    if let Some(campaign) = &offer.offer.campaign
        && world.campaigns.iter().all(|known| known.campaign_id != *campaign)
    {
        found.push(format!("offer `{id}`: campaign `{campaign}` is not in campaigns"));
    }
    found.extend(offer.offer.problems().into_iter().map(|(place, what)| format!("offer `{id}`{place}: {what}")));
    if let Some(own) = offer.delay {
        found.extend(delay("delay", own).into_iter().map(|what| format!("offer `{id}`: {what}")));
    }
    if let Some(response) = &offer.response {
        let wrong = |what: String| format!("offer `{id}`: {what}");
        found.extend(responded(world, offer, response).into_iter().map(wrong));
    }
    found
}

fn responded(world: &World, offer: &WorldOffer, response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(number("response.base", response.base));
    found.extend(number("response.per_day", response.per_day));
    let known = |name: &str| offer.offer.variants.iter().any(|variant| variant.variant_id.as_str() == name);
    let variants: BTreeSet<&String> = response.variants.keys().chain(response.variant_effects.keys()).collect();
    found.extend(variants.into_iter().filter(|name| !known(name)).map(|name| format!("it has no variant `{name}`")));
    for (name, adds) in &response.variants {
        found.extend(number(&format!("response.variants.{name}"), *adds));
    }
    for (placement, adds) in &response.placements {
        if world.placements.iter().all(|place| place.id != *placement) {
            found.push(format!("placement `{placement}` is not in placements"));
        }
        found.extend(number(&format!("response.placements.{placement}"), *adds));
    }
    for hours in &response.hours {
        if hours.from >= hours.until || hours.until > 24 {
            let (from, until) = (hours.from, hours.until);
            found.push(format!("response.hours: from {from} until {until}: expected from < until <= 24"));
        }
        found.extend(number("response.hours.adds", hours.adds));
    }
    found.extend(response.weekdays.values().filter_map(|adds| number("response.weekdays", *adds)));
    let own = response.variant_effects.values().flatten();
    found.extend(response.effects.iter().chain(own).flat_map(|(id, effect)| effects(&world.population, id, effect)));
    found
}

fn effects(population: &Population, attribute: &AttributeId, effect: &Effect) -> Vec<String> {
    match (effect, population.attributes.get(attribute)) {
        (_, None) => vec![format!("`{attribute}` is not in population.attributes")],
        (Effect::PerUnit(slope), Some(Drawn::Number { .. })) => {
            number(&format!("`{attribute}`"), *slope).into_iter().collect()
        }
        (Effect::ByName(steps), Some(Drawn::Shares(shares))) => {
            let unknown = steps.keys().filter(|name| !shares.contains_key(*name));
            let unknown = unknown.map(|name| format!("`{attribute}` is never `{name}`"));
            unknown.chain(steps.values().filter_map(|step| number(&format!("`{attribute}`"), *step))).collect()
        }
        (Effect::PerUnit(_), Some(Drawn::Shares(_))) => {
            vec![format!("`{attribute}` has names, so its effect is `by_name`")]
        }
        (Effect::ByName(_), Some(Drawn::Number { .. })) => {
            vec![format!("`{attribute}` is a number, so its effect is `per_unit`")]
        }
    }
}

fn population(population: &Population) -> Vec<String> {
    let mut found = Vec::new();
    if !(1..=10_000_000).contains(&population.customers) {
        found.push(format!("population.customers is {}: expected 1 to 10000000", population.customers));
    }
    found.extend(share("population.consent_refused", population.consent_refused));
    found.extend(share("population.consent_withdrawn.share", population.consent_withdrawn.share));
    found.extend(deviation("population.taste", population.taste));
    for (category, taste) in &population.tastes {
        found.extend(deviation(&format!("population.tastes.{category}"), *taste));
    }
    found.extend(deviation("population.factors.deviation", population.factors.deviation));
    if population.factors.number > 64 {
        found.push(format!("population.factors.number is {}: expected at most 64", population.factors.number));
    }
    for (name, Spread { mean, deviation: width }) in
        [("discount", population.price.discount), ("log_price", population.price.log_price)]
    {
        found.extend(number(&format!("population.price.{name}.mean"), mean));
        found.extend(deviation(&format!("population.price.{name}.deviation"), width));
    }
    for (id, drawn) in &population.attributes {
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

fn placements(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (at, place) in world.placements.iter().enumerate() {
        if world.placements.iter().take(at).any(|other| other.id == place.id) {
            found.push(format!("placements: `{}` appears twice", place.id));
        }
        found.extend(number(&format!("placements.{}.adds", place.id), place.adds));
        found.extend(money(world, place));
    }
    let sum: f64 = world.journeys.iter().map(|journey| journey.share).sum();
    if world.journeys.iter().any(|journey| !(0.0..=1.0).contains(&journey.share)) || (sum - 1.0).abs() > 1e-9 {
        found.push(format!("journeys: the shares sum to {sum}: expected 1"));
    }
    for (number, Journey { passes, .. }) in (1..).zip(&world.journeys) {
        if passes.is_empty() {
            found.push(format!("journeys: number {number} passes no placement: name one, or leave it out"));
        }
        let unknown = passes.iter().filter(|id| world.placements.iter().all(|place| place.id != **id));
        found.extend(unknown.map(|id| format!("journeys: number {number} passes `{id}`, which is not in placements")));
    }
    found
}

fn money(world: &World, place: &Place) -> Vec<String> {
    let currency = world.offers.first().map(|offer| offer.offer.currency());
    let budget = place.exploration_budget.as_ref().zip(currency).and_then(|(text, currency)| {
        let what = match Money::parse(text, currency) {
            Ok(money) if money.minor >= 0 => return None,
            Ok(_) => format!("`{text}` is below zero"),
            Err(why) => why.to_string(),
        };
        Some(format!("placements.{}.exploration_budget: {what}", place.id))
    });
    let share = place.cheapest.as_ref().and_then(|Reaching { share }| {
        let what = match Percent::parse(share) {
            Ok(Percent(1..=10_000)) => return None,
            Ok(_) => format!("`{share}`: expected a share above 0% and up to 100%"),
            Err(why) => why.to_string(),
        };
        Some(format!("placements.{}.cheapest.share: {what}", place.id))
    });
    budget.into_iter().chain(share).collect()
}

fn orders(world: &World) -> Vec<String> {
    let orders = &world.orders;
    let mut found: Vec<String> = [
        ("orders.margin_spread", orders.margin_spread),
        ("orders.refunded", orders.refunded),
        ("orders.refunds.partial", orders.refunds.partial),
        ("orders.sent_twice", orders.sent_twice),
        ("orders.out_of_order", orders.out_of_order),
    ]
    .into_iter()
    .filter_map(|(what, value)| share(what, value))
    .collect();
    if !(orders.refunds.part > 0.0 && orders.refunds.part < 1.0) {
        found.push(format!("orders.refunds.part `{}` is not above 0 and below 1", orders.refunds.part));
    }
    found.extend(delay("orders.delay", orders.delay));
    found.extend(delay("orders.refunds.delay", orders.refunds.delay));
    found
}

fn delay(what: &str, Delay { at_once, median_hours, spread }: Delay) -> Vec<String> {
    let mut found: Vec<String> = share(&format!("{what}.at_once"), at_once).into_iter().collect();
    if !(0.0..=10_000.0).contains(&median_hours) {
        found.push(format!("{what}.median_hours `{median_hours}`: expected 0 to 10000"));
    }
    found.extend(deviation(&format!("{what}.spread"), spread));
    found
}

fn changed(world: &World, change: &Change) -> Vec<String> {
    let day = change.day;
    let mut found: Vec<String> = number(&format!("changes of day {day}"), change.adds).into_iter().collect();
    let offers = || world.offers.iter().map(|offer| &offer.offer);
    let categories = change.categories.iter().filter(|id| offers().all(|offer| offer.category.as_ref() != Some(*id)));
    found.extend(categories.map(|id| format!("changes of day {day}: no offer has the category `{id}`")));
    let unknown = change.offers.iter().filter(|id| offers().all(|offer| offer.offer_id != **id));
    found.extend(unknown.map(|id| format!("changes of day {day}: there is no offer `{id}`")));
    found
}

fn campaigns(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (at, campaign) in world.campaigns.iter().enumerate() {
        let id = &campaign.campaign_id;
        if world.campaigns.iter().take(at).any(|other| other.campaign_id == *id) {
            found.push(format!("campaign `{id}` appears twice"));
        }
        found.extend(campaign.problems().into_iter().map(|(place, what)| format!("campaign `{id}`{place}: {what}")));
    }
    found
}

fn share(what: &str, value: f64) -> Option<String> {
    (!(0.0..=1.0).contains(&value)).then(|| format!("{what} `{value}` is not a share from 0 to 1"))
}

fn deviation(what: &str, value: f64) -> Option<String> {
    (!(0.0..=10.0).contains(&value)).then(|| format!("{what} `{value}` is not a deviation from 0 to 10"))
}

fn number(what: &str, value: f64) -> Option<String> {
    (!value.is_finite()).then(|| format!("{what} `{value}` is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: &str = include_str!("../../../simulators/steady.yaml");
    const SHOP: &str = include_str!("../../../simulators/shop.yaml");

    fn refused(text: &str) -> String {
        World::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_sample_worlds_parse() {
        assert_eq!(World::parse(STEADY).unwrap().placements.len(), 1);
        assert_eq!(World::parse(SHOP).unwrap().placements.len(), 4);
    }

    #[test]
    fn a_broken_world_is_refused_with_what_is_wrong() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(STEADY.contains(from), "the sample world has no `{from}`");
            let error = refused(&STEADY.replacen(from, to, 1));
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
        assert!(refused("name: [").starts_with("the world does not parse: "));
    }

    #[test]
    fn everything_is_said_at_once_with_its_place() {
        let text = "
name: broken
calendar: {start: 2026-03-02T01:00:00Z, visits_per_day: 0, hours: [1, 2]}
population:
  {customers: 1, consent_refused: 0, taste: 0, tastes: {shoes: 11}, attributes: {},
   consent_withdrawn: {share: 2, within_days: 3}, factors: {number: 65, deviation: 1}}
placements: [{id: home, exploration_budget: 1.005}, {id: home, exploration_budget: -1, cheapest: {share: 0%}}]
journeys: [{share: 0.5, passes: [hme]}, {share: 0.4, passes: []}]
orders:
  {margin_spread: 0, refunded: 0, sent_twice: 0, out_of_order: 3, refunds: {partial: 0, part: 1},
   delay: {at_once: 0.5, median_hours: -1, spread: 1}}
changes: [{day: 2, categories: [hats], offers: [hat], adds: 1}]
offers:
  - offer: {offer_id: boots, campaign: spring, price: {amount: '10', currency: USD}, variants: [{variant_id: a}]}
    response:
      base: 0
      variant_effects: {z: {customer.tier: {by_name: {gold: 1}}}}
      placements: {elsewhere: 1}
      hours: [{from: 9, until: 9, adds: 1}]
";
        insta::assert_snapshot!(refused(text), @r"
        the world cannot be:
        - calendar.start `2026-03-02T01:00:00.000Z` is not a midnight in UTC
        - calendar.visits_per_day `0`: expected 1 to 10000000
        - calendar.hours: expected 24 factors from 0 to 1000, not all of them 0, and it has 2
        - population.consent_withdrawn.share `2` is not a share from 0 to 1
        - population.tastes.shoes `11` is not a deviation from 0 to 10
        - population.factors.number is 65: expected at most 64
        - placements.home.exploration_budget: `1.005` is not a decimal number with at most 2 digits behind the point, as USD has
        - placements: `home` appears twice
        - placements.home.exploration_budget: `-1` is below zero
        - placements.home.cheapest.share: `0%`: expected a share above 0% and up to 100%
        - journeys: the shares sum to 0.9: expected 1
        - journeys: number 1 passes `hme`, which is not in placements
        - journeys: number 2 passes no placement: name one, or leave it out
        - orders.out_of_order `3` is not a share from 0 to 1
        - orders.refunds.part `1` is not above 0 and below 1
        - orders.delay.median_hours `-1`: expected 0 to 10000
        - changes of day 2: no offer has the category `hats`
        - changes of day 2: there is no offer `hat`
        - line 14: offer `boots`: campaign `spring` is not in campaigns
        - line 14: offer `boots`: it has no variant `z`
        - line 14: offer `boots`: placement `elsewhere` is not in placements
        - line 14: offer `boots`: response.hours: from 9 until 9: expected from < until <= 24
        - line 14: offer `boots`: `customer.tier` is not in population.attributes
        ");
    }
}
