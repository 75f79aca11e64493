//! Tests of verdicts: what each rule says at its boundary. Compiles no broken bundle; caps have tests of their own.

use super::judged::judge;
use super::sample::{MARGIN, bundle, files};
use super::*;
use crate::domain::consent::ConsentEntry;
use crate::domain::{Basis, ConsentState, Offer, Placement, PurposeId, SubjectState, Timestamp};

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
    let verdict = judge(bundle, placement, offer, state, &CapWindows::at(Timestamp(now), None));
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

fn nobody(bundle: &Bundle) -> Asking<'_> {
    Asking { placement: home(bundle), state: None, jurisdiction: None, signal: false, now: Timestamp(100) }
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
        channel: None,
        jurisdiction: None,
    };
    let check = |consents: &[ConsentEntry], jurisdiction: Option<&str>, open: bool| {
        let state = SubjectState { consents: consents.to_vec(), ..SubjectState::default() };
        let verdict = gate(&bundle, &purpose, &Asking { state: Some(&state), jurisdiction, ..nobody(&bundle) });
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
    let asking = nobody(&bundle);
    let nobody = gate(&bundle, &purpose, &asking);
    assert_eq!((nobody.refused_by, nobody.readings[0].state), (Some(1), None));
    let contextual = PurposeId::new("offer_contextual").unwrap();
    assert_eq!(gate(&bundle, &contextual, &asking), GateVerdict::default());
    assert_eq!(
        describe(&bundle, 1, None, None, home(&bundle).currency),
        "`consent.personal` (Personal offers need a consent in force, privacy notice section 4): no consent for \
         `offer_personalisation` is in force"
    );
}
