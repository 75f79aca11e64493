//! What overrides, switches, category exclusions and fairness gates do to a decision. Commits nothing.

use proptest::prelude::*;

use super::slate_tests::STRATEGIES;
use super::tests::{PLACEMENTS, RULES, ask_with, granted, request, snapshot_of, state};
use super::{Decision, Snapshot};
use crate::domain::decision::{Failed, FallbackReason};
use crate::domain::{Catalogue, ConsentState, Currency, SubjectState};
use crate::policy::describe;

const TERMS: &str = "approver: Jane, ticket: T-9, effective: {from: 2026-05-28T00:00:00Z, until: 2026-06-01T00:00:00Z}";

/// Offers `o0` to `o4`, of which the floor leaves out `o2`, under more rules.
fn shop(strategy: &str, slots: u16, holdout: &str, more: &str) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", strategy).replace("HOLDOUT", holdout);
    let slots = format!("    currency: USD\n    nothing_allowed: true\n    slots: {slots}\n");
    let rules = format!("{RULES}{more}").replace("TERMS", TERMS);
    snapshot_of(&placements.replace("    currency: USD\n", &slots), &rules, &[40, 50, 10, 30, 45])
}

fn decide(snapshot: &Snapshot, seed: u64, state: &SubjectState) -> Decision {
    let mut asked = request(Some("gold"));
    asked.count = None;
    ask_with(snapshot, &asked, state, seed).unwrap()
}

fn rules(snapshot: &Snapshot, failed: &[Failed]) -> Vec<String> {
    failed.iter().map(|failed| snapshot.bundle.rules[usize::from(failed.rule)].id.to_string()).collect()
}

fn sentences(snapshot: &Snapshot, decision: &Decision) -> String {
    let Decision { skeleton, .. } = decision;
    let rows = skeleton.candidates.iter().flat_map(|row| row.failed.iter().chain(row.noted.iter().flatten()));
    let slots = skeleton.slots.iter().flat_map(|slot| slot.left_out.iter().flat_map(|left| &left.failed));
    let told = |said: &Failed| {
        describe(&snapshot.bundle, said.rule, said.observed, said.limit, Currency::parse("USD").unwrap())
    };
    rows.chain(slots).map(told).collect::<Vec<_>>().join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the strategy, and in the slots behind as without the pin: once, and no offer twice.
    #[test]
    fn a_pinned_offer_stands_in_the_first_slot_with_certainty_and_in_no_other(
        seed in any::<u64>(), strategy in 0..STRATEGIES.len(), slots in 1_u16..5, pinned in 0_usize..5,
    ) {
        let pin = format!("overrides:\n  - {{id: pin, why: Campaign, action: pin, offers: [o{pinned}], TERMS}}\n");
        let snapshot = shop(STRATEGIES[strategy], slots, "0%", &pin);
        let decision = decide(&snapshot, seed, &granted());
        let skeleton = &decision.skeleton;
        let first = &skeleton.slots[0];
        if pinned == 2 {
            // Under the floor: a pin lifts nothing, and then says nothing.
            prop_assert!(first.left_out.is_empty());
            prop_assert!(skeleton.candidates[2].failed.len() == 1);
            return Ok(());
        }
        // Shares of a lone candidate may add up to a hair less than one.
        prop_assert!((first.draw.propensity.get() - 1.0).abs() < 1e-12);
        prop_assert_eq!(first.draw.chosen as usize, pinned);
        prop_assert_eq!(first.probabilities.iter().flatten().count(), 1);
        // Three other offers and *nothing*.
        prop_assert_eq!(first.left_out.iter().map(|left| left.row as usize).collect::<Vec<_>>(),
            [0, 1, 3, 4, 5].into_iter().filter(|row| *row != pinned).collect::<Vec<_>>());
        for left in &first.left_out {
            prop_assert_eq!(rules(&snapshot, &left.failed), ["pin"]);
        }
        prop_assert_eq!(skeleton.shown.iter().filter(|s| s.offer.as_str() == format!("o{pinned}")).count(), 1);
        for slot in skeleton.slots.iter().skip(1) {
            prop_assert!(slot.probabilities[5].is_some(), "behind the first slot *nothing* is open again");
            prop_assert!(slot.left_out.iter().all(|left| rules(&snapshot, &left.failed) != ["pin"]));
        }
    }
}

