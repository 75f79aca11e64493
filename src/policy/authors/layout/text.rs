//! The letters of a file: where a value ends, where a comment begins. Knows no field.

/// The letters of a file by line and column, both from 0.
pub(super) struct Letters {
    pub(super) lines: Vec<Vec<char>>,
}

/// Where something ends: the line, and the first column behind it.
pub(super) type End = (usize, usize);

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        Self { lines: text.lines().map(|line| line.chars().collect()).collect() }
    }

    pub(super) fn line(&self, line: usize) -> &[char] {
        self.lines.get(line).map_or(&[], Vec::as_slice)
    }

    pub(super) fn at(&self, line: usize, column: usize) -> Option<char> {
        self.line(line).get(column).copied()
    }

    pub(super) fn slice(&self, line: usize, from: usize, until: usize) -> String {
        self.line(line).get(from..until.max(from)).unwrap_or_default().iter().collect()
    }

    /// The rest of a line, without the blanks around it.
    pub(super) fn rest(&self, (line, column): End) -> String {
        let rest: String = self.line(line).get(column..).unwrap_or_default().iter().collect();
        rest.trim().to_owned()
    }

    pub(super) fn indent(&self, line: usize) -> usize {
        self.line(line).iter().take_while(|letter| **letter == ' ').count()
    }

    pub(super) fn blank(&self, line: usize) -> bool {
        self.line(line).iter().all(|letter| letter.is_whitespace())
    }

    /// The end of a quoted value that begins here.
    pub(super) fn quoted(&self, (line, column): End) -> Option<End> {
        let quote = self.at(line, column)?;
        let (mut line, mut column) = (line, column + 1);
        while line < self.lines.len() {
            match self.at(line, column) {
                None => (line, column) = (line + 1, 0),
                Some('\\') if quote == '"' => column += 2,
                Some(letter) if letter == quote && quote == '\'' && self.at(line, column + 1) == Some('\'') => {
                    column += 2;
                }
                Some(letter) if letter == quote => return Some((line, column + 1)),
                Some(_) => column += 1,
            }
        }
        None
    }

    /// The end of a list or mapping in brackets that begins here. Nothing where a comment stands within.
    pub(super) fn bracketed(&self, (line, column): End) -> Option<End> {
        let (mut line, mut column, mut depth) = (line, column, 0_usize);
        while line < self.lines.len() {
            match self.at(line, column) {
                None => (line, column) = (line + 1, 0),
                Some('[' | '{') => (depth, column) = (depth + 1, column + 1),
                Some(']' | '}') => {
                    (depth, column) = (depth.checked_sub(1)?, column + 1);
                    if depth == 0 {
                        return Some((line, column));
                    }
                }
                Some('"' | '\'') if self.opens(line, column) => (line, column) = self.quoted((line, column))?,
                Some('#') if column == 0 || self.at(line, column - 1).is_some_and(char::is_whitespace) => return None,
                Some(_) => column += 1,
            }
        }
        None
    }

    /// Whether a quote here begins a value, and is no letter of one.
    fn opens(&self, line: usize, column: usize) -> bool {
        let before = self.line(line).get(..column).unwrap_or_default();
        let before = before.iter().rev().find(|letter| !letter.is_whitespace());
        before.is_none_or(|letter| ['[', '{', ',', ':'].contains(letter))
    }
}

/// Every line that is a comment, and every comment behind a value, as far as can be told without reading values: the
/// same for a file and its layout.
pub(super) fn comments(text: &str) -> Vec<String> {
    let comment = |line: &str| {
        let at = if line.trim_start().starts_with('#') { line.find('#') } else { line.find(" #").map(|at| at + 1) };
        at.and_then(|at| line.get(at..)).map(|text| text.trim_end().to_owned())
    };
    text.lines().filter_map(comment).collect()
}
