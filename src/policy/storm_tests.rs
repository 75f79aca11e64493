//! Storms over the parser and the compiler: files mutated, swapped, strewn with letters, and conditions of any words.
//! They compile or are refused with findings that show, soon and without a panic. Tests no rule.
//!
//! `PROFFER_TEST_SEEDS` plays more rounds: 1,000,000 are the whole trial.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::{Bundle, Finding, Source, codes, compile, compile_with_tests};

/// How long one input may take at the very most, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(20);

/// The files of the folder `policies/`, its tests too.
fn shop() -> Vec<Source> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Random choices.
struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end.max(1))
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn letter(&mut self) -> char {
        match self.below(8) {
            0 => char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap()).unwrap_or('\u{fffd}'),
            1..4 => SIGNS[self.below(SIGNS.len())],
            _ => char::from(u8::try_from(0x20 + self.below(0x5f)).unwrap()),
        }
    }

    fn letters(&mut self, most: usize) -> String {
        (0..self.below(most)).map(|_| self.letter()).collect()
    }

    /// Changes files: each time a text, a line, or what two lines say.
    fn mutate(&mut self, files: &mut [Source]) {
        let file = self.below(files.len());
        let other = self.below(files.len());
        match self.below(10) {
            0 => files[file].text = self.letters(200),
            1 => self.splice(&mut files[file].text),
            2 => self.strew(&mut files[file].text),
            3 => {
                let mut lines = lines_of(&files[file].text);
                let (a, b) = (self.below(lines.len()), self.below(lines.len()));
                lines.swap(a, b);
                files[file].text = lines.join("\n");
            }
            4 => self.values(files, file, other),
            5 => {
                let mut lines = lines_of(&files[file].text);
                let at = self.below(lines.len());
                match self.below(4) {
                    0 => drop(lines.remove(at)),
                    1 => lines.insert(at, lines[at].clone()),
                    2 => lines[at].insert_str(0, "  "),
                    _ => lines[at] = lines[at].strip_prefix("  ").unwrap_or_default().to_owned(),
                }
                files[file].text = lines.join("\n");
            }
            6 => {
                // The head of one file and the tail of another.
                let (mut head, tail) = (lines_of(&files[file].text), lines_of(&files[other].text));
                head.truncate(self.below(head.len()));
                head.extend_from_slice(&tail[self.below(tail.len())..]);
                files[file].text = head.join("\n");
            }
            7 => {
                let text = std::mem::take(&mut files[file].text);
                let taken = std::mem::replace(&mut files[other].text, text);
                files[file].text = taken;
            }
            8 => self.condition_of(&mut files[file].text),
            _ => self.number(&mut files[file].text),
        }
    }

    fn splice(&mut self, text: &mut String) {
        let mut letters: Vec<char> = text.chars().collect();
        let at = self.below(letters.len());
        let end = (at + self.below(12)).min(letters.len());
        let new = self.letters(5);
        letters.splice(at.min(end)..end, new.chars());
        *text = letters.into_iter().collect();
    }

    fn strew(&mut self, text: &mut String) {
        let mut lines = lines_of(text);
        let at = self.below(lines.len());
        let cut = lines[at].find(':').map_or(lines[at].len(), |colon| colon + 1);
        lines[at].truncate(cut);
        lines[at].push_str(self.one(TOKENS));
        *text = lines.join("\n");
    }

    /// Exchanges what two lines say behind their colons.
    fn values(&mut self, files: &mut [Source], file: usize, other: usize) {
        let (mine, theirs) = (lines_of(&files[file].text), lines_of(&files[other].text));
        let (a, b) = (self.below(mine.len()), self.below(theirs.len()));
        let value = |line: &str| line.split_once(':').map(|(_, value)| value.to_owned());
        let (Some(x), Some(y)) = (value(&mine[a]), value(&theirs[b])) else { return };
        for (file, at, new) in [(file, a, y), (other, b, x)] {
            let mut lines = lines_of(&files[file].text);
            if let Some(line) = lines.get_mut(at)
                && let Some(colon) = line.find(':')
            {
                line.replace_range(colon + 1.., &new);
            }
            files[file].text = lines.join("\n");
        }
    }

    fn condition_of(&mut self, text: &mut String) {
        let mut lines = lines_of(text);
        let conditions: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains("when:")).collect();
        if conditions.is_empty() {
            return;
        }
        let at = conditions[self.below(conditions.len())];
        let cut = lines[at].find(':').unwrap() + 1;
        lines[at].truncate(cut);
        let condition = self.condition();
        lines[at] += &[" |\n      ", &condition].concat();
        *text = lines.join("\n");
    }

    /// Another number where one stands.
    fn number(&mut self, text: &mut String) {
        let digits: Vec<usize> = text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
        if !digits.is_empty() {
            let at = digits[self.below(digits.len())];
            let new = self.one(&["0", "-1", "9", "00", "1e9", "99999999999999999999", "0.000001", "7d", "3%", ""]);
            text.replace_range(at..=at, new);
        }
    }

    /// Words of conditions in any order, or nested ones.
    fn condition(&mut self) -> String {
        match self.below(8) {
            0 => {
                let (open, close, times) = (self.one(&["(", "!", "-", "has("]), self.one(&["", ")"]), self.below(300));
                open.repeat(times) + self.one(WORDS) + &close.repeat(times)
            }
            1 => vec![self.one(WORDS); self.below(400)].join(self.one(&[" && ", " || ", " + ", " * ", ", ", " == "])),
            2..6 => self.built(4),
            _ => (0..=self.below(12)).map(|_| self.one(WORDS)).collect::<Vec<_>>().join(self.one(&[" ", ""])),
        }
    }
}