#[test]
fn of_two_pinned_offers_one_stands_first_and_behind_it_everything_is_open() {
    let pin = "overrides:\n  - {id: pin, why: Campaign, action: pin, offers: [o1, o3], TERMS}\n";
    let skeleton = decide(&shop("uniform", 2, "0%", pin), 1, &granted()).skeleton;
    // The other pinned one, two more offers and *nothing*.
    let open = |slot: usize| skeleton.slots[slot].probabilities.iter().flatten().count();
    assert_eq!((open(0), open(1)), (2, 4));
}

#[test]
fn a_pin_is_told_and_holds_no_longer_than_it_says() {
    let pin = "overrides:\n  - {id: pin, why: Campaign, action: pin, offers: [o3], TERMS}\n";
    let snapshot = shop("uniform", 1, "0%", pin);
    let told = sentences(&snapshot, &decide(&snapshot, 1, &granted()));
    let said = "`pin` (Campaign): another offer is pinned to the first slot, approved by Jane, ticket T-9";
    assert!(told.contains(said), "{told}");
    let over = pin.replace("TERMS", &TERMS.replace("05-28T00:00", "05-20T00:00").replace("06-01", "05-28"));
    let past = shop("uniform", 1, "0%", &over);
    assert!(decide(&past, 1, &granted()).skeleton.slots[0].left_out.is_empty());
}

#[test]
fn whoever_is_held_out_sees_house_content_whatever_is_pinned() {
    let pin = "overrides:\n  - {id: pin, why: Campaign, action: pin, offers: [o3], TERMS}\n";
    let skeleton = decide(&shop("uniform", 1, "100%", pin), 1, &granted()).skeleton;
    assert_eq!((skeleton.fallback, skeleton.slots.len()), (Some(FallbackReason::Holdout), 0));
}

#[test]
fn an_offer_put_in_passes_what_may_be_lifted_and_nothing_else() {
    let more = "  - {id: gate.none, why: Law, purpose: offer_contextual}\noverrides:\n  \
                - {id: in, why: Launch, action: force_in, offers: [o2, o0], TERMS}\nexclusions:\n  \
                - {id: spare, why: Promise, when: offer.price > 1 USD, \
                applies_to: {offers: [o0]}, overridable: false}\n";
    let snapshot = shop("uniform", 1, "0%", more);
    let rows = decide(&snapshot, 1, &granted()).skeleton.candidates;
    assert_eq!(rules(&snapshot, &rows[2].failed), [] as [&str; 0]);
    let noted = rows[2].noted.as_deref().unwrap();
    assert_eq!(rules(&snapshot, noted), ["floor", "in"]);
    assert_eq!((noted[0].observed, noted[0].limit, noted[1].observed), (Some(1000), Some(1500), Some(1)));
    assert_eq!((rules(&snapshot, &rows[0].failed), &rows[0].noted), (vec!["spare".to_owned()], &None));
    let told = sentences(&snapshot, &decide(&snapshot, 1, &granted()));
    let said = "`floor` (Finance floor): margin 10% is under the floor of 15%\n`in` (Launch): lifted one rule that \
                would have left it out, approved by Jane, ticket T-9";
    assert!(told.contains(said), "{told}");
    // A gate that closes the last purpose stays closed.
    let refused = decide(&snapshot, 1, &state(Some(ConsentState::Refused))).skeleton;
    assert_eq!(refused.fallback, Some(FallbackReason::PurposeRefused));
    assert!(refused.candidates[2].failed.iter().any(|failed| !snapshot.bundle.rule(failed.rule).unwrap().overridable));
}

#[test]
fn an_offer_put_in_is_no_longer_kept_back_behind_the_first_slot_by_what_may_be_lifted() {
    let more = "overrides:\n  - {id: in, why: Launch, action: force_in, offers: [o1], TERMS}\nstackability:\n  \
                - {id: pairs, why: Not both, exclusive_pairs: [[o0, o1], [o1, o3], [o1, o4], [o0, o3]]}\n";
    let snapshot = shop("uniform", 4, "0%", more);
    let mut lifted = 0;
    for seed in 0..20 {
        for slot in decide(&snapshot, seed, &granted()).skeleton.slots.iter().skip(1) {
            assert!(slot.left_out.iter().all(|left| left.row != 1), "the pair is lifted for it");
            for noted in slot.noted.iter().flatten().filter(|noted| noted.row == 1) {
                assert_eq!(rules(&snapshot, &noted.failed), ["pairs", "in"]);
                lifted += 1;
            }
        }
    }
    assert!(lifted > 5, "{lifted}");
}

