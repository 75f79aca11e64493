//! A mistake in a condition, by the bytes it stands in. Knows no file: the place is found when it is reported.

use std::ops::Range;

/// A mistake.
#[derive(Debug)]
pub(super) struct Slip {
    pub(super) at: Range<usize>,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: Option<String>,
}

impl Slip {
    pub(super) fn new(
        at: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self { at, code, message: message.into(), label: label.into(), help: None }
    }

    /// Adds a way out; an empty one is none.
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into()).filter(|help| !help.is_empty());
        self
    }
}
