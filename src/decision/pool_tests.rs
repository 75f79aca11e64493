//! What budgets and stock promise of every decision. Stores nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::slate_tests::placements;
use super::tests::{NOW, RULES, ask_purse, granted, request, snapshot_of};
use super::{Decision, Snapshot};
use crate::domain::{Campaign, Catalogue, DecisionRequest, Offer, PoolKey, Purse, StoreId, Timestamp};
use crate::policy::{Pools, PoolsAsked};

/// Four offers in two categories, two of them of a campaign with a budget of 60.00, one with a stock of three.
fn shop(slots: u16, rules: &str) -> Snapshot {
    let mut snapshot = snapshot_of(&placements(slots, "uniform"), &format!("{RULES}{rules}"), &[]);
    let money = |units: i64| json!({"amount": format!("{units}.00"), "currency": "USD"});
    let offer = |at: usize, more: serde_json::Value| -> Offer {
        let mut offer = json!({
            "offer_id": format!("o{at}"), "price": money(100), "cost_of_goods": money(40), "discount": money(5),
            "cost_of_showing": money(1), "category": if at < 2 { "shoes" } else { "tea" },
            "variants": [{"variant_id": "a"}, {"variant_id": "b"}],
        });
        offer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(offer).unwrap()
    };
    let mut offers = vec![
        offer(0, json!({"campaign": "sale"})),
        offer(1, json!({"stock": 3})),
        offer(2, json!({"campaign": "sale"})),
        offer(3, json!({"discount": money(0), "cost_of_showing": money(0)})),
    ];
    offers.extend(snapshot.catalogue.offers().to_vec());
    let sale: Campaign =
        serde_json::from_value(json!({"campaign_id": "sale", "owner": "toys", "budget": money(60)})).unwrap();
    snapshot.catalogue = Arc::new(Catalogue::new(1, offers, vec![sale]));
    snapshot
}

fn asked(store: Option<&str>) -> DecisionRequest {
    let mut asked = request(Some("gold"));
    asked.count = None;
    asked.store = store.map(|store| StoreId::new(store).unwrap());
    asked
}

fn decide(snapshot: &Snapshot, store: Option<&str>, (seed, purse): (u64, &Purse)) -> Decision {
    ask_purse(snapshot, &asked(store), &granted(), (seed, purse)).unwrap()
}

fn key(name: &str, period: i64) -> PoolKey {
    PoolKey { name: name.to_owned(), period: Timestamp(period) }
}

#[test]
fn slots_of_one_answer_take_of_the_same_pool_and_the_last_is_left_out() {
    let rules = "budgets:\n  - {id: two, why: w, units: 2, window: lifetime}\n";
    for seed in 1..30 {
        let decision = decide(&shop(4, rules), None, (seed, &Purse::default()));
        assert_eq!(decision.skeleton.shown.len(), 2, "seed {seed}");
        let taken: Vec<_> = decision.takes.iter().filter(|take| take.pool.name == "two/all").collect();
        assert_eq!(taken.iter().map(|take| (take.slot, take.amount)).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
        let reading = decision.skeleton.pools.unwrap().into_iter().find(|pool| pool.name == "two/all").unwrap();
        assert_eq!((reading.total, reading.gone, reading.taken), (2, 0, 2));
    }
    let one = "budgets:\n  - {id: one, why: w, amount: 9.00 USD, by: category, window: lifetime}\n";
    let mut failed: BTreeSet<_> = BTreeSet::new();
    for seed in 1..30 {
        let decision = decide(&shop(4, one), None, (seed, &Purse::default()));
        // 6.00 of each category, and what spends nothing.
        assert_eq!(decision.skeleton.shown.len(), 3, "seed {seed}");
        let left_out = decision.skeleton.slots.iter().flat_map(|slot| &slot.left_out);
        failed.extend(left_out.flat_map(|left| &left.failed).map(|f| (f.observed, f.limit)));
    }
    assert_eq!(failed, BTreeSet::from([(Some(600), Some(900))]), "the other shoes, where a slot comes behind");
}

#[test]
fn a_stock_per_store_asks_where_and_leaves_out_who_does_not_say() {
    let rules = "stock:\n  - {id: pairs, why: w, applies_to: {offers: [o0]}, units: 5, per: store}\n";
    let mut purse = Purse::default();
    purse.set(&key("pairs/o0/s-1", 0), 5);
    let failed = |rules: &str, store: Option<&str>| {
        let skeleton = decide(&shop(1, rules), store, (1, &purse)).skeleton;
        skeleton.candidates[0].failed.first().map(|failed| (failed.observed, failed.limit))
    };
    assert_eq!(failed(rules, Some("s-1")), Some((Some(5), Some(5))));
    assert_eq!(failed(rules, Some("s-2")), None);
    assert_eq!(failed(rules, None), Some((None, None)));
    assert_eq!(failed(&rules.replace("units", "on_missing: allow, units"), None), None);
}

/// One rule as a plain reader of the page would ask it: the pools of each offer by name, what an offer takes, how much
/// there is.
struct Plain {
    id: String,
    /// By offer: the pool, and what it takes.
    draws: [Option<(String, i64)>; 4],
    total: i64,
    period: i64,
}

fn plain(at: usize, chance: &mut impl FnMut(u64) -> u64) -> (String, Plain) {
    let id = format!("r{at}");
    let by = ["all", "offer", "category", "campaign", "placement"][usize::try_from(chance(5)).unwrap()];
    let units = chance(2) == 0;
    let (total, amount) = match i64::try_from(chance(12)).unwrap() {
        n if units => (n, format!("units: {n}")),
        n => (n * 300, format!("amount: {}.00 USD", n * 3)),
    };
    let scoped = chance(3) == 0;
    let daily = chance(2) == 0;
    let window = if daily { "{calendar: day, time_zone: UTC}" } else { "lifetime" };
    let scope = if scoped { "applies_to: {offers: [o1, o3]}, " } else { "" };
    let text = format!("  - {{id: {id}, why: w, {scope}{amount}, by: {by}, window: {window}}}\n");
    let draw = |offer: usize| {
        let takes = if units { 1 } else { [600, 600, 600, 0][offer] };
        let of = match by {
            "offer" => format!("o{offer}"),
            "category" => ["shoes", "shoes", "tea", "tea"][offer].to_owned(),
            "campaign" => ["sale", "", "sale", ""][offer].to_owned(),
            "placement" => "home".to_owned(),
            _ => "all".to_owned(),
        };
        ((!scoped || offer % 2 == 1) && takes > 0).then(|| (format!("r{at}/{of}"), takes))
    };
    let period = if daily { NOW.0 - NOW.0.rem_euclid(86_400_000) } else { 0 };
    (text, Plain { id, draws: [0, 1, 2, 3].map(draw), total, period })
}

#[test]
fn whatever_the_rules_offers_are_left_out_where_adding_up_says_so_and_nowhere_else() {
    let seeds = std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200_u64);
    for seed in 1..=seeds {
        let mut state = seed;
        let mut chance = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let (mut rules, mut plains) = ("budgets:\n".to_owned(), Vec::new());
        for at in 0..4 {
            let (text, plain_rule) = plain(at, &mut chance);
            rules.push_str(&text);
            plains.push(plain_rule);
        }
        let mut purse = Purse::default();
        let mut gone: BTreeMap<String, i64> = BTreeMap::new();
        for rule in &plains {
            for (name, _) in rule.draws.iter().flatten() {
                let much = i64::try_from(chance(13)).unwrap() * if rule.total >= 300 { 300 } else { 1 };
                purse.set(&key(name, rule.period), much);
                gone.insert(name.clone(), much);
            }
        }
        let snapshot = shop(1, &rules);
        let decision = decide(&snapshot, None, (seed, &purse));
        for row in &decision.skeleton.candidates {
            let (offer, _) = snapshot.catalogue.at(row.candidate.unwrap() as usize).unwrap();
            let at: usize = offer.offer_id.as_str()[1..].parse().unwrap();
            let expected: Vec<&str> = plains
                .iter()
                .filter(|rule| rule.draws[at].as_ref().is_some_and(|(name, takes)| gone[name] + takes > rule.total))
                .map(|rule| rule.id.as_str())
                .collect();
            let came: Vec<&str> =
                row.failed.iter().map(|failed| snapshot.bundle.rule(failed.rule).unwrap().id.as_str()).collect();
            assert_eq!(came, expected, "seed {seed}, `{}` under\n{rules}{gone:?}", offer.offer_id);
        }
    }
}

