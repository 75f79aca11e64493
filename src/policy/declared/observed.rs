//! What a condition or a rule of availability saw, in words, for sentences about it. Judges nothing.
//!
//! Values are those of the record and of the catalogue's revision: what was withheld from the rule is not told either.

use crate::domain::decision::{ContextGroup, SlotPersona, Withheld};
use crate::domain::{
    AttributeId, AttributeScope, BasketLine, LocalTime, Money, Offer, Placement, StoreId, Timestamp, Value,
};
use crate::policy::bundle::Bundle;
use crate::policy::condition::local_time;
use crate::policy::rules::RuleKind;
use crate::policy::{Availability, Zone};

/// What rules saw of a request, for a reader who may know it.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    /// Attributes of each whom they saw; the first is asked first.
    pub attributes: Vec<&'a [(AttributeId, Value)]>,
    /// Attributes that guards of audiences saw, and they alone.
    pub guarded: &'a [(AttributeId, Value)],
    /// Attributes kept from them.
    pub withheld: &'a [(AttributeId, Withheld)],
    /// What lay in the basket.
    pub basket: &'a [BasketLine],
    /// Such as `US-NY`.
    pub jurisdiction: Option<&'a str>,
    /// The store asked in.
    pub store: Option<&'a StoreId>,
    /// The time where the customer is, where a rule reads it.
    pub local: Option<LocalTime>,
}

impl<'a> Observed<'a> {
    /// As a record keeps it, for the slot of a persona if it had one.
    pub fn of(context: &'a ContextGroup, persona: Option<&SlotPersona>) -> Self {
        let mut attributes = context.used_for(persona);
        // Whose slot it is decides; without personas there is one.
        attributes.truncate(if persona.is_some() || context.personas.is_none() { 1 } else { attributes.len() });
        Self {
            attributes,
            guarded: context.guarded.as_deref().unwrap_or_default(),
            withheld: &context.withheld,
            basket: &context.basket,
            jurisdiction: context.jurisdiction.as_deref(),
            store: context.store.as_ref(),
            local: context.local,
        }
    }
}

/// What a rule compared, in brackets: ` (customer.tier is gold, offer.price is 20.00 USD)`; empty for other kinds of
/// rules. Without a request only what anybody may know: the offer, the channel, the instant.
pub fn describe_observed(
    bundle: &Bundle,
    rule: u16,
    (placement, at): (&Placement, Timestamp),
    offer: Option<&Offer>,
    request: Option<&Observed<'_>>,
) -> String {
    let said = match bundle.rule(rule).map(|rule| &rule.kind) {
        Some(RuleKind::Exclusion { when } | RuleKind::Requirement { when }) => {
            values(bundle, when.text(), placement, offer, request)
        }
        Some(RuleKind::AudienceGuard(guard)) => {
            let seen = request.map(|seen| Observed { attributes: vec![seen.guarded], withheld: &[], ..seen.clone() });
            values(bundle, guard.when.text(), placement, offer, seen.as_ref())
        }
        Some(RuleKind::Availability(availability)) => circumstances(bundle, availability, (placement, at), request),
        _ => Vec::new(),
    };
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

/// The attributes that a condition names, with their values.
pub(in crate::policy) fn values(
    bundle: &Bundle,
    condition: &str,
    placement: &Placement,
    offer: Option<&Offer>,
    request: Option<&Observed<'_>>,
) -> Vec<String> {
    let words = condition.split(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)));
    let mut found: Vec<String> = Vec::new();
    for word in words {
        let value = offer.and_then(|offer| of_offer(bundle, word, offer));
        let value = value.or_else(|| request.and_then(|request| of_request(bundle, word, placement, request)));
        let Some(said) = value.map(|value| format!("{word} is {value}")) else { continue };
        if !found.contains(&said) {
            found.push(said);
        }
    }
    found
}

fn declared(bundle: &Bundle, word: &str) -> Option<AttributeId> {
    AttributeId::parse(word).ok().filter(|id| bundle.attributes.contains_key(id))
}