#[test]
fn where_it_is_not_known_where_a_request_comes_from_nothing_is_brought_back_and_nothing_pinned() {
    let more = "overrides:\n  - {id: in, why: Launch, action: force_in, offers: [o2], TERMS, \
                applies_to: {regions: [US]}}\n  \
                - {id: pin, why: Launch, action: pin, offers: [o1], TERMS, applies_to: {regions: [US]}}\n  \
                - {id: out, why: Launch, action: force_out, offers: [o0], TERMS, applies_to: {regions: [US]}}\n";
    let snapshot = shop("uniform", 1, "0%", more);
    let mut asked = request(Some("gold"));
    let known = ask_with(&snapshot, &asked, &granted(), 1).unwrap().skeleton;
    asked.jurisdiction = None;
    let unknown = ask_with(&snapshot, &asked, &state(None), 1).unwrap().skeleton;
    let said = |at: usize, of: &crate::domain::decision::Skeleton| rules(&snapshot, &of.candidates[at].failed);
    assert_eq!((said(2, &known), said(0, &known)), (vec![], vec!["out".to_owned()]));
    assert_eq!((said(2, &unknown), said(0, &unknown)), (vec!["floor".to_owned()], vec!["out".to_owned()]));
    assert_eq!((known.slots[0].left_out.len(), unknown.slots[0].left_out.len()), (4, 0));
}

#[test]
fn a_switch_stops_what_it_names_first_and_no_override_lifts_it() {
    let more = "kill_switches:\n  - {id: stop, why: Recall, stop: {offers: [o1, o2]}, TERMS}\noverrides:\n  \
                - {id: in, why: Launch, action: force_in, offers: [o1, o2], TERMS}\n";
    let snapshot = shop("uniform", 1, "0%", more);
    let rows = decide(&snapshot, 1, &granted()).skeleton.candidates;
    let said = |at: usize| rules(&snapshot, &rows[at].failed);
    assert_eq!((said(0), said(1), said(2)), (vec![], vec!["stop".to_owned()], vec!["stop".to_owned()]));
    assert_eq!(rules(&snapshot, rows[2].noted.as_deref().unwrap()), ["floor", "in"]);
    let all = shop("uniform", 1, "0%", "kill_switches:\n  - {id: stop, why: Recall, stop: all, TERMS}\n");
    let stopped = decide(&all, 1, &granted()).skeleton;
    assert!(stopped.candidates.iter().take(5).all(|row| rules(&all, &row.failed).starts_with(&["stop".to_owned()])));
    // *Nothing* names no offer, so that it is what is left.
    assert_eq!((stopped.shown.len(), stopped.slots[0].draw.propensity.get()), (0, 1.0));
}

/// The offers with attributes, categories and discounts of their own.
fn described(mut snapshot: Snapshot, change: impl Fn(usize, &mut serde_json::Value)) -> Snapshot {
    let offers = snapshot.catalogue.offers().iter().map(|offer| {
        let mut json = serde_json::to_value(offer).unwrap();
        if let Some(at) = offer.offer_id.as_str().strip_prefix('o').and_then(|at| at.parse().ok()) {
            change(at, &mut json);
        }
        serde_json::from_value(json).unwrap()
    });
    let offers = offers.collect();
    snapshot.catalogue = std::sync::Arc::new(Catalogue::new(1, offers, Vec::new()));
    snapshot
}

