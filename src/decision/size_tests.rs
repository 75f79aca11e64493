//! How many bytes a record takes, and how many of them only to be decided again. Decides nothing that others do not.

use super::tests::{ask_with, granted, request, snapshot};
use crate::domain::decision::Record;
use crate::domain::key::SubjectKey;
use crate::domain::{DecisionRequest, SubjectState, Timestamp};
use crate::policy::{self, Chosen};

const NOW: Timestamp = super::tests::NOW;

/// A customer who has seen ten offers, each as often as its cap allows or less.
fn known(snapshot: &super::Snapshot) -> SubjectState {
    let mut state = granted();
    let placement = snapshot.bundle.placement("home").unwrap();
    for (slot, offer) in (0_u16..).zip(snapshot.catalogue.offers().iter().take(10)) {
        let chosen = Chosen {
            decision: crate::domain::DecisionId::from_parts(NOW.0 - 1, [1; 10]),
            slot,
            at: Timestamp(NOW.0 - 1),
            reserved_until: NOW,
            stands_for: crate::domain::SubjectKinds::ALL,
        };
        policy::count_contact(&snapshot.bundle, placement, offer, &mut state, &chosen);
    }
    state
}

#[test]
fn a_record_keeps_to_its_budget_with_all_that_it_takes_to_decide_again() {
    for (candidates, budget, more) in [(20_i64, 1_229, 26), (100, 5_120, 26)] {
        let margins: Vec<i64> = (0..candidates).map(|at| 10 + at % 40).collect();
        let snapshot = snapshot("thompson_linear", "0%", &margins);
        let asked = DecisionRequest { count: None, ..request(Some("gold")) };
        let made = ask_with(&snapshot, &asked, &known(&snapshot), 1).unwrap();
        let size = |private| {
            let record = Record::seal(&mut made.skeleton.clone(), private, &SubjectKey([1; 32]));
            record.skeleton.len() + record.private.len()
        };
        let mut before = made.private.clone();
        before.context.asked = None;
        let (before, now) = (size(&before), size(&made.private));
        println!("{candidates} candidates: {before} bytes without, {now} bytes with what it takes to decide again");
        assert!(now <= budget, "{candidates}: {now} bytes, at most {budget}");
        assert!(now - before <= more, "{candidates}: {} bytes more, at most {more}", now - before);
    }
}
