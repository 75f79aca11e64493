//! Where the letters of a value stand in its file, for findings about a part of it. Reads no value.
//!
//! The parser gives the place of a value and its text without quotes, escapes and folded line ends. Here both are
//! walked together. Where they do not agree letter by letter nothing is said, and the whole value is pointed at.

use std::ops::Range;

use super::finding::{Place, Report};
use super::syntax::{Node, Yaml};

/// The places of the letters of one value.
pub(super) struct Scalar<'n> {
    text: &'n str,
    file: usize,
    /// Line and column of each letter, both from 0.
    letters: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Quote {
    None,
    Single,
    Double,
}

impl<'n> Scalar<'n> {
    /// Finds the letters of a value in its file.
    pub(super) fn of(report: &Report<'_>, node: &'n Node) -> Option<Self> {
        let Yaml::Scalar { text, plain } = &node.value else { return None };
        let (file, first) = (node.place.file, node.place.line.checked_sub(1)?);
        let lines: Vec<Vec<char>> = report.text(node.place).lines().map(|line| line.chars().collect()).collect();
        let column = node.place.column.checked_sub(1)?;
        let quoted = match lines.get(first)?.get(column)? {
            '\'' if !plain => Some(Quote::Single),
            '"' if !plain => Some(Quote::Double),
            _ => None,
        };
        // The text of a block may begin with a quote too.
        let quoted = quoted.and_then(|quote| letters(&lines, (first, column + 1), text, quote));
        let letters = quoted.or_else(|| letters(&lines, (first, column), text, Quote::None))?;
        Some(Self { text, file, letters })
    }

    /// The place of some bytes of the text; to the end of the line where they run over several.
    pub(super) fn place(&self, at: &Range<usize>) -> Option<Place> {
        let letter = |byte: usize| Some(self.text.get(..byte)?.chars().count());
        let (first, last) = (letter(at.start)?, letter(at.end)?.checked_sub(1)?);
        let ((line, column), (end_line, end_column)) = (*self.letters.get(first)?, *self.letters.get(last)?);
        let length = if line == end_line { (end_column + 1).checked_sub(column)? } else { usize::MAX };
        Some(Place { file: self.file, line: line + 1, column: column + 1, length })
    }
}

fn letters(lines: &[Vec<char>], start: (usize, usize), text: &str, quote: Quote) -> Option<Vec<(usize, usize)>> {
    let (mut line, mut column) = start;
    let mut found = Vec::new();
    let mut folded = false;
    for letter in text.chars() {
        let rest = lines.get(line).and_then(|line| line.get(column..)).unwrap_or_default();
        found.push((line, column));
        if [' ', '\n'].contains(&letter) && rest.iter().all(|other| other.is_whitespace()) {
            // A line end, which became a space or stayed one; blank lines and indentation go with it.
            let blank = |line: &Vec<char>| line.iter().all(|other| other.is_whitespace());
            line += 1;
            while lines.get(line).is_some_and(blank) {
                line += 1;
            }
            column = lines.get(line).map_or(0, |line| line.iter().take_while(|other| other.is_whitespace()).count());
            folded = true;
            continue;
        }
        let (next, after) = (*rest.first()?, rest.get(1));
        let taken = match (quote, next) {
            (Quote::Double, '\\') => {
                after.filter(|escaped| ['"', '\\', '/'].contains(escaped) && **escaped == letter).map(|_| 2)
            }
            (Quote::Single, '\'') => after.filter(|again| **again == '\'' && letter == '\'').map(|_| 2),
            (_, next) if next == letter => Some(1),
            // Spaces that a fold kept beyond the indentation.
            _ if folded && letter.is_whitespace() => Some(0),
            _ => None,
        };
        column += taken?;
        folded = taken == Some(0);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Source;
    use crate::policy::syntax::parse;

    #[test]
    fn words_are_found_in_plain_quoted_folded_and_literal_values() {
        for yaml in [
            "a: one two == \"x\"",
            "a: one\n   two ==\n\n   \"x\"",
            "a: 'one two == \"x\"'",
            "a: \"one two == \\\"x\\\"\"",
            "a: 'one\n  two == \"x\"'",
            "a: >\n  one\n  two ==\n  \"x\"\n",
            "a: >-\n  one two\n    == \"x\"",
            "a: |\n  one\n    two\n  == \"x\"\n",
        ] {
            let sources = [Source { path: "a.yaml".into(), text: yaml.to_owned() }];
            let mut report = Report::new(&sources);
            let root = parse(&mut report, 0, yaml).unwrap();
            let Yaml::Map(entries) = &root.value else { panic!("{yaml}") };
            let node = &entries[0].1;
            let Yaml::Scalar { text, .. } = &node.value else { panic!("{yaml}") };
            let scalar = Scalar::of(&report, node).unwrap_or_else(|| panic!("{yaml}"));
            for word in ["one", "two", "==", "x"] {
                let start = text.find(word).unwrap();
                let place = scalar.place(&(start..start + word.len())).unwrap();
                let line: Vec<char> = yaml.lines().nth(place.line - 1).unwrap().chars().collect();
                let shown: String = line[place.column - 1..place.column - 1 + place.length].iter().collect();
                assert_eq!(shown, word, "{yaml}");
            }
        }
    }

    #[test]
    fn an_escape_that_is_not_followed_letter_by_letter_gives_no_place() {
        let yaml = "a: \"one \\x74wo\"";
        let sources = [Source { path: "a.yaml".into(), text: yaml.to_owned() }];
        let mut report = Report::new(&sources);
        let root = parse(&mut report, 0, yaml).unwrap();
        let Yaml::Map(entries) = &root.value else { panic!() };
        assert!(Scalar::of(&report, &entries[0].1).is_none());
    }
}
