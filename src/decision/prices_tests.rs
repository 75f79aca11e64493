//! What floors over an answer and a basket, and rules about personalised prices, promise of decisions. Commits nothing.

use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{
    NOW, PLACEMENTS, PURPOSES, RULES, ask_with, granted, learned, request, snapshot_of, snapshot_under, state,
};
use super::{Decision, Snapshot};
use crate::domain::consent::ConsentEntry;
use crate::domain::decision::{Failed, FallbackReason, SlotPrice};
use crate::domain::{
    Basis, BasketLine, Catalogue, ConsentState, Currency, Money, Offer, PurposeId, SubjectState, Timestamp,
};

/// With these floors beside the one under every offer; offers cost a hundred dollars.
fn with_floors(strategy: &str, slots: u16, floors: &str, margins: &[i64]) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", strategy).replace("HOLDOUT", "0%");
    let placements = placements.replace("    currency: USD\n", &format!("    currency: USD\n    slots: {slots}\n"));
    snapshot_of(&placements, &RULES.replace("frequency_caps:\n", &format!("{floors}frequency_caps:\n")), margins)
}

/// A thing for fifty dollars that earns so many, or does not say.
fn thing(quantity: u32, margin: Option<i64>) -> BasketLine {
    let dollars = |amount: i64| Money { minor: amount * 100, currency: Currency::parse("USD").unwrap() };
    let (price, margin) = (Some(dollars(50)), margin.map(dollars));
    BasketLine { sku: "socks".into(), category: None, quantity, price, margin }
}

fn decide(snapshot: &Snapshot, basket: &[BasketLine], seed: u64) -> Decision {
    let mut asked = request(Some("gold"));
    (asked.count, asked.basket) = (None, basket.to_vec());
    ask_with(snapshot, &asked, &granted(), seed).unwrap()
}

fn rule(snapshot: &Snapshot, id: &str) -> u16 {
    u16::try_from(snapshot.bundle.rules.iter().position(|rule| rule.id.as_str() == id).unwrap()).unwrap()
}

const ANSWER: &str = "  - {id: sum, why: Memo 7, min_margin: 40%, over: answer}\n";

#[test]
fn an_offer_may_stand_behind_what_earns_enough_for_both_and_not_alone() {
    let snapshot = with_floors("uniform", 3, ANSWER, &[20, 60, 30]);
    let decision = decide(&snapshot, &[], 1);
    let shown: Vec<&str> = decision.skeleton.shown.iter().map(|shown| shown.offer.as_str()).collect();
    assert_eq!(shown[0], "o1", "alone only what earns 40 %");
    let sum = rule(&snapshot, "sum");
    let left = |slot: usize| -> Vec<(u32, Vec<Failed>)> {
        decision.skeleton.slots[slot].left_out.iter().map(|left| (left.row, left.failed.clone())).collect()
    };
    let under = |observed| vec![Failed { rule: sum, observed: Some(observed), limit: Some(4000) }];
    assert_eq!(left(0), [(0, under(2000)), (2, under(3000))]);
    // With 60 of 100 before, 20 more are 40 of 200 cents of every dollar: exactly enough.
    assert_eq!(left(1), []);
    assert!(decision.skeleton.candidates.iter().all(|row| row.failed.is_empty()), "left out of slots, not of all");
    let third = if shown[1] == "o0" { (2, under(3666)) } else { (0, under(3666)) };
    assert_eq!((shown.len(), decision.skeleton.slots.len()), (2, 2), "{shown:?}: the third would leave {third:?}");
}

