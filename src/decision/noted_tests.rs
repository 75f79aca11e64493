//! What rules that only speak promise: nothing but notes comes of them. Commits nothing.

use proptest::prelude::*;

use super::slate_tests::STRATEGIES;
use super::tests::{PLACEMENTS, RULES, ask_with, granted, request, snapshot_of, state};
use super::{Decision, Snapshot};
use crate::domain::decision::{Failed, LeftOut, Skeleton};
use crate::domain::{ConsentState, Persona, SubjectState, Value};
use crate::policy::Bundle;

/// Rules on trial beside those of every test.
fn on_trial(severity: &str, floor: u32) -> String {
    let rules = RULES.replace(
        "min_margin: 15%}\n",
        &format!(
            "min_margin: 15%}}\n  - {{id: try.floor, why: Memo 2, min_margin: {floor}%, severity: S}}\n  \
                 - {{id: try.sum, why: Memo 7, min_margin: {floor}%, over: answer, severity: S}}\n"
        ),
    );
    let cap = "  - {id: try.cap, why: Memo 3, scope: [customer], max: 1, window: {rolling: 24h}, counts: decision, \
               severity: S}\npurpose_gates:";
    let others = "
exclusions:
  - {id: try.gold, why: Memo 4, when: customer.tier == \"gold\", severity: S}
stackability:
  - {id: try.pair, why: Memo 5, exclusive_pairs: [[o1, o2], [o2, o3]], severity: S}
diversity:
  - {id: try.kind, why: Memo 6, per: category, at_most: 1, severity: S, applies_to: {regions: [US]}}
";
    (rules.replace("purpose_gates:", cap) + others).replace("severity: S", &format!("severity: {severity}"))
}

fn shop(strategy: &str, slots: u16, rules: &str) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", strategy).replace("HOLDOUT", "10%");
    let placements = placements.replace("    currency: USD\n", &format!("    currency: USD\n    slots: {slots}\n"));
    snapshot_of(&placements, rules, &[40, 50, 10, 30, 45])
}

/// The same without notes, its rules numbered as another bundle numbers them.
fn without_notes(mut skeleton: Skeleton, (from, to): (&Bundle, &Bundle)) -> Skeleton {
    let renamed = |rule: &mut u16| {
        let id = &from.rules[usize::from(*rule)].id;
        let at = to.rules.iter().position(|rule| rule.id == *id).unwrap_or_else(|| panic!("{id} left something out"));
        *rule = u16::try_from(at).unwrap();
    };
    let all = |failed: &mut Vec<Failed>| failed.iter_mut().for_each(|failed| renamed(&mut failed.rule));
    for row in &mut skeleton.candidates {
        row.noted = None;
        all(&mut row.failed);
    }
    for slot in &mut skeleton.slots {
        slot.noted = None;
        slot.left_out.iter_mut().for_each(|left| all(&mut left.failed));
    }
    if let Some(refused) = &mut skeleton.refused {
        renamed(&mut refused.rule);
    }
    skeleton.bundle = to.hash;
    skeleton
}

