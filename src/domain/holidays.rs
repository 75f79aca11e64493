//! Public holidays of a country, by the rules that fix their dates: dates of the year, weekdays of a month, days after
//! Easter; and the days of a shop's own calendar. Holds no list of years, and no holiday that only a part of a country
//! has.

use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate, Weekday};
use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::Day;

/// Whose holidays.
///
/// Of a shop's own calendar only the name is encoded, never its days: the days of another year are no other feature, so
/// that what was learned of it stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holidays {
    /// Federal holidays of the United States, on their own day where another is kept for them.
    UnitedStates,
    /// Bank holidays of England and Wales, on their own day where another is kept for them.
    Britain,
    /// What all of Germany keeps.
    Germany,
    /// What all of France keeps.
    France,
    /// Days that a shop has declared.
    Own(Calendar),
}

/// Days that a shop has declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Its name among features, `holiday.` included.
    pub name: String,
    /// The days.
    pub days: Arc<[Marked]>,
}

/// A day of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// One day.
    Once(NaiveDate),
    /// A month and a day of every year that has it.
    Yearly(u32, u32),
}

impl Marked {
    fn is(self, date: NaiveDate) -> bool {
        match self {
            Self::Once(day) => day == date,
            Self::Yearly(month, day) => (date.month(), date.day()) == (month, day),
        }
    }
}

impl<C> Encode<C> for Holidays {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::UnitedStates => e.u8(0)?,
            Self::Britain => e.u8(1)?,
            Self::Germany => e.u8(2)?,
            Self::France => e.u8(3)?,
            Self::Own(calendar) => e.str(&calendar.name)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Holidays {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.datatype()? == Type::String {
            return Ok(Self::Own(Calendar { name: d.str()?.to_owned(), days: Arc::default() }));
        }
        match d.u8()? {
            0 => Ok(Self::UnitedStates),
            1 => Ok(Self::Britain),
            2 => Ok(Self::Germany),
            3 => Ok(Self::France),
            other => Err(decode::Error::unknown_variant(other.into())),
        }
    }
}

enum Rule {
    Date(u32, u32),
    Nth(u32, Weekday, u8),
    Last(u32, Weekday),
    Easter(i32),
}

use Rule::{Date, Easter, Last, Nth};

const UNITED_STATES: [Rule; 11] = [
    Date(1, 1),
    Nth(1, Weekday::Mon, 3),
    Nth(2, Weekday::Mon, 3),
    Last(5, Weekday::Mon),
    Date(6, 19),
    Date(7, 4),
    Nth(9, Weekday::Mon, 1),
    Nth(10, Weekday::Mon, 2),
    Date(11, 11),
    Nth(11, Weekday::Thu, 4),
    Date(12, 25),
];

const BRITAIN: [Rule; 8] = [
    Date(1, 1),
    Easter(-2),
    Easter(1),
    Nth(5, Weekday::Mon, 1),
    Last(5, Weekday::Mon),
    Last(8, Weekday::Mon),
    Date(12, 25),
    Date(12, 26),
];

const GERMANY: [Rule; 9] =
    [Date(1, 1), Easter(-2), Easter(1), Date(5, 1), Easter(39), Easter(50), Date(10, 3), Date(12, 25), Date(12, 26)];

const FRANCE: [Rule; 11] = [
    Date(1, 1),
    Easter(1),
    Date(5, 1),
    Date(5, 8),
    Easter(39),
    Easter(50),
    Date(7, 14),
    Date(8, 15),
    Date(11, 1),
    Date(11, 11),
    Date(12, 25),
];

