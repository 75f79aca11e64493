//! Tests of verdicts: what each rule says at its boundary, and that caps hold over random histories. Compiles no
//! broken bundle.

use proptest::prelude::*;

use super::sample::{CAPS, MARGIN, bundle, files};
use super::*;
use crate::domain::consent::ConsentEntry;
use crate::domain::{
    Basis, Catalogue, ConsentState, Offer, OfferId, Placement, PlacementId, PurposeId, Span, SubjectState, Timestamp,
};

const HOUR: i64 = 3_600_000;

fn offer(id: &str, category: &str, price: &str, cost: &str) -> Offer {
    serde_json::from_value(serde_json::json!({
        "offer_id": id, "category": category, "variants": [{"variant_id": "a"}],
        "price": {"amount": price, "currency": "USD"}, "cost_of_goods": {"amount": cost, "currency": "USD"},
    }))
    .unwrap()
}

fn home(bundle: &Bundle) -> &Placement {
    bundle.placement("home_banner").unwrap()
}

/// The sample bundle with one text replaced.
fn changed(path: &str, from: &str, to: &str) -> Bundle {
    let mut files = files();
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    assert!(file.text.contains(from));
    file.text = file.text.replacen(from, to, 1);
    compile(&files).unwrap()
}

/// Sentences of what leaves an offer out.
fn excluded(bundle: &Bundle, offer: &Offer, state: Option<&SubjectState>, now: i64) -> Vec<String> {
    let placement = home(bundle);
    let verdict = judge(bundle, placement, offer, state, Timestamp(now));
    let failed = verdict.failed.iter();
    failed.map(|f| describe(bundle, f.rule, f.observed, f.limit, placement.currency)).collect()
}

#[test]
fn every_failing_rule_is_kept_with_what_was_compared() {
    let bundle = bundle();
    let state = SubjectState::default();
    let check = |offer: &Offer, expected: &[&str]| {
        let found = excluded(&bundle, offer, Some(&state), 0);
        assert_eq!(found, expected, "{}", offer.offer_id);
    };
    let default = "`margin.floor.default` (Finance floor for the year, memo 112): ";
    let beauty = "`margin.floor.beauty` (Beauty carries the cost of samples, memo 118): ";
    check(&offer("at-the-floor", "shoes", "10.00", "9.00"), &[]);
    check(
        &offer("one-cent-under", "shoes", "10.00", "9.01"),
        &[&format!("{default}margin 9.9% is under the floor of 10%")],
    );
    // 9.9999% is rounded down, never up to the floor.
    check(
        &offer("a-hair-under", "shoes", "10000.00", "9000.01"),
        &[&format!("{default}margin 9.99% is under the floor of 10%")],
    );
    check(
        &offer("both", "beauty", "10.00", "10.50"),
        &[
            &format!("{beauty}margin -5% is under the floor of 25%"),
            &format!("{default}margin -5% is under the floor of 10%"),
        ],
    );
    check(&offer("between", "beauty", "10.00", "8.00"), &[&format!("{beauty}margin 20% is under the floor of 25%")]);
    check(
        &offer("free", "shoes", "0.00", "0.00"),
        &[&format!("{default}the net price is not above zero, so that no margin reaches the floor of 10%")],
    );
}

#[test]
fn an_offer_in_another_currency_is_left_out_by_the_built_in_rule() {
    let bundle = changed(MARGIN, "min_margin: 10%", "min_margin: 5.00 USD");
    let mut offer = offer("x", "shoes", "10.00", "6.00");
    let state = SubjectState::default();
    let default = "`margin.floor.default` (Finance floor for the year, memo 112): ";
    assert_eq!(
        excluded(&bundle, &offer, Some(&state), 0),
        [format!("{default}margin 4.00 USD is under the floor of 5.00 USD")]
    );
    let euro = crate::domain::Currency::parse("EUR").unwrap();
    offer.price.currency = euro;
    assert_eq!(
        excluded(&bundle, &offer, Some(&state), 0),
        [
            "`proffer.currency` (an offer is shown only where its currency is the placement's): \
             the offer is not priced in USD"
                .to_owned(),
            format!("{default}the offer is not priced in USD, so that its margin cannot reach the floor of 5.00 USD"),
        ]
    );
}

