//! The town that the law is tried in: two placements, offers and campaigns, customers with a past, and what they ask. Says
//! nothing of what rules mean.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Value as Json, json};

use super::chance::Chance;
use super::gates::Gates;
use super::written::{self, Written};
use crate::domain::consent::{Basis, ConsentEntry};
use crate::domain::outcome::OutcomeKind;
use crate::domain::{
    BasketLine, Campaign, ConsentState, Currency, Customer, DecisionId, DecisionRequest, Money, Number, Offer, OfferId,
    PlacementId, PurposeId, StoreId, SubjectKind, SubjectKinds, Timestamp, Value,
};
use crate::policy::{Chosen, Contact, Source};

/// It is Thursday, 2026-05-28, 20:26:40 in UTC.
pub(super) const NOW: i64 = 1_780_000_000_000;
pub(super) const HOUR: i64 = 3_600_000;
/// How long an offer is reserved.
pub(super) const RESERVED: i64 = HOUR;

pub(super) const TIERS: [&str; 3] = ["bronze", "silver", "gold"];

/// Stores with a clock and a region; any other is not known.
const STORES: [(&str, Tz, &str); 2] =
    [("s-1", chrono_tz::Europe::Berlin, "DE"), ("s-2", chrono_tz::America::New_York, "US-NY")];

const ATTRIBUTES: &str = "attributes:
  - {id: customer.tier, type: {enum: [bronze, silver, gold]}, class: personal, source: crm}
  - {id: customer.brand, type: text, class: personal, source: crm}
  - {id: customer.points, type: number, class: personal, source: crm}
  - {id: customer.member_since, type: date, class: personal, source: crm}
  - {id: customer.member, type: bool, class: personal, source: crm}
  - {id: context.device, type: {enum: [desktop, mobile]}, class: public, source: shop}
  - {id: offer.brand, type: text}
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
}

pub(super) struct Town {
    pub(super) rules: Vec<Written>,
    pub(super) spots: [Spot; 2],
    pub(super) offers: BTreeMap<String, Offer>,
    pub(super) campaigns: Vec<Campaign>,
}

/// Somebody known.
pub(super) struct Person {
    pub(super) consents: Vec<ConsentEntry>,
    pub(super) contacts: Vec<Contact>,
    attributes: BTreeMap<String, Value>,
}

