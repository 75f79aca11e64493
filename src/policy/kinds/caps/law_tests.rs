//! Laws of caps over random histories: never passed, and the same counters in any order. Compares with a slow count.

use proptest::prelude::*;

use super::tests::{chosen, contact, home, offer, with_caps};
use super::*;
use crate::domain::{Catalogue, Held, SubjectState};
use crate::policy::plain::judge;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What happens to a decision: never seen, or seen so long after it and told so long after that.
fn fates() -> impl Strategy<Value = Option<(i64, i64)>> {
    prop_oneof![
        2 => Just(None),
        3 => (0..9 * MINUTE, 0..MINUTE).prop_map(Some),
        1 => (0..HOUR, 0..HOUR).prop_map(Some),
    ]
}

/// A decision as the slow count knows it.
struct Told {
    number: u8,
    at: i64,
    which: usize,
    seen: Option<(i64, i64)>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn caps_hold_by_a_slow_count_and_a_rebuild_gives_the_same_counters(
        steps in prop::collection::vec((0_i64..9 * HOUR, 0_usize..3), 1..120)
    ) {
        let bundle = with_caps(&[
            "scope: [customer, offer], max: 2, window: {rolling: 24h}, counts: decision",
            "scope: [customer], max: 9, window: {rolling: 7d}, counts: decision",
            "scope: [customer, category], max: 4, window: {calendar: day, time_zone: Europe/Berlin}, counts: decision",
        ]);
        let placement = home(&bundle);
        let offers = [("a", "shoes"), ("b", "shoes"), ("c", "home")].map(|(id, category)| offer(id, category));
        let mut state = SubjectState::default();
        let mut shown: Vec<Contact> = Vec::new();
        // Over the autumn change of the clocks.
        let mut now = Timestamp::parse("2026-10-23T12:00:00Z").unwrap().0;
        let berlin = |at: i64| {
            let at = chrono::DateTime::from_timestamp_millis(at).unwrap();
            at.with_timezone(&chrono_tz::Europe::Berlin).date_naive()
        };
        for (number, (pause, which)) in (0_u8..).zip(steps) {
            now += pause;
            let offer = &offers[which];
            let count = |of: &dyn Fn(&Contact) -> bool| shown.iter().filter(|contact| of(contact)).count();
            let of_offer = count(&|c| c.offer == offer.offer_id && now - c.chosen.at.0 < 24 * HOUR);
            let of_all = count(&|c| now - c.chosen.at.0 < 7 * 24 * HOUR);
            let of_category = count(&|c| {
                let same = offers.iter().any(|o| o.offer_id == c.offer && o.category == offer.category);
                same && berlin(c.chosen.at.0) == berlin(now)
            });
            prop_assert!(of_offer <= 2 && of_all <= 9 && of_category <= 4);
            let windows = CapWindows::at(Timestamp(now), None);
            let verdict = judge(&bundle, placement, offer, Some(&state), &windows);
            prop_assert_eq!(verdict.failed.is_empty(), of_offer < 2 && of_all < 9 && of_category < 4);
            if verdict.failed.is_empty() {
                count_contact(&bundle, placement, offer, &mut state, &chosen(number, now));
                shown.push(contact(number, now, offer.offer_id.as_str(), None));
            }
        }
        let mut rebuilt = SubjectState::default();
        let catalogue = Catalogue::new(1, offers.to_vec(), Vec::new());
        shown.reverse();
        let last = shown.first().map_or(now, |contact| contact.chosen.at.0);
        rebuild_caps(&bundle, &catalogue, &shown, &mut rebuilt, Timestamp(last));
        prop_assert_eq!(&rebuilt.caps, &state.caps);
        prop_assert_eq!(rebuilt.cap_set, Some(bundle.cap_set));
    }

