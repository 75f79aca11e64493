//! What rules cost: 40 and 200 rules of the ten everyday kinds on 100, 500 and 1,000 candidates, every rule asked about
//! every one of them and every reason kept; and the whole decision around it. Times no store and no HTTP.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proffer::bandit::{DrawPurpose, ModelView};
use proffer::decision::{Ask, Decision, Snapshot, SubjectView, decide};
use proffer::domain::consent::{Basis, ConsentEntry, ConsentState};
use proffer::domain::decision::{Failed, Record};
use proffer::domain::key::{GeneratorKey, SubjectKey};
use proffer::domain::outcome::OutcomeKind;
use proffer::domain::{
    BasketLine, Catalogue, Currency, Customer, DecisionId, DecisionRequest, Digest, Money, Number, Offer, OfferId,
    PlacementId, PurposeId, Span, SubjectId, SubjectKind, SubjectKinds, SubjectState, Timestamp, Value,
};
use proffer::policy::{
    Allowed, Bundle, CapWindows, Chosen, Contact, Facts, Judging, Source, Verdict, compile, minimise, rebuild_caps,
};

const NOW: Timestamp = Timestamp(1_780_000_000_000);
const HOUR: i64 = 3_600_000;
const GENERATOR: GeneratorKey = GeneratorKey { period: 1, key: [3; 32] };
const ROUNDS: usize = 301;

/// How much is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Share {
    /// One offer in five.
    Some,
    /// Two offers in three.
    Most,
}

const ATTRIBUTES: &str = "attributes:
  - {id: customer.tier, type: {enum: [bronze, silver, gold]}, class: personal, source: crm}
  - {id: customer.brand, type: text, class: personal, source: crm}
  - {id: customer.points, type: number, class: personal, source: crm}
  - {id: customer.member_since, type: date, class: personal, source: crm}
  - {id: context.device, type: {enum: [desktop, mobile]}, class: public, source: shop}
  - {id: offer.brand, type: text, class: public, source: shop}
  - {id: offer.weight, type: number, class: public, source: shop}
  - {id: offer.category, type: {enum: [shoes, toys, home, garden, food]}, class: public, source: shop}
";
const PURPOSES: &str = "purposes:\n  - {id: personal, dpv: ProvideProductRecommendations, bases: {US: [consent]}}\n";
const PLACEMENTS: &str = "placements:
  - id: home
    channel: web
    purpose: personal
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: thompson_linear, prior: none}
    features: [context.device]
    fallback: {offer: house, variant: a}
";

/// The rules of one list.
fn list(text: &mut String, name: &str, count: usize, rule: impl Fn(usize) -> String) {
    writeln!(text, "{name}:").unwrap();
    for at in 0..count {
        writeln!(text, "  - {{id: {name}.{at}, why: So it was agreed, {}}}", rule(at)).unwrap();
    }
}

