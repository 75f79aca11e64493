//! Instants, days and spans as integers. Reads no clock: time is always an argument.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Malformed;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] pub i64);

impl Timestamp {
    /// Parses RFC 3339 text, such as `2026-03-01T09:30:00Z`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        chrono::DateTime::parse_from_rfc3339(text).map(|at| Self(at.timestamp_millis())).map_err(|_| {
            Malformed(format!("`{text}` is not an instant: expected RFC 3339, such as `2026-03-01T09:30:00Z`"))
        })
    }

    /// The UTC day that holds this instant.
    pub fn day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(86_400_000)).unwrap_or(i32::MAX))
    }

    /// The instant a span later.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The instant a span earlier.
    #[must_use]
    pub fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match chrono::DateTime::from_timestamp_millis(self.0) {
            Some(at) => f.write_str(&at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl std::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Whole UTC days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Encode, Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] pub i32);

impl Day {
    /// Its date, where the calendar reaches so far.
    pub fn date(self) -> Option<chrono::NaiveDate> {
        chrono::NaiveDate::from_num_days_from_ce_opt(self.0.checked_add(719_163)?)
    }
}

/// What calendar and clock on the wall said somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Encode, Decode)]
pub struct LocalTime {
    /// The date there.
    #[n(0)]
    pub day: Day,
    /// Minutes since midnight by the clock, which a change of the clock makes no other.
    #[n(1)]
    pub minute: u16,
    /// Whether the request named the time zone; otherwise it is UTC.
    #[n(2)]
    pub zone_named: bool,
}

/// Names of the days of the week, from Monday.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl LocalTime {
    /// What it is in UTC.
    pub fn utc(at: Timestamp) -> Self {
        let minute = u16::try_from(at.0.rem_euclid(86_400_000) / 60_000).unwrap_or(0);
        Self { day: at.day(), minute, zone_named: false }
    }

    /// The hour of the day, from 0 to 23.
    pub fn hour(self) -> u8 {
        u8::try_from(self.minute / 60).unwrap_or(0)
    }

    /// The day of the week, from 0 for Monday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((i64::from(self.day.0) + 3).rem_euclid(7)).unwrap_or(0)
    }

    /// The day of the week as rules name it.
    pub fn weekday_name(self) -> &'static str {
        WEEKDAYS.get(usize::from(self.weekday())).copied().unwrap_or_default()
    }
}

/// As in `2026-03-01 09:30`.
impl std::fmt::Display for LocalTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let midnight = Timestamp(i64::from(self.day.0) * 86_400_000).to_string();
        let date = midnight.split('T').next().unwrap_or_default();
        write!(f, "{date} {:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

/// A span of time in milliseconds, never negative; written `10m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Encode, Decode)]
#[cbor(transparent)]
pub struct Span(#[n(0)] pub i64);

const UNITS: [(&str, i64); 4] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl Span {
    /// Parses a whole number with one of the units `s`, `m`, `h`, `d`, at most ten years.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let parsed = UNITS.iter().find_map(|(unit, ms)| {
            let number: i64 =
                text.strip_suffix(unit).filter(|n| n.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
            number.checked_mul(*ms).filter(|ms| *ms <= 3_653 * 86_400_000)
        });
        parsed.map(Self).ok_or_else(|| {
            Malformed(format!(
                "`{text}` is not a span of time: expected a whole number with `s`, `m`, `h` or `d`, \
                 such as `24h`, at most ten years"
            ))
        })
    }

    /// Whole days, or nothing if the span is not a whole number of them.
    pub fn whole_days(self) -> Option<u32> {
        (self.0 % 86_400_000 == 0).then(|| u32::try_from(self.0 / 86_400_000).ok()).flatten()
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // `24h` stays `24h` up to two days: people read caps that way.
        let shown =
            UNITS.iter().find(|(unit, ms)| self.0 % ms == 0 && self.0 >= *ms && !(*unit == "d" && self.0 < 2 * ms));
        match shown {
            Some((unit, ms)) => write!(f, "{}{unit}", self.0 / ms),
            None => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_printed_as_people_write_them() {
        for text in ["10m", "24h", "7d", "36h", "90s"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Span::parse("1d").unwrap(), Span::parse("24h").unwrap());
        for bad in ["", "h", "1.5h", "-1d", "10", "9999d", "1w"] {
            assert!(Span::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn local_time_is_told_with_its_date_and_knows_its_day_of_the_week() {
        let at = |day, minute| LocalTime { day: Day(day), minute, zone_named: true };
        assert_eq!((at(0, 0).weekday(), at(3, 0).weekday(), at(4, 0).weekday(), at(-4, 0).weekday()), (3, 6, 0, 6));
        assert_eq!(at(20_513, 570).to_string(), "2026-03-01 09:30");
    }

    #[test]
    fn instants_before_1970_fall_into_the_right_day() {
        assert_eq!(Timestamp(-1).day(), Day(-1));
        assert_eq!(Timestamp(86_400_000).day(), Day(1));
        assert_eq!(Timestamp::parse("2026-03-01T09:30:00Z").unwrap().to_string(), "2026-03-01T09:30:00.000Z");
        assert!(Timestamp::parse("yesterday").is_err());
    }
}
