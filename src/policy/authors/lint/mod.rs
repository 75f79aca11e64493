//! Lint: what a bundle that compiles says and can hardly mean. Refuses nothing: every finding is a warning.
//!
//! What conditions do is found by looking at every case that they can tell apart
//! ([`Worlds`](crate::policy::condition::Worlds)), so that a warning comes with a witness. The work is bounded; where
//! it was given up is said. A new kind of rule is asked for by the compiler in [`conditions::condition`] and
//! [`covers::covers`].

mod conditions;
mod covers;
mod limits;
mod reach;
mod rest;
mod scope;

#[cfg(test)]
mod reach_tests;
#[cfg(test)]
mod tests;

use crate::domain::{RuleId, Timestamp};
use crate::policy::bundle::Bundle;
use crate::policy::cases::Tests;
use crate::policy::codes;
use crate::policy::finding::Finding;
use crate::policy::rules::Rule;
pub(in crate::policy) use conditions::{Hit, condition, hit};
pub(in crate::policy) use covers::covers;
pub(in crate::policy) use scope::contains;

macro_rules! lints {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(pub(in crate::policy) const $name: &str = $code;)*

        /// Every code of a warning with its meaning, in order. A code is never given a second meaning.
        pub const LINTS: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

lints! {
    NEVER = "L01", "a rule that never leaves anything out";
    ONLY_MISSING = "L02", "a rule that leaves something out only where a value is missing";
    ALWAYS = "L03", "a rule that leaves out everything it applies to";
    DUPLICATE = "L04", "a rule that says the same as another";
    SHADOWED = "L05", "a rule that leaves out only what another leaves out as well";
    CONTRADICTING = "L06", "rules that together leave nothing of what one of them applies to, or undo each other";
    CAP_LOOSER = "L07", "a cap or a budget that a wider one never lets come to its limit";
    UNTESTED = "L08", "a rule that no case shows from both sides";
    REGIONS_UNSEEN = "L09", "a rule for some regions where no case says from where a request comes";
    OVER = "L10", "a rule whose time is over";
    ENDS_SOON = "L11", "a rule that ends within two weeks, or an override within two days";
    UNMEASURED = "L15", "a fairness gate that measures, in a bundle that names no report";
}

/// What a code means, of a mistake or of a warning.
pub fn meaning(code: &str) -> Option<&'static str> {
    codes::CODES.iter().chain(LINTS).find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}

/// What a finding is: `error` for a mistake, `warning` for what lint says.
pub fn level(code: &str) -> &'static str {
    if LINTS.iter().any(|(known, _)| *known == code) { "warning" } else { "error" }
}

/// What was found, and what could not be looked through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Linted {
    /// Warnings, by file and line.
    pub findings: Vec<Finding>,
    /// Questions that were given up because they have too many cases, in words.
    pub unsettled: Vec<String>,
}

/// What is looked at.
struct Ground<'a> {
    bundle: &'a Bundle,
    tests: &'a Tests,
    /// Rules that some side of which no case shows, with what is missing.
    gaps: &'a [(RuleId, &'static str)],
    now: Timestamp,
}

/// Cases that one question may look at.
pub(in crate::policy) const WORLDS_MAX: u64 = 50_000;

/// Cases that all questions together may look at.
const WORLDS_ALL_MAX: u64 = 4_000_000;

/// Where warnings gather.
struct Found<'a> {
    bundle: &'a Bundle,
    linted: Linted,
    /// Cases that may still be looked at.
    left: u64,
}

/// Looks for everything. `gaps` are the rules of which the tests do not show both sides, as the trial found them.
pub fn lint(bundle: &Bundle, tests: &Tests, gaps: &[(RuleId, &'static str)], now: Timestamp) -> Linted {
    let ground = Ground { bundle, tests, gaps, now };
    let mut found = Found { bundle, linted: Linted::default(), left: WORLDS_ALL_MAX };
    conditions::find(&ground, &mut found);
    limits::find(&ground, &mut found);
    reach::find(&ground, &mut found);
    rest::find(&ground, &mut found);
    let mut linted = found.linted;
    linted.findings.sort_by(|a, b| {
        (&a.path, a.line, a.column, a.code, &a.message).cmp(&(&b.path, b.line, b.column, b.code, &b.message))
    });
    linted
}

/// The rules that authors wrote.
fn written(bundle: &Bundle) -> impl Iterator<Item = &Rule> {
    bundle.rules.iter().filter(|rule| rule.place.1 > 0)
}

/// Where a rule stands, as authors name it.
fn place(rule: &Rule) -> String {
    format!("{}:{}", rule.place.0, rule.place.1)
}

impl Found<'_> {
    /// Notes a warning at the name of a rule; the same is said of a rule once, by its first witness.
    fn add(&mut self, code: &'static str, rule: &Rule, message: String, label: &str, help: String) {
        let about = (&rule.place.0, rule.place.1, code);
        if self.linted.findings.iter().any(|known| (&known.path, known.line, known.code) == about) {
            return;
        }
        let (path, line) = (&rule.place.0, rule.place.1);
        let text = self.bundle.sources.iter().find(|source| source.path == *path).map_or("", |source| &source.text);
        let source_line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
        let before = source_line.find(rule.id.as_str()).and_then(|at| source_line.get(..at)).unwrap_or_default();
        self.linted.findings.push(Finding {
            code,
            path: path.clone(),
            line,
            column: before.chars().count() + 1,
            length: rule.id.as_str().chars().count(),
            message,
            label: label.to_owned(),
            help: Some(help),
            source_line,
        });
    }

    /// Whether so many cases may be looked at; otherwise it is noted that they were not.
    fn may(&mut self, worlds: u64, question: &dyn Fn() -> String) -> bool {
        if worlds <= WORLDS_MAX.min(self.left) {
            self.left -= worlds;
            return true;
        }
        self.linted.unsettled.push(format!("{}: {worlds} cases", question()));
        false
    }
}
