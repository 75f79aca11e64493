//! The law of shelves: over random bundles, offers and customers they say what every rule asked about every offer
//! says. Tests no rule by itself.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::merchandise::Merchandise;
use super::super::plain::{judge_behind, judge_from, judge_prices, judge_sums};
use super::super::{
    Bundle, CapWindows, Chosen, Contact, Facts, OnMissing, Seen, Severity, States, Verdict, count_contact, rebuild_caps,
};
use super::law_chance::{Chance, HOUR, NOW, compiled, request};
use super::law_switches::{lift, one_group};
use super::*;
use crate::domain::{
    AttributeId, DecisionId, DecisionRequest, Offer, OfferId, Span, StoreId, SubjectKind, SubjectKinds, SubjectState,
    Timestamp, Value,
};

fn states(counted: &[(SubjectState, SubjectKinds)]) -> States<'_> {
    counted.iter().fold(States::default(), |states, (state, stands_for)| states.with(state, *stands_for))
}

/// The offers under consideration, one rule and one offer at a time.
fn plain(
    (bundle, catalogue): (&Bundle, &Arc<Catalogue>),
    placement: &Placement,
    (facts, request): (&Facts<'_>, &DecisionRequest),
    states: States<'_>,
    windows: &CapWindows,
) -> Vec<(u32, i64, i64, Verdict)> {
    let columns = bundle.columns(catalogue);
    let mut conditions = bundle.ask(&columns, placement, facts);
    let merchandise = Merchandise::at(merchandise::positions(&bundle.rules), catalogue, windows.now);
    let mut found = Vec::new();
    for (position, candidate) in (0..).zip(catalogue.candidates()) {
        let offer = &catalogue.offers()[candidate.offer];
        let considered = offer.status == OfferStatus::Active
            && offer.offer_id != placement.fallback.offer
            && request.candidates.as_ref().is_none_or(|asked| asked.contains(&offer.offer_id));
        if considered {
            let personal = !facts.attributes.used().is_empty();
            let mut verdict = judge_from(bundle, (placement, facts.jurisdiction, personal), offer, states, windows);
            conditions.fail(candidate.offer, &mut verdict.failed);
            one_group((bundle, &columns), placement, facts, (candidate.offer, offer), &mut verdict.failed);
            verdict.failed.extend(guarded(bundle, placement, facts, offer));
            merchandise.fail(candidate.offer, offer, &mut verdict.failed);
            verdict.failed.extend(judge_prices(bundle, placement, facts, (catalogue.offers(), offer)));
            part(bundle, &mut verdict);
            lift(bundle, (placement, facts.jurisdiction), offer, windows.now, &mut verdict);
            found.push((position, offer.margin_minor(), offer.cost_of_showing_minor(), verdict));
        }
    }
    found
}

/// The guards that leave an offer out: whoever is gold or works here belongs, and whoever may.
fn guarded(bundle: &Bundle, placement: &Placement, facts: &Facts<'_>, offer: &Offer) -> Vec<Failed> {
    let mut found = Vec::new();
    for (at, rule) in (0..).zip(&bundle.rules) {
        let RuleKind::AudienceGuard(guard) = &rule.kind else { continue };
        let known = |name: &str| facts.attributes.get(&AttributeId::parse(name).unwrap());
        let belongs = match guard.audience {
            None => known("customer.tier").map(|tier| *tier == Value::Text("gold".into())),
            Some(_) => known("customer.staff").map(|staff| *staff == Value::Bool(true)),
        };
        let asked = rule.effective.holds(facts.now)
            && rule.applies_to.covers_region(facts.jurisdiction) != Some(false)
            && rule.applies_to.covers(placement, offer);
        if asked && belongs.unwrap_or(rule.on_missing == OnMissing::Exclude) {
            found.push(Failed { rule: at, observed: None, limit: None });
        }
    }
    found
}

/// In the order of the rules: which are asked first says nothing.
fn sort(verdict: &mut Verdict) {
    verdict.failed.sort_by_key(|failed| failed.rule);
    verdict.noted.sort_by_key(|failed| failed.rule);
}

/// Parts what only speaks from what leaves the offer out.
fn part(bundle: &Bundle, verdict: &mut Verdict) {
    sort(verdict);
    let blocks = |failed: &Failed| bundle.rules[usize::from(failed.rule)].severity == Severity::Block;
    (verdict.failed, verdict.noted) = std::mem::take(&mut verdict.failed).into_iter().partition(blocks);
}

fn check(seed: u64) -> Result<(), TestCaseError> {
    let mut chance = Chance::of(seed);
    let (bundle, catalogue) = (chance.bundle(), Arc::new(chance.catalogue()));
    let counted = chance.subjects(&bundle, &catalogue);
    let seen = chance.seen();
    let store = chance.often(5).then(|| StoreId::new("s-1").unwrap());
    let zone = chance.often(5).then_some("Asia/Tokyo");
    let asked = chance.often(3).then(|| ["gone", "house", "o1", "o4"].map(|id| OfferId::new(id).unwrap()).to_vec());
    let now = Timestamp(NOW + chance.below(2) * HOUR);
    let windows = CapWindows::at(now, zone).in_store(bundle.stores.zone(store.as_ref()));
    let from = [Some("US-NY"), Some("US"), Some("DE"), Some("GB"), None][usize::try_from(chance.below(5)).unwrap()];
    let shelves = bundle.shelves(&catalogue);
    let basket = chance.basket();
    for placement in bundle.placements.values() {
        let facts = Facts {
            attributes: &seen,
            basket: &basket,
            currency: placement.currency,
            jurisdiction: from,
            time_zone: zone,
            store: store.as_ref(),
            now,
        };
        let request = request(placement.id.clone(), asked.clone());
        let expected = plain((&bundle, &catalogue), placement, (&facts, &request), states(&counted), &windows);
        let both = (shelves.as_ref(), catalogue.as_ref());
        let mut judging = Judging::new(&bundle, both, placement, &facts, states(&counted), &windows).unwrap();
        let mut found = Vec::new();
        for stand in shelves.at(&placement.id).unwrap().stands(asked.as_deref(), &catalogue) {
            let mut verdict = Verdict::default();
            judging.ask(stand, &mut verdict);
            sort(&mut verdict);
            for candidate in stand.candidates.clone() {
                found.push((candidate, stand.margin_minor, stand.cost_minor, verdict.clone()));
            }
        }
        prop_assert_eq!(found, expected, "at {}", placement.id);
        let setting = Setting { placement, jurisdiction: from, basket: &basket };
        behind((&bundle, both), setting, &counted, &windows, &mut chance)?;
    }
    Ok(())
}

/// The same behind some offers.
fn behind(
    (bundle, both): (&Bundle, (&Shelves, &Catalogue)),
    setting: Setting<'_>,
    counted: &[(SubjectState, SubjectKinds)],
    windows: &CapWindows,
    chance: &mut Chance,
) -> Result<(), TestCaseError> {
    let (offers, placement) = (both.1.offers(), setting.placement);
    let first = Behind::nothing(bundle, both, setting, windows.now);
    for (at, offer) in (0..).zip(offers) {
        let mut found = Verdict::default();
        if let Some(first) = &first {
            first.ask(at, &mut found);
        }
        sort(&mut found);
        let failed = judge_sums(bundle, setting, offer, &[], windows.now);
        let mut expected = Verdict { failed, ..Verdict::default() };
        part(bundle, &mut expected);
        lift(bundle, (placement, setting.jurisdiction), offer, windows.now, &mut expected);
        prop_assert_eq!(found, expected, "{} in front of everything", offer.offer_id);
    }
    let there: Vec<u32> = (0..u32::try_from(offers.len()).unwrap()).filter(|_| chance.often(3)).collect();
    let chosen: Vec<&Offer> = there.iter().map(|at| &offers[*at as usize]).collect();
    // What the answer has shown counts for whomever nobody stands for.
    let unknown = |kind: &SubjectKind| counted.iter().all(|(_, stands_for)| !stands_for.has(*kind));
    let unknown = SubjectKind::ALL.into_iter().filter(unknown).fold(SubjectKinds::NONE, SubjectKinds::and);
    let (mut next, mut answer) = (counted.to_vec(), (SubjectState::default(), unknown));
    for (slot, offer) in (0..).zip(&chosen) {
        for (next, stands_for) in next.iter_mut().chain([&mut answer]) {
            let decision = DecisionId::from_parts(windows.now.0, [255; 10]);
            let (at, reserved_until) = (windows.now, windows.now.plus(Span(HOUR)));
            let chosen = Chosen { decision, slot, at, reserved_until, stands_for: *stands_for };
            count_contact(bundle, placement, offer, next, &chosen);
        }
    }
    let states = states(&next).within(&answer.0);
    let behind = Behind::new(bundle, both, setting, &there, states, windows).unwrap();
    for (at, offer) in (0..).zip(offers).filter(|(at, _)| !there.contains(at)) {
        let mut found = Verdict::default();
        behind.ask(at, &mut found);
        sort(&mut found);
        let mut expected = judge_behind(bundle, setting, offer, &chosen, states, windows);
        part(bundle, &mut expected);
        lift(bundle, (setting.placement, setting.jurisdiction), offer, windows.now, &mut expected);
        prop_assert_eq!(found, expected, "{} behind {:?}", offer.offer_id, there);
    }
    Ok(())
}

/// What rules say of every offer, by the ids of the rules: what leaves it out, and what only speaks.
type Said = Vec<(Vec<(String, Option<i64>, Option<i64>)>, Vec<(String, Option<i64>, Option<i64>)>)>;

/// What the rules of a bundle say in the first slot, and behind some offers.
fn said(bundle: &Bundle, catalogue: &Arc<Catalogue>, history: &[Contact], known: bool, there: &[u32]) -> Said {
    let shelves = bundle.shelves(catalogue);
    let both = (shelves.as_ref(), catalogue.as_ref());
    let mut counted = SubjectState::default();
    rebuild_caps(bundle, catalogue, history, &mut counted, Timestamp(NOW));
    let state = known.then_some(&counted);
    let windows = CapWindows::at(Timestamp(NOW), None);
    let named = |failed: &Vec<Failed>| {
        let named =
            |failed: &Failed| (bundle.rules[usize::from(failed.rule)].id.to_string(), failed.observed, failed.limit);
        let mut named: Vec<_> = failed.iter().map(named).collect();
        named.sort();
        named
    };
    let mut found = Vec::new();
    for placement in bundle.placements.values() {
        let facts = Facts {
            attributes: &Seen::default(),
            basket: &[],
            currency: placement.currency,
            jurisdiction: Some("US-NY"),
            time_zone: None,
            store: None,
            now: windows.now,
        };
        let mut judging = Judging::new(bundle, both, placement, &facts, state, &windows).unwrap();
        let setting = Setting { placement, jurisdiction: Some("US-NY"), basket: &[] };
        let behind = Behind::new(bundle, both, setting, there, state, &windows).unwrap();
        for stand in shelves.at(&placement.id).unwrap().stands(None, catalogue) {
            let (mut first, mut second) = (Verdict::default(), Verdict::default());
            judging.ask(stand, &mut first);
            behind.ask(stand.offer, &mut second);
            found.extend([first, second].map(|verdict| (named(&verdict.failed), named(&verdict.noted))));
        }
    }
    found
}

/// The same rules, all of one severity.
fn all_of(rules: &str, severity: &str) -> String {
    let mut text = rules.to_owned();
    for other in ["block", "warn", "shadow"] {
        text = text.replace(&format!(", severity: {other}"), "");
    }
    text.replace("why: So it is", &format!("why: So it is, severity: {severity}"))
}

fn check_shadow(seed: u64) -> Result<(), TestCaseError> {
    let mut chance = Chance::of(seed);
    let rules = chance.rules();
    let catalogue = Arc::new(chance.catalogue());
    let (history, known) = (chance.history(), chance.often(8));
    let count = u32::try_from(catalogue.offers().len()).unwrap();
    let there: Vec<u32> = (0..count).filter(|_| chance.often(3)).collect();
    let said = |rules: &str| said(&compiled(rules), &catalogue, &history, known, &there);
    let bare = said("owner: all\n");
    let blocking = said(&all_of(&rules, "block"));
    for severity in ["warn", "shadow"] {
        let speaking = said(&all_of(&rules, severity));
        prop_assert_eq!(bare.len(), speaking.len());
        for ((without, speaks), blocks) in bare.iter().zip(&speaking).zip(&blocking) {
            prop_assert_eq!(&without.0, &speaks.0, "what only speaks leaves nothing out");
            let mut all: Vec<_> = speaks.0.iter().chain(&speaks.1).cloned().collect();
            all.sort();
            prop_assert_eq!(&all, &blocks.0, "and says what it would have left out");
            prop_assert!(blocks.1.is_empty() && without.1.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shelf_says_what_every_rule_asked_about_every_offer_says(seed in any::<u64>()) {
        check(seed)?;
    }

    #[test]
    fn with_every_rule_in_shadow_nothing_is_left_out_that_is_not_left_out_without_the_rules(seed in any::<u64>()) {
        check_shadow(seed)?;
    }
}
