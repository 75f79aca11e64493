//! Guards of audiences in decisions: what they may see where nothing else may, and what becomes of what is not known.
//! Tests no condition.

use super::tests::{PLACEMENTS, PURPOSES, RULES, ask_with, request, snapshot_of, snapshot_under, state};
use super::{Decision, Snapshot};
use crate::domain::decision::Withheld;
use crate::domain::{ConsentState, Number, SubjectState, Value};

const GUARDS: &str = "
audience_guards:
  - {id: minors, why: Not for minors, applies_to: {offers: [o1]}, audience: minors, attribute: customer.age}
";

fn snapshot(guards: &str) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", "uniform").replace("HOLDOUT", "0%");
    snapshot_of(&placements, &format!("{RULES}{guards}"), &[40, 50])
}

/// A decision for somebody of this age, or of whom no age is known.
fn aged(snapshot: &Snapshot, state: &SubjectState, years: Option<i64>) -> Decision {
    let mut request = request(Some("gold"));
    request.customer.attributes.remove("age");
    request.customer.attributes.extend(years.map(|years| ("age".to_owned(), Value::Number(Number(years * 1_000_000)))));
    ask_with(snapshot, &request, state, 1).unwrap()
}

/// How many rules leave each offer out.
fn left_out(decision: &Decision) -> Vec<usize> {
    decision.skeleton.candidates.iter().map(|row| row.failed.len()).collect()
}

#[test]
fn a_guard_looks_whatever_was_said_to_personal_offers() {
    let snapshot = snapshot(GUARDS);
    for consent in [Some(ConsentState::Granted), Some(ConsentState::Refused), None] {
        for (years, expected) in [(Some(17), [0, 1]), (Some(18), [0, 0]), (None, [0, 1])] {
            let decision = aged(&snapshot, &state(consent), years);
            assert_eq!(left_out(&decision), expected, "{consent:?}, {years:?} years");
        }
    }
    let lenient = snapshot_allowing();
    assert_eq!(left_out(&aged(&lenient, &state(None), None)), [0, 0]);
    assert_eq!(left_out(&aged(&lenient, &state(None), Some(17))), [0, 1]);
}

fn snapshot_allowing() -> Snapshot {
    snapshot(&GUARDS.replace("attribute:", "on_missing: allow, attribute:"))
}

#[test]
fn what_a_guard_sees_is_withheld_from_all_others_and_recorded_apart() {
    let seen = |decision: &Decision| {
        let context = &decision.private.context;
        let used: Vec<String> = context.used.iter().map(|(id, _)| id.to_string()).collect();
        let guarded: Vec<String> =
            context.guarded.iter().flatten().map(|(id, value)| format!("{id} {value}")).collect();
        (used.join(", "), guarded.join(", "), context.withheld.clone())
    };
    let age = || crate::domain::AttributeId::parse("customer.age").unwrap();
    let tier = || crate::domain::AttributeId::parse("customer.tier").unwrap();
    let granted = aged(&snapshot(GUARDS), &state(Some(ConsentState::Granted)), Some(17));
    let (used, guarded, withheld) = seen(&granted);
    assert_eq!((used.as_str(), guarded.as_str()), ("context.device, customer.tier", "customer.age 17"));
    assert_eq!(withheld, [(age(), Withheld::GuardsOnly)]);
    let refused = aged(&snapshot(GUARDS), &state(Some(ConsentState::Refused)), Some(17));
    let (used, guarded, withheld) = seen(&refused);
    assert_eq!((used.as_str(), guarded.as_str()), ("context.device", "customer.age 17"));
    assert_eq!(withheld, [(age(), Withheld::GuardsOnly), (tier(), Withheld::PurposeNotConsented)]);
    // Another rule that names the attribute sees it with consent only.
    let both = snapshot(&format!("{GUARDS}exclusions:\n  - {{id: teens, why: No, when: customer.age < 20}}\n"));
    assert_eq!(left_out(&aged(&both, &state(Some(ConsentState::Granted)), Some(30))), [0, 0]);
    assert_eq!(left_out(&aged(&both, &state(Some(ConsentState::Refused)), Some(30))), [1, 1]);
    // Without a guard nothing is kept apart, so that records are what they were.
    assert_eq!(aged(&snapshot(""), &state(None), Some(17)).private.context.guarded, None);
}

#[test]
fn a_guard_sees_nothing_where_the_service_itself_is_refused() {
    let purposes = format!("{PURPOSES}  - {{id: service, dpv: ServiceProvision, bases: {{US: [consent]}}}}\n");
    let placements = PLACEMENTS.replace("STRATEGY", "uniform").replace("HOLDOUT", "0%");
    let gate = "purpose_gates:\n  - {id: serve, why: They are asked first, purpose: service}\n";
    let rules = RULES.replace("purpose_gates:\n", gate);
    let gated = snapshot_under(&purposes, &placements, &format!("{rules}{GUARDS}"), &[40, 50]);
    let adult = aged(&gated, &state(Some(ConsentState::Granted)), Some(30));
    assert_eq!(left_out(&adult), [0, 1], "nobody knows the age");
    assert_eq!(adult.private.context.guarded.unwrap_or_default(), []);
    assert_eq!(left_out(&aged(&snapshot(GUARDS), &state(Some(ConsentState::Granted)), Some(30))), [0, 0]);
}

#[test]
fn a_guard_on_trial_leaves_nothing_out_and_is_noted() {
    let snapshot = snapshot(&GUARDS.replace("attribute:", "severity: shadow, attribute:"));
    let decision = aged(&snapshot, &state(None), Some(17));
    assert_eq!(left_out(&decision), [0, 0]);
    let noted: Vec<usize> =
        decision.skeleton.candidates.iter().map(|row| row.noted.as_ref().map_or(0, Vec::len)).collect();
    assert_eq!(noted, [0, 1]);
}