/// Forty rules, or as many times forty: of every forty one gate, eight floors, eight caps, four cool-downs, four of
/// availability, eight exclusions, three requirements, two of loyalty, one each about diversity and stackability.
fn rules(times: usize) -> String {
    let mut text = "owner: all\n".to_owned();
    list(&mut text, "purpose_gates", times, |_| "purpose: personal".into());
    list(&mut text, "margin_floors", 8 * times, |at| match at % 4 {
        0 => format!("min_margin: {}%", 10 + at % 5),
        1 => format!("min_margin: {}%, applies_to: {{categories: [shoes, toys]}}", 5 + at % 9),
        2 => format!("min_margin: {}.00 USD", 1 + at % 3),
        _ => format!("min_margin: {}%, effective: {{from: 2026-01-01T00:00:00Z}}", 8 + at % 5),
    });
    list(&mut text, "frequency_caps", 8 * times, |at| {
        let (by, max) = [
            ("customer, offer", 1 + at % 3),
            ("customer, category", 9 + at % 5),
            ("customer", 40),
            ("customer, campaign", 31 + at % 5),
        ][at % 4];
        let window =
            ["{rolling: 24h}", "{calendar: day, time_zone: customer}", "{rolling: 168h}", "lifetime"][at / 4 % 4];
        format!("scope: [{by}], max: {max}, window: {window}, counts: decision")
    });
    list(&mut text, "cool_downs", 4 * times, |at| {
        let by = ["customer, offer", "customer, category", "customer, offer", "customer, campaign"][at % 4];
        let event = ["reject, times: 3, within: 30d", "order"][at / 2 % 2];
        format!("scope: [{by}], after: {{event: {event}}}, suppress_for: {}d", 3 + at % 20)
    });
    list(&mut text, "availability", 4 * times, |at| match at % 4 {
        0 => "regions: [US], applies_to: {categories: [garden]}".into(),
        1 => "stores: [s-1], applies_to: {offers: [o0007, o0011]}".into(),
        2 => "dayparts: [{from: \"06:00\", until: \"23:00\"}], time_zone: customer".into(),
        _ => "dates: {from: 2026-01-01, until: 2027-01-01, time_zone: Europe/Berlin}".into(),
    });
    list(&mut text, "exclusions", 8 * times, |at| {
        let when = match at % 8 {
            0 => "customer.tier == \\\"bronze\\\" && offer.price > 200 USD".into(),
            1 => format!("offer.discount > offer.price * {}%", 40 + at % 9),
            2 => "offer.brand == customer.brand".into(),
            3 => "offer.price > basket.total * 300%".into(),
            4 => "offer.weight > customer.points * 2 && context.device == \\\"mobile\\\"".into(),
            5 => "offer.category in [\\\"food\\\", \\\"home\\\"] && customer.points < 10".into(),
            6 => format!("offer.margin < {} USD && basket.size > 1", 1 + at % 3),
            _ => "hour_of_day < 6 || customer.tier == \\\"gold\\\" && offer.net_price < 5 USD".to_owned(),
        };
        format!("when: \"{when}\"")
    });
    list(&mut text, "requirements", 3 * times, |at| {
        let when = [
            "has(offer.brand) || offer.price < 50 USD",
            "offer.weight <= customer.points + 500",
            "customer.tier in [\\\"silver\\\", \\\"gold\\\"] || !(offer.discount > 30 USD)",
        ][at % 3];
        format!("when: \"{when}\"")
    });
    list(&mut text, "loyalty_eligibility", 2 * times, |at| {
        let need = ["tier: silver", "points: 500, member_for: 90d"][at % 2];
        format!("{need}, applies_to: {{offers: [o0003, o0005, o0008]}}")
    });
    list(&mut text, "diversity", times, |_| "per: category, at_most: 2".into());
    list(&mut text, "stackability", times, |_| "group: {categories: [toys]}, at_most: 1".into());
    text
}

/// Offers of which one in five, or two in three, have little margin, a large discount and the customer's own brand.
fn catalogue(candidates: usize, share: Share) -> Catalogue {
    let offer = |at: usize| -> Offer {
        let poor = match share {
            Share::Some => at.is_multiple_of(5),
            Share::Most => !at.is_multiple_of(3),
        };
        let (price, discount) = if poor { (120 + at % 200, 60 + at % 40) } else { (80, 5) };
        let goods = if poor { price - discount - 2 } else { 40 };
        let category = ["shoes", "toys", "home", "garden", "food"][at * 7 / 3 % 5];
        let json = serde_json::json!({
            "offer_id": format!("o{at:04}"),
            "price": {"amount": format!("{price}.00"), "currency": "USD"},
            "discount": {"amount": format!("{discount}.00"), "currency": "USD"},
            "cost_of_goods": {"amount": format!("{goods}.00"), "currency": "USD"},
            "category": category,
            "attributes": {"brand": if poor { "acme" } else { "zeta" }, "weight": at % 700},
            "variants": [{"variant_id": "a"}],
        });
        serde_json::from_value(json).unwrap()
    };
    let mut offers: Vec<Offer> = (0..candidates).map(offer).collect();
    offers.push(Offer { offer_id: OfferId::new("house").unwrap(), ..offer(1) });
    Catalogue::new(1, offers, Vec::new())
}

fn bundle(times: usize) -> Bundle {
    let file = |path: &str, text: String| Source { path: path.to_owned(), text };
    let sources = [
        file("bundle.yaml", "name: bench\nschema: 1\n".into()),
        file("catalog/attributes.yaml", ATTRIBUTES.into()),
        file("catalog/purposes.yaml", PURPOSES.into()),
        file("placements.yaml", PLACEMENTS.into()),
        file("rules/10.yaml", rules(times)),
    ];
    compile(&sources).unwrap_or_else(|findings| panic_with(&findings))
}

#[expect(clippy::panic, reason = "a benchmark that cannot be set up has to stop")]
fn panic_with(findings: &[proffer::policy::Finding]) -> Bundle {
    panic!("{}", findings.iter().map(ToString::to_string).collect::<String>())
}