#[test]
fn where_no_offer_may_stand_first_the_house_speaks_and_every_reason_is_kept() {
    let snapshot = with_floors("thompson_linear", 2, ANSWER, &[20, 10, 30]);
    let decision = decide(&snapshot, &[], 1);
    assert_eq!(decision.skeleton.fallback, Some(FallbackReason::NoEligibleCandidate));
    assert_eq!((decision.skeleton.shown[0].offer.as_str(), decision.skeleton.slots.len()), ("house", 0));
    let rows = decision.skeleton.candidates.iter();
    let failed: Vec<Vec<_>> =
        rows.map(|row| row.failed.iter().map(|failed| (failed.observed, failed.limit)).collect()).collect();
    assert_eq!(
        failed,
        [[(Some(2000), Some(4000))], [(Some(1000), Some(1500))], [(Some(3000), Some(4000))]].map(|one| one.to_vec())
    );
    assert!(decision.skeleton.candidates.iter().all(|row| row.scored.is_none() && row.learned.is_none()));
    assert_eq!(decision.next, None, "a fallback changes no subject");
}

#[test]
fn what_a_basket_earns_counts_and_stays_out_of_the_public_record() {
    let floor = |more: &str| format!("  - {{id: sum, why: Memo 7, min_margin: 40.00 USD, over: basket{more}}}\n");
    let check = |more: &str, basket: &[BasketLine], shown: &[&str]| {
        let snapshot = with_floors("uniform", 1, &floor(more), &[30]);
        let decision = decide(&snapshot, basket, 1);
        let found: Vec<&str> = decision.skeleton.shown.iter().map(|shown| shown.offer.as_str()).collect();
        assert_eq!(found, shown, "{more} {basket:?}");
        for failed in &decision.skeleton.candidates[0].failed {
            assert_eq!((failed.observed, failed.limit), (None, Some(4000)));
        }
    };
    check("", &[], &["house"]);
    check("", &[thing(2, Some(5))], &["o0"]);
    check("", &[thing(2, Some(4))], &["house"]);
    check("", &[thing(1, Some(50)), thing(1, Some(-41))], &["house"]);
    check("", &[thing(1, Some(50)), thing(1, None)], &["house"]);
    check(", on_missing: allow", &[thing(1, Some(50)), thing(1, None)], &["o0"]);
    check(", on_missing: allow", &[thing(1, Some(9))], &["house"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn floors_over_answer_and_basket_hold_whatever_the_strategy_explores(
        margins in proptest::collection::vec(0..90_i64, 1..9),
        outcomes in proptest::collection::vec((0..8_usize, any::<bool>()), 0..40),
        strategy in proptest::sample::select(vec!["thompson_linear", "linucb", "bagged_linear", "squarecb", "uniform"]),
        (quantity, earned) in (0..4_u32, -30..40_i64),
        (share, amount) in (0..60_i64, 0..90_i64),
        seed in any::<u64>(),
    ) {
        let floors = format!(
            "  - {{id: sum, why: Memo 7, min_margin: {share}%, over: answer}}\n  \
             - {{id: all, why: Memo 8, min_margin: {amount}.00 USD, over: basket}}\n"
        );
        let mut snapshot = with_floors(strategy, 3, &floors, &margins);
        learned(&mut snapshot, &outcomes);
        let basket = if quantity == 0 { Vec::new() } else { vec![thing(quantity, Some(earned))] };
        let decision = decide(&snapshot, &basket, seed);
        let (mut before, mut count) = (0, 0);
        let mut open: Vec<bool> = margins.iter().map(|margin| *margin >= 15).collect();
        let reaches = |before: i64, count: i64, margin: i64| {
            before + margin >= share * (count + 1) && i64::from(quantity) * earned + before + margin >= amount
        };
        for slot in &decision.skeleton.slots {
            for (at, margin) in margins.iter().enumerate() {
                let may = open[at] && reaches(before, count, *margin);
                prop_assert_eq!(slot.probabilities[at].is_some(), may, "{} behind {} of {}", margin, count, before);
            }
            let chosen = slot.draw.chosen as usize;
            open[chosen] = false;
            (before, count) = (before + margins[chosen], count + 1);
        }
        let next = open.iter().zip(&margins).any(|(open, margin)| *open && reaches(before, count, *margin));
        prop_assert!(count == 3 || !next, "a slot that something may stand in is filled");
        prop_assert_eq!(decision.skeleton.fallback.is_some(), count == 0);
    }
}

/// Four offers that cost a hundred dollars, the first two with a discount, under these rules besides the gate of every
/// test; `o1` and `o2` are of one brand.
fn priced(strategy: &str, rules: &str) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", strategy).replace("HOLDOUT", "0%");
    let placements = placements.replace("    currency: USD\n", "    currency: USD\n    slots: 4\n");
    let prices = "  - {id: price_personalisation, dpv: PersonalisedBenefits, bases: {US: [consent]}}\n";
    let rules = RULES.replace("purpose_gates:\n", &format!("{rules}purpose_gates:\n"));
    let mut snapshot = snapshot_under(&format!("{PURPOSES}{prices}"), &placements, &rules, &[60; 4]);
    let mut offers: Vec<Offer> = snapshot.catalogue.offers().to_vec();
    for offer in &mut offers {
        let dollars = |amount: &str| Money::parse(amount, Currency::parse("USD").unwrap()).ok();
        offer.discount = match offer.offer_id.as_str() {
            "o0" => dollars("10.00"),
            "o1" => dollars("20.00"),
            _ => None,
        };
        if ["o1", "o2"].contains(&offer.offer_id.as_str()) {
            offer.attributes.insert("brand".into(), crate::domain::Value::Text("acme".into()));
        }
    }
    snapshot.catalogue = Arc::new(Catalogue::new(1, offers, Vec::new()));
    snapshot
}

/// Of each offer shown, in the order of their ids: the attributes that moved its price.
fn moved(decision: &Decision) -> Vec<(String, Vec<String>)> {
    let slots = decision.skeleton.shown.iter().zip(&decision.skeleton.slots);
    let mut found: Vec<(String, Vec<String>)> = slots
        .map(|(shown, slot)| {
            let by = slot.price.iter().flat_map(|price| &price.attributes).map(ToString::to_string).collect();
            (shown.offer.to_string(), by)
        })
        .collect();
    found.sort();
    found
}

fn shows(decision: &Decision, expected: &[(&str, &[&str])]) {
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(offer, by)| ((*offer).to_owned(), by.iter().map(|id| (*id).to_owned()).collect()))
        .collect();
    assert_eq!(moved(decision), expected);
}

