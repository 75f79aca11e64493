//! What answers of several slots promise. Commits nothing.

use proptest::prelude::*;

use super::Decision;
use super::recorded;
use super::tests::{PLACEMENTS, RULES, ask_with, granted, request, snapshot_of};
use crate::bandit::{self, Score};
use crate::domain::decision::FallbackReason;

pub(super) const STRATEGIES: [&str; 9] = [
    "thompson_linear",
    "thompson_logistic",
    "thompson_beta",
    "linucb",
    "linucb_randomised",
    "squarecb",
    "bagged_linear",
    "epsilon_greedy",
    "uniform",
];

pub(super) fn placements(slots: u16, strategy: &str) -> String {
    let home = PLACEMENTS.replace("STRATEGY", strategy).replace("HOLDOUT", "0%");
    home.replace("    currency: USD\n", &format!("    currency: USD\n    slots: {slots}\n"))
}

/// Offers `o0`, `o1`, ... of margin 40 under these rules, besides floor, cap and gate of every test.
fn decide(slots: u16, strategy: &str, offers: usize, rules: &str, seed: u64) -> Decision {
    let snapshot = snapshot_of(&placements(slots, strategy), &format!("{RULES}{rules}"), &vec![40; offers]);
    let mut asked = request(Some("gold"));
    asked.count = None;
    ask_with(&snapshot, &asked, &granted(), seed).unwrap()
}

/// The same where showing nothing is a candidate too.
fn decide_or_nothing(slots: u16, strategy: &str, offers: usize, seed: u64) -> Decision {
    let placements = placements(slots, strategy).replace("    slots:", "    nothing_allowed: true\n    slots:");
    let mut asked = request(Some("gold"));
    asked.count = None;
    ask_with(&snapshot_of(&placements, RULES, &vec![40; offers]), &asked, &granted(), seed).unwrap()
}

fn shown(decision: &Decision) -> Vec<&str> {
    decision.skeleton.shown.iter().map(|shown| shown.offer.as_str()).collect()
}

#[test]
fn an_answer_holds_as_many_offers_as_there_are_slots_and_candidates() {
    for (slots, offers, expected) in [(3, 5, 3), (5, 3, 3), (10, 12, 10), (20, 30, 20), (1, 4, 1)] {
        let decision = decide(slots, "uniform", offers, "", 1);
        assert_eq!(shown(&decision).len(), expected, "{slots} slots, {offers} offers");
        assert_eq!(decision.skeleton.slots.len(), expected);
        let next = decision.next.unwrap();
        assert_eq!(next.caps.len(), expected, "every offer shown is counted");
    }
}

#[test]
fn a_request_narrows_the_slots_and_never_widens_them() {
    let snapshot = snapshot_of(&placements(3, "uniform"), RULES, &[40; 5]);
    let ask = |count| {
        let mut asked = request(None);
        asked.count = count;
        ask_with(&snapshot, &asked, &granted(), 1)
    };
    assert_eq!(ask(Some(2)).unwrap().skeleton.shown.len(), 2);
    assert_eq!(ask(None).unwrap().skeleton.shown.len(), 3);
    for wrong in [0, 4] {
        let told: Vec<String> =
            ask(Some(wrong)).unwrap_err().iter().map(|p| format!("{}: {}", p.pointer, p.message)).collect();
        let message =
            format!("/count: `{wrong}` offers were asked for: placement `home` has 3 slots; ask for that many at most");
        assert_eq!(told, [message]);
    }
}

#[test]
fn a_cap_reached_by_the_slots_before_leaves_the_rest_out() {
    let cap = "  - {id: all, why: Two a day, scope: [customer], max: 2, window: {rolling: 24h}, counts: decision}\n";
    let rules = RULES.replace("purpose_gates:", &format!("{cap}purpose_gates:"));
    let snapshot = snapshot_of(&placements(3, "uniform"), &rules, &[40; 4]);
    let mut asked = request(None);
    asked.count = None;
    let decision = ask_with(&snapshot, &asked, &granted(), 7).unwrap();
    assert_eq!(shown(&decision).len(), 2);
    let next = ask_with(&snapshot, &asked, &decision.next.unwrap(), 8).unwrap();
    assert_eq!(next.skeleton.fallback, Some(FallbackReason::NoEligibleCandidate));
}

#[test]
fn a_cap_that_lets_strangers_through_holds_within_an_answer_all_the_same() {
    let cap = "  - {id: all, why: Two a day, scope: [household], max: 2, window: {rolling: 24h}, counts: decision, \
               without_identifier: allow}\n";
    let rules = RULES.replace("purpose_gates:", &format!("{cap}purpose_gates:"));
    let snapshot = snapshot_of(&placements(3, "uniform"), &rules, &[40; 4]);
    let mut asked = request(None);
    asked.count = None;
    let decision = ask_with(&snapshot, &asked, &granted(), 7).unwrap();
    assert_eq!(shown(&decision).len(), 2, "nobody knows the household");
    let next = decision.next.unwrap();
    assert!(next.caps.iter().all(|counter| counter.rule.as_str() != "all"), "and nobody keeps what it was shown");
    assert_eq!(shown(&ask_with(&snapshot, &asked, &next, 8).unwrap()).len(), 2);
    let snapshot = snapshot_of(&placements(3, "uniform"), &rules.replace(": allow", ": session_cap"), &[40; 4]);
    let decision = ask_with(&snapshot, &asked, &granted(), 7).unwrap();
    assert_eq!(decision.skeleton.fallback, Some(FallbackReason::NoEligibleCandidate));
}