/// A customer with a consent, a fortnight of contacts, some dismissed and some bought.
fn state(bundle: &Bundle, catalogue: &Catalogue) -> SubjectState {
    let contact = |number: i64| {
        let at = Timestamp(NOW.0 - 336 * HOUR + number * 11 * HOUR);
        let event = match number % 5 {
            0 => Some(OutcomeKind::Reject),
            3 => Some(OutcomeKind::Order),
            _ => None,
        };
        Contact {
            chosen: Chosen {
                decision: DecisionId::from_parts(at.0, [u8::try_from(number).unwrap(); 10]),
                slot: 0,
                at,
                reserved_until: at.plus(Span(HOUR)),
                stands_for: SubjectKinds::of(SubjectKind::Customer),
            },
            placement: PlacementId::new("home").unwrap(),
            offer: OfferId::new(format!("o{:04}", number * 13 % 97)).unwrap(),
            seen: Some(at),
            clicked: None,
            redeemed: None,
            events: event.into_iter().map(|event| (event, at.plus(Span(HOUR)))).collect(),
            released: false,
        }
    };
    let contacts: Vec<Contact> = (0..30).map(contact).collect();
    let mut state = SubjectState::default();
    state.consents.push(consent());
    rebuild_caps(bundle, catalogue, &contacts, &mut state, NOW);
    state
}

/// What the gate asks for.
fn consent() -> ConsentEntry {
    ConsentEntry {
        purpose: PurposeId::new("personal").unwrap(),
        state: ConsentState::Granted,
        basis: Basis::Consent,
        valid_from: Timestamp(0),
        valid_until: None,
        channel: None,
        jurisdiction: None,
    }
}

fn request() -> DecisionRequest {
    let text = |name: &str, text: &str| (name.to_owned(), Value::Text(text.into()));
    let line = BasketLine {
        sku: "boots".into(),
        category: None,
        quantity: 2,
        price: Some(Money::parse("35.00", Currency::parse("USD").unwrap()).unwrap()),
        margin: None,
    };
    DecisionRequest {
        decision_id: None,
        customer: Customer {
            id: Some("ann".into()),
            attributes: BTreeMap::from([
                text("tier", "silver"),
                text("brand", "acme"),
                text("member_since", "2024-03-01"),
                ("points".to_owned(), Value::Number(Number(620_000_000))),
            ]),
            ..Customer::default()
        },
        placement: PlacementId::new("home").unwrap(),
        count: Some(1),
        jurisdiction: Some("US-NY".into()),
        time_zone: Some("America/New_York".into()),
        context: BTreeMap::from([text("device", "mobile")]),
        basket: vec![line],
        candidates: None,
        store: None,
        privacy_signal: None,
    }
}

fn snapshot(times: usize, candidates: usize, share: Share) -> (Snapshot, SubjectState) {
    let (bundle, catalogue) = (bundle(times), catalogue(candidates, share));
    let placement = bundle.placement("home").unwrap();
    let view = Arc::new(ModelView::prior(placement, &placement.champion));
    let models = BTreeMap::from([(placement.id.clone(), vec![view])]);
    let (state, day) = (state(&bundle, &catalogue), NOW.day());
    let snapshot = Snapshot {
        tenant: "default".into(),
        build: "bench".into(),
        control_sequence: 1,
        bundle: Arc::new(bundle),
        catalogue: Arc::new(catalogue),
        models,
        day,
        spend: Arc::new(proffer::domain::Spend::none(day)),
        approved: Arc::default(),
    };
    (snapshot, state)
}

/// One whole decision, not yet sealed.
fn whole(snapshot: &Snapshot, request: &DecisionRequest, state: &SubjectState) -> Decision {
    let subject = SubjectView { kind: SubjectKind::Customer, subject: SubjectId([1; 16]), version: 1, state };
    let ask = Ask {
        request,
        request_digest: Digest([5; 32]),
        decision_id: DecisionId::from_parts(NOW.0, [7; 10]),
        id_minted: false,
        attempt: 0,
        purpose: DrawPurpose::Served,
        contended: false,
        purse: &proffer::domain::Purse::default(),
    };
    let made = decide(snapshot, &ask, Some(subject), &GENERATOR, NOW).unwrap();
    assert!(made.skeleton.fallback.is_none(), "{:?}", made.skeleton.fallback);
    made
}