impl Chance {
    /// Built as conditions are, so that some of them are sound.
    fn built(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(6) == 0 {
            return self.one(SOUND).to_owned();
        }
        match self.below(5) {
            0 => format!("!({})", self.built(depth - 1)),
            1 => format!("{} {} {}", self.one(WORDS), self.one(&["==", "<", "in", "+"]), self.one(WORDS)),
            _ => format!("{} {} ({})", self.built(depth - 1), self.one(&["&&", "||"]), self.built(depth - 1)),
        }
    }
}

/// Conditions that are sound where they stand alone.
const SOUND: &[&str] = &[
    "customer.points > 1",
    "customer.tier == \"gold\"",
    "offer.category in [\"shoes\", \"home\"]",
    "has(customer.member_since)",
    "context.today - customer.member_since > 24h",
    "offer.discount > offer.price * 50%",
    "basket.size * 2 >= customer.points - 1",
    "offer.net_price + 1 USD < basket.total",
];

fn lines_of(text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() { vec![String::new()] } else { lines }
}

const SIGNS: [char; 16] = [':', '-', ' ', '\n', '{', '}', '[', ']', '"', '\'', '#', '%', ',', '&', '|', '\t'];

const WORDS: &[&str] = &[
    "customer.tier",
    "customer.visits_90d",
    "customer.points",
    "customer.member_since",
    "offer.price",
    "offer.discount",
    "offer.category",
    "offer.nowhere",
    "basket.total",
    "basket.size",
    "context.device_type",
    "context.today",
    "hour_of_day",
    "\"gold\"",
    "\"shoes\"",
    "\"\"",
    "\"\\\"",
    "'a'",
    "1",
    "-1",
    "0.000001",
    "1e9",
    "99999999999999999999",
    "50%",
    "5 USD",
    "5.001 USD",
    "7 JPY",
    "2026-03-01",
    "2026-13-41",
    "24h",
    "9999999d",
    "true",
    "false",
    "null",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "has",
    "has(",
    "(",
    ")",
    "[",
    "]",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    ".",
    "..",
    "=",
    "&",
    "|",
    "é",
    "\u{0}",
    "\\",
];

const TOKENS: &[&str] = &[
    " [",
    " ]",
    " {",
    " }",
    " &a",
    " *a",
    " !!str x",
    " |",
    " >",
    " '",
    " \"",
    " - ",
    ": ",
    " ? ",
    "\n  <<: *a",
    "\n---\n",
    " 0",
    " -1",
    " 1e999",
    " 99999999999999999999",
    " ~",
    " null",
    " yes",
    " true",
    " [[[]]]",
    " {a: {b: c}}",
    " \u{feff}",
    " é😀",
    "\t",
    " 0%",
    " 100000%",
    " 0h",
    " 3653d",
    " a * b",
    " has(customer.tier) && offer.category == 'shoes'",
    " \"((((\"",
    " |\n      customer.tier ==\n      \"gold\"",
    " {from: 2026-01-01, until: 2025-01-01, time_zone: UTC}",
    " customer.tier * offer.category",
    " \u{85}",
    " \u{0}",
    "\n\n",
    "\r",
    " %YAML",
];

fn rounds(usual: u64) -> u64 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(usual)
}

/// What came of the rounds.
#[derive(Default)]
struct Played {
    compiled: u64,
    /// How often each code was found.
    codes: BTreeMap<&'static str, u64>,
}

