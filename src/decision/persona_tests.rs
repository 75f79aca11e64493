//! What lists for several tastes promise: a mix, exact propensities, rules and lessons by taste. Commits nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::slate_tests::STRATEGIES;
use super::tests::{PLACEMENTS, RULES, ask_with, granted, request, snapshot_of, state, taught};
use super::{Decision, Snapshot, recorded};
use crate::bandit;
use crate::domain::decision::{CandidateRow, ContextGroup, FallbackReason, SlotPersona, Withheld};
use crate::domain::{ConsentState, DecisionRequest, KnownAttribute, Number, OfferId, Persona, Timestamp, Value};

const ONE: i32 = 1 << 20;
/// Offers `o0` to `o5` are for the outdoors, `o6` to `o11` are music.
const OFFERS: usize = 12;

/// Who likes the outdoors has taken what is for the outdoors and no music; who likes music the other way round.
fn shop(slots: u16, strategy: &str, rules: &str) -> Snapshot {
    let placements = PLACEMENTS.replace("{name: STRATEGY, exploration: 0.1}", &format!("{{{strategy}}}"));
    let placements = placements
        .replace("HOLDOUT", "0%")
        .replace("    currency: USD\n", &format!("    currency: USD\n    slots: {slots}\n"));
    let placements = placements.replace("[customer.tier, context.device]", "[customer.outdoor, customer.music]");
    let mut snapshot = snapshot_of(&placements, &format!("{RULES}{rules}"), &[40; OFFERS]);
    taught(
        &mut snapshot,
        (0..OFFERS * 8).map(|n| {
            let (offer, likes) = (n % OFFERS, 1 + n / OFFERS % 2);
            (offer, vec![u16::try_from(likes).unwrap()], (offer < 6) == (likes == 1))
        }),
    );
    snapshot
}

/// Attributes in millionths.
fn likes(outdoor: i64, music: i64) -> BTreeMap<String, Value> {
    let number = |of: i64| Value::Number(Number(of));
    BTreeMap::from([("outdoor".to_owned(), number(outdoor)), ("music".to_owned(), number(music))])
}

fn asked(attributes: BTreeMap<String, Value>, personas: Option<Vec<Persona>>) -> DecisionRequest {
    let mut asked = request(None);
    (asked.count, asked.customer.attributes, asked.customer.personas) = (None, attributes, personas);
    asked
}

fn persona(weight: u32, outdoor: i64, music: i64) -> Persona {
    Persona { weight, attributes: likes(outdoor, music) }
}

/// An account of two: outdoors and music.
fn two(outdoor: u32, music: u32) -> DecisionRequest {
    asked(BTreeMap::new(), Some(vec![persona(outdoor, 1_000_000, 0), persona(music, 0, 1_000_000)]))
}

fn decide(snapshot: &Snapshot, asked: &DecisionRequest, seed: u64) -> Decision {
    ask_with(snapshot, asked, &granted(), seed).unwrap()
}

/// Of each slot whether it shows music.
fn music(decision: &Decision) -> Vec<bool> {
    let number = |offer: &OfferId| offer.as_str()[1..].parse::<usize>().unwrap();
    decision.skeleton.shown.iter().map(|shown| number(&shown.offer) >= 6).collect()
}

fn whose(decision: &Decision) -> Vec<u16> {
    decision.skeleton.slots.iter().map(|slot| slot.persona.as_ref().unwrap().at).collect()
}

/// Rows left out of all slots, with the rule.
type OfAll = BTreeSet<(usize, String)>;
/// Slots and rows left out of them, with the rule.
type OfSlots = BTreeSet<(usize, u32, String)>;

