//! One mistake in a catalogue file, with its place as its author finds it. Looks for none itself.

use serde::Serialize;

/// What is wrong at one place of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mistake {
    /// The file; empty where what was read has no name.
    pub path: String,
    /// From 1; 0 where the format has none (JSON).
    #[serde(skip_serializing_if = "is_zero")]
    pub line: usize,
    /// From 1, in characters; 0 where a cell is named by its field, or there is no line.
    #[serde(skip_serializing_if = "is_zero")]
    pub column: usize,
    /// The column of a CSV file by its name; empty elsewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// RFC 6901 pointer into a JSON or YAML file; empty in a CSV file.
    pub pointer: String,
    /// What was wrong, what was expected, how to mend it.
    pub message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut place = vec![self.path.clone()];
        place.extend([self.line, self.column].iter().filter(|number| **number > 0).map(usize::to_string));
        let place = place.join(":");
        // What a person edits by name is named; places with a line need no pointer.
        let named = if self.line == 0 {
            self.pointer.clone()
        } else if self.field.is_empty() {
            let below = self.pointer.rsplit('/').find(|name| !name.bytes().all(|byte| byte.is_ascii_digit()));
            below.filter(|name| !["offers", "campaigns"].contains(name)).unwrap_or_default().to_owned()
        } else {
            self.field.clone()
        };
        for part in [place, named].iter().filter(|part| !part.is_empty()) {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.message)
    }
}