impl Holidays {
    /// All, by the name that features have.
    pub const ALL: [(&'static str, Self); 4] = [
        ("holiday.us", Self::UnitedStates),
        ("holiday.gb", Self::Britain),
        ("holiday.de", Self::Germany),
        ("holiday.fr", Self::France),
    ];

    /// Its name among features.
    pub fn name(&self) -> &str {
        match self {
            Self::Own(calendar) => &calendar.name,
            of_country => {
                Self::ALL.into_iter().find(|(_, holidays)| holidays == of_country).map_or("", |(name, _)| name)
            }
        }
    }

    /// Whether a date is one of them.
    pub fn contains(&self, day: Day) -> bool {
        let rules = match self {
            Self::Own(calendar) => {
                return day.date().is_some_and(|date| calendar.days.iter().any(|marked| marked.is(date)));
            }
            Self::UnitedStates => &UNITED_STATES[..],
            Self::Britain => &BRITAIN,
            Self::Germany => &GERMANY,
            Self::France => &FRANCE,
        };
        day.date().is_some_and(|date| rules.iter().any(|rule| rule.date(date.year()) == Some(date)))
    }

    /// Days until the next of them, today not counted; nothing where it is more than a week away.
    pub fn days_until(&self, day: Day) -> Option<u8> {
        (1..=7).find(|ahead| self.contains(Day(day.0.saturating_add(i32::from(*ahead)))))
    }
}

impl Rule {
    fn date(&self, year: i32) -> Option<NaiveDate> {
        match *self {
            Date(month, day) => NaiveDate::from_ymd_opt(year, month, day),
            Nth(month, weekday, n) => NaiveDate::from_weekday_of_month_opt(year, month, weekday, n),
            Last(month, weekday) => {
                [5, 4].into_iter().find_map(|n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n))
            }
            Easter(days) => easter(year)?.checked_add_signed(chrono::TimeDelta::days(days.into())),
        }
    }
}

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm; Meeus, *Astronomical Algorithms*, chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).ok()?, u32::try_from(n % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_calendar_has_its_days_each_year_or_once_and_its_name_alone_is_encoded() {
        let once = |date: &str| Marked::Once(date.parse().unwrap());
        let sales = |days: &[Marked]| {
            Holidays::Own(Calendar { name: "holiday.sales".into(), days: days.iter().copied().collect() })
        };
        let both = sales(&[once("2026-11-27"), Marked::Yearly(12, 24), Marked::Yearly(2, 29)]);
        let found = |date: &str| (both.contains(day(date)), both.days_until(day(date)));
        assert_eq!(found("2026-11-27"), (true, None));
        assert_eq!(found("2026-11-20"), (false, Some(7)));
        assert_eq!(found("2027-11-26"), (false, None), "once is once");
        assert_eq!(found("2031-12-23"), (false, Some(1)));
        assert_eq!((found("2028-02-28"), found("2027-02-28")), ((false, Some(1)), (false, None)), "a leap day");
        let bytes = |holidays: &Holidays| minicbor::to_vec(holidays).unwrap();
        let decode_of = |bytes: &[u8]| Decoder::new(bytes).decode::<Holidays>();
        assert_eq!(bytes(&both), bytes(&sales(&[])));
        assert_eq!(decode_of(&bytes(&both)).unwrap(), sales(&[]));
        for (at, (_, holidays)) in (0_u8..).zip(Holidays::ALL) {
            assert_eq!((bytes(&holidays), decode_of(&[at]).unwrap()), (vec![at], holidays), "as it always was");
        }
        assert!(decode_of(&[9]).is_err());
    }

    fn day(date: &str) -> Day {
        Timestamp::parse(&format!("{date}T12:00:00Z")).unwrap().day()
    }

    fn of_year(holidays: &Holidays, year: i32) -> Vec<String> {
        let first = day(&format!("{year}-01-01")).0;
        let days = (first..first + 365).map(Day).filter(|day| holidays.contains(*day));
        days.map(|day| day.date().unwrap().format("%m-%d").to_string()).collect()
    }

    #[test]
    fn easter_and_thanksgiving_of_ten_years_are_those_of_the_calendars() {
        let easters = ["04-12", "04-04", "04-17", "04-09", "03-31", "04-20", "04-05", "03-28", "04-16", "04-01"];
        let thursdays = [26, 25, 24, 23, 28, 27, 26, 25, 23, 22];
        for (year, (sunday, thursday)) in (2020..).zip(easters.into_iter().zip(thursdays)) {
            assert_eq!(easter(year), day(&format!("{year}-{sunday}")).date(), "{year}");
            assert!(Holidays::UnitedStates.contains(day(&format!("{year}-11-{thursday}"))), "{year}");
        }
    }

    #[test]
    fn the_holidays_of_a_year_are_those_that_were_published() {
        let check = |holidays: Holidays, expected: &str| assert_eq!(of_year(&holidays, 2026).join(" "), expected);
        check(Holidays::UnitedStates, "01-01 01-19 02-16 05-25 06-19 07-04 09-07 10-12 11-11 11-26 12-25");
        check(Holidays::Britain, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-26");
        check(Holidays::Germany, "01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26");
        check(Holidays::France, "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25");
    }

    #[test]
    fn a_holiday_is_ahead_for_a_week_before_it() {
        let check = |date, expected| assert_eq!(Holidays::UnitedStates.days_until(day(date)), expected, "{date}");
        check("2026-11-18", None);
        check("2026-11-19", Some(7));
        check("2026-11-25", Some(1));
        check("2026-11-26", None);
        check("2026-12-31", Some(1));
    }
}
