//! Intervals between dates or instants, as rules have them. Knows no rule and reads no clock.

use chrono::TimeZone as _;

use super::codes;
use super::condition::date;
use super::finding::Report;
use super::read::{self, Fields};
use super::syntax::Node;
use crate::domain::{Malformed, Timestamp};

/// From an instant, until another; either may be open. The first belongs to it, the second no longer does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interval {
    /// The first instant.
    pub from: Option<Timestamp>,
    /// The first instant behind it.
    pub until: Option<Timestamp>,
    /// As its author wrote it.
    pub text: String,
}

impl Interval {
    /// Whether an instant belongs to it.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }
}

/// What is written at one end.
#[derive(Clone, Copy)]
enum End {
    /// A whole day, by its first moment as if it were UTC.
    Day(i64),
    Exact(Timestamp),
}

/// The fields of an interval.
pub(super) const FIELDS: [&str; 3] = ["from", "until", "time_zone"];

const DAY_MS: i64 = 86_400_000;

/// Reads `{from: 2026-11-01, until: 2026-11-30, time_zone: America/New_York}`. A date at the end is the last day.
pub(super) fn read(report: &mut Report<'_>, what: &str, node: &Node) -> Option<Interval> {
    let fields = Fields::open(report, what, node, &FIELDS, &[])?;
    let ends = ["from", "until"].map(|name| {
        let node = fields.get(name)?;
        Some((node, read::parsed(report, what, node, "a date or an instant", end)))
    });
    let zone = fields.get("time_zone").map(|node| {
        read::parsed(report, what, node, "a time zone such as `America/New_York`", |text| {
            text.parse::<chrono_tz::Tz>().map_err(|_| {
                Malformed::new(format!("`{text}` is not a time zone: expected an IANA name such as `Europe/Berlin`"))
            })
        })
    });
    if ends.iter().all(Option::is_none) {
        let message = format!("{what}: neither `from` nor `until` is given");
        report
            .add(codes::INTERVAL, fields.place, message, "never begins or ends")
            .with_help("write `{from: 2026-11-01, until: 2026-11-30, time_zone: America/New_York}`, or one of both");
        return None;
    }
    let dated = ends.iter().flatten().find(|(_, end)| matches!(end, Some(End::Day(_))));
    if let (Some((node, _)), None) = (dated, zone) {
        report
            .add(codes::INTERVAL, node.place, format!("{what}: a date begins elsewhere at another time"), "where?")
            .with_help("add `time_zone: America/New_York`, or write an instant such as `2026-11-01T00:00:00Z`");
        return None;
    }
    let zone = zone.map_or(Some(chrono_tz::UTC), |zone| zone)?;
    let [from, until] = ends.map(|end| end.map(|(_, end)| end));
    // An end not given is fine, an end given and broken is not.
    let from = from.map_or(Some(None), |end| end.map(|end| Some(instant(end, 0, zone))))?;
    let until = until.map_or(Some(None), |end| end.map(|end| Some(instant(end, DAY_MS, zone))))?;
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        let place = fields.get("until").map_or(fields.place, |node| node.place);
        report
            .add(codes::INTERVAL, place, format!("{what}: it ends before it begins"), "not behind `from`")
            .with_help("exchange the two, or correct one of them");
        return None;
    }
    Some(Interval { from, until, text: written(&fields) })
}

fn written(fields: &Fields<'_>) -> String {
    let said = |name: &str, before: &str| {
        let text = fields.get(name).and_then(read::raw);
        text.map(|text| format!("{before}{text}")).unwrap_or_default()
    };
    let text = format!("{}{}", said("from", " from "), said("until", " until "));
    let zone = fields.get("time_zone").and_then(read::raw).map(|zone| format!(" ({zone})")).unwrap_or_default();
    format!("{}{zone}", text.trim())
}

fn end(text: &str) -> Result<End, Malformed> {
    if let Some(ms) = date(text) {
        return Ok(End::Day(ms));
    }
    Timestamp::parse(text).map(End::Exact).map_err(|_| {
        Malformed::new(format!(
            "`{text}` is neither a date nor an instant: expected `2026-11-01` or `2026-11-01T09:30:00Z`"
        ))
    })
}

/// The instant of an end; of a day its first one, or the first one so much later.
fn instant(end: End, later: i64, zone: chrono_tz::Tz) -> Timestamp {
    match end {
        End::Exact(at) => at,
        End::Day(ms) => day_start(ms + later, zone),
    }
}

/// The first instant of a day, given as if it were UTC, in a time zone. Where clocks skip midnight the day begins when
/// they go on.
pub(crate) fn day_start(ms: i64, zone: chrono_tz::Tz) -> Timestamp {
    let mut quarters = (0..96).filter_map(|quarter| chrono::DateTime::from_timestamp_millis(ms + quarter * 900_000));
    let found = quarters.find_map(|at| zone.from_local_datetime(&at.naive_utc()).earliest());
    Timestamp(found.map_or(ms, |at| at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_where_the_time_zone_says_and_clocks_that_skip_midnight_are_no_trap() {
        let at = |day: &str, later: i64, zone: &str| {
            instant(End::Day(date(day).unwrap()), later, zone.parse().unwrap()).to_string()
        };
        assert_eq!(at("2026-11-27", 0, "America/New_York"), "2026-11-27T05:00:00.000Z");
        assert_eq!(at("2026-11-27", DAY_MS, "America/New_York"), "2026-11-28T05:00:00.000Z");
        // A day of 25 hours.
        assert_eq!(at("2026-11-01", 0, "America/New_York"), "2026-11-01T04:00:00.000Z");
        assert_eq!(at("2026-11-01", DAY_MS, "America/New_York"), "2026-11-02T05:00:00.000Z");
        // In Santiago clocks went from 24:00 to 01:00.
        assert_eq!(at("2025-09-07", 0, "America/Santiago"), "2025-09-07T04:00:00.000Z");
    }

    #[test]
    fn the_first_instant_belongs_to_it_and_the_last_does_not() {
        let interval = Interval { from: Some(Timestamp(5)), until: Some(Timestamp(7)), text: String::new() };
        assert_eq!([4, 5, 6, 7].map(|now| interval.holds(Timestamp(now))), [false, true, true, false]);
        assert!(Interval::default().holds(Timestamp(0)));
    }
}
