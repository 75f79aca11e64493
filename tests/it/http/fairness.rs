//! Fairness gates over what a service recorded: what is measured, of whom, and which bundles are then put in force.

use proffer::config::keyfile::Keys;
use proffer::domain::key::{GeneratorKey, MasterKey};
use proffer::domain::{Span, Timestamp};
use proffer::policy::{Bundle, Source, compile};
use proffer::report::fairness::{FairnessReport, Found, hash_text, text};
use proffer::runtime::Measurer;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::service::{Plan, Service};
use super::shop::{self, NOW, offer};
use crate::harness::database::Kind;

const PURPOSE: &str = "  - id: offer_contextual\n    dpv: Marketing\n";
const MEASUREMENT: &str =
    "  - id: measurement\n    dpv: ServiceUsageAnalytics\n    bases: {EU: [consent], US: [consent]}\n";
const GENDER: &str = "attributes:\n  - {id: customer.gender, type: {enum: [f, m]}, class: protected}\n";

/// Bronze customers see the mug alone, whose discount is the least.
const RULES: &str = "\
owner: shop
purpose_gates:
  - {id: consent.personal, why: Notice 3, purpose: offer_personalisation}
  - {id: consent.measurement, why: Notice 9, purpose: measurement}
exclusions:
  - {id: upper.tiers, why: Plan 26, when: customer.tier == \"bronze\" && offer.category != \"home\"}
";

fn gates(group_min: usize) -> String {
    format!(
        "owner: privacy
fairness_gates:
  - id: fair.parity
    why: Charter 3
    attribute: customer.gender
    metric: parity
    at_least: 70%
    window: 30d
    min_group: {group_min}
    interval: 95%
  - id: fair.proxy
    why: Charter 4
    applies_to: {{placements: [explore]}}
    attribute: customer.gender
    metric: proxy
    at_most: 75%
    window: 30d
    min_group: {group_min}
    interval: 95%
"
    )
}

/// The shop with a protected attribute and consent to measurement, and no gate yet.
fn shop() -> Vec<Source> {
    let mut files = shop::policies_with(PURPOSE, &format!("{PURPOSE}{MEASUREMENT}"));
    for file in &mut files {
        file.text = file.text.replace("attributes:\n", GENDER);
        if file.path == "rules/shop.yaml" {
            file.text = RULES.to_owned();
        }
    }
    files
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

/// The shop with gates that need so many customers, and with more files.
fn gated(group_min: usize, more: &[Source]) -> Vec<Source> {
    [shop(), vec![source("rules/fair.yaml", &gates(group_min))], more.to_vec()].concat()
}

fn bundle(files: &[Source]) -> Bundle {
    compile(files).unwrap_or_else(|found| panic!("{found:?}"))
}

fn discounted(id: &str, category: &str, discount: &str) -> Value {
    shop::with(&offer(id, category, "40.00", "10.00"), "discount", &json!({"amount": discount, "currency": "USD"}))
}

/// A service on an empty store, with its offers.
fn service() -> Service {
    let service = Plan::new(Kind::Sqlite).policies(shop()).start();
    service.import(&json!([
        discounted("boots", "shoes", "10.00"),
        discounted("tent", "outdoor", "8.00"),
        discounted("mug", "home", "3.00"),
        offer("house-welcome", "service", "0.00", "0.00"),
    ]));
    service
}

/// Two decisions for each of some customers, whose tiers go by their number.
fn visits(service: &Service, name: &str, gender: &str, measured: &str, tiers: &[&str], customers: usize) {
    for number in 0..customers {
        let id = format!("{name}-{number}");
        let consents = json!({"consents": [
            {"purpose": "offer_personalisation", "state": "granted"}, {"purpose": "measurement", "state": measured},
        ]});
        service.call("PUT", &format!("/v1/customers/{id}/consents"), Some(&consents)).ok();
        let attributes = json!({"attributes": {"gender": gender, "tier": tiers[number % tiers.len()]}});
        service.call("PUT", &format!("/v1/customers/{id}/attributes"), Some(&attributes)).ok();
        for _ in 0..2 {
            let asked = json!({"customer": {"id": id}, "placement": "explore", "jurisdiction": "US-NY"});
            assert_eq!(service.decide(&asked).ok()["fallback"], false);
        }
    }
}

/// What is measured of a bundle an hour after everything was decided.
fn measured(service: &Service, bundle: &Bundle) -> (FairnessReport, String) {
    let generator = GeneratorKey { period: 1, key: [2; 32] };
    let measurer = Measurer {
        store: service.core.store.clone(),
        keys: Keys { master: MasterKey([1; 32]), generator, past: Vec::new() },
    };
    let report = service.wait(measurer.measure(bundle, (None, None), later(1))).unwrap();
    let hash = service.wait(measurer.keep(&report, "test")).unwrap();
    (report, hash_text(hash))
}

fn later(hours: i64) -> Timestamp {
    NOW.plus(Span(hours * 3_600_000))
}

/// What becomes of putting a bundle in force.
fn activated(service: &Service, bundle: &Bundle) -> String {
    let done = service.wait(service.core.activate(bundle, "test"));
    match done {
        Ok(Ok(activated)) => format!("active: {}", activated.control.bundle == Some(bundle.hash)),
        Ok(Err(not)) => not.to_string(),
        Err(error) => error.to_string(),
    }
}

const ACTIVE: &str = "active: true";

#[test]
fn a_world_in_which_one_group_is_offered_less_keeps_the_bundle_out() {
    let service = service();
    visits(&service, "f", "f", "granted", &["bronze"], 35);
    visits(&service, "m", "m", "granted", &["gold"], 35);
    service.core.clock.set(later(1));
    let (report, hash) = measured(&service, &bundle(&gated(30, &[])));
    let Found::Parity(parity) = &report.gates[0].found else { panic!("parity") };
    let worst = parity.ratio.as_ref().unwrap();
    assert_eq!((worst.least.to_string(), worst.most.to_string()), ("f".to_owned(), "m".to_owned()));
    assert!(worst.ratio.value < 0.5, "{worst:?}");
    let named = bundle(&gated(30, &[source("fairness.yaml", &format!("report: {hash}\n"))]));
    let said = activated(&service, &named);
    assert!(said.contains("`fair.parity` (does not hold): what decisions are worth to `f` is"), "{said}");
    assert!(
        said.contains("less than the 70% asked for; `fair.proxy` (does not hold): at `explore` features tell"),
        "{said}"
    );
    assert_ne!(service.core.snapshot().bundle.hash, named.hash);
    let told = text(&named, &report);
    assert!(told.contains("f                       35         70  3.00 USD, 3.00 to 3.00\n"), "{told}");
    assert!(told.contains("at `explore`: customer.tier\n"), "{told}");
}

#[test]
fn who_is_shown_what_sells_the_same_for_less_is_offered_more() {
    let tiers = "exclusions:
  - {id: upper.tiers, why: Plan 26, when: customer.tier == \"bronze\" && offer.category == \"shoes\"}
  - {id: lower.tiers, why: Plan 27, when: customer.tier == \"gold\" && offer.category == \"home\"}
";
    let (before, _) = RULES.split_once("exclusions:").unwrap();
    let prices = "price_personalisation:\n  - {id: price, why: Plan 28, same_as: offer.product}\n";
    let files = |mut files: Vec<Source>| {
        for file in &mut files {
            file.text = file.text.replace("attributes:\n", "attributes:\n  - {id: offer.product, type: text}\n");
            if file.path == "rules/shop.yaml" {
                file.text = format!("{before}{tiers}{prices}");
            }
        }
        files
    };
    let service = Plan::new(Kind::Sqlite).policies(files(shop())).start();
    let boots = |id: &str, category: &str, price: &str| {
        shop::with(&offer(id, category, price, "10.00"), "attributes", &json!({"product": "boot"}))
    };
    service.import(&json!([
        boots("boots", "home", "40.00"),
        boots("boots-for-members", "shoes", "31.50"),
        offer("house-welcome", "service", "0.00", "0.00"),
    ]));
    visits(&service, "f", "f", "granted", &["bronze"], 30);
    visits(&service, "m", "m", "granted", &["gold"], 30);
    service.core.clock.set(later(1));
    let (report, _) = measured(&service, &bundle(&files(gated(30, &[]))));
    let Found::Parity(parity) = &report.gates[0].found else { panic!("parity") };
    let worth: Vec<f64> = parity.groups.iter().map(|group| group.mean.unwrap().value).collect();
    assert_eq!(worth, [0.0, 850.0], "no offer has a discount");
    assert_eq!(parity.ratio.as_ref().unwrap().ratio.value, 0.0);
}

#[test]
fn a_fair_world_lets_the_bundle_in_once_it_is_measured_by_those_who_agreed() {
    let service = service();
    let both = ["bronze", "gold"];
    visits(&service, "f", "f", "granted", &both, 40);
    visits(&service, "m", "m", "granted", &both, 40);
    // They fare worse, and say no to being measured or were never asked.
    visits(&service, "w", "f", "refused", &["bronze"], 20);
    visits(&service, "x", "f", "unknown", &["bronze"], 20);
    service.core.clock.set(later(1));
    let plain = bundle(&gated(30, &[]));
    let said = activated(&service, &plain);
    assert!(said.contains("`fair.parity` asks for a measure, and the bundle names no report"), "{said}");

    let (report, hash) = measured(&service, &plain);
    assert_eq!((report.gates[0].decisions, report.gates[0].read), (240, 160));
    assert_eq!((report.gates[1].decisions, report.gates[1].read), (240, 160));
    let Found::Parity(parity) = &report.gates[0].found else { panic!("parity") };
    assert_eq!(parity.groups.iter().map(|group| group.customers).collect::<Vec<_>>(), [40, 40]);
    let naming = |more: &[Source]| {
        bundle(&gated(30, &[more, &[source("fairness.yaml", &format!("report: {hash}\n"))]].concat()))
    };
    let named = naming(&[]);
    assert_eq!(activated(&service, &named), ACTIVE);

    // A larger group than there is.
    let (_, larger) = measured(&service, &bundle(&gated(41, &[])));
    let said = activated(&service, &bundle(&gated(41, &[source("fairness.yaml", &format!("report: {larger}\n"))])));
    assert!(
        said.contains("`customer.gender = f` has 40 customers who may be measured, and every group needs 41"),
        "{said}"
    );

    // The same files with another test are another bundle, and just as measured; a week later the report is too old.
    let retested = |number: u8| naming(&[source(&format!("tests/{number}.test.yaml"), "cases: []\n")]);
    assert_eq!(activated(&service, &retested(1)), ACTIVE);
    service.core.clock.set(later(8 * 24));
    let said = activated(&service, &retested(2));
    assert!(said.contains(&format!("the report {hash} ends at 2026-03-01T10:30:00.000Z, more than 7d ago")), "{said}");
    assert_eq!(activated(&service, &named), ACTIVE, "what was in force is put back");

    // A report that somebody touched.
    let url = service.store_url().to_owned();
    service.wait(async {
        let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let touched = "update fairness_report set body = replace(body, '\"read\":160', '\"read\":161')";
        sqlx::query(touched).execute(&mut file).await.unwrap();
        file.close().await.unwrap();
    });
    let said = activated(&service, &retested(1));
    assert!(said.contains(&format!("the report {hash} is not the one that was kept under this hash")), "{said}");
}

#[test]
fn thirty_customers_are_too_little_data() {
    let service = service();
    visits(&service, "f", "f", "granted", &["gold"], 15);
    visits(&service, "m", "m", "granted", &["gold"], 15);
    service.core.clock.set(later(1));
    let (report, hash) = measured(&service, &bundle(&gated(30, &[])));
    assert_eq!(report.gates[0].read, 60);
    let named = bundle(&gated(30, &[source("fairness.yaml", &format!("report: {hash}\n"))]));
    let said = activated(&service, &named);
    assert!(said.contains("`fair.parity` (too little data): `customer.gender = f` has 15 customers"), "{said}");
    assert!(said.contains("`fair.proxy` (too little data): at `explore` `customer.gender = f` has 15"), "{said}");
}
