//! Parameters behind the `?` of an address: known ones only, every mistake at once. Knows no route.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};

use super::problem::{Checks, Problem};
use crate::domain::Malformed;
use crate::policy::did_you_mean;

/// What was asked for, with what is wrong with it so far. A mistake is placed as `?name`.
pub struct Query {
    given: BTreeMap<String, String>,
    checks: Checks,
}

impl Query {
    /// Reads the parameters of a request; one that is not among the known ones, or comes twice, is a mistake.
    pub fn read(request: &HttpRequest, known: &[&str]) -> Self {
        let mut query = Self { given: BTreeMap::new(), checks: Checks::default() };
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        for (name, value) in pairs.map(web::Query::into_inner).unwrap_or_default() {
            let at = format!("?{name}");
            if !known.contains(&name.as_str()) {
                let meant = did_you_mean(&name, known.iter().copied());
                let known = known.join("`, `");
                query.checks.add(at, format!("unknown parameter `{name}`, expected one of `{known}`{meant}"));
            } else if query.given.insert(name.clone(), value).is_some() {
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

    /// Ends the reading: everything wrong at once, if anything is.
    pub fn done(self) -> Result<(), Problem> {
        if self.checks.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.checks.0)) }
    }
}
