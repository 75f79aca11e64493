//! Approvals in decisions: each use of an attribute reads it only while that use is approved, and the record says which
//! did not. Judges no approval.

use std::sync::Arc;

use super::tests::{NOW, PLACEMENTS, RULES, ask_with, granted, request, snapshot_of};
use super::{Decision, Snapshot};
use crate::domain::decision::Withheld;
use crate::domain::{Catalogue, Currency, Money, Offer, Timestamp};
use crate::policy::{Approved, Authority, Given, Matter, Source, UseCase, compile};

const MORE: &str = "
requirements:
  - {id: gold, why: Gold alone, applies_to: {offers: [o1]}, when: customer.tier == \"gold\"}
audience_guards:
  - {id: minors, why: Law, applies_to: {offers: [o0]}, audience: minors, attribute: customer.age}
price_personalisation:
  - {id: prices, why: Law, allowed: [customer.tier], disclosure: Yours}
";

/// A shop where o0 is guarded, o1 for gold alone and o2 discounted, and these uses are approved before an instant.
fn shop(approved: &[UseCase], until: Timestamp) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", "thompson_linear").replace("HOLDOUT", "0%");
    let mut snapshot = snapshot_of(&placements, &format!("{RULES}{MORE}"), &[40, 50, 60]);
    let asking = |source: &Source| Source {
        text: source.text.replace("schema: 1\n", "schema: 1\napprovers: {attributes: [personal]}\n"),
        ..source.clone()
    };
    let files: Vec<Source> = snapshot.bundle.sources.iter().map(asking).collect();
    snapshot.bundle = Arc::new(compile(&files).unwrap_or_else(|findings| panic!("{findings:?}")));
    let discounted = |offer: &Offer| {
        let mut offer = offer.clone();
        let discount = Money { minor: 500, currency: Currency::parse("USD").unwrap() };
        offer.discount = (offer.offer_id.as_str() == "o2").then_some(discount);
        offer
    };
    let offers = snapshot.catalogue.offers().iter().map(discounted).collect();
    snapshot.catalogue = Arc::new(Catalogue::new(1, offers, Vec::new()));
    let uses = snapshot.bundle.uses.distinct().into_keys().filter(|of| approved.contains(&of.use_case));
    let given = uses.flat_map(|of| {
        [("jane", Authority::Privacy), ("joe", Authority::Business)].map(|(by, authority)| Given {
            id: 1,
            matter: Matter::Use(of.clone()),
            pinned: snapshot.bundle.definition(&of.attribute).unwrap(),
            authority,
            at: Timestamp(0),
            by: by.to_owned(),
            expires: until,
            note: String::new(),
            revoked: None,
        })
    });
    let given: Vec<Given> = given.collect();
    snapshot.approved = Arc::new(Approved::of(&snapshot.bundle, &snapshot.catalogue, &given));
    snapshot
}

fn decide(snapshot: &Snapshot, tier: Option<&str>) -> Decision {
    ask_with(snapshot, &request(tier), &granted(), 1).unwrap()
}

/// Whether each candidate is left out.
fn left_out(decision: &Decision) -> Vec<bool> {
    decision.skeleton.candidates.iter().map(|row| !row.failed.is_empty()).collect()
}

#[test]
fn each_use_reads_an_attribute_only_while_it_is_approved_and_the_record_says_which_do_not() {
    let later = Timestamp(NOW.0 + 1);
    let blank = decide(&shop(&[UseCase::Feature], later), None).private.context.features;
    for bits in 0..16_u8 {
        let all = [UseCase::Rule, UseCase::Feature, UseCase::Price, UseCase::Guard];
        let approved: Vec<UseCase> = (0..4).filter(|at| bits & (1 << at) != 0).map(|at| all[at]).collect();
        let has = |use_case| approved.contains(&use_case);
        let decision = decide(&shop(&approved, later), Some("gold"));
        let context = &decision.private.context;
        let moved = has(UseCase::Feature) && !has(UseCase::Price);
        let expected = [!has(UseCase::Guard), !has(UseCase::Rule), moved];
        assert_eq!(left_out(&decision), expected, "{approved:?}");
        assert_eq!(context.features == blank, !has(UseCase::Feature), "{approved:?}");
        let seen = context.used.iter().any(|(id, _)| id.as_str() == "customer.tier");
        assert_eq!(seen, has(UseCase::Rule) || has(UseCase::Feature), "{approved:?}");
        let reasons = |name: &str| -> Vec<Withheld> {
            context.withheld.iter().filter(|(id, _)| id.as_str() == name).map(|(_, why)| *why).collect()
        };
        let age = if has(UseCase::Guard) { Withheld::GuardsOnly } else { Withheld::GuardNotApproved };
        assert_eq!(reasons("customer.age"), [age], "{approved:?}");
        let tier: Vec<Withheld> = match (has(UseCase::Feature), has(UseCase::Rule)) {
            (false, false) => vec![Withheld::NotApproved],
            (feature, rule) => {
                let part = [(feature, Withheld::FeatureNotApproved), (rule, Withheld::RuleNotApproved)];
                let part = part.into_iter().chain([(has(UseCase::Price), Withheld::PriceNotApproved)]);
                part.filter(|(approved, _)| !approved).map(|(_, why)| why).collect()
            }
        };
        assert_eq!(reasons("customer.tier"), tier, "{approved:?}");
    }
}

#[test]
fn an_approval_ends_by_the_time_of_the_decision() {
    let all = [UseCase::Rule, UseCase::Feature, UseCase::Price, UseCase::Guard];
    let reads = |until| {
        let decision = decide(&shop(&all, until), Some("gold"));
        decision.private.context.used.iter().any(|(id, _)| id.as_str() == "customer.tier")
    };
    assert!(reads(Timestamp(NOW.0 + 1)) && !reads(NOW));
}
