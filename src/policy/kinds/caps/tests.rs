//! Tests of caps at their boundaries: windows over both changes of the clocks, reservations, confirmations, rebuilding.
//! Draws no random history.

use super::*;
use crate::domain::{Catalogue, DecisionId, Offer, SubjectState};
use crate::policy::plain::judge;
use crate::policy::sample::{CAPS, bundle, files};
use crate::policy::{Reading, compile, describe};
use chrono_tz::Tz;

const HOUR: i64 = 3_600_000;

pub(in crate::policy) fn offer(id: &str, category: &str) -> Offer {
    serde_json::from_value(serde_json::json!({
        "offer_id": id, "category": category, "variants": [{"variant_id": "a"}],
        "price": {"amount": "10.00", "currency": "USD"}, "cost_of_goods": {"amount": "5.00", "currency": "USD"},
    }))
    .unwrap()
}

pub(in crate::policy) fn home(bundle: &Bundle) -> &Placement {
    bundle.placement("home_banner").unwrap()
}

/// The sample bundle with these caps and no others.
pub(in crate::policy) fn with_caps(caps: &[&str]) -> Bundle {
    let mut files = files();
    let file = files.iter_mut().find(|file| file.path == CAPS).unwrap();
    let list = caps.iter().enumerate();
    let list = list.map(|(at, cap)| format!("  - {{id: cap.{at}, why: Contact standard, {cap}}}\n"));
    file.text = format!("owner: care\nfrequency_caps:\n{}", list.collect::<String>());
    compile(&files).unwrap_or_else(|found| panic!("{}", found.iter().map(ToString::to_string).collect::<String>()))
}

/// A choice in the first slot, reserved for ten minutes.
pub(in crate::policy) fn chosen(number: u8, at: i64) -> Chosen {
    let decision = DecisionId::from_parts(1_700_000_000_000, [number; 10]);
    let stands_for = SubjectKinds::of(SubjectKind::Customer);
    Chosen { decision, slot: 0, at: Timestamp(at), reserved_until: Timestamp(at + HOUR / 6), stands_for }
}

pub(super) fn contact(number: u8, at: i64, offer: &str, seen: Option<i64>) -> Contact {
    Contact {
        chosen: chosen(number, at),
        placement: PlacementId::new("home_banner").unwrap(),
        offer: OfferId::new(offer).unwrap(),
        seen: seen.map(Timestamp),
        clicked: None,
        redeemed: None,
        events: Vec::new(),
        released: false,
    }
}

/// Sentences of the caps that leave an offer out.
fn left_out(bundle: &Bundle, offer: &Offer, state: Option<&SubjectState>, now: i64) -> Vec<String> {
    let windows = CapWindows::at(Timestamp(now), None);
    let verdict = judge(bundle, home(bundle), offer, state, &windows);
    let told = verdict.failed.iter().map(|f| describe(bundle, f.rule, f.observed, f.limit, home(bundle).currency));
    told.collect()
}

