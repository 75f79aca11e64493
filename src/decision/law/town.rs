//! The town that the law is tried in: two placements, offers and campaigns, and what is asked there. Says nothing of
//! what rules mean.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Value as Json, json};

use super::approvals::Approvals;
use super::chance::Chance;
use super::folk::{Folk, PURPOSES, attributes, text};
use super::written::{self, Written};
use crate::domain::{
    BasketLine, Campaign, Currency, Customer, DecisionRequest, Money, Offer, OfferId, Persona, PlacementId, StoreId,
    SubjectKind, Timestamp, Value,
};
use crate::policy::Source;

/// It is Thursday, 2026-05-28, 20:26:40 in UTC.
pub(super) const NOW: i64 = 1_780_000_000_000;
pub(super) const HOUR: i64 = 3_600_000;
/// How long an offer is reserved.
pub(super) const RESERVED: i64 = HOUR;

pub(super) const TIERS: [&str; 3] = ["bronze", "silver", "gold"];

/// Stores with a clock and a region; any other is not known.
pub(super) const STORES: [(&str, Tz, &str); 2] =
    [("s-1", chrono_tz::Europe::Berlin, "DE"), ("s-2", chrono_tz::America::New_York, "US-NY")];

pub(super) const ATTRIBUTES: &str = "attributes:
  - {id: customer.tier, type: {enum: [bronze, silver, gold]}, class: personal, source: crm}
  - {id: customer.brand, type: text, class: personal, source: crm}
  - {id: customer.points, type: number, class: personal, source: crm, time_to_live: 1h}
  - {id: customer.member_since, type: date, class: personal, source: crm}
  - {id: customer.member, type: bool, class: personal, source: crm}
  - {id: customer.complaints, type: number, class: personal, source: crm}
  - {id: customer.staff, type: bool, class: sensitive, source: crm}
  - {id: customer.born, type: date, class: sensitive, source: crm}
  - {id: customer.age, type: number, class: protected, source: crm}
  - {id: context.device, type: {enum: [desktop, mobile]}, class: public, source: shop}
  - {id: context.mood, type: {enum: [calm, wild]}, class: personal, source: shop}
  - {id: offer.brand, type: text}
  - {id: offer.product, type: text}
  - {id: offer.rank, type: number}
  - {id: offer.season, type: date}
  - {id: offer.loyalty_only, type: bool}
  - {id: offer.category, type: {enum: [shoes, toys, home, garden]}}
";

/// A placement.
pub(super) struct Spot {
    pub(super) id: &'static str,
    pub(super) channel: &'static str,
    pub(super) purpose: &'static str,
    house: &'static str,
    pub(super) obeys_caps: bool,
    pub(super) counts_toward_caps: bool,
    pub(super) features: &'static [&'static str],
    /// Uniform, or one that weighs them.
    pub(super) strategy: &'static str,
    /// Whether it may show nothing.
    pub(super) nothing: bool,
}

pub(super) struct Town {
    pub(super) rules: Vec<Written>,
    pub(super) spots: [Spot; 2],
    pub(super) offers: BTreeMap<String, Offer>,
    pub(super) campaigns: Vec<Campaign>,
    /// Purposes that obey a signal.
    pub(super) obeying: Vec<&'static str>,
    pub(super) approvals: Approvals,
}

impl Town {
    pub(super) fn any(chance: &mut Chance) -> Self {
        let rules = written::any(chance);
        let spot = |chance: &mut Chance, id, channel, purpose, house| Spot {
            id,
            channel,
            purpose,
            house,
            obeys_caps: chance.often(9),
            counts_toward_caps: chance.often(9),
            features: chance.one(&[&["context.device"] as &[&str], &["context.device", "customer.tier"]]),
            strategy: if chance.often(2) { "greedy" } else { "uniform" },
            nothing: chance.often(2),
        };
        let spots = [spot(chance, "home", "web", "personal", "house"), spot(chance, "mail", "email", "plain", "o2")];
        let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
        for at in 0..2 + chance.below(7) {
            offers.insert(format!("o{at}"), offer(chance, &format!("o{at}")));
        }
        offers.insert("house".into(), offer(chance, "house"));
        let campaigns = ["spring", "autumn"].map(|id| campaign(chance, id));
        let gated = |purpose: &&str| rules.iter().any(|rule| rule.kind.guards() == Some(*purpose));
        let obeying = PURPOSES.into_iter().filter(gated).filter(|_| chance.often(4)).collect();
        Self { rules, spots, offers, campaigns: campaigns.into(), obeying, approvals: Approvals::any(chance) }
    }