fn decide(snapshot: &Snapshot, seed: u64, state: &SubjectState, personas: bool) -> Decision {
    let mut asked = request(Some("gold"));
    asked.count = None;
    if personas {
        let tier = |tier: &str| [("tier".to_owned(), Value::Text(tier.to_owned()))].into();
        let persona = |name: &str| Persona { weight: 1, attributes: tier(name) };
        asked.customer.personas = Some(vec![persona("bronze"), persona("gold")]);
    }
    ask_with(snapshot, &asked, state, seed).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Draws and propensities included; but for notes and what caps on trial counted.
    #[test]
    fn a_decision_with_rules_on_trial_is_the_one_without_them(
        seed in any::<u64>(), strategy in 0..STRATEGIES.len(), slots in 1_u16..5, floor in 20_u32..60,
        shadow in any::<bool>(), consent in any::<bool>(), personas in any::<bool>(),
    ) {
        let strategy = STRATEGIES[strategy];
        let rules = on_trial(if shadow { "shadow" } else { "warn" }, floor);
        let (trial, bare) = (shop(strategy, slots, &rules), shop(strategy, slots, RULES));
        let begun = if consent { granted() } else { state(Some(ConsentState::Refused)) };
        let (mut with, mut without) = (begun.clone(), begun);
        for again in 0..3 {
            let (found, plain) =
                (decide(&trial, seed ^ again, &with, personas), decide(&bare, seed ^ again, &without, personas));
            let both = (trial.bundle.as_ref(), bare.bundle.as_ref());
            prop_assert_eq!(&without_notes(found.skeleton, both), &plain.skeleton);
            prop_assert_eq!(&found.private.context, &plain.private.context);
            prop_assert_eq!(&found.private.consent, &plain.private.consent);
            prop_assert_eq!(found.next.is_some(), plain.next.is_some());
            (with, without) = (found.next.unwrap_or(with), plain.next.unwrap_or(without));
        }
    }
}

/// Rule, observed, limit.
type Notes = Vec<(String, Option<i64>, Option<i64>)>;

fn named(snapshot: &Snapshot, noted: &[Failed]) -> Notes {
    let id = |rule: u16| snapshot.bundle.rules[usize::from(rule)].id.to_string();
    noted.iter().map(|noted| (id(noted.rule), noted.observed, noted.limit)).collect()
}

#[test]
fn what_only_speaks_is_noted_of_every_candidate_and_slot_with_what_was_compared() {
    let trial = shop("uniform", 3, &on_trial("shadow", 45));
    let decision = decide(&trial, 1, &granted(), false);
    let rows = &decision.skeleton.candidates;
    let noted = |row: usize| named(&trial, rows[row].noted.as_deref().unwrap_or_default());
    let gold = ("try.gold".to_owned(), None, None);
    assert_eq!(noted(0), [("try.floor".to_owned(), Some(4000), Some(4500)), gold.clone()]);
    assert_eq!(noted(1), [gold]);
    // What is left out by one rule is spoken against by others all the same.
    assert_eq!((rows[2].failed.len(), noted(2).len()), (1, 2));
    let [first, second, _] = decision.skeleton.slots.as_slice() else { panic!("three slots") };
    let sum = |observed: i64| vec![("try.sum".to_owned(), Some(observed), Some(4500))];
    let alone: Vec<(u32, Notes)> =
        first.noted.iter().flatten().map(|left| (left.row, named(&trial, &left.failed))).collect();
    assert_eq!(alone, [(0, sum(4000)), (3, sum(3000))], "the first slot asks nothing else again");
    let said: &[LeftOut] = second.noted.as_deref().unwrap();
    assert!(said.len() == 3, "every candidate that is open");
    for LeftOut { failed, .. } in said {
        let rules: Vec<String> = named(&trial, failed).into_iter().map(|(rule, ..)| rule).collect();
        assert!(rules.contains(&"try.cap".to_owned()) && rules.contains(&"try.kind".to_owned()), "{rules:?}");
    }
    let without = decide(&shop("uniform", 3, RULES), 1, &granted(), false);
    assert!(without.skeleton.candidates.iter().all(|row| row.noted.is_none()));
}

#[test]
fn what_speaks_for_one_persona_is_noted_once_and_leaves_nothing_out_for_anybody() {
    let trial = shop("uniform", 2, &on_trial("warn", 20));
    let decision = decide(&trial, 1, &granted(), true);
    // The first persona is bronze: the rule speaks for the second alone.
    let noted = named(&trial, decision.skeleton.candidates[0].noted.as_deref().unwrap());
    assert_eq!(noted, [("try.gold".to_owned(), None, None)]);
    assert!(decision.skeleton.slots.iter().all(|slot| slot.left_out.is_empty()));
}
