//! Windows of caps: from when on contacts count at an instant, days of 23 and 25 hours included. Counts nothing.

use chrono::{
    DateTime, Datelike as _, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Weekday,
};
use chrono_tz::Tz;

use super::Cap;
use super::read::WEEKDAYS;
use crate::domain::{Span, Timestamp};

/// The periods that calendars know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUnit {
    /// From midnight.
    Day,
    /// From midnight of this day of the week.
    Week(Weekday),
    /// From midnight of the first.
    Month,
}

impl CalendarUnit {
    /// Its name in `calendar`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week(_) => "week",
            Self::Month => "month",
        }
    }

    /// Longer than it ever lasts anywhere, a change of the zone's offset by a whole day included.
    fn days_max(self) -> i64 {
        match self {
            Self::Day => 3,
            Self::Week(_) => 9,
            Self::Month => 33,
        }
    }
}

/// Whose clock counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The request's time zone; where it names none, caps count in UTC and parts of the day are not known.
    Customer,
    /// That of the store that the request names, whichever store a contact was made at; where it names none or one
    /// that is not declared, caps count in UTC and parts of the day are not known.
    Store,
    /// This one.
    Named(Tz),
}

/// Since when contacts count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapWindow {
    /// A contact exactly this old no longer counts.
    Rolling(Span),
    /// Since the current period began.
    Calendar(CalendarUnit, Zone),
    /// For ever.
    Lifetime,
    /// As long as the session lasts, for which it counts.
    Session,
}

impl CapWindow {
    /// The first instant that counts at `now` by the clock of the customer or of the store, if it goes by one of them.
    pub fn from(self, now: Timestamp, zone: Tz) -> Timestamp {
        match self {
            Self::Rolling(span) => now.minus(span).plus(Span(1)),
            Self::Calendar(unit, Zone::Customer | Zone::Store) => began(unit, zone, now),
            Self::Calendar(unit, Zone::Named(zone)) => began(unit, zone, now),
            Self::Lifetime | Self::Session => Timestamp(i64::MIN),
        }
    }

    /// The first instant that may count at `now` or later, wherever that is: what is older can be forgotten.
    pub(super) fn kept_from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Calendar(unit, Zone::Customer | Zone::Store) => now.minus(Span(unit.days_max() * 86_400_000)),
            Self::Rolling(_) | Self::Calendar(_, Zone::Named(_)) | Self::Lifetime | Self::Session => {
                self.from(now, Tz::UTC)
            }
        }
    }
}

impl std::fmt::Display for CapWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rolling(span) => span.fmt(f),
            Self::Calendar(unit, zone) => {
                write!(f, "a calendar {}", unit.name())?;
                if let CalendarUnit::Week(starts) = unit
                    && *starts != Weekday::Mon
                {
                    let name = WEEKDAYS.iter().find(|(_, day)| day == starts).map_or("", |(name, _)| name);
                    write!(f, " that starts on a {name}")?;
                }
                match zone {
                    Zone::Customer => f.write_str(" where the customer is"),
                    Zone::Store => f.write_str(" at the store"),
                    Zone::Named(zone) => write!(f, " in {}", zone.name()),
                }
            }
            Self::Lifetime => f.write_str("a lifetime"),
            Self::Session => f.write_str("a session"),
        }
    }
}

/// The instant at which the period that holds `now` began.
fn began(unit: CalendarUnit, zone: Tz, now: Timestamp) -> Timestamp {
    let Some(local) = DateTime::from_timestamp_millis(now.0).map(|at| at.with_timezone(&zone)) else {
        // So far from now that no calendar reaches there: everything counts.
        return Timestamp(i64::MIN);
    };
    let today = local.date_naive();
    let first = match unit {
        CalendarUnit::Day => Some(today),
        CalendarUnit::Week(starts) => today.checked_sub_days(Days::new(today.weekday().days_since(starts).into())),
        CalendarUnit::Month => NaiveDate::from_ymd_opt(today.year(), today.month(), 1),
    };
    first.map_or(Timestamp(i64::MIN), |first| midnight(zone, first.and_time(NaiveTime::MIN)))
}

/// The longest gap looked over: a zone that crosses the date line loses a whole day.
const GAP_MINUTES_MAX: i64 = 26 * 60;

/// The first instant of a day: its midnight, the earlier of two, or what comes first where the clocks leap over it.
fn midnight(zone: Tz, midnight: NaiveDateTime) -> Timestamp {
    for minutes in 0..GAP_MINUTES_MAX {
        match zone.from_local_datetime(&(midnight + TimeDelta::minutes(minutes))) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return Timestamp(at.timestamp_millis()),
            LocalResult::None => {}
        }
    }
    Timestamp(midnight.and_utc().timestamp_millis())
}

/// Where the windows of caps begin, for one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapWindows {
    /// When it is decided.
    pub now: Timestamp,
    /// Where the customer is; nothing where the request names no time zone.
    pub zone: Option<Tz>,
    /// Where the store is; nothing where the request names none, or one that is not declared.
    pub store: Option<Tz>,
}

impl CapWindows {
    /// For a decision at `now`, for somebody in the time zone that the request names (UTC where it names none).
    pub fn at(now: Timestamp, time_zone: Option<&str>) -> Self {
        Self { now, zone: time_zone.and_then(|name| name.parse().ok()), store: None }
    }

    /// The same at a store in this time zone.
    #[must_use]
    pub fn in_store(self, store: Option<Tz>) -> Self {
        Self { store, ..self }
    }

    /// The first instant that a cap counts.
    pub(in crate::policy) fn of(&self, cap: &Cap) -> Timestamp {
        let zone = if let CapWindow::Calendar(_, Zone::Store) = cap.window { self.store } else { self.zone };
        cap.window.from(self.now, zone.unwrap_or(Tz::UTC))
    }
}
