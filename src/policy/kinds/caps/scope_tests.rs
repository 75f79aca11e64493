//! For whom caps count: households, devices and sessions, and who cannot be counted for. Tests no window.

use super::tests::{chosen, home, offer, with_caps};
use super::*;
use crate::domain::{Offer, SubjectState};
use crate::policy::plain::judge;
use crate::policy::sample::{CAPS, wrong};
use crate::policy::{States, describe};

const OF_EACH: [&str; 4] = [
    "scope: [customer], max: 1, window: lifetime, counts: decision",
    "scope: [household, all], max: 2, window: lifetime, counts: decision",
    "scope: [device, offer], max: 1, window: lifetime, counts: decision",
    "scope: [session, category], max: 1, window: lifetime, counts: decision",
];

fn kinds(kinds: &[SubjectKind]) -> SubjectKinds {
    kinds.iter().fold(SubjectKinds::NONE, |all, kind| all.and(*kind))
}

/// A state in which this offer was counted so often, for a subject that stood for these kinds.
fn counted(bundle: &Bundle, offer: &Offer, times: u8, stands_for: SubjectKinds) -> SubjectState {
    let mut state = SubjectState::default();
    for number in 0..times {
        let chosen = Chosen { stands_for, ..chosen(number, i64::from(number)) };
        count_contact(bundle, home(bundle), offer, &mut state, &chosen);
    }
    state
}

/// The ids of the caps that leave an offer out.
fn left_out(bundle: &Bundle, offer: &Offer, states: States<'_>) -> Vec<String> {
    let verdict = judge(bundle, home(bundle), offer, states, &CapWindows::at(Timestamp(100), None));
    verdict.failed.iter().map(|failed| bundle.rule(failed.rule).unwrap().id.to_string()).collect()
}

#[test]
fn each_cap_counts_for_whom_its_scope_names_and_for_nobody_else() {
    use SubjectKind::{Customer, Device, Household, Session};
    let bundle = with_caps(&OF_EACH);
    assert_eq!(bundle.counted, SubjectKinds::ALL);
    let (boots, shoes, lamp) = (offer("boots", "shoes"), offer("shoes", "shoes"), offer("lamp", "home"));
    let none = SubjectState::default();
    let check = |of: SubjectKind, times: u8, expected: [&[&str]; 3]| {
        let own = SubjectKinds::of(of);
        let state = counted(&bundle, &boots, times, own);
        let others = kinds(&SubjectKind::ALL.map(|kind| if kind == of { Customer } else { kind }));
        let states = States::default().with(&none, others).with(&none, SubjectKinds::of(Customer)).with(&state, own);
        for (offer, expected) in [&boots, &shoes, &lamp].into_iter().zip(expected) {
            assert_eq!(left_out(&bundle, offer, states), expected, "{} of a {}", offer.offer_id, of.name());
        }
    };
    check(Customer, 1, [&["cap.0"], &["cap.0"], &["cap.0"]]);
    check(Household, 1, [&[], &[], &[]]);
    check(Household, 2, [&["cap.1"], &["cap.1"], &["cap.1"]]);
    check(Device, 1, [&["cap.2"], &[], &[]]);
    check(Session, 1, [&["cap.3"], &["cap.3"], &[]]);
}

#[test]
fn a_session_is_counted_in_the_place_of_whom_nobody_named_unless_the_cap_wants_a_name() {
    use SubjectKind::{Customer, Household, Session};
    let cap = |answer: &str| {
        let cap = format!("scope: [household], max: 1, window: lifetime, counts: decision{answer}");
        with_caps(&[&cap])
    };
    let boots = offer("boots", "shoes");
    let check = |answer: &str, of_session: bool, unknown: bool, named: u32| {
        let bundle = cap(answer);
        let session = kinds(&[Session, Household]);
        let (first, again) = (counted(&bundle, &boots, 0, session), counted(&bundle, &boots, 1, session));
        let customer = SubjectState::default();
        let beside = |state| !left_out(&bundle, &boots, known(&customer).with(state, session)).is_empty();
        assert_eq!([beside(&first), beside(&again)], [!of_session, true], "a session{answer}");
        assert_eq!(!left_out(&bundle, &boots, known(&customer)).is_empty(), unknown, "nobody{answer}");
        let household = counted(&bundle, &boots, 1, SubjectKinds::of(Household));
        let household = known(&customer).with(&household, SubjectKinds::of(Household));
        assert_eq!(left_out(&bundle, &boots, household).len(), named as usize, "named{answer}");
    };
    fn known(customer: &SubjectState) -> States<'_> {
        States::default().with(customer, SubjectKinds::of(Customer))
    }
    check("", true, true, 1);
    check(", without_identifier: session_cap", true, true, 1);
    check(", without_identifier: exclude", false, true, 1);
    let bundle = cap(", without_identifier: allow");
    assert!(left_out(&bundle, &boots, States::default()).is_empty(), "let through where nobody can be counted for");
    let session = counted(&bundle, &boots, 1, kinds(&[Session, Household]));
    let session = States::default().with(&session, kinds(&[Session, Household]));
    assert_eq!(left_out(&bundle, &boots, session), ["cap.0"], "counted on the session where there is one");
    let same = |answer: &str| cap(answer).cap_set == cap("").cap_set;
    assert!(same(", without_identifier: allow") && same(", without_identifier: session_cap"));
    assert!(!same(", without_identifier: exclude"), "it counts less");
}

