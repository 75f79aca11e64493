//! Laws of cool-downs over random histories, and what their authors see when they make mistakes. Starts no service.

use proptest::prelude::*;

use super::caps::CapWindows;
use super::caps::tests::{chosen, home, offer, with_caps};
use crate::domain::outcome::OutcomeKind;
use crate::domain::{Catalogue, Offer, SubjectState, Timestamp};
use crate::policy::judged::judge;
use crate::policy::sample::{CAPS, wrong};
use crate::policy::{Bundle, Contact, confirm_contact, count_contact, describe, rebuild_caps};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

const RULES: &str = "scope: [customer], max: 1000, window: {rolling: 1h}, counts: decision}\ncool_downs:\n  - {id: \
                     cool, why: Contact standard, scope: [customer, category], after: {event: reject, times: 2, within: 5d}, \
                     suppress_for: 9d";

fn shop() -> (Bundle, [Offer; 3], Catalogue) {
    let offers = [("a", "shoes"), ("b", "shoes"), ("c", "home")].map(|(id, category)| offer(id, category));
    let catalogue = Catalogue::new(1, offers.to_vec(), Vec::new());
    (with_caps(&[RULES]), offers, catalogue)
}

fn rejected(number: u8, shown: i64, offer: &Offer, at: Option<i64>) -> Contact {
    Contact {
        chosen: chosen(number, shown),
        placement: home(&shop().0).id.clone(),
        offer: offer.offer_id.clone(),
        seen: None,
        clicked: None,
        redeemed: None,
        events: at.map(|at| (OutcomeKind::Reject, Timestamp(at))).into_iter().collect(),
        released: false,
    }
}

/// What the rule says of an offer, in words.
fn told(bundle: &Bundle, offer: &Offer, state: &SubjectState, now: i64) -> Option<(u32, Option<Timestamp>)> {
    told_by("cool", bundle, offer, state, now)
}