#[test]
fn a_decision_made_again_from_its_readings_leaves_out_the_same_and_shows_the_same() {
    let rules = "budgets:\n  - {id: tea, why: w, units: 3, by: category, window: {calendar: day, time_zone: UTC}}\n  \
                 - {id: all, why: w, amount: 30.00 USD, window: lifetime}\n";
    let snapshot = shop(4, rules);
    let day = NOW.0 - NOW.0.rem_euclid(86_400_000);
    let mut full = 0;
    for seed in 1..40 {
        let mut purse = Purse::default();
        let gone = i64::try_from(seed % 5).unwrap();
        for (name, period, gone) in [
            ("tea/tea", day, gone),
            ("tea/shoes", day, 4 - gone),
            ("all/all", 0, gone * 600),
            ("proffer.stock/o1", 0, gone),
            ("proffer.budget/sale", 0, 5_400 - gone * 300),
        ] {
            purse.set(&key(name, period), gone);
        }
        let first = decide(&snapshot, None, (seed, &purse)).skeleton;
        let mut read = Purse::default();
        for reading in first.pools.iter().flatten() {
            read.set(&key(&reading.name, reading.since.map_or(0, |since| since.0)), reading.gone);
        }
        let again = decide(&snapshot, None, (seed, &read)).skeleton;
        assert_eq!((&again.shown, &again.pools), (&first.shown, &first.pools), "seed {seed}");
        for (again, first) in again.candidates.iter().zip(&first.candidates) {
            assert_eq!(again.failed, first.failed, "seed {seed}");
            full += first.failed.len();
        }
        for (again, first) in again.slots.iter().zip(&first.slots) {
            assert_eq!(again.left_out, first.left_out, "seed {seed}");
        }
    }
    assert!(full > 40, "{full}");
}

#[test]
fn what_is_given_back_is_taken_of_no_pool_and_the_reading_says_so() {
    let snapshot = shop(2, "");
    let (bundle, purse) = (&snapshot.bundle, Purse::default());
    let shelves = bundle.shelves(&snapshot.catalogue);
    let placement = bundle.placement("home").unwrap();
    let asked = PoolsAsked { placement, jurisdiction: None, store: None, now: NOW, purse: &purse };
    let taking = |given_back: bool| {
        let mut pools = Pools::at(bundle, (&shelves, &snapshot.catalogue), asked);
        // The offer with a stock.
        pools.take(2, 0);
        if given_back {
            pools.give_back();
        }
        let (takes, readings) = pools.done();
        let readings = readings.unwrap_or_default();
        (takes.len(), readings.iter().map(|pool| (pool.name.clone(), pool.taken)).collect::<Vec<_>>())
    };
    assert_eq!(taking(false), (1, vec![("proffer.stock/o1".to_owned(), 1)]));
    assert_eq!(taking(true), (0, vec![("proffer.stock/o1".to_owned(), 0)]));
}
