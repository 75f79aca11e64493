//! The law of calendar caps: what a day, a week or a month counts, across changes of the clocks in ten zones. Compares
//! with a slow, obvious model that walks back minute by minute and looks at the date on the wall.
//!
//! `PROFFER_TEST_SEEDS` plays more rounds; every tenth of them is in another zone.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Offset as _, Weekday};
use chrono_tz::Tz;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::tests::{chosen, contact, home, offer, with_caps};
use super::*;
use crate::domain::{Catalogue, SubjectState};
use crate::policy::plain::judge;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// With the years whose changes are played. Clocks leap over midnight in Santiago, Cairo, Tehran and Havana, show it
/// twice in Havana, go back from a minute past it in St John's, move by half an hour on Lord Howe; Apia left a day
/// out.
const ZONES: [(&str, [i32; 2]); 10] = [
    ("America/New_York", [2026, 2027]),
    ("America/Santiago", [2026, 2027]),
    ("America/Havana", [2025, 2026]),
    ("America/St_Johns", [2009, 2010]),
    ("Europe/Berlin", [2026, 2027]),
    ("Africa/Casablanca", [2025, 2026]),
    ("Africa/Cairo", [2025, 2026]),
    ("Asia/Tehran", [2020, 2021]),
    ("Australia/Lord_Howe", [2026, 2027]),
    ("Pacific/Apia", [2011, 2012]),
];

fn local(at: i64, zone: Tz) -> NaiveDate {
    DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone).date_naive()
}

/// Every change of a zone's clocks in some years, to the minute behind which it comes.
fn changes(zone: Tz, years: [i32; 2]) -> Vec<i64> {
    let offset = |at: i64| DateTime::from_timestamp_millis(at).unwrap().with_timezone(&zone).offset().fix();
    let begin = |year: i32| Timestamp::parse(&format!("{year}-01-01T00:00:00Z")).unwrap().0;
    let hours = (begin(years[0])..begin(years[1] + 1)).step_by(60 * 60_000);
    let changed = hours.filter(|at| offset(*at) != offset(at + 60 * MINUTE));
    changed.map(|at| (0..60).map(|m| at + m * MINUTE).find(|at| offset(*at) != offset(at + MINUTE)).unwrap()).collect()
}

/// Whether two days lie in the same period, by nothing but their names.
fn same_period(unit: CalendarUnit, a: NaiveDate, b: NaiveDate) -> bool {
    match unit {
        CalendarUnit::Day => a == b,
        CalendarUnit::Month => (a.year(), a.month()) == (b.year(), b.month()),
        CalendarUnit::Week(starts) => {
            let first = |day: NaiveDate| (0..7).map(|back| day - Days::new(back)).find(|day| day.weekday() == starts);
            first(a) == first(b)
        }
    }
}

/// The first instant of the period: of all minutes of the last weeks the earliest whose date belongs to it.
fn began(unit: CalendarUnit, zone: Tz, now: i64) -> i64 {
    let (today, this_minute) = (local(now, zone), now - now.rem_euclid(MINUTE));
    let days = match unit {
        CalendarUnit::Day => 3,
        CalendarUnit::Week(_) => 10,
        CalendarUnit::Month => 34,
    };
    let (mut known, mut belongs, mut first) = (today, true, this_minute);
    for minute in 0..days * 24 * 60 {
        let at = this_minute - minute * MINUTE;
        let date = local(at, zone);
        // The same date gives the same answer.
        if date != known {
            (known, belongs) = (date, same_period(unit, date, today));
        }
        if belongs {
            first = at;
        }
    }
    first
}

const UNITS: [&str; 9] = ["day", "month", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn unit(name: &str) -> CalendarUnit {
    match name {
        "day" => CalendarUnit::Day,
        "month" => CalendarUnit::Month,
        starts => CalendarUnit::Week(starts.parse::<Weekday>().unwrap()),
    }
}

/// A window of a cap as its author writes it.
fn written(name: &str, zone: &str) -> String {
    match name {
        "day" | "month" => format!("{{calendar: {name}, time_zone: {zone}}}"),
        "monday" => format!("{{calendar: week, time_zone: {zone}}}"),
        starts => format!("{{calendar: week, time_zone: {zone}, week_starts: {starts}}}"),
    }
}

fn seeds(otherwise: u64) -> u64 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(otherwise)
}

/// An instant at which a period is worth a look: about a change of the clocks, about a midnight, or anywhere.
fn instant(chance: &mut ChaCha8Rng, changes: &[i64]) -> i64 {
    let change = changes[chance.random_range(0..changes.len())];
    match chance.random_range(0..4) {
        0 => change + chance.random_range(-3 * 60..3 * 60) * MINUTE + chance.random_range(0..MINUTE),
        1 => change + chance.random_range(-2 * DAY..2 * DAY),
        2 => change + chance.random_range(-8 * DAY..8 * DAY),
        _ => change + chance.random_range(-33 * DAY..33 * DAY),
    }
}