#[test]
fn a_customer_at_the_cap_is_left_out_until_a_contact_is_exactly_a_window_old() {
    let bundle = bundle();
    let (placement, shoes) = (home(&bundle), offer("shoes", "shoes", "10.00", "5.00"));
    let mut state = SubjectState::default();
    for at in [0, HOUR] {
        assert_eq!(excluded(&bundle, &shoes, Some(&state), at), Vec::<String>::new());
        count_contact(&bundle, placement, &shoes, &mut state, Timestamp(at));
    }
    let check = |now: i64, left_out: bool, readings: &[(u16, u32, u32)]| {
        let verdict = judge(&bundle, placement, &shoes, Some(&state), Timestamp(now));
        assert_eq!((!verdict.failed.is_empty(), verdict.readings.as_slice()), (left_out, readings), "{now}");
    };
    let (week, day) = (4, 5);
    check(24 * HOUR - 1, true, &[(week, 2, 40), (day, 2, 2)]);
    check(24 * HOUR, false, &[(week, 2, 40), (day, 1, 2)]);
    check(25 * HOUR, false, &[(week, 2, 40)]);
    check(8 * 24 * HOUR, false, &[]);
    let cap = "`cap.offer.day` (Nobody sees one offer more than twice a day, contact standard 3): ";
    let limit = format!("{cap}the cap of 2 decisions per customer and offer in 24h leaves no room");
    assert_eq!(excluded(&bundle, &shoes, Some(&state), 2 * HOUR), [limit]);
    let other = offer("other", "shoes", "10.00", "5.00");
    assert_eq!(excluded(&bundle, &other, Some(&state), 2 * HOUR), Vec::<String>::new());
    // Nobody to count for: every cap leaves the offer out.
    assert_eq!(excluded(&bundle, &other, None, 0).len(), 2);
}

