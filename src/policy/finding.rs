//! Findings: mistakes in policy files, each with its place and a way to mend it. Looks for none itself.

use serde::Serialize;

use super::Source;

/// One mistake of an author, or one warning. `Display` shows it with the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable, one per kind of mistake or warning; see [`super::codes::CODES`] and [`super::LINTS`].
    pub code: &'static str,
    /// The file, relative to the directory of the bundle.
    pub path: String,
    /// From 1; 0 where the finding is about the file as a whole.
    pub line: usize,
    /// From 1, in characters; 0 where the finding is about the file as a whole.
    pub column: usize,
    /// Characters concerned.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// Short words under the place.
    pub label: String,
    /// A way out, where the message does not name it.
    pub help: Option<String>,
    /// The line it stands on.
    pub source_line: String,
}

impl Finding {
    /// What is wrong and the way out, in one line.
    pub fn told(&self) -> String {
        let Self { message, help, .. } = self;
        match help {
            Some(help) if message.ends_with('?') => format!("{message} {help}"),
            Some(help) => format!("{message}; {help}"),
            None => message.clone(),
        }
    }

    /// Adds a way out.
    pub fn with_help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}[{}]: {}", super::level(self.code), self.code, self.message)?;
        let number = if self.line == 0 { String::new() } else { self.line.to_string() };
        let gutter = " ".repeat(number.len().max(1));
        if self.line == 0 {
            write!(f, "{gutter}--> {}", self.path)?;
        } else {
            let (shown, at) = excerpt(&self.source_line, self.column.saturating_sub(1));
            let carets = "^".repeat(self.length.min(shown.chars().count().saturating_sub(at)).max(1));
            let before = " ".repeat(at);
            writeln!(f, "{gutter}--> {}:{}:{}", self.path, self.line, self.column)?;
            writeln!(f, "{gutter} |")?;
            writeln!(f, "{number} | {shown}")?;
            write!(f, "{gutter} | {}", format!("{before}{carets} {}", self.label).trim_end())?;
        }
        match &self.help {
            Some(help) => {
                let indent = format!("\n{gutter}         ");
                write!(f, "\n{gutter} = help: {}", wrapped(help).join(&indent))
            }
            None => Ok(()),
        }
    }
}

/// Columns of a line that are shown.
const LINE_COLUMNS: usize = 200;

/// What is shown of a line, and how many characters stand there before a place: of a long line what is around it, or
/// nobody would find the carets.
fn excerpt(line: &str, place: usize) -> (String, usize) {
    // Control characters would move the carets away from what they point at.
    let letters: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let Some(most) = letters.len().checked_sub(LINE_COLUMNS).filter(|more| *more > 0) else {
        return (letters.into_iter().collect(), place);
    };
    let from = place.saturating_sub(LINE_COLUMNS / 2).min(most);
    let shown: String = letters.iter().skip(from).take(LINE_COLUMNS).collect();
    let before = if from > 0 { "..." } else { "" };
    let after = if from < most { "..." } else { "" };
    (format!("{before}{shown}{after}"), place - from + before.len())
}

/// Columns that a way out may take before it continues on the next line.
const HELP_COLUMNS: usize = 96;

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + word.len() >= HELP_COLUMNS);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

/// A stretch of one line of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Position in the sorted sources.
    pub(crate) file: usize,
    /// From 1; 0 for the whole file.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// In characters.
    pub(crate) length: usize,
}

impl Place {
    /// A file as a whole.
    pub(super) fn file(file: usize) -> Self {
        Self { file, line: 0, column: 0, length: 0 }
    }
}

