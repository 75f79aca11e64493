//! What stands behind the `?` of a path: names, times and choices, every mistake at once. Knows no route.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};

use super::problem::{Checks, Problem};
use crate::domain::{Span, Timestamp};
use crate::policy::did_you_mean;

const DAY: Span = Span(86_400_000);

/// The parameters of one request.
pub struct Query {
    given: BTreeMap<String, String>,
    /// What is wrong so far; a pointer names the parameter.
    pub checks: Checks,
}

impl Query {
    /// Reads them; those that are not among `known` are mistakes, and so is one given twice.
    pub fn read(request: &HttpRequest, known: &[&str]) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|error| Problem::invalid_id(format!("what stands behind the `?` cannot be read: {error}")))?;
        let (mut given, mut checks) = (BTreeMap::new(), Checks::default());
        for (name, value) in pairs.into_inner() {
            if !known.contains(&name.as_str()) {
                let (listed, meant) = (listed(known), did_you_mean(&name, known.iter().copied()));
                checks.add(format!("/{name}"), format!("unknown parameter `{name}`, expected one of {listed}{meant}"));
            } else if given.insert(name.clone(), value).is_some() {
                checks.add(format!("/{name}"), format!("the parameter `{name}` appears twice"));
            }
        }
        Ok(Self { given, checks })
    }

    /// A value, if it was given and is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// One of several choices, the first unless given.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(T, &str)]) -> Option<T> {
        let Some(value) = self.get(name).map(str::to_owned) else { return choices.first().map(|(choice, _)| *choice) };
        let found = choices.iter().find(|(_, choice)| *choice == value).map(|(choice, _)| *choice);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(_, name)| *name).collect();
            let (listed, meant) = (listed(&names), did_you_mean(&value, names.iter().copied()));
            self.checks.add(format!("/{name}"), format!("unknown value `{value}`, expected one of {listed}{meant}"));
        }
        found
    }

    /// The times `from` and `to`: instants, or dates, which mean whole days in UTC, the last one included. The last 30
    /// days unless given.
    pub fn times(&mut self, now: Timestamp, days_max: i64) -> (Timestamp, Timestamp) {
        let (from, to) = (self.instant("from", Span(0)), self.instant("to", DAY));
        // What happens at this very instant belongs to it.
        let to = to.unwrap_or_else(|| now.plus(Span(1)));
        let from = from.unwrap_or_else(|| to.minus(Span(30 * DAY.0)));
        if from >= to {
            self.checks.add("/from", format!("`from` ({from}) is not before `to` ({to})"));
        } else if to.0.saturating_sub(from.0) > days_max * DAY.0 {
            let message = format!("from {from} to {to} is too long a time: ask for at most {days_max} days at once");
            self.checks.add("/from", message);
        }
        (from, to)
    }

    fn instant(&mut self, name: &str, whole_day: Span) -> Option<Timestamp> {
        let text = self.get(name)?.to_owned();
        let midnight = Timestamp::parse(&format!("{text}T00:00:00Z")).map(|start| start.plus(whole_day));
        let parsed = midnight.or_else(|_| Timestamp::parse(&text));
        if parsed.is_err() {
            let message = format!(
                "`{text}` is neither a date nor an instant: expected such as `2026-03-01` or `2026-03-01T09:30:00Z` \
                 (in a URL a `+` is written `%2B`)"
            );
            self.checks.add(format!("/{name}"), message);
        }
        parsed.ok()
    }

    /// Everything that was wrong.
    pub fn done(self) -> Result<(), Problem> {
        if self.checks.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.checks.0)) }
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