#[test]
fn nothing_is_a_candidate_that_is_drawn_as_often_as_its_probability_says() {
    for strategy in STRATEGIES {
        let (mut nothing, mut expected) = (0_u32, 0.0);
        for seed in 0..400 {
            let decision = decide_or_nothing(1, strategy, 1, seed);
            let skeleton = &decision.skeleton;
            assert_eq!(skeleton.candidates.last().unwrap().candidate, None);
            expected += skeleton.slots[0].probabilities[1].unwrap();
            if skeleton.shows_nothing() {
                nothing += 1;
                assert_eq!((skeleton.fallback, skeleton.reserved_until, &decision.next), (None, None, &None));
                assert_eq!(decision.private.context.features, [], "nothing is learned from showing nothing");
            } else {
                assert!(decision.next.is_some());
            }
        }
        // Within six standard deviations of at most ten each.
        assert!((f64::from(nothing) - expected).abs() <= 60.0, "{strategy}: {nothing} times, expected {expected}");
    }
}

#[test]
fn nothing_ends_an_answer_of_several_slots() {
    let (mut ended, mut full) = (0, 0);
    for seed in 0..200 {
        let decision = decide_or_nothing(3, "thompson_linear", 4, seed);
        let skeleton = &decision.skeleton;
        if skeleton.shown.len() < 3 {
            ended += 1;
            assert_eq!(skeleton.slots.len(), skeleton.shown.len() + 1, "the slot that drew nothing is the last");
            assert_eq!(skeleton.slots.last().unwrap().draw.chosen, 4);
        } else {
            full += 1;
        }
    }
    assert!(ended > 20 && full > 20, "{ended} ended, {full} full");
}

#[test]
fn where_every_offer_is_left_out_nothing_is_what_remains() {
    let placements = placements(2, "thompson_linear").replace("    slots:", "    nothing_allowed: true\n    slots:");
    let decision = ask_with(&snapshot_of(&placements, RULES, &[5, 5]), &request(None), &granted(), 1).unwrap();
    assert_eq!((decision.skeleton.fallback, decision.skeleton.shows_nothing()), (None, true));
    assert_eq!(decision.skeleton.slots[0].probabilities, [None, None, Some(1.0)]);
}

#[test]
fn what_does_not_stack_never_stands_together() {
    let rules = "
stackability:
  - {id: one, why: One of these, group: {offers: [o0, o1, o2]}, at_most: 1}
  - {id: pair, why: Not both, exclusive_pairs: [[o3, o4]]}
";
    for strategy in STRATEGIES {
        for seed in 0..200 {
            let decision = decide(3, strategy, 6, rules, seed);
            let shown = shown(&decision);
            assert!(shown.iter().filter(|offer| ["o0", "o1", "o2"].contains(offer)).count() <= 1, "{shown:?}");
            assert!(!(shown.contains(&"o3") && shown.contains(&"o4")), "{shown:?}");
            // One of the group, one of the pair, and the last: never fewer than three.
            assert_eq!(shown.len(), 3, "{shown:?}");
            let left = decision.skeleton.slots.iter().flat_map(|slot| &slot.left_out).flat_map(|left| &left.failed);
            assert!(left.clone().all(|failed| failed.observed == Some(1) && failed.limit == Some(1)));
            assert!(left.count() > 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn every_slot_draws_from_the_whole_distribution_over_what_remains(
        slots in 1..6_u16,
        offers in 1..8_usize,
        strategy in proptest::sample::select(STRATEGIES.to_vec()),
        seed in any::<u64>(),
    ) {
        let decision = decide(slots, strategy, offers, "", seed);
        let mut taken: Vec<u32> = Vec::new();
        for slot in &decision.skeleton.slots {
            let open: Vec<f64> = slot.probabilities.iter().copied().flatten().collect();
            prop_assert_eq!(open.len(), offers - taken.len(), "one offer fewer with every slot");
            prop_assert!((open.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let floor = 0.1 / f64::from(u8::try_from(open.len()).unwrap());
            prop_assert!(open.iter().all(|p| *p >= floor * (1.0 - 1e-12)));
            prop_assert!(taken.iter().all(|row| slot.probabilities[*row as usize].is_none()));
            prop_assert_eq!(slot.probabilities[slot.draw.chosen as usize], Some(slot.draw.propensity.get()));
            taken.push(slot.draw.chosen);
        }
        let numbers: std::collections::BTreeSet<u64> =
            decision.skeleton.slots.iter().map(|slot| slot.draw.u.to_bits()).collect();
        prop_assert_eq!(numbers.len(), decision.skeleton.slots.len(), "every slot has a number of its own");
    }

    #[test]
    fn the_recorded_scores_give_the_recorded_distribution_again_bit_for_bit(
        slots in 1..4_u16,
        offers in 1..6_usize,
        strategy in proptest::sample::select(STRATEGIES.to_vec()),
        nothing in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut decision = decide(slots, strategy, offers, "", seed);
        if nothing {
            decision = decide_or_nothing(slots, strategy, offers, seed);
        }
        let skeleton = &decision.skeleton;
        let placements = placements(slots, strategy);
        let placement = snapshot_of(&placements, RULES, &[40]).bundle.placement("home").unwrap().clone();
        for slot in &skeleton.slots {
            let open = skeleton.candidates.iter().zip(&slot.probabilities).filter_map(|(row, p)| Some((row, (*p)?)));
            let (scores, p): (Vec<Option<Score>>, Vec<f64>) = open
                .map(|(row, p)| (recorded::score(&placement, row, None), p))
                .unzip();
            let scores: Vec<Score> = scores.into_iter().flatten().collect();
            let w = bandit::distribution_of(&placement.champion.strategy, skeleton.distribution_rule, &scores, nothing);
            prop_assert_eq!(bandit::explore(&w, skeleton.exploration), p);
        }
    }
}
