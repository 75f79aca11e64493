//! Tests of parts of the day against a slow count of minutes, of stores, and of loyalty. Tests no answer of several
//! offers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Offset as _, Timelike as _};
use chrono_tz::Tz;

use crate::domain::{AttributeId, Catalogue, Currency, Number, Offer, StoreId, Timestamp, Value};
use crate::policy::declared::stores::Stores;
use crate::policy::sample::{LOYALTY, OFFERS, files, shown};
use crate::policy::*;

/// The sample bundle with these fields where the perfume is available.
fn available(fields: &str) -> Bundle {
    changed(OFFERS, "    channels: [web]\n    dates: {from: 2025-01-01, time_zone: America/New_York}\n", fields)
}

fn changed(path: &str, from: &str, to: &str) -> Bundle {
    let mut files = files();
    let file = files.iter_mut().find(|file| file.path == path).unwrap();
    assert!(file.text.contains(from), "{path} has no `{from}`");
    file.text = file.text.replacen(from, to, 1);
    compile(&files).unwrap_or_else(|findings| panic!("{}", shown(&findings)))
}

#[derive(Default, Clone, Copy)]
struct Asked<'a> {
    offer: &'a str,
    attributes: &'a [(&'a str, &'a str)],
    zone: Option<&'a str>,
    store: Option<&'a str>,
    now: &'a str,
}

/// What left an offer out, told to those who may know the customer and to those who may not.
fn told(bundle: &Bundle, asked: Asked<'_>) -> Vec<(String, String)> {
    let values = asked.attributes.iter().map(|(name, text)| {
        let number = text.parse::<f64>().map(|number| Value::Number(Number::from_f64(number).unwrap()));
        (AttributeId::parse(name).unwrap(), number.unwrap_or_else(|_| Value::Text((*text).to_owned())))
    });
    let attributes: BTreeMap<AttributeId, Value> = values.collect();
    let (currency, store) = (Currency::parse("USD").unwrap(), asked.store.map(|store| StoreId::new(store).unwrap()));
    let now = Timestamp::parse(asked.now).unwrap();
    let facts = Facts {
        attributes: &Seen::of(attributes.clone()),
        basket: &[],
        currency,
        jurisdiction: None,
        time_zone: asked.zone,
        store: store.as_ref(),
        now,
    };
    let offer: Offer = serde_json::from_value(serde_json::json!({
        "offer_id": asked.offer, "variants": [{"variant_id": "a"}], "price": {"amount": "20.00", "currency": "USD"},
    }))
    .unwrap();
    let catalogue = Arc::new(Catalogue::new(1, vec![offer], Vec::new()));
    let columns = bundle.columns(&catalogue);
    let placement = bundle.placement("home_banner").unwrap();
    let mut failed = Vec::new();
    bundle.ask(&columns, placement, &facts).fail(0, &mut failed);
    let seen: Vec<(AttributeId, Value)> = attributes.clone().into_iter().collect();
    let today = bundle.local_time_read(placement, asked.zone, now);
    let told = failed.iter().map(|failed| {
        let public = describe(bundle, failed.rule, failed.observed, failed.limit, currency);
        assert_eq!((failed.observed, failed.limit), (None, None), "nothing personal is public");
        let lacks = describe_lacking(bundle, failed.rule, &seen, today);
        (public, lacks.map_or_else(String::new, |l| format!("{:?}/{} {}", l.observed, l.limit, l.sentence)))
    });
    told.collect()
}

fn open(bundle: &Bundle, asked: Asked<'_>) -> bool {
    told(bundle, asked).is_empty()
}

/// Every minute of the week that belongs to a part, found by walking from its beginning to its end.
fn minutes(days: &[usize], from: usize, until: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for day in days {
        let mut at = day * 1440 + from;
        while at % 1440 != until % 1440 || at == day * 1440 + from {
            found.insert(at % 10_080);
            at += 1;
        }
    }
    found
}