/// By name and slot what is left out, of all slots and of single ones.
fn left_out(decision: &Decision, snapshot: &Snapshot) -> (OfAll, OfSlots) {
    let name = |rule: u16| snapshot.bundle.rule(rule).unwrap().id.to_string();
    let rows = decision.skeleton.candidates.iter().enumerate();
    let rows = rows.flat_map(|(at, row)| row.failed.iter().map(move |failed| (at, name(failed.rule))));
    let slots = decision.skeleton.slots.iter().enumerate().flat_map(|(slot, found)| {
        let of_row = move |left: &crate::domain::decision::LeftOut| -> Vec<(usize, u32, String)> {
            left.failed.iter().map(|failed| (slot, left.row, name(failed.rule))).collect()
        };
        found.left_out.iter().flat_map(of_row)
    });
    (rows.collect(), slots.collect())
}

#[test]
fn two_tastes_get_a_mix_by_weight_and_their_average_gets_one_taste() {
    let snapshot = shop(6, "name: greedy", "");
    for seed in 0..40 {
        let mixed = decide(&snapshot, &two(2, 1), seed);
        assert_eq!(music(&mixed), [false, true, false, false, true, false]);
        assert_eq!(whose(&mixed), [0, 1, 0, 0, 1, 0]);
        let even = decide(&snapshot, &two(1, 1), seed);
        assert_eq!(music(&even), [false, true, false, true, false, true]);
        let average = decide(&snapshot, &asked(likes(666_667, 333_333), None), seed);
        assert_eq!(music(&average), [false; 6], "two thirds outdoors are all outdoors to an average");
    }
    // Who weighs too little for a seat leaves no trace.
    let slight = decide(&snapshot, &two(1_000, 1), 1);
    assert_eq!((music(&slight), whose(&slight)), (vec![false; 6], vec![0; 6]));
    assert_eq!(slight.private.context.personas.unwrap().len(), 1);
}

#[test]
fn a_lesson_of_a_slot_has_the_features_of_its_persona() {
    let decision = decide(&shop(3, "name: greedy", ""), &two(1, 2), 7);
    let (outdoor, music) = (vec![(0, ONE), (1, ONE)], vec![(0, ONE), (2, ONE)]);
    assert_eq!(whose(&decision), [1, 0, 1]);
    let learned = [0, 1, 2].map(|slot| decision.private.context.features_of(slot).to_vec());
    assert_eq!(learned, [music.clone(), outdoor, music]);
}

#[test]
fn a_personas_attributes_lie_over_the_accounts_own_and_those_over_what_is_kept() {
    let snapshot = shop(2, "name: greedy", "");
    let number = |of: i64| Value::Number(Number(of));
    let mut account = asked(BTreeMap::from([("music".to_owned(), number(3_000_000))]), None);
    let own = BTreeMap::from([("music".to_owned(), number(5_000_000))]);
    account.customer.personas =
        Some([BTreeMap::new(), own].map(|attributes| Persona { weight: 1, attributes }).to_vec());
    let known = ["music", "outdoor"].map(|name| KnownAttribute {
        name: name.to_owned(),
        value: number(7_000_000),
        at: Timestamp(0),
        until: None,
    });
    let with = |consent| {
        let mut state = state(Some(consent));
        state.known = known.to_vec();
        ask_with(&snapshot, &account, &state, 1).unwrap().private.context
    };
    let seen = with(ConsentState::Granted);
    let personas = seen.personas.as_ref().unwrap().iter().map(|seen| {
        let used: Vec<String> = seen.used.iter().map(|(id, value)| format!("{id}={value}")).collect();
        (seen.at, used.join(" "))
    });
    let expected = [(0, "customer.music=3 customer.outdoor=7"), (1, "customer.music=5 customer.outdoor=7")];
    assert_eq!(personas.collect::<Vec<_>>(), expected.map(|(at, used)| (at, used.to_owned())));
    assert_eq!(seen.used, seen.personas.as_ref().unwrap()[0].used);
    // Without consent nobody's are seen, and each attribute is told once.
    let seen = with(ConsentState::Refused);
    assert!(seen.personas.unwrap().iter().all(|seen| seen.used.is_empty()));
    let withheld: Vec<&str> = seen.withheld.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(withheld, ["customer.music", "customer.outdoor", "context.device"]);
    let mut reasons = seen.withheld.iter().filter(|(id, _)| id.as_str() != "context.device");
    assert!(reasons.all(|(_, why)| *why == Withheld::PurposeNotConsented));
}

