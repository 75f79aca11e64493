//! Random bundles, offers and customers, for the law of shelves. Says nothing of what rules make of them.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::super::{Bundle, Chosen, Contact, Seen, Source, compile, rebuild_caps};
use crate::domain::outcome::OutcomeKind;
use crate::domain::{
    AttributeId, Campaign, Catalogue, DecisionId, DecisionRequest, Offer, OfferId, PlacementId, Span, SubjectKind,
    SubjectKinds, SubjectState, Timestamp, Value,
};

pub(super) const NOW: i64 = 1_780_000_000_000;
pub(super) const HOUR: i64 = 3_600_000;

/// Random choices, each named by what it gives.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    pub(super) fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn below(&mut self, end: i64) -> i64 {
        self.0.random_range(0..end)
    }

    pub(super) fn often(&mut self, of_ten: i64) -> bool {
        self.below(10) < of_ten
    }

    pub(super) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(i64::try_from(of.len()).unwrap())).unwrap()]
    }

    /// Fields that any rule may have.
    fn common(&mut self) -> String {
        let scopes = [
            "offers: [o1, o3, o5]",
            "categories: [shoes]",
            "categories: [toys, home]",
            "placements: [home]",
            "channels: [email]",
            "channels: [web], categories: [shoes, toys]",
            "regions: [US]",
            "regions: [US-NY, DE]",
            "regions: [EU], categories: [shoes]",
        ];
        let applies = if self.often(4) { format!(", applies_to: {{{}}}", self.one(&scopes)) } else { String::new() };
        let times = ["from: 2026-05-28T20:00:00Z", "until: 2026-05-28T20:30:00Z", "from: 2026-05-28T20:20:00Z"];
        let effective = if self.often(2) { format!(", effective: {{{}}}", self.one(&times)) } else { String::new() };
        let severity = ["", "", "", ", severity: block", ", severity: warn", ", severity: shadow"];
        applies + &effective + self.one(&severity)
    }

    pub(super) fn list(&mut self, name: &str, mut rule: impl FnMut(&mut Self) -> String) -> String {
        let count = self.below(5);
        if count == 0 {
            return String::new();
        }
        let rules = (0..count).map(|at| {
            let (own, common) = (rule(self), self.common());
            format!("  - {{id: {name}.{at}, why: So it is, {own}{common}}}\n")
        });
        let rules = rules.collect::<String>();
        format!("{name}:\n{rules}")
    }

    pub(super) fn rules(&mut self) -> String {
        let scopes =
            ["[customer]", "[all, customer]", "[customer, offer]", "[customer, category]", "[customer, campaign]"];
        let nobody = ["", ", without_identifier: allow"];
        let unknown = ["", ", without_identifier: allow", ", without_identifier: exclude"];
        [
            "owner: all\n".to_owned(),
            self.money_rules(),
            self.list("frequency_caps", |c| {
                let by = if c.often(2) { "[customer, channel]" } else { c.one(&scopes) };
                let by = by.replace("customer", c.one(&["customer", "customer", "household", "device", "session"]));
                let max = 1 + c.below(3);
                let window = c.one(&[
                    "{rolling: 5h}",
                    "{rolling: 72h}",
                    "lifetime",
                    "{calendar: day, time_zone: customer}",
                    "{calendar: week, time_zone: Europe/Berlin}",
                    "{calendar: week, time_zone: store, week_starts: saturday}",
                ]);
                let counts = c.one(&["decision", "impression", "click", "redemption"]);
                format!("scope: {by}, max: {max}, window: {window}, counts: {counts}{}", c.one(&unknown))
            }),
            self.list("cool_downs", |c| {
                let after = [
                    "{event: reject}",
                    "{event: order}",
                    "{event: reject, times: 2, within: 48h}",
                    "{event: impression, times: 2, within: 96h, unless: click}",
                    "{event: click, unless: order}",
                ];
                format!("scope: {}, after: {}, suppress_for: 3d{}", c.one(&scopes), c.one(&after), c.one(&nobody))
            }),
            self.list("exclusions", |c| {
                let when = ["customer.tier == \\\"gold\\\"", "offer.price > 30 USD", "offer.brand == \\\"acme\\\""];
                format!("when: \"{}\"", c.one(&when))
            }),
            self.list("category_exclusions", |c| {
                let of = ["categories: [shoes]", "brands: [acme, nobody]", "categories: [home], brands: [zeta]"];
                format!("kind: {}, {}", c.one(&["sensitive", "competitor", "regulated"]), c.one(&of))
            }),
            self.list("audience_guards", |c| {
                let who = ["when: \"customer.tier == \\\"gold\\\"\"", "audience: employees, attribute: customer.staff"];
                format!("{}{}", c.one(&who), c.one(&["", ", on_missing: allow"]))
            }),
            self.list("availability", |c| {
                c.one(&[
                    "channels: [web]",
                    "regions: [US]",
                    "stores: [s-1]",
                    "time_zone: store, dayparts: [{from: \"09:00\", until: \"22:30\"}]",
                ])
                .to_owned()
            }),
            self.list("diversity", |c| {
                let per = c.one(&["category", "campaign", "offer.brand"]);
                format!("per: {per}, at_most: {}{}", 1 + c.below(2), c.one(&["", ", on_missing: allow"]))
            }),
            self.list("stackability", |c| {
                c.one(&[
                    "group: {offers: [o1, o2, gone]}, at_most: 1",
                    "group: {categories: [toys], offers: [o4]}, at_most: 2",
                    "exclusive_pairs: [[o1, o2], [o3, o1], [o2, o1], [gone, o4]]",
                ])
                .to_owned()
            }),
        ]
        .concat()
    }

    pub(super) fn bundle(&mut self) -> Bundle {
        compiled(&(self.rules() + &self.gates() + &self.switches()))
    }

    fn offer(&mut self, id: &str) -> Offer {
        let currency = if self.often(9) { "USD" } else { "EUR" };
        let money = |amount: i64| serde_json::json!({"amount": format!("{amount}.00"), "currency": currency});
        let price = self.below(60);
        let mut offer = serde_json::json!({
            "offer_id": id, "price": money(price), "cost_of_goods": money(self.below(40)),
            "variants": if self.often(3) {
                serde_json::json!([{"variant_id": "a"}, {"variant_id": "b"}])
            } else {
                serde_json::json!([{"variant_id": "a"}])
            },
        });
        let mut may = |chance: &mut Self, name: &str, of_ten: i64, values: &[serde_json::Value]| {
            if chance.often(of_ten) {
                let at = usize::try_from(chance.below(i64::try_from(values.len()).unwrap())).unwrap();
                offer[name] = values[at].clone();
            }
        };
        may(self, "discount", 5, &[money(price / 3), money(price / 2), money(0)]);
        may(self, "advertised_price_min", 6, &[money(10), money(25), money(price)]);
        may(self, "prior_price", 6, &[money(price), money(price - price / 4), money(price + 1)]);
        may(self, "status", 1, &["paused".into()]);
        may(self, "category", 7, &["shoes".into(), "toys".into(), "home".into()]);
        may(self, "more_categories", 3, &[serde_json::json!(["toys"]), serde_json::json!(["home", "shoes"])]);
        may(self, "campaign", 5, &["spring".into(), "autumn".into(), "unknown".into()]);
        may(self, "stock", 3, &[0.into(), 5.into()]);
        may(self, "starts_at", 2, &["2026-05-28T20:00:00Z".into(), "2026-05-28T21:00:00Z".into()]);
        may(self, "ends_at", 2, &["2026-05-28T22:00:00Z".into(), "2027-01-01T00:00:00Z".into()]);
        may(self, "attributes", 5, &[serde_json::json!({"brand": "acme"}), serde_json::json!({"brand": "zeta"})]);
        serde_json::from_value(offer).unwrap()
    }

    pub(super) fn catalogue(&mut self) -> Catalogue {
        let mut offers: Vec<Offer> = (0..self.below(9)).map(|at| self.offer(&format!("o{at}"))).collect();
        offers.push(self.offer("house"));
        let campaign = |json: serde_json::Value| -> Campaign { serde_json::from_value(json).unwrap() };
        let spring = campaign(serde_json::json!({"campaign_id": "spring", "owner": "toys"}));
        let autumn = campaign(serde_json::json!({
            "campaign_id": "autumn", "owner": "toys", "starts_at": "2026-05-28T20:15:00Z",
        }));
        Catalogue::new(1, offers, vec![spring, autumn])
    }

    /// Contacts of the last days, some with offers and placements that are gone.
    pub(super) fn history(&mut self) -> Vec<Contact> {
        let count = self.below(12);
        let contact = |number: i64| {
            let at = NOW - self.below(96 * HOUR);
            let event = |chance: &mut Self, kind| (kind, Timestamp(at + chance.below(NOW - at + 1)));
            let mut events = Vec::new();
            for kind in [OutcomeKind::Reject, OutcomeKind::Order, OutcomeKind::Click, OutcomeKind::Impression] {
                if self.often(4) {
                    events.push(event(self, kind));
                }
            }
            Contact {
                chosen: Chosen {
                    decision: DecisionId::from_parts(at, [u8::try_from(number).unwrap(); 10]),
                    slot: u16::try_from(self.below(2)).unwrap(),
                    at: Timestamp(at),
                    reserved_until: Timestamp(at).plus(Span(HOUR)),
                    stands_for: SubjectKinds::of(SubjectKind::Customer),
                },
                placement: PlacementId::new(self.one(&["home", "mail", "gone", "receipt"])).unwrap(),
                offer: OfferId::new(self.one(&["o0", "o1", "o2", "o3", "o4", "gone"])).unwrap(),
                seen: self.often(6).then_some(Timestamp(at + 1)),
                clicked: self.often(4).then_some(Timestamp(at + 2)),
                redeemed: self.often(3).then_some(Timestamp(at + 3)),
                events,
                released: self.often(1),
            }
        };
        (0..count).map(contact).collect()
    }

    /// What may be seen of the customer.
    pub(super) fn seen(&mut self) -> Seen {
        let id = |name: &str| AttributeId::parse(name).unwrap();
        let gold = self.often(5).then(|| (id("customer.tier"), Value::Text("gold".into())));
        let staff = self.often(6).then(|| (id("customer.staff"), Value::Bool(self.often(4))));
        Seen::of(gold.into_iter().chain(staff).collect())
    }

    /// The states of whomever a request names, each with a history of its own.
    pub(super) fn subjects(&mut self, bundle: &Bundle, catalogue: &Catalogue) -> Vec<(SubjectState, SubjectKinds)> {
        let mut named = |kind: &SubjectKind| self.often(8 - *kind as i64).then(|| "x".to_owned());
        let [id, session, household, device] = SubjectKind::ALL.each_ref().map(&mut named);
        let request = DecisionRequest {
            customer: crate::domain::Customer { id, session, device, household, ..Default::default() },
            ..request(PlacementId::new("home").unwrap(), None)
        };
        let counted = |(_, stands_for): (_, SubjectKinds)| {
            let mut state = SubjectState::default();
            let mut history = self.history();
            for contact in &mut history {
                contact.chosen.stands_for = stands_for;
            }
            rebuild_caps(bundle, catalogue, &history, &mut state, Timestamp(NOW));
            (state, stands_for)
        };
        request.subjects(bundle.counted).into_iter().map(counted).collect()
    }
}