const TIER: &[&str] = &["customer.tier"];

#[test]
fn a_price_is_personalised_where_something_seen_of_the_customer_moved_a_price_that_is_special() {
    // Features see the tier, so that it moves every discount.
    shows(&decide(&priced("linucb", ""), &[], 1), &[("o0", TIER), ("o1", TIER), ("o2", &[]), ("o3", &[])]);
    // Nothing that chooses here reads the customer.
    shows(&decide(&priced("uniform", ""), &[], 1), &[("o0", &[]), ("o1", &[]), ("o2", &[]), ("o3", &[])]);
    let reads = "exclusions:\n  - {id: x, why: W, applies_to: {offers: [o2]}, when: customer.tier == \"bronze\"}\n";
    // A rule reads it about `o2`, which has one price for everybody as far as anybody said.
    shows(&decide(&priced("uniform", reads), &[], 1), &[("o0", &[]), ("o1", &[]), ("o2", &[]), ("o3", &[])]);
    // The same product at two prices: who is shown which is what the rule decides.
    let product = "price_personalisation:\n  - {id: p, why: W, same_as: offer.brand}\n";
    let both = format!("{reads}{product}");
    shows(&decide(&priced("uniform", &both), &[], 1), &[("o0", &[]), ("o1", TIER), ("o2", TIER), ("o3", &[])]);
    // What is not seen moves nothing: no consent, or no tier.
    let snapshot = priced("linucb", "");
    let mut asked = request(None);
    asked.count = None;
    let unknown = ask_with(&snapshot, &asked, &granted(), 1).unwrap();
    assert!(moved(&unknown).iter().all(|(_, by)| by.is_empty()));
    asked.customer = request(Some("gold")).customer;
    let refused = ask_with(&snapshot, &asked, &state(Some(ConsentState::Refused)), 1).unwrap();
    assert!(moved(&refused).len() == 4 && moved(&refused).iter().all(|(_, by)| by.is_empty()));
}