/// What caps counted: (position of the rule, used, limit).
fn triples(readings: &[Reading]) -> Vec<(u16, u32, u32)> {
    readings.iter().map(|reading| (reading.rule, reading.used, reading.limit)).collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn a_calendar_window_begins_at_local_midnight_whatever_the_clocks_did_since() {
    let check = |unit: CalendarUnit, zone: &str, now: &str, began: &str| {
        let zone: Tz = zone.parse().unwrap();
        let window = CapWindow::Calendar(unit, Zone::Customer);
        assert_eq!(window.from(at(now), zone), at(began), "{unit:?} {zone} {now}");
        assert_eq!(CapWindow::Calendar(unit, Zone::Named(zone)).from(at(now), Tz::UTC), at(began), "named {now}");
        assert!(window.kept_from(at(now)) <= at(began), "{now}");
    };
    use CalendarUnit::{Day, Month};
    let [week, from_sunday] = [chrono::Weekday::Mon, chrono::Weekday::Sun].map(CalendarUnit::Week);
    let (new_york, berlin) = ("America/New_York", "Europe/Berlin");
    // Spring: the day has 23 hours. In New York 2026-03-08, in Berlin 2026-03-29.
    check(Day, new_york, "2026-03-08T04:59:59.999Z", "2026-03-07T05:00:00Z");
    check(Day, new_york, "2026-03-08T05:00:00Z", "2026-03-08T05:00:00Z");
    check(Day, new_york, "2026-03-09T03:59:59.999Z", "2026-03-08T05:00:00Z");
    check(Day, new_york, "2026-03-09T04:00:00Z", "2026-03-09T04:00:00Z");
    check(Day, berlin, "2026-03-29T21:59:59.999Z", "2026-03-28T23:00:00Z");
    check(Day, berlin, "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z");
    // Autumn: the day has 25 hours. In New York 2026-11-01, in Berlin 2026-10-25.
    check(Day, new_york, "2026-11-02T04:59:59.999Z", "2026-11-01T04:00:00Z");
    check(Day, new_york, "2026-11-02T05:00:00Z", "2026-11-02T05:00:00Z");
    check(Day, berlin, "2026-10-25T22:59:59.999Z", "2026-10-24T22:00:00Z");
    check(Day, berlin, "2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z");
    // Weeks begin on Monday, unless the cap says otherwise, and have 167 or 169 hours there; months begin on the first.
    check(week, new_york, "2026-03-08T12:00:00Z", "2026-03-02T05:00:00Z");
    check(week, new_york, "2026-03-09T04:00:00Z", "2026-03-09T04:00:00Z");
    check(week, berlin, "2026-10-25T22:59:59.999Z", "2026-10-18T22:00:00Z");
    check(week, berlin, "2026-10-25T23:00:00Z", "2026-10-25T23:00:00Z");
    check(from_sunday, berlin, "2026-10-24T21:59:59.999Z", "2026-10-17T22:00:00Z");
    check(from_sunday, berlin, "2026-10-25T22:59:59.999Z", "2026-10-24T22:00:00Z");
    check(from_sunday, new_york, "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z");
    check(Month, new_york, "2026-03-31T12:00:00Z", "2026-03-01T05:00:00Z");
    check(Month, berlin, "2026-03-31T21:59:59.999Z", "2026-02-28T23:00:00Z");
    check(Month, berlin, "2026-03-31T22:00:00Z", "2026-03-31T22:00:00Z");
    check(Month, berlin, "2026-11-30T12:00:00Z", "2026-10-31T23:00:00Z");
    // Where the clocks leap over midnight the day begins behind the leap; where a day is left out, so does the next.
    check(Day, "America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z");
    check(Day, "Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z");
    check(Month, "UTC", "1969-12-31T23:59:59Z", "1969-12-01T00:00:00Z");
}

#[test]
fn a_calendar_cap_counts_the_hours_that_the_day_has() {
    let bundle = with_caps(&[
        "scope: [customer], max: 1, window: {calendar: day, time_zone: America/New_York}, counts: decision",
        "scope: [customer], max: 9, window: {calendar: day, time_zone: customer}, counts: decision",
    ]);
    let boots = offer("boots", "shoes");
    let used = |state: &SubjectState, now: &str, zone: Option<&str>| {
        let verdict = judge(&bundle, home(&bundle), &boots, Some(state), &CapWindows::at(at(now), zone));
        (verdict.failed.len(), verdict.readings.iter().map(|reading| reading.used).collect::<Vec<_>>())
    };
    let mut state = SubjectState::default();
    // Half past midnight on the day of 25 hours: full until the last millisecond before the next midnight.
    count_contact(&bundle, home(&bundle), &boots, &mut state, &chosen(1, at("2026-11-01T04:30:00Z").0));
    assert_eq!(used(&state, "2026-11-02T04:59:59.999Z", Some("America/New_York")), (1, vec![1, 1]));
    assert_eq!(used(&state, "2026-11-02T05:00:00Z", Some("America/New_York")), (0, vec![]));
    // Whose day it is says the request: in Berlin it is half past five in the morning, and UTC's day is the same.
    assert_eq!(used(&state, "2026-11-01T22:59:59.999Z", Some("Europe/Berlin")), (1, vec![1, 1]));
    assert_eq!(used(&state, "2026-11-01T23:00:00Z", Some("Europe/Berlin")), (1, vec![1]));
    assert_eq!(used(&state, "2026-11-01T23:30:00Z", None), (1, vec![1, 1]));
    assert_eq!(used(&state, "2026-11-02T00:00:00Z", None), (1, vec![1]));
}

#[test]
fn a_customer_at_the_cap_is_left_out_until_a_contact_is_exactly_a_window_old() {
    let bundle = bundle();
    let (placement, shoes) = (home(&bundle), offer("shoes", "shoes"));
    let mut state = SubjectState::default();
    for (number, at) in [(1, 0), (2, HOUR)] {
        assert_eq!(left_out(&bundle, &shoes, Some(&state), at), Vec::<String>::new());
        count_contact(&bundle, placement, &shoes, &mut state, &chosen(number, at));
    }
    let check = |now: i64, left_out: bool, readings: &[(u16, u32, u32)]| {
        let windows = CapWindows::at(Timestamp(now), None);
        let verdict = judge(&bundle, placement, &shoes, Some(&state), &windows);
        assert_eq!((!verdict.failed.is_empty(), triples(&verdict.readings).as_slice()), (left_out, readings), "{now}");
    };
    let (week, day) = (4, 5);
    check(24 * HOUR - 1, true, &[(week, 2, 40), (day, 2, 2)]);
    check(24 * HOUR, false, &[(week, 2, 40), (day, 1, 2)]);
    check(25 * HOUR, false, &[(week, 2, 40)]);
    check(8 * 24 * HOUR, false, &[]);
    let cap = "`cap.offer.day` (Nobody sees one offer more than twice a day, contact standard 3): ";
    let limit = format!("{cap}the cap of 2 decisions per customer and offer in 24h leaves no room");
    assert_eq!(left_out(&bundle, &shoes, Some(&state), 2 * HOUR), [limit]);
    assert_eq!(left_out(&bundle, &offer("other", "shoes"), Some(&state), 2 * HOUR), Vec::<String>::new());
    // Nobody to count for: every cap leaves the offer out, unless it says otherwise.
    assert_eq!(left_out(&bundle, &shoes, None, 0).len(), 2);
    let tail = "max: 1, window: lifetime, counts: decision, without_identifier: allow";
    assert_eq!(left_out(&with_caps(&[&format!("scope: [customer], {tail}")]), &shoes, None, 0).len(), 0);
}

#[test]
fn every_cap_is_told_in_words() {
    let check = |cap: &str, told: &str| {
        let bundle = with_caps(&[cap]);
        let expected = format!("`cap.0` (Contact standard): the cap of {told} leaves no room");
        assert_eq!(left_out(&bundle, &offer("o", "shoes"), None, 0), [expected]);
    };
    check("scope: [customer], max: 1, window: lifetime, counts: decision", "1 decision per customer in a lifetime");
    check(
        "scope: [customer, category], max: 2, window: {calendar: week, time_zone: customer}, counts: impression",
        "2 impressions per customer and category in a calendar week where the customer is",
    );
    check(
        "scope: [channel, customer], max: 3, window: {calendar: month, time_zone: Europe/Berlin}, counts: decision",
        "3 decisions per customer and channel in a calendar month in Europe/Berlin",
    );
}

#[test]
fn offers_categories_and_channels_count_apart() {
    let check = |scope: &str, shown: &str, expected: [usize; 3]| {
        let bundle = with_caps(&[&format!("scope: {scope}, max: 1, window: lifetime, counts: decision")]);
        let offers = [offer("boots", "shoes"), offer("sandals", "shoes"), offer("lamp", "home")];
        let mut state = SubjectState::default();
        let first = offers.iter().find(|offer| offer.offer_id.as_str() == shown).unwrap();
        count_contact(&bundle, home(&bundle), first, &mut state, &chosen(1, 0));
        let found = offers.each_ref().map(|offer| left_out(&bundle, offer, Some(&state), 1).len());
        assert_eq!(found, expected, "{scope}");
    };
    check("[customer]", "boots", [1, 1, 1]);
    check("[customer, offer]", "boots", [1, 0, 0]);
    check("[customer, category]", "boots", [1, 1, 0]);
    check("[customer, channel]", "boots", [1, 1, 1]);
}

#[test]
fn a_reservation_counts_until_it_ends_and_its_impression_counts_from_when_it_was_seen() {
    let bundle = with_caps(&["scope: [customer], max: 1, window: {rolling: 24h}, counts: impression"]);
    let (placement, boots) = (home(&bundle), offer("boots", "shoes"));
    let catalogue = Catalogue::new(1, vec![boots.clone()], Vec::new());
    let full = |state: &SubjectState, now: i64| !left_out(&bundle, &boots, Some(state), now).is_empty();
    let (minute, end) = (HOUR / 60, HOUR / 6);
    let mut reserved = SubjectState::default();
    count_contact(&bundle, placement, &boots, &mut reserved, &chosen(1, 0));
    assert_eq!([0, end - 1, end].map(|now| full(&reserved, now)), [true, true, false]);

    let confirm = |state: &SubjectState, number: u8, decided: i64, seen: i64, now: i64| {
        let mut state = state.clone();
        let contact = contact(number, decided, "boots", Some(seen));
        confirm_contact(&bundle, &catalogue, &contact, &mut state, Timestamp(now));
        state
    };
    let seen = confirm(&reserved, 1, 0, 5 * minute, 6 * minute);
    let ends = 24 * HOUR + 5 * minute;
    assert_eq!([6 * minute, end, ends - 1, ends].map(|now| full(&seen, now)), [true, true, true, false]);
    assert_eq!(confirm(&seen, 1, 0, 5 * minute, HOUR), seen, "confirmed once, however often it is told");
    assert_eq!(confirm(&reserved, 1, 0, -HOUR, 1), confirm(&reserved, 1, 0, 0, 1), "seen no earlier than decided");
    // Seen again later: still one contact, from then on.
    let again = confirm(&seen, 1, 0, HOUR, HOUR);
    assert_eq!(again, confirm(&confirm(&reserved, 1, 0, HOUR, HOUR), 1, 0, 5 * minute, HOUR), "in any order");
    assert_eq!(again.caps[0].held.len(), 1);
    // Confirmed after the reservation has ended and another was made: both count.
    let mut late = SubjectState::default();
    count_contact(&bundle, placement, &boots, &mut late, &chosen(1, 0));
    count_contact(&bundle, placement, &boots, &mut late, &chosen(2, end));
    assert_eq!(late.caps[0].held.len(), 1, "the first was released");
    let late = confirm(&late, 1, 0, 5 * minute, end + minute);
    let windows = CapWindows::at(Timestamp(end + minute), None);
    let readings = judge(&bundle, placement, &boots, Some(&late), &windows).readings;
    assert_eq!(readings.iter().map(|reading| reading.used).collect::<Vec<_>>(), [2]);
}

#[test]
fn counters_of_another_cap_set_are_marked_and_rebuilt_with_what_was_seen() {
    let cap = |window: &str| with_caps(&[&format!("scope: [customer], max: 2, window: {window}, counts: impression")]);
    let (old, new) = (cap("{rolling: 24h}"), cap("lifetime"));
    assert_ne!(old.cap_set, new.cap_set);
    let boots = offer("boots", "shoes");
    let catalogue = Catalogue::new(1, vec![boots.clone()], Vec::new());
    let mut state = SubjectState::default();
    count_contact(&old, home(&old), &boots, &mut state, &chosen(1, 0));
    confirm_contact(&new, &catalogue, &contact(1, 0, "boots", Some(1)), &mut state, Timestamp(2));
    assert!(state.cap_set != Some(new.cap_set) && state.cap_set != Some(old.cap_set) && state.cap_set.is_some());
    let contacts = [contact(1, 0, "boots", Some(1)), contact(2, 0, "boots", None), contact(3, 5, "boots", None)];
    rebuild_caps(&new, &catalogue, &contacts, &mut state, Timestamp(HOUR / 6 + 1));
    assert_eq!(state.cap_set, Some(new.cap_set));
    let held: Vec<_> = state.caps[0].held.iter().map(|hold| hold.held).collect();
    use crate::domain::Held::{ReservedUntil, SeenAt};
    assert_eq!(held, [ReservedUntil(Timestamp(5 + HOUR / 6)), SeenAt(Timestamp(1))], "the second has ended");
}

#[test]
fn the_cap_set_changes_with_whatever_changes_what_is_counted() {
    let base = "scope: [customer, offer], max: 2, window: {rolling: 24h}, counts: decision";
    let set = |cap: &str| with_caps(&[cap]).cap_set;
    for (from, to) in [
        ("[customer, offer]", "[customer]"),
        ("[customer, offer]", "[customer, category]"),
        ("max: 2", "max: 3"),
        ("{rolling: 24h}", "{rolling: 25h}"),
        ("{rolling: 24h}", "lifetime"),
        ("{rolling: 24h}", "{calendar: day, time_zone: customer}"),
        ("{rolling: 24h}", "{calendar: day, time_zone: Europe/Berlin}"),
        ("counts: decision", "counts: impression"),
        ("counts: decision", "counts: decision, applies_to: {channels: [web]}"),
    ] {
        assert_ne!(set(base), set(&base.replace(from, to)), "{to}");
    }
    assert_eq!(set(base), set(&format!("{base}, without_identifier: allow")), "it counts nothing");
}

#[test]
fn counters_keep_what_can_still_count_and_nothing_else() {
    let bundle = bundle();
    let (placement, shoes) = (home(&bundle), offer("shoes", "shoes"));
    let mut state = SubjectState::default();
    for at in 0..5 {
        count_contact(&bundle, placement, &shoes, &mut state, &chosen(0, at));
    }
    let shown = |state: &SubjectState| {
        let counters = state.caps.iter().map(|c| format!("{} {}", c.rule, c.at.len()));
        counters.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(shown(&state), "cap.all.week 5, cap.offer.day 2");
    let other = offer("other", "shoes");
    count_contact(&bundle, placement, &other, &mut state, &chosen(6, 30 * HOUR));
    assert_eq!(shown(&state), "cap.all.week 6, cap.offer.day 1");
    let without = with_caps(&["scope: [customer], max: 2, window: lifetime, counts: decision"]);
    assert_ne!(state.cap_set, Some(without.cap_set));
    count_contact(&without, placement, &other, &mut state, &chosen(7, 31 * HOUR));
    assert_eq!(shown(&state), "cap.0 1");
    assert_eq!(state.cap_set, Some(without.cap_set));
}

#[test]
fn a_contact_whose_offer_or_placement_is_gone_still_counts_where_it_may_belong() {
    let tail = "max: 9, window: {rolling: 1h}, counts: decision";
    let bundle = with_caps(&[
        &format!("scope: [customer], applies_to: {{categories: [home]}}, {tail}"),
        &format!("scope: [customer, category], {tail}"),
        &format!("scope: [customer, channel], {tail}"),
    ]);
    let catalogue = Catalogue::new(1, vec![offer("shoe", "shoes"), offer("lamp", "home")], Vec::new());
    let mut gone = contact(4, 0, "lamp", None);
    gone.placement = PlacementId::new("gone").unwrap();
    let contacts = [contact(1, 0, "shoe", None), contact(2, 0, "lamp", None), contact(3, 0, "gone", None), gone];
    let mut state = SubjectState::default();
    rebuild_caps(&bundle, &catalogue, &contacts, &mut state, Timestamp(1));
    let windows = CapWindows::at(Timestamp(1), None);
    let used = |id: &str| {
        let offer = catalogue.offer(id).unwrap();
        let verdict = judge(&bundle, home(&bundle), offer, Some(&state), &windows);
        verdict.readings.iter().map(|reading| reading.used).collect::<Vec<_>>()
    };
    assert_eq!(used("lamp"), [3, 3, 4], "the lamps and what is gone; every contact of a channel nobody knows");
    assert_eq!(used("shoe"), [2, 4]);
}

#[test]
fn a_click_or_an_order_confirms_what_was_reserved_for_it_and_nothing_else_does() {
    let day = "scope: [customer], max: 1, window: {rolling: 24h}";
    for counts in ["impression", "click", "redemption"] {
        let bundle = with_caps(&[&format!("{day}, counts: {counts}")]);
        let (placement, boots) = (home(&bundle), offer("boots", "shoes"));
        let catalogue = Catalogue::new(1, vec![boots.clone()], Vec::new());
        let full = |state: &SubjectState, now: i64| !left_out(&bundle, &boots, Some(state), now).is_empty();
        let mut reserved = SubjectState::default();
        count_contact(&bundle, placement, &boots, &mut reserved, &chosen(1, 0));
        let end = HOUR / 6;
        assert_eq!([0, end - 1, end].map(|now| full(&reserved, now)), [true, true, false], "{counts}: released");
        let confirmed = |seen: Option<i64>, clicked: Option<i64>, redeemed: Option<i64>| {
            let [clicked, redeemed] = [clicked, redeemed].map(|at| at.map(Timestamp));
            let contact = Contact { clicked, redeemed, ..contact(1, 0, "boots", seen) };
            let mut state = reserved.clone();
            confirm_contact(&bundle, &catalogue, &contact, &mut state, Timestamp(2));
            let mut rebuilt = SubjectState::default();
            rebuild_caps(&bundle, &catalogue, &[contact], &mut rebuilt, Timestamp(2));
            assert_eq!(rebuilt, state, "{counts}");
            [end, 24 * HOUR, 24 * HOUR + 1].map(|now| full(&state, now))
        };
        let (yes, no) = ([true, true, false], [false; 3]);
        assert_eq!(confirmed(Some(1), None, None), if counts == "impression" { yes } else { no }, "{counts}: seen");
        assert_eq!(confirmed(None, Some(1), None), if counts == "click" { yes } else { no }, "{counts}: followed");
        assert_eq!(confirmed(None, None, Some(1)), if counts == "redemption" { yes } else { no }, "{counts}: bought");
        // Long after the reservation has ended: counted all the same.
        let mut late = reserved.clone();
        count_contact(&bundle, placement, &boots, &mut late, &chosen(2, 2 * end));
        let [clicked, redeemed] = [Some(Timestamp(3 * end)); 2];
        let event = Contact { clicked, redeemed, ..contact(1, 0, "boots", Some(3 * end)) };
        confirm_contact(&bundle, &catalogue, &event, &mut late, Timestamp(3 * end));
        assert_eq!([3 * end, 24 * HOUR + 3 * end - 1, 24 * HOUR + 3 * end].map(|now| full(&late, now)), yes);
    }
}

/// The sample bundle with one cap, and with this in its first placement.
fn with_placement(cap: &str, fields: &str) -> Bundle {
    let mut files = with_caps(&[cap]).sources;
    let file = files.iter_mut().find(|file| file.path == "placements.yaml").unwrap();
    file.text = file.text.replacen("    channel: web\n", &format!("    channel: web\n{fields}"), 1);
    compile(&files).unwrap()
}

#[test]
fn a_placement_may_be_asked_whatever_caps_say_and_may_use_none_of_them_up() {
    let cap = "scope: [customer], max: 1, window: lifetime, counts: decision";
    let check = |fields: &str, (first, used): (usize, usize)| {
        let bundle = with_placement(cap, fields);
        let boots = offer("boots", "shoes");
        let catalogue = Catalogue::new(1, vec![boots.clone()], Vec::new());
        let mut state = SubjectState::default();
        count_contact(&bundle, home(&bundle), &boots, &mut state, &chosen(1, 0));
        let mut rebuilt = SubjectState::default();
        rebuild_caps(&bundle, &catalogue, &[contact(1, 0, "boots", Some(0))], &mut rebuilt, Timestamp(1));
        assert_eq!(rebuilt.caps, state.caps, "a rebuild counts as little: {fields}");
        let other = bundle.placement("home_banner_linucb").unwrap();
        let windows = CapWindows::at(Timestamp(1), None);
        let left_out = |placement| judge(&bundle, placement, &boots, Some(&state), &windows).failed.len();
        assert_eq!((left_out(home(&bundle)), left_out(other)), (first, used), "{fields}");
        bundle.cap_set
    };
    let plain = check("", (1, 1));
    assert_eq!(check("    obeys_caps: true\n    counts_toward_caps: true\n", (1, 1)), plain);
    assert_eq!(check("    obeys_caps: false\n", (0, 1)), plain, "it counts as before");
    assert_ne!(check("    counts_toward_caps: false\n", (0, 0)), plain);
    assert_ne!(check("    obeys_caps: false\n    counts_toward_caps: false\n", (0, 0)), plain);
}

#[test]
fn counters_stay_valid_where_nobody_uses_the_newer_words() {
    // Written down once: whoever changes what is fed rebuilds the counters of every customer.
    let hex = |caps: &[&str]| with_caps(caps).cap_set.hex();
    let caps = [
        "scope: [customer, offer], max: 2, window: {calendar: week, time_zone: customer}, counts: impression",
        "scope: [customer], max: 9, window: {rolling: 7d}, counts: decision}\ncool_downs:\n  - {id: c, why: So, scope: \
         [customer], after: {event: reject, times: 2, within: 5d}, suppress_for: 9d",
    ];
    insta::assert_snapshot!(hex(&caps), @"
    d1fdecc7400d6938da5e44710f2aefed97837e64bf23de7e3cf876cf34b7d4a5
    ");
    assert_eq!(hex(&[&caps[0].replace("customer}", "customer, week_starts: monday}"), caps[1]]), hex(&caps));
    assert_eq!(hex(&[caps[0], &caps[1].replacen("[customer]", "[customer, all]", 1)]), hex(&caps));
    assert_ne!(hex(&[&caps[0].replace("customer}", "customer, week_starts: sunday}"), caps[1]]), hex(&caps));
    assert_ne!(hex(&[caps[0], &caps[1].replace("within: 5d", "within: 5d, unless: click")]), hex(&caps));
}