#[test]
fn what_is_sensitive_is_left_out_only_where_something_personal_was_seen() {
    let more = "category_exclusions:\n  - {id: sensitive, why: Charter, kind: sensitive, brands: [cure]}\n  \
                - {id: rival, why: Contract, kind: competitor, brands: [rival]}\n  \
                - {id: law, why: Law, kind: regulated, brands: [wine], applies_to: {regions: [US-NY]}}\noverrides:\n  \
                - {id: in, why: Launch, action: force_in, offers: [o0, o1, o3], TERMS}\n";
    let snapshot = described(shop("uniform", 1, "0%", more), |at, offer| {
        let brands = ["cure", "rival", "cure", "wine", "other"];
        offer["attributes"] = serde_json::json!({"brand": brands[at]});
    });
    let rows = decide(&snapshot, 1, &granted()).skeleton.candidates;
    let said = |at: usize| rules(&snapshot, &rows[at].failed);
    assert_eq!(said(0), ["sensitive"], "the tier of the customer is read, and nothing lifts it");
    assert_eq!(
        (said(1), rules(&snapshot, rows[1].noted.as_deref().unwrap())),
        (vec![], vec!["rival".into(), "in".into()])
    );
    assert_eq!(said(3), ["law"]);
    assert!(said(4).is_empty());
    let unseen = decide(&snapshot, 1, &state(Some(ConsentState::Refused))).skeleton.candidates;
    assert_eq!(rules(&snapshot, &unseen[0].failed), [] as [&str; 0], "nothing personal is read");
    assert_eq!(rules(&snapshot, &unseen[3].failed), ["law"]);
}

#[test]
fn a_discount_that_rules_keep_for_one_group_is_shown_to_nobody() {
    let more = "fairness_gates:\n  - {id: fair, why: Charter, attribute: customer.tier, check: one_group_discount}\n\
                exclusions:\n  - {id: gold.only, why: Plan, when: customer.tier == \"bronze\", \
                applies_to: {offers: [o0, o1]}}\n  \
                - {id: nobody, why: Plan, when: customer.tier == \"bronze\" || customer.tier == \"gold\", \
                applies_to: {offers: [o3]}}\n";
    let off = |at: usize, offer: &mut serde_json::Value| {
        if at != 1 {
            offer["discount"] = serde_json::json!({"amount": "5.00", "currency": "USD"});
        }
    };
    let snapshot = described(shop("uniform", 1, "0%", more), off);
    let rows = decide(&snapshot, 1, &granted()).skeleton.candidates;
    let said = |at: usize| rules(&snapshot, &rows[at].failed);
    assert_eq!(said(0), ["fair"], "bronze would not get it, so that gold does not");
    assert_eq!((rows[0].failed[0].observed, rows[0].failed[0].limit), (Some(1), Some(2)));
    assert!(said(1).is_empty(), "without a discount there is none to be unfair about");
    assert_eq!(said(3), ["nobody"], "what is for no group is for none alone");
    assert!(said(4).is_empty());
    // Whose tier nobody may read is told the same: no personal value is needed.
    let unseen = decide(&snapshot, 1, &state(Some(ConsentState::Refused))).skeleton.candidates;
    assert!(rules(&snapshot, &unseen[0].failed).contains(&"fair".to_owned()));
    let told = sentences(&snapshot, &decide(&snapshot, 1, &granted()));
    assert!(told.contains("the discount would be for 1 of the 2 values of `customer.tier`"), "{told}");
}

#[test]
fn an_offer_put_in_stays_out_by_its_currency_its_schedule_its_stock_and_a_guard() {
    let more = "audience_guards:\n  - {id: kept, why: Law, when: customer.tier == \"gold\", \
                applies_to: {offers: [o4]}}\noverrides:\n  \
                - {id: in, why: Launch, action: force_in, offers: [o0, o1, o3, o4], TERMS}\n";
    let snapshot = described(shop("uniform", 1, "0%", more), |at, offer| match at {
        0 => {
            offer["price"]["currency"] = "EUR".into();
            offer["cost_of_goods"]["currency"] = "EUR".into();
        }
        1 => offer["ends_at"] = "2026-05-01T00:00:00Z".into(),
        3 => offer["stock"] = 0.into(),
        _ => {}
    });
    let rows = decide(&snapshot, 1, &granted()).skeleton.candidates;
    let said = |at: usize| rules(&snapshot, &rows[at].failed);
    assert_eq!([0, 1, 3, 4].map(said).concat(), ["proffer.currency", "proffer.schedule", "proffer.stock", "kept"]);
}