#[test]
fn counters_keep_what_can_still_count_and_nothing_else() {
    let bundle = bundle();
    let (placement, shoes) = (home(&bundle), offer("shoes", "shoes", "10.00", "5.00"));
    let mut state = SubjectState::default();
    for at in 0..5 {
        count_contact(&bundle, placement, &shoes, &mut state, Timestamp(at));
    }
    let shown = |state: &SubjectState| {
        let counters = state.caps.iter().map(|c| format!("{} {}", c.rule, c.at.len()));
        counters.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(shown(&state), "cap.all.week 5, cap.offer.day 2");
    let other = offer("other", "shoes", "10.00", "5.00");
    count_contact(&bundle, placement, &other, &mut state, Timestamp(30 * HOUR));
    assert_eq!(shown(&state), "cap.all.week 6, cap.offer.day 1");
    let without = changed(CAPS, "id: cap.offer.day", "id: cap.offer.renamed");
    assert_ne!(state.cap_set, Some(without.cap_set));
    count_contact(&without, placement, &other, &mut state, Timestamp(31 * HOUR));
    assert_eq!(shown(&state), "cap.all.week 7, cap.offer.renamed 1");
    assert_eq!(state.cap_set, Some(without.cap_set));
}

#[test]
fn a_gate_asks_for_a_granted_unexpired_consent_on_a_basis_allowed_there() {
    let bundle = bundle();
    let purpose = PurposeId::new("offer_personalisation").unwrap();
    let entry = |state, basis, from: i64, until: Option<i64>| ConsentEntry {
        purpose: purpose.clone(),
        state,
        basis,
        valid_from: Timestamp(from),
        valid_until: until.map(Timestamp),
    };
    let check = |consents: &[ConsentEntry], jurisdiction: Option<&str>, open: bool| {
        let state = SubjectState { consents: consents.to_vec(), ..SubjectState::default() };
        let verdict = gate(&bundle, home(&bundle), &purpose, Some(&state), jurisdiction, Timestamp(100));
        assert_eq!(verdict.refused_by, (!open).then_some(1), "{consents:?} {jurisdiction:?}");
        assert_eq!(verdict.readings.len(), 1);
    };
    use Basis::{Consent, Contract, LegitimateInterest};
    use ConsentState::{Granted, Unknown, Withdrawn};
    check(&[], Some("US"), false);
    check(&[entry(Granted, Consent, 0, None)], Some("DE"), true);
    check(&[entry(Granted, Consent, 100, None)], None, true);
    check(&[entry(Granted, Consent, 101, None)], None, false);
    check(&[entry(Granted, Consent, 0, Some(101))], None, true);
    check(&[entry(Granted, Consent, 0, Some(100))], None, false);
    check(&[entry(Unknown, Consent, 0, None)], Some("US"), false);
    check(&[entry(Granted, Consent, 0, None), entry(Withdrawn, Consent, 50, None)], Some("US"), false);
    check(&[entry(Granted, LegitimateInterest, 0, None)], Some("US-NY"), true);
    check(&[entry(Granted, LegitimateInterest, 0, None)], Some("FR"), false);
    check(&[entry(Granted, LegitimateInterest, 0, None)], None, false);
    check(&[entry(Granted, Contract, 0, None)], Some("US"), false);
    let at = Timestamp(100);
    let nobody = gate(&bundle, home(&bundle), &purpose, None, None, at);
    assert_eq!((nobody.refused_by, nobody.readings[0].state), (Some(1), None));
    let contextual = PurposeId::new("offer_contextual").unwrap();
    assert_eq!(gate(&bundle, home(&bundle), &contextual, None, None, at), GateVerdict::default());
    assert_eq!(
        describe(&bundle, 1, None, None, home(&bundle).currency),
        "`consent.personal` (Personal offers need a consent in force, privacy notice section 4): no consent for \
         `offer_personalisation` is in force"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn caps_hold_by_a_slow_count_and_a_rebuild_gives_the_same_counters(
        steps in prop::collection::vec((0_i64..9 * HOUR, 0_usize..3), 1..120)
    ) {
        let bundle = changed(CAPS, "max: 40", "max: 9");
        let placement = home(&bundle);
        let offers = ["a", "b", "c"].map(|id| offer(id, "shoes", "10.00", "5.00"));
        let mut state = SubjectState::default();
        let mut shown: Vec<Contact> = Vec::new();
        let mut now = 0;
        for (pause, which) in steps {
            now += pause;
            let offer = &offers[which];
            let count = |id: Option<&OfferId>, span: i64| {
                shown.iter().filter(|c| id.is_none_or(|id| c.offer == *id) && now - c.at.0 < span).count()
            };
            let (of_offer, of_all) = (count(Some(&offer.offer_id), 24 * HOUR), count(None, 7 * 24 * HOUR));
            prop_assert!(of_offer <= 2 && of_all <= 9);
            let verdict = judge(&bundle, placement, offer, Some(&state), Timestamp(now));
            prop_assert_eq!(verdict.failed.is_empty(), of_offer < 2 && of_all < 9);
            if verdict.failed.is_empty() {
                count_contact(&bundle, placement, offer, &mut state, Timestamp(now));
                let placement = PlacementId::new("home_banner").unwrap();
                shown.push(Contact { at: Timestamp(now), placement, offer: offer.offer_id.clone() });
            }
        }
        let mut rebuilt = SubjectState::default();
        let catalogue = Catalogue::new(1, offers.to_vec());
        shown.reverse();
        let last = shown.first().map_or(now, |contact| contact.at.0);
        rebuild_caps(&bundle, &catalogue, &shown, &mut rebuilt, Timestamp(last));
        prop_assert_eq!(&rebuilt.caps, &state.caps);
        prop_assert_eq!(rebuilt.cap_set, Some(bundle.cap_set));
    }
}

#[test]
fn a_contact_whose_offer_is_gone_still_counts_where_it_may_belong() {
    let limited = "scope: [customer]\n    applies_to: {categories: [home]}";
    let bundle = changed(CAPS, "scope: [customer]\n", &format!("{limited}\n"));
    let contact = |offer: &str| Contact {
        at: Timestamp(0),
        placement: PlacementId::new("home_banner").unwrap(),
        offer: OfferId::new(offer).unwrap(),
    };
    let catalogue =
        Catalogue::new(1, vec![offer("shoe", "shoes", "1.00", "0.50"), offer("lamp", "home", "1.00", "0.50")]);
    let mut state = SubjectState::default();
    let contacts = [contact("shoe"), contact("lamp"), contact("gone")];
    rebuild_caps(&bundle, &catalogue, &contacts, &mut state, Timestamp(1));
    assert_eq!(state.cap_used(&bundle.rules[4].id, None, Timestamp(1), Span(HOUR)), 2);
}