    /// Whether a customer may have such an attribute.
    pub(super) fn declares(name: &str, value: &Value) -> bool {
        match (name, value) {
            ("tier", Value::Text(tier)) => TIERS.contains(&tier.as_str()),
            ("brand", Value::Text(_)) | ("points", Value::Number(_)) | ("staff", Value::Bool(_)) => true,
            _ => false,
        }
    }

    pub(super) fn house(&self, spot: usize) -> &'static str {
        self.spots[spot].house
    }

    pub(super) fn channel_of(&self, placement: &str) -> Option<&'static str> {
        self.spots.iter().find(|spot| spot.id == placement).map(|spot| spot.channel)
    }

    pub(super) fn files(&self) -> Vec<Source> {
        let file = |path: &str, text: String| Source { path: path.to_owned(), text };
        let spot = |spot: &Spot| {
            format!(
                "  - {{id: {}, channel: {}, purpose: {}, currency: USD, slots: 3, objective: {{kind: margin, \
                 window: 7d, reward_cap: 200.00}}, strategy: {{name: {}}}, features: [{}], reservation: 1h, \
                 obeys_caps: {}, counts_toward_caps: {}, nothing_allowed: {}, fallback: {{offer: {}, variant: a}}}}\n",
                spot.id,
                spot.channel,
                spot.purpose,
                spot.strategy,
                spot.features.join(", "),
                spot.obeys_caps,
                spot.counts_toward_caps,
                spot.nothing,
                spot.house
            )
        };
        let purpose = |id: &&str| {
            let lawful = match *id {
                "personal" => "bases: {US: [consent, legitimate_interest], EU: [consent]}, fallback: plain",
                "plain" => "bases: {US: [consent]}",
                "service" => "bases: {US: [consent, contract], EU: [consent]}",
                "model_training" => "bases: {EU: [consent], US: [legitimate_interest, consent]}",
                _ => "bases: {US: [consent], EU: [consent]}",
            };
            let signal = if self.obeying.contains(id) { ", gpc: refuse" } else { "" };
            format!("  - {{id: {id}, dpv: Marketing, {lawful}{signal}}}\n")
        };
        let store = |(id, zone, region): &(&str, Tz, &str)| {
            format!("  - {{id: {id}, time_zone: {}, region: {region}}}\n", zone.name())
        };
        vec![
            file("bundle.yaml", format!("name: law\nschema: 1\n{}", self.approvals.text())),
            file("catalog/attributes.yaml", ATTRIBUTES.into()),
            file("catalog/purposes.yaml", format!("purposes:\n{}", PURPOSES.iter().map(purpose).collect::<String>())),
            file("catalog/stores.yaml", format!("stores:\n{}", STORES.iter().map(store).collect::<String>())),
            file("placements.yaml", format!("placements:\n{}", self.spots.iter().map(spot).collect::<String>())),
            file("rules/10.yaml", written::text(&self.rules)),
        ]
    }

    pub(super) fn request(&self, chance: &mut Chance, spot: usize, folk: &Folk) -> DecisionRequest {
        let line = |chance: &mut Chance| BasketLine {
            sku: "thing".into(),
            category: None,
            quantity: 1 + u32::try_from(chance.below(3)).unwrap(),
            price: chance.often(9).then(|| Money {
                minor: chance.within(0, 4_000),
                currency: Currency::parse(chance.one(&["USD", "USD", "USD", "USD", "USD", "USD", "EUR"])).unwrap(),
            }),
            margin: chance.often(8).then(|| Money {
                minor: chance.within(-200, 900),
                currency: Currency::parse(chance.one(&["USD", "USD", "USD", "USD", "USD", "USD", "EUR"])).unwrap(),
            }),
        };
        let device = chance.maybe(7, &["desktop", "mobile"]).map(|device| ("device".to_owned(), text(device)));
        let mood = chance.maybe(3, &["calm", "wild"]).map(|mood| ("mood".to_owned(), text(mood)));
        let named = |kind: SubjectKind| folk.named(kind).map(|_| format!("a {}", kind.name()));
        let taste = |chance: &mut Chance| Persona {
            weight: 1 + u32::try_from(chance.below(3)).unwrap(),
            attributes: attributes(chance, 3),
        };
        DecisionRequest {
            decision_id: None,
            customer: Customer {
                id: named(SubjectKind::Customer),
                session: named(SubjectKind::Session),
                device: named(SubjectKind::Device),
                household: named(SubjectKind::Household),
                attributes: attributes(chance, 7),
                personas: chance.often(2).then(|| (0..chance.below(4)).map(|_| taste(chance)).collect()),
            },
            placement: PlacementId::new(self.spots[spot].id).unwrap(),
            count: chance.maybe(5, &[1, 2, 3]),
            jurisdiction: chance.maybe(8, &["US-NY", "US-CA", "US", "DE", "FR", "GB", "EU"]).map(str::to_owned),
            time_zone: chance.maybe(6, &["Asia/Tokyo", "Europe/Berlin", "America/New_York"]).map(str::to_owned),
            context: device.into_iter().chain(mood).collect(),
            basket: (0..chance.below(3)).map(|_| line(chance)).collect(),
            candidates: chance
                .often(3)
                .then(|| ["gone", "house", "o1", "o4"].map(|id| OfferId::new(id).unwrap()).to_vec()),
            privacy_signal: chance.maybe(3, &[true, true, false]),
            store: chance.maybe(5, &["s-1", "s-2", "s-9"]).map(|store| StoreId::new(store).unwrap()),
        }
    }
}