#[test]
fn a_calendar_cap_counts_what_a_slow_walk_back_minute_by_minute_finds_in_ten_zones() {
    let (mut periods, mut counted) = (0, 0);
    let zones = ZONES.map(|(name, years)| {
        let zone: Tz = name.parse().unwrap();
        let changes = changes(zone, years);
        assert!(changes.len() >= 3, "{name}: {} changes of clocks", changes.len());
        // By the customer's clock, by the store's, and by this one.
        let bundles = UNITS.map(|unit| {
            with_caps(
                &["customer", name]
                    .map(|zone| {
                        format!("scope: [customer], max: 1000, window: {}, counts: decision", written(unit, zone))
                    })
                    .each_ref()
                    .map(String::as_str),
            )
        });
        (name, zone, changes, bundles)
    });
    let boots = offer("boots", "shoes");
    let catalogue = Catalogue::new(1, vec![boots.clone()], Vec::new());
    for seed in 0..seeds(180) {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let (name, zone, changes, bundles) = &zones[usize::try_from(seed % 10).unwrap()];
        let which = chance.random_range(0..UNITS.len());
        let (unit, bundle) = (unit(UNITS[which]), &bundles[which]);
        let now = instant(&mut chance, changes);
        let first = began(unit, *zone, now);
        let told = format!("seed {seed}: {} in {name} at {}", UNITS[which], Timestamp(now));
        for window in [Zone::Customer, Zone::Store, Zone::Named(*zone)].map(|zone| CapWindow::Calendar(unit, zone)) {
            assert_eq!(window.from(Timestamp(now), *zone), Timestamp(first), "{told}");
            assert!(window.kept_from(Timestamp(now)) <= Timestamp(first), "{told}: forgotten too early");
        }
        // Contacts about the first instant, about the change and anywhere before: counted one by one, and rebuilt.
        let mut shown: Vec<i64> = vec![first, first - 1, now];
        shown.extend((0..12).map(|_| now - chance.random_range(0..40 * DAY)));
        shown.extend((0..6).map(|_| first + chance.random_range(-2 * DAY..2 * DAY)).filter(|at| *at <= now));
        shown.sort_unstable();
        let (mut state, mut contacts) = (SubjectState::default(), Vec::new());
        for (number, at) in (0_u8..).zip(&shown) {
            count_contact(bundle, home(bundle), &boots, &mut state, &chosen(number, *at));
            contacts.push(contact(number, *at, "boots", None));
        }
        let mut rebuilt = SubjectState::default();
        rebuild_caps(bundle, &catalogue, &contacts, &mut rebuilt, Timestamp(now));
        let expected = u32::try_from(shown.iter().filter(|at| **at >= first).count()).unwrap();
        for state in [&state, &rebuilt] {
            let windows = CapWindows::at(Timestamp(now), Some(name));
            let verdict = judge(bundle, home(bundle), &boots, Some(state), &windows);
            let used: Vec<u32> = verdict.readings.iter().map(|reading| reading.used).collect();
            assert_eq!(used, [expected; 2], "{told}: of {shown:?}");
        }
        periods += 1;
        counted += shown.len();
    }
    assert!(periods >= 180 && counted >= 180 * 15, "{periods} periods, {counted} contacts");
}

#[test]
fn what_nobody_knows_counts_in_utc_and_the_asking_store_says_which_day_it_is() {
    let day = CapWindow::Calendar(CalendarUnit::Day, Zone::Store);
    let cap = Cap {
        by: CapBy::All,
        max: 1,
        window: day,
        counts: CapCounts::Decision,
        whose: SubjectKind::Customer,
        without_identifier: WithoutIdentifier::SessionCap,
    };
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let windows = CapWindows::at(at("2026-11-01T20:00:00Z"), Some("America/New_York"));
    let (tokyo, new_york) = (chrono_tz::Asia::Tokyo, chrono_tz::America::New_York);
    assert_eq!(windows.in_store(Some(tokyo)).of(&cap), at("2026-11-01T15:00:00Z"), "the second of November");
    assert_eq!(windows.in_store(Some(new_york)).of(&cap), at("2026-11-01T04:00:00Z"), "a day of 25 hours");
    assert_eq!(windows.in_store(None).of(&cap), at("2026-11-01T00:00:00Z"), "not by the customer's clock");
    let customers = Cap { window: CapWindow::Calendar(CalendarUnit::Day, Zone::Customer), ..cap };
    assert_eq!(windows.in_store(Some(tokyo)).of(&customers), at("2026-11-01T04:00:00Z"));
}
