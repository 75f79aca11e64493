//! What diversity promises about answers of several slots, and that the check sees an answer that breaks it. Commits
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{PLACEMENTS, RULES, ask_with, granted, request, snapshot_of};
use super::{Decision, Snapshot};
use crate::domain::{Catalogue, CategoryId, Offer, Value};

const CATEGORIES: [&str; 3] = ["shoes", "home", "outdoor"];

/// A shop of offers whose kinds are these (3 is none), under one rule of diversity more.
fn shop(slots: u16, kinds: &[usize], rule: &str) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", "thompson_linear").replace("HOLDOUT", "0%");
    let placements = placements.replace("    currency: USD\n", &format!("    currency: USD\n    slots: {slots}\n"));
    let rules = format!("{RULES}{rule}");
    let mut snapshot = snapshot_of(&placements, &rules, &vec![40; kinds.len()]);
    let mut offers: Vec<Offer> = snapshot.catalogue.offers().to_vec();
    for offer in &mut offers {
        let at = offer.offer_id.as_str().strip_prefix('o').and_then(|at| at.parse::<usize>().ok());
        let kind = at.and_then(|at| CATEGORIES.get(kinds[at]));
        offer.category = kind.map(|kind| CategoryId::new(*kind).unwrap());
        let brand = kind.map(|kind| ("brand".to_owned(), Value::Text((*kind).to_owned())));
        offer.attributes = brand.into_iter().collect();
    }
    snapshot.catalogue = Arc::new(Catalogue::new(1, offers, Vec::new()));
    snapshot
}

fn decide(snapshot: &Snapshot, seed: u64) -> Decision {
    let mut asked = request(Some("gold"));
    asked.count = None;
    ask_with(snapshot, &asked, &granted(), seed).unwrap()
}

/// How many of each kind an answer holds; offers of no kind are one together.
fn held(snapshot: &Snapshot, decision: &Decision) -> BTreeMap<Option<String>, usize> {
    let mut held = BTreeMap::new();
    for shown in &decision.skeleton.shown {
        let offer = snapshot.catalogue.offer(shown.offer.as_str()).unwrap();
        *held.entry(offer.category.as_ref().map(ToString::to_string)).or_insert(0) += 1;
    }
    held
}

fn rule(per: &str, most: usize, more: &str) -> String {
    format!("diversity:\n  - {{id: varied, why: Several departments, per: {per}, at_most: {most}{more}}}\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_holds_more_of_one_kind_than_allowed_and_none_is_shorter_than_it_must_be(
        slots in 1..8_u16,
        kinds in prop::collection::vec(0_usize..4, 1..12),
        most in 1_usize..4,
        per in prop::sample::select(vec!["category", "offer.brand"]),
        allow in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let snapshot = shop(slots, &kinds, &rule(per, most, if allow { ", on_missing: allow" } else { "" }));
        let decision = decide(&snapshot, seed);
        let held = held(&snapshot, &decision);
        let room = |kind: &Option<String>| if allow && kind.is_none() { usize::MAX } else { most };
        for (kind, count) in &held {
            prop_assert!(*count <= room(kind), "{:?}", held);
        }
        // As many as there is room for.
        let mut all: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for kind in &kinds {
            *all.entry(CATEGORIES.get(*kind).map(|name| (*name).to_owned())).or_insert(0) += 1;
        }
        let possible: usize = all.iter().map(|(kind, count)| room(kind).min(*count)).sum();
        prop_assert_eq!(decision.skeleton.shown.len(), possible.min(slots.into()));
        // Whatever was left out of a slot says what stood there and what may.
        for left in decision.skeleton.slots.iter().flat_map(|slot| &slot.left_out) {
            let most = i64::try_from(most).unwrap();
            prop_assert!(left.failed.iter().all(|failed| (failed.observed, failed.limit) == (Some(most), Some(most))));
        }
        for slot in &decision.skeleton.slots {
            let total: f64 = slot.probabilities.iter().copied().flatten().sum();
            prop_assert!((total - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn without_the_rule_the_same_check_finds_answers_of_one_kind() {
    let kinds = [0, 0, 0, 0, 0, 1];
    let crowded = |rule: &str| {
        let snapshot = shop(3, &kinds, rule);
        (0..100).filter(|seed| held(&snapshot, &decide(&snapshot, *seed)).values().any(|count| *count > 1)).count()
    };
    assert_eq!(crowded(&rule("category", 1, "")), 0);
    assert_eq!(crowded(""), 100);
    // Offers have no campaign here: they are one kind together, unless what is missing is allowed.
    let one_campaign = shop(3, &kinds, &rule("campaign", 1, ""));
    assert_eq!(decide(&one_campaign, 1).skeleton.shown.len(), 1);
    assert_eq!(crowded(&rule("campaign", 1, ", on_missing: allow")), 100);
}

#[test]
fn a_rule_counts_only_the_offers_that_it_applies_to() {
    let only = rule("category", 1, ", applies_to: {offers: [o0, o1]}");
    let snapshot = shop(4, &[0, 0, 0, 0], &only);
    for seed in 0..100 {
        let decision = decide(&snapshot, seed);
        let shown: Vec<&str> = decision.skeleton.shown.iter().map(|shown| shown.offer.as_str()).collect();
        // One of the two, and both of the others.
        assert_eq!(shown.len(), 3, "{shown:?}");
        assert!(shown.contains(&"o2") && shown.contains(&"o3"), "{shown:?}");
    }
    let elsewhere = rule("category", 1, ", effective: {until: 2026-01-01, time_zone: UTC}");
    assert_eq!(decide(&shop(4, &[0, 0, 0, 0], &elsewhere), 1).skeleton.shown.len(), 4, "it is over");
}
