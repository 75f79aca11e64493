//! The corpus made from a fixed seed: a small shop of every strategy, its customers, and what they are asked. Reads no
//! file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Corpus, GENERATOR};
use crate::bandit::{ArmKey, DrawPurpose, Features, Increment, Model, ModelView};
use crate::decision::{Ask, Decision, Snapshot, SubjectView, Subjects, decide};
use crate::domain::consent::ConsentEntry;
use crate::domain::decision::Record;
use crate::domain::key::SubjectKey;
use crate::domain::outcome::OutcomeKind;
use crate::domain::{
    Basis, Catalogue, ConsentState, Customer, Day, DecisionId, DecisionRequest, OfferId, Persona, PlacementId,
    PurposeId, Purse, Spend, Strategy, SubjectId, SubjectKind, SubjectKinds, SubjectRef, SubjectState, Timestamp,
    Value,
};
use crate::policy::{Bundle, Chosen, Contact, Source, rebuild_caps};

const NOW: i64 = 1_780_000_000_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Decisions at each of three times: before anything is learned, a day later and a month later.
const DECISIONS: u64 = 66;
const TIMES: [i64; 3] = [0, DAY, 30 * DAY];

const ATTRIBUTES: &str = "\
attributes:
  - {id: customer.tier, type: {enum: [bronze, gold]}, class: personal, source: crm}
  - {id: customer.visits, type: {number: {mean: 4, scale: 4}}, class: personal, source: crm}
  - {id: customer.age, type: number, class: protected, source: crm}
  - {id: context.device, type: {enum: [desktop, mobile]}, class: public, source: shop}
  - {id: offer.category, type: {enum: [shoes, toys]}}
";

const PURPOSES: &str = "\
purposes:
  - {id: personal, dpv: ProvideProductRecommendations, bases: {US: [consent], EU: [consent]}, fallback: contextual}
  - {id: contextual, dpv: ProvideProductRecommendations}
  - {id: strict, dpv: Marketing, bases: {US: [consent], EU: [consent]}}
  - {id: service, dpv: Marketing}
";

const RULES: &str = "\
owner: shop
purpose_gates:
  - {id: gate, why: Consent, purpose: personal}
  - {id: gate.strict, why: Consent, purpose: strict}
margin_floors:
  - {id: floor, why: Finance floor, min_margin: 15%}
frequency_caps:
  - {id: cap.day, why: Contact standard, scope: [customer, offer], max: 2, window: {rolling: 24h}, counts: decision}
  - {id: cap.seen, why: Enough in sight, severity: warn, scope: [customer, category], max: 1, window: {calendar: day, \
time_zone: customer}, counts: impression}
  - {id: cap.home, why: A household is one, scope: [household], max: 9, window: {rolling: 24h}, counts: decision}
cool_downs:
  - {id: cool, why: No means no, scope: [customer, category], after: {event: reject}, suppress_for: 14d}
audience_guards:
  - {id: minors, why: Youth protection, audience: minors, attribute: customer.age, applies_to: {offers: [o6]}}
budgets:
  - {id: hundred, why: The studio takes so many, units: 60, by: offer, window: lifetime, applies_to: {offers: [o1]}}
diversity:
  - {id: diverse, why: Several departments, per: category, at_most: 2}
exclusions:
  - {id: slow, why: Not at night, when: hour_of_day < 3 && offer.category == \"toys\"}
";

/// A generator of a sequence, so that everything follows from the seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn often(&mut self, of_ten: u64) -> bool {
        self.below(10) < of_ten
    }
}

fn placements() -> String {
    let placement = |name: &str| {
        let settings = match name {
            "linucb_randomised" => ", width_max: 2",
            _ => "",
        };
        let (objective, more) = match name {
            "thompson_beta" => ("{kind: conversion, window: 7d, reward_cap: 200.00}", ""),
            "thompson_logistic" => ("{kind: click, window: 7d, reward_cap: 200.00}", ""),
            "thompson_linear" => (
                "{kind: margin, window: 7d, reward_cap: 200.00, value: learned, value_orders: 5}",
                "    challengers:\n      - {id: other, share: 45%, strategy: {name: linucb}}\n",
            ),
            "squarecb" => ("{kind: margin, window: 7d, reward_cap: 200.00}", "    cheapest: {share: 80%}\n"),
            "linucb" => ("{kind: margin, window: 7d, reward_cap: 200.00}", "    exploration_budget: 50.00\n"),
            _ => ("{kind: margin, window: 7d, reward_cap: 200.00}", ""),
        };
        let purpose = if name == "greedy" { "strict" } else { "personal" };
        let nothing = name != "epsilon_greedy";
        format!(
            "  - id: {}\n    channel: web\n    purpose: {purpose}\n    currency: USD\n    slots: 3\n    \
             nothing_allowed: {nothing}\n    objective: {objective}\n    strategy: {{name: {name}{settings}}}\n    \
             features: [customer.tier, context.device, hour_of_day]\n    holdout: 8%\n    reservation: 10m\n    \
             fallback: {{offer: house, variant: a}}\n{more}",
            name.replace('_', "-"),
        )
    };
    format!("placements:\n{}", Strategy::NAMES.map(placement).concat())
}

