//! What every decision promises, held over many states and requests. Commits nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Ask, Decision, Problem, Snapshot, SubjectView, decide};
use crate::bandit::{ArmKey, DrawPurpose, Features, Increment, Model, ModelView, multiplicities};
use crate::domain::consent::ConsentEntry;
use crate::domain::decision::{FallbackReason, Record, Slot, Withheld};
use crate::domain::key::{GeneratorKey, SubjectKey};
use crate::domain::{
    Basis, Catalogue, ConsentState, Customer, Day, DecisionId, DecisionRequest, Offer, OfferId, PlacementId, PurposeId,
    Purse, SubjectId, SubjectKind, SubjectState, Timestamp, Value, VariantId,
};
use crate::policy::{Source, compile};

pub(super) const NOW: Timestamp = Timestamp(1_780_000_000_000);
const GENERATOR: GeneratorKey = GeneratorKey { period: 1, key: [3; 32] };

pub(super) const PLACEMENTS: &str = "
placements:
  - id: home
    channel: web
    purpose: offer_personalisation
    currency: USD
    objective: {kind: margin, window: 7d, reward_cap: 200.00}
    strategy: {name: STRATEGY, exploration: 0.1}
    features: [customer.tier, context.device]
    holdout: HOLDOUT
    fallback: {offer: house, variant: a}
";

const ATTRIBUTES: &str = "
attributes:
  - {id: customer.tier, type: {enum: [bronze, gold]}, class: personal, source: crm}
  - {id: customer.age, type: number, class: personal, source: crm}
  - {id: customer.outdoor, type: number, class: personal, source: crm}
  - {id: customer.music, type: number, class: personal, source: crm}
  - {id: context.device, type: {enum: [desktop, mobile]}, class: public, source: shop}
  - {id: offer.brand, type: text, source: catalogue}
";

pub(super) const PURPOSES: &str = "
purposes:
  - {id: offer_personalisation, dpv: ProvideProductRecommendations, bases: {US: [consent]}, fallback: offer_contextual}
  - {id: offer_contextual, dpv: ProvideProductRecommendations, bases: {US: [consent, legitimate_interest]}}
";

pub(super) const RULES: &str = "
owner: pricing
margin_floors:
  - {id: floor, why: Finance floor, min_margin: 15%}
frequency_caps:
  - {id: cap, why: Contact standard, scope: [customer, offer], max: 1, window: {rolling: 24h}, counts: decision}
purpose_gates:
  - {id: gate, why: Personal offers need consent, purpose: offer_personalisation}
";

pub(super) fn snapshot(strategy: &str, holdout: &str, margins: &[i64]) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", strategy).replace("HOLDOUT", holdout);
    snapshot_of(&placements, RULES, margins)
}

pub(super) fn snapshot_of(placements: &str, rules: &str, margins: &[i64]) -> Snapshot {
    snapshot_under(PURPOSES, placements, rules, margins)
}

pub(super) fn snapshot_under(purposes: &str, placements: &str, rules: &str, margins: &[i64]) -> Snapshot {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let bundle = compile(&[
        file("bundle.yaml", "name: sample\nschema: 1\n"),
        file("catalog/attributes.yaml", ATTRIBUTES),
        file("catalog/purposes.yaml", purposes),
        file("placements.yaml", placements),
        file("rules/10.yaml", rules),
    ])
    .unwrap_or_else(|findings| panic!("{}", findings.iter().map(ToString::to_string).collect::<String>()));
    let offer = |id: &str, margin: i64| -> Offer {
        let json = format!(
            r#"{{"offer_id":"{id}","price":{{"amount":"100.00","currency":"USD"}},
            "cost_of_goods":{{"amount":"{}.00","currency":"USD"}},"variants":[{{"variant_id":"a"}}]}}"#,
            100 - margin
        );
        serde_json::from_str(&json).unwrap()
    };
    let mut offers: Vec<Offer> =
        margins.iter().enumerate().map(|(at, margin)| offer(&format!("o{at}"), *margin)).collect();
    offers.push(offer("house", 50));

    Snapshot {
        tenant: "default".into(),
        build: "test".into(),
        control_sequence: 4,
        bundle: Arc::new(bundle),
        catalogue: Arc::new(Catalogue::new(1, offers, Vec::new())),
        models: BTreeMap::new(),
        day: Day(20_601),
        spend: Arc::new(crate::domain::Spend::none(Day(20_601))),
        approved: Arc::default(),
    }
}

