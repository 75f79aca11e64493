//! What may run out, contended for: 64 clients ask two processes for the same few units and the same budget, and one of
//! the processes is killed meanwhile. Not one more is given out than there is, and in the end not one less.
//!
//! `PROFFER_POOL_UNITS` says how many units there are.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proffer::domain::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::town::Town;
use crate::crash::ground;
use crate::crash::siege::progress;
use crate::harness::client::{Client, json_of};
use crate::harness::database::Kind;
use crate::harness::server::{Server, pause, until};

const CLIENTS: u64 = 64;

fn units() -> i64 {
    std::env::var("PROFFER_POOL_UNITS").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

const PLACEMENTS: &str = "\
placements:
  - id: home
    channel: web
    purpose: offers
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 50.00}
    reservation: 6h
    strategy: {name: uniform, half_life: 60d, exploration: 0.05}
    holdout: 0%
    fallback: {offer: house-welcome, variant: a}
";

/// A shop whose rules limit nothing but all offers of a day.
fn policies(units: i64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rules = format!(
        "owner: shop\nbudgets:\n  - id: budget.all\n    why: The warehouse packs so many a day\n    units: {}\n    \
         window: lifetime\n",
        units + units / 2
    );
    let files = [
        ("bundle.yaml", "name: pools\nschema: 1\n".to_owned()),
        (
            "catalog/purposes.yaml",
            "purposes:\n  - {id: offers, dpv: ProvideProductRecommendations, bases: {}}\n".into(),
        ),
        ("placements.yaml", PLACEMENTS.into()),
        ("rules/shop.yaml", rules),
    ];
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Shirts of which there are so many, and mugs that a campaign gives 2.00 off, for as many as there are shirts.
fn offers(units: i64) -> Value {
    let money = |whole: i64| json!({"amount": format!("{whole}.00"), "currency": "USD"});
    let offer = |id: &str, more: Value| {
        let mut offer = json!({
            "offer_id": id, "price": money(10), "cost_of_goods": money(3),
            "variants": [{"variant_id": "a", "content": {}}],
        });
        offer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        offer
    };
    json!({
        "campaigns": [{"campaign_id": "sale", "owner": "toys", "budget": money(2 * units)}],
        "offers": [
            offer("shirt", json!({"stock": units})),
            offer("mug", json!({"campaign": "sale", "discount": money(2)})),
            offer("house-welcome", json!({"price": money(0), "cost_of_goods": money(0)})),
        ],
    })
}

/// Everything that was given out, by offer; and what the pools say that is gone.
fn given(town: &Town) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let (store, keys) = (town.open(), town.site.keys());
    let ground = town.runtime.block_on(ground::read(&*store, &keys));
    let mut given = BTreeMap::new();
    for (_, shown, _) in ground.iter().flat_map(|decision| decision.skeleton.chosen()) {
        *given.entry(shown.offer.to_string()).or_insert(0) += 1;
    }
    let levels = town.runtime.block_on(store.pools(Timestamp(0))).unwrap();
    let gone = levels.into_iter().map(|(key, level)| (key.name, level.leased - level.free.values().sum::<i64>()));
    (given, gone.collect())
}

/// Lets the clients contend, with a fault planted or a process killed meanwhile; what was given out of each offer.
fn contend(units: i64, fault: Option<(&str, &str)>) -> BTreeMap<String, i64> {
    let folder = policies(units);
    let town = Town::new(Kind::Postgres, folder.path());
    let start = |node: &str| {
        let path = folder.path().to_str().unwrap();
        town.site.start(&[("PROFFER_NODE", node), ("PROFFER_POLICIES", path), ("PROFFER_LEARNER_LEASE_SECONDS", "3")])
    };
    let (first, second) = (start("first"), start("second"));
    let clients = Mutex::new([&first, &second].map(|server: &Server| town.client(server)));
    let answer = clients.lock().unwrap()[0].import(&offers(units)).unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.body());
    if let Some((words, others)) = fault {
        town.replace_in("take_from_pools", words, others);
    }
    let (next, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let acknowledged = Mutex::new(BTreeMap::<String, i64>::new());
    let ask = |client: &Client| {
        let customer = format!("c-{}", next.fetch_add(1, Ordering::SeqCst));
        let answer = client.decide(&json!({"customer": {"id": customer}, "placement": "home"})).ok()?;
        let told: Value = (answer.status() == 200).then(|| json_of(&answer))?;
        let offer = told["offers"][0]["offer_id"].as_str().unwrap().to_owned();
        *acknowledged.lock().unwrap().entry(offer.clone()).or_insert(0) += 1;
        Some(offer)
    };
    let client = |number: u64| clients.lock().unwrap()[usize::try_from(number % 2).unwrap()].clone();
    let asked = |count: u64| until("the clients to ask", || (next.load(Ordering::SeqCst) >= count).then_some(()));
    let first = std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (over, ask, client) = (&over, &ask, &client);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    if ask(&client(number)).is_none() {
                        // Killed: whoever asks it waits for the next start.
                        pause(Duration::from_millis(5));
                    }
                }
            });
        }
        asked(units.unsigned_abs() / 2);
        let first = if fault.is_none() {
            first.kill();
            let again = start("first");
            clients.lock().unwrap()[0] = town.client(&again);
            again
        } else {
            first
        };
        asked(4 * units.unsigned_abs());
        over.store(true, Ordering::SeqCst);
        first
    });
    let concurrent = next.load(Ordering::SeqCst);
    // What a killed process had in hand is returned, and is there for everybody.
    if fault.is_none() {
        until("everything to be given out", || {
            for number in 0..2 {
                while ask(&client(number)).is_some_and(|offer| offer != "house-welcome") {}
            }
            let (given, _) = given(&town);
            (given.values().sum::<i64>() >= units + units / 2).then_some(())
        });
    }
    let (given, gone) = given(&town);
    for (offer, count) in acknowledged.lock().unwrap().iter().filter(|(offer, _)| *offer != "house-welcome") {
        assert!(given[offer] >= *count, "{count} of `{offer}` were answered and {given:?} are stored");
    }
    progress(&format!("{concurrent} requests by {CLIENTS} clients: given out {given:?}, gone {gone:?}"));
    if fault.is_none() {
        assert_eq!(gone["budget.all/all"], given.values().sum::<i64>());
        assert_eq!(gone["proffer.stock/shirt"], given["shirt"]);
        assert_eq!(gone["proffer.budget/sale"], 200 * given["mug"]);
    }
    drop((first, second));
    town.remove();
    given
}

#[test]
fn sixty_four_clients_of_two_processes_get_what_there_is_and_not_one_more_though_one_is_killed() {
    let units = units();
    let given = contend(units, None);
    assert!(given["shirt"] <= units && given["mug"] <= units, "{given:?} of {units}");
    assert_eq!(given.values().sum::<i64>(), units + units / 2, "{given:?}");
}

#[test]
fn a_commit_that_takes_what_is_gone_is_caught() {
    let given = contend(60, Some(("wanted.total - gone < missing", "false")));
    assert!(given.values().sum::<i64>() > 90, "the planted fault was not caught: {given:?}");
}