#[test]
fn a_window_of_a_session_counts_for_the_session() {
    let bundle = with_caps(&["scope: [customer, offer], max: 1, window: session, counts: decision"]);
    assert_eq!(bundle.counted, SubjectKinds::of(SubjectKind::Session));
    let boots = offer("boots", "shoes");
    let session = counted(&bundle, &boots, 1, SubjectKinds::of(SubjectKind::Session));
    let customer = counted(&bundle, &boots, 1, SubjectKinds::of(SubjectKind::Customer));
    assert_eq!(customer.caps, [], "it counts nothing for the customer");
    let states = States::from(Some(&customer)).with(&session, SubjectKinds::of(SubjectKind::Session));
    let verdict = judge(&bundle, home(&bundle), &boots, states, &CapWindows::at(Timestamp(i64::MAX), None));
    let failed = verdict.failed[0];
    let told = describe(&bundle, failed.rule, Some(1), failed.limit, home(&bundle).currency);
    let (cap, of) = told.split_once(": ").unwrap();
    assert_eq!(cap, "`cap.0` (Contact standard)");
    insta::assert_snapshot!(of, @"the cap of 1 decision per session and offer in a session is reached: 1 counted");
    assert_eq!(left_out(&bundle, &boots, States::from(Some(&customer))), ["cap.0"], "no session, nothing to count by");
}

#[test]
fn each_mistake_in_whom_a_cap_counts_for_is_shown_with_a_way_out() {
    let scope = |text: &str| wrong(CAPS, "scope: [customer, offer]", &format!("scope: {text}"));
    insta::assert_snapshot!(scope("[household, device]"), @"
    error[P0106]: rule `cap.offer.day`: a cap counts for one customer, household, device or session
     --> rules/30-caps.yaml:6:12
      |
    6 |     scope: [household, device]
      |            ^ more than one
      = help: write for whom it counts, and what is counted apart: `[customer]`, `[household, offer]`,
              `[device, category]`, `[session, campaign]` or `[customer, channel]`
    ");
    insta::assert_snapshot!(scope("[household, offer, all]"), @"
    error[P0106]: rule `cap.offer.day`: a cap counts one thing apart, not several at once
     --> rules/30-caps.yaml:6:12
      |
    6 |     scope: [household, offer, all]
      |            ^ more than one
      = help: write one rule for each of them; every one that applies must leave room
    ");
    insta::assert_snapshot!(scope("[home, offer]"), @"
    error[P0106]: rule `cap.offer.day`: unknown scope `home`
     --> rules/30-caps.yaml:6:13
      |
    6 |     scope: [home, offer]
      |             ^^^^ unknown scope
      = help: expected one of `customer`, `household`, `device`, `session`, `offer`, `category`, `channel`,
              `campaign`, `all`
    ");
    let session = wrong(
        CAPS,
        "scope: [customer, offer]\n    max: 2\n    window: {rolling: 24h}",
        "scope: [household, offer]\n    max: 2\n    window: session",
    );
    insta::assert_snapshot!(session, @"
    error[P0245]: rule `cap.offer.day`: a session belongs to a customer and not to a household
     --> rules/30-caps.yaml:6:12
      |
    6 |     scope: [household, offer]
      |            ^ with `window: session`
      = help: write `scope: [session]`, or another window for this scope
    ");
}