pub(super) fn request(tier: Option<&str>) -> DecisionRequest {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut attributes: BTreeMap<String, Value> =
        tier.map(|tier| ("tier".to_owned(), text(tier))).into_iter().collect();
    attributes.insert("age".into(), Value::Number(crate::domain::Number(40_000_000)));
    DecisionRequest {
        decision_id: None,
        customer: Customer { id: Some("ann".into()), attributes, ..Customer::default() },
        placement: PlacementId::new("home").unwrap(),
        count: Some(1),
        jurisdiction: Some("US-NY".into()),
        time_zone: Some("America/New_York".into()),
        context: BTreeMap::from([("device".to_owned(), text("mobile"))]),
        basket: Vec::new(),
        candidates: None,
        store: None,
        privacy_signal: None,
    }
}

pub(super) fn state(consent: Option<ConsentState>) -> SubjectState {
    let mut state = SubjectState::default();
    if let Some(consent) = consent {
        let purpose = PurposeId::new("offer_personalisation").unwrap();
        state.add_consent(
            ConsentEntry {
                purpose,
                state: consent,
                basis: Basis::Consent,
                valid_from: Timestamp(0),
                valid_until: None,
                channel: None,
                jurisdiction: None,
            },
            NOW,
        );
    }
    state
}

pub(super) fn ask_with(
    snapshot: &Snapshot,
    request: &DecisionRequest,
    state: &SubjectState,
    id: u64,
) -> Result<Decision, Vec<Problem>> {
    ask_purse(snapshot, request, state, (id, &Purse::default()))
}

/// As [`ask_with`], knowing what is gone of what may run out.
pub(super) fn ask_purse(
    snapshot: &Snapshot,
    request: &DecisionRequest,
    state: &SubjectState,
    (id, purse): (u64, &Purse),
) -> Result<Decision, Vec<Problem>> {
    let mut bits = [0; 10];
    bits[2..].copy_from_slice(&id.to_be_bytes());
    let ask = Ask {
        request,
        request_digest: request.digest(),
        decision_id: DecisionId::from_parts(NOW.0, bits),
        id_minted: false,
        attempt: 0,
        purpose: DrawPurpose::Served,
        contended: false,
        purse,
    };
    let view = SubjectView { kind: SubjectKind::Customer, subject: SubjectId([7; 16]), version: 1, state };
    decide(snapshot, &ask, Some(view), &GENERATOR, NOW)
}

pub(super) fn granted() -> SubjectState {
    state(Some(ConsentState::Granted))
}

#[test]
fn a_candidate_under_the_margin_floor_is_left_out_with_what_was_compared() {
    let decision = ask_with(&snapshot("uniform", "0%", &[40, 10]), &request(None), &granted(), 1).unwrap();
    let [above, under] = decision.skeleton.candidates.as_slice() else { panic!("the house offer is no candidate") };
    assert_eq!((decision.skeleton.slots[0].probabilities.as_slice(), above.failed.len()), (&[Some(1.0), None][..], 0));
    assert_eq!(under.scored, None);
    assert_eq!(under.failed.iter().map(|f| (f.observed, f.limit)).collect::<Vec<_>>(), [(Some(1000), Some(1500))]);
}

#[test]
fn without_consent_it_is_decided_by_context_alone_and_the_rest_is_recorded_as_withheld() {
    let check = |consent: Option<ConsentState>, purpose: &str, withheld: &[(&str, Withheld)], used: &[&str]| {
        let snapshot = snapshot("thompson_linear", "0%", &[40, 50]);
        let decision = ask_with(&snapshot, &request(Some("gold")), &state(consent), 1).unwrap();
        assert_eq!(decision.skeleton.purpose.as_str(), purpose);
        assert_eq!(decision.skeleton.slots.len(), 1);
        let found: Vec<(&str, Withheld)> =
            decision.private.context.withheld.iter().map(|(id, why)| (id.as_str(), *why)).collect();
        assert_eq!(found, withheld);
        let seen: Vec<&str> = decision.private.context.used.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(seen, used);
        decision.private.context.features
    };
    let both = ["context.device", "customer.tier"];
    let personal =
        check(Some(ConsentState::Granted), "offer_personalisation", &[("customer.age", Withheld::NotUsed)], &both);
    let refused = [("customer.age", Withheld::PurposeNotConsented), ("customer.tier", Withheld::PurposeNotConsented)];
    let contextual = check(Some(ConsentState::Refused), "offer_contextual", &refused, &both[..1]);
    assert_eq!(check(None, "offer_contextual", &refused, &both[..1]), contextual, "no record is no consent");
    assert_eq!(personal, [(0, 1 << 20), (2, 1 << 20), (4, 1 << 20)]);
    assert_eq!(contextual, [(0, 1 << 20), (4, 1 << 20)], "the tier left no trace in the features");
}