/// Adds one of some values, or none.
fn may(of: &mut Json, chance: &mut Chance, name: &str, of_ten: usize, values: &[Json]) {
    if chance.often(of_ten) {
        of[name] = values[chance.below(values.len())].clone();
    }
}

/// Schedules of an offer or a campaign.
fn schedule(of: &mut Json, chance: &mut Chance) {
    let at = |at: i64| json!(Timestamp(at).to_string());
    may(of, chance, "starts_at", 1, &[at(NOW), at(NOW + 1), at(NOW + HOUR / 4)]);
    may(of, chance, "ends_at", 1, &[at(NOW + HOUR / 2), at(NOW + HOUR)]);
    let pause = |from: i64, until: i64| json!({"from": at(from), "until": at(until)});
    may(of, chance, "pauses", 1, &[json!([pause(NOW - 1, NOW + 1)]), json!([pause(NOW - HOUR, NOW)])]);
}

fn offer(chance: &mut Chance, id: &str) -> Offer {
    let currency = if chance.often(9) { "USD" } else { "EUR" };
    let money = |minor: i64| json!({"amount": format!("{}.{:02}", minor / 100, minor % 100), "currency": currency});
    let price = chance.within(0, 6_000);
    let variants: Vec<Json> = ["a", "b"][..=chance.below(2)].iter().map(|id| json!({"variant_id": id})).collect();
    let mut offer = json!({
        "offer_id": id, "price": money(price), "cost_of_goods": money(chance.within(0, 4_000)), "variants": variants,
    });
    let costs = [chance.within(0, price), 0, chance.within(0, 500)].map(money);
    // No discount is above the price.
    may(&mut offer, chance, "discount", 3, &costs[..2]);
    for name in ["shipping", "expected_return_cost", "vendor_funding", "cost_of_showing", "loyalty_cost"] {
        may(&mut offer, chance, name, 3, &costs);
    }
    let prices = [price, price + 1, price - 1].map(|minor| money(minor.max(0)));
    may(&mut offer, chance, "advertised_price_min", 5, &prices);
    may(&mut offer, chance, "prior_price", 5, &prices);
    let brands = [Json::from("acme"), Json::from("zeta")];
    let mut attributes = json!({});
    may(&mut attributes, chance, "brand", 6, &brands);
    may(&mut attributes, chance, "product", 6, &["boot".into(), "boot".into(), "lamp".into()]);
    may(&mut attributes, chance, "rank", 6, &[0.into(), 1.into(), 2.5.into(), 499.into()]);
    may(&mut attributes, chance, "season", 6, &["2026-05-28".into(), "2026-06-01".into(), "2020-01-01".into()]);
    may(&mut attributes, chance, "loyalty_only", 6, &[true.into(), false.into()]);
    offer["attributes"] = attributes;
    may(&mut offer, chance, "status", 1, &["paused".into()]);
    may(&mut offer, chance, "category", 7, &["shoes".into(), "toys".into(), "home".into()]);
    if offer.get("category").is_some() {
        may(&mut offer, chance, "more_categories", 3, &[json!(["garden"]), json!(["home", "shoes"])]);
    }
    may(&mut offer, chance, "campaign", 5, &["spring".into(), "autumn".into(), "unknown".into()]);
    may(&mut offer, chance, "stock", 2, &[0.into(), 5.into()]);
    schedule(&mut offer, chance);
    serde_json::from_value(offer).unwrap()
}

fn campaign(chance: &mut Chance, id: &str) -> Campaign {
    let mut campaign = json!({"campaign_id": id, "owner": "toys"});
    may(&mut campaign, chance, "status", 1, &["paused".into()]);
    schedule(&mut campaign, chance);
    serde_json::from_value(campaign).unwrap()
}