pub(super) fn request(placement: PlacementId, candidates: Option<Vec<OfferId>>) -> DecisionRequest {
    DecisionRequest {
        decision_id: None,
        customer: crate::domain::Customer::default(),
        placement,
        count: None,
        jurisdiction: None,
        time_zone: None,
        context: BTreeMap::new(),
        basket: Vec::new(),
        candidates,
        store: None,
        privacy_signal: None,
    }
}

/// A bundle of placements with these rules.
pub(super) fn compiled(rules: &str) -> Bundle {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let placement = |id: &str, channel: &str, (house, more): (&str, &str)| {
        format!(
            "  - {{id: {id}{more}, channel: {channel}, purpose: p, currency: USD, slots: 3, objective: {{kind: margin, \
             window: 7d, reward_cap: 200.00}}, strategy: {{name: uniform}}, features: [], fallback: {{offer: \
             {house}, variant: a}}}}\n"
        )
    };
    let placements = placement("home", "web", ("house", ""))
        + &placement("mail", "email", ("o2", ""))
        + &placement("letter", "email", ("o2", ", obeys_caps: false"))
        + &placement("receipt", "email", ("o2", ", counts_toward_caps: false"));
    let files = [
        file("bundle.yaml", "name: law\nschema: 1\n"),
        file(
            "catalog/attributes.yaml",
            "attributes:\n  - {id: customer.tier, type: {enum: [bronze, gold]}, class: personal}\n  \
             - {id: customer.staff, type: bool, class: sensitive}\n  \
             - {id: offer.brand, type: text}\n  - {id: offer.category, type: {enum: [shoes, toys, home]}}\n",
        ),
        file("catalog/purposes.yaml", "purposes:\n  - {id: p, dpv: Marketing, bases: {US: [consent]}}\n"),
        file("catalog/stores.yaml", "stores:\n  - {id: s-1, time_zone: Asia/Tokyo, region: US}\n"),
        file("placements.yaml", &format!("placements:\n{placements}")),
        file("rules/10.yaml", rules),
    ];
    compile(&files)
        .unwrap_or_else(|findings| panic!("{}", findings.iter().map(ToString::to_string).collect::<String>()))
}