/// Where findings gather, so that an author sees all of them at once.
pub(crate) struct Report<'a> {
    sources: &'a [Source],
    found: Vec<Finding>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        Self { sources, found: Vec::new() }
    }

    /// Notes a mistake at a place.
    pub(super) fn add(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Finding {
        let source = self.sources.get(place.file);
        let line = place.line.checked_sub(1).and_then(|at| source?.text.lines().nth(at));
        self.push(Finding {
            code,
            path: source.map_or_else(String::new, |s| s.path.clone()),
            line: place.line,
            column: place.column,
            length: place.length,
            message: message.into(),
            label: label.into(),
            help: None,
            source_line: line.unwrap_or_default().to_owned(),
        })
    }

    /// Notes that a file is not there.
    pub(super) fn add_missing(&mut self, path: &str, message: impl Into<String>) -> &mut Finding {
        self.push(Finding {
            code: super::codes::FILE_MISSING,
            path: path.to_owned(),
            line: 0,
            column: 0,
            length: 0,
            message: message.into(),
            label: String::new(),
            help: None,
            source_line: String::new(),
        })
    }

    /// A place as authors name it: `placements.yaml:3:9`.
    pub(super) fn name(&self, place: Place) -> String {
        let path = self.sources.get(place.file).map_or("", |s| s.path.as_str());
        if place.line == 0 { path.to_owned() } else { format!("{path}:{}:{}", place.line, place.column) }
    }

    /// The text of the file of a place.
    pub(super) fn text(&self, place: Place) -> &'a str {
        self.sources.get(place.file).map_or("", |s| s.text.as_str())
    }

    /// The file of a place.
    pub(super) fn path(&self, place: Place) -> String {
        self.sources.get(place.file).map_or_else(String::new, |s| s.path.clone())
    }

    /// Whether anything is wrong in a file of this folder.
    pub(super) fn any_below(&self, folder: &str) -> bool {
        self.found.iter().any(|finding| finding.path.starts_with(folder))
    }

    /// Everything found, by file and line.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| {
            (&a.path, a.line, a.column, a.code, &a.message).cmp(&(&b.path, b.line, b.column, b.code, &b.message))
        });
        self.found
    }

    fn push(&mut self, mut finding: Finding) -> &mut Finding {
        // Quoted text of a file may hold line breaks and worse; a message is one line.
        for text in [&mut finding.message, &mut finding.label] {
            *text = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        }
        let at = self.found.len();
        self.found.push(finding);
        &mut self.found[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_its_line_with_carets_under_the_words_concerned() {
        let finding = Finding {
            code: "P0107",
            path: "policies/rules/20-exclusions.yaml".into(),
            line: 10,
            column: 11,
            length: 13,
            message: "rule `loyalty.bronze`: unknown attribute `customer.teir`; did you mean `customer.tier`?".into(),
            label: "not in catalog/attributes.yaml".into(),
            help: None,
            source_line: "    when: customer.teir == \"bronze\" && offer.loyalty_only".into(),
        };
        assert_eq!(
            finding.to_string(),
            "error[P0107]: rule `loyalty.bronze`: unknown attribute `customer.teir`; did you mean `customer.tier`?\n  \
             --> policies/rules/20-exclusions.yaml:10:11\n   |\n10 |     when: customer.teir == \"bronze\" && \
             offer.loyalty_only\n   |           ^^^^^^^^^^^^^ not in catalog/attributes.yaml"
        );
    }

    #[test]
    fn of_a_long_line_what_is_around_the_place_is_shown() {
        let line = format!("{}here{}", "a".repeat(200), "z".repeat(200));
        let told = |line: &str, place: usize| {
            let (shown, at) = excerpt(line, place);
            assert!(shown.chars().count() <= LINE_COLUMNS + 6, "{shown}");
            shown.chars().skip(at).take(4).collect::<String>()
        };
        assert_eq!(told(&line, 200), "here");
        assert_eq!(excerpt(&line, 200).0, format!("...{}here{}...", "a".repeat(100), "z".repeat(96)));
        assert_eq!(told(&line[200..], 0), "here");
        assert_eq!(told(&line[..204], 200), "here");
        assert_eq!(told("\there", 1), "here");
        assert_eq!(told(&line, line.len()), "", "behind its end");
    }
}
