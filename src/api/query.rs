//! Parameters behind the `?` of an address: known ones only, every mistake at once. Knows no route.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};

use super::problem::{Checks, Problem};
use crate::domain::{Malformed, Span, Timestamp};
use crate::policy::did_you_mean;

const DAY: Span = Span(86_400_000);

/// What was asked for, with what is wrong with it so far. A mistake is placed as `?name`.
pub struct Query {
    given: BTreeMap<String, String>,
    checks: Checks,
}

impl Query {
    /// Reads the parameters of a request; one that is not among the known ones, or comes twice, is a mistake. One
    /// without a value counts as not given.
    pub fn read(request: &HttpRequest, known: &[&str]) -> Self {
        let mut query = Self { given: BTreeMap::new(), checks: Checks::default() };
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        for (name, value) in pairs.map(web::Query::into_inner).unwrap_or_default() {
            let at = format!("?{name}");
            if !known.contains(&name.as_str()) {
                let meant = did_you_mean(&name, known.iter().copied());
                let known = known.join("`, `");
                query.checks.add(at, format!("unknown parameter `{name}`, expected one of `{known}`{meant}"));
            } else if !value.is_empty() && query.given.insert(name.clone(), value).is_some() {
                query.checks.add(at, format!("`{name}` is given twice"));
            }
        }
        query
    }

    /// A parameter as something parsed.
    pub fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Malformed>) -> Option<T> {
        let given = self.given.get(name)?;
        self.checks.ok(&format!("?{name}"), parse(given))
    }

    /// A parameter as a whole number within bounds.
    pub fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        self.parsed(name, |text| {
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| Malformed(format!("`{text}` is not a whole number from {least} to {most}")))
        })
    }

    /// A parameter as one of some words.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        self.parsed(name, |text| {
            let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
            chosen.ok_or_else(|| {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                let meant = did_you_mean(text, words.iter().copied());
                Malformed(format!("`{text}` is unknown, expected one of `{}`{meant}", words.join("`, `")))
            })
        })
    }

    /// The times `from` and `to`: instants, or dates, which mean whole days in UTC, the last one included. The last 30
    /// days unless given.
    pub fn times(&mut self, now: Timestamp, days_max: i64) -> (Timestamp, Timestamp) {
        let (from, to) = (self.instant("from", Span(0)), self.instant("to", DAY));
        // What happens at this very instant belongs to it.
        let to = to.unwrap_or_else(|| now.plus(Span(1)));
        let from = from.unwrap_or_else(|| to.minus(Span(30 * DAY.0)));
        if from >= to {
            self.checks.add("?from", format!("`from` ({from}) is not before `to` ({to})"));
        } else if to.0.saturating_sub(from.0) > days_max * DAY.0 {
            let message = format!("from {from} to {to} is too long a time: ask for at most {days_max} days at once");
            self.checks.add("?from", message);
        }
        (from, to)
    }

    fn instant(&mut self, name: &str, whole_day: Span) -> Option<Timestamp> {
        let text = self.given.get(name)?.clone();
        let midnight = Timestamp::parse(&format!("{text}T00:00:00Z")).map(|start| start.plus(whole_day));
        let parsed = midnight.or_else(|_| Timestamp::parse(&text));
        if parsed.is_err() {
            let message = format!(
                "`{text}` is neither a date nor an instant: expected such as `2026-03-01` or `2026-03-01T09:30:00Z` \
                 (in a URL a `+` is written `%2B`)"
            );
            self.checks.add(format!("?{name}"), message);
        }
        parsed.ok()
    }

    /// Ends the reading: everything wrong at once, if anything is.
    pub fn done(self) -> Result<(), Problem> {
        if self.checks.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.checks.0)) }
    }
}