const APART: &str = "
exclusions:
  - {id: quiet, why: Not for ears, applies_to: {offers: [o6]}, when: customer.music > 0}
  - {id: rainy, why: Not for the wet, applies_to: {offers: [o0, o6]}, when: customer.outdoor > 0}
  - {id: never, why: For nobody who says, applies_to: {offers: [o1]}, when: customer.music < 9}
";

#[test]
fn a_rule_that_excludes_for_one_persona_excludes_in_its_slots_only() {
    let snapshot = shop(4, "name: uniform, exploration: 1.0", APART);
    let mut shown = BTreeSet::new();
    for seed in 0..60 {
        let decision = decide(&snapshot, &two(1, 1), seed);
        let (rows, slots) = left_out(&decision, &snapshot);
        // Rows are by id, so that `o6` is the ninth. Out of all slots: by one rule for both, or by one for each.
        let all = [(1, "never"), (8, "quiet"), (8, "rainy")].map(|(row, rule)| (row, rule.to_owned()));
        assert_eq!(rows, BTreeSet::from(all));
        for (at, slot) in decision.skeleton.slots.iter().enumerate() {
            let own: Vec<(u32, &str)> =
                slots.iter().filter(|(slot, ..)| *slot == at).map(|(_, row, rule)| (*row, rule.as_str())).collect();
            let before = decision.skeleton.slots[..at].iter().any(|slot| slot.draw.chosen == 0);
            // Unless `o0` was shown to the other before.
            let outdoors = if before { vec![(8, "rainy")] } else { vec![(0, "rainy"), (8, "rainy")] };
            assert_eq!(own, if at % 2 == 0 { outdoors } else { vec![(8, "quiet")] }, "slot {at}");
            assert_eq!(slot.probabilities[0].is_some(), at % 2 == 1 && !before);
            assert_eq!((slot.probabilities[1], slot.probabilities[8]), (None, None));
            if slot.draw.chosen == 0 {
                shown.insert(at);
            }
        }
        let row = &decision.skeleton.candidates[0];
        assert!(row.failed.is_empty() && row.scored.is_none(), "nothing was scored for whom it is left out");
    }
    assert_eq!(shown, BTreeSet::from([1, 3]));
}

#[test]
fn who_has_nothing_left_hands_its_slots_on_and_where_nobody_has_the_house_speaks() {
    let none = "exclusions:\n  - {id: deaf, why: Nothing, when: customer.music > 0}\n";
    let snapshot = shop(4, "name: greedy", none);
    let decision = decide(&snapshot, &two(1, 2), 3);
    assert_eq!((music(&decision), whose(&decision)), (vec![false; 4], vec![0; 4]));
    assert!(decision.skeleton.scores_apart(0).is_some(), "the first seat was another's");
    let all = format!("{none}  - {{id: wet, why: Nothing, when: customer.outdoor > 0}}\n");
    let decision = decide(&shop(4, "name: greedy", &all), &two(1, 2), 3);
    assert_eq!(decision.skeleton.fallback, Some(FallbackReason::NoEligibleCandidate));
    assert!(decision.skeleton.candidates.iter().all(|row| row.failed.len() == 2));
}

#[test]
fn without_personas_a_record_has_the_bytes_it_had_before_there_were_any() {
    let decision = decide(&shop(2, "name: greedy", ""), &asked(likes(1, 0), None), 1);
    let slot = decision.skeleton.slots[0].clone();
    let bytes = minicbor::to_vec(&slot).unwrap();
    assert_eq!(bytes[0], 0x83, "probabilities, left_out, draw");
    let context = ContextGroup { asked: None, ..decision.private.context };
    assert_eq!(minicbor::to_vec(&context).unwrap()[0], 0x88, "as far as features_later");
    assert_eq!(minicbor::to_vec(&asked(likes(1, 0), None).customer).unwrap()[0], 0x85, "as far as attributes");
    let named = crate::domain::decision::Slot { persona: Some(SlotPersona { at: 1, of: 2, scores: None }), ..slot };
    let read: crate::domain::decision::Slot = minicbor::decode(&minicbor::to_vec(&named).unwrap()).unwrap();
    assert_eq!(read, named);
}