    #[test]
    fn confirmed_and_reserved_never_pass_the_cap_unless_a_confirmation_came_too_late(
        steps in prop::collection::vec((0_i64..HOUR, 0_usize..3, fates()), 1..100)
    ) {
        let bundle = with_caps(&[
            "scope: [customer, offer], max: 2, window: {rolling: 5h}, counts: impression",
            "scope: [customer], max: 3, window: {rolling: 3h}, counts: impression",
        ]);
        let placement = home(&bundle);
        let offers = ["a", "b", "c"].map(|id| offer(id, "shoes"));
        let catalogue = Catalogue::new(1, offers.to_vec(), Vec::new());
        let mut state = SubjectState::default();
        let mut told: Vec<Told> = Vec::new();
        let mut waiting: Vec<(i64, usize)> = Vec::new();
        let mut now = 0;
        for (number, (pause, which, fate)) in (0_u8..).zip(steps) {
            now += pause;
            // What was seen is told by now, in the order of its arrival, each twice.
            waiting.sort_unstable();
            while waiting.first().is_some_and(|(arrives, _)| *arrives <= now) {
                let (arrives, at) = waiting.remove(0);
                let Told { number, at, which, seen } = &told[at];
                let seen = contact(*number, *at, offers[*which].offer_id.as_str(), seen.map(|(seen, _)| seen));
                for _ in 0..2 {
                    confirm_contact(&bundle, &catalogue, &seen, &mut state, Timestamp(arrives));
                }
            }
            let offer = &offers[which];
            let in_time = |told: &Told| told.seen.is_none_or(|(_, arrives)| arrives < told.at + HOUR / 6);
            let used = |of: Option<usize>, span: i64, all: bool| {
                let known = told.iter().filter(|told| of.is_none_or(|of| of == told.which));
                known.filter(|told| all || in_time(told)).filter(|told| match told.seen {
                    Some((seen, arrives)) if arrives <= now => now - seen < span,
                    _ => now < told.at + HOUR / 6,
                }).count()
            };
            prop_assert!(used(Some(which), 5 * HOUR, false) <= 2 && used(None, 3 * HOUR, false) <= 3);
            let room = used(Some(which), 5 * HOUR, true) < 2 && used(None, 3 * HOUR, true) < 3;
            let windows = CapWindows::at(Timestamp(now), None);
            let verdict = judge(&bundle, placement, offer, Some(&state), &windows);
            prop_assert_eq!(verdict.failed.is_empty(), room);
            if room {
                count_contact(&bundle, placement, offer, &mut state, &chosen(number, now));
                let seen = fate.map(|(after, told)| (now + after, now + after + told));
                waiting.extend(seen.map(|(_, arrives)| (arrives, told.len())));
                told.push(Told { number, at: now, which, seen });
            }
        }
        // All that is kept: per cap and offer at most as many confirmed and as many reserved as the cap allows.
        for counter in &state.caps {
            let reserved = counter.held.iter().filter(|hold| matches!(hold.held, Held::ReservedUntil(_))).count();
            let max = if counter.of.is_some() { 2 } else { 3 };
            prop_assert!(reserved <= max && counter.held.len() - reserved <= max);
        }
    }

    #[test]
    fn any_order_of_what_was_seen_gives_the_counters_of_a_rebuild(
        decisions in prop::collection::vec(
            (0_i64..3 * HOUR, 0_usize..2, prop::collection::vec(0_i64..2 * HOUR, 0..3)), 1..8,
        ),
        order in prop::collection::vec(any::<u32>(), 24),
    ) {
        let bundle = with_caps(&[
            "scope: [customer, offer], max: 2, window: {rolling: 2h}, counts: impression",
            "scope: [customer, category], max: 3, window: lifetime, counts: impression",
        ]);
        let offers = ["a", "b"].map(|id| offer(id, "shoes"));
        let catalogue = Catalogue::new(1, offers.to_vec(), Vec::new());
        let end = Timestamp(6 * HOUR);
        let mut state = SubjectState::default();
        let (mut contacts, mut events) = (Vec::new(), Vec::new());
        for (number, (at, which, seen)) in (0_u8..).zip(&decisions) {
            count_contact(&bundle, home(&bundle), &offers[*which], &mut state, &chosen(number, *at));
            let told = |seen| contact(number, *at, offers[*which].offer_id.as_str(), seen);
            contacts.push(told(seen.iter().max().map(|after| at + after)));
            events.extend(seen.iter().map(|after| told(Some(at + after))));
        }
        let mut shuffled: Vec<(u32, Contact)> = order.into_iter().zip(events).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        for (_, event) in &shuffled {
            confirm_contact(&bundle, &catalogue, event, &mut state, end);
        }
        // Whoever reads it next counts as of then.
        confirm_contact(&bundle, &catalogue, &contact(99, 6 * HOUR, "gone", Some(6 * HOUR)), &mut state, end);
        let mut rebuilt = SubjectState::default();
        contacts.push(contact(99, 6 * HOUR, "gone", Some(6 * HOUR)));
        rebuild_caps(&bundle, &catalogue, &contacts, &mut rebuilt, end);
        prop_assert_eq!(rebuilt, state);
    }
}
