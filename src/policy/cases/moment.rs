//! Times in tests: instants, and spans before or behind the time of a case. Reads no clock.

use chrono::{NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;

use crate::domain::{Malformed, Span, Timestamp};

/// When something was or will be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Moment {
    /// So long before the case.
    Before(Span),
    /// So long after the case begins.
    After(Span),
    /// Whenever the case is.
    At(Timestamp),
}

/// For messages.
pub(super) const MOMENT: &str = "`3h ago`, `in 2d` or an instant such as `2026-11-27T09:30:00Z`";

impl Moment {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        if let Some(span) = text.strip_suffix(" ago") {
            return Span::parse(span.trim()).map(Self::Before);
        }
        if let Some(span) = text.strip_prefix("in ") {
            return Span::parse(span.trim()).map(Self::After);
        }
        Timestamp::parse(text).map(Self::At).map_err(|_| {
            Malformed::new(format!(
                "`{text}` is no time that a test knows: expected `3h ago`, `in 2d` or `2026-11-27T09:30:00Z`"
            ))
        })
    }

    /// The instant that it is for a case at `now`.
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Before(span) => now.minus(span),
            Self::After(span) => now.plus(span),
            Self::At(at) => at,
        }
    }
}

/// The time of a case: an instant, or what a clock on the wall shows there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Now {
    Exact(Timestamp),
    Wall(NaiveDateTime),
}

/// For messages.
pub(super) const NOW: &str = "a time such as `2026-11-27 12:00`";

impl Now {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let wall = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
        if let Some(wall) = wall.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()) {
            return Ok(Self::Wall(wall));
        }
        Timestamp::parse(text).map(Self::Exact).map_err(|_| {
            Malformed::new(format!(
                "`{text}` is not a time: expected `2026-11-27 12:00` (in the time zone of the case) or \
                 `2026-11-27T12:00:00Z`"
            ))
        })
    }

    /// The instant; nothing where clocks leap over it.
    pub(super) fn at(self, zone: Tz) -> Option<Timestamp> {
        match self {
            Self::Exact(at) => Some(at),
            Self::Wall(wall) => zone.from_local_datetime(&wall).earliest().map(|at| Timestamp(at.timestamp_millis())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let at = |text: &str| Moment::parse(text).map(|moment| moment.at(Timestamp(7_200_000)).to_string());
        assert_eq!(at("1h ago").unwrap(), "1970-01-01T01:00:00.000Z");
        assert_eq!(at("in 1d").unwrap(), "1970-01-02T02:00:00.000Z");
        assert_eq!(at("2026-03-01T09:30:00Z").unwrap(), "2026-03-01T09:30:00.000Z");
        for bad in ["yesterday", "1 hour ago", "ago", "in", "1h"] {
            assert!(at(bad).is_err(), "{bad}");
        }
        let now = |text: &str, zone: &str| Now::parse(text).unwrap().at(zone.parse().unwrap()).map(|at| at.to_string());
        assert_eq!(now("2026-11-27 12:00", "America/New_York").as_deref(), Some("2026-11-27T17:00:00.000Z"));
        assert_eq!(now("2026-11-27 12:00:30", "UTC").as_deref(), Some("2026-11-27T12:00:30.000Z"));
        assert_eq!(now("2026-11-27T12:00:00+01:00", "UTC").as_deref(), Some("2026-11-27T11:00:00.000Z"));
        assert_eq!(now("2026-03-29 02:30", "Europe/Berlin"), None, "clocks leap over it");
        assert!(Now::parse("2026-11-27").is_err() && Now::parse("noon").is_err());
    }
}