/// Whether every slot's distribution is what the scores in the record give.
fn replays(decision: &Decision, snapshot: &Snapshot, nothing: bool) -> Result<(), TestCaseError> {
    let (skeleton, placement) = (&decision.skeleton, snapshot.bundle.placement("home").unwrap());
    for (number, slot) in skeleton.slots.iter().enumerate() {
        let open = skeleton.candidates.iter().zip(&slot.probabilities).enumerate();
        let (mut scores, mut probabilities) = (Vec::new(), Vec::new());
        for (at, row, p) in open.filter_map(|(at, (row, p))| Some((at, row, (*p)?))) {
            let row = CandidateRow { scored: skeleton.scored(number, at).cloned(), ..row.clone() };
            prop_assert_eq!(row.scored.is_some(), row.candidate.is_some());
            scores.extend(recorded::score(placement, &row, None));
            probabilities.push(p);
        }
        let w = bandit::distribution_of(&placement.champion.strategy, skeleton.distribution_rule, &scores, nothing);
        prop_assert_eq!(bandit::explore(&w, skeleton.exploration), &probabilities[..], "slot {}", number);
        prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert_eq!(slot.probabilities[slot.draw.chosen as usize], Some(slot.draw.propensity.get()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_slot_of_a_mix_replays_from_the_record_and_sums_to_one(
        slots in 1..8_u16,
        strategy in prop::sample::select(STRATEGIES.to_vec()),
        personas in prop::collection::vec((1..9_u32, 0..3_i64, 0..3_i64), 1..5),
        rules in any::<bool>(),
        nothing in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut snapshot = shop(slots, &format!("name: {strategy}, exploration: 0.1"), if rules { APART } else { "" });
        if nothing {
            let mut bundle = (*snapshot.bundle).clone();
            bundle.placements.values_mut().for_each(|placement| placement.nothing_allowed = true);
            snapshot.bundle = Arc::new(bundle);
        }
        let personas = personas.into_iter().map(|(weight, outdoor, music)| persona(weight, outdoor << 20, music << 20));
        let decision = decide(&snapshot, &asked(likes(1, 1), Some(personas.collect())), seed);
        replays(&decision, &snapshot, nothing)?;
        let shown: BTreeSet<&OfferId> = decision.skeleton.shown.iter().map(|shown| &shown.offer).collect();
        prop_assert_eq!(shown.len(), decision.skeleton.shown.len());
    }

    #[test]
    fn a_lone_persona_like_the_account_gets_what_the_account_gets(
        strategy in prop::sample::select(STRATEGIES.to_vec()),
        (outdoor, music) in (0..3_000_000_i64, 0..3_000_000_i64),
        slots in 1..6_u16,
        seed in any::<u64>(),
    ) {
        let snapshot = shop(slots, &format!("name: {strategy}, exploration: 0.1"), APART);
        let plain = decide(&snapshot, &asked(likes(outdoor, music), None), seed);
        let personas = [
            (likes(outdoor, music), Persona { weight: 3, attributes: BTreeMap::new() }),
            (BTreeMap::new(), persona(1, outdoor, music)),
        ];
        for (account, persona) in personas {
            let mut alone = decide(&snapshot, &asked(account, Some(vec![persona])), seed);
            for slot in &mut alone.skeleton.slots {
                prop_assert_eq!(slot.persona.take(), Some(SlotPersona { at: 0, of: 1, scores: None }));
            }
            alone.private.context.personas = None;
            alone.private.context.asked = plain.private.context.asked.clone();
            alone.skeleton.request_digest = plain.skeleton.request_digest;
            prop_assert_eq!(&alone, &plain);
        }
    }
}
