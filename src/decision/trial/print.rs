//! A trial as it is printed. Decides nothing and knows no folder but that of the bundle.

use std::fmt::{Display, Formatter, Result};

use super::{Mistake, Tried};
use crate::domain::RuleId;

fn listed(rules: &[RuleId]) -> String {
    if rules.is_empty() {
        return "no rule leaves it out".to_owned();
    }
    rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ")
}

impl Display for Tried {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.name)?;
        for (at, line) in self.given.iter().enumerate() {
            write!(f, "\n  {:10}{line}", if at == 0 { "given" } else { "" })?;
        }
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n{mistake}"))
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let rules = |rules: &[RuleId]| match (&self.offer, rules) {
            (None, []) => "no gate refuses the purpose".to_owned(),
            (_, rules) => listed(rules),
        };
        match &self.offer {
            Some(offer) => write!(f, "  `{offer}`: {}", self.about)?,
            None => write!(f, "  `refused_by`, the gates of the purpose")?,
        }
        write!(f, "\n    expected  {}", rules(&self.expected))?;
        let came = if self.candidate { rules(&self.came) } else { "it is no candidate".to_owned() };
        write!(f, "\n    came      {came}")?;
        self.unexpected.iter().try_for_each(|why| write!(f, "\n    too much  {why}"))?;
        self.missing.iter().try_for_each(|why| write!(f, "\n    missing   {why}"))
    }
}