/// What is asked, by whom and after what.
pub(super) struct Asked<'a> {
    pub(super) town: &'a Town,
    pub(super) spot: usize,
    pub(super) request: &'a DecisionRequest,
    pub(super) person: Option<&'a Person>,
    pub(super) now: i64,
    /// Where from, as rules about regions see it.
    pub(super) from: Option<String>,
    /// What rules may see.
    pub(super) seen: BTreeMap<String, Value>,
    /// What stands in the slots before.
    pub(super) chosen: Vec<&'a Offer>,
    /// Whether the counters were made at this very instant.
    pub(super) fresh: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        town: &'a Town,
        spot: usize,
        request: &'a DecisionRequest,
        person: Option<&'a Person>,
        now: i64,
    ) -> Self {
        let store = request.store.as_ref().and_then(|store| STORES.iter().find(|(id, ..)| *id == store.as_str()));
        let from = request.jurisdiction.clone().or(store.map(|(_, _, region)| (*region).to_owned()));
        Self { town, spot, request, person, now, from, seen: BTreeMap::new(), chosen: Vec::new(), fresh: true }
    }

    pub(super) fn placement(&self) -> &'static str {
        self.town.spots[self.spot].id
    }

    pub(super) fn channel(&self) -> &'static str {
        self.town.spots[self.spot].channel
    }

    /// Fills in what may be seen under the purpose that the gates left.
    pub(super) fn see(&mut self, gates: &Gates) {
        let context = self.request.context.iter().map(|(name, value)| (format!("context.{name}"), value.clone()));
        self.seen.extend(context);
        if gates.personal {
            let customer = self.request.customer.attributes.iter();
            self.seen.extend(customer.map(|(name, value)| (format!("customer.{name}"), value.clone())));
        }
    }

    /// Where the customer is.
    pub(super) fn zone(&self) -> Option<Tz> {
        self.request.time_zone.as_deref().map(|zone| zone.parse().unwrap())
    }

    /// Where the store is.
    pub(super) fn store_zone(&self) -> Option<Tz> {
        let store = self.request.store.as_ref()?;
        STORES.iter().find(|(id, ..)| *id == store.as_str()).map(|(_, zone, _)| *zone)
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn number(value: i64) -> Value {
    Value::Number(Number(value * 1_000_000))
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
        };
        let spots = [spot(chance, "home", "web", "personal", "house"), spot(chance, "mail", "email", "plain", "o2")];
        let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
        for at in 0..2 + chance.below(7) {
            offers.insert(format!("o{at}"), offer(chance, &format!("o{at}")));
        }
        offers.insert("house".into(), offer(chance, "house"));
        let campaigns = ["spring", "autumn"].map(|id| campaign(chance, id));
        Self { rules, spots, offers, campaigns: campaigns.into() }
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
                "  - {{id: {}, channel: {}, purpose: {}, currency: USD, slots: 3, objective: {{kind: margin, window: 7d, \
                 reward_cap: 200.00}}, strategy: {{name: uniform}}, features: [context.device], reservation: 1h, \
                 obeys_caps: {}, counts_toward_caps: {}, fallback: {{offer: {}, variant: a}}}}\n",
                spot.id, spot.channel, spot.purpose, spot.obeys_caps, spot.counts_toward_caps, spot.house
            )
        };
        let store = |(id, zone, region): &(&str, Tz, &str)| {
            format!("  - {{id: {id}, time_zone: {}, region: {region}}}\n", zone.name())
        };
        vec![
            file("bundle.yaml", "name: law\nschema: 1\n".into()),
            file("catalog/attributes.yaml", ATTRIBUTES.into()),
            file(
                "catalog/purposes.yaml",
                "purposes:\n  - {id: personal, dpv: Marketing, bases: {US: [consent, legitimate_interest], EU: \
                 [consent]}, fallback: plain}\n  - {id: plain, dpv: Marketing, bases: {US: [consent]}}\n"
                    .into(),
            ),
            file("catalog/stores.yaml", format!("stores:\n{}", STORES.iter().map(store).collect::<String>())),
            file("placements.yaml", format!("placements:\n{}", self.spots.iter().map(spot).collect::<String>())),
            file("rules/10.yaml", written::text(&self.rules)),
        ]
    }

    /// Somebody, or nobody known.
    pub(super) fn person(&self, chance: &mut Chance) -> Option<Person> {
        if chance.often(2) {
            return None;
        }
        let mut consents = Vec::new();
        for purpose in ["personal", "plain"] {
            // At instants of their own, so that one of them is the newest.
            for at in 0..chance.below(3) {
                use ConsentState::{Granted, Refused, Unknown, Withdrawn};
                let at = i64::try_from(at).unwrap();
                consents.push(ConsentEntry {
                    purpose: PurposeId::new(purpose).unwrap(),
                    state: chance.one(&[Granted, Granted, Granted, Granted, Refused, Withdrawn, Unknown]),
                    basis: chance.one(&[Basis::Consent, Basis::Consent, Basis::LegitimateInterest]),
                    valid_from: Timestamp(NOW + at - 3 + if chance.often(1) { HOUR } else { 0 }),
                    channel: None,
                    jurisdiction: None,
                    valid_until: chance.maybe(2, &[Timestamp(NOW), Timestamp(NOW + 1), Timestamp(NOW + HOUR)]),
                });
            }
        }
        let mut attributes = BTreeMap::new();
        let mut may = |chance: &mut Chance, name: &str, values: &[Value]| {
            if chance.often(7) {
                attributes.insert(name.to_owned(), values[chance.below(values.len())].clone());
            }
        };
        may(chance, "tier", &TIERS.map(text));
        may(chance, "brand", &["acme", "zeta", "nova"].map(text));
        may(chance, "points", &[0, 1, 3, 499, 500, 501].map(number));
        may(chance, "member_since", &["2026-05-28", "2026-04-28", "2026-04-29", "2020-01-01"].map(text));
        may(chance, "member", &[Value::Bool(true), Value::Bool(false)]);
        let contacts = (0..chance.below(14)).map(|number| contact(chance, number)).collect();
        Some(Person { consents, contacts, attributes })
    }

    pub(super) fn request(&self, chance: &mut Chance, spot: usize, person: Option<&Person>) -> DecisionRequest {
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
        let device = chance.maybe(7, &["desktop", "mobile"]);
        DecisionRequest {
            decision_id: None,
            customer: Customer {
                id: person.map(|_| "ann".to_owned()),
                attributes: person.map(|person| person.attributes.clone()).unwrap_or_default(),
                ..Customer::default()
            },
            placement: PlacementId::new(self.spots[spot].id).unwrap(),
            count: chance.maybe(5, &[1, 2, 3]),
            jurisdiction: chance.maybe(8, &["US-NY", "US-CA", "US", "DE", "FR", "GB", "EU"]).map(str::to_owned),
            time_zone: chance.maybe(6, &["Asia/Tokyo", "Europe/Berlin", "America/New_York"]).map(str::to_owned),
            context: device.map(|device| ("device".to_owned(), text(device))).into_iter().collect(),
            basket: (0..chance.below(3)).map(|_| line(chance)).collect(),
            candidates: chance
                .often(3)
                .then(|| ["gone", "house", "o1", "o4"].map(|id| OfferId::new(id).unwrap()).to_vec()),
            privacy_signal: None,
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
    let variants: Vec<Json> = ["a", "b"][..1 + chance.below(2)].iter().map(|id| json!({"variant_id": id})).collect();
    let mut offer = json!({
        "offer_id": id, "price": money(price), "cost_of_goods": money(chance.within(0, 4_000)), "variants": variants,
    });
    let costs = [chance.within(0, price), 0, chance.within(0, 500)].map(money);
    for name in ["discount", "shipping", "expected_return_cost", "vendor_funding", "cost_of_showing", "loyalty_cost"] {
        may(&mut offer, chance, name, 3, &costs);
    }
    let prices = [price, price + 1, price - 1].map(|minor| money(minor.max(0)));
    may(&mut offer, chance, "advertised_price_min", 5, &prices);
    may(&mut offer, chance, "prior_price", 5, &prices);
    let brands = [Json::from("acme"), Json::from("zeta")];
    let mut attributes = json!({});
    may(&mut attributes, chance, "brand", 6, &brands);
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

/// A contact of the last days, maybe of an offer or a placement that is gone.
fn contact(chance: &mut Chance, number: usize) -> Contact {
    let at = NOW - chance.within(0, 96 * HOUR);
    let later = |chance: &mut Chance| Timestamp(chance.within(at - HOUR / 4, NOW));
    let mut maybe = |of_ten: usize| chance.often(of_ten).then(|| later(chance));
    let (seen, clicked, redeemed) = (maybe(6), maybe(3), maybe(2));
    let kinds = [
        (OutcomeKind::Reject, maybe(3)),
        (OutcomeKind::Return, maybe(2)),
        (OutcomeKind::Impression, seen),
        (OutcomeKind::Click, clicked),
        (OutcomeKind::Order, redeemed),
    ];
    Contact {
        chosen: Chosen {
            decision: DecisionId::from_parts(at, [u8::try_from(number).unwrap(); 10]),
            slot: u16::try_from(chance.below(2)).unwrap(),
            at: Timestamp(at),
            reserved_until: Timestamp(at + RESERVED),
            stands_for: SubjectKinds::of(SubjectKind::Customer),
        },
        placement: PlacementId::new(chance.one(&["home", "home", "mail", "gone"])).unwrap(),
        offer: OfferId::new(chance.one(&["o0", "o1", "o1", "o2", "o3", "o4", "gone"])).unwrap(),
        seen,
        clicked,
        redeemed,
        events: kinds.into_iter().filter_map(|(kind, at)| Some((kind, at?))).collect(),
        released: false,
    }
}