impl Played {
    fn note<T>(&mut self, result: Result<T, Vec<Finding>>) {
        let Err(findings) = result else {
            self.compiled += 1;
            return;
        };
        assert!(!findings.is_empty(), "refused without a word");
        for finding in &findings {
            let code = codes::CODES.iter().find(|(code, _)| *code == finding.code);
            *self.codes.entry(code.expect("a known code").0).or_default() += 1;
            assert!(finding.to_string().starts_with("error[P0"), "{finding}");
            assert_eq!(finding.line == 0, finding.column == 0, "{finding}");
        }
        let sorted = findings.windows(2).all(|w| (&w[0].path, w[0].line) <= (&w[1].path, w[1].line));
        assert!(sorted, "findings out of order");
    }
}

/// Plays rounds, each from its seed, and says which one panics or never ends.
fn play(count: u64, round: impl Fn(&mut Chance, &mut Played) + Send + 'static) -> Played {
    let (now, (done, ended)) = (std::sync::Arc::new(AtomicU64::new(0)), channel());
    let at = now.clone();
    std::thread::spawn(move || {
        let mut played = Played::default();
        for seed in 0..count {
            at.store(seed, Ordering::Relaxed);
            let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
            let held = catch_unwind(AssertUnwindSafe(|| round(&mut chance, &mut played)));
            if held.is_err() {
                drop(done.send(Err(seed)));
                return;
            }
        }
        drop(done.send(Ok(played)));
    });
    let mut before = u64::MAX;
    loop {
        match ended.recv_timeout(LONGEST) {
            Ok(Ok(played)) => return played,
            Ok(Err(seed)) => panic!("seed {seed}: see above"),
            Err(RecvTimeoutError::Timeout) => {
                let seed = now.load(Ordering::Relaxed);
                assert_ne!(seed, before, "seed {seed} takes longer than {LONGEST:?}");
                before = seed;
            }
            Err(RecvTimeoutError::Disconnected) => panic!("the player is gone"),
        }
    }
}

#[test]
fn mutated_files_of_the_shop_compile_or_are_refused_with_findings_that_show() {
    let (shop, count) = (shop(), rounds(1_500));
    let played = play(count, move |chance, played| {
        let mut files = shop.clone();
        for _ in 0..=chance.below(3) {
            chance.mutate(&mut files);
        }
        played.note(compile_with_tests(&files));
    });
    let Played { compiled, codes } = played;
    println!("{count} bundles: {compiled} compiled, {} of {} codes found: {codes:?}", codes.len(), codes::CODES.len());
    assert!(compiled * 50 > count, "only {compiled} of {count} compile: nothing but syntax is tried");
    assert!(compiled * 10 < count * 9 && codes.len() > 20, "{codes:?}");
}

#[test]
fn conditions_of_any_words_compile_or_are_refused_with_findings_that_show() {
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let attributes = "attributes:
  - {id: customer.tier, type: {enum: [bronze, gold]}}
  - {id: customer.points, type: number}
  - {id: customer.member_since, type: date}
  - {id: offer.category, type: {enum: [shoes, home]}}
";
    let small = [
        file("bundle.yaml", "name: storm\nschema: 1\n"),
        file("catalog/attributes.yaml", attributes),
        file("catalog/purposes.yaml", "purposes:\n  - {id: p, dpv: Marketing}\n"),
        file(
            "placements.yaml",
            "placements:\n  - {id: home, channel: web, purpose: p, currency: USD, objective: {kind: margin, \
             window: 7d, \
             reward_cap: 9.00}, \
             strategy: {name: uniform}, fallback: {offer: house, variant: a}}\n",
        ),
    ];
    let compiled = |rule: &str| -> Result<Bundle, Vec<Finding>> {
        let mut files = small.to_vec();
        files.push(file("rules/10.yaml", rule));
        compile(&files)
    };
    let sound = compiled("owner: all\nexclusions:\n  - {id: a, why: b, when: customer.points > 1}\n");
    assert!(sound.is_ok(), "{:?}", sound.err());
    let small = small.clone();
    let count = rounds(4_000);
    let played = play(count, move |chance, played| {
        let mut files = small.to_vec();
        let condition = chance.condition();
        files.push(file(
            "rules/10.yaml",
            &format!("owner: all\nexclusions:\n  - id: a\n    why: b\n    when: |\n      {condition}\n"),
        ));
        played.note(compile(&files));
    });
    let Played { compiled, codes } = played;
    println!("{count} conditions: {compiled} compiled, codes found: {codes:?}");
    assert!(compiled > 0 && codes.len() > 8, "{compiled} compiled, {codes:?}");
}
