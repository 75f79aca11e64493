//! When visits happen: from the number of a visit to its instant, rising. Knows no visitor.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::Timestamp;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// The first one.
    Mon,
    /// The second one.
    Tue,
    /// The third one.
    Wed,
    /// The fourth one.
    Thu,
    /// The fifth one.
    Fri,
    /// The sixth one.
    Sat,
    /// The seventh one.
    Sun,
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;

impl Weekday {
    /// That of an instant, in UTC.
    pub fn of(at: Timestamp) -> Self {
        // 1970-01-01 was a Thursday.
        let at = usize::try_from((i64::from(at.day().0) + 3).rem_euclid(7)).unwrap_or(0);
        WEEK.get(at).copied().unwrap_or(Self::Mon)
    }
}

/// When visits happen.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    /// The first instant, a midnight in UTC.
    pub start: Timestamp,
    /// On a day whose weekday has the factor 1.
    pub visits_per_day: u32,
    /// How many more visits each of the 24 hours has than others, by UTC; alike unless said otherwise.
    pub hours: Vec<f64>,
    /// Factors on the visits of a day; 1 where a day is left out.
    pub weekdays: BTreeMap<Weekday, f64>,
    /// Minutes from one placement of a visit to the next.
    pub pace_minutes: u32,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            // 2026-03-02, a Monday.
            start: Timestamp(1_772_409_600_000),
            visits_per_day: 400,
            hours: vec![1.0; 24],
            weekdays: BTreeMap::new(),
            pace_minutes: 2,
        }
    }
}

impl Calendar {
    /// Days since the start, from 0.
    pub fn day(&self, at: Timestamp) -> u32 {
        u32::try_from(at.0.saturating_sub(self.start.0).div_euclid(DAY_MS)).unwrap_or(0)
    }

    /// The first instant of a day counted from 0.
    pub fn midnight(&self, day: u32) -> Timestamp {
        Timestamp(self.start.0.saturating_add(i64::from(day).saturating_mul(DAY_MS)))
    }

    /// How many visits a day has.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked: at least 0, at most millions"
    )]
    pub fn visits_on(&self, day: u32) -> usize {
        let factor = self.weekdays.get(&Weekday::of(self.midnight(day))).copied().unwrap_or(1.0);
        (f64::from(self.visits_per_day) * factor).round() as usize
    }

    /// The instant of a visit: visits of a day share its hours as the hours' factors say. `within` in [0, 1) moves it
    /// inside its own share, so that a later visit is never earlier.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "milliseconds of a day")]
    pub(in crate::simulation) fn instant(&self, visit: usize, within: f64) -> Timestamp {
        let of_week: usize = (0..7).map(|day| self.visits_on(day)).sum();
        let mut day = u32::try_from(visit / of_week.max(1)).unwrap_or(u32::MAX / 8) * 7;
        let mut left = visit % of_week.max(1);
        while left >= self.visits_on(day) && self.visits_on(day) < of_week {
            left -= self.visits_on(day);
            day += 1;
        }
        let reached = (left as f64 + within) / self.visits_on(day).max(1) as f64;
        let offset = self.hours_until(reached) * HOUR_MS as f64;
        Timestamp(self.midnight(day).0 + (offset as i64).clamp(0, DAY_MS - 1))
    }

    /// Hours into the day at which so much of its visits, in [0, 1), are over.
    fn hours_until(&self, reached: f64) -> f64 {
        let mut left = reached * self.hours.iter().sum::<f64>();
        let mut hours = 0.0;
        for factor in &self.hours {
            if left < *factor {
                return hours + left / factor;
            }
            left -= factor;
            hours += 1.0;
        }
        hours
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.start.0.rem_euclid(DAY_MS) != 0 {
            found.push(format!("calendar.start `{}` is not a midnight in UTC", self.start));
        }
        if !(1..=10_000_000).contains(&self.visits_per_day) {
            found.push(format!("calendar.visits_per_day `{}`: expected 1 to 10000000", self.visits_per_day));
        }
        let usable = |factor: &f64| (0.0..=1_000.0).contains(factor);
        if self.hours.len() != 24 || !self.hours.iter().all(usable) || self.hours.iter().sum::<f64>() <= 0.0 {
            let many = self.hours.len();
            found.push(format!(
                "calendar.hours: expected 24 factors from 0 to 1000, not all of them 0, and it has {many}"
            ));
        }
        let none = self.visits_per_day > 0 && (0..7).all(|day| self.visits_on(day) == 0);
        if none || !self.weekdays.values().all(usable) {
            found.push("calendar.weekdays: expected factors from 0 to 1000, some of them above 0".into());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_rise_through_days_that_have_as_many_as_their_weekday_says() {
        let mut hours = vec![0.0; 24];
        (hours[9], hours[20]) = (1.0, 3.0);
        let weekdays = BTreeMap::from([(Weekday::Sat, 1.5), (Weekday::Sun, 0.0)]);
        let calendar = Calendar { visits_per_day: 100, hours, weekdays, ..Calendar::default() };
        assert_eq!(calendar.problems(), Vec::<String>::new());
        assert_eq!(Weekday::of(calendar.start), Weekday::Mon);
        let instants: Vec<Timestamp> = (0..1_300).map(|visit| calendar.instant(visit, 0.5)).collect();
        assert!(instants.is_sorted());
        let on = |day: u32| instants.iter().filter(|at| calendar.day(**at) == day).count();
        assert_eq!(
            (0..14).map(on).collect::<Vec<_>>(),
            [100, 100, 100, 100, 100, 150, 0, 100, 100, 100, 100, 100, 150, 0]
        );
        let evening = instants[..100].iter().filter(|at| at.0 % DAY_MS / HOUR_MS == 20).count();
        assert_eq!(evening, 75);
    }
}