fn of_offer(bundle: &Bundle, word: &str, offer: &Offer) -> Option<String> {
    let minor = match word {
        "offer.price" => offer.price.minor,
        "offer.discount" => offer.discount.map_or(0, |discount| discount.minor),
        "offer.net_price" => offer.net_price_minor(),
        "offer.margin" => offer.margin_minor(),
        _ => {
            let id = declared(bundle, word).filter(|id| id.scope() == AttributeScope::Offer)?;
            return Some(offer.attribute(id.name()).map_or("not known".to_owned(), |value| value.to_string()));
        }
    };
    Some(Money { minor, currency: offer.currency() }.to_string())
}

fn of_request(bundle: &Bundle, word: &str, placement: &Placement, request: &Observed<'_>) -> Option<String> {
    match word {
        "basket.total" => return Some(basket(request.basket, placement)),
        "basket.size" => {
            let size: u64 = request.basket.iter().map(|line| u64::from(line.quantity)).sum();
            return Some(size.to_string());
        }
        "context.today" => return Some(request.local?.to_string().split(' ').next()?.to_owned()),
        "hour_of_day" => return Some(request.local?.hour().to_string()),
        _ => {}
    }
    let id = declared(bundle, word).filter(|id| id.scope() != AttributeScope::Offer)?;
    let withheld = request.withheld.iter().find(|(other, _)| *other == id).map(|(_, why)| *why);
    let lacking = match withheld {
        Some(Withheld::PurposeNotConsented) => "not read without consent",
        _ => "not known",
    };
    let mut said: Vec<String> = Vec::new();
    for seen in &request.attributes {
        let value = seen.iter().find(|(other, _)| *other == id).map(|(_, value)| value.to_string());
        let value = value.unwrap_or_else(|| lacking.to_owned());
        if !said.contains(&value) {
            said.push(value);
        }
    }
    Some(said.join(" or "))
}

/// What lies in the basket is worth, where everything has a price in the placement's currency.
fn basket(basket: &[BasketLine], placement: &Placement) -> String {
    let currency = placement.currency;
    let worth = basket.iter().map(|line| {
        let price = line.price.filter(|price| price.currency == currency)?;
        price.minor.checked_mul(i64::from(line.quantity))
    });
    let total = worth.sum::<Option<i64>>().map(|minor| Money { minor, currency });
    total.map_or_else(|| "not known".to_owned(), |total| total.to_string())
}