/// Four days around every change of a zone's clocks in these years.
fn around_changes(zone: Tz) -> Vec<i64> {
    let offset = |ms: i64| DateTime::from_timestamp_millis(ms).unwrap().with_timezone(&zone).offset().fix();
    let hour = 3_600_000;
    let mut changes = Vec::new();
    for year in [2011, 2026] {
        let begin = Timestamp::parse(&format!("{year}-01-02T00:00:00Z")).unwrap().0;
        changes.extend((0..24 * 363).map(|at| begin + at * hour).filter(|ms| offset(*ms) != offset(ms + hour)));
    }
    changes.push(Timestamp::parse("2026-07-15T00:00:00Z").unwrap().0);
    changes
}

#[test]
fn parts_of_the_day_hold_minute_by_minute_where_clocks_change_as_a_slow_walk_of_the_week_says() {
    let zones = [
        "America/New_York",
        "America/Sao_Paulo",
        "America/Santiago",
        "Europe/Berlin",
        "Europe/London",
        "Africa/Casablanca",
        "Asia/Tehran",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ];
    let every = [0, 1, 2, 3, 4, 5, 6];
    let cases: [(&str, BTreeSet<usize>); 5] = [
        ("{days: [mon, tue, fri], from: \"17:00\", until: \"21:00\"}", minutes(&[0, 1, 4], 1020, 1260)),
        ("{days: [sat], from: \"22:30\", until: \"02:30\"}", minutes(&[5], 1350, 150)),
        ("{days: [sun, thu]}", minutes(&[6, 3], 0, 1440)),
        ("{from: \"01:00\", until: \"02:00\"}", minutes(&every, 60, 120)),
        (
            "{days: [sun], from: 20:00}, {until: 3:05}",
            minutes(&[6], 1200, 1440).union(&minutes(&every, 0, 185)).copied().collect(),
        ),
    ];
    let (mut changes, mut asked) = (0, 0);
    let store = StoreId::new("s-1").unwrap();
    for (text, expected) in &cases {
        let bundle = available(&format!("    dayparts: [{text}]\n    time_zone: customer\n"));
        let rule = bundle.rules.iter().find(|rule| rule.id.as_str() == "available.perfume").unwrap();
        let RuleKind::Availability(Availability { dayparts: Some(dayparts), .. }) = &rule.kind else {
            panic!("{text}")
        };
        for name in zones {
            let zone: Tz = name.parse().unwrap();
            let named = Dayparts { zone: Zone::Named(zone), ..dayparts.clone() };
            let stores = Stores::of(&[("s-1", zone)]);
            let stored = Dayparts { zone: Zone::Store, stores, ..dayparts.clone() };
            assert_eq!(stored.holds(Timestamp(0), Some(name), None), None, "nobody knows which store");
            for change in around_changes(zone) {
                changes += 1;
                for minute in -2880..2880 {
                    let now = Timestamp(change + minute * 60_000 + 59_999);
                    let local = DateTime::from_timestamp_millis(now.0).unwrap().with_timezone(&zone);
                    let day = local.weekday().num_days_from_monday();
                    let at = usize::try_from(day * 1440 + local.hour() * 60 + local.minute()).unwrap();
                    let holds = Some(expected.contains(&at));
                    assert_eq!(dayparts.holds(now, Some(name), None), holds, "{text} in {name} at {local}");
                    assert_eq!(named.holds(now, None, None), holds, "{text} in {name} at {local}");
                    let at_store = stored.holds(now, Some("Asia/Tokyo"), Some(&store));
                    assert_eq!(at_store, holds, "{text} at a store in {name} at {local}");
                    asked += 1;
                }
            }
        }
    }
    assert!(changes >= 5 * 30, "{changes} changes of clocks");
    assert!(asked >= 800_000, "{asked} minutes");
}

