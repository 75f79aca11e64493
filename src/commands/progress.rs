//! What a person sees while a command runs: a bar on a terminal, a line per happening. Keeps no result.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::commands::Format;

/// A bar on standard error, drawn on a terminal only, and lines beside it.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    format: Format,
}

impl Progress {
    /// A bar of so many steps.
    pub fn new(what: &str, steps: usize, format: Format) -> Self {
        let bar = ProgressBar::new(steps as u64);
        let template = "{msg:22} {wide_bar} {pos}/{len}  {per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, format }
    }

    /// So many steps are done.
    pub fn advance(&self, steps: usize) {
        self.bar.inc(steps as u64);
    }

    /// Prints a line without tearing the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| say(self.format, line));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Prints a line for people: on standard output, or on standard error where that carries JSON.
pub fn say(format: Format, line: &str) {
    match format {
        Format::Text => println!("{line}"),
        Format::Json => eprintln!("{line}"),
    }
}

/// A count with its thousands apart.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([count(7), count(999), count(1_000), count(1_234_567)], ["7", "999", "1,000", "1,234,567"]);
    }
}
