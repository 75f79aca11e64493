//! Values in conditions and what operators make of them: exact whole numbers and a third truth value. Reads nothing.
//!
//! Nothing (`None`) is a missing value. Numbers are millionths; amounts are millionths of a minor unit, so that a share
//! of an amount is exact; dates and spans are milliseconds. The check of types proves that nothing here overflows.

use std::cmp::Ordering;

use super::tree::Op;
use crate::domain::attribute::NUMBER_SCALE;
use crate::domain::{Currency, LocalTime, Timestamp};

/// A value; `T` is what text is held as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Datum<T> {
    Bool(bool),
    Number(i128),
    Money(i128, Currency),
    Date(i128),
    Span(i128),
    Text(T),
}

/// Millionths in one, as wide as values are.
pub(super) const SCALE: i128 = NUMBER_SCALE as i128;

impl<T> Datum<T> {
    /// An amount of minor units.
    pub(super) fn money(minor: i64, currency: Currency) -> Self {
        Self::Money(i128::from(minor) * SCALE, currency)
    }

    /// The truth it holds, if it is one.
    pub(super) fn truth(self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// The same with its text held otherwise.
    pub(super) fn map<U>(self, text: impl FnOnce(T) -> U) -> Datum<U> {
        match self {
            Self::Bool(truth) => Datum::Bool(truth),
            Self::Number(number) => Datum::Number(number),
            Self::Money(amount, currency) => Datum::Money(amount, currency),
            Self::Date(ms) => Datum::Date(ms),
            Self::Span(ms) => Datum::Span(ms),
            Self::Text(held) => Datum::Text(text(held)),
        }
    }
}

/// What an operator makes of two values, either of which may be missing.
pub(super) fn apply<T: PartialEq>(op: Op, a: Option<Datum<T>>, b: Option<Datum<T>>) -> Option<Datum<T>> {
    match op {
        Op::And => and(a.and_then(Datum::truth), b.and_then(Datum::truth)).map(Datum::Bool),
        Op::Or => or(a.and_then(Datum::truth), b.and_then(Datum::truth)).map(Datum::Bool),
        Op::Plus => plus(&a?, &b?),
        Op::Minus => minus(&a?, &b?),
        Op::Times => times(&a?, &b?),
        _ => compare(op, &a?, &b?).map(Datum::Bool),
    }
}

/// Both hold: one that does not settles it, whatever the other is.
pub(in crate::policy) fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// One of both holds: one that does settles it, whatever the other is.
pub(super) fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// The opposite truth, or the opposite number.
pub(super) fn negate<T>(a: Option<Datum<T>>) -> Option<Datum<T>> {
    match a? {
        Datum::Number(number) => number.checked_neg().map(Datum::Number),
        Datum::Money(amount, currency) => amount.checked_neg().map(|amount| Datum::Money(amount, currency)),
        Datum::Span(ms) => ms.checked_neg().map(Datum::Span),
        Datum::Bool(truth) => Some(Datum::Bool(!truth)),
        Datum::Date(_) | Datum::Text(_) => None,
    }
}

/// Whether a value is among others: found settles it, otherwise one that is missing leaves it open.
pub(super) fn within<T: PartialEq>(
    a: Option<Datum<T>>,
    list: impl Iterator<Item = Option<Datum<T>>>,
) -> Option<Datum<T>> {
    let a = a?;
    let mut found = Some(false);
    for item in list {
        found = or(found, item.and_then(|item| compare(Op::Equal, &a, &item)));
    }
    found.map(Datum::Bool)
}

fn compare<T: PartialEq>(op: Op, a: &Datum<T>, b: &Datum<T>) -> Option<bool> {
    let order = match (a, b) {
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        // Text has no order: only whether it is the same is ever asked.
        (Datum::Text(a), Datum::Text(b)) => {
            if a == b {
                Ordering::Equal
            } else {
                Ordering::Less
            }
        }
        (Datum::Number(a), Datum::Number(b)) | (Datum::Date(a), Datum::Date(b)) | (Datum::Span(a), Datum::Span(b)) => {
            a.cmp(b)
        }
        (Datum::Money(a, of), Datum::Money(b, other)) if of == other => a.cmp(b),
        // Amounts of two currencies: nothing can be said.
        _ => return None,
    };
    Some(holds(op, order))
}

/// Whether a comparison holds for an order.
pub(super) fn holds(op: Op, order: Ordering) -> bool {
    match op {
        Op::Equal => order.is_eq(),
        Op::NotEqual => order.is_ne(),
        Op::Less => order.is_lt(),
        Op::LessOrEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

fn plus<T>(a: &Datum<T>, b: &Datum<T>) -> Option<Datum<T>> {
    match (a, b) {
        (Datum::Number(a), Datum::Number(b)) => a.checked_add(*b).map(Datum::Number),
        (Datum::Money(a, of), Datum::Money(b, other)) if of == other => {
            a.checked_add(*b).map(|sum| Datum::Money(sum, *of))
        }
        (Datum::Span(a), Datum::Span(b)) => a.checked_add(*b).map(Datum::Span),
        (Datum::Date(a), Datum::Span(b)) | (Datum::Span(a), Datum::Date(b)) => a.checked_add(*b).map(Datum::Date),
        _ => None,
    }
}

fn minus<T>(a: &Datum<T>, b: &Datum<T>) -> Option<Datum<T>> {
    match (a, b) {
        (Datum::Number(a), Datum::Number(b)) => a.checked_sub(*b).map(Datum::Number),
        (Datum::Money(a, of), Datum::Money(b, other)) if of == other => {
            a.checked_sub(*b).map(|rest| Datum::Money(rest, *of))
        }
        (Datum::Span(a), Datum::Span(b)) | (Datum::Date(a), Datum::Date(b)) => a.checked_sub(*b).map(Datum::Span),
        (Datum::Date(a), Datum::Span(b)) => a.checked_sub(*b).map(Datum::Date),
        _ => None,
    }
}

fn times<T>(a: &Datum<T>, b: &Datum<T>) -> Option<Datum<T>> {
    // What is finer than a millionth is rounded down.
    let scaled = |a: i128, b: i128| a.checked_mul(b).map(|product| product.div_euclid(SCALE));
    match (a, b) {
        (Datum::Number(a), Datum::Number(b)) => scaled(*a, *b).map(Datum::Number),
        (Datum::Money(a, of), Datum::Number(b)) | (Datum::Number(b), Datum::Money(a, of)) => {
            scaled(*a, *b).map(|product| Datum::Money(product, *of))
        }
        (Datum::Span(a), Datum::Number(b)) | (Datum::Number(b), Datum::Span(a)) => scaled(*a, *b).map(Datum::Span),
        _ => None,
    }
}

/// The first moment of a date written `2026-03-01`, in milliseconds as if it were UTC.
pub(crate) fn date(text: &str) -> Option<i64> {
    let plain = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    let day = plain.then(|| text.parse::<chrono::NaiveDate>().ok()).flatten()?;
    Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

/// A date as it is written.
pub(super) fn print_date(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .map_or_else(|| format!("{ms} ms"), |at| at.date_naive().format("%Y-%m-%d").to_string())
}

/// The date and the hour of an instant in a time zone; in UTC where none is given or it is unknown.
pub(super) fn local(now: Timestamp, time_zone: Option<&str>) -> Option<(i64, i64)> {
    let zone = time_zone.and_then(|name| name.parse().ok());
    let at = local_time(now, zone.unwrap_or(chrono_tz::UTC), zone.is_some())?;
    Some((i64::from(at.day.0) * 86_400_000, i64::from(at.minute / 60)))
}

/// What calendar and clock show at an instant in a time zone, which the request named or did not.
pub(in crate::policy) fn local_time(now: Timestamp, zone: chrono_tz::Tz, zone_named: bool) -> Option<LocalTime> {
    use chrono::Timelike as _;
    let at = chrono::DateTime::from_timestamp_millis(now.0)?.with_timezone(&zone);
    let midnight = Timestamp(at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis());
    let minute = u16::try_from(at.hour() * 60 + at.minute()).ok()?;
    Some(LocalTime { day: midnight.day(), minute, zone_named })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_follow_kleene() {
        let (yes, no, open) = (Some(true), Some(false), None);
        for (a, b, both, either) in [
            (yes, yes, yes, yes),
            (yes, no, no, yes),
            (no, no, no, no),
            (yes, open, open, yes),
            (no, open, no, open),
            (open, open, open, open),
        ] {
            assert_eq!((and(a, b), and(b, a), or(a, b), or(b, a)), (both, both, either, either), "{a:?} {b:?}");
        }
        let text = |text: &'static str| Some(Datum::Text(text));
        let among = |list: &[Option<Datum<&'static str>>]| within(text("a"), list.iter().copied());
        assert_eq!(among(&[None, text("a")]), Some(Datum::Bool(true)));
        assert_eq!(among(&[None, text("b")]), None);
        assert_eq!(among(&[text("b")]), Some(Datum::Bool(false)));
    }

    #[test]
    fn shares_of_amounts_are_exact_and_currencies_never_mix() {
        let [usd, eur] = ["USD", "EUR"].map(|code| Currency::parse(code).unwrap());
        let money = |minor, currency| Some(Datum::<&str>::money(minor, currency));
        let share = |points: i128| Some(Datum::Number(points * SCALE / 10_000));
        // 15% of 9.99 is 1.4985: neither 1.49 nor 1.50.
        let limit = apply(Op::Times, money(999, usd), share(1500));
        assert_eq!(apply(Op::Less, money(149, usd), limit), Some(Datum::Bool(true)));
        assert_eq!(apply(Op::Greater, money(150, usd), limit), Some(Datum::Bool(true)));
        assert_eq!(apply(Op::Less, money(1, usd), money(2, eur)), None);
        assert_eq!(apply(Op::Plus, money(1, usd), money(2, eur)), None);
        assert_eq!(apply(Op::Times, Some(Datum::Number(i128::MAX)), Some(Datum::<&str>::Number(2))), None);
    }

    #[test]
    fn a_day_begins_where_the_customer_is() {
        let at = Timestamp::parse("2026-03-01T03:30:00Z").unwrap();
        let shown = |zone| local(at, zone).map(|(day, hour)| format!("{} {hour}", print_date(day))).unwrap();
        assert_eq!(shown(None), "2026-03-01 3");
        assert_eq!(shown(Some("America/New_York")), "2026-02-28 22");
        for bad in ["2026-02-30", "2026-3-1", "20260301", "+2026-03-0", "2026-03-01T00:00:00Z", ""] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }
}
