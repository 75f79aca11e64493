//! What a verification has to tell: findings with their places, in words for an auditor. Judges nothing.

/// Findings that are kept; more are only counted.
pub const FINDINGS_MAX: usize = 1_000;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A decision, a batch, a table or a position.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Everything found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// The first of them.
    pub first: Vec<Finding>,
    /// How many there are.
    pub count: u64,
}

impl Findings {
    /// Adds one.
    pub fn add(&mut self, place: &str, what: impl Into<String>) {
        self.count += 1;
        if self.first.len() < FINDINGS_MAX {
            self.first.push(Finding { place: place.to_owned(), what: what.into() });
        }
    }

    /// Whether everything is as it should be.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds others behind these.
    pub(super) fn extend(&mut self, others: Self) {
        self.count += others.count;
        let room = FINDINGS_MAX.saturating_sub(self.first.len());
        self.first.extend(others.first.into_iter().take(room));
    }
}