#[test]
fn an_offer_is_available_at_its_times_of_day_and_what_time_it_is_may_not_be_known() {
    let fields = "    dayparts: [{days: [mon, fri], from: \"17:00\", until: \"21:00\"}, {days: [sat]}]\n";
    let customer = available(&format!("{fields}    time_zone: customer\n"));
    let berlin = available(&format!("{fields}    time_zone: Europe/Berlin\n"));
    // A Friday: 16:30 in Berlin, 10:30 in New York.
    let asked = Asked { offer: "perfume", now: "2026-03-06T15:30:00Z", ..Asked::default() };
    let evening = Asked { now: "2026-03-06T16:00:00Z", ..asked };
    assert!(!open(&berlin, asked) && open(&berlin, evening));
    // 19:30 in Dubai, and 21:00 in Kolkata, where it is just over.
    assert!(open(&customer, Asked { zone: Some("Asia/Dubai"), ..asked }));
    assert!(!open(&customer, Asked { zone: Some("Asia/Kolkata"), ..asked }));
    assert!(!open(&customer, Asked { zone: Some("America/New_York"), ..evening }));
    let why = "`available.perfume` (The perfume is licensed for the web shop, contract of 2025): the offer is \
               available only mon, fri from 17:00 until 21:00 or sat";
    assert_eq!(told(&berlin, asked)[0].0, format!("{why} (Europe/Berlin)"));
    let unknown = "where the customer is, or it is not known what time it is there";
    assert_eq!(told(&customer, evening)[0].0, format!("{why} {unknown}"));
    let lenient = available(&format!("{fields}    time_zone: customer\n    on_missing: allow\n"));
    assert!(open(&lenient, asked) && !open(&lenient, Asked { zone: Some("UTC"), ..asked }));
    let local = customer.local_time_read(customer.placement("home_banner").unwrap(), None, Timestamp(0));
    assert_eq!(local.map(|local| (local.to_string(), local.zone_named)), Some(("1970-01-01 00:00".into(), false)));
    // The sample asks for the day in a rule of loyalty; without that nobody reads the clock.
    let silent = changed(LOYALTY, "    member_for: 90d\n", "");
    assert_eq!(silent.local_time_read(silent.placement("home_banner").unwrap(), None, Timestamp(0)), None);
}

#[test]
fn an_offer_is_available_in_its_stores_and_what_is_known_to_be_elsewhere_settles_it() {
    let bundle = available("    stores: [s-12, s-14]\n");
    let asked = Asked { offer: "perfume", now: "2026-03-06T15:30:00Z", ..Asked::default() };
    let at = |store: Option<&'static str>| Asked { store, ..asked };
    let opens = |bundle: &Bundle| [Some("s-12"), Some("s-14"), Some("s-1"), None].map(|store| open(bundle, at(store)));
    assert_eq!(opens(&bundle), [true, true, false, false]);
    assert_eq!(opens(&available("    stores: [s-12, s-14]\n    on_missing: allow\n")), [true, true, false, true]);
    let why = "`available.perfume` (The perfume is licensed for the web shop, contract of 2025): the offer is \
               available only in the stores `s-12`, `s-14`, or it is not known whether this is there";
    assert_eq!(told(&bundle, at(Some("s-1")))[0].0, why);
    assert!(open(&bundle, Asked { offer: "another", ..asked }));
    // The region is not known, but the store is another one.
    let both = available("    stores: [s-12]\n    regions: [US]\n    on_missing: allow\n");
    assert_eq!([Some("s-12"), Some("s-1"), None].map(|store| open(&both, at(store))), [true, false, true]);
}

const EARLY: &str = "    tier: silver\n    member_for: 90d\n";