/// Every rule asked about every candidate, each with all its reasons.
fn judged(snapshot: &Snapshot, request: &DecisionRequest, state: &SubjectState) -> Vec<Vec<Failed>> {
    let (bundle, catalogue) = (&snapshot.bundle, &snapshot.catalogue);
    let placement = bundle.placement("home").unwrap();
    let allowed = Allowed { personal: true, guards: true };
    let seen = minimise((bundle, &snapshot.approved), placement, request, (allowed, NOW), Vec::new());
    let windows = CapWindows::at(NOW, request.time_zone.as_deref());
    let facts = Facts {
        attributes: &seen,
        basket: &request.basket,
        currency: placement.currency,
        jurisdiction: request.jurisdiction.as_deref(),
        time_zone: request.time_zone.as_deref(),
        store: request.store.as_ref(),
        now: NOW,
    };
    let shelves = bundle.shelves(catalogue);
    let shelf = shelves.at(&placement.id).unwrap();
    let mut judging = Judging::new(bundle, (&shelves, catalogue), placement, &facts, Some(state), &windows).unwrap();
    let mut verdict = Verdict::default();
    let mut rows = Vec::with_capacity(shelf.candidates());
    for stand in shelf.stands(None, catalogue) {
        verdict.failed.clear();
        verdict.readings.clear();
        judging.ask(stand, &mut verdict);
        rows.push(verdict.failed.clone());
        black_box(&verdict.readings);
    }
    rows
}

/// Median, and the fastest tenth, in microseconds.
fn time<T>(mut run: impl FnMut() -> T) -> (f64, f64) {
    for _ in 0..ROUNDS / 10 {
        black_box(run());
    }
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            black_box(run());
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    let us = |at: usize| took[at].as_secs_f64() * 1e6;
    (us(ROUNDS / 2), us(ROUNDS / 10))
}

fn main() {
    println!(
        "| rules | candidates | left out | reasons each | all rules, us (fastest tenth) | ns a rule and candidate |"
    );
    println!("|---|---|---|---|---|---|");
    let mut decisions = String::new();
    for times in [1, 5] {
        for candidates in [100, 500, 1_000] {
            for share in [Share::Some, Share::Most] {
                let ((snapshot, state), request) = (snapshot(times, candidates, share), request());
                let rules = snapshot.bundle.rules.iter().filter(|rule| rule.place.1 > 0).count();
                assert_eq!(rules, 40 * times);
                let found = judged(&snapshot, &request, &state);
                let made = whole(&snapshot, &request, &state);
                let decided: Vec<&Vec<Failed>> = made.skeleton.candidates.iter().map(|row| &row.failed).collect();
                assert_eq!(found.iter().collect::<Vec<_>>(), decided, "what is timed is what is recorded");
                let out = found.iter().filter(|failed| !failed.is_empty()).count();
                let reasons: usize = found.iter().map(Vec::len).sum();
                let (middle, fast) = time(|| judged(&snapshot, &request, &state));
                #[expect(clippy::cast_precision_loss, reason = "small counts")]
                let each = |part: f64, of: usize| part / of as f64;
                #[expect(clippy::cast_precision_loss, reason = "small counts")]
                let (out, reasons) = (each(100.0 * out as f64, candidates), each(reasons as f64, candidates));
                println!(
                    "| {rules} | {candidates} | {out:.0} % | {reasons:.1} | {middle:.1} ({fast:.1}) | {:.2} ({:.2}) |",
                    each(middle * 1e3, rules * candidates),
                    each(fast * 1e3, rules * candidates),
                );
                let (decided, decided_fast) = time(|| whole(&snapshot, &request, &state));
                let seal = |made: &mut Decision| Record::seal(&mut made.skeleton, &made.private, &SubjectKey([1; 32]));
                let (sealed, sealed_fast) = time(|| seal(&mut whole(&snapshot, &request, &state)));
                writeln!(
                    decisions,
                    "| {rules} | {candidates} | {out:.0} % | {decided:.1} ({decided_fast:.1}) | {sealed:.1} \
                     ({sealed_fast:.1}) | {:.0} % |",
                    100.0 * middle / decided,
                )
                .unwrap();
            }
        }
    }
    println!(
        "\n| rules | candidates | left out | decision, us | with its record sealed, us | rules' share of deciding |"
    );
    println!("|---|---|---|---|---|---|\n{decisions}");
}