#[test]
fn rules_bound_what_moves_a_price_and_where_before_anything_is_drawn() {
    let rule = |fields: &str| format!("price_personalisation:\n  - {{id: p, why: W, {fields}}}\n");
    let all: &[(&str, &[&str])] = &[("o0", TIER), ("o1", TIER), ("o2", &[]), ("o3", &[])];
    let list: &[(&str, &[&str])] = &[("o2", &[]), ("o3", &[])];
    let check = |fields: &str, from: Option<&str>, expected: &[(&str, &[&str])]| {
        let snapshot = priced("linucb", &rule(fields));
        let mut asked = request(Some("gold"));
        (asked.count, asked.jurisdiction) = (None, from.map(str::to_owned));
        let decision = ask_with(&snapshot, &asked, &granted(), 1).unwrap();
        shows(&decision, expected);
        let barred = vec![Failed { rule: self::rule(&snapshot, "p"), observed: Some(1), limit: Some(0) }];
        for row in decision.skeleton.candidates.iter().filter(|row| !row.failed.is_empty()) {
            assert_eq!((&row.failed, &row.scored), (&barred, &None), "{fields}");
        }
    };
    check("allowed: [customer.tier]", Some("US-NY"), all);
    check("allowed: [customer.outdoor]", Some("US-NY"), list);
    check("allowed: []", Some("US-NY"), list);
    check("allowed: [], applies_to: {offers: [o1]}", Some("US-NY"), &[("o0", TIER), ("o2", &[]), ("o3", &[])]);
    check("allowed: [], severity: warn", Some("US-NY"), all);
    check("banned_in: [US-NY]", Some("US-NY"), list);
    check("banned_in: [US-NY]", Some("US-CA"), all);
    check("banned_in: [US-NY]", Some("US"), list);
    check("disclosure: Yours., applies_to: {regions: [US]}", Some("US-NY"), all);
}

#[test]
fn prices_of_one_product_lie_apart_as_far_as_a_rule_lets_them() {
    let check = |fields: &str, of_brand: &[(i64, i64)], of_none: bool| {
        let fields = format!("{{id: p, why: W, same_as: offer.brand, {fields}}}");
        let snapshot = priced("uniform", &format!("price_personalisation:\n  - {fields}\n"));
        let decision = decide(&snapshot, &[], 1);
        let rows = decision.skeleton.candidates.iter();
        let failed: Vec<Vec<_>> =
            rows.map(|row| row.failed.iter().map(|failed| (failed.observed, failed.limit)).collect()).collect();
        let of_brand: Vec<_> = of_brand.iter().map(|(observed, limit)| (Some(*observed), Some(*limit))).collect();
        let of_none = if of_none { vec![(None, None)] } else { Vec::new() };
        assert_eq!(failed, [of_none.clone(), of_brand, Vec::new(), of_none], "{fields}");
    };
    // Of one brand, `o1` costs 80 and `o2` costs 100 dollars; the others say no brand.
    check("max_spread: 20%, on_missing: allow", &[], false);
    check("max_spread: 19.99%, on_missing: allow", &[(2000, 1999)], false);
    check("max_spread: 20%", &[], true);
}