/// What a rule says of an offer: how many events it counts and until when they leave it out, if they do.
fn told_by(
    id: &str,
    bundle: &Bundle,
    offer: &Offer,
    state: &SubjectState,
    now: i64,
) -> Option<(u32, Option<Timestamp>)> {
    let windows = CapWindows::at(Timestamp(now), None);
    let verdict = judge(bundle, home(bundle), offer, Some(state), &windows);
    let is_it = |rule: u16| bundle.rule(rule).is_some_and(|rule| rule.id.as_str() == id);
    let failed = verdict.failed.iter().any(|failed| is_it(failed.rule));
    let reading = verdict.readings.iter().find(|reading| is_it(reading.rule));
    failed.then(|| reading.map_or((0, None), |reading| (reading.used, reading.until)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_and_however_often_events_come_offers_rest_exactly_as_a_slow_count_says(
        steps in prop::collection::vec((0_i64..3 * DAY, 0_usize..3, prop::option::of(-HOUR..4 * DAY)), 1..40),
        order in any::<u64>(),
        later in 0_i64..12 * DAY,
    ) {
        let (bundle, offers, catalogue) = shop();
        let mut state = SubjectState::default();
        let (mut shown, mut contacts) = (0, Vec::new());
        for (number, (pause, which, after)) in (0_u8..).zip(steps) {
            shown += pause;
            contacts.push((which, rejected(number, shown, &offers[which], after.map(|after| shown + after))));
            count_contact(&bundle, home(&bundle), &offers[which], &mut state, &chosen(number, shown));
        }
        let now = shown + later;
        // Each twice, in an order that chance makes.
        let mut arriving: Vec<&Contact> = contacts.iter().chain(&contacts).map(|(_, contact)| contact).collect();
        arriving.sort_by_key(|contact| u64::from(contact.chosen.decision.as_bytes()[6]).wrapping_mul(order | 1) % 257);
        for contact in arriving.iter().filter(|contact| !contact.events.is_empty()) {
            confirm_contact(&bundle, &catalogue, contact, &mut state, Timestamp(shown));
        }
        let mut rebuilt = SubjectState::default();
        let plain: Vec<Contact> = contacts.iter().rev().map(|(_, contact)| contact.clone()).collect();
        rebuild_caps(&bundle, &catalogue, &plain, &mut rebuilt, Timestamp(shown));
        prop_assert_eq!(&rebuilt.caps, &state.caps, "a rebuild gives the same counters");
        for (at, offer) in offers.iter().enumerate() {
            let same = |which: &usize| offers[*which].category == offers[at].category;
            // A source's clock may be behind: nothing happens before it was decided.
            let happened = |(_, contact): &(usize, Contact)| {
                contact.events.iter().map(|(_, at)| at.0.max(contact.chosen.at.0)).collect::<Vec<_>>()
            };
            let mut events: Vec<i64> = contacts.iter().filter(|(which, _)| same(which)).flat_map(happened).collect();
            events.sort_unstable();
            let pairs = events.windows(2).filter(|pair| pair[1] - pair[0] <= 5 * DAY);
            let until = pairs.map(|pair| pair[1] + 9 * DAY).max().filter(|until| *until > now);
            let found = told(&bundle, offer, &state, now);
            prop_assert_eq!(found.map(|(_, until)| until), until.map(|until| Some(Timestamp(until))));
        }
    }
}

/// What happened after an offer was shown: seen, followed and bought so long after.
type Fate = (Option<i64>, Option<i64>, Option<i64>);

fn fates() -> impl Strategy<Value = Fate> {
    let may = |most: i64| prop::option::of(-HOUR..most);
    (may(2 * DAY), prop::option::weighted(0.2, -HOUR..3 * DAY), prop::option::weighted(0.1, -HOUR..4 * DAY))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_seen_again_and_again_rests_unless_it_was_followed_and_what_was_followed_unless_it_was_bought(
        steps in prop::collection::vec((0_i64..2 * DAY, 0_usize..3, fates()), 1..40),
        order in any::<u64>(),
        later in 0_i64..8 * DAY,
    ) {
        let rules = "scope: [customer], max: 1000, window: {rolling: 1h}, counts: decision}\ncool_downs:\n  - {id: \
                     cool, why: Weary, scope: [customer, offer], after: {event: impression, times: 3, within: 6d, unless: \
                     click}, suppress_for: 7d}\n  - {id: chased, why: Chased, scope: [customer, category], after: {event: \
                     click, unless: order}, suppress_for: 2d";
        let (_, offers, catalogue) = shop();
        let bundle = with_caps(&[rules]);
        let (mut state, mut shown, mut contacts) = (SubjectState::default(), 0, Vec::new());
        for (number, (pause, which, (seen, clicked, bought))) in (0_u8..).zip(steps) {
            shown += pause;
            let kinds = [(OutcomeKind::Impression, seen), (OutcomeKind::Click, clicked), (OutcomeKind::Order, bought)];
            let each = kinds.into_iter().filter_map(|(kind, after)| Some((kind, Timestamp(shown + after?))));
            contacts.push((which, Contact { events: each.collect(), ..rejected(number, shown, &offers[which], None) }));
            count_contact(&bundle, home(&bundle), &offers[which], &mut state, &chosen(number, shown));
        }
        let now = shown + later;
        // Each event by itself and twice, in an order that chance makes.
        let one = |contact: &Contact, event| Contact { events: vec![event], ..contact.clone() };
        let each = contacts.iter().map(|(_, contact)| contact.events.iter().map(move |event| one(contact, *event)));
        let mut arriving: Vec<Contact> = each.flatten().collect();
        arriving.extend(arriving.clone());
        let mixed = |event: &Contact| {
            event.events.iter().map(|(kind, at)| at.0.unsigned_abs() ^ (*kind as u64)).sum::<u64>()
        };
        arriving.sort_by_key(|event| mixed(event).wrapping_mul(order | 1) % 257);
        for event in &arriving {
            confirm_contact(&bundle, &catalogue, event, &mut state, Timestamp(shown));
        }
        let mut rebuilt = SubjectState::default();
        let plain: Vec<Contact> = contacts.iter().rev().map(|(_, contact)| contact.clone()).collect();
        rebuild_caps(&bundle, &catalogue, &plain, &mut rebuilt, Timestamp(shown));
        prop_assert_eq!(&rebuilt.caps, &state.caps, "a rebuild gives the same counters");
        for (at, offer) in offers.iter().enumerate() {
            // The instants of one kind, of the contacts with some offers.
            let of = |kind: OutcomeKind, same: &dyn Fn(usize) -> bool| {
                // A source's clock may be behind: nothing happens before it was decided.
                let happened = |contact: &Contact| {
                    let own = contact.events.iter().filter(|(k, _)| *k == kind);
                    own.map(|(_, at)| at.0.max(contact.chosen.at.0)).collect::<Vec<_>>()
                };
                let of = contacts.iter().filter(|(which, _)| same(*which));
                let mut instants: Vec<i64> = of.flat_map(|(_, contact)| happened(contact)).collect();
                instants.sort_unstable();
                instants
            };
            let behind = |instants: Vec<i64>, undoing: Vec<i64>| -> Vec<i64> {
                instants.into_iter().filter(|at| undoing.iter().all(|undone| at > undone)).collect()
            };
            let own = |which: usize| which == at;
            let alike = |which: usize| offers[which].category == offers[at].category;
            let seen = behind(of(OutcomeKind::Impression, &own), of(OutcomeKind::Click, &own));
            let weary = seen.windows(3).filter(|run| run[2] - run[0] <= 6 * DAY).map(|run| run[2] + 7 * DAY).max();
            let clicked = behind(of(OutcomeKind::Click, &alike), of(OutcomeKind::Order, &alike));
            let chased = clicked.iter().max().map(|last| last + 2 * DAY);
            for (rule, until) in [("cool", weary), ("chased", chased)] {
                let until = until.filter(|until| *until > now).map(|until| Some(Timestamp(until)));
                prop_assert_eq!(told_by(rule, &bundle, offer, &state, now).map(|(_, until)| until), until, "{}", rule);
            }
        }
    }
}

#[test]
fn what_undoes_a_cool_down_is_told_and_ends_one_that_has_begun() {
    let told = |after: &str| {
        let rules = RULES.replace("{event: reject, times: 2, within: 5d}", after);
        let bundle = with_caps(&[&rules]);
        let at = bundle.rules.iter().position(|rule| rule.id.as_str() == "cool").unwrap();
        describe(&bundle, u16::try_from(at).unwrap(), None, None, home(&bundle).currency)
    };
    insta::assert_snapshot!(told("{event: impression, times: 5, within: 7d, unless: click}"), @"
    `cool` (Contact standard): after 5 impressions within 7d of this category without a click since, nothing of it is shown for 9d
    ");
    insta::assert_snapshot!(told("{event: click, unless: order}"), @"
    `cool` (Contact standard): after a click of this category without an order since, nothing of it is shown for 9d
    ");
    insta::assert_snapshot!(told("{event: impression}"), @"
    `cool` (Contact standard): after an impression of this category nothing of it is shown for 9d
    ");
    let (_, offers, catalogue) = shop();
    let bundle = with_caps(&[&RULES.replace("{event: reject, times: 2, within: 5d}", "{event: click, unless: order}")]);
    let mut state = SubjectState::default();
    count_contact(&bundle, home(&bundle), &offers[0], &mut state, &chosen(1, 0));
    let mut happens = |kind, at| {
        let event = Contact { events: vec![(kind, Timestamp(at))], ..rejected(1, 0, &offers[0], None) };
        confirm_contact(&bundle, &catalogue, &event, &mut state, Timestamp(at));
        self::told(&bundle, &offers[1], &state, at).map(|(_, until)| until)
    };
    assert_eq!(happens(OutcomeKind::Click, HOUR), Some(Some(Timestamp(HOUR + 9 * DAY))));
    assert_eq!(happens(OutcomeKind::Impression, 2 * HOUR), Some(Some(Timestamp(HOUR + 9 * DAY))), "undoes nothing");
    assert_eq!(happens(OutcomeKind::Order, 3 * HOUR), None);
    assert_eq!(happens(OutcomeKind::Click, 3 * HOUR), None, "at the same instant, told later");
    assert_eq!(happens(OutcomeKind::Click, 4 * HOUR), Some(Some(Timestamp(4 * HOUR + 9 * DAY))), "it starts anew");
}

#[test]
fn a_cool_down_ends_exactly_when_it_says_and_nobody_known_is_left_out() {
    let (bundle, offers, catalogue) = shop();
    let mut state = SubjectState::default();
    for (number, at) in [(1, 0), (2, 5 * DAY)] {
        count_contact(&bundle, home(&bundle), &offers[0], &mut state, &chosen(number, at));
        confirm_contact(&bundle, &catalogue, &rejected(number, at, &offers[0], Some(at)), &mut state, Timestamp(at));
    }
    let end = Some((2, Some(Timestamp(14 * DAY))));
    assert_eq!(told(&bundle, &offers[1], &state, 14 * DAY - 1), end, "of the same category");
    assert_eq!(told(&bundle, &offers[1], &state, 14 * DAY), None);
    assert_eq!(told(&bundle, &offers[2], &state, 6 * DAY), None, "of another category");
    let windows = CapWindows::at(Timestamp(0), None);
    let nobody = judge(&bundle, home(&bundle), &offers[0], None, &windows);
    assert_eq!(nobody.failed.len(), 2, "for nobody neither the cap nor the cool-down can be counted");
    let at = nobody.failed[1].rule;
    let currency = home(&bundle).currency;
    insta::assert_snapshot!(
        describe(&bundle, at, None, Some(2), currency),
        @"`cool` (Contact standard): after 2 rejects within 5d of this category nothing of it is shown for 9d"
    );
}

#[test]
fn what_happened_in_one_category_is_not_added_to_another_and_an_offer_that_is_gone_rests_with_none() {
    let (bundle, [mut both, shoe, home_only], _) = shop();
    both.more_categories = home_only.category.iter().cloned().collect();
    let catalogue = Catalogue::new(1, vec![both.clone(), shoe.clone(), home_only.clone()], Vec::new());
    let resting = |rejected: &[&Offer]| {
        let contacts: Vec<Contact> =
            (1..).zip(rejected).map(|(number, offer)| self::rejected(number, 0, offer, Some(0))).collect();
        let mut state = SubjectState::default();
        rebuild_caps(&bundle, &catalogue, &contacts, &mut state, Timestamp(1));
        [&both, &shoe, &home_only].map(|offer| told(&bundle, offer, &state, 1).is_some())
    };
    assert_eq!(resting(&[&shoe, &home_only]), [false; 3], "one of each is two of none");
    assert_eq!(resting(&[&both, &home_only]), [true, false, true]);
    assert_eq!(resting(&[&both, &both]), [true; 3]);
    let gone = offer("gone", "shoes");
    assert_eq!(resting(&[&gone, &gone]), [false; 3]);
}

const WHOLE: &str =
    "    scope: [customer, offer]\n    after: {event: reject, times: 3, within: 30d}\n    suppress_for: 14d";

/// What is said of a cool-down with these fields.
fn cool(rule: &str) -> String {
    let rule = format!("owner: customer-care\ncool_downs:\n  - id: cool\n    why: Contact standard 9\n{rule}");
    wrong(CAPS, "owner: customer-care", &format!("{rule}\n"))
}

#[test]
fn each_mistake_in_a_cool_down_is_shown_with_its_place_and_a_way_out() {
    let with = |old: &str, new: &str| cool(&WHOLE.replace(old, new));
    insta::assert_snapshot!(with("event: reject", "event: refuse"), @"
    error[P0106]: rule `cool`: after: unknown event `refuse`
     --> rules/30-caps.yaml:6:20
      |
    6 |     after: {event: refuse, times: 3, within: 30d}
      |                    ^^^^^^ unknown event
      = help: expected one of `reject`, `order`, `return`, `click`, `impression`
    ");
    insta::assert_snapshot!(with(", within: 30d", ""), @"
    error[P0102]: rule `cool`: after: it is not said within what span the 3 events lie
     --> rules/30-caps.yaml:6:13
      |
    6 |     after: {event: reject, times: 3}
      |             ^^^^^ no `within` here
      = help: add it, such as `within: 30d`
    ");
    insta::assert_snapshot!(with("times: 3", "times: 0"), @"
    error[P0105]: rule `cool`: after: `0` is out of range: expected a whole number from 1 to 20
     --> rules/30-caps.yaml:6:35
      |
    6 |     after: {event: reject, times: 0, within: 30d}
      |                                   ^ expected a whole number from 1 to 20
    ");
    insta::assert_snapshot!(with("times: 3, ", ""), @"
    error[P0101]: rule `cool`: after: one event is within any span
     --> rules/30-caps.yaml:6:36
      |
    6 |     after: {event: reject, within: 30d}
      |                                    ^^^ not used
      = help: remove `within`, or say how many events it takes, such as `times: 3`
    ");
    insta::assert_snapshot!(with("suppress_for: 14d", "suppress_for: 0d"), @"
    error[P0105]: rule `cool`: `0d` is out of range: expected a span longer than zero
     --> rules/30-caps.yaml:7:19
      |
    7 |     suppress_for: 0d
      |                   ^^ expected a span longer than zero
    ");
    insta::assert_snapshot!(with("suppress_for: 14d", "for: 14d"), @r"
    error[P0102]: rule `cool`: field `suppress_for` is missing
     --> rules/30-caps.yaml:3:5
      |
    3 |   - id: cool
      |     ^^ no `suppress_for` here
      = help: add it, such as `suppress_for: 14d`

    error[P0101]: rule `cool`: unknown field `for`
     --> rules/30-caps.yaml:7:5
      |
    7 |     for: 14d
      |     ^^^ unknown field
      = help: the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`,
              `overridable`, `scope`, `after`, `suppress_for`, `without_identifier`
    ");
}

#[test]
fn each_mistake_in_what_counts_and_in_what_undoes_it_is_shown_with_its_place_and_a_way_out() {
    let with = |old: &str, new: &str| cool(&WHOLE.replace(old, new));
    insta::assert_snapshot!(with("[customer, offer]", "[customer, channel]"), @"
    error[P0106]: rule `cool`: a cool-down is about offers, not about a channel
     --> rules/30-caps.yaml:5:12
      |
    5 |     scope: [customer, channel]
      |            ^ no `channel` here
      = help: write `[customer]`, `[customer, offer]`, `[customer, category]` or `[customer, campaign]`; to
              limit it to a channel name it in `applies_to: {channels: [...]}`
    ");
    insta::assert_snapshot!(with("[customer, offer]", "[offer]"), @"
    error[P0106]: rule `cool`: a cool-down counts for a customer
     --> rules/30-caps.yaml:5:12
      |
    5 |     scope: [offer]
      |            ^ no `customer`
      = help: write `[customer]` for all offers together, or `[customer, offer]`, `[customer, category]`,
              `[customer, campaign]` or `[customer, channel]` for each of these by itself
    ");
    insta::assert_snapshot!(with("within: 30d", "within: 30d, unless: return"), @"
    error[P0106]: rule `cool`: after: unknown event `return`
     --> rules/30-caps.yaml:6:59
      |
    6 |     after: {event: reject, times: 3, within: 30d, unless: return}
      |                                                           ^^^^^^ unknown event
      = help: expected one of `click`, `order`
    ");
    insta::assert_snapshot!(with("event: reject, times: 3, within: 30d", "event: click, unless: click"), @"
    error[P0240]: rule `cool`: after: a `click` does not undo `click`
     --> rules/30-caps.yaml:6:35
      |
    6 |     after: {event: click, unless: click}
      |                                   ^^^^^ does not follow from it
      = help: expected `order`
    ");
    insta::assert_snapshot!(with("event: reject, times: 3, within: 30d", "event: order, unless: click"), @"
    error[P0240]: rule `cool`: after: a `click` does not undo `order`
     --> rules/30-caps.yaml:6:35
      |
    6 |     after: {event: order, unless: click}
      |                                   ^^^^^ does not follow from it
      = help: remove `unless`: nothing makes it as if there had been no `order`
    ");
    insta::assert_snapshot!(with("event: reject", "event: unsubscribe"), @"
    error[P0113]: rule `cool`: after: event `unsubscribe` is not available yet
     --> rules/30-caps.yaml:6:20
      |
    6 |     after: {event: unsubscribe, times: 3, within: 30d}
      |                    ^^^^^^^^^^^ not available yet
      = help: available now: `reject`, `order`, `return`, `click`, `impression`
    ");
}