#[test]
fn a_capped_offer_is_left_out_and_its_count_is_private() {
    let snapshot = snapshot("uniform", "0%", &[40]);
    let first = ask_with(&snapshot, &request(None), &granted(), 1).unwrap();
    let second = ask_with(&snapshot, &request(None), &first.next.unwrap(), 2).unwrap();
    assert_eq!(second.skeleton.fallback, Some(FallbackReason::NoEligibleCandidate));
    assert_eq!(second.skeleton.shown[0].offer.as_str(), "house");
    assert_eq!(second.skeleton.candidates[0].failed[0].observed, None);
    let reading = second.private.contacts.readings[0];
    assert_eq!((reading.used, reading.limit), (1, 1));
    assert_eq!(second.next, None, "a fallback changes no subject");
}

#[test]
fn the_holdout_is_a_stable_share_of_customers_and_gets_house_content() {
    let snapshot = snapshot("uniform", "20%", &[40]);
    let (request, state) = (request(None), granted());
    let held = (0..2_000_u16).filter(|n| {
        let mut subject = [0; 16];
        subject[..2].copy_from_slice(&n.to_be_bytes());
        let ask = Ask {
            request: &request,
            request_digest: request.digest(),
            decision_id: DecisionId::from_parts(NOW.0, [1; 10]),
            id_minted: false,
            attempt: 0,
            purpose: DrawPurpose::Served,
            contended: false,
            purse: &Purse::default(),
        };
        let view = SubjectView { kind: SubjectKind::Customer, subject: SubjectId(subject), version: 1, state: &state };
        let decision = decide(&snapshot, &ask, Some(view), &GENERATOR, NOW).unwrap();
        decision.skeleton.fallback == Some(FallbackReason::Holdout)
    });
    let held = held.count();
    assert!((340..460).contains(&held), "{held} of 2000 is not near 20 %");
}

#[test]
fn a_request_that_does_not_fit_the_bundle_is_refused_with_every_place() {
    let mut wrong = request(Some("gould"));
    wrong.count = Some(3);
    wrong.context.insert("devise".into(), Value::Bool(true));
    let problems = ask_with(&snapshot("uniform", "0%", &[40]), &wrong, &granted(), 1).unwrap_err();
    let places: Vec<&str> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(places, ["/count", "/customer/attributes/tier", "/context/devise"]);
    assert!(problems[2].message.contains("did you mean"), "{}", problems[2].message);
}

#[test]
fn time_never_runs_backwards_for_a_subject() {
    let later = Timestamp(NOW.0 + 5_000);
    let state = SubjectState { last_at: Some(later), ..granted() };
    let decision = ask_with(&snapshot("uniform", "0%", &[40]), &request(None), &state, 1).unwrap();
    assert_eq!(decision.skeleton.at, later);
}

#[test]
fn numbers_that_fail_their_check_are_neither_drawn_from_nor_recorded_and_the_house_speaks() {
    // A width that is no number gives no distribution; with more than all of it explored one is below its floor.
    for (alpha, exploration) in [(f64::NAN, 0.1), (f64::INFINITY, 0.1), (1.0, 1.5), (1.0, f64::NAN)] {
        let mut snapshot = snapshot("linucb", "0%", &[40, 50]);
        let mut bundle = (*snapshot.bundle).clone();
        let home = bundle.placements.get_mut(&PlacementId::new("home").unwrap()).unwrap();
        home.champion.strategy = crate::domain::Strategy::Linucb { alpha };
        home.champion.exploration = exploration;
        snapshot.bundle = Arc::new(bundle);
        let Decision { skeleton, next, .. } = ask_with(&snapshot, &request(Some("gold")), &granted(), 1).unwrap();
        assert_eq!(skeleton.fallback, Some(FallbackReason::DistributionInvalid), "{alpha} {exploration}");
        assert_eq!((skeleton.shown[0].offer.as_str(), skeleton.slots.len(), next), ("house", 0, None));
        assert!(skeleton.candidates.iter().all(|row| row.failed.is_empty() && row.scored.is_none()));
    }
}