#[test]
fn the_first_rule_with_something_to_say_beside_a_price_is_named_unless_it_is_on_trial() {
    let check = |rules: &str, expected: Option<&str>| {
        let snapshot = priced("linucb", &format!("price_personalisation:\n{rules}"));
        let decision = decide(&snapshot, &[], 1);
        for slot in &decision.skeleton.slots {
            let said =
                slot.price.as_ref().map(|price: &SlotPrice| price.rule.and_then(|at| snapshot.bundle.disclosure(at)));
            assert!(said.is_none_or(|said| said == expected), "{said:?}");
        }
        assert_eq!(decision.skeleton.slots.iter().filter(|slot| slot.price.is_some()).count(), 2);
    };
    check("  - {id: a, why: W, allowed: [customer.tier]}\n  - {id: b, why: W, disclosure: B.}\n", Some("B."));
    check("  - {id: a, why: W, disclosure: A.}\n  - {id: b, why: W, disclosure: B.}\n", Some("A."));
    check("  - {id: a, why: W, disclosure: A., severity: shadow}\n", None);
    check("  - {id: a, why: W, disclosure: A., applies_to: {regions: [EU]}}\n", None);
}

#[test]
fn a_gate_on_personalised_prices_leaves_out_those_and_no_others() {
    let gate =
        "purpose_gates:\n  - {id: prices, why: Prices need a word of their own, purpose: price_personalisation}\n";
    let snapshot = {
        let mut snapshot = priced("linucb", "");
        let with_gate = RULES.replace("purpose_gates:\n", gate);
        let placements = PLACEMENTS.replace("STRATEGY", "linucb").replace("HOLDOUT", "0%");
        let placements = placements.replace("    currency: USD\n", "    currency: USD\n    slots: 4\n");
        let prices = "  - {id: price_personalisation, dpv: PersonalisedBenefits, bases: {US: [consent]}}\n";
        let purposes = format!("{PURPOSES}{prices}");
        snapshot.bundle = snapshot_under(&purposes, &placements, &with_gate, &[60; 4]).bundle;
        snapshot
    };
    let mut asked = request(Some("gold"));
    asked.count = None;
    let closed = ask_with(&snapshot, &asked, &granted(), 1).unwrap();
    shows(&closed, &[("o2", &[]), ("o3", &[])]);
    let refused = vec![Failed { rule: rule(&snapshot, "prices"), observed: None, limit: None }];
    assert_eq!(closed.skeleton.candidates[0].failed, refused);
    assert_eq!((&closed.skeleton.refused, closed.skeleton.purpose.as_str()), (&None, "offer_personalisation"));
    let read: Vec<&str> = closed.private.consent.readings.iter().map(|reading| reading.purpose.as_str()).collect();
    assert_eq!(read, ["offer_personalisation", "price_personalisation"]);
    let mut state: SubjectState = granted();
    let purpose = PurposeId::new("price_personalisation").unwrap();
    let (basis, valid_from) = (Basis::Consent, Timestamp(0));
    let granted = ConsentState::Granted;
    state.add_consent(
        ConsentEntry {
            purpose,
            state: granted,
            basis,
            valid_from,
            valid_until: None,
            channel: None,
            jurisdiction: None,
        },
        NOW,
    );
    let open = ask_with(&snapshot, &asked, &state, 1).unwrap();
    shows(&open, &[("o0", TIER), ("o1", TIER), ("o2", &[]), ("o3", &[])]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn where_no_attribute_may_move_a_price_none_is_moved_whatever_the_strategy_explores(
        outcomes in proptest::collection::vec((0..4_usize, any::<bool>()), 0..40),
        strategy in proptest::sample::select(vec!["thompson_linear", "linucb", "bagged_linear", "squarecb", "uniform"]),
        banned in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let fields = if banned { "banned_in: [US]" } else { "allowed: []" };
        let mut snapshot = priced(strategy, &format!("price_personalisation:\n  - {{id: p, why: W, {fields}}}\n"));
        learned(&mut snapshot, &outcomes);
        let decision = decide(&snapshot, &[], seed);
        prop_assert!(decision.skeleton.slots.iter().all(|slot| slot.price.is_none()));
        let count = if strategy == "uniform" { 4 } else { 2 };
        prop_assert_eq!(decision.skeleton.shown.len(), count);
    }
}
