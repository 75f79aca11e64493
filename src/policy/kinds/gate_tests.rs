//! Tests of gates: which consents let through what is asked for, by channel, jurisdiction, basis, age and signal.
//! Decides nothing.

use crate::domain::consent::ConsentEntry;
use crate::domain::{Basis, ConsentState, PurposeId, SubjectState, Timestamp};
use crate::policy::sample::{CONSENT, PLACEMENTS, PURPOSES, files};
use crate::policy::{Asking, Bundle, compile, describe, gate};

const DAY: i64 = 86_400_000;
const NOW: i64 = 1_000 * DAY;

use ConsentState::{Granted, Refused, Unknown, Withdrawn};

/// The sample bundle with more fields for its gate and its purpose, and a placement for e-mail.
fn bundle(gate: &str, purpose: &str) -> Bundle {
    let mut files = files();
    for (path, at, more) in
        [(CONSENT, "    purpose: offer_personalisation\n", gate), (PURPOSES, "    bases:\n", purpose)]
    {
        let file = files.iter_mut().find(|file| file.path == path).unwrap();
        file.text = file.text.replacen(at, &format!("{more}{at}"), 1);
    }
    let file = files.iter_mut().find(|file| file.path == PLACEMENTS).unwrap();
    file.text = file.text.replacen("channel: web", "channel: email", 1);
    compile(&files).unwrap_or_else(|findings| panic!("{}", crate::policy::sample::shown(&findings)))
}

fn entry(state: ConsentState, days_ago: i64, channel: &str) -> ConsentEntry {
    ConsentEntry {
        purpose: PurposeId::new("offer_personalisation").unwrap(),
        state,
        basis: Basis::Consent,
        valid_from: Timestamp(NOW - days_ago * DAY),
        valid_until: None,
        channel: (!channel.is_empty()).then(|| channel.to_owned()),
        jurisdiction: None,
    }
}

/// Whether the gate lets through a request at the placement for e-mail, and what was read.
fn ask(bundle: &Bundle, consents: &[ConsentEntry], jurisdiction: Option<&str>, signal: bool) -> (bool, String) {
    let state = SubjectState { consents: consents.to_vec(), ..SubjectState::default() };
    let placement = bundle.placement("home_banner").unwrap();
    let asking = Asking { placement, state: Some(&state), jurisdiction, signal, now: Timestamp(NOW) };
    let verdict = gate(bundle, &PurposeId::new("offer_personalisation").unwrap(), &asking);
    let read = verdict.readings.first().unwrap();
    let state = read.state.map_or("nothing", ConsentState::name);
    (verdict.refused_by.is_none(), format!("{state} {}", read.channel.as_deref().unwrap_or("everywhere")))
}

fn check(bundle: &Bundle, consents: &[ConsentEntry], open: bool, read: &str) {
    assert_eq!(ask(bundle, consents, Some("US-NY"), false), (open, read.to_owned()), "{consents:?}");
}

#[test]
fn the_newest_word_on_the_channel_or_on_every_channel_counts() {
    let bundle = bundle("", "");
    check(&bundle, &[entry(Granted, 9, "sms")], false, "nothing everywhere");
    check(&bundle, &[entry(Granted, 9, "email")], true, "granted email");
    check(&bundle, &[entry(Granted, 9, "")], true, "granted everywhere");
    check(&bundle, &[entry(Granted, 9, "email"), entry(Withdrawn, 2, "")], false, "withdrawn everywhere");
    check(&bundle, &[entry(Withdrawn, 9, ""), entry(Granted, 2, "email")], true, "granted email");
    check(&bundle, &[entry(Refused, 9, "email"), entry(Granted, 2, "")], true, "granted everywhere");
    check(&bundle, &[entry(Granted, 9, ""), entry(Refused, 9, "email")], false, "refused email");
    check(&bundle, &[entry(Granted, 9, ""), entry(Refused, 2, "sms")], true, "granted everywhere");
}