/// A model that has learned from random outcomes.
pub(super) fn learned(snapshot: &mut Snapshot, outcomes: &[(usize, bool)]) {
    let seen = |(offer, accepted): &(usize, bool)| (*offer, vec![2, 4], *accepted);
    taught(snapshot, outcomes.iter().map(seen));
}

/// A model that has learned, one after another, that an offer was shown with these features at one, and whether it was
/// accepted.
pub(super) fn taught(snapshot: &mut Snapshot, shown: impl Iterator<Item = (usize, Vec<u16>, bool)>) {
    let placement = snapshot.bundle.placement("home").unwrap().clone();
    let mut model = Model::new(placement.model_id(), placement.dimensions());
    for (sequence, (offer, ones, accepted)) in (1..).zip(shown) {
        let arm = ArmKey { offer: OfferId::new(format!("o{offer}")).unwrap(), variant: VariantId::new("a").unwrap() };
        let sparse: Vec<(u16, i32)> = std::iter::once(0).chain(ones).map(|at| (at, 1 << 20)).collect();
        let increment = Increment {
            generation: 0,
            weight: 1 << 16,
            features: Features::from_sparse(placement.dimensions(), &sparse).unwrap(),
            exposure: 1,
            accepted: i8::from(accepted),
            reward: 0,
            reward_squared: 0,
            matured: None,
            value: 0,
            bags: multiplicities(&DecisionId::from_bytes(u128::from(sequence).to_be_bytes()), 0, placement.bags()),
        };
        model.apply(sequence, &arm, &increment).unwrap();
    }
    let lineup = model.lineup(&snapshot.catalogue);
    let view = ModelView::derive(model.version(), &placement, &placement.champion, lineup, snapshot.day, None);
    snapshot.models.insert(PlacementId::new("home").unwrap(), vec![Arc::new(view)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn excluded_candidates_have_no_probability_and_eligible_ones_at_least_their_share(
        margins in proptest::collection::vec(0..90_i64, 1..9),
        outcomes in proptest::collection::vec((0..8_usize, any::<bool>()), 0..40),
        strategy in proptest::sample::select(vec!["thompson_linear", "linucb", "bagged_linear", "squarecb", "uniform"]),
        seed in any::<u64>(),
    ) {
        let mut snapshot = snapshot(strategy, "0%", &margins);
        learned(&mut snapshot, &outcomes);
        let decision = ask_with(&snapshot, &request(Some("gold")), &granted(), seed).unwrap();
        let rows = &decision.skeleton.candidates;
        let slot = decision.skeleton.slots.first();
        let eligible: Vec<f64> = slot.iter().flat_map(|slot| slot.probabilities.iter().copied().flatten()).collect();
        for (row, margin) in rows.iter().zip(&margins) {
            prop_assert_eq!(row.scored.is_some(), *margin >= 15, "a floor holds whatever the strategy explores");
            prop_assert_eq!(row.failed.is_empty(), *margin >= 15);
        }
        if eligible.is_empty() {
            prop_assert_eq!(decision.skeleton.fallback, Some(FallbackReason::NoEligibleCandidate));
            return Ok(());
        }
        let floor = 0.1 / f64::from(u8::try_from(eligible.len()).unwrap());
        prop_assert!((eligible.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(eligible.iter().all(|p| *p >= floor * (1.0 - 1e-12)));
        let (slot, _, chosen) = decision.skeleton.chosen().next().unwrap();
        let Slot { probabilities, draw, .. } = &decision.skeleton.slots[usize::from(slot)];
        prop_assert_eq!(probabilities[draw.chosen as usize], Some(draw.propensity.get()));
        prop_assert!(probabilities.iter().zip(rows).all(|(p, row)| p.is_some() == row.failed.is_empty()));
        prop_assert!(chosen.margin_minor >= 1500);

        let mut again = ask_with(&snapshot, &request(Some("gold")), &granted(), seed).unwrap();
        let key = SubjectKey([5; 32]);
        let mut skeleton = decision.skeleton.clone();
        let record = Record::seal(&mut skeleton, &decision.private, &key);
        let twin = Record::seal(&mut again.skeleton, &again.private, &key);
        prop_assert_eq!(&record, &twin, "decided again: the same bytes");
        prop_assert_eq!(skeleton.commitments.len(), 4);
        prop_assert_eq!(record.skeleton().unwrap(), skeleton);
        prop_assert_eq!(record.private(&key).unwrap(), decision.private);
        prop_assert!(record.private(&SubjectKey([6; 32])).is_err());
    }
}
