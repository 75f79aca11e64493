//! The page of the worked example and its golden files: labelled blocks found, compared, written when asked to.
//! Computes no number.

use std::path::PathBuf;

use crate::harness::source::package;

const PAGE: &str = "src/docs/worked_example.md";
const GOLDEN: &str = "tests/golden";

/// A labelled block is fenced by ```` ```LANGUAGE example:LABEL ```` and ```` ``` ````.
pub struct Page {
    text: String,
}

impl Page {
    pub fn read() -> Self {
        Self { text: std::fs::read_to_string(package().join(PAGE)).unwrap() }
    }

    /// Where the text of every labelled block stands, with its label, in order.
    fn blocks(&self) -> Vec<(&str, std::ops::Range<usize>)> {
        let mut found = Vec::new();
        let mut rest = 0;
        while let Some(fence) = self.text[rest..].find("\n```") {
            let line = rest + fence + 4;
            let start = line + self.text[line..].find('\n').map_or(0, |end| end + 1);
            let end = start + self.text[start - 1..].find("\n```").expect("every block is closed");
            if let Some((_, label)) = self.text[line..start].trim_end().split_once(" example:") {
                found.push((label, start..end));
            }
            rest = end + 3;
        }
        found
    }

    /// Whether the text around the blocks says this, line ends read as blanks.
    pub fn says(&self, words: &str) -> bool {
        self.text.replace('\n', " ").contains(words)
    }

    /// The text of one block.
    pub fn block(&self, label: &str) -> &str {
        let found = self.blocks().into_iter().find(|(name, _)| *name == label);
        let (_, range) = found.unwrap_or_else(|| panic!("{PAGE} has no block labelled `example:{label}`"));
        &self.text[range]
    }

    /// Every labelled block whose label ends so, as (label, text).
    pub fn blocks_ending(&self, ending: &str) -> Vec<(&str, &str)> {
        let blocks = self.blocks().into_iter().filter(|(label, _)| label.ends_with(ending));
        blocks.map(|(label, range)| (label, &self.text[range])).collect()
    }

    /// The page with these blocks in place of its own.
    fn with(&self, computed: &[(&str, String)]) -> String {
        let mut text = self.text.clone();
        for (label, range) in self.blocks().into_iter().rev() {
            if let Some((_, block)) = computed.iter().find(|(name, _)| *name == label) {
                text.replace_range(range, block);
            }
        }
        text
    }
}

/// Holds the page and the golden files to what was computed. `UPDATE_GOLDEN=1` writes them instead, and fails all the
/// same, so that a change is looked at before it passes.
pub fn hold(page: &Page, inputs: &[&str], computed: &[(&str, String)], files: &[(String, Vec<u8>)]) {
    for (label, _) in page.blocks() {
        let known = inputs.contains(&label) || computed.iter().any(|(name, _)| *name == label);
        assert!(known, "{PAGE}: nothing reads or computes the block `example:{label}`");
    }
    let mut different: Vec<String> = Vec::new();
    for (label, block) in computed {
        let shown = page.block(label);
        if shown != block {
            different.push(format!("{PAGE}, block `example:{label}`, says\n{shown}but the library computes\n{block}"));
        }
    }
    for (name, bytes) in files {
        if read_golden(name).as_ref() != Some(bytes) {
            different.push(format!("{GOLDEN}/{name} does not hold the {} bytes computed\n", bytes.len()));
        }
    }
    if different.is_empty() {
        return;
    }
    if std::env::var("UPDATE_GOLDEN").as_deref() == Ok("1") {
        std::fs::write(package().join(PAGE), page.with(computed)).unwrap();
        for (name, bytes) in files {
            std::fs::write(golden(name), hex_lines(bytes)).unwrap();
        }
        panic!("wrote {} changes; look at them with `git diff`, then run again without UPDATE_GOLDEN", different.len());
    }
    panic!(
        "{}\nif the change is intended, write it with\n    UPDATE_GOLDEN=1 cargo test --test it every_number_on_the\n\
         and mend the text around it; bytes that were stored once must stay readable, so a new encoding gets a new \
         number and new files",
        different.join("\n")
    );
}

fn golden(name: &str) -> PathBuf {
    package().join(GOLDEN).join(name)
}

/// The bytes of a golden file, which holds them as lines of hexadecimal digits.
pub fn read_golden(name: &str) -> Option<Vec<u8>> {
    let text = std::fs::read_to_string(golden(name)).ok()?;
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

/// The names of golden files that begin so, in order.
pub fn golden_names(beginning: &str) -> Vec<String> {
    let entries = std::fs::read_dir(package().join(GOLDEN)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(beginning)).collect();
    names.sort();
    names
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(40).map(|line| hex(line) + "\n").collect()
}