fn files() -> Vec<Source> {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    vec![
        file("bundle.yaml", "name: corpus\nschema: 1\n"),
        file("catalog/attributes.yaml", ATTRIBUTES),
        file("catalog/purposes.yaml", PURPOSES),
        file("placements.yaml", &placements()),
        file("rules/10.yaml", RULES),
    ]
}

fn catalogue() -> Json {
    let money = |minor: u64| json!({"amount": format!("{}.{:02}", minor / 100, minor % 100), "currency": "USD"});
    let offer = |(id, at): (&str, u64)| {
        let mut offer = json!({
            "offer_id": id, "price": money(10_000), "cost_of_goods": money(9_200 - at * 700),
            "discount": money(at * 90),
            "cost_of_showing": money(at % 3 * 7), "category": if at % 2 == 0 { "shoes" } else { "toys" },
            "variants": [{"variant_id": "a"}, {"variant_id": "b"}],
        });
        if at == 2 {
            offer["stock"] = json!(30);
        }
        if at == 4 {
            offer["campaign"] = json!("sale");
        }
        offer
    };
    let offers = [("o0", 0), ("o1", 1), ("o2", 2), ("o3", 3), ("o4", 4), ("o5", 5), ("o6", 6), ("house", 5)].map(offer);
    let sale = json!({
        "campaign_id": "sale", "owner": "toys", "budget": money(100_000),
        "starts_at": Timestamp(NOW - DAY), "ends_at": Timestamp(NOW + 40 * DAY),
    });
    json!({"offers": offers, "campaigns": [sale]})
}

fn switches() -> Json {
    let effective = json!({"from": Timestamp(NOW + 29 * DAY), "until": Timestamp(NOW + 32 * DAY)});
    let of = |id: &str, kind: &str| {
        json!({
            "id": id, "kind": kind, "why": "Recalled by the maker", "approver": "Jane Doe", "ticket": "OPS-7",
            "owner": "ops",
            "effective": effective,
        })
    };
    let (mut recall, mut first) = (of("recall", "kill_switch"), of("first", "override"));
    recall["stop"] = json!({"offers": ["o5"]});
    (first["action"], first["offers"]) = (json!("pin"), json!(["o3"]));
    first["applies_to"] = json!({"placements": ["uniform"]});
    json!([recall, first])
}

/// Somebody with a state.
#[derive(Default)]
struct Person {
    version: u64,
    state: SubjectState,
}

fn said(state: ConsentState, purpose: &str, jurisdiction: Option<&str>) -> ConsentEntry {
    ConsentEntry {
        purpose: PurposeId::new(purpose).unwrap(),
        state,
        basis: Basis::Consent,
        valid_from: Timestamp(NOW - DAY),
        valid_until: None,
        channel: None,
        jurisdiction: jurisdiction.map(str::to_owned),
    }
}

/// A contact of the day before: a toy that was dismissed.
fn dismissed(number: u64) -> Contact {
    let at = Timestamp(NOW - DAY);
    let chosen = Chosen {
        decision: DecisionId::from_parts(at.0, [u8::try_from(number).unwrap(); 10]),
        slot: 0,
        at,
        reserved_until: at,
        stands_for: SubjectKinds::of(SubjectKind::Customer),
    };
    Contact {
        chosen,
        placement: PlacementId::new("uniform").unwrap(),
        offer: OfferId::new("o3").unwrap(),
        seen: None,
        clicked: None,
        redeemed: None,
        events: vec![(OutcomeKind::Reject, at)],
        released: false,
    }
}