/// Where and when it was asked, as far as the rule reads it.
fn circumstances(
    bundle: &Bundle,
    availability: &Availability,
    (placement, at): (&Placement, Timestamp),
    request: Option<&Observed<'_>>,
) -> Vec<String> {
    let Availability { regions, channels, dates, dayparts, stores } = availability;
    let known = |value: Option<String>| value.map_or_else(|| "not known".to_owned(), |value| format!("`{value}`"));
    let mut said = Vec::new();
    if let Some(request) = request.filter(|_| regions.is_some()) {
        said.push(format!(
            "the jurisdiction is {}",
            known(bundle.region(request.jurisdiction, request.store).map(str::to_owned))
        ));
    }
    said.extend(channels.is_some().then(|| format!("the channel is `{}`", placement.channel)));
    said.extend(dates.is_some().then(|| format!("it is {at}")));
    let clock = dayparts.as_ref().and_then(|parts| match parts.zone {
        Zone::Named(zone) => Some(local_time(at, zone, true)),
        Zone::Customer => request.map(|request| request.local.filter(|local| local.zone_named)),
        Zone::Store => request.map(|request| {
            let zone = bundle.stores.zone(request.store)?;
            local_time(at, zone, true)
        }),
    });
    said.extend(clock.map(|local| match local {
        Some(local) => format!("it is {} {local} there", local.weekday_name()),
        None => "the time there is not known".to_owned(),
    }));
    if let Some(request) = request.filter(|_| stores.is_some()) {
        said.push(format!("the store is {}", known(request.store.map(ToString::to_string))));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CategoryId, Currency};
    use crate::policy::sample::{OFFERS, files, shown};
    use crate::policy::{Source, compile};

    const AT: Timestamp = Timestamp(1_780_000_000_000);
    const RULES: &str = "owner: all
exclusions:
  - {id: of.both, why: So it is, when: \"offer.price > basket.total && customer.tier == \\\"gold\\\"\"}
requirements:
  - {id: of.time, why: So it is, when: hour_of_day < 12 || offer.margin > 1 USD}
availability:
  - {id: there, why: So it is, regions: [DE, US-NY], stores: [s-1], channels: [web]}
  - {id: then, why: So it is, dayparts: [{days: [sat]}], time_zone: customer, dates: {until: 2030-01-01T00:00:00Z}}
  - {id: then.berlin, why: So it is, dayparts: [{days: [sat]}], time_zone: Europe/Berlin}
margin_floors:
  - {id: floor, why: So it is, min_margin: 10%}
";

    fn told(rule: &str, request: Option<&Observed<'_>>) -> String {
        let mut files = files();
        files.retain(|file| file.path != OFFERS);
        files.push(Source { path: OFFERS.into(), text: RULES.into() });
        let bundle = compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)));
        let placement = bundle.placement("home_banner").unwrap();
        let offer: Offer = serde_json::from_value(serde_json::json!({
            "offer_id": "boots", "price": {"amount": "80.00", "currency": "USD"},
            "cost_of_goods": {"amount": "30.00", "currency": "USD"}, "variants": [{"variant_id": "a"}],
        }))
        .unwrap();
        let at = bundle.rules.iter().position(|known| known.id.as_str() == rule).unwrap();
        describe_observed(&bundle, u16::try_from(at).unwrap(), (placement, AT), Some(&offer), request)
    }

    #[test]
    fn a_sentence_says_what_the_rule_compared_and_without_the_private_part_only_what_anybody_may_know() {
        let tier = |tier: &str| vec![(AttributeId::parse("customer.tier").unwrap(), Value::Text(tier.into()))];
        let (gold, bronze) = (tier("gold"), tier("bronze"));
        let store = StoreId::new("s-9").unwrap();
        let line = BasketLine {
            sku: "laces".into(),
            category: Some(CategoryId::new("shoes").unwrap()),
            quantity: 3,
            price: Some(Money { minor: 250, currency: Currency::parse("USD").unwrap() }),
            margin: None,
        };
        let known = Observed {
            attributes: vec![&gold],
            guarded: &[],
            withheld: &[],
            basket: std::slice::from_ref(&line),
            jurisdiction: Some("FR"),
            store: Some(&store),
            local: local_time(AT, chrono_tz::America::New_York, true),
        };
        let check = |rule: &str, request: Option<&Observed<'_>>, said: &str| assert_eq!(told(rule, request), said);
        let known = &known;
        check("of.both", Some(known), " (offer.price is 80.00 USD, basket.total is 7.50 USD, customer.tier is gold)");
        check("of.both", None, " (offer.price is 80.00 USD)");
        check("of.time", Some(known), " (hour_of_day is 16, offer.margin is 50.00 USD)");
        check("of.time", None, " (offer.margin is 50.00 USD)");
        check("there", Some(known), " (the jurisdiction is `FR`, the channel is `web`, the store is `s-9`)");
        check("there", None, " (the channel is `web`)");
        check("then", Some(known), " (it is 2026-05-28T20:26:40.000Z, it is thu 2026-05-28 16:26 there)");
        check("then", None, " (it is 2026-05-28T20:26:40.000Z)");
        check("then.berlin", None, " (it is thu 2026-05-28 22:26 there)");
        check("floor", Some(known), "");

        let two = Observed { attributes: vec![&gold, &bronze], ..known.clone() };
        let said = " (offer.price is 80.00 USD, basket.total is 7.50 USD, customer.tier is gold or bronze)";
        check("of.both", Some(&two), said);
        let withheld = [(AttributeId::parse("customer.tier").unwrap(), Withheld::PurposeNotConsented)];
        let nobody = Observed {
            attributes: vec![&[]],
            guarded: &[],
            withheld: &withheld,
            basket: &[BasketLine { price: None, ..line.clone() }],
            jurisdiction: None,
            store: None,
            local: local_time(AT, chrono_tz::UTC, false),
        };
        let said = " (offer.price is 80.00 USD, basket.total is not known, customer.tier is not read without consent)";
        check("of.both", Some(&nobody), said);
        check("there", Some(&nobody), " (the jurisdiction is not known, the channel is `web`, the store is not known)");
        check("then", Some(&nobody), " (it is 2026-05-28T20:26:40.000Z, the time there is not known)");
    }
}