#[test]
fn an_opt_in_is_a_yes_about_the_channel_itself_and_any_no_takes_it_back() {
    let bundle = bundle("    channel_opt_in: true\n", "");
    check(&bundle, &[entry(Granted, 9, "")], false, "granted everywhere");
    check(&bundle, &[entry(Granted, 9, "sms")], false, "nothing everywhere");
    check(&bundle, &[entry(Granted, 9, "email")], true, "granted email");
    check(&bundle, &[entry(Granted, 9, "email"), entry(Granted, 2, "")], true, "granted email");
    check(&bundle, &[entry(Granted, 9, "email"), entry(Unknown, 2, "")], false, "unknown everywhere");
    check(&bundle, &[entry(Withdrawn, 9, ""), entry(Granted, 2, "email")], true, "granted email");
}

#[test]
fn a_yes_counts_where_it_was_given_and_a_no_everywhere() {
    let bundle = bundle("", "");
    let from = |place: &str, entry: ConsentEntry| ConsentEntry { jurisdiction: Some(place.to_owned()), ..entry };
    let check = |consents: &[ConsentEntry], asked: Option<&str>, open: bool| {
        assert_eq!(ask(&bundle, consents, asked, false).0, open, "{consents:?} {asked:?}");
    };
    let us = from("US", entry(Granted, 9, ""));
    check(std::slice::from_ref(&us), Some("US-NY"), true);
    check(std::slice::from_ref(&us), Some("DE"), false);
    check(std::slice::from_ref(&us), None, false);
    check(&[from("EU", entry(Granted, 9, ""))], Some("DE"), true);
    check(&[from("US-NY", entry(Granted, 9, ""))], Some("US"), false);
    check(&[from("EU", entry(Refused, 2, "")), us.clone()], Some("US-NY"), false);
    // A yes for elsewhere takes nothing back.
    check(&[entry(Granted, 9, ""), from("US", entry(Granted, 2, ""))], Some("DE"), true);
    check(&[entry(Withdrawn, 5, ""), from("US", entry(Granted, 2, ""))], Some("DE"), false);
}

#[test]
fn a_basis_is_one_that_is_allowed_there_and_a_yes_is_neither_too_old_nor_over() {
    let narrow = bundle("    bases: [consent]\n", "");
    let interest = ConsentEntry { basis: Basis::LegitimateInterest, ..entry(Granted, 9, "") };
    check(&bundle("", ""), std::slice::from_ref(&interest), true, "granted everywhere");
    assert!(!ask(&bundle("", ""), std::slice::from_ref(&interest), Some("DE"), false).0, "a basis of the US alone");
    check(&narrow, &[interest], false, "granted everywhere");
    check(&narrow, &[entry(Granted, 9, "")], true, "granted everywhere");
    let young = bundle("    consent_age: 365d\n", "");
    check(&young, &[entry(Granted, 365, "")], true, "granted everywhere");
    let mut old = entry(Granted, 365, "");
    old.valid_from = Timestamp(old.valid_from.0 - 1);
    check(&young, &[old], false, "granted everywhere");
    let until = |at: i64| ConsentEntry { valid_until: Some(Timestamp(at)), ..entry(Granted, 9, "") };
    check(&bundle("", ""), &[until(NOW + 1)], true, "granted everywhere");
    check(&bundle("", ""), &[until(NOW)], false, "granted everywhere");
}

#[test]
fn a_signal_is_obeyed_by_the_purposes_that_say_so() {
    let yes = [entry(Granted, 9, "email")];
    for (purpose, signal, open) in [
        ("", true, true),
        ("    gpc: ignore\n", true, true),
        ("    gpc: refuse\n", true, false),
        ("    gpc: refuse\n", false, true),
    ] {
        let (found, _) = ask(&bundle("", purpose), &yes, Some("US-NY"), signal);
        assert_eq!(found, open, "{purpose} {signal}");
    }
}

#[test]
fn a_refusal_is_told_with_everything_that_the_gate_asks_for() {
    let told = |gate: &str, purpose: &str| {
        let bundle = bundle(gate, purpose);
        describe(&bundle, 1, None, None, bundle.placement("home_banner").unwrap().currency)
    };
    let why = "`consent.personal` (Personal offers need a consent in force, privacy notice section 4): ";
    let all = "    channel_opt_in: true\n    consent_age: 365d\n    bases: [consent, legitimate_interest]\n";
    assert_eq!(
        told(all, "    gpc: refuse\n"),
        format!(
            "{why}no consent for `offer_personalisation`, given for the channel itself, given at most 365d ago, on the \
             basis of consent or legitimate_interest, is in force, or the request carries `Sec-GPC: 1`"
        )
    );
}