/// The customer of a number, as known at first: some said no, some nothing, some elsewhere; some dismissed a toy.
fn person(snapshot: &Snapshot, kind: SubjectKind, number: u64) -> Person {
    let mut person = Person { version: 1, ..Person::default() };
    let contacts = if number % 4 == 3 { vec![dismissed(number)] } else { Vec::new() };
    rebuild_caps(&snapshot.bundle, &snapshot.catalogue, &contacts, &mut person.state, Timestamp(NOW));
    let (state, place) = match number % 6 {
        0 => return person,
        1 => (ConsentState::Refused, None),
        2 => (ConsentState::Granted, Some("DE")),
        _ => (ConsentState::Granted, None),
    };
    if kind == SubjectKind::Customer {
        person.state.consents = ["personal", "strict"].map(|purpose| said(state, purpose, place)).into();
    }
    person
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn request(chance: &mut Chance, placement: &str) -> DecisionRequest {
    let number = chance.below(10);
    let attributes = |chance: &mut Chance| {
        let mut given = BTreeMap::new();
        if chance.often(7) {
            given.insert("tier".to_owned(), text(chance.one(&["bronze", "gold"])));
        }
        if chance.often(4) {
            given.insert("age".to_owned(), Value::Number(crate::domain::Number(chance.one(&[15, 40]) * 1_000_000)));
        }
        if chance.often(3) {
            given.insert("visits".to_owned(), Value::Number(crate::domain::Number(3_000_000)));
        }
        given
    };
    let personas = chance.often(2).then(|| {
        let persona = |weight| Persona { weight, attributes: attributes(chance) };
        [2, 1].map(persona).to_vec()
    });
    let customer = Customer {
        id: chance.often(8).then(|| format!("c-{number}")),
        session: chance.often(3).then(|| format!("s-{number}")),
        household: chance.often(3).then(|| format!("h-{}", number % 3)),
        device: None,
        attributes: attributes(chance),
        personas,
    };
    // Of the second ones, one is under the floor and nobody knows the other.
    let offers: &[&str] = chance.one(&[&["o1", "o4", "o6"], &["gone", "o0"]]);
    let offers = offers.iter().map(|id| OfferId::new(*id).unwrap()).collect();
    DecisionRequest {
        decision_id: None,
        customer,
        placement: PlacementId::new(placement).unwrap(),
        count: chance.one(&[None, Some(1), Some(2), Some(3)]),
        jurisdiction: Some(chance.one(&["US-NY", "US-NY", "DE"]).to_owned()),
        time_zone: chance.often(5).then(|| chance.one(&["America/New_York", "Asia/Tokyo"]).to_owned()),
        context: BTreeMap::from([("device".to_owned(), text(chance.one(&["desktop", "mobile"])))]),
        basket: Vec::new(),
        candidates: chance.often(2).then_some(offers),
        store: None,
        privacy_signal: None,
    }
}

/// The shop as it goes on.
struct Shop {
    chance: Chance,
    people: BTreeMap<SubjectRef, Person>,
    purse: Purse,
    models: BTreeMap<PlacementId, Model>,
}

impl Shop {
    /// One decision, and what came of it.
    fn visit(&mut self, snapshot: &Snapshot, (placement, number, at): (&str, u64, i64)) -> (Record, SubjectKey) {
        let request = request(&mut self.chance, placement);
        let contended = number % 37 == 5;
        let named = request.subjects(snapshot.bundle.counted);
        for (reference, _) in &named {
            let of: u64 = reference.outside_id[2..].parse().unwrap();
            self.people.entry(reference.clone()).or_insert_with(|| person(snapshot, reference.kind, of));
        }
        let id = |reference: &SubjectRef| {
            let of = reference.outside_id.as_bytes();
            SubjectId([reference.kind as u8 + of[2], of[2], 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, of[0]])
        };
        let views = named.iter().filter(|_| !contended).map(|(reference, stands_for)| {
            let Person { version, state } = &self.people[reference];
            (SubjectView { kind: reference.kind, subject: id(reference), version: *version, state }, *stands_for)
        });
        let ask = Ask {
            request: &request,
            request_digest: request.digest(),
            decision_id: DecisionId::from_parts(at, u128::from(number).to_be_bytes()[6..].try_into().unwrap()),
            id_minted: self.chance.0.is_multiple_of(2),
            attempt: u16::from(contended) * 3,
            purpose: DrawPurpose::Served,
            contended,
            purse: &self.purse,
        };
        let made = decide(snapshot, &ask, Subjects::of(views), &GENERATOR, Timestamp(at)).unwrap();
        let Decision { mut skeleton, private, next, beside, takes } = made;
        let key = SubjectKey(named.first().map_or([200; 32], |(reference, _)| [id(reference).0[1]; 32]));
        let record = Record::seal(&mut skeleton, &private, &key);
        for take in &takes {
            self.purse.take(take);
        }
        let nexts = next.into_iter().map(Some).chain(beside);
        for ((reference, _), next) in named.iter().zip(nexts) {
            if let (Some(person), Some(next)) = (self.people.get_mut(reference), next) {
                (person.state, person.version) = (next, person.version + 1);
            }
        }
        self.learn(&skeleton, &private.context.features, snapshot);
        (record, key)
    }

    /// What was chosen first is accepted or not, worth what its margin is.
    fn learn(&mut self, skeleton: &crate::domain::decision::Skeleton, features: &[(u16, i32)], snapshot: &Snapshot) {
        let Some((_, shown, row)) = skeleton.chosen().next() else { return };
        let placement = snapshot.bundle.placement(skeleton.placement.as_str()).unwrap();
        let accepted = self.chance.often(3);
        let reward = if accepted { row.margin_minor } else { 0 };
        let bags = crate::bandit::multiplicities(&skeleton.decision_id, 0, placement.bags());
        let increment = Increment {
            generation: 0,
            weight: 1 << 16,
            features: Features::from_sparse(placement.dimensions(), features).unwrap(),
            exposure: 1,
            accepted: i8::from(accepted),
            reward,
            reward_squared: i128::from(reward) * i128::from(reward),
            matured: None,
            value: reward,
            bags,
        };
        let model = self.models.get_mut(&placement.id).unwrap();
        let arm = ArmKey { offer: shown.offer.clone(), variant: shown.variant.clone() };
        model.apply(model.sequence() + 1, &arm, &increment).unwrap();
    }
}

/// What each contender reads at a time.
fn views(bundle: &Bundle, catalogue: &Catalogue, models: &BTreeMap<PlacementId, Model>, day: Day) -> Views {
    let of = |(id, model): (&PlacementId, &Model)| {
        let placement = &bundle.placements[id];
        let view = |by| {
            let view = match model.sequence() {
                0 => ModelView::prior(placement, by),
                _ => ModelView::derive(model.version(), placement, by, model.lineup(catalogue), day, None),
            };
            Arc::new(view)
        };
        (id.clone(), placement.contenders().map(view).collect())
    };
    models.iter().map(of).collect()
}

type Views = BTreeMap<PlacementId, Vec<Arc<ModelView>>>;

pub(super) fn corpus() -> Corpus {
    let mut corpus = Corpus {
        files: files(),
        catalogue: catalogue(),
        switches: switches(),
        models: Vec::new(),
        records: Vec::new(),
    };
    let (bundle, catalogue) = (corpus.bundle(), Arc::new(corpus.catalogue()));
    let switched = Arc::new(corpus.switched(&bundle));
    let bundle = Arc::new(bundle);
    let new = |placement: &crate::domain::Placement| {
        (placement.id.clone(), Model::new(placement.model_id(), placement.dimensions()))
    };
    let mut shop = Shop {
        chance: Chance(11),
        people: BTreeMap::new(),
        purse: Purse::default(),
        models: bundle.placements.values().map(new).collect(),
    };
    let placements: Vec<&str> = bundle.placements.keys().map(PlacementId::as_str).collect();
    for (time, later) in TIMES.into_iter().enumerate() {
        let day = Timestamp(NOW + later).day();
        let mut spend = Spend::none(day);
        spend.campaigns.insert("sale".to_owned().try_into().unwrap(), 9_000 * i64::try_from(time).unwrap());
        spend.explored.insert("linucb".to_owned().try_into().unwrap(), 30_000_000 * i64::try_from(time).unwrap());
        let snapshot = Snapshot {
            tenant: "default".into(),
            build: "corpus".into(),
            control_sequence: 4 + time as u64,
            bundle: if time == 2 { switched.clone() } else { bundle.clone() },
            catalogue: catalogue.clone(),
            models: views(&bundle, &catalogue, &shop.models, day),
            day,
            spend: Arc::new(spend),
            approved: Arc::default(),
        };
        corpus.models.extend(shop.models.values().cloned());
        for number in 0..DECISIONS {
            let at = NOW + later + i64::try_from(number).unwrap() * 4 * 60_000;
            let placement = placements[usize::try_from(number).unwrap() % placements.len()];
            corpus.records.push(shop.visit(&snapshot, (placement, time as u64 * DECISIONS + number, at)));
        }
    }
    corpus
}