#[test]
fn what_a_customer_lacks_is_told_in_words_of_loyalty_to_those_who_may_know() {
    let bundle = sample::bundle();
    let asked = Asked { offer: "early-access", now: "2026-03-01T04:00:00Z", ..Asked::default() };
    let why = "`loyalty.early.access` (Members of some time meet the new season first, promise of the loyalty \
               programme)";
    let public = format!("{why}: needs `silver` and 90 days as a member, or a value that it needs is missing");
    let check = |attributes: &[(&str, &str)], zone: Option<&str>, expected: Option<&str>| {
        let found = told(&bundle, Asked { attributes, zone, ..asked });
        let private = expected.map(|expected| {
            let (numbers, words) = expected.split_once(' ').unwrap();
            (public.clone(), format!("{numbers} {why}: {words}"))
        });
        assert_eq!(found, private.into_iter().collect::<Vec<_>>());
    };
    let (tier, since) = ("customer.tier", "customer.member_since");
    check(&[(tier, "gold"), (since, "2025-12-01")], None, None);
    check(&[(tier, "silver"), (since, "2025-12-01")], None, None);
    check(&[(tier, "bronze"), (since, "2020-01-01")], None, Some("Some(1)/2 needs `silver`, has `bronze`"));
    let short = "Some(89)/90 needs 90 days as a member, has 89 days as a member";
    check(&[(tier, "gold"), (since, "2025-12-02")], None, Some(short));
    // In New York it is still the last of February.
    check(&[(tier, "gold"), (since, "2025-12-01")], Some("America/New_York"), Some(short));
    let unknown = "None/2 needs `silver`, and the tier is not known; needs 90 days as a member, and the time as a \
                   member is not known";
    check(&[], None, Some(unknown));
    check(&[(tier, "platinum"), (since, "2020-01-01")], None, Some("None/2 needs `silver`, and the tier is not known"));

    let voucher = Asked { offer: "points-voucher", attributes: &[("customer.points", "499.99")], ..asked };
    let why = "`loyalty.points.voucher` (A voucher costs 500 points, terms of the loyalty programme section 6)";
    assert_eq!(told(&bundle, voucher)[0].1, format!("Some(499)/500 {why}: needs 500 points, has 499 points"));
    assert!(open(&bundle, Asked { attributes: &[("customer.points", "500")], ..voucher }));
}

#[test]
fn loyalty_lets_through_exactly_those_who_have_all_that_is_needed_whatever_is_missing() {
    let one = "    points: {attribute: customer.visits_90d, at_least: 3}\n";
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    for (rule, tier, points, member) in
        [("    tier: gold\n", true, false, false), (one, false, true, false), (EARLY, true, false, true)]
    {
        for allow in [false, true] {
            let on_missing = if allow { "    on_missing: allow\n" } else { "" };
            let bundle = changed(LOYALTY, EARLY, &format!("{rule}{on_missing}"));
            for name in [None, Some("bronze"), Some("silver"), Some("gold")] {
                for visits in [None, Some("2"), Some("3")] {
                    for since in [None, Some("2025-12-01"), Some("2025-12-02")] {
                        let least = if rule == EARLY { 1 } else { 2 };
                        let has_tier = name
                            .map(|name| ["bronze", "silver", "gold"].iter().position(|n| *n == name) >= Some(least));
                        let has_points = visits.map(|visits| visits == "3");
                        let has_time = since.map(|since| (day("2026-03-01") - day(since)).num_days() >= 90);
                        let asks = [(tier, has_tier), (points, has_points), (member, has_time)];
                        let asks = asks.into_iter().filter(|(asks, _)| *asks).map(|(_, has)| has);
                        let lacks = asks.clone().any(|has| has == Some(false));
                        let expected = !lacks && (allow || asks.clone().all(|has| has == Some(true)));
                        let given = [
                            ("customer.tier", name),
                            ("customer.visits_90d", visits),
                            ("customer.member_since", since),
                        ];
                        let given: Vec<(&str, &str)> =
                            given.iter().filter_map(|(id, text)| Some((*id, (*text)?))).collect();
                        let asked = Asked {
                            offer: "early-access",
                            attributes: &given,
                            now: "2026-03-01T12:00:00Z",
                            ..Asked::default()
                        };
                        assert_eq!(open(&bundle, asked), expected, "{rule}{on_missing}{given:?}");
                    }
                }
            }
        }
    }
}
