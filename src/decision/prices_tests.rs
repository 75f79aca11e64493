//! What floors over an answer and a basket promise of decisions. Commits nothing.

use proptest::prelude::*;

use super::tests::{PLACEMENTS, RULES, ask_with, granted, learned, request, snapshot_of};
use super::{Decision, Snapshot};
use crate::domain::decision::{Failed, FallbackReason};
use crate::domain::{BasketLine, Currency, Money};

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
                prop_assert_eq!(slot.probabilities[at].is_some(), may, "{} behind {} earning {}", margin, count, before);
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
