//! A trial as it is printed. Decides nothing and knows no folder but that of the bundle.

use std::fmt::{Display, Formatter, Result};

use super::{Mistake, Tried};
use crate::domain::RuleId;

/// Columns that a line may take before it continues on the next.
const COLUMNS: usize = 116;

/// A line that begins with a word of its own; what does not fit continues below, indented.
fn line(f: &mut Formatter<'_>, indent: usize, head: &str, text: &str) -> Result {
    let mut column = indent + head.chars().count().max(9) + 1;
    write!(f, "\n{:indent$}{head:9} ", "")?;
    for (at, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if at > 0 && column + 1 + width > COLUMNS {
            column = indent + 12;
            write!(f, "\n{:column$}", "")?;
        } else if at > 0 {
            column += 1;
            write!(f, " ")?;
        }
        column += width;
        write!(f, "{word}")?;
    }
    Ok(())
}

fn listed(rules: &[RuleId]) -> String {
    if rules.is_empty() {
        return "no rule leaves it out".to_owned();
    }
    rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ")
}

impl Display for Tried {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.name)?;
        for (at, given) in self.given.iter().enumerate() {
            line(f, 2, if at == 0 { "given" } else { "" }, given)?;
        }
        self.mistakes.iter().try_for_each(|mistake| write!(f, "{mistake}"))
    }
}

impl Display for Mistake {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let rules = |rules: &[RuleId]| match (&self.offer, rules) {
            (_, []) if self.notes => "nothing is noted".to_owned(),
            (None, []) => "no gate refuses the purpose".to_owned(),
            (_, rules) => listed(rules),
        };
        match &self.offer {
            Some(offer) => line(f, 2, &format!("`{offer}`:"), &self.about)?,
            None => line(f, 2, "gates", "what is to refuse the purpose, `refused_by`")?,
        }
        if self.notes {
            line(f, 4, "notes", "what is to speak and leave nothing out")?;
        }
        line(f, 4, "expected", &rules(&self.expected))?;
        let came = if self.candidate { rules(&self.came) } else { "it is no candidate".to_owned() };
        line(f, 4, "came", &came)?;
        self.unexpected.iter().try_for_each(|why| line(f, 4, "too much", why))?;
        self.missing.iter().try_for_each(|why| line(f, 4, "missing", why))
    }
}
