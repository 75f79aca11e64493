//! Rules with conditions in decisions: what they may see, and what becomes of what they may not. Tests no operator.

use super::Snapshot;
use super::tests::{PLACEMENTS, RULES, ask_with, granted, request, snapshot_of, state};
use crate::domain::decision::Withheld;
use crate::domain::{ConsentState, DecisionRequest};

const CONDITIONS: &str = "
exclusions:
  - {id: teens, why: Not for minors, when: customer.age < 18}
requirements:
  - {id: phones, why: For phones only, applies_to: {offers: [o1]}, when: context.device == \"mobile\"}
";

/// Two offers, and the rules above besides floor, cap and gate of every test.
fn snapshot() -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", "uniform").replace("HOLDOUT", "0%");
    snapshot_of(&placements, &format!("{RULES}{CONDITIONS}"), &[40, 50])
}

#[test]
fn a_rule_sees_what_it_reads_and_nothing_that_consent_withholds() {
    let snapshot = snapshot();
    let check = |consent: ConsentState, withheld: &[&str], left_out: &[usize]| {
        let decision = ask_with(&snapshot, &request(Some("gold")), &state(Some(consent)), 1).unwrap();
        let found: Vec<&str> = decision.private.context.withheld.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(found, withheld, "{consent:?}");
        let reasons = decision.private.context.withheld.iter().map(|(_, why)| *why);
        assert!(reasons.clone().all(|why| why == Withheld::PurposeNotConsented), "{consent:?}");
        let failed: Vec<usize> = decision.skeleton.candidates.iter().map(|row| row.failed.len()).collect();
        assert_eq!(failed, left_out, "{consent:?}");
        let compared = decision.skeleton.candidates.iter().flat_map(|row| &row.failed);
        assert!(compared.clone().all(|f| (f.observed, f.limit) == (None, None)), "nothing personal is public");
    };
    // The age is read by the rule, so that it is no longer withheld as unused, and the rule lets both through.
    check(ConsentState::Granted, &[], &[0, 0]);
    // Without consent the rule cannot see it, and fails closed.
    check(ConsentState::Refused, &["customer.age", "customer.tier"], &[1, 1]);
}

#[test]
fn a_requirement_leaves_out_the_offers_it_speaks_of() {
    let snapshot = snapshot();
    let mut desktop = request(Some("gold"));
    desktop.context.insert("device".into(), crate::domain::Value::Text("desktop".into()));
    let failed = |request: &DecisionRequest| -> Vec<usize> {
        let decision = ask_with(&snapshot, request, &granted(), 1).unwrap();
        decision.skeleton.candidates.iter().map(|row| row.failed.len()).collect()
    };
    assert_eq!(failed(&desktop), [0, 1]);
    desktop.context.clear();
    assert_eq!(failed(&desktop), [0, 1], "a device that is not known is no phone");
}
