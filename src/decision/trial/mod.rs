//! Trials: the tests of a bundle, tried by the code that decides. Draws nothing and reads no clock.
//!
//! A case is a request, a customer and offers; what is compared is exactly which rules left each offer out. Gates,
//! minimisation, rules and caps are those of [`decide`](super::decide): there is no second evaluator to disagree.

mod one;

mod told;

mod text;

mod cover;

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;

use crate::domain::{OfferId, RuleId};
use crate::policy::{Bundle, Tests};

/// Something that came out otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// About which offer; nothing where it is about the gates of the purpose.
    pub offer: Option<OfferId>,
    /// The offer in words: what it earns and what else rules may read of it.
    pub about: String,
    /// The rules that were to leave it out.
    pub expected: Vec<RuleId>,
    /// The rules that did.
    pub came: Vec<RuleId>,
    /// Whether it is about rules that speak and leave nothing out.
    pub notes: bool,
    /// Whether rules were asked about it at all.
    pub candidate: bool,
    /// For each rule that was not expected: why, with what it compared.
    pub unexpected: Vec<String>,
    /// For each rule that did not come: why not.
    pub missing: Vec<String>,
}

/// A case that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// What it is about.
    pub name: String,
    /// Its file.
    pub path: String,
    /// Its line.
    pub line: usize,
    /// What was given, in words.
    pub given: Vec<String>,
    /// Every rule that was expected or came.
    pub rules: Vec<RuleId>,
    /// What came out otherwise; nothing where the case holds.
    pub mistakes: Vec<Mistake>,
}

/// How a rule fared in all cases together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cover {
    /// The rule.
    pub rule: RuleId,
    /// Its file; empty for a built-in rule.
    pub path: String,
    /// Its line.
    pub line: usize,
    /// How often it left an offer out, or refused a purpose.
    pub left_out: usize,
    /// How often it was asked and let an offer through.
    pub let_through: usize,
}

impl Cover {
    /// What no case shows of it, in words. Built-in rules are held by other tests.
    pub fn gap(&self) -> Option<&'static str> {
        match (self.line, self.left_out, self.let_through) {
            (0, ..) => None,
            (_, 0, 0) => Some("no case asks it"),
            (_, 0, _) => Some("no case in which it leaves an offer out"),
            (_, _, 0) => Some("no case in which it is asked and lets an offer through"),
            _ => None,
        }
    }
}

/// Every case of a bundle, tried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Trial {
    /// The cases, by file and line.
    pub cases: Vec<Tried>,
    /// The rules, in the order of the bundle.
    pub rules: Vec<Cover>,
}

impl Trial {
    /// The cases that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &Tried> {
        self.cases.iter().filter(|tried| !tried.mistakes.is_empty())
    }

    /// The rules of which some side is shown by no case, with what is missing. A rule about which a case fails is not
    /// among them: what it lacks is that case.
    pub fn gaps(&self) -> impl Iterator<Item = (&Cover, &'static str)> {
        let fails = |rule: &RuleId| {
            let mut mistakes = self.cases.iter().flat_map(|tried| &tried.mistakes);
            mistakes.any(|mistake| mistake.expected.contains(rule) != mistake.came.contains(rule))
        };
        self.rules.iter().filter(move |cover| !fails(&cover.rule)).filter_map(|cover| Some((cover, cover.gap()?)))
    }

    /// What concerns one rule.
    #[must_use]
    pub fn about(mut self, rule: &RuleId) -> Self {
        self.cases.retain(|tried| tried.rules.contains(rule));
        self.rules.retain(|cover| cover.rule == *rule);
        self
    }
}

/// Tries every case.
pub fn try_all(bundle: &Arc<Bundle>, tests: &Tests) -> Trial {
    let mut cover = cover::Counts::new(bundle);
    let cases = tests.cases.iter().map(|case| one::try_one(bundle, case, &mut cover)).collect();
    Trial { cases, rules: cover.finish(bundle) }
}
